"""Flights shared out among drones, and mended until the last drone is done as soon as can be.

Moves a flight, swaps two, or moves a chunk from one flight to another, always away from the
drone that is done last; moves are rated by
estimates, and the best of them by the true costs of the flights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.chunks import halves_of
from skymist.coverage.days import day_s
from skymist.coverage.filling import gaps_m, insertions
from skymist.coverage.site import Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.chunks import Chunk
    from skymist.coverage.drones import Drone
    from skymist.coverage.flights import Base, Flight, Flights
    from skymist.coverage.site import Policy

    Floats = NDArray[np.float64]
    Days = dict[str, list[Flight]]

MOST_ROUNDS, ROUNDS_A_DRONE = 200, 25
"""Moves at most: so many, or so many for each drone if that is more."""
GAIN_S = 10.0
WORTH = 0.5
"""What a second of all drones together is worth beside one of the drone that is done last."""
TRIES = 32
"""Moves of a kind that are weighed by estimates,"""
TRUE_TRIES = 8
"""and the best of these, by true costs, before the best is made."""
SLACK_S = 15.0
"""How far estimates may be off."""
OTHERS_MOST = 6


@dataclass(frozen=True, slots=True)
class _Move:
    """Flights taken from the drone done last and from another, and chunks of those made instead."""

    other: str
    gone: tuple[Flight, ...]
    mine: tuple[Sequence[Chunk], ...] = ()
    replaced: tuple[Flight, ...] = ()
    theirs: tuple[Sequence[Chunk], ...] = ()


class Roster:
    """Who flies what; `days` holds each drone's flights, in no order yet."""

    def __init__(
        self, drones: Sequence[Drone], bases: Mapping[str, Base], policy: Policy, flights: Flights
    ) -> None:
        self._bases, self._policy, self._flights = bases, policy, flights
        self.days: Days = {drone.id: [] for drone in drones}
        self.loads_s = dict.fromkeys(self.days, 0.0)
        self._parts: dict[int, tuple[Chunk, tuple[Chunk, ...]]] = {}

    @property
    def makespan_s(self) -> float:
        """When the last drone is done, with nothing to wait for."""
        return max(self.loads_s.values(), default=0.0)

    def share_out(self, flights: Sequence[Flight]) -> None:
        """Give each flight to a drone of its base: the longest first, to the one done soonest."""
        for flight in sorted(
            flights, key=lambda f: (f.worth[0], -f.cost.duration_s, f.chunks[0].spot_id)
        ):
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
        for _ in range(max(MOST_ROUNDS, ROUNDS_A_DRONE * len(self.days))):
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
            for days in islice(self._made(self._rated(last, moves(last)), last), TRUE_TRIES):
                loads = {d: day_s(day, self._policy) for d, day in days.items()}
                top_s = max(loads.values()) + WORTH * sum(loads.values())
                if self._is_better(loads, last) and (best is None or top_s < best[0] - 1e-9):
                    best = (top_s, days, loads)
            if best is not None:
                self.days.update(best[1])
                self.loads_s.update(best[2])
                return set(best[1])
        return set()

    def _rated(self, last: str, moves: Sequence[_Move]) -> list[_Move]:
        """Moves that by estimates end a day earlier, the best first."""
        olds = list({id(f): f for m in moves for f in (*m.gone, *m.replaced)}.values())
        guesses = self._flights.guess_s([(f.base, f.chunks) for f in olds])
        off_s = {id(f): f.cost.duration_s - s for f, s in zip(olds, guesses, strict=True)}
        base = self._bases[last]
        mine = iter(self._flights.guess_s([(base, row) for m in moves for row in m.mine]))
        theirs = iter(
            self._flights.guess_s([(self._bases[m.other], row) for m in moves for row in m.theirs])
        )
        rated = []
        for k, move in enumerate(moves):
            ends_s = (
                self.loads_s[last] + self._change_s(last, move.gone, mine, len(move.mine), off_s),
                self.loads_s[move.other]
                + self._change_s(move.other, move.replaced, theirs, len(move.theirs), off_s),
            )
            if self._is_better({last: ends_s[0], move.other: ends_s[1]}, last, SLACK_S):
                rated.append((max(ends_s) + WORTH * sum(ends_s), k))
        return [moves[k] for _, k in sorted(rated)]

    def _change_s(
        self,
        drone_id: str,
        gone: Sequence[Flight],
        guesses: Iterator[float],
        num: int,
        off_s: dict[int, float],
    ) -> float:
        """Seconds by which a day grows when flights are replaced by `num` others, estimated."""
        fresh = [next(guesses) for _ in range(num)]
        # Estimates of flights over much the same ground are off by much the same.
        kept_off_s = sum(off_s[id(f)] for f in gone[:num])
        before = len(self.days[drone_id])  # The first flight of a day needs no refill.
        stops = max(0, before - len(gone) + num - 1) - max(0, before - 1)
        stops_s = stops * self._policy.refill_s
        return sum(fresh) + kept_off_s - sum(f.cost.duration_s for f in gone) + stops_s

    def _made(self, moves: Sequence[_Move], last: str) -> Iterator[Days]:
        """The days after each move whose flights can be flown."""
        for move in moves:
            mine = self._flown(self._bases[last], move.mine)
            theirs = self._flown(self._bases[move.other], move.theirs) if mine is not None else None
            if mine is not None and theirs is not None:
                gone = {id(flight) for flight in (*move.gone, *move.replaced)}
                yield {
                    last: [f for f in self.days[last] if id(f) not in gone] + mine,
                    move.other: [f for f in self.days[move.other] if id(f) not in gone] + theirs,
                }

    def _flown(self, base: Base, rows: Sequence[Sequence[Chunk]]) -> list[Flight] | None:
        made = [self._flights.over(base, row) for row in rows]
        found = [flight for flight in made if flight is not None]
        return found if len(found) == len(made) else None

    def _is_better(self, loads: Mapping[str, float], last: str, slack_s: float = 0.0) -> bool:
        """Whether days of these seconds are worth having instead of those of the same drones."""
        if self._policy.objective is Objective.DRONE_MINUTES:
            return sum(loads.values()) < sum(self.loads_s[d] for d in loads) - GAIN_S + slack_s
        return max(loads.values()) < self.loads_s[last] - GAIN_S + slack_s

    def _others(self, last: str) -> list[str]:
        """Drones near enough to share work that are done earlier, the earliest first."""
        early_s = self.loads_s[last] - GAIN_S
        free = [d for d in self.days if self.loads_s[d] < early_s and self._may_share(d, last)]
        return sorted(free, key=lambda d: (self.loads_s[d], d))[:OTHERS_MOST]

    def _may_share(self, one: str, other: str) -> bool:
        """Whether two drones are of one model, and their pads as near as one may fly."""
        a, b = self._bases[one], self._bases[other]
        is_near = math.dist(a.home[:2], b.home[:2]) <= self._policy.radius_m
        return is_near and a.hops.model.id == b.hops.model.id

    def _detours_m(self, drone_id: str, flights: Sequence[Flight]) -> Floats:
        """How much farther from another drone's pad flights' work lies than from their own."""
        middles = np.array([f.chunks[0].middle for f in flights]).reshape(-1, 2)
        homes = np.array([f.base.home[:2] for f in flights]).reshape(-1, 2)
        there = np.hypot(*(middles - self._bases[drone_id].home[:2]).T)
        return np.asarray(there - np.hypot(*(middles - homes).T))

    def _seconds(self, drone_id: str) -> Floats:
        return np.array([flight.cost.duration_s for flight in self.days[drone_id]])

    def _given(self, last: str, share: float) -> list[tuple[str, Flight]]:
        """Flights of which a share fits into another drone's time, the least detour first."""
        mine, pairs = self.days[last], []
        for other in self._others(last):
            room_s = self.loads_s[last] - self.loads_s[other]
            detours_m = self._detours_m(other, mine)
            for k in np.flatnonzero(self._seconds(last) * share < room_s).tolist():
                pairs.append((float(detours_m[k]), k, other))
        return [(other, mine[k]) for _, k, other in sorted(pairs)[:TRIES]]

    def _moved_flights(self, last: str) -> list[_Move]:
        """Each flight to each drone that has time for it."""
        return [
            _Move(other, gone=(flight,), theirs=(flight.chunks,))
            for other, flight in self._given(last, 1.0)
        ]

    def _swapped(self, last: str) -> list[_Move]:
        """A flight for a shorter one."""
        mine, seconds = self.days[last], self._seconds(last)
        pairs: list[tuple[float, int, str, int]] = []
        for other in self._others(last):
            theirs = self.days[other]
            saved = seconds[:, None] - self._seconds(other)[None]
            detours = self._detours_m(other, mine)[:, None] + self._detours_m(last, theirs)[None]
            fits = (saved > 0) & (saved < self.loads_s[last] - self.loads_s[other])
            pairs += [(gap, k, other, j) for gap, k, j in _least(np.where(fits, detours, np.inf))]
        return [
            _Move(
                other,
                gone=(mine[k],),
                mine=(self.days[other][j].chunks,),
                replaced=(self.days[other][j],),
                theirs=(mine[k].chunks,),
            )
            for _, k, other, j in sorted(pairs)[:TRIES]
        ]

    def _parted(self, last: str) -> list[_Move]:
        """One half of a flight as a flight of another drone."""
        moves = []
        for other, flight in self._given(last, 0.5):
            halves = flight.chunks if len(flight.chunks) > 1 else self._halves(flight.chunks[0])
            cut = len(halves) // 2
            for kept, given in ((halves[:cut], halves[cut:]), (halves[cut:], halves[:cut])):
                if kept:
                    moves.append(_Move(other, gone=(flight,), mine=(kept,), theirs=(given,)))
        return moves

    def _halves(self, chunk: Chunk) -> tuple[Chunk, ...]:
        """A chunk in two, the same two each time."""
        if id(chunk) not in self._parts:
            self._parts[id(chunk)] = (chunk, halves_of(chunk))
        return self._parts[id(chunk)][1]

    def _moved_chunks(self, last: str) -> list[_Move]:
        """Each chunk to the nearest flights with room."""
        mine = [(f, k) for f in self.days[last] for k in range(len(f.chunks))]
        pairs: list[tuple[float, int, str, int]] = []
        for other in self._others(last):
            gaps = gaps_m([f.chunks[k] for f, k in mine], self.days[other])
            pairs += [(gap, row, other, column) for gap, row, column in _least(gaps)]
        moves = []
        for _, row, other, column in sorted(pairs)[:TRIES]:
            (flight, k), host = mine[row], self.days[other][column]
            rest = flight.chunks[:k] + flight.chunks[k + 1 :]
            moves += [
                _Move(
                    other,
                    gone=(flight,),
                    mine=(rest,) if rest else (),
                    replaced=(host,),
                    theirs=(fuller,),
                )
                for fuller in insertions(host, flight.chunks[k])
            ]
        return moves


def _least(table: Floats) -> list[tuple[float, int, int]]:
    """The smallest finite values of a table with their rows and columns."""
    flat = table.ravel()
    if not flat.size:
        return []
    most = min(TRIES, flat.size) - 1
    some = np.flatnonzero(flat <= min(np.partition(flat, most)[most], np.finfo(float).max))
    some = some[np.argsort(flat[some], kind="stable")][:TRIES]
    return [(float(flat[k]), *divmod(int(k), table.shape[1])) for k in some]
