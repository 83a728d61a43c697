"""The drones' frames passed on by UDP to another ground station, which only looks on.

What it sends is dropped and counted, unless that was allowed; then it is another ground station
like any: its mode changes are not fought, the pump goes off, and the conductor waits.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, cast

from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.codec import Decoder

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

MAX_UNSENT_BYTES = 1 << 18
_FORM = re.compile(r"udp:(\[[^\]]+\]|[^:\[\]]+):(\d{1,5})")


async def open_forward(place: str, *, passes_commands: bool = False) -> Forward:
    """Somewhere to pass frames on to; `LinkLost` where the text is no ``udp:HOST:PORT``."""
    found = _FORM.fullmatch(place)
    if found is None or not 0 < int(found[2]) <= 65535:
        raise LinkLost(f"--forward {place!r}: wanted udp:HOST:PORT, such as udp:127.0.0.1:14551")
    loop = asyncio.get_running_loop()
    where = (found[1].strip("[]"), int(found[2]))
    try:
        _, forward = await loop.create_datagram_endpoint(
            lambda: Forward(place, passes_commands=passes_commands), remote_addr=where
        )
    except OSError as error:
        raise LinkLost(f"--forward {place!r}: {error.strerror or error}") from error
    return forward


class Forward(asyncio.DatagramProtocol):
    """One place; `relay` is asked to pass on what comes back from it, where that is allowed."""

    def __init__(self, name: str, *, passes_commands: bool) -> None:
        self.name, self.passes_commands = name, passes_commands
        self.num_sent = self.num_dropped = self.num_refused = self.num_relayed = 0
        self._relays: list[Callable[[int, bytes], bool]] = []
        self._decoder = Decoder()
        self._transport: asyncio.DatagramTransport | None = None

    def join(self, relay: Callable[[int, bytes], bool]) -> None:
        """Ask `relay(sysid, frame)` for each frame that comes back; False where it refuses."""
        self._relays.append(relay)

    def send(self, frame: bytes) -> None:
        """Pass one frame on; dropped where nobody takes them."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if cast(asyncio.WriteTransport, transport).get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.num_dropped += 1
            return
        self.num_sent += 1
        transport.sendto(frame)

    def close(self) -> None:
        """Close the port."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio calls this)."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Drop what comes back, or pass its frames on (asyncio calls this)."""
        if not self.passes_commands:
            self.num_refused += 1
            return
        for frame in self._decoder.feed(data):
            taken = [relay(frame.sysid, frame.raw) for relay in self._relays]
            if any(taken):
                self.num_relayed += 1
                continue
            if not self.num_refused:
                log.warning(
                    "the other ground station uses our own system id: nothing of it is passed on",
                    extra={"sysid": frame.sysid, "forward": self.name},
                )
            self.num_refused += 1

    def error_received(self, exc: Exception) -> None:
        """Pass over "port unreachable": it may come later (asyncio calls this)."""
        log.debug("forward error", extra={"reason": str(exc)})
