"""Ways past what stands above the ceiling: quickest by distance and by what each bend costs.

Walls are looked up in a tree and join a search only when they stand in its way, so that a way
costs what is near it and not what the site holds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.obstacles import Obstacles

    Floats = NDArray[np.float64]
    Pair = tuple[int, int]

XY = tuple[float, float]
GRAZE_M = 0.02
"""A way that cuts a corner by less is clear: it was rounded."""
OUTSIDE_M = 0.05
"""Bends lie so far outside the kept distance."""
SMOOTH_M = 0.3
"""Round buildings are passed with so much more room and fewer bends."""
PIECE_M = 150.0
LAZY_MOST = 12
"""After so many tries every line from the bends of the best way is looked at, not only its own."""
TRIES_MOST = 200


class Detours:
    """The walls above one height, and the ways around them.

    `stop_m` is what a stop costs, in metres flown at full speed: speed squared over acceleration.
    """

    def __init__(self, obstacles: Obstacles, above_home_m: float, stop_m: float) -> None:
        self._stop_m = stop_m
        indices = obstacles.standing(above_home_m)
        self._footprints = obstacles.footprints_of(indices)
        self._keep_m = obstacles.widened_m
        walls = shapely.buffer(obstacles.widened(indices), -GRAZE_M)
        self._tree = shapely.STRtree(walls)
        self._corners: dict[int, tuple[tuple[XY, ...], frozenset[int]]] = {}
        self._known: dict[tuple[XY, XY], tuple[int, ...]] = {}

    def is_clear(self, start: XY, end: XY) -> bool:
        """Whether the straight way keeps clear of every wall."""
        return not self.hit([(start, end)])[0]

    def way(self, start: XY, end: XY) -> list[XY]:
        """The quickest way at this height.

        Raises
        ------
        PlanError
            Where walls stand on every side.
        """
        search = _Search(self, start, end, self._stop_m)
        for tries in range(TRIES_MOST):
            found = search.shortest()
            if found is None:
                break
            if search.look(found, is_wide=tries >= LAZY_MOST):
                return [search.places[k] for k in found]
        raise PlanError(f"no way from {start} to {end}: walls above the ceiling on every side")

    def hit(self, lines: Sequence[tuple[XY, XY]]) -> list[tuple[int, ...]]:
        """For each straight line, the walls that it runs into."""
        fresh = [line for line in lines if line not in self._known]
        if fresh:
            self._known.update(zip(fresh, self._looked(fresh), strict=True))
        return [self._known[line] for line in lines]

    def _looked(self, lines: Sequence[tuple[XY, XY]]) -> list[tuple[int, ...]]:
        ends = np.array(lines, dtype=float)
        counts = np.ceil(np.hypot(*(ends[:, 1] - ends[:, 0]).T) / PIECE_M).astype(int)
        counts = np.maximum(counts, 1)
        owner = np.repeat(np.arange(len(ends)), counts)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        shares = np.stack([step, step + 1], axis=1) / counts[owner, None]
        begin, span = ends[owner, 0], (ends[:, 1] - ends[:, 0])[owner]
        pieces = shapely.linestrings(begin[:, None] + shares[..., None] * span[:, None])
        found: list[set[int]] = [set() for _ in lines]
        for piece, wall in self._tree.query(pieces, predicate="intersects").T.tolist():
            found[int(owner[piece])].add(wall)
        return [tuple(sorted(walls)) for walls in found]

    def corners(self, wall: int) -> tuple[tuple[XY, ...], frozenset[int]]:
        """Where ways may bend around a wall: corners that lie in no other; and those others."""
        if wall not in self._corners:
            points = _bends(self._footprints[wall], self._keep_m)
            inside, others = self._tree.query(shapely.points(points), predicate="intersects")
            free = np.delete(points, np.unique(inside), axis=0)
            places = tuple((float(x), float(y)) for x, y in free)
            self._corners[wall] = places, frozenset(others.tolist())
        return self._corners[wall]


class _Search:
    """One way: places to bend at, and which lines between them are known to be clear or not.

    Lines are taken as clear until they are looked at, so that the way found at last is the
    quickest there is.
    """

    def __init__(self, detours: Detours, start: XY, end: XY, stop_m: float) -> None:
        self._detours, self._stop_m = detours, stop_m
        self.places: list[XY] = [start, end]
        self._walls: set[int] = set()
        self._clear: set[Pair] = set()
        self._blocked: set[Pair] = set()
        self._table = np.zeros((0, 0))
        self._costs()

    def _costs(self) -> Floats:
        """Between all places, from rest to rest, in metres at full speed; infinite if blocked."""
        size, done = len(self.places), len(self._table)
        if size > done:
            places = np.array(self.places)
            gaps = np.hypot(*(places[done:, None] - places[None]).transpose(2, 0, 1))
            # Much as `energy.run_s` and `transit_s` have it.
            short = 2 * np.sqrt(gaps * self._stop_m)
            fresh = np.where(gaps < self._stop_m, short, gaps + self._stop_m)
            table = np.zeros((size, size))
            table[:done, :done] = self._table
            table[done:], table[:, done:] = fresh, fresh.T
            self._table = table
        return self._table

    def shortest(self) -> list[int] | None:
        """The quickest way through lines not known to be blocked; None where there is none."""
        costs = self._costs()
        reach = costs[0].copy()
        while True:
            best = (reach[:, None] + costs).min(axis=0)
            if not (best < reach - 1e-9).any():
                break
            reach = best
        if not np.isfinite(reach[1]):
            return None
        back = [1]
        while back[-1] != 0:
            onward = reach + costs[back[-1]]
            onward[back] = np.inf
            back.append(int(np.argmin(onward)))
        return back[::-1]

    def look(self, way: Sequence[int], *, is_wide: bool) -> bool:
        """Whether a way is clear; where it is not, what is in its way is known from now on.

        `is_wide` looks at every line from each of its places.
        """
        pairs = [(min(a, b), max(a, b)) for a, b in pairwise(way)]
        if is_wide:
            size = len(self.places)
            some = {(min(a, b), max(a, b)) for a in way for b in range(size) if a != b}
            pairs += sorted(some - self._blocked - set(pairs))
        fresh = [pair for pair in pairs if pair not in self._clear]
        if not fresh:
            return True
        lines = [(self.places[a], self.places[b]) for a, b in fresh]
        found = self._detours.hit(lines)
        for pair, walls in zip(fresh, found, strict=True):
            if walls:
                self._blocked.add(pair)
                self._table[pair] = self._table[pair[::-1]] = np.inf
            else:
                self._clear.add(pair)
        todo = {wall for walls in found for wall in walls} - self._walls
        while todo:
            fresh_walls, todo = sorted(todo), set()
            self._walls.update(fresh_walls)
            for wall in fresh_walls:
                places, others = self._detours.corners(wall)
                self.places.extend(places)
                # Who passes a wall where another covers its corner passes that one too.
                todo |= others - self._walls
        return not any(pair in self._blocked for pair in pairs[: len(way) - 1])


def _bends(footprint: BaseGeometry, keep_m: float) -> Floats:
    """Corners of a building, widened, at which a shortest way can bend: those that point out."""
    smooth = footprint.simplify(SMOOTH_M)
    if not smooth.is_valid or smooth.is_empty:
        smooth = footprint
    more_m = 0.0 if smooth.equals(footprint) else SMOOTH_M
    wide = smooth.buffer(keep_m + OUTSIDE_M + more_m, join_style="mitre", mitre_limit=2.0)
    found = [np.zeros((0, 2))]
    for part in shapely.get_parts(shapely.orient_polygons(wide)):
        for ring in (part.exterior, *part.interiors):
            points = shapely.get_coordinates(ring)[:-1]
            before, after = (
                points - np.roll(points, 1, axis=0),
                np.roll(points, -1, axis=0) - points,
            )
            turns = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
            found.append(points[turns > 1e-9])
    return np.concatenate(found)
