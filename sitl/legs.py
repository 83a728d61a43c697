"""A straight leg flown from rest to rest with limited jerk. Corners are the matter of `track`.

Source: ArduPilot's SCurve and AC_WPNav, whose limits are followed; the jerk's raised-cosine edges
are replaced by an idle half of their length, which changes a position by about a millimetre.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

EDGE_S = 0.3
"""Length of the jerk's edges: 1 m/s3 over half of pi/2/0.15 s, ATC_INPUT_TC's default."""


class Point(NamedTuple):
    """Metres east, north and up."""

    x: float
    y: float
    z: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast a leg may be flown. `corner_mps2` bounds the acceleration in a corner."""

    speed_mps: float
    up_mps: float
    down_mps: float
    accel_mps2: float
    accel_z_mps2: float
    jerk_mps3: float
    corner_mps2: float
    radius_m: float
    edge_s: float = EDGE_S


def along(level: float, rise: float, xy: float, z: float) -> float:
    """Give the largest value along a direction whose parts stay within `xy` and `z`."""
    if rise < 1e-9:
        return xy
    if level < 1e-9:
        return z
    return min(xy / level, z / rise)


def _ramp(
    length_m: float, speed: float, accel: float, jerk: float, edge: float
) -> tuple[float, float, float]:
    """Give jerk time, constant-acceleration time and edge of a start that fits half a length."""
    rise = (math.sqrt(edge * edge + 4 * speed / jerk) - edge) / 2
    flat = 0.0
    if jerk * rise > accel:
        rise = accel / jerk
        flat = speed / accel - (edge + rise)
    if (jerk * rise * (edge + rise + flat)) * (2 * (edge + rise) + flat) <= length_m:
        return rise, flat, edge
    if jerk * rise >= accel:
        turn = edge + rise
        top = accel * (math.sqrt(turn * turn + 4 * length_m / accel) - turn) / 2
        if top >= accel * turn:
            return rise, top / accel - turn, edge
    low, high = 0.0, rise
    for _ in range(40):
        rise = (low + high) / 2
        if 2 * jerk * rise * (edge + rise) ** 2 > length_m:
            high = rise
        else:
            low = rise
    if low < edge:
        # A short leg: the edges shrink with it, as far as speed and acceleration allow.
        shortest = min((length_m / (8 * jerk)) ** (1 / 3), math.sqrt(speed / (2 * jerk)))
        low = edge = min(shortest, accel / jerk)
    return low, 0.0, edge


class Leg:
    """A straight way from rest to rest. `t` is how far along in time."""

    __slots__ = (
        "_parts",
        "_times",
        "accel_end_s",
        "accel_z_mps2",
        "decel_start_s",
        "end",
        "end_s",
        "length_m",
        "speed_mps",
        "t",
        "unit",
    )

    def __init__(self, start: Point, end: Point, limits: Limits) -> None:
        dx, dy, dz = end.x - start.x, end.y - start.y, end.z - start.z
        self.length_m = math.sqrt(dx * dx + dy * dy + dz * dz)
        self.end = end
        self.t = 0.0
        self.accel_z_mps2 = limits.accel_z_mps2
        if self.length_m < 1e-6:
            self.length_m = 0.0
            self.unit = Point(0.0, 0.0, 0.0)
            self.speed_mps = self.end_s = self.accel_end_s = self.decel_start_s = 0.0
            self._times, self._parts = [0.0], [(0.0, 0.0, 0.0, 0.0)]
            return
        self.unit = unit = Point(dx / self.length_m, dy / self.length_m, dz / self.length_m)
        level = math.hypot(unit.x, unit.y)
        vertical = limits.up_mps if unit.z > 0 else limits.down_mps
        self.speed_mps = along(level, abs(unit.z), limits.speed_mps, vertical)
        accel = along(level, abs(unit.z), limits.accel_mps2, limits.accel_z_mps2)
        self._plan(accel, limits.jerk_mps3, limits.edge_s)

    def _plan(self, accel: float, jerk: float, edge: float) -> None:
        rise, flat, edge = _ramp(self.length_m, self.speed_mps, accel, jerk, edge)
        half = edge / 2
        start = [(half, 0.0), (rise, jerk), (edge + flat, 0.0), (rise, -jerk), (half, 0.0)]
        top = jerk * rise * (edge + rise + flat)
        used_m = top * (2 * (edge + rise) + flat)
        cruise = max(0.0, self.length_m - used_m) / top
        pieces = [*start, (cruise, 0.0), *((t, -j) for t, j in start)]
        times, parts = [0.0], []
        s = v = a = 0.0
        for t, j in pieces:
            parts.append((s, v, a, j))
            s += v * t + a * t * t / 2 + j * t * t * t / 6
            v += a * t + j * t * t / 2
            a += j * t
            times.append(times[-1] + t)
        parts.append((self.length_m, 0.0, 0.0, 0.0))
        self._times, self._parts = times, parts
        self.end_s = times[-1]
        self.accel_end_s, self.decel_start_s = times[5], times[6]

    def time_at(self, length_m: float) -> float:
        """When the leg is so far along; by bisection, to a millisecond."""
        low, high = 0.0, self.end_s
        while high - low > 1e-3:
            middle = (low + high) / 2
            if self.at(middle)[0] < length_m:
                low = middle
            else:
                high = middle
        return low

    def at(self, t: float) -> tuple[float, float, float]:
        """Metres along, speed and acceleration at a time on the leg."""
        i = bisect_right(self._times, t) - 1
        s, v, a, j = self._parts[i]
        t -= self._times[i]
        return (
            s + t * (v + t * (a / 2 + t * j / 6)),
            v + t * (a + t * j / 2),
            a + t * j,
        )
