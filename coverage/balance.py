"""Flights shared out among drones, and mended until the last drone is done as soon as can be.

Moves a flight, swaps two, or moves a chunk from one flight to another, always away from the
drone that is done last; each move is weighed with the true costs of the flights.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.chunks import halves_of
from skymist.coverage.days import day_s
from skymist.coverage.filling import gaps_m, inserted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from skymist.coverage.drones import Drone
    from skymist.coverage.flights import Base, Flight, Flights
    from skymist.coverage.site import Policy

    Days = dict[str, list[Flight]]

MOST_ROUNDS = 200
GAIN_S = 10.0
WORTH = 0.5
"""What a second of all drones together is worth beside one of the drone that is done last."""
TRIES = 16
"""Moves of a kind that are weighed before the best is made."""
OTHERS_MOST = 6


class Roster:
    """Who flies what; `days` holds each drone's flights, in no order yet."""

    def __init__(
        self, drones: Sequence[Drone], bases: Mapping[str, Base], policy: Policy, flights: Flights
    ) -> None:
        self._bases, self._policy, self._flights = bases, policy, flights
        self.days: Days = {drone.id: [] for drone in drones}
        self.loads_s = dict.fromkeys(self.days, 0.0)

    @property
    def makespan_s(self) -> float:
        """When the last drone is done, with nothing to wait for."""
        return max(self.loads_s.values(), default=0.0)

    def share_out(self, flights: Sequence[Flight]) -> None:
        """Give each flight to a drone of its base: the longest first, to the one done soonest."""
        for flight in sorted(flights, key=lambda f: (-f.cost.duration_s, f.chunks[0].spot_id)):
            own = [d for d in self.days if self._bases[d].index == flight.base.index]
            drone_id = min(own, key=lambda d: (self.loads_s[d], d))
            self.days[drone_id].append(flight)
            self.loads_s[drone_id] += flight.cost.duration_s + self._policy.refill_s
        for drone_id, day in self.days.items():
            self.loads_s[drone_id] = day_s(day, self._policy)

    def improve(self, is_over: Callable[[], bool]) -> None:
        """Take work from the drone that is done last, or from the next, while that helps.

        Each move lowers the later end of two days, so that the days end nearer to each other.
        """
        stuck: set[str] = set()
        for _ in range(MOST_ROUNDS):
            todo = [d for d in self.days if d not in stuck]
            if is_over() or not todo:
                return
            last = max(todo, key=lambda d: (self.loads_s[d], d))
            changed = self._relieve(last)
            stuck = set() if changed else stuck | {last}

    def _relieve(self, last: str) -> set[str]:
        """Make the first kind of move that ends a drone's day earlier; who was touched."""
        for moves in (self._moved_flights, self._moved_chunks, self._swapped, self._parted):
            best: tuple[float, Days, dict[str, float]] | None = None
            for days in islice(moves(last), TRIES):
                loads = {d: day_s(day, self._policy) for d, day in days.items()}
                top_s = max(loads.values()) + WORTH * sum(loads.values())
                if max(loads.values()) < self.loads_s[last] - GAIN_S and (
                    best is None or top_s < best[0] - 1e-9
                ):
                    best = (top_s, days, loads)
            if best is not None:
                self.days.update(best[1])
                self.loads_s.update(best[2])
                return set(best[1])
        return set()

    def _others(self, last: str) -> list[str]:
        """Drones that are done earlier, the earliest first."""
        free = [d for d in self.days if self.loads_s[d] < self.loads_s[last] - GAIN_S]
        return sorted(free, key=lambda d: (self.loads_s[d], d))[:OTHERS_MOST]

    def _there(self, drone_id: str, flight: Flight) -> Flight | None:
        """The same flight by another drone."""
        base = self._bases[drone_id]
        if base.index == flight.base.index:
            return flight
        if base.hops.model.id != flight.base.hops.model.id:
            return None
        return self._flights.over(base, flight.chunks)

    def _detour_m(self, drone_id: str, flight: Flight) -> float:
        """How much farther from another drone's pad a flight's work lies than from its own."""
        place, (x, y) = self._bases[drone_id].home, flight.chunks[0].middle
        return math.dist(place[:2], (x, y)) - math.dist(flight.base.home[:2], (x, y))

    def _moved_flights(self, last: str) -> Iterator[Days]:
        """Each flight to each drone that has time for it, the least detour first."""
        pairs = [
            (self._detour_m(other, flight), k, other)
            for other in self._others(last)
            for k, flight in enumerate(self.days[last])
            if flight.cost.duration_s < self.loads_s[last] - self.loads_s[other]
        ]
        for _, k, other in sorted(pairs):
            moved = self._there(other, self.days[last][k])
            if moved is not None:
                rest = self.days[last][:k] + self.days[last][k + 1 :]
                yield {last: rest, other: [*self.days[other], moved]}

    def _swapped(self, last: str) -> Iterator[Days]:
        """A flight for a shorter one, the least detour first."""
        pairs = [
            (self._detour_m(other, mine) + self._detour_m(last, theirs), k, other, j)
            for other in self._others(last)
            for k, mine in enumerate(self.days[last])
            for j, theirs in enumerate(self.days[other])
            if 0
            < mine.cost.duration_s - theirs.cost.duration_s
            < self.loads_s[last] - self.loads_s[other]
        ]
        for _, k, other, j in sorted(pairs)[: 2 * TRIES]:
            given = self._there(other, self.days[last][k])
            taken = self._there(last, self.days[other][j])
            if given is not None and taken is not None:
                mine, theirs = list(self.days[last]), list(self.days[other])
                mine[k], theirs[j] = taken, given
                yield {last: mine, other: theirs}

    def _parted(self, last: str) -> Iterator[Days]:
        """One half of a flight as a flight of another drone, the least detour first."""
        pairs = [
            (self._detour_m(other, flight), k, other)
            for other in self._others(last)
            for k, flight in enumerate(self.days[last])
            if flight.cost.duration_s / 2 < self.loads_s[last] - self.loads_s[other]
        ]
        for _, k, other in sorted(pairs):
            flight = self.days[last][k]
            halves = flight.chunks if len(flight.chunks) > 1 else halves_of(flight.chunks[0])
            cut = len(halves) // 2
            for kept, given in ((halves[:cut], halves[cut:]), (halves[cut:], halves[:cut])):
                left = self._flights.over(flight.base, kept) if kept else None
                moved = self._flights.over(self._bases[other], given) if left else None
                if left is not None and moved is not None:
                    mine = list(self.days[last])
                    mine[k] = left
                    yield {last: mine, other: [*self.days[other], moved]}

    def _moved_chunks(self, last: str) -> Iterator[Days]:
        """Each chunk to the nearest flights with room, the nearest pair first."""
        mine = [(f, k) for f in self.days[last] for k in range(len(f.chunks))]
        pairs: list[tuple[float, int, str, int]] = []
        for other in self._others(last):
            gaps = gaps_m([f.chunks[k] for f, k in mine], self.days[other])
            nearest = np.argsort(gaps, axis=None, kind="stable")[: 2 * TRIES]
            for at in nearest[np.isfinite(gaps.ravel()[nearest])].tolist():
                row, column = divmod(at, gaps.shape[1])
                pairs.append((float(gaps[row, column]), row, other, column))
        for _, row, other, column in sorted(pairs)[: 2 * TRIES]:
            (flight, k), host = mine[row], self.days[other][column]
            rest = flight.chunks[:k] + flight.chunks[k + 1 :]
            left = self._flights.over(flight.base, rest) if rest else None
            fuller = inserted(self._flights, host, flight.chunks[k])
            if fuller is not None and (left is not None or not rest):
                kept = [f for f in self.days[last] if f is not flight]
                yield {
                    last: [*kept, left] if left else kept,
                    other: [fuller if f is host else f for f in self.days[other]],
                }
