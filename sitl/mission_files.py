"""Missions, fences and rally points as files under ``@MISSION/``: read, written, committed.

A file is a header of five numbers and one packed MISSION_ITEM_INT for each item. What was written
counts when the file is closed: an item left empty rejects the file, and the caller is not told.

Source: AP_Filesystem_Mission.cpp, 4.7.0-dev.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.sitl.items import (
    Command,
    Item,
    MissionResult,
    MissionType,
    store_fence_item,
    store_item,
    store_rally_item,
)

if TYPE_CHECKING:
    from skymist.sitl.stores import MissionStore, PieceStore

NAMES = {
    "mission.dat": MissionType.MISSION,
    "fence.dat": MissionType.FENCE,
    "rally.dat": MissionType.RALLY,
}
FOLDER = "@MISSION"
STATED_BYTES = 1024 * 1024
"""The size that is told of every file, whatever it holds."""

_MAGIC = 0x763D
_NO_CLEAR = 1
_HEADER = struct.Struct("<5H")
_ITEM = struct.Struct("<4f2if2H6B")
_IDLE_S = 30.0
_NUM_SLOTS = 4


class FileError(Exception):
    """A file operation that failed; `number` is its errno, 0 where none was set."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"errno {number}")


@dataclass(slots=True)
class _Slot:
    """One open file; `buffer` is None where it is read."""

    type: MissionType
    used_s: float
    buffer: bytearray | None


class MissionFiles:
    """The files, at most four open at once. `current_index` is the item that is flown."""

    def __init__(
        self,
        mission: MissionStore,
        fence: PieceStore,
        rally: PieceStore,
        current_index: Callable[[], int],
    ) -> None:
        self._mission = mission
        self._pieces = {MissionType.FENCE: fence, MissionType.RALLY: rally}
        self._current_index = current_index
        self._slots: list[_Slot | None] = [None] * _NUM_SLOTS

    def reboot(self) -> None:
        """Forget what was open, uncommitted."""
        self._slots = [None] * _NUM_SLOTS

    def size(self, path: str) -> int:
        """Give what is told as a file's size; `FileError` where there is none."""
        self._type(path)
        return STATED_BYTES

    def open(self, path: str, now_s: float, *, to_write: bool) -> int:
        """Open a file and give its number; one alone may be open for writing."""
        kind = self._type(path)
        for number, slot in enumerate(self._slots):
            if slot is not None and now_s - slot.used_s > _IDLE_S:
                self._slots[number] = slot = None
            if to_write and slot is not None and slot.buffer is not None:
                raise FileError(0)
            if slot is None:
                self._slots[number] = _Slot(kind, now_s, bytearray() if to_write else None)
                return number
        raise FileError(errno.ENFILE)

    def read(self, number: int, offset: int, count: int, now_s: float) -> bytes:
        """Give up to `count` bytes; none at the end."""
        slot = self._slots[number]
        if slot is None or slot.buffer is not None:
            raise FileError(errno.EBADF)
        slot.used_s = now_s
        return self.content(slot.type)[offset : offset + count]

    def write(self, number: int, offset: int, data: bytes, now_s: float) -> None:
        """Put bytes at a place; the header makes room for all the items that it announces."""
        slot = self._slots[number]
        if slot is None or slot.buffer is None:
            raise FileError(errno.EBADF)
        slot.used_s = now_s
        buffer, end = slot.buffer, offset + len(data)
        if offset == 0 and len(data) >= _HEADER.size:
            count = _HEADER.unpack_from(data)[4]
            if count < 0xFFFF:
                end = max(end, _HEADER.size + count * _ITEM.size)
        buffer.extend(bytes(max(0, end - len(buffer))))
        buffer[offset : offset + len(data)] = data

    def close(self, number: int) -> bool:
        """Close a file, and commit what was written; False where it was rejected."""
        slot = self._slots[number]
        self._slots[number] = None
        if slot is None:
            raise FileError(errno.EBADF)
        return slot.buffer is None or self._commit(slot.type, bytes(slot.buffer))

    def content(self, kind: MissionType) -> bytes:
        """Give what a file holds now."""
        if kind is MissionType.MISSION:
            held = [self._mission.get(seq) for seq in range(len(self._mission))]
        else:
            held = list(self._pieces[kind].items())
        items = [self._packed(kind, seq, item) for seq, item in enumerate(held) if item]
        return b"".join((_HEADER.pack(_MAGIC, kind, 0, 0, len(items)), *items))

    def _packed(self, kind: MissionType, seq: int, item: Item) -> bytes:
        is_mission = kind is MissionType.MISSION
        # ArduPilot compares the command, not the place, with the number of the current item
        is_current = is_mission and item.command == self._current_index()
        return _ITEM.pack(
            *(item.p1, item.p2, item.p3, item.p4, item.lat_e7, item.lon_e7, item.z_m),
            *(seq, item.command, 0, 0, item.frame, int(is_current), int(is_mission), kind),
        )

    def _type(self, path: str) -> MissionType:
        """Say which list a path means."""
        folder, _, name = path.lstrip("/").partition("/")
        if folder != FOLDER or name not in NAMES:
            raise FileError(errno.ENOENT)
        return NAMES[name]

    def _commit(self, kind: MissionType, data: bytes) -> bool:
        if len(data) < _HEADER.size:
            return False
        magic, _, options, start, count = _HEADER.unpack_from(data)
        body = data[_HEADER.size :]
        rows = [body[i : i + _ITEM.size] for i in range(0, len(body), _ITEM.size)]
        rows = [row for row in rows if len(row) == _ITEM.size]
        if magic != _MAGIC or len(rows) != count or not all(any(row) for row in rows):
            return False
        items = [_unpacked(row) for row in rows]
        if kind is MissionType.MISSION:
            return self._commit_mission(items, start, clear=not options & _NO_CLEAR)
        return not options & _NO_CLEAR and self._commit_pieces(kind, items)

    def _commit_mission(self, items: list[Item], start: int, *, clear: bool) -> bool:
        """Write item by item: what was stored before a bad item stays, and no more follows."""
        store = self._mission
        if clear:
            store.clear()  # refused while it is flown; the items are then written over the old
        for number, item in enumerate(items):
            stored = store_item(item)
            if isinstance(stored, MissionResult):
                return False
            if stored.command == Command.DO_JUMP and not 0 < int(stored.p1) < len(items):
                return False
            if not store.write(start + number, stored):
                return False
        return True

    def _commit_pieces(self, kind: MissionType, items: list[Item]) -> bool:
        """Fences in one piece or not at all; rally points until the first bad one."""
        store, accept = self._pieces[kind], store_fence_item
        if kind is MissionType.RALLY:
            accept = store_rally_item
        kept: list[Item] = []
        for item in items:
            stored = accept(item)
            if isinstance(stored, MissionResult) or len(kept) == store.capacity:
                if kind is MissionType.RALLY:
                    store.replace_all(kept)
                return False
            kept.append(stored)
        return store.replace_all(kept) is MissionResult.ACCEPTED


def _unpacked(row: bytes) -> Item:
    p1, p2, p3, p4, lat_e7, lon_e7, z_m, seq, command, *rest = _ITEM.unpack(row)
    return Item(
        seq=seq,
        command=command,
        frame=rest[2],
        p1=p1,
        p2=p2,
        p3=p3,
        p4=p4,
        lat_e7=lat_e7,
        lon_e7=lon_e7,
        z_m=z_m,
    )
