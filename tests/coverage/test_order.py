"""Orders of passes against all permutations."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from skymist.coverage.kinematics import Kinematics
from skymist.coverage.order import Tasks, costs_s, ordered
from skymist.coverage.transits import FreeSpace

FLOWN = Kinematics()
GROUND = box(0, 0, 100, 100)
points = st.tuples(st.floats(0, 100), st.floats(0, 100))
passes = st.lists(st.tuples(points, points).filter(lambda p: p[0] != p[1]), min_size=1, max_size=4)


def costs_of(lines: list) -> np.ndarray:
    tasks = Tasks.of([np.array(line) for line in lines])
    return costs_s(tasks, np.zeros(len(lines), dtype=np.intp), [FreeSpace(GROUND, FLOWN)], FLOWN)


def tour_s(costs: np.ndarray, nodes: list[int]) -> float:
    return sum(costs[a, b] for a, b in itertools.pairwise(nodes))


@settings(max_examples=25, deadline=None)
@given(passes)
def test_an_order_flies_each_pass_once_and_is_near_the_best(lines: list) -> None:
    costs = costs_of(lines)
    nodes = ordered(costs)
    assert sorted(node >> 1 for node in nodes) == list(range(len(lines)))
    best = min(
        tour_s(costs, [2 * p + f for p, f in zip(order, flips, strict=True)])
        for order in itertools.permutations(range(len(lines)))
        for flips in itertools.product((0, 1), repeat=len(lines))
    )
    assert tour_s(costs, nodes) <= best + 0.2 * abs(best) + 2.0


def test_costs_read_the_same_flown_the_other_way() -> None:
    costs = costs_of([((0, 0), (40, 0)), ((40, 4), (0, 4)), ((3, 8), (30, 9))])
    flip = np.arange(len(costs)) ^ 1
    assert costs == pytest.approx(costs[np.ix_(flip, flip)].T)


def test_rows_are_flown_to_and_fro() -> None:
    rows = [((0, 4.0 * k), (80, 4.0 * k)) for k in (3, 0, 4, 1, 2)]
    nodes = ordered(costs_of(rows))
    heights = [rows[node >> 1][0][1] for node in nodes]
    assert heights in ([0, 4, 8, 12, 16], [16, 12, 8, 4, 0])
    assert len({(node & 1) for node in nodes}) == 2


def test_a_known_order_takes_in_a_new_pass() -> None:
    rows = [((0, 4.0 * k), (80, 4.0 * k)) for k in (0, 1, 3, 2)]
    nodes = ordered(costs_of(rows), known=[0, 3, 4])
    assert [node >> 1 for node in nodes] == [0, 1, 3, 2]


def test_a_pass_that_goes_straight_on_saves_a_stop() -> None:
    costs = costs_of([((0, 0), (40, 0)), ((40, 0), (80, 0))])
    assert costs[0, 2] == pytest.approx(-FLOWN.stop_s)
