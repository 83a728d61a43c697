"""Hours when really flown: a drone waits on its pad, or leaves a sortie out and flies the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Hours, Start
from skymist.coverage.plan import Pass, Plan
from skymist.coverage.site import Closure
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.recording.record import Record, read_record
from skymist.flight.safety.hours import HoursGuard, out_of_hours, require_hours
from skymist.flight.terminal.display import Silent
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from tests.flights.test_operations import STARTED_UTC, MakePlan

SEVEN_S = 7 * 3600.0


def timed(plan: Plan, *hours: tuple[float, float]) -> Plan:
    """The plan, begun at 07:00, with the first spot's hours in minutes after that."""
    kept = tuple(Hours(start_s=SEVEN_S + 60 * a, end_s=SEVEN_S + 60 * b) for a, b in hours)
    first, *others = plan.site.spots
    site = replace(plan.site, spots=(replace(first, hours=kept), *others))
    return replace(plan, site=site, start=Start(clock_s=SEVEN_S))


@pytest.fixture
def fly(tmp_path: Path) -> Callable[[Plan], tuple[Outcome, Record]]:
    """Flies a plan on embedded copters, by the plan's own clock."""

    def flown(plan: Plan) -> tuple[Outcome, Record]:
        async def main() -> Outcome:
            drones = list(plan.site.fleet)
            async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
                links = {d.id: fleet.connect(i) for i, d in enumerate(drones)}
                copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}
                return await operate(
                    plan,
                    links,
                    tmp_path / "record",
                    crew=crew_of(plan.site.policy, copters),
                    display=Silent(),
                    arm=True,
                    setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                )

        return run(main(), loop=VirtualLoop()), read_record(tmp_path / "record")

    return flown


Fly = Callable[[Plan], tuple[Outcome, Record]]


def told(record: Record, state: str) -> list[str]:
    return [e["text"] for e in record.of("sortie") if e["state"] == state]


def test_a_drone_waits_for_hours_that_begin_soon(tiny_plan: MakePlan, fly: Fly) -> None:
    outcome, record = fly(timed(tiny_plan(), (10, 40)))
    assert outcome.result is Result.DONE
    assert "07:10-07:40" in told(record, "waiting")[0]
    assert outcome.duration_s > 600
    assert outcome.drones[0].flight_s < 150, "it waits on its pad"


def test_a_sortie_whose_hours_are_over_is_left_out(tiny_plan: MakePlan, fly: Fly) -> None:
    """Both sorties of a drone spray the same spot; its hours are over before the second."""
    outcome, record = fly(timed(tiny_plan(1, 2), (0, 3)))
    assert outcome.result is Result.INCOMPLETE
    assert outcome.num_flown == 1
    assert {one.sortie_id for one in outcome.skipped} == {"d1-02"}
    assert "outside its hours" in outcome.skipped[0].reason
    assert "outside its hours" in told(record, "failed")[0]
    assert outcome.drones[0].error == ""


def test_the_next_sortie_is_flown_after_one_was_left_out(tiny_plan: MakePlan, fly: Fly) -> None:
    """With the fresh battery that was due before the one that was left out."""
    plan = timed(tiny_plan(1, 3), (0, 3))
    second_spot = plan.site.spots[1].id
    last = plan.sorties[2]
    legs = tuple(
        replace(leg, spot_id=second_spot) if isinstance(leg, Pass) else leg for leg in last.legs
    )
    last = replace(last, legs=legs, swap_before=False)
    outcome, record = fly(replace(plan, sorties=(*plan.sorties[:2], last)))
    assert {one.sortie_id for one in outcome.skipped} == {"d1-02"}
    assert outcome.num_flown == 2
    assert [e["kind"] for e in record.of("service")] == ["fill", "refill", "swap"]


def test_closed_ground_is_waited_for(tiny_plan: MakePlan) -> None:
    plan = timed(tiny_plan())
    spot = plan.site.spots[0]
    closed = Closure(id="c", area=spot.area, hours=(Hours(start_s=SEVEN_S, end_s=SEVEN_S + 1800),))
    plan = replace(plan, site=replace(plan.site, closures=(closed,)))
    guard = HoursGuard(plan, lambda: SEVEN_S + 600)
    assert 1000 < guard.wait_s(plan.sorties[0]) <= 1200


def test_fly_refuses_a_plan_at_another_time(tiny_plan: MakePlan) -> None:
    plan = timed(tiny_plan(num_drones=2), (0, 30))
    require_hours(plan, SEVEN_S)
    require_hours(plan, SEVEN_S - 1800)
    with pytest.raises(PlanError, match=r"begins at 07:00, it is 10:00: 1 of 2 sorties"):
        require_hours(plan, SEVEN_S + 3 * 3600)
    assert out_of_hours(replace(plan, start=None), 0.0) == []
