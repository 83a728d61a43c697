"""The sorties bench: `python tests/benchmarks/sorties_bench.py [--site NAME]`.

Plans Kouvola with Skymist and with two baselines that use the same treatments, cost functions,
schedule and laws (tests/checks.py, which shares no code with the planner), then the three scenes
of Gonzalez-Jorge et al. (Drones 5:18, 2021), and writes docs/sorties-benchmark.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from types import ModuleType

import numpy as np
import pyvrp
from shapely.geometry import box

from skymist.coverage.chunks import Chunk, chunks_of, usable_l
from skymist.coverage.days import day_s, in_order, stop_s
from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.energy import LAND_S, SPOOL_S, leg_s
from skymist.coverage.flights import Base, Flight, Flights
from skymist.coverage.frames import Origin
from skymist.coverage.hops import Hops
from skymist.coverage.plan import Pass, Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.schedule import schedule
from skymist.coverage.site import (
    Agent,
    BlindSpot,
    Kind,
    Level,
    LevelName,
    Pad,
    Policy,
    Site,
)
from skymist.coverage.summary import summarise
from skymist.coverage.tours import fitting_field
from skymist.missions.site import read_site

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "sorties-benchmark.md"
NEAR_CHUNKS = 15
SEARCHES_S = (10, 60)
TENTHS = 10
Days = dict[str, list[Flight]]


def oracles() -> ModuleType:
    """`tests/checks.py`."""
    spec = importlib.util.spec_from_file_location("skymist_checks", ROOT / "tests" / "checks.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("tests/checks.py")
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


class Baseline:
    """What both baselines share: the chunks of a plan, and its drones on given pads."""

    def __init__(self, plan: Plan, drones: Sequence[Drone]) -> None:
        self.plan, self.drones = plan, drones
        site = plan.site
        hops = {d.model.id: Hops(site, d.model) for d in drones}
        pads = {pad.id: pad for pad in site.pads}
        self.base_of = {
            d.id: Base(k, pads[d.pad_id], hops[d.model.id]) for k, d in enumerate(drones)
        }
        self.flights = Flights()
        self.chunks = [c for t in plan.treatments for c in chunks_of(t, drones[0].model)]

    def nearest_first(self) -> Days:
        """One zone per drone, spots by nearest neighbour, each flight filled until it is full."""
        zones: dict[str | None, list[Chunk]] = defaultdict(list)
        for chunk in self.chunks:
            zones[self.plan.site.spot(chunk.spot_id).zone_id].append(chunk)
        sizes = {zone: math.fsum(c.litres_l for c in some) for zone, some in zones.items()}
        held = {d.id: 0.0 for d in self.drones}
        own: dict[str, list[Chunk]] = {d.id: [] for d in self.drones}
        for zone in sorted(zones, key=lambda z: (-sizes[z], str(z))):
            drone_id = min(held, key=lambda d: (held[d], d))
            own[drone_id] += zones[zone]
            held[drone_id] += sizes[zone]
        return {drone_id: self._filled(drone_id, some) for drone_id, some in own.items()}

    def _filled(self, drone_id: str, chunks: Sequence[Chunk]) -> list[Flight]:
        base, made = self.base_of[drone_id], []
        for load in dict.fromkeys(c.load for c in chunks):
            left = [c for c in chunks if c.load == load]
            here, now = base.home[:2], None
            while left:
                chunk = min(left, key=lambda c: (math.dist(here, c.middle), c.spot_id, c.index))
                left.remove(chunk)
                fuller = self.flights.over(base, (*now.chunks, chunk)) if now else None
                if fuller is None:
                    made += [now] if now else []
                    fuller = self.flights.over(base, (chunk,))
                    made += [] if fuller else self._from_elsewhere(chunk)
                now, here = fuller, chunk.middle
            made += [now] if now else []
        return made

    def _from_elsewhere(self, chunk: Chunk) -> list[Flight]:
        """Beyond this drone: left out, to the baseline's advantage."""
        self.left_out = getattr(self, "left_out", 0.0) + chunk.litres_l
        return []

    def greedy(self) -> Days:
        """One flight at a time for the drone that is free first, by cheapest insertion."""
        days: Days = {d.id: [] for d in self.drones}
        ready = dict.fromkeys(days, 0.0)
        left = list(self.chunks)
        while left and ready:
            drone_id = min(ready, key=lambda d: (ready[d], d))
            flight = self._inserted(self.base_of[drone_id], left)
            if flight is None:
                del ready[drone_id]
                continue
            used = {id(chunk) for chunk in flight.chunks}
            left = [chunk for chunk in left if id(chunk) not in used]
            days[drone_id].append(flight)
            ready[drone_id] = day_s(days[drone_id], self.plan.site.policy)
        self.left_out = math.fsum(c.litres_l for c in left)
        return days

    def _inserted(self, base: Base, left: Sequence[Chunk]) -> Flight | None:
        by_gap = sorted(left, key=lambda c: math.dist(base.home[:2], c.middle))
        now = next((f for c in by_gap if (f := self.flights.over(base, (c,))) is not None), None)
        while now is not None:
            held, inside = now, {id(chunk) for chunk in now.chunks}
            near = sorted(
                (c for c in left if id(c) not in inside and c.load == held.chunks[0].load),
                key=lambda c: min(math.dist(c.middle, one.middle) for one in held.chunks),
            )[:NEAR_CHUNKS]
            tries = [
                self.flights.over(base, (*now.chunks[:k], c, *now.chunks[k:]))
                for c in near
                for k in range(len(now.chunks) + 1)
            ]
            found = [flight for flight in tries if flight is not None]
            if not found:
                return now
            now = min(found, key=lambda f: f.cost.duration_s - held.cost.duration_s)
        return None

    def reloading(self, search_s: float) -> Days:
        """PyVRP's own routes with reloads: a drone is a vehicle that is back for each tankful.

        It minimises what is over an equal share of the time, and minutes in all. A flight that its
        battery cannot carry is cut, since a vehicle's longest distance counts across reloads.
        """
        bases, policy = list(self.base_of.values()), self.plan.site.policy
        tank_l = usable_l(self.drones[0].model)
        total_l = math.fsum(c.litres_l for c in self.chunks)
        days: Days = {drone_id: [] for drone_id in self.base_of}
        for load in dict.fromkeys(c.load for c in self.chunks):
            some = [c for c in self.chunks if c.load == load]
            share = math.fsum(c.litres_l for c in some) / total_l
            field, _ = fitting_field(bases, some)
            num, most_s = len(bases), self.plan.makespan_s * share
            seconds = np.rint(field.seconds * TENTHS).astype(np.int64)
            vehicles = [
                pyvrp.VehicleType(
                    capacity=[int(tank_l * 100) + 4],
                    start_depot=k,
                    end_depot=k,
                    reload_depots=[k],
                    unit_distance_cost=0,
                    unit_duration_cost=1,
                    shift_duration=int(most_s * TENTHS * 0.95),
                    max_overtime=10**7,
                    unit_overtime_cost=100,
                )
                for k in range(num)
            ]
            data = pyvrp.ProblemData(
                locations=[pyvrp.Location(0, 0) for _ in range(num + len(field.chunks))],
                clients=[
                    pyvrp.Client(
                        num + k,
                        delivery=[math.ceil(field.litres_l[k] * 100)],
                        service_duration=round(field.works_s[k] * TENTHS),
                    )
                    for k in range(len(field.chunks))
                ],
                depots=[
                    pyvrp.Depot(k, service_duration=round((stop_s(policy) + GROUND_S) * TENTHS))
                    for k in range(num)
                ],
                vehicle_types=vehicles,
                distance_matrices=[np.zeros_like(seconds)],
                duration_matrices=[seconds],
            )
            found = pyvrp.solve(data, _until_cpu_s(search_s * share), seed=0, display=False)
            for route in found.best.routes():
                drone_id = list(self.base_of)[route.vehicle_type()]
                for is_work, trip in groupby(route.schedule(), lambda visit: visit.is_client()):
                    chunks = [field.chunks[visit.idx] for visit in trip] if is_work else []
                    days[drone_id] += self._cut(bases[route.vehicle_type()], chunks)
        return days

    def _cut(self, base: Base, chunks: Sequence[Chunk]) -> list[Flight]:
        """Flights over chunks in this order, each as long as a battery carries."""
        made, todo = [], list(chunks)
        while todo:
            tries = ((n, self.flights.over(base, todo[:n])) for n in range(len(todo), 0, -1))
            num, flight = next(((n, f) for n, f in tries if f is not None), (1, None))
            made += [flight] if flight else self._from_elsewhere(todo[0])
            todo = todo[num:]
        return made

    def as_plan(self, days: Days) -> Plan:
        """The days as a plan with start times."""
        policy = self.plan.site.policy
        sorties = {
            d: [f.sortie(f"{d}-{k:02d}", d) for k, f in enumerate(in_order(day, policy))]
            for d, day in days.items()
        }
        models = {d.id: d.model for d in self.drones}
        site = replace(self.plan.site, fleet=tuple(self.drones))
        return replace(self.plan, site=site, sorties=schedule(sorties, models, policy))


