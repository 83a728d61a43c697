"""Transits with the pump off: straight where free, else over the roofs, else around towers.

These are ways in the open air of the whole site; `coverage.transits` finds those inside one area.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString

from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Transit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.obstacles import Obstacles

XY = tuple[float, float]
XYZ = tuple[float, float, float]
NEAR_M = 12.0
"""Gaps up to here are flown at spray height if free: a climb would take longer."""
LEVEL_M = 8.0
"""Lowest height of a longer transit: above people, vans and sheds. Proposal of this project."""


class Airways:
    """Ways between points that keep clear of buildings and below the ceiling."""

    def __init__(self, obstacles: Obstacles, *, ceiling_m: float, speed_mps: float) -> None:
        self._obstacles = obstacles
        self._ceiling_m = ceiling_m
        self._speed_mps = speed_mps
        self._level_m = min(LEVEL_M, ceiling_m)

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
        if across_m > 0.01:
            top_m = max(top_m, self._obstacles.clear_height_m((start[:2], end[:2])))
        if top_m <= self._ceiling_m:
            return [start, (*start[:2], top_m), (*end[:2], top_m), end]
        around = self._around(start[:2], end[:2])
        return [start, *((x, y, self._ceiling_m) for x, y in around), end]

    def _around(self, start: XY, end: XY) -> list[XY]:
        """The shortest way past what stands above the ceiling: a visibility graph, grown."""
        walls: dict[bytes, BaseGeometry] = {}
        way = [start, end]
        for _ in range(64):
            line = LineString(way)
            hit = [
                wall
                for wall in self._obstacles.rims(line, self._ceiling_m)
                if wall.buffer(-0.02).intersects(line)
            ]
            fresh = {wall.wkb: wall for wall in hit}
            if not fresh.keys() - walls.keys():
                return way
            walls |= fresh
            way = _shortest(start, end, list(walls.values()))
        raise PlanError(f"no way from {start} to {end} below {self._ceiling_m} m")


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
