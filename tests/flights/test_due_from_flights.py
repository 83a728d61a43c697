"""Days of a small community by the true way: due, planned, flown, entered; the next day follows.

Every record is flown on the embedded copter. A replay of days and a table in plain numbers says
what should be due; the month of tests/missions/ledger/month.py does the same with made-up reports.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from shapely.geometry import box

from skymist.coverage.planning import plan_site
from skymist.coverage.site import (
    BlindSpot,
    Kind,
    Level,
    LevelName,
    LevelRule,
    LevelRules,
    Measure,
    Site,
)
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import applied_from
from skymist.flight.reporting.report import report_dict
from skymist.flight.terminal.display import Silent
from skymist.missions.ledger.due import due, only_due
from skymist.missions.ledger.findings import Reported, add_findings
from skymist.missions.ledger.store import open_ledger
from skymist.missions.ledger.treatments import Flown, add_record
from skymist.missions.ledger.verify import verify
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from tests.yards import six_yards

if TYPE_CHECKING:
    from pathlib import Path

    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.conduct import Outcome

DAY_1 = date(2026, 7, 1)
DAYS = {LevelName.RED: 1, LevelName.YELLOW: 2, LevelName.BLUE: 3}
LEVELS = {"a": LevelName.RED, "b": LevelName.YELLOW, "c": LevelName.BLUE}
FOUND_DAY, FOUND_DAYS = 2, 2
"""On the third day two cases are found at c: it is red for two days."""
LEFT_OUT = {1: "a"}
"""On the second day the crew does not fly the sorties that go to a."""


@cache
def three_bins() -> Site:
    yards = six_yards().site
    spots = tuple(
        BlindSpot(id=s, kind=Kind.YARD, level=level, shape=box(30 * k, 15, 30 * k + 8, 21))
        for k, (s, level) in enumerate(LEVELS.items())
    )
    levels = tuple(
        Level(name=name, dose_l_per_m2=0.02, agent_id="chlorine", revisit_days=days)
        for name, days in DAYS.items()
    )
    rule = LevelRule(measure=Measure.CASES, days=FOUND_DAYS, red=2)
    return replace(
        yards,
        name="three bins",
        spots=spots,
        surface_levels=levels,
        fleet=yards.fleet[:1],
        pads=yards.pads[:1],
        level_rules=LevelRules(decay_days=1, rules=(rule,)),
    )


def flown(plan: Plan, folder: Path, started: datetime) -> Outcome:
    async def main() -> Outcome:
        drones = list(plan.site.fleet)
        async with EmbeddedFleet(drones, homes=homes_of(plan, drones)) as fleet:
            copters = dict(zip([d.id for d in drones], fleet.copters, strict=True))
            return await operate(
                plan,
                {d.id: fleet.connect(k) for k, d in enumerate(drones)},
                folder,
                crew=crew_of(plan.site.policy, copters),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=started, sim="embedded"),
            )

    return run(main(), loop=VirtualLoop())


def test_levels_and_what_is_due_follow_from_flown_records(tmp_path: Path) -> None:
    site, ledger = three_bins(), tmp_path / "l.ledger"
    last = dict.fromkeys(LEVELS, -99)
    for day in range(5):
        on, morning = DAY_1 + timedelta(days=day), datetime(2026, 7, 1, 7, tzinfo=UTC)
        morning += timedelta(days=day)
        is_found = FOUND_DAY <= day < FOUND_DAY + FOUND_DAYS
        if day == FOUND_DAY:
            told = Reported(on=on, measure=Measure.CASES, value=2, spot_id="c")
            add_findings(ledger, site, [told], now=morning - timedelta(hours=1), tz=UTC)
        levels = LEVELS | ({"c": LevelName.RED} if is_found else {})
        expected = {s for s, level in levels.items() if day - last[s] >= DAYS[level]}
        with open_ledger(ledger, community=site.name, now=morning) as held:
            found = due(site, held, on, counts_rehearsals=True, tz=UTC)
        assert {item.spot.id for item in found} == expected, day
        assert {item.spot.id: item.spot.level for item in found if item.spot.id != "c"} == {
            s: LEVELS[s] for s in expected - {"c"}
        }
        plan = plan_site(only_due(site, found))
        sorties = tuple(s for s in plan.sorties if LEFT_OUT.get(day) not in s.spot_ids)
        assert {t.spot_id for t in plan.treatments} == expected
        outcome = flown(replace(plan, sorties=sorties), tmp_path / f"r{day}", morning)
        assert outcome.result is Result.DONE
        record = read_record(tmp_path / f"r{day}")
        figures = report_dict(applied_from(record), record_name="record.jsonl", sha256="")
        done = Flown(data=record.path.read_bytes(), figures=figures)
        add_record(ledger, done, takes_rehearsals=True, now=morning + timedelta(hours=3))
        treated = {s for sortie in sorties for s in sortie.spot_ids}
        assert {s["id"] for s in figures["spots"] if s["outcome"] == "treated"} == treated
        last |= dict.fromkeys(treated, day)
    assert verify(ledger).broken is None
