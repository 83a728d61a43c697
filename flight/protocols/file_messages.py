"""MAVFTP's requests and replies as values, and the 251 bytes that carry them.

Source: https://mavlink.io/en/services/ftp.html; ArduPilot GCS_MAVLink/GCS_FTP.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

DATA_BYTES = 239
PAYLOAD_BYTES = 251
_HEAD = Struct("<HBBBBBxI")


class FileOp(IntEnum):
    """What is asked; ACK and NAK are the answers."""

    TERMINATE = 1
    OPEN_TO_READ = 4
    READ = 5
    CREATE = 6
    WRITE = 7
    CHECKSUM = 14
    ACK = 128
    NAK = 129


class FileFault(IntEnum):
    """Why a request was refused: the first byte of a NAK's data."""

    FAIL = 1
    ERRNO = 2
    DATA_SIZE = 3
    SESSION = 4
    NO_SESSION = 5
    END_OF_FILE = 6
    UNKNOWN_COMMAND = 7
    FILE_EXISTS = 8
    PROTECTED = 9
    NOT_FOUND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePacket:
    """FILE_TRANSFER_PROTOCOL: a request, or the reply to it, which counts one further.

    `wanted_bytes` is how much a request to read asks for; elsewhere the data's own length goes.
    """

    seq: int
    session: int
    op: int
    asked: int = 0
    offset: int = 0
    data: bytes = b""
    wanted_bytes: int = 0

    @property
    def fault(self) -> int:
        """The reason of a NAK, 0 in anything else."""
        return self.data[0] if self.op == FileOp.NAK and self.data else 0


def pack_file_packet(packet: FilePacket) -> bytes:
    """The 251 bytes of the payload."""
    size = packet.wanted_bytes or len(packet.data)
    head = _HEAD.pack(
        packet.seq % 65536, packet.session, packet.op, size, packet.asked, 0, packet.offset
    )
    return (head + packet.data).ljust(PAYLOAD_BYTES, b"\0")


def unpack_file_packet(payload: bytes) -> FilePacket:
    """What 251 bytes say; ValueError where they claim more data than fits."""
    seq, session, op, size, asked, _, offset = _HEAD.unpack_from(payload)
    if size > DATA_BYTES:
        raise ValueError(f"size must be up to {DATA_BYTES}, got {size}")
    data = bytes(payload[_HEAD.size : _HEAD.size + size])
    return FilePacket(seq=seq, session=session, op=op, asked=asked, offset=offset, data=data)
