"""Laps keep their distance from walls and leave the inside."""

import numpy as np
import pytest
from hypothesis import given, settings
from shapely.geometry import LineString, Polygon

from skymist.coverage.headlands import laps_along
from tests.coverage.areas import RECTANGLE, YARD, polygons


def test_a_lap_follows_the_wall_half_a_swath_inside() -> None:
    laps = laps_along(RECTANGLE, count=1, width_m=4.0)
    assert len(laps.paths) == 1
    assert LineString(laps.paths[0]).length == pytest.approx(2 * (36 + 20))
    assert laps.inside.bounds == pytest.approx((4, 4, 36, 20))
    assert laps.reached_m2 == pytest.approx(40 * 24 - 32 * 16)


def test_holes_get_laps_too() -> None:
    assert len(laps_along(YARD, count=1, width_m=4.0).paths) == 2


def test_no_laps_leave_all() -> None:
    laps = laps_along(YARD, count=0, width_m=4.0)
    assert laps.paths == ()
    assert laps.inside.equals(YARD)


@settings(max_examples=40, deadline=None)
@given(polygons())
def test_exact_laps_spray_nothing_outside(area: Polygon) -> None:
    for path in laps_along(area, count=2, width_m=2.0, exact=True).paths:
        assert (path[0] == path[-1]).all()
        wet = LineString(path).buffer(1.0, cap_style="flat")
        assert wet.difference(area).area <= 2e-3 * wet.area


@settings(max_examples=40, deadline=None)
@given(polygons())
def test_a_lap_keeps_its_clearance_spikes_and_all(area: Polygon) -> None:
    roomy = area.buffer(1e-6)
    for path in laps_along(area, count=1, width_m=2.0, spikes=True).paths:
        assert roomy.covers(LineString(path))
    inner = area.buffer(-1.5, join_style="mitre").buffer(1e-3)
    for path in laps_along(area, count=1, width_m=2.0, clearance_m=1.5).paths:
        assert inner.covers(LineString(path))


def test_a_spike_runs_into_a_sharp_corner() -> None:
    wedge = Polygon([(0, 0), (40, -6), (40, 6)])
    plain = laps_along(wedge, count=1, width_m=4.0).paths[0]
    spiked = laps_along(wedge, count=1, width_m=4.0, spikes=True).paths[0]
    assert spiked[:, 0].min() < plain[:, 0].min() - 1
    assert np.abs(spiked[np.argmin(spiked[:, 0]), 1]) < 1e-6
