"""The battery: energy drawn by the motors, what the monitor makes of it, when it is low.

Source: AP_BattMonitor's capacity and voltage failsafes, 4.7.0-dev. Voltage follows charge along
a straight line between a full and an empty lithium cell and sags with current.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from skymist.sitl.params import NOMINAL_V

if TYPE_CHECKING:
    from skymist.coverage.drones import DroneModel
    from skymist.sitl.params import Params

_CELLS = 12
_FULL_V, _EMPTY_V = 4.15, 3.45
_RESISTANCE_OHM = 0.02
STANDBY_W = 15.0
IDLE_SHARE = 0.1


class Level(IntEnum):
    """How bad it is."""

    FINE = 0
    LOW = 1
    CRITICAL = 2


class Battery:
    """Charge, voltage and current. `drop_v` is taken off the voltage by a fault."""

    def __init__(self, model: DroneModel) -> None:
        self._model = model
        self._wh = model.battery_wh
        self.used_wh = 0.0
        self.consumed_mah = 0.0
        self.power_w = STANDBY_W
        self.drop_v = 0.0
        self.level = Level.FINE
        self._low_since_s: float | None = None
        self._critical_since_s: float | None = None

    @property
    def left_frac(self) -> float:
        """Energy left, 0 to 1, as it is."""
        return max(0.0, 1 - self.used_wh / self._wh)

    @property
    def voltage_v(self) -> float:
        """Voltage under the present load."""
        rest = _CELLS * (_EMPTY_V + (_FULL_V - _EMPTY_V) * self.left_frac)
        return max(0.0, rest - self.drop_v - self.power_w / rest * _RESISTANCE_OHM)

    @property
    def current_a(self) -> float:
        """Current at the nominal voltage, which keeps charge and energy in step."""
        return self.power_w / NOMINAL_V

    def remaining_percent(self, params: Params) -> int:
        """Charge left as the monitor counts it, in whole percent."""
        capacity = params["BATT_CAPACITY"]
        if capacity <= 0:
            return -1
        return max(0, min(100, int(100 * (capacity - self.consumed_mah) / capacity)))

    def draw(
        self,
        carried_l: float,
        is_armed: bool,
        is_flying: bool,
        dt_s: float,
        *,
        wind_w: float = 0.0,
    ) -> None:
        """Draw what the motors need for `dt_s` seconds; `wind_w` comes on top in the air."""
        self.power_w = STANDBY_W
        if is_armed:
            hover = self._model.hover_power_w(carried_l)
            self.power_w += hover + wind_w if is_flying else hover * IDLE_SHARE
        self.used_wh += self.power_w * dt_s / 3600
        self.consumed_mah += self.power_w / NOMINAL_V * dt_s / 3.6

    def lose(self, share: float) -> None:
        """Lose a share of the capacity at once, as a broken cell does; the monitor counts it."""
        self.used_wh += share * self._wh
        self.consumed_mah += share * self._wh / NOMINAL_V * 1000

    def swap(self) -> None:
        """Put in a full battery; the monitor starts anew."""
        self.used_wh = self.drop_v = 0.0
        self.reset_counter(100.0, self._wh / NOMINAL_V * 1000)

    def reset_counter(self, percent: float, capacity_mah: float) -> None:
        """Do what BATTERY_RESET does."""
        self.consumed_mah = (1 - percent / 100) * capacity_mah
        self.level = Level.FINE
        self._low_since_s = self._critical_since_s = None

    def check(self, params: Params, now_s: float) -> Level | None:
        """Give a level that is newly reached, else None. Asked while armed alone."""
        level = self._judge(params, now_s)
        if level <= self.level:
            return None
        self.level = level
        return level

    def _judge(self, params: Params, now_s: float) -> Level:
        left_mah = params["BATT_CAPACITY"] - self.consumed_mah
        voltage, timer = self.voltage_v, params["BATT_LOW_TIMER"]
        is_critical = 0 < voltage < params["BATT_CRT_VOLT"]
        is_low = 0 < voltage < params["BATT_LOW_VOLT"]
        self._critical_since_s = (self._critical_since_s or now_s) if is_critical else None
        self._low_since_s = (self._low_since_s or now_s) if is_low else None
        if self._critical_since_s is not None and now_s - self._critical_since_s > timer > 0:
            return Level.CRITICAL
        if params["BATT_CRT_MAH"] > 0 and left_mah < params["BATT_CRT_MAH"]:
            return Level.CRITICAL
        if self._low_since_s is not None and now_s - self._low_since_s > timer > 0:
            return Level.LOW
        if params["BATT_LOW_MAH"] > 0 and left_mah < params["BATT_LOW_MAH"]:
            return Level.LOW
        return Level.FINE
