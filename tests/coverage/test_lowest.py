"""The lower bound of a plan: never above the best plan, found by trying all of a tiny site."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from skymist.coverage.chunks import Chunk, chunks_of, joined
from skymist.coverage.energy import run_s, transit_s
from skymist.coverage.evening import parts_of
from skymist.coverage.flights import Base, Flight, Flights
from skymist.coverage.hops import Hops
from skymist.coverage.lowest import apart_m, lowest_s
from skymist.coverage.plan import Treatment
from skymist.coverage.site import BlindSpot, Kind, Policy, Site
from skymist.coverage.treat import treat_site
from tests import checks

PIECES_MOST = 5
"""For one drone; for two, one less."""


def _splits(order: Sequence[Chunk]) -> Iterator[list[Sequence[Chunk]]]:
    """All ways to cut a sequence into flights."""
    for cuts in itertools.product((False, True), repeat=len(order) - 1):
        ends = [k + 1 for k, is_cut in enumerate(cuts) if is_cut]
        yield [order[a:b] for a, b in itertools.pairwise([0, *ends, len(order)])]


def _day_s(flights: Sequence[Flight], policy: Policy) -> float:
    """Flights in this order, by the words of docs/site-file.md: refills, swaps at the reserve."""
    now_s, left = 0.0, 1.0
    for k, flight in enumerate(flights):
        fill_s = policy.refill_s if k else 0.0
        swap_s = 0.0
        if left - flight.cost.battery_frac < policy.reserve_frac:
            left, swap_s = 1.0, policy.swap_s
        now_s += max(fill_s, swap_s) if policy.is_swap_in_refill else fill_s + swap_s
        left -= flight.cost.battery_frac
        now_s += flight.cost.duration_s
    return now_s


def _best_s(site: Site, treatments: Sequence[Treatment]) -> float:
    """The least makespan of all plans over the spots in equal parts, by trying them."""
    flights = Flights()
    pads = {pad.id: pad for pad in site.pads}
    bases = [Base(k, pads[d.pad_id], Hops(site, d.model)) for k, d in enumerate(site.fleet)]
    wholes = []
    for treatment in treatments:
        some = chunks_of(treatment, site.fleet[0].model)
        wholes.append(replace(some[0], passes=tuple(joined([p for c in some for p in c.passes]))))
    best = math.inf
    for counts in itertools.product(range(1, PIECES_MOST + 1), repeat=len(wholes)):
        if sum(counts) > PIECES_MOST + 1 - len(bases):
            continue
        pieces = [
            part for c, n in zip(wholes, counts, strict=True) for part in parts_of(c, [1 / n] * n)
        ]
        days: dict[tuple[int, tuple[int, ...]], float] = {}
        for order in itertools.permutations(pieces):
            for cut in range(len(order) + 1) if len(bases) > 1 else (len(order),):
                shares = (order[:cut], order[cut:])[: len(bases)]
                ends_s = (
                    _least_s(flights, base, share, days, site.policy)
                    for base, share in zip(bases, shares, strict=True)
                )
                best = min(best, max(ends_s))
    return best


def _least_s(
    flights: Flights,
    base: Base,
    order: Sequence[Chunk],
    days: dict[tuple[int, tuple[int, ...]], float],
    policy: Policy,
) -> float:
    """The least day of a drone that flies these pieces in this order."""
    key = (base.index, tuple(id(chunk) for chunk in order))
    if key not in days:
        found = [] if order else [0.0]
        for parts in _splits(order) if order else ():
            made = [flights.over(base, part) for part in parts]
            if all(made):
                found.append(_day_s([f for f in made if f], policy))
        days[key] = min(found, default=math.inf)
    return days[key]


def _spot(k: int, draw: Callable[[Any], Any]) -> BlindSpot:
    """A yard, or bins over which a drone hovers; bins may lie close to each other."""
    south = draw(st.sampled_from([-40, 20, 300, 700]))
    if draw(st.booleans()):
        bins = Point(30 + 8 * k, south)
        found: BlindSpot = checks.spot(f"bins{k}", bins, Kind.REFUSE_POINT, radius_m=2.0)
        return found
    west = 30 + 120 * k + draw(st.integers(0, 60))
    wide, long = draw(st.integers(5, 16)), draw(st.integers(6, 40))
    found = checks.spot(f"yard{k}", box(west, south, west + wide, south + long), Kind.YARD)
    return found


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=3, unique=True
        ),
        min_size=2,
        max_size=8,
    )
)
def test_hovers_and_lines_are_as_far_apart_as_they_are(
    paths: list[list[tuple[int, int]]],
) -> None:
    shapes = [LineString(path) if len(path) > 1 else Point(path[0]) for path in paths]
    for k, gap_m in enumerate(apart_m(shapes)):
        least_m = min(shape.distance(shapes[k]) for j, shape in enumerate(shapes) if j != k)
        assert gap_m == pytest.approx(least_m)


@settings(
    max_examples=16,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_no_plan_is_below_the_bound(data: st.DataObject) -> None:
    spots = [_spot(k, data.draw) for k in range(data.draw(st.integers(1, 3)))]
    policy = Policy(
        separation_m=0.0,
        refill_s=float(data.draw(st.sampled_from([20, 120, 240]))),
        swap_s=float(data.draw(st.sampled_from([20, 120, 300]))),
        reserve_frac=data.draw(st.sampled_from([0.1, 0.25])),
        is_swap_in_refill=data.draw(st.booleans()),
    )
    num = data.draw(st.integers(1, 2))
    pads = [(0, 0), (0, -40)][:num]
    site = checks.site_with("yards", spots, pads=pads, models=(checks.HEXA,) * num, policy=policy)
    treatments, _ = treat_site(site, checks.HEXA, None)
    best = _best_s(site, treatments) if treatments else math.inf
    if not math.isfinite(best):
        return
    low = lowest_s(site, site.fleet, treatments)
    print(f"{low:.0f} {best:.0f} {low / best:.3f}")
    assert low <= best + 1e-6


def test_the_bound_is_near_where_flights_hardly_share_anything() -> None:
    yard = checks.spot("yard", box(40, -6, 52, 6), Kind.YARD)
    site = checks.site_with("yard", [yard], policy=Policy(refill_s=120.0, swap_s=120.0))
    treatments, _ = treat_site(site, checks.HEXA, None)
    best = _best_s(site, treatments)
    assert 0.8 * best < lowest_s(site, site.fleet, treatments) <= best


@given(
    st.lists(
        st.tuples(st.floats(-300, 300), st.floats(-300, 300), st.floats(3, 60)),
        min_size=2,
        max_size=7,
    )
)
def test_no_way_is_quicker_than_the_level_one_between_its_ends(
    path: list[tuple[float, float, float]],
) -> None:
    speed_mps = min(checks.HEXA.cruise_mps, 8.0)
    across_m = math.dist(path[0][:2], path[-1][:2])
    least_s = run_s(across_m, speed_mps, checks.HEXA.accel_mps2)
    assert transit_s(path, checks.HEXA, speed_mps) >= least_s - 0.02 - 1e-3 * least_s
