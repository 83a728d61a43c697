"""Writes the record of an operation: events, each with its checksum, and the raw frames beside it.

What stands in a record, and how it is read, is in `recording.record`.
"""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING

from skymist.flight.recording.journal import Journal, Syncer
from skymist.flight.recording.record import (
    BEFORE,
    FIRST,
    RECORD_FILE,
    RESTORED,
    checksum_of,
    encode_line,
)
from skymist.missions.errors import FormatError
from skymist.missions.plans import file_name_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from skymist.flight.recording.record import Record

log = logging.getLogger(__name__)

FLUSH_S = 1.0
KEY_STATES = frozenset({"armed", "flying", "landed", "failed", "started", "ended"})
KEY_EVENTS = frozenset(
    {"header", "part", "replan", "pump", "service", "look", "end", BEFORE, RESTORED}
)
"""What the disk is to take at once; also sorties and passes that enter one of the states."""


class Recorder:
    """Writes the record of one operation; the only writer of its folder.

    `now_s` gives seconds of the loop's clock. Every event but `track` is flushed at once,
    tracks after at most `FLUSH_S`; where somebody may look on (`is_live`) each track is handed to
    the operating system at once too, for those who read along. A disk that takes nothing more
    raises nothing here: `failure` says why, `on_failure` is called once, and what waits is offered
    again at each flush.
    """

    def __init__(
        self,
        folder: Path,
        now_s: Callable[[], float],
        *,
        epoch_s: float = 0.0,
        tlog: bool = True,
        is_live: bool = False,
        continues: Record | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / RECORD_FILE
        is_there = self.path.exists() and self.path.stat().st_size > 0
        if is_there and continues is None:
            raise FormatError(f"{self.path}: wanted a new folder, found an earlier record")
        self.on_failure: Callable[[str], None] | None = None
        self._now_s, self._start_s, self._flushed_s = now_s, now_s(), 0.0
        self._epoch_s, self._has_tlog, self._is_live = epoch_s, tlog, is_live
        self._last, self._part, self._is_told = FIRST, 1, False
        self._journal = Journal(self.path, alone=True)
        self._syncer = Syncer()
        self._syncer.add(self._journal)
        self._tlogs: dict[str, Journal] = {}
        if continues is not None:
            self._go_on(continues)

    def _go_on(self, earlier: Record) -> None:
        """Write on at the end of an earlier record; what has no line end there is given one."""
        self._last, self._part = earlier.last_checksum, earlier.num_parts + 1
        wall_s = self._epoch_s - earlier.started_utc.timestamp()
        begun_s = max(wall_s, earlier.last_s + 0.001)
        self._start_s -= begun_s
        self._epoch_s -= begun_s
        if earlier.is_cut:
            self._journal.add(b"\n")

    @property
    def elapsed_s(self) -> float:
        """Seconds since the record began: by the wall from part to part, by the loop in a part."""
        return self._now_s() - self._start_s

    @property
    def failure(self) -> str:
        """Why something could not be written; empty while all is well."""
        return self._journal.error or next((t.error for t in self._tlogs.values() if t.error), "")

    def write(self, event: str, **fields: object) -> None:
        """Append one event."""
        if self._journal.is_closed:
            log.warning("event after the end of the record", extra={"event": event})
            return
        now_s = self.elapsed_s
        line = encode_line({"t_s": round(now_s, 3), "event": event, **fields}, self._last)
        self._last = checksum_of(line)
        self._journal.add(line)
        if event != "track" or now_s - self._flushed_s >= FLUSH_S:
            self.flush()
        elif self._is_live:
            self._journal.flush()
        if event in KEY_EVENTS or fields.get("state") in KEY_STATES:
            self._syncer.now()

    def raw(self, drone_id: str, frame: bytes, at_s: float | None = None) -> None:
        """Append a raw MAVLink frame, of now or of `at_s`, to the drone's tlog of this part."""
        if not self._has_tlog or self._journal.is_closed:
            return
        file = self._tlogs.get(drone_id)
        if file is None:
            part = "" if self._part == 1 else f".{self._part}"
            file = Journal(self.path.with_name(f"{file_name_of(drone_id)}{part}.tlog"))
            self._tlogs[drone_id] = file
            self._syncer.add(file)
        elapsed_s = self.elapsed_s if at_s is None else at_s - self._start_s
        microseconds = round((self._epoch_s + elapsed_s) * 1e6)
        file.add(struct.pack(">Q", microseconds) + frame)

    def flush(self) -> None:
        """Hand everything to the operating system, so that a crash of this program keeps it."""
        if self._journal.is_closed:
            return
        self._flushed_s = self.elapsed_s
        for journal in (self._journal, *self._tlogs.values()):
            journal.flush()
        self._syncer.soon()
        if self.failure and not self._is_told and self.on_failure is not None:
            self._is_told = True
            self.on_failure(f"the record fails: {self.failure}")

    def close(self) -> None:
        """Write out and close all files; may be called twice."""
        if self._journal.is_closed:
            return
        self._syncer.stop()
        for journal in (self._journal, *self._tlogs.values()):
            journal.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()
