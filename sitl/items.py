"""Mission, fence and rally items as the copter keeps them, and what it refuses.

`store_item` does what a trip through ArduPilot's storage does: altitudes become whole
centimetres, frames and parameters lose what is not kept. Transfer is the matter of `transfers`.

Source: AP_Mission::mavlink_int_to_mission_cmd and mission_cmd_to_mavlink_int, and
MissionItemProtocol_Fence and _Rally, 4.7.0-dev.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum

from skymist.sitl.params import float32


class MissionType(IntEnum):
    """MAV_MISSION_TYPE."""

    MISSION = 0
    FENCE = 1
    RALLY = 2
    ALL = 255


class MissionResult(IntEnum):
    """MAV_MISSION_RESULT."""

    ACCEPTED = 0
    ERROR = 1
    UNSUPPORTED_FRAME = 2
    UNSUPPORTED = 3
    NO_SPACE = 4
    INVALID = 5
    INVALID_PARAM1 = 6
    INVALID_PARAM2 = 7
    INVALID_PARAM3 = 8
    INVALID_PARAM4 = 9
    INVALID_PARAM5_X = 10
    INVALID_PARAM6_Y = 11
    INVALID_PARAM7 = 12
    INVALID_SEQUENCE = 13
    DENIED = 14
    OPERATION_CANCELLED = 15


class Command(IntEnum):
    """MAV_CMD, those that the copter knows."""

    NAV_WAYPOINT = 16
    NAV_LOITER_UNLIM = 17
    NAV_LOITER_TURNS = 18
    NAV_LOITER_TIME = 19
    NAV_RETURN_TO_LAUNCH = 20
    NAV_LAND = 21
    NAV_TAKEOFF = 22
    NAV_SPLINE_WAYPOINT = 82
    NAV_DELAY = 93
    CONDITION_DELAY = 112
    CONDITION_DISTANCE = 114
    CONDITION_YAW = 115
    DO_SET_MODE = 176
    DO_JUMP = 177
    DO_CHANGE_SPEED = 178
    DO_SET_HOME = 179
    DO_SET_SERVO = 183
    DO_RETURN_PATH_START = 188
    DO_LAND_START = 189
    DO_REPOSITION = 192
    DO_PAUSE_CONTINUE = 193
    DO_SET_ROI = 201
    DO_FENCE_ENABLE = 207
    DO_SPRAYER = 216
    DO_SET_MISSION_CURRENT = 224
    PREFLIGHT_REBOOT_SHUTDOWN = 246
    MISSION_START = 300
    COMPONENT_ARM_DISARM = 400
    RUN_PREARM_CHECKS = 401
    GET_HOME_POSITION = 410
    GET_MESSAGE_INTERVAL = 510
    SET_MESSAGE_INTERVAL = 511
    REQUEST_MESSAGE = 512
    REQUEST_AUTOPILOT_CAPABILITIES = 520
    FENCE_RETURN_POINT = 5000
    FENCE_POLYGON_INCLUSION = 5001
    FENCE_POLYGON_EXCLUSION = 5002
    FENCE_CIRCLE_INCLUSION = 5003
    FENCE_CIRCLE_EXCLUSION = 5004
    RALLY_POINT = 5100
    BATTERY_RESET = 42651


ABSOLUTE, RELATIVE, TERRAIN = 0, 3, 10
_FRAMES = {0: 0, 5: 0, 2: 0, 3: 3, 6: 3, 10: 10, 11: 10}
_PLACED = frozenset(
    (
        Command.NAV_WAYPOINT,
        Command.NAV_LOITER_UNLIM,
        Command.NAV_LOITER_TURNS,
        Command.NAV_LOITER_TIME,
        Command.NAV_LAND,
        Command.NAV_TAKEOFF,
        Command.NAV_SPLINE_WAYPOINT,
        Command.DO_SET_HOME,
        Command.DO_RETURN_PATH_START,
        Command.DO_LAND_START,
        Command.DO_SET_ROI,
    )
)
_YAW_MAY_BE_NAN = frozenset(
    (Command.NAV_WAYPOINT, Command.NAV_LOITER_UNLIM, Command.NAV_LAND, Command.NAV_TAKEOFF)
)
_BARE = frozenset((Command.NAV_RETURN_TO_LAUNCH, *_PLACED))
_LAST_NAV = 95
_MOST_ALT_M = 83000.0
_CM = float32(0.01)
_KNOWN = frozenset(
    (
        *_PLACED,
        Command.NAV_RETURN_TO_LAUNCH,
        Command.NAV_DELAY,
        Command.CONDITION_DELAY,
        Command.CONDITION_DISTANCE,
        Command.CONDITION_YAW,
        Command.DO_JUMP,
        Command.DO_CHANGE_SPEED,
        Command.DO_SET_SERVO,
        Command.DO_FENCE_ENABLE,
        Command.DO_SPRAYER,
        Command.DO_PAUSE_CONTINUE,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A mission item, its place in 1e-7 degrees and its height in metres of `frame`."""

    seq: int
    command: int
    frame: int = RELATIVE
    p1: float = 0.0
    p2: float = 0.0
    p3: float = 0.0
    p4: float = 0.0
    lat_e7: int = 0
    lon_e7: int = 0
    z_m: float = 0.0

    @property
    def is_nav(self) -> bool:
        """Whether the mission goes on only when this item is done."""
        return self.command <= _LAST_NAV

    @property
    def has_place(self) -> bool:
        """Whether a place is given; both coordinates 0 mean "here"."""
        return self.lat_e7 != 0 or self.lon_e7 != 0


