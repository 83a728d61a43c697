"""MAVFTP of the embedded copter, and held against the real one: the same scenario on both."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.file_desk import DATA_BYTES, FileDesk, Op, Packet
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.items import MissionType
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from skymist.sitl.mission_files import FileError, MissionFiles
from skymist.sitl.params import Firmware
from skymist.sitl.pipes import BytePipe
from skymist.sitl.stores import FENCE_CAPACITY, RALLY_CAPACITY, MissionStore, PieceStore
from tests.sitl.ground import GRID, HOME, LAND, Ground, Row, do, drone, on, takeoff, waypoint
from tests.sitl.test_flights import meadow

SPEEDUP = 10.0
MISSION, FENCE, RALLY = "@MISSION/mission.dat", "@MISSION/fence.dat", "@MISSION/rally.dat"
Reply = tuple[int, int, int, int, bytes]
Rows = list[tuple[str, list[Any]]]


def packed(rows: list[Row], kind: int = 0, *, magic: int = 0x763D, start: int = 0) -> bytes:
    """The file of some items, by the layout in ArduPilot's source."""
    head = struct.pack("<5H", magic, kind, 0, start, len(rows))
    return head + b"".join(
        struct.pack(
            "<4f2if2H6B",
            *(*row.params, row.lat_e7, row.lon_e7, row.z_m),
            *(seq, row.command, 1, 1, row.frame, 0, 1, kind),
        )
        for seq, row in enumerate(rows)
    )


class Asker:
    """Sends requests over a ground station and notes the replies, volatile parts left out."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._seq = 400
        self.rows: Rows = []

    async def ask(
        self,
        name: str,
        op: int,
        *,
        session: int = 7,
        offset: int = 0,
        size: int | None = None,
        data: bytes = b"",
        seq: int | None = None,
    ) -> list[Reply]:
        """One request; the replies that come within a while, each as op, asked, size..."""
        self._seq = self._seq + 1 if seq is None else seq
        length = len(data) if size is None else size
        head = struct.pack("<HBBBBBBI", self._seq % 65536, session, op, length, 0, 0, 0, offset)
        payload = list((head + data).ljust(251, b"\0"))
        start = len(self._ground.heard)
        self._ground.send(mavlink.MAVLink_file_transfer_protocol_message(0, 1, 1, payload))
        said: list[Reply] = []
        for _ in range(80):
            await asyncio.sleep(0.1 if op != Op.BURST else 1.0)
            said = [
                _reply(bytes(m.payload), self._seq)
                for m in self._ground.heard[start:]
                if m.get_type() == "FILE_TRANSFER_PROTOCOL"
            ]
            if said:
                break
        self.rows.append((name, said))
        return said

    async def put(self, name: str, path: str, data: bytes, session: int = 7) -> None:
        """Create, write, close."""
        await self.ask(f"{name}: create", Op.CREATE, data=path.encode(), session=session)
        for offset in range(0, len(data), 228):
            chunk = data[offset : offset + 228]
            await self.ask(
                f"{name}: {offset}", Op.WRITE, offset=offset, data=chunk, session=session
            )
        await self.ask(f"{name}: close", Op.TERMINATE, session=session)

    async def get(self, name: str, path: str, session: int = 8) -> bytes:
        """Open, read to the end, close; home is not in the notes, the checksum's truth is."""
        await self.ask(f"{name}: open", Op.OPEN_RO, data=path.encode(), session=session)
        data = b""
        first = len(self.rows)
        while True:
            got = await self.ask(
                f"{name}: read", Op.READ, offset=len(data), size=DATA_BYTES, session=session
            )
            if not got or got[0][0] != Op.ACK:
                break
            data += got[0][4]
        del self.rows[first:]
        await self.ask(f"{name}: close", Op.TERMINATE, session=session)
        crc = await self.ask(f"{name}: crc", Op.CRC32, data=path.encode(), session=session)
        is_right = crc[0][4] == struct.pack("<I", zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF)
        shown = [struct.unpack("<5H", data[:10]), *struct.iter_unpack("<4f2if2H6B", data[10:])]
        if path == MISSION:
            shown[1:2] = []  # home
        self.rows[-1] = (f"{name}: content", [is_right, len(data), *shown])
        return data


