"""What mission items do: the `Crew` that carries out a `Program`.

Source: ModeAuto, 4.7.0-dev.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from skymist.sitl.guidance import Manoeuvre
from skymist.sitl.homing import Homing, Stage
from skymist.sitl.items import ABSOLUTE, TERRAIN, Command, Item
from skymist.sitl.legs import Point
from skymist.sitl.program import Program
from skymist.sitl.state import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.sitl.machine import Machine

ARMING_DELAY_S = 2.0
LIFT_S = 1.6
"""From the end of the arming delay to the machine leaving the ground."""

_NAMES = {
    Command.NAV_WAYPOINT: "WP",
    Command.NAV_SPLINE_WAYPOINT: "SplineWP",
    Command.NAV_LOITER_UNLIM: "LoitUnlim",
    Command.NAV_LOITER_TURNS: "LoitTurns",
    Command.NAV_LOITER_TIME: "LoitTime",
    Command.NAV_RETURN_TO_LAUNCH: "RTL",
    Command.NAV_LAND: "Land",
    Command.NAV_TAKEOFF: "Takeoff",
    Command.NAV_DELAY: "Delay",
    Command.CONDITION_DELAY: "CondDelay",
    Command.CONDITION_DISTANCE: "CondDist",
    Command.CONDITION_YAW: "CondYaw",
    Command.DO_CHANGE_SPEED: "ChangeSpeed",
    Command.DO_SPRAYER: "Sprayer",
    Command.DO_LAND_START: "LandStart",
    Command.DO_JUMP: "Jump",
}
_BLENDS = (Command.NAV_WAYPOINT, Command.NAV_LOITER_UNLIM, Command.NAV_LOITER_TIME)
_UNREPORTED = frozenset((Command.DO_SPRAYER, Command.DO_SET_SERVO))


class Part(Enum):
    """Which part of the flight AUTO is in."""

    HOLD = auto()
    TAKEOFF = auto()
    WAYPOINT = auto()
    TO_LANDING = auto()
    LANDING = auto()
    HOMING = auto()


TOP_LATE_S = 0.3
"""How much later than its target the copter comes to rest at the top; fitted to SITL."""


class Auto:
    """AUTO's hands. `land_at_once` is called when the mission ends on the ground."""

    def __init__(self, machine: Machine, disarm: Callable[[], None]) -> None:
        self._machine = machine
        self._disarm = disarm
        self.program = Program(machine.mission, self)
        self.part = Part.HOLD
        self._homing = Homing(machine)
        self._lift_to_z = 0.0
        self._ready_s = 0.0
        self._there_s: float | None = None
        self._wait_s = 0.0
        self._condition_s = 0.0
        self._up_s = 0.0

    def update(self) -> None:
        """Carry on with the item of now."""
        self.program.update()
        if self.part is Part.TAKEOFF:
            self._lift()
        elif self.part is Part.HOMING:
            self._homing.update()

    def start(self, item: Item) -> None:
        """Begin an item."""
        machine = self._machine
        name = _NAMES.get(Command(item.command), str(item.command))
        machine.state.say(Severity.INFO, f"Mission: {item.seq} {name}")
        match item.command:
            case Command.NAV_TAKEOFF:
                self._start_takeoff(item)
            case Command.NAV_WAYPOINT | Command.NAV_SPLINE_WAYPOINT:
                self._start_waypoint(item, float(item.p1), blends=item.p1 <= 0)
            case Command.NAV_LOITER_TIME | Command.NAV_LOITER_UNLIM | Command.NAV_LOITER_TURNS:
                self._start_waypoint(item, float(item.p1), blends=False)
            case Command.NAV_LAND:
                self._start_landing(item)
            case Command.NAV_RETURN_TO_LAUNCH:
                self.part = Part.HOMING
                machine.guidance.forget_speeds()
                self._homing.begin()
            case Command.NAV_DELAY | Command.CONDITION_DELAY:
                self._condition_s = machine.state.now_s
            case Command.CONDITION_YAW:
                self._turn(item)
            case Command.DO_SPRAYER:
                if item.p1 in (0, 1):
                    machine.sprayer.permit(item.p1 == 1)
            case Command.DO_SET_SERVO:
                machine.sprayer.set_servo(int(item.p1), item.p2)
            case Command.DO_CHANGE_SPEED:
                self.change_speed(item.p1, item.p2)
            case Command.DO_FENCE_ENABLE:
                machine.params.put("FENCE_ENABLE", float(item.p1 == 1))
            case _:
                pass

    def is_done(self, item: Item) -> bool:
        """Say whether an item is done, and tell the ground station that it was reached."""
        done = self._judge(item)
        if done and item.command not in _UNREPORTED:
            self._machine.reached.append(item.seq)
        return done

    def mission_ended(self) -> None:
        """Hold in the air; on the ground, disarm."""
        if self._machine.state.is_landed:
            self._disarm()
        else:
            self.part = Part.HOLD
            self._machine.guidance.stop(self._machine.params["WP_ACC"])

    def change_speed(self, kind: float, speed_mps: float) -> None:
        """Fly at another speed from now on: over ground, up or down."""
        if not speed_mps > 0:
            return
        guidance = self._machine.guidance
        match int(kind):
            case 2:
                guidance.up_mps = speed_mps
            case 3:
                guidance.down_mps = speed_mps
            case _:
                guidance.speed_mps = speed_mps
        guidance.speeds_changed()

    @property
    def distance_m(self) -> float:
        """Metres over ground to the waypoint; 0 where there is none."""
        track = self._machine.guidance.track
        if track is None:
            return 0.0
        end, here = track.destination, self._machine.guidance.position
        return math.hypot(end.x - here.x, end.y - here.y)

    @property
    def is_landing(self) -> bool:
        """Whether AUTO is on its way down."""
        return self._machine.guidance.manoeuvre is Manoeuvre.DESCENT

    def pause(self) -> bool:
        """Brake on the track; False where nothing is being flown."""
        track = self._machine.guidance.track
        if self.part is not Part.WAYPOINT or track is None or track.is_reached:
            return False
        track.is_paused = True
        return True

    def unpause(self) -> None:
        """Fly on."""
        track = self._machine.guidance.track
        if track is not None:
            track.is_paused = False

    def place_of(self, item: Item, default: Point) -> Point:
        """Where an item lies: coordinates 0 mean `default`'s, a height of 0 likewise."""
        machine = self._machine
        x, y, z = default
        if item.has_place:
            x, y = machine.grid.to_xy(item.lat_e7, item.lon_e7)
        if item.z_m != 0:
            base = -machine.grid.amsl_m if item.frame == ABSOLUTE else machine.state.home[2]
            z = item.z_m + base
        return Point(x, y, z)

    def _judge(self, item: Item) -> bool:
        machine = self._machine
        guidance, now_s = machine.guidance, machine.state.now_s
        match item.command:
            case Command.NAV_TAKEOFF:
                return self._is_up()
            case Command.NAV_WAYPOINT | Command.NAV_SPLINE_WAYPOINT | Command.NAV_LOITER_TIME:
                return self._has_waited(item)
            case Command.NAV_LAND:
                if self.part is Part.TO_LANDING and guidance.is_there:
                    self.part = Part.LANDING
                    guidance.descend()
                return False
            case Command.NAV_RETURN_TO_LAUNCH:
                return machine.state.is_landed and self._homing.stage is Stage.LAND
            case Command.NAV_LOITER_UNLIM:
                return False
            case Command.NAV_LOITER_TURNS:
                return guidance.is_there
            case Command.NAV_DELAY | Command.CONDITION_DELAY:
                return now_s - self._condition_s > item.p1
            case Command.CONDITION_DISTANCE:
                return self.distance_m < max(item.p1, 0.0)
            case Command.CONDITION_YAW:
                wanted = guidance.heading_wanted_rad
                if wanted is None:
                    return True
                return abs(math.remainder(machine.state.heading_rad - wanted, math.tau)) < 0.035
        return True

    def _has_waited(self, item: Item) -> bool:
        machine = self._machine
        if not machine.guidance.is_there or machine.state.is_landed:
            return False
        if self._there_s is None:
            self._there_s = machine.state.now_s
        if int(machine.state.now_s - self._there_s + 1e-9) >= self._wait_s:
            machine.state.say(Severity.INFO, f"Reached command #{item.seq}")
            return True
        return False

    def _start_takeoff(self, item: Item) -> None:
        machine = self._machine
        here = machine.guidance.position
        base = -machine.grid.amsl_m if item.frame == ABSOLUTE else machine.state.home[2]
        least = here.z + (1.0 if machine.state.is_landed else 0.0)
        self._lift_to_z = max(item.z_m + base, least)
        self.part = Part.TAKEOFF
        if not machine.state.is_landed:
            machine.guidance.climb_to(self._lift_to_z)

    def _lift(self) -> None:
        """Leave the ground once the motors may."""
        machine = self._machine
        state = machine.state
        if not (state.is_armed and state.is_auto_armed and state.is_landed):
            self._ready_s = state.now_s
            return
        ready_s = max(self._ready_s, state.armed_s + ARMING_DELAY_S)
        if state.now_s - ready_s >= LIFT_S:
            state.is_landed = False
            machine.guidance.climb_to(self._lift_to_z)

    def _is_up(self) -> bool:
        """Say whether the take-off is done. Source: _AutoTakeoff::run."""
        machine = self._machine
        guidance = machine.guidance
        if machine.state.is_landed or guidance.manoeuvre is not Manoeuvre.TAKEOFF:
            return False
        slow = 0.1 * guidance.limits().up_mps
        stop_m = 0.5 * slow * slow / machine.params["WP_ACC_Z"]
        is_high = guidance.position.z >= self._lift_to_z - max(stop_m, 1e-3)
        if not (is_high and guidance.velocity.z < slow):
            self._up_s = machine.state.now_s
        return machine.state.now_s - self._up_s >= TOP_LATE_S

    def _start_waypoint(self, item: Item, wait_s: float, *, blends: bool) -> None:
        machine = self._machine
        guidance = machine.guidance
        default = guidance.position
        if guidance.track is not None and guidance.track.is_reached:
            default = guidance.track.destination
        place = self.place_of(item, default)
        self.part, self._there_s, self._wait_s = Part.WAYPOINT, None, float(int(wait_s))
        guidance.heading_wanted_rad = None
        if machine.state.is_landed:
            return
        then = None
        following = self.program.next_nav(item.seq) if blends else None
        if following is not None and following.command in _BLENDS:
            is_terrain = item.frame == TERRAIN
            if (following.frame == TERRAIN) == is_terrain:
                then = self.place_of(following, place)
        guidance.go(place, then)

    def _start_landing(self, item: Item) -> None:
        machine = self._machine
        guidance = machine.guidance
        if machine.state.is_landed:
            self.part = Part.LANDING
        elif item.has_place:
            self.part = Part.TO_LANDING
            x, y = machine.grid.to_xy(item.lat_e7, item.lon_e7)
            guidance.go(Point(x, y, guidance.position.z))
        else:
            self.part = Part.LANDING
            guidance.descend()

    def _turn(self, item: Item) -> None:
        machine = self._machine
        degrees = item.p1
        if item.p4 > 0:
            degrees = math.degrees(math.pi / 2 - machine.state.heading_rad)
            degrees += item.p1 * (-1 if item.p3 < 0 else 1)
        machine.guidance.heading_wanted_rad = math.pi / 2 - math.radians(degrees)