def _until_cpu_s(limit_s: float) -> Callable[[float], bool]:
    """Stops a search after so many seconds of CPU, whatever else the machine does."""
    begun_s = time.process_time()
    return lambda _: time.process_time() - begun_s > limit_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    name: str
    plan: Plan
    breaches: int
    took_s: float | None = None


def count_breaches(plan: Plan, laws: ModuleType) -> int:
    """How many laws of plans do not hold; prints them."""
    count = 0
    for law in laws.PLAN_LAWS:
        try:
            law(plan)
        except AssertionError as breach:
            count += 1
            print(f"{law.__name__}: {breach}", file=sys.stderr)
    return count


def compared(site: Site, laws: ModuleType) -> list[Row]:
    """Skymist, two baselines on the pads in turn and on Skymist's, and PyVRP's own reloads."""
    start = time.perf_counter()
    ours = plan_site(site)
    rows = [Row(name="Skymist", plan=ours, breaches=count_breaches(ours, laws))]
    rows[0] = replace(rows[0], took_s=time.perf_counter() - start)
    fleets = {"pads in turn": site.fleet, "Skymist's pads": ours.site.fleet}
    for where, fleet in fleets.items():
        for name, method in (
            ("A: zone per drone, nearest neighbour", "nearest_first"),
            ("B: one sortie at a time, greedy insertion", "greedy"),
        ):
            baseline = Baseline(ours, fleet)
            plan = baseline.as_plan(getattr(baseline, method)())
            left_l = getattr(baseline, "left_out", 0.0)
            label = f"{name}; {where}" + (f"; {left_l:.0f} L beyond reach" if left_l else "")
            rows.append(
                Row(name=label, plan=plan, breaches=count_breaches(plan, (_without_promises(laws))))
            )
    for search_s in SEARCHES_S:
        baseline = Baseline(ours, ours.site.fleet)
        plan = baseline.as_plan(baseline.reloading(search_s))
        label = f"C: PyVRP with reloads, {search_s} s of CPU; Skymist's pads"
        rows.append(
            Row(name=label, plan=plan, breaches=count_breaches(plan, _without_promises(laws)))
        )
    return rows


