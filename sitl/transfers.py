"""The vehicle's side of the mission protocol: one `Desk` for each type of plan.

Messages in, messages out; time comes in. A mission is written item by item while it arrives, a
fence and rally points in one piece at the end. Bytes are the matter of `codec`, meaning that of
`items`.

Source: MissionItemProtocol, 4.7.0-dev.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from skymist.sitl.items import Item, MissionResult, MissionType

REPEAT_S = 1.0
GIVE_UP_S = 8.0
READY_S = 1.0
"""In the first second after boot the storage is not there."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who speaks: a system and component on a link."""

    sysid: int
    compid: int
    link: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """MISSION_REQUEST: send me this item."""

    peer: Peer
    seq: int
    type: MissionType


@dataclass(frozen=True, slots=True)
class Ack:
    """MISSION_ACK."""

    peer: Peer
    result: MissionResult
    type: MissionType


@dataclass(frozen=True, slots=True)
class Count:
    """MISSION_COUNT."""

    peer: Peer
    count: int
    type: MissionType


@dataclass(frozen=True, slots=True)
class Sent:
    """MISSION_ITEM_INT, or MISSION_ITEM when `as_float`."""

    peer: Peer
    item: Item
    type: MissionType
    as_float: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """STATUSTEXT that comes with a transfer."""

    text: str
    is_warning: bool


Answer = Request | Ack | Count | Sent | Note


class Store(Protocol):
    """Where the items of one type are kept."""

    type: MissionType
    capacity: int
    is_atomic: bool

    def items(self) -> Sequence[Item]:
        """Give what is kept."""

    def get(self, seq: int) -> Item | None:
        """Give one item; None past the end."""

    def put(self, item: Item, last: int) -> MissionResult:
        """Keep an item, replacing or appending."""

    def truncate(self, count: int) -> None:
        """Drop what lies beyond `count` items."""

    def replace_all(self, items: Sequence[Item]) -> MissionResult:
        """Keep these in place of all others."""

    def clear(self) -> bool:
        """Forget all; False where that is not possible now."""


