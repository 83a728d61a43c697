"""Transits with the pump off: straight where free, else over the roofs, else around towers.

These are ways in the open air of the whole site; `coverage.transits` finds those inside one area,
`coverage.detours` those around towers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.detours import Detours
from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Transit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from skymist.coverage.obstacles import Obstacles

    Floats = NDArray[np.float64]

XY = tuple[float, float]
XYZ = tuple[float, float, float]
NEAR_M = 12.0
"""Gaps up to here are flown at spray height if free: a climb would take longer."""
SLOPE_MIN_M = 2.0
"""Shorter slopes are flown upright."""


class Airways:
    """Ways between points that keep clear of buildings and below the ceiling.

    `stop_m` is what a bend costs, in metres at full speed.
    """

    def __init__(
        self,
        obstacles: Obstacles,
        *,
        ceiling_m: float,
        level_m: float,
        speed_mps: float,
        climb_mps: float = math.inf,
        descent_mps: float = math.inf,
        stop_m: float = 0.0,
    ) -> None:
        self._obstacles = obstacles
        self._up, self._down = speed_mps / climb_mps, speed_mps / descent_mps
        self._ceiling_m = ceiling_m
        self._speed_mps = speed_mps
        self._level_m = min(level_m, ceiling_m)
        self._detours = Detours(obstacles, ceiling_m, stop_m)
        self._tracks: dict[tuple[XY, XY], tuple[XY, ...] | PlanError] = {}

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
        track = self._track(start[:2], end[:2])
        if len(track) == 2:
            pieces, tops = self._obstacles.rises_m(start[:2], end[:2])
            top_m = max(top_m, float(tops.max()))
            if top_m <= self._ceiling_m:
                up_m = self._slope_m(start[2], top_m, tops, pieces[:, 0], self._up)
                down_m = self._slope_m(end[2], top_m, tops, across_m - pieces[:, 1], self._down)
                share = min(1.0, across_m / max(up_m + down_m, 1e-9)) / across_m
                above = _between(start, end, up_m * share, top_m)
                return [start, above, _between(start, end, 1 - down_m * share, top_m), end]
        return [start, *((x, y, self._ceiling_m) for x, y in track), end]

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

    def _track(self, start: XY, end: XY) -> tuple[XY, ...]:
        """The way across the ground past what stands above the ceiling, the same there and back."""
        key = (start, end) if start <= end else (end, start)
        found = self._tracks.get(key)
        if found is None:
            try:
                found = key if self._detours.is_clear(*key) else tuple(self._detours.way(*key))
            except PlanError as exc:
                found = exc
            self._tracks[key] = found
        if isinstance(found, PlanError):
            raise found
        return found if start <= end else found[::-1]


def _between(start: XYZ, end: XYZ, share: float, top_m: float) -> XYZ:
    """A point over the straight way at a share of it."""
    x = start[0] + (end[0] - start[0]) * share
    return x, start[1] + (end[1] - start[1]) * share, top_m
