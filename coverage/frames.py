"""Frames: WGS84 on one side, metres east, north and up of an origin on the other.

All planning happens in the local frame. Only this module converts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pyproj import Transformer

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Enu(NamedTuple):
    """Metres east and north of the mission's origin, and above its home level."""

    x: float
    y: float
    z: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Geo:
    """A place on WGS84, in degrees; latitude -90 to 90, longitude -180 to 180."""

    lat_deg: float
    lon_deg: float

    def __post_init__(self) -> None:
        if not -90 <= self.lat_deg <= 90:
            raise PlanError(f"lat_deg must be -90 to 90, got {self.lat_deg}")
        if not -180 <= self.lon_deg <= 180:
            raise PlanError(f"lon_deg must be -180 to 180, got {self.lon_deg}")


@lru_cache(maxsize=64)
def _projection(lat_deg: float, lon_deg: float) -> Transformer:
    local = f"+proj=aeqd +lat_0={lat_deg!r} +lon_0={lon_deg!r} +datum=WGS84 +units=m"
    return Transformer.from_crs("EPSG:4326", local, always_xy=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the local frame stands: an azimuthal equidistant projection of WGS84.

    Distances and bearings from the origin are exact; 5 km away a distance across is off
    by less than 1 mm in 10 m. `amsl_m` is the height of home level above mean sea.
    """

    lat_deg: float
    lon_deg: float
    amsl_m: float = 0.0

    def __post_init__(self) -> None:
        Geo(lat_deg=self.lat_deg, lon_deg=self.lon_deg)
        if not math.isfinite(self.amsl_m):
            raise PlanError(f"amsl_m must be a finite height, got {self.amsl_m}")

    def to_local(self, lon_lat_deg: ArrayLike) -> NDArray[np.float64]:
        """Metres east and north, shape (n, 2), of longitudes and latitudes, shape (n, 2)."""
        points = np.asarray(lon_lat_deg, dtype=float).reshape(-1, 2)
        x, y = _projection(self.lat_deg, self.lon_deg).transform(points[:, 0], points[:, 1])
        return np.column_stack([x, y])

    def to_geo(self, xy_m: ArrayLike) -> NDArray[np.float64]:
        """Longitudes and latitudes in degrees, shape (n, 2), of local metres, shape (n, 2)."""
        points = np.asarray(xy_m, dtype=float).reshape(-1, 2)
        lon, lat = _projection(self.lat_deg, self.lon_deg).transform(
            points[:, 0], points[:, 1], direction="INVERSE"
        )
        return np.column_stack([lon, lat])

    def geo(self, x: float, y: float) -> Geo:
        """The place on WGS84 that lies `x` metres east and `y` metres north."""
        lon_deg, lat_deg = self.to_geo([(x, y)])[0]
        return Geo(lat_deg=float(lat_deg), lon_deg=float(lon_deg))

    def enu(self, place: Geo, above_home_m: float = 0.0) -> Enu:
        """The local position of a place on WGS84."""
        x, y = self.to_local([(place.lon_deg, place.lat_deg)])[0]
        return Enu(float(x), float(y), above_home_m)


def to_e7(angle_deg: float) -> int:
    """Degrees as MAVLink's 1e-7 degrees, rounded (truncation is one step off for 6 %)."""
    return round(angle_deg * 1e7)


def heading_deg(dx: float, dy: float) -> float:
    """Degrees right of north, 0 to below 360, of a step east and north."""
    return math.degrees(math.atan2(dx, dy)) % 360.0
