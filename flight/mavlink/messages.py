"""What travels between us and a vehicle, as values: no bytes, no library.

Inside they are in SI units, places stay in whole 1e-7 degrees, shares are 0 to 1, and what the
vehicle marks as not known is None. `skymist.flight.mavlink.codec` turns them into bytes and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from skymist.flight.protocols.file_messages import FilePacket
from skymist.missions.items import Item


class MissionKind(IntEnum):
    """MAV_MISSION_TYPE: which of a vehicle's lists a transfer is about."""

    MISSION = 0
    FENCE = 1
    RALLY = 2
    ALL = 255


class MissionResult(IntEnum):
    """MAV_MISSION_RESULT, in the acknowledgement of a transfer."""

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


class CommandResult(IntEnum):
    """MAV_RESULT, in the acknowledgement of a command."""

    ACCEPTED = 0
    TEMPORARILY_REJECTED = 1
    DENIED = 2
    UNSUPPORTED = 3
    FAILED = 4
    IN_PROGRESS = 5
    CANCELLED = 6
    COMMAND_LONG_ONLY = 7
    COMMAND_INT_ONLY = 8
    UNSUPPORTED_MAV_FRAME = 9


class VehicleCommand(IntEnum):
    """MAV_CMD numbers that are sent as commands (those inside missions: `missions.items`)."""

    NAV_LAND = 21
    DO_SET_MODE = 176
    DO_CHANGE_SPEED = 178
    DO_LAND_START = 189
    DO_PAUSE_CONTINUE = 193
    DO_SPRAYER = 216
    DO_SET_MISSION_CURRENT = 224
    PREFLIGHT_REBOOT = 246
    MISSION_START = 300
    COMPONENT_ARM_DISARM = 400
    RUN_PREARM_CHECKS = 401
    GET_HOME_POSITION = 410
    SET_MESSAGE_INTERVAL = 511
    REQUEST_MESSAGE = 512


class CopterMode(IntEnum):
    """ArduCopter's `custom_mode`.

    AUTO_RTL is AUTO while it flies the landing sequence that begins at DO_LAND_START.
    """

    STABILIZE = 0
    ACRO = 1
    ALT_HOLD = 2
    AUTO = 3
    GUIDED = 4
    LOITER = 5
    RTL = 6
    CIRCLE = 7
    LAND = 9
    DRIFT = 11
    SPORT = 13
    FLIP = 14
    AUTOTUNE = 15
    POSHOLD = 16
    BRAKE = 17
    THROW = 18
    AVOID_ADSB = 19
    GUIDED_NOGPS = 20
    SMART_RTL = 21
    FLOWHOLD = 22
    FOLLOW = 23
    ZIGZAG = 24
    SYSTEMID = 25
    AUTOROTATE = 26
    AUTO_RTL = 27
    TURTLE = 28


class MissionState(IntEnum):
    """MISSION_STATE in `MissionCurrent`."""

    UNKNOWN = 0
    NO_MISSION = 1
    NOT_STARTED = 2
    ACTIVE = 3
    PAUSED = 4
    COMPLETE = 5


class EkfFlag(IntFlag):
    """EKF_STATUS_FLAGS: what the position estimate knows."""

    ATTITUDE = 1
    VELOCITY_HORIZONTAL = 2
    VELOCITY_VERTICAL = 4
    POSITION_HORIZONTAL_RELATIVE = 8
    POSITION_HORIZONTAL_ABSOLUTE = 16
    POSITION_VERTICAL_ABSOLUTE = 32
    POSITION_VERTICAL_ABOVE_GROUND = 64
    CONSTANT_POSITION_MODE = 128
    PREDICTED_HORIZONTAL_RELATIVE = 256
    PREDICTED_HORIZONTAL_ABSOLUTE = 512
    UNINITIALIZED = 1024
    GPS_GLITCHING = 32768


PREARM_BIT = 1 << 28
"""MAV_SYS_STATUS_PREARM_CHECK. Source: MAVLink common.xml."""

