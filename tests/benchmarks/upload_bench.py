"""Upload and verify 300 items over a slow, lossy link: MAVFTP beside the mission protocol.

`python tests/benchmarks/upload_bench.py [--seeds N] [--no-ardupilot]` writes
docs/transfers-benchmark.md. The link is simulated frame by frame (sitl/faults.py): bandwidth, half
the round trip each way, loss by seed. On the embedded copter time is simulated; on ArduCopter it
is the clock's, at speed 1.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.flight.mavlink.channel import Channel, Peer
from skymist.flight.mavlink.messages import MissionKind
from skymist.flight.protocols import driver
from skymist.flight.protocols.file_transfer import VehicleFiles
from skymist.flight.protocols.protocol_transfer import upload_list
from skymist.missions.items import Command, Frame, Item, Mission
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.binaries import find_arducopter
from skymist.sitl.faults import FaultyPipe, LinkFaults
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from skymist.sitl.pipes import BytePipe

PAGE = Path(__file__).resolve().parents[2] / "docs" / "transfers-benchmark.md"
NUM_ITEMS = 300
LINK = LinkFaults(delay_s=0.04, loss=0.05, rate_bps=57_600)
TARGET_S = 8.0
HOME = (60.17, 24.94, 10.0)
MODEL = DroneModel(
    id="bench",
    name="bench",
    sprayer=Sprayer(tank_l=16.0, flow_min_lps=0.02, flow_max_lps=0.06, swath_m=4.0),
    body_m=2.0,
    dry_kg=20.0,
    endurance_empty_s=1200.0,
    endurance_full_s=600.0,
    battery_wh=800.0,
)
DRONE = Drone(id="d1", model=MODEL, pad_id="pad", sysid=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds of one run."""

    upload_s: float
    both_s: float


def mission() -> Mission:
    """300 items as a compiled mission mixes them: places, and switching between."""
    items = [_place(0)]
    for num in range(1, NUM_ITEMS):
        items.append(Item(command=Command.DO_SPRAYER, p1=1.0) if num % 3 == 2 else _place(num))
    return Mission(
        sortie_id="s",
        drone_id="d1",
        items=tuple(items),
        spans=(),
        fence=(),
        rally=(),
        parameters={},
    )


def _place(num: int) -> Item:
    return Item(
        command=Command.NAV_WAYPOINT,
        frame=Frame.ABOVE_HOME,
        x_e7=601_700_000 + 97 * num,
        y_e7=249_400_000 + 53 * num,
        z_m=3.0 + num % 7 / 10,
    )


async def by_files(peer: Peer) -> Took:
    """Write, read back, compare, fingerprint; the write alone is timed before, by itself."""
    loop, items = asyncio.get_running_loop(), mission().items
    files = VehicleFiles(peer)
    began_s = loop.time()
    await files.write(MissionKind.MISSION, items, lambda num: None)
    upload_s = loop.time() - began_s
    transfers = driver.Transfers(peer)
    began_s = loop.time()
    await transfers._upload_list(MissionKind.MISSION, items, None)
    both_s = loop.time() - began_s
    if not transfers._by_files:
        raise AssertionError("MAVFTP was given up")
    return Took(upload_s=upload_s, both_s=both_s)


async def by_protocol(peer: Peer) -> Took:
    """Upload to the acknowledgement, read back, compare."""
    loop, items = asyncio.get_running_loop(), mission().items
    transfers = driver.Transfers(peer, prefer_files=False)
    began_s = loop.time()
    await upload_list(peer, MissionKind.MISSION, items, lambda num: None)
    upload_s = loop.time() - began_s
    if not (await transfers._compare(MissionKind.MISSION, items)).is_same:
        raise AssertionError("the vehicle holds something else")
    return Took(upload_s=upload_s, both_s=loop.time() - began_s)


Way = Callable[[Peer], Awaitable[Took]]
WAYS: dict[str, Way] = {"MAVFTP": by_files, "mission protocol": by_protocol}


async def over(pipe: BytePipe, seed: int, way: Way) -> Took:
    """One run over the link, once the vehicle has started; its capabilities are known then."""
    async with Channel(FaultyPipe(pipe, faults=LINK, seed=seed)) as channel:
        peer = channel.vehicle(1)
        await driver.wait_heartbeat(peer, 60.0)
        await asyncio.sleep(3.0)
        while not await VehicleFiles(peer).are_there():
            pass
        return await way(peer)


def embedded(seed: int, way: Way) -> Took:
    """One run on the embedded copter, in simulated time."""

    async def main() -> Took:
        async with EmbeddedFleet([DRONE], homes=[HOME], warm_boot=True) as fleet:
            return await over(fleet.connect(0), seed, way)

    return run(main(), loop=VirtualLoop())


def real(seed: int, way: Way) -> Took:
    """One run on ArduCopter, in real time."""

    async def main() -> Took:
        async with ArduPilotFleet([DRONE], homes=[HOME], found=find_arducopter()) as fleet:
            return await over(await fleet.open(0), seed, way)

    return run(main(), loop=ScaledLoop(1.0))


def row(vehicle: str, name: str, runs: list[Took]) -> str:
    """A line of the table."""
    both = [t.both_s for t in runs]
    upload_s = statistics.median(t.upload_s for t in runs)
    ms = 1000 * upload_s / NUM_ITEMS
    return (
        f"| {vehicle} | {name} | {len(runs)} | {upload_s:.1f} | {ms:.1f} | "
        f"{statistics.median(both):.1f} | {max(both):.1f} |"
    )


HEAD = f"""# Transfers benchmark

Written by `python tests/benchmarks/upload_bench.py`. {NUM_ITEMS} items over a link of
{LINK.rate_bps / 1000:.1f} kbit/s, {2000 * LINK.delay_s:.0f} ms round trip, {LINK.loss:.0%} of the
frames lost each way. "Verified": uploaded, read back whole, compared, and by MAVFTP the vehicle's
own CRC-32 of the file held against that of the bytes read. The mission protocol uploads one item
for each question of the vehicle, and asks again after 1 s. Medians; target: verified under
{TARGET_S:.0f} s by MAVFTP.

| vehicle | way | runs | uploaded, s | per item, ms | verified, s | at most, s |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--real-seeds", type=int, default=5)
    parser.add_argument("--no-ardupilot", action="store_true")
    args = parser.parse_args()
    lines, medians = [], {}
    for name, way in WAYS.items():
        runs = [embedded(seed, way) for seed in range(args.seeds)]
        medians[name] = statistics.median(t.both_s for t in runs)
        lines.append(row("embedded copter", name, runs))
        print(lines[-1], flush=True)
    if not args.no_ardupilot:
        for name, way in WAYS.items():
            seeds = args.real_seeds if way is by_files else min(2, args.real_seeds)
            lines.append(row("ArduCopter 4.7.0-dev", name, [real(s, way) for s in range(seeds)]))
            print(lines[-1], flush=True)
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return 0 if medians["MAVFTP"] < TARGET_S else 1


if __name__ == "__main__":
    raise SystemExit(main())
