"""Chunks put into flights that have room; flights that are not worth their stop are dissolved."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.chunks import usable_l

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from skymist.coverage.chunks import Chunk, Load
    from skymist.coverage.flights import Flight, Flights

HOSTS_MOST = 5
"""Nearest flights with room that are tried for a chunk."""


def has_room(flight: Flight, chunk: Chunk) -> bool:
    """Whether the tank takes a chunk more."""
    return flight.cost.litres_l + chunk.litres_l <= usable_l(flight.base.hops.model) + 1e-9


def gap_m(flight: Flight, chunk: Chunk) -> float:
    """From a chunk to the nearest of a flight, across the ground."""
    return min(math.dist(chunk.middle, c.middle) for c in flight.chunks)


def inserted(flights: Flights, host: Flight, chunk: Chunk) -> Flight | None:
    """A flight with a chunk more where that takes least; None where there is no room."""
    gaps = [math.dist(c.middle, chunk.middle) for c in host.chunks]
    nearest = gaps.index(min(gaps))
    made = [
        flights.over(host.base, (*host.chunks[:k], chunk, *host.chunks[k:]))
        for k in (nearest, nearest + 1)
    ]
    found = [flight for flight in made if flight is not None]
    return min(found, key=lambda f: f.cost.duration_s, default=None)


def dissolved(
    flights: Flights, given: Sequence[Flight], stop_s: float, is_over: Callable[[], bool]
) -> list[Flight]:
    """Fewer flights over the same chunks where others have room and it saves time in all."""
    by_load: dict[Load, list[Flight]] = defaultdict(list)
    for flight in given:
        by_load[flight.chunks[0].load].append(flight)
    made: list[Flight] = []
    for some in by_load.values():
        kept = sorted(some, key=lambda f: f.cost.litres_l)
        for flight in list(kept):
            if is_over() or flight not in kept:
                continue
            fewer = _without(flights, flight, kept, stop_s)
            kept = kept if fewer is None else fewer
        made += kept
    return made


def _without(
    flights: Flights, gone: Flight, kept: Sequence[Flight], stop_s: float
) -> list[Flight] | None:
    """The flights with the chunks of one put into others; None where that is not quicker."""
    spare_s = gone.cost.duration_s + stop_s
    hosts = [flight for flight in kept if flight is not gone]
    middles = np.array([_middle(flight) for flight in hosts]).reshape(-1, 2)
    for chunk in sorted(gone.chunks, key=lambda c: -c.litres_l):
        fit = [k for k, host in enumerate(hosts) if has_room(host, chunk)]
        fit.sort(key=lambda k: float(np.hypot(*(middles[k] - chunk.middle))))
        fit = sorted(fit[: 3 * HOSTS_MOST], key=lambda k: gap_m(hosts[k], chunk))[:HOSTS_MOST]
        best: tuple[float, int, Flight] | None = None
        for k in fit:
            fuller = inserted(flights, hosts[k], chunk)
            if fuller is not None:
                more_s = fuller.cost.duration_s - hosts[k].cost.duration_s
                if best is None or more_s < best[0]:
                    best = (more_s, k, fuller)
        if best is None or best[0] > spare_s:
            return None
        spare_s -= best[0]
        hosts[best[1]] = best[2]
    return hosts


def _middle(flight: Flight) -> tuple[float, float]:
    middles = [chunk.middle for chunk in flight.chunks]
    return sum(x for x, _ in middles) / len(middles), sum(y for _, y in middles) / len(middles)
