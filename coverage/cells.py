"""Exact cells: a piece of ground cut along the extensions of its walls at corners that point in.

Every cut runs from such a corner, in the direction of one of its two walls, to the next wall or
hole; of the two cuts the shorter is taken. Cells tile the ground, have few corners that point in
(none, where no cut was dropped) and may each be flown at an angle of their own. Which cells are
merged again is decided by what flying them is predicted to take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import shapely
from shapely.geometry import Polygon

from skymist.coverage import robust

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Value = TypeVar("Value")

WIGGLE_SHARE = 0.12  # of the swath: corners of wiggles below this are not cut
MOST_CUTS = 150
OVERRUN_M = 1e-4
LEAST_TURN = 0.09  # sine of the corner's turn; flatter corners are not cut


def cells_of(ground: Polygon, width_m: float, most_cuts: int = MOST_CUTS) -> list[Polygon]:
    """The cells of a piece of ground, tiling it but for slivers; the piece itself if uncut.

    Ground that needs more than `most_cuts` is not cut.
    """
    smooth = ground.simplify(WIGGLE_SHARE * width_m)
    if not isinstance(smooth, Polygon) or not smooth.is_valid or smooth.is_empty:
        smooth = ground
    cuts = _cuts(smooth)
    if not len(cuts) or len(cuts) > most_cuts:
        return [ground]
    walls = [shapely.LineString(ring) for ring in (ground.exterior, *ground.interiors)]
    # Cuts start and end a little beyond the walls, so that rounding leaves no gap.
    net = robust.union([*walls, *map(shapely.LineString, cuts)])
    found = [
        cell
        for cell in shapely.get_parts(shapely.polygonize([*shapely.get_parts(net)]))
        if cell.area > 1e-6 * width_m**2 and ground.contains(cell.representative_point())
    ]
    return found if found else [ground]


def _cuts(ground: Polygon) -> Floats:
    """One cut per corner that points in, rows of two points."""
    edges = robust.edges_of(ground)
    corners, rays = _rays(ground)
    if not len(corners):
        return np.zeros((0, 2, 2))
    best = np.full(len(corners), np.inf)
    chosen = np.zeros((len(corners), 2))
    for ray in rays:
        reach = _reach(corners, ray, edges)
        better = reach < best
        best[better], chosen[better] = reach[better], ray[better]
    met = np.isfinite(best)
    corners, chosen, best = corners[met], chosen[met], best[met]
    ends = corners + chosen * (best + OVERRUN_M)[:, None]
    cuts: Floats = np.stack([corners - chosen * OVERRUN_M, ends], axis=1)
    return cuts


def _rays(ground: Polygon) -> tuple[Floats, tuple[Floats, Floats]]:
    """Corners that point in, and the directions of both walls on past each."""
    places, onward, backward = [], [], []
    oriented = shapely.orient_polygons(ground)
    for ring in (oriented.exterior, *oriented.interiors):
        points = shapely.get_coordinates(ring)[:-1]
        before = points - np.roll(points, 1, axis=0)
        before /= np.maximum(np.hypot(*before.T), 1e-12)[:, None]
        after = np.roll(before, -1, axis=0)
        inwards = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0] < -LEAST_TURN
        places.append(points[inwards])
        onward.append(before[inwards])
        backward.append(-after[inwards])
    return np.concatenate(places), (np.concatenate(onward), np.concatenate(backward))


def _reach(corners: Floats, rays: Floats, edges: Floats) -> Floats:
    """How far each ray runs from its corner to the next wall, m."""
    start, step = edges[None, :, 0], edges[None, :, 1] - edges[None, :, 0]
    gap = start - corners[:, None]
    across = rays[:, None, 0] * step[..., 1] - rays[:, None, 1] * step[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = (gap[..., 0] * step[..., 1] - gap[..., 1] * step[..., 0]) / across
        share = (gap[..., 0] * rays[:, None, 1] - gap[..., 1] * rays[:, None, 0]) / across
        hits = (along > 1e-6) & (share >= -1e-9) & (share <= 1 + 1e-9)
    reach: Floats = np.where(hits, along, np.inf).min(axis=1)
    return reach


def merged(
    cells: list[Polygon],
    value_of: Callable[[Polygon], Value],
    cost_of: Callable[[Value], float],
) -> list[Value]:
    """A value for each cell, after merging neighbours while that lowers the summed cost."""
    values = [value_of(cell) for cell in cells]
    first, second = shapely.STRtree(cells).query(cells, predicate="intersects")
    pairs = [(int(a), int(b)) for a, b in zip(first, second, strict=True) if a < b]
    shared = shapely.length(
        shapely.intersection(
            np.array([cells[a].boundary for a, _ in pairs], dtype=object),
            np.array([cells[b].boundary for _, b in pairs], dtype=object),
        )
    )
    alive: list[Polygon | None] = list(cells)
    name = list(range(len(cells)))
    for number in np.argsort(-shared, kind="stable"):
        a, b = (_root(name, cell) for cell in pairs[number])
        one, other = alive[a], alive[b]
        if shared[number] <= 0 or a == b or one is None or other is None:
            continue
        both = robust.union([one, other])
        if not isinstance(both, Polygon):
            continue
        value = value_of(both)
        if cost_of(value) < cost_of(values[a]) + cost_of(values[b]):
            alive[a], alive[b], values[a], name[b] = both, None, value, a
    return [value for value, cell in zip(values, alive, strict=True) if cell is not None]


def _root(name: list[int], cell: int) -> int:
    while name[cell] != cell:
        cell = name[cell]
    return cell
