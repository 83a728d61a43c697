"""Vehicles get their own parameters back, by every firmware's names; or the record has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.mavlink.channel import Channel
from skymist.flight.protocols.restore import left_changed, put_back
from skymist.flight.recording.record import read_record
from skymist.flight.terminal.display import Silent
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.params import Firmware
from tests.flights.test_operations import STARTED_UTC, MakePlan

Trouble = Callable[[EmbeddedFleet, Any], Any]
GENERATIONS = pytest.mark.parametrize("firmware", Firmware, ids=lambda firmware: firmware.value)


def held(fleet: EmbeddedFleet) -> dict[str, float]:
    counters = ("MIS_TOTAL", "FENCE_TOTAL", "RALLY_TOTAL")
    answers = fleet.copters[0].params.answers()
    return {a.name: a.value for a in answers if a.name not in counters}


def flown(
    plan: Plan,
    folder: Path,
    firmware: Firmware,
    trouble: Trouble | None = None,
    after: Callable[[EmbeddedFleet], Any] | None = None,
) -> tuple[Outcome | None, dict[str, float], dict[str, float]]:
    """Outcome, and the parameters before and after."""

    async def main() -> tuple[Outcome | None, dict[str, float], dict[str, float]]:
        drones = list(plan.site.fleet)
        homes = homes_of(plan, drones)
        async with EmbeddedFleet(drones, homes=homes, warm_boot=True, firmware=firmware) as fleet:
            before = held(fleet)
            link = fleet.connect(0)
            task = asyncio.create_task(
                operate(
                    plan,
                    {"d1": link},
                    folder,
                    crew=crew_of(plan.site.policy, {"d1": fleet.copters[0]}),
                    display=Silent(),
                    arm=True,
                    setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                )
            )
            if trouble is not None:
                asyncio.get_running_loop().create_task(trouble(fleet, (task, link)))
            outcome = None
            with suppress(asyncio.CancelledError):
                outcome = await task
            if after is not None:
                await after(fleet)
            return outcome, before, held(fleet)

    return run(main(), loop=VirtualLoop())


def restoring(plan: Plan) -> Plan:
    policy = replace(plan.site.policy, restores_parameters=True)
    return replace(plan, site=replace(plan.site, policy=policy))


@GENERATIONS
def test_parameters_are_as_they_were(
    tiny_plan: MakePlan, tmp_path: Path, firmware: Firmware
) -> None:
    outcome, before, after = flown(restoring(tiny_plan(1, 2)), tmp_path / "r", firmware)
    assert outcome is not None
    assert outcome.result is Result.DONE
    assert after == before
    assert left_changed(read_record(tmp_path / "r")) == {}


@GENERATIONS
def test_otherwise_they_stay_and_the_record_can_put_them_back(
    tiny_plan: MakePlan, tmp_path: Path, firmware: Firmware
) -> None:
    outcome, before, after = flown(tiny_plan(), tmp_path / "r", firmware)
    assert outcome is not None
    changed = {name for name in before if after[name] != before[name]}
    assert {"SPRAY_PUMP_RATE", "FS_GCS_ENABLE", "AUTO_OPTIONS"} <= changed
    left = left_changed(read_record(tmp_path / "r"))
    assert len(left["d1"]) == len(changed)

    async def later(fleet: EmbeddedFleet) -> None:
        async with Channel(fleet.connect(0)) as channel:
            report = await put_back(channel.vehicle(1), left["d1"])
            assert report.is_as_wanted

    _, before, after = flown(tiny_plan(), tmp_path / "again", firmware, after=later)
    assert after == before


@pytest.mark.parametrize("when", ["cancelled", "refused"])
def test_after_a_failure_too(tiny_plan: MakePlan, tmp_path: Path, when: str) -> None:
    async def trouble(fleet: EmbeddedFleet, run_: Any) -> None:
        task, _ = run_
        while fleet.copters[0].params["AUTO_OPTIONS"] != 3:
            await asyncio.sleep(0.05)
        if when == "cancelled":
            await asyncio.sleep(1.0)
            task.cancel()
        else:
            fleet.copters[0].faults.gps_lost = True

    plan = restoring(tiny_plan())
    outcome, before, after = flown(plan, tmp_path / "r", Firmware.V4_6, trouble)
    assert outcome is None or outcome.result is not Result.DONE
    assert after == before


def test_a_drone_that_is_gone_is_told_and_its_values_kept(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    async def trouble(fleet: EmbeddedFleet, run_: Any) -> None:
        while not fleet.copters[0].mission:
            await asyncio.sleep(0.05)
        fleet.copters[0].faults.link_silent = True

    plan = restoring(tiny_plan())
    _, before, after = flown(plan, tmp_path / "r", Firmware.V4_7, trouble)
    assert after != before
    record = read_record(tmp_path / "r")
    assert "parameters_left" in {e["code"] for e in record.of("alert")}
    assert left_changed(record)["d1"]["auto_options"] == before["AUTO_OPTIONS"]
