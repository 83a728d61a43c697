"""Plans laid for wind: every law still holds, spray lands where it was wanted, drift is told."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from skymist.coverage.concerns import concerns_of, wind_text
from skymist.coverage.cover import LegKind, cover_area
from skymist.coverage.drift import Wind
from skymist.coverage.energy import sortie_cost
from skymist.coverage.errors import PlanError
from skymist.coverage.footprints import footprint
from skymist.coverage.plan import Plan, Sortie
from skymist.coverage.planning import plan_site
from skymist.coverage.plots import draw_plan, planned_dose
from skymist.coverage.replanning import replan
from skymist.coverage.robust import union
from skymist.coverage.schedule import Standing
from skymist.coverage.site import Receptor, Site
from skymist.missions.plans import plan_from_dict, plan_to_dict, read_plan, write_plan
from tests import checks

BREEZE = Wind.coming_from(135, 2.0)


@pytest.mark.parametrize("name", sorted(checks.NAMED))
@pytest.mark.parametrize("from_deg", [20.0, 270.0])
def test_named_sites_keep_every_law_in_wind(name: str, from_deg: float) -> None:
    checks.assert_lawful_plan(plan_site(checks.NAMED[name](), wind=Wind.coming_from(from_deg, 2.5)))


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(site=checks.sites(), from_deg=st.floats(0, 360), speed_mps=st.floats(0, 6))
def test_any_site_keeps_every_law_in_wind(site: Site, from_deg: float, speed_mps: float) -> None:
    wind = Wind.coming_from(round(from_deg, 1), round(speed_mps, 2))
    plan = plan_site(site, wind=wind)
    checks.assert_lawful_plan(plan)
    checks.assert_same(
        "planned twice", plan_to_dict(plan), plan_to_dict(plan_site(site, wind=wind))
    )


def test_in_the_open_the_drone_flies_upwind_and_the_spray_lands_on_the_spot() -> None:
    """2 m/s, 3 m, 200 um, 3 m/s of wake: 2 * 3 / (0.708 + 3) = 1.62 m. Source: DOMAIN."""
    site = checks.site_with("open", [checks.spot("yard", box(20, 20, 50, 40))])
    still, windy = plan_site(site), plan_site(site, wind=BREEZE)
    one, other = still.treatments[0], windy.treatments[0]
    assert other.expected_frac == pytest.approx(one.expected_frac, abs=1e-3)
    for before, after in zip(one.passes, other.passes, strict=True):
        shift = [b - a for a, b in zip(before.path[0], after.path[0], strict=True)]
        assert math.hypot(*shift) == pytest.approx(1.62, abs=0.02)
        assert shift[0] > 0 > shift[1], "towards where the wind comes from, the south-east"
    wet = union(footprint(p) for p in other.passes)
    assert wet.intersection(other.target).area == pytest.approx(other.target.area, rel=0.01)
    dose = planned_dose(windy)
    assert dose.litres_in(box(20, 20, 50, 40)) == pytest.approx(
        planned_dose(still).litres_in(box(20, 20, 50, 40)), rel=0.01
    )


def test_still_air_and_no_wind_give_the_same_passes() -> None:
    site = checks.under_and_around()
    calm = plan_site(site, wind=Wind(east_mps=0.0, north_mps=0.0))
    assert calm.treatments == plan_site(site).treatments


def test_an_alley_across_the_wind_is_still_flown_and_says_so() -> None:
    plan = plan_site(checks.l_shaped_alley(), wind=Wind.coming_from(0, 2.5))
    assert "alley" in {t.spot_id for t in plan.treatments}
    (aside,) = [f for f in plan.findings if f.rule == "wind-not-met"]
    assert "alley" in aside.text
    checks.assert_lawful_plan(plan)


@pytest.mark.parametrize("name", ["courtyard", "far_corner", "beyond_one_tank"])
def test_batteries_are_reckoned_with_the_wind(name: str) -> None:
    """What a sortie draws beyond still air, against the oracle's own reckoning."""
    wind = Wind.coming_from(70, 4.5)
    site = checks.NAMED[name]()
    plan = plan_site(site, wind=wind)
    checks.assert_lawful_plan(plan)
    models = {drone.id: drone.model for drone in plan.site.fleet}
    assert plan.sorties
    for sortie in plan.sorties:
        model = models[sortie.drone_id]
        still = sortie_cost(sortie.legs, model, sortie.carried_l)
        more_ws = (sortie.battery_frac - still.battery_frac) * model.battery_wh * 3600
        parts = [p for leg in sortie.legs for p in checks._windy_straights(leg, model, wind)]
        least_ws = math.fsum(seconds * watts for seconds, watts in parts)
        assert 0 < least_ws <= more_ws <= sortie.duration_s * max(watts for _, watts in parts)
        assert sortie.duration_s == still.duration_s


def test_the_oracle_notices_a_battery_that_forgot_the_wind() -> None:
    plan = plan_site(checks.courtyard(), wind=Wind.coming_from(70, 4.5))
    light = [replace(s, battery_frac=least_frac(plan, s)) for s in plan.sorties]
    with pytest.raises(AssertionError, match="draws"):
        checks.assert_sorties_hold(replace(plan, sorties=tuple(light)))
    checks.assert_sorties_hold(replace(plan, sorties=tuple(light), wind=None))


