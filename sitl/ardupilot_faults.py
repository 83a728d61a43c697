"""The vehicle's faults, by the names of `faults.VEHICLE_FAULTS`, on a real ArduCopter process.

Source: SIM_* parameters of AP_HAL_SITL, ArduPilot 4.7.0-dev; what each does was seen on it
(tests/sitl/test_ardupilot_faults.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.errors import SkymistError
from skymist.sitl.faults import DEEDS, VEHICLE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.sitl.crew_line import CrewLine

LOST_PERCENT = 70
CLOSED_US, OPEN_US, PUMP_FUNCTION = 1100, 1900, 22
"""The pump's servo, as sitl/data/sprayer.parm sets it up."""
PARAMETERS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "gps-lost": {"SIM_GPS1_ENABLE": (0, 1)},
    "rc-lost": {"SIM_RC_FAIL": (1, 0)},
    "motor-failed": {"SIM_ENGINE_FAIL": (1, 0)},
    # 6 m/s from 240 degrees blow where `faults` lets them blow: 30 degrees left from east.
    "wind": {"SIM_WIND_DIR": (240, 180), "SIM_WIND_SPD": (6, 0)},
}
"""For each name the parameters that break, and that mend."""
UNKNOWN_TO_ARDUPILOT = frozenset(("tank-leak", "tank-dry"))
"""Its simulator pumps from a tank that it neither weighs nor lets leak."""


class FaultUnavailable(SkymistError):
    """ArduPilot's simulator has no such fault."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"fault {name!r}: ArduPilot's simulator has none; use --sim embedded")


def require_known(name: str) -> None:
    """Check that a vehicle's fault can strike a real ArduCopter.

    Raises
    ------
    FaultUnavailable
        It cannot.
    KeyError
        No fault has that name.
    """
    if name in UNKNOWN_TO_ARDUPILOT:
        raise FaultUnavailable(name)
    if name not in DEEDS and name not in VEHICLE_FAULTS:
        raise KeyError(name)


async def break_ardupilot(line: CrewLine, name: str) -> None:
    """Break a vehicle in the named way, as far as its crew can: by parameters and commands."""
    if name == "battery-drop":
        left = await line.battery_percent()
        await line.command(mavlink.MAV_CMD_BATTERY_RESET, 1, max(1, left - LOST_PERCENT))
        return
    if name == "pump-stuck":
        # Taken from the sprayer, the servo stays where it is put.
        await line.set_param("SERVO9_FUNCTION", 0)
        await line.command(mavlink.MAV_CMD_DO_SET_SERVO, 9, OPEN_US)
        return
    for parameter, (broken, _) in PARAMETERS[name].items():
        await line.set_param(parameter, broken)


async def mend_ardupilot(line: CrewLine, name: str) -> None:
    """Undo it; a charge that was lost stays lost."""
    if name == "pump-stuck":
        await line.command(mavlink.MAV_CMD_DO_SET_SERVO, 9, CLOSED_US)
        await line.set_param("SERVO9_FUNCTION", PUMP_FUNCTION)
        return
    for parameter, (_, whole) in PARAMETERS.get(name, {}).items():
        await line.set_param(parameter, whole)
