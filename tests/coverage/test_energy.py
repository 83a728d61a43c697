"""Leg and transit times against the embedded copter, whose own were fitted to ArduCopter's."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.drones import DroneModel, Sprayer
from skymist.coverage.energy import run_s, runs_s, transit_s
from skymist.sitl.legs import Leg, Limits, Point
from skymist.sitl.track import Track

MODEL = DroneModel(
    id="m",
    name="m",
    sprayer=Sprayer(tank_l=10, flow_min_lps=0.01, flow_max_lps=0.08, swath_m=4),
    body_m=1.5,
    dry_kg=14,
    endurance_empty_s=1080,
    endurance_full_s=540,
    battery_wh=600,
)
CRUISE_MPS = 8.0


def limits(speed_mps: float) -> Limits:
    return Limits(
        speed_mps=speed_mps,
        up_mps=MODEL.climb_mps,
        down_mps=MODEL.descent_mps,
        accel_mps2=MODEL.accel_mps2,
        accel_z_mps2=1.0,
        jerk_mps3=1.0,
        corner_mps2=2 * MODEL.accel_mps2,
        radius_m=2.0,
    )


def flown_s(path: list[tuple[float, float, float]], step_s: float = 0.02) -> float:
    """Seconds that the embedded copter's track takes over a path, from rest to rest."""
    points = [Point(*place) for place in path]
    track, steps = Track(points[0], Point(0, 0, 0), limits(CRUISE_MPS)), 0
    for k, point in enumerate(points[1:], 1):
        track.fly_to(point, limits(CRUISE_MPS))
        if k + 1 < len(points):
            track.then(points[k + 1])
        while not track.is_reached:
            track.advance(step_s)
            steps += 1
    return steps * step_s


@settings(deadline=None)
@given(st.floats(0.5, 300), st.floats(0.4, 14))
def test_a_straight_leg_takes_what_the_copter_takes(length_m: float, speed_mps: float) -> None:
    leg = Leg(Point(0, 0, 3), Point(length_m, 0, 3), limits(speed_mps))
    assert run_s(length_m, speed_mps, MODEL.accel_mps2) == pytest.approx(leg.end_s, rel=0.02)
    many = runs_s([length_m], speed_mps, MODEL.accel_mps2)[0]
    assert many == pytest.approx(leg.end_s, rel=0.03)


@settings(deadline=None, max_examples=40)
@given(st.floats(30, 250), st.floats(4, 25), st.floats(0, 4), st.floats(0, 4))
def test_a_transit_takes_what_the_copter_takes(
    across_m: float, top_m: float, up: float, down: float
) -> None:
    rise_m = top_m - 3
    share = min(1.0, across_m / max((up + down) * rise_m, 1e-9))
    first, last = up * rise_m * share, across_m - down * rise_m * share
    path = [(0.0, 0.0, 3.0), (first, 0.0, top_m), (last, 0.0, top_m), (across_m, 0.0, 3.0)]
    path = [
        p for p, q in zip(path, [None, *path], strict=False) if q is None or math.dist(p, q) > 1
    ]
    assert transit_s(path, MODEL, CRUISE_MPS) == pytest.approx(flown_s(path), rel=0.15, abs=1.0)


@pytest.mark.parametrize(
    "path",
    [
        [(0, 0, 3), (0, 0, 6), (20, 0, 6), (20, 0, 3)],
        [(0, 0, 3), (0, 0, 12), (200, 0, 12), (200, 0, 3)],
        [(0, 0, 3), (36, 0, 12), (164, 0, 12), (200, 0, 3)],
        [(0, 0, 3), (12, 0, 6), (48, 0, 6), (60, 0, 3)],
        [(0, 0, 3), (68, 0, 20), (132, 0, 20), (200, 0, 3)],
    ],
)
def test_common_transits_are_predicted_within_two_per_cent(
    path: list[tuple[float, float, float]],
) -> None:
    assert transit_s(path, MODEL, CRUISE_MPS) == pytest.approx(flown_s(path), rel=0.02)
