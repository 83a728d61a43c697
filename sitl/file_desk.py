"""MAVFTP as ArduPilot answers it: one session, one open file, the last reply kept for repeats.

Requests in, replies out; the bytes around them are the matter of the router. TerminateSession
closes the file, which commits what was written, and is acknowledged whatever came of it.

Source: GCS_FTP.cpp, 4.7.0-dev.
"""

from __future__ import annotations

import errno
import struct
import zlib
from collections import deque
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from skymist.sitl.mission_files import FileError

if TYPE_CHECKING:
    from skymist.sitl.mission_files import MissionFiles

DATA_BYTES = 239
PAYLOAD_BYTES = 251
QUEUE = 5
"""Requests that wait; more are dropped without a word."""
_SESSION_IDLE_S = 3.0
_BURST = 500
_HEAD = struct.Struct("<HBBBBBxI")


class Op(IntEnum):
    """What is asked, and the two answers."""

    NONE = 0
    TERMINATE = 1
    RESET = 2
    LIST = 3
    OPEN_RO = 4
    READ = 5
    CREATE = 6
    WRITE = 7
    OPEN_WO = 11
    CRC32 = 14
    BURST = 15
    ACK = 128
    NAK = 129


class Fault(IntEnum):
    """The first byte of a NAK's data."""

    FAIL = 1
    ERRNO = 2
    DATA_SIZE = 3
    SESSION = 4
    END_OF_FILE = 6
    FILE_EXISTS = 8
    NOT_FOUND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A request or a reply; `size` is what it says of its data, which may be wrong."""

    seq: int
    session: int
    op: int
    size: int = 0
    asked: int = 0
    is_burst_end: bool = False
    offset: int = 0
    data: bytes = b""
    sysid: int = 0
    compid: int = 0
    link: int = 0


def unpack(payload: bytes, sysid: int, compid: int, link: int) -> Packet:
    """Give the request in a FILE_TRANSFER_PROTOCOL's 251 bytes."""
    seq, session, op, size, asked, burst, offset = _HEAD.unpack_from(payload)
    return Packet(
        seq=seq,
        session=session,
        op=op,
        size=size,
        asked=asked,
        is_burst_end=bool(burst),
        offset=offset,
        data=bytes(payload[_HEAD.size : PAYLOAD_BYTES]),
        sysid=sysid,
        compid=compid,
        link=link,
    )


def pack(reply: Packet) -> bytes:
    """Give the 251 bytes of a reply."""
    head = (reply.seq, reply.session, reply.op, reply.size, reply.asked, reply.is_burst_end)
    return (_HEAD.pack(*head, reply.offset) + reply.data).ljust(PAYLOAD_BYTES, b"\0")


class _Refused(Exception):
    """A request that draws a NAK."""

    def __init__(self, fault: Fault, offset: int = 0) -> None:
        self.fault = fault
        self.offset = offset
        super().__init__(fault.name)


