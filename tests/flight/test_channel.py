from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.flight.errors import LinkLost, VehicleSilent
from skymist.flight.mavlink.channel import Channel, TextJoiner
from skymist.flight.mavlink.codec import Decoder
from skymist.flight.mavlink.messages import (
    Heartbeat,
    MissionAck,
    ParamRequestRead,
    Received,
    StatusText,
    SysStatus,
)
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly


def packed(message: Any, *, sysid: int = 1, compid: int = 1, seq: int = 0) -> bytes:
    mav = m.MAVLink(None, sysid, compid)
    mav.seq = seq
    return bytes(message.pack(mav))


BEAT = m.MAVLink_heartbeat_message(2, 3, 81, 0, 4, 3)


def test_vehicles_on_one_link_are_told_apart() -> None:
    async def main() -> None:
        link = FakeLink()
        for sysid in (1, 7):
            ScriptedVehicle(link, sysid=sysid)
        async with Channel(link) as channel:
            await channel.vehicle(7).wait_for(Heartbeat, timeout_s=3.0)
            await asyncio.sleep(2)
            assert channel.sysids == (1, 7)
            channel.vehicle(7).send(ParamRequestRead(name="X"))
            sent = m.MAVLink(None).parse_buffer(bytearray(link.written[-1]))[0]
            assert (sent.target_system, sent.target_component) == (7, 1)
            assert channel.vehicle(1).stats.num_frames > 0
            assert channel.vehicle(1) is channel.vehicle(1)

    fly(main())


def test_heartbeats_go_out_twice_a_second_of_loop_time() -> None:
    async def main() -> None:
        link = FakeLink()
        async with Channel(link, sysid=250):
            await asyncio.sleep(60.75)
        beats = [m.MAVLink(None).parse_buffer(bytearray(data))[0] for data in link.written]
        assert len(beats) == 122
        assert {(b.get_type(), b.type, b.get_srcSystem()) for b in beats} == {("HEARTBEAT", 6, 250)}

    fly(main())


def test_mail_for_others_and_other_parts_are_passed_by() -> None:
    async def main() -> None:
        link = FakeLink()
        async with Channel(link) as channel:
            peer = channel.vehicle(1)
            heard: list[Received] = []
            peer.listen(lambda h: heard.append(h.message))
            for data in (
                packed(m.MAVLink_mission_ack_message(254, 190, 14, 0)),
                packed(m.MAVLink_mission_ack_message(255, 1, 14, 0)),
                packed(BEAT, compid=154),
                packed(BEAT, sysid=255, compid=1),
                packed(m.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3), sysid=9),
                packed(m.MAVLink_mission_ack_message(255, 190, 0, 0)),
                packed(m.MAVLink_mission_ack_message(0, 0, 0, 0)),
            ):
                link.arrive(data)
            await asyncio.sleep(1)
            assert [type(message) for message in heard] == [MissionAck, MissionAck]
            assert channel.num_ignored == 5
            assert channel.sysids == ()

    fly(main())


def test_strangers_are_limited() -> None:
    async def main() -> None:
        link = FakeLink()
        async with Channel(link, max_peers=5) as channel:
            for sysid in range(1, 100):
                link.arrive(packed(BEAT, sysid=sysid))
            await asyncio.sleep(1)
            assert channel.sysids == (1, 2, 3, 4, 5)
            assert channel.num_ignored == 94

    fly(main())


