"""The copter's parameters: names as three firmware generations spell them, values in SI inside.

The keys are the names of 4.7; `Spelling` says what another generation calls them and in which
unit. What the numbers do is the matter of the modules that read them.
"""

from __future__ import annotations

import math
import struct
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from skymist.coverage.drones import Drone

_FLOAT32 = struct.Struct("<f")


def float32(value: float) -> float:
    """Give the nearest number that MAVLink can carry."""
    rounded: float = _FLOAT32.unpack(_FLOAT32.pack(value))[0]
    return rounded


class Firmware(Enum):
    """Whose parameter names the copter answers to.

    Source: `DEV_2025_10` was read in ArduPilot's tree of 24 October 2025 (4.7.0-dev, before the
    units moved to metres).
    """

    V4_5 = "4.5"
    V4_6 = "4.6"
    DEV_2025_10 = "4.7.0-dev"
    V4_7 = "4.7"


class ParamType(IntEnum):
    """MAV_PARAM_TYPE, the four that ArduPilot uses."""

    INT8 = 2
    INT16 = 4
    INT32 = 6
    REAL32 = 9


class Spelling(NamedTuple):
    """Another generation's name; its value is ours times `scale`."""

    name: str
    scale: float = 1.0


_R, _B, _W, _D = ParamType.REAL32, ParamType.INT8, ParamType.INT16, ParamType.INT32
NUM_SERVOS, NUM_MOTORS = 16, 4
_FUNCTIONS = {1: 33, 2: 34, 3: 35, 4: 36, 9: 22, 10: 23}
"""Of the outputs that have one: motors 1 to 4, the sprayer's pump and spinner."""

# Defaults: ArduPilot's own (AC_WPNav, AC_Fence, AC_Sprayer, ArduCopter's Parameters.cpp) and
# Tools/autotest/default_params/copter.parm, read in the tree named above.
_TABLE: dict[str, tuple[float, ParamType]] = {
    "FORMAT_VERSION": (120, _W),
    "MAV_SYSID": (1, _W),
    "MAV_GCS_SYSID": (255, _W),
    "MAV_OPTIONS": (0, _W),
    "ARMING_SKIPCHK": (0, _D),
    "ARMING_OPTIONS": (0, _D),
    "DISARM_DELAY": (10, _B),
    "FRAME_CLASS": (1, _B),
    "FRAME_TYPE": (0, _B),
    "AUTO_OPTIONS": (0, _D),
    "MIS_TOTAL": (0, _W),
    "MIS_RESTART": (0, _B),
    "MIS_OPTIONS": (0, _W),
    "WP_SPD": (10, _R),
    "WP_SPD_UP": (2.5, _R),
    "WP_SPD_DN": (1.5, _R),
    "WP_ACC": (2.5, _R),
    "WP_ACC_Z": (1.0, _R),
    "WP_ACC_CNR": (0, _R),
    "WP_JERK": (1.0, _R),
    "WP_RADIUS_M": (2.0, _R),
    "WP_RFND_USE": (1, _B),
    "WP_YAW_BEHAVIOR": (2, _B),
    "RTL_ALT_M": (15, _R),
    "RTL_ALT_FINAL_M": (0, _R),
    "RTL_CLIMB_MIN_M": (0, _R),
    "RTL_SPEED_MS": (0, _R),
    "RTL_CONE_SLOPE": (3, _R),
    "RTL_LOIT_TIME": (5000, _D),
    "RTL_ALT_TYPE": (0, _B),
    "RTL_OPTIONS": (0, _D),
    "LAND_SPD_MS": (0.5, _R),
    "LAND_SPD_HIGH_MS": (0, _R),
    "LAND_ALT_LOW_M": (10, _R),
    "FS_GCS_ENABLE": (0, _B),
    "FS_GCS_TIMEOUT": (5, _R),
    "FS_THR_ENABLE": (1, _B),
    "FS_THR_VALUE": (975, _W),
    "FS_OPTIONS": (16, _D),
    "FS_EKF_ACTION": (1, _B),
    "FS_EKF_THRESH": (0.8, _R),
    "FS_DR_ENABLE": (2, _B),
    "FS_DR_TIMEOUT": (30, _W),
    "FS_CRASH_CHECK": (1, _B),
    "BATT_MONITOR": (4, _B),
    "BATT_CAPACITY": (3300, _D),
    "BATT_LOW_VOLT": (10.5, _R),
    "BATT_LOW_MAH": (0, _R),
    "BATT_LOW_TIMER": (10, _B),
    "BATT_CRT_VOLT": (0, _R),
    "BATT_CRT_MAH": (0, _R),
    "BATT_FS_LOW_ACT": (0, _B),
    "BATT_FS_CRT_ACT": (0, _B),
    "BATT_ARM_VOLT": (0, _R),
    "BATT_ARM_MAH": (0, _D),
    "FENCE_ENABLE": (0, _B),
    "FENCE_TYPE": (7, _B),
    "FENCE_ACTION": (1, _B),
    "FENCE_ALT_MAX": (100, _R),
    "FENCE_ALT_MIN": (-10, _R),
    "FENCE_RADIUS": (150, _R),
    "FENCE_MARGIN": (2, _R),
    "FENCE_OPTIONS": (1, _W),
    "FENCE_TOTAL": (0, _B),
    "FENCE_AUTOENABLE": (0, _B),
    "RALLY_TOTAL": (0, _B),
    "RALLY_LIMIT_KM": (0.3, _R),
    "RALLY_INCL_HOME": (1, _B),
    "SPRAY_ENABLE": (1, _B),
    "SPRAY_PUMP_RATE": (10, _R),
    "SPRAY_PUMP_MIN": (0, _R),
    "SPRAY_SPEED_MIN": (100, _R),
    "SPRAY_SPINNER": (1300, _W),
    **{
        f"SERVO{n}_{name}": row
        for n in range(1, NUM_SERVOS + 1)
        for name, row in {
            "FUNCTION": (_FUNCTIONS.get(n, 0), _W),
            "MIN": (1100, _W),
            "MAX": (1900, _W),
            "TRIM": (1500, _W),
            "REVERSED": (0, _B),
        }.items()
    },
    "SERIAL0_PROTOCOL": (2, _B),
    "SERIAL0_BAUD": (115, _D),
    "SIM_SPEEDUP": (1, _R),
    "SIM_SPR_ENABLE": (1, _B),
    "SIM_SPR_PUMP": (9, _B),
    "SIM_SPR_SPIN": (10, _B),
}
_DERIVED = {"MIS_TOTAL", "FENCE_TOTAL", "RALLY_TOTAL", "FORMAT_VERSION"}

