"""Ways inside free space, against a fine grid and straight lines."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon, box

from skymist.coverage.kinematics import Hop, Kinematics
from skymist.coverage.transits import FreeSpace
from tests.coverage.areas import U_SHAPE, YARD, polygons

FLOWN = Kinematics()


def places_in(area: Polygon, seed: int, count: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    west, south, east, north = area.bounds
    points = chance.uniform((west, south), (east, north), (4000, 2))
    inside = [p for p in points if area.contains(LineString([p, p + 1e-9]))]
    return np.array(inside[:count])


@settings(max_examples=30, deadline=None)
@given(polygons(), st.integers(0, 99))
def test_ways_stay_inside_and_start_and_end_where_asked(area: Polygon, seed: int) -> None:
    places = places_in(area, seed, 8)
    roomy = area.buffer(0.01)
    space = FreeSpace(area, FLOWN)
    for way, first, second in zip(
        space.ways(places[:4], places[4:]), places[:4], places[4:], strict=True
    ):
        assert (way[0] == first).all()
        assert (way[-1] == second).all()
        assert roomy.covers(LineString(way))


@settings(max_examples=30, deadline=None)
@given(polygons(), st.integers(0, 99))
def test_times_are_symmetric_and_never_beat_the_straight_way(area: Polygon, seed: int) -> None:
    places = places_in(area, seed, 10)
    times, straight = FreeSpace(area, FLOWN).times(places)
    gap = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    assert times == pytest.approx(times.T)
    assert (times >= FLOWN.run_s(gap) - 1e-9).all()
    assert np.isfinite(times).all()
    assert straight.diagonal().all()


def test_a_way_around_a_hole_is_the_shortest() -> None:
    way = FreeSpace(YARD, FLOWN).ways(np.array([[10.0, 19.0]]), np.array([[40.0, 19.0]]))[0]
    around = [
        math.dist((10, 19), (18, y)) + 12 + math.dist((30, y), (40, 19)) for y in (12.0, 26.0)
    ]
    assert LineString(way).length == pytest.approx(min(around))


def test_places_seen_before_are_remembered_rightly() -> None:
    places = places_in(U_SHAPE, 1, 12)
    space = FreeSpace(U_SHAPE, FLOWN)
    space.times(places[:8])
    again, straight = space.times(places[2:])
    fresh, seen = FreeSpace(U_SHAPE, FLOWN).times(places[2:])
    assert again == pytest.approx(fresh)
    assert (straight == seen).all()


def test_convex_ground_needs_no_corners() -> None:
    space = FreeSpace(box(0, 0, 9, 9), FLOWN)
    assert space.convex
    assert space.sees(np.array([[0.0, 0.0]]), np.array([[9.0, 9.0]])).all()


def test_over_a_hole_is_taken_only_where_it_is_quicker() -> None:
    """A wall of 40 m between two places 6 m apart: around it 2 x 20 m and more, over it 3 s."""
    ground = Polygon(
        [(0, 0), (60, 0), (60, 60), (0, 60)], [[(28, 10), (32, 10), (32, 50), (28, 50)]]
    )
    first, second = np.array([[27.0, 30.0]]), np.array([[33.0, 30.0]])
    places = np.concatenate([first, second])
    plain = FreeSpace(ground, FLOWN)
    around_s = plain.times(places)[0][0, 1]
    assert len(plain.ways(first, second)[0]) > 2
    for rise_m in (1.0, 3.0, 40.0):
        space = FreeSpace(ground, FLOWN, Hop(rise_m=rise_m))
        over_s = float(FLOWN.run_s(6.0)) + rise_m / 2 + rise_m / 1.5
        assert space.times(places)[0][0, 1] == pytest.approx(min(over_s, around_s))
        assert (len(space.ways(first, second)[0]) == 2) is bool(over_s < around_s)
