"""The straight way home of a failsafe, where buildings push it above the ceiling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Building
from skymist.missions.compile import compile_plan
from skymist.missions.site import read_site
from skymist.missions.way_home import way_home_findings

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_site(read_site(DEMO))


def with_tower(plan: Plan, height_m: float) -> Plan:
    """A tower in the middle of the first sortie's points."""
    points = [p[:2] for leg in plan.sorties[0].legs for p in leg.path]
    middle = shapely.convex_hull(shapely.multipoints(points)).centroid
    tower = Building(id="tower", footprint=middle.buffer(2.0), height_m=height_m)
    return replace(plan, site=replace(plan.site, buildings=(*plan.site.buildings, tower)))


def test_a_way_home_under_the_ceiling_is_not_told(plan: Plan) -> None:
    assert way_home_findings(plan) == ()


@pytest.mark.parametrize("height_m", [29.0, 60.0])
def test_a_way_home_above_the_ceiling_is_told_with_its_height(plan: Plan, height_m: float) -> None:
    high = with_tower(plan, height_m)
    (finding,) = way_home_findings(high)
    assert finding.rule == "way-home-above-ceiling"
    assert plan.sorties[0].id in finding.text
    assert f"up to {height_m + 2.0:.0f} m" in finding.text
    compiled = compile_plan(high)[plan.sorties[0].id]
    assert compiled.parameters["rtl_altitude_m"] == pytest.approx(height_m + 2.0)
