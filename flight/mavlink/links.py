"""Wires to vehicles: UDP and TCP both ways; serial lines are in `serial_link`.

`open_link` understands what a person writes after ``--drone ID=``. A link carries bytes and knows
nothing of MAVLink, but for one thing: a listening UDP port answers only who has sent a frame mark.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections import OrderedDict, deque
from contextlib import suppress
from typing import Protocol, cast

from skymist.flight.errors import LinkLost

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
READ_BYTES = 65536
MAX_DATAGRAMS = 4096
"""Datagrams kept unread: 6 s of 50 vehicles at 13 messages a second."""

MAX_DATAGRAM_BYTES = 4096
"""Larger than any ground link sends; more would let a stranger fill the memory."""

RECEIVE_BYTES = 1 << 20
"""Asked of the system for each UDP port: a second of 100 vehicles while this program is held up."""

JOINED_MOST = 64
"""Datagrams read at once: a flood costs fewer turns of the loop, and none takes it long."""

MAX_TCP_CHUNKS = 64
MAX_UDP_PEERS = 64
_FRAME_MARKS = (0xFD, 0xFE)

_FORMS = (
    "udp:0.0.0.0:14550 (listen), udpout:192.168.1.20:14550, tcp:127.0.0.1:5760, "
    "tcpin:0.0.0.0:5760 (listen), serial:/dev/ttyUSB0:57600, COM3:57600"
)
_NETWORK = re.compile(r"(udp|udpin|udpout|tcp|tcpin):(\[[^\]]+\]|[^:\[\]]*):(\d+)")
_SERIAL = re.compile(r"(?:serial:)?(/dev/[^:]+|COM\d+)(?::(\d+))?", re.IGNORECASE)


class Link(Protocol):
    """Bytes both ways to one or more vehicles."""

    async def read(self) -> bytes:
        """Some bytes as soon as there are any; ``b""`` where the link has closed."""
        ...

    def write(self, data: bytes) -> None:
        """Send, now or as soon as the wire takes it; nothing where the link has closed."""
        ...

    def close(self) -> None:
        """Close; may be called again."""
        ...


async def open_link(connection: str) -> Link:
    """The link that a connection string names.

    Raises
    ------
    LinkLost
        The string is none of the forms, or the other side cannot be reached.
    """
    if wanted := wanted_of(connection):
        raise LinkLost(f"connection {connection!r}: {wanted}", connection=connection)
    if network := _NETWORK.fullmatch(connection):
        form, host, port = network[1], network[2].strip("[]"), int(network[3])
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await _open_network(form, host, port)
        except TimeoutError:
            reason = f"no answer within {CONNECT_TIMEOUT_S:g} s"
            raise _unreachable(connection, reason) from None
        except OSError as error:
            raise _unreachable(connection, error.strerror or str(error)) from error
    from skymist.flight.mavlink.serial_link import open_serial

    serial = _SERIAL.fullmatch(connection)
    assert serial is not None
    return await open_serial(serial[1], int(serial[2] or 57600))


def wanted_of(connection: str) -> str:
    """What is wanted of a connection string that is none of the forms; empty where it is one."""
    if network := _NETWORK.fullmatch(connection):
        port = int(network[3])
        return "" if port <= 65535 else f"wanted a port of 0 to 65535, found {port}"
    return "" if _SERIAL.fullmatch(connection) else f"wanted one of {_FORMS}"


def is_dialled(connection: str) -> bool:
    """Whether we call the other side over a network, and may call again; else we wait for it."""
    network = _NETWORK.fullmatch(connection)
    return network is not None and network[1] in ("udpout", "tcp")


def _unreachable(connection: str, reason: str) -> LinkLost:
    return LinkLost(f"connection {connection!r}: {reason}", connection=connection)


async def _open_network(form: str, host: str, port: int) -> Link:
    if form in ("udp", "udpin"):
        return await open_udp(host or "0.0.0.0", port, is_listening=True)
    if form == "udpout":
        return await open_udp(host or "127.0.0.1", port, is_listening=False)
    if form == "tcpin":
        return await TcpServerLink.open(host or "0.0.0.0", port)
    reader, writer = await asyncio.open_connection(host or "127.0.0.1", port)
    return TcpLink(reader, writer)


class TcpLink:
    """A TCP stream. What the other side does not take in time is given up, not kept for ever."""

    max_unsent_bytes = 1 << 20

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Some bytes; ``b""`` where the stream has ended or broken."""
        try:
            return await self._reader.read(READ_BYTES)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """Send; closes the stream where a megabyte waits unsent: the other side is gone."""
        if self._writer.is_closing():
            return
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > self.max_unsent_bytes:
            self._writer.transport.abort()

    def close(self) -> None:
        """Close the stream."""
        self._writer.close()