_CENTI = {
    "WP_SPD": "WPNAV_SPEED",
    "WP_SPD_UP": "WPNAV_SPEED_UP",
    "WP_SPD_DN": "WPNAV_SPEED_DN",
    "WP_ACC": "WPNAV_ACCEL",
    "WP_ACC_Z": "WPNAV_ACCEL_Z",
    "WP_ACC_CNR": "WPNAV_ACCEL_C",
    "WP_RADIUS_M": "WPNAV_RADIUS",
    "RTL_ALT_M": "RTL_ALT",
    "RTL_ALT_FINAL_M": "RTL_ALT_FINAL",
    "RTL_CLIMB_MIN_M": "RTL_CLIMB_MIN",
    "RTL_SPEED_MS": "RTL_SPEED",
    "LAND_SPD_MS": "LAND_SPEED",
    "LAND_SPD_HIGH_MS": "LAND_SPEED_HIGH",
    "LAND_ALT_LOW_M": "LAND_ALT_LOW",
}
_DEV = {
    **{name: Spelling(old, 100.0) for name, old in _CENTI.items()},
    "WP_JERK": Spelling("WPNAV_JERK"),
    "WP_RFND_USE": Spelling("WPNAV_RFND_USE"),
    "ARMING_SKIPCHK": Spelling("ARMING_CHECK"),
}
_OLD = {
    **_DEV,
    "MAV_SYSID": Spelling("SYSID_THISMAV"),
    "MAV_GCS_SYSID": Spelling("SYSID_MYGCS"),
    "MAV_OPTIONS": Spelling("SYSID_ENFORCE"),
}
SPELLINGS: Mapping[Firmware, Mapping[str, Spelling]] = {
    Firmware.V4_7: {},
    Firmware.DEV_2025_10: _DEV,
    Firmware.V4_6: _OLD,
    Firmware.V4_5: _OLD,
}
_ABSENT = {Firmware.V4_5: frozenset(("FENCE_AUTOENABLE",))}
"""FENCE_AUTOENABLE was a plane's alone until 4.6. Source: ArduPilot, AC_Fence.cpp."""


