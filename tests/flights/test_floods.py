"""Garbage and floods on a port cost bounded memory, raise nothing, and hold nothing up."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as m
from pymavlink.generator.mavcrc import x25crc

from skymist.coverage.plan import Plan
from skymist.flight.conductor.oversight import Job, Oversight
from skymist.flight.conductor.telling import DroneLog, Log
from skymist.flight.mavlink.channel import Channel, TextJoiner
from skymist.flight.mavlink.codec import Decoder
from skymist.flight.mavlink.linkmeter import LinkMeter
from skymist.flight.mavlink.messages import Heartbeat, StatusText
from skymist.flight.mavlink.readers import READERS
from skymist.flight.mavlink.telemetry import MAX_TEXTS, VehicleState, fold
from skymist.flight.mavlink.watch import Watch
from skymist.flight.recording.recorder import Recorder
from skymist.flight.safety.monitor import Limits, Tank
from skymist.flight.terminal.display import Silent
from skymist.missions.compile import compile_plan
from tests.flight.scripted import FakeLink, fly

LONGEST_FRAME = 280


def framed(msgid: int, payload: bytes, *, sysid: int = 1, seq: int = 0) -> bytes:
    """A whole MAVLink 2 frame around any payload, by pymavlink's checksum."""
    payload = payload[:1] + payload[1:].rstrip(b"\0")
    head = bytes((len(payload), 0, 0, seq, sysid, 1)) + msgid.to_bytes(3, "little")
    crc = x25crc(head + payload)
    crc.accumulate(bytes((m.mavlink_map[msgid].crc_extra,)))
    return b"\xfd" + head + payload + crc.crc.to_bytes(2, "little")


GOOD_MODE = 3
GOOD = framed(0, bytes((GOOD_MODE, 0, 0, 0, 2, 3, 209, 4, 3)))
frames = st.builds(
    framed, st.sampled_from(sorted(READERS)), st.binary(min_size=1, max_size=255), seq=st.just(7)
)
noise = st.one_of(st.binary(max_size=400), frames, st.just(GOOD))


