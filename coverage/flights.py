"""One flight over given chunks from a pad and back: its legs, time and battery, or that it cannot.

The costs are those of the sortie that is flown in the end; whatever compares sorties asks here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skymist.coverage.chunks import Chunk, carried_l, joined, usable_l
from skymist.coverage.energy import Cost, sortie_cost
from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Pass, Sortie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.airways import XYZ
    from skymist.coverage.hops import Hops
    from skymist.coverage.plan import Leg
    from skymist.coverage.site import Pad

PASSES_MOST = 90
"""Passes in one sortie: at 5 to 7 items each, below ArduPilot's 650 (ARDUPILOT.md, 10)."""
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
    """Legs from a base and back, with what they take."""

    base: Base
    chunks: tuple[Chunk, ...]
    legs: tuple[Leg, ...] = field(repr=False)
    cost: Cost

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
            carried_l=carried_l(self.legs, self.base.hops.model.sprayer),
            start_s=0.0,
            duration_s=self.cost.duration_s,
        )


class Flights:
    """Makes flights, and remembers those it made."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, tuple[int, ...]], Flight | None] = {}
        self._turned: dict[int, Chunk] = {}
        self._kept: list[Chunk] = []

    def over(self, base: Base, chunks: Sequence[Chunk]) -> Flight | None:
        """The flight over chunks in this order, each from its better end; None if it cannot be."""
        key = (base.index, tuple(id(chunk) for chunk in chunks))
        if key not in self._made:
            self._kept.extend(chunks)
            self._made[key] = self._fly(base, chunks)
        return self._made[key]

    def _fly(self, base: Base, chunks: Sequence[Chunk]) -> Flight | None:
        model, policy = base.hops.model, base.hops.policy
        if math.fsum(c.litres_l for c in chunks) > usable_l(model) + 1e-9:
            return None
        try:
            legs = self._legs(base, chunks)
        except PlanError:
            return None
        cost = sortie_cost(legs, model, carried_l(legs, model.sprayer))
        num_passes = sum(isinstance(leg, Pass) for leg in legs)
        is_long = num_passes > PASSES_MOST or cost.battery_frac > 1 - policy.reserve_frac
        if is_long or not _within(legs, base.pad, policy.radius_m):
            return None
        return Flight(base, tuple(chunks), legs, cost)

    def _legs(self, base: Base, chunks: Sequence[Chunk]) -> tuple[Leg, ...]:
        """The legs with every chunk flown from the end that makes the whole shortest."""
        ways: list[tuple[float, XYZ, list[Chunk]]] = [(0.0, base.home, [])]
        for chunk in chunks:
            fresh = []
            for turned in (chunk, self._back(chunk)):
                start, end = ends_of(turned)
                best_s, before = min(
                    ((s + self._hop_s(base, here, start), way) for s, here, way in ways),
                    key=lambda item: item[0],
                )
                fresh.append((best_s, end, [*before, turned]))
            ways = fresh
        _, _, flown = min(
            ((s + self._hop_s(base, here, base.home), here, way) for s, here, way in ways),
            key=lambda item: item[0],
        )
        return tuple(legs_over(base, [p for chunk in flown for p in chunk.passes]))

    def _back(self, chunk: Chunk) -> Chunk:
        if id(chunk) not in self._turned:
            self._kept.append(chunk)
            self._turned[id(chunk)] = chunk.reversed()
        return self._turned[id(chunk)]

    @staticmethod
    def _hop_s(base: Base, start: XYZ, end: XYZ) -> float:
        return 0.0 if math.dist(start, end) < 0.05 else base.hops.way(start, end)[1]


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