class TcpServerLink:
    """A listening TCP port; talks with everyone who is connected at the moment."""

    def __init__(self) -> None:
        self._streams: dict[TcpLink, asyncio.Task[None]] = {}
        self._received: asyncio.Queue[bytes] = asyncio.Queue(maxsize=MAX_TCP_CHUNKS)
        self._server: asyncio.Server | None = None
        self._is_closed = False

    @classmethod
    async def open(cls, host: str, port: int) -> TcpServerLink:
        """Listen on a port; 0 takes a free one, see `port`."""
        link = cls()
        link._server = await asyncio.start_server(link._accept, host, port)
        return link

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return cast(int, self._server.sockets[0].getsockname()[1])

    async def read(self) -> bytes:
        """Bytes of whoever talks; ``b""`` where the link was closed."""
        return b"" if self._is_closed else await self._received.get()

    def write(self, data: bytes) -> None:
        """Send to all who are connected."""
        for stream in tuple(self._streams):
            stream.write(data)

    def close(self) -> None:
        """Stop listening and hang up."""
        self._is_closed = True
        if self._server is not None:
            self._server.close()
        for stream, task in self._streams.items():
            stream.close()
            task.cancel()
        if self._received.empty():
            self._received.put_nowait(b"")

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = TcpLink(reader, writer)
        self._streams[stream] = asyncio.create_task(self._pump(stream), name="tcpin stream")

    async def _pump(self, stream: TcpLink) -> None:
        """Pass on what one of them sends until it hangs up."""
        try:
            while data := await stream.read():
                await self._received.put(data)
        finally:
            stream.close()
            self._streams.pop(stream, None)


async def open_udp(host: str, port: int, *, is_listening: bool) -> UdpLink:
    """A UDP link that listens on an address, or one that talks to it."""
    loop = asyncio.get_running_loop()
    where = (host, port)
    link = UdpLink()
    if is_listening:
        await loop.create_datagram_endpoint(lambda: link, local_addr=where)
    else:
        await loop.create_datagram_endpoint(lambda: link, remote_addr=where)
        link.is_connected = True
    return link


class UdpLink(asyncio.DatagramProtocol):
    """A UDP port. Listening, it answers all whose last datagrams looked like MAVLink.

    Unread datagrams beyond `MAX_DATAGRAMS` push out the oldest, counted in `num_dropped`.
    """

    def __init__(self) -> None:
        self.is_connected = False
        self.num_dropped = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._peers: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._received: deque[bytes] = deque(maxlen=MAX_DATAGRAMS)
        self._wake = asyncio.Event()
        self._is_closed = False

    @property
    def port(self) -> int:
        """The local port."""
        assert self._transport is not None
        return cast(int, self._transport.get_extra_info("sockname")[1])

    async def read(self) -> bytes:
        """The datagrams that wait, one after another; ``b""`` where the link was closed."""
        while not self._received:
            if self._is_closed:
                return b""
            self._wake.clear()
            await self._wake.wait()
        if len(self._received) == 1:
            return self._received.popleft()
        num = min(len(self._received), JOINED_MOST)
        return b"".join([self._received.popleft() for _ in range(num)])

    def write(self, data: bytes) -> None:
        """Send to the other side, or to all who have talked."""
        if self._transport is None or self._is_closed:
            return
        if self.is_connected:
            self._transport.sendto(data)
            return
        for peer in self._peers:
            self._transport.sendto(data, peer)

    def close(self) -> None:
        """Close the port."""
        self._is_closed = True
        self._wake.set()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio calls this)."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep a datagram and who sent it (asyncio calls this)."""
        if not 0 < len(data) <= MAX_DATAGRAM_BYTES:
            self.num_dropped += 1
            return
        if not self.is_connected and data[0] in _FRAME_MARKS:
            self._peers[addr] = None
            self._peers.move_to_end(addr)
            while len(self._peers) > MAX_UDP_PEERS:
                self._peers.popitem(last=False)
        if len(self._received) == MAX_DATAGRAMS:
            self.num_dropped += 1
        self._received.append(data)
        self._wake.set()

    def error_received(self, exc: Exception) -> None:
        """Pass over "port unreachable": a vehicle may come later (asyncio calls this)."""
        log.debug("udp error", extra={"reason": str(exc)})

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the reader see the end (asyncio calls this)."""
        self._is_closed = True
        self._wake.set()
