"""Layouts: what is tried, and what is predicted."""

import pytest
from shapely.geometry import Polygon, box

from skymist.coverage import layouts
from skymist.coverage.brief import Brief
from skymist.coverage.kinematics import Kinematics
from tests.coverage.areas import ALLEY, RECTANGLE, U_SHAPE, YARD


def brief(**changed: object) -> Brief:
    values: dict = {
        "swath_m": 4.0,
        "clearance_m": 0.0,
        "contain": False,
        "least_share": 0.1,
        "enough_frac": 0.99,
        "most_over_frac": 0.03,
        "kinematics": Kinematics(),
    }
    return Brief(**{**values, **changed})


def test_convex_ground_gets_strips_along_its_longer_walls() -> None:
    (piece,) = layouts.pieces_of(RECTANGLE, brief())
    layout, *_ = layouts.layouts_of(piece, brief())
    assert len(layout.paths) == 6
    assert layout.reached_m2 == pytest.approx(40 * 24)


def test_of_two_directions_with_as_many_strips_the_shorter_is_flown() -> None:
    ground = box(0, 0, 24.2, 22.5)
    (piece,) = layouts.pieces_of(ground, brief(swath_m=2.2))
    layout, *_ = layouts.layouts_of(piece, brief(swath_m=2.2))
    assert len(layout.paths) == 11
    assert all(abs(path[0][0] - path[-1][0]) < 1e-6 for path in layout.paths)


@pytest.mark.parametrize("area", [U_SHAPE, YARD, ALLEY])
def test_the_most_promising_layout_comes_first(area: Polygon) -> None:
    (piece,) = layouts.pieces_of(area, brief())
    found = layouts.layouts_of(piece, brief())
    charged = [layouts.charged_s(layout, area.area, brief()) for layout in found]
    assert charged == sorted(charged)
    assert len(found) > 2


def test_an_alley_is_flown_along_its_middle() -> None:
    (piece,) = layouts.pieces_of(ALLEY, brief())
    assert layouts.corridor_layout(piece, brief()) is not None
    assert layouts.corridor_layout(piece, brief(contain=True)) is None


def test_dry_ground_is_charged_beyond_what_may_stay_dry() -> None:
    assert brief().dry_s(5.0, 1000.0) == 0
    assert brief().dry_s(20.0, 1000.0) > 5
    assert brief(contain=True).dry_s(5.0, 1000.0) > 0


def test_a_clearance_may_cut_a_part_in_two() -> None:
    waist = box(0, 0, 20, 20).union(box(20, 9, 40, 11)).union(box(40, 0, 60, 20))
    pieces = layouts.pieces_of(waist, brief(clearance_m=2.0))
    assert [piece.part for piece in pieces] == [0, 0]
    assert all(piece.ground.contains(piece.flyable) for piece in pieces)


def test_a_spot_gets_a_pass_of_its_own() -> None:
    (piece,) = layouts.pieces_of(box(0, 0, 0.05, 0.05), brief())
    assert len(layouts.spot_layout(piece).paths) == 1
