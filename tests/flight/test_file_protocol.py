"""MAVFTP's machines by themselves: every state with every message, and over a spoilt exchange.

The other side is the simulator's desk, which shares no code with them.
"""

from __future__ import annotations

import heapq
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.flight.mavlink.messages import CommandAck, MissionKind
from skymist.flight.protocols.file_messages import (
    DATA_BYTES,
    FileFault,
    FileOp,
    FilePacket,
    pack_file_packet,
    unpack_file_packet,
)
from skymist.flight.protocols.file_protocol import (
    BUSY_PAUSE_S,
    NUM_STARTS,
    SILENT_S,
    FileChecksum,
    FileRead,
    FileState,
    FileTalk,
    FileWrite,
)
from skymist.flight.protocols.file_window import (
    LEAST_TIMEOUT_S,
    MOST_TIMEOUT_S,
    WIDTH,
    Pace,
    Window,
)
from skymist.flight.protocols.mission_files import (
    HEADER_BYTES,
    ITEM_BYTES,
    fingerprint,
    items_in,
    mission_file,
    pieces_of,
    size_of,
)
from skymist.sitl.file_desk import FileDesk, pack, unpack
from skymist.sitl.mission_files import MissionFiles
from skymist.sitl.stores import MissionStore, PieceStore
from tests.flight.scripted import sortie

MISSION = MissionKind.MISSION
PATH = "@MISSION/mission.dat"
ITEMS = sortie(20).items
FILE = mission_file(MISSION, ITEMS)


def talks() -> dict[str, FileTalk]:
    return {
        "write": FileWrite(PATH, pieces_of(FILE), pace=Pace(), seq=65530),
        "read": FileRead(PATH, size_of, pace=Pace(), expected_bytes=len(FILE)),
        "checksum": FileChecksum(PATH, pace=Pace()),
    }


def reply(request: FilePacket, op: int = FileOp.ACK, **fields: Any) -> FilePacket:
    base = {"asked": request.op, "offset": request.offset, "session": request.session, **fields}
    return FilePacket(seq=(request.seq + 1) % 65536, op=op, **base)


def nak(request: FilePacket, fault: int) -> FilePacket:
    return reply(request, FileOp.NAK, data=bytes([fault]))


def test_packets_there_and_back() -> None:
    for packet in (
        FilePacket(seq=7, session=70, op=FileOp.WRITE, offset=300, data=b"abc"),
        FilePacket(seq=65535, session=255, op=FileOp.ACK, asked=7, offset=2**32 - 1),
    ):
        assert unpack_file_packet(pack_file_packet(packet)) == packet
    read = FilePacket(seq=1, session=2, op=FileOp.READ, wanted_bytes=99)
    assert pack_file_packet(read)[4] == 99
    with pytest.raises(ValueError, match="size"):
        unpack_file_packet(bytes((0, 0, 0, 0, 240)) + bytes(246))


@given(st.integers(0, 60))
def test_pieces_are_whole_items_and_make_the_file(num: int) -> None:
    file = mission_file(MISSION, ITEMS[:1] * num)
    pieces = pieces_of(file)
    assert b"".join(data for _, data in pieces) == file
    assert [at for at, _ in pieces] == sorted(at for at, _ in pieces)
    for at, data in pieces:
        assert len(data) <= DATA_BYTES
        assert (at - HEADER_BYTES) % ITEM_BYTES == 0 or at == 0
    assert size_of(file) == len(file)
    assert items_in(MISSION, file) == ITEMS[:1] * num


def test_what_is_no_file_of_ours() -> None:
    for bad, words in (
        (b"\x00" * 20, "magic"),
        (FILE[:5], "header"),
        (FILE[:-1], "bytes"),
        (FILE + b"\0", "bytes"),
        (mission_file(MissionKind.RALLY, ITEMS), "list 0"),
    ):
        with pytest.raises(ValueError, match=words):
            items_in(MISSION, bad)
    assert fingerprint(b"") == 0
    assert fingerprint(b"123456789") == 0x2DFD2D88  # CRC-32 with 0 in and out; by crcmod


