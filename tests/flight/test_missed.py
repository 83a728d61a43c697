"""The next task after an operation: of spots treated in part the rest alone, where it is clear."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from shapely.geometry import box

from skymist.coverage.dosemap import SpotOutcome
from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Kind
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import Applied, applied_from
from skymist.flight.reporting.missed import left_over, missed_site
from skymist.missions.site import read_site
from skymist.missions.site_writer import write_site
from tests.records import write_record

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_site(read_site(DEMO))


def applied(plan: Plan, folder: Path, spot_id: str) -> Applied:
    """All sprayed, but nothing of a spot east of its middle."""
    middle_x = plan.treatment(spot_id).target.centroid.x
    record = write_record(folder, plan, is_dry=lambda spot, x, y: spot == spot_id and x > middle_x)
    return applied_from(read_record(record))


def test_of_a_spot_treated_by_half_the_other_half_is_planned_again(
    plan: Plan, tmp_path: Path
) -> None:
    done = applied(plan, tmp_path / "r", "yard-east")
    (one,) = left_over(done)
    assert one.is_rest
    assert done.missed[0].outcome is SpotOutcome.PARTIAL
    target = plan.treatment("yard-east").target
    _, south, east, north = target.bounds
    half = target.intersection(box(target.centroid.x, south - 1, east + 1, north + 1))
    # The strip's own end and the seam lie between the half and the rest.
    assert one.spot.area.intersection(half).area > 0.97 * half.area
    assert one.spot.area.difference(half.buffer(2.5)).area < 0.5
    assert one.spot.area.area < 0.75 * target.area
    assert one.text.startswith("the rest, ")
    site = read_site(write_site(missed_site(done, (one,)), tmp_path / "next"))
    (again,) = site.spots
    assert (again.id, again.level, again.kind) == ("yard-east", one.spot.level, Kind.YARD)
    assert again.area.symmetric_difference(one.spot.area).area < 0.01
    assert again.note.startswith("rest of ")
    treatment = plan_site(site).treatment("yard-east")
    assert treatment.target.area < 0.75 * target.area
    assert treatment.litres_l < 0.8 * plan.treatment("yard-east").litres_l
    assert treatment.expected_frac > 0.95


def test_where_the_rest_is_not_clear_a_spot_stays_whole_and_it_is_said(
    plan: Plan, tmp_path: Path
) -> None:
    for number, (spot_id, why) in enumerate(
        (("bike-shed", "edge"), ("roof-workshop", "edge"), ("septic-west", "one place"))
    ):
        if spot_id not in {t.spot_id for t in plan.treatments}:
            continue
        done = applied(plan, tmp_path / str(number), spot_id)
        for one in left_over(done):
            assert not one.is_rest
            assert one.spot == plan.site.spot(spot_id)
            if done.missed[0].outcome is SpotOutcome.PARTIAL:
                assert why in one.why_whole
    done = applied(plan, tmp_path / "unsure", "yard-east")
    (one,) = left_over(replace(done, is_place_sure=False))
    assert "not sure" in one.why_whole


def test_a_damaged_record_is_not_sure_of_its_places(plan: Plan, tmp_path: Path) -> None:
    middle_x = plan.treatment("yard-east").target.centroid.x
    path = write_record(
        tmp_path, plan, is_dry=lambda spot, x, y: spot == "yard-east" and x > middle_x
    )
    lines = path.read_bytes().split(b"\n")
    lines[40] = lines[40][:30] + b"#" + lines[40][31:]
    path.write_bytes(b"\n".join(lines))
    done = applied_from(read_record(path))
    assert not done.is_place_sure
    assert all(not one.is_rest for one in left_over(done))


def test_what_got_nothing_is_left_whole(plan: Plan, tmp_path: Path) -> None:
    done = applied_from(read_record(write_record(tmp_path, plan, skip=("yard-east",))))
    (one,) = left_over(done)
    assert one.spot == plan.site.spot("yard-east")
    assert json.dumps(one.text) == '"whole: nothing of it got its dose"'