class _without_promises:
    """The laws but those that a baseline breaks by leaving out what it cannot reach."""

    def __init__(self, laws: ModuleType) -> None:
        skipped = ("assert_accounts_for_every_spot", "assert_doses")
        self.PLAN_LAWS = tuple(law for law in laws.PLAN_LAWS if law.__name__ not in skipped)


SCENES = {
    "scene 1": (882.7, 5, 41.0, 33.0),
    "scene 2": (545.0, 3, 28.6, 20.6),
    "scene 3": (2025.7, 11, 96.4, 76.4),
}
"""Square metres, the paper's refills, and minutes at most: stops in turn, swaps inside refills."""
SWATH_M, SPRAY_MPS, ENDURANCE_S, STOP_S = 2.2, 0.5, 420.0, 240.0
"""From the paper's abstract: footprint, speed, autonomy, time of a refill and of a swap."""
TANK_L, DRY_KG, FULL_KG, MASS_EXPONENT = 10.0, 14.0, 25.0, 1.6
"""The paper's drone is not named there. DOMAIN: masses of a hexacopter with 10 L; hover power is in
proportion to mass to this power."""
GROUND_S = SPOOL_S + LAND_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read the paper's counts, as hardware.

    `tank_m2` is what a tank treats; `refills_less` says how many of the refills counted come
    before the first take-off.
    """

    text: str
    tank_m2: float
    refills_less: int
    is_lighter_longer: bool = True


READINGS = (
    Reading(
        text="refills between flights (a tank treats 168.8 to 176.5 m2: 176), 7 min with it full",
        tank_m2=176.0,
        refills_less=0,
    ),
    Reading(
        text="tankfuls and batteries, the first put in before the start (184.2 to 202.6 m2: 193), "
        "7 min with a full tank",
        tank_m2=193.0,
        refills_less=1,
    ),
    Reading(
        text="refills between flights (176 m2), 7 min with whatever load",
        tank_m2=176.0,
        refills_less=0,
        is_lighter_longer=False,
    ),
)


def scene(area_m2: float, reading: Reading, *, is_swap_in_refill: bool) -> Site:
    """A closed yard with the pad 3 m beside it, for the paper's drone.

    Its shape is not in the abstract: the rectangle nearest to a square that is a whole number of
    footprints wide.
    """
    wide_m = SWATH_M * round(math.sqrt(area_m2) / SWATH_M)
    flow_lps = (TANK_L - 0.2) * 0.92 * SWATH_M * SPRAY_MPS / reading.tank_m2
    lighter = (FULL_KG / DRY_KG) ** MASS_EXPONENT if reading.is_lighter_longer else 1.001
    model = DroneModel(
        id="paper",
        name="Gonzalez-Jorge et al. 2021",
        sprayer=Sprayer(
            tank_l=TANK_L, flow_min_lps=flow_lps / 4, flow_max_lps=flow_lps, swath_m=SWATH_M
        ),
        body_m=1.0,
        dry_kg=DRY_KG,
        endurance_empty_s=ENDURANCE_S * lighter,
        endurance_full_s=ENDURANCE_S,
        battery_wh=600.0,
        agent_kg_per_l=(FULL_KG - DRY_KG) / TANK_L,
    )
    level = Level(
        name=LevelName.RED,
        dose_l_per_m2=flow_lps / (SWATH_M * SPRAY_MPS) / 1.08,
        agent_id="agent",
        revisit_days=1.0,
    )
    shape = box(0, 3, wide_m, 3 + area_m2 / wide_m)
    yard = BlindSpot(id="yard", kind=Kind.YARD, level=LevelName.RED, shape=shape)
    return Site(
        name=f"{area_m2:g} m2",
        origin=Origin(lat_deg=42.0, lon_deg=-8.0),
        spots=(yard,),
        pads=(Pad(id="pad", x=wide_m / 2, y=0.0),),
        fleet=(Drone(id="drone", model=model, pad_id="pad"),),
        agents=(Agent(id="agent", name="agent"),),
        surface_levels=(level,),
        policy=Policy(
            refill_s=STOP_S,
            swap_s=STOP_S,
            reserve_frac=0.0,
            transit_min_m=3.0,
            is_swap_in_refill=is_swap_in_refill,
        ),
    )


def scene_least_min(area_m2: float, num_refills: int, plan: Plan, *, is_shared: bool) -> float:
    """What nobody can go below: spraying, take-offs and landings, refills, swaps for the energy.

    With nothing on the way, and the power of an empty drone.
    """
    model = plan.site.fleet[0].model
    flown_s = area_m2 / (SWATH_M * SPRAY_MPS) + (num_refills + 1) * GROUND_S
    swaps = math.ceil(flown_s * model.hover_power_w(0.0) / (model.battery_wh * 3600)) - 1
    stops = num_refills if is_shared else num_refills + swaps
    return (flown_s + stops * STOP_S) / 60


def scenes(laws: ModuleType) -> list[str]:
    """The tables of the three scenes, by reading."""
    lines = []
    for reading in READINGS:
        lines += [
            "",
            f"Counts read as {reading.text}:",
            "",
            "| scene | m2 | stops | nobody below | bound | min | min as the paper counts | "
            "at most | refills | swaps | breaches |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for name, (area_m2, counted, serial_min, shared_min) in SCENES.items():
            for is_shared, limit in ((False, serial_min), (True, shared_min)):
                plan = plan_site(scene(area_m2, reading, is_swap_in_refill=is_shared))
                total = summarise(plan)
                num = counted - reading.refills_less
                least = scene_least_min(area_m2, num, plan, is_shared=is_shared)
                stops = "swaps inside refills" if is_shared else "in turn"
                lines.append(
                    f"| {name} | {total.treated_m2:.1f} | {stops} | {least:.1f} | "
                    f"{total.lowest_min:.1f} | {total.makespan_min:.1f} | "
                    f"{total.makespan_min - unpaid_min(plan):.1f} | "
                    f"{limit} | {total.num_refills} | "
                    f"{total.num_swaps} | {count_breaches(plan, laws)} |"
                )
    return lines


def unpaid_min(plan: Plan) -> float:
    """What the paper's minutes do not hold: take-offs, landings, ways from the pad and back."""
    models = {drone.id: drone.model for drone in plan.site.fleet}
    ways_s = math.fsum(
        leg_s(leg, models[s.drone_id]) for s in plan.sorties for leg in (s.legs[0], s.legs[-1])
    )
    return (ways_s + len(plan.sorties) * GROUND_S) / 60


