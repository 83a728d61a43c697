"""One flight under one fault, and what the simulator's truth says of it.

Used by the tests (a few seeds) and by `tests/benchmarks/fault_matrix.py` (all of them). The laws
are judged from outside: what the copter held when it armed, where liquid left its nozzles, and
whether every spot was either treated or named.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import LineString, Point
from shapely.ops import unary_union

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conduct import Outcome
from skymist.flight.display import Silent
from skymist.flight.errors import FlightError
from skymist.flight.operation import Setting, operate
from skymist.flight.orders import OrderDesk, parse_order
from skymist.flight.record import Record, read_record
from skymist.flight.wiring import PLAIN, Wiring
from skymist.missions.compile import compile_plan
from skymist.missions.items import Mission
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.faults import FaultyPipe, LinkFaults, split_frames
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.pipes import BytePipe
from tests.flights.conftest import small_plan
from tests.flights.test_operations import STARTED_UTC

LATE_S = 0.5
"""The promise (P4): after so long nothing more falls outside a spot."""
BEYOND_M = 5.0
"""Half a swath, the interlock's margin, and 1 m of flight until the next position."""
CELL_M, STEP_M = 0.5, 0.1
FTP, COUNT, ITEM = 110, 44, 73


class Wire:
    """A pipe on which a trouble may touch each frame; `up` and `down` give what passes on."""

    def __init__(self, pipe: BytePipe) -> None:
        self._pipe, self._rest, self._later = pipe, b"", bytearray()
        self.up: Callable[[int, bytes], Sequence[bytes]] = lambda number, frame: (frame,)
        self.down: Callable[[int, bytes], Sequence[bytes]] = lambda number, frame: (frame,)
        self._extra = asyncio.Event()

    async def read(self) -> bytes:
        """What comes from the vehicle, as far as it is let through."""
        while data := await self._pipe.read():
            frames, self._rest = split_frames(self._rest + data)
            kept = b"".join(part for f in frames for part in self.down(_number(f), f))
            if kept:
                return kept
        return b""

    def write(self, data: bytes) -> None:
        """What goes to the vehicle."""
        for part in self.up(_number(data), data):
            self._pipe.write(part)

    def close(self) -> None:
        """End the link."""
        self._pipe.close()


def _number(frame: bytes) -> int:
    return int.from_bytes(frame[7:10], "little") if len(frame) > 9 else -1


