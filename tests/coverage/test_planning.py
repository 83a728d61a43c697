"""Whole plans against independent oracles: small sites by name, any site by chance, real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from skymist.coverage.plan import Leg, Pass, Plan, Sortie
from skymist.coverage.planning import plan_site
from skymist.coverage.site import NoSpray, Site
from skymist.missions.plans import plan_from_dict, plan_to_dict, read_plan, write_plan
from skymist.missions.site import read_site
from tests import checks

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session", params=sorted(checks.NAMED))
def named(request: pytest.FixtureRequest) -> Site:
    site: Site = checks.NAMED[request.param]()
    return site


@pytest.mark.parametrize("law", checks.PLAN_LAWS, ids=lambda law: law.__name__)
def test_named_sites_keep_every_law(named: Site, law: Any) -> None:
    law(plan_site(named))


def test_same_site_and_seed_give_the_same_bytes(named: Site, tmp_path: Path) -> None:
    one, other = plan_site(named, seed=3), plan_site(named, seed=3)
    checks.assert_same("planned twice", plan_to_dict(one), plan_to_dict(other))
    first, second = write_plan(one, tmp_path / "one"), write_plan(other, tmp_path / "other")
    assert first.read_bytes() == second.read_bytes()


def test_plan_survives_the_file(named: Site, tmp_path: Path) -> None:
    written = plan_to_dict(plan_site(named))
    data = json.loads(json.dumps(written))
    checks.assert_same("dict there and back", data, _plain(plan_from_dict(data)))
    path = write_plan(plan_site(named), tmp_path)
    again = write_plan(read_plan(path), tmp_path / "again")
    assert path.read_bytes() == again.read_bytes()


def _plain(plan: Plan) -> Any:
    return json.loads(json.dumps(plan_to_dict(plan)))


def test_a_plan_read_back_keeps_every_law(tmp_path: Path) -> None:
    plan = plan_site(checks.under_and_around())
    checks.assert_lawful_plan(read_plan(write_plan(plan, tmp_path)))


def test_fewer_drones_fly_the_same_spots() -> None:
    site = checks.beyond_one_tank()
    plan = plan_site(site, num_drones=1)
    checks.assert_lawful_plan(plan)
    assert {sortie.drone_id for sortie in plan.sorties} == {site.fleet[0].id}


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(site=checks.sites())
def test_any_site_keeps_every_law(site: Site) -> None:
    plan = plan_site(site)
    checks.assert_lawful_plan(plan)
    checks.assert_same("planned twice", plan_to_dict(plan), plan_to_dict(plan_site(site)))


@pytest.mark.parametrize("name", ["helsinki", "kouvola"])
def test_real_sites_keep_every_law(name: str, shared: Path) -> None:
    place = EXAMPLES / name / "site.yaml"
    if not (place.is_file() and (shared / "sites" / name).is_dir()):
        pytest.skip(f"{place} or its layers are not here")
    checks.assert_lawful_plan(plan_site(read_site(place)))


def _legs(plan: Plan, change: Callable[[Leg], Leg]) -> Plan:
    return replace(
        plan,
        sorties=tuple(replace(s, legs=tuple(change(leg) for leg in s.legs)) for s in plan.sorties),
    )


def _spray(change: Callable[[Pass], Pass]) -> Callable[[Plan], Plan]:
    return lambda plan: _legs(plan, lambda leg: change(leg) if isinstance(leg, Pass) else leg)


def _sorties(change: Callable[[Sortie], Sortie]) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, sorties=tuple(change(s) for s in plan.sorties))


def _site(change: Callable[[Site], Site]) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, site=change(plan.site))


def _under_first_pass(site: Site, plan: Plan) -> tuple[NoSpray, ...]:
    area = checks.footprint(plan.sorties[0].passes[0]).centroid.buffer(0.3)
    return (*site.no_spray, NoSpray(id="new", area=area))


def _moved(leg: Leg) -> Leg:
    return replace(leg, path=tuple((p[0] + 4.0, *p[1:]) for p in leg.path))  # type: ignore[arg-type]


SPOILT: dict[str, tuple[str, Callable[[Plan], Plan]]] = {
    "a spot vanishes": (
        "assert_accounts_for_every_spot",
        lambda plan: replace(plan, treatments=plan.treatments[1:]),
    ),
    "a reason has no words": (
        "assert_accounts_for_every_spot",
        lambda plan: replace(plan, ground=tuple(replace(g, text=" ") for g in plan.ground)),
    ),
    "no-spray ground under a pass": (
        "assert_keeps_off_no_spray",
        lambda plan: replace(
            plan, site=replace(plan.site, no_spray=_under_first_pass(plan.site, plan))
        ),
    ),
    "flown 4 m beside the plan": ("assert_clears_buildings", lambda plan: _legs(plan, _moved)),
    "a ceiling of 5 m": (
        "assert_within_envelope",
        _site(lambda site: replace(site, policy=replace(site.policy, ceiling_m=5.0))),
    ),
    "twice the speed": (
        "assert_doses",
        _spray(lambda leg: replace(leg, speed_mps=leg.speed_mps * 2)),
    ),
    "a leg is left out": (
        "assert_sorties_hold",
        _sorties(lambda sortie: replace(sortie, legs=(*sortie.legs[:1], *sortie.legs[2:]))),
    ),
    "half the battery used": (
        "assert_sorties_hold",
        _sorties(lambda sortie: replace(sortie, battery_frac=sortie.battery_frac / 2)),
    ),
    "all at once": (
        "assert_schedule_holds",
        _sorties(lambda sortie: replace(sortie, start_s=0.0)),
    ),
    "no battery is changed": (
        "assert_schedule_holds",
        _sorties(lambda sortie: replace(sortie, swap_before=False)),
    ),
    "no tank is filled": (
        "assert_schedule_holds",
        _sorties(lambda sortie: replace(sortie, refill_before=False)),
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_oracles_notice(name: str) -> None:
    law, spoil = SPOILT[name]
    plan = plan_site(checks.under_and_around())
    getattr(checks, law)(plan)
    with pytest.raises(AssertionError):
        getattr(checks, law)(spoil(plan))


def _with_policy(**keys: Any) -> Callable[[Site], Site]:
    return lambda site: replace(site, policy=replace(site.policy, **keys))


def _crews(site: Site) -> Site:
    return replace(site, pads=tuple(replace(pad, num_crews=1) for pad in site.pads))


VARIED: dict[str, Callable[[Site], Site]] = {
    "swaps inside refills": _with_policy(is_swap_in_refill=True),
    "a long rinse": _with_policy(rinse_s=300.0),
    "each zone to one drone": _with_policy(is_by_zone=True),
    "one crew a pad": _crews,
    "free pads": lambda site: replace(
        site, fleet=tuple(replace(drone, is_movable=True) for drone in site.fleet)
    ),
}


@pytest.mark.parametrize("name", VARIED)
def test_laws_hold_whatever_the_policy(name: str) -> None:
    site = VARIED[name](checks.beyond_one_tank())
    checks.assert_lawful_plan(plan_site(site))


def test_crews_are_waited_for() -> None:
    site = checks.beyond_one_tank()
    one_pad = replace(site, fleet=tuple(replace(d, pad_id="p0") for d in site.fleet))
    plan = plan_site(_crews(one_pad))
    checks.assert_lawful_plan(plan)
    assert plan.makespan_s > plan_site(one_pad).makespan_s


def test_a_short_day_keeps_the_worst_levels() -> None:
    site = checks.under_and_around()
    whole = plan_site(site)
    day_s = whole.makespan_s / 2
    plan = plan_site(_with_policy(day_s=day_s)(site))
    checks.assert_lawful_plan(plan)
    assert plan.makespan_s <= day_s
    late = {task.spot_id for task in plan.ground if task.reason.value == "no_time"}
    assert late
    levels = ["red", "yellow", "blue", "green"]
    worst_late = min(levels.index(site.spot(spot_id).level.value) for spot_id in late)
    kept = [levels.index(site.spot(t.spot_id).level.value) for t in plan.treatments]
    assert max(kept) <= worst_late


def test_no_plan_is_shorter_than_its_lower_bound(named: Site) -> None:
    plan = plan_site(named)
    assert plan.lowest_s <= plan.makespan_s


def test_time_up_still_gives_a_lawful_plan() -> None:
    plan = plan_site(checks.beyond_one_tank(), is_over=lambda: True)
    checks.assert_lawful_plan(plan)
