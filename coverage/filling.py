"""Chunks put into flights that have room; flights that are not worth their stop are dissolved."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.chunks import usable_l

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.chunks import Chunk, Load
    from skymist.coverage.flights import Flight, Flights

    Floats = NDArray[np.float64]

LIGHT = 0.75
"""Share of a tank below which a flight may be worth dissolving."""
TRUE_MOST = 2
"""Of these, the best by estimates whose true costs are looked at."""
SLACK_S = 15.0
"""How far estimates may be off; seen on a made-up district: 5 s standard deviation of a way."""
HOSTS_MOST = 8
"""Nearest flights with room that are tried for a chunk."""


def gaps_m(chunks: Sequence[Chunk], hosts: Sequence[Flight]) -> Floats:
    """From each chunk (rows) to the middle of each flight; infinite where it has no room for it."""
    if not chunks or not hosts:
        return np.zeros((len(chunks), len(hosts)))
    middles = np.array([chunk.middle for chunk in chunks])
    places = np.array([host.middle for host in hosts])
    gaps = np.hypot(*(middles[:, None] - places[None]).transpose(2, 0, 1))
    model = hosts[0].base.hops.model
    sizes = np.array([chunk.litres_l for chunk in chunks])
    rooms = np.array([usable_l(model) - host.cost.litres_l for host in hosts]) + 1e-9
    loads = {load: k for k, load in enumerate({h.chunks[0].load: 0 for h in hosts})}
    theirs = np.array([loads[host.chunks[0].load] for host in hosts])
    ours = np.array([loads.get(chunk.load, -1) for chunk in chunks])
    fits = (sizes[:, None] <= rooms[None]) & (ours[:, None] == theirs[None])
    return np.where(fits, gaps, np.inf)


def insertions(host: Flight, chunk: Chunk) -> list[tuple[Chunk, ...]]:
    """The chunks of a flight with one more, before and after the one nearest to it."""
    gaps = [math.dist(c.middle, chunk.middle) for c in host.chunks]
    nearest = gaps.index(min(gaps))
    return [(*host.chunks[:k], chunk, *host.chunks[k:]) for k in (nearest, nearest + 1)]


def inserted(flights: Flights, hosts: Sequence[Flight], chunk: Chunk) -> list[tuple[float, int]]:
    """By estimates, the seconds that a chunk more takes in each flight, the least first.

    The second number is that of the host in `hosts`, twice over, plus which of its `insertions`.
    """
    rows = [(host.base, row) for host in hosts for row in insertions(host, chunk)]
    before = flights.guess_s([(host.base, host.chunks) for host in hosts])
    more = [s - before[k // 2] for k, s in enumerate(flights.guess_s(rows))]
    return sorted((s, k) for k, s in enumerate(more))


def dissolved(
    flights: Flights, given: Sequence[Flight], stop_s: float, is_over: Callable[[], bool]
) -> list[Flight]:
    """Fewer flights over the same chunks where others have room and it saves time in all."""
    by_load: dict[Load, list[Flight]] = defaultdict(list)
    for flight in given:
        by_load[flight.chunks[0].load].append(flight)
    made: list[Flight] = []
    for some in by_load.values():
        group = _Group(flights, some)
        light = [k for k, f in enumerate(some) if f.cost.litres_l < group.tank_l * LIGHT]
        for k in sorted(light, key=lambda k: (some[k].cost.litres_l, k)):
            if not is_over():
                group.dissolve(k, stop_s)
        made += [flight for flight in group.flights if flight is not None]
    return made


class _Group:
    """Flights of one load, by place and room."""

    def __init__(self, maker: Flights, some: Sequence[Flight]) -> None:
        self._maker = maker
        self.flights: list[Flight | None] = list(some)
        self.tank_l = usable_l(some[0].base.hops.model)
        self._middles = np.array([flight.middle for flight in some])
        self._rooms = np.array([self.tank_l - flight.cost.litres_l for flight in some])

    def dissolve(self, k: int, stop_s: float) -> None:
        """Put the chunks of one flight into others, if that is quicker in all."""
        gone = self.flights[k]
        if gone is None:
            return
        spare_s = gone.cost.duration_s + stop_s
        changed: dict[int, Flight] = {}
        rooms = self._rooms.copy()
        rooms[k] = -1.0
        for chunk in sorted(gone.chunks, key=lambda c: -c.litres_l):
            gaps = np.hypot(*(self._middles - chunk.middle).T)
            has_room = rooms >= chunk.litres_l - 1e-9
            nearest = np.argsort(np.where(has_room, gaps, np.inf), kind="stable")[:HOSTS_MOST]
            near = [j for j in nearest.tolist() if has_room[j]]
            hosts = {j: changed.get(j) or self.flights[j] for j in near}
            some = {j: h for j, h in hosts.items() if h is not None}
            best = self._best(some, chunk, spare_s)
            if best is None or best[0] > spare_s:
                return
            spare_s -= best[0]
            changed[best[1]] = best[2]
            rooms[best[1]] -= chunk.litres_l
        for j, fuller in changed.items():
            self.flights[j], self._middles[j] = fuller, fuller.middle
        self.flights[k], self._rooms = None, rooms

    def _best(
        self, hosts: dict[int, Flight], chunk: Chunk, most_s: float
    ) -> tuple[float, int, Flight] | None:
        """The host in which a chunk takes least: seconds more, its number, the fuller flight.

        Nothing where estimates say that it takes more than `most_s` in each.
        """
        numbers, some = list(hosts), list(hosts.values())
        best: tuple[float, int, Flight] | None = None
        num_true = 0
        for guess_s, at in inserted(self._maker, some, chunk):
            if guess_s > most_s + SLACK_S:
                break
            host = some[at // 2]
            fuller = self._maker.over(host.base, insertions(host, chunk)[at % 2])
            if fuller is None:
                continue
            more_s = fuller.cost.duration_s - host.cost.duration_s
            if best is None or more_s < best[0]:
                best = (more_s, numbers[at // 2], fuller)
            num_true += 1
            if num_true == TRUE_MOST:
                break
        return best
