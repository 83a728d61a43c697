"""Ways past towers against a visibility graph over every corner of every wall."""

import math
from itertools import combinations, pairwise

import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, box

from skymist.coverage.detours import OUTSIDE_M, Detours
from skymist.coverage.errors import PlanError
from skymist.coverage.obstacles import Obstacles
from skymist.coverage.site import Building

KEEP_M, CEILING_M = 2.0, 30.0
XY = tuple[float, float]


def tower(x: float, y: float, wide: float, deep: float, name: str = "b") -> Building:
    return Building(id=name, footprint=box(x, y, x + wide, y + deep), height_m=50)


def detours(buildings: list[Building], stop_m: float = 0.0) -> Detours:
    return Detours(Obstacles(buildings, keep_m=KEEP_M, margin_m=2.0), CEILING_M, stop_m)


def brute_m(start: XY, end: XY, buildings: list[Building], keep_m: float) -> float:
    """Length of the shortest way outside of everything, by trying every corner with every other."""
    solid = shapely.union_all([b.footprint.buffer(keep_m, quad_segs=16) for b in buildings])
    rim = shapely.get_coordinates(solid.buffer(0.001, quad_segs=16))
    places = [start, end, *((float(x), float(y)) for x, y in rim)]
    core = solid.buffer(-0.01)
    shapely.prepare(core)
    reach = [math.inf] * len(places)
    reach[0], todo = 0.0, set(range(len(places)))
    gaps = {
        (a, b): math.dist(places[a], places[b])
        for a, b in combinations(range(len(places)), 2)
        if not core.intersects(LineString([places[a], places[b]]))
    }
    while todo:
        here = min(todo, key=lambda k: reach[k])
        todo.remove(here)
        for k in todo:
            gap = gaps.get((min(here, k), max(here, k)), math.inf)
            reach[k] = min(reach[k], reach[here] + gap)
    return reach[1]


towns = st.lists(
    st.tuples(st.floats(5, 80), st.floats(-30, 30), st.floats(3, 25), st.floats(3, 25)),
    min_size=1,
    max_size=4,
)


@example([(5.0, -6.0, 5.0, 3.0), (10.0, 1.0, 3.0, 6.0)])
@example([(5.0, -5.0, 6.0, 3.0), (6.0, 0.0, 3.0, 9.0)])
@settings(deadline=None, max_examples=25)
@given(towns)
def test_a_way_is_clear_and_little_longer_than_the_shortest(
    town: list[tuple[float, float, float, float]],
) -> None:
    buildings = [tower(*values) for values in town]
    start, end = (-5.0, 0.0), (115.0, 0.0)
    way = detours(buildings).way(start, end)
    assert (way[0], way[-1]) == (start, end)
    gap = min(LineString(way).distance(b.footprint) for b in buildings)
    assert gap >= KEEP_M - 0.021
    flown_m = sum(math.dist(a, b) for a, b in pairwise(way))
    least_m = brute_m(start, end, buildings, KEEP_M)
    # Bends lie a little outside, so a gap of just twice the kept distance is not for us.
    roomy_m = brute_m(start, end, buildings, KEEP_M + OUTSIDE_M)
    # Corners are flown as corners, not as arcs: 2 * keep * (1 - pi / 4) longer at a right angle.
    bends_m = 2 * (KEEP_M + OUTSIDE_M) * (1 - math.pi / 4) + 2 * OUTSIDE_M
    assert least_m - 0.1 <= flown_m <= roomy_m + bends_m * (len(way) - 1) + 0.1


def test_a_bend_less_is_worth_some_metres() -> None:
    """Past a wall with a step in it: nearer with two bends, quicker with one."""
    step = [tower(0, -40, 10, 45), tower(40, -40, 10, 47)]
    start, end = (-60.0, 0.0), (110.0, 0.0)
    nearest = detours(step).way(start, end)
    quickest = detours(step, stop_m=32.0).way(start, end)
    assert len(quickest) < len(nearest)


def test_walls_far_away_are_not_looked_at() -> None:
    near = [tower(40, -10, 10, 20), tower(70, -30, 12, 33)]
    far = [tower(40 * k, 500 + 60 * j, 20, 20, f"f{k}-{j}") for k in range(40) for j in range(40)]
    asked = []
    for town in (near, near + far):
        one = detours(town)
        way = one.way((0.0, 0.0), (120.0, 0.0))
        asked.append((way, len(one._known)))
    assert asked[0] == asked[1]


def test_a_place_inside_walls_has_no_way_however_many_stand_outside() -> None:
    ring = [
        tower(-20, -20, 40, 5),
        tower(-20, 15, 40, 5),
        tower(-20, -20, 5, 40),
        tower(15, -20, 5, 40),
    ]
    others = [tower(60 + 40 * k, -200 + 40 * j, 20, 20) for k in range(10) for j in range(10)]
    with pytest.raises(PlanError, match="no way"):
        detours(ring + others).way((600.0, 0.0), (0.0, 0.0))


def test_a_round_tower_is_passed_with_few_bends() -> None:
    silo = Building(id="silo", footprint=shapely.Point(50, 0).buffer(12), height_m=50)
    way = detours([silo]).way((0.0, 0.0), (100.0, 0.0))
    assert len(way) <= 8
    assert LineString(way).distance(silo.footprint) >= KEEP_M - 0.021