class Trouble:
    """What goes wrong in one flight, and what may be asked of it; `chance` makes it by seed."""

    num_drones = 1
    link: LinkFaults | None = None
    orders_open = False
    """Whether somebody stands by who can tell a drone to go on."""
    is_obeyed = True
    """False where the pump itself does not obey: then litres outside are no fault of ours."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.fleet: EmbeddedFleet
        self.wire: Wire
        self.desk = OrderDesk()
        self.operation: asyncio.Task[Any]
        self.event_s = float("inf")

    def plan(self) -> Plan:
        """What is flown."""
        return small_plan(self.num_drones)

    def wiring(self, folder: Path) -> Wiring:
        """How links are treated, keys among it; copters are there, links are not."""
        return PLAIN

    def wired(self) -> None:
        """Links and copters are there; nothing was sent yet."""

    async def watch(self) -> None:
        """Act beside the operation."""

    def struck(self) -> None:
        """The fault begins now."""
        self.event_s = self.copter.state.now_s

    @property
    def copter(self) -> EmbeddedCopter:
        """The one that it is about."""
        return self.fleet.copters[0]

    async def until(self, claim: Callable[[EmbeddedCopter], bool], timeout_s: float = 600) -> None:
        """Wait in simulated time."""
        async with asyncio.timeout(timeout_s):
            while not claim(self.copter):
                await asyncio.sleep(0.05)

    async def amid_pass(self) -> None:
        """Wait for a moment in the first pass, by chance."""
        litres = self.chance.uniform(0.05, 0.5)
        await self.until(lambda c: c.pumped_l > litres)
        self.struck()

    def say(self, text: str) -> None:
        """Give an order."""
        self.desk.put(parse_order(text, by="matrix"))


@dataclass
class Row:
    """What one flight came to."""

    outcome: str
    text: str
    late_l: float
    outside_l: float
    gap_m: float
    double_m: float
    num_armed: int
    unverified: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    is_down: bool = True

    @property
    def breaches(self) -> list[str]:
        """Invariants that did not hold."""
        found = [f"armed with an unverified mission: {text}" for text in self.unverified]
        found += [f"lost: {spot}" for spot in self.lost]
        if self.late_l > 0.0:
            found.append(f"{self.late_l:.3f} L outside the spots after {LATE_S:g} s")
        if not self.is_down:
            found.append("a drone is still armed")
        return found


def fly(make: Callable[[random.Random], Trouble], seed: int, folder: Path) -> Row:
    """One operation under one trouble, in simulated time."""
    trouble = make(random.Random(seed))
    plan = trouble.plan()
    armed: list[tuple[int, tuple[tuple[float, ...], ...]]] = []

    async def main() -> tuple[Outcome | None, str, tuple[EmbeddedCopter, ...]]:
        drones = list(plan.site.fleet)
        async with EmbeddedFleet(
            drones, homes=homes_of(plan, drones), warm_boot=True, seed=seed
        ) as fleet:
            trouble.fleet = fleet
            wiring = trouble.wiring(folder)
            links: dict[str, Any] = {}
            for index, drone in enumerate(drones):
                pipe: Any = fleet.connect(index)
                if trouble.link is not None:
                    pipe = FaultyPipe(pipe, faults=trouble.link, seed=seed + index)
                links[drone.id] = Wire(pipe)
            trouble.wire = links[drones[0].id]
            trouble.wired()
            if trouble.orders_open:
                trouble.desk.opened()
            looking = asyncio.create_task(_look(fleet.copters, armed))
            trouble.operation = asyncio.create_task(
                operate(
                    plan,
                    links,
                    folder,
                    crew=crew_of(plan.site.policy, dict(zip(links, fleet.copters, strict=True))),
                    display=Silent(),
                    arm=True,
                    setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                    desk=trouble.desk if trouble.orders_open else None,
                    wiring=wiring,
                )
            )
            beside = asyncio.create_task(_beside(trouble))
            outcome, text = None, ""
            try:
                outcome = await trouble.operation
            except asyncio.CancelledError:
                text = "killed"
            except FlightError as exc:
                text = str(exc)
            await asyncio.sleep(240.0 if outcome is None else 20.0)
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside
            looking.cancel()
            return outcome, text, fleet.copters

    outcome, text, copters = run(main(), loop=VirtualLoop())
    return judge(trouble, plan, outcome, text, copters, read_record(folder), armed)


async def _beside(trouble: Trouble) -> None:
    try:
        await trouble.watch()
    finally:
        if trouble.orders_open:
            trouble.desk.closed()


async def _look(copters: Sequence[EmbeddedCopter], armed: list[Any]) -> None:
    """Note what each copter holds whenever its motors are armed."""
    was = [False] * len(copters)
    while True:
        for index, copter in enumerate(copters):
            if copter.state.is_armed and not was[index]:
                armed.append((index, _held(copter)))
            was[index] = copter.state.is_armed
        await asyncio.sleep(0.05)


def _held(copter: EmbeddedCopter) -> tuple[tuple[float, ...], ...]:
    return tuple((i.command, i.p1, i.lat_e7, i.lon_e7, round(i.z_m, 2)) for i in copter.mission[1:])


def _compiled(mission: Mission) -> tuple[tuple[float, ...], ...]:
    return tuple((i.command, i.p1, i.x_e7, i.y_e7, round(i.z_m, 2)) for i in mission.items[1:])


def judge(
    trouble: Trouble,
    plan: Plan,
    outcome: Outcome | None,
    text: str,
    copters: Sequence[EmbeddedCopter],
    record: Record,
    armed: Sequence[tuple[int, tuple[tuple[float, ...], ...]]],
) -> Row:
    """What the truth says of one flight."""
    known = {_key(m): s for made in record.plans for s, m in compile_plan(made).items()}
    unverified = [
        f"drone {index + 1} with {len(held)} items"
        for index, held in armed
        if _rounded(held) not in known
    ]
    skipped = {event["spot_id"] for event in record.of("skipped")}
    wanted = {spot_id for sortie in plan.sorties for spot_id in sortie.spot_ids}
    doses = [swath_dose(copter) for copter in copters]
    lost = [
        f"yard{30 * index}"
        for index, dose in enumerate(doses)
        if (dose < 0.4).any() and f"yard{30 * index}" in wanted - skipped and outcome is not None
    ]
    gaps = [float((dose < 0.4).sum()) * STEP_M for dose in doses]
    doubles = [float((dose > 1.6).sum()) * STEP_M for dose in doses]
    late_l = sum(outside_l(plan, copter, trouble.event_s + LATE_S) for copter in copters)
    is_flown = outcome is not None and outcome.result == "done"
    return Row(
        outcome=str(outcome.result) if outcome is not None else "ended",
        text=text or _told(outcome),
        late_l=late_l if trouble.is_obeyed else 0.0,
        outside_l=sum(outside_l(plan, copter, 0.0) for copter in copters),
        gap_m=max(gaps) if is_flown else float("nan"),
        double_m=max(doubles),
        num_armed=len(armed),
        unverified=unverified,
        lost=lost,
        is_down=not any(copter.state.is_armed for copter in copters),
    )


def _told(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    return "; ".join(report.error for report in outcome.drones if report.error) or outcome.text


def _key(mission: Mission) -> tuple[tuple[float, ...], ...]:
    return _rounded(_compiled(mission))


def _rounded(held: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(value), 2) for value in item) for item in held)


def swath_dose(copter: EmbeddedCopter) -> NDArray[np.float64]:
    """Share of the planned dose along the 10 m swath, its first and last metre apart.

    Passes run from 20 to 30 m east of the pad; smoothed over `CELL_M`.
    """
    bins = np.zeros(round(10.0 / STEP_M))
    for a, b in itertools.pairwise(copter.truth):
        litres = b.pumped_l - a.pumped_l
        if litres > 0.0 and max(a.x, b.x) < 40.0 and a.z > 3.0:
            for x in np.linspace(a.x, b.x, 21)[1:]:
                index = int((x - 20.0) / STEP_M)
                if 0 <= index < len(bins) and x >= 20.0:
                    bins[index] += litres / 20
    width = round(CELL_M / STEP_M)
    smooth = np.convolve(bins, np.ones(width) / width, mode="valid") / (0.06 * STEP_M)
    edge = round(1.0 / STEP_M)
    dose: NDArray[np.float64] = smooth[edge : len(smooth) - edge]
    return dose


def outside_l(plan: Plan, copter: EmbeddedCopter, since_s: float) -> float:
    """Litres that left the nozzles further than `BEYOND_M` from every pass, or near the ground."""
    passes = [p for s in plan.sorties for p in s.passes]
    lines = [LineString(p.path) if len(p.path) > 1 else Point(p.path[0]) for p in passes]
    allowed = unary_union(lines).buffer(BEYOND_M)
    origin, total, before = plan.site.origin, 0.0, None
    for sample in copter.truth:
        if before is not None and before.t_s >= since_s and sample.pumped_l > before.pumped_l:
            (xy,) = origin.to_local([(before.lon_deg, before.lat_deg)])
            if not allowed.contains(Point(xy)):
                total += sample.pumped_l - before.pumped_l
        before = sample
    return total
