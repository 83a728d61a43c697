"""Straight legs flown with limited jerk, and the corners between them.

A leg starts and ends at rest; a corner is the end of one leg and the start of the next, flown at
the same time and added up. Time is asked for, not kept by a clock.

Source: ArduPilot's SCurve and AC_WPNav, whose limits, corner conditions and end of a leg are
followed; the jerk's raised-cosine edges are replaced by an idle half of their length, which
changes a position by about a millimetre.
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


def _along(level: float, rise: float, xy: float, z: float) -> float:
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
        low = edge = (length_m / (8 * jerk)) ** (1 / 3)
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
        self.speed_mps = _along(level, abs(unit.z), limits.speed_mps, vertical)
        accel = _along(level, abs(unit.z), limits.accel_mps2, limits.accel_z_mps2)
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


@dataclass(slots=True)
class _Slide:
    """What is left of a motion when a track is taken up on the way: constant braking."""

    vx: float
    vy: float
    vz: float
    left_s: float
    total_s: float


class Track:
    """The way over waypoints: the leg flown, the one that ends, the one that may begin early.

    `x y z` and `vx vy vz` follow from `advance`. A waypoint with a next one known is passed
    without a stop; without it, it is reached at rest.
    """

    def __init__(self, here: Point, velocity: Point, limits: Limits) -> None:
        self.limits = limits
        self._slide = _stopping(velocity, limits.accel_mps2)
        stop = here
        if self._slide is not None:
            t = self._slide.total_s / 2
            stop = Point(here.x + velocity.x * t, here.y + velocity.y * t, here.z + velocity.z * t)
        self._destination = stop
        self._origin = stop
        self._last: Leg | None = None
        self._this = Leg(stop, stop, limits)
        self._next: Leg | None = None
        self._scale = 1.0
        self._wanted_mps = limits.speed_mps
        self.is_paused = False
        self.is_reached = True
        self.position = here
        self.velocity = velocity

    @property
    def destination(self) -> Point:
        """The waypoint that is flown to."""
        return self._destination

    @property
    def heading_rad(self) -> float | None:
        """Where the leg points, left from east; None for a leg without a level part."""
        unit = self._this.unit
        return math.atan2(unit.y, unit.x) if abs(unit.x) + abs(unit.y) > 1e-6 else None

    def fly_to(self, destination: Point, limits: Limits) -> None:
        """Take the next waypoint; the one before must be reached."""
        self._origin = self._destination
        self._last = self._this
        early = self._next
        if early is not None and early.end == destination and early.t > 0:
            self._this = early
        else:
            self._this = Leg(self._origin, destination, limits)
            self._scale = 1.0
        self.limits = limits
        self._wanted_mps = limits.speed_mps
        self._next = None
        self._destination = destination
        self.is_reached = False

    def then(self, destination: Point) -> None:
        """Name the waypoint after this one, so that this one is passed without a stop."""
        self._next = Leg(self._destination, destination, self.limits)

    def change_limits(self, limits: Limits) -> None:
        """Fly faster or slower from here on."""
        if self._this.t == 0 and not self.is_reached:
            self._this = Leg(self._origin, self._destination, limits)
            self._scale = 1.0
        self.limits = limits
        self._wanted_mps = limits.speed_mps
        if self._next is not None and self._next.t == 0:
            self._next = Leg(self._destination, self._next.end, limits)

    def _rescale(self, dt: float) -> None:
        """Bring the pace of the leg towards the wanted speed, no harder than allowed."""
        base = self._this.speed_mps
        wanted = 0.0 if self.is_paused else 1.0
        if base > 0 and not self.is_paused:
            unit = self._this.unit
            level = math.hypot(unit.x, unit.y)
            lim = self.limits
            vertical = lim.up_mps if unit.z > 0 else lim.down_mps
            wanted = _along(level, abs(unit.z), self._wanted_mps, vertical) / base
        if self._scale != wanted:
            most = self.limits.accel_mps2 / max(base, 0.1) * dt
            self._scale += max(-most, min(most, wanted - self._scale))

    def advance(self, dt: float) -> None:
        """Move on by `dt` seconds; sets `position`, `velocity` and `is_reached`."""
        self._rescale(dt)
        scale = self._scale
        step = dt * scale
        this, last, early = self._this, self._last, self._next
        this.t = min(this.t + step, this.end_s)
        s, v, _ = this.at(this.t)
        unit, origin = this.unit, self._origin
        x, y, z = origin.x + unit.x * s, origin.y + unit.y * s, origin.z + unit.z * s
        vx, vy, vz = unit.x * v, unit.y * v, unit.z * v
        if last is not None:
            last.t = min(last.t + step, last.end_s)
            s, v, _ = last.at(last.t)
            s, unit = s - last.length_m, last.unit
            x, y, z = x + unit.x * s, y + unit.y * s, z + unit.z * s
            vx, vy, vz = vx + unit.x * v, vy + unit.y * v, vz + unit.z * v
            if last.t >= last.end_s:
                self._last = None
        done = this.t >= this.end_s
        if early is not None and (early.t > 0 or self._may_turn(this, early)):
            early.t = min(early.t + step, early.end_s)
            s, v, _ = early.at(early.t)
            unit = early.unit
            x, y, z = x + unit.x * s, y + unit.y * s, z + unit.z * s
            vx, vy, vz = vx + unit.x * v, vy + unit.y * v, vz + unit.z * v
            done = done or early.t >= this.end_s - this.t
        self.is_reached = self.is_reached or done
        self.position, self.velocity = Point(x, y, z), Point(vx * scale, vy * scale, vz * scale)
        if self._slide is not None:
            self._glide(self._slide, dt)

    def _may_turn(self, this: Leg, early: Leg) -> bool:
        """Say whether the next leg may begin before this one has ended."""
        left = this.end_s - this.t
        if this.t < this.decel_start_s or left > early.accel_end_s:
            return False
        s, v, a = this.at(this.t + left / 2)
        s1, v1, a1 = early.at(left / 2)
        u, w, back = this.unit, early.unit, s - this.length_m
        limits = self.limits
        offset = math.dist((u.x * back, u.y * back, u.z * back), (-w.x * s1, -w.y * s1, -w.z * s1))
        speed = math.dist((u.x * v, u.y * v, u.z * v), (-w.x * v1, -w.y * v1, -w.z * v1))
        accel = math.hypot(u.x * a + w.x * a1, u.y * a + w.y * a1)
        return (
            offset < limits.radius_m
            and speed < min(this.speed_mps, early.speed_mps)
            and accel < limits.corner_mps2
            and abs(u.z * a + w.z * a1) < min(this.accel_z_mps2, early.accel_z_mps2)
        )

    def _glide(self, slide: _Slide, dt: float) -> None:
        """Add what is left of the motion from before the track."""
        slide.left_s -= dt
        if slide.left_s <= 0:
            self._slide = None
            return
        share = slide.left_s / slide.total_s
        back = -slide.left_s * share / 2
        p, v = self.position, self.velocity
        self.position = Point(p.x + slide.vx * back, p.y + slide.vy * back, p.z + slide.vz * back)
        self.velocity = Point(
            v.x + slide.vx * share, v.y + slide.vy * share, v.z + slide.vz * share
        )


def _stopping(velocity: Point, accel_mps2: float) -> _Slide | None:
    """Give the slide to rest from a velocity.

    Source: AC_PosControl's stopping point: speed over gain below accel / gain, and that of a
    square-root controller above; gain 1 /s.
    """
    speed = math.sqrt(velocity.x**2 + velocity.y**2 + velocity.z**2)
    if speed < 0.05:
        return None
    way = speed if speed < accel_mps2 else accel_mps2 / 2 + speed * speed / (2 * accel_mps2)
    total = 2 * way / speed
    return _Slide(velocity.x, velocity.y, velocity.z, total, total)
