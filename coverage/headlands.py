"""Laps along walls: closed passes, side by side, each a swath further in.

A lap keeps half a swath from the wall, follows it round every corner, and leaves a smaller piece
of ground inside, free of skewed ends. What is left inside is filled by others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from skymist.coverage import robust

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SMOOTH_SHARE = 0.04  # of the swath: how far a lap may cut a wiggle of the wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Laps:
    """Closed paths (first point = last) and the ground that they leave inside."""

    paths: tuple[Floats, ...]
    inside: Polygon | MultiPolygon
    reached_m2: float


def laps_along(
    ground: Polygon, *, count: int, width_m: float, clearance_m: float = 0.0
) -> Laps:
    """`count` laps inside the walls of a piece of ground, its holes included."""
    first_m = max(width_m / 2, clearance_m)
    paths: list[Floats] = []
    for lap in range(count):
        line = robust.inset(ground, first_m + lap * width_m)
        for piece in robust.polygons(line):
            smooth = piece.simplify(SMOOTH_SHARE * width_m)
            smooth = smooth if smooth.is_valid and not smooth.is_empty else piece
            for part in robust.polygons(smooth):
                rings = (part.exterior, *part.interiors)
                paths.extend(shapely.get_coordinates(ring) for ring in rings)
    inside = robust.inset(ground, first_m + (count - 0.5) * width_m) if count else ground
    # Laps miss what no disc of half a swath reaches: ends narrower than a swath.
    roomy = robust.inset(robust.inset(ground, first_m), -width_m / 2)
    return Laps(
        paths=tuple(paths),
        inside=inside,
        reached_m2=max(min(roomy.area, ground.area) - inside.area, 0.0),
    )
