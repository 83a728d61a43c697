"""COMMAND_LONG and COMMAND_INT: what each does and how it is acknowledged.

Source: GCS_Common.cpp and GCS_MAVLink_Copter.cpp, 4.7.0-dev.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from skymist.sitl.arming import prearm_reasons
from skymist.sitl.items import Command
from skymist.sitl.legs import Point
from skymist.sitl.state import Mode, Reason, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.sitl.link import Link
    from skymist.sitl.machine import Machine
    from skymist.sitl.modes import Modes
    from skymist.sitl.telemetry import Reporter

_FORCE_ARM, _FORCE_DISARM = 2989.0, 21196.0
_CUSTOM_MODE = 1
_RELATIVE_FRAMES = (3, 6)


class Result(IntEnum):
    """MAV_RESULT."""

    ACCEPTED = 0
    TEMPORARILY_REJECTED = 1
    DENIED = 2
    UNSUPPORTED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command with its parameters; `x` and `y` in 1e-7 degrees, as COMMAND_INT has them."""

    command: int
    p1: float = 0.0
    p2: float = 0.0
    p3: float = 0.0
    p4: float = 0.0
    x: int = 0
    y: int = 0
    z: float = 0.0
    frame: int = 3


class Commander:
    """Carries out orders of the ground station."""

    def __init__(
        self, machine: Machine, modes: Modes, reporter: Reporter, reboot: Callable[[], None]
    ) -> None:
        self._machine = machine
        self._modes = modes
        self._reporter = reporter
        self._reboot = reboot
        self._handlers: dict[int, Callable[[Order, Link], Result]] = {
            Command.COMPONENT_ARM_DISARM: self._arm_disarm,
            Command.DO_SET_MODE: self._set_mode,
            Command.MISSION_START: self._mission_start,
            Command.DO_SPRAYER: self._sprayer,
            Command.DO_SET_SERVO: self._set_servo,
            Command.DO_PAUSE_CONTINUE: self._pause_continue,
            Command.DO_LAND_START: self._land_start,
            Command.DO_SET_MISSION_CURRENT: self._set_current,
            Command.NAV_RETURN_TO_LAUNCH: self._to(6),
            Command.NAV_LAND: self._to(9),
            Command.NAV_LOITER_UNLIM: self._to(5),
            Command.NAV_TAKEOFF: self._takeoff,
            Command.DO_REPOSITION: self._reposition,
            Command.DO_CHANGE_SPEED: self._change_speed,
            Command.DO_FENCE_ENABLE: self._fence_enable,
            Command.RUN_PREARM_CHECKS: self._prearm,
            Command.BATTERY_RESET: self._battery_reset,
            Command.PREFLIGHT_REBOOT_SHUTDOWN: self._preflight_reboot,
            Command.DO_SET_HOME: self._set_home,
            Command.GET_HOME_POSITION: self._get_home,
            Command.SET_MESSAGE_INTERVAL: self._set_interval,
            Command.GET_MESSAGE_INTERVAL: self._get_interval,
            Command.REQUEST_MESSAGE: self._request_message,
            Command.REQUEST_AUTOPILOT_CAPABILITIES: self._request_capabilities,
        }

    def carry_out(self, order: Order, link: Link) -> Result:
        """Do what is ordered and say how that went."""
        handler = self._handlers.get(order.command)
        return handler(order, link) if handler else Result.UNSUPPORTED

    def _to(self, mode: int) -> Callable[[Order, Link], Result]:
        def enter(order: Order, link: Link) -> Result:
            return _done(self._modes.enter(mode, Reason.GCS))

        return enter

    def _arm_disarm(self, order: Order, link: Link) -> Result:
        if order.p1 == 1:
            is_forced = order.p2 in (_FORCE_ARM, _FORCE_DISARM)
            return _done(self._modes.motors.arm(is_forced=is_forced))
        if order.p1 == 0:
            return _done(self._modes.motors.request_disarm(is_forced=order.p2 == _FORCE_DISARM))
        return Result.UNSUPPORTED

    def _set_mode(self, order: Order, link: Link) -> Result:
        return self.set_mode(int(order.p1), int(order.p2))

    def set_mode(self, base_mode: int, custom_mode: int) -> Result:
        """Change the mode; only ArduCopter's own numbers count."""
        if not base_mode & _CUSTOM_MODE:
            return Result.DENIED
        return _done(self._modes.enter(custom_mode, Reason.GCS))

    def _mission_start(self, order: Order, link: Link) -> Result:
        if order.p1 != 0 or order.p2 != 0:
            return Result.DENIED
        return _done(self._modes.start_mission())

    def _sprayer(self, order: Order, link: Link) -> Result:
        if order.p1 in (0, 1):
            self._machine.sprayer.permit(order.p1 == 1)
        return Result.ACCEPTED

    def _set_servo(self, order: Order, link: Link) -> Result:
        return _done(self._machine.sprayer.set_servo(int(order.p1), order.p2))

    def _pause_continue(self, order: Order, link: Link) -> Result:
        say = self._machine.state.say
        if int(order.p1) == 0:
            if self._modes.pause():
                return Result.ACCEPTED
            say(Severity.INFO, "Failed to pause")
            return Result.FAILED
        if int(order.p1) == 1:
            if self._modes.unpause():
                return Result.ACCEPTED
            say(Severity.INFO, "Failed to resume")
            return Result.FAILED
        return Result.DENIED

    def _land_start(self, order: Order, link: Link) -> Result:
        return _done(self._modes.go_to_landing_sequence(Reason.GCS))

    def _set_current(self, order: Order, link: Link) -> Result:
        program = self._modes.auto.program
        seq = int(order.p1)
        if not 0 <= seq < len(self._machine.mission):
            return Result.DENIED
        if order.p2 == 1:
            program.reset()
        if not program.set_current(seq):
            return Result.FAILED
        if order.p2 == 1:
            program.resume()
        self._machine.has_new_current = True
        return Result.ACCEPTED

    def _takeoff(self, order: Order, link: Link) -> Result:
        if order.frame not in _RELATIVE_FRAMES:
            return Result.DENIED
        return _done(self._modes.take_off(order.z))

    def _reposition(self, order: Order, link: Link) -> Result:
        machine = self._machine
        if not int(order.p2) & 1 and machine.state.mode.name != "GUIDED":
            return Result.DENIED
        if abs(order.x) > 900_000_000 or abs(order.y) > 1_800_000_000:
            return Result.DENIED
        if not self._modes.enter(4, Reason.GCS):
            return Result.FAILED
        x, y = machine.grid.to_xy(order.x, order.y)
        base = machine.state.home[2] if order.frame in _RELATIVE_FRAMES else -machine.grid.amsl_m
        return _done(self._modes.fly_to(Point(x, y, order.z + base)))

    def _change_speed(self, order: Order, link: Link) -> Result:
        if not order.p2 > 0:
            return Result.DENIED
        if self._machine.state.mode not in (Mode.AUTO, Mode.GUIDED, Mode.RTL):
            return Result.FAILED
        self._modes.auto.change_speed(order.p1, order.p2)
        return Result.ACCEPTED

    def _fence_enable(self, order: Order, link: Link) -> Result:
        if order.p1 not in (0, 1):
            return Result.FAILED
        self._machine.params.put("FENCE_ENABLE", order.p1)
        return Result.ACCEPTED

    def _prearm(self, order: Order, link: Link) -> Result:
        machine = self._machine
        if machine.state.is_armed:
            return Result.TEMPORARILY_REJECTED
        for text in prearm_reasons(machine, self._modes.estimator):
            machine.state.say(Severity.CRITICAL, f"PreArm: {text}")
        return Result.ACCEPTED

    def _battery_reset(self, order: Order, link: Link) -> Result:
        if not 0 <= order.p2 <= 100:
            return Result.FAILED
        if int(order.p1) & 1:
            machine = self._machine
            machine.battery.reset_counter(order.p2, machine.params["BATT_CAPACITY"])
        return Result.ACCEPTED

    def _preflight_reboot(self, order: Order, link: Link) -> Result:
        if self._machine.state.is_armed:
            return Result.FAILED
        if order.p1 not in (1, 3):
            return Result.UNSUPPORTED
        self._reboot()
        return Result.ACCEPTED

    def _set_home(self, order: Order, link: Link) -> Result:
        machine = self._machine
        state = machine.state
        if not self._modes.estimator.has_position(machine):
            return Result.FAILED
        if order.p1 == 1 or (order.x == 0 and order.y == 0):
            state.home = (state.x, state.y, state.z)
        elif order.p1 != 0:
            return Result.FAILED
        else:
            x, y = machine.grid.to_xy(order.x, order.y)
            base = state.home[2] if order.frame in _RELATIVE_FRAMES else -machine.grid.amsl_m
            state.home = (x, y, order.z + base)
        state.is_home_locked = True
        machine.mission.put_home()
        machine.has_new_home = True
        return Result.ACCEPTED

    def _get_home(self, order: Order, link: Link) -> Result:
        home = self._reporter.home_position()
        if home is None:
            return Result.FAILED
        link.send(home)
        link.send(self._reporter.origin())
        return Result.ACCEPTED

    def _set_interval(self, order: Order, link: Link) -> Result:
        message_id, interval_us = int(order.p1), order.p2
        if message_id not in self._reporter.builders:
            text = f"No ap_message for mavlink id ({message_id})"
            self._machine.state.say(Severity.INFO, text)
            return Result.DENIED
        if interval_us < 0 and interval_us != -1:
            return Result.DENIED
        wanted = None if interval_us <= 0 else min(60.0, max(0.001, interval_us * 1e-6))
        link.schedule.set(message_id, wanted, self._machine.state.now_s)
        return Result.ACCEPTED

    def _get_interval(self, order: Order, link: Link) -> Result:
        message_id = int(order.p1)
        if message_id not in self._reporter.builders:
            return Result.FAILED
        link.send_interval(message_id)
        return Result.ACCEPTED

    def _request_message(self, order: Order, link: Link) -> Result:
        builder = self._reporter.builders.get(int(order.p1))
        if builder is None:
            return Result.FAILED
        message = builder()
        if message is not None:
            link.send_later(message)
        return Result.ACCEPTED

    def _request_capabilities(self, order: Order, link: Link) -> Result:
        if order.p1 != 1:
            return Result.FAILED
        link.send_later(self._reporter.builders[148]())
        return Result.ACCEPTED


def _done(is_done: bool) -> Result:
    return Result.ACCEPTED if is_done else Result.FAILED
