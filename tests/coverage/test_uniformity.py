"""From a sprayer's profile to its spacing, the predicted unevenness, and dry no-spray ground."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from shapely.geometry import box

from skymist.coverage.cover import cover_area
from skymist.coverage.dosemap import DoseMap
from skymist.coverage.drones import Sprayer
from skymist.coverage.errors import PlanError
from skymist.coverage.planning import plan_site
from skymist.coverage.plots import planned_dose
from skymist.coverage.profile import ProfileKind, ProfileSpec, gaussian, spacing_for_cv
from skymist.coverage.site import Site
from skymist.missions.checks import check_site
from skymist.missions.defaults import drone_models, model_with
from skymist.missions.plans import plan_from_dict, plan_to_dict
from tests import checks

BELL = ProfileSpec(kind=ProfileKind.GAUSSIAN, sigma_m=1.7)


def with_bell(site: Site, swath_m: float = 5.0) -> Site:
    def own(drone: Any) -> Any:
        sprayer = replace(drone.model.sprayer, spread=BELL, swath_m=swath_m)
        return replace(drone, model=replace(drone.model, sprayer=sprayer))

    return replace(site, fleet=tuple(own(drone) for drone in site.fleet))


@pytest.mark.parametrize(
    ("keys", "wanted_m"),
    [
        ({"profile": BELL}, 3.76 * 1.7),
        ({"profile": BELL, "cv_limit_frac": 0.25}, 3.37 * 1.7),
        (
            {
                "profile": ProfileSpec(kind=ProfileKind.TRIANGLE, half_base_m=3.0),
                "cv_limit_frac": 0.25,
            },
            1.5 * 3.0,
        ),
        ({"profile": BELL, "swath_m": 4.0}, 4.0),
        ({}, 5.0),
    ],
)
def test_the_spacing_is_the_widest_that_keeps_the_limit(
    keys: dict[str, Any], wanted_m: float
) -> None:
    """Against DOMAIN's table: spacing over sigma 3.37 and 3.76 at 25 and 35 %."""
    sprayer = model_with(keys, drone_models()["hexa-16"]).sprayer
    assert sprayer.swath_m == pytest.approx(wanted_m, rel=0.005)
    assert sprayer.cv_frac <= sprayer.cv_limit_frac + 1e-9


def test_a_spacing_beyond_the_limit_is_a_finding() -> None:
    wide = with_bell(checks.two_bins(), swath_m=8.0)
    (found,) = [f for f in check_site(wide) if f.rule == "swath-uneven"]
    assert found.severity == "error"
    assert "6.39" in found.mend
    assert not [f for f in check_site(with_bell(checks.two_bins())) if f.rule == "swath-uneven"]


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": ProfileKind.GAUSSIAN},
        {"kind": ProfileKind.GAUSSIAN, "sigma_m": 1.0, "top_m": 1.0},
        {"kind": ProfileKind.TRAPEZOID, "top_m": 4.0, "base_m": 3.0},
        {"kind": ProfileKind.TABLE, "offsets_m": (0.0, 1.0), "shares": (1.0,)},
        {"kind": ProfileKind.UNIFORM, "sigma_m": 1.0},
    ],
)
def test_a_profile_of_another_kinds_numbers_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="profile"):
        ProfileSpec(**keys)


def test_a_level_profile_changes_nothing() -> None:
    site = checks.courtyard()
    level = ProfileSpec(kind=ProfileKind.UNIFORM)
    drone = site.fleet[0]
    sprayer = replace(drone.model.sprayer, spread=level)
    same = replace(drone, model=replace(drone.model, sprayer=sprayer))
    one, other = plan_site(site), plan_site(replace(site, fleet=(same,)))
    assert one.treatments == other.treatments
    assert {t.cv_frac for t in one.treatments} == {0.0}


def test_the_planned_dose_varies_as_predicted_in_a_field_of_passes() -> None:
    yard = checks.spot("yard", box(0, 0, 60, 48))
    site = with_bell(checks.site_with("field", [yard]), swath_m=6.0)
    plan = plan_site(site)
    (done,) = plan.treatments
    dose = planned_dose(plan)
    inside = dose.cv_in(box(15, 12, 45, 33))
    assert inside == pytest.approx(site.fleet[0].model.sprayer.cv_frac, abs=0.03)
    assert done.cv_frac == pytest.approx(dose.cv_in(done.target), abs=0.02)
    assert dose.litres_l == pytest.approx(plan.litres_l, rel=1e-4)


def test_the_tails_of_a_bell_stay_off_no_spray_ground() -> None:
    site = with_bell(checks.yard_with_playground())
    plan = plan_site(site)
    checks.assert_keeps_off_no_spray(plan)
    dose: DoseMap = planned_dose(plan)
    stray_l = sum(dose.litres_in(area.area) for area in site.no_spray)
    assert stray_l < 0.002 * plan.litres_l
    assert any(t.cv_frac > 0 for t in plan.treatments)


def test_a_profile_survives_the_plans_file() -> None:
    table = ProfileSpec(kind=ProfileKind.TABLE, offsets_m=(-2.0, 0.5, 2.0), shares=(0.1, 3.0, 0.2))
    site = checks.two_bins()
    for spread in (BELL, table):
        fleet = tuple(
            replace(d, model=replace(d.model, sprayer=replace(d.model.sprayer, spread=spread)))
            for d in site.fleet
        )
        plan = plan_site(replace(site, fleet=fleet))
        again = plan_from_dict(json.loads(json.dumps(plan_to_dict(plan))))
        assert again.site.fleet == plan.site.fleet
        checks.assert_same("there and back", plan_to_dict(plan), plan_to_dict(again))


@pytest.mark.parametrize("sigma_m", [0.5, 1.7, 4.0])
def test_two_per_cent_fall_outside_the_wet_width(sigma_m: float) -> None:
    """98 % of a normal law lie within 2.326 sigma. Source: tables of the normal law."""
    bell = gaussian(sigma_m)
    assert bell.wet_m == pytest.approx(2 * 2.326 * sigma_m, rel=0.01)
    sprayer = Sprayer(tank_l=10, flow_min_lps=0.02, flow_max_lps=0.08, swath_m=4)
    assert sprayer.wet_m == 4
    offsets = np.linspace(-bell.wet_m / 2, bell.wet_m / 2, 5001)
    assert np.trapezoid(bell.at(offsets), offsets) == pytest.approx(0.98, abs=0.003)


def test_bare_polygons_tell_their_unevenness() -> None:
    bell = gaussian(1.7)
    swath_m = spacing_for_cv(bell, 0.35)
    plan = cover_area(box(0, 0, 60, 40), swath_m=swath_m, profile=bell)
    assert plan.cv_frac == pytest.approx(0.35, abs=1e-6)
    assert cover_area(box(0, 0, 60, 40), swath_m=5).cv_frac == 0.0
