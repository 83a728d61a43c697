"""What no plan can do better."""

import pytest
from shapely.geometry import box

from skymist.coverage.bounds import containable_frac


def test_roomy_ground_is_all_in_reach() -> None:
    assert containable_frac(box(0, 0, 20, 20), 4.0, num_points=400) == pytest.approx(1)


def test_a_spot_smaller_than_a_swath_is_out_of_reach() -> None:
    assert containable_frac(box(0, 0, 2, 2), 4.0, num_points=400) == 0


def test_an_alley_narrower_than_a_swath_is_in_reach_across() -> None:
    assert containable_frac(box(0, 0, 30, 3.6), 4.0, num_points=400) == pytest.approx(1)
