"""Which chunks share a flight, from which pad: vehicle routing with PyVRP.

Each flight is a vehicle of its own with the tank as its capacity and the battery as its longest
distance (the matrix holds shares of a battery instead of metres). What a minute of drones on a
pad is worth is the pad's price: scarce pads are dearer, and work moves to the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from skymist.coverage.chunks import halves_of, held_l, usable_l
from skymist.coverage.energy import LAND_S, SPOOL_S
from skymist.coverage.flights import ends_of
from skymist.coverage.works import works_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyvrp
    from numpy.typing import NDArray

    from skymist.coverage.chunks import Chunk
    from skymist.coverage.flights import Base

    Floats = NDArray[np.float64]

PER_S = 10
"""The solver's whole numbers in a second: tenths."""
PER_BATTERY = 100_000
PER_L = 100
PRICE = 100
SPARE_TRIPS = 4
OUT_LOAD, WORK_LOAD = 0.7, 0.4
"""Shares of a tank that drones are taken to carry on the way out and between spots."""

Tour = tuple[int, list[int]]
"""Where a flight starts among the bases, and its chunks in order, both by index."""
Route = Callable[["pyvrp.ProblemData", int, int], Callable[[], list[Tour]]]
"""`routed`, begun now and asked for later: here (`at_once`) or by another process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Times and battery shares between bases (first) and chunks of one load."""

    bases: Sequence[Base]
    chunks: Sequence[Chunk]
    seconds: Floats
    battery: Floats
    works_s: Floats
    litres_l: Floats


def field_of(bases: Sequence[Base], chunks: Sequence[Chunk]) -> Field:
    """Look at every pair of places once; all bases are of one model."""
    model = bases[0].hops.model
    ends = np.array([ends_of(c) for c in chunks]).reshape(-1, 2, 3)
    homes = np.array([[base.home, base.home] for base in bases])
    places = np.concatenate([homes, ends])
    seconds = _between(places, bases)
    works = works_s(chunks, bases[0].hops)
    litres = np.array([chunk.litres_l for chunk in chunks])
    num = len(bases)
    half_w = model.hover_power_w(held_l(usable_l(model) * WORK_LOAD, model.sprayer))
    powers = np.full(seconds.shape, half_w)
    powers[:num, :] = model.hover_power_w(held_l(usable_l(model) * OUT_LOAD, model.sprayer))
    powers[:, :num] = model.hover_power_w(held_l(0.0, model.sprayer))
    hops = bases[0].hops
    joules = seconds * (powers + hops.wind_w(hops.speed_mps))
    sprayed_w = np.array([hops.wind_w(chunk.passes[0].speed_mps) for chunk in chunks])
    joules[:, num:] += works * (half_w + sprayed_w)
    joules[:num, num:] += SPOOL_S * powers[:num, num:]
    joules[num:, :num] += LAND_S * powers[num:, :num]
    np.fill_diagonal(joules, 0.0)
    return Field(
        bases=bases,
        chunks=chunks,
        seconds=seconds,
        battery=joules / (model.battery_wh * 3600),
        works_s=works,
        litres_l=litres,
    )


def fitting_field(bases: Sequence[Base], chunks: Sequence[Chunk]) -> tuple[Field, list[Chunk]]:
    """The field over chunks, cut until each can be flown by itself; and those that cannot be.

    PyVRP finds nothing where one client fits no vehicle.
    """
    room = 1 - bases[0].hops.policy.reserve_frac
    todo = list(chunks)
    alone: list[Chunk] = []
    while True:
        field = field_of(bases, todo)
        num = len(bases)
        there, back = field.battery[:num, num:], field.battery[num:, :num].T
        heavy = (there + back).min(axis=0, initial=np.inf) > room
        if not heavy.any():
            return field, alone
        kept = [chunk for chunk, is_heavy in zip(todo, heavy, strict=True) if not is_heavy]
        for chunk in (c for c, is_heavy in zip(todo, heavy, strict=True) if is_heavy):
            parts = [p for half in halves_of(chunk) for p in halves_of(half) or (half,)]
            kept += parts
            alone += [] if parts else [chunk]
        todo = kept


def _between(places: Floats, bases: Sequence[Base]) -> Floats:
    """Seconds between places, each with two ends, by the nearest ends: (n, n)."""
    num = len(places)
    best = np.full((num, num), np.inf)
    flats = places[:, :, :2]
    pick = np.zeros((num, num, 2), dtype=int)
    for a in (0, 1):
        for b in (0, 1):
            gaps = np.hypot(*(flats[:, None, a] - flats[None, :, b]).transpose(2, 0, 1))
            better = gaps < best - 1e-9
            best = np.where(better, gaps, best)
            pick[better] = (a, b)
    first, second = np.nonzero(~np.eye(num, dtype=bool))
    starts = places[first, pick[first, second, 0]]
    ends = places[second, pick[first, second, 1]]
    seconds = np.zeros((num, num))
    seconds[first, second] = bases[0].hops.estimate_s(starts, ends)
    seconds[best < 0.05] = 0.0
    return seconds


def routed(data: pyvrp.ProblemData, iterations: int, seed: int) -> list[Tour]:
    """The flights of a problem; the same ones each time."""
    import pyvrp
    from pyvrp.stop import MaxIterations

    found = pyvrp.solve(data, MaxIterations(iterations), seed=seed, collect_stats=False)
    return [
        (route.vehicle_type(), [a.idx for a in route.schedule() if a.is_client()])
        for route in found.best.routes()
    ]


def at_once(data: pyvrp.ProblemData, iterations: int, seed: int) -> Callable[[], list[Tour]]:
    """A problem solved here and now."""
    found = routed(data, iterations, seed)
    return lambda: found


def problem_of(field: Field, prices: Sequence[float], stop_s: float) -> pyvrp.ProblemData:
    """A field in the solver's words and whole numbers; a flight costs `stop_s` on the pad."""
    import pyvrp

    num, policy = len(field.bases), field.bases[0].hops.policy
    tank = usable_l(field.bases[0].hops.model)
    trips = SPARE_TRIPS + 2 * math.ceil(
        max(
            field.litres_l.sum() / tank,
            field.battery[num:, num:].min(axis=0, initial=0.0).sum() / (1 - policy.reserve_frac),
            len(field.chunks) / 8,
        )
    )
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(num + len(field.chunks))],
        clients=[
            pyvrp.Client(
                num + k,
                delivery=[math.ceil(field.litres_l[k] * PER_L)],
                service_duration=round(field.works_s[k] * PER_S),
            )
            for k in range(len(field.chunks))
        ],
        depots=[pyvrp.Depot(k) for k in range(num)],
        vehicle_types=[
            pyvrp.VehicleType(
                trips,
                capacity=[math.floor(tank * PER_L + 4)],
                start_depot=k,
                end_depot=k,
                fixed_cost=round((stop_s + SPOOL_S + LAND_S) * PER_S * PRICE * price),
                max_distance=int((1 - policy.reserve_frac) * PER_BATTERY),
                unit_distance_cost=0,
                unit_duration_cost=round(PRICE * price),
            )
            for k, price in enumerate(prices)
        ],
        distance_matrices=[_whole(field.battery * PER_BATTERY)],
        duration_matrices=[_whole(field.seconds * PER_S)],
    )


def _whole(matrix: Floats) -> Any:
    return np.rint(matrix).astype(np.int64)
