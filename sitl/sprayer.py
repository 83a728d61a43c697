"""The sprayer: ArduCopter's rule for the pump, and the tank behind it.

Source: AC_Sprayer, 4.7.0-dev, run by the scheduler 3 times a second. Nothing here looks at the
mode, at arming or at failsafes, since ArduPilot does not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.sitl.params import NUM_SERVOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.coverage.drones import Sprayer
    from skymist.sitl.params import Params

PERIOD_S = 0.3325
"""3 Hz as the scheduler keeps it: 133 loops of 2.5 ms."""
ON_DELAY_S = 0.1
OFF_DELAY_S = 1.0
_PUMP, _SPINNER = 22, 23


class SprayControl:
    """Whether spraying is permitted, and how far the pump is open."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._next_s = 0.0
        self._over_s = 0.0
        self._under_s = 0.0
        self.is_permitted = False
        self.is_spraying = False
        self.pump_frac = 0.0

    @property
    def next_update_s(self) -> float:
        """When the pump is looked at next."""
        return self._next_s

    def permit(self, wanted: bool) -> None:
        """Do what DO_SPRAYER 1 or 0 does: permit spraying, or stop at once."""
        if wanted == self.is_permitted:
            return
        self.is_permitted = wanted and self._params["SPRAY_ENABLE"] > 0
        if not self.is_permitted:
            self._stop()

    def set_servo(self, channel: int, pwm: float) -> bool:
        """Do what DO_SET_SERVO does to a pump: it sticks while spraying is not permitted.

        False where the channel is no pump of ours.
        """
        if channel != pump_channel(self._params):
            return False
        low, high = self._params[f"SERVO{channel}_MIN"], self._params[f"SERVO{channel}_MAX"]
        self.pump_frac = max(0.0, min(1.0, (pwm - low) / max(1.0, high - low)))
        return True

    def reboot(self, now_s: float) -> None:
        """Forget everything, as a boot does."""
        self.is_permitted = False
        self._over_s = self._under_s = 0.0
        self._next_s = now_s + PERIOD_S
        self._stop()

    def update(self, now_s: float, speed_mps: float) -> None:
        """Look at the ground speed and set the pump; due at `next_update_s`."""
        self._next_s += PERIOD_S
        params = self._params
        if not self.is_permitted:
            return
        if not params["SPRAY_ENABLE"]:
            self.permit(False)
            return
        if pump_channel(params) is None:
            return
        speed_cms = speed_mps * 100
        if speed_cms >= params["SPRAY_SPEED_MIN"]:
            self._under_s = 0.0
            if not self.is_spraying:
                if self._over_s == 0.0:
                    self._over_s = now_s
                elif now_s - self._over_s > ON_DELAY_S:
                    self.is_spraying = True
                    self._over_s = 0.0
        else:
            self._over_s = 0.0
            if self.is_spraying:
                if self._under_s == 0.0:
                    self._under_s = now_s
                elif now_s - self._under_s > OFF_DELAY_S:
                    self.is_spraying = False
                    self._under_s = 0.0
        if not self.is_spraying:
            self._stop()
            return
        percent = max(speed_mps * params["SPRAY_PUMP_RATE"], params["SPRAY_PUMP_MIN"])
        self.pump_frac = min(percent, 100.0) / 100

    def _stop(self) -> None:
        self.is_spraying = False
        self.pump_frac = 0.0


def pump_channel(params: Params) -> int | None:
    """The servo whose function is the pump, or None."""
    for channel in range(1, NUM_SERVOS + 1):
        if params[f"SERVO{channel}_FUNCTION"] == _PUMP:
            return channel
    return None


def servo_pwm(params: Params, channel: int, control: SprayControl, pump_frac: float) -> int:
    """Pulse in microseconds that SERVO_OUTPUT_RAW tells for a servo; 0 where it is no sprayer's."""
    function = params[f"SERVO{channel}_FUNCTION"]
    low, high = params[f"SERVO{channel}_MIN"], params[f"SERVO{channel}_MAX"]
    if function == _PUMP:
        share = 1 - pump_frac if params[f"SERVO{channel}_REVERSED"] else pump_frac
        return round(low + share * (high - low))
    if function == _SPINNER:
        return round(params["SPRAY_SPINNER"] if control.is_spraying else low)
    return 0


class Tank:
    """What is aboard and what went out, in litres."""

    def __init__(self, sprayer: Sprayer) -> None:
        self.capacity_l = sprayer.tank_l
        self.held_l = sprayer.tank_l
        self.pumped_l = 0.0
        self.leaked_l = 0.0
        self._full_lps = sprayer.flow_max_lps

    def flow_lps(self, pump_frac: float) -> float:
        """What leaves the nozzles now; nothing from an empty tank."""
        return self._full_lps * pump_frac if self.held_l > 0 else 0.0

    def draw(self, pump_frac: float, leak_lps: float, dt_s: float) -> None:
        """Pump and leak for `dt_s` seconds."""
        pumped = min(self.held_l, self._full_lps * pump_frac * dt_s)
        self.held_l -= pumped
        self.pumped_l += pumped
        leaked = min(self.held_l, leak_lps * dt_s)
        self.held_l -= leaked
        self.leaked_l += leaked

    def refill(self, litres: float | None) -> None:
        """Pour in so many litres, at most to the brim; None fills up.

        Raises
        ------
        ValueError
            `litres` is not a number from 0 up.
        """
        if litres is not None and not litres >= 0:
            raise ValueError(f"litres must be 0 or more, got {litres}")
        room = self.capacity_l - self.held_l
        self.held_l += room if litres is None else min(room, litres)


def run_pump(
    control: SprayControl,
    now_s: float,
    dt_s: float,
    speed_mps: float,
    draw: Callable[[float], None],
    switched: Callable[[float], None],
) -> None:
    """Run the pump for `dt_s` seconds up to `now_s`.

    `draw` is called with the seconds of each piece, before the opening changes; `switched` with
    the time at which the pump has started or stopped.
    """
    at_s = now_s - dt_s
    while control.next_update_s <= now_s:
        due_s = max(at_s, control.next_update_s)
        was_on = control.pump_frac > 0
        draw(due_s - at_s)
        at_s = due_s
        control.update(due_s, speed_mps)
        if (control.pump_frac > 0) != was_on:
            switched(due_s)
    draw(now_s - at_s)
