"""A serial line as a link: a telemetry radio or a cable, through pyserial without threads.

Where the event loop can watch a file (Linux, macOS) it does; elsewhere (Windows, whose loop
watches sockets alone) the line is looked at every 5 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from typing import Any

from skymist.flight.errors import LinkLost

POLL_S = 0.005
READ_BYTES = 4096
MAX_CHUNKS = 4096
MAX_UNSENT_BYTES = 65536


async def open_serial(device: str, baud: int) -> SerialLink:
    """The line open at `baud` bits a second; `LinkLost` where it cannot be."""
    import serial

    try:
        port = serial.Serial(device, baud, timeout=0, write_timeout=0)
    except (OSError, ValueError) as error:
        raise LinkLost(f"serial {device} at {baud}: {error}", connection=device) from error
    return SerialLink(port)


class SerialLink:
    """Bytes over an open pyserial port."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._received: deque[bytes] = deque(maxlen=MAX_CHUNKS)
        self._unsent = bytearray()
        self._wake = asyncio.Event()
        self._is_closed = False
        self._poll: asyncio.TimerHandle | None = None
        self._is_watched = sys.platform != "win32" and self._watch()
        if not self._is_watched:
            self._look()

    async def read(self) -> bytes:
        """Some bytes; ``b""`` where the line was closed or pulled out."""
        while not self._received:
            if self._is_closed:
                return b""
            self._wake.clear()
            await self._wake.wait()
        return self._received.popleft()

    def write(self, data: bytes) -> None:
        """Send as the line takes it; more than 64 kB unsent is dropped: nobody takes it."""
        if self._is_closed or len(self._unsent) > MAX_UNSENT_BYTES:
            return
        self._unsent += data
        self._push()

    def close(self) -> None:
        """Close the line."""
        if self._is_closed:
            return
        self._is_closed = True
        self._wake.set()
        if self._poll is not None:
            self._poll.cancel()
        if self._is_watched:
            self._loop.remove_reader(self._port.fileno())
            self._loop.remove_writer(self._port.fileno())
        with contextlib.suppress(OSError):
            self._port.close()

    def _watch(self) -> bool:
        """Have the loop watch the line; False where this loop cannot."""
        try:
            self._loop.add_reader(self._port.fileno(), self._pull)
        except (NotImplementedError, OSError):
            return False
        return True

    def _look(self) -> None:
        """Look for bytes, and again in 5 ms."""
        if self._is_closed:
            return
        self._pull()
        self._push()
        self._poll = self._loop.call_later(POLL_S, self._look)

    def _pull(self) -> None:
        """Take what the line has."""
        try:
            data = self._port.read(READ_BYTES)
        except OSError:
            self.close()
            return
        if data:
            self._received.append(bytes(data))
            self._wake.set()

    def _push(self) -> None:
        """Give the line what it takes."""
        if not self._unsent or self._is_closed:
            return
        try:
            num_taken = self._port.write(bytes(self._unsent)) or 0
        except OSError as error:
            if type(error).__name__ != "SerialTimeoutException":
                self.close()
                return
            num_taken = 0
        del self._unsent[:num_taken]
        if self._is_watched:
            if self._unsent:
                self._loop.add_writer(self._port.fileno(), self._push)
            else:
                self._loop.remove_writer(self._port.fileno())
