"""Transits with the pump off: straight where free, else over the roofs, else around towers.

These are ways in the open air of the whole site; `coverage.transits` finds those inside one area.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString, MultiPoint

from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Transit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.obstacles import Obstacles

    Floats = NDArray[np.float64]

XY = tuple[float, float]
XYZ = tuple[float, float, float]
NEAR_M = 12.0
"""Gaps up to here are flown at spray height if free: a climb would take longer."""
HULLS_MOST = 6
SLOPE_MIN_M = 2.0
"""Shorter slopes are flown upright."""
DETOUR_MOST = 1.15
"""Ways around hulls are taken up to here times the straight way. Proposal of this project."""


class Airways:
    """Ways between points that keep clear of buildings and below the ceiling."""

    def __init__(
        self,
        obstacles: Obstacles,
        *,
        ceiling_m: float,
        level_m: float,
        speed_mps: float,
        climb_mps: float = math.inf,
        descent_mps: float = math.inf,
    ) -> None:
        self._obstacles = obstacles
        self._up, self._down = speed_mps / climb_mps, speed_mps / descent_mps
        self._ceiling_m = ceiling_m
        self._speed_mps = speed_mps
        self._level_m = min(level_m, ceiling_m)

    def transit(self, start: XYZ, end: XYZ) -> Transit:
        """A flight from one point to another.

        Raises
        ------
        PlanError
            Where towers higher than the ceiling leave no way.
        """
        points = self._points(start, end)
        kept = [points[0]]
        for point in points[1:]:
            if math.dist(point, kept[-1]) > 0.05:
                kept.append(point)
        if len(kept) == 1:
            kept.append(end)
        return Transit(path=tuple(kept), speed_mps=self._speed_mps)

    def _points(self, start: XYZ, end: XYZ) -> list[XYZ]:
        across_m = math.dist(start[:2], end[:2])
        low = min(start[2], end[2])
        if across_m < NEAR_M and self._obstacles.is_free((start[:2], end[:2]), low):
            return [start, end]
        top_m = max(start[2], end[2], self._level_m)
        if across_m < 0.01:
            return [start, (*start[:2], top_m), end]
        pieces, tops = self._obstacles.rises_m(start[:2], end[:2])
        top_m = max(top_m, float(tops.max()))
        if top_m <= self._ceiling_m:
            up_m = self._slope_m(start[2], top_m, tops, pieces[:, 0], self._up)
            down_m = self._slope_m(end[2], top_m, tops, across_m - pieces[:, 1], self._down)
            share = min(1.0, across_m / max(up_m + down_m, 1e-9)) / across_m
            above = _between(start, end, up_m * share, top_m)
            return [start, above, _between(start, end, 1 - down_m * share, top_m), end]
        around = self._around(start[:2], end[:2])
        return [start, *((x, y, self._ceiling_m) for x, y in around), end]

    def _slope_m(
        self, low_m: float, top_m: float, tops: Floats, reach_m: Floats, most: float
    ) -> float:
        """Metres across over which to climb from `low_m` to `top_m`, `most` for each metre.

        Above every roof, the nearest part of which is `reach_m` away, and at transit height after
        `NEAR_M`. The same holds for a descent, seen from its end.
        """
        if low_m < self._level_m:
            most = min(most, NEAR_M / (self._level_m - low_m))
        tall = tops > low_m
        if tall.any():
            most = min(most, float((reach_m[tall] / (tops[tall] - low_m)).min()))
        run_m = max(0.0, (top_m - low_m) * most)
        return run_m if run_m >= SLOPE_MIN_M else 0.0

    def _around(self, start: XY, end: XY) -> list[XY]:
        """The shortest way past what stands above the ceiling: a visibility graph, grown."""
        return self._past_hulls(start, end) or self._past_corners(start, end)

    def _in_the_way(self, way: Sequence[XY]) -> dict[bytes, BaseGeometry]:
        line = LineString(way)
        rims = self._obstacles.rims(line, self._ceiling_m)
        return {wall.wkb: wall for wall in rims if wall.buffer(-0.02).intersects(line)}

    def _past_hulls(self, start: XY, end: XY) -> list[XY] | None:
        """Past a few towers on their shorter side; None where that is a long way round."""
        walls: dict[bytes, BaseGeometry] = {}
        way = [start, end]
        for _ in range(HULLS_MOST):
            fresh = self._in_the_way(way)
            if not fresh:
                return way
            walls |= fresh
            found = _beside(start, end, list(walls.values()))
            if found is None or _length_m(found) > DETOUR_MOST * math.dist(start, end):
                return None
            way = found
        return None

    def _past_corners(self, start: XY, end: XY) -> list[XY]:
        """The shortest way, along corners of whatever stands in the way."""
        walls: dict[bytes, BaseGeometry] = {}
        way = [start, end]
        for _ in range(64):
            fresh = self._in_the_way(way)
            if not fresh.keys() - walls.keys():
                return way
            walls |= fresh
            way = _shortest(start, end, list(walls.values()))
        raise PlanError(f"no way from {start} to {end} below {self._ceiling_m} m")


def _between(start: XYZ, end: XYZ, share: float, top_m: float) -> XYZ:
    """A point over the straight way at a share of it."""
    x = start[0] + (end[0] - start[0]) * share
    return x, start[1] + (end[1] - start[1]) * share, top_m


def _length_m(way: Sequence[XY]) -> float:
    return math.fsum(math.dist(a, b) for a, b in pairwise(way))


def _beside(start: XY, end: XY, walls: Sequence[BaseGeometry]) -> list[XY] | None:
    """The shorter way around the hull of everything; None where an end lies inside of it."""
    hull = MultiPoint(np.concatenate([shapely.get_coordinates(w) for w in walls])).convex_hull
    hull = hull.buffer(0.05, join_style="mitre")
    whole = shapely.convex_hull(shapely.union_all([hull, shapely.Point(start), shapely.Point(end)]))
    ring = [(float(x), float(y)) for x, y in shapely.get_coordinates(whole)[:-1]]
    if start not in ring or end not in ring:
        return None
    first = ring.index(start)
    ring = ring[first:] + ring[:first]
    at = ring.index(end)
    return min(ring[: at + 1], [start, *ring[:at:-1], end], key=_length_m)


def _shortest(start: XY, end: XY, walls: Sequence[BaseGeometry]) -> list[XY]:
    """The shortest way between two points outside polygons, along their corners."""
    solid = shapely.union_all(walls)
    corners = shapely.get_coordinates(solid.buffer(0.05, join_style="mitre").simplify(0.02))
    places = np.vstack([[start, end], corners])
    first, second = np.triu_indices(len(places), 1)
    lines = shapely.linestrings(np.stack([places[first], places[second]], axis=1))
    core = solid.buffer(-0.01)
    shapely.prepare(core)
    clear = ~shapely.intersects(core, lines)
    gaps = np.hypot(*(places[first[clear]] - places[second[clear]]).T)
    size = len(places)
    graph = csr_matrix((gaps, (first[clear], second[clear])), shape=(size, size))
    reach, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    if not np.isfinite(reach[1]):
        raise PlanError(f"no way from {start} to {end}: walls above the ceiling on every side")
    back = [1]
    while back[-1] != 0:
        back.append(int(before[back[-1]]))
    return [(float(places[i][0]), float(places[i][1])) for i in back[::-1]]
