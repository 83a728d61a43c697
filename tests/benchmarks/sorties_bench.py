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


class _without_promises:  # noqa: N801
    """The laws but those that a baseline breaks by leaving out what it cannot reach."""

    def __init__(self, laws: ModuleType) -> None:
        skipped = ("assert_accounts_for_every_spot", "assert_doses")
        self.PLAN_LAWS = tuple(law for law in laws.PLAN_LAWS if law.__name__ not in skipped)


SCENES = {
    "scene 1": (882.7, 41.0, 33.0),
    "scene 2": (545.0, 28.6, 20.6),
    "scene 3": (2025.7, 96.4, 76.4),
}


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--site", default="kouvola")
    given = parser.parse_args()
    laws = oracles()
    site = read_site(ROOT / "examples" / given.site / "site.yaml")
    rows = compared(site, laws)
    for row in rows:
        total = summarise(row.plan)
        print(
            f"{row.name}: {total.makespan_min:.1f} min, {total.drone_min:.0f} drone-min, "
            f"{total.num_sorties} sorties, {row.breaches} breaches"
        )


if __name__ == "__main__":
    main()
