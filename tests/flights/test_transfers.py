"""Uploads under every trouble, by both ways: never "verified" unless the copter holds it exactly.

The oracle is what the embedded copter has stored, beside what its own storage makes of the
compiled items; it shares no code with `flight.protocols.verify`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.flight.errors import (
    Holding,
    UploadRefused,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.messages import MissionKind
from skymist.flight.protocols import driver
from skymist.flight.protocols.file_messages import FileOp, FilePacket
from skymist.missions.items import Command, Frame, Item, Mission
from skymist.sitl import items as stored
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.faults import FaultyPipe, LinkFaults, split_frames
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from tests.flight.scripted import sortie
from tests.flight.test_preflight import DRONE

HOME = (60.17, 24.94, 10.0)
OLD, NEW = sortie(9), sortie(14)
WAYS = pytest.mark.parametrize("by_files", [True, False], ids=["files", "protocol"])
Trouble = Callable[[EmbeddedFleet], Awaitable[None]]


def _as_stored(item: Item, seq: int, accept: Callable[[Any], Any]) -> Any:
    sent = stored.Item(
        seq=seq,
        command=int(item.command),
        frame=int(item.frame),
        p1=stored.float32(item.p1),
        p2=stored.float32(item.p2),
        p3=stored.float32(item.p3),
        p4=stored.float32(item.p4),
        lat_e7=item.x_e7,
        lon_e7=item.y_e7,
        z_m=stored.float32(item.z_m),
    )
    return accept(sent)


def holds(copter: EmbeddedCopter, mission: Mission) -> bool:
    """Whether the copter has stored exactly this; home is its own."""
    corners = [
        Item(
            command=Command.FENCE_POLYGON_INCLUSION,
            frame=Frame.GLOBAL,
            p1=float(len(polygon.corners_e7)),
            x_e7=x,
            y_e7=y,
        )
        for polygon in mission.fence
        for x, y in polygon.corners_e7
    ]
    pairs = (
        (mission.items, copter.mission, stored.store_item, 1),
        (tuple(corners), copter.fence, stored.store_fence_item, 0),
        (mission.rally, copter.rally, stored.store_rally_item, 0),
    )
    return all(
        len(wanted) == len(found)
        and all(_as_stored(wanted[i], i, accept) == found[i] for i in range(first, len(wanted)))
        for wanted, found, accept, first in pairs
    )


@asynccontextmanager
async def met(
    faults: LinkFaults, seed: int, *, by_files: bool, wrap: Any = None
) -> AsyncIterator[tuple[driver.Transfers, EmbeddedFleet]]:
    """A copter that holds the old mission, and the ways to it over a spoilt link."""
    async with EmbeddedFleet([DRONE], homes=[HOME], warm_boot=True) as fleet:
        async with Channel(fleet.connect(0)) as channel:
            peer = channel.vehicle(1)
            await driver.wait_heartbeat(peer)
            await driver.upload(peer, OLD)
            assert holds(fleet.copters[0], OLD)
        pipe = fleet.connect(0)
        link = FaultyPipe(wrap(pipe) if wrap else pipe, faults=faults, seed=seed)
        async with Channel(link) as channel:
            peer = channel.vehicle(1)
            await driver.wait_heartbeat(peer, 60.0)
            yield driver.Transfers(peer, prefer_files=by_files), fleet


async def attempt(ways: driver.Transfers, fleet: EmbeddedFleet, mission: Mission) -> str:
    """Upload and check again; what was said is held against what is so, at once."""
    copter = fleet.copters[0]
    try:
        await ways.upload(mission)
        is_same = (await ways.recheck(mission)).is_same
    except (UploadRefused, VehicleSilent) as error:
        if getattr(error, "holding", None) is Holding.CLEARED:
            assert len(copter.mission) <= 1
            assert not copter.fence
            return "cleared"
        return "unknown"
    except VehicleRefused:
        return "unknown"
    if is_same:
        assert holds(copter, mission), "verified, and it is not so"
        return "verified"
    return "differs"


def told(
    *,
    by_files: bool,
    seed: int = 0,
    faults: LinkFaults | None = None,
    trouble: Trouble | None = None,
    mission: Mission = NEW,
    wrap: Any = None,
) -> str:
    async def main() -> str:
        spoilt = faults or LinkFaults(delay_s=0.03)
        async with met(spoilt, seed, by_files=by_files, wrap=wrap) as (ways, fleet):
            task = asyncio.create_task(trouble(fleet)) if trouble else None
            ended = await attempt(ways, fleet, mission)
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            return ended

    return run(main(), loop=VirtualLoop())


@WAYS
@pytest.mark.parametrize("loss", [0.0, 0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_loss(by_files: bool, loss: float, seed: int) -> None:
    ended = told(by_files=by_files, seed=seed, faults=LinkFaults(loss=loss, delay_s=0.04))
    assert ended == "verified" or loss >= 0.2


@WAYS
@pytest.mark.parametrize("seed", range(12))
def test_all_of_it_at_once(by_files: bool, seed: int) -> None:
    chance = random.Random(seed)
    gap_s = chance.uniform(0.1, 8.0)
    faults = LinkFaults(
        loss=chance.uniform(0.0, 0.2),
        duplicate=chance.uniform(0.0, 0.4),
        reorder=chance.uniform(0.0, 0.3),
        corrupt=chance.uniform(0.0, 0.1),
        delay_s=0.02,
        jitter_s=chance.uniform(0.0, 0.3),
        gaps_s=((gap_s, gap_s + chance.choice((0.5, 4.0, 12.0))),),
    )
    assert told(by_files=by_files, seed=seed, faults=faults) != "differs"


@WAYS
@pytest.mark.parametrize("after_s", [0.02, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9, 1.5])
@pytest.mark.parametrize("num", [1, 3])
def test_a_reboot_amid_it(by_files: bool, after_s: float, num: int) -> None:
    async def reboots(fleet: EmbeddedFleet) -> None:
        for _ in range(num):
            await asyncio.sleep(after_s)
            fleet.copters[0].reboot()

    assert told(by_files=by_files, trouble=reboots) == "verified"


@WAYS
@pytest.mark.parametrize("by_files_too", [True, False], ids=["by-files", "by-protocol"])
@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.35, 0.6, 1.0])
def test_a_second_station_uploads_meanwhile(
    by_files: bool, by_files_too: bool, after_s: float
) -> None:
    async def intrude(fleet: EmbeddedFleet) -> None:
        async with Channel(fleet.connect(0), sysid=254) as channel:
            other = driver.Transfers(channel.vehicle(1), prefer_files=by_files_too)
            await asyncio.sleep(after_s)
            with suppress(UploadRefused, VehicleSilent, VehicleRefused):
                await other.upload(sortie(11))

    told(by_files=by_files, trouble=intrude)


@WAYS
def test_a_second_station_keeps_a_file_open(by_files: bool) -> None:
    """Its session is in the way for as long as it reads: the mission protocol takes over."""

    async def hog(fleet: EmbeddedFleet) -> None:
        async with Channel(fleet.connect(0), sysid=254) as channel:
            peer = channel.vehicle(1)
            path = b"@MISSION/mission.dat"
            peer.send(FilePacket(seq=0, session=0, op=FileOp.OPEN_TO_READ, data=path))
            for seq in range(1, 1000):
                packet = FilePacket(session=0, seq=seq, op=FileOp.READ, wanted_bytes=200)
                peer.send(packet)
                await asyncio.sleep(0.5)

    assert told(by_files=by_files, trouble=hog) == "verified"


@WAYS
@pytest.mark.parametrize("seq", range(1, 20))
def test_a_refusal_at_every_item(by_files: bool, seq: int) -> None:
    """By files the vehicle does not say why: the mission protocol is asked for the reason."""
    unknown = Item(command=cast(Command, 31999))
    bad = replace(NEW, items=(*NEW.items[:seq], unknown, *NEW.items[seq + 1 :]))

    async def main() -> None:
        async with met(LinkFaults(), 0, by_files=by_files) as (ways, fleet):
            with pytest.raises(UploadRefused, match=f"item {seq}: UNSUPPORTED") as refused:
                await ways.upload(bad)
            assert refused.value.holding is Holding.CLEARED
            assert len(fleet.copters[0].mission) <= 1
            assert not fleet.copters[0].fence

    run(main(), loop=VirtualLoop())


class Tamperer:
    """Spoils the replies about files on their way down, frame by frame, by seed."""

    def __init__(self, pipe: Any, seed: int, share: float) -> None:
        self._pipe, self._share = pipe, share
        self._random = random.Random(seed)
        self._mav = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
        self._mav.robust_parsing = True
        self._old: list[list[int]] = []

    async def read(self) -> bytes:
        while data := await self._pipe.read():
            frames, _ = split_frames(data)
            if left := b"".join(self._spoilt(frame) for frame in frames):
                return left
        return b""

    def _spoilt(self, frame: bytes) -> bytes:
        if frame[7] != 110 or self._random.random() > self._share:
            return frame
        (message,) = self._mav.parse_buffer(frame)
        payload = list(message.payload)
        self._old.append(list(payload))
        match self._random.choice(("nak", "asked", "session", "early", "old", "lost", "twice")):
            case "nak":
                payload[3], payload[4], payload[12] = 129, 1, self._random.choice(range(1, 11))
            case "asked":
                payload[5] = self._random.choice((1, 4, 5, 6, 7, 14))
            case "session":
                payload[2] = (payload[2] + 1) % 256
            case "early":  # an ACK to what was not asked yet
                payload[0] = (payload[0] + 1) % 256
            case "old":
                payload = self._random.choice(self._old)
            case "lost":
                return b""
            case "twice":
                return frame + self._packed(payload)
        return self._packed(payload)

    def _packed(self, payload: list[int]) -> bytes:
        made = mavlink.MAVLink_file_transfer_protocol_message(0, 255, 190, payload)
        return bytes(made.pack(self._mav))

    def write(self, data: bytes) -> None:
        self._pipe.write(data)

    def close(self) -> None:
        self._pipe.close()


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(8))
def test_answers_lost_early_twice_and_of_another_kind(seed: int, share: float) -> None:
    assert told(by_files=True, wrap=lambda pipe: Tamperer(pipe, seed, share)) != "differs"


def test_a_file_that_is_cut_is_noticed() -> None:
    """The close of a file is acknowledged whatever becomes of it."""

    async def main() -> None:
        async with met(LinkFaults(), 0, by_files=True) as (ways, fleet):
            copter = fleet.copters[0]
            await ways.upload(NEW)
            store = copter._machine.mission
            write = store.write

            def write_some(seq: int, item: Any) -> bool:
                return seq < 9 and write(seq, item)

            store.write = write_some  # type: ignore[method-assign]
            other = sortie(12)
            await ways._files.write(MissionKind.MISSION, other.items, lambda num: None)
            assert len(copter.mission) == 9
            assert not (await ways.recheck(other)).is_same
            assert not (await ways.recheck(NEW)).is_same
            await ways.upload(other)  # the mission protocol is not cut
            assert (await ways.recheck(other)).is_same
            assert holds(copter, other)

    run(main(), loop=VirtualLoop())


def test_the_fingerprint_tells_of_every_change() -> None:
    async def main() -> None:
        async with met(LinkFaults(), 0, by_files=True) as (ways, fleet):
            copter = fleet.copters[0]
            await ways.upload(NEW)
            reads = []
            read = ways._files.read

            async def counted(kind: MissionKind, num: int) -> bytes:
                reads.append(kind)
                return await read(kind, num)

            ways._files.read = counted  # type: ignore[method-assign]
            assert (await ways.recheck(NEW)).is_same
            assert not reads
            for store, kind in ((copter._machine.mission, 0), (copter._machine.rally, 2)):
                held = list(store.items())
                for seq in range(1 if kind == 0 else 0, len(held)):
                    changed = list(held)
                    changed[seq] = replace(held[seq], lat_e7=held[seq].lat_e7 + 1)
                    store.replace_all(changed)
                    same = held[seq].command not in (16, 19, 21, 22, 189, 5100)
                    assert (await ways.recheck(NEW)).is_same is same  # no place, no meaning
                    store.replace_all(held)
                    assert (await ways.recheck(NEW)).is_same

    run(main(), loop=VirtualLoop())


def test_a_file_left_open_by_a_broken_upload_does_not_come_true_later() -> None:
    """All was written, the close got lost: the next session would commit it over what came after.

    The check before arming closes it, and so sees what it leaves.
    """

    async def main() -> None:
        async with met(LinkFaults(), 0, by_files=True) as (ways, fleet):
            copter = fleet.copters[0]
            send = ways._peer.send

            def deaf(message: Any) -> None:
                if getattr(message, "op", None) != FileOp.TERMINATE:
                    send(message)

            ways._peer.send = deaf  # type: ignore[method-assign]
            await ways.upload(NEW)  # ends by the mission protocol
            ways._peer.send = send  # type: ignore[method-assign]
            await driver.Transfers(ways._peer, prefer_files=False).upload(OLD)
            assert holds(copter, OLD)
            is_same = (await ways.recheck(OLD)).is_same
            assert is_same == holds(copter, OLD)
            assert not is_same, "the file of the first upload was closed by the question"

    run(main(), loop=VirtualLoop())