class FileDesk:
    """Takes requests in, and answers them when its turn comes."""

    def __init__(self, files: MissionFiles) -> None:
        self._files = files
        self._waiting: deque[Packet] = deque()
        self._session = 0
        self._file: int | None = None
        self._is_writing = False
        self._spoke_s = 0.0
        self._last: Packet | None = None

    def take(self, request: Packet) -> None:
        """Put a request in the queue, or drop it where that is full."""
        if len(self._waiting) < QUEUE:
            self._waiting.append(request)

    def work(self, now_s: float) -> list[Packet]:
        """Answer what waits; `now_s` counts from the boot."""
        out: list[Packet] = []
        while self._waiting:
            request = self._waiting.popleft()
            if self._is_repeat(request) and self._last is not None:
                replies = [self._last]
            else:
                replies = self._answer(request, now_s)
            for reply in replies:
                self._last, self._spoke_s = reply, now_s
                if reply.asked == Op.TERMINATE:
                    self._spoke_s = 0.0
            out += replies
        return out

    def reboot(self) -> None:
        """Forget all; what was written and not committed is gone."""
        self._files.reboot()
        self._waiting.clear()
        self._session, self._file, self._last, self._spoke_s = 0, None, None, 0.0

    def _is_repeat(self, request: Packet) -> bool:
        last = self._last
        return last is not None and (
            (request.sysid, request.compid, request.session, request.seq + 1)
            == (last.sysid, last.compid, last.session, last.seq)
        )

    def _answer(self, request: Packet, now_s: float) -> list[Packet]:
        """Give the replies to one request; several to a burst read alone."""
        blank = replace(
            request,
            seq=(request.seq + 1) % 65536,
            op=Op.ACK,
            asked=request.op,
            size=0,
            offset=0,
            data=b"",
            is_burst_end=False,
        )
        try:
            if request.size > DATA_BYTES:
                raise _Refused(Fault.DATA_SIZE)
            is_other = request.session != self._session
            if is_other and request.op in (Op.TERMINATE, Op.RESET):
                return [blank]
            if self._file is not None and is_other:
                if now_s - self._spoke_s < _SESSION_IDLE_S:
                    raise _Refused(Fault.SESSION)
                self._close()
            return self._dispatch(request, blank, now_s)
        except _Refused as refused:
            return [_nak(replace(blank, offset=refused.offset), bytes([refused.fault]))]
        except FileError as error:
            return [_nak(blank, _errno_bytes(error.number))]

    def _dispatch(self, request: Packet, blank: Packet, now_s: float) -> list[Packet]:
        match request.op:
            case Op.NONE:
                return [blank]
            case Op.TERMINATE | Op.RESET:
                self._close()
                return [blank]
            case Op.ACK | Op.NAK:
                return []
            case Op.OPEN_RO:
                return [self._open_to_read(request, blank, now_s)]
            case Op.OPEN_WO | Op.CREATE:
                if self._file is not None:
                    raise _Refused(Fault.FAIL)
                self._open(request, now_s, to_write=True)
                return [blank]
            case Op.READ:
                data = self._read(request, request.offset, request.size, now_s)
                if not data:
                    raise _Refused(Fault.END_OF_FILE)
                return [replace(blank, offset=request.offset, size=len(data), data=data)]
            case Op.BURST:
                return self._burst(request, blank, now_s)
            case Op.WRITE:
                number = self._open_file(to_write=True)
                self._files.write(number, request.offset, request.data[: request.size], now_s)
                return [replace(blank, offset=request.offset)]
            case Op.CRC32:
                crc = struct.pack("<I", self._checksum(_path(request), now_s))
                return [replace(blank, size=len(crc), data=crc)]
            case Op.LIST:
                _path(request)
                return [_nak(replace(blank, offset=request.offset), _errno_bytes(errno.ENOENT))]
        raise _Refused(Fault.FAIL)

    def _open_to_read(self, request: Packet, blank: Packet, now_s: float) -> Packet:
        if self._file is not None and now_s - self._spoke_s > _SESSION_IDLE_S:
            self._close()
        if self._file is not None:
            raise _Refused(Fault.FAIL)
        size = self._files.size(_path(request))
        self._open(request, now_s, to_write=False)
        return replace(blank, size=4, data=struct.pack("<I", size))

    def _open(self, request: Packet, now_s: float, *, to_write: bool) -> None:
        self._file = self._files.open(_path(request), now_s, to_write=to_write)
        self._is_writing, self._session = to_write, request.session

    def _open_file(self, *, to_write: bool) -> int:
        if self._file is None:
            raise _Refused(Fault.NOT_FOUND)
        if self._is_writing is not to_write:
            raise _Refused(Fault.FAIL)
        return self._file

    def _read(self, request: Packet, offset: int, count: int, now_s: float) -> bytes:
        number = self._open_file(to_write=False)
        return self._files.read(number, offset, min(count, DATA_BYTES), now_s)

    def _burst(self, request: Packet, blank: Packet, now_s: float) -> list[Packet]:
        """All at once, then a NAK at the end of the file; the pace of ArduPilot is left out."""
        most = request.size or DATA_BYTES
        offset, out = request.offset, list[Packet]()
        for number in range(_BURST):
            seq = (blank.seq + number) % 65536
            data = self._read(request, offset, most, now_s)
            if not data:
                end = replace(blank, seq=seq, offset=offset)
                return [*out, _nak(end, bytes([Fault.END_OF_FILE]))]
            is_end = len(data) < most or number == _BURST - 1
            head = replace(blank, seq=seq, offset=offset, size=len(data), data=data)
            out.append(replace(head, is_burst_end=is_end))
            offset += len(data)
        return out

    def _checksum(self, path: str, now_s: float) -> int:
        """CRC-32 from 0 and without the last inversion. Source: crc_crc32 in AP_Math."""
        number = self._files.open(path, now_s, to_write=False)
        try:
            data = self._files.read(number, 0, 1 << 24, now_s)
        finally:
            self._files.close(number)
        return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF

    def _close(self) -> None:
        if self._file is not None:
            self._files.close(self._file)
        self._file, self._session = None, -1


def _path(request: Packet) -> str:
    """Give the path that a request names."""
    length = request.data.find(b"\0")
    length = DATA_BYTES if length < 0 else length
    if request.size == 0 or request.size - length not in (0, 1):
        raise _Refused(Fault.DATA_SIZE)
    return request.data[:length].decode("ascii", "replace")


def _nak(blank: Packet, data: bytes) -> Packet:
    return replace(blank, op=Op.NAK, size=len(data), data=data)


def _errno_bytes(number: int) -> bytes:
    known = {errno.EEXIST: Fault.FILE_EXISTS, errno.ENOENT: Fault.NOT_FOUND}
    if number in known:
        return bytes([known[number]])
    return bytes([Fault.ERRNO, number])