SCENE_TEXT = """The abstract gives areas, 2.2 m, 0.5 m/s, 7 min, 4 min for a refill and for a swap,
the counts (5 refills and 2 swaps, 3 and 2, 11 and 5) and the minutes. Without the stops those leave
13.0, 8.6 and 32.4 min of flight: 1.9, 1.2 and 4.6 times 7 min. The paper's swaps are these numbers
rounded up, which counts the battery of the start: who flies 8.6 min in all swaps once. Refills
counted in the same way are tankfuls. Both readings stand below. Minutes run from the first
take-off, filled and charged, to the last landing. The paper's own minutes count no take-off, way
or landing; ours do, and "as the paper counts" is without them, turns and all stops included.
"Nobody below" is spraying at 1.1 m2/s, take-offs and landings, and stops, with no way and no turn
between; "bound" is what no order of the plan's own passes can go below (coverage/lowest.py): ramps,
turns, ways and whole flights counted at their least. Where the bound is above "at most", no order
of these passes is that quick from door to door."""


def shell_run(site_path: Path) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and peak MB of `skymist plan` from the shell."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [Path(sys.executable).with_name("skymist"), "plan", site_path, "-o", folder]
        subprocess.run(command, check=True, capture_output=True)
        took_s = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def spent(plan: Plan) -> list[str]:
    """Where the drones' time goes, in minutes of all drones, as a table."""
    models = {drone.id: drone.model for drone in plan.site.fleet}
    policy = plan.site.policy
    minutes: dict[str, float] = defaultdict(float)
    ends_s: dict[str, float] = defaultdict(float)
    for sortie in plan.sorties:
        legs, model = sortie.legs, models[sortie.drone_id]
        for k, leg in enumerate(legs):
            at_pad = k in (0, len(legs) - 1)
            name = "from and to pads" if at_pad else "between passes"
            minutes["passes" if isinstance(leg, Pass) else name] += leg_s(leg, model) / 60
        minutes["take-offs, landings"] += GROUND_S / 60
        minutes["refills"] += policy.refill_s * sortie.refill_before / 60
        minutes["swaps"] += policy.swap_s * sortie.swap_before / 60
        end_s = sortie.start_s + sortie.duration_s
        ends_s[sortie.drone_id] = max(ends_s[sortie.drone_id], end_s)
    minutes["waits"] = sum(ends_s.values()) / 60 - sum(minutes.values())
    minutes["done before the last"] = sum(plan.makespan_s - s for s in ends_s.values()) / 60
    return [
        "| " + " | ".join(minutes) + " |",
        "|---" * len(minutes) + "|",
        "| " + " | ".join(f"{value:.0f}" for value in minutes.values()) + " |",
    ]


