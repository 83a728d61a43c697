"""The links bench: `python tests/benchmarks/links_bench.py [--seconds 20] [--profile]`.

So many simulated drones speak as often as an operation asks them to, over real UDP, from a process
of their own; counted is the processor time of this process alone, which reads, checks, folds and
records them as an operation does. Writes docs/links-benchmark.md.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.coverage.plan import Plan, Sortie
from skymist.flight.clock import now_s
from skymist.flight.conductor.operation import tap_into
from skymist.flight.conductor.oversight import TICK_S, Job, Oversight
from skymist.flight.conductor.telling import DroneLog, Log
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.linkmeter import LinkMeter
from skymist.flight.mavlink.links import open_udp
from skymist.flight.mavlink.messages import (
    Battery,
    EkfStatus,
    FenceStatus,
    Gps,
    Heartbeat,
    MissionCurrent,
    Position,
    ServoOutput,
    SysStatus,
    Wind,
)
from skymist.flight.mavlink.signing import Key, Seal, Stamps
from skymist.flight.mavlink.watch import Watch
from skymist.flight.protocols.driver import STREAM_RATES_HZ
from skymist.flight.recording.recorder import Recorder
from skymist.flight.safety.monitor import Limits, Tank
from skymist.flight.terminal.display import Silent
from skymist.missions.compile import compile_plan
from skymist.missions.items import Mission

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "links-benchmark.md"
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"
KEY = Key(bytes(range(32)))
WARM_S, STEP_S = 3.0, 0.01
NUM_TRIES, FED_FRAC = 8, 0.95
ALLOWED = {50: 0.10, 100: 0.20}
"""Of one core, for link, state and record. Source: issue 5."""


def messages_of(place: tuple[int, int], seq: int, at_ms: int, kind: type) -> Any:
    """One message of a drone that sprays at 3 m along its pass."""
    lat, lon = place[0] + at_ms // 50, place[1]
    servos = (1500,) * 8
    made: dict[type, Callable[[], Any]] = {
        Heartbeat: lambda: m.MAVLink_heartbeat_message(13, 3, 217, 3, 4, 3),
        Position: lambda: m.MAVLink_global_position_int_message(
            at_ms, lat, lon, 13000, 3000, 150, 3, 0, 900
        ),
        ServoOutput: lambda: m.MAVLink_servo_output_raw_message(at_ms * 1000, 0, *servos, 1600),
        MissionCurrent: lambda: m.MAVLink_mission_current_message(seq, 60, 3, 1),
        SysStatus: lambda: m.MAVLink_sys_status_message(
            0x5361FC2F, 0x5321FC2F, 0x1361FC2F, 340, 45000, 4300, 61, 0, 0, 0, 0, 0, 0
        ),
        Gps: lambda: m.MAVLink_gps_raw_int_message(
            at_ms * 1000, 4, lat, lon, 13000, 70, 110, 150, 200, 17, 13000, 400, 600, 200, 0, 0
        ),
        Battery: lambda: m.MAVLink_battery_status_message(
            0, 1, 1, 3000, [45000] + [65535] * 9, 4300, 6200, 90000, 61, 0, 1, [0] * 4, 0, 0
        ),
        EkfStatus: lambda: m.MAVLink_ekf_status_report_message(831, 0.02, 0.03, 0.02, 0.05, 0.0),
        FenceStatus: lambda: m.MAVLink_fence_status_message(0, 0, 0, 0, 0),
        Wind: lambda: m.MAVLink_wind_message(135.0, 2.5, 0.0),
    }
    return made[kind]()


def speak(port: int, num_drones: int, place: tuple[int, int], seq: int, signed: bool) -> None:
    """Send for all drones, each from a socket of its own, until killed."""
    import socket

    mavs, due = [], []
    for index in range(num_drones):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", port))
        mav = m.MAVLink(None, index + 1, 1)
        if signed:
            mav.signing.secret_key, mav.signing.sign_outgoing = KEY.secret, True
            mav.signing.timestamp = int((time.time() - 1_420_070_400) * 1e5)
        mavs.append((mav, sock))
        for number, (kind, rate_hz) in enumerate(STREAM_RATES_HZ.items()):
            phase_s = (index * 0.137 + number * 0.061) % (1 / rate_hz)
            due.append([phase_s, 1 / rate_hz, index, kind])
    began_s = time.monotonic()
    while True:
        at_s = time.monotonic() - began_s
        for entry in due:
            if entry[0] <= at_s:
                entry[0] += entry[1]
                mav, sock = mavs[entry[2]]
                message = messages_of(place, seq, int(at_s * 1000), entry[3])
                sock.send(bytes(message.pack(mav)))
                mav.seq = (mav.seq + 1) % 256
        time.sleep(STEP_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run costs: share of one core, frames a second, bytes a second written."""

    core_frac: float
    rate_hz: float
    lost_frac: float
    bytes_per_s: float


