"""Areas in pieces."""

import numpy as np
import pytest
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from skymist.coverage.errors import PlanError
from skymist.coverage.grounds import flown_over
from tests.coverage.areas import YARD
from tests.coverage.test_layouts import brief


def test_wet_and_dry_are_the_whole_area() -> None:
    legs, wet, dry = flown_over(YARD, brief(), None)
    assert wet.intersection(YARD).area + dry.area == pytest.approx(YARD.area)
    assert dry.area <= 0.0101 * YARD.area
    assert legs[0][0]


def test_pieces_that_a_clearance_parts_are_joined_through_the_part() -> None:
    waist = box(0, 0, 20, 20).union(box(20, 9, 40, 11)).union(box(40, 0, 60, 20))
    legs, _, _ = flown_over(waist, brief(clearance_m=2.0), None)
    roomy = waist.buffer(0.01)
    assert all(roomy.covers(LineString(path)) for _, path in legs)


def test_an_island_is_flown_with_the_spray_on() -> None:
    ring = Polygon(box(0, 0, 40, 40).exterior, [box(8, 8, 32, 32).exterior.coords])
    island = box(15, 15, 25, 25)
    legs, _, _ = flown_over(MultiPolygon([ring, island]), brief(), None)
    inside = island.buffer(0.01)
    assert all(on for on, path in legs if inside.covers(LineString(path)))


def test_where_nothing_fits_contain_flies_nothing() -> None:
    legs, wet, dry = flown_over(box(0, 0, 1, 1), brief(contain=True), None)
    assert legs == []
    assert wet.is_empty
    assert dry.area == 1


def test_no_ground_to_fly_is_an_error() -> None:
    with pytest.raises(PlanError, match="clearance_m"):
        flown_over(box(0, 0, 3, 3), brief(clearance_m=2.0), None)


def test_a_start_is_used() -> None:
    legs, _, _ = flown_over(box(0, 0, 40, 24), brief(), np.array([40.0, 24.0]))
    assert np.hypot(*(legs[0][1][0] - (40, 24))) < 6
