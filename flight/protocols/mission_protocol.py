"""Transfers of missions, fences and rally points: state machines without I/O.

All transitions of the mission protocol stand here, as ArduPilot plays it: it asks for each item,
asks again after 1 s, gives up after 8 s. Success is the vehicle's acknowledgement and nothing else;
an upload whose last acknowledgement is lost ends `UNCONFIRMED`, to be read back, never sent again.

A machine is started once, is given messages and the time, and answers with what is to be sent.
Source: https://mavlink.io/en/services/mission.html; ArduPilot GCS_MAVLink/MissionItemProtocol.cpp.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from skymist.flight.mavlink.messages import (
    MissionAck,
    MissionClearAll,
    MissionCount,
    MissionItem,
    MissionKind,
    MissionRequest,
    MissionRequestList,
    MissionResult,
    Received,
    Sent,
)
from skymist.missions.items import Item

COUNT_TIMEOUT_S = 1.5
NUM_COUNT_TRIES = 8
STALL_S = 9.0
"""Silence amid an upload: ArduPilot gives up 8 s after the last item that it took."""

CONFIRM_S = 3.0
"""Silence after the last item: ArduPilot would have asked for it three times by then."""

REPEAT_S = 0.4
"""A request that comes again sooner is an echo of the link; the vehicle waits 1 s."""

ITEM_TIMEOUT_S = 1.0
NUM_ITEM_TRIES = 12
"""With three of ten frames lost each way an item stays away so often once in three thousand."""
WINDOW = 4
"""Items asked for at once when reading; ArduPilot answers each request by itself."""

NO_SPACE_PAUSE_S = 1.0  # for the first second after boot every COUNT draws NO_SPACE
DENIED_PAUSE_S = 2.5
RESTART_PAUSE_S = 0.3

_LIMITS = {
    MissionResult.NO_SPACE: (NO_SPACE_PAUSE_S, 3),
    MissionResult.DENIED: (DENIED_PAUSE_S, 5),
    MissionResult.OPERATION_CANCELLED: (RESTART_PAUSE_S, 3),
    MissionResult.ERROR: (RESTART_PAUSE_S, 3),
}
"""Pause and number of new starts for each refusal that may pass."""


class Machine(Protocol):
    """What a driver needs of a protocol."""

    deadline_s: float

    @property
    def is_done(self) -> bool:
        """True in an end state."""
        ...

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Begin; gives what is to be sent."""
        ...

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Answer a message; those that mean nothing now are passed over."""
        ...

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Do what is due at `deadline_s`."""
        ...


class State(StrEnum):
    """Where a transfer stands; from ACCEPTED on, end states."""

    IDLE = "idle"
    OFFERED = "offered"
    SENDING = "sending"
    LISTING = "listing"
    FETCHING = "fetching"
    CLEARING = "clearing"
    PAUSED = "paused"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    SILENT = "silent"


_END = frozenset({State.ACCEPTED, State.REFUSED, State.UNCONFIRMED, State.SILENT})


