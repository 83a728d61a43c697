"""How high a straight flight must climb, estimated for many pairs of points at once.

The roofs are kept as the highest in each cell of a grid, by their bounds: an estimate from above,
for choosing among sorties. `coverage.airways` finds the way that is flown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.coverage.site import Building

    Floats = NDArray[np.float64]

CELLS_MOST = 4_000_000
LINES_AT_ONCE = 20_000


class Skyline:
    """The highest roof in each cell of a site, each building widened by `keep_m`."""

    def __init__(self, buildings: Sequence[Building], keep_m: float, cell_m: float = 4.0) -> None:
        boxes = shapely.bounds(np.array([b.footprint for b in buildings], dtype=object))
        boxes = boxes.reshape(-1, 4)
        tops = np.array([b.height_m for b in buildings], dtype=float)
        boxes = boxes + np.array([-keep_m, -keep_m, keep_m, keep_m])
        self._corner = boxes[:, :2].min(axis=0) if len(boxes) else np.zeros(2)
        size = boxes[:, 2:].max(axis=0) - self._corner if len(boxes) else np.ones(2)
        self._cell_m = max(cell_m, float(np.sqrt(size.prod() / CELLS_MOST)))
        # Nothing stands in the cells all around, nor outside of them.
        shape = np.floor(size / self._cell_m).astype(int) + 3
        self._tops = np.zeros(shape)
        low = np.floor((boxes[:, :2] - self._corner) / self._cell_m).astype(int) + 1
        high = np.floor((boxes[:, 2:] - self._corner) / self._cell_m).astype(int) + 2
        for (x, y), (far_x, far_y), top in zip(low, high, tops, strict=True):
            part = self._tops[x:far_x, y:far_y]
            np.maximum(part, top, out=part)

    def tops_m(self, starts: Floats, ends: Floats) -> Floats:
        """The highest roof under each straight line from `starts[i]` to `ends[i]`, both (n, 2)."""
        made = np.zeros(len(starts))
        for first in range(0, len(starts), LINES_AT_ONCE):
            part = slice(first, first + LINES_AT_ONCE)
            made[part] = self._some(starts[part], ends[part])
        return made

    def _some(self, starts: Floats, ends: Floats) -> Floats:
        if not len(starts):
            return np.zeros(0)
        spans = np.hypot(*(ends - starts).T)
        counts = np.ceil(spans / self._cell_m).astype(int) + 1
        begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
        steps = np.arange(counts.sum()) - np.repeat(begins, counts)
        cells = []
        for axis, size in enumerate(self._tops.shape):
            first = (starts[:, axis] - self._corner[axis]) / self._cell_m
            last = (ends[:, axis] - self._corner[axis]) / self._cell_m
            step = (last - first) / np.maximum(counts - 1, 1)
            places = np.floor(np.repeat(first, counts) + steps * np.repeat(step, counts))
            cells.append(np.clip(places, -1, size - 2).astype(int) + 1)
        found = self._tops.ravel().take(cells[0] * self._tops.shape[1] + cells[1])
        return np.asarray(np.maximum.reduceat(found, begins))
