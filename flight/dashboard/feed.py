"""A record's lines as they come: from the end of a growing file, or again at any speed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from skymist.flight.recording.record import decode_line, record_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from skymist.flight.recording.record import Event

POLL_S = 0.02
"""A look at a file that has not grown takes some 20 µs: a thousandth of a core."""
REPLAY_S = 0.1
CHUNK = 1 << 20


class Lines:
    """Whole lines of a file that grows; what cannot be trusted is passed over."""

    def __init__(self, path: Path) -> None:
        self._path, self._place, self._rest = path, 0, b""

    def more(self) -> list[Event]:
        """The events that came since; none where the file is not there yet."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                data = file.read(CHUNK)
        except FileNotFoundError:
            return []
        self._place += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = (decode_line(line.rstrip(b"\r")) for line in lines)
        return [line.event for line in found if line is not None]


async def live(place: Path) -> AsyncIterator[list[Event]]:
    """Events in batches: at once those that are there, then each as it is written, for ever."""
    lines = Lines(record_path(place))
    while True:
        batch = lines.more()
        if batch:
            yield batch
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(POLL_S)


class Replay:
    """A record again by its own times; `speed` may be changed on the way, 0 stands still."""

    def __init__(self, place: Path, speed: float) -> None:
        self._lines, self.speed = Lines(record_path(place)), speed
        self._waiting: list[Event] = []

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        """Events in batches, as their time comes; ends with the record."""
        now_s, loop = 0.0, asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(REPLAY_S)
            now_s += (loop.time() - last) * self.speed
            last = loop.time()
            if not self._fill():
                return
            if self._waiting[0]["t_s"] > now_s:
                continue
            cut = next((k for k, e in enumerate(self._waiting) if e["t_s"] > now_s), None)
            batch, self._waiting = self._waiting[:cut], self._waiting[cut:] if cut else []
            yield batch

    def _fill(self) -> bool:
        """Read on until an event waits; whether one does."""
        while not self._waiting:
            more = self._lines.more()
            if not more:
                return False
            self._waiting = more
        return True