class Flight:
    """A plan's first sortie with a spraying pass, as if every drone flew it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        missions = compile_plan(plan)
        self.sortie: Sortie = next(s for s in plan.sorties if missions[s.id].spans)
        self.mission: Mission = missions[self.sortie.id]
        span = self.mission.spans[0]
        (x, y), *_ = self.sortie.passes[span.pass_index].path
        place = plan.site.origin.geo(x, y)
        self.place = (round(place.lat_deg * 1e7), round(place.lon_deg * 1e7))
        self.seq = span.first_seq
        self.drone = next(d for d in plan.site.fleet if d.id == self.sortie.drone_id)


@contextmanager
def talking(port: int, num_drones: int, flight: Flight, *, signed: bool) -> Iterator[None]:
    """Drones that speak to a port, in a process of their own."""
    words = (port, num_drones, *flight.place, flight.seq, int(signed))
    process = subprocess.Popen([sys.executable, __file__, "--speak", *map(str, words)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def listen(
    num_drones: int, flight: Flight, seconds: float, *, interlock: bool, signed: bool, ours: Any
) -> Load:
    """Read, fold and record; with `interlock` also mind pumps, passes and alerts."""
    link = await open_udp("127.0.0.1", 0, is_listening=True)
    with tempfile.TemporaryDirectory() as folder:
        names = {index + 1: f"d{index + 1}" for index in range(num_drones)}
        with Recorder(Path(folder) / "r", now_s, epoch_s=time.time()) as record:
            told = Log(record, Silent())
            async with Channel(link, tap=tap_into(record, names)) as channel:
                ticks = []
                stamps = Stamps(time.time)
                for sysid, drone_id in names.items():
                    peer = channel.vehicle(sysid)
                    peer.seal = Seal(KEY, stamps) if signed else None
                    log = DroneLog(told, drone_id)
                    watch, meter = Watch(peer), LinkMeter(peer, log)
                    drone = replace(flight.drone, id=drone_id, sysid=sysid)
                    job = Job(
                        plan=flight.plan,
                        drone=drone,
                        sortie=flight.sortie,
                        mission=flight.mission,
                    )
                    over = Oversight(
                        job,
                        log,
                        Tank(litres_l=16.0),
                        Limits(reserve_frac=0.2, come_home_frac=0.1),
                        send=peer.send,
                        ask_home=lambda reason: None,
                    )
                    if interlock:
                        watch.observe(over.on_message)
                    else:
                        watch.observe(
                            lambda state, message, over=over: (
                                over._track(state) if isinstance(message, Position) else None
                            )
                        )
                    ticks.append((watch, over if interlock else None, meter))
                ticking = asyncio.create_task(tick(ticks))
                with talking(link.port, num_drones, flight, signed=signed):
                    load = await measured(channel, seconds, Path(folder), ours)
                ticking.cancel()
                return load


async def tick(ticks: list[tuple[Watch, Oversight | None, LinkMeter]]) -> None:
    """Twice a second for each drone, as its runner does."""
    while True:
        for watch, over, meter in ticks:
            if over is not None:
                over.on_tick(watch.state)
            meter.tick()
        await asyncio.sleep(TICK_S)


async def measured(channel: Channel, seconds: float, folder: Path, profile: Any) -> Load:
    """The cost of so many seconds, after the drones have begun to speak."""

    def size() -> int:
        return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())

    await asyncio.sleep(WARM_S)
    frames, cpu_s, wall_s, num_bytes = (
        channel.decoder.num_frames,
        time.process_time(),
        time.monotonic(),
        size(),
    )
    if profile:
        profile.enable()
    await asyncio.sleep(seconds)
    if profile:
        profile.disable()
    took_s = time.monotonic() - wall_s
    peers = [channel.vehicle(sysid) for sysid in channel.sysids]
    num, lost = sum(p.stats.num_frames for p in peers), sum(p.stats.num_lost for p in peers)
    return Load(
        core_frac=(time.process_time() - cpu_s) / took_s,
        rate_hz=(channel.decoder.num_frames - frames) / took_s,
        lost_frac=lost / max(1, num + lost),
        bytes_per_s=(size() - num_bytes) / took_s,
    )


def run(num_drones: int, flight: Flight, seconds: float, profile: Any = None, **how: bool) -> Load:
    """One run."""
    return asyncio.run(listen(num_drones, flight, seconds, ours=profile, **how))


ROWS = (
    ("link, state, record", {"interlock": False, "signed": False}),
    ("the same with interlock, passes, alerts", {"interlock": True, "signed": False}),
    ("and every link signed", {"interlock": True, "signed": True}),
)


def fed(num_drones: int, flight: Flight, seconds: float, how: dict[str, bool]) -> Load:
    """A run in which the drones spoke as often as they should: a busy machine holds them back."""
    wanted_hz = num_drones * sum(STREAM_RATES_HZ.values())
    for _ in range(NUM_TRIES):
        load = run(num_drones, flight, seconds, **how)
        if load.rate_hz >= FED_FRAC * wanted_hz:
            return load
        print(f"{load.rate_hz:.0f} of {wanted_hz:.0f} messages/s came, again", file=sys.stderr)
    raise SystemExit("the machine is too busy for the simulated drones")


def page(flight: Flight, seconds: float, repeats: int) -> str:
    """The page's text; medians of the repeats."""
    lines = [
        "# Links benchmark",
        "",
        "Written by `python tests/benchmarks/links_bench.py`. Drones speak over UDP to one port,",
        f"{sum(STREAM_RATES_HZ.values()):g} messages a second each, from another process; the "
        "share is the processor time (user",
        f"and system, threads too) of the ground station's process alone over {seconds:g} s,",
        f"median of {repeats}.",
        "The record is written as in an operation: 4 tracks a second and a tlog for each drone.",
        f"Load of the machine's {os.cpu_count()} cores at the start: {os.getloadavg()[0]:.1f}.",
        "",
        "| drones | what is done | one core | wanted | messages/s | lost | kB/s written |",
        "|---|---|---|---|---|---|---|",
    ]
    for num_drones, allowed in ALLOWED.items():
        for name, how in ROWS:
            loads = [fed(num_drones, flight, seconds, how) for _ in range(repeats)]
            load = loads[0]
            core = statistics.median(one.core_frac for one in loads)
            wanted = f"under {allowed:.0%}" if not how["interlock"] else ""
            lines.append(
                f"| {num_drones} | {name} | {core:.1%} | {wanted} | {load.rate_hz:.0f} "
                f"| {load.lost_frac:.1%} | {load.bytes_per_s / 1000:.0f} |"
            )
            print(lines[-1], file=sys.stderr)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Take the options."""
    if sys.argv[1:2] == ["--speak"]:
        port, num_drones, lat, lon, seq, signed = map(int, sys.argv[2:])
        speak(port, num_drones, (lat, lon), seq, bool(signed))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="of 50 drones, with interlock")
    options = parser.parse_args()
    from skymist.flight.commands.plan import make_plan

    flight = Flight(make_plan(DEMO, seed=0, num_drones=None))
    if options.profile:
        profile = cProfile.Profile()
        for name, how in ROWS[:2]:
            print(name, run(50, flight, options.seconds, **how))
        print(run(50, flight, options.seconds, profile, interlock=True, signed=False))
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        return
    PAGE.write_text(page(flight, options.seconds, options.repeats), "utf-8")


if __name__ == "__main__":
    main()
