"""The way home: climb, return, wait above, land. For RTL as a mode and as a mission item.

Source: ModeRTL, 4.7.0-dev.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from skymist.sitl.items import ABSOLUTE
from skymist.sitl.legs import Point
from skymist.sitl.track import stopping_point

if TYPE_CHECKING:
    from skymist.sitl.machine import Machine

_LEAST_SLOPE = 0.5
_LEAST_ALT_M = 0.3


class Stage(Enum):
    """Where on the way home."""

    CLIMB = auto()
    RETURN = auto()
    WAIT = auto()
    LAND = auto()
    HOLD = auto()
    """Above home at RTL_ALT_FINAL, for as long as the battery lasts."""


class Homing:
    """One way home."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._waited_from_s = 0.0
        self.stage = Stage.CLIMB
        self._above = Point(0.0, 0.0, 0.0)

    def begin(self) -> None:
        """Choose where to and how high, and climb."""
        machine = self._machine
        guidance, params = machine.guidance, machine.params
        if params["RTL_SPEED_MS"] > 0:
            guidance.speed_mps = params["RTL_SPEED_MS"]
        accel_mps2 = guidance.limits().accel_mps2
        here = stopping_point(guidance.position, guidance.velocity, accel_mps2)
        x, y, least_z = self._target()
        z = self._height(math.hypot(x - here.x, y - here.y), least_z)
        self._above = Point(x, y, z)
        self.stage = Stage.CLIMB
        if machine.state.is_landed:
            return
        guidance.go(Point(here.x, here.y, z), self._above)

    def update(self) -> None:
        """Go on to the next stage when one is done."""
        machine = self._machine
        guidance, state = machine.guidance, machine.state
        if state.is_landed:
            return
        match self.stage:
            case Stage.CLIMB if guidance.is_there:
                self.stage = Stage.RETURN
                guidance.go(self._above)
            case Stage.RETURN if guidance.is_there:
                self.stage = Stage.WAIT
                self._waited_from_s = state.now_s
            case Stage.WAIT if self._has_waited() and machine.params["RTL_ALT_FINAL_M"] > 0:
                self.stage = Stage.HOLD
                final_z = state.home[2] + machine.params["RTL_ALT_FINAL_M"]
                guidance.go(Point(self._above.x, self._above.y, final_z))
            case Stage.WAIT if self._has_waited():
                self.stage = Stage.LAND
                guidance.descend()
            case _:
                pass

    def _has_waited(self) -> bool:
        machine = self._machine
        return machine.state.now_s - self._waited_from_s >= machine.params["RTL_LOIT_TIME"] / 1000

    def _target(self) -> tuple[float, float, float]:
        """The nearest of home and the rally points: metres east and north, least height."""
        machine = self._machine
        here = machine.guidance.position
        home = machine.state.home
        best = (home[0], home[1], home[2])
        least = math.inf
        for item in machine.rally.items():
            x, y = machine.grid.to_xy(item.lat_e7, item.lon_e7)
            z = item.z_m + (home[2] if item.frame != ABSOLUTE else -machine.grid.amsl_m)
            away = math.hypot(x - here.x, y - here.y)
            if away < least:
                best, least = (x, y, z), away
        limit_m = machine.params["RALLY_LIMIT_KM"] * 1000
        to_home = math.hypot(home[0] - here.x, home[1] - here.y)
        if least is not math.inf and (
            (limit_m > 0 and least > limit_m)
            or (machine.params["RALLY_INCL_HOME"] > 0 and to_home < least)
        ):
            return home[0], home[1], home[2]
        return best

    def _height(self, away_m: float, least_z: float) -> float:
        """How high to return: RTL_ALT, less within the cone near home, never below here."""
        machine = self._machine
        params, home_z = machine.params, machine.state.home[2]
        here = machine.guidance.position.z - home_z
        least = max(_LEAST_ALT_M, here + max(0.0, params["RTL_CLIMB_MIN_M"]))
        height = max(least_z - home_z, 0.0, params["RTL_ALT_M"], least)
        slope = params["RTL_CONE_SLOPE"]
        if slope >= _LEAST_SLOPE:
            height = min(height, max(away_m * slope, least))
        if machine.fence.is_enabled and int(params["FENCE_TYPE"]) & 1:
            height = min(height, params["FENCE_ALT_MAX"] - params["FENCE_MARGIN"])
        return max(height, here) + home_z
