"""Centre lines of alleys."""

import numpy as np
import pytest
from hypothesis import given, settings
from shapely.geometry import LineString, Polygon, box

from skymist.coverage.corridors import centre_lines, is_narrow
from tests.coverage.areas import ALLEY, polygons


def test_an_alley_is_narrow_and_a_yard_is_not() -> None:
    assert is_narrow(ALLEY, 4.0)
    assert not is_narrow(box(0, 0, 20, 20), 4.0)


def test_a_straight_alley_gets_one_line_from_end_to_end() -> None:
    (line,) = centre_lines(box(0, 0, 50, 3), box(0, 0, 50, 3), 4.0)
    assert line[:, 1] == pytest.approx(np.full(len(line), 1.5), abs=0.2)
    assert sorted((line[0, 0], line[-1, 0])) == pytest.approx([0, 50], abs=0.05)


def test_a_t_junction_gets_three_lines_or_fewer() -> None:
    lines = centre_lines(ALLEY, ALLEY, 4.0)
    assert 1 <= len(lines) <= 3
    wet = LineString(lines[0]).buffer(2)
    for line in lines[1:]:
        wet = wet.union(LineString(line).buffer(2))
    assert wet.intersection(ALLEY).area > 0.97 * ALLEY.area


def test_a_ring_is_gone_round() -> None:
    ring = box(0, 0, 30, 30).difference(box(3, 3, 27, 27))
    lines = centre_lines(ring, ring, 4.0)
    assert sum(LineString(line).length for line in lines) == pytest.approx(4 * 27, rel=0.05)


@settings(max_examples=25, deadline=None)
@given(polygons())
def test_lines_stay_on_the_ground_and_never_loop_for_ever(area: Polygon) -> None:
    roomy = area.buffer(1e-6)
    for line in centre_lines(area, area, 6.0):
        assert len(line) >= 2
        assert roomy.covers(LineString(line))
