"""Ground under paths."""

import numpy as np
import pytest
from shapely.geometry import box

from skymist.coverage import robust
from skymist.coverage.tally import footprints, length_m, tally

ROW = np.array([[0.0, 2.0], [10.0, 2.0]])


def test_a_straight_leg_wets_a_rectangle() -> None:
    (strip,) = footprints([ROW], 4.0)
    assert strip.equals(box(0, 0, 10, 4))


def test_a_leg_without_length_wets_nothing() -> None:
    assert footprints([np.zeros((2, 2))], 4.0) == []


def test_a_bend_is_round() -> None:
    (strip,) = footprints([np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])], 4.0)
    assert strip.area == pytest.approx(2 * 40 + 3.14159 - 4, rel=0.01)


def test_shares_add_up() -> None:
    area = box(0, 0, 8, 5)
    flown = [
        (True, ROW),
        (False, np.array([[10.0, 2.0], [10.0, 3.0]])),
        (True, ROW[::-1] + np.array([0, 1])),
    ]
    wet = robust.union(footprints([path for on, path in flown if on], 4.0))
    counted = tally(area, flown, wet, robust.difference(area, wet), 4.0)
    assert counted.covered_frac == pytest.approx(1)
    assert counted.over_frac == pytest.approx(10 / 40)
    assert counted.overlap_frac == pytest.approx(30 / 40)
    assert (counted.spray_m, counted.transit_m) == pytest.approx((20, 1))
    assert length_m(ROW) == 10
