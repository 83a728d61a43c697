"""An in-memory byte link: what a socket would be, without the socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class BytePipe(Protocol):
    """What a ground program needs of a link."""

    async def read(self) -> bytes:
        """Give the bytes that came, waiting for some; b"" once closed."""

    def write(self, data: bytes) -> None:
        """Send bytes; after the close they are dropped."""

    def close(self) -> None:
        """End the link."""


class Pipe:
    """The ground's end of an in-memory link.

    What is written reaches the copter at once, within the call; what the copter says waits in a
    buffer for `read`. Delay and loss are the matter of `faults.FaultyPipe`.
    """

    def __init__(self, deliver: Callable[[bytes], None], forget: Callable[[], None]) -> None:
        self._deliver = deliver
        self._forget = forget
        self._buffer = bytearray()
        self._reader: asyncio.Future[None] | None = None
        self.is_closed = False

    async def read(self) -> bytes:
        """Give all bytes that came, waiting for some; b"" once closed and drained."""
        while not self._buffer and not self.is_closed:
            if self._reader is None or self._reader.done():
                self._reader = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._reader)
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes to the copter; after the close they are dropped."""
        if not self.is_closed:
            self._deliver(data)

    def close(self) -> None:
        """End the link from either side."""
        if not self.is_closed:
            self.is_closed = True
            self._forget()
            self._wake()

    def feed(self, data: bytes) -> None:
        """Take bytes from the copter's side."""
        if not self.is_closed:
            self._buffer += data
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
