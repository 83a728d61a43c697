"""Mission, fence and rally points to a vehicle and back, each ending with its own word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.commanding import wait_heartbeat
from skymist.flight.conversation import play, silent
from skymist.flight.errors import (
    Holding,
    LinkLost,
    UploadRefused,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.messages import (
    MissionAck,
    MissionCount,
    MissionItem,
    MissionKind,
    MissionRequest,
    MissionResult,
)
from skymist.flight.mission_protocol import Clear, Download, State, Upload
from skymist.flight.verify import KINDS, Differences, compare, join, list_of

if TYPE_CHECKING:
    from skymist.flight.channel import Peer
    from skymist.missions.items import Item, Mission

log = logging.getLogger(__name__)

NUM_UPLOAD_TRIES = 3

_MISSION_WORDS = (MissionRequest, MissionAck, MissionCount, MissionItem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upload is: `num_done` of the `num_items` of this list."""

    kind: MissionKind
    num_done: int
    num_items: int


async def upload(
    peer: Peer, mission: Mission, progress: Callable[[Progress], None] | None = None
) -> None:
    """Give a vehicle its mission, fence and rally points; each list ends with its acknowledgement.

    A list whose last acknowledgement is lost is read back and compared. After a failure the
    vehicle's lists are cleared, or marked unknown where it does not answer (`exc.holding`).

    Raises
    ------
    UploadRefused
        It is armed, or it refused a list; says which item and why.
    VehicleSilent
        It stopped answering; says how long ago.
    LinkLost
        The channel closed; what the vehicle holds is unknown.
    """
    heartbeat = await wait_heartbeat(peer)
    if heartbeat.is_armed:
        raise UploadRefused(
            f"vehicle {peer.sysid}: is armed; its mission is changed on the ground alone",
            sysid=peer.sysid,
            result="ARMED",
        )
    for kind in KINDS:
        items = list_of(mission, kind)
        try:
            await _upload_list(peer, kind, items, progress)
        except (UploadRefused, VehicleSilent, LinkLost) as error:
            error.holding = await clear_or_mark(peer)
            log.error("upload failed", extra={"sysid": peer.sysid, "holding": error.holding.value})
            raise
        log.info(
            "upload accepted",
            extra={"sysid": peer.sysid, "kind": kind.name.lower(), "items": len(items)},
        )


async def read_back(peer: Peer, kind: MissionKind) -> tuple[Item, ...]:
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
    await play(peer, machine, _MISSION_WORDS)
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


async def verify(peer: Peer, mission: Mission) -> Differences:
    """Read mission, fence and rally points back; every difference to what was compiled."""
    parts: list[Differences] = []
    for kind in KINDS:
        wanted = list_of(mission, kind)
        try:
            found = await read_back(peer, kind)
        except VehicleRefused as error:
            if wanted or error.result != MissionResult.UNSUPPORTED.name:
                raise
            found = ()  # a vehicle without rally points holds none
        parts.append(compare(kind, wanted, found))
    return join(*parts)


async def clear_mission(peer: Peer) -> None:
    """Empty mission, fence and rally points; `UploadRefused` or `VehicleSilent` where it cannot."""
    for kind in KINDS:
        machine = Clear(kind)
        began_s = now_s()
        await play(peer, machine, _MISSION_WORDS)
        if machine.state is State.SILENT:
            raise silent(peer, f"clearing its {kind.name.lower()}", began_s)
        if machine.state is State.REFUSED and machine.result is not None:
            raise _refused(peer, kind, -1, machine.result.name, "to clear its")


async def _upload_list(
    peer: Peer,
    kind: MissionKind,
    items: tuple[Item, ...],
    progress: Callable[[Progress], None] | None,
) -> None:
    """One list, up to three times where reading it back shows that it did not arrive whole."""
    began_s = now_s()
    for _ in range(NUM_UPLOAD_TRIES):
        machine = Upload(kind, items)

        def watch(machine: Upload = machine) -> None:
            if progress is not None:
                progress(Progress(kind=kind, num_done=machine.num_done, num_items=len(items)))

        await play(peer, machine, _MISSION_WORDS, watch)
        if machine.state is State.ACCEPTED:
            return
        if machine.state is State.REFUSED and machine.result is not None:
            if not items and machine.result is MissionResult.UNSUPPORTED:
                return
            raise _refused(peer, kind, machine.seq, machine.result.name, "the")
        if machine.state is State.SILENT:
            raise silent(peer, f"the {kind.name.lower()}, item {machine.seq} was last", began_s)
        try:
            found = await read_back(peer, kind)
        except VehicleRefused as error:
            raise _refused(peer, kind, -1, error.result, "to show its") from error
        if compare(kind, items, found).is_same:
            return
        log.warning("upload was not taken, again", extra={"sysid": peer.sysid})
    raise _refused(peer, kind, -1, "NOT_HELD", "the")


async def clear_or_mark(peer: Peer, timeout_s: float = 30.0) -> Holding:
    """Leave no half of a mission behind (P2): cleared, or unknown where that cannot be had."""
    try:
        async with asyncio.timeout(timeout_s):
            await clear_mission(peer)
    except (UploadRefused, VehicleSilent, LinkLost, TimeoutError):
        return Holding.UNKNOWN
    return Holding.CLEARED


def _refused(peer: Peer, kind: MissionKind, seq: int, result: str, what: str) -> UploadRefused:
    name = kind.name.lower()
    place = f" at item {seq}" if seq >= 0 else ""
    return UploadRefused(
        f"vehicle {peer.sysid}: refused {what} {name}{place}: {result}",
        sysid=peer.sysid,
        kind=name,
        seq=seq,
        result=result,
    )