def _reply(payload: bytes, seq: int) -> Reply:
    """Op, asked op, size, offset, data; a wrong number or session shows as op 0."""
    number, _session, op, size, asked, _burst, _, offset = struct.unpack_from("<HBBBBBBI", payload)
    data = payload[12 : 12 + size]
    if op == Op.NAK and data[0] == 2:
        data = data[:1]  # which errno it was depends on what failed before
    is_ours = number == (seq + 1) % 65536 or asked == Op.BURST
    return (op if is_ours else 0, asked, size if len(data) == size else 1, offset, data)


def vertex(x: float, y: float, num: int = 4) -> Row:
    return Row(5001, 0, (num, 0, 0, 0), *GRID.to_e7(x, y))


SQUARE = [vertex(-50, -50), vertex(50, -50), vertex(50, 50), vertex(-50, 50)]
POINT = Row(5100, 3, (0, 0, 0, 0), *GRID.to_e7(5, 5), 12.7)
FLIGHT = [
    waypoint(0, 0, 0),
    takeoff(12.349),
    do(216, 1),
    *[waypoint(10 + i, 5, 6.283) for i in range(12)],
    Row(19, 3, (10.7, 0, -4, 2), *GRID.to_e7(5, 5), 7.777),
    do(114, 12.5),
    do(178, 1, 4.5, -1),
    Row(189, 3, (3, 0, 0, 0), *GRID.to_e7(0, 0), 20.0),
    do(216, 0),
    LAND,
]


async def _odd_requests(asker: Asker) -> None:
    ask = asker.ask
    await ask("none", Op.NONE)
    await ask("terminate nothing", Op.TERMINATE)
    await ask("reset nothing", Op.RESET)
    await ask("write with nothing open", Op.WRITE, data=b"x")
    await ask("read with nothing open", Op.READ, size=9)
    await ask("burst with nothing open", Op.BURST, size=9)
    await ask("no such file", Op.OPEN_RO, data=b"@MISSION/other.dat")
    await ask("no such file to write", Op.CREATE, data=b"@MISSION/other.dat")
    await ask("checksum of nothing", Op.CRC32, data=b"@MISSION/other.dat")
    await ask("no name", Op.OPEN_RO)
    await ask("longer than its name", Op.OPEN_RO, data=MISSION.encode(), size=60)
    await ask("more than fits", Op.OPEN_RO, data=MISSION.encode(), size=240)
    await ask("folder", Op.LIST, data=b"@MISSION")
    await ask("truncate", 12, data=MISSION.encode())
    await ask("unknown", 77)
    await ask("open", Op.OPEN_RO, data=b"/" + MISSION.encode())
    await ask("open again", Op.OPEN_RO, data=MISSION.encode())
    await ask("write what is read", Op.WRITE, data=b"x")
    await ask("another session", Op.READ, size=9, session=9)
    await ask("another ends", Op.TERMINATE, session=9)
    await ask("past the end", Op.READ, offset=100000, size=9)
    await ask("header", Op.READ, size=2)
    await ask("header once more", Op.READ, size=2)
    await ask("end", Op.TERMINATE)
    await ask("read after the end", Op.READ, size=9)


