"""One list to a vehicle and back by MAVFTP, and the fingerprint of what it holds.

Whatever goes wrong here ends as `NoFiles`: there is another way, the mission protocol.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict

from skymist.coverage.errors import FlightError
from skymist.flight.clock import now_s
from skymist.flight.mavlink.messages import AutopilotVersion, MissionKind
from skymist.flight.protocols.commanding import ask
from skymist.flight.protocols.conversation import play
from skymist.flight.protocols.file_messages import FileFault, FilePacket
from skymist.flight.protocols.file_protocol import (
    FileChecksum,
    FileRead,
    FileState,
    FileTalk,
    FileWrite,
)
from skymist.flight.protocols.file_window import Pace
from skymist.flight.protocols.mission_files import (
    HEADER_BYTES,
    ITEM_BYTES,
    PATHS,
    mission_file,
    pieces_of,
    size_of,
)

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer
    from skymist.missions.items import Item

log = logging.getLogger(__name__)

FTP_CAPABILITY = 32
"""MAV_PROTOCOL_CAPABILITY_FTP. Source: MAVLink common.xml."""

_SESSIONS_EACH = 8  # numbers that one transfer may use up, with all its new starts


class _Numbers(TypedDict):
    """What each transfer begins with."""

    pace: Pace
    seq: int
    session: int


class NoFiles(FlightError):
    """A transfer by files did not come to its end; `fault` is the vehicle's word for it, if any."""

    def __init__(self, message: str, fault: int = 0) -> None:
        super().__init__(message)
        self.fault = fault


class VehicleFiles:
    """The files of one vehicle; numbers run on from transfer to transfer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._pace = Pace()
        began = round(now_s() * 1000)
        self._seq, self._session = began % 65536, began // 7

    async def are_there(self) -> bool:
        """Whether it speaks MAVFTP: by its capabilities, or where it does not tell, by trying."""
        heard = self._peer.latest(AutopilotVersion)
        version = heard.message if heard is not None else await ask(self._peer, AutopilotVersion)
        if version is not None:
            return bool(version.capabilities & FTP_CAPABILITY)
        try:
            await self.checksum(MissionKind.MISSION)
        except NoFiles:
            return False
        return True

    async def write(
        self, kind: MissionKind, items: tuple[Item, ...], progress: Callable[[int], None]
    ) -> None:
        """Write a list and close the file; that says nothing of what the vehicle holds then."""
        pieces = pieces_of(mission_file(kind, items))
        talk = FileWrite(PATHS[kind], pieces, **self._numbers())
        await self._play(
            talk, lambda: progress(max(0, talk.num_bytes - HEADER_BYTES) // ITEM_BYTES)
        )

    async def read(self, kind: MissionKind, num_expected: int) -> bytes:
        """Read a list's file; quickest where it holds as many items as expected."""
        expected_bytes = HEADER_BYTES + num_expected * ITEM_BYTES
        talk = FileRead(PATHS[kind], size_of, expected_bytes=expected_bytes, **self._numbers())
        await self._play(talk)
        return talk.data

    async def checksum(self, kind: MissionKind) -> int:
        """The fingerprint of a list's file: one round trip."""
        talk = FileChecksum(PATHS[kind], **self._numbers())
        await self._play(talk)
        if talk.checksum is None:
            raise NoFiles("no fingerprint in the answer")
        return talk.checksum

    def _numbers(self) -> _Numbers:
        self._seq = (self._seq + 1000) % 65536
        self._session += _SESSIONS_EACH
        return {"pace": self._pace, "seq": self._seq, "session": self._session}

    async def _play(self, talk: FileTalk, watch: Callable[[], None] | None = None) -> None:
        await play(self._peer, talk, (FilePacket,), watch)
        if talk.state is FileState.DONE:
            return
        for _ in range(2):
            self._peer.send(talk.parting)
        if talk.state is FileState.SILENT:
            raise NoFiles(f"{talk.path}: no answer by MAVFTP")
        known = {int(fault): fault.name for fault in FileFault}
        name = known.get(talk.fault, str(talk.fault))
        raise NoFiles(f"{talk.path}: refused by MAVFTP: {name}", talk.fault)
