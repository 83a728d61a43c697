"""How the copter moves: along a track, up, down, to a stop, or not at all.

One manoeuvre at a time; what calls for it is the matter of `modes` and `auto`. Wind and GPS
noise are added by `air`.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from skymist.sitl.legs import Limits, Point
from skymist.sitl.track import Track

if TYPE_CHECKING:
    from skymist.sitl.params import Params
    from skymist.sitl.state import State

BRAKE_MPS2, BRAKE_GAIN = 7.5, 0.72
LOITER_MPS2 = 2.5
STOP_GAIN = 2.2
"""Deceleration wanted per speed, up to the limit; with the jerk, fitted to stops on SITL."""
DRIFT_GAIN = 0.35
"""The same for a landing without a position: drag alone slows the copter."""
STOP_JERK_MPS3, STOP_LATE_S = 5.0, 0.15
PILOT_DOWN_MPS = 2.5
LEVEL_MPS2, UPRIGHT_MPS2, LEAST_RADIUS_M = 2.5, 1.0, 0.05
"""What stands in for accelerations that are not above 0; the least waypoint radius."""
YAW_RATE_RADPS = math.radians(60)
TAKEOFF_JERK_MPS3 = 5.0
LATE_S, MEND_S = 0.15, 2.5
"""How late a change of speed comes, how fast that is made good; fitted to corners on SITL."""
SETTLE_S = 2.0
"""From touching the ground to the verdict "landed": throttle runs down, then 1 s of quiet."""


class Manoeuvre(Enum):
    """What is being flown."""

    NONE = auto()
    TRACK = auto()
    TAKEOFF = auto()
    DESCENT = auto()
    STOP = auto()
    FALL = auto()


class _Sway:
    """How far a copter is off a point that accelerates, on one axis.

    It answers a change of speed late by `LATE_S`; the position controller makes that good slowly.
    """

    __slots__ = ("off_m", "rate_mps")

    def __init__(self) -> None:
        self.off_m = self.rate_mps = 0.0

    def advance(self, accel_mps2: float, dt: float) -> None:
        """Move on by `dt` seconds of this acceleration."""
        self.rate_mps = -LATE_S * accel_mps2 - self.off_m / MEND_S
        self.off_m += self.rate_mps * dt


class Guidance:
    """The manoeuvre of now. `position` and `velocity` are where the autopilot means to be."""

    def __init__(self, state: State, params: Params) -> None:
        self._state = state
        self._params = params
        self.manoeuvre = Manoeuvre.NONE
        self.position = Point(0.0, 0.0, 0.0)
        self.velocity = Point(0.0, 0.0, 0.0)
        self.track: Track | None = None
        self.speed_mps: float | None = None
        self.up_mps: float | None = None
        self.down_mps: float | None = None
        self.heading_wanted_rad: float | None = None
        self._sway_x, self._sway_y = _Sway(), _Sway()
        self._decel_mps2 = LOITER_MPS2
        self._wait_frac = 0.0
        self._gain = STOP_GAIN
        self._braking_mps2 = 0.0
        self._late_s = 0.0
        self._pilot_sink_mps = 0.0
        self._pause_s = 0.0
        self._quiet_s = 0.0

    def limits(self) -> Limits:
        """Give speeds and accelerations as the parameters and DO_CHANGE_SPEED have them."""
        p = self._params
        accel = p["WP_ACC"] if p["WP_ACC"] > 0 else LEVEL_MPS2
        return Limits(
            speed_mps=max(0.1, self.speed_mps or p["WP_SPD"]),
            up_mps=max(0.1, self.up_mps or p["WP_SPD_UP"]),
            down_mps=max(0.1, self.down_mps or p["WP_SPD_DN"]),
            accel_mps2=accel,
            accel_z_mps2=self._accel_z_mps2(),
            jerk_mps3=p["WP_JERK"] if p["WP_JERK"] > 0 else accel,
            corner_mps2=p["WP_ACC_CNR"] if p["WP_ACC_CNR"] > 0 else 2 * accel,
            radius_m=max(LEAST_RADIUS_M, p["WP_RADIUS_M"]),
        )

    def _accel_z_mps2(self) -> float:
        wanted = self._params["WP_ACC_Z"]
        return wanted if wanted > 0 else UPRIGHT_MPS2

    def settle(self, position: Point) -> None:
        """Stand on the ground."""
        self.manoeuvre, self.track = Manoeuvre.NONE, None
        self.position, self.velocity = position, Point(0.0, 0.0, 0.0)
        self._quiet_s = 0.0

    def forget_speeds(self) -> None:
        """Drop what DO_CHANGE_SPEED set, as entering a mode does."""
        self.speed_mps = self.up_mps = self.down_mps = None

    @property
    def is_there(self) -> bool:
        """Whether the track's waypoint is reached."""
        return self.track is not None and self.track.is_reached

    def go(self, destination: Point, then: Point | None = None) -> None:
        """Fly to a place, and past it towards `then`."""
        limits = self.limits()
        if self.manoeuvre is not Manoeuvre.TRACK or self.track is None or not self.track.is_reached:
            self.track = Track(self.position, self.velocity, limits)
            self._sway_x, self._sway_y = _Sway(), _Sway()
            self.manoeuvre = Manoeuvre.TRACK
        self.track.fly_to(destination, limits)
        if then is not None:
            self.track.then(then)

    def climb_to(self, z: float) -> None:
        """Lift off straight up."""
        here = self.position
        limits = self.limits()
        quick = Limits(
            speed_mps=limits.up_mps,
            up_mps=limits.up_mps,
            down_mps=limits.down_mps,
            accel_mps2=limits.accel_z_mps2,
            accel_z_mps2=limits.accel_z_mps2,
            jerk_mps3=TAKEOFF_JERK_MPS3,
            corner_mps2=limits.corner_mps2,
            radius_m=limits.radius_m,
            edge_s=0.02,
        )
        self.track = Track(here, Point(0.0, 0.0, 0.0), quick)
        self._sway_x, self._sway_y = _Sway(), _Sway()
        self.track.fly_to(Point(here.x, here.y, z), quick)
        self.manoeuvre = Manoeuvre.TAKEOFF

    def stop(self, decel_mps2: float, gain: float = STOP_GAIN) -> None:
        """Come to rest and hold."""
        self.manoeuvre, self.track = Manoeuvre.STOP, None
        self._decel_mps2, self._gain = decel_mps2, gain
        self._braking_mps2, self._late_s = 0.0, STOP_LATE_S

    def descend(
        self, pause_s: float = 0.0, pilot_mps: float = 0.0, gain: float = STOP_GAIN
    ) -> None:
        """Come to rest over the ground and go down: after a pause, or at the pilot's speed."""
        self.stop(self._params["WP_ACC"], gain)
        self.manoeuvre = Manoeuvre.DESCENT
        self._pilot_sink_mps = pilot_mps
        self._pause_s, self._quiet_s = pause_s, 0.0

    def fall(self) -> None:
        """Drop out of the sky."""
        self.manoeuvre, self.track = Manoeuvre.FALL, None

    def speeds_changed(self) -> None:
        """Fly the rest of the track at the speeds of now."""
        if self.track is not None and self.manoeuvre is Manoeuvre.TRACK:
            self.track.change_limits(self.limits())

    def advance(self, dt: float) -> None:
        """Move on by `dt` seconds."""
        match self.manoeuvre:
            case Manoeuvre.TRACK | Manoeuvre.TAKEOFF:
                track = self.track
                if track is not None:
                    self._follow(track, dt)
                    self._turn(track.heading_rad, dt)
            case Manoeuvre.STOP:
                self._glide(dt, 0.0)
            case Manoeuvre.DESCENT:
                self._glide(dt, self._sink_mps(dt))
            case Manoeuvre.FALL:
                self._drop(dt)
            case Manoeuvre.NONE:
                pass

    def _follow(self, track: Track, dt: float) -> None:
        """Be where the track is, give or take what the airframe lags; the track waits for it."""
        pace = 1.0 - self._wait_frac
        track.advance(dt * pace)
        sway_x, sway_y = self._sway_x, self._sway_y
        sway_x.advance(track.accel_x, dt)
        sway_y.advance(track.accel_y, dt)
        p, v = track.position, track.velocity
        self.position = Point(p.x + sway_x.off_m, p.y + sway_y.off_m, p.z)
        vx, vy = v.x * pace + sway_x.rate_mps, v.y * pace + sway_y.rate_mps
        self.velocity = Point(vx, vy, v.z)
        self._wait_frac = 0.0
        level = math.hypot(v.x, v.y)
        if level > 1.0:
            whole = math.hypot(v.x + sway_x.rate_mps, v.y + sway_y.rate_mps)
            over = whole - max(track.limits.speed_mps, level)
            self._wait_frac = max(0.0, min(0.2, over / level))

    @property
    def is_down(self) -> bool:
        """Whether the ground was touched long enough ago to be sure of it."""
        return self._quiet_s >= SETTLE_S

    def _turn(self, wanted: float | None, dt: float) -> None:
        if self.heading_wanted_rad is not None:
            wanted = self.heading_wanted_rad
        if wanted is None:
            return
        state = self._state
        off = math.remainder(wanted - state.heading_rad, math.tau)
        most = YAW_RATE_RADPS * dt
        state.heading_rad += max(-most, min(most, off))

    def _sink_mps(self, dt: float) -> float:
        """Give the wanted descent: fast above LAND_ALT_LOW, then LAND_SPD.

        Source: Mode::land_run_vertical_control, a square-root controller of gain 1 /s.
        """
        if self._pause_s > 0:
            self._pause_s -= dt
            return 0.0
        if self._pilot_sink_mps > 0:
            return self._pilot_sink_mps
        p = self._params
        slow = max(0.1, p["LAND_SPD_MS"])
        fast = max(slow, p["LAND_SPD_HIGH_MS"] or p["WP_SPD_DN"])
        gap = self.position.z - self._state.home[2] - max(1.0, p["LAND_ALT_LOW_M"])
        if gap <= 0:
            return slow
        accel = self._accel_z_mps2()
        wanted = gap if gap < accel else math.sqrt(2 * accel * (gap - accel / 2))
        return max(slow, min(fast, wanted))

    def _glide(self, dt: float, sink_mps: float) -> None:
        """Slow down over the ground and bring the climb to minus `sink_mps`."""
        p, v = self.position, self.velocity
        speed = math.hypot(v.x, v.y)
        self._late_s -= dt
        if self._late_s <= 0:
            wanted = min(self._decel_mps2, self._gain * speed)
            self._braking_mps2 = min(wanted, self._braking_mps2 + STOP_JERK_MPS3 * dt)
        slower = max(0.0, speed - self._braking_mps2 * dt)
        share = slower / speed if speed > 1e-6 else 0.0
        mean = (1 + share) / 2
        most = self._accel_z_mps2() * dt
        vz = v.z + max(-most, min(most, -sink_mps - v.z))
        z = p.z + (v.z + vz) / 2 * dt
        if z <= 0.0:
            z = vz = 0.0
            self._quiet_s += dt
        else:
            self._quiet_s = 0.0
        sway_x, sway_y = self._sway_x, self._sway_y
        sway_x.advance(0.0, dt)
        sway_y.advance(0.0, dt)
        x, y = p.x + sway_x.rate_mps * dt, p.y + sway_y.rate_mps * dt
        self.position = Point(x + v.x * mean * dt, y + v.y * mean * dt, z)
        self.velocity = Point(v.x * share, v.y * share, vz)

    def _drop(self, dt: float) -> None:
        p, v = self.position, self.velocity
        vz = v.z - 9.81 * dt
        z = p.z + vz * dt
        if z <= 0.0:
            self._quiet_s += dt
            self.position, self.velocity = Point(p.x, p.y, 0.0), Point(0.0, 0.0, 0.0)
            return
        keep = max(0.0, 1 - 0.5 * dt)
        self.position = Point(p.x + v.x * dt, p.y + v.y * dt, z)
        self.velocity = Point(v.x * keep, v.y * keep, vz)
