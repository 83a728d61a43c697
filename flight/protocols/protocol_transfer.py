"""One list to a vehicle and back by the mission protocol, ending with the vehicle's own word."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import UploadRefused, VehicleRefused
from skymist.flight.mavlink.messages import (
    MissionAck,
    MissionCount,
    MissionItem,
    MissionKind,
    MissionRequest,
    MissionResult,
)
from skymist.flight.protocols.conversation import play, silent
from skymist.flight.protocols.mission_protocol import Clear, Download, State, Upload
from skymist.flight.protocols.verify import KINDS, compare

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer
    from skymist.missions.items import Item

log = logging.getLogger(__name__)

NUM_UPLOAD_TRIES = 3

_WORDS = (MissionRequest, MissionAck, MissionCount, MissionItem)


async def upload_list(
    peer: Peer,
    kind: MissionKind,
    items: tuple[Item, ...],
    progress: Callable[[int], None],
) -> None:
    """Send one list, up to three times where reading it back shows that it did not arrive whole."""
    began_s = now_s()
    for _ in range(NUM_UPLOAD_TRIES):
        machine = Upload(kind, items)

        def watch(machine: Upload = machine) -> None:
            progress(machine.num_done)

        await play(peer, machine, _WORDS, watch)
        if machine.state is State.ACCEPTED:
            return
        if machine.state is State.REFUSED and machine.result is not None:
            if not items and machine.result is MissionResult.UNSUPPORTED:
                return
            raise upload_refused(peer, kind, machine.seq, machine.result.name, "the")
        if machine.state is State.SILENT:
            raise silent(peer, f"the {kind.name.lower()}, item {machine.seq} was last", began_s)
        try:
            found = await read_list(peer, kind)
        except VehicleRefused as error:
            raise upload_refused(peer, kind, -1, error.result, "to show its") from error
        if compare(kind, items, found).is_same:
            return
        log.warning("upload was not taken, again", extra={"sysid": peer.sysid})
    raise upload_refused(peer, kind, -1, "NOT_HELD", "the")


async def read_list(peer: Peer, kind: MissionKind) -> tuple[Item, ...]:
    """One of the lists that the vehicle holds.

    Raises
    ------
    VehicleRefused
        It will not give it: another ground station is writing, or it has no such list.
    VehicleSilent
        It stopped answering.
    """
    machine = Download(kind)
    began_s = now_s()
    await play(peer, machine, _WORDS)
    if machine.state is State.ACCEPTED:
        return machine.items
    name = kind.name.lower()
    if machine.state is State.REFUSED and machine.result is not None:
        raise VehicleRefused(
            f"vehicle {peer.sysid}: refused to give its {name}: {machine.result.name}",
            sysid=peer.sysid,
            result=machine.result.name,
        )
    raise silent(peer, f"its {name}, {machine.num_done} of {machine.count} came", began_s)


async def clear_lists(peer: Peer) -> None:
    """Empty mission, fence and rally points; `UploadRefused` or `VehicleSilent` where it cannot."""
    for kind in KINDS:
        machine = Clear(kind)
        began_s = now_s()
        await play(peer, machine, _WORDS)
        if machine.state is State.SILENT:
            raise silent(peer, f"clearing its {kind.name.lower()}", began_s)
        if machine.state is State.REFUSED and machine.result is not None:
            raise upload_refused(peer, kind, -1, machine.result.name, "to clear its")


def upload_refused(
    peer: Peer, kind: MissionKind, seq: int, result: str, what: str
) -> UploadRefused:
    """The error for a list that the vehicle did not take, at item `seq` or at none (-1)."""
    name = kind.name.lower()
    place = f" at item {seq}" if seq >= 0 else ""
    return UploadRefused(
        f"vehicle {peer.sysid}: refused {what} {name}{place}: {result}",
        sysid=peer.sysid,
        kind=name,
        seq=seq,
        result=result,
    )