def least_frac(plan: Plan, sortie: Sortie) -> float:
    model = next(drone.model for drone in plan.site.fleet if drone.id == sortie.drone_id)
    return float(checks.draw_bounds(sortie, model)[2])


def test_a_battery_carries_less_in_wind() -> None:
    """The longest flight that is planned in still air is too long for the battery in wind."""
    site = checks.far_corner()
    still, windy = plan_site(site), plan_site(site, wind=Wind.coming_from(45, 5.0))
    reached = [{t.spot_id for t in plan.treatments} for plan in (still, windy)]
    assert reached[1] <= reached[0]
    models = {drone.id: drone.model for drone in site.fleet}
    for sortie in still.sorties:
        cost = sortie_cost(
            sortie.legs, models[sortie.drone_id], sortie.carried_l, Wind.coming_from(45, 5.0)
        )
        assert cost.battery_frac > sortie.battery_frac
    fracs = [max(s.battery_frac for s in plan.sorties) for plan in (still, windy)]
    assert max(fracs) <= 1 - site.policy.reserve_frac


def test_what_is_left_of_a_windy_plan_is_planned_for_the_same_wind() -> None:
    plan = plan_site(checks.under_and_around(), wind=BREEZE)
    rest = replan(plan, {}, {drone.id: Standing() for drone in plan.site.fleet})
    assert rest.wind == BREEZE
    checks.assert_lawful_plan(rest)


def test_a_wind_that_the_drone_cannot_hold_is_refused() -> None:
    with pytest.raises(PlanError, match=r"wind of 9\.0 m/s: hexa-16 at 8 m/s"):
        plan_site(checks.courtyard(), wind=Wind.coming_from(0, 9.0))


def test_findings_tell_wind_and_drift_beyond_their_limits() -> None:
    site = replace(
        checks.two_bins(),
        receptors=(
            Receptor(id="near", shape=Point(20, 35), kind="school"),
            Receptor(id="upwind", shape=Point(20, -10), kind="pond"),
        ),
    )
    rules = {
        speed: [f.rule for f in plan_site(site, wind=Wind.coming_from(180, speed)).findings]
        for speed in (0.2, 2.0, 4.0, 5.5)
    }
    assert rules == {
        0.2: [],
        2.0: ["drift-at-receptor"],
        4.0: ["wind-with-receptors", "drift-at-receptor"],
        5.5: ["wind-above-limit", "drift-at-receptor"],
    }
    plan = plan_site(site, wind=Wind.coming_from(180, 5.5))
    assert [f.is_error for f in plan.findings] == [True, False]
    assert "school near" in plan.findings[1].text
    assert not concerns_of(site, plan.treatments, None)


def test_wind_and_findings_survive_the_plans_file(tmp_path: Path) -> None:
    plan = plan_site(checks.yard_with_playground(), wind=BREEZE)
    again = plan_from_dict(json.loads(json.dumps(plan_to_dict(plan))))
    assert (again.wind, again.findings) == (plan.wind, plan.findings)
    path = write_plan(plan, tmp_path)
    assert write_plan(read_plan(path), tmp_path / "again").read_bytes() == path.read_bytes()


def test_the_preview_names_the_wind() -> None:
    assert wind_text(BREEZE) == "2.0 m/s from 135°"
    figure = draw_plan(plan_site(checks.courtyard(), wind=BREEZE))
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any("wind 2.0 m/s from 135°" in text for text in texts)


@pytest.mark.parametrize(("from_deg", "is_east_west"), [(0, True), (90, False), (270, False)])
def test_of_sweep_directions_that_take_as_long_the_one_across_the_wind_is_flown(
    from_deg: float, is_east_west: bool
) -> None:
    plan = cover_area(box(0, 0, 40, 40), swath_m=4, wind=Wind.coming_from(from_deg, 2.5))
    longest = max(
        (leg.path for leg in plan.legs if leg.kind is LegKind.SPRAY),
        key=lambda path: math.dist(path[0], path[1]),
    )
    assert (abs(longest[1][0] - longest[0][0]) > 10) is is_east_west
    assert plan.time_s == pytest.approx(cover_area(box(0, 0, 40, 40), swath_m=4).time_s, rel=0.01)


def test_a_longer_way_is_not_flown_for_the_wind() -> None:
    yard = box(0, 0, 60, 30)
    still = cover_area(yard, swath_m=4)
    for from_deg in (0, 45, 90):
        plan = cover_area(yard, swath_m=4, wind=Wind.coming_from(from_deg, 3.0))
        assert plan.time_s <= 1.03 * still.time_s


@pytest.mark.parametrize("from_deg", [0.0, 90.0, 180.0, 270.0])
def test_no_drone_sprays_from_over_no_spray_ground(from_deg: float) -> None:
    """The wind may drop, and the interlock cuts the pump there."""
    site = checks.yard_with_playground()
    plan = plan_site(site, wind=Wind.coming_from(from_deg, 3.0))
    checks.assert_lawful_plan(plan)
    for sortie in plan.sorties:
        for sprayed in sortie.passes:
            line = LineString(sprayed.path) if len(sprayed.path) > 1 else Point(sprayed.path[0])
            assert all(not line.intersects(area.area) for area in site.no_spray)
