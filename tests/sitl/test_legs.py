from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.sitl.legs import Leg, Limits, Point

LIMITS = Limits(
    speed_mps=5,
    up_mps=2.5,
    down_mps=1.5,
    accel_mps2=2.5,
    accel_z_mps2=1,
    jerk_mps3=1,
    corner_mps2=5,
    radius_m=2,
)
START = Point(0, 0, 10)


@given(
    length=st.floats(0.01, 2000),
    speed=st.floats(0.2, 15),
    accel=st.floats(0.5, 5),
    jerk=st.floats(0.5, 10),
)
def test_a_leg_keeps_its_limits_and_ends_where_it_should(
    length: float, speed: float, accel: float, jerk: float
) -> None:
    limits = replace(LIMITS, speed_mps=speed, accel_mps2=accel, jerk_mps3=jerk)
    leg = Leg(START, Point(length, 0, 10), limits)
    end_s, end_v, _ = leg.at(leg.end_s)
    assert end_s == pytest.approx(length, rel=1e-6, abs=1e-6)
    assert end_v == pytest.approx(0, abs=1e-6)
    before = 0.0
    for i in range(201):
        s, v, a = leg.at(leg.end_s * i / 200)
        assert s >= before - 1e-9
        assert -1e-9 <= v <= speed * 1.0001
        assert abs(a) <= accel * 1.0001
        before = s


@given(st.floats(0.5, 300))
def test_speed_is_the_slope_of_the_way(length: float) -> None:
    leg = Leg(START, Point(length, 0, 10), LIMITS)
    step = leg.end_s / 500
    for i in range(1, 499, 7):
        t = i * step
        slope = (leg.at(t + 1e-4)[0] - leg.at(t - 1e-4)[0]) / 2e-4
        assert leg.at(t)[1] == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize(("z", "speed"), [(30, 2.5), (0, 1.5)])
def test_straight_up_and_down_have_their_own_speeds(z: float, speed: float) -> None:
    leg = Leg(START, Point(0, 0, z), LIMITS)
    assert leg.speed_mps == pytest.approx(speed)


def test_a_sloping_leg_keeps_both_limits() -> None:
    leg = Leg(START, Point(30, 0, 40), LIMITS)
    assert leg.speed_mps * leg.unit.z == pytest.approx(2.5)
    assert leg.speed_mps * math.hypot(leg.unit.x, leg.unit.y) <= 5


def test_no_way_takes_no_time() -> None:
    leg = Leg(START, START, LIMITS)
    assert (leg.end_s, leg.at(5.0)) == (0, (0, 0, 0))