class Desk:
    """The transfers of one type, with one ground station at a time."""

    def __init__(self, store: Store, accept: Callable[[Item], Item | MissionResult]) -> None:
        self._store = store
        self._accept = accept
        self._peer: Peer | None = None
        self._wanted = 0
        self._last = 0
        self._heard_s = 0.0
        self._asked_s = 0.0
        self._draft: dict[int, Item] = {}
        self._has_warned = False

    @property
    def is_receiving(self) -> bool:
        """Whether an upload is under way."""
        return self._peer is not None

    def count(self, peer: Peer, count: int, now_s: float, age_s: float = READY_S) -> list[Answer]:
        """Answer MISSION_COUNT: begin an upload, or begin it anew; `age_s` counts from boot."""
        if self._is_foreign(peer):
            return [self._ack(peer, MissionResult.DENIED)]
        self._peer = None
        room = self._store.capacity if age_s >= READY_S else 0
        if count > room:
            text = f"Only {room} items are supported"
            return [self._ack(peer, MissionResult.NO_SPACE), Note(text, True)]
        if not self._store.is_atomic:
            self._store.truncate(count)
        self._draft = {}
        if count == 0:
            return self._finish(peer, 0)
        return self._begin(peer, 0, count - 1, now_s)

    def write_partial(self, peer: Peer, first: int, last: int, now_s: float) -> list[Answer]:
        """Answer MISSION_WRITE_PARTIAL_LIST: replace a stretch."""
        if self.is_receiving:
            return [self._ack(peer, MissionResult.DENIED)]
        held = self._store.items()
        if not 0 <= first <= last <= len(held):
            return [Note("Flight plan update rejected", True), self._ack(peer, MissionResult.ERROR)]
        self._draft = dict(enumerate(held)) if self._store.is_atomic else {}
        return self._begin(peer, first, last, now_s)

    def item(self, peer: Peer, item: Item, now_s: float) -> list[Answer]:
        """Answer MISSION_ITEM_INT."""
        owner = self._peer
        if owner is None:
            return [self._ack(peer, MissionResult.ERROR)]
        if item.seq != self._wanted:
            return [self._ack(peer, MissionResult.INVALID_SEQUENCE)]
        if self._is_foreign(peer):
            return [self._ack(peer, MissionResult.DENIED)]
        stored = self._accept(item)
        result = stored if isinstance(stored, MissionResult) else self._keep(stored)
        if result is not MissionResult.ACCEPTED:
            self._peer = None
            return [self._ack(peer, result)]
        self._heard_s = now_s
        self._wanted += 1
        if self._wanted > self._last:
            return self._finish(peer, max(self._draft, default=-1) + 1)
        return [self._ask(now_s)]

    def request_list(self, peer: Peer) -> list[Answer]:
        """Answer MISSION_REQUEST_LIST."""
        if self.is_receiving:
            return [self._ack(peer, MissionResult.DENIED)]
        return [Count(peer, len(self._store.items()), self._store.type)]

    def request(self, peer: Peer, seq: int, *, as_float: bool = False) -> list[Answer]:
        """Answer MISSION_REQUEST_INT, or MISSION_REQUEST when `as_float`."""
        if self.is_receiving and not as_float:
            return [self._ack(peer, MissionResult.DENIED)]
        item = self._store.get(seq)
        if item is not None:
            sent = Sent(peer, replace(item, seq=seq), self._store.type, as_float)
            if as_float and not self._has_warned:
                self._has_warned = True
                return [sent, Note("got MISSION_REQUEST; use MISSION_REQUEST_INT!", True)]
            return [sent]
        answers: list[Answer] = [self._ack(peer, MissionResult.INVALID_SEQUENCE)]
        if not as_float:
            answers.insert(0, Count(peer, len(self._store.items()), self._store.type))
        return answers

    def clear(self, peer: Peer) -> list[Answer]:
        """Answer MISSION_CLEAR_ALL."""
        if self._is_foreign(peer):
            return [self._ack(peer, MissionResult.DENIED)]
        self._peer = None
        done = self._store.clear()
        return [self._ack(peer, MissionResult.ACCEPTED if done else MissionResult.ERROR)]

    def tick(self, now_s: float) -> list[Answer]:
        """Ask again after 1 s, give up after 8 s without an item."""
        peer = self._peer
        if peer is None:
            return []
        if now_s - self._heard_s > GIVE_UP_S:
            self._peer = None
            name = "Mission" if self._store.type is MissionType.MISSION else "Fence"
            name = "Rally" if self._store.type is MissionType.RALLY else name
            return [
                Note(f"{name} upload timeout", True),
                self._ack(peer, MissionResult.OPERATION_CANCELLED),
            ]
        return [self._ask(now_s)] if now_s - self._asked_s > REPEAT_S else []

    def abort(self) -> None:
        """Forget the transfer, as a reboot does; what is stored stays."""
        self._peer = None

    def _begin(self, peer: Peer, first: int, last: int, now_s: float) -> list[Answer]:
        self._peer, self._wanted, self._last, self._heard_s = peer, first, last, now_s
        self._has_warned = False
        return [self._ask(now_s)]

    def _keep(self, item: Item) -> MissionResult:
        if self._store.is_atomic:
            self._draft[item.seq] = item
            return MissionResult.ACCEPTED
        return self._store.put(item, self._last)

    def _finish(self, peer: Peer, count: int) -> list[Answer]:
        self._peer = None
        result = MissionResult.ACCEPTED
        if self._store.is_atomic:
            result = self._store.replace_all([self._draft[i] for i in range(count)])
        answers: list[Answer] = [self._ack(peer, result)]
        if self._store.type is MissionType.MISSION:
            answers.insert(0, Note("Flight plan received", False))
        elif result is not MissionResult.ACCEPTED:
            answers += [Note("Incorrect item count", False), Note("Fence validation failed", True)]
        return answers

    def _ask(self, now_s: float) -> Request:
        assert self._peer is not None
        self._asked_s = now_s
        return Request(self._peer, self._wanted, self._store.type)

    def _is_foreign(self, peer: Peer) -> bool:
        owner = self._peer
        return owner is not None and (owner.sysid, owner.compid) != (peer.sysid, peer.compid)

    def _ack(self, peer: Peer, result: MissionResult) -> Ack:
        return Ack(peer, result, self._store.type)
