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


def _change(dv: float, accel: float, jerk: float, edge: float) -> list[tuple[float, float]]:
    """Give the pieces of a change of speed by `dv`: durations and jerks."""
    if abs(dv) < 1e-9:
        return []
    rise = (math.sqrt(edge * edge + 4 * abs(dv) / jerk) - edge) / 2
    flat = 0.0
    if jerk * rise > accel:
        rise = accel / jerk
        flat = abs(dv) / accel - (edge + rise)
    return _pieces(rise, flat, edge, math.copysign(jerk, dv))


def _pieces(rise: float, flat: float, edge: float, jerk: float) -> list[tuple[float, float]]:
    half = edge / 2
    return [(half, 0.0), (rise, jerk), (edge + flat, 0.0), (rise, -jerk), (half, 0.0)]


def _way_m(pieces: list[tuple[float, float]], v: float) -> float:
    """Metres that a change of speed takes, begun at `v`: its jerk is the same from both ends."""
    total_s = sum(t for t, _ in pieces)
    gained = _gain(pieces)
    return (v + gained / 2) * total_s


def _gain(pieces: list[tuple[float, float]]) -> float:
    """How much faster, or slower, a change of speed ends."""
    if not pieces:
        return 0.0
    (_, _), (rise, jerk), (middle, _), _, _ = pieces
    return jerk * rise * (rise + middle)


class Leg:
    """A straight way from rest to rest. `t` is how far along in time."""

    __slots__ = (
        "_accel_mps2",
        "_change",
        "_change_end_s",
        "_edge_s",
        "_flat_s",
        "_head",
        "_jerk_mps3",
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
        self.accel_end_s = self.decel_start_s = self.end_s = self._change_end_s = 0.0
        self._jerk_mps3, self._edge_s = limits.jerk_mps3, limits.edge_s
        if self.length_m < 1e-6:
            self.length_m = 0.0
            self.unit = Point(0.0, 0.0, 0.0)
            self.speed_mps = 0.0
            self._times, self._parts = [0.0], [(0.0, 0.0, 0.0, 0.0)]
            return
        self.unit = unit = Point(dx / self.length_m, dy / self.length_m, dz / self.length_m)
        level = math.hypot(unit.x, unit.y)
        self.speed_mps = self._speed_within(limits)
        self._accel_mps2 = along(level, abs(unit.z), limits.accel_mps2, limits.accel_z_mps2)
        self._plan()

    def _speed_within(self, limits: Limits) -> float:
        unit = self.unit
        vertical = limits.up_mps if unit.z > 0 else limits.down_mps
        return along(math.hypot(unit.x, unit.y), abs(unit.z), limits.speed_mps, vertical)

    def _plan(self) -> None:
        rise, flat, edge = _ramp(
            self.length_m, self.speed_mps, self._accel_mps2, self._jerk_mps3, self._edge_s
        )
        self._flat_s = flat
        start = _pieces(rise, flat, edge, self._jerk_mps3)
        self._lay(start, [], start)

    def _lay(
        self,
        head: list[tuple[float, float]],
        change: list[tuple[float, float]],
        stop: list[tuple[float, float]],
    ) -> None:
        """Lay the pieces out in time; `stop` is the start from rest that the end mirrors."""
        self._head, self._change = head, change
        times, parts = [0.0], []
        s = v = a = 0.0

        def go(t: float, j: float) -> None:
            nonlocal s, v, a
            parts.append((s, v, a, j))
            s += v * t + a * t * t / 2 + j * t * t * t / 6
            v += a * t + j * t * t / 2
            a += j * t
            times.append(times[-1] + t)

        for t, j in head:
            go(t, j)
        self.accel_end_s = times[-1]
        for t, j in change:
            go(t, j)
        self._change_end_s = times[-1]
        left_m = self.length_m - s - _way_m(stop, 0.0)
        go(max(0.0, left_m) / v, 0.0)
        self.decel_start_s = times[-1]
        for t, j in stop:
            go(t, -j)
        parts.append((self.length_m, 0.0, 0.0, 0.0))
        self._times, self._parts = times, parts
        self.end_s = times[-1]

    def change_speed(self, limits: Limits) -> None:
        """Fly the rest at another speed, as far as there is room for it.

        A leg that brakes already, or that is too short to change, stays as it is; one that still
        gathers speed does so to the end and changes then, but for a part of constant
        acceleration, which is cut short.

        Source: SCurve::set_speed_max, 4.7.0-dev.
        """
        if self.length_m == 0.0:
            return
        speed = self._speed_within(limits)
        if speed == self.speed_mps:
            return
        self.speed_mps = speed
        if self.t == 0.0:
            self._plan()
            return
        if self.t >= self.decel_start_s:
            return
        head = self._head_by_now(speed)
        s, v = _ends(head)
        accel, jerk, edge = self._accel_mps2, self._jerk_mps3, self._edge_s
        room_m = self.at(self.decel_start_s)[0] - s
        snap_s = min((abs(speed - v) * edge / (4 * jerk)) ** (1 / 3), edge / 2)
        wanted = v
        if speed < v and 12 * snap_s < room_m / v:
            wanted = speed
        elif speed > v and room_m > 12 * snap_s * v:
            wanted = self._reachable(speed, s, v)
        change = _change(wanted - v, accel, jerk, edge)
        stop = _pieces(*_ramp(2 * self.length_m, wanted, accel, jerk, edge), jerk)
        self._lay(head, change, stop)

    def _head_by_now(self, speed: float) -> list[tuple[float, float]]:
        """What of the plan stays: up to the end of the change of speed that is on its way."""
        if self.t > self._change_end_s:
            return [*self._head, *self._change, (self.t - self._change_end_s, 0.0)]
        if self.t >= self.accel_end_s:
            return [*self._head, *self._change]
        head = self._head
        (half, _), (rise, jerk), (middle, _), down, out = head[:5]
        began_s, ended_s = half + rise, half + rise + middle
        if len(head) == 5 and self._flat_s > 0 and self.t < ended_s:
            gained = jerk * rise * (rise + middle)
            spare_s = min(self._flat_s, ended_s - max(self.t, began_s))
            cut_s = max(0.0, min(spare_s, (gained - speed) / (jerk * rise)))
            self._flat_s -= cut_s
            head = [head[0], head[1], (middle - cut_s, 0.0), down, out]
        return head

    def _reachable(self, speed: float, s: float, v: float) -> float:
        """The speed up to the one wanted from which the leg can still be braked to its end."""
        accel, jerk, edge = self._accel_mps2, self._jerk_mps3, self._edge_s
        low, high = v, speed
        for step in range(30):
            top = high if step == 0 else (low + high) / 2
            up = _way_m(_change(top - v, accel, jerk, edge), v)
            down = _way_m(_change(-top, accel, jerk, edge), top)
            if up + down <= self.length_m - s:
                if step == 0:
                    return top
                low = top
            elif step:
                high = top
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


def _ends(pieces: list[tuple[float, float]]) -> tuple[float, float]:
    """Metres and speed at the end of pieces that begin at rest."""
    s = v = a = 0.0
    for t, j in pieces:
        s += v * t + a * t * t / 2 + j * t * t * t / 6
        v += a * t + j * t * t / 2
        a += j * t
    return s, v
