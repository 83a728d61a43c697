"""Whole plans over bare polygons: the trade's laws, by raster and by exact overlays."""

from __future__ import annotations

import importlib.util
import json
import math
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from skymist.coverage.cover import (
    CoverPlan,
    EdgePolicy,
    Kinematics,
    LegKind,
    cover_area,
)
from skymist.coverage.errors import PlanError
from tests.coverage.areas import (
    ALLEY,
    RECTANGLE,
    SLIVER,
    TOUCHING,
    U_SHAPE,
    YARD,
    polygons,
    wet_frac,
)

LAWS = settings(max_examples=25, deadline=None)
swaths = st.floats(1.5, 6.0)


def sprays(plan: CoverPlan) -> list[np.ndarray]:
    return [np.array(leg.path) for leg in plan.legs if leg.kind is LegKind.SPRAY]


def assert_contiguous(plan: CoverPlan) -> None:
    for before, after in zip(plan.legs, plan.legs[1:], strict=False):
        assert before.path[-1] == after.path[0]
    for leg in plan.legs:
        assert len(leg.path) >= 2
        assert LineString(leg.path).length > 0


def assert_keeps_inside(plan: CoverPlan, area: Polygon, tolerance_m: float = 0.01) -> None:
    roomy = area.buffer(tolerance_m)
    for leg in plan.legs:
        assert roomy.covers(LineString(leg.path)), leg.kind


@LAWS
@given(polygons(), swaths)
def test_a_plan_is_contiguous_and_never_leaves_the_ground(area: Polygon, swath_m: float) -> None:
    plan = cover_area(area, swath_m=swath_m)
    assert_contiguous(plan)
    assert_keeps_inside(plan, area)


@LAWS
@given(polygons(), swaths)
def test_covered_frac_is_what_a_raster_counts(area: Polygon, swath_m: float) -> None:
    plan = cover_area(area, swath_m=swath_m)
    assert plan.covered_frac == pytest.approx(wet_frac(area, sprays(plan), swath_m), abs=0.03)
    assert plan.covered_frac + plan.unreached.area / area.area == pytest.approx(1, abs=1e-6)


@LAWS
@given(polygons(), st.floats(1.5, 3.0))
def test_cover_reaches_nearly_all_of_roomy_ground(area: Polygon, swath_m: float) -> None:
    plan = cover_area(area, swath_m=min(swath_m, math.sqrt(area.area) / 8))
    assert plan.covered_frac >= 0.96


@LAWS
@given(polygons(), swaths)
def test_contain_sprays_nothing_outside(area: Polygon, swath_m: float) -> None:
    plan = cover_area(area, swath_m=swath_m, policy=EdgePolicy.CONTAIN)
    assert plan.over_frac <= 1e-3
    assert_contiguous(plan)
    if plan.legs:
        assert_keeps_inside(plan, area)


@settings(max_examples=8, deadline=None)
@given(polygons(), swaths, st.sampled_from(EdgePolicy))
def test_the_same_area_gives_the_same_plan(
    area: Polygon, swath_m: float, policy: EdgePolicy
) -> None:
    one, other = (
        cover_area(shapely.from_wkb(area.wkb), swath_m=swath_m, policy=policy, penalty=1.0)
        for _ in range(2)
    )
    assert one.legs == other.legs


@settings(max_examples=15, deadline=None)
@given(polygons(most_holes=1), st.floats(1.0, 2.5))
def test_the_path_keeps_its_clearance(area: Polygon, clearance_m: float) -> None:
    inner = area.buffer(-clearance_m, join_style="mitre", mitre_limit=2.5)
    if inner.is_empty or inner.geom_type != "Polygon":
        return
    plan = cover_area(area, swath_m=4.0, clearance_m=clearance_m)
    assert_keeps_inside(plan, inner)


def test_a_penalty_lies_between_the_two_policies() -> None:
    rhomb = Polygon([(0, 0), (40, 0), (60, 30), (20, 30)])
    plans = [
        cover_area(rhomb, swath_m=5.0, policy=policy, penalty=2.0)
        for policy in (EdgePolicy.COVER, EdgePolicy.PENALTY, EdgePolicy.CONTAIN)
    ]
    overs = [plan.over_frac for plan in plans]
    assert overs[0] >= overs[1] >= overs[2]
    assert overs[2] < 1e-6


