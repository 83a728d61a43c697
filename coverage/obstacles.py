"""Where a drone may be: buildings, widened by its body and clearance, by height."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.coverage.site import Building


_ARC = 6
_OUTSIDE = 1 / math.cos(math.pi / 4 / _ARC)
"""Arcs are drawn with chords outside the true circle, so that no corner is cut."""


PIECE_M = 60.0
"""Long ways are looked at in pieces: the tree finds what their bounds touch."""


def _pieces(path: Sequence[tuple[float, float]]) -> NDArray[np.object_]:
    """The straight parts of a path as lines, none much longer than `PIECE_M`."""
    found = []
    for a, b in pairwise(path):
        count = max(1, round(math.dist(a, b) / PIECE_M))
        points = np.linspace(a, b, count + 1)
        found.append(np.stack([points[:-1], points[1:]], axis=1))
    return np.asarray(shapely.linestrings(np.concatenate(found)))


class Obstacles:
    """Buildings as seen by a drone that keeps `keep_m` beside and `margin_m` above them."""

    def __init__(self, buildings: Sequence[Building], *, keep_m: float, margin_m: float) -> None:
        self.keep_m = keep_m
        self.margin_m = margin_m
        self._footprints = np.array([b.footprint for b in buildings], dtype=object)
        self._heights_m = np.array([b.height_m for b in buildings], dtype=float)
        self._tree = shapely.STRtree(self._footprints)
        self._wide: dict[int, BaseGeometry] = {}

    def _widened(self, index: int) -> BaseGeometry:
        if index not in self._wide:
            self._wide[index] = self._footprints[index].buffer(
                self.keep_m * _OUTSIDE, quad_segs=_ARC
            )
        return self._wide[index]

    def _near(self, region: BaseGeometry, above_home_m: float) -> list[int]:
        """Buildings within reach of the region that stand in the way at this height."""
        found = self._tree.query(
            region, predicate="dwithin", distance=self.keep_m * _OUTSIDE + 0.01
        )
        tall = found[self._heights_m[found] > above_home_m - self.margin_m]
        return sorted(int(index) for index in tall)

    def blocked(self, region: BaseGeometry, above_home_m: float) -> BaseGeometry:
        """The ground around the region that a drone at this height must not be over."""
        near = self._near(region, above_home_m)
        return shapely.union_all([self._widened(i) for i in near]) if near else Polygon()

    def footprints(self, region: BaseGeometry, taller_than_m: float) -> BaseGeometry:
        """The roofs over the region that stand higher than this."""
        found = self._tree.query(region, predicate="intersects")
        tall = found[self._heights_m[found] > taller_than_m]
        return shapely.union_all(self._footprints[tall]) if len(tall) else Polygon()

    def is_free(self, path: Sequence[tuple[float, float]], above_home_m: float) -> bool:
        """Whether a drone can fly this path at this height."""
        line = LineString(path) if len(path) > 1 else shapely.Point(path[0])
        touched = self._near(line, above_home_m)
        return not any(self._widened(i).buffer(-0.01).intersects(line) for i in touched)

    def clear_height_m(self, path: Sequence[tuple[float, float]]) -> float:
        """The least height above home at which the whole path is clear of every building."""
        pieces = _pieces(path)
        _, near = self._tree.query(pieces, predicate="dwithin", distance=self.keep_m * _OUTSIDE)
        return float(self._heights_m[near].max() + self.margin_m) if len(near) else 0.0

    def tallest_m(self, region: BaseGeometry) -> float:
        """Height of the tallest building that touches the region; 0 where none does."""
        near = self._tree.query(region, predicate="intersects")
        return float(self._heights_m[near].max()) if len(near) else 0.0

    def rims(self, region: BaseGeometry, above_home_m: float) -> list[BaseGeometry]:
        """Each widened building in the way at this height, one by one."""
        return [self._widened(i) for i in self._near(region, above_home_m)]
