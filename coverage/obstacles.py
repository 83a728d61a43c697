"""Where a drone may be: buildings, widened by its body and clearance, by height."""

from __future__ import annotations

import math
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


NEAR_ENDS_M = np.array([0.0, 4.0, 8.0, 16.0, 32.0, 64.0])
"""Where a way is looked at in short pieces, from either end: there it climbs and descends."""


class Obstacles:
    """Buildings as seen by a drone that keeps `keep_m` beside and `margin_m` above them."""

    def __init__(self, buildings: Sequence[Building], *, keep_m: float, margin_m: float) -> None:
        self.keep_m = keep_m
        self.margin_m = margin_m
        self._footprints = np.array([b.footprint for b in buildings], dtype=object)
        self._heights_m = np.array([b.height_m for b in buildings], dtype=float)
        self._tree = shapely.STRtree(self._footprints)
        self._wide: dict[int, BaseGeometry] = {}

    @property
    def widened_m(self) -> float:
        """By how much buildings are widened, chords of arcs included."""
        return self.keep_m * _OUTSIDE

    def standing(self, above_home_m: float) -> NDArray[np.intp]:
        """Which buildings, by index, stand in the way at this height, anywhere."""
        return np.flatnonzero(self._heights_m > above_home_m - self.margin_m)

    def footprints_of(self, indices: NDArray[np.intp]) -> NDArray[np.object_]:
        """Footprints of some buildings as they are."""
        return self._footprints[indices]

    def widened(self, indices: NDArray[np.intp]) -> NDArray[np.object_]:
        """Some buildings, widened, all at once."""
        return np.asarray(shapely.buffer(self._footprints[indices], self.widened_m, quad_segs=_ARC))

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

    def is_clear(self, start: tuple[float, float, float], end: tuple[float, float, float]) -> bool:
        """Whether a drone can fly this straight leg, level or sloping."""
        low_m = min(start[2], end[2])
        across_m = math.dist(start[:2], end[:2])
        if across_m < 0.01 or abs(start[2] - end[2]) < 0.01:
            return self.is_free((start[:2], end[:2]), low_m)
        line = LineString([start[:2], end[:2]])
        for i in self._near(line, low_m):
            over = shapely.get_coordinates(self._widened(i).buffer(-0.01).intersection(line))
            if len(over):
                gone = np.hypot(*(over - np.asarray(start[:2])).T) / across_m
                lowest_m = float((start[2] + gone * (end[2] - start[2])).min())
                if lowest_m < self._heights_m[i] + self.margin_m:
                    return False
        return True

    def rises_m(
        self, start: tuple[float, float], end: tuple[float, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where pieces of a straight way begin and end, (n, 2), and the least clear height of each.

        Metres from the start; pieces are short near both ends. 0 where nothing stands.
        """
        length_m = math.dist(start, end)
        near_m = NEAR_ENDS_M[length_m / 2 > NEAR_ENDS_M]
        inner = np.linspace(near_m[-1], length_m - near_m[-1], 2 + int(length_m / PIECE_M))
        stops = np.concatenate([near_m[:-1], inner, length_m - near_m[-2::-1]])
        points = np.asarray(start) + (stops / length_m)[:, None] * np.subtract(end, start)
        pieces = np.asarray(shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)))
        at, near = self._tree.query(pieces, predicate="dwithin", distance=self.keep_m * _OUTSIDE)
        tops = np.zeros(len(pieces))
        np.maximum.at(tops, at, self._heights_m[near] + self.margin_m)
        return np.stack([stops[:-1], stops[1:]], axis=1), tops

    def tallest_m(self, region: BaseGeometry) -> float:
        """Height of the tallest building that touches the region; 0 where none does."""
        near = self._tree.query(region, predicate="intersects")
        return float(self._heights_m[near].max()) if len(near) else 0.0