@pytest.mark.parametrize(
    ("area", "most_frac"),
    [(RECTANGLE, 0.991), (U_SHAPE, 0.99), (YARD, 0.99), (ALLEY, 0.97), (TOUCHING, 0.95)],
    ids=["rectangle", "u_shape", "yard", "alley", "touching"],
)
def test_small_real_shapes_are_covered(area: Polygon, most_frac: float) -> None:
    plan = cover_area(area, swath_m=4.0)
    assert plan.covered_frac >= most_frac - 0.002
    assert_contiguous(plan)
    assert_keeps_inside(plan, area)


def test_a_spot_smaller_than_a_swath_gets_one_short_pass() -> None:
    plan = cover_area(box(0, 0, 0.8, 0.6), swath_m=4.0)
    assert len(plan.legs) == 1
    assert math.dist(plan.legs[0].path[0], plan.legs[0].path[-1]) >= 0.1
    assert plan.covered_frac > 0.99


def test_contain_leaves_a_spot_smaller_than_a_swath_dry_and_says_so() -> None:
    plan = cover_area(box(0, 0, 0.8, 0.6), swath_m=4.0, policy=EdgePolicy.CONTAIN)
    assert plan.legs == ()
    assert plan.unreached.area == pytest.approx(0.48)
    assert "no strip" in plan.why_dry


def test_a_sliver_is_planned() -> None:
    assert_contiguous(cover_area(SLIVER, swath_m=4.0))


def test_separate_spots_are_joined_by_straight_ways() -> None:
    spots = MultiPolygon([box(20 * k, 0, 20 * k + 5, 6) for k in range(5)])
    plan = cover_area(spots, swath_m=3.0)
    assert_contiguous(plan)
    assert plan.covered_frac > 0.99


def test_an_island_in_a_hole_is_reached() -> None:
    ring = Polygon(box(0, 0, 40, 40).exterior, [box(8, 8, 32, 32).exterior.coords])
    plan = cover_area(MultiPolygon([ring, box(16, 16, 24, 24)]), swath_m=4.0)
    assert_contiguous(plan)
    assert plan.covered_frac > 0.98


def test_ten_thousand_vertices_take_seconds_not_minutes() -> None:
    turn = np.linspace(0, 2 * math.pi, 10_001)[:-1]
    radius = 90 + 6 * np.sin(9 * turn) + 0.05 * np.sin(2500 * turn)
    area = Polygon(np.column_stack([radius * np.cos(turn), radius * np.sin(turn)]))
    plan = cover_area(area, swath_m=6.0)
    assert_contiguous(plan)
    assert plan.covered_frac > 0.985


def test_a_start_is_near_the_first_leg() -> None:
    plan = cover_area(RECTANGLE, swath_m=4.0, start=(40.0, 24.0))
    assert math.dist(plan.legs[0].path[0], (40, 24)) < 6


def test_a_slower_drone_takes_longer() -> None:
    slow = cover_area(RECTANGLE, swath_m=4.0, kinematics=Kinematics(speed_mps=2.0))
    assert slow.time_s > cover_area(RECTANGLE, swath_m=4.0).time_s


