"""How the payload of each message that we use becomes a value: layout, units, unknowns.

Layouts are those of the wire (largest fields first, extensions last), little-endian; a test holds
each against pymavlink's dialect. Source: MAVLink common.xml, ardupilotmega.xml.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple, cast

from skymist.flight.mavlink.messages import (
    AutopilotVersion,
    Battery,
    CommandAck,
    EkfFlag,
    EkfStatus,
    FenceStatus,
    Gps,
    Heartbeat,
    HomePosition,
    ItemReached,
    MissionAck,
    MissionCount,
    MissionCurrent,
    MissionItem,
    MissionKind,
    MissionRequest,
    MissionResult,
    MissionState,
    ParamError,
    ParamValue,
    Position,
    RadioStatus,
    Received,
    ServoOutput,
    StatusText,
    SysStatus,
    SystemTime,
    TimeSync,
    Wind,
)
from skymist.flight.protocols.file_messages import FilePacket, unpack_file_packet
from skymist.missions.items import Command, Frame, Item

_COMMANDS: dict[int, int] = {int(command): command for command in Command}
_FRAMES: dict[int, int] = {int(frame): frame for frame in Frame}
_STATES = {int(state): state for state in MissionState}
_RESULTS = {int(result): result for result in MissionResult}
_CRITICAL_CHARGE = (3, 4, 5, 6)  # MAV_BATTERY_CHARGE_STATE: critical, emergency, failed, unhealthy


class Reader(NamedTuple):
    """The layout of a payload, what builds our value, and where its target stands (-1: nowhere)."""

    layout: Struct
    build: Callable[..., Received]
    target_at: int = -1


def _heartbeat(
    mode: int, kind: int, autopilot: int, base_mode: int, status: int, _v: int
) -> Heartbeat:
    return Heartbeat(
        vehicle_type=kind,
        autopilot=autopilot,
        base_mode=base_mode,
        custom_mode=mode,
        system_status=status,
    )


def _sys_status(
    present: int, enabled: int, health: int, load: int, volts: int, amps: int, *rest: int
) -> SysStatus:
    remaining = rest[6]
    return SysStatus(
        sensors_present=present,
        sensors_enabled=enabled,
        sensors_health=health,
        load_frac=load / 1000,
        battery_v=None if volts == 0xFFFF else volts / 1000,
        battery_a=None if amps < 0 else amps / 100,
        battery_frac=None if remaining < 0 else remaining / 100,
    )


def _system_time(unix_us: int, boot_ms: int) -> SystemTime:
    return SystemTime(unix_s=unix_us / 1e6, boot_s=boot_ms / 1000)


def _param_value(value: float, _count: int, _index: int, name: bytes, kind: int) -> ParamValue:
    return ParamValue(name=_text(name), value=value, param_type=kind)


def _param_error(_index: int, _sysid: int, _compid: int, name: bytes, error: int) -> ParamError:
    return ParamError(name=_text(name), error=error)


def _gps(
    _time: int, lat: int, lon: int, amsl: int, eph: int, _epv: int, speed: int, *rest: int
) -> Gps:
    return Gps(
        fix_type=rest[1],
        lat_e7=lat,
        lon_e7=lon,
        amsl_m=amsl / 1000,
        hdop=None if eph == 0xFFFF else eph / 100,
        num_satellites=None if rest[2] == 0xFF else rest[2],
        ground_speed_mps=None if speed == 0xFFFF else speed / 100,
        accuracy_m=rest[4] / 1000 or None,
    )


def _position(
    boot: int, lat: int, lon: int, amsl: int, home: int, vx: int, vy: int, vz: int, heading: int
) -> Position:
    return Position(
        boot_s=boot / 1000,
        lat_e7=lat,
        lon_e7=lon,
        amsl_m=amsl / 1000,
        above_home_m=home / 1000,
        north_mps=vx / 100,
        east_mps=vy / 100,
        down_mps=vz / 100,
        heading_deg=None if heading == 0xFFFF else heading / 100,
    )


def _servo_output(time_us: int, *rest: int) -> ServoOutput:
    return ServoOutput(boot_s=time_us / 1e6, port=rest[8], pulse_us=rest[:8] + rest[9:])


def _item(kind: int, seq: int, autocontinue: int, current: int, **fields: Any) -> MissionItem:
    command, frame = fields.pop("command"), fields.pop("frame")
    item = Item(
        command=cast(Command, _COMMANDS.get(command, command)),
        frame=cast(Frame, _FRAMES.get(frame, frame)),
        **fields,
    )
    return MissionItem(
        kind=MissionKind(kind),
        seq=seq,
        item=item,
        autocontinue=bool(autocontinue),
        is_current=bool(current),
    )


def _mission_item(*v: Any) -> MissionItem:
    places = {"x_e7": round(v[4] * 1e7), "y_e7": round(v[5] * 1e7)}
    params = dict(zip(("p1", "p2", "p3", "p4"), v[:4], strict=True))
    return _item(v[14], v[7], v[13], v[12], command=v[8], frame=v[11], z_m=v[6], **params, **places)


def _mission_item_int(*v: Any) -> MissionItem:
    places = {"x_e7": v[4], "y_e7": v[5]}
    params = dict(zip(("p1", "p2", "p3", "p4"), v[:4], strict=True))
    return _item(v[14], v[7], v[13], v[12], command=v[8], frame=v[11], z_m=v[6], **params, **places)


def _mission_request(seq: int, _sysid: int, _compid: int, kind: int) -> MissionRequest:
    return MissionRequest(kind=MissionKind(kind), seq=seq, is_int=False)


def _mission_request_int(seq: int, _sysid: int, _compid: int, kind: int) -> MissionRequest:
    return MissionRequest(kind=MissionKind(kind), seq=seq)


def _mission_current(seq: int, total: int, state: int, mode: int) -> MissionCurrent:
    return MissionCurrent(
        seq=seq,
        total=None if total == 0xFFFF else total,
        state=_STATES.get(state, MissionState.UNKNOWN),
        mode=mode,
        is_in_auto=mode == 1,
    )


def _mission_count(count: int, _sysid: int, _compid: int, kind: int) -> MissionCount:
    return MissionCount(kind=MissionKind(kind), count=count)


def _item_reached(seq: int) -> ItemReached:
    return ItemReached(seq=seq)


def _mission_ack(_sysid: int, _compid: int, result: int, kind: int) -> MissionAck:
    known = _RESULTS.get(result, MissionResult.INVALID)
    return MissionAck(kind=MissionKind(kind), result=known)


def _file_packet(_network: int, _sysid: int, _compid: int, *payload: int) -> FilePacket:
    return unpack_file_packet(bytes(payload))


def _command_ack(command: int, result: int, progress: int, *_rest: int) -> CommandAck:
    is_progress = result == 5 and progress <= 100
    return CommandAck(
        command=command, result=result, progress_frac=progress / 100 if is_progress else None
    )


def _battery(consumed: int, _energy: int, _temp: int, *rest: int) -> Battery:
    cells = [v for v in (*rest[:10], *rest[17:21]) if v not in (0, 0xFFFF)]
    current, index, remaining, time_s, charge = rest[10], rest[11], rest[14], rest[15], rest[16]
    return Battery(
        index=index,
        volts_v=sum(cells) / 1000 if cells else None,
        current_a=None if current < 0 else current / 100,
        consumed_ah=None if consumed < 0 else consumed / 1000,
        remaining_frac=None if remaining < 0 else remaining / 100,
        remaining_s=float(time_s) if time_s > 0 else None,
        is_critical=charge in _CRITICAL_CHARGE,
    )


def _autopilot_version(capabilities: int, uid: int, version: int, *rest: int) -> AutopilotVersion:
    git = bytes(rest[5:13])
    return AutopilotVersion(
        capabilities=capabilities,
        version=(version >> 24, version >> 16 & 255, version >> 8 & 255, version & 255),
        git_hash=_text(git),
        board=rest[2],
        uid=uid,
    )


def _fence_status(time_ms: int, count: int, status: int, kind: int, _action: int) -> FenceStatus:
    return FenceStatus(
        is_breached=bool(status),
        num_breaches=count,
        breach_type=kind,
        breach_boot_s=time_ms / 1000,
    )


def _wind(direction: float, speed: float, speed_z: float) -> Wind:
    return Wind(from_deg=direction % 360.0, speed_mps=speed, up_mps=speed_z)


def _ekf_status(v: float, h: float, z: float, c: float, _t: float, flags: int) -> EkfStatus:
    return EkfStatus(
        flags=EkfFlag(flags),
        velocity_variance=v,
        position_horizontal_variance=h,
        position_vertical_variance=z,
        compass_variance=c,
    )


def _home(lat: int, lon: int, amsl: int) -> HomePosition:
    return HomePosition(lat_e7=lat, lon_e7=lon, amsl_m=amsl / 1000)


def _status_text(severity: int, text: bytes, ident: int, chunk: int) -> StatusText:
    is_last = ident == 0 or b"\0" in text
    return StatusText(severity=severity, text=_text(text), id=ident, chunk=chunk, is_last=is_last)


def _text(padded: bytes) -> str:
    """Characters up to the first NUL; what is not ASCII becomes a replacement sign."""
    return padded.split(b"\0", 1)[0].decode("utf-8", "replace")


def _time_sync(tc1: int, ts1: int) -> TimeSync:
    return TimeSync(tc1_ns=tc1, ts1_ns=ts1)


def _radio(errors: int, _fixed: int, rssi: int, remote: int, *_rest: int) -> RadioStatus:
    return RadioStatus(rssi=rssi, remote_rssi=remote, num_errors=errors)


READERS: dict[int, Reader] = {
    0: Reader(Struct("<IBBBBB"), _heartbeat),
    1: Reader(Struct("<IIIHHhHHHHHHb"), _sys_status),
    2: Reader(Struct("<QI"), _system_time),
    22: Reader(Struct("<fHH16sB"), _param_value),
    24: Reader(Struct("<QiiiHHHHBBiI"), _gps),
    33: Reader(Struct("<IiiiihhhH"), _position),
    36: Reader(Struct("<IHHHHHHHHBHHHHHHHH"), _servo_output),
    39: Reader(Struct("<fffffffHHBBBBBB"), _mission_item, 9),
    40: Reader(Struct("<HBBB"), _mission_request, 1),
    42: Reader(Struct("<HHBB"), _mission_current),
    44: Reader(Struct("<HBBB"), _mission_count, 1),
    46: Reader(Struct("<H"), _item_reached),
    47: Reader(Struct("<BBBB"), _mission_ack, 0),
    51: Reader(Struct("<HBBB"), _mission_request_int, 1),
    73: Reader(Struct("<ffffiifHHBBBBBB"), _mission_item_int, 9),
    77: Reader(Struct("<HBBiBB"), _command_ack, 4),
    109: Reader(Struct("<HHBBBBB"), _radio),
    110: Reader(Struct("<BBB251B"), _file_packet, 1),
    111: Reader(Struct("<qq"), _time_sync),
    147: Reader(Struct("<iih10HhBBBbiB4H"), _battery),
    148: Reader(Struct("<QQIIIIHH8B8B8B"), _autopilot_version),
    162: Reader(Struct("<IHBBB"), _fence_status),
    166: Reader(Struct("<HHBBBBB"), _radio),
    168: Reader(Struct("<fff"), _wind),
    193: Reader(Struct("<fffffH"), _ekf_status),
    242: Reader(Struct("<iii"), _home),
    253: Reader(Struct("<B50sHB"), _status_text),
    345: Reader(Struct("<hBB16sB"), _param_error, 1),
}
"""By message id."""

MESSAGE_IDS: dict[type, int] = {
    Heartbeat: 0,
    SysStatus: 1,
    SystemTime: 2,
    Gps: 24,
    Position: 33,
    ServoOutput: 36,
    MissionCurrent: 42,
    Battery: 147,
    AutopilotVersion: 148,
    FenceStatus: 162,
    Wind: 168,
    EkfStatus: 193,
    HomePosition: 242,
}
"""Ids of what is asked for by SET_MESSAGE_INTERVAL and REQUEST_MESSAGE."""