def every_message(request: FilePacket) -> list[Any]:
    return [
        *[nak(request, fault) for fault in range(12)],
        *[reply(request, op) for op in (0, 5, 128, 130)],
        reply(request, FileOp.NAK),
        reply(request, asked=3),
        reply(request, session=request.session ^ 1),
        reply(request, data=b"\x3d\x76" + bytes(30)),
        reply(request, data=FILE[:DATA_BYTES]),
        FilePacket(seq=request.seq, session=request.session, op=FileOp.ACK, asked=request.op),
        CommandAck(command=1, result=0),
    ]


@pytest.mark.parametrize("name", talks())
@pytest.mark.parametrize("num_good", range(4))
def test_every_state_takes_every_message(name: str, num_good: int) -> None:
    """Nothing raises; each ends in time, whatever single answer it gets and then silence."""
    dummy = FilePacket(seq=0, session=0, op=FileOp.CREATE)
    for index in range(len(every_message(dummy))):
        talk = talks()[name]
        now_s, sent = 0.0, list(talk.start(0.0))
        for _ in range(num_good):
            if sent and not talk.is_done:
                sent = [*talk.receive(reply(sent[0]), now_s)] or sent[1:]
        if sent and not talk.is_done:
            talk.receive(every_message(sent[-1])[index], now_s)
        for _ in range(400):
            if talk.is_done:
                break
            assert talk.deadline_s >= now_s
            now_s = talk.deadline_s
            talk.tick(now_s)
        assert talk.is_done
        assert now_s < (SILENT_S + MOST_TIMEOUT_S) * NUM_STARTS
        state = talk.state
        for message in every_message(dummy):
            assert talk.receive(message, now_s) == ()
            assert talk.tick(now_s + 99) == ()
        assert talk.state is state


def test_a_busy_desk_is_left_alone_for_as_long_as_it_needs() -> None:
    talk = talks()["write"]
    now_s, (request,) = 0.0, talk.start(0.0)
    for num in range(1, NUM_STARTS):
        assert talk.receive(nak(request, FileFault.SESSION), now_s) == ()
        assert talk.state is FileState.PAUSED
        assert talk.tick(now_s + BUSY_PAUSE_S - 0.01) == ()
        now_s += BUSY_PAUSE_S
        before = request
        (request,) = talk.tick(now_s)
        assert request.session != before.session
        assert talk.num_starts == num + 1
    talk.receive(nak(request, FileFault.SESSION), now_s)
    assert talk.state is FileState.REFUSED
    assert talk.fault == FileFault.SESSION


def test_pace_follows_the_link_and_stays_in_bounds() -> None:
    pace = Pace()
    for _ in range(30):
        pace.note(0.2)
    assert 0.2 < pace.timeout_s < 0.5
    pace.note(1.5)
    assert pace.timeout_s > 1.0
    for _ in range(99):
        pace.note(0.001)
    assert pace.timeout_s == LEAST_TIMEOUT_S
    for _ in range(99):
        pace.note(30.0)
    assert pace.timeout_s == MOST_TIMEOUT_S


def test_three_later_answers_send_a_request_again_with_its_number() -> None:
    window = Window(Pace(), 0)
    packet = FilePacket(seq=0, session=64, op=FileOp.WRITE)
    first, *rest = [window.send(packet, 0.0) for _ in range(WIDTH)]
    assert window.num_free == 0
    again = [window.answer(reply(request), 0.1)[1] for request in rest[:3]]
    assert again == [(), (), (first,)]
    assert window.late(0.1) == ()


