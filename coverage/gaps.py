"""Passes over what the layout left dry: along the wall beside it, or down its middle.

Strips of one angle leave wedges along walls that they meet askew. Each wall with dry ground
beside it offers one straight pass; those that reach most ground per second are taken until enough
of the area is reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust
from skymist.coverage.tally import footprints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skymist.coverage.kinematics import Kinematics
    from skymist.coverage.layouts import Piece

    Floats = NDArray[np.float64]

LEAST_SHARE = 0.04  # of a swath squared: smaller dry spots are left
SHORTEST_M = 0.1


def _along_walls(dry: BaseGeometry, edges: Floats, width_m: float) -> list[Floats]:
    """Passes half a swath inside each wall, as long as the ground beside it is dry."""
    step = edges[:, 1] - edges[:, 0]
    length = np.hypot(step[:, 0], step[:, 1])
    edges, step, length = edges[length > 0.1 * width_m], step[length > 0.1 * width_m], length[
        length > 0.1 * width_m]
    if not len(edges):
        return []
    along = step / length[:, None]
    paths = []
    for side in (1.0, -1.0):
        inward = side * np.column_stack([-along[:, 1], along[:, 0]]) * width_m
        quads = shapely.polygons(
            np.stack([edges[:, 0], edges[:, 1], edges[:, 1] + inward, edges[:, 0] + inward], axis=1)
        )
        hits = shapely.intersection(quads, dry)
        for row in np.flatnonzero(shapely.area(hits) > LEAST_SHARE * width_m**2):
            reach = (shapely.get_coordinates(hits[row]) - edges[row, 0]) @ along[row]
            low, high = float(reach.min()), float(reach.max())
            if high - low < SHORTEST_M:
                continue
            start = edges[row, 0] + inward[row] / 2
            paths.append(np.stack([start + along[row] * low, start + along[row] * high]))
    return paths


def _down_middle(dry: BaseGeometry, width_m: float) -> list[Floats]:
    """A pass along the longer axis of each dry spot."""
    paths = []
    for spot in robust.polygons(dry, LEAST_SHARE * width_m**2):
        box = shapely.get_coordinates(spot.minimum_rotated_rectangle)
        if len(box) < 5:
            continue
        sides = np.hypot(*np.diff(box, axis=0).T)
        first = int(np.argmax(sides[:2]))
        a, b, c, d = (box[(first + k) % 4] for k in range(4))
        if sides[first] >= SHORTEST_M:
            paths.append(np.stack([(a + d) / 2, (b + c) / 2]))
    return paths


def _flyable(paths: list[Floats], flyable: BaseGeometry) -> list[Floats]:
    """The longest stretch of each pass on ground that may be flown."""
    if not paths:
        return []
    lines = shapely.linestrings(np.array(paths))
    kept = []
    for path, line, whole in zip(paths, lines, shapely.covers(flyable, lines), strict=True):
        if whole:
            kept.append(path)
            continue
        parts = shapely.get_parts(robust.intersection(line, flyable))
        parts = [part for part in parts if part.length >= SHORTEST_M]
        if parts:
            kept.append(shapely.get_coordinates(max(parts, key=lambda part: part.length))[[0, -1]])
    return kept


def gap_passes(
    dry: BaseGeometry,
    piece: Piece,
    *,
    wanted_m2: float,
    width_m: float,
    over_budget_m2: float,
    kinematics: Kinematics,
) -> list[Floats]:
    """Passes over dry ground, most ground per second first, until `wanted_m2` are reached."""
    paths = _along_walls(dry, piece.ground_edges, width_m) + _down_middle(dry, width_m)
    paths = _flyable(paths, piece.flyable)
    if not paths:
        return []
    strips = np.array(footprints(paths, width_m), dtype=object)
    left = shapely.intersection(strips, dry)
    gains = shapely.area(left)
    overs = shapely.area(shapely.difference(strips, piece.ground))
    lengths = np.array([float(np.hypot(*(path[1] - path[0]))) for path in paths])
    seconds = kinematics.run_s(lengths) + 2 * kinematics.stop_s
    chosen: list[Floats] = []
    while wanted_m2 > 0 and len(chosen) < len(paths):
        worth = np.where(overs <= np.minimum(over_budget_m2, gains + 1e-6), gains / seconds, 0.0)
        best = int(np.argmax(worth))
        if gains[best] < LEAST_SHARE * width_m**2 or worth[best] <= 0:
            break
        chosen.append(paths[best])
        wanted_m2 -= gains[best]
        over_budget_m2 -= overs[best]
        near = shapely.intersects(left, strips[best])
        left[near] = shapely.difference(left[near], strips[best])
        gains[near] = shapely.area(left[near])
        gains[best] = 0.0
    return chosen
