"""Straight passes over a piece of ground: where each strip starts and ends.

Strips of one angle and even spacing tile the piece from side to side. Along each strip the share
of its width that lies on the piece decides where the spray is on; the policy sets the least
share. The path itself never leaves the ground that may be flown. Laps, centre lines and the order
are left to others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHORTEST_M = 0.1  # passes whose ends would lie closer are left out
PROBES = 8  # lines across a strip that sample how much of its width is on the piece
ANGLE_STEP_RAD = math.radians(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strips:
    """Passes over one piece: `x0_m`, `x1_m`, `y_m` in the frame turned by `-angle_rad`."""

    angle_rad: float
    x0_m: Floats
    x1_m: Floats
    y_m: Floats
    reached_m2: float

    def paths(self) -> list[Floats]:
        """Each pass as two points in the frame of the piece."""
        ends = np.stack(
            [np.column_stack([self.x0_m, self.y_m]), np.column_stack([self.x1_m, self.y_m])],
            axis=1,
        )
        return list(turned(ends, self.angle_rad))


def turned(points: Floats, by_rad: float) -> Floats:
    """Points, shape (..., 2), turned left about the origin."""
    cos, sin = math.cos(by_rad), math.sin(by_rad)
    result: Floats = points @ np.array([[cos, sin], [-sin, cos]])
    return result


def crossings(edges: Floats, levels: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Where edges meet horizontal lines: x, sorted along each line, and the line's number.

    `levels` ascend. On every line the crossings of closed rings come in pairs (in, out).
    """
    low, high = edges[:, :, 1].min(axis=1), edges[:, :, 1].max(axis=1)
    first = np.searchsorted(levels, low, side="left")
    count = np.searchsorted(levels, high, side="left") - first
    which = np.repeat(np.arange(len(edges)), count)
    line = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[which]
    (ax, ay), (bx, by) = edges[which, 0].T, edges[which, 1].T
    x = ax + (levels[line] - ay) * (bx - ax) / (by - ay)
    order = np.lexsort((x, line))
    return x[order], line[order]


def _above(x: Floats, step: Floats, strip: NDArray[np.intp], least: float) -> Floats:
    """Runs, rows (x0, x1, strip, share x metres), in which the summed steps reach `least`."""
    order = np.lexsort((-step, x, strip))
    x, step, strip = x[order], step[order], strip[order]
    level = np.cumsum(step)
    on = level >= least - 1e-9
    was = np.concatenate([[False], on[:-1]])
    starts, ends = np.flatnonzero(on & ~was), np.flatnonzero(~on & was)
    part = np.where(on[:-1], (level[:-1] - 1.0) * np.diff(x), 0.0)
    reached = np.concatenate([[0.0], np.cumsum(part)])
    return np.column_stack([x[starts], x[ends], strip[starts], reached[ends] - reached[starts]])


def runs(
    ground: Floats, flyable: Floats, levels: Floats, width_m: float, least_share: float
) -> Floats:
    """Runs along strips centred on `levels`, rows (x0, x1, strip number, share x metres).

    A run keeps `least_share` of the width on `ground` and its centre on `flyable`
    (edges, shape (n, 2, 2), in the turned frame).
    """
    offsets = ((np.arange(PROBES) + 0.5) / PROBES - 0.5) * width_m
    probes = (levels[:, None] + offsets).ravel()
    rank = np.argsort(probes, kind="stable")
    x, line = crossings(ground, probes[rank])
    centre_x, centre = crossings(flyable, levels)
    found = _above(
        np.concatenate([x, centre_x]),
        # A weight of 1 for the centre: on only where it and the share are both there.
        np.concatenate([_in_out(len(x)) / PROBES, _in_out(len(centre_x))]),
        np.concatenate([rank[line] // PROBES, centre]),
        1.0 + least_share,
    )
    return found[found[:, 1] - found[:, 0] > SHORTEST_M]


def _in_out(count: int) -> Floats:
    return np.where(np.arange(count) % 2 == 0, 1.0, -1.0)


def levels_over(low_m: float, high_m: float, width_m: float, slack: float) -> Floats:
    """Centres of evenly spaced strips from `low_m` to `high_m`; `slack` of one may be missing."""
    count = max(1, math.ceil((high_m - low_m) / width_m - slack))
    centres: Floats = low_m + (np.arange(count) + 0.5) * (high_m - low_m) / count
    return centres


def strips_over(
    ground: Floats,
    flyable: Floats,
    *,
    angle_rad: float,
    width_m: float,
    least_share: float,
    slack: float,
) -> Strips:
    """The passes of one angle over a piece of ground given by its edges, shape (n, 2, 2)."""
    near, fly = turned(ground, -angle_rad), turned(flyable, -angle_rad)
    levels = levels_over(near[:, :, 1].min(), near[:, :, 1].max(), width_m, slack)
    spacing_m = width_m if len(levels) < 2 else float(levels[1] - levels[0])
    strip_m = min(width_m, spacing_m)
    found = runs(near, fly, levels, strip_m, least_share)
    return Strips(
        angle_rad=angle_rad,
        x0_m=found[:, 0],
        x1_m=found[:, 1],
        y_m=levels[found[:, 2].astype(int)],
        reached_m2=float(found[:, 3].sum()) * strip_m,
    )


def angles_of(edges: Floats, most: int) -> list[float]:
    """The directions of the walls, 0 to below pi, the longest in sum first, at most `most`."""
    steps = edges[:, 1] - edges[:, 0]
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    angles = np.arctan2(steps[:, 1], steps[:, 0]) % math.pi
    bins = np.round(angles / ANGLE_STEP_RAD).astype(int) % round(math.pi / ANGLE_STEP_RAD)
    weight = np.bincount(bins, weights=lengths)
    best = np.argsort(-weight, kind="stable")[:most]
    chosen = []
    for number in best[weight[best] > 0]:
        mine = np.flatnonzero(bins == number)
        chosen.append(float(angles[mine[np.argmax(lengths[mine])]]))
    return chosen


def flattest(edges: Floats, angles: list[float]) -> list[float]:
    """The angles, those first along which the ground is lowest and so needs fewest strips."""
    points = edges[:, 0]
    heights = [
        float(np.ptp(points[:, 1] * math.cos(angle) - points[:, 0] * math.sin(angle)))
        for angle in angles
    ]
    return [angles[number] for number in np.argsort(np.round(heights, 6), kind="stable")]
