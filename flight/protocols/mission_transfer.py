"""Mission, fence and rally points to a vehicle and back: by MAVFTP, or by the mission protocol.

MAVFTP is ten times faster, but the vehicle's word at its end means nothing: such an upload is read
back before it counts. What was read back whole leaves a fingerprint, and one question tells later
whether the vehicle still holds the same (P1). Where files fail, the mission protocol takes over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.flight.errors import (
    Holding,
    LinkLost,
    UploadRefused,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.mavlink.messages import MissionKind, MissionResult
from skymist.flight.protocols.commanding import wait_heartbeat
from skymist.flight.protocols.file_messages import FileFault
from skymist.flight.protocols.file_transfer import NoFiles, VehicleFiles
from skymist.flight.protocols.mission_files import fingerprint, items_in
from skymist.flight.protocols.protocol_transfer import clear_lists, read_list, upload_list
from skymist.flight.protocols.verify import KINDS, Differences, compare, join, list_of

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer
    from skymist.missions.items import Item, Mission

log = logging.getLogger(__name__)

NUM_FILE_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upload is: `num_done` of the `num_items` of this list."""

    kind: MissionKind
    num_done: int
    num_items: int


class Transfers:
    """What one vehicle was given, and how to find out whether it still holds it.

    `prefer_files` False keeps to the mission protocol.
    """

    def __init__(self, peer: Peer, *, prefer_files: bool = True) -> None:
        self._peer = peer
        self._files = VehicleFiles(peer)
        self._by_files = prefer_files
        self._is_known = not prefer_files
        self._has_given_up = False
        self._prints: dict[MissionKind, tuple[tuple[Item, ...], int]] = {}

    async def upload(
        self, mission: Mission, progress: Callable[[Progress], None] | None = None
    ) -> None:
        """Give the vehicle its mission, fence and rally points.

        By files each list is read back; by the mission protocol each ends with its
        acknowledgement, and one whose acknowledgement is lost is read back. After a failure the
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
        peer = self._peer
        self._prints.clear()
        heartbeat = await wait_heartbeat(peer)
        if heartbeat.is_armed:
            raise UploadRefused(
                f"vehicle {peer.sysid}: is armed; its mission is changed on the ground alone",
                sysid=peer.sysid,
                result="ARMED",
            )
        try:
            for kind in KINDS:
                await self._upload_list(kind, list_of(mission, kind), progress)
        except (UploadRefused, VehicleSilent, LinkLost) as error:
            self._prints.clear()
            error.holding = await clear_or_mark(peer)
            log.error("upload failed", extra={"sysid": peer.sysid, "holding": error.holding.value})
            raise

    async def verify(self, mission: Mission) -> Differences:
        """Read mission, fence and rally points back; every difference to what was compiled.

        Raises
        ------
        VehicleRefused, VehicleSilent, LinkLost
            It could not be found out.
        """
        return join(*[await self._compare(kind, list_of(mission, kind)) for kind in KINDS])

    async def recheck(self, mission: Mission) -> Differences:
        """Does it still hold what was verified: by fingerprint, else all of it is read back.

        Raises
        ------
        VehicleRefused, VehicleSilent, LinkLost
            It could not be found out.
        """
        if self._has_given_up:
            with suppress(NoFiles):  # closes, and so commits, a file that was left open
                await self._files.checksum(MissionKind.MISSION)
        parts = []
        for kind in KINDS:
            items = list_of(mission, kind)
            if not await self._has_print(kind, items):
                parts.append(await self._compare(kind, items))
        return join(*parts)

    async def _has_files(self) -> bool:
        if not self._is_known:
            self._by_files = await self._files.are_there()
            self._is_known = True
            if not self._by_files:
                log.info("no MAVFTP, by the mission protocol", extra={"sysid": self._peer.sysid})
        return self._by_files

    async def _upload_list(
        self,
        kind: MissionKind,
        items: tuple[Item, ...],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        def tell(num_done: int) -> None:
            if progress is not None:
                progress(Progress(kind=kind, num_done=num_done, num_items=len(items)))

        is_taken = await self._has_files() and await self._upload_file(kind, items, tell)
        if not is_taken:
            await upload_list(self._peer, kind, items, tell)
        log.info(
            "upload verified" if is_taken else "upload accepted",
            extra={"sysid": self._peer.sysid, "kind": kind.name.lower(), "items": len(items)},
        )

    async def _upload_file(
        self, kind: MissionKind, items: tuple[Item, ...], tell: Callable[[int], None]
    ) -> bool:
        """True where the list, read back, is what was written."""
        try:
            for _ in range(NUM_FILE_TRIES):
                await self._files.write(kind, items, tell)
                differences = await self._compare_file(kind, items)
                if differences.is_same:
                    return True
                log.warning("file was not taken", extra=self._facts(kind, differences))
        except NoFiles as error:
            self._give_up_files(kind, error)
        return False

    async def _compare(self, kind: MissionKind, items: tuple[Item, ...]) -> Differences:
        """Read one list back, by files or else by the mission protocol."""
        self._prints.pop(kind, None)
        if await self._has_files():
            try:
                return await self._compare_file(kind, items)
            except NoFiles as error:
                self._give_up_files(kind, error)
        try:
            found = await read_list(self._peer, kind)
        except VehicleRefused as error:
            if items or error.result != MissionResult.UNSUPPORTED.name:
                raise
            found = ()  # a vehicle without rally points holds none
        return compare(kind, items, found)

    async def _compare_file(self, kind: MissionKind, items: tuple[Item, ...]) -> Differences:
        """Read a list's file; its fingerprint, by the vehicle, shows that it stayed the same."""
        data = await self._files.read(kind, len(items))
        try:
            differences = compare(kind, items, items_in(kind, data))
        except ValueError as error:
            raise NoFiles(f"unreadable file: {error}") from error
        mark = await self._files.checksum(kind)
        if mark != fingerprint(data):
            raise NoFiles("the file changed while it was read")
        if differences.is_same:
            self._prints[kind] = (items, mark)
        return differences

    async def _has_print(self, kind: MissionKind, items: tuple[Item, ...]) -> bool:
        """True where the vehicle's list still is the one that was verified as these items."""
        known = self._prints.get(kind)
        if known is None or known[0] != items:
            return False
        try:
            return await self._files.checksum(kind) == known[1]
        except NoFiles as error:
            self._give_up_files(kind, error)
        return False

    def _give_up_files(self, kind: MissionKind, error: NoFiles) -> None:
        """Say why the mission protocol takes over; for good, unless one list alone is missing."""
        if error.fault != FileFault.NOT_FOUND:
            self._by_files, self._has_given_up = False, True
        facts = {"sysid": self._peer.sysid, "kind": kind.name.lower(), "reason": str(error)}
        log.warning("MAVFTP failed, by the mission protocol", extra=facts)

    def _facts(self, kind: MissionKind, differences: Differences) -> dict[str, object]:
        first = str(differences.items[0])
        return {"sysid": self._peer.sysid, "kind": kind.name.lower(), "first": first}


async def upload(
    peer: Peer, mission: Mission, progress: Callable[[Progress], None] | None = None
) -> None:
    """`Transfers.upload` by itself."""
    await Transfers(peer).upload(mission, progress)


async def verify(peer: Peer, mission: Mission) -> Differences:
    """`Transfers.verify` by itself."""
    return await Transfers(peer).verify(mission)


async def clear_or_mark(peer: Peer, timeout_s: float = 30.0) -> Holding:
    """Leave no half of a mission behind (P2): cleared, or unknown where that cannot be had."""
    try:
        async with asyncio.timeout(timeout_s):
            await clear_lists(peer)
    except (UploadRefused, VehicleSilent, LinkLost, TimeoutError):
        return Holding.UNKNOWN
    return Holding.CLEARED
