"""One flight over given chunks from a pad and back: its legs, time and battery, or that it cannot.

The costs are those of the sortie that is flown in the end; whatever compares sorties asks here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.chunks import Chunk, carried_l, fits_tank, held_l, joined, usable_l
from skymist.coverage.energy import LAND_S, SPOOL_S, Cost, sortie_cost
from skymist.coverage.errors import PlanError
from skymist.coverage.hours import ALWAYS, open_s
from skymist.coverage.plan import Pass, Sortie
from skymist.coverage.works import works_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.coverage.airways import XYZ
    from skymist.coverage.hops import Hops
    from skymist.coverage.hours import Spans
    from skymist.coverage.plan import Leg
    from skymist.coverage.site import Pad
    from skymist.coverage.timetable import Timetable

PASSES_MOST = 90
"""Passes in one sortie: at 5 to 7 items each, below ArduPilot's 650 (ARDUPILOT.md, 10)."""
AROUND_MOST_S = 120.0
"""What a flight may take more to go around closed ground. Proposal of this project."""
PAD_HEIGHT_M = 3.0
"""Where the way home ends, above the pad; from there the vehicle lands by itself."""


@dataclass(frozen=True, slots=True)
class Base:
    """Drones of one model on one pad. `index` is its place among the bases of a plan."""

    index: int
    pad: Pad
    hops: Hops

    @property
    def home(self) -> XYZ:
        """Where flights start and end, above the pad."""
        return self.pad.x, self.pad.y, PAD_HEIGHT_M


@dataclass(frozen=True, slots=True)
class Flight:
    """Legs from a base and back, with what they take.

    `takeoffs` is when hours allow it to start. Of two flights the one of less `worth` comes first.
    """

    base: Base
    chunks: tuple[Chunk, ...]
    legs: tuple[Leg, ...] = field(repr=False)
    cost: Cost
    takeoffs: Spans = ALWAYS
    worth: tuple[int, float] = (0, 0.0)

    @property
    def middle(self) -> tuple[float, float]:
        """The mean of its chunks' middles."""
        middles = [chunk.middle for chunk in self.chunks]
        return sum(x for x, _ in middles) / len(middles), sum(y for _, y in middles) / len(middles)

    def sortie(self, sortie_id: str, drone_id: str) -> Sortie:
        """The flight as a sortie that has no start time yet."""
        return Sortie(
            id=sortie_id,
            drone_id=drone_id,
            pad_id=self.base.pad.id,
            agent_id=self.chunks[0].load[0],
            legs=self.legs,
            litres_l=self.cost.litres_l,
            battery_frac=self.cost.battery_frac,
            carried_l=carried_l(self.legs, self.base.hops.model),
            start_s=0.0,
            duration_s=self.cost.duration_s,
        )


BATTERY_SLACK_FRAC = 0.03
"""By how much estimates of a flight's battery may be too high."""
Row = tuple[Base, Sequence[Chunk]]
"""Chunks to be flown in this order from a base."""