def test_a_flood_drops_the_oldest_and_is_counted() -> None:
    async def main() -> None:
        link = FakeLink()
        async with Channel(link) as channel:
            with channel.vehicle(1).subscribe(SysStatus, max_queue=10) as inbox:
                for num in range(100):
                    status = m.MAVLink_sys_status_message(num, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
                    link.arrive(packed(status, seq=num))
                await asyncio.sleep(1)
                assert inbox.num_dropped == 90
                first = await inbox.get()
                assert first.message.sensors_present == 90
                got = [first]
                async for heard in inbox:
                    got.append(heard)
                    if len(got) == 10:
                        break
                assert inbox.get_nowait() is None

    fly(main())


def test_loss_is_counted_by_numbers() -> None:
    async def main() -> None:
        link = FakeLink(delay_s=0.0)
        async with Channel(link) as channel:
            for seq in (250, 251, 255, 255, 2, 1, 3):
                link.arrive(packed(BEAT, seq=seq))
                await asyncio.sleep(0.1)
            stats = channel.vehicle(1).stats
            assert (stats.num_frames, stats.num_lost) == (7, 5)
            assert stats.lost_frac == pytest.approx(5 / 12)

    fly(main())


def test_waiting_ends_with_a_number_or_with_the_link() -> None:
    async def main() -> None:
        link = FakeLink()
        async with Channel(link) as channel:
            peer = channel.vehicle(3)
            with pytest.raises(VehicleSilent, match=r"vehicle 3: .* within 2.5 s") as silent:
                await peer.wait_for(Heartbeat, timeout_s=2.5)
            assert silent.value.waited_s == 2.5
            asyncio.get_running_loop().call_later(1.0, link.close)
            with pytest.raises(LinkLost):
                await peer.wait_for(Heartbeat, timeout_s=20)
            assert not channel.is_open
            with pytest.raises(LinkLost, match="other side"):
                peer.send(ParamRequestRead(name="X"))

    fly(main())


def test_latest_keeps_time_and_listening_ends() -> None:
    async def main() -> None:
        link = FakeLink()
        ScriptedVehicle(link)
        async with Channel(link) as channel:
            peer = channel.vehicle(1)
            assert peer.latest(Heartbeat) is None
            heard: list[object] = []
            remove = peer.listen(heard.append)
            await asyncio.sleep(5.05)
            latest = peer.latest(Heartbeat)
            assert latest is not None
            assert latest.at_s == pytest.approx(5.01, abs=0.02)
            assert peer.heard_s == pytest.approx(latest.at_s)
            num = len(heard)
            remove()
            remove()
            await asyncio.sleep(5)
            assert len(heard) == num > 0

    fly(main())


def test_the_tap_sees_whole_frames_both_ways() -> None:
    async def main() -> None:
        link = FakeLink()
        ScriptedVehicle(link)
        taps: list[tuple[float, bytes]] = []
        async with Channel(link, tap=lambda at_s, raw: taps.append((at_s, raw))):
            await asyncio.sleep(3)
        senders = set()
        for _, raw in taps:
            (frame,) = Decoder().feed(raw)
            senders.add(frame.sysid)
        assert senders == {1, 255}
        assert [at for at, _ in taps] == sorted(at for at, _ in taps)

    fly(main())


def test_a_link_that_breaks_closes_the_channel() -> None:
    class Broken(FakeLink):
        async def read(self) -> bytes:
            raise OSError("cable pulled")

    async def main() -> None:
        async with Channel(Broken()) as channel:
            await asyncio.sleep(0.1)
            assert channel.closed_reason == "cable pulled"
            with pytest.raises(LinkLost, match="cable pulled"):
                channel.require_open()

    fly(main())


def piece(ident: int, chunk: int, text: str, *, is_last: bool = False) -> StatusText:
    return StatusText(severity=4, text=text, id=ident, chunk=chunk, is_last=is_last)


def test_long_texts_are_joined() -> None:
    joiner = TextJoiner()
    assert joiner.join(piece(0, 0, "short", is_last=True)) is not None
    assert joiner.join(piece(5, 0, "a" * 50)) is None
    assert joiner.join(piece(6, 0, "other")) is None
    whole = joiner.join(piece(5, 2, "c", is_last=True))
    assert whole is not None
    assert whole.text == "a" * 50 + "...c"
    for ident in range(10, 30):
        joiner.join(piece(ident, 0, "x"))
    assert len(joiner._open) == 4
