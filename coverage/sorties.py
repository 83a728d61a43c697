"""From treatments to sorties: which drone flies which chunks, from which pad, in which order.

Stations and prices of pads first (`stations`), flights from there (`tours`), then the flights
shared out among drones and mended (`balance`). What no drone reaches becomes a ground task.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage import stations
from skymist.coverage.balance import Roster
from skymist.coverage.chunks import chunks_of, halves_of
from skymist.coverage.days import in_order, stop_s
from skymist.coverage.errors import PlanError
from skymist.coverage.evening import evened
from skymist.coverage.filling import dissolved
from skymist.coverage.flights import Base, Flights, ends_of, legs_over
from skymist.coverage.footprints import footprint
from skymist.coverage.hops import Hops
from skymist.coverage.plan import GroundTask, Reason
from skymist.coverage.regions import WHOLE_MOST, regions
from skymist.coverage.robust import union
from skymist.coverage.site import RANK, Objective
from skymist.coverage.timetable import Timetable
from skymist.coverage.tours import at_once, fitting_field, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.chunks import Chunk
    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import Drone
    from skymist.coverage.flights import Flight
    from skymist.coverage.hours import Start
    from skymist.coverage.plan import Sortie, Treatment
    from skymist.coverage.site import Site
    from skymist.coverage.tours import Route, Tour

    Floats = NDArray[np.float64]

ITERATIONS = 200
"""Of the routing search in each part of a site. Kouvola: 400 gain nothing more."""
ROUNDS = 3
"""How often flights are made: again when it is known what a pad's work really takes; the best of
them are kept. Kouvola: 4 gain nothing more."""
UNEVEN = 0.2
"""What a second by which the busiest pad is behind counts beside one of all drones."""
TRIAL_ITERATIONS = 60
"""Of the first of the two rounds over a site in many parts: it tells what a pad's work takes."""

Options = dict[str, dict[str, "Treatment"]]
"""Treatments by model, then by spot."""


@dataclass(slots=True, kw_only=True)
class Given:
    """Who flies what, before anything has its time."""

    drones: tuple[Drone, ...]
    flights: dict[str, list[Flight]]
    treatments: tuple[Treatment, ...]
    tasks: list[GroundTask] = field(default_factory=list)

    def sorties(self) -> dict[str, list[Sortie]]:
        """Each drone's flights as numbered sorties, in order, with no times yet."""
        return {
            drone_id: [
                flight.sortie(f"{drone_id}-{k:02d}", drone_id) for k, flight in enumerate(day, 1)
            ]
            for drone_id, day in self.flights.items()
        }


