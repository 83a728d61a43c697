"""As applied: from records alone, honest about what did not happen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shapely.geometry import box

from skymist.coverage.dosemap import SpotOutcome
from skymist.coverage.plan import Plan
from skymist.coverage.site import Mode, NoSpray
from skymist.flight.recording.record import encode_line, read_record
from skymist.flight.reporting.applied import Applied, SpotApplied, applied_from
from skymist.flight.resuming.ledger import ledger_of
from skymist.missions.errors import FormatError
from tests.flights.conftest import small_plan
from tests.plans import made_plan, neighbourhood
from tests.records import write_record


@pytest.fixture(scope="module")
def plan() -> Plan:
    return made_plan(neighbourhood(columns=2, rows=1))


@pytest.fixture(scope="module")
def whole(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Applied:
    return applied_from(read_record(write_record(tmp_path_factory.mktemp("whole"), plan)))


def of(applied: Applied, spot_id: str) -> SpotApplied:
    return next(spot for spot in applied.spots if spot.spot.id == spot_id)


def test_everything_flown_is_treated(plan: Plan, whole: Applied) -> None:
    assert {s.spot.id for s in whole.spots} == {t.spot_id for t in plan.treatments}
    assert whole.count(SpotOutcome.TREATED) == len(whole.spots)
    assert whole.totals.dosed_frac > 0.97
    assert whole.missed == ()
    assert whole.notes == ()
    assert whole.ending == "done: all landed"


def test_litres_are_those_put_out(plan: Plan, whole: Applied) -> None:
    totals = whole.totals
    assert totals.litres_l == pytest.approx(plan.litres_l, rel=0.03)
    on_target_l = sum(spot.litres_l for spot in whole.spots)
    assert totals.outside_l == pytest.approx(totals.litres_l - on_target_l, abs=0.01)
    assert sum(totals.agent_litres_l.values()) == pytest.approx(totals.litres_l, rel=1e-6)
    assert set(totals.agent_litres_l) == {"cl1000", "bti"}
    assert totals.num_refills == len(plan.sorties) == totals.num_sorties


def test_dose_beside_what_was_asked(whole: Applied) -> None:
    alley = of(whole, "alley-11")
    assert alley.given_l_per_m2 == pytest.approx(0.06 * 1.08, rel=0.06)
    assert alley.chlorine_mg_per_m2 == pytest.approx(64.8, rel=0.06)
    assert alley.asked_chlorine_mg_per_m2 == pytest.approx(60)
    assert alley.drone_ids == ("d1",)


def test_times_and_contact(whole: Applied) -> None:
    began = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    alley = of(whole, "alley-11")
    assert alley.started is not None
    assert alley.ended is not None
    assert began < alley.started < alley.ended < began + timedelta(hours=2)
    assert alley.contact_until == alley.ended + timedelta(minutes=30)
    assert of(whole, "belt-11").contact_until is None


def test_labels_never_promise_more_than_was_given(whole: Applied) -> None:
    assert of(whole, "refuse-11").label == "surface dose reached"
    assert of(whole, "alley-11").label == "dose of its level reached, below the surface norm"
    assert of(whole, "belt-11").label == "vector control, not a surface dose"
    spot = of(whole, "refuse-11")
    mist = replace(spot, spot=replace(spot.spot, mode=Mode.BROADCAST))
    assert mist.label == "mist: below the surface dose"
    weak = replace(spot, outcome=SpotOutcome.PARTIAL)
    assert weak.label == "below the surface dose"
    assert not any("disinfected" in s.label for s in whole.spots)


def test_missed_and_weak_spots_are_named_with_reason(plan: Plan, tmp_path: Path) -> None:
    path = write_record(
        tmp_path, plan, skip=("alley-12",), flow_frac=lambda s: 0.4 if s == "yard-11" else 1.0
    )
    applied = applied_from(read_record(path))
    assert [s.spot.id for s in applied.missed] == ["yard-11", "alley-12"]
    missed = of(applied, "alley-12")
    assert missed.outcome is SpotOutcome.MISSED
    assert missed.reason == "battery low"
    assert missed.started is None
    assert missed.given_l_per_m2 == 0
    weak = of(applied, "yard-11")
    assert weak.dosed_frac < 0.9
    assert weak.label == "below the surface dose"
    assert "got the dose" in weak.reason
    assert not applied.is_as_planned
    assert applied.ending == "incomplete: all landed"


def test_spray_beside_the_plan_is_not_credited(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path, plan, shift_m=(0.0, 300.0))
    applied = applied_from(read_record(path))
    assert applied.count(SpotOutcome.MISSED) == len(applied.spots)
    assert applied.totals.outside_l == pytest.approx(applied.totals.litres_l)
    assert all(s.drone_ids for s in applied.spots), "the drones meant to"


def test_no_spray_areas_are_watched(plan: Plan, tmp_path: Path) -> None:
    dry = NoSpray(id="stall", area=box(30, 5, 34, 9), reason="food")
    far = NoSpray(id="far", area=box(500, 500, 510, 510))
    plan = replace(plan, site=replace(plan.site, no_spray=(dry, far)))
    applied = applied_from(read_record(write_record(tmp_path, plan)))
    stall, other = applied.no_spray
    assert stall.wet_m2 == pytest.approx(16, abs=0.5)
    assert stall.litres_l > 0.3
    assert (other.wet_m2, other.litres_l) == (0, 0)
    assert not applied.is_as_planned


def test_cut_record_is_reported_and_says_so(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path, plan, has_end=False)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    applied = applied_from(read_record(path))
    assert "cut short" in applied.ending
    assert any("cut short" in note for note in applied.notes)
    assert 0 < len(applied.missed) < len(applied.spots)


def test_lost_telemetry_is_not_credited(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path, plan)
    kept, over = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        event = json.loads(line)
        over += event.get("in_span") == "yard-11"
        if event.get("in_span") != "yard-11" or over % 40 == 1:
            kept.append(line)
    path.write_bytes(b"".join(kept))
    applied = applied_from(read_record(path))
    assert applied.totals.unproven_s > 60
    assert of(applied, "yard-11").outcome is not SpotOutcome.TREATED
    assert any("no position was recorded" in note for note in applied.notes)


def test_what_a_fallen_drone_sprays_counts_for_neither_report_nor_ledger(tmp_path: Path) -> None:
    plan = small_plan()
    record = read_record(write_record(tmp_path, plan, fallen=("yard0",)))
    applied, done = applied_from(record), ledger_of(record).done()
    assert of(applied, "yard0").outcome is SpotOutcome.MISSED
    assert of(applied, "bins0").outcome is SpotOutcome.TREATED
    assert done["yard0", 0] == ()
    assert done["bins0", 0] == ((0.0, 1.0),)
    assert applied.totals.litres_l == pytest.approx(plan.litres_l, rel=0.05)
    assert applied.totals.void_l == pytest.approx(0.6, rel=0.05)
    assert applied.dose.litres_l == pytest.approx(0.3, rel=0.1)
    assert any("count as given nowhere" in note for note in applied.notes)


def test_what_fell_from_a_fallen_drone_still_wets_what_must_stay_dry(tmp_path: Path) -> None:
    plan = small_plan()
    stall = NoSpray(id="stall", area=box(22, -2, 26, 2), reason="food")
    plan = replace(plan, site=replace(plan.site, no_spray=(stall,)))
    path = write_record(tmp_path, plan, fallen=("yard0",))
    assert applied_from(read_record(path)).no_spray[0].wet_m2 == pytest.approx(16, abs=0.5)


def test_lagging_clock_is_noticed(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path, plan, speedup=2.0)
    applied = applied_from(read_record(path))
    assert any("clock and vehicle disagree" in note for note in applied.notes)


def test_garbled_events_are_refused_by_name(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path, plan)
    with path.open("ab") as file:
        file.write(encode_line({"t_s": 1.0, "event": "track", "drone_id": "d1"}))
    with pytest.raises(FormatError, match="sortie_id"):
        applied_from(read_record(path))
    stranger = {"drone_id": "d9", "sortie_id": "x", "lat_e7": 0, "lon_e7": 0}
    path = write_record(tmp_path, plan)
    with path.open("ab") as file:
        file.write(encode_line({"t_s": 1.0, "event": "track", **stranger}))
    with pytest.raises(FormatError, match="not in the fleet"):
        applied_from(read_record(path))


def test_spray_of_another_agent_counts_for_nothing(plan: Plan, tmp_path: Path) -> None:
    swapped = tuple(
        replace(s, agent_id={"cl1000": "bti", "bti": "cl1000"}[s.agent_id]) for s in plan.sorties
    )
    applied = applied_from(read_record(write_record(tmp_path, replace(plan, sorties=swapped))))
    assert applied.count(SpotOutcome.TREATED) == 0
    assert all(spot.chlorine_mg_per_m2 < 10 for spot in applied.spots)
    assert set(applied.totals.agent_litres_l) == {"cl1000", "bti"}


def test_wet_without_chlorine_is_no_surface_dose(whole: Applied) -> None:
    spot = next(s for s in whole.spots if s.label == "surface dose reached")
    assert spot.agent is not None
    plain = replace(spot, agent=replace(spot.agent, chlorine_mg_per_l=0.0))
    assert "below the surface norm" in plain.label
