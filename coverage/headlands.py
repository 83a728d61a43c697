"""Laps along walls: closed passes, side by side, each a swath further in.

A lap keeps half a swath from the wall, follows it round every corner, and leaves a smaller piece
of ground inside, free of skewed ends. What is left inside is filled by others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from skymist.coverage import robust

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHARP_RAD = math.radians(59)
SPIKE_SHARE = 0.75  # of a swath: how wide a sharp corner still is where a spike ends
SPIKE_LEAST = 0.25  # of a swath: shorter spikes are left out
EXACT_SHARE = 0.002
SMOOTH_SHARE = 0.04  # of the swath: how far a lap may cut a wiggle of the wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Laps:
    """Closed paths (first point = last) and the ground that they leave inside."""

    paths: tuple[Floats, ...]
    inside: Polygon | MultiPolygon
    reached_m2: float


def laps_along(
    ground: Polygon,
    *,
    count: int,
    width_m: float,
    clearance_m: float = 0.0,
    spikes: bool = False,
    exact: bool = False,
) -> Laps:
    """`count` laps inside the walls of a piece of ground, its holes included.

    With `spikes` the first lap runs out into sharp corners and back, with spray outside.
    """
    first_m = max(width_m / 2, clearance_m)
    paths: list[Floats] = []
    for lap in range(count):
        lap_m = first_m + lap * width_m
        line = robust.inset(ground, lap_m)
        for piece in robust.polygons(line):
            # A lap at the clearance itself must not cut a wiggle: it would come too near.
            cut_m = min((EXACT_SHARE if exact else SMOOTH_SHARE) * width_m, lap_m - clearance_m)
            smooth = piece.simplify(max(cut_m, 0.0))
            smooth = smooth if smooth.is_valid and not smooth.is_empty else piece
            for part in robust.polygons(smooth):
                oriented = shapely.orient_polygons(part)
                rings = [
                    shapely.get_coordinates(ring)
                    for ring in (oriented.exterior, *oriented.interiors)
                ]
                if lap == 0 and spikes:
                    rings = [_spiked(ring, ground, first_m, width_m) for ring in rings]
                paths.extend(rings)
    inside = robust.inset(ground, first_m + (count - 0.5) * width_m) if count else ground
    # Laps miss what no disc of half a swath reaches: ends narrower than a swath.
    roomy = robust.inset(robust.inset(ground, first_m), -width_m / 2)
    return Laps(
        paths=tuple(paths),
        inside=inside,
        reached_m2=max(min(roomy.area, ground.area) - inside.area, 0.0),
    )


def _spiked(ring: Floats, ground: Polygon, inset_m: float, width_m: float) -> Floats:
    """A lap, ground on its left, that runs out into corners too sharp for a round bend.

    The spike ends where the corner is `SPIKE_SHARE` of a swath wide. Both its turns onto the lap
    are half the corner's angle, below 30 degrees and so no stop; the turn at its tip replaces the
    one in the lap.
    """
    points = ring[:-1]
    before, after = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
    before /= np.maximum(np.hypot(*before.T), 1e-9)[:, None]
    after /= np.maximum(np.hypot(*after.T), 1e-9)[:, None]
    convex = after[:, 0] * before[:, 1] - after[:, 1] * before[:, 0] > 0
    corner_rad = np.arccos(np.clip((before * after).sum(axis=1), -1, 1))
    rows: list[Floats] = []
    for point, back, on, sharp, angle in zip(
        points, before, after, convex, corner_rad, strict=True
    ):
        rows.append(point)
        if sharp and 0.1 < angle < SHARP_RAD:
            half = angle / 2
            reach_m = inset_m / np.sin(half) - SPIKE_SHARE * width_m / (2 * np.tan(half))
            tip = point - (back + on) / np.hypot(*(back + on)) * reach_m
            if reach_m > SPIKE_LEAST * width_m and ground.covers(shapely.LineString([point, tip])):
                rows += [tip, point]
    return np.array([*rows, rows[0]])
