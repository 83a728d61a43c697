"""Giving a vehicle its signing key, or taking it away; the vehicle's own frames are the proof."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.mavlink.messages import Heartbeat, SetupSigning, VehicleCommand
from skymist.flight.mavlink.readers import MESSAGE_IDS
from skymist.flight.mavlink.signing import KEY_BYTES
from skymist.flight.protocols import driver

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.signing import Key, Seal

HELLO_S = 15.0
SEEN_S = 10.0
NUM_SENT = 3
"""There is no acknowledgement; the message means the same each time."""


async def set_key(peer: Peer, key: Key | None, seal: Seal) -> None:
    """Have a vehicle sign with a key, or with none; `seal` holds the key it has or is to have.

    Raises
    ------
    VehicleSilent
        It is not heard, or did not change how it signs.
    VehicleRefused
        It is armed: ArduPilot takes no key then.
    """
    heart = await driver.wait_heartbeat(peer, HELLO_S)
    if heart.is_armed:
        raise VehicleRefused(f"vehicle {peer.sysid}: is armed; its key is set on the ground alone")
    stamp = 0 if key is None else seal.next_stamp()
    secret = bytes(KEY_BYTES) if key is None else key.secret
    peer.seal = seal if key is None and peer.is_signing else None
    for _ in range(NUM_SENT):
        peer.send(SetupSigning(secret=secret, timestamp=stamp))
        await asyncio.sleep(0.3)
    peer.seal = None if key is None else seal
    try:
        await peer.wait_for(
            Heartbeat, lambda _: peer.is_signing is (key is not None), timeout_s=SEEN_S
        )
    except VehicleSilent:
        wanted = "to sign no more" if key is None else "to sign with this key"
        raise _silent(peer, wanted) from None
    await _require_obeyed(peer, "to obey what is sent now")


async def _require_obeyed(peer: Peer, wanted: str) -> None:
    """A command that changes nothing is answered."""
    result = await driver.command(
        peer, VehicleCommand.REQUEST_MESSAGE, MESSAGE_IDS[Heartbeat], timeout_s=2.0
    )
    if result.outcome is driver.Outcome.UNKNOWN:
        raise _silent(peer, wanted)


def _silent(peer: Peer, wanted: str) -> VehicleSilent:
    return VehicleSilent(
        f"vehicle {peer.sysid}: wanted it {wanted}, it did not within {SEEN_S:g} s",
        sysid=peer.sysid,
        waited_s=SEEN_S,
    )
