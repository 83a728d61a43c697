from __future__ import annotations

import math
import statistics

import pytest

from skymist.sitl.air import PUSH_M_PER_MPS, Air


def test_still_air_moves_nothing() -> None:
    air = Air(1)
    for _ in range(100):
        air.advance(0.1)
    assert (air.push_x, air.push_y, air.error_x, air.error_y) == (0, 0, 0, 0)


def test_wind_pushes_downwind_about_its_mean() -> None:
    air = Air(1)
    air.wind_mps, air.toward_rad = 6.0, math.pi / 2
    pushes = []
    for _ in range(6000):
        air.advance(0.1)
        pushes.append(air.push_y)
    assert statistics.mean(pushes) == pytest.approx(6 * PUSH_M_PER_MPS, rel=0.25)
    assert air.drift(2.0) == pytest.approx((0, 12))


def test_gps_error_has_the_deviation_asked_for_whatever_the_step() -> None:
    for dt in (0.05, 0.1, 0.4):
        air = Air(3, gps_noise_m=0.8)
        errors = []
        for _ in range(round(8000 / dt)):
            air.advance(dt)
            errors.append(air.error_x)
        assert statistics.pstdev(errors) == pytest.approx(0.8, rel=0.2)
