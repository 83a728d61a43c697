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
    outside_m2: float

    def spares_more_than(self, other: Strips) -> bool:
        """Whether these spray less outside than others by more than they reach less."""
        return self.outside_m2 + other.reached_m2 < other.outside_m2 + self.reached_m2

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
    x, strip = _probed(ground, levels, offsets)
    centre_x, centre = crossings(flyable, levels)
    return _above(
        np.concatenate([x, centre_x]),
        # A weight of 1 for the centre: on only where it and the share are both there.
        np.concatenate([_in_out(len(x)) / PROBES, _in_out(len(centre_x))]),
        np.concatenate([strip, centre]),
        1.0 + least_share,
    )


def _probed(ground: Floats, levels: Floats, offsets: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Crossings with lines at `offsets` from each level, and the number of the level."""
    probes = (levels[:, None] + offsets).ravel()
    rank = np.argsort(probes, kind="stable")
    x, line = crossings(ground, probes[rank])
    return x, rank[line] // len(offsets)


def kept_inside(found: Floats, ground: Floats, levels: Floats, width_m: float) -> Floats:
    """Those stretches of runs whose full width lies on `ground`; their centres do already.

    Where a wall crosses the strip it blocks the run, over the exact stretch that it takes up.
    """
    half_m = width_m / 2 * (1 - 1e-6)
    low, high = ground[:, :, 1].min(axis=1), ground[:, :, 1].max(axis=1)
    first = np.searchsorted(levels, low - half_m, side="right")
    count = np.maximum(np.searchsorted(levels, high + half_m, side="left") - first, 0)
    wall = np.repeat(np.arange(len(ground)), count)
    strip = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[wall]
    (ax, ay), (bx, by) = ground[wall, 0].T, ground[wall, 1].T
    rise = np.where(ay == by, 1.0, by - ay)
    enter, leave = (levels[strip] - half_m - ay) / rise, (levels[strip] + half_m - ay) / rise
    flat = ay == by
    one = np.where(flat, 0.0, np.clip(np.minimum(enter, leave), 0, 1))
    other = np.where(flat, 1.0, np.clip(np.maximum(enter, leave), 0, 1))
    ends = np.stack([ax + one * (bx - ax), ax + other * (bx - ax)])
    # A run weighs 2, so that on it a share of 1 is counted as reached.
    runs_on, run_strip = np.full(len(found), 2.0), found[:, 2].astype(np.intp)
    blocks = np.ones(len(wall))
    return _above(
        np.concatenate([found[:, 0], found[:, 1], ends.min(axis=0), ends.max(axis=0)]),
        np.concatenate([runs_on, -runs_on, -blocks, blocks]),
        np.concatenate([run_strip, run_strip, strip, strip]),
        2.0,
    )


def _in_out(count: int) -> Floats:
    return np.where(np.arange(count) % 2 == 0, 1.0, -1.0)


def levels_over(low_m: float, high_m: float, width_m: float, slack: float) -> Floats:
    """Centres of evenly spaced strips from `low_m` to `high_m`; `slack` of one may be missing.

    The outer strips stay inside the two ends: where strips must be too close, they overlap.
    """
    count = max(1, math.ceil((high_m - low_m) / width_m - slack))
    half_m = min(width_m, (high_m - low_m) / count) / 2
    return (
        np.linspace(low_m, high_m, 2 * count + 1)[1::2]
        if count == 1
        else np.linspace(low_m + half_m, high_m - half_m, count)
    )


def strips_over(
    ground: Floats,
    flyable: Floats,
    *,
    angle_rad: float,
    width_m: float,
    least_share: float,
    slack: float,
    within: Floats | None = None,
) -> Strips:
    """The passes of one angle over a piece of ground given by its edges, shape (n, 2, 2).

    With `within`, edges too, no pass sprays outside of it.
    """
    near, fly = turned(ground, -angle_rad), turned(flyable, -angle_rad)
    low_m, high_m = float(near[:, :, 1].min()), float(near[:, :, 1].max())
    levels = levels_over(low_m, high_m, width_m, slack)
    # Of ground lower than one strip, the share that counts is that of its height.
    found = runs(near, fly, levels, min(width_m, high_m - low_m), least_share)
    if within is not None:
        found = kept_inside(found, turned(within, -angle_rad), levels, width_m)
    found = found[found[:, 1] - found[:, 0] > SHORTEST_M]
    spacing_m = float(levels[1] - levels[0]) if len(levels) > 1 else width_m
    return Strips(
        angle_rad=angle_rad,
        x0_m=found[:, 0],
        x1_m=found[:, 1],
        y_m=levels[found[:, 2].astype(int)],
        reached_m2=float(found[:, 3].sum()) * min(width_m, spacing_m),
        outside_m2=float((found[:, 1] - found[:, 0] - found[:, 3]).sum()) * width_m,
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
