"""Passes joined to one path."""

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from skymist.coverage.kinematics import Kinematics
from skymist.coverage.routes import Passes, Terrain, is_ring, routed
from skymist.coverage.transits import FreeSpace
from tests.coverage.areas import YARD

FLOWN = Kinematics()


def terrain(*grounds: Polygon, start: tuple[float, float] | None = None) -> Terrain:
    return Terrain(
        spaces=tuple(FreeSpace(ground, FLOWN) for ground in grounds),
        nested=np.zeros((len(grounds),) * 2, dtype=bool),
        start=None if start is None else np.array(start),
    )


def passes(*paths: list[tuple[float, float]], piece: list[int] | None = None) -> Passes:
    return Passes(
        paths=tuple(np.array(path, dtype=float) for path in paths),
        piece=np.array(piece or [0] * len(paths)),
    )


def test_passes_that_meet_need_no_way_between() -> None:
    legs, _ = routed(passes([(0, 0), (9, 0)], [(9, 0), (9, 9)]), terrain(box(0, 0, 9, 9)), FLOWN)
    assert [spraying for spraying, _ in legs] == [True, True]


def test_the_way_goes_round_a_hole() -> None:
    legs, _ = routed(passes([(2, 19), (10, 19)], [(40, 19), (48, 19)]), terrain(YARD), FLOWN)
    assert len(legs[1][1]) > 2


def test_a_ring_is_opened_near_its_neighbour() -> None:
    ring = [(0, 0), (20, 0), (20, 20), (0, 20), (0, 0)]
    legs, _ = routed(passes(ring, [(24, 20), (40, 20)]), terrain(box(0, 0, 40, 20)), FLOWN)
    ways = [path for spraying, path in legs if not spraying]
    assert is_ring(np.array(ring))
    assert np.hypot(*(ways[0][-1] - ways[0][0])) == pytest.approx(4)


def test_separate_pieces_are_joined_straight() -> None:
    legs, _ = routed(
        passes([(0, 1), (5, 1)], [(20, 1), (25, 1)], piece=[0, 1]),
        terrain(box(0, 0, 5, 2), box(20, 0, 25, 2)),
        FLOWN,
    )
    assert len(legs) == 3


def test_a_start_decides_which_end_comes_first() -> None:
    legs, _ = routed(
        passes([(0, 2), (40, 2)], [(0, 6), (40, 6)]),
        terrain(box(0, 0, 40, 8), start=(41, 7)),
        FLOWN,
    )
    assert legs[0][1][0] == pytest.approx([40, 6])
