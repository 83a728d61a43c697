"""What the copter is and where: plain data that the other modules read and write."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

# WGS84. Source: NIMA TR8350.2.
_EQUATOR_M = 6378137.0
_ECCENTRICITY2 = 6.69437999014e-3


class Mode(IntEnum):
    """Flight modes, by ArduCopter's numbers. AUTO_RTL is AUTO on its way home."""

    STABILIZE = 0
    ACRO = 1
    ALT_HOLD = 2
    AUTO = 3
    GUIDED = 4
    LOITER = 5
    RTL = 6
    LAND = 9
    POSHOLD = 16
    BRAKE = 17
    AUTO_RTL = 27


class Reason(IntEnum):
    """Why a mode was entered."""

    INITIALISED = 0
    PILOT = 1
    GCS = 2
    RADIO_FAILSAFE = 3
    BATTERY_FAILSAFE = 4
    GCS_FAILSAFE = 5
    EKF_FAILSAFE = 6
    FENCE = 9
    MISSION_END = 14


class Severity(IntEnum):
    """MAV_SEVERITY, those in use."""

    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


NEEDS_POSITION = frozenset(
    (Mode.AUTO, Mode.GUIDED, Mode.LOITER, Mode.RTL, Mode.BRAKE, Mode.POSHOLD, Mode.AUTO_RTL)
)
MANUAL_THROTTLE = frozenset((Mode.STABILIZE, Mode.ACRO))
ARMABLE = frozenset(
    (Mode.STABILIZE, Mode.ACRO, Mode.ALT_HOLD, Mode.GUIDED, Mode.LOITER, Mode.POSHOLD)
)
"""Modes that can always be armed in; AUTO needs AUTO_OPTIONS bit 0."""


class Grid:
    """Metres east and north of the place where the copter was switched on, and back.

    Scales are those of WGS84 at that place. ArduPilot takes a sphere instead: its metre is up
    to 0.3 % longer or shorter.
    """

    def __init__(self, lat_deg: float, lon_deg: float, amsl_m: float) -> None:
        self.lat_e7 = round(lat_deg * 1e7)
        self.lon_e7 = round(lon_deg * 1e7)
        self.amsl_m = amsl_m
        lat = math.radians(lat_deg)
        root = math.sqrt(1 - _ECCENTRICITY2 * math.sin(lat) ** 2)
        meridian_m = _EQUATOR_M * (1 - _ECCENTRICITY2) / root**3
        self._m_per_lat = math.radians(meridian_m) * 1e-7
        self._m_per_lon = math.radians(_EQUATOR_M / root * math.cos(lat)) * 1e-7

    def to_xy(self, lat_e7: float, lon_e7: float) -> tuple[float, float]:
        """Metres east and north of 1e-7 degrees."""
        return (lon_e7 - self.lon_e7) * self._m_per_lon, (lat_e7 - self.lat_e7) * self._m_per_lat

    def to_e7(self, x: float, y: float) -> tuple[int, int]:
        """Latitude and longitude in 1e-7 degrees of metres east and north."""
        return (
            self.lat_e7 + round(y / self._m_per_lat),
            self.lon_e7 + round(x / self._m_per_lon),
        )


@dataclass(slots=True)
class State:
    """The machine now: metres and m/s east, north and up of where it was switched on."""

    now_s: float = 0.0
    booted_s: float = 0.0
    mode: Mode = Mode.STABILIZE
    reason: Reason = Reason.INITIALISED
    is_auto_rtl: bool = False
    is_armed: bool = False
    is_landed: bool = True
    is_auto_armed: bool = False
    armed_s: float = 0.0
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    vx: float = 0.0
    vy: float = 0.0
    vz: float = 0.0
    heading_rad: float = math.pi / 2
    home: tuple[float, float, float] = (0.0, 0.0, 0.0)
    is_home_locked: bool = False
    pump_frac: float = 0.0
    flow_lps: float = 0.0
    tank_l: float = 0.0
    pumped_l: float = 0.0
    throttle_frac: float = 0.0
    is_rc_lost: bool = False
    is_ekf_failed: bool = False
    texts: list[tuple[Severity, str]] = field(default_factory=list)

    @property
    def age_s(self) -> float:
        """Seconds since the last boot."""
        return self.now_s - self.booted_s

    @property
    def shown_mode(self) -> Mode:
        """The mode as HEARTBEAT tells it."""
        return Mode.AUTO_RTL if self.is_auto_rtl and self.mode is Mode.AUTO else self.mode

    @property
    def above_home_m(self) -> float:
        """Height above home."""
        return self.z - self.home[2]

    def say(self, severity: Severity, text: str) -> None:
        """Queue a STATUSTEXT for all links."""
        self.texts.append((severity, text))
