"""Passes over dry ground."""

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from skymist.coverage.gaps import gap_passes
from skymist.coverage.kinematics import Kinematics
from skymist.coverage.layouts import Piece
from skymist.coverage.tally import footprints

GROUND = box(0, 0, 40, 20)
PIECE = Piece.of(0, GROUND, GROUND)


def passes(dry: Polygon, wanted_m2: float = 1e9, over_m2: float | None = 5.0, piece: Piece = PIECE):
    return gap_passes(
        dry,
        piece,
        wanted_m2=wanted_m2,
        width_m=4.0,
        least_m2=0.1,
        over_budget_m2=over_m2,
        kinematics=Kinematics(),
    )


def test_a_wedge_along_a_wall_gets_one_pass_beside_it() -> None:
    (path,) = passes(Polygon([(0, 0), (40, 0), (0, 1.5)]))
    assert path[:, 1] == pytest.approx([2, 2])
    assert np.hypot(*(path[1] - path[0])) == pytest.approx(40)


def test_no_more_is_flown_than_wanted() -> None:
    dry = box(0, 0, 10, 1).union(box(0, 19, 30, 20))
    assert len(passes(dry, wanted_m2=5)) == 1
    assert len(passes(dry)) == 2


def test_specks_are_left() -> None:
    assert passes(box(0, 0, 0.2, 0.2)) == []


def test_exact_passes_spray_nothing_outside() -> None:
    wedge = Polygon([(0, 0), (30, -5), (30, 5)])
    piece = Piece.of(0, wedge, wedge)
    found = passes(wedge, over_m2=None, piece=piece)
    assert found
    for strip in footprints(found, 4.0):
        assert strip.difference(wedge).area < 1e-4
