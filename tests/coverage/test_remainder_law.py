"""The law of what is left: with what was flown it covers the whole, and overlaps as stated.

By brute force along the passes and on the ground, sharing no code with `coverage.replanning`.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import LineString, Point
from shapely.ops import unary_union

from skymist.coverage.plan import Pass, PassKind, Plan, Treatment
from skymist.coverage.replanning import OVERLAP_M, Share, remainder, replan
from skymist.coverage.schedule import Standing
from tests import checks
from tests.yards import six_yards

LEAST_SHARE = 0.001
Done = dict[tuple[str, int], tuple[Share, ...]]


@st.composite
def passes(draw: st.DrawFn) -> Pass:
    number = draw(st.integers(2, 6))
    x = y = 0.0
    path = [(x, y)]
    for _ in range(number - 1):
        turn, long_m = draw(st.floats(-1.2, 1.2)), draw(st.floats(3.0, 40.0))
        x, y = x + long_m * math.cos(turn), y + long_m * math.sin(turn)
        path.append((x, y))
    return Pass(
        spot_id="yard",
        kind=PassKind.RUN,
        path=tuple(path),
        above_home_m=6.0,
        speed_mps=1.0,
        flow_lps=0.08,
        swath_m=4.0,
    )


@st.composite
def shares(draw: st.DrawFn) -> tuple[Share, ...]:
    edges = sorted(draw(st.lists(st.floats(0.0, 1.0), min_size=0, max_size=6)))
    return tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=False) if b > a)


def places(path: tuple[tuple[float, float], ...], step_m: float = 0.2) -> NDArray[np.float64]:
    """Points along a path, the way from its start, shape (n, 3)."""
    rows, gone = [], 0.0
    for (ax, ay), (bx, by) in pairwise(path):
        long_m = math.dist((ax, ay), (bx, by))
        for f in np.linspace(0, 1, max(2, math.ceil(long_m / step_m) + 1)):
            rows.append((gone + f * long_m, ax + f * (bx - ax), ay + f * (by - ay)))
        gone += long_m
    return np.array(rows)


def yard(whole: Pass) -> Treatment:
    line = LineString(whole.path).buffer(2.0, cap_style="flat")
    return Treatment(
        spot_id="yard",
        passes=(whole,),
        target=line,
        dose_l_per_m2=0.02,
        agent_id="chlorine",
        expected_frac=1.0,
        model_id="hexa",
    )


@given(passes(), shares())
@settings(max_examples=100, deadline=None)
def test_done_and_left_make_the_whole_and_overlap_as_stated(
    whole: Pass, done: tuple[Share, ...]
) -> None:
    treatment = yard(whole)
    rest = remainder(treatment, {("yard", 0): done})
    long_m = sum(math.dist(a, b) for a, b in pairwise(whole.path))
    left = [] if rest is None else [LineString(p.path) for p in rest.passes]
    done_m = sum(b - a for a, b in done) * long_m
    points = places(whole.path)
    at_m = points[:, 0]
    is_good = shapely.dwithin(unary_union(left), shapely.points(points[:, 1:]), 0.06)
    edges = [0.0, *(edge for share in done for edge in share), 1.0]
    for number, (a, b) in enumerate(pairwise(edges)):
        if number % 2 or b - a <= LEAST_SHARE * 1.01:  # done, or too short to be flown
            is_good |= (at_m >= a * long_m - 0.06) & (at_m <= b * long_m + 0.06)
    assert is_good.all(), f"gaps at {at_m[~is_good][:5]} m"
    left_m = sum(line.length for line in left)
    num_edges = sum(2 for _ in done)
    assert left_m <= max(0.0, long_m - done_m) + num_edges * (OVERLAP_M + 0.06) + 1e-6
    if rest is not None:
        litres_l = sum(p.flow_lps * LineString(p.path).length / p.speed_mps for p in rest.passes)
        assert litres_l == pytest.approx(0.08 * left_m, rel=1e-6)


@given(st.floats(0.0, 1.0), st.floats(2.0, 60.0))
def test_a_hover_is_left_by_its_time(frac: float, hover_s: float) -> None:
    whole = Pass(
        spot_id="bins",
        kind=PassKind.HOVER,
        path=((3.0, 4.0),),
        above_home_m=6.0,
        speed_mps=0.0,
        flow_lps=0.03,
        swath_m=4.0,
        hover_s=hover_s,
    )
    treatment = Treatment(
        spot_id="bins",
        passes=(whole,),
        target=Point(3, 4).buffer(2),
        dose_l_per_m2=0.02,
        agent_id="chlorine",
        expected_frac=1.0,
    )
    rest = remainder(treatment, {("bins", 0): ((0.0, frac),)})
    left_s = 0.0 if rest is None else sum(p.hover_s for p in rest.passes)
    assert left_s == pytest.approx(hover_s * (1 - frac), abs=hover_s * LEAST_SHARE * 1.01)


@st.composite
def states(draw: st.DrawFn) -> tuple[Done, set[str]]:
    """What was done of every pass of the six yards, and which drones are alive."""
    done: Done = {}
    for treatment in six_yards().treatments:
        for index in range(len(treatment.passes)):
            kind = draw(st.sampled_from(("none", "whole", "some")))
            if kind != "none":
                some = ((0.0, 1.0),) if kind == "whole" else draw(shares())
                done[treatment.spot_id, index] = some
    alive = draw(st.sets(st.sampled_from(("d0", "d1", "d2")), min_size=1))
    return done, alive


@given(states())
@settings(max_examples=4, deadline=None)
def test_a_plan_for_what_is_left_is_lawful_and_covers_it(state: tuple[Done, set[str]]) -> None:
    done, alive = state
    whole = six_yards()
    rest = replan(whole, done, {d: Standing(num_flown=2, battery_frac=0.3) for d in alive})
    assert {s.drone_id for s in rest.sorties} <= alive
    assert {s.pad_id for s in rest.sorties} <= {f"p{d[1]}" for d in alive}
    checks.assert_schedule_holds(rest)
    checks.assert_clears_buildings(rest)
    for treatment in whole.treatments:
        assert_covered(treatment, done, rest)


def assert_covered(treatment: Treatment, done: Done, rest: Plan) -> None:
    """No dry stretch on any pass, and none that is flown and was done, but the overlap."""
    flown = [
        LineString(p.path) for s in rest.sorties for p in s.passes if p.spot_id == treatment.spot_id
    ]
    lines = unary_union(flown).buffer(0.07) if flown else shapely.Point().buffer(0)
    for index, whole in enumerate(treatment.passes):
        some = done.get((treatment.spot_id, index), ())
        long_m = LineString(whole.path).length
        points = places(whole.path)
        at = points[:, 0] / long_m
        is_done = np.zeros(len(at), dtype=bool)
        for a, b in some:
            is_done |= (at >= a) & (at <= b)
        is_flown = shapely.contains_xy(lines, points[:, 1], points[:, 2])
        step_m = long_m / len(points)
        left_m = float(np.count_nonzero(~is_done & ~is_flown)) * step_m
        twice_m = float(np.count_nonzero(is_done & is_flown)) * step_m
        assert twice_m <= 2 * len(some) * (OVERLAP_M + 0.2)
        assert left_m <= 0.15 * (len(some) + 1), f"{whole.spot_id} {index}: dry"