SAFETY_ARMED_BIT = 128
"""MAV_MODE_FLAG_SAFETY_ARMED in the base mode. Source: MAVLink minimal.xml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """HEARTBEAT: what it is, in which mode, whether its motors are armed."""

    vehicle_type: int
    autopilot: int
    base_mode: int
    custom_mode: int
    system_status: int

    @property
    def is_armed(self) -> bool:
        """True while the motors may turn."""
        return bool(self.base_mode & SAFETY_ARMED_BIT)

    @property
    def mode(self) -> CopterMode | None:
        """The mode by name, None for a number that ArduCopter does not use."""
        try:
            return CopterMode(self.custom_mode)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SysStatus:
    """SYS_STATUS: sensors as bits, the load of the processor, the first battery."""

    sensors_present: int
    sensors_enabled: int
    sensors_health: int
    load_frac: float
    battery_v: float | None
    battery_a: float | None
    battery_frac: float | None

    @property
    def is_prearm_good(self) -> bool:
        """True where the pre-arm checks of the mode it is in pass."""
        return bool(self.sensors_health & PREARM_BIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTime:
    """SYSTEM_TIME: unix time of the vehicle (0 before it knows) and time since boot."""

    unix_s: float
    boot_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gps:
    """GPS_RAW_INT: fix_type 3 is three-dimensional, 4 DGPS, 5 and 6 RTK."""

    fix_type: int
    lat_e7: int
    lon_e7: int
    amsl_m: float
    hdop: float | None
    num_satellites: int | None
    ground_speed_mps: float | None
    accuracy_m: float | None = None
    """Horizontal, as the receiver reports it; None where it does not."""

    @property
    def has_fix(self) -> bool:
        """True from a three-dimensional fix on."""
        return self.fix_type >= 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """GLOBAL_POSITION_INT: the estimate of where it is and how it moves (north, east, down)."""

    boot_s: float
    lat_e7: int
    lon_e7: int
    amsl_m: float
    above_home_m: float
    north_mps: float
    east_mps: float
    down_mps: float
    heading_deg: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServoOutput:
    """SERVO_OUTPUT_RAW: `pulse_us[i]` is output i + 1; 0 where it gives none."""

    boot_s: float
    port: int
    pulse_us: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionCurrent:
    """MISSION_CURRENT: the item it is heading for; `total` counts without home, None unknown."""

    seq: int
    total: int | None
    state: MissionState
    mode: int
    is_in_auto: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReached:
    """MISSION_ITEM_REACHED: sent once and never for DO items; a hint, not the truth."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """BATTERY_STATUS; `index` 0 is the flight battery."""

    index: int
    volts_v: float | None
    current_a: float | None
    consumed_ah: float | None
    remaining_frac: float | None
    remaining_s: float | None
    is_critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EkfStatus:
    """EKF_STATUS_REPORT: flags and test ratios (1 is the limit of each)."""

    flags: EkfFlag
    velocity_variance: float
    position_horizontal_variance: float
    position_vertical_variance: float
    compass_variance: float

    @property
    def has_absolute_position(self) -> bool:
        """True where it may fly a mission: an absolute horizontal position, flag 16."""
        return bool(self.flags & EkfFlag.POSITION_HORIZONTAL_ABSOLUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceStatus:
    """FENCE_STATUS: breach_type 1 lowest, 2 highest, 3 boundary."""

    is_breached: bool
    num_breaches: int
    breach_type: int
    breach_boot_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wind:
    """WIND: where it comes from, right of north, and how fast."""

    from_deg: float
    speed_mps: float
    up_mps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusText:
    """STATUSTEXT, whole: severity 0 emergency to 7 debug (pieces are joined by the channel)."""

    severity: int
    text: str
    id: int = 0
    chunk: int = 0
    is_last: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePosition:
    """HOME_POSITION: where home is; its height is above mean sea."""

    lat_e7: int
    lon_e7: int
    amsl_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AutopilotVersion:
    """AUTOPILOT_VERSION: capabilities as bits, version as major, minor, patch, type."""

    capabilities: int
    version: tuple[int, int, int, int]
    git_hash: str
    board: int
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAck:
    """COMMAND_ACK; `result` may be a number that this code does not know."""

    command: int
    result: int
    progress_frac: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamValue:
    """PARAM_VALUE: the vehicle's own name, its float, its MAV_PARAM_TYPE (9: float)."""

    name: str
    value: float
    param_type: int = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamError:
    """PARAM_ERROR (4.7 on): a parameter that could not be read or written."""

    name: str
    error: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionCount:
    """MISSION_COUNT, both ways: how many items a list has, or will have."""

    kind: MissionKind
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRequest:
    """MISSION_REQUEST or MISSION_REQUEST_INT: the other side wants item `seq`."""

    kind: MissionKind
    seq: int
    is_int: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionItem:
    """MISSION_ITEM_INT, both ways: an item and its number.

    Command and frame as found may be numbers outside our enums when another ground station
    wrote them; they are kept as they are.
    """

    kind: MissionKind
    seq: int
    item: Item
    autocontinue: bool = True
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionAck:
    """MISSION_ACK, both ways."""

    kind: MissionKind
    result: MissionResult


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRequestList:
    """MISSION_REQUEST_LIST: asks for the count of a list."""

    kind: MissionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionClearAll:
    """MISSION_CLEAR_ALL: empties a list."""

    kind: MissionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupSigning:
    """SETUP_SIGNING: the key (32 bytes) that a vehicle is to use from now on; all zero: none.

    `timestamp` in 10 us since 2015. The vehicle does not acknowledge it.
    """

    secret: bytes = field(repr=False)
    timestamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLong:
    """COMMAND_LONG: a command with seven floats; `confirmation` counts the repeats."""

    command: int
    params: tuple[float, float, float, float, float, float, float] = (0.0,) * 7
    confirmation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandInt:
    """COMMAND_INT: a command with a place in whole 1e-7 degrees."""

    command: int
    frame: int = 0
    params: tuple[float, float, float, float] = (0.0,) * 4
    x_e7: int = 0
    y_e7: int = 0
    z_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamRequestRead:
    """PARAM_REQUEST_READ by name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamSet:
    """PARAM_SET."""

    name: str
    value: float
    param_type: int = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSync:
    """TIMESYNC, both ways: a question where `tc1_ns` is 0, else an answer that echoes `ts1_ns`."""

    tc1_ns: int
    ts1_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioStatus:
    """RADIO_STATUS, said by a telemetry radio of itself: strength here and there, 0 to 254."""

    rssi: int
    remote_rssi: int
    num_errors: int


Received = (
    Heartbeat
    | SysStatus
    | SystemTime
    | Gps
    | Position
    | ServoOutput
    | MissionCurrent
    | ItemReached
    | Battery
    | EkfStatus
    | FenceStatus
    | Wind
    | StatusText
    | HomePosition
    | AutopilotVersion
    | CommandAck
    | ParamValue
    | ParamError
    | MissionCount
    | MissionRequest
    | MissionItem
    | MissionAck
    | FilePacket
    | TimeSync
    | RadioStatus
)
"""What a vehicle sends and we understand."""

Sent = (
    Heartbeat
    | MissionCount
    | MissionItem
    | MissionRequest
    | MissionRequestList
    | MissionAck
    | MissionClearAll
    | SetupSigning
    | TimeSync
    | CommandLong
    | CommandInt
    | ParamRequestRead
    | ParamSet
    | FilePacket
)
"""What we send to a vehicle."""
