"""Append-only files that lose at most a second when the machine stops, and nothing to a full disk.

What is written is handed to the operating system when it is flushed, so that a killed program
loses nothing that was flushed; a thread of its own has the disk take it, at least each second, so
that a slow disk never holds up the loop that minds the pumps. What a disk does not take is kept
and offered again.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from skymist.missions.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

SYNC_S = 1.0
"""Wall seconds after which the disk is asked to take what was flushed."""
KEPT_MOST = 16 * 2**20
"""Bytes that are kept for a disk that takes none: minutes, enough to bring all drones home. [P]"""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


class Journal:
    """One file, written at its end. Only `close` and the constructor raise."""

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        self.path, self.error, self.num_lost = path, "", 0
        self._waiting = bytearray()
        self._fd = os.open(path, _FLAGS, 0o644)
        if alone:
            _lock(self._fd, path)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._fd < 0

    def add(self, data: bytes) -> None:
        """Take data, to be written at the next flush; beyond what may be kept it is lost."""
        if len(self._waiting) + len(data) > KEPT_MOST:
            self.num_lost += 1
            return
        self._waiting += data

    def flush(self) -> None:
        """Hand everything to the operating system; `error` says why that could not be done."""
        try:
            while self._waiting:
                num = os.write(self._fd, self._waiting)
                del self._waiting[:num]
        except OSError as exc:
            self.error = f"{self.path}: cannot be written: {exc.strerror or exc}"

    def sync(self) -> None:
        """Have the disk take what was flushed."""
        try:
            os.fsync(self._fd)
        except OSError as exc:
            self.error = f"{self.path}: cannot be written: {exc.strerror or exc}"

    def close(self) -> None:
        """Flush, sync and close; may be called twice."""
        if self._fd < 0:
            return
        self.flush()
        self.sync()
        os.close(self._fd)
        self._fd = -1


class Syncer:
    """Syncs journals in a thread: within `SYNC_S` after `soon`, as soon as it can after `now`."""

    def __init__(self) -> None:
        self._journals: tuple[Journal, ...] = ()
        self._due, self._urgent, self._is_over = Event(), Event(), False
        self._thread = Thread(target=self._run, name="record syncer", daemon=True)
        self._thread.start()

    def add(self, journal: Journal) -> None:
        """Sync this one too."""
        self._journals = (*self._journals, journal)

    def soon(self) -> None:
        """Something was flushed."""
        self._due.set()

    def now(self) -> None:
        """Something was flushed that must not be lost."""
        self._urgent.set()
        self._due.set()

    def stop(self) -> None:
        """End the thread; the journals may be closed then."""
        self._is_over = True
        self.now()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over:
            self._due.wait()
            self._due.clear()
            for journal in self._journals:
                journal.sync()
            self._urgent.wait(SYNC_S)
            self._urgent.clear()


def _lock(fd: int, path: Path) -> None:
    """Keep every other program from writing here; a killed program lets go by itself.

    Windows locks against readers too, so that nothing is locked there.
    """
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        with suppress(OSError):
            os.close(fd)
        raise FormatError(f"{path}: another program writes this record now") from exc
    except OSError:
        return  # a file system without locks
