"""Requests on their way to a vehicle's file desk: matched with replies, sent again when late.

At most five at once, which is what ArduPilot queues. A request goes again with the number that it
had: to that the vehicle gives its last reply once more, or does the same once more. Timeouts
follow the round trips seen. Source: RFC 6298 (mean and spread), RFC 5681 (what three later answers
say about an earlier request); ArduPilot GCS_FTP.cpp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from skymist.flight.protocols.file_messages import FileOp, FilePacket

WIDTH = 5
FIRST_TIMEOUT_S = 0.5
LEAST_TIMEOUT_S, MOST_TIMEOUT_S = 0.15, 2.5
NUM_OVERTAKEN = 3
_BACK_OFF = 1.5


class Pace:
    """How long this link takes to answer."""

    def __init__(self) -> None:
        self.mean_s: float | None = None
        self._spread_s = 0.0
        self._least_s = math.inf

    @property
    def timeout_s(self) -> float:
        """After how long an answer is late: twice the mean at least, since requests queue."""
        if self.mean_s is None:
            return FIRST_TIMEOUT_S
        wanted_s = self.mean_s + max(4 * self._spread_s, self.mean_s)
        return min(MOST_TIMEOUT_S, max(LEAST_TIMEOUT_S, wanted_s))

    @property
    def lone_timeout_s(self) -> float:
        """The same for a request that goes alone: nothing of ours stands in its way."""
        alone_s = max(LEAST_TIMEOUT_S, 2 * self._least_s + 0.05)
        return min(self.timeout_s, alone_s)

    def note(self, took_s: float) -> None:
        """Take a round trip in; not of a request that was sent twice."""
        self._least_s = min(self._least_s, took_s)
        if self.mean_s is None:
            self.mean_s, self._spread_s = took_s, took_s / 2
            return
        self._spread_s += (abs(took_s - self.mean_s) - self._spread_s) / 4
        self.mean_s += (took_s - self.mean_s) / 8


@dataclass(slots=True, kw_only=True)
class _Flying:
    """One request that is not answered."""

    packet: FilePacket
    order: int
    sent_s: float
    timeout_s: float
    is_repeated: bool = False
    num_overtaken: int = 0

    @property
    def due_s(self) -> float:
        return self.sent_s + self.timeout_s


class Window:
    """The requests of one transfer, numbered on from `seq`."""

    def __init__(self, pace: Pace, seq: int) -> None:
        self._pace = pace
        self._seq = seq
        self._order = 0
        self._flying: dict[int, _Flying] = {}
        self.heard_s = 0.0

    @property
    def num_free(self) -> int:
        """How many more may go now."""
        return WIDTH - len(self._flying)

    @property
    def is_empty(self) -> bool:
        """True where no answer is waited for."""
        return not self._flying

    @property
    def deadline_s(self) -> float:
        """When the next of them is late."""
        return min((f.due_s for f in self._flying.values()), default=self.heard_s)

    def clear(self) -> None:
        """Forget them all: their answers mean nothing any more."""
        self._flying.clear()

    def send(self, packet: FilePacket, now_s: float) -> FilePacket:
        """A request with the next number."""
        self._seq = (self._seq + 1) % 65536
        self._order += 1
        packet = replace(packet, seq=self._seq)
        timeout_s = self._pace.timeout_s if self._flying else self._pace.lone_timeout_s
        self._flying[self._seq] = _Flying(
            packet=packet, order=self._order, sent_s=now_s, timeout_s=timeout_s
        )
        return packet

    def answer(
        self, reply: FilePacket, now_s: float
    ) -> tuple[FilePacket | None, tuple[FilePacket, ...]]:
        """The request that a reply is for, and those that it shows to be lost, to go again."""
        flying = self._flying.get((reply.seq - 1) % 65536)
        if flying is None or not _fits(reply, flying.packet):
            return None, ()
        del self._flying[flying.packet.seq]
        self.heard_s = now_s
        if not flying.is_repeated:
            self._pace.note(now_s - flying.sent_s)
        lost: list[FilePacket] = []
        for other in self._flying.values():
            if other.order < flying.order:
                other.num_overtaken += 1
                if other.num_overtaken >= NUM_OVERTAKEN:
                    lost.append(self._again(other, now_s))
        return flying.packet, tuple(lost)

    def late(self, now_s: float) -> tuple[FilePacket, ...]:
        """Those that are late, to go again."""
        late = [f for f in self._flying.values() if now_s >= f.due_s]
        for flying in late:
            flying.timeout_s = min(MOST_TIMEOUT_S, flying.timeout_s * _BACK_OFF)
        return tuple(self._again(flying, now_s) for flying in late)

    def _again(self, flying: _Flying, now_s: float) -> FilePacket:
        self._order += 1
        flying.order, flying.sent_s, flying.num_overtaken = self._order, now_s, 0
        flying.is_repeated = True
        return flying.packet


def _fits(reply: FilePacket, request: FilePacket) -> bool:
    """True where a reply is to this request, not an old one to another of the same number."""
    if reply.session != request.session or reply.asked != request.op:
        return False
    is_placed = reply.op == FileOp.ACK and request.op in (FileOp.READ, FileOp.WRITE)
    return not is_placed or reply.offset == request.offset
