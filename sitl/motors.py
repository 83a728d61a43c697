"""Arming and disarming.

Source: AP_Arming_Copter::arm and disarm, 4.7.0-dev.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.sitl.arming import Estimator, mode_reason, prearm_reasons
from skymist.sitl.state import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.sitl.machine import Machine


def _nothing() -> None:
    """Do nothing, until told what."""


class Motors:
    """The switch of the motors. `on_disarm` is called when they have stopped."""

    def __init__(self, machine: Machine, estimator: Estimator) -> None:
        self._machine = machine
        self._estimator = estimator
        self.on_disarm: Callable[[], None] = _nothing

    def arm(self, *, is_forced: bool = False) -> bool:
        """Arm, or say in STATUSTEXT why not."""
        machine = self._machine
        state = machine.state
        if state.is_armed:
            return True
        if not is_forced:
            reasons = prearm_reasons(machine, self._estimator)
            for text in reasons:
                state.say(Severity.CRITICAL, f"PreArm: {text}")
            if reasons:
                return False
        reason = mode_reason(machine)
        if reason is not None:
            state.say(Severity.CRITICAL, f"Arm: {reason}")
            return False
        state.say(Severity.INFO, "Arming motors")
        state.is_armed, state.armed_s = True, state.now_s
        if not state.is_home_locked:
            state.home = (state.x, state.y, state.z)
            machine.mission.put_home()
            machine.has_new_home = True
        return True

    def disarm(self) -> None:
        """Stop the motors; the mission goes back to its beginning, the sprayer stays as it is."""
        machine = self._machine
        state = machine.state
        if not state.is_armed:
            return
        state.say(Severity.INFO, "Disarming motors")
        state.is_armed = state.is_auto_armed = False
        self.on_disarm()
        if state.z > 0.05:
            machine.guidance.fall()
        else:
            state.is_landed = True
            machine.guidance.settle(machine.guidance.position)

    def request_disarm(self, *, is_forced: bool) -> bool:
        """Do what the ground's disarm command does: refuse in the air unless forced."""
        state = self._machine.state
        if state.is_armed and not is_forced and not state.is_landed:
            return False
        self.disarm()
        return True
