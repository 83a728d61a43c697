"""Bytes to values and values to bytes: MAVLink 1 and 2, the ardupilotmega dialect.

The only module of the room that imports pymavlink, which packs what we send and knows the
checksum seeds of the dialect. Reading is our own: 50 vehicles send 650 frames a second, and a
frame costs 3 us here, against 6 us through pymavlink's general parser before anything is made of
it; that parser is the oracle in the tests. Units change in `readers`, which this module uses, and
nowhere else. A bad byte never raises: it is dropped and counted.
"""

from __future__ import annotations

import binascii
import logging
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.flight.mavlink.messages import (
    CommandInt,
    CommandLong,
    Heartbeat,
    MissionAck,
    MissionClearAll,
    MissionCount,
    MissionItem,
    MissionRequest,
    MissionRequestList,
    ParamRequestRead,
    ParamSet,
    Received,
    Sent,
    SetupSigning,
    TimeSync,
)
from skymist.flight.mavlink.readers import READERS
from skymist.flight.mavlink.signing import Seal
from skymist.flight.protocols.file_messages import FilePacket, pack_file_packet

log = logging.getLogger(__name__)

_START = re.compile(rb"[\xfd\xfe]")
_V2, _V1 = 0xFD, 0xFE
_SIGNED = 0x01
_SIGNATURE_BYTES = 13

# CRC-16/MCRF4XX runs from the low bit, binascii's from the high one: the same polynomial on
# mirrored bytes. Source: https://mavlink.io/en/guide/serialization.html (checksum).
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

_SEEDS: dict[int, bytes] = {
    msgid: bytes([_MIRROR[kind.crc_extra]]) for msgid, kind in mavlink.mavlink_map.items()
}


class Frame(NamedTuple):
    """One whole, checked frame. `message` is None where we have no use for its kind.

    `target_sysid` and `target_compid` are 0 where it is for everybody.
    """

    sysid: int
    compid: int
    seq: int
    msgid: int
    target_sysid: int
    target_compid: int
    message: Received | None
    raw: bytes


class Decoder:
    """Cuts a stream of bytes into frames; one for each direction of each link.

    Keeps at most one frame's length between calls, whatever comes in. `num_frames` good ones,
    `num_bad` with a wrong checksum or contents, `num_bytes_dropped` outside any frame.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.num_frames = 0
        self.num_bad = 0
        self.num_bytes_dropped = 0

    def feed(self, data: bytes) -> list[Frame]:
        """All frames that are whole by now, in order."""
        buffer = self._rest + data if self._rest else data
        frames: list[Frame] = []
        at, end = 0, len(buffer)
        while True:
            found = _START.search(buffer, at)
            if found is None:
                self.num_bytes_dropped += end - at
                at = end
                break
            start = found.start()
            self.num_bytes_dropped += start - at
            size = _frame_size(buffer, start, end)
            if size > end - start:
                at = start
                break
            frame = self._read(buffer, start, size) if size else None
            if frame is None:
                self.num_bytes_dropped += 1
                at = start + 1
            else:
                frames.append(frame)
                at = start + size
        self._rest = buffer[at:]
        self.num_frames += len(frames)
        return frames

    def _read(self, buffer: bytes, start: int, size: int) -> Frame | None:
        """The frame of `size` bytes at `start`, None where its checksum is wrong."""
        raw = buffer[start : start + size]
        if raw[0] == _V2:
            seq, sysid, compid = raw[4], raw[5], raw[6]
            msgid = raw[7] | raw[8] << 8 | raw[9] << 16
            begin = 10
        else:
            seq, sysid, compid, msgid = raw[2], raw[3], raw[4], raw[5]
            begin = 6
        end = begin + raw[1]
        crc = binascii.crc_hqx(raw[1:end].translate(_MIRROR), 0xFFFF)
        crc = binascii.crc_hqx(_SEEDS[msgid], crc)
        if raw[end] != _MIRROR[crc >> 8] or raw[end + 1] != _MIRROR[crc & 0xFF]:
            self.num_bad += 1
            return None
        reader = READERS.get(msgid)
        if reader is None:
            return Frame(sysid, compid, seq, msgid, 0, 0, None, raw)
        layout = reader.layout
        payload = raw[begin:end]
        if len(payload) != layout.size:
            payload = payload[: layout.size].ljust(layout.size, b"\0")
        values = layout.unpack(payload)
        at = reader.target_at
        target, target_part = (values[at], values[at + 1]) if at >= 0 else (0, 0)
        try:
            message = reader.build(*values)
        except (ValueError, OverflowError):
            self.num_bad += 1
            log.debug("unreadable message", extra={"msgid": msgid, "sysid": sysid})
            message = None
        return Frame(sysid, compid, seq, msgid, target, target_part, message, raw)


def _frame_size(buffer: bytes, start: int, end: int) -> int:
    """Bytes of the frame that seems to begin at `start`; 0 where none can.

    Where too little has come to know, more than there is.
    """
    if buffer[start] == _V2:
        if end - start < 10:
            return end - start + 1
        flags = buffer[start + 2]
        msgid = buffer[start + 7] | buffer[start + 8] << 8 | buffer[start + 9] << 16
        if flags & ~_SIGNED or msgid not in _SEEDS:
            return 0
        return buffer[start + 1] + 12 + (_SIGNATURE_BYTES if flags & _SIGNED else 0)
    if end - start < 6:
        return end - start + 1
    return buffer[start + 1] + 8 if buffer[start + 5] in _SEEDS else 0


class Encoder:
    """Packs what one ground station sends; counts its own frames from 0 to 255."""

    def __init__(self, *, sysid: int = 255, compid: int = 190) -> None:
        self._mav = mavlink.MAVLink(None, srcSystem=sysid, srcComponent=compid)

    def pack(
        self,
        message: Sent,
        target_sysid: int = 0,
        target_compid: int = 0,
        seal: Seal | None = None,
    ) -> bytes:
        """One MAVLink 2 frame to the given vehicle (0: to everybody), signed where a seal is."""
        packed = bytes(_packable(message, target_sysid, target_compid).pack(self._mav))
        self._mav.seq = (self._mav.seq + 1) % 256
        return packed if seal is None else sealed(packed, seal)


def sealed(frame: bytes, seal: Seal) -> bytes:
    """A MAVLink 2 frame with the seal's signature; as it is where it has one, or is MAVLink 1."""
    if frame[0] != _V2 or frame[2] & _SIGNED:
        return frame
    body = frame[1:2] + bytes((frame[2] | _SIGNED,)) + frame[3:-2]
    crc = binascii.crc_hqx(body.translate(_MIRROR), 0xFFFF)
    crc = binascii.crc_hqx(_SEEDS[int.from_bytes(frame[7:10], "little")], crc)
    return seal.sign(frame[:1] + body + bytes((_MIRROR[crc >> 8], _MIRROR[crc & 0xFF])))


