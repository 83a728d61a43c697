"""A link that comes back: opened again, with back-off, when the wire under it ends or falls mute.

What is written while the wire is down is dropped, never kept: a command that was given before the
break must not reach the vehicle after it. Whoever asked asks again, if it still means it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.links import is_dialled, open_link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from skymist.flight.mavlink.links import Link

log = logging.getLogger(__name__)

PATIENCE_S = 300.0
"""How long a wire may be gone. A drone that misses the ground station is home by then. [P]"""
FIRST_WAIT_S, WAIT_MOST_S = 0.5, 10.0
"""Before the first try again, and at most; each wait is twice the last. [P]"""
MUTE_S = 15.0
"""A dialled wire without a byte for so long is dialled anew: a far end that vanished without a
word leaves TCP waiting for minutes, and UDP bound to an address that is gone. [P]"""


async def open_lasting(connection: str, *, patience_s: float = PATIENCE_S) -> ReconnectingLink:
    """The link that a connection string names; `LinkLost` where it cannot be opened."""

    async def dial() -> Link:
        return await open_link(connection)

    mute_s = MUTE_S if is_dialled(connection) else None
    link = await dial()
    return ReconnectingLink(connection, dial, link, patience_s=patience_s, mute_s=mute_s)


class ReconnectingLink:
    """A link over one wire after another.

    Parameters
    ----------
    name
        The connection as a person wrote it.
    dial
        Opens the wire anew; `LinkLost` or `OSError` where it cannot.
    wire
        The open one to begin with.
    patience_s
        A wire that is gone longer ends the link: `read` then raises `LinkLost`.
    mute_s
        A wire that gives no byte for so long is dialled anew; None: only one that ended.
    """

    def __init__(
        self,
        name: str,
        dial: Callable[[], Awaitable[Link]],
        wire: Link,
        *,
        patience_s: float = PATIENCE_S,
        mute_s: float | None = None,
    ) -> None:
        self.name, self.patience_s = name, patience_s
        self.num_reconnects = 0
        self.down_since_s: float | None = None
        self.down_reason = ""
        self._dial, self._wire, self._mute_s = dial, wire, mute_s
        self._is_closed = False

    @property
    def is_up(self) -> bool:
        """Whether there is a wire at the moment."""
        return self.down_since_s is None and not self._is_closed

    async def read(self) -> bytes:
        """Some bytes; waits through breaks. ``b""`` where we closed it.

        Raises
        ------
        LinkLost
            The wire was gone for `patience_s`.
        """
        while not self._is_closed:
            try:
                async with asyncio.timeout(self._mute_s):
                    data = await self._wire.read()
                reason = "the other side closed it"
            except TimeoutError:
                data, reason = b"", f"nothing came for {self._mute_s:g} s"
            if data:
                return data
            if not self._is_closed:
                await self._again(reason)
        return b""

    def write(self, data: bytes) -> None:
        """Send; nothing where there is no wire."""
        if self.is_up:
            self._wire.write(data)

    def close(self) -> None:
        """Close for good."""
        self._is_closed = True
        self._wire.close()

    async def _again(self, reason: str) -> None:
        """Dial until there is a wire, or patience ends."""
        self._wire.close()
        self.down_since_s = since_s = now_s()
        self.down_reason = reason
        log.warning("link down", extra={"connection": self.name, "reason": reason})
        wait_s, num_tries = FIRST_WAIT_S, 0
        while not self._is_closed:
            await asyncio.sleep(wait_s)
            if self._is_closed:
                return
            num_tries += 1
            try:
                wire = await self._dial()
            except (LinkLost, OSError) as error:
                self.down_reason = str(error)
            else:
                self._take(wire, now_s() - since_s)
                return
            if now_s() - since_s >= self.patience_s:
                raise LinkLost(
                    f"{reason}; gone for {now_s() - since_s:.0f} s, opened again in vain "
                    f"{num_tries} times, last: {self.down_reason}",
                    connection=self.name,
                )
            wait_s = min(2 * wait_s, WAIT_MOST_S)

    def _take(self, wire: Link, gone_s: float) -> None:
        """Go on over a new wire; it may have come while we were closed."""
        if self._is_closed:
            wire.close()
            return
        self._wire = wire
        self.num_reconnects += 1
        self.down_since_s, self.down_reason = None, ""
        log.warning("link up again", extra={"connection": self.name, "gone_s": gone_s})
