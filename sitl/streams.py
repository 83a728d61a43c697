"""A TCP connection with the shape of a `Pipe`."""

from __future__ import annotations

import asyncio

_CHUNK = 65536


class TcpPipe:
    """One connection as a byte pipe."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.is_closed = False

    async def read(self) -> bytes:
        """Give the bytes that came, waiting for some; b"" once closed from either side."""
        try:
            return await self._reader.read(_CHUNK)
        except ConnectionError:
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes; after the close they are dropped."""
        if not self.is_closed and not self._writer.is_closing():
            self._writer.write(data)

    def close(self) -> None:
        """End the connection."""
        if not self.is_closed:
            self.is_closed = True
            self._writer.close()


async def open_tcp_pipe(host: str, port: int) -> TcpPipe:
    """Connect to a TCP port.

    Raises
    ------
    OSError
        Nobody listens there.
    """
    reader, writer = await asyncio.open_connection(host, port)
    return TcpPipe(reader, writer)