class Upload:
    """Sends a list to a vehicle.

    Ends ACCEPTED, REFUSED (`result`, at item `seq`), UNCONFIRMED (all sent, no last word: read it
    back) or SILENT (`seq` was asked for last). An empty list empties the vehicle's.
    """

    def __init__(self, kind: MissionKind, items: tuple[Item, ...]) -> None:
        self.kind = kind
        self.items = items
        self.state = State.IDLE
        self.deadline_s = 0.0
        self.result: MissionResult | None = None
        self.seq = -1
        self.num_starts = 0
        self._num_given = 0
        self._given_s = 0.0
        self._num_offers = 0
        self._starts_for: dict[MissionResult, int] = {}

    @property
    def is_done(self) -> bool:
        """True in an end state."""
        return self.state in _END

    @property
    def num_done(self) -> int:
        """Items that the vehicle has taken: all before the one it asked for last."""
        return len(self.items) if self.state is State.ACCEPTED else max(0, self._num_given - 1)

    @property
    def is_all_given(self) -> bool:
        """True once the vehicle was given every item since the last offer."""
        return self._num_given == len(self.items)

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Offer the list."""
        self.state, self.seq = State.OFFERED, -1
        self._num_offers, self._num_given = 0, 0
        self.num_starts += 1
        return self._offer(now_s)

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Answer a request or an acknowledgement; what means nothing now is passed over."""
        if self.state not in (State.OFFERED, State.SENDING):
            return ()
        match message:
            case MissionRequest(kind=self.kind, seq=seq) if self._may_want(seq):
                return self._give(seq, now_s)
            case MissionAck(kind=self.kind, result=result):
                self._judge(result, now_s)
        return ()

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Offer again, start again, or end for want of an answer."""
        if self.is_done or self.state is State.IDLE or now_s < self.deadline_s:
            return ()
        if self.state is State.PAUSED:
            return self.start(now_s)
        if self.state is State.OFFERED:
            if self._num_offers < NUM_COUNT_TRIES:
                return self._offer(now_s)
            self.state = State.SILENT
        elif self.is_all_given:
            self.state = State.UNCONFIRMED
        else:
            self._again(MissionResult.OPERATION_CANCELLED, now_s, else_end=State.SILENT)
        return ()

    def _offer(self, now_s: float) -> tuple[Sent, ...]:
        self._num_offers += 1
        self.deadline_s = now_s + COUNT_TIMEOUT_S
        return (MissionCount(kind=self.kind, count=len(self.items)),)

    def _may_want(self, seq: int) -> bool:
        """True for the next item and for the last one given.

        Anything else is an echo, or belongs to an upload that someone began before this one: to
        answer it would mix two missions.
        """
        return self._num_given - 1 <= seq <= self._num_given and seq < len(self.items)

    def _give(self, seq: int, now_s: float) -> tuple[Sent, ...]:
        """The item asked for; an echo of the same request is passed over."""
        if seq < self._num_given and now_s - self._given_s < REPEAT_S:
            return ()
        self.state = State.SENDING
        self.seq, self._num_given, self._given_s = seq, seq + 1, now_s
        self.deadline_s = now_s + (CONFIRM_S if self.is_all_given else STALL_S)
        return (MissionItem(kind=self.kind, seq=seq, item=self.items[seq]),)

    def _judge(self, result: MissionResult, now_s: float) -> None:
        """Go by an acknowledgement."""
        match result:
            case MissionResult.ACCEPTED:
                if self.is_all_given:
                    self.state, self.result = State.ACCEPTED, result
            case MissionResult.INVALID_SEQUENCE:
                pass  # an echo or a gap: the vehicle goes on asking
            case MissionResult.OPERATION_CANCELLED if self.state is State.OFFERED:
                pass  # the end of an earlier transfer
            case MissionResult.ERROR if self.is_all_given and self.items:
                self.state = State.UNCONFIRMED  # it is not receiving: done, or given up
            case MissionResult.NO_SPACE if self.state is State.SENDING:
                self.state, self.result = State.REFUSED, result
            case _ if result in _LIMITS:
                self._again(result, now_s, else_end=State.REFUSED)
            case _:
                self.state, self.result = State.REFUSED, result

    def _again(self, cause: MissionResult, now_s: float, *, else_end: State) -> None:
        """Pause for a new start, or end where `cause` has had its share of them."""
        pause_s, limit = _LIMITS[cause]
        num = self._starts_for[cause] = self._starts_for.get(cause, 0) + 1
        if num > limit:
            self.state, self.result = else_end, cause
        else:
            self.state, self.deadline_s = State.PAUSED, now_s + pause_s


class Download:
    """Reads a list from a vehicle; `items` are whole once ACCEPTED.

    Ends ACCEPTED, REFUSED or SILENT. Some items are asked for at once, so that a slow link costs
    a quarter of its round trips.
    """

    def __init__(self, kind: MissionKind, window: int = WINDOW) -> None:
        self.kind = kind
        self.state = State.IDLE
        self.deadline_s = 0.0
        self.result: MissionResult | None = None
        self.count = -1
        self._window = window
        self._found: dict[int, MissionItem] = {}
        self._due_s: dict[int, float] = {}
        self._num_tries = 0
        self._num_denied = 0
        self._num_lists = 0

    @property
    def is_done(self) -> bool:
        """True in an end state."""
        return self.state in _END

    @property
    def num_done(self) -> int:
        """Items read so far."""
        return len(self._found)

    @property
    def items(self) -> tuple[Item, ...]:
        """The items read, by number."""
        return tuple(self._found[seq].item for seq in sorted(self._found))

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Ask how many there are."""
        self.state, self.count, self._num_tries = State.LISTING, -1, 0
        return self._list(now_s)

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Take a count or an item; what means nothing now is passed over."""
        if self.state not in (State.LISTING, State.FETCHING):
            return ()
        match message:
            case MissionCount(kind=self.kind, count=count) if count != self.count:
                return self._begin(count, now_s)
            case MissionItem(kind=self.kind, seq=seq) if self.state is State.FETCHING:
                return self._take(seq, message, now_s)
            case MissionAck(kind=self.kind, result=MissionResult.DENIED as result):
                self._num_denied += 1
                if self._num_denied > _LIMITS[result][1]:
                    self.state, self.result = State.REFUSED, result
                else:
                    self.state, self.deadline_s = State.PAUSED, now_s + DENIED_PAUSE_S
            case MissionAck(kind=self.kind, result=result) if _is_refusal(result):
                self.state, self.result = State.REFUSED, result
        return ()

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Ask again for what has not come."""
        if self.is_done or self.state is State.IDLE or now_s < self.deadline_s:
            return ()
        if self.state is State.PAUSED:
            return self.start(now_s)
        late = [seq for seq, due_s in self._due_s.items() if now_s >= due_s]
        self._num_tries += self.state is State.LISTING or min(self._due_s, default=0) in late
        if self._num_tries >= NUM_ITEM_TRIES:
            self.state = State.SILENT
            return ()
        if self.state is State.LISTING:
            return self._list(now_s)
        return self._ask(late, now_s)

    def _list(self, now_s: float) -> tuple[Sent, ...]:
        self.deadline_s = now_s + COUNT_TIMEOUT_S
        return (MissionRequestList(kind=self.kind),)

    def _begin(self, count: int, now_s: float) -> tuple[Sent, ...]:
        """Fetch from the first; anew where the list has changed meanwhile."""
        self._num_lists += 1
        if self._num_lists > NUM_ITEM_TRIES:
            self.state, self.result = State.REFUSED, MissionResult.INVALID_SEQUENCE
            return ()
        self.state, self.count = State.FETCHING, count
        self._found.clear()
        self._due_s.clear()
        self._num_tries = 0
        return self._next(now_s)

    def _take(self, seq: int, message: MissionItem, now_s: float) -> tuple[Sent, ...]:
        if seq >= self.count or seq in self._found:
            return ()
        self._found[seq] = message
        self._due_s.pop(seq, None)
        self._num_tries = 0
        return self._next(now_s)

    def _next(self, now_s: float) -> tuple[Sent, ...]:
        """Keep the window full, or end with thanks."""
        if len(self._found) == self.count:
            self.state, self.result = State.ACCEPTED, MissionResult.ACCEPTED
            return (MissionAck(kind=self.kind, result=MissionResult.ACCEPTED),)
        top = max((*self._due_s, *self._found), default=-1) + 1
        free = self._window - len(self._due_s)
        return self._ask(list(range(top, min(self.count, top + free))), now_s)

    def _ask(self, seqs: list[int], now_s: float) -> tuple[Sent, ...]:
        self._due_s.update(dict.fromkeys(seqs, now_s + ITEM_TIMEOUT_S))
        self.deadline_s = min(self._due_s.values(), default=now_s)
        return tuple(MissionRequest(kind=self.kind, seq=seq) for seq in seqs)


