"""A user's DroneKit script on our link: it sees what we see, and commands nothing."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skymist.coverage.errors import SkymistError
from skymist.flight.dronekit_face import MAX_WAITING, as_dronekit
from skymist.flight.errors import VehicleRefused
from skymist.flight.mavlink.channel import Channel, Peer
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.protocols import driver
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, run
from tests.sitl.ground import HOME, LAT, LON, drone

dronekit = pytest.importorskip("dronekit", reason="the extra skymist[dronekit]")
ROOT = Path(__file__).resolve().parents[2]
Script = Callable[[Any, EmbeddedCopter], Any]


def beside(script: Script, *, then: Callable[[Peer], Any] | None = None) -> tuple[Any, list[bytes]]:
    """Run a script in a thread beside a loop at four times speed; what it gives, what was sent."""
    sent: list[bytes] = []

    async def main() -> Any:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            tap = lambda _, raw: sent.append(raw) if raw[5] == 255 else None  # noqa: E731
            async with Channel(fleet.connect(0), tap=tap) as channel:
                peer = channel.vehicle(1)
                await driver.wait_heartbeat(peer, 30.0)
                await driver.request_streams(peer)
                await asyncio.sleep(10.0)
                vehicle = as_dronekit(peer)
                try:
                    running = asyncio.create_task(
                        asyncio.to_thread(script, vehicle, fleet.copters[0])
                    )
                    if then is not None:
                        await then(peer)
                    return await running
                finally:
                    await asyncio.to_thread(vehicle.close)

    return run(main(), loop=ScaledLoop(4.0)), sent


def test_attributes_and_listeners_say_what_the_vehicle_says() -> None:
    def script(vehicle: Any, copter: EmbeddedCopter) -> None:
        heard, modes, threads = [], [], set()
        vehicle.add_message_listener("SERVO_OUTPUT_RAW", lambda *_: heard.append(1))

        @vehicle.on_attribute("mode")
        def told(_: Any, name: str, mode: Any) -> None:
            modes.append(mode.name)
            threads.add(threading.current_thread().name)

        vehicle.wait_ready(True, timeout=20)
        vehicle.wait_ready("location", timeout=20)
        assert vehicle.mode.name == "STABILIZE"
        assert vehicle.armed is False
        assert vehicle.gps_0.fix_type >= 3
        place = vehicle.location.global_relative_frame
        assert place.lat == pytest.approx(LAT, abs=1e-4)
        assert place.lon == pytest.approx(LON, abs=1e-4)
        assert 0.9 < vehicle.battery.level / 100 <= 1.0
        until_s = time.monotonic() + 20.0
        while "GUIDED" not in modes and time.monotonic() < until_s:
            time.sleep(0.05)
        assert modes[-1] == vehicle.mode.name == "GUIDED"
        assert heard
        assert threads == {"dronekit listeners"}
        assert vehicle.last_heartbeat < 2.0

    async def then(peer: Peer) -> None:
        await asyncio.sleep(8.0)
        await driver.set_mode(peer, CopterMode.GUIDED)

    beside(script, then=then)


ORDERS: dict[str, Callable[[Any], Any]] = {
    "mode": lambda v: setattr(v, "mode", dronekit.VehicleMode("GUIDED")),
    "armed": lambda v: setattr(v, "armed", True),
    "arm": lambda v: v.arm(wait=False),
    "upload": lambda v: (v.commands.clear(), v.commands.upload()),
    "download": lambda v: v.commands.download(),
    "takeoff": lambda v: v.message_factory.command_long_send(1, 1, 22, 0, 0, 0, 0, 0, 0, 0, 9),
    "goto": lambda v: v.simple_goto(dronekit.LocationGlobalRelative(LAT, LON, 9)),
    "groundspeed": lambda v: setattr(v, "groundspeed", 3),
    "parameter": lambda v: v.parameters.set("WP_SPD", 9.0),
    "override": lambda v: v.channels.overrides.__setitem__("3", 1800),
    "reboot": lambda v: v.reboot(),
    "raw": lambda v: v.send_mavlink(v.message_factory.set_mode_encode(1, 1, 4)),
}


def test_whatever_would_send_is_refused_and_nothing_goes_out() -> None:
    def script(vehicle: Any, copter: EmbeddedCopter) -> dict[str, str]:
        vehicle.wait_ready("mode", timeout=20)
        said = {}
        for name, order in ORDERS.items():
            try:
                order(vehicle)
            except VehicleRefused as refused:
                said[name] = str(refused)
        time.sleep(1.0)
        assert copter.state.mode == CopterMode.STABILIZE
        assert not copter.state.is_armed
        return said

    said, sent = beside(script)
    assert set(said) == set(ORDERS)
    assert all("never used for upload, arming" in text for text in said.values())
    ids = {int.from_bytes(raw[7:10], "little") for raw in sent}
    assert ids <= {0, 76}, "our heartbeat and our requests for telemetry alone"
    commands = {raw[10 + 28] | raw[10 + 29] << 8 for raw in sent if raw[7] == 76}
    assert commands == {511}


def test_a_slow_listener_holds_nothing_up_and_is_bounded() -> None:
    def script(vehicle: Any, copter: EmbeddedCopter) -> None:
        vehicle.add_message_listener("*", lambda *_: time.sleep(0.5))
        time.sleep(3.0)
        assert vehicle._handler._frames.qsize() <= MAX_WAITING
        vehicle._handler._frames.queue.clear()

    async def then(peer: Peer) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(20):
            at_s = loop.time()
            await asyncio.sleep(0.4)
            assert loop.time() - at_s < 2.0
        assert peer.is_in_contact

    beside(script, then=then)


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    place = ROOT / "examples" / "dronekit_script.py"
    spec = importlib.util.spec_from_file_location("dronekit_script", place)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)

    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            port = await fleet.serve_tcp(0)
            await asyncio.sleep(5.0)
            await example.main(f"tcp:127.0.0.1:{port}", 1, 2.0)

    run(main(), loop=ScaledLoop(4.0))
    said = capsys.readouterr().out
    assert "60.17" in said
    assert "as it should: DroneKit's face" in said


def test_without_dronekit_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dronekit", None)
    with pytest.raises(SkymistError, match=r"pip install skymist\[dronekit\]"):
        as_dronekit(None)  # type: ignore[arg-type]
