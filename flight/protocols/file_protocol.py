"""MAVFTP with one vehicle: state machines without I/O for writing, reading and fingerprints.

The end of a write says that the vehicle was told to take the file, and no more: ArduPilot
acknowledges the close of a file that it rejects or cuts. Whoever writes reads back.

A machine is started once, is given messages and the time, and answers with what is to be sent.
Source: https://mavlink.io/en/services/ftp.html; ArduPilot GCS_MAVLink/GCS_FTP.cpp.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from skymist.flight.mavlink.messages import Received, Sent
from skymist.flight.protocols.file_messages import DATA_BYTES, FileFault, FileOp, FilePacket
from skymist.flight.protocols.file_window import Pace, Window

SILENT_S = 10.0
"""Without any answer for so long, a transfer is given up."""

BUSY_PAUSE_S = 3.4
"""ArduPilot lets go of another's session 3 s after its last reply, and each refusal is one."""

NUM_STARTS = 4
_SESSIONS = range(64, 250)
"""Ours: other ground stations count up from 0."""


class FileState(StrEnum):
    """Where a transfer stands; from DONE on, end states."""

    IDLE = "idle"
    OPENING = "opening"
    MOVING = "moving"
    CLOSING = "closing"
    SHEDDING = "shedding"
    PAUSED = "paused"
    DONE = "done"
    REFUSED = "refused"
    SILENT = "silent"


_END = frozenset({FileState.DONE, FileState.REFUSED, FileState.SILENT})


class FileTalk:
    """What the transfers share: sessions, repeats, pauses, new starts.

    Ends DONE, REFUSED (`fault`) or SILENT. `seq` and `session` are the first to be used.
    """

    def __init__(self, path: str, *, pace: Pace, seq: int = 0, session: int = 0) -> None:
        self.path = path
        self.state = FileState.IDLE
        self.deadline_s = 0.0
        self.fault: int = 0
        self.num_starts = 0
        self._session = session
        self._window = Window(pace, seq)

    @property
    def is_done(self) -> bool:
        """True in an end state."""
        return self.state in _END

    @property
    def session(self) -> int:
        """The number of the session, a new one for each start."""
        return _SESSIONS[(self._session + self.num_starts) % len(_SESSIONS)]

    @property
    def parting(self) -> FilePacket:
        """What closes the session of a transfer that failed; its answer means nothing."""
        return self._packet(FileOp.TERMINATE)

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Open the file."""
        self.num_starts += 1
        self._window.clear()
        self._window.heard_s = now_s
        self.state = FileState.OPENING
        return self._timed((self._ask(self._opening(), now_s),))

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Go by a reply; what is no answer to us is passed over."""
        if not isinstance(message, FilePacket) or self.is_done:
            return ()
        request, lost = self._window.answer(message, now_s)
        if request is None:
            return ()
        if self.state is FileState.SHEDDING:
            return self.start(now_s)
        if self.state is FileState.CLOSING:
            self.state = FileState.DONE
            return ()
        if message.op == FileOp.ACK:
            out = self._go_on(request, message, now_s)
        else:
            out = self._refused(request, message.fault, now_s)
        return self._timed((*out, *lost))

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Ask again for what is late, start again after a pause, or end for want of answers."""
        if self.is_done or self.state is FileState.IDLE or now_s < self.deadline_s:
            return ()
        if self.state is FileState.PAUSED:
            return self.start(now_s)
        if now_s - self._window.heard_s >= SILENT_S:
            self.state = FileState.SILENT
            return ()
        return self._timed(self._window.late(now_s))

    def _opening(self) -> FilePacket:
        raise NotImplementedError

    def _go_on(self, request: FilePacket, reply: FilePacket, now_s: float) -> tuple[Sent, ...]:
        raise NotImplementedError

    def _refused(self, request: FilePacket, fault: int, now_s: float) -> tuple[Sent, ...]:
        """Another's session is waited for; a session that went wrong is shed, and begun anew."""
        is_passing = fault in (FileFault.FAIL, FileFault.ERRNO, FileFault.SESSION)
        is_lost = self.state is FileState.MOVING and fault == FileFault.NOT_FOUND
        if not (is_passing or is_lost) or self.num_starts >= NUM_STARTS:
            self.state, self.fault = FileState.REFUSED, fault
            return ()
        self._window.clear()
        if fault == FileFault.SESSION or (fault == FileFault.ERRNO and request.op == FileOp.CREATE):
            self.state, self.deadline_s = FileState.PAUSED, now_s + BUSY_PAUSE_S
            return ()
        self.state = FileState.SHEDDING
        return (self._ask(self._packet(FileOp.TERMINATE), now_s),)

    def _close(self, now_s: float) -> tuple[Sent, ...]:
        self.state = FileState.CLOSING
        self._window.clear()
        return (self._ask(self._packet(FileOp.TERMINATE), now_s),)

    def _packet(self, op: FileOp, **fields: object) -> FilePacket:
        return FilePacket(seq=0, session=self.session, op=op, **fields)  # type: ignore[arg-type]

    def _ask(self, packet: FilePacket, now_s: float) -> FilePacket:
        return self._window.send(packet, now_s)

    def _timed(self, out: tuple[Sent, ...]) -> tuple[Sent, ...]:
        if self.is_done:
            return ()
        if self.state is not FileState.PAUSED:
            self.deadline_s = self._window.deadline_s
            if self._window.is_empty:
                self.state, self.fault = FileState.REFUSED, FileFault.FAIL
        return out