class Planner:
    """Sorties for one site and crew, with everything that is worth finding only once."""

    def __init__(
        self,
        site: Site,
        drones: Sequence[Drone],
        *,
        seed: int,
        is_over: Callable[[], bool],
        start: Start | None = None,
        wind: Wind | None = None,
        route: Route = at_once,
    ) -> None:
        self._site, self._drones, self._seed, self._is_over = site, drones, seed, is_over
        self._route = route
        self._stop_s = stop_s(site.policy)
        self.timetable = Timetable(site, start)
        ranks = {spot.id: RANK[spot.level] for spot in site.spots}
        self._ranks = ranks if site.policy.objective is Objective.PRIORITY else {}
        self._flights = Flights(self.timetable, self._ranks)
        models = {drone.model.id: drone.model for drone in drones}
        self._hops = {model_id: Hops(site, model, wind) for model_id, model in models.items()}
        self._bases: list[Base] = []
        for model_id, hops in self._hops.items():
            own = [d for d in drones if d.model.id == model_id]
            named = {d.pad_id for d in own}
            is_open = any(d.is_movable for d in own)
            for pad in site.pads:
                if is_open or pad.id in named:
                    self._bases.append(Base(len(self._bases), pad, hops))

    def give(self, options: Options) -> Given:
        """All spots to drones."""
        chunks = {
            model_id: {
                spot_id: chunks_of(t, self._hops[model_id].model) for spot_id, t in by.items()
            }
            for model_id, by in options.items()
        }
        drones, chosen = self._stationed(options, chunks)
        made = Given(drones=drones, flights={}, treatments=tuple(chosen.values()))
        for model_id in self._hops:
            own = [d for d in drones if d.model.id == model_id]
            todo = [
                chunk
                for spot_id, treatment in chosen.items()
                if treatment is options[model_id].get(spot_id)
                for chunk in chunks[model_id][spot_id]
            ]
            for crew, some in self._shares(own, todo):
                made.flights |= self._flown(crew, some, made)
        return made

    def _shares(
        self, drones: Sequence[Drone], chunks: Sequence[Chunk]
    ) -> list[tuple[list[Drone], list[Chunk]]]:
        """Drones with the chunks that are theirs: all together, or each zone to one of them."""
        if not self._site.policy.is_by_zone:
            return [(list(drones), list(chunks))]
        zone_of = {spot.id: spot.zone_id or "" for spot in self._site.spots}
        zones: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in chunks:
            zones[zone_of[chunk.spot_id]].append(chunk)
        places = {(b.hops.model.id, b.pad.id): b for b in self._bases}
        weighed = {
            zone: [
                _total(stations.weights_s([places[d.model.id, d.pad_id]], some, self._stop_s))
                for d in drones
            ]
            for zone, some in zones.items()
        }
        shares: list[tuple[list[Drone], list[Chunk]]] = [([drone], []) for drone in drones]
        loads_s = [0.0] * len(drones)
        for zone in sorted(zones, key=lambda z: (-min(weighed[z]), z)):
            k = min(range(len(drones)), key=lambda i: (loads_s[i] + weighed[zone][i], i))
            shares[k][1].extend(zones[zone])
            loads_s[k] += weighed[zone][k]
        return shares

    def _stationed(
        self, options: Options, chunks: Mapping[str, Mapping[str, list[Chunk]]]
    ) -> tuple[tuple[Drone, ...], dict[str, Treatment]]:
        """Where each drone stands, and each spot's treatment by the model that is given it."""
        order = {spot.id: k for k, spot in enumerate(self._site.spots)}
        spot_ids = sorted({s for by in options.values() for s in by}, key=order.__getitem__)
        weights = self._weights(spot_ids, chunks)
        is_total = self._site.policy.objective is Objective.DRONE_MINUTES
        if len(self._hops) == 1:
            (model_id,) = self._hops
            rows = [weights[base.index] for base in self._bases]
            table = np.stack([np.concatenate(row) if row else np.zeros(0) for row in rows], axis=1)
            drones, _ = stations.stationed(self._drones, self._bases, table, is_total)
            return drones, {s: options[model_id][s] for s in spot_ids}
        table = np.array(
            [[_total(weights[base.index][k]) for base in self._bases] for k in range(len(spot_ids))]
        ).reshape(len(spot_ids), len(self._bases))
        drones, _ = stations.stationed(self._drones, self._bases, table, is_total)
        counts = stations.counts_of(drones, self._bases)
        prices = self._prices(table, counts)
        costs = np.where(counts > 0, table * np.maximum(prices, 1e-9), np.inf)
        models = list(self._hops)
        own = np.array([models.index(base.hops.model.id) for base in self._bases])
        # With no spot at all an array of nothing would not be one of truths.
        is_open = np.array([[s in options[models[m]] for m in own] for s in spot_ids], dtype=bool)
        is_open = is_open.reshape(len(spot_ids), len(own))
        costs, seconds = (np.where(is_open & (counts > 0), t, np.inf) for t in (costs, table))
        picked = np.argmin(_of_models(costs, own, len(models)), axis=1)
        if not is_total:
            crews = np.array([counts[own == m].sum() for m in range(len(models))])
            picked = stations.evened_out(_of_models(seconds, own, len(models)), crews, picked)
        return drones, {
            s: options[models[m]][s]
            for s, m in zip(spot_ids, picked.tolist(), strict=True)
            if s in options[models[m]]
        }

    def _weights(
        self, spot_ids: Sequence[str], chunks: Mapping[str, Mapping[str, list[Chunk]]]
    ) -> list[list[Floats]]:
        """By base and spot, the seconds of each of its chunks; none where it has no treatment."""
        made: list[list[Floats]] = [[] for _ in self._bases]
        for model_id in self._hops:
            by_spot = chunks[model_id]
            own = [base for base in self._bases if base.hops.model.id == model_id]
            flat = [chunk for s in spot_ids for chunk in by_spot.get(s, ())]
            sizes = np.cumsum([len(by_spot.get(s, ())) for s in spot_ids])
            found = stations.weights_s(own, flat, self._stop_s)
            for k, base in enumerate(own):
                made[base.index] = np.split(found[:, k], sizes[:-1]) if len(spot_ids) else []
        return made

    def _flown(
        self, drones: Sequence[Drone], chunks: Sequence[Chunk], made: Given
    ) -> dict[str, list[Flight]]:
        """Flights of drones of one model over chunks; what they cannot goes to `made.tasks`."""
        places = {(b.hops.model.id, b.pad.id): b for b in self._bases}
        base_of = {d.id: places[d.model.id, d.pad_id] for d in drones}
        bases = sorted({b.index: b for b in base_of.values()}.values(), key=lambda b: b.index)
        weights = stations.weights_s(bases, chunks, self._stop_s)
        counts = np.array(
            [float(sum(b.index == own.index for own in base_of.values())) for b in bases]
        )
        best: tuple[float, list[Flight], list[GroundTask]] = (math.inf, [], [])
        is_large, known = len(chunks) > WHOLE_MOST, None
        for iterations in (TRIAL_ITERATIONS, ITERATIONS) if is_large else [ITERATIONS] * ROUNDS:
            tasks: list[GroundTask] = []
            prices = self._prices(weights, counts)
            if not is_large and known is not None and np.array_equal(prices, known):
                break  # The same prices give the same flights.
            known = prices
            flights: list[Flight] = []
            for members in self._by_load(chunks).values():
                some = [chunks[k] for k in members]
                costs = weights[members] * prices
                flights += self._toured(some, costs, bases, prices, iterations, tasks)
            weights = weights * stations.as_flown(flights, bases, chunks, weights, self._stop_s)
            taken_s = _days_s(flights, bases, counts, self._stop_s)
            if taken_s < best[0]:
                best = (taken_s, flights, tasks)
        _, flights, tasks = best
        made.tasks += tasks
        roster = Roster(drones, base_of, self._site.policy, self._flights)
        if not self._ranks:
            flights = dissolved(self._flights, flights, self._stop_s, self._is_over)
        roster.share_out(flights)
        roster.improve(self._is_over)
        policy = self._site.policy
        days = {d: evened(self._flights, day, policy) for d, day in roster.days.items()}
        return {d: in_order(day, policy) for d, day in days.items()}

    def _prices(self, weights: Floats, counts: Floats) -> Floats:
        """What a second at each base is worth: the same at all where only minutes count."""
        if self._site.policy.objective is Objective.DRONE_MINUTES:
            return np.where(counts > 0, 1.0, 0.0)
        return stations.shared_out(weights, counts)[1]

    def _toured(
        self,
        chunks: Sequence[Chunk],
        costs: Floats,
        bases: Sequence[Base],
        prices: Floats,
        iterations: int,
        tasks: list[GroundTask],
    ) -> list[Flight]:
        """Flights over chunks of one load, part by part.

        All parts are given to the router before the flights of the first are made.
        """
        flights: list[Flight] = []
        routing: list[tuple[Sequence[Base], Sequence[Chunk], Callable[[], list[Tour]]]] = []
        for members, near in regions(chunks, bases, costs):
            around = [bases[k] for k in near]
            field, alone = fitting_field(around, [chunks[k] for k in members])
            for chunk in alone:
                flights += self._alone(chunk, around[0], bases, tasks)
            if field.chunks:
                data = problem_of(field, [float(prices[k]) for k in near], self._stop_s)
                most = 0 if self._is_over() else iterations
                routing.append((around, field.chunks, self._route(data, most, self._seed)))
        for own, some, tours in routing:
            flights += self._exact(tours(), own, some, bases, tasks)
        return flights

    def _exact(
        self,
        tours: Sequence[Tour],
        around: Sequence[Base],
        chunks: Sequence[Chunk],
        bases: Sequence[Base],
        tasks: list[GroundTask],
    ) -> list[Flight]:
        """The flights of tours; those that true costs do not allow are cut into more."""
        flights: list[Flight] = []
        for at, members in tours:
            base, todo = around[at], [chunks[k] for k in members]
            while todo:
                flight, num = None, len(todo)
                while num and flight is None:
                    flight = self._flights.over(base, todo[:num])
                    num -= flight is None
                if flight is not None:
                    flights.append(flight)
                    todo = todo[num:]
                else:
                    flights += self._alone(todo.pop(0), base, bases, tasks)
        return flights

    def _alone(
        self, chunk: Chunk, wanted: Base, bases: Sequence[Base], tasks: list[GroundTask]
    ) -> list[Flight]:
        """A chunk that its base cannot fly even by itself: from another, in halves, or on foot."""
        near = [b for b in bases if _gap_m(b, chunk) <= self._site.policy.radius_m]
        guesses = self._flights.guess_s([(base, [chunk]) for base in near])
        for guess_s, base in sorted(zip(guesses, near, strict=True), key=lambda item: item[0]):
            if not np.isfinite(guess_s):
                break
            flight = self._flights.over(base, [chunk])
            if flight is not None:
                return [flight]
        parts = halves_of(chunk)
        if parts:
            return [f for part in parts for f in self._alone(part, wanted, bases, tasks)]
        near = [wanted, *(base for base in bases if base is not wanted)]
        tasks.append(_left_out(chunk, near, self.timetable))
        return []

    def _by_load(self, chunks: Sequence[Chunk]) -> dict[tuple[object, ...], list[int]]:
        """Chunks that may share flights: of one load, in the same hours, of one rank."""
        made: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for k, chunk in enumerate(chunks):
            hours = self.timetable.pattern(chunk.spot_id)
            made[chunk.load, hours, self._ranks.get(chunk.spot_id)].append(k)
        return made


