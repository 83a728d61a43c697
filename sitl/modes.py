"""Flight modes: who may enter which, what entering does, and what each does while it lasts.

Source: Copter::set_mode and the modes of ArduCopter, 4.7.0-dev.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.sitl.arming import (
    AUTO_TAKEOFF,
    ORIGIN_S,
    Estimator,
)
from skymist.sitl.auto import ARMING_DELAY_S, LIFT_S, Auto, Part
from skymist.sitl.guidance import (
    BRAKE_GAIN,
    BRAKE_MPS2,
    DRIFT_GAIN,
    LOITER_MPS2,
    PILOT_DOWN_MPS,
    STOP_GAIN,
    Manoeuvre,
)
from skymist.sitl.homing import Homing, Stage
from skymist.sitl.items import Command
from skymist.sitl.legs import Point
from skymist.sitl.motors import Motors
from skymist.sitl.state import (
    ARMABLE,
    MANUAL_THROTTLE,
    NEEDS_POSITION,
    Mode,
    Reason,
    Severity,
)

if TYPE_CHECKING:
    from skymist.sitl.machine import Machine

LAND_PAUSE_S = 4.0
_LOW_STICK = 0.3


class Modes:
    """The mode of now and the way into others."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.estimator = Estimator()
        self.motors = Motors(machine, self.estimator)
        self.auto = Auto(machine, self.motors.disarm)
        self.motors.on_disarm = self.auto.program.reset
        self._homing = Homing(machine)
        self._awaits_start = False
        self._mission_serial = 0
        self._idle_since_s = 0.0
        self._climb_to_z: float | None = None

    @property
    def is_landing(self) -> bool:
        """Whether the mode is on its way down."""
        state = self._machine.state
        if state.mode is Mode.RTL:
            return self._homing.stage is Stage.LAND
        return state.mode is Mode.LAND or (state.mode is Mode.AUTO and self.auto.is_landing)

    def reboot(self) -> None:
        """Be as after a boot; what is stored stays."""
        state = self._machine.state
        state.mode, state.reason, state.is_auto_rtl = Mode.STABILIZE, Reason.INITIALISED, False
        self.estimator.reboot()
        self.auto.program.forget()
        self.auto.part = Part.HOLD
        self._awaits_start = False

    # -- entering ------------------------------------------------------------------------

    def enter(self, number: int, reason: Reason) -> bool:
        """Change to a mode; False, and a STATUSTEXT, where that is refused."""
        state = self._machine.state
        if number == Mode.AUTO_RTL:
            return self.go_to_landing_sequence(reason)
        try:
            mode = Mode(number)
        except ValueError:
            state.say(Severity.WARNING, f"No such mode {number}")
            return False
        # AUTO on its way home shows itself as AUTO_RTL, so AUTO is entered anew.
        if mode is state.shown_mode:
            state.reason = reason
            return True
        refusal = self._refusal(mode) if state.is_armed else None
        if refusal is not None:
            state.say(Severity.WARNING, f"Mode change to {mode.name} failed: {refusal}")
            return False
        if state.mode is Mode.AUTO:
            self.auto.program.stop()
            state.is_auto_rtl = False
        state.mode, state.reason = mode, reason
        self._take_over(mode, reason)
        return True

    def _refusal(self, mode: Mode) -> str | None:
        """Say why an armed copter may not enter a mode."""
        machine = self._machine
        if mode in NEEDS_POSITION and not self.has_position():
            return "requires position"
        if self._is_bound_by_fence():
            return "in fence recovery"
        if mode is Mode.AUTO:
            if len(machine.mission) <= 1:
                return "init failed"
            if machine.state.is_landed and not self.auto.program.starts_with_takeoff(
                from_start=machine.params["MIS_RESTART"] > 0
            ):
                machine.state.say(Severity.CRITICAL, "Auto: Missing Takeoff Cmd")
                return "init failed"
        return None

    def _is_bound_by_fence(self) -> bool:
        """Say whether FENCE_OPTIONS keeps the copter in the mode that its fence chose."""
        machine = self._machine
        fence, state = machine.fence, machine.state
        is_kept = bool(int(machine.params["FENCE_OPTIONS"]) & 1)
        is_bound = fence.is_enabled and bool(fence.breach) and state.reason is Reason.FENCE
        return is_kept and is_bound and not state.is_landed

    def has_position(self) -> bool:
        """Say whether modes that need a position may be flown."""
        machine = self._machine
        return self.estimator.has_position(machine) and not machine.state.is_ekf_failed

    def _take_over(self, mode: Mode, reason: Reason) -> None:
        """Begin what the mode flies."""
        machine = self._machine
        guidance, state = machine.guidance, machine.state
        guidance.forget_speeds()
        guidance.heading_wanted_rad = None
        self._climb_to_z = None
        if mode is Mode.AUTO:
            self._awaits_start = True
            self.auto.part = Part.HOLD
            self._mission_serial = machine.mission.serial
        if state.is_landed or guidance.manoeuvre is Manoeuvre.FALL:
            if mode is Mode.RTL:
                self._homing.begin()
            return
        match mode:
            case Mode.RTL:
                self._homing.begin()
            case Mode.LAND:
                is_failsafe = reason not in (Reason.PILOT, Reason.GCS)
                gain = DRIFT_GAIN if reason is Reason.EKF_FAILSAFE else STOP_GAIN
                guidance.descend(LAND_PAUSE_S if is_failsafe else 0.0, gain=gain)
            case Mode.BRAKE:
                guidance.stop(BRAKE_MPS2, BRAKE_GAIN)
            case Mode.AUTO | Mode.GUIDED:
                guidance.stop(machine.params["WP_ACC"])
            case _ if state.throttle_frac > _LOW_STICK:
                guidance.stop(LOITER_MPS2)
            case Mode.STABILIZE | Mode.ACRO:
                guidance.fall()
            case _:
                guidance.descend(pilot_mps=PILOT_DOWN_MPS)

    def go_to_landing_sequence(self, reason: Reason) -> bool:
        """Jump to DO_LAND_START and fly on from there, in AUTO; False where there is none."""
        machine, program = self._machine, self.auto.program
        state = machine.state
        is_busy = program.is_running and program.is_landing_sequence
        if not (is_busy and reason is not Reason.GCS):
            index = self._nearest_landing_start()
            if index == 0 or not program.set_current(index):
                state.say(Severity.WARNING, "Unable to start landing sequence")
                state.say(
                    Severity.WARNING, "Mode change to AUTO RTL failed: No landing sequence found"
                )
                return False
            state.say(Severity.INFO, "Landing sequence start")
            machine.has_new_current = True
        program.must_resume = True
        if state.mode is not Mode.AUTO and not self.enter(Mode.AUTO, reason):
            program.must_resume = False
            return False
        state.is_auto_rtl = True
        state.reason = reason
        return True

    def _nearest_landing_start(self) -> int:
        machine, program = self._machine, self.auto.program
        here = machine.guidance.position
        distances = {}
        for item in machine.mission.items():
            if item.command == Command.DO_LAND_START:
                place = item if item.has_place else program.next_nav(item.seq)
                if place is not None:
                    at = self.auto.place_of(place, here)
                    away = (at.x - here.x) ** 2 + (at.y - here.y) ** 2 + (at.z - here.z) ** 2
                    distances[item.seq] = away
        return program.landing_start(distances)

    # -- commands while flying -----------------------------------------------------------

    def start_mission(self) -> bool:
        """Do what MISSION_START does."""
        state, program = self._machine.state, self.auto.program
        if not self.enter(Mode.AUTO, Reason.GCS):
            return False
        state.is_auto_armed = state.is_armed
        if not program.is_running:
            program.start_or_resume(restart=self._machine.params["MIS_RESTART"] > 0)
            self._awaits_start = False
        return True

    def take_off(self, above_m: float) -> bool:
        """Climb straight up in GUIDED; False where that cannot be."""
        state = self._machine.state
        if state.mode is not Mode.GUIDED or not state.is_armed or not state.is_landed:
            return False
        if not above_m > 0:
            return False
        state.is_auto_armed = True
        self._climb_to_z = state.z + above_m
        return True

    def fly_to(self, place: Point) -> bool:
        """Fly to a place in GUIDED; False in another mode."""
        state = self._machine.state
        if state.mode is not Mode.GUIDED:
            return False
        if not state.is_landed:
            self._machine.guidance.go(place)
        return True

    def pause(self) -> bool:
        """Brake on the mission's track, or in GUIDED."""
        mode = self._machine.state.mode
        if mode is Mode.GUIDED:
            if not self._machine.state.is_landed:
                self._machine.guidance.stop(self._machine.params["WP_ACC"])
            return True
        return mode is Mode.AUTO and self.auto.pause()

    def unpause(self) -> bool:
        """Fly on along the mission's track."""
        if self._machine.state.mode is Mode.GUIDED:
            return True
        if self._machine.state.mode is not Mode.AUTO:
            return False
        self.auto.unpause()
        return True

    # -- running -------------------------------------------------------------------------

    def update(self) -> None:
        """Carry on with the mode of now; call before each move."""
        machine = self._machine
        state = machine.state
        match state.mode:
            case Mode.AUTO:
                self._update_auto()
            case Mode.RTL if state.is_armed:
                self._homing.update()
            case Mode.GUIDED if self._climb_to_z is not None:
                self._lift_guided(self._climb_to_z)
        if state.is_armed:
            self._watch_ground()
        elif not state.is_landed and machine.guidance.is_down:
            state.is_landed = True
            machine.guidance.settle(machine.guidance.position)

    def _update_auto(self) -> None:
        machine, auto = self._machine, self.auto
        state = machine.state
        if self._awaits_start:
            if state.age_s >= ORIGIN_S:
                self._awaits_start = False
                auto.program.start_or_resume(restart=machine.params["MIS_RESTART"] > 0)
                self._mission_serial = machine.mission.serial
            return
        if machine.mission.serial != self._mission_serial:
            self._mission_serial = machine.mission.serial
            if auto.program.is_running and auto.part is Part.WAYPOINT:
                auto.program.restart_nav()
                state.say(Severity.CRITICAL, "Auto mission changed, restarted command")
        if auto.part is Part.TAKEOFF and int(machine.params["AUTO_OPTIONS"]) & AUTO_TAKEOFF:
            state.is_auto_armed = state.is_armed
        auto.update()
        if state.is_auto_rtl and not auto.program.is_landing_sequence:
            state.is_auto_rtl = auto.program.state.name == "COMPLETE"

    def _lift_guided(self, z: float) -> None:
        machine = self._machine
        state = machine.state
        if state.is_landed and state.now_s >= state.armed_s + ARMING_DELAY_S + LIFT_S:
            state.is_landed = False
            self._climb_to_z = None
            machine.guidance.climb_to(z)

    def _watch_ground(self) -> None:
        """Notice the landing, and a machine that stands armed for too long."""
        machine = self._machine
        state, guidance = machine.state, machine.guidance
        if not state.is_landed:
            self._idle_since_s = state.now_s
            if guidance.is_down:
                is_crash = guidance.manoeuvre is Manoeuvre.FALL and (
                    machine.faults.motor_failed or state.mode not in MANUAL_THROTTLE
                )
                if is_crash:
                    state.say(Severity.CRITICAL, "Crash: Disarming: AngErr=180>30, Accel=1.0<3.0")
                state.is_landed = True
                if state.mode in ARMABLE and not is_crash:
                    guidance.settle(guidance.position)
                    return
                if state.mode is Mode.AUTO and self.auto.part is Part.HOMING:
                    self.auto.update()
                self.motors.disarm()
            return
        if self.auto.part is Part.TAKEOFF and state.is_auto_armed and state.mode is Mode.AUTO:
            self._idle_since_s = state.now_s
        self._idle_since_s = max(self._idle_since_s, state.armed_s)
        delay_s = machine.params["DISARM_DELAY"]
        if 0 < delay_s <= state.now_s - self._idle_since_s:
            self.motors.disarm()