def _is_refusal(result: MissionResult) -> bool:
    """True for what says that the list cannot be read.

    The others may be late answers to an upload; if the list cannot be read, silence tells.
    """
    return result in (MissionResult.UNSUPPORTED, MissionResult.INVALID)


class Clear:
    """Empties one list of a vehicle; ends ACCEPTED, REFUSED or SILENT."""

    def __init__(self, kind: MissionKind) -> None:
        self.kind = kind
        self.state = State.IDLE
        self.deadline_s = 0.0
        self.result: MissionResult | None = None
        self._num_sent = 0
        self._num_refused = 0

    @property
    def is_done(self) -> bool:
        """True in an end state."""
        return self.state in _END

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Ask for it."""
        self.state = State.CLEARING
        self._num_sent += 1
        self.deadline_s = now_s + COUNT_TIMEOUT_S
        return (MissionClearAll(kind=self.kind),)

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Go by the acknowledgement; late answers to an upload are passed over."""
        if self.state is not State.CLEARING:
            return ()
        match message:
            case MissionAck(kind=self.kind, result=MissionResult.ACCEPTED as result):
                self.state, self.result = State.ACCEPTED, result
            case MissionAck(kind=self.kind, result=result) if result in _LIMITS:
                pause_s, limit = _LIMITS[result]
                self._num_refused += 1
                self.state, self.deadline_s = State.PAUSED, now_s + pause_s
                if self._num_refused > limit:
                    self.state, self.result = State.REFUSED, result
            case MissionAck(kind=self.kind, result=result) if _is_refusal(result):
                self.state, self.result = State.REFUSED, result
        return ()

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Ask again."""
        if self.is_done or self.state is State.IDLE or now_s < self.deadline_s:
            return ()
        if self._num_sent - self._num_refused >= NUM_COUNT_TRIES:
            self.state = State.SILENT
            return ()
        return self.start(now_s)
