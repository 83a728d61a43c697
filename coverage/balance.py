"""Flights shared out among drones, and mended until the last drone is done as soon as can be.

Moves a flight, swaps two, or moves a chunk from one flight to another, always away from the
drone that is done last; each move is weighed with the true costs of the flights.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

from skymist.coverage.chunks import usable_l
from skymist.coverage.days import day_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from skymist.coverage.chunks import Chunk
    from skymist.coverage.drones import Drone
    from skymist.coverage.flights import Base, Flight, Flights
    from skymist.coverage.site import Policy

    Days = dict[str, list[Flight]]

MOST_ROUNDS = 200
GAIN_S = 1.0
TRIES = 30
"""Moves of a kind that are weighed before the best is made."""
OTHERS_MOST = 6
PAIRS_MOST = 4


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
        """Take work from the drone that is done last while that helps."""
        for _ in range(MOST_ROUNDS):
            if is_over() or not self._relieve(
                max(self.loads_s, key=lambda d: (self.loads_s[d], d))
            ):
                return

    def _relieve(self, last: str) -> bool:
        """The first kind of move that has one which ends the last drone's day earlier."""
        for moves in (self._moved_flights, self._moved_chunks, self._swapped):
            best: tuple[float, Days, dict[str, float]] | None = None
            for days in islice(moves(last), TRIES):
                loads = {d: day_s(day, self._policy) for d, day in days.items()}
                top_s = max(loads.values())
                if best is None or top_s < best[0] - 1e-9:
                    best = (top_s, days, loads)
            if best is not None and best[0] < self.loads_s[last] - GAIN_S:
                self.days.update(best[1])
                self.loads_s.update(best[2])
                return True
        return False

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

    def _moved_flights(self, last: str) -> Iterator[Days]:
        for other in self._others(last):
            room_s = self.loads_s[last] - self.loads_s[other]
            for flight in self.days[last]:
                if flight.cost.duration_s > room_s:
                    continue
                moved = self._there(other, flight)
                if moved is not None:
                    rest = [f for f in self.days[last] if f is not flight]
                    yield {last: rest, other: [*self.days[other], moved]}

    def _swapped(self, last: str) -> Iterator[Days]:
        for other in self._others(last):
            gap_s = self.loads_s[last] - self.loads_s[other]
            pairs = [
                (abs(flight.cost.duration_s - lesser.cost.duration_s - gap_s / 2), k, j)
                for k, flight in enumerate(self.days[last])
                for j, lesser in enumerate(self.days[other])
                if 0 < flight.cost.duration_s - lesser.cost.duration_s < gap_s
            ]
            for _, k, j in sorted(pairs)[:PAIRS_MOST]:
                flight, lesser = self.days[last][k], self.days[other][j]
                given, taken = self._there(other, flight), self._there(last, lesser)
                if given is not None and taken is not None:
                    yield {
                        last: [f for f in self.days[last] if f is not flight] + [taken],
                        other: [f for f in self.days[other] if f is not lesser] + [given],
                    }

    def _moved_chunks(self, last: str) -> Iterator[Days]:
        """Each chunk to the nearest flights with room, the nearest pair first."""
        pairs = [
            (gap_m(host, chunk), flight, k, other, host)
            for other in self._others(last)
            for flight in self.days[last]
            for k, chunk in enumerate(flight.chunks)
            for host in self.days[other]
            if host.chunks[0].load == chunk.load
            and host.base.hops.model.id == flight.base.hops.model.id
            and has_room(host, chunk)
        ]
        for _, flight, k, other, host in sorted(pairs, key=lambda pair: pair[0]):
            rest = flight.chunks[:k] + flight.chunks[k + 1 :]
            left = self._flights.over(flight.base, rest) if rest else None
            fuller = inserted(self._flights, host, flight.chunks[k])
            if fuller is not None and (left is not None or not rest):
                mine = [f for f in self.days[last] if f is not flight]
                yield {
                    last: [*mine, left] if left else mine,
                    other: [fuller if f is host else f for f in self.days[other]],
                }


def has_room(flight: Flight, chunk: Chunk) -> bool:
    """Whether the tank takes a chunk more."""
    return flight.cost.litres_l + chunk.litres_l <= usable_l(flight.base.hops.model) + 1e-9


def gap_m(flight: Flight, chunk: Chunk) -> float:
    """From a chunk to the nearest of a flight, across the ground."""
    x, y = chunk.middle
    return min(math.dist((x, y), c.middle) for c in flight.chunks)


def inserted(flights: Flights, host: Flight, chunk: Chunk) -> Flight | None:
    """A flight with a chunk more where that takes least; None where there is no room."""
    nearest = min(
        range(len(host.chunks)),
        key=lambda k: (
            (host.chunks[k].middle[0] - chunk.middle[0]) ** 2
            + (host.chunks[k].middle[1] - chunk.middle[1]) ** 2
        ),
    )
    made = [
        flights.over(host.base, (*host.chunks[:k], chunk, *host.chunks[k:]))
        for k in (nearest, nearest + 1)
    ]
    found = [flight for flight in made if flight is not None]
    return min(found, key=lambda f: f.cost.duration_s, default=None)
