"""Our names for parameters, in SI units, and what each firmware calls them.

Names and units moved between ArduCopter 4.5, 4.6 and 4.7. The first name of each is the newest, the
last that of 4.5 and 4.6. Source: ArduPilot ArduCopter/Parameters.cpp, AC_WPNav.cpp, AC_Sprayer.cpp,
AC_Fence.cpp, AP_BattMonitor_Params.cpp, GCS_MAVLink/GCS.cpp.
"""

from __future__ import annotations

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
