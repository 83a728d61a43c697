"""The local frame against pyproj's geodesic, and there and back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from skymist.coverage.errors import PlanError
from skymist.coverage.frames import Geo, Origin, heading_deg, to_e7

WGS84 = Geod(ellps="WGS84")
near = st.floats(-5000, 5000)
origins = st.builds(Origin, lat_deg=st.floats(-80, 80), lon_deg=st.floats(-179, 179))


@given(origins, near, near)
def test_there_and_back_is_the_identity(origin: Origin, x: float, y: float) -> None:
    there = origin.geo(x, y)
    back = origin.enu(there)
    # PROJ takes what lies within 1e-10 rad of the origin, 0.6 mm, for the origin.
    assert math.dist(back[:2], (x, y)) < 1e-3


@given(origins, near, near)
def test_distance_and_bearing_from_the_origin_are_the_geodesic_ones(
    origin: Origin, x: float, y: float
) -> None:
    there = origin.geo(x, y)
    azimuth_deg, _, distance_m = WGS84.inv(
        origin.lon_deg, origin.lat_deg, there.lon_deg, there.lat_deg
    )
    assert distance_m == pytest.approx(math.hypot(x, y), abs=1e-3)
    if math.hypot(x, y) > 1:
        turn = (azimuth_deg - heading_deg(x, y) + 180) % 360 - 180
        assert abs(turn) < 1e-3


@given(origins, st.lists(st.tuples(near, near), min_size=2, max_size=2))
def test_a_short_way_across_keeps_its_length(
    origin: Origin, places: list[tuple[float, float]]
) -> None:
    (x, y), _ = places
    a, b = origin.geo(x, y), origin.geo(x + 6, y + 8)
    _, _, distance_m = WGS84.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)
    assert distance_m == pytest.approx(10.0, abs=2e-3)


@given(st.floats(-90, 90))
def test_e7_is_the_nearest_step(angle_deg: float) -> None:
    assert abs(to_e7(angle_deg) - angle_deg * 1e7) <= 0.5


@pytest.mark.parametrize(("lat", "lon"), [(91, 0), (0, 181), (math.nan, 0), (0, math.nan)])
def test_a_place_off_the_globe_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(PlanError, match="must be"):
        Geo(lat_deg=lat, lon_deg=lon)
