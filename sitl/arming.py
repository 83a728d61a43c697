"""When the copter may arm, and what it says when it may not.

Source: the times were measured on ArduPilot's SITL (ARDUPILOT.md 13, 21); the checks are
AP_Arming's and AP_Arming_Copter's, those that a simulated machine can fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.sitl.battery import Level
from skymist.sitl.fences import FenceKind
from skymist.sitl.state import ARMABLE, NEEDS_POSITION, Mode

if TYPE_CHECKING:
    from skymist.sitl.machine import Machine

READY_S = 1.0
GPS_FIX_S = 6.0
ATTITUDE_S = 12.0
ORIGIN_S = 20.0
SENSORS_S = 23.5
POSITION_S = 41.6
GPS_LOSS_S = 8.0
"""How long the position estimate outlives the GPS, as measured on SITL."""
AUTO_ARMING, AUTO_TAKEOFF = 1, 2
"""AUTO_OPTIONS: arming in AUTO, take-off without raising the throttle."""
_POSITION_MODES = NEEDS_POSITION


class Estimator:
    """What the EKF knows, by its age and by the GPS."""

    def __init__(self) -> None:
        self._gps_since_s: float | None = None
        self._lost_at_s: float | None = None

    def reboot(self) -> None:
        """Know nothing, as after a boot."""
        self._lost_at_s = None

    def watch(self, machine: Machine) -> None:
        """Take note of a GPS that went or came."""
        if machine.faults.gps_lost:
            if self._lost_at_s is None:
                self._lost_at_s = machine.state.now_s
        else:
            self._lost_at_s = None

    def has_position(self, machine: Machine) -> bool:
        """Say whether there is an absolute horizontal position (flag 16)."""
        state = machine.state
        if state.age_s < POSITION_S:
            return False
        return self._lost_at_s is None or state.now_s - self._lost_at_s < GPS_LOSS_S

    def has_gps(self, machine: Machine) -> bool:
        """Say whether the receiver has a fix."""
        return not machine.faults.gps_lost and machine.state.age_s >= GPS_FIX_S

    def flags(self, machine: Machine) -> int:
        """EKF_STATUS_REPORT's flags."""
        age = machine.state.age_s
        flags = 0
        if age >= ATTITUDE_S:
            flags |= 1 | 4 | 32  # attitude, vertical velocity, absolute height
        if self.has_position(machine):
            flags |= 2 | 8 | 16 | 256 | 512
        elif age >= SENSORS_S:
            flags |= 128  # constant position
        return flags


def prearm_reasons(machine: Machine, estimator: Estimator) -> list[str]:
    """Give every reason against arming, as the copter words them; empty when it may arm."""
    state, params = machine.state, machine.params
    if state.age_s < READY_S:
        return ["System not initialised"]
    if params["ARMING_SKIPCHK"] == -1:
        return []
    reasons = []
    if not estimator.has_gps(machine):
        reasons.append("GPS 1: Bad fix")
    if state.age_s < ATTITUDE_S:
        reasons.append("AHRS: not using configured AHRS type")
    elif state.age_s < SENSORS_S:
        reasons.append("AHRS: EKF3 still initialising")
    wants_position = state.mode in _POSITION_MODES
    is_fenced = machine.fence.is_enabled and bool(int(params["FENCE_TYPE"]) & 6)
    if not estimator.has_position(machine):
        if wants_position:
            reasons.append("Need Position Estimate")
        elif is_fenced:
            reasons.append("Fence enabled, need position estimate")
    elif is_fenced or machine.fence.is_enabled:
        reasons += _fence_reasons(machine)
    if machine.faults.rc_lost and params["FS_THR_ENABLE"] > 0:
        reasons.append("Radio failsafe on")
    reasons += _battery_reasons(machine)
    if params["FS_GCS_ENABLE"] == 2:
        reasons.append("FS_GCS_ENABLE=2 removed, see FS_OPTIONS")
    return reasons


def _fence_reasons(machine: Machine) -> list[str]:
    kinds, _ = machine.fence.outside(machine.state)
    names = {
        FenceKind.ALT_MAX: "Alt Max",
        FenceKind.CIRCLE: "Circle",
        FenceKind.POLYGON: "Polygon",
        FenceKind.ALT_MIN: "Alt Min",
    }
    return [f"Vehicle breaching {name} fence" for kind, name in names.items() if kinds & kind]


def _battery_reasons(machine: Machine) -> list[str]:
    battery, params = machine.battery, machine.params
    reasons = []
    if battery.level is not Level.FINE:
        reasons.append("Battery failsafe")
    left_mah = params["BATT_CAPACITY"] - battery.consumed_mah
    if left_mah < max(params["BATT_ARM_MAH"], 0) or (
        params["BATT_LOW_MAH"] > 0 and left_mah < params["BATT_LOW_MAH"]
    ):
        reasons.append("Battery 1 low capacity failsafe")
    least_v = max(params["BATT_ARM_VOLT"], params["BATT_LOW_VOLT"])
    if battery.voltage_v < least_v:
        reasons.append("Battery 1 low voltage failsafe")
    return reasons


def mode_reason(machine: Machine) -> str | None:
    """Say why the mode does not allow arming, or None."""
    mode = machine.state.mode
    if mode in ARMABLE:
        return None
    if mode is Mode.AUTO and int(machine.params["AUTO_OPTIONS"]) & AUTO_ARMING:
        return None
    return f"{mode.name} mode not armable"
