"""Walls of buildings and what stands in front of them: rays from each half metre of wall.

Plane geometry in metres; the free side of every wall is on its right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

STEP_M = 0.5
"""Between two looks from a wall. [P]"""
OFF_M = 0.02
"""Rays begin so far off their wall, so as not to hit it. Numerical."""
FACING_COS = 0.7
"""Walls face each other when they lean by 45 degrees at most. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """Segments of all rings, shape (n, 2): start, step to the end; building and ring of each."""

    start: NDArray[np.float64]
    step: NDArray[np.float64]
    building: NDArray[np.int64]
    ring: NDArray[np.int64]
    tree: shapely.STRtree
    solid: shapely.STRtree

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Of each segment."""
        return np.hypot(self.step[:, 0], self.step[:, 1])

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vectors to the free side, shape (n, 2)."""
        return np.column_stack([self.step[:, 1], -self.step[:, 0]]) / self.length_m[:, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """From points on walls straight ahead: how far, and at which building (-1: none in reach).

    In the order of rings, each from its first corner on; `along_m` is where on its ring.
    """

    point: NDArray[np.float64]
    normal: NDArray[np.float64]
    building: NDArray[np.int64]
    ring: NDArray[np.int64]
    along_m: NDArray[np.float64]
    width_m: NDArray[np.float64]
    hit: NDArray[np.int64]


def walls_of(footprints: Sequence[BaseGeometry]) -> Walls:
    """The walls of footprints: polygons or multipolygons, in their order."""
    polygons, owner = shapely.get_parts(np.array(footprints, dtype=object), return_index=True)
    turned = shapely.orient_polygons(polygons)
    rings, of_polygon = shapely.get_rings(turned, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    is_inner = of_ring[1:] == of_ring[:-1]
    start, step = points[:-1][is_inner], np.diff(points, axis=0)[is_inner]
    ring = of_ring[:-1][is_inner]
    is_long = np.hypot(step[:, 0], step[:, 1]) > OFF_M
    start, step, ring = start[is_long], step[is_long], ring[is_long]
    lines = shapely.linestrings(np.stack([start, start + step], axis=1))
    return Walls(
        start=start,
        step=step,
        building=np.asarray(owner[of_polygon[ring]], dtype=np.int64),
        ring=ring.astype(np.int64),
        solid=shapely.STRtree(turned),
        tree=shapely.STRtree(np.atleast_1d(np.asarray(lines, dtype=object))),
    )


def looks_from(walls: Walls, reach_m: float) -> Looks:
    """A look from the middle of every stretch of about STEP_M of every wall."""
    num = np.maximum(1, np.round(walls.length_m / STEP_M)).astype(int)
    wall = np.repeat(np.arange(len(num)), num)
    place = np.arange(len(wall)) - np.repeat(np.cumsum(num) - num, num)
    frac = (place + 0.5) / num[wall]
    point = walls.start[wall] + walls.step[wall] * frac[:, None]
    width, hit = first_hits(walls, point, walls.normal[wall], reach_m)
    # Where buildings share walls, a look may go through one and end at the next one's front.
    seen = np.nonzero(hit >= 0)[0]
    middle = shapely.points(point[seen] + walls.normal[wall[seen]] * width[seen, None] / 2)
    through = seen[np.unique(walls.solid.query(middle, predicate="within")[0])]
    width[through], hit[through] = np.inf, -1
    before = np.concatenate([[0.0], np.cumsum(walls.length_m)[:-1]])
    return Looks(
        point=point,
        normal=walls.normal[wall],
        building=walls.building[wall],
        ring=walls.ring[wall],
        along_m=before[wall] + frac * walls.length_m[wall],
        width_m=width,
        hit=hit,
    )


def first_hits(
    walls: Walls,
    point: NDArray[np.float64],
    towards: NDArray[np.float64],
    reach_m: float,
    least_cos: float = FACING_COS,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How far it is to the first wall, and whose it is, looking from points along unit vectors.

    Nothing within reach, a wall seen from behind (the look began inside a building) or one that
    leans away by more than `least_cos` allows is infinitely far, of building -1.
    """
    start = point + towards * OFF_M
    rays = shapely.linestrings(np.stack([start, point + towards * reach_m], axis=1))
    ray, wall = walls.tree.query(rays, predicate="intersects")
    gap = walls.start[wall] - start[ray]
    step, look = walls.step[wall], towards[ray]
    across = look[:, 0] * step[:, 1] - look[:, 1] * step[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (gap[:, 0] * step[:, 1] - gap[:, 1] * step[:, 0]) / across
    far = np.where(np.isfinite(far), far, reach_m) + OFF_M
    order = np.lexsort((far, ray))
    first = order[np.unique(ray[order], return_index=True)[1]] if len(order) else order
    is_facing = -(walls.normal[wall[first]] * towards[ray[first]]).sum(axis=1) >= least_cos
    first = first[is_facing]
    width = np.full(len(point), np.inf)
    hit = np.full(len(point), -1, dtype=np.int64)
    width[ray[first]], hit[ray[first]] = far[first], walls.building[wall[first]]
    return width, hit
