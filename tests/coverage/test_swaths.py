"""Strips of one angle against brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon, box

from skymist.coverage import robust, swaths
from skymist.coverage.tally import footprints
from tests.coverage.areas import polygons


def strips(area: Polygon, angle_rad: float, *, share: float = 0.3, inside: bool = False):
    edges = robust.edges_of(area)
    return swaths.strips_over(
        edges,
        edges,
        angle_rad=angle_rad,
        width_m=2.0,
        least_share=share,
        slack=0.05,
        within=edges if inside else None,
    )


def test_a_rectangle_is_tiled_exactly() -> None:
    found = strips(box(0, 0, 30, 12), 0.0)
    assert found.y_m == pytest.approx([1, 3, 5, 7, 9, 11])
    assert found.x0_m == pytest.approx(np.zeros(6))
    assert found.x1_m == pytest.approx(np.full(6, 30.0))
    assert found.reached_m2 == pytest.approx(360)
    assert found.outside_m2 == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(polygons(), st.floats(0, math.pi))
def test_no_centre_leaves_the_ground(area: Polygon, angle_rad: float) -> None:
    roomy = area.buffer(1e-6)
    for path in strips(area, angle_rad).paths():
        assert roomy.covers(LineString(path))


@settings(max_examples=40, deadline=None)
@given(polygons(), st.floats(0, math.pi))
def test_strips_kept_inside_spray_nothing_outside(area: Polygon, angle_rad: float) -> None:
    found = strips(area, angle_rad, share=0.02, inside=True)
    for strip in footprints(found.paths(), 2.0):
        assert strip.difference(area).area <= 1e-4


@settings(max_examples=40, deadline=None)
@given(polygons(), st.floats(0, math.pi))
def test_the_predicted_reach_is_near_the_real_one(area: Polygon, angle_rad: float) -> None:
    found = strips(area, angle_rad)
    real = robust.union(footprints(found.paths(), 2.0)).intersection(area).area
    assert found.reached_m2 == pytest.approx(real, abs=0.15 * area.area)


def test_crossings_come_in_pairs_sorted() -> None:
    x, line = swaths.crossings(robust.edges_of(box(0, 0, 4, 4)), np.array([-1.0, 0.5, 3.0, 4.0]))
    assert x.tolist() == [0, 4, 0, 4]
    assert line.tolist() == [1, 1, 2, 2]


@given(st.floats(0.5, 80), st.floats(0.5, 9), st.sampled_from([0.0, 0.05]))
def test_levels_fill_the_height_evenly(height_m: float, width_m: float, slack: float) -> None:
    levels = swaths.levels_over(10.0, 10.0 + height_m, width_m, slack)
    assert levels[0] - 10 <= width_m / 2 * (1 + slack) + 1e-9
    assert 10 + height_m - levels[-1] <= width_m / 2 * (1 + slack) + 1e-9
    assert (np.diff(levels) <= width_m * (1 + slack) + 1e-9).all()


def test_the_longest_walls_give_the_first_angles() -> None:
    angles = swaths.angles_of(robust.edges_of(box(0, 0, 30, 10)), 6)
    assert angles == pytest.approx([0, math.pi / 2])


def test_the_flattest_angle_needs_fewest_strips() -> None:
    edges = robust.edges_of(box(0, 0, 30, 10))
    assert swaths.flattest(edges, [math.pi / 2, 0.0])[0] == 0


def test_turning_there_and_back_is_the_identity() -> None:
    points = np.array([[1.0, 2.0], [-3.0, 4.0]])
    assert swaths.turned(swaths.turned(points, 0.7), -0.7) == pytest.approx(points)
    assert swaths.turned(np.array([1.0, 0.0]), math.pi / 2) == pytest.approx([0, 1])
