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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from shapely.geometry import box

from skymist.coverage.chunks import Chunk, chunks_of
from skymist.coverage.days import day_s, in_order
from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.flights import Base, Flight, Flights
from skymist.coverage.frames import Origin
from skymist.coverage.hops import Hops
from skymist.coverage.plan import Plan
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
from skymist.missions.site import read_site

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "sorties-benchmark.md"
NEAR_CHUNKS = 15
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
    """Skymist and both baselines, on the pads in turn and on those that Skymist chose."""
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
    return rows


class _without_promises:
    """The laws but those that a baseline breaks by leaving out what it cannot reach."""

    def __init__(self, laws: ModuleType) -> None:
        skipped = ("assert_accounts_for_every_spot", "assert_doses")
        self.PLAN_LAWS = tuple(law for law in laws.PLAN_LAWS if law.__name__ not in skipped)


SCENES = {
    "scene 1": (882.7, 41.0, 33.0),
    "scene 2": (545.0, 28.6, 20.6),
    "scene 3": (2025.7, 96.4, 76.4),
}
"""Square metres; minutes at most with serial stops, and with swaps inside refill stops."""
FLOW_LPS = 0.0625
TANK_M2 = 176.0
"""What one tank treats: the least with which 2025.7 m2 take the paper's 11 refills."""


def scene(area_m2: float, *, is_swap_in_refill: bool) -> Site:
    """A square with the pad beside it, for the paper's drone: 2.2 m, 0.5 m/s, 3 m, 7 minutes."""
    side_m = math.sqrt(area_m2)
    sprayed_l = FLOW_LPS * TANK_M2 / (2.2 * 0.5)
    model = DroneModel(
        id="paper",
        name="Gonzalez-Jorge et al. 2021",
        sprayer=Sprayer(
            tank_l=sprayed_l / 0.92 + 0.2,
            flow_min_lps=FLOW_LPS / 4,
            flow_max_lps=FLOW_LPS,
            swath_m=2.2,
        ),
        body_m=1.0,
        dry_kg=14.0,
        endurance_empty_s=840.0,
        endurance_full_s=420.0,
        battery_wh=200.0,
    )
    level = Level(
        name=LevelName.RED,
        dose_l_per_m2=FLOW_LPS / (2.2 * 0.5) / 1.08,
        agent_id="agent",
        revisit_days=1.0,
    )
    yard = BlindSpot(
        id="yard", kind=Kind.YARD, level=LevelName.RED, shape=box(0, 3, side_m, 3 + side_m)
    )
    return Site(
        name=f"{area_m2:g} m2",
        origin=Origin(lat_deg=42.0, lon_deg=-8.0),
        spots=(yard,),
        pads=(Pad(id="pad", x=side_m / 2, y=0.0),),
        fleet=(Drone(id="drone", model=model, pad_id="pad"),),
        agents=(Agent(id="agent", name="agent"),),
        surface_levels=(level,),
        policy=Policy(
            refill_s=240.0,
            swap_s=240.0,
            transit_min_m=3.0,
            reserve_frac=0.0,
            is_swap_in_refill=is_swap_in_refill,
        ),
    )


def scenes(laws: ModuleType) -> list[str]:
    """The table of the three scenes."""
    lines = [
        "| scene | m2 | stops | min | at most | refills | swaps | breaches |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (area_m2, serial_min, shared_min) in SCENES.items():
        for is_shared, limit in ((False, serial_min), (True, shared_min)):
            plan = plan_site(scene(area_m2, is_swap_in_refill=is_shared))
            total = summarise(plan)
            stops = "swaps inside refills" if is_shared else "serial"
            lines.append(
                f"| {name} | {total.treated_m2:.1f} | {stops} | {total.makespan_min:.1f} | "
                f"{limit} | {total.num_refills} | {total.num_swaps} | "
                f"{count_breaches(plan, laws)} |"
            )
    return lines


def shell_run(site_path: Path) -> tuple[float, float]:
    """Seconds and peak MB of `skymist plan` from the shell."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [Path(sys.executable).with_name("skymist"), "plan", site_path, "-o", folder]
        subprocess.run(command, check=True, capture_output=True)
        took_s = time.perf_counter() - start
    return took_s, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def page(rows: Sequence[Row], paper: Sequence[str], took_s: float, peak_mb: float) -> str:
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
        f"`skymist plan` from the shell: {took_s:.1f} s, {peak_mb:.0f} MB. Lower bound "
        f"{ours.lowest_min:.1f} min, gap {ours.gap_frac:.1%}.",
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
    lines += ["", "## Scenes of Gonzalez-Jorge et al. (Drones 5:18, 2021)", "", *paper, ""]
    return "\n".join(lines)


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--site", default="kouvola")
    given = parser.parse_args()
    laws = oracles()
    place = ROOT / "examples" / given.site / "site.yaml"
    took_s, peak_mb = shell_run(place)
    rows = compared(read_site(place), laws)
    text = page(rows, scenes(laws), took_s, peak_mb)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