class Answer(NamedTuple):
    """One PARAM_VALUE: as the wire spells it."""

    name: str
    value: float
    type: ParamType
    position: int


class Params:
    """Named numbers that survive a reboot. Index with the 4.7 name to read; SI units.

    Names that a generation does not know are unknown on the wire: no answer comes.
    """

    def __init__(self, values: Mapping[str, float], firmware: Firmware = Firmware.V4_7) -> None:
        self.firmware = firmware
        self._values = {name: float(values.get(name, row[0])) for name, row in _TABLE.items()}
        spelled = SPELLINGS[firmware]
        absent = _ABSENT.get(firmware, frozenset())
        self._keys = {
            spelled.get(name, Spelling(name)).name: name for name in _TABLE if name not in absent
        }
        self._wire_names = tuple(sorted(self._keys))

    @classmethod
    def of(cls, drone: Drone, firmware: Firmware = Firmware.V4_7) -> Params:
        """Give the defaults for a drone: its speeds and battery, the rest ArduPilot's own."""
        model = drone.model
        return cls(
            {
                "MAV_SYSID": drone.sysid,
                "WP_SPD": model.speed_mps,
                "WP_SPD_UP": model.climb_mps,
                "WP_SPD_DN": model.descent_mps,
                "BATT_CAPACITY": round(model.battery_wh / NOMINAL_V * 1000),
                "BATT_LOW_VOLT": 0,
                "BATT_LOW_MAH": round(LOW_SHARE * model.battery_wh / NOMINAL_V * 1000),
            },
            firmware,
        )

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __len__(self) -> int:
        return len(self._wire_names)

    def put(self, name: str, value: float) -> None:
        """Set a parameter by its 4.7 name, from the vehicle's own side."""
        kind = _TABLE[name][1]
        self._values[name] = value if kind is _R else float(int(value))

    def answer(self, wire_name: str) -> Answer | None:
        """Give a parameter as the wire spells it; None for a name that is not known."""
        name = self._keys.get(wire_name)
        if name is None:
            return None
        kind = _TABLE[name][1]
        spelling = SPELLINGS[self.firmware].get(name)
        value = self._values[name] * (spelling.scale if spelling else 1.0)
        if spelling is not None and spelling.name == "ARMING_CHECK":
            value = float(0 if value == -1 else 1)
        return Answer(wire_name, float32(value), kind, self._wire_names.index(wire_name))

    def answer_at(self, index: int) -> Answer | None:
        """Give the parameter with this index, or None past the end."""
        if not 0 <= index < len(self._wire_names):
            return None
        return self.answer(self._wire_names[index])

    def set(self, wire_name: str, value: float) -> Answer | None:
        """Take a PARAM_SET and give what to answer; None for no answer at all.

        A number that is not finite and a name that is not known are passed over in silence; a
        counter that only the vehicle writes answers with its old value.
        """
        name = self._keys.get(wire_name)
        if name is None or not math.isfinite(value):
            return None
        if name not in _DERIVED:
            spelling = SPELLINGS[self.firmware].get(name)
            if spelling is not None and spelling.name == "ARMING_CHECK":
                self.put(name, -1 if value == 0 else 0)
            else:
                self.put(name, value / (spelling.scale if spelling else 1.0))
        return self.answer(wire_name)

    def answers(self) -> Iterator[Answer]:
        """Give all parameters in the order of their index."""
        for index in range(len(self._wire_names)):
            answer = self.answer_at(index)
            if answer is not None:
                yield answer


def is_counter(wire_name: str) -> bool:
    """Say whether a parameter is written by the vehicle alone."""
    return wire_name in _DERIVED


LOW_SHARE = 0.1
"""Of the capacity: below it the battery's failsafe fires."""
NOMINAL_V = 44.4
"""Voltage of a 12-cell pack, at 3.7 V a cell: agricultural drones of the 10 L class and above."""
