"""Roofs under straight ways against every building looked at one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, box

from skymist.coverage.site import Building
from skymist.coverage.skyline import Skyline

KEEP_M, CELL_M = 4.0, 4.0
places = st.tuples(st.floats(-80, 180), st.floats(-80, 180))
houses = st.tuples(st.floats(0, 90), st.floats(0, 90), st.floats(1, 30), st.floats(3, 60))


def house(x: float, y: float, wide: float, height: float) -> Building:
    return Building(id=f"{x},{y}", footprint=box(x, y, x + wide, y + wide), height_m=height)


@given(st.lists(houses, max_size=6), st.lists(st.tuples(places, places), min_size=1, max_size=8))
def test_no_roof_under_a_way_is_missed_and_none_far_off_counts(
    rows: list[tuple[float, float, float, float]],
    ways: list[tuple[tuple[float, float], tuple[float, float]]],
) -> None:
    town = [house(*row) for row in rows]
    starts, ends = (np.array([way[k] for way in ways]) for k in (0, 1))
    for way, top_m in zip(ways, Skyline(town, KEEP_M, CELL_M).tops_m(starts, ends), strict=True):
        line = LineString(way)
        under = [b.height_m for b in town if line.distance(b.footprint) < KEEP_M / 2]
        near = [b.height_m for b in town if line.distance(b.footprint) < 2 * (KEEP_M + CELL_M)]
        assert max(under, default=0.0) <= top_m <= max(near, default=0.0)
        assert top_m == 0.0 or top_m in near


def test_no_way_has_no_roof() -> None:
    assert Skyline([house(0, 0, 5, 9)], KEEP_M).tops_m(*np.zeros((2, 0, 2))).shape == (0,)
