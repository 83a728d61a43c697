"""Flying times against the closed form, and the laws of stops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.coverage.errors import PlanError
from skymist.coverage.kinematics import Kinematics, turn_rad

FLOWN = Kinematics()


def test_a_long_run_takes_its_length_and_one_stop() -> None:
    assert float(FLOWN.run_s(40.0)) == pytest.approx(40 / 4 + 4 / 1.5)


def test_a_short_run_never_reaches_full_speed() -> None:
    assert float(FLOWN.run_s(6.0)) == pytest.approx(2 * math.sqrt(6 / 1.5))


def test_a_sharp_turn_stops_and_a_flat_one_does_not() -> None:
    sharp = FLOWN.path_s([(0, 0), (50, 0), (50, 50)])
    flat = FLOWN.path_s([(0, 0), (50, 0), (99, 10)])
    assert sharp == pytest.approx(2 * float(FLOWN.run_s(50)))
    assert flat == pytest.approx(float(FLOWN.run_s(50 + math.hypot(49, 10))))


def test_points_in_one_place_take_no_time() -> None:
    assert FLOWN.path_s([(1, 1), (1, 1)]) == 0
    assert FLOWN.path_s([(0, 0), (0, 0), (9, 0)]) == pytest.approx(FLOWN.path_s([(0, 0), (9, 0)]))


@given(st.lists(st.tuples(st.floats(0, 99), st.floats(0, 99)), min_size=2, max_size=9))
def test_a_path_takes_as_long_backwards(points: list[tuple[float, float]]) -> None:
    assert FLOWN.path_s(points) == pytest.approx(FLOWN.path_s(points[::-1]), abs=1e-3, rel=1e-3)


def test_turns_are_measured_the_short_way() -> None:
    first, second = np.array([3.0, 0.1]), np.array([-3.0, -0.1])
    assert turn_rad(first, second) == pytest.approx([2 * math.pi - 6, 0.2])


@pytest.mark.parametrize("name", ["speed_mps", "accel_mps2", "stop_turn_rad"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_values_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(PlanError, match=name):
        Kinematics(**{name: value})
