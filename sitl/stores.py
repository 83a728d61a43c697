"""Where mission, fence and rally points are kept; they survive a reboot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from skymist.sitl.items import ABSOLUTE, Command, Item, MissionResult, MissionType

MISSION_CAPACITY, FENCE_CAPACITY, RALLY_CAPACITY = 650, 70, 46


class MissionStore:
    """The mission; item 0 is home, whatever was sent. Written item by item.

    `serial` counts the changes. `home_item` gives item 0, `may_clear` says whether the mission
    may be forgotten now.
    """

    type = MissionType.MISSION
    capacity = MISSION_CAPACITY
    is_atomic = False

    def __init__(self) -> None:
        self._items: list[Item] = []
        self.serial = 0
        self.home_item: Callable[[], Item] = lambda: Item(
            seq=0, command=Command.NAV_WAYPOINT, frame=ABSOLUTE
        )
        self.may_clear: Callable[[], bool] = lambda: True

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> Sequence[Item]:
        """Give the items as kept, without home put in."""
        return self._items

    def get(self, seq: int) -> Item | None:
        """Give an item; home can be read even when there is no mission."""
        if seq == 0:
            return self.home_item()
        return self._items[seq] if 0 < seq < len(self._items) else None

    def put(self, item: Item, last: int) -> MissionResult:
        """Replace or append; DO_JUMP must point into the mission."""
        if item.command == Command.DO_JUMP:
            target = int(item.p1)
            if target == 0 or (target >= len(self._items) and target > last):
                return MissionResult.ERROR
        if item.seq > len(self._items) or item.seq >= self.capacity:
            return MissionResult.ERROR
        self._items[item.seq : item.seq + 1] = [item]
        self.serial += 1
        return MissionResult.ACCEPTED

    def write(self, seq: int, item: Item) -> bool:
        """Put an item as a mission file does: behind the last, or over an old one but home."""
        if seq > len(self._items):
            return False
        if seq == len(self._items):
            self.put_home()
            seq = len(self._items)
        elif seq == 0:
            return True
        return self.put(replace(item, seq=seq), self.capacity) is MissionResult.ACCEPTED

    def truncate(self, count: int) -> None:
        """Drop what lies beyond `count` items."""
        if count < len(self._items):
            del self._items[count:]
            self.serial += 1

    def replace_all(self, items: Sequence[Item]) -> MissionResult:
        """Keep these in place of all others."""
        self._items = [replace(item, seq=i) for i, item in enumerate(items)]
        self.serial += 1
        return MissionResult.ACCEPTED

    def put_home(self) -> None:
        """Begin an empty mission with home, as setting home does."""
        if not self._items:
            self._items = [self.home_item()]

    def clear(self) -> bool:
        """Forget the mission, unless it is being flown."""
        if not self.may_clear():
            return False
        self.truncate(0)
        return True


class PieceStore:
    """Fence or rally points: written in one piece, or not at all."""

    is_atomic = True

    def __init__(self, type: MissionType, capacity: int) -> None:
        self.type = type
        self.capacity = capacity
        self._items: tuple[Item, ...] = ()
        self.on_change: Callable[[], None] = lambda: None

    def items(self) -> Sequence[Item]:
        """Give what is kept."""
        return self._items

    def get(self, seq: int) -> Item | None:
        """Give one item; None past the end."""
        return self._items[seq] if 0 <= seq < len(self._items) else None

    def put(self, item: Item, last: int) -> MissionResult:
        """Refuse: this store is written in one piece."""
        return MissionResult.ERROR

    def truncate(self, count: int) -> None:
        """Leave what is kept: this store is written in one piece."""

    def replace_all(self, items: Sequence[Item]) -> MissionResult:
        """Keep these in place of all others; polygons must be whole."""
        if self.type is MissionType.FENCE and not polygons_are_whole(items):
            return MissionResult.ERROR
        self._items = tuple(replace(item, seq=i) for i, item in enumerate(items))
        self.on_change()
        return MissionResult.ACCEPTED

    def clear(self) -> bool:
        """Forget all."""
        self._items = ()
        self.on_change()
        return True


def stored_places(items: Sequence[Item]) -> int:
    """FENCE_TOTAL: the corners, and two more for each polygon."""
    count, i = len(items), 0
    while i < len(items):
        is_vertex = items[i].command in (
            Command.FENCE_POLYGON_INCLUSION,
            Command.FENCE_POLYGON_EXCLUSION,
        )
        count += 2 if is_vertex else 0
        i += max(1, int(items[i].p1)) if is_vertex else 1
    return count


def polygons_are_whole(items: Sequence[Item]) -> bool:
    """Say whether every polygon has the number of corners that it announces, 3 or more."""
    i = 0
    vertices = (Command.FENCE_POLYGON_INCLUSION, Command.FENCE_POLYGON_EXCLUSION)
    while i < len(items):
        item = items[i]
        if item.command not in vertices:
            i += 1
            continue
        n = int(item.p1)
        run = items[i : i + n]
        if n < 3 or len(run) < n:
            return False
        if any(v.command != item.command or int(v.p1) != n for v in run):
            return False
        i += n
    return True
