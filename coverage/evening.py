"""Spots that take several tanks, cut anew into equal parts where that ends a drone's day earlier.

Full tanks and a small rest fly the fewest times; equal parts are lighter, so that one battery may
carry one flight more.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from skymist.coverage.chunks import cut_at, joined, usable_l
from skymist.coverage.days import best_day_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from skymist.coverage.chunks import Chunk
    from skymist.coverage.flights import Base, Flight, Flights
    from skymist.coverage.plan import Pass
    from skymist.coverage.site import Policy

MORE_PARTS = 2
"""How many parts more than the fewest are tried."""
GAIN_S = 1.0
MENDS, MEND_POWER = 3, 1.2
"""How often sizes are mended, and how far: part of a battery goes into the way, not the work."""


def evened(maker: Flights, day: Sequence[Flight], policy: Policy) -> list[Flight]:
    """One drone's flights, those over one spot alone in equal parts where that saves time."""
    best, best_s = list(day), best_day_s(day, policy)
    groups: dict[tuple[object, ...], list[Flight]] = defaultdict(list)
    for flight in day:
        if len({chunk.spot_id for chunk in flight.chunks}) == 1:
            groups[flight.chunks[0].spot_id, flight.chunks[0].load].append(flight)
    for some in groups.values():
        if len(some) < 2:
            continue
        whole = _whole([chunk for flight in some for chunk in flight.chunks])
        base = some[0].base
        fewest = math.ceil(whole.litres_l / usable_l(base.hops.model) - 1e-6)
        for count in range(fewest, fewest + MORE_PARTS + 1):
            for made in _flown_evenly(maker, base, whole, count):
                gone = {id(flight) for flight in some}
                tried = [flight for flight in best if id(flight) not in gone] + made
                tried_s = best_day_s(tried, policy)
                if tried_s < best_s - GAIN_S:
                    best, best_s, some = tried, tried_s, made
    return best


def _flown_evenly(maker: Flights, base: Base, whole: Chunk, count: int) -> Iterator[list[Flight]]:
    """Flights over parts of the same litres, then of litres that take the same of a battery."""
    shares = [1.0 / count] * count
    for _ in range(1 + MENDS):
        parts = [maker.over(base, (part,)) for part in parts_of(whole, shares)]
        made = [flight for flight in parts if flight is not None]
        if len(made) < count:
            return
        yield made
        mean = math.fsum(flight.cost.battery_frac for flight in made) / count
        shares = [
            share * (mean / flight.cost.battery_frac) ** MEND_POWER
            for share, flight in zip(shares, made, strict=True)
        ]
        shares = [share / math.fsum(shares) for share in shares]


def _whole(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks of one spot as one, in the order in which they adjoin."""
    ordered = sorted(chunks, key=lambda chunk: chunk.index)
    return replace(ordered[0], passes=tuple(joined([p for c in ordered for p in c.passes])))


def parts_of(chunk: Chunk, shares: Sequence[float]) -> list[Chunk]:
    """A chunk in parts of these shares of its litres, cut at passes' ends where one has no cut."""
    sizes_l = [share * chunk.litres_l for share in shares]
    groups: list[list[Pass]] = [[]]
    left_l, todo = sizes_l[0], list(chunk.passes)[::-1]
    while todo:
        whole = todo.pop()
        if whole.litres_l <= left_l + 1e-6 or len(groups) == len(sizes_l):
            groups[-1].append(whole)
            left_l -= whole.litres_l
            continue
        cut = cut_at(whole, left_l / whole.litres_l)
        if cut is not None:
            groups[-1].append(cut[0])
            todo.append(cut[1])
        elif groups[-1] and left_l < whole.litres_l / 2:
            todo.append(whole)
        else:
            groups[-1].append(whole)
        groups.append([])
        left_l = sizes_l[len(groups) - 1]
    return [replace(chunk, passes=tuple(group)) for group in groups if group]
