"""Metres sprayed after an event in the middle of a pass, on real ArduCopter, by its own log.

    python tests/benchmarks/failsafe_bench.py            # writes the table of docs/fault-matrix.md
    python tests/benchmarks/failsafe_bench.py RTL fence  # flies and writes those rows alone

The witness is the vehicle's dataflash log (positions and the pump's servo output), which neither
the ground program nor the record has touched.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import statistics
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pymavlink import DFReader  # noqa: E402
from shapely.geometry import LineString, Point, box  # noqa: E402

from skymist.coverage.frames import to_e7  # noqa: E402
from skymist.coverage.plan import Plan  # noqa: E402
from skymist.flight.commands.rehearse import SimulatedCrew, homes_of  # noqa: E402
from skymist.flight.conductor.operation import Setting, operate  # noqa: E402
from skymist.flight.mavlink.channel import Channel  # noqa: E402
from skymist.flight.mavlink.links import open_link  # noqa: E402
from skymist.flight.mavlink.messages import CopterMode, EkfStatus, SysStatus  # noqa: E402
from skymist.flight.protocols import driver  # noqa: E402
from skymist.flight.terminal.display import Silent  # noqa: E402
from skymist.missions.items import Command, Frame, Item, Mission  # noqa: E402
from skymist.sitl.ardupilot import ArduPilotFleet  # noqa: E402
from skymist.sitl.binaries import find_arducopter  # noqa: E402
from skymist.sitl.faults import split_frames  # noqa: E402
from skymist.sitl.loops import ScaledLoop, run  # noqa: E402
from tests.flights.conftest import small_plan  # noqa: E402

SPEEDUP, NUM_RUNS = 5.0, 3
LENGTH_M, SPEED_MPS, SWATH_M, HEIGHT_M = 120.0, 5.0, 4.0, 6.0
SERVO_RAW, SERVO9_AT, OPEN_US, CLOSED_US = 36, 21, 1150, 1120
DO_SET_MODE, BATTERY_RESET, RTL, AUTO, BRAKE = 176, 42651, 6, 3, 17
JUST_S = 2.0
LOW_V = 11.0
"""Where the bare vehicle's battery failsafe fires; its simulator's battery begins with 12.6 V."""
EVENTS = (
    "RTL",
    "ground station lost",
    "battery",
    "fence",
    "GPS lost",
    "RC lost",
    "another hand sets BRAKE",
)
BARE = {
    "AUTO_OPTIONS": 3,
    "FS_GCS_ENABLE": 1,
    "FS_THR_ENABLE": 1,
    "BATT_FS_LOW_ACT": 2,
    "BATT_LOW_VOLT": LOW_V,
    "FENCE_ENABLE": 1,
    "FENCE_TYPE": 1,
    "FENCE_ALT_MAX": 100,
    "FENCE_ACTION": 1,
    "RTL_ALT_M": 6,
}
"""What a careful operator of the vehicle alone would set: every failsafe and the fence bring it
home by RTL. The sprayer is as it comes."""


def long_plan() -> Plan:
    """The small plan with a pass of 120 m at 5 m/s, and nothing else to spray."""
    plan = small_plan()
    (sortie,) = plan.sorties
    swath = replace(
        sortie.passes[0],
        path=((20.0, 0.0), (20.0 + LENGTH_M, 0.0)),
        speed_mps=SPEED_MPS,
    )
    out, _, _, _, home = sortie.legs
    end = (20.0 + LENGTH_M, 0.0, HEIGHT_M)
    legs = (out, swath, replace(home, path=(end, *home.path[1:])))  # type: ignore[call-arg]
    yard = replace(plan.site.spots[0], shape=box(18.0, -2.0, 22.0 + LENGTH_M, 2.0))
    treatment = replace(plan.treatments[0], passes=(swath,), target=yard.area)
    return replace(
        plan,
        site=replace(plan.site, spots=(yard,)),
        treatments=(treatment,),
        sorties=(replace(sortie, legs=legs, litres_l=swath.litres_l, duration_s=90.0),),
    )


class Wire:
    """The link, which can fall silent, and which sees when the pump runs."""

    def __init__(self, link: Any) -> None:
        self._link, self._rest = link, b""
        self.is_silent = False
        self.is_open = asyncio.Event()

    async def read(self) -> bytes:
        while data := await self._link.read():
            frames, self._rest = split_frames(self._rest + data)
            for frame in frames:
                self._look(frame)
            if not self.is_silent:
                return bytes(data)
        return b""

    def _look(self, frame: bytes) -> None:
        payload = frame[10:-2].ljust(40, b"\0")
        if int.from_bytes(frame[7:10], "little") == SERVO_RAW:
            (pulse_us,) = struct.unpack_from("<H", payload, SERVO9_AT)
            if pulse_us > OPEN_US:
                self.is_open.set()

    def write(self, data: bytes) -> None:
        if not self.is_silent:
            self._link.write(data)

    def close(self) -> None:
        self._link.close()


async def strike(name: str, wire: Wire, fleet: ArduPilotFleet) -> None:
    """Let it happen 3 s into the pass."""
    await wire.is_open.wait()
    await asyncio.sleep(3.0)
    line = fleet._crew_line(0)
    match name:
        case "RTL":
            async with line:
                await line.command(DO_SET_MODE, 1, RTL)
        case "fence":
            async with line:
                await line.set_param("FENCE_ALT_MAX", 5.0)
        case "ground station lost":
            wire.is_silent = True
        case "battery":
            async with line:
                await line.command(BATTERY_RESET, 1, 5)
        case "bare battery":
            async with line:
                await line.set_param("SIM_BATT_VOLTAGE", LOW_V - 0.5)
        case "another hand sets BRAKE":
            async with line:
                await line.command(DO_SET_MODE, 1, BRAKE)
        case "GPS lost" | "RC lost":
            await fleet.break_vehicle(0, name.lower().replace(" ", "-"))


def fly(name: str, folder: Path) -> tuple[float, float, float]:
    """Wet metres after the event in all and outside the spot, and seconds until the pump is off."""
    plan = long_plan()

    async def main() -> None:
        drones = list(plan.site.fleet)
        async with ArduPilotFleet(
            drones,
            homes=homes_of(plan, drones),
            speedup=SPEEDUP,
            found=find_arducopter(None),
            logs_dir=folder / "sim",
        ) as fleet:
            wire = Wire(await open_link(fleet.addresses[0]))

            async def swap(_: str) -> None:
                await fleet.swap_battery(0)

            striking = asyncio.create_task(strike(name, wire, fleet))
            flying = asyncio.create_task(
                operate(
                    plan,
                    {"d1": wire},
                    folder / "record",
                    crew=SimulatedCrew(plan.site.policy, lambda *_: None, swap),
                    display=Silent(),
                    arm=True,
                    setting=Setting(started_utc=datetime.now(UTC), sim="ardupilot"),
                )
            )
            await striking
            await asyncio.sleep(90.0)
            flying.cancel()
            await asyncio.gather(flying, return_exceptions=True)

    run(main(), loop=ScaledLoop(SPEEDUP))
    (log,) = sorted((folder / "sim").rglob("*.BIN"))[-1:]
    return witness(log, plan)


def bare_mission(plan: Plan) -> Mission:
    """The same pass as anyone would write it: pump on at its start, off at its end, then RTL."""
    origin = plan.site.origin

    def item(command: Command, x: float | None = None, **more: Any) -> Item:
        if x is None:
            return Item(command=command, **more)
        geo = origin.geo(x, 0.0)
        place = {"x_e7": to_e7(geo.lat_deg), "y_e7": to_e7(geo.lon_deg), "z_m": HEIGHT_M}
        return Item(command=command, frame=Frame.ABOVE_HOME, **place, **more)

    items = (
        item(Command.NAV_WAYPOINT, 0.0),
        item(Command.NAV_TAKEOFF, 0.0),
        item(Command.NAV_WAYPOINT, 12.0),
        item(Command.DO_CHANGE_SPEED, p1=1.0, p2=SPEED_MPS, p3=-1.0),
        item(Command.DO_SPRAYER, p1=1.0),
        item(Command.NAV_WAYPOINT, 20.0 + LENGTH_M),
        item(Command.DO_SPRAYER, p1=0.0),
        item(Command.NAV_RETURN_TO_LAUNCH),
    )
    return Mission(sortie_id="bare", drone_id="d1", items=items, spans=())


def fly_bare(name: str, folder: Path) -> tuple[float, float, float]:
    """The same after the same event, without our mission and without our ground program in flight.

    The link gives heartbeats of a ground station and nothing else from take-off on.
    """
    plan = long_plan()

    async def main() -> None:
        drones = list(plan.site.fleet)
        async with ArduPilotFleet(
            drones,
            homes=homes_of(plan, drones),
            speedup=SPEEDUP,
            found=find_arducopter(None),
            logs_dir=folder / "sim",
            params=BARE,
        ) as fleet:
            wire = Wire(await open_link(fleet.addresses[0]))
            async with Channel(wire) as channel:
                peer = channel.vehicle(drones[0].sysid)
                asking = asyncio.create_task(driver.keep_streams(peer))
                await peer.wait_for(
                    EkfStatus, lambda ekf: ekf.has_absolute_position, timeout_s=120.0
                )
                await driver.upload(peer, bare_mission(plan))
                await driver.set_mode(peer, CopterMode.AUTO)
                await peer.wait_for(SysStatus, lambda s: s.is_prearm_good, timeout_s=120.0)
                await driver.arm(peer)
                await strike("bare battery" if name == "battery" else name, wire, fleet)
                await asyncio.sleep(120.0)
                asking.cancel()

    run(main(), loop=ScaledLoop(SPEEDUP))
    (log,) = sorted((folder / "sim").rglob("*.BIN"))[-1:]
    return witness(log, plan)


def witness(log: Path, plan: Plan) -> tuple[float, float, float]:
    """From the dataflash log: the event is the first mode after AUTO once the pump ran."""
    reader = DFReader.DFReader_binary(str(log))
    places: list[tuple[float, float, float]] = []
    pumps: list[tuple[float, bool]] = []
    event_s = math.inf
    while (message := reader.recv_match(type=["POS", "RCOU", "RCO2", "MODE"])) is not None:
        at_s = message.TimeUS / 1e6
        kind = message.get_type()
        if kind == "POS":
            places.append((at_s, message.Lat, message.Lng))
        elif kind == "RCOU" and hasattr(message, "C9"):
            pumps.append((at_s, message.C9 > CLOSED_US))
        elif kind == "MODE" and any(on for _, on in pumps) and message.Mode != AUTO:
            event_s = min(event_s, at_s)
    spot = LineString(plan.sorties[0].passes[0].path).buffer(SWATH_M / 2)
    origin = plan.site.origin
    xy = origin.to_local([(lng, lat) for _, lat, lng in places])
    began_s = next(at_s for at_s, is_on in pumps if is_on)
    last_on_s = max(at_s for at_s, is_on in pumps if is_on and at_s < event_s)
    if event_s - last_on_s > JUST_S:  # the ground's way home turns the pump off before the mode
        raise RuntimeError(f"the pump did not run at the event, {event_s - began_s:.1f} s after")
    wet_m = outside_m = 0.0
    last_s, k, on = event_s, 0, False
    for (a_s, a), (_, b) in itertools.pairwise(zip([p[0] for p in places], xy, strict=True)):
        while k < len(pumps) and pumps[k][0] <= a_s:
            on, k = pumps[k][1], k + 1
        if on and a_s >= event_s:
            step_m = math.dist(a, b)
            wet_m += step_m
            outside_m += 0.0 if spot.contains(Point(a)) else step_m
            last_s = a_s
    return wet_m, outside_m, last_s - event_s if math.isfinite(event_s) else math.nan


def median_of(
    fly_once: Callable[[str, Path], tuple[float, float, float]], name: str, num: int
) -> list[tuple[float, float, float]]:
    """Several flights with the same event."""
    found = []
    for _ in range(num):
        with tempfile.TemporaryDirectory() as folder:
            found.append(fly_once(name, Path(folder)))
            print(fly_once.__name__, name, [round(value, 2) for value in found[-1]], flush=True)
    return found


def main() -> int:
    """Fly each several times, print, write."""
    logging.disable(logging.CRITICAL)
    asked = [name for name in EVENTS if not sys.argv[1:] or name in sys.argv[1:]]
    lines = []
    for name in asked:
        ours, bare = median_of(fly, name, NUM_RUNS), median_of(fly_bare, name, NUM_RUNS)
        wet_m, outside_m, off_s = (max(values) for values in zip(*ours, strict=True))
        median_m, bare_m, bare_off_s = (
            statistics.median(values)
            for values in ([o[0] for o in ours], [b[0] for b in bare], [b[2] for b in bare])
        )
        bare_outside_m = statistics.median(b[1] for b in bare)
        lines.append(
            f"| {name} | {NUM_RUNS} | {median_m:.1f} | {wet_m:.1f} | {outside_m:.1f} | "
            f"{off_s:.2f} | {bare_m:.0f} | {bare_outside_m:.0f} | {bare_off_s:.1f} |"
        )
    write(lines)
    print("\n".join(lines))
    return 0


def write(lines: list[str]) -> None:
    """Put rows into the table of the document; those of other events stay."""
    place = ROOT / "docs" / "fault-matrix.md"
    head, _, old = place.read_text("utf-8").partition("\n## ")
    rows = {row.split("|")[1].strip(): row for row in (*old.splitlines(), *lines) if "|" in row}
    kept = [rows[name] for name in EVENTS if name in rows]
    place.write_text(head + TABLE + "\n".join(kept) + "\n", "utf-8")


TABLE = f"""
## On real ArduCopter

ArduCopter 4.7.0-dev in its simulator at {SPEEDUP:g} times speed: a pass of {LENGTH_M:g} m flown at
{SPEED_MPS:g} m/s, the event some seconds after the pump was seen to run. Counted from the vehicle
leaving AUTO (mode change in its dataflash log) by positions and servo output of that log. "Bare" is
the median of as many flights with the same event and witness, without this mission and without this
program in the air: take-off, pump on, the pass, pump off, RTL, as anyone would write it; the
sprayer's parameters as they come, every failsafe and the fence set to RTL. Much of that track lies
over the pass again, on the way back; where GPS is lost both stand before the mode changes. The log
holds both ten times a second: 0.0 m is less than 0.5 m, and the ground's way home turns the pump
off before the mode changes. The ground program is there in all but "ground station lost", where the
mission alone does it. Measured by
`python tests/benchmarks/failsafe_bench.py`; the machine was busy with other work.

| event | runs | wet, m (median) | wet, m (most) | outside the spot, m | until off, s | bare: wet, m | bare: outside, m | bare: until off, s |
|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501


if __name__ == "__main__":
    sys.exit(main())
