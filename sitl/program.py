"""The mission as it runs: which item is flown, which DO and CONDITION items run beside it.

Knows order, jumps, resuming and the landing sequence; what an item does is the matter of the
`Crew` (see `auto`).

Source: AP_Mission, 4.7.0-dev.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from skymist.sitl.items import Command, Item
from skymist.sitl.stores import MissionStore

_FOREVER = -1
_LANDINGS = frozenset((Command.NAV_LAND, Command.DO_LAND_START))


class MissionState(IntEnum):
    """MISSION_STATE, as MISSION_CURRENT tells it."""

    NO_MISSION = 1
    NOT_STARTED = 2
    ACTIVE = 3
    COMPLETE = 5


class Crew(Protocol):
    """Who carries out items."""

    def start(self, item: Item) -> None:
        """Begin an item."""

    def is_done(self, item: Item) -> bool:
        """Say whether an item that was begun is done."""

    def mission_ended(self) -> None:
        """Take note that no item is left."""


class Program:
    """The run of one mission. `index` is the item flown, 0 before the first."""

    def __init__(self, store: MissionStore, crew: Crew) -> None:
        self._store = store
        self._crew = crew
        self._state = MissionState.NOT_STARTED
        self._nav: Item | None = None
        self._nav_index = 0
        self._is_nav_loaded = False
        self._do: Item | None = None
        self._is_do_loaded = False
        self._are_dos_done = False
        self._jumps: dict[int, int] = {}
        self.is_landing_sequence = False
        self.must_resume = False

    @property
    def index(self) -> int:
        """The item flown; 0 before the first."""
        return self._nav_index

    @property
    def nav(self) -> Item | None:
        """The item flown."""
        return self._nav

    @property
    def state(self) -> MissionState:
        """How the run stands."""
        return self._state if len(self._store) > 1 else MissionState.NO_MISSION

    @property
    def is_running(self) -> bool:
        """Whether items are being carried out."""
        return self._state is MissionState.ACTIVE

    @property
    def pending(self) -> Item | None:
        """The DO or CONDITION item that is not done yet."""
        return self._do if self._is_do_loaded else None

    def next_nav(self, after: int) -> Item | None:
        """The item flown after that one, without counting jumps."""
        index = after + 1
        while index < len(self._store):
            item = self._following(index, count=False)
            if item is None or item.is_nav:
                return item
            index = item.seq + 1
        return None

    def starts_with_takeoff(self, *, from_start: bool = False) -> bool:
        """Say whether the next item to fly lifts off."""
        index = 0 if from_start or self._nav_index == 0 else self._nav_index - 1
        item = self.next_nav(index)
        return item is not None and item.command == Command.NAV_TAKEOFF

    def start(self) -> None:
        """Begin at the beginning."""
        self._state = MissionState.ACTIVE
        self.reset()
        if not self._advance_nav():
            self._complete()

    def resume(self) -> None:
        """Go on at the interrupted item; the DO items before it do not run again."""
        if self._state is MissionState.COMPLETE or self._nav_index == 0:
            self.start()
            return
        if self._store.get(self._nav_index) is None:
            self.start()
            return
        self._state = MissionState.ACTIVE
        if self._is_do_loaded and self._do is not None:
            self.set_current(self._do.seq)
        elif self._is_nav_loaded:
            self.set_current(self._nav_index)

    def start_or_resume(self, *, restart: bool) -> None:
        """Do what entering AUTO does; `restart` is MIS_RESTART."""
        if restart and not self.must_resume:
            self.start()
        else:
            self.resume()
            self.must_resume = False

    def stop(self) -> None:
        """Carry out nothing more until resumed."""
        if self._state is MissionState.ACTIVE:
            self._state = MissionState.NOT_STARTED

    def reset(self) -> None:
        """Go back to before the first item, as disarming does. The state stays."""
        self._nav, self._nav_index, self._is_nav_loaded = None, 0, False
        self._do, self._is_do_loaded, self._are_dos_done = None, False, False
        self._jumps.clear()
        self.is_landing_sequence = False

    def forget(self) -> None:
        """Be as after a boot."""
        self.reset()
        self._state = MissionState.NOT_STARTED
        self.must_resume = False

    def set_current(self, index: int) -> bool:
        """Jump to an item; False where there is none to fly."""
        item = self._store.get(index)
        self.is_landing_sequence = item is not None and item.command == Command.DO_LAND_START
        if index >= len(self._store) or len(self._store) == 1:
            return False
        self._do, self._is_do_loaded, self._are_dos_done = None, False, False
        self._is_nav_loaded = False
        if index == 0 or self._state is MissionState.COMPLETE:
            self._jumps.clear()
            index = max(index, 1)
        if self._state is MissionState.ACTIVE:
            if self._advance_nav(index):
                return True
            self._complete()
            return False
        return self._park(index)

    def _park(self, index: int) -> bool:
        """Stand ready to resume at an item."""
        while not self._is_nav_loaded:
            item = self._following(index, count=True)
            if item is None:
                self._nav_index = 0
                return False
            if item.is_nav:
                self._nav, self._nav_index, self._is_nav_loaded = item, item.seq, True
            elif not self._is_do_loaded:
                self._do, self._is_do_loaded = item, True
            index = item.seq + 1
        self._are_dos_done = not self._is_do_loaded
        self._state = MissionState.NOT_STARTED
        return True

    def landing_start(self, distance_of: dict[int, float] | None = None) -> int:
        """The DO_LAND_START to go to: the nearest by the distances given, else the first; or 0."""
        found = [i.seq for i in self._store.items() if i.command == Command.DO_LAND_START and i.seq]
        if not found:
            return 0
        return min(found, key=lambda seq: (distance_of or {}).get(seq, 0.0))

    def update(self) -> None:
        """See what is done and go on; call often."""
        if self._state is not MissionState.ACTIVE or len(self._store) == 0:
            return
        if not self._is_nav_loaded or self._nav is None:
            if not self._advance_nav():
                self._complete()
                return
        elif self._crew.is_done(self._nav):
            self._is_nav_loaded = False
            if not self._advance_nav():
                self._complete()
                return
        self._update_dos()

    def _update_dos(self) -> None:
        # ArduPilot begins or checks one DO item in each pass at 400 Hz; the passes within one
        # of ours run here.
        for _ in range(64):
            if not self._is_do_loaded:
                if self._are_dos_done or not self._advance_do():
                    return
            elif self._do is not None and self._crew.is_done(self._do):
                self._is_do_loaded = False
            else:
                return

    def restart_nav(self) -> None:
        """Begin the item flown again, as a changed mission makes it."""
        if self._is_nav_loaded and self._nav_index:
            item = self._store.get(self._nav_index)
            if item is not None and item.is_nav:
                self._nav = item
                self._crew.start(item)

    def _complete(self) -> None:
        self._state = MissionState.COMPLETE
        self.is_landing_sequence = False
        self._crew.mission_ended()

    def _begin(self, item: Item) -> None:
        if item.command in _LANDINGS:
            self.is_landing_sequence = True
        elif item.command == Command.NAV_TAKEOFF:
            self.is_landing_sequence = False
        self._crew.start(item)

    def _advance_nav(self, start: int = 0) -> bool:
        self._do, self._is_do_loaded, self._are_dos_done = None, False, False
        index = start if start > 0 else self._nav_index + 1
        for _ in range(255):
            item = self._following(index, count=True)
            if item is None:
                return False
            if item.is_nav:
                self._nav, self._nav_index, self._is_nav_loaded = item, item.seq, True
                self._begin(item)
                break
            if not self._is_do_loaded:
                self._do, self._is_do_loaded = item, True
                self._begin(item)
            index = item.seq + 1
        else:
            return False
        self._are_dos_done = not self._is_do_loaded
        return True

    def _advance_do(self) -> bool:
        index = self._do.seq + 1 if self._do is not None else 1
        item = self._following(index, count=False)
        if item is None or item.is_nav:
            self._are_dos_done = True
            return False
        self._do, self._is_do_loaded = item, True
        self._begin(item)
        return True

    def _following(self, index: int, *, count: bool) -> Item | None:
        """The item at or after `index`, with jumps followed, and counted if `count`."""
        for _ in range(64):
            item = self._store.get(index) if 0 < index < len(self._store) else None
            if item is None or item.command != Command.DO_JUMP:
                return item
            target, times = int(item.p1), int(item.p2)
            run = self._jumps.get(index, 0)
            if times == _FOREVER or run < times:
                if count:
                    self._jumps[index] = run + 1
                index = target
            else:
                if count:
                    self._jumps.pop(index, None)
                index += 1
        return None