ROUTER_TEXT = """Skymist has PyVRP group chunks into flights (`coverage/tours.py`) and shares the
flights out itself (`coverage/balance.py`). C lets PyVRP do both, with a vehicle per drone and
reloads at its pad. It is slower by what its model cannot hold: the drone that is done last, a
battery that is swapped at some reloads and not at others, agents that must not share a tank. Its
clients have one time window, spots may have several and closures lie on the way:
`coverage/timetable.py` keeps those. What does not fit the day is left out by level in whole spots
(`coverage/dayplan.py`): a worse spot is never traded for two better ones, as by prizes."""


def page(rows: Sequence[Row], paper: Sequence[str], shell: tuple[float, float, float]) -> str:
    """docs/sorties-benchmark.md."""
    ours = summarise(rows[0].plan)
    lines = [
        "# Sorties benchmark",
        "",
        "Written by `python tests/benchmarks/sorties_bench.py`. Same treatments, cost functions",
        "and schedule for all; the laws are those of `tests/checks.py`.",
        "",
        f"## {rows[0].plan.site.name}, {ours.num_drones} drones",
        "",
        f"`skymist plan` from the shell: {shell[0]:.1f} s, {shell[1]:.1f} s of CPU, "
        f"{shell[2]:.0f} MB. Lower bound {ours.lowest_min:.1f} min, gap {ours.gap_frac:.1%}.",
        "",
        "| plan | makespan, min | Skymist is lower by | drone-min | sorties | breaches |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        total = summarise(row.plan)
        lower = 1 - ours.makespan_min / total.makespan_min
        lines.append(
            f"| {row.name} | {total.makespan_min:.1f} | {lower:.1%} | {total.drone_min:.0f} | "
            f"{total.num_sorties} | {row.breaches} |"
        )
    lines += ["", *ROUTER_TEXT.splitlines()]
    lines += ["", "Where the minutes of Skymist's drones go, all together:", ""]
    lines += [
        *spent(rows[0].plan),
        "",
        "## Scenes of Gonzalez-Jorge et al. (Drones 5:18, 2021)",
        "",
        SCENE_TEXT,
        *paper,
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--site", default="kouvola")
    given = parser.parse_args()
    laws = oracles()
    place = ROOT / "examples" / given.site / "site.yaml"
    shell = shell_run(place)
    rows = compared(read_site(place), laws)
    text = page(rows, scenes(laws), shell)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
