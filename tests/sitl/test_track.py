from __future__ import annotations

import math
from dataclasses import replace

import pytest

from skymist.sitl.legs import Point
from skymist.sitl.track import Track
from tests.sitl.test_legs import LIMITS

REST = Point(0, 0, 0)


def average_mps(spacing_m: float) -> float:
    """Average speed over collinear waypoints, away from both ends."""
    points = [Point(spacing_m * (i + 1), 0, 10) for i in range(12)]
    track = Track(Point(0, 0, 10), REST, LIMITS)
    track.fly_to(points[0], LIMITS)
    track.then(points[1])
    at_s, marks = 0.0, []
    for following in (*points[1:], None):
        while not track.is_reached:
            track.advance(0.05)
            at_s += 0.05
        marks.append(at_s)
        if following is not None:
            track.fly_to(following, LIMITS)
            i = points.index(following)
            if i + 1 < len(points):
                track.then(points[i + 1])
    return spacing_m * 6 / (marks[8] - marks[2])


@pytest.mark.parametrize(("spacing_m", "mps"), [(5, 1.7), (10, 2.7), (20, 4.4), (40, 5.0)])
def test_close_waypoints_cost_speed_as_measured_on_sitl(spacing_m: float, mps: float) -> None:
    assert average_mps(spacing_m) == pytest.approx(mps, abs=0.12)


def corner(radius_m: float) -> tuple[float, float]:
    """Least distance from the corner and time over a right angle of 60 m legs."""
    limits = replace(LIMITS, radius_m=radius_m)
    track = Track(Point(0, 0, 10), REST, limits)
    turn, end = Point(60, 0, 10), Point(60, 60, 10)
    track.fly_to(turn, limits)
    track.then(end)
    at_s, least = 0.0, math.inf
    while not (track.is_reached and track.destination == end):
        track.advance(0.05)
        at_s += 0.05
        least = min(least, math.dist(track.position[:2], turn[:2]))
        if track.is_reached and track.destination == turn:
            track.fly_to(end, limits)
    assert math.dist(track.position, end) < 1e-6
    return least, at_s


def test_corners_are_cut_within_the_radius_and_save_time() -> None:
    near_m, slow_s = corner(0.5)
    wide_m, quick_s = corner(2.0)
    assert near_m <= 0.6 < wide_m <= 2.1
    assert quick_s < slow_s


def test_without_a_next_waypoint_the_copter_stops() -> None:
    track = Track(Point(0, 0, 10), REST, LIMITS)
    track.fly_to(Point(30, 0, 10), LIMITS)
    for _ in range(400):
        track.advance(0.1)
    assert track.is_reached
    assert track.position == Point(30, 0, 10)
    assert math.hypot(*track.velocity) < 1e-6


def test_position_and_velocity_are_continuous_when_a_track_is_taken_up_on_the_way() -> None:
    here, moving = Point(0, 0, 10), Point(5, 0, 0)
    track = Track(here, moving, LIMITS)
    track.fly_to(Point(-40, 0, 10), LIMITS)
    before, before_v = here, moving
    for _ in range(300):
        track.advance(0.05)
        assert math.dist(track.position, before) < 6 * 0.05
        assert math.dist(track.velocity, before_v) < 6 * 0.05
        before, before_v = track.position, track.velocity
    assert track.is_reached


def test_pausing_stops_on_the_track_and_goes_on() -> None:
    track = Track(Point(0, 0, 10), REST, LIMITS)
    track.fly_to(Point(200, 0, 10), LIMITS)
    for _ in range(100):
        track.advance(0.1)
    track.is_paused = True
    for _ in range(60):
        track.advance(0.1)
    stood = track.position
    assert abs(track.velocity.x) < 0.01
    track.is_paused = False
    for _ in range(600):
        track.advance(0.1)
    assert stood.x < 60
    assert track.is_reached


@pytest.mark.parametrize("mps", [2.0, 8.0])
def test_a_change_of_speed_on_the_way_is_flown(mps: float) -> None:
    track = Track(Point(0, 0, 10), REST, LIMITS)
    track.fly_to(Point(400, 0, 10), LIMITS)
    for _ in range(100):
        track.advance(0.1)
    track.change_limits(replace(LIMITS, speed_mps=mps))
    for _ in range(60):
        track.advance(0.1)
    assert track.velocity.x == pytest.approx(mps, rel=0.02)
