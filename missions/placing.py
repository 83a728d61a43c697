"""Where a site lies on Earth: the origin, what lies too far from the rest, metres at last.

Finds swapped latitude and longitude, projected coordinates and strays; then takes all shapes into
the local frame in one step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import shapely
from numpy.typing import NDArray

from skymist.coverage.frames import Origin
from skymist.missions.errors import Fault
from skymist.missions.features import Feature
from skymist.missions.shapes import BadShape, require_usable

SITE_MAX_M = 30_000.0
"""Farther than this from most of the site is taken for a mistake. [P]"""

GRID_M = 0.001
"""Local coordinates are rounded to the millimetre, as `plan.json` keeps them."""

_M_PER_DEG = 111_195.0  # mean Earth radius 6371 km; only to tell near from far
_SAMPLES = 200
_SWAPPED = "latitude and longitude look swapped: longitude comes first"
_PROJECTED = "looks like metres of a projected CRS: name it with crs: EPSG:..."

Bounds = NDArray[np.float64]


def _apart_m(lon_lat: NDArray[np.float64], lon_deg: float, lat_deg: float) -> NDArray[np.float64]:
    """Rough distances of places, shape (n, 2), from one place."""
    east = (lon_lat[:, 0] - lon_deg + 180) % 360 - 180
    north = lon_lat[:, 1] - lat_deg
    return np.hypot(east * math.cos(math.radians(lat_deg)), north) * _M_PER_DEG


def _middles(bounds: Bounds) -> NDArray[np.float64]:
    return (bounds[:, :2] + bounds[:, 2:]) / 2


def busiest_place(lon_lat: NDArray[np.float64]) -> tuple[float, float]:
    """Of some of the places, the one with the most others near it."""
    step = max(1, len(lon_lat) // _SAMPLES)
    best, most = lon_lat[0], -1
    for lon_deg, lat_deg in lon_lat[::step]:
        num_near = int((_apart_m(lon_lat, lon_deg, lat_deg) <= SITE_MAX_M).sum())
        if num_near > most:
            best, most = np.array([lon_deg, lat_deg]), num_near
    return float(best[0]), float(best[1])


def _off_earth(bounds: Bounds) -> NDArray[np.bool_]:
    lon, lat = np.abs(bounds[:, ::2]).max(axis=1), np.abs(bounds[:, 1::2]).max(axis=1)
    result: NDArray[np.bool_] = (lon > 180) | (lat > 90)
    return result


def _place_text(lon_lat: NDArray[np.float64]) -> str:
    return f"[{lon_lat[0]:.7g}, {lon_lat[1]:.7g}]"


def _reasons(bounds: Bounds) -> list[tuple[str, str] | None]:
    """For each shape None, or what was wanted and a hint."""
    off, middles = _off_earth(bounds), _middles(bounds)
    reasons: list[tuple[str, str] | None] = [None] * len(bounds)
    wanted = "longitude -180 to 180, latitude -90 to 90"
    for index in np.flatnonzero(off):
        is_swapped = not _off_earth(bounds[[index]][:, [1, 0, 3, 2]])[0]
        reasons[index] = (wanted, _SWAPPED if is_swapped else _PROJECTED)
    there = np.flatnonzero(~off)
    if not len(there):
        return reasons
    lon_deg, lat_deg = busiest_place(middles[there])
    wanted = f"within {SITE_MAX_M / 1000:.0f} km of most of the site [{lon_deg:.5g}, {lat_deg:.5g}]"
    far = np.maximum(
        _apart_m(bounds[there, :2], lon_deg, lat_deg), _apart_m(bounds[there, 2:], lon_deg, lat_deg)
    )
    swapped = _apart_m(middles[there][:, ::-1], lon_deg, lat_deg)
    for index, apart, apart_swapped in zip(there, far, swapped, strict=True):
        if apart > SITE_MAX_M:
            hint = _SWAPPED if apart_swapped <= SITE_MAX_M else "is it of another place?"
            reasons[index] = (wanted, hint)
    return reasons


def misplaced(features: Sequence[Feature]) -> tuple[list[Feature], list[Fault]]:
    """The features that lie with the rest, and a fault for each other one or whole layer."""
    if not features:
        return [], []
    bounds = shapely.bounds(np.array([feature.shape for feature in features], dtype=object))
    middles, reasons = _middles(bounds), _reasons(bounds)
    kept: list[Feature] = []
    faults: list[Fault] = []
    for _, group in groupby(range(len(features)), key=lambda i: features[i].source):
        members = list(group)
        wrong = [i for i in members if reasons[i]]
        kept.extend(features[i] for i in members if not reasons[i])
        is_whole = len(wrong) > 1 and len(wrong) == len(members)
        for i in wrong[:1] if is_whole else wrong:
            wanted, hint = reasons[i] or ("", "")
            fault = features[i].fault("geometry", wanted, _place_text(middles[i]), hint)
            if is_whole:
                found = f"{fault.found} and {len(wrong) - 1} more: the whole layer"
                fault = replace(fault, found=found)
            faults.append(fault)
    return kept, faults


def origin_trouble(origin: Origin, features: Sequence[Feature]) -> tuple[str, str, str] | None:
    """What was wanted of the origin, found, and a hint, where the site lies elsewhere."""
    if not features:
        return None
    middles = _middles(shapely.bounds(np.array([f.shape for f in features], dtype=object)))
    apart = _apart_m(middles, origin.lon_deg, origin.lat_deg).min()
    if apart <= SITE_MAX_M:
        return None
    back = _apart_m(middles, origin.lat_deg, origin.lon_deg).min()
    found = (
        f"lat_deg {origin.lat_deg:.6g}, lon_deg {origin.lon_deg:.6g}: {apart / 1000:.0f} km away"
    )
    hint = "latitude and longitude look swapped" if back <= SITE_MAX_M else "it may be left out"
    return f"within {SITE_MAX_M / 1000:.0f} km of the site", found, hint


def middle_of(features: Sequence[Feature]) -> Origin:
    """An origin in the middle of the bounds, rounded to about a decimetre."""
    west, south, east, north = shapely.total_bounds([feature.shape for feature in features])
    return Origin(
        lat_deg=round(float(south + north) / 2, 6), lon_deg=round(float(west + east) / 2, 6)
    )


def to_local(features: Sequence[Feature], origin: Origin) -> tuple[list[Feature], list[Fault]]:
    """The features in local metres, to the millimetre; those that vanish, as faults."""
    if not features:
        return [], []
    shapes = np.array([feature.shape for feature in features], dtype=object)
    points = np.round(origin.to_local(shapely.get_coordinates(shapes)) / GRID_M) * GRID_M
    moved = shapely.set_coordinates(shapes, np.round(points, 3) + 0.0)
    kept: list[Feature] = []
    faults: list[Fault] = []
    for feature, shape in zip(features, moved, strict=True):
        try:
            require_usable(shape, feature.role)
        except BadShape as exc:
            wanted = f"{exc.wanted}, seen to the millimetre"
            faults.append(feature.fault("geometry", wanted, exc.found, exc.hint))
            continue
        kept.append(feature.with_shape(shape))
    return kept, faults
