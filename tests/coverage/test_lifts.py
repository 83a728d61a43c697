"""Layers: a drone above another instead of waiting for it, against brute force and the laws."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from skymist.coverage.airways import Airways
from skymist.coverage.drift import Wind
from skymist.coverage.energy import sortie_cost
from skymist.coverage.errors import PlanError
from skymist.coverage.flights import Base, legs_over
from skymist.coverage.hops import Hops
from skymist.coverage.lifts import lifted, lifts
from skymist.coverage.obstacles import Obstacles
from skymist.coverage.plan import Pass, Plan, Sortie, Transit
from skymist.coverage.planning import plan_site
from skymist.coverage.schedule import schedule
from skymist.coverage.separation import require_apart, too_near
from skymist.coverage.site import Building, Kind, Objective, Policy
from tests import checks

LAYER_M, CEILING_M, KEEP_M, MARGIN_M = 10.0, 30.0, 2.0, 2.0
MODELS = {f"d{k}": checks.HEXA for k in range(3)}


def heights_m(path: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """How high a straight way is over each thousandth of its ground, both ends left out."""
    ends = np.asarray(path)[[0, -1], :2]
    shares = np.hypot(*(np.asarray(path)[:, :2] - ends[0]).T) / math.dist(*ends)
    return np.interp(np.linspace(0, 1, 1001)[1:-1], shares, [p[2] for p in path])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(*(st.floats(low, high) for low, high in ((5, 80), (-40, 40), (2, 45)))),
        max_size=6,
    ),
    st.sampled_from([3.0, 6.0, 9.5]),
    st.sampled_from([3.0, 8.0]),
    st.floats(8, 400),
)
def test_a_lifted_way_is_nowhere_lower_and_clear_of_all(
    houses: list[tuple[float, float, float]], from_m: float, to_m: float, far_m: float
) -> None:
    town = [
        Building(id=f"b{k}", footprint=box(x, y, x + 9, y + 14), height_m=high_m)
        for k, (x, y, high_m) in enumerate(houses)
    ]
    ways = Airways(
        Obstacles(town, keep_m=KEEP_M, margin_m=MARGIN_M),
        ceiling_m=CEILING_M,
        level_m=6.0,
        speed_mps=8.0,
        climb_mps=2.0,
        descent_mps=1.5,
    )
    start, end = (-5.0, 0.0, from_m), (far_m, 0.0, to_m)
    try:
        before = ways.transit(start, end)
    except PlanError:
        return
    after = lifted(before, checks.HEXA, LAYER_M, CEILING_M)
    top_m = max(p[2] for p in before.path)
    assert after.path[0] == before.path[0]
    assert after.path[-1] == before.path[-1]
    assert after.speed_mps == before.speed_mps
    if after == before:
        is_bent = any(abs(p[1]) > 0.01 for p in before.path)
        assert is_bent or top_m + LAYER_M > CEILING_M or far_m + 5 < 12.0
        return
    assert max(p[2] for p in after.path) == pytest.approx(top_m + LAYER_M)
    standing = checks.Obstacles(tuple(town))
    is_clear_before, is_clear_after = (
        not list(standing.too_near(checks.sampled(way.path), KEEP_M, MARGIN_M))
        for way in (before, after)
    )
    assert is_clear_after or not is_clear_before  # an end may lie in a house
    assert (heights_m(after.path) >= heights_m(before.path) - 0.01).all()
    below_m = [p[0] for p in checks.sampled(after.path, 0.1) if p[2] < 6.0 - 0.01]
    assert all(min(x + 5, far_m - x) <= 12.0 + 0.1 for x in below_m)


def crossing(policy: Policy) -> tuple[Plan, dict[str, list[Sortie]]]:
    """Two drones whose ways out, and whose ways home, cross in the middle at the same time."""
    spots = [
        checks.spot(name, Point(*at), Kind.REFUSE_POINT, radius_m=2.0)
        for name, at in (("east", (120, 0)), ("north", (0, 120)))
    ]
    site = checks.site_with(
        "crossing",
        spots,
        pads=[(-120, 0), (0, -120)],
        models=(checks.HEXA, checks.HEXA),
        policy=policy,
    )
    plan = plan_site(site)
    hops = Hops(site, checks.HEXA)
    wanted = {}
    for k, (pad, spot) in enumerate(zip(site.pads, site.spots, strict=True)):
        legs = tuple(legs_over(Base(k, pad, hops), plan.treatment(spot.id).passes))
        agent_id = plan.treatment(spot.id).agent_id
        wanted[f"d{k}"] = [sortie_over(f"d{k}", pad.id, agent_id, legs)]
    return plan, wanted


def sortie_over(
    drone_id: str, pad_id: str, agent_id: str, legs: tuple[Pass | Transit, ...]
) -> Sortie:
    """A sortie that carries 3 L, reckoned by the legs."""
    cost = sortie_cost(legs, checks.HEXA, 3.0)
    return Sortie(
        id=f"{drone_id}-wanted-{id(legs)}",
        drone_id=drone_id,
        pad_id=pad_id,
        agent_id=agent_id,
        legs=legs,
        litres_l=cost.litres_l,
        battery_frac=cost.battery_frac,
        carried_l=3.0,
        start_s=0.0,
        duration_s=cost.duration_s,
    )


def apart_m(one: Sortie, other: Sortie, early: tuple[float, float]) -> float:
    """How near two sorties come, by positions that share no code with the planner."""
    ours, theirs = (
        checks.positions(s, checks.HEXA, frac) for s, frac in zip((one, other), early, strict=True)
    )
    both = np.intersect1d(ours[:, 0], theirs[:, 0], return_indices=True)
    return float(np.linalg.norm(ours[both[1], 1:] - theirs[both[2], 1:], axis=1).min())


def flat(policy: Policy) -> Policy:
    """The same, with an objective that leaves no reason to fly higher."""
    return replace(policy, objective=Objective.DRONE_MINUTES)


def test_a_layer_up_the_second_need_not_wait() -> None:
    plan, wanted = crossing(Policy())
    held = schedule(wanted, MODELS, flat(plan.site.policy), plan.site.pads)
    assert max(s.start_s for s in held) >= 15.0
    flown = schedule(wanted, MODELS, plan.site.policy, plan.site.pads)
    assert [s.start_s for s in flown] == [0.0, 0.0]
    assert sum(s.legs != wanted[s.drone_id][0].legs for s in flown) == 1
    for sortie in flown:
        (was,) = wanted[sortie.drone_id]
        assert sortie.passes == was.passes
        cost = sortie_cost(sortie.legs, checks.HEXA, sortie.carried_l)
        assert (sortie.duration_s, sortie.battery_frac) == (cost.duration_s, cost.battery_frac)
    require_apart(flown, MODELS, 10.0)
    for early in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.5, 0.5)):
        assert apart_m(*flown, early) >= 10.0 - 1e-6
    checks.assert_lawful_plan(replace(plan, sorties=flown))


def test_without_its_layer_the_law_names_drones_place_and_time() -> None:
    plan, wanted = crossing(Policy())
    flown = schedule(wanted, MODELS, plan.site.policy, plan.site.pads)
    lowered = [replace(wanted[s.drone_id][0], id=s.id, start_s=s.start_s) for s in flown]
    assert apart_m(lowered[0], lowered[1], (0.5, 0.5)) < 10.0
    (found,) = too_near(lowered, MODELS, 10.0)
    assert set(found.drones) == {"d0", "d1"}
    assert math.hypot(found.x, found.y) < 10.0
    assert found.above_home_m == pytest.approx(6.0, abs=0.1)
    assert 0.0 < found.at_s < lowered[0].duration_s
    words = r"d0 \(d0-01\) and d1 \(d1-01\): \d.* m apart at \(.*\), 6 m above home, \d+ s after"
    with pytest.raises(PlanError, match=words):
        require_apart(lowered, MODELS, 10.0)


def test_below_a_low_ceiling_the_second_waits() -> None:
    plan, wanted = crossing(Policy(ceiling_m=15.0))
    flown = schedule(wanted, MODELS, plan.site.policy, plan.site.pads)
    assert flown == schedule(wanted, MODELS, flat(plan.site.policy), plan.site.pads)
    assert max(s.start_s for s in flown) >= 15.0


def test_what_the_battery_does_not_hold_is_not_lifted() -> None:
    plan, wanted = crossing(Policy())
    slow = replace(checks.HEXA, climb_mps=0.5, descent_mps=0.5)
    (sortie,) = wanted["d0"]
    some = list(lifts(sortie, slow, plan.site.policy))
    assert len(some) == 3
    shares = sorted(s.battery_frac for s in some)
    assert shares[0] < shares[-1]
    tight = replace(plan.site.policy, reserve_frac=1 - shares[1])
    kept = sorted(s.battery_frac for s in lifts(sortie, slow, tight))
    assert kept == [share for share in shares if share <= 1 - tight.reserve_frac]
    assert shares[-1] not in kept


def test_a_lifted_way_is_reckoned_with_the_wind() -> None:
    plan, wanted = crossing(Policy())
    (sortie,) = wanted["d0"]
    wind = Wind.coming_from(90.0, 6.0)
    pairs = zip(
        lifts(sortie, checks.HEXA, plan.site.policy),
        lifts(sortie, checks.HEXA, plan.site.policy, wind),
        strict=True,
    )
    for still, windy in pairs:
        assert still.legs == windy.legs
        assert windy.battery_frac > still.battery_frac
        assert windy.battery_frac == sortie_cost(windy.legs, checks.HEXA, 3.0, wind).battery_frac


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(-150, 150), st.integers(-150, 150)),
        min_size=3,
        max_size=3,
        unique_by=lambda at: (at[0] // 30, at[1] // 30),
    ),
    st.lists(st.integers(0, 359), min_size=6, max_size=6),
)
def test_with_layers_no_schedule_ends_later(
    pads: list[tuple[int, int]], ways_deg: list[int]
) -> None:
    site = checks.site_with("pads", [], pads=pads, models=(checks.HEXA,) * 3)
    hops = Hops(site, checks.HEXA)
    wanted: dict[str, list[Sortie]] = {f"d{k}": [] for k in range(3)}
    for number, way_deg in enumerate(ways_deg):
        east, north = math.cos(math.radians(way_deg)), math.sin(math.radians(way_deg))
        run = Pass(
            spot_id="verge",
            kind=checks.PassKind.RUN,
            path=((60 * east, 60 * north), (80 * east, 80 * north)),
            above_home_m=3.0,
            speed_mps=2.0,
            flow_lps=0.05,
            swath_m=4.0,
        )
        pad = site.pads[number % 3]
        legs = tuple(legs_over(Base(number % 3, pad, hops), [run]))
        sortie = sortie_over(f"d{number % 3}", pad.id, "chlorine", legs)
        wanted[sortie.drone_id].append(replace(sortie, id=str(number)))
    low = schedule(wanted, MODELS, flat(site.policy), site.pads)
    high = schedule(wanted, MODELS, site.policy, site.pads)
    assert sorted(s.drone_id for s in high) == sorted(s.drone_id for s in low)
    ends_s = [max(s.start_s + s.duration_s for s in some) for some in (high, low)]
    assert ends_s[0] <= ends_s[1]
    assert not too_near(high, MODELS, site.policy.separation_m)
    empty = Plan(site=site, seed=0, treatments=(), ground=(), sorties=high)
    checks.assert_schedule_holds(empty)
    assert high == schedule(wanted, MODELS, site.policy, site.pads)