class FileWrite(FileTalk):
    """Writes a file in the given pieces (offset, bytes) and closes it.

    DONE means closed, not taken. The file is closed only once each piece was acknowledged.
    """

    def __init__(
        self,
        path: str,
        pieces: tuple[tuple[int, bytes], ...],
        *,
        pace: Pace,
        seq: int = 0,
        session: int = 0,
    ) -> None:
        super().__init__(path, pace=pace, seq=seq, session=session)
        self._pieces = pieces
        self._num_sent = 0
        self._written: set[int] = set()

    @property
    def num_bytes(self) -> int:
        """Bytes that the vehicle has acknowledged."""
        return sum(len(data) for at, data in self._pieces if at in self._written)

    def _opening(self) -> FilePacket:
        self._num_sent = 0
        self._written.clear()
        return self._packet(FileOp.CREATE, data=self.path.encode())

    def _go_on(self, request: FilePacket, reply: FilePacket, now_s: float) -> tuple[Sent, ...]:
        if self.state is FileState.OPENING:
            self.state = FileState.MOVING
        else:
            self._written.add(request.offset)
        if len(self._written) == len(self._pieces):
            return self._close(now_s)
        out: list[Sent] = []
        while self._window.num_free and self._num_sent < len(self._pieces):
            offset, data = self._pieces[self._num_sent]
            self._num_sent += 1
            out.append(self._ask(self._packet(FileOp.WRITE, offset=offset, data=data), now_s))
        return tuple(out)


class FileRead(FileTalk):
    """Reads a file; `data` is whole once DONE.

    `size_of` tells from the first bytes how long the file is, and raises ValueError for what is
    no such file; `expected_bytes` is how long it should be, so that several are asked for at once.
    """

    def __init__(
        self,
        path: str,
        size_of: Callable[[bytes], int],
        *,
        pace: Pace,
        seq: int = 0,
        session: int = 0,
        expected_bytes: int = DATA_BYTES,
    ) -> None:
        super().__init__(path, pace=pace, seq=seq, session=session)
        self._size_of = size_of
        self._expected_bytes = max(DATA_BYTES, expected_bytes)
        self._size_bytes: int | None = None
        self._num_asked_bytes = 0
        self._found: dict[int, bytes] = {}

    @property
    def data(self) -> bytes:
        """What was read, in order."""
        return b"".join(self._found[at] for at in sorted(self._found))

    def _opening(self) -> FilePacket:
        self._size_bytes, self._num_asked_bytes = None, 0
        self._found.clear()
        return self._packet(FileOp.OPEN_TO_READ, data=self.path.encode())

    def _go_on(self, request: FilePacket, reply: FilePacket, now_s: float) -> tuple[Sent, ...]:
        if self.state is FileState.OPENING:
            self.state = FileState.MOVING
        elif not self._is_taken(request, reply):
            return self._refused(request, FileFault.FAIL, now_s)
        if self._size_bytes is not None and len(self.data) == self._size_bytes:
            return self._close(now_s)
        return self._fill(now_s)

    def _is_taken(self, request: FilePacket, reply: FilePacket) -> bool:
        """Keep a piece; False where it is not what was asked for."""
        if request.offset == 0:
            try:
                self._size_bytes = self._size_of(reply.data)
            except ValueError:
                return False
        self._found[request.offset] = reply.data
        known, end = self._size_bytes, request.offset + len(reply.data)
        return len(reply.data) == request.wanted_bytes or known is None or end >= known

    def _refused(self, request: FilePacket, fault: int, now_s: float) -> tuple[Sent, ...]:
        """Past the end of a file that is shorter than expected there is nothing to read."""
        known = self._size_bytes
        is_past = fault == FileFault.END_OF_FILE and request.op == FileOp.READ
        if is_past and (known is None or request.offset >= known):
            return self._fill(now_s)
        if is_past:
            fault = FileFault.FAIL  # it has become shorter under our hands
        return super()._refused(request, fault, now_s)

    def _fill(self, now_s: float) -> tuple[Sent, ...]:
        size = self._expected_bytes if self._size_bytes is None else self._size_bytes
        out: list[Sent] = []
        while self._window.num_free and self._num_asked_bytes < size:
            at = self._num_asked_bytes
            wanted = min(DATA_BYTES, size - at)
            self._num_asked_bytes += wanted
            out.append(self._ask(self._packet(FileOp.READ, offset=at, wanted_bytes=wanted), now_s))
        return tuple(out)


class FileChecksum(FileTalk):
    """Asks for the CRC-32 of a file; `checksum` is there once DONE."""

    def __init__(self, path: str, *, pace: Pace, seq: int = 0, session: int = 0) -> None:
        super().__init__(path, pace=pace, seq=seq, session=session)
        self.checksum: int | None = None

    def _opening(self) -> FilePacket:
        return self._packet(FileOp.CHECKSUM, data=self.path.encode())

    def _go_on(self, request: FilePacket, reply: FilePacket, now_s: float) -> tuple[Sent, ...]:
        self.checksum = int.from_bytes(reply.data[:4], "little")
        self.state = FileState.DONE if len(reply.data) == 4 else FileState.REFUSED
        return ()
