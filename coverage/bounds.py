"""What geometry allows: how much of an area passes can reach without spray outside.

A point can be reached so only if a strip's full width, laid through it in some direction, lies on
the area. This needs no plan, and no plan can beat it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust, swaths

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUM_POINTS, NUM_ANGLES = 4000, 90


def containable_frac(area: BaseGeometry, width_m: float, *, num_points: int = NUM_POINTS) -> float:
    """The share of an area that strips of a width reach without spray outside, at most.

    Measured on a grid of about `num_points` points and 2 degree steps of direction: good to
    about 1 / sqrt(num_points).
    """
    step_m = math.sqrt(area.area / num_points)
    west, south, east, north = area.bounds
    x, y = np.meshgrid(
        np.arange(west + step_m / 3, east, step_m), np.arange(south + step_m / 3, north, step_m)
    )
    shapely.prepare(area)
    inside = np.asarray(shapely.contains_xy(area, x.ravel(), y.ravel()), dtype=bool)
    points = np.column_stack([x.ravel(), y.ravel()])[inside]
    if not len(points):
        return 0.0
    edges = robust.edges_of(area)
    reached = np.zeros(len(points), dtype=bool)
    for angle in np.arange(NUM_ANGLES) * math.pi / NUM_ANGLES:
        reached[~reached] = _on_long_chord(points[~reached], edges, float(angle), width_m)
        if reached.all():
            break
    return float(reached.mean())


def _on_long_chord(
    points: NDArray[np.float64], edges: NDArray[np.float64], angle_rad: float, width_m: float
) -> NDArray[np.bool_]:
    """Whether the chord through each point, in a direction, is at least as long as the width."""
    turned = swaths.turned(points, -angle_rad)
    order = np.argsort(turned[:, 1], kind="stable")
    levels = turned[order, 1]
    x, line = swaths.crossings(swaths.turned(edges, -angle_rad), levels)
    enter, leave, row = x[0::2], x[1::2], line[0::2]
    at = turned[order[row], 0]
    found = np.zeros(len(points), dtype=bool)
    found[order[row[(enter <= at) & (at <= leave) & (leave - enter >= width_m * (1 - 1e-9))]]] = (
        True
    )
    return found
