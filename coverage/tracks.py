"""From a flown track to the strips and discs that its spray fell on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skymist.coverage.errors import PlanError
from skymist.coverage.raster import Discs, Strips, strips_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STANDSTILL_MPS = 0.15
"""Below this a drone counts as standing still: half of the slowest pass. [P]"""
GAP_S = 2.0
"""Samples further apart than this prove nothing about what lies between. [P]"""
_FLOW_JUMP_FRAC = 0.2
_STRIP_SHARE = 0.25
_PIECE_M = 4.0
_POINT_M = 1e-3
_LOOK_S = 1.0


class Sample(NamedTuple):
    """One moment of a track: seconds, local metres, litres per second leaving the nozzles."""

    t_s: float
    x: float
    y: float
    flow_lps: float


class Wetting(NamedTuple):
    """What a track wetted, and seconds with the pump on that no samples prove."""

    strips: Strips
    discs: Discs
    unproven_s: float


def wetting(
    samples: Sequence[Sample] | NDArray[np.float64],
    swath_m: float,
    *,
    cell_m: float = 0.25,
    gap_s: float = GAP_S,
) -> Wetting:
    """Strips and discs under a track, shape (n, 4) as `Sample`, in order of time.

    Between two samples the mean of their flows is spread evenly along the way, over a strip of
    `swath_m` across the course. Steps are joined up to a quarter of the swath, so that jitter of
    the position does not turn the strip; nearly standing still the spray falls on a disc.
    """
    track = np.asarray(samples, dtype=float).reshape(-1, 4)
    if not (0 < swath_m < np.inf and np.isfinite(track).all()):
        raise PlanError(f"track: wanted finite samples and swath_m above 0, got {swath_m}")
    if np.any(np.diff(track[:, 0]) < 0):
        raise PlanError("track: samples must be in order of time")
    at, flow = track[:, 1:3], track[:, 3]
    span_s = np.diff(track[:, 0])
    litres = (flow[:-1] + flow[1:]) / 2 * span_s
    is_gap = span_s > gap_s
    unproven_s = float(np.sum(span_s[is_gap & (flow[:-1] > 0)]))
    wet = np.flatnonzero((litres > 0) & ~is_gap)
    if not len(wet):
        return Wetting(*_nothing(), unproven_s)
    is_still = _speed(track)[wet] < STANDSTILL_MPS
    first = _group_starts(track, wet, is_still, swath_m, cell_m)
    last = np.append(first[1:], len(wet)) - 1
    begin, end = at[wet[first]], at[wet[last] + 1]
    total = np.add.reduceat(litres[wet], first)
    middle = (at[wet] + at[wet + 1]) / 2 * litres[wet, None]
    centre = np.add.reduceat(middle, first, axis=0) / total[:, None]
    on_disc = is_still[first]
    on_strip = ~on_disc & (np.hypot(*(end - begin).T) > _POINT_M)
    touches = wet[last[:-1]] + 1 == wet[first[1:]]
    _hand_on(total, on_disc, on_strip, touches)
    run = np.flatnonzero(on_strip)
    follows = np.append(touches & on_strip[1:], False)
    strips = _in_pieces(begin[run], end[run], total[run], follows[run], swath_m)
    width = np.full(np.count_nonzero(on_disc), float(swath_m))
    return Wetting(strips, Discs(centre[on_disc], width, total[on_disc]), unproven_s)


def _hand_on(
    total_l: NDArray[np.float64],
    on_disc: NDArray[np.bool_],
    on_strip: NDArray[np.bool_],
    touches: NDArray[np.bool_],
) -> None:
    """Give the litres of moves too short for a strip to the strip beside, or make them discs.

    Such moves come from telemetry that repeats a position, or from the edges of a stop.
    """
    still = np.append(False, np.append(on_disc, False))
    for point in np.flatnonzero(~on_disc & ~on_strip):
        if still[point] or still[point + 2]:
            on_disc[point] = True
        elif point > 0 and touches[point - 1] and on_strip[point - 1]:
            total_l[point - 1] += total_l[point]
        elif point < len(touches) and touches[point] and on_strip[point + 1]:
            total_l[point + 1] += total_l[point]
        else:
            on_disc[point] = True


def path_strips(path: Sequence[tuple[float, float]], swath_m: float, litres_l: float) -> Strips:
    """Strips along a path flown at one speed and flow."""
    points = np.asarray(path, dtype=float).reshape(-1, 2)
    length = np.hypot(*np.diff(points, axis=0).T)
    points = points[np.append(True, length > 1e-9)]
    length = length[length > 1e-9]
    if not len(length):
        return _nothing()[0]
    litres = litres_l * length / float(np.sum(length))
    joined = np.ones(len(length), dtype=bool)
    return _in_pieces(points[:-1], points[1:], litres, joined, swath_m)


def _in_pieces(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    litres_l: NDArray[np.float64],
    is_joined: NDArray[np.bool_],
    swath_m: float,
) -> Strips:
    """Strips of at most `_PIECE_M`, so that a long slanting one needs no box as long as itself."""
    parts = np.maximum(1, np.ceil(np.hypot(*(end - start).T) / _PIECE_M)).astype(np.int64)
    leg = np.repeat(np.arange(len(start)), parts)
    part = np.arange(len(leg)) - np.repeat(np.cumsum(parts) - parts, parts)
    is_last = part + 1 == parts[leg]
    begin = (part / parts[leg])[:, None]
    stop = ((part + 1) / parts[leg])[:, None]
    return strips_between(
        start[leg] * (1 - begin) + end[leg] * begin,
        start[leg] * (1 - stop) + end[leg] * stop,
        np.full(len(leg), float(swath_m)),
        litres_l[leg] / parts[leg],
        ~is_last | is_joined[leg],
    )


def _speed(track: NDArray[np.float64]) -> NDArray[np.float64]:
    """Speed around each step, over some seconds against jitter and repeated positions."""
    middle_s = (track[1:, 0] + track[:-1, 0]) / 2
    before = np.searchsorted(track[:, 0], middle_s - _LOOK_S, side="left")
    after = np.searchsorted(track[:, 0], middle_s + _LOOK_S, side="right") - 1
    steps = np.arange(len(track) - 1)
    before, after = np.minimum(before, steps), np.maximum(after, steps + 1)
    away = np.hypot(*(track[after, 1:3] - track[before, 1:3]).T)
    return np.asarray(away / np.maximum(track[after, 0] - track[before, 0], 1e-9))


def _group_starts(
    track: NDArray[np.float64],
    wet: NDArray[np.int64],
    is_still: NDArray[np.bool_],
    swath_m: float,
    cell_m: float,
) -> NDArray[np.int64]:
    """Where in `wet` a new strip or disc begins: after a break, a jump of flow, or a length."""
    flow = (track[wet, 3] + track[wet + 1, 3]) / 2
    step = np.hypot(*(track[wet + 1, 1:3] - track[wet, 1:3]).T)
    breaks = np.append(True, (np.diff(wet) > 1) | (np.diff(is_still.astype(np.int8)) != 0))
    jump = np.abs(np.diff(flow)) > _FLOW_JUMP_FRAC * np.maximum(flow[1:], flow[:-1])
    breaks[1:] |= jump
    begun_m = np.cumsum(step) - step
    run = np.cumsum(breaks) - 1
    along_m = begun_m - begun_m[breaks][run]
    unit_m = np.where(is_still, cell_m, max(cell_m, swath_m * _STRIP_SHARE))
    piece = np.floor(along_m / unit_m + 1e-9)
    breaks[1:] |= np.diff(piece) > 0
    return np.flatnonzero(breaks)


def _nothing() -> tuple[Strips, Discs]:
    none, point = np.empty(0), np.empty((0, 2))
    return Strips(point, point, point, point, none, none), Discs(point, none, none)
