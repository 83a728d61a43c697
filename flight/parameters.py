"""Our names for parameters, in SI units, and what each firmware calls them.

Names and units moved between ArduCopter 4.5, 4.6 and 4.7. All names of a parameter are asked for,
newest first; the one that answers is read and written, one that did not answer never is.
Source: ArduPilot ArduCopter/Parameters.cpp, AC_WPNav.cpp, AC_Sprayer.cpp, AC_Fence.cpp,
AP_BattMonitor_Params.cpp, GCS_MAVLink/GCS.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Alias(NamedTuple):
    """A vehicle's own name, and how many of its units make one of ours."""

    name: str
    scale: float = 1.0


def _alike(name: str, scale: float = 1.0) -> tuple[Alias, ...]:
    return (Alias(name, scale),)


ALIASES: dict[str, tuple[Alias, ...]] = {
    "spray_enable": _alike("SPRAY_ENABLE"),
    "spray_pump_rate_pct_per_mps": _alike("SPRAY_PUMP_RATE"),
    "spray_pump_min_pct": _alike("SPRAY_PUMP_MIN"),
    "spray_speed_min_mps": _alike("SPRAY_SPEED_MIN", 100),
    "fs_gcs_action": _alike("FS_GCS_ENABLE"),
    "fs_throttle_action": _alike("FS_THR_ENABLE"),
    "fs_options": _alike("FS_OPTIONS"),
    "battery_low_action": _alike("BATT_FS_LOW_ACT"),
    "battery_low_mah": _alike("BATT_LOW_MAH"),
    "battery_low_v": _alike("BATT_LOW_VOLT"),
    "fence_enable": _alike("FENCE_ENABLE"),
    "fence_action": _alike("FENCE_ACTION"),
    "fence_type": _alike("FENCE_TYPE"),
    "fence_alt_max_m": _alike("FENCE_ALT_MAX"),
    "fence_margin_m": _alike("FENCE_MARGIN"),
    "fence_options": _alike("FENCE_OPTIONS"),
    "rtl_altitude_m": (Alias("RTL_ALT_M"), Alias("RTL_ALT", 100)),
    "rtl_alt_final_m": (Alias("RTL_ALT_FINAL_M"), Alias("RTL_ALT_FINAL", 100)),
    "rtl_alt_type": _alike("RTL_ALT_TYPE"),
    "rtl_cone_slope": _alike("RTL_CONE_SLOPE"),
    "wp_speed_mps": (Alias("WP_SPD"), Alias("WPNAV_SPEED", 100)),
    "wp_accel_mps2": (Alias("WP_ACC"), Alias("WPNAV_ACCEL", 100)),
    "wp_radius_m": (Alias("WP_RADIUS_M"), Alias("WPNAV_RADIUS", 100)),
    "auto_options": _alike("AUTO_OPTIONS"),
    "gcs_sysid": (Alias("MAV_GCS_SYSID"), Alias("SYSID_MYGCS")),
    **{
        f"servo{n}_{part}": _alike(f"SERVO{n}_{part.upper()}")
        for n in range(1, 17)
        for part in ("function", "min", "max", "reversed")
    },
}
"""By logical name; percentages stay as the vehicle counts them, as their names say."""

READ_ONLY: dict[str, tuple[Alias, ...]] = {
    "arming_checks": (Alias("ARMING_SKIPCHK"), Alias("ARMING_CHECK")),
}
"""Whose meaning differs with the name that answers: read by it, never written."""


def aliases_of(name: str) -> tuple[Alias, ...]:
    """What vehicles may call a parameter; ValueError for a name that is not one of ours."""
    try:
        return ALIASES[name] if name in ALIASES else READ_ONLY[name]
    except KeyError:
        known = ", ".join(name for name in ALIASES if not name.startswith("servo"))
        raise ValueError(f"parameter {name!r}: wanted one of {known}") from None


def checks_off(vehicle_name: str, value: float) -> str:
    """Which of its own checks a vehicle does not make, in words; empty where it makes all.

    ARMING_SKIPCHK (4.7) has bits of checks that are left out, -1 for all; ARMING_CHECK bits of
    those that are made, 1 for all. Source: AP_Arming.cpp.
    """
    bits = int(value)
    if vehicle_name == "ARMING_CHECK":
        return "" if bits & 1 else ("all" if bits == 0 else f"all but ARMING_CHECK {bits}")
    return "" if bits == 0 else ("all" if bits == -1 else f"ARMING_SKIPCHK {bits}")


def groups_of(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The vehicles' names of each parameter, as `ParameterRead` takes them."""
    return tuple(tuple(alias.name for alias in aliases_of(name)) for name in names)


def scale_of(name: str, vehicle_name: str) -> float:
    """How many of the vehicle's units make one of ours."""
    return next(alias.scale for alias in aliases_of(name) if alias.name == vehicle_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterReport:
    """Logical parameters before and after a change, in SI units.

    `missing` answered under none of their names; `refused` answered, and do not hold what was
    wanted. `after` is what was read back, with the rounding of the vehicle.
    """

    before: dict[str, float]
    after: dict[str, float]
    missing: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def is_as_wanted(self) -> bool:
        """True where the vehicle holds every value that was wanted."""
        return not (self.missing or self.refused)
