"""A drone on the ground whose contact breaks: what was begun is begun anew when it is back.

Only what has not been asked to arm. In the air there is nothing to repeat: the mission's own
interlock holds, and the drone is seen home by what it says when it is heard again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import FlightError, LinkLost, VehicleSilent
from skymist.flight.mavlink.reconnect import PATIENCE_S
from skymist.flight.protocols import driver
from skymist.flight.safety.monitor import Alert, Severity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from skymist.flight.mavlink.channel import Peer

LOOK_S = 1.0
HEARD_S = 2.5
"""After an answer that never came, a vehicle not heard for so long has lost contact. [P]"""


async def until_done(
    attempt: Callable[[], Awaitable[None]],
    peer: Peer,
    *,
    name: str,
    may_repeat: Callable[[], bool],
    on_break: Callable[[Alert], None],
    patience_s: float = PATIENCE_S,
) -> None:
    """Attempt; where contact broke meanwhile, wait for it and attempt anew.

    Parameters
    ----------
    attempt
        What must come to its end in one contact; fails with a `FlightError`.
    name
        The drone, for what is told.
    may_repeat
        Asked after a failure: False where the attempt has gone too far to be repeated.
    on_break
        Told when contact is waited for, and when it is back.
    patience_s
        From the first break on; then the failure stands.

    Raises
    ------
    FlightError
        The attempt's own where contact did not break, or patience ended.
    """
    until_s: float | None = None
    while True:
        num_breaks = peer.num_breaks
        try:
            await attempt()
            return
        except FlightError as failure:
            if not (may_repeat() and _broke(peer, num_breaks, failure)):
                raise
            if until_s is None:
                until_s = now_s() + patience_s
            if now_s() >= until_s:
                raise
            text = f"contact lost ({failure}); waited for up to {until_s - now_s():.0f} s"
            on_break(Alert(severity=Severity.WARNING, code="link_lost", text=text))
            await _heard_again(peer, name, until_s, failure)
            on_break(Alert(severity=Severity.INFO, code="link_back", text="heard again"))


def _broke(peer: Peer, num_breaks: int, failure: FlightError) -> bool:
    """Whether a failure comes from lost contact; a link that ended for good is no break."""
    if isinstance(failure, LinkLost) and not peer.channel.is_open:
        return False
    if peer.num_breaks != num_breaks or not peer.is_in_contact:
        return True
    silent_s = now_s() - (peer.heard_s or 0.0)
    return isinstance(failure, VehicleSilent) and silent_s > HEARD_S


async def _heard_again(peer: Peer, name: str, until_s: float, failure: FlightError) -> None:
    """Wait for a heartbeat; the failure of old where none comes in time."""
    while True:
        left_s = until_s - now_s()
        if left_s <= 0:
            raise VehicleSilent(
                f"{name}: contact lost and not back in time: {failure}", sysid=peer.sysid
            ) from failure
        with suppress(VehicleSilent):
            await driver.wait_heartbeat(peer, min(left_s, 10.0))
            await asyncio.sleep(LOOK_S)  # it may be the last of a flapping link
            if peer.is_in_contact:
                return
