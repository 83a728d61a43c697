"""The fence: what is kept as items, and how far outside the copter is.

Source: AC_Fence, 4.7.0-dev: types as bits, breach once per fence until it clears.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntFlag
from typing import TYPE_CHECKING

from skymist.sitl.items import Command, Item

if TYPE_CHECKING:
    from skymist.sitl.params import Params
    from skymist.sitl.state import Grid, State

Polygon = tuple[tuple[float, float], ...]
GIVE_UP_M = 100.0
"""Further outside than this the copter lands where it is."""


class FenceKind(IntFlag):
    """FENCE_TYPE's bits."""

    NONE = 0
    ALT_MAX = 1
    CIRCLE = 2
    POLYGON = 4
    ALT_MIN = 8


class Fence:
    """Polygons and circles in local metres, and the breach of now."""

    def __init__(self, params: Params, grid: Grid) -> None:
        self._params = params
        self._grid = grid
        self._inside: list[Polygon] = []
        self._outside: list[Polygon] = []
        self._circles: list[tuple[float, float, float, bool]] = []
        self.breach = FenceKind.NONE
        self.num_breaches = 0
        self.breached_s = 0.0
        self.beyond_m = 0.0

    @property
    def is_enabled(self) -> bool:
        """Whether the fence is watched."""
        return self._params["FENCE_ENABLE"] > 0

    def load(self, items: Sequence[Item]) -> None:
        """Take over the items of a fence upload."""
        self._inside, self._outside, self._circles = [], [], []
        i = 0
        while i < len(items):
            item = items[i]
            if item.command in (Command.FENCE_CIRCLE_INCLUSION, Command.FENCE_CIRCLE_EXCLUSION):
                x, y = self._grid.to_xy(item.lat_e7, item.lon_e7)
                is_inclusion = item.command == Command.FENCE_CIRCLE_INCLUSION
                self._circles.append((x, y, item.p1, is_inclusion))
            elif item.command != Command.FENCE_RETURN_POINT:
                run = items[i : i + int(item.p1)]
                polygon = tuple(self._grid.to_xy(v.lat_e7, v.lon_e7) for v in run)
                is_inclusion = item.command == Command.FENCE_POLYGON_INCLUSION
                (self._inside if is_inclusion else self._outside).append(polygon)
                i += len(run) - 1
            i += 1

    def check(self, state: State) -> FenceKind:
        """Give the fences newly breached. Sets `breach` and `beyond_m`."""
        if not self.is_enabled:
            self.breach = FenceKind.NONE
            return FenceKind.NONE
        now, beyond = self.outside(state)
        new = now & ~self.breach
        self.breach, self.beyond_m = now, beyond
        if new:
            self.num_breaches += 1
            self.breached_s = state.now_s
        return new

    def outside(self, state: State) -> tuple[FenceKind, float]:
        """Give the fences that the copter is outside of, and by how many metres at most."""
        params, kinds, beyond = self._params, FenceKind.NONE, 0.0
        watched = FenceKind(int(params["FENCE_TYPE"]) & 15)
        height = state.above_home_m
        if watched & FenceKind.ALT_MAX and height > params["FENCE_ALT_MAX"]:
            kinds |= FenceKind.ALT_MAX
            beyond = max(beyond, height - params["FENCE_ALT_MAX"])
        if watched & FenceKind.ALT_MIN and not state.is_landed and height < params["FENCE_ALT_MIN"]:
            kinds |= FenceKind.ALT_MIN
        if watched & FenceKind.CIRCLE:
            away = math.hypot(state.x - state.home[0], state.y - state.home[1])
            if away > params["FENCE_RADIUS"]:
                kinds |= FenceKind.CIRCLE
                beyond = max(beyond, away - params["FENCE_RADIUS"])
        if watched & FenceKind.POLYGON:
            over = self._beyond_shapes(state.x, state.y)
            if over is not None:
                kinds |= FenceKind.POLYGON
                beyond = max(beyond, over)
        return kinds, beyond

    def _beyond_shapes(self, x: float, y: float) -> float | None:
        """Metres past the shapes; None where none is breached."""
        over: list[float] = []
        if self._inside and not any(_contains(p, x, y) for p in self._inside):
            over.append(min(_distance(p, x, y) for p in self._inside))
        over += [_distance(p, x, y) for p in self._outside if _contains(p, x, y)]
        for cx, cy, radius, is_inclusion in self._circles:
            past = math.hypot(x - cx, y - cy) - radius
            if (past > 0) == is_inclusion:
                over.append(abs(past))
        return max(over) if over else None


def _contains(polygon: Polygon, x: float, y: float) -> bool:
    is_inside = False
    ax, ay = polygon[-1]
    for bx, by in polygon:
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            is_inside = not is_inside
        ax, ay = bx, by
    return is_inside


def _distance(polygon: Polygon, x: float, y: float) -> float:
    best = math.inf
    ax, ay = polygon[-1]
    for bx, by in polygon:
        ex, ey = bx - ax, by - ay
        t = ((x - ax) * ex + (y - ay) * ey) / max(ex * ex + ey * ey, 1e-12)
        t = max(0.0, min(1.0, t))
        best = min(best, math.hypot(x - ax - t * ex, y - ay - t * ey))
        ax, ay = bx, by
    return best