def torn(data: bytes, cuts: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@given(st.lists(noise, max_size=12), st.lists(st.integers(0, 5000), max_size=12))
def test_any_bytes_in_any_pieces_are_survived(parts: list[bytes], cuts: list[int]) -> None:
    decoder, state = Decoder(), VehicleState()
    for piece in torn(b"".join(parts), cuts):
        for frame in decoder.feed(piece):
            state = fold(state, frame.message, 1.0)
        assert len(decoder._rest) <= LONGEST_FRAME
    decoder.feed(bytes(LONGEST_FRAME))
    assert [f.msgid for f in decoder.feed(GOOD)] == [0]


@settings(max_examples=60, deadline=None)
@given(st.lists(frames, max_size=60))
def test_any_contents_are_survived_by_all_who_listen(
    tiny: Plan, tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    """Whole frames with any contents, through state, interlock, alerts and record."""
    folder = tmp_path_factory.mktemp("fuzz")

    async def main() -> None:
        link, sortie = FakeLink(), tiny.sorties[0]
        loop = asyncio.get_running_loop()
        with Recorder(folder, loop.time) as record:
            async with Channel(link, tap=lambda _, raw: record.raw("d1", raw)) as channel:
                peer, log = channel.vehicle(1), DroneLog(Log(record, Silent()), "d1")
                watch, meter = Watch(peer), LinkMeter(peer, log)
                mission = compile_plan(tiny)[sortie.id]
                job = Job(plan=tiny, drone=tiny.site.fleet[0], sortie=sortie, mission=mission)
                over = Oversight(
                    job,
                    log,
                    Tank(litres_l=9.0),
                    Limits(reserve_frac=0.2, come_home_frac=0.1),
                    send=peer.send,
                    ask_home=lambda reason: None,
                )
                watch.observe(over.on_message)
                for part in (GOOD, *parts):
                    link.arrive(part)
                    await asyncio.sleep(0.05)
                    over.on_tick(watch.state)
                    meter.tick()
                assert watch._failed is None
                assert channel.is_open

    fly(main())


@pytest.fixture(scope="session")
def tiny(tiny_plan: Any) -> Plan:
    plan: Plan = tiny_plan()
    return plan


def test_texts_are_bounded_whatever_their_numbers() -> None:
    joiner, state, chance = TextJoiner(), VehicleState(), random.Random(1)
    for _ in range(20_000):
        piece = StatusText(
            severity=6,
            text="x" * 50,
            id=chance.randrange(65536),
            chunk=chance.randrange(256),
            is_last=chance.random() < 0.01,
        )
        if (whole := joiner.join(piece)) is not None:
            assert len(whole.text) <= 256 * 50
            state = fold(state, whole, 1.0)
    assert len(joiner._open) <= 5
    assert len(state.texts) <= MAX_TEXTS


_CHILD = """
import asyncio, json, random, resource, socket, sys, tempfile, threading, time
from pathlib import Path
from pymavlink.dialects.v20 import ardupilotmega as m
from skymist.flight.mavlink.channel import Channel
from skymist.flight.clock import now_s
from skymist.flight.mavlink.links import TcpServerLink, open_udp
from skymist.flight.conductor.operation import tap_into
from skymist.flight.recording.recorder import Recorder
from skymist.flight.mavlink.watch import Watch

def rss_mb():
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

def packs(kind, num):
    mav = m.MAVLink(None, 1, 1)
    for i in range(num):
        mav.seq = i % 256
        if kind == "texts":
            yield m.MAVLink_statustext_message(6, b"y" * 50, i % 65536, i % 256).pack(mav)
        else:
            yield m.MAVLink_global_position_int_message(i, i, i, 0, 3000, 0, 0, 0, 0).pack(mav)

def flood_udp(port, kind, rate, seconds):
    data = [bytes(p) for p in packs(kind, 2560)]
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began, num = time.monotonic(), 0
    while (at := time.monotonic() - began) < seconds:
        while num < at * rate:
            out.sendto(data[num % 2560], ("127.0.0.1", port))
            num += 1
        time.sleep(0.002)
    sent.append(num)

def garbage_tcp(port, num_bytes):
    chance, out = random.Random(7), socket.create_connection(("127.0.0.1", port))
    for _ in range(num_bytes // 65536):
        out.sendall(chance.randbytes(65536))
    out.close()
    sent.append(num_bytes)

sent = []

async def main(kind):
    worst = 0.0
    link = await TcpServerLink.open("127.0.0.1", 0) if kind == "garbage" else await open_udp(
        "127.0.0.1", 0, is_listening=True)
    with tempfile.TemporaryDirectory() as folder, Recorder(Path(folder), now_s) as record:
        async with Channel(link, tap=tap_into(record, {1: "d1"})) as channel:
            watch = Watch(channel.vehicle(1))
            before = most = rss_mb()
            how = (garbage_tcp, (link.port, 50_000_000)) if kind == "garbage" else (
                flood_udp, (link.port, kind, 10_000, 4.0))
            thread = threading.Thread(target=how[0], args=how[1])
            thread.start()
            while thread.is_alive():
                at = time.monotonic()
                await asyncio.sleep(0.05)
                worst = max(worst, time.monotonic() - at - 0.05)
                most = max(most, rss_mb())
            await asyncio.sleep(0.5)
            beat = m.MAVLink_heartbeat_message(2, 3, 81, 0, 4, 3).pack(m.MAVLink(None, 1, 1))
            if kind != "garbage":
                out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                out.sendto(bytes(beat), ("127.0.0.1", link.port))
            else:
                out = socket.create_connection(("127.0.0.1", link.port))
                out.sendall(bytes(300) + bytes(beat))
            until = time.monotonic() + 20.0
            while watch.state.heart is None and time.monotonic() < until:
                await asyncio.sleep(0.1)
            print(json.dumps({
                "grown_mb": most - before, "worst_s": worst, "sent": sent[0],
                "frames": channel.decoder.num_frames, "dropped": channel.decoder.num_bytes_dropped,
                "is_heard": watch.state.heart is not None, "texts": len(watch.state.texts),
            }))

asyncio.run(main(sys.argv[1]))
"""


def flooded(kind: str) -> dict[str, Any]:
    """What a process of its own says after a flood on its port."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, kind], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="resource is POSIX's")
@pytest.mark.parametrize("kind", ["garbage", "positions", "texts"])
def test_a_flood_costs_bounded_memory_and_holds_nothing_up(kind: str) -> None:
    """50 MB of random bytes; 10,000 whole messages a second for 4 s; the same of texts."""
    told = flooded(kind)
    assert told["is_heard"], "what came after the flood was not heard"
    assert told["grown_mb"] < 20
    assert told["worst_s"] < 2.0
    assert told["texts"] <= MAX_TEXTS
    if kind == "garbage":
        assert told["dropped"] > 0.9 * told["sent"]


def test_a_stranger_fills_no_drones_log(tmp_path: Path) -> None:
    from skymist.flight.conductor.operation import tap_into

    async def main() -> None:
        with Recorder(tmp_path, asyncio.get_running_loop().time) as record:
            tap = tap_into(record, {1: "d1", 2: "d2"})
            for sysid in range(1, 255):
                tap(1.0, framed(0, bytes(9), sysid=sysid))
            tap(1.0, framed(0, bytes(9), sysid=255))

    fly(main())
    sizes = {p.name: p.stat().st_size for p in tmp_path.glob("*.tlog")}
    one = len(framed(0, bytes(9))) + 8
    assert sizes == {"d1.tlog": 2 * one, "d2.tlog": 2 * one, "other-stations.tlog": 252 * one}


def test_a_channel_reads_on_after_any_garbage() -> None:
    async def main() -> None:
        link, chance = FakeLink(), random.Random(3)
        async with Channel(link) as channel:
            for _ in range(200):
                link.arrive(chance.randbytes(chance.randrange(1, 600)))
            link.arrive(bytes(300) + GOOD)
            heard.append(await channel.vehicle(1).wait_for(Heartbeat, timeout_s=2.0))

    heard: list[Heartbeat] = []
    fly(main())
    assert [beat.custom_mode for beat in heard] == [GOOD_MODE], "not the one after the garbage"
