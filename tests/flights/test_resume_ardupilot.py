"""The ground program killed over real ArduCopter, and taken up again."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.flight.commands.reaching import open_links
from skymist.flight.commands.rehearse import SimulatedCrew, homes_of
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.recording.record import Record, read_record
from skymist.flight.reporting.applied import applied_from
from skymist.flight.resuming.resume import Choice, resume
from skymist.flight.terminal.display import Silent
from skymist.missions.errors import FormatError
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.binaries import find_arducopter
from skymist.sitl.loops import ScaledLoop, run
from tests.yards import six_yards

pytestmark = [pytest.mark.ardupilot, pytest.mark.slow]
if sys.platform == "win32":
    pytest.skip("no fork", allow_module_level=True)

SPEEDUP = 5.0
_fork = multiprocessing.get_context("fork")


def one_yard() -> Plan:
    """A yard and the drone next to it."""
    site = six_yards().site
    return plan_site(replace(site, spots=site.spots[:1], fleet=site.fleet[:1], pads=site.pads[:1]))


def _ground(plan: Plan, where: dict[str, str], folder: Path, choice: Choice | None) -> None:
    async def nothing(_: str) -> None:
        """The battery lasts for both flights."""

    async def work() -> None:
        setting = Setting(
            started_utc=datetime.now(UTC), sim="ardupilot", speedup=SPEEDUP, connections=where
        )
        links = await open_links(where, patience_s=60.0)
        crew = SimulatedCrew(plan.site.policy, lambda *_: None, nothing)
        if choice is None:
            await operate(
                plan, links, folder, crew=crew, display=Silent(), arm=True, setting=setting
            )
        else:
            await resume(
                read_record(folder),
                links,
                crew=crew,
                display=Silent(),
                arm=True,
                setting=setting,
                choice=choice,
            )

    run(work(), loop=ScaledLoop(SPEEDUP))


def wet(folder: Path) -> int:
    """Samples with the pump running so far."""
    try:
        record: Record = read_record(folder)
    except FormatError:
        return 0
    return sum(event["flow_lps"] > 0 for event in record.of("track"))


@pytest.mark.parametrize("pause_s", [0.5, 40.0], ids=["at once", "when it is home"])
def test_killed_amid_a_pass_it_is_finished(
    pause_s: float, tmp_path: Path, arducopter: Path
) -> None:
    plan, folder = one_yard(), tmp_path / "record"

    async def main() -> int | None:
        drones = list(plan.site.fleet)
        async with ArduPilotFleet(
            drones,
            homes=homes_of(plan, drones),
            speedup=SPEEDUP,
            found=find_arducopter(arducopter),
        ) as fleet:
            where = {d.id: fleet.addresses[k] for k, d in enumerate(drones)}
            program = _fork.Process(target=_ground, args=(plan, where, folder, None))
            program.start()
            async with asyncio.timeout(600.0):
                while wet(folder) < 30:
                    await asyncio.sleep(1.0)
            assert program.pid is not None
            os.kill(program.pid, signal.SIGKILL)
            program.join()
            await asyncio.sleep(pause_s)
            program = _fork.Process(target=_ground, args=(plan, where, folder, Choice()))
            program.start()
            async with asyncio.timeout(900.0):
                while program.is_alive():
                    await asyncio.sleep(1.0)
            return program.exitcode

    assert run(main(), loop=ScaledLoop(SPEEDUP)) == 0
    record = read_record(folder)
    assert record.num_parts == 2
    told = [e["text"] for e in record.of("alert") if e["severity"] != "info"]
    assert record.events[-1]["outcome"] == "done", told
    codes = {event["code"] for event in record.of("alert")}
    assert "mission_unknown" not in codes
    is_found = any("found in the air" in event["text"] for event in record.of("sortie"))
    assert is_found == ("mission_held" in codes)
    assert applied_from(record).totals.dosed_frac >= 0.93
