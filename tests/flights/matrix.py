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

from skymist.coverage.drones import Drone
from skymist.coverage.plan import Plan
from skymist.flight.conductor.conduct import Outcome
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.conductor.orders import OrderDesk, parse_order
from skymist.flight.errors import FlightError
from skymist.flight.mavlink.wiring import PLAIN, Wiring
from skymist.flight.recording.record import Record, read_record
from skymist.flight.terminal.display import Silent
from skymist.missions.compile import compile_plan
from skymist.missions.items import Mission
from skymist.sitl.faults import LinkFaults
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.truth import Sample
from tests.flights.conftest import small_plan
from tests.flights.machines import Held, Machine, Wire, embedded_world
from tests.flights.test_operations import STARTED_UTC

LATE_S = 0.5
"""The promise (P4): after so long nothing more falls outside a spot."""
BEYOND_M = 5.0
"""Half a swath, the interlock's margin, and 1 m of flight until the next position."""
LOW_M = 3.0
"""Lower than half the height of every pass."""
CELL_M, STEP_M = 0.5, 0.1
AFTER_S, DOWN_S = 18.0, 222.0
"""Time for what follows an operation, and for a drone left alone to come down."""
FTP, COUNT, ITEM = 110, 44, 73


class Trouble:
    """What goes wrong in one flight, and what may be asked of it; `chance` makes it by seed."""

    num_drones = 1
    link: LinkFaults | None = None
    by_radio = False
    """Whether the ground speaks over a radio, on which nothing unsigned is obeyed."""
    orders_open = False
    """Whether somebody stands by who can tell a drone to go on."""
    is_wreck = False
    """True where it falls: ArduCopter may stay armed where it lies, and nobody disarms by force."""
    is_obeyed = True
    """False where the pump itself does not obey: then litres outside are no fault of ours."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.machines: list[Machine]
        self.desk = OrderDesk()
        self.operation: asyncio.Task[Any]
        self.event_s = float("inf")
        self.is_down = False

    def plan(self) -> Plan:
        """What is flown."""
        return small_plan(self.num_drones)

    def drones(self, plan: Plan) -> list[Drone]:
        """The copters that stand on the pads."""
        return list(plan.site.fleet)

    async def wiring(self, folder: Path) -> Wiring:
        """How links are treated, keys among it; copters are there, links are not."""
        return PLAIN

    async def wired(self) -> None:
        """Links and copters are there; nothing was sent yet."""

    async def watch(self) -> None:
        """Act beside the operation."""

    def struck(self) -> None:
        """The fault begins now."""
        self.event_s = self.machine.now_s

    @property
    def machine(self) -> Machine:
        """The one that it is about."""
        return self.machines[0]

    @property
    def wire(self) -> Wire:
        """Its link."""
        return self.machine.wire

    async def until(self, claim: Callable[[Machine], bool], timeout_s: float = 600) -> None:
        """Wait in simulated time."""
        async with asyncio.timeout(timeout_s):
            while not claim(self.machine):
                await asyncio.sleep(0.05)

    async def amid_pass(self) -> None:
        """Wait for a moment in the first pass, by chance."""
        litres = self.chance.uniform(0.05, 0.5)
        await self.until(lambda m: m.pumped_l > litres)
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


@dataclass(frozen=True)
class Where:
    """Simulated drones: the loop whose time they live by, and who sets them up."""

    loop: Callable[[], asyncio.AbstractEventLoop]
    world: Callable[..., Any]
    sim: str
    speedup: float | None = None


EMBEDDED = Where(VirtualLoop, embedded_world, "embedded")


def fly(
    make: Callable[[random.Random], Trouble], seed: int, folder: Path, where: Where = EMBEDDED
) -> Row:
    """One operation under one trouble, in simulated time."""
    trouble = make(random.Random(seed))
    plan = trouble.plan()
    outcome, text = run(_main(trouble, plan, seed, folder, where), loop=where.loop())
    return judge(trouble, plan, outcome, text, read_record(folder))


async def _main(
    trouble: Trouble, plan: Plan, seed: int, folder: Path, where: Where
) -> tuple[Outcome | None, str]:
    drones = trouble.drones(plan)
    world = where.world(plan, drones, trouble.link, seed, by_radio=trouble.by_radio)
    async with world as (machines, crew):
        trouble.machines = machines
        wiring = await trouble.wiring(folder)
        await trouble.wired()
        if trouble.orders_open:
            trouble.desk.opened()
        flying = {sortie.drone_id for sortie in plan.sorties}
        trouble.operation = asyncio.create_task(
            operate(
                plan,
                {d.id: machines[i].wire for i, d in enumerate(plan.site.fleet) if d.id in flying},
                folder,
                crew=crew,
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=STARTED_UTC, sim=where.sim, speedup=where.speedup),
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
        await _down(machines)
        trouble.is_down = not any(machine.is_armed for machine in machines)
        beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside
    return outcome, text


async def _down(machines: Sequence[Machine]) -> None:
    """Wait until all stand: a drone whose ground is gone needs some time for that."""
    await asyncio.sleep(AFTER_S)
    with suppress(TimeoutError):
        async with asyncio.timeout(DOWN_S):
            while any(machine.is_armed for machine in machines):
                await asyncio.sleep(1.0)
    await asyncio.sleep(2.0)


async def _beside(trouble: Trouble) -> None:
    try:
        await trouble.watch()
    finally:
        if trouble.orders_open:
            trouble.desk.closed()


def _compiled(mission: Mission) -> Held:
    return tuple((i.command, i.p1, i.x_e7, i.y_e7, round(i.z_m, 2)) for i in mission.items[1:])


def judge(
    trouble: Trouble,
    plan: Plan,
    outcome: Outcome | None,
    text: str,
    record: Record,
) -> Row:
    """What the truth says of one flight."""
    known = {_key(m): s for made in record.plans for s, m in compile_plan(made).items()}
    machines = trouble.machines
    unverified = [
        f"drone {index} with {len(held)} items"
        for index, machine in enumerate(machines, 1)
        for held in machine.armed_with
        if _rounded(held) not in known
    ]
    skipped = {event["spot_id"] for event in record.of("skipped")}
    wanted = {spot_id for sortie in plan.sorties for spot_id in sortie.spot_ids}
    truths = [tuple(machine.truth) for machine in machines]
    doses = [swath_dose(truth) for truth in truths]
    lost = [
        f"yard{30 * index}"
        for index, dose in enumerate(doses)
        if (dose < 0.4).any() and f"yard{30 * index}" in wanted - skipped and outcome is not None
    ]
    gaps = [float((dose < 0.4).sum()) * STEP_M for dose in doses]
    doubles = [float((dose > 1.6).sum()) * STEP_M for dose in doses]
    late_l = sum(outside_l(plan, truth, trouble.event_s + LATE_S) for truth in truths)
    unarmed_l = sum(machine.unarmed_l for machine in machines)
    is_flown = outcome is not None and outcome.result == "done"
    is_named = trouble.is_wreck and bool(_told(outcome))
    lies = [truth[-1].z < LOW_M for truth in truths if truth]
    return Row(
        outcome=str(outcome.result) if outcome is not None else "ended",
        text=text or _told(outcome),
        late_l=late_l + unarmed_l if trouble.is_obeyed else 0.0,
        outside_l=sum(outside_l(plan, truth, 0.0) for truth in truths) + unarmed_l,
        gap_m=max(gaps) if is_flown else float("nan"),
        double_m=max(doubles),
        num_armed=sum(len(machine.armed_with) for machine in machines),
        unverified=unverified,
        lost=lost,
        is_down=trouble.is_down or (is_named and all(lies)),
    )


def _told(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    return "; ".join(report.error for report in outcome.drones if report.error) or outcome.text


def _key(mission: Mission) -> Held:
    return _rounded(_compiled(mission))


def _rounded(held: Held) -> Held:
    return tuple(tuple(round(float(value), 2) for value in item) for item in held)


def swath_dose(truth: Sequence[Sample]) -> NDArray[np.float64]:
    """Share of the planned dose along the 10 m swath, its first and last metre apart.

    Passes run from 20 to 30 m east of the pad; smoothed over `CELL_M`.
    """
    bins = np.zeros(round(10.0 / STEP_M))
    for a, b in itertools.pairwise(truth):
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


def outside_l(plan: Plan, truth: Sequence[Sample], since_s: float) -> float:
    """Litres that left the nozzles further than `BEYOND_M` from every pass, or near the ground."""
    passes = [p for s in plan.sorties for p in s.passes]
    lines = [LineString(p.path) if len(p.path) > 1 else Point(p.path[0]) for p in passes]
    allowed = unary_union(lines).buffer(BEYOND_M)
    origin, total, before = plan.site.origin, 0.0, None
    for sample in truth:
        if before is not None and before.t_s >= since_s and sample.pumped_l > before.pumped_l:
            (xy,) = origin.to_local([(before.lon_deg, before.lat_deg)])
            if before.z < LOW_M or not allowed.contains(Point(xy)):
                total += sample.pumped_l - before.pumped_l
        before = sample
    return total
