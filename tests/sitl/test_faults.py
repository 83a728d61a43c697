from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.faults import (
    LINK_FAULTS,
    VEHICLE_FAULTS,
    FaultyPipe,
    LinkFaults,
    break_vehicle,
    split_frames,
)
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.machine import Faults
from tests.sitl.ground import HOME, LAND, Ground, drone, on, takeoff, tell, waypoint


class Wire:
    """A pipe whose both ends the test holds."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.coming: asyncio.Queue[bytes] = asyncio.Queue()
        self.is_closed = False

    async def read(self) -> bytes:
        return await self.coming.get()

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True


def frames(num: int) -> list[bytes]:
    mav = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    made = []
    for i in range(num):
        mav.seq = i % 256
        made.append(bytes(mavlink.MAVLink_ping_message(i, i, 0, 0).pack(mav)))
    return made


def pass_through(num: int, seed: int = 1, **faults: float) -> list[bytes]:
    """Give what comes out of the way up when `num` frames went in, one each 10 ms."""

    async def main() -> list[bytes]:
        wire = Wire()
        pipe = FaultyPipe(wire, seed=seed, **faults)  # type: ignore[arg-type]
        for frame in frames(num):
            pipe.write(frame)
            await asyncio.sleep(0.01)
        await asyncio.sleep(5)
        pipe.close()
        return wire.sent

    return run(main(), loop=VirtualLoop())


def test_nothing_wrong_changes_nothing() -> None:
    assert pass_through(50) == frames(50)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_loss_takes_its_share_by_seed(share: float) -> None:
    left = pass_through(1000, loss=share)
    assert len(left) == pytest.approx(1000 * (1 - share), abs=60)
    assert left == pass_through(1000, loss=share)
    assert left != pass_through(1000, seed=2, loss=share)


def test_duplicates_reordering_corruption_delay() -> None:
    whole = frames(200)
    twice = pass_through(200, duplicate=0.2)
    assert set(twice) == set(whole)
    assert 220 < len(twice) < 270
    mixed = pass_through(200, reorder=0.2)
    assert sorted(mixed) == sorted(whole)
    assert mixed != whole
    spoilt = pass_through(200, corrupt=0.2)
    assert len(spoilt) == 200
    assert 20 < sum(a != b for a, b in zip(spoilt, whole, strict=True)) < 60


def test_delay_holds_each_frame_back() -> None:
    async def main() -> None:
        wire = Wire()
        pipe = FaultyPipe(wire, delay=0.4)
        pipe.write(frames(1)[0])
        await asyncio.sleep(0.39)
        assert not wire.sent
        await asyncio.sleep(0.02)
        assert wire.sent
        wire.coming.put_nowait(frames(2)[1])
        began_s = asyncio.get_running_loop().time()
        assert await pipe.read() == frames(2)[1]
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.4, abs=0.01)
        pipe.close()
        assert wire.is_closed
        assert await pipe.read() == b""

    run(main(), loop=VirtualLoop())


def test_rate_and_gaps() -> None:
    async def main() -> None:
        wire = Wire()
        slow = LinkFaults(rate_bps=9600, gaps_s=((10.0, 20.0),))
        pipe = FaultyPipe(wire, faults=slow)
        for frame in frames(20):
            pipe.write(frame)
        total = sum(len(f) for f in frames(20))
        await asyncio.sleep(total * 10 / 9600 * 0.5)
        assert 8 <= len(wire.sent) <= 11
        await asyncio.sleep(12)
        pipe.write(frames(1)[0])
        await asyncio.sleep(1)
        assert len(wire.sent) == 20
        assert pipe.num_lost == 1
        pipe.close()

    run(main(), loop=VirtualLoop())


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.binary(max_size=6))
def test_frames_are_found_however_the_bytes_are_cut(cuts: list[int], noise: bytes) -> None:
    noise = bytes(b for b in noise if b not in (0xFE, 0xFD))
    data = noise + b"".join(frames(6))
    found: list[bytes] = []
    rest, start = b"", 0
    for cut in [*cuts, len(data)]:
        got, rest = split_frames(rest + data[start : start + cut])
        found += got
        start += cut
    assert b"".join(found) + rest + data[start:] == data
    assert [f for f in found if f[0] == 0xFD] == frames(6)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_shares_are_checked(value: float) -> None:
    with pytest.raises(ValueError, match="loss must be 0 to 1"):
        LinkFaults(loss=value)


@pytest.mark.parametrize("name", sorted(VEHICLE_FAULTS))
def test_every_name_breaks_something(name: str) -> None:
    faults = Faults()
    VEHICLE_FAULTS[name](faults)
    assert faults != Faults()


def test_a_reboot_in_flight_is_a_fall() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.launch([waypoint(0, 0, 0), takeoff(), waypoint(200, 0), LAND])
        await ground.wait_beyond(30)
        break_vehicle(fleet.copters[0], "reboot")
        await asyncio.sleep(5)
        state = fleet.copters[0].state
        assert (state.z, state.is_armed, state.is_landed) == (0, False, True)
        assert state.age_s < 6

    tell(story)
    with pytest.raises(KeyError):
        break_vehicle(tell_one(), "no such fault")


def tell_one() -> object:
    from skymist.sitl.copter import EmbeddedCopter

    return EmbeddedCopter(drone(), home=HOME)


@pytest.mark.parametrize("name", sorted(LINK_FAULTS))
def test_over_a_spoilt_link_an_upload_ends_whole_or_unaccepted(name: str) -> None:
    """A tiny uploader that only answers requests; the vehicle's re-requests do the rest."""
    rows = [waypoint(0, 0, 0), takeoff(), *(waypoint(i, i) for i in range(20)), LAND]

    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            pipe = FaultyPipe(fleet.connect(0), faults=LINK_FAULTS[name], seed=5)
            async with on(pipe) as ground:
                result = None
                ground.send(mavlink.MAVLink_mission_count_message(1, 1, len(rows)))
                until_s = fleet.now_s + 60
                while result is None and fleet.now_s < until_s:
                    try:
                        answer = await ground.wait(
                            lambda m: m.get_type() in ("MISSION_REQUEST", "MISSION_ACK"), 12
                        )
                    except TimeoutError:
                        break
                    if answer.get_type() == "MISSION_REQUEST":
                        ground.send(ground.item(answer.seq, rows[answer.seq]))
                    elif answer.type != 13:
                        result = answer.type
                stored = [i.command for i in fleet.copters[0].mission]
                if result == 0:
                    assert stored == [r.command for r in rows]
            pipe.close()

    run(main(), loop=VirtualLoop())
