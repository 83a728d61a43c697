from __future__ import annotations

import pytest

from skymist.sitl.truth import Truth
from tests.sitl.ground import GRID


def walk(*flows: float) -> Truth:
    truth = Truth(GRID)
    pumped = 0.0
    for i, flow in enumerate(flows):
        truth.add(float(i), (i * 2.0, 0.0, 5.0), flow, pumped, 10 - pumped, 3, True)
        pumped += flow
    return truth


def test_stretches_run_from_the_first_wet_sample_to_the_first_dry_one() -> None:
    wet = walk(0, 1, 1, 0, 0, 0.5, 0).wet_track()
    assert [(s.began_s, s.ended_s, s.length_m, s.litres_l) for s in wet] == [
        (1, 3, 4, 2),
        (5, 6, 2, 0.5),
    ]


def test_a_stretch_still_open_counts() -> None:
    assert [s.length_m for s in walk(0, 1, 1).wet_track()] == [2]
    assert walk(0, 0).wet_track() == ()


def test_places_agree_in_both_frames() -> None:
    sample = walk(0, 0, 1)[-1]
    assert GRID.to_xy(sample.lat_deg * 1e7, sample.lon_deg * 1e7) == pytest.approx((4, 0), abs=0.02)
    assert sample.is_armed
    with pytest.raises(IndexError):
        walk(0)[5]


def test_standing_still_is_kept_once() -> None:
    truth = Truth(GRID)
    for t in range(100):
        truth.add(float(t), (0, 0, 0), 0, 0, 16, 0, False)
    assert len(truth) == 1


def test_the_grid_is_wgs84() -> None:
    from skymist.coverage.frames import Origin

    origin = Origin(lat_deg=60.17, lon_deg=24.94)
    for x, y in ((300, 0), (0, 300), (-200, 150)):
        place = origin.geo(x, y)
        assert GRID.to_xy(place.lat_deg * 1e7, place.lon_deg * 1e7) == pytest.approx(
            (x, y), abs=0.03
        )
