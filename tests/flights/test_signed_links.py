"""Signed links over bytes: the embedded copter and the real one obey the key and nothing else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.errors import VehicleSilent
from skymist.flight.mavlink.channel import Channel, Peer
from skymist.flight.mavlink.keyring import KeyRing, add_key, read_keys
from skymist.flight.mavlink.links import Link, open_link
from skymist.flight.mavlink.messages import CopterMode, Heartbeat, VehicleCommand
from skymist.flight.mavlink.signing import EPOCH_2015_S, Key, Seal, Stamps, Verdict
from skymist.flight.mavlink.signing_setup import set_key
from skymist.flight.mavlink.wiring import Wiring
from skymist.flight.protocols import driver
from skymist.flight.recording.record import read_record
from skymist.flight.terminal.display import Silent
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.binaries import find_arducopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from tests.flights.test_operations import STARTED_UTC, MakePlan
from tests.sitl.ground import HOME, drone

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
NOW_S = EPOCH_2015_S + 3.7e8
Open = Callable[[], Awaitable[Link]]


def stamps(ahead_s: float = 0.0) -> Stamps:
    loop = asyncio.get_running_loop()
    return Stamps(lambda: NOW_S + loop.time() + ahead_s)


async def is_obeyed(peer: Peer) -> bool:
    """Whether a command is answered."""
    result = await driver.command(peer, VehicleCommand.GET_HOME_POSITION, num_tries=2)
    return result.outcome is not driver.Outcome.UNKNOWN


OBEYED = {
    "before a key is set": True,
    "unsigned over the air": False,
    "another key": False,
    "its key": True,
    "after a replay": True,
    "our clock an hour behind": True,
    "its key after a reboot": True,
    "unsigned after the key is gone": True,
}
"""Whether a vehicle answers a command over its radio, as the story goes."""


async def story(
    usb: Open, radio: Open, reboot: Callable[[], Awaitable[None]] | None
) -> dict[str, bool]:
    """A key is set over the cable; then the radio is obeyed with it alone; then it is removed.

    Gives whether the radio was obeyed, stage by stage.
    """
    clock, obeyed = stamps(), dict[str, bool]()
    async with Channel(await usb()) as cable, Channel(await radio(), sysid=254) as air:
        near, far = cable.vehicle(1), air.vehicle(1)
        await driver.wait_heartbeat(near, 60.0)
        await driver.wait_heartbeat(far, 60.0)
        obeyed["before a key is set"] = await is_obeyed(far)
        assert not far.is_signing

        await set_key(near, KEY, Seal(KEY, clock))
        await far.wait_for(Heartbeat, lambda _: far.is_signing, timeout_s=10.0)
        obeyed["unsigned over the air"] = await is_obeyed(far)

        far.seal = Seal(OTHER, clock)
        obeyed["another key"] = await is_obeyed(far)
        assert far.seal.counts[Verdict.WRONG] > 0

        far.seal = Seal(KEY, clock, link_id=1)
        heard: list[bytes] = []
        air._tap = lambda _, raw: heard.append(raw) if raw[5] == 254 else None
        await driver.wait_heartbeat(far, 10.0)
        await driver.set_mode(far, CopterMode.GUIDED)
        await driver.set_mode(far, CopterMode.STABILIZE)
        obeyed["its key"] = await is_obeyed(far)
        assert far.seal.counts[Verdict.WRONG] == far.seal.counts[Verdict.UNSIGNED] == 0

        for raw in heard:  # an eavesdropper says it all again: GUIDED is among it
            air._link.write(raw)
        await asyncio.sleep(3.0)
        beat = await driver.wait_heartbeat(far, 10.0)
        assert beat.custom_mode == CopterMode.STABILIZE
        obeyed["after a replay"] = await is_obeyed(far)

        far.seal = Seal(KEY, stamps(-3600.0), link_id=2)
        await driver.wait_heartbeat(far, 10.0)
        obeyed["our clock an hour behind"] = await is_obeyed(far)  # it follows the vehicle's
        if reboot is not None:
            await reboot()
            far.seal = Seal(KEY, clock, link_id=3)
            await asyncio.sleep(5.0)
            obeyed["its key after a reboot"] = await is_obeyed(far)

        near.seal = Seal(KEY, clock)
        await set_key(near, None, near.seal)
        far.seal = None
        await far.wait_for(Heartbeat, lambda _: not far.is_signing, timeout_s=10.0)
        obeyed["unsigned after the key is gone"] = await is_obeyed(far)
    return obeyed


def test_the_embedded_copter_obeys_its_key_alone() -> None:
    async def main() -> dict[str, bool]:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:

            async def dial() -> Link:
                return fleet.connect(0)

            async def reboot() -> None:
                fleet.copters[0].reboot()

            return await story(dial, dial, reboot)

    assert run(main(), loop=VirtualLoop()) == OBEYED


@pytest.mark.ardupilot
@pytest.mark.slow
def test_real_arducopter_obeys_its_key_alone(arducopter: Path) -> None:
    async def main() -> dict[str, bool]:
        found = find_arducopter(arducopter)
        async with ArduPilotFleet([drone()], homes=[HOME], speedup=5.0, found=found) as fleet:
            port = int(fleet.addresses[0].rsplit(":", 1)[1])
            radio = f"tcp:127.0.0.1:{port + 2}"

            async def usb() -> Link:
                link = await open_link(fleet.addresses[0])
                await asyncio.sleep(20.0)  # the second port opens after the first was taken
                return link

            async def second() -> Link:
                return await open_link(radio)

            return await story(usb, second, None)

    wanted = {stage: is_heard for stage, is_heard in OBEYED.items() if "reboot" not in stage}
    assert run(main(), loop=ScaledLoop(5.0)) == wanted


def test_a_key_is_not_set_on_a_vehicle_that_does_not_listen() -> None:
    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            fleet.connect(0)
            fleet.copters[0]._machine.signing.setup(OTHER.secret, 1)
            async with Channel(fleet.connect(0)) as channel:
                with pytest.raises(VehicleSilent, match="wanted it to sign with this key"):
                    await set_key(channel.vehicle(1), KEY, Seal(KEY, stamps()))

    run(main(), loop=VirtualLoop())


def signed_flight(
    plan: MakePlan, folder: Path, *, is_same: bool = True, ahead_s: float = 0.0
) -> Outcome:
    path = folder / "keys.toml"
    key = add_key(path, "d1")

    async def main() -> Outcome:
        made = plan(2, 1)
        drones = list(made.site.fleet)
        async with EmbeddedFleet(drones, homes=homes_of(made, drones), warm_boot=True) as fleet:
            for index in range(2):
                fleet.connect(index)  # the USB port, on which unsigned frames would be taken
            loop = asyncio.get_running_loop()
            secret = key.secret if is_same else OTHER.secret
            begins = round((NOW_S - EPOCH_2015_S + ahead_s) * 1e5)
            fleet.copters[0]._machine.signing.setup(secret, begins)
            copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}
            return await operate(
                made,
                {d.id: fleet.connect(i) for i, d in enumerate(drones)},
                folder / "record",
                crew=crew_of(made.site.policy, copters),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                wiring=Wiring(keys=KeyRing(path, unix_s=lambda: NOW_S + loop.time())),
            )

    return run(main(), loop=VirtualLoop())


def test_an_operation_with_a_signed_and_an_unsigned_drone(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    outcome = signed_flight(tiny_plan, tmp_path)
    assert outcome.result is Result.DONE
    assert outcome.num_flown == 2
    told = [e for e in read_record(tmp_path / "record").of("link") if e["drone_id"] == "d1"]
    assert told
    assert {e["num_refused"] for e in told} == {0}
    assert all(e["round_trip_s"] is not None and e["rate_hz"] > 5 for e in told[:-1])
    alerts = [e["code"] for e in read_record(tmp_path / "record").of("alert")]
    assert "clock_skew" not in alerts
    assert "signature" not in alerts


def test_a_drone_whose_clock_is_a_day_ahead_is_flown_and_told(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    outcome = signed_flight(tiny_plan, tmp_path, ahead_s=86_400.0)
    assert outcome.result is Result.DONE
    texts = [e["text"] for e in read_record(tmp_path / "record").of("alert")]
    assert any(
        "signing clock is 86" in text and "ahead of this machine's" in text for text in texts
    )


def test_a_drone_with_another_key_is_named_and_nothing_starts(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    with pytest.raises(VehicleSilent, match=r"d1: no heartbeat.*refused frames.*wrongly signed"):
        signed_flight(tiny_plan, tmp_path, is_same=False)


def test_keys_from_the_command_line(tmp_path: Path) -> None:
    """`skymist keys` in a process of its own, against a copter on a real port."""
    path = tmp_path / "keys.toml"

    async def skymist(*words: object) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "skymist.flight.cli", "keys", *map(str, words)),
            *("--keys", str(path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode()

    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            signing = fleet.copters[0]._machine.signing
            where = f"tcp:127.0.0.1:{await fleet.serve_tcp(0)}"
            code, said = await skymist("set", "heron", where)
            assert (code, "found none" in said) == (2, True)
            assert (await skymist("new", "heron"))[0] == 0
            code, said = await skymist("set", "heron", where)
            assert (code, "heron: signs with" in said) == (0, True), said
            assert signing.key == read_keys(path)["heron"].secret
            assert signing.key.hex() not in said
            assert (await skymist("list"))[1].split()[0] == "heron"
            code, said = await skymist("remove", "heron", where)
            assert (code, signing.key) == (0, None), said
            code, said = await skymist("set", "heron", where, "--sysid", 9)
            assert code == 3, said

    run(main(), loop=ScaledLoop(1.0))
