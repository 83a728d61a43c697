"""Exact cells tile the ground."""

import pytest
import shapely
from hypothesis import given, settings
from shapely.geometry import Polygon, box

from skymist.coverage.cells import cells_of, merged
from tests.coverage.areas import U_SHAPE, polygons


@settings(max_examples=40, deadline=None)
@given(polygons())
def test_cells_tile_the_ground(area: Polygon) -> None:
    cells = cells_of(area, 2.0)
    assert sum(cell.area for cell in cells) == pytest.approx(area.area, rel=1e-3)
    assert shapely.union_all(cells).symmetric_difference(area).area <= 1e-3 * area.area


def test_a_u_is_cut_at_its_two_corners() -> None:
    assert len(cells_of(U_SHAPE, 2.0)) == 3


def test_convex_ground_is_one_cell() -> None:
    assert cells_of(box(0, 0, 9, 4), 2.0) == [box(0, 0, 9, 4)]


def test_ground_that_needs_too_many_cuts_is_left_whole() -> None:
    assert cells_of(U_SHAPE, 2.0, most_cuts=1) == [U_SHAPE]


def test_cells_are_merged_while_that_costs_less() -> None:
    cells = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 0, 3, 1)]
    assert merged(cells, lambda cell: cell.area, lambda area: 5 + area) == [3.0]
    assert merged(cells, lambda cell: cell.area, lambda area: area**2) == [1.0, 1.0, 1.0]