@pytest.mark.parametrize(
    "wrong",
    [
        {"swath_m": 0.0},
        {"swath_m": math.nan},
        {"swath_m": 4.0, "clearance_m": -1.0},
        {"swath_m": 4.0, "clearance_m": 30.0},
        {"swath_m": 4.0, "policy": EdgePolicy.PENALTY},
        {"swath_m": 4.0, "policy": EdgePolicy.PENALTY, "penalty": math.nan},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(PlanError):
        cover_area(RECTANGLE, **wrong)


@pytest.mark.parametrize(
    "area", [Polygon(), Polygon([(0, 0), (4, 4), (4, 0), (0, 4)]), LineString([(0, 0), (1, 1)])]
)
def test_what_is_no_area_is_refused(area: Polygon) -> None:
    with pytest.raises(PlanError):
        cover_area(area, swath_m=4.0)


def test_the_summary_names_what_is_dry() -> None:
    assert "covered" in cover_area(RECTANGLE, swath_m=4.0).summary()


@pytest.fixture(scope="session")
def scorer(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "score_coverage", shared / "bench" / "score_coverage.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    ["r01_ee_field", "s03_L", "s05_star", "s07_hole1", "s08_holes5", "s11_alleys", "s12_small40"],
)
def test_the_bench_scores_what_the_plan_says(name: str, shared: Path, scorer: ModuleType) -> None:
    file = shared / "bench" / "cases" / f"{name}.geojson"
    feature = json.loads(file.read_text())["features"][0]
    area = shapely.geometry.shape(feature["geometry"])
    swath_m = float(feature["properties"]["swath_width_m"])
    plan = cover_area(area, swath_m=swath_m)
    legs = [(leg.kind.value, LineString(leg.path)) for leg in plan.legs]
    score = scorer.score(area, swath_m, legs)
    is_narrow = name.startswith(("s11", "s12"))
    assert score["crossing_m"] == 0
    assert score["jump_m"] == 0
    assert score["coverage"] == pytest.approx(plan.covered_frac, abs=1e-3)
    assert score["time_s"] == pytest.approx(plan.time_s, rel=1e-2)
    assert score["coverage"] >= (0.97 if is_narrow else 0.99)
    assert score["over_frac"] <= (0.15 if is_narrow else 0.03)


def test_turns_stay_dry_where_they_are_not_to_be_sprayed() -> None:
    area = box(0, 0, 40, 30)
    plan = cover_area(area, swath_m=4, spray_turns=False)
    sprays = [leg for leg in plan.legs if leg.kind is LegKind.SPRAY]
    assert all(len(leg.path) == 2 for leg in sprays)
    assert plan.covered_frac > 0.99
    for before, after in pairwise(plan.legs):
        assert before.path[-1] == after.path[0]


SHEDS = [box(x, y, x + 12, y + 14) for x in (15, 45, 75) for y in (12, 50)]
HOLED = Polygon(box(0, 0, 100, 80).exterior.coords, [shed.exterior.coords for shed in SHEDS])


def test_a_low_hole_is_hopped_over_where_that_is_quicker() -> None:
    around = cover_area(HOLED, swath_m=5)
    over = cover_area(HOLED, swath_m=5, hole_height_m=0.5)
    assert all(leg.above_m is None for leg in around.legs)
    inside = shapely.union_all([shed.buffer(-0.01) for shed in SHEDS])
    for leg in over.legs:
        crosses = LineString(leg.path).intersection(inside).length > 0.05
        assert crosses is (leg.above_m is not None)
        assert not (crosses and leg.kind is LegKind.SPRAY)
    assert any(leg.above_m == 0.5 for leg in over.legs)
    assert over.time_s < around.time_s


def test_a_high_hole_is_flown_around() -> None:
    around = cover_area(HOLED, swath_m=5)
    assert cover_area(HOLED, swath_m=5, hole_height_m=500.0) == around


@settings(max_examples=20, deadline=None)
@given(polygons(), st.sampled_from([0.0, 0.4]), st.floats(0.3, 6.0))
def test_hops_lead_over_holes_alone_and_cost_what_they_cost(
    area: Polygon, clearance_m: float, rise_m: float
) -> None:
    try:
        plan = cover_area(area, swath_m=2.0, clearance_m=clearance_m, hole_height_m=rise_m)
    except PlanError:
        return
    rim = Polygon(area.exterior).buffer(0.05)
    hops = [leg for leg in plan.legs if leg.above_m is not None]
    assert all(leg.kind is LegKind.TRANSIT and leg.above_m == rise_m for leg in hops)
    if not clearance_m:
        assert all(rim.covers(LineString(leg.path)) for leg in hops)
        roomy = area.buffer(0.02)
        low = [leg for leg in plan.legs if leg.above_m is None and leg.kind is LegKind.TRANSIT]
        assert all(roomy.covers(LineString(leg.path)) for leg in low)
    flown = [np.array(leg.path) for leg in plan.legs]
    least_s = Kinematics().path_s(np.concatenate(flown)) + len(hops) * rise_m * (1 / 2 + 1 / 1.5)
    assert plan.time_s >= least_s - 1e-6


@pytest.mark.parametrize("rise_m", [0.0, -1.0, math.nan])
def test_a_climb_must_be_a_climb(rise_m: float) -> None:
    with pytest.raises(PlanError, match="rise_m"):
        cover_area(RECTANGLE, swath_m=4, hole_height_m=rise_m)