def _refusal(item: Item) -> MissionResult | None:
    """Say why an item is refused, before its command is looked at."""
    for i, value in enumerate((item.p1, item.p2, item.p3, item.p4)):
        may_be_nan = i == 3 and item.command in _YAW_MAY_BE_NAN
        if math.isinf(value) or (math.isnan(value) and not may_be_nan):
            return MissionResult(MissionResult.INVALID_PARAM1 + i)
    return None


def _misplaced(item: Item) -> MissionResult | None:
    if abs(item.lat_e7) > 900_000_000:
        return MissionResult.INVALID_PARAM5_X
    if abs(item.lon_e7) > 1_800_000_000:
        return MissionResult.INVALID_PARAM6_Y
    if not abs(item.z_m) < _MOST_ALT_M:
        return MissionResult.INVALID_PARAM7
    if item.frame not in _FRAMES:
        return MissionResult.UNSUPPORTED_FRAME
    return None


def _kept(item: Item) -> tuple[float, float, float, float]:
    """Give the four parameters as they come back."""
    p1, p2, p3, p4 = item.p1, item.p2, item.p3, item.p4
    whole = float(int(p1) & 0xFFFF)
    match item.command:
        case Command.NAV_WAYPOINT | Command.NAV_SPLINE_WAYPOINT | Command.NAV_TAKEOFF:
            return whole, 0.0, 0.0, 0.0
        case Command.NAV_LOITER_UNLIM:
            return 0.0, 0.0, math.copysign(int(abs(p3)), p3), 0.0
        case Command.NAV_LOITER_TIME:
            return whole, 0.0, -1.0 if p3 < 0 else 1.0, 1.0 if p4 > 0 else 0.0
        case Command.NAV_LOITER_TURNS:
            return whole, 0.0, float(int(p3)), 1.0 if p4 > 0 else 0.0
        case Command.NAV_LAND:
            return whole, 0.0, 0.0, -1.0 if p4 < 0 else 1.0
        case Command.DO_SPRAYER | Command.DO_FENCE_ENABLE | Command.DO_PAUSE_CONTINUE:
            return whole, 0.0, 0.0, 0.0
        case Command.CONDITION_DELAY | Command.CONDITION_DISTANCE:
            return p1, 0.0, 0.0, 0.0
        case Command.CONDITION_YAW:
            return p1, p2, float(int(p3)), 1.0 if p4 > 0 else 0.0
        case Command.DO_CHANGE_SPEED:
            return float(int(p1)), p2, p3, 0.0
        case Command.DO_JUMP:
            return whole, float(int(p2)), 0.0, 0.0
        case Command.DO_SET_SERVO:
            return float(int(p1)), float(int(p2)), 0.0, 0.0
        case Command.DO_SET_HOME | Command.DO_SET_ROI:
            return whole, 0.0, 0.0, 0.0
        case command if command in _BARE:
            return 0.0, 0.0, 0.0, 0.0
    return p1, p2, p3, p4


def store_item(item: Item) -> Item | MissionResult:
    """Give a mission item as it is kept, or why it is refused."""
    refusal = _refusal(item)
    if refusal is not None:
        return refusal
    if item.command in (0, 1):
        return MissionResult.INVALID
    if item.command not in _KNOWN:
        return MissionResult.UNSUPPORTED
    p1, p2, p3, p4 = _kept(item)
    if item.command not in _PLACED:
        return Item(seq=item.seq, command=item.command, frame=ABSOLUTE, p1=p1, p2=p2, p3=p3, p4=p4)
    misplaced = _misplaced(item)
    if misplaced is not None:
        return misplaced
    height_cm = int(float32(float32(item.z_m) * 100.0))
    return replace(
        item,
        frame=_FRAMES[item.frame],
        p1=p1,
        p2=p2,
        p3=p3,
        p4=p4,
        z_m=float32(height_cm * _CM),
    )


_FENCE = {
    Command.FENCE_RETURN_POINT: False,
    Command.FENCE_POLYGON_INCLUSION: True,
    Command.FENCE_POLYGON_EXCLUSION: True,
    Command.FENCE_CIRCLE_INCLUSION: False,
    Command.FENCE_CIRCLE_EXCLUSION: False,
}


def store_fence_item(item: Item) -> Item | MissionResult:
    """Give a fence item as it is kept, or why it is refused."""
    if item.frame not in (0, 3, 5, 6, 10, 11):
        return MissionResult.UNSUPPORTED_FRAME
    try:
        is_vertex = _FENCE[Command(item.command)]
    except (KeyError, ValueError):
        return MissionResult.UNSUPPORTED
    if is_vertex and not item.p1 <= 255:
        return MissionResult.INVALID_PARAM1
    p1 = float(int(item.p1)) if is_vertex else item.p1
    if item.command == Command.FENCE_RETURN_POINT:
        p1 = 0.0
    return Item(
        seq=item.seq,
        command=item.command,
        frame=ABSOLUTE,
        p1=p1,
        lat_e7=item.lat_e7,
        lon_e7=item.lon_e7,
    )


def store_rally_item(item: Item) -> Item | MissionResult:
    """Give a rally point as it is kept, or why it is refused."""
    if item.command != Command.RALLY_POINT:
        return MissionResult.UNSUPPORTED
    if item.frame not in (3, 6, 0, 5):
        return MissionResult.UNSUPPORTED_FRAME
    if abs(item.lat_e7) > 900_000_000:
        return MissionResult.INVALID_PARAM5_X
    if abs(item.lon_e7) > 1_800_000_000:
        return MissionResult.INVALID_PARAM6_Y
    if not -32768 <= item.z_m <= 32767:
        return MissionResult.INVALID_PARAM7
    return Item(
        seq=item.seq,
        command=item.command,
        frame=_FRAMES[item.frame],
        lat_e7=item.lat_e7,
        lon_e7=item.lon_e7,
        z_m=float(int(item.z_m)),
    )