class Flights:
    """Makes flights, and remembers those it made.

    `ranks` says by spot what comes first (the least); without it nothing does.
    """

    def __init__(
        self, timetable: Timetable | None = None, ranks: Mapping[str, int] | None = None
    ) -> None:
        self._timetable, self._ranks = timetable, ranks or {}
        self._made: dict[tuple[int, tuple[int, ...]], Flight | None] = {}
        self._guessed: dict[tuple[int, tuple[int, ...]], float] = {}
        self._turned: dict[int, Chunk] = {}
        self._kept: dict[int, Chunk] = {}

    def over(self, base: Base, chunks: Sequence[Chunk]) -> Flight | None:
        """The flight over chunks in this order, each from its better end; None if it cannot be."""
        key = (base.index, tuple(id(chunk) for chunk in chunks))
        if key not in self._made:
            self._kept.update((id(chunk), chunk) for chunk in chunks)
            self._made[key] = self._fly(base, chunks)
        return self._made[key]

    def _fly(self, base: Base, chunks: Sequence[Chunk]) -> Flight | None:
        """The flight; around closed ground if that takes little more and frees its start."""
        model = base.hops.model
        if math.fsum(c.litres_l for c in chunks) > usable_l(model) + 1e-9:
            return None
        flight, around = self._flown(base, chunks, base.hops), base.hops.around
        if around is None or self._timetable is None:
            return flight
        if flight is None:
            return self._flown(base, chunks, around)
        legs, took_s = flight.legs, flight.cost.duration_s
        if flight.takeoffs == self._timetable.takeoffs(legs, model, took_s, is_closing=False):
            return flight
        wide = self._flown(base, chunks, around)
        if wide is None or wide.cost.duration_s > took_s + AROUND_MOST_S:
            return flight
        return wide if open_s(wide.takeoffs) > open_s(flight.takeoffs) else flight

    def _flown(self, base: Base, chunks: Sequence[Chunk], hops: Hops) -> Flight | None:
        """The flight with these ways; None where tank, battery, distance or hours forbid it."""
        model, policy = hops.model, hops.policy
        try:
            legs = self._legs(base if hops is base.hops else replace(base, hops=hops), chunks)
        except PlanError:
            return None
        cost = sortie_cost(legs, model, carried_l(legs, model), hops.wind)
        num_passes = sum(isinstance(leg, Pass) for leg in legs)
        is_long = num_passes > PASSES_MOST or cost.battery_frac > 1 - policy.reserve_frac
        if is_long or not fits_tank(legs, model) or not _within(legs, base.pad, policy.radius_m):
            return None
        takeoffs = ALWAYS
        if self._timetable is not None:
            takeoffs = self._timetable.takeoffs(legs, model, cost.duration_s)
        if not takeoffs:
            return None
        return Flight(base, tuple(chunks), legs, cost, takeoffs, self._worth(chunks, cost))

    def _worth(self, chunks: Sequence[Chunk], cost: Cost) -> tuple[int, float]:
        """The worst level that a flight treats, and the seconds for each of its spots."""
        if not self._ranks:
            return 0, 0.0
        spots = {chunk.spot_id for chunk in chunks}
        return min(self._ranks[s] for s in spots), cost.duration_s / len(spots)

    def guess_s(self, rows: Sequence[Row]) -> list[float]:
        """Seconds of flights over chunks in this order, to choose what is worth a true look.

        Estimates. What is too much for a tank or a battery takes forever.
        """
        keys = [(base.index, tuple(id(chunk) for chunk in chunks)) for base, chunks in rows]
        fresh = {k: row for k, row in zip(keys, rows, strict=True) if k not in self._guessed}
        by_hops: dict[str, list[Row]] = defaultdict(list)
        for row in fresh.values():
            by_hops[row[0].hops.model.id].append(row)
        for some in by_hops.values():
            hops = some[0][0].hops
            works_s([chunk for _, chunks in some for chunk in chunks], hops)
            hops.guess([pair for base, chunks in some for pair in self._pairs(base, chunks)])
        for key, (base, chunks) in fresh.items():
            self._kept.update((id(chunk), chunk) for chunk in chunks)
            self._guessed[key] = self._guessed_s(base, chunks)
        return [self._guessed[key] for key in keys]

    def _guessed_s(self, base: Base, chunks: Sequence[Chunk]) -> float:
        if not chunks:
            return 0.0
        model, litres = base.hops.model, math.fsum(c.litres_l for c in chunks)
        if litres > usable_l(model) + 1e-9:
            return math.inf
        works = sum(base.hops.worked[id(chunk)][1] for chunk in chunks)
        took_s = SPOOL_S + LAND_S + works + self._turns(base, chunks)[0]
        mean_w = model.hover_power_w(held_l(litres, model.sprayer) / 2) + base.hops.wind_w(0.0)
        used = took_s * mean_w / (model.battery_wh * 3600)
        room = (1 - base.hops.policy.reserve_frac) * (1 + BATTERY_SLACK_FRAC)
        return took_s if used <= room else math.inf

    def _pairs(self, base: Base, chunks: Sequence[Chunk]) -> list[tuple[XYZ, XYZ]]:
        """Every hop that a flight over chunks in this order may have."""
        ends = [(base.home,), *(tuple(dict.fromkeys(ends_of(c))) for c in chunks), (base.home,)]
        return [(a, b) for some, others in pairwise(ends) for a in some for b in others]

    def _turns(self, base: Base, chunks: Sequence[Chunk]) -> tuple[float, tuple[bool, ...]]:
        """By estimates: seconds between chunks, and which are flown backwards to make them few."""
        hop_s = base.hops.guessed_s
        ways: list[tuple[float, XYZ, tuple[bool, ...]]] = [(0.0, base.home, ())]
        for chunk in chunks:
            first, last = ends_of(chunk)
            fresh = []
            for start, end, is_back in ((first, last, False), (last, first, True)):
                best_s, way = min((s + hop_s(here, start), way) for s, here, way in ways)
                fresh.append((best_s, end, (*way, is_back)))
            ways = fresh
        return min((s + hop_s(here, base.home), way) for s, here, way in ways)

    def _legs(self, base: Base, chunks: Sequence[Chunk]) -> tuple[Leg, ...]:
        """The legs with every chunk flown from the end that makes the whole shortest."""
        base.hops.guess(self._pairs(base, chunks))
        turns = self._turns(base, chunks)[1]
        flown = [self._back(c) if back else c for c, back in zip(chunks, turns, strict=True)]
        return tuple(legs_over(base, [p for chunk in flown for p in chunk.passes]))

    def _back(self, chunk: Chunk) -> Chunk:
        if id(chunk) not in self._turned:
            self._kept[id(chunk)] = chunk
            self._turned[id(chunk)] = chunk.reversed()
        return self._turned[id(chunk)]


def ends_of(chunk: Chunk) -> tuple[XYZ, XYZ]:
    """Where a chunk starts and ends, in space."""
    first, last = chunk.passes[0], chunk.passes[-1]
    return (*first.path[0], first.above_home_m), (*last.path[-1], last.above_home_m)


def legs_over(base: Base, passes: Sequence[Pass]) -> list[Leg]:
    """Passes with the transits before, between and after them.

    Raises
    ------
    PlanError
        Where one of the transits has no way.
    """
    legs: list[Leg] = []
    here = base.home
    for sprayed in joined(passes):
        start = (*sprayed.path[0], sprayed.above_home_m)
        if not legs or math.dist(here, start) >= 0.05:
            legs.append(base.hops.way(here, start)[0])
        legs.append(sprayed)
        here = (*sprayed.path[-1], sprayed.above_home_m)
    legs.append(base.hops.way(here, base.home)[0])
    return legs


def _within(legs: Sequence[Leg], pad: Pad, radius_m: float) -> bool:
    """Whether a flight stays within the policy's distance from its pad."""
    return all(
        math.hypot(point[0] - pad.x, point[1] - pad.y) <= radius_m
        for leg in legs
        for point in leg.path
    )
