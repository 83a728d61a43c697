"""A mission as the vehicle holds it: items, fence, rally points, parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Command(IntEnum):
    """The MAV_CMD numbers that Skymist sends in missions and fences.

    Source: MAVLink common.xml and ardupilotmega.xml.
    """

    NAV_WAYPOINT = 16
    NAV_LOITER_TIME = 19
    NAV_RETURN_TO_LAUNCH = 20
    NAV_LAND = 21
    NAV_TAKEOFF = 22
    NAV_DELAY = 93
    CONDITION_DELAY = 112
    CONDITION_DISTANCE = 114
    DO_CHANGE_SPEED = 178
    DO_LAND_START = 189
    DO_SPRAYER = 216
    NAV_RALLY_POINT = 5100
    FENCE_POLYGON_INCLUSION = 5001
    FENCE_POLYGON_EXCLUSION = 5002


class Frame(IntEnum):
    """MAV_FRAME numbers: global with height above mean sea, mission (no place), above home."""

    GLOBAL = 0
    MISSION = 2
    ABOVE_HOME = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One MISSION_ITEM_INT without its number: `x_e7`, `y_e7` are latitude and longitude."""

    command: Command
    frame: Frame = Frame.MISSION
    p1: float = 0.0
    p2: float = 0.0
    p3: float = 0.0
    p4: float = 0.0
    x_e7: int = 0
    y_e7: int = 0
    z_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSpan:
    """Which items fly a pass.

    The pump may run while `MISSION_CURRENT` is `first_seq` to `last_seq`; `pass_index` counts
    in `Sortie.passes`.
    """

    pass_index: int
    spot_id: str
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FencePolygon:
    """A fence of 3 to 255 corners (latitude, longitude in 1e-7 degrees), to stay in or out of."""

    is_inclusion: bool
    corners_e7: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mission:
    """All that a vehicle must hold before it may arm for one sortie.

    `items[0]` is home, as ArduPilot counts. `parameters` are logical names (see
    `skymist.flight.protocols.parameters` for the aliases of each firmware) with values in SI units.
    """

    sortie_id: str
    drone_id: str
    items: tuple[Item, ...]
    spans: tuple[PassSpan, ...]
    fence: tuple[FencePolygon, ...] = ()
    rally: tuple[Item, ...] = ()
    parameters: dict[str, float] = field(default_factory=dict)
    land_start_seq: int = 0
