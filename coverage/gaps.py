"""Passes over what the layout left dry: along the wall beside it, or down its middle.

Strips of one angle leave wedges along walls that they meet askew. Each wall with dry ground
beside it offers one straight pass; those that reach most ground per second are taken until enough
of the area is reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust, swaths
from skymist.coverage.tally import footprints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skymist.coverage.kinematics import Kinematics
    from skymist.coverage.layouts import Piece

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

SHORTEST_M = swaths.SHORTEST_M
SHARP_RAD = 0.6  # half the angle of corners worth passes across
CORNER_SHARES = (0.25, 0.5, 0.75, 1.0)  # of a swath: how far from the corner they begin


def _shared(shapes: robust.Shapes, spots: robust.Shapes) -> tuple[robust.Shapes, Ints]:
    """What each shape shares with each dry spot, and the number of the shape."""
    shape, spot = shapely.STRtree(spots).query(shapes, predicate="intersects")
    shared = robust.each_intersection(shapes[shape], spots[spot])
    areal = np.flatnonzero(shapely.area(shared) > 0)
    return shared[areal], shape[areal]


def _along_walls(
    spots: robust.Shapes, edges: Floats, width_m: float, least_m2: float
) -> list[Floats]:
    """Passes half a swath inside each wall, as long as the ground beside it is dry."""
    step = edges[:, 1] - edges[:, 0]
    length = np.hypot(step[:, 0], step[:, 1])
    long = length > 0.1 * width_m
    edges, along = edges[long], step[long] / length[long, None]
    paths: list[Floats] = []
    for side in (1.0, -1.0):
        inward = side * np.column_stack([-along[:, 1], along[:, 0]]) * width_m
        corners = [edges[:, 0], edges[:, 1], edges[:, 1] + inward, edges[:, 0] + inward]
        quads = np.asarray(shapely.polygons(np.stack(corners, axis=1)))
        hits, wall = _shared(quads, spots)
        large = np.bincount(wall, shapely.area(hits), len(edges)) > least_m2
        points, hit = shapely.get_coordinates(hits, return_index=True)
        mine = wall[hit]
        reach = ((points - edges[mine, 0]) * along[mine]).sum(axis=1)
        low, high = np.full(len(edges), np.inf), np.full(len(edges), -np.inf)
        np.minimum.at(low, mine, reach)
        np.maximum.at(high, mine, reach)
        for row in np.flatnonzero(large & (high - low >= SHORTEST_M)):
            start = edges[row, 0] + inward[row] / 2
            paths.append(np.stack([start + along[row] * low[row], start + along[row] * high[row]]))
    return paths


def _down_middle(spots: robust.Shapes, least_m2: float) -> list[Floats]:
    """A pass along the longer axis of each dry spot."""
    paths = []
    for spot in spots[shapely.area(spots) > least_m2]:
        box = shapely.get_coordinates(spot.minimum_rotated_rectangle)
        if len(box) < 5:
            continue
        sides = np.hypot(*np.diff(box, axis=0).T)
        first = int(np.argmax(sides[:2]))
        a, b, c, d = (box[(first + k) % 4] for k in range(4))
        if sides[first] >= SHORTEST_M:
            paths.append(np.stack([(a + d) / 2, (b + c) / 2]))
    return paths


def _into_corners(ground: Polygon, width_m: float) -> list[Floats]:
    """Short passes across sharp corners, their width along the corner."""
    paths = []
    points = shapely.get_coordinates(shapely.orient_polygons(ground).exterior)[:-1]
    back, on = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
    back /= np.maximum(np.hypot(*back.T), 1e-9)[:, None]
    on /= np.maximum(np.hypot(*on.T), 1e-9)[:, None]
    half = np.arccos(np.clip((back * on).sum(axis=1), -1, 1)) / 2
    convex = on[:, 0] * back[:, 1] - on[:, 1] * back[:, 0] > 0
    for row in np.flatnonzero(convex & (half > 0.05) & (half < SHARP_RAD)):
        inward = back[row] + on[row]
        inward /= np.hypot(*inward)
        for share in CORNER_SHARES:
            side = np.array([-inward[1], inward[0]]) * share * width_m * np.tan(half[row])
            middle = points[row] + inward * (share + 0.5) * width_m
            paths.append(np.stack([middle - side, middle + side]))
    return [path for path in paths if np.hypot(*(path[1] - path[0])) >= SHORTEST_M]


def _flyable(paths: list[Floats], flyable: BaseGeometry) -> list[Floats]:
    """The longest stretch of each pass on ground that may be flown."""
    if not paths:
        return []
    lines = np.asarray(shapely.linestrings(np.array(paths)))
    shapely.prepare(flyable)
    whole = np.asarray(shapely.covers(flyable, lines), dtype=bool)
    cut = robust.each_intersection(lines[~whole], flyable)
    kept = [path for path, inside in zip(paths, whole, strict=True) if inside]
    for stretches in cut:
        longest = max(shapely.get_parts(stretches), key=lambda part: part.length, default=None)
        if longest is not None and longest.length >= SHORTEST_M:
            kept.append(shapely.get_coordinates(longest)[[0, -1]])
    return kept


def _contained(paths: list[Floats], edges: Floats, width_m: float) -> list[Floats]:
    """The longest stretch of each pass whose full width lies on the ground."""
    kept = []
    for path in paths:
        step = path[1] - path[0]
        angle = float(np.arctan2(step[1], step[0]))
        near, along = swaths.turned(edges, -angle), swaths.turned(path, -angle)
        level = along[:1, 1]
        run = np.array([[along[0, 0], along[1, 0], 0.0, 0.0]])
        found = swaths.kept_inside(run, near, level, width_m)
        found = found[found[:, 1] - found[:, 0] > SHORTEST_M]
        if len(found):
            best = found[np.argmax(found[:, 1] - found[:, 0])]
            ends = np.array([[best[0], level[0]], [best[1], level[0]]])
            kept.append(swaths.turned(ends, angle))
    return kept


def gap_passes(
    dry: BaseGeometry,
    piece: Piece,
    *,
    wanted_m2: float,
    width_m: float,
    least_m2: float,
    over_budget_m2: float | None,
    kinematics: Kinematics,
) -> list[Floats]:
    """Passes over dry ground, most ground per second first, until `wanted_m2` are reached.

    Dry spots below `least_m2` are left. Without `over_budget_m2` no pass sprays outside at all.
    """
    spots = np.array(robust.polygons(dry), dtype=object)
    paths = _along_walls(spots, piece.ground_edges, width_m, least_m2)
    paths = _flyable(paths + _down_middle(spots, least_m2), piece.flyable)
    if over_budget_m2 is None:
        paths += _flyable(_into_corners(piece.ground, width_m), piece.flyable)
        paths = _contained(paths, piece.ground_edges, width_m)
        over_budget_m2 = np.inf
    if not paths:
        return []
    strips = np.array(footprints(paths, width_m), dtype=object)
    overs = np.asarray(shapely.area(robust.each_difference(strips, piece.ground)))
    lengths = np.array([float(np.hypot(*(path[1] - path[0]))) for path in paths])
    seconds = kinematics.run_s(lengths) + 2 * kinematics.stop_s
    order = _worth_most(strips, spots, overs, seconds, wanted_m2, over_budget_m2, least_m2)
    return [paths[number] for number in order]


def _worth_most(
    strips: robust.Shapes,
    spots: robust.Shapes,
    overs: Floats,
    seconds: Floats,
    wanted_m2: float,
    over_budget_m2: float,
    least_m2: float,
) -> list[int]:
    """Numbers of strips, each worth most when taken, counting ground only once."""
    left, owner = _shared(strips, spots)
    gains = np.bincount(owner, shapely.area(left), len(strips))
    chosen: list[int] = []
    while wanted_m2 > 0 and len(chosen) < len(strips):
        worth = np.where(overs <= np.minimum(over_budget_m2, gains + 1e-6), gains / seconds, 0.0)
        best = int(np.argmax(worth))
        if gains[best] < least_m2 or worth[best] <= 0:
            break
        chosen.append(best)
        wanted_m2 -= gains[best]
        over_budget_m2 -= overs[best]
        near = np.flatnonzero(shapely.intersects(left, strips[best]))
        left[near] = robust.each_difference(left[near], strips[best])
        gains = np.bincount(owner, shapely.area(left), len(strips))
        gains[chosen] = 0.0
    return chosen
