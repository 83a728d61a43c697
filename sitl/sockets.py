"""Embedded copters behind real sockets: one `Tie` for each peer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast


class Tie(Protocol):
    """Where a link's bytes go to and come from."""

    deliver: Callable[[bytes], None]
    forget: Callable[[], None]

    def feed(self, data: bytes) -> None:
        """Send bytes to the ground."""

    def close(self) -> None:
        """End the tie."""


def _nothing(*_: Any) -> None:
    """Do nothing, until the fleet says what."""


class TcpTie(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, joined: Callable[[Tie], Any]) -> None:
        self.deliver: Callable[[bytes], None] = _nothing
        self.forget: Callable[[], None] = _nothing
        self._joined = joined
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the copter."""
        self._transport = cast("asyncio.Transport", transport)
        self._joined(self)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the copter."""
        self.deliver(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the copter."""
        self._transport = None
        self.forget()

    def feed(self, data: bytes) -> None:
        """Send bytes to the ground."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End the tie."""
        if self._transport is not None:
            self._transport.abort()


class UdpTie(asyncio.DatagramProtocol):
    """A UDP socket that speaks to one peer: the one given, then whoever spoke last."""

    def __init__(self, peer: tuple[str, int]) -> None:
        self.deliver: Callable[[bytes], None] = _nothing
        self.forget: Callable[[], None] = _nothing
        self._peer: tuple[Any, ...] = peer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Hand bytes to the copter, and answer there from now on."""
        self._peer = addr
        self.deliver(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens yet: go on."""

    def feed(self, data: bytes) -> None:
        """Send bytes to the ground."""
        if self._transport is not None:
            self._transport.sendto(data, self._peer)

    def close(self) -> None:
        """End the tie."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self.forget()


async def open_tcp(port: int, joined: Callable[[Tie], Any]) -> asyncio.Server:
    """Listen on a port of 127.0.0.1, 0 for any free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: TcpTie(joined), "127.0.0.1", port)


async def open_udp(host: str, port: int) -> tuple[asyncio.DatagramTransport, UdpTie, int]:
    """Open a UDP socket that speaks to `host` and `port`; give it, its tie and its own port."""
    loop = asyncio.get_running_loop()
    transport, tie = await loop.create_datagram_endpoint(
        lambda: UdpTie((host, port)), local_addr=("127.0.0.1", 0)
    )
    return transport, tie, transport.get_extra_info("sockname")[1]