async def _odd_files(asker: Asker) -> None:
    ask = asker.ask
    good = packed(FLIGHT)
    await asker.put("flight", MISSION, good)
    await asker.get("flight", MISSION)
    await asker.put("wrong magic", MISSION, packed(FLIGHT[:4], magic=1))
    await asker.put("fewer than said", MISSION, good[: 10 + 5 * 38])
    await asker.put("short", MISSION, good[:6])
    await asker.put("a gap", MISSION, good[:48] + bytes(38) + good[86:])
    await asker.get("flight as it was", MISSION)
    bad = [*FLIGHT[:3], Row(16, 99), *FLIGHT[3:]]
    await asker.put("a bad frame", MISSION, packed(bad))
    await asker.get("cut before it", MISSION)
    await asker.put("a jump past the end", MISSION, packed([*FLIGHT[:3], do(177, 9, 1)]))
    await asker.get("cut before the jump", MISSION)
    await asker.put("from the middle", MISSION, packed(FLIGHT[:2], start=5))
    await asker.get("nothing of it", MISSION)
    await asker.put("home alone", MISSION, packed(FLIGHT[:1]))
    await asker.get("two of it", MISSION)
    await asker.put("no item", MISSION, packed([]))
    await asker.get("none", MISSION)
    await asker.put("backwards, in odd pieces", MISSION, b"")
    await ask("create", Op.CREATE, data=MISSION.encode())
    for offset in range((len(good) - 1) // 100 * 100, -1, -100):
        await ask(f"piece {offset}", Op.WRITE, offset=offset, data=good[offset : offset + 100])
    await ask("piece once more", Op.WRITE, offset=0, data=good[:100])
    await ask("close", Op.TERMINATE)
    await ask("close once more", Op.TERMINATE)
    await asker.get("flight again", MISSION)
    await ask("burst open", Op.OPEN_RO, data=MISSION.encode())
    await ask("burst", Op.BURST, offset=86, size=100)
    await ask("burst end", Op.TERMINATE)


async def _pieces(asker: Asker) -> None:
    await asker.put("fence", FENCE, packed(SQUARE, 1))
    await asker.get("fence", FENCE)
    await asker.put("a corner less", FENCE, packed(SQUARE[:3], 1))
    await asker.put("a waypoint", FENCE, packed([*SQUARE, waypoint(1, 1)], 1))
    await asker.get("fence as it was", FENCE)
    await asker.put("no fence", FENCE, packed([], 1))
    await asker.get("no fence", FENCE)
    await asker.put("rally", RALLY, packed([POINT, POINT], 2))
    await asker.get("rally", RALLY)
    await asker.put("rally with a waypoint", RALLY, packed([POINT, waypoint(1, 1), POINT], 2))
    await asker.get("the first of it", RALLY)
    await asker.put("no rally", RALLY, packed([], 2))
    await asker.get("no rally", RALLY)


async def _sessions(asker: Asker) -> None:
    ask = asker.ask
    good = packed(FLIGHT[:6])
    await ask("mine", Op.CREATE, data=MISSION.encode(), session=20)
    await ask("mine, once more", Op.CREATE, data=MISSION.encode(), session=20)
    await ask("yours", Op.CREATE, data=MISSION.encode(), session=21)
    await ask("my file", Op.WRITE, data=good, size=len(good), session=20)
    await asyncio.sleep(3.5)
    await ask("yours after 3 s, mine is committed", Op.OPEN_RO, data=b"@MISSION/fence.dat")
    await ask("mine is gone", Op.WRITE, data=good, session=20)
    await ask("end", Op.TERMINATE)
    await asyncio.sleep(3.5)
    await asker.get("what was committed", MISSION)
    first = await ask("repeat", Op.OPEN_RO, data=MISSION.encode(), session=30, seq=900)
    again = await ask("repeated", Op.OPEN_RO, data=MISSION.encode(), session=30, seq=900)
    assert first == again
    await ask("end", Op.TERMINATE, session=30)


async def scenario(pipe: BytePipe) -> Rows:
    async with on(pipe) as ground:
        await ground.wait("HEARTBEAT", 60)
        await asyncio.sleep(40)
        asker = Asker(ground)
        for part in (_odd_requests, _odd_files, _pieces, _sessions):
            await part(asker)
        await ground.launch(meadow())
        await ground.wait_armed()
        await ground.wait_beyond(5.0)
        await asker.put("in flight", MISSION, packed(FLIGHT))
        await asker.get("flown", MISSION)
        return asker.rows


def embedded() -> Rows:
    async def main() -> Rows:
        async with EmbeddedFleet([drone()], homes=[HOME], firmware=Firmware.DEV_2025_10) as fleet:
            return await scenario(fleet.connect(0))

    return run(main(), loop=VirtualLoop())


@pytest.mark.ardupilot
@pytest.mark.slow
def test_the_same_scenario_gives_the_same_replies(arducopter: Path) -> None:
    async def real() -> Rows:
        async with ArduPilotFleet(
            [drone()], homes=[HOME], speedup=SPEEDUP, binary=arducopter
        ) as fleet:
            return await scenario(await fleet.open(0))

    theirs = run(real(), loop=ScaledLoop(SPEEDUP))
    ours = embedded()
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    assert dict(ours) == dict(theirs)
    assert ours == theirs


def desk() -> tuple[FileDesk, MissionStore, Callable[..., list[Packet]]]:
    """A desk with empty stores, and a way to ask it."""
    store = MissionStore()
    fence = PieceStore(MissionType.FENCE, FENCE_CAPACITY)
    rally = PieceStore(MissionType.RALLY, RALLY_CAPACITY)
    files = FileDesk(MissionFiles(store, fence, rally, lambda: 0))
    number = iter(range(1000))

    def ask(op: Op, data: bytes = b"", *, now_s: float = 10.0, session: int = 1) -> list[Packet]:
        size = len(data)
        padded = data.ljust(DATA_BYTES, b"\0")
        files.take(Packet(seq=next(number), session=session, op=op, size=size, data=padded))
        return files.work(now_s)

    return files, store, ask


def test_the_scenario_in_short() -> None:
    """What the comparison with the real copter shows, held where there is none."""
    said = dict(embedded())
    assert said["another session"] == [(Op.NAK, Op.READ, 1, 0, b"\x04")]
    assert said["no such file"] == [(Op.NAK, Op.OPEN_RO, 1, 0, b"\x0a")]
    for refused in ("wrong magic", "fewer than said", "short", "a gap", "a bad frame"):
        assert said[f"{refused}: close"] == [(Op.ACK, Op.TERMINATE, 0, 0, b"")], refused
    assert said["flight as it was: content"] == said["flight: content"]
    assert said["flight again: content"] == said["flight: content"]
    assert said["cut before it: content"][1] == 10 + 3 * 38
    assert said["fence as it was: content"] == said["fence: content"]
    assert said["two of it: content"][1] == 10 + 2 * 38
    flown, flight = said["flown: content"], said["flight: content"]
    assert flown[3:] == flight[3:], "it was written over while it was flown"


def test_a_sixth_request_is_dropped() -> None:
    files, _, _ = desk()
    for seq in range(7):
        files.take(Packet(seq=seq, session=1, op=Op.NONE))
    assert [reply.seq for reply in files.work(10.0)] == [1, 2, 3, 4, 5]


def test_a_reboot_commits_nothing() -> None:
    files, store, ask = desk()
    ask(Op.CREATE, MISSION.encode())
    ask(Op.WRITE, packed(FLIGHT[:4]))
    files.reboot()
    assert ask(Op.TERMINATE)[0].op == Op.ACK
    assert not store.items()
    assert ask(Op.WRITE, b"x", session=-1)[0].data == b"\x0a"


def test_one_upload_at_a_time_until_it_is_idle_for_long() -> None:
    files, store, _ = desk()
    inner = files._files
    first = inner.open(MISSION, 0.0, to_write=True)
    with pytest.raises(FileError, match="errno 0"):
        inner.open(FENCE, 29.0, to_write=True)
    assert inner.open(FENCE, 31.0, to_write=True) == first
    assert not store.items()


def test_a_board_without_files_says_so_and_is_silent() -> None:
    async def main() -> None:
        async with (
            EmbeddedFleet([drone()], homes=[HOME], warm_boot=True, has_files=False) as fleet,
            on(fleet.connect(0)) as ground,
        ):
            await ground.wait("HEARTBEAT", 10)
            version = await ground.ask(
                mavlink.MAVLink_command_long_message(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0),
                "AUTOPILOT_VERSION",
            )
            assert not version.capabilities & 32
            asker = Asker(ground)
            assert await asker.ask("open", Op.OPEN_RO, data=MISSION.encode()) == []

    run(main(), loop=VirtualLoop())
