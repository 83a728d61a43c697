"""Failsafes: ground station, radio, battery, fence, estimator, motors.

None of them touches the sprayer, since none of ArduPilot's does.

Source: ArduCopter's events.cpp, fence.cpp and ekf_check.cpp, 4.7.0-dev.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from skymist.sitl.arming import POSITION_S
from skymist.sitl.battery import Level
from skymist.sitl.fences import GIVE_UP_M, FenceKind
from skymist.sitl.guidance import Manoeuvre
from skymist.sitl.state import MANUAL_THROTTLE, NEEDS_POSITION, Mode, Reason, Severity

if TYPE_CHECKING:
    from skymist.sitl.machine import Machine
    from skymist.sitl.modes import Modes

PERIOD_S = 0.2
RADIO_S = 0.8
_CONTINUE_AUTO_GCS, _CONTINUE_AUTO_RC, _CONTINUE_LANDING = 1, 0, 3


class Action(IntEnum):
    """What a failsafe does, by the numbers of BATT_FS_LOW_ACT."""

    NONE = 0
    LAND = 1
    RTL = 2
    SMARTRTL = 3
    SMARTRTL_LAND = 4
    TERMINATE = 5
    LAND_START = 6
    BRAKE_LAND = 7


_ACTIONS = {int(action): action for action in Action}

# FS_GCS_ENABLE and FS_THR_ENABLE number their actions each in its own way.
GCS_ACTIONS = {
    0: Action.NONE,
    1: Action.RTL,
    2: Action.RTL,
    3: Action.SMARTRTL,
    4: Action.SMARTRTL_LAND,
    5: Action.LAND,
    6: Action.LAND_START,
    7: Action.BRAKE_LAND,
}
RADIO_ACTIONS = {
    0: Action.NONE,
    1: Action.RTL,
    2: Action.RTL,
    3: Action.LAND,
    4: Action.SMARTRTL,
    5: Action.SMARTRTL_LAND,
    6: Action.LAND_START,
    7: Action.BRAKE_LAND,
}
_FENCE_NAMES = {
    FenceKind.ALT_MAX: "Max Alt",
    FenceKind.CIRCLE: "Circle",
    FenceKind.POLYGON: "Polygon",
    FenceKind.ALT_MIN: "Min Alt",
}


class Failsafes:
    """The watch over everything that may go wrong. `gcs_seen_s` is the last heartbeat."""

    def __init__(self, machine: Machine, modes: Modes) -> None:
        self._machine = machine
        self._modes = modes
        self._next_s = 0.0
        self.gcs_seen_s: float | None = None
        self.is_gcs_lost = False
        self._rc_lost_s: float | None = None
        self._was_motor_failed = False
        self._lost_frac = 0.0

    def reboot(self) -> None:
        """Be as after a boot."""
        self.gcs_seen_s = None
        self.is_gcs_lost = False
        self._rc_lost_s = None
        self._machine.state.is_ekf_failed = False
        self._machine.state.is_rc_lost = False

    def update(self) -> None:
        """Look at everything that is due."""
        machine = self._machine
        self._take_faults()
        self._check_fence()
        now_s = machine.state.now_s
        if now_s < self._next_s:
            return
        self._next_s = now_s + PERIOD_S
        self._modes.estimator.watch(machine)
        self._check_gcs()
        self._check_radio()
        self._check_estimator()
        if machine.state.is_armed:
            self._check_battery()

    def _take_faults(self) -> None:
        """Let broken parts act on the machine."""
        machine = self._machine
        faults, air = machine.faults, machine.air
        air.wind_mps, air.toward_rad = faults.wind_mps, faults.wind_toward_rad
        machine.battery.drop_v = faults.battery_drop_v
        if faults.battery_lost_frac != self._lost_frac:
            lost = max(0.0, faults.battery_lost_frac - self._lost_frac)
            self._lost_frac = faults.battery_lost_frac
            machine.battery.lose(lost)
        if faults.motor_failed and not self._was_motor_failed and not machine.state.is_landed:
            machine.state.say(Severity.CRITICAL, "Potential Thrust Loss (1)")
            machine.guidance.fall()
        self._was_motor_failed = faults.motor_failed

    # -- what to do ----------------------------------------------------------------------

    def act(self, action: Action, reason: Reason) -> None:
        """Carry out a failsafe's action."""
        enter, say = self._modes.enter, self._machine.state.say
        match action:
            case Action.NONE:
                return
            case Action.LAND:
                enter(Mode.LAND, reason)
            case Action.TERMINATE:
                self._modes.motors.disarm()
            case Action.BRAKE_LAND:
                if not enter(Mode.BRAKE, reason):
                    say(Severity.WARNING, "Trying Land Mode")
                    enter(Mode.LAND, reason)
            case Action.SMARTRTL_LAND:
                say(Severity.WARNING, "SmartRTL Unavailable, Using Land Mode")
                enter(Mode.LAND, reason)
            case Action.LAND_START:
                if not enter(Mode.AUTO_RTL, reason):
                    say(Severity.WARNING, "Trying RTL Mode")
                    self._go_home(reason)
            case Action.SMARTRTL:
                say(Severity.WARNING, "SmartRTL Unavailable, Trying RTL Mode")
                self._go_home(reason)
            case Action.RTL:
                self._go_home(reason)

    def _go_home(self, reason: Reason) -> None:
        if not self._modes.enter(Mode.RTL, reason):
            self._modes.enter(Mode.LAND, reason)

    def _should_disarm(self) -> bool:
        state = self._machine.state
        if state.mode is Mode.AUTO:
            return not state.is_auto_armed and state.is_landed
        return state.is_landed

    def _option(self, bit: int) -> bool:
        return bool(int(self._machine.params["FS_OPTIONS"]) >> bit & 1)

    def _trigger(self, name: str, action: Action, reason: Reason, continue_bit: int) -> None:
        """Carry out a link's failsafe, with what may stand against it."""
        state = self._machine.state
        say, landing = state.say, self._modes.is_landing
        if not state.is_armed:
            say(Severity.WARNING, f"{name} Failsafe")
        elif self._should_disarm():
            say(Severity.WARNING, f"{name} Failsafe - Disarming")
            self._modes.motors.disarm()
        elif landing and self._machine.battery.level is not Level.FINE:
            say(Severity.WARNING, f"{name} + Battery Failsafe - Continuing Landing")
            self.act(Action.LAND, reason)
        elif landing and self._option(_CONTINUE_LANDING):
            say(Severity.WARNING, f"{name} Failsafe - Continuing Landing")
            self.act(Action.LAND, reason)
        elif state.mode is Mode.AUTO and self._option(continue_bit):
            say(Severity.WARNING, f"{name} Failsafe - Continuing Auto Mode")
        else:
            say(Severity.WARNING, f"{name} Failsafe")
            self.act(action, reason)

    # -- what to look at -----------------------------------------------------------------

    def _check_gcs(self) -> None:
        machine = self._machine
        params, now_s = machine.params, machine.state.now_s
        wanted = int(params["FS_GCS_ENABLE"])
        if wanted == 0 or self.gcs_seen_s is None:
            return
        is_late = now_s - self.gcs_seen_s > params["FS_GCS_TIMEOUT"]
        if is_late and not self.is_gcs_lost:
            self.is_gcs_lost = True
            action = GCS_ACTIONS.get(wanted, Action.RTL)
            self._trigger("GCS", action, Reason.GCS_FAILSAFE, _CONTINUE_AUTO_GCS)
        elif not is_late and self.is_gcs_lost:
            self.is_gcs_lost = False
            machine.state.say(Severity.WARNING, "GCS Failsafe Cleared")

    def _check_radio(self) -> None:
        machine = self._machine
        state = machine.state
        if not machine.faults.rc_lost:
            if state.is_rc_lost:
                state.is_rc_lost = False
                state.say(Severity.WARNING, "Radio Failsafe Cleared")
            self._rc_lost_s = None
            return
        if self._rc_lost_s is None:
            self._rc_lost_s = state.now_s
        if state.is_rc_lost or state.now_s - self._rc_lost_s < RADIO_S:
            return
        wanted = int(machine.params["FS_THR_ENABLE"])
        if wanted == 0:
            return
        state.is_rc_lost = True
        action = RADIO_ACTIONS.get(wanted, Action.LAND)
        self._trigger("Radio", action, Reason.RADIO_FAILSAFE, _CONTINUE_AUTO_RC)

    def _check_battery(self) -> None:
        machine = self._machine
        battery, params, state = machine.battery, machine.params, machine.state
        level = battery.check(params, state.now_s)
        if level is None:
            return
        is_critical = level is Level.CRITICAL
        name = "critical" if is_critical else "low"
        state.say(
            Severity.WARNING,
            f"Battery 1 is {name} {battery.voltage_v:.2f}V used {battery.consumed_mah:.0f} mAh",
        )
        wanted = int(params["BATT_FS_CRT_ACT" if is_critical else "BATT_FS_LOW_ACT"])
        action = _ACTIONS.get(wanted, Action.NONE)
        if self._should_disarm():
            state.say(Severity.WARNING, "Battery Failsafe - Disarming")
            self._modes.motors.disarm()
            return
        if self._modes.is_landing and self._option(_CONTINUE_LANDING) and action:
            state.say(Severity.WARNING, "Battery Failsafe - Continuing Landing")
            action = Action.LAND
        else:
            state.say(Severity.WARNING, "Battery Failsafe")
        self.act(action, Reason.BATTERY_FAILSAFE)

    def _check_fence(self) -> None:
        machine = self._machine
        fence, state = machine.fence, machine.state
        if not fence.is_enabled:
            return
        had = fence.breach
        new = fence.check(state)
        if had and not fence.breach and not state.is_landed:
            state.say(Severity.NOTICE, "Fence breach cleared")
        if not new or not state.is_armed:
            return
        names = " and ".join(name for kind, name in _FENCE_NAMES.items() if new & kind)
        state.say(Severity.NOTICE, f"{names} fence breached")
        action = int(machine.params["FENCE_ACTION"])
        if action == 0:
            return
        if state.is_landed:
            self._modes.motors.disarm()
        elif fence.beyond_m > GIVE_UP_M or action == 2:
            self._modes.enter(Mode.LAND, Reason.FENCE)
        elif action == 4:
            if not self._modes.enter(Mode.BRAKE, Reason.FENCE):
                self._modes.enter(Mode.LAND, Reason.FENCE)
        elif action == 5:
            self._modes.enter(Mode.LAND, Reason.FENCE)
        else:
            self._go_home(Reason.FENCE)

    def _check_estimator(self) -> None:
        """Land when the position is lost, as FS_EKF_ACTION says."""
        machine = self._machine
        state, params = machine.state, machine.params
        if not state.is_armed:
            state.is_ekf_failed = False
            return
        is_good = self._modes.estimator.has_position(machine)
        if is_good:
            if state.is_ekf_failed:
                state.is_ekf_failed = False
                state.say(Severity.CRITICAL, "EKF Failsafe Cleared")
            return
        if state.is_ekf_failed or state.is_landed or state.age_s < POSITION_S:
            return
        state.is_ekf_failed = True
        state.say(Severity.CRITICAL, "EKF variance")
        action = int(params["FS_EKF_ACTION"])
        is_bound = state.mode in NEEDS_POSITION
        if not is_bound and action != 3:
            return
        if action == 0:
            return
        mode = Mode.ALT_HOLD if action == 2 and state.mode not in MANUAL_THROTTLE else Mode.LAND
        self._modes.enter(mode, Reason.EKF_FAILSAFE)
        state.say(Severity.CRITICAL, f"EKF Failsafe: changed to {mode.name} Mode")
        if machine.guidance.manoeuvre is Manoeuvre.NONE:
            machine.guidance.descend()
