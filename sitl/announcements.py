"""What the copter says of itself while it wakes up, and why it cannot arm, twice a minute.

Source: STATUSTEXTs of ArduPilot's SITL, 4.7.0-dev, with their times after boot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.sitl.arming import ORIGIN_S, POSITION_S, Estimator, prearm_reasons
from skymist.sitl.state import Severity

if TYPE_CHECKING:
    from skymist.sitl.machine import Machine

PREARM_EVERY_S = 30.0
_WAKING = (
    (2.0, "Barometer 1 calibration complete"),
    (2.5, "ArduPilot Ready"),
    (2.5, "AHRS: DCM active"),
    (4.5, "EKF3 IMU0 initialised"),
    (4.5, "AHRS: EKF3 active"),
    (5.9, "EKF3 IMU0 tilt alignment complete"),
    (9.9, "GPS 1: detected u-blox"),
    (ORIGIN_S, "EKF3 IMU0 origin set"),
    (POSITION_S, "EKF3 IMU0 is using GPS"),
)


class Announcer:
    """Says what is due by the copter's age."""

    def __init__(self, machine: Machine, estimator: Estimator) -> None:
        self._machine = machine
        self._estimator = estimator
        self._next = 0
        self._prearm_s = 0.0
        self.next_s = 0.0

    def reboot(self) -> None:
        """Begin anew, at the age of now: what is past is not said again."""
        age_s = self._machine.state.age_s
        self._next = sum(1 for at_s, _ in _WAKING if at_s < age_s)
        self._prearm_s = age_s + PREARM_EVERY_S
        self._plan()

    def update(self) -> None:
        """Say what is due. Call when `next_s` has come."""
        machine = self._machine
        state = machine.state
        while self._next < len(_WAKING) and _WAKING[self._next][0] <= state.age_s:
            at_s, text = _WAKING[self._next]
            state.say(Severity.INFO, text)
            if at_s == ORIGIN_S:
                machine.mission.put_home()
                machine.has_new_home = True
            self._next += 1
        if state.age_s >= self._prearm_s:
            self._prearm_s = state.age_s + PREARM_EVERY_S
            if not state.is_armed:
                for text in prearm_reasons(machine, self._estimator):
                    state.say(Severity.CRITICAL, f"PreArm: {text}")
        self._plan()

    def _plan(self) -> None:
        soonest = self._prearm_s
        if self._next < len(_WAKING):
            soonest = min(soonest, _WAKING[self._next][0])
        self.next_s = self._machine.state.booted_s + soonest