class Exchange:
    """A talk and a desk with a line between that loses, repeats and swaps, by seed."""

    def __init__(self, desk: FileDesk, seed: int, loss: float) -> None:
        self._desk, self._loss = desk, loss
        self._random = random.Random(seed)
        self._events: list[tuple[float, int, bool, bytes]] = []
        self._num = 0
        self.sent: list[tuple[float, FilePacket]] = []
        self.acked: set[int] = set()

    def play(self, talk: FileTalk, began_s: float = 100.0) -> float:
        now_s = began_s
        self._put(talk.start(now_s), now_s)
        while not talk.is_done:
            at_s = self._events[0][0] if self._events else talk.deadline_s
            if at_s >= talk.deadline_s:
                now_s = max(now_s, talk.deadline_s)
                self._put(talk.tick(now_s), now_s)
                continue
            now_s, _, is_up, payload = heapq.heappop(self._events)
            if is_up:
                self._desk.take(unpack(payload, 255, 190, 1))
                for answer in self._desk.work(now_s):
                    self._push(now_s, False, pack(answer))
            else:
                packet = unpack_file_packet(payload)
                if packet.op == FileOp.ACK and packet.asked == FileOp.WRITE:
                    self.acked.add(packet.offset)
                self._put(talk.receive(packet, now_s), now_s)
        return now_s

    def _put(self, packets: tuple[Any, ...], now_s: float) -> None:
        for packet in packets:
            self.sent.append((now_s, packet))
            if packet.op == FileOp.TERMINATE and isinstance(self.writes, int):
                assert len(self.acked) == self.writes or not self.is_strict
            self._push(now_s, True, pack_file_packet(packet))

    writes: int | None = None
    is_strict = True

    def _push(self, now_s: float, is_up: bool, payload: bytes) -> None:
        for _ in range(self._random.choice((1, 1, 1, 2))):
            if self._random.random() >= self._loss:
                self._num += 1
                late_s = self._random.choice((0.0, 0.0, 0.0, 0.2))
                at_s = now_s + 0.03 + late_s
                heapq.heappush(self._events, (at_s, self._num, is_up, payload))


def desk_of(items: int = 0) -> tuple[FileDesk, MissionStore]:
    from skymist.sitl.items import MissionType

    store = MissionStore()
    pieces = [PieceStore(kind, 70) for kind in (MissionType.FENCE, MissionType.RALLY)]
    return FileDesk(MissionFiles(store, *pieces, lambda: 0)), store


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3])
@given(seed=st.integers(0, 2**20))
def test_what_is_written_is_there_and_is_read(loss: float, seed: int) -> None:
    """Repeats keep their number, five at most are open, the close waits for every piece."""
    desk, store = desk_of()
    line = Exchange(desk, seed, loss)
    line.writes, line.is_strict = len(pieces_of(FILE)), loss == 0.0
    talk = FileWrite(PATH, pieces_of(FILE), pace=Pace(), seq=65500, session=seed)
    now_s = line.play(talk)
    by_number: dict[tuple[int, int], FilePacket] = {}
    for _, packet in line.sent:
        assert by_number.setdefault((packet.session, packet.seq), packet) == packet
    if talk.state is not FileState.DONE:
        assert loss == 0.3
        return
    if talk.num_starts == 1:
        assert len(store) == len(ITEMS)
    line.writes = None
    read = FileRead(PATH, size_of, pace=Pace(), session=seed + 9, expected_bytes=len(FILE))
    now_s = line.play(read, now_s + 5.0)
    check = FileChecksum(PATH, pace=Pace(), session=seed + 19)
    line.play(check, now_s + 5.0)
    if read.state is check.state is FileState.DONE:
        assert check.checksum == fingerprint(read.data)
        assert len(items_in(MISSION, read.data)) == len(store)


@pytest.mark.parametrize("expected", [1, 239, 500, 5000])
def test_a_file_of_another_length_than_expected(expected: int) -> None:
    desk, _ = desk_of()
    line = Exchange(desk, 1, 0.0)
    now_s = line.play(FileWrite(PATH, pieces_of(FILE), pace=Pace()))
    read = FileRead(PATH, size_of, pace=Pace(), session=9, expected_bytes=expected)
    line.play(read, now_s + 1.0)
    assert read.state is FileState.DONE
    assert len(read.data) == len(FILE)
