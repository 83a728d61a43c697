"""Play one protocol with one vehicle to its end: the place where machines meet link and clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleSilent
from skymist.flight.protocols.mission_protocol import Machine

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.messages import Received, Sent


async def play(
    peer: Peer,
    machine: Machine,
    words: tuple[type[Received], ...],
    watch: Callable[[], None] | None = None,
) -> None:
    """Play a protocol to its end; raises `LinkLost` where the channel closes."""
    with peer.subscribe(*words, max_queue=1024) as inbox:
        for message in machine.start(now_s()):
            peer.send(message)
        while not machine.is_done:
            replies: tuple[Sent, ...] = ()
            try:
                async with asyncio.timeout_at(machine.deadline_s):
                    heard = await inbox.get()
                replies = machine.receive(heard.message, now_s())
            except TimeoutError:
                pass
            for message in (*replies, *machine.tick(now_s())):
                peer.send(message)
            if watch is not None:
                watch()


def silent(peer: Peer, what: str, began_s: float) -> VehicleSilent:
    """The error for what did not come since `began_s`."""
    waited_s = now_s() - began_s
    return VehicleSilent(
        f"vehicle {peer.sysid}: wanted {what}, silent, gave up after {waited_s:.1f} s",
        sysid=peer.sysid,
        waited_s=waited_s,
    )
