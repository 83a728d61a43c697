"""Passages that go on around a corner or past a doorway, as one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import LineString

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.missions.suggest.walls import Walls

JOIN_WIDTHS, JOIN_MORE_M = 1.5, 0.5
"""At a corner the lines half way between walls end no farther apart than so many widths. [P]"""
ALIKE_M = 1.5
"""Where widths differ by more, another passage begins. [P]"""
TURN_COS = -0.2
"""A passage bends by 100 degrees at most; what turns back is its neighbour. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A line half way between walls, with the width at each of its points."""

    points: NDArray[np.float64]
    widths_m: NDArray[np.float64]
    buildings: tuple[int, ...]

    @property
    def line(self) -> LineString:
        """Its line, in local metres."""
        return LineString(self.points)

    @property
    def width_m(self) -> float:
        """Half of it is narrower than this."""
        return float(np.median(self.widths_m))

    def part(self, kept: NDArray[np.int64]) -> Passage:
        """What is left of it: the points of these numbers."""
        return Passage(
            points=self.points[kept], widths_m=self.widths_m[kept], buildings=self.buildings
        )

    def end(self, is_last: bool) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """An end: its place, the unit vector that leads out of it, and the width there."""
        points = self.points if is_last else self.points[::-1]
        back = points[max(0, len(points) - 5)]
        out = points[-1] - back
        return (
            points[-1],
            out / max(float(np.hypot(*out)), 1e-9),
            float(self.widths_m[-1 if is_last else 0]),
        )


def chained(walls: Walls, pieces: Sequence[Passage]) -> list[Passage]:
    """The pieces, the longest first, each with those that go on from its ends."""
    ordered = sorted(pieces, key=lambda piece: (-piece.line.length, tuple(piece.points[0])))
    ends = [piece.points[k] for piece in ordered for k in (0, -1)]
    tree = shapely.STRtree(shapely.points(ends) if ends else [])
    used: set[int] = set()
    made = []
    for number, piece in enumerate(ordered):
        if number in used:
            continue
        used.add(number)
        for is_last in (True, False):
            while (found := _next(walls, piece, is_last, ordered, tree, used)) is not None:
                used.add(found[0])
                piece = _joined(piece, is_last, ordered[found[0]], found[1])
        made.append(piece)
    return made


def _next(
    walls: Walls,
    piece: Passage,
    is_last: bool,
    ordered: Sequence[Passage],
    tree: shapely.STRtree,
    used: set[int],
) -> tuple[int, bool] | None:
    """The nearest piece that goes on from an end, and whether from its own last point."""
    place, out, width_m = piece.end(is_last)
    reach_m = JOIN_WIDTHS * (width_m + ALIKE_M) + JOIN_MORE_M
    found = []
    for k in tree.query(shapely.points(place), predicate="dwithin", distance=reach_m):
        number, from_last = int(k) // 2, bool(k % 2)
        if number in used:
            continue
        other, back, other_m = ordered[number].end(from_last)
        step = other - place
        far_m = float(np.hypot(*step))
        near = far_m <= JOIN_WIDTHS * max(width_m, other_m) + JOIN_MORE_M
        goes_on = far_m < JOIN_MORE_M or float(step @ out) / far_m >= TURN_COS
        if (
            near
            and goes_on
            and abs(width_m - other_m) <= ALIKE_M
            and float(-back @ out) >= TURN_COS
            and not len(walls.tree.query(LineString([place, other]), predicate="intersects"))
        ):
            found.append((far_m, number, from_last))
    if not found:
        return None
    _, number, from_last = min(found)
    return number, from_last


def _joined(piece: Passage, is_last: bool, more: Passage, from_last: bool) -> Passage:
    """The piece with another behind (or before) it; `from_last`: that one is walked backwards."""
    turn = slice(None, None, -1 if from_last == is_last else 1)
    parts = [piece, more] if is_last else [more, piece]
    points = [part.points[turn] if part is more else part.points for part in parts]
    widths = [part.widths_m[turn] if part is more else part.widths_m for part in parts]
    return Passage(
        points=np.concatenate(points),
        widths_m=np.concatenate(widths),
        buildings=tuple(dict.fromkeys((*piece.buildings, *more.buildings))),
    )
