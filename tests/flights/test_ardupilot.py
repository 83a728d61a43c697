"""The same operations on real ArduCopter, where the binary is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import SimulatedCrew, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.links import Link, open_link
from skymist.flight.mavlink.messages import CopterMode, Heartbeat, ServoOutput
from skymist.flight.protocols import driver
from skymist.flight.recording.record import read_record
from skymist.flight.safety.readiness import _reasons
from skymist.flight.terminal.display import Silent
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.binaries import find_arducopter
from skymist.sitl.loops import ScaledLoop, run

pytestmark = [pytest.mark.ardupilot, pytest.mark.slow]

SPEEDUP = 10.0
SERVO_INDEX = 8


class Onlooker:
    """A second ground station on the copter's second port: sees the pump, and may take over."""

    def __init__(self, then: CopterMode | None) -> None:
        self._then = then

    async def watch(self, address: str) -> None:
        """Wait until the pump runs, then change the mode, and land half a minute later."""
        if self._then is None:
            return
        await asyncio.sleep(20.0)  # the binary opens its second port after its first was taken
        port = int(address.rsplit(":", 1)[1]) + 2
        async with Channel(await open_link(f"tcp:127.0.0.1:{port}"), sysid=254) as channel:
            peer = channel.vehicle(1)
            await peer.wait_for(Heartbeat, lambda h: h.is_armed, timeout_s=200.0)
            await driver.request_streams(peer, {ServoOutput: 10.0})
            await peer.wait_for(
                ServoOutput, lambda s: s.pulse_us[SERVO_INDEX] > 1150, timeout_s=100.0
            )
            await asyncio.sleep(2.0)
            await driver.set_mode(peer, self._then)
            await asyncio.sleep(5.0)
            await driver.set_mode(peer, CopterMode.LAND)


def fly(plan: Plan, folder: Path, binary: Path, onlooker: Onlooker) -> Outcome:
    async def main() -> Outcome:
        drones = list(plan.site.fleet)
        async with ArduPilotFleet(
            drones,
            homes=homes_of(plan, drones),
            speedup=SPEEDUP,
            found=find_arducopter(binary),
        ) as fleet:
            links = {d.id: await open_link(fleet.addresses[i]) for i, d in enumerate(drones)}

            async def swap(drone_id: str) -> None:
                await fleet.swap_battery([d.id for d in drones].index(drone_id))

            looking = asyncio.create_task(onlooker.watch(fleet.addresses[0]))
            outcome = await operate(
                plan,
                links,
                folder,
                crew=SimulatedCrew(plan.site.policy, lambda *_: None, swap),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=datetime.now(UTC), sim="ardupilot", speedup=SPEEDUP),
            )
            assert looking.done(), "the second ground station never came to its end"
            looking.result()
            return outcome

    return run(main(), loop=ScaledLoop(SPEEDUP))


def test_a_whole_sortie(tiny_plan: Callable[..., Plan], tmp_path: Path, arducopter: Path) -> None:
    plan = tiny_plan()
    outcome = fly(plan, tmp_path / "record", arducopter, Onlooker(None))
    assert outcome.result is Result.DONE
    assert outcome.litres_l == pytest.approx(plan.litres_l, rel=0.4)
    record = read_record(tmp_path / "record")
    states = [e["state"] for e in record.of("sortie")]
    assert states == ["preparing", "uploading", "verified", "armed", "flying", "landed"]
    assert not list(record.of("pump", "skipped"))
    wet = [t for t in record.of("track") if t["pump_frac"] > 0.05]
    assert {t["in_span"] for t in wet} <= {"yard0", "bins0", None}


@pytest.mark.parametrize("mode", [CopterMode.BRAKE, CopterMode.RTL], ids=lambda m: m.name)
def test_another_hand_on_the_mode_turns_the_pump_off(
    tiny_plan: Callable[..., Plan], tmp_path: Path, arducopter: Path, mode: CopterMode
) -> None:
    outcome = fly(tiny_plan(), tmp_path / "record", arducopter, Onlooker(mode))
    assert outcome.result is Result.INCOMPLETE
    record = read_record(tmp_path / "record")
    stop = next(record.of("pump"))
    assert mode.name in stop["reason"]
    wet = [t for t in record.of("track") if t["pump_frac"] > 0.05]
    assert wet[-1]["t_s"] - wet[0]["t_s"] > 0.0
    assert wet[-1]["t_s"] - stop["t_s"] < 1.0
    assert "pilot" in {e["code"] for e in record.of("alert")}
    assert {e["spot_id"] for e in record.of("skipped")} == {"yard0", "bins0"}


def test_every_reason_of_its_own_checks_reaches_the_user(
    tiny_plan: Callable[..., Plan], arducopter: Path
) -> None:
    """The oracle is a second ground station that reads the texts with pymavlink."""
    heard: dict[str, set[str]] = {}

    async def listen(address: str) -> None:
        port = int(address.rsplit(":", 1)[1]) + 2
        link = await open_link(f"tcp:127.0.0.1:{port}")
        parser = mavlink.MAVLink(None, srcSystem=254)
        parser.robust_parsing = True
        beat = mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)
        link.write(bytes(beat.pack(parser)))  # it speaks to those who spoke
        try:
            await read(link, parser)
        finally:
            link.close()

    async def read(link: Link, parser: mavlink.MAVLink) -> None:
        while data := await link.read():
            for message in parser.parse_buffer(data) or ():
                if message.get_type() == "STATUSTEXT" and message.text.startswith("PreArm: "):
                    kind = "off" if message.severity == 7 else "on"
                    heard.setdefault(kind, set()).add(message.text.removeprefix("PreArm: "))

    async def main() -> tuple[str, ...]:
        drones = list(tiny_plan().site.fleet)
        params = {"SIM_GPS1_ENABLE": 0, "SIM_RC_FAIL": 1, "BATT_ARM_VOLT": 99, "FENCE_ENABLE": 1}
        async with (
            ArduPilotFleet(
                drones,
                homes=homes_of(tiny_plan(), drones),
                speedup=SPEEDUP,
                found=find_arducopter(arducopter),
                params={**params, "FS_THR_ENABLE": 1},
            ) as fleet,
            Channel(await open_link(fleet.addresses[0])) as channel,
        ):
            peer = channel.vehicle(1)
            await driver.wait_heartbeat(peer, 60.0)
            await driver.request_streams(peer)
            await asyncio.sleep(30.0)
            listener = asyncio.create_task(listen(fleet.addresses[0]))
            await asyncio.sleep(1.0)
            reasons = await _reasons(peer)
            listener.cancel()
            return reasons

    reasons = run(main(), loop=ScaledLoop(SPEEDUP))
    assert len(reasons) >= 3
    assert set(reasons) >= heard["on"] - heard.get("off", set())