def _packable(message: Sent, sysid: int, compid: int) -> Any:
    """The pymavlink message for one of ours."""
    to = (sysid, compid)
    match message:
        case Heartbeat():
            return mavlink.MAVLink_heartbeat_message(
                message.vehicle_type,
                message.autopilot,
                message.base_mode,
                message.custom_mode,
                message.system_status,
                3,
            )
        case MissionCount():
            return mavlink.MAVLink_mission_count_message(*to, message.count, message.kind)
        case MissionItem():
            item = message.item
            head = (*to, message.seq, item.frame, item.command)
            flags = (int(message.is_current), int(message.autocontinue))
            params = (item.p1, item.p2, item.p3, item.p4, item.x_e7, item.y_e7, item.z_m)
            return mavlink.MAVLink_mission_item_int_message(*head, *flags, *params, message.kind)
        case MissionRequest(is_int=True):
            return mavlink.MAVLink_mission_request_int_message(*to, message.seq, message.kind)
        case MissionRequest():
            return mavlink.MAVLink_mission_request_message(*to, message.seq, message.kind)
        case MissionRequestList():
            return mavlink.MAVLink_mission_request_list_message(*to, message.kind)
        case MissionAck():
            return mavlink.MAVLink_mission_ack_message(*to, message.result, message.kind)
        case FilePacket():
            payload = list(pack_file_packet(message))
            return mavlink.MAVLink_file_transfer_protocol_message(0, *to, payload)
        case SetupSigning():
            return mavlink.MAVLink_setup_signing_message(
                *to, list(message.secret), message.timestamp
            )
        case TimeSync():
            return mavlink.MAVLink_timesync_message(message.tc1_ns, message.ts1_ns)
        case MissionClearAll():
            return mavlink.MAVLink_mission_clear_all_message(*to, message.kind)
        case _:
            return _packable_command(message, to)


def _packable_command(
    message: CommandLong | CommandInt | ParamRequestRead | ParamSet, to: tuple[int, int]
) -> Any:
    """The pymavlink message for a command or a parameter."""
    match message:
        case CommandLong():
            return mavlink.MAVLink_command_long_message(
                *to, message.command, message.confirmation, *message.params
            )
        case CommandInt():
            place = (message.x_e7, message.y_e7, message.z_m)
            return mavlink.MAVLink_command_int_message(
                *to, message.frame, message.command, 0, 0, *message.params, *place
            )
        case ParamRequestRead():
            return mavlink.MAVLink_param_request_read_message(*to, message.name.encode(), -1)
        case ParamSet():
            return mavlink.MAVLink_param_set_message(
                *to, message.name.encode(), message.value, message.param_type
            )


def decode(mav: Any, frame: bytes) -> Any:
    """The pymavlink message of a whole frame, for a library that wants those; None where none."""
    try:
        return mav.decode(bytearray(frame))
    except mavlink.MAVError as error:
        log.debug("not decoded", extra={"reason": str(error)})
        return None


def silent_connection(write: Callable[[bytes], None]) -> Any:
    """A pymavlink connection without a wire, for such a library; `write` gets what it sends."""
    from pymavlink import mavutil

    class Silent(mavutil.mavfile):  # type: ignore[misc]
        def recv(self, n: int | None = None) -> bytes:
            return b""

        def write(self, buf: bytes) -> None:
            write(buf)

        def close(self) -> None:
            pass

    connection = Silent(None, "skymist", notimestamps=True)
    connection.mav = mavlink.MAVLink(connection, srcSystem=255, srcComponent=191)
    return connection
