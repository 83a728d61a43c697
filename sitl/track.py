"""The way over waypoints: legs after each other, and the corners between them.

A corner is the end of one leg and the start of the next, flown at the same time and added up.

Source: SCurve::advance_target_along_track and AC_WPNav, 4.7.0-dev, for when a corner begins and
when a waypoint counts as reached.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from skymist.sitl.legs import Leg, Limits, Point

LATE_S = 0.2
"""How late a copter begins to brake when its track is taken away."""
PACE_GAIN, PACE_JERK_MPS3 = 2.2, 5.0
"""How a pause on the way is shaped; fitted to DO_PAUSE_CONTINUE on SITL."""


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
        stop = stopping_point(here, velocity, limits.accel_mps2)
        self._destination = stop
        self._origin = stop
        self._last: Leg | None = None
        self._this = Leg(stop, stop, limits)
        self._next: Leg | None = None
        self._scale = 1.0
        self._scale_rate = 0.0
        self.is_paused = False
        self.is_reached = True
        self.position = here
        self.velocity = velocity
        self.accel_x = self.accel_y = 0.0

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
        self._next = None
        self._destination = destination
        self.is_reached = False

    def then(self, destination: Point) -> None:
        """Name the waypoint after this one, so that this one is passed without a stop."""
        self._next = Leg(self._destination, destination, self.limits)

    def change_limits(self, limits: Limits) -> None:
        """Fly faster or slower from here on, as far as the legs have room for it."""
        self.limits = limits
        self._this.change_speed(limits)
        if self._next is not None:
            self._next.change_speed(limits)

    def _rescale(self, dt: float) -> None:
        """Bring the pace of the leg to rest while it is paused, and back, within the limits."""
        wanted = 0.0 if self.is_paused else 1.0
        gap = wanted - self._scale
        if abs(gap) < 1e-4:
            self._scale, self._scale_rate = wanted, 0.0
            return
        base = max(self._this.speed_mps, 0.1)
        most = self.limits.accel_mps2 / base
        rate = max(-most, min(most, gap * PACE_GAIN))
        jolt = PACE_JERK_MPS3 / base * dt
        self._scale_rate += max(-jolt, min(jolt, rate - self._scale_rate))
        self._scale = max(0.0, self._scale + self._scale_rate * dt)

    def advance(self, dt: float) -> None:
        """Move on by `dt` seconds; sets `position`, `velocity` and `is_reached`."""
        self._rescale(dt)
        scale = self._scale
        step = dt * scale
        this, last, early = self._this, self._last, self._next
        this.t = min(this.t + step, this.end_s)
        s, v, a = this.at(this.t)
        unit, origin = this.unit, self._origin
        ax, ay = unit.x * a, unit.y * a
        x, y, z = origin.x + unit.x * s, origin.y + unit.y * s, origin.z + unit.z * s
        vx, vy, vz = unit.x * v, unit.y * v, unit.z * v
        if last is not None:
            last.t = min(last.t + step, last.end_s)
            s, v, a = last.at(last.t)
            s, unit = s - last.length_m, last.unit
            ax, ay = ax + unit.x * a, ay + unit.y * a
            x, y, z = x + unit.x * s, y + unit.y * s, z + unit.z * s
            vx, vy, vz = vx + unit.x * v, vy + unit.y * v, vz + unit.z * v
            if last.t >= last.end_s:
                self._last = None
        done = this.t >= this.end_s
        if early is not None and (early.t > 0 or self._may_turn(this, early)):
            early.t = min(early.t + step, early.end_s)
            s, v, a = early.at(early.t)
            unit = early.unit
            ax, ay = ax + unit.x * a, ay + unit.y * a
            x, y, z = x + unit.x * s, y + unit.y * s, z + unit.z * s
            vx, vy, vz = vx + unit.x * v, vy + unit.y * v, vz + unit.z * v
            done = done or early.t >= this.end_s - this.t
        self.is_reached = self.is_reached or done
        self.position, self.velocity = Point(x, y, z), Point(vx * scale, vy * scale, vz * scale)
        pace = self._scale_rate
        self.accel_x = ax * scale * scale + vx * pace
        self.accel_y = ay * scale * scale + vy * pace
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


def stopping_point(here: Point, velocity: Point, accel_mps2: float) -> Point:
    """Give where a copter comes to rest that stops now."""
    slide = _stopping(velocity, accel_mps2)
    t = slide.total_s / 2 if slide is not None else 0.0
    return Point(here.x + velocity.x * t, here.y + velocity.y * t, here.z + velocity.z * t)


def _stopping(velocity: Point, accel_mps2: float) -> _Slide | None:
    """Give the slide to rest from a velocity.

    Source: AC_PosControl's stopping point: speed over gain below accel / gain, and that of a
    square-root controller above; gain 1 /s.
    """
    speed = math.sqrt(velocity.x**2 + velocity.y**2 + velocity.z**2)
    if speed < 0.05:
        return None
    way = speed if speed < accel_mps2 else accel_mps2 / 2 + speed * speed / (2 * accel_mps2)
    total = 2 * way / speed + 2 * LATE_S
    return _Slide(velocity.x, velocity.y, velocity.z, total, total)
