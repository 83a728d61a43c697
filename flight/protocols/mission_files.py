"""Mission, fence and rally points as ArduPilot's files: made, read, fingerprinted. No I/O.

A file is five numbers (magic, list, options, first item, how many) and a packed MISSION_ITEM_INT
for each item. Source: ArduPilot AP_Filesystem_Mission.cpp, AP_Math/crc.cpp.
"""

from __future__ import annotations

import struct
import zlib

from skymist.flight.mavlink.messages import MissionKind
from skymist.flight.mavlink.readers import READERS
from skymist.missions.items import Item

MAGIC = 0x763D
PATHS = {
    MissionKind.MISSION: "@MISSION/mission.dat",
    MissionKind.FENCE: "@MISSION/fence.dat",
    MissionKind.RALLY: "@MISSION/rally.dat",
}
HEADER_BYTES, ITEM_BYTES = 10, 38
PIECE_ITEMS = 6
"""Items in one write. A piece holds whole items, so that one which is lost leaves items of zeros,
for which ArduPilot rejects the file; a piece that cut an item would leave half of it."""

_HEADER = struct.Struct("<5H")
_ITEM = struct.Struct("<4f2if2H6B")
_ITEM_INT = 73


def mission_file(kind: MissionKind, items: tuple[Item, ...]) -> bytes:
    """The file that replaces a vehicle's list."""
    rows = (
        _ITEM.pack(
            *(item.p1, item.p2, item.p3, item.p4, item.x_e7, item.y_e7, item.z_m),
            *(seq, item.command, 0, 0, item.frame, 0, 1, kind),
        )
        for seq, item in enumerate(items)
    )
    return b"".join((_HEADER.pack(MAGIC, kind, 0, 0, len(items)), *rows))


def pieces_of(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """A file cut for writing: offset and bytes, each piece with whole items."""
    first = HEADER_BYTES + PIECE_ITEMS * ITEM_BYTES
    step = PIECE_ITEMS * ITEM_BYTES
    starts = (0, *range(first, len(data), step))
    return tuple((at, data[at : at + step] if at else data[:first]) for at in starts)


def size_of(begin: bytes) -> int:
    """How long the file is that begins so; ValueError where it is no such file."""
    if len(begin) < HEADER_BYTES:
        raise ValueError(f"wanted {HEADER_BYTES} bytes of a header, found {len(begin)}")
    magic, *_, count = _HEADER.unpack_from(begin)
    if magic != MAGIC:
        raise ValueError(f"wanted magic {MAGIC:#06x}, found {magic:#06x}")
    return HEADER_BYTES + int(count) * ITEM_BYTES


def items_in(kind: MissionKind, data: bytes) -> tuple[Item, ...]:
    """The items of a file; ValueError where it is cut or another list's."""
    if size_of(data) != len(data):
        raise ValueError(f"wanted {size_of(data)} bytes, found {len(data)}")
    if data[2] != kind:
        raise ValueError(f"wanted list {int(kind)}, found {data[2]}")
    build = READERS[_ITEM_INT].build
    return tuple(build(*values).item for values in _ITEM.iter_unpack(data[HEADER_BYTES:]))  # type: ignore[union-attr]


def fingerprint(data: bytes) -> int:
    """What CalcFileCRC32 says of these bytes: begun with 0, not inverted at the end."""
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF
