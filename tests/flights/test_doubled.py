"""Two vehicles with one system id on one port are refused before anything is written to either."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.mavlink.channel import Channel
from skymist.flight.terminal.display import Silent
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from tests.flight.scripted import FakeLink, fly
from tests.flights.machines import Both
from tests.flights.test_operations import STARTED_UTC, MakePlan

BEAT = m.MAVLink_heartbeat_message(2, 3, 81, 0, 4, 3)


@pytest.mark.parametrize("ahead", [0, 1, 20, 100, 200, 230])
def test_two_drones_with_one_id_are_refused_with_nothing_written(
    tiny_plan: MakePlan, tmp_path: Path, ahead: int
) -> None:
    async def main() -> tuple[Outcome, tuple[EmbeddedCopter, ...], list[dict[str, float]]]:
        plan = tiny_plan()
        drones = [plan.site.fleet[0]] * 2
        homes = homes_of(plan, drones)
        async with EmbeddedFleet(drones, homes=homes, warm_boot=True) as fleet:
            pipes = [fleet.connect(0), fleet.connect(1)]
            fleet.copters[1]._links[0].codec._mav.seq = ahead
            await asyncio.sleep(10.0)
            names = ("SPRAY_SPEED_MIN", "FS_GCS_ENABLE", "AUTO_OPTIONS", "WP_SPD")
            before = [{n: c.params[n] for n in names} for c in fleet.copters]
            outcome = await operate(
                plan,
                {"d1": Both(*pipes)},
                tmp_path / "record",
                crew=crew_of(plan.site.policy, {"d1": fleet.copters[0]}),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
            )
            after = [{n: c.params[n] for n in names} for c in fleet.copters]
            assert after == before
            return outcome, fleet.copters, after

    outcome, copters, _ = run(main(), loop=VirtualLoop())
    assert outcome.result is Result.INCOMPLETE
    assert "two vehicles answer as system id 1" in outcome.drones[0].error
    for copter in copters:
        assert len(copter.mission) <= 1
        assert not any(sample.is_armed for sample in copter.truth)


@pytest.mark.parametrize("seed", range(5))
def test_a_bad_link_is_not_taken_for_two_vehicles(seed: int) -> None:
    """Loss, repeats, late frames, and two reboots."""
    chance = random.Random(seed)

    async def main() -> None:
        link = FakeLink(seed=seed, loss_frac=0.3, repeat_frac=0.3, jitter_s=0.3)
        async with Channel(link) as channel:
            peer, mav = channel.vehicle(1), m.MAVLink(None, 1, 1)
            begins = 0
            for number in range(2000):
                begins += chance.randrange(256) if number % 900 == 899 else 0
                mav.seq = (begins + number) % 256
                link.arrive(bytes(BEAT.pack(mav)))
                await asyncio.sleep(0.075)
                assert not peer.numbering.is_doubled

    fly(main())