def _days_s(
    flights: Sequence[Flight], bases: Sequence[Base], counts: Floats, stop_s: float
) -> float:
    """Seconds of a drone's day with these flights, before they are shared out."""
    sums = np.zeros(len(bases))
    columns = {base.index: k for k, base in enumerate(bases)}
    for flight in flights:
        sums[columns[flight.base.index]] += flight.cost.duration_s + stop_s
    mean_s = float(sums.sum() / counts.sum())
    return mean_s + UNEVEN * max(0.0, float((sums / counts).max()) - mean_s)


def _gap_m(base: Base, chunk: Chunk) -> float:
    """From a base to the nearer end of a chunk."""
    return min(math.dist(base.home[:2], end[:2]) for end in ends_of(chunk))


def _of_models(table: Floats, own: NDArray[np.intp], count: int) -> Floats:
    """By spot and model, the least of the model's bases; `own` is the model of each base."""
    return np.stack([table[:, own == m].min(axis=1, initial=np.inf) for m in range(count)], axis=1)


def _total(weights: Floats) -> float:
    """Of a spot's chunks, those that can be flown; infinite where none can."""
    finite = weights[np.isfinite(weights)]
    return float(finite.sum()) if len(finite) else float("inf")


def _left_out(chunk: Chunk, bases: Sequence[Base], timetable: Timetable) -> GroundTask:
    """Why no drone flies a chunk: there is no way, no hours hold it, or it is too far."""
    reason = Reason.BEYOND_TANK
    text = "too far from the pad for this drone's battery and tank"
    at_any_time = [f for b in bases if (f := Flights().over(b, [chunk])) is not None]
    try:
        legs_over(bases[0], chunk.passes)
    except PlanError as exc:
        reason, text = Reason.OUT_OF_REACH, str(exc)
    if at_any_time:
        least_s = min(flight.cost.duration_s for flight in at_any_time)
        reason = Reason.NO_WINDOW
        text = (
            f"no flight of {math.ceil(least_s / 60)} min fits its hours "
            f"({timetable.words(chunk.spot_id)}), those of the site and its closures"
        )
    area = union(footprint(p) for p in chunk.passes)
    return GroundTask(
        spot_id=chunk.spot_id, reason=reason, text=text, area=area, is_whole_spot=False
    )


def with_stations(site: Site, drones: Sequence[Drone]) -> Site:
    """The site with these drones where they stand now."""
    moved = {drone.id: drone for drone in drones}
    return replace(site, fleet=tuple(moved.get(d.id, d) for d in site.fleet))
