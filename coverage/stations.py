"""Where drones stand whose pad the site leaves open, and what a pad's time is worth.

Work is weighed before any sortie is made: a chunk takes its share of a flight from a pad. The
prices of pads come from the dual of sharing all work out so that the last drone is done soonest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.chunks import held_l, usable_l
from skymist.coverage.energy import LAND_S, SPOOL_S
from skymist.coverage.flights import ends_of
from skymist.coverage.works import works_s

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.chunks import Chunk
    from skymist.coverage.drones import Drone
    from skymist.coverage.flights import Base, Flight
    from skymist.coverage.hops import Hops

    Floats = NDArray[np.float64]

ROUNDS = 80
STEP = 0.5
MOVES_TRIED = 24


def weights_s(bases: Sequence[Base], chunks: Sequence[Chunk], stop_s: float) -> Floats:
    """Seconds that each chunk (rows) adds to the day of each base, all of one model.

    Infinite where it cannot be flown.
    """
    made = np.zeros((len(chunks), len(bases)))
    if not chunks or not bases:
        return made
    hops = bases[0].hops
    starts = np.array([ends_of(c)[0] for c in chunks])
    works = works_s(chunks, hops)
    litres = np.array([c.litres_l for c in chunks])
    for k, base in enumerate(bases):
        homes = np.broadcast_to(np.array(base.home), starts.shape)
        gaps = np.hypot(*(starts[:, :2] - homes[:, :2]).T)
        near = gaps <= hops.policy.radius_m
        trips = np.full(len(chunks), np.inf)
        there = hops.estimate_s(homes[near], starts[near])
        trips[near] = there + hops.estimate_s(starts[near], homes[near])
        made[:, k] = _shares_s(hops, trips, works, litres, stop_s)
    return made


def _shares_s(hops: Hops, trips: Floats, works: Floats, litres: Floats, stop_s: float) -> Floats:
    """Each chunk's work and its share of a flight with a trip so long."""
    model, policy = hops.model, hops.policy
    full_ws = model.battery_wh * 3600
    empty_w = model.hover_power_w(0.0)
    half_w = model.hover_power_w(held_l(usable_l(model) / 2, model.sprayer))
    half_w += hops.wind_w(hops.speed_mps)
    used = works * half_w / full_ws
    light = 1 - policy.reserve_frac - (trips + works + SPOOL_S + LAND_S) * empty_w / full_ws
    fits = light > 0
    trips = np.where(fits, trips, 0.0)
    room = 1 - policy.reserve_frac - (trips + SPOOL_S + LAND_S) * half_w / full_ws
    share = np.maximum(litres / usable_l(model), used / np.maximum(room, used + 1e-9))
    return np.where(fits, works + share * (trips + SPOOL_S + LAND_S + stop_s), np.inf)


def shared_out(weights: Floats, counts: Floats) -> tuple[float, Floats]:
    """The least seconds per drone when work (rows) goes to bases (columns) of so many drones.

    Gives a lower bound of it, found with the prices that come with it: one for each base, 1 on
    average over the drones.
    """
    open_to = counts > 0
    costs = np.where(open_to, weights, np.inf)
    costs = costs[np.isfinite(costs).any(axis=1)]
    prices, best, kept = np.where(open_to, 1.0, 0.0), 0.0, np.where(open_to, 1.0, 0.0)
    if not len(costs):
        return 0.0, kept
    rows = np.arange(len(costs))
    for k in range(ROUNDS):
        chosen = np.argmin(np.where(open_to, costs * np.maximum(prices, 1e-9), np.inf), axis=1)
        least = costs[rows, chosen]
        bound = float((least * prices[chosen]).sum() / (prices * counts).sum())
        if bound > best:
            best, kept = bound, prices * counts.sum() / (prices * counts).sum()
        sums = np.bincount(chosen, weights=least, minlength=len(counts))
        loads = sums / np.maximum(counts, 1e-9)
        drift = (loads - loads[open_to].mean()) / max(loads[open_to].mean(), 1e-9)
        prices = prices * np.exp(STEP / (1 + k / 8) * np.clip(drift, -1, 1))
    return best, kept


def summed(weights: Floats, counts: Floats) -> tuple[float, Floats]:
    """The same where only the seconds of all drones together count: all work from its best base."""
    best = np.where(counts > 0, weights, np.inf).min(axis=1, initial=np.inf)
    total_s = float(best[np.isfinite(best)].sum())
    return total_s / max(float(counts.sum()), 1.0), np.where(counts > 0, 1.0, 0.0)


def evened_out(seconds: Floats, counts: Floats, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which of several crews (columns) does each work (rows), moved while the busiest gains.

    Prices leave open who does the work that is worth as much to either: a large one, given whole to
    the smaller crew, would keep it busy long after the others.
    """
    picked = np.array(chosen)
    rows = np.arange(len(picked))
    for _ in range(len(picked)):
        spent = np.where(np.isfinite(seconds[rows, picked]), seconds[rows, picked], 0.0)
        loads = np.bincount(picked, weights=spent, minlength=len(counts))
        times = loads / np.maximum(counts, 1e-9)
        busiest = int(times.argmax())
        best: tuple[float, int, int] | None = None
        for k in np.flatnonzero(picked == busiest).tolist():
            for other in np.flatnonzero(np.isfinite(seconds[k])).tolist():
                after = (loads[other] + seconds[k, other]) / counts[other]
                left = (loads[busiest] - spent[k]) / counts[busiest]
                if other != busiest and max(after, left) < times[busiest] * (1 - 1e-6):
                    best = min(best or (np.inf, 0, 0), (max(after, left), k, other))
        if best is None:
            break
        picked[best[1]] = best[2]
    return picked


def stationed(
    drones: Sequence[Drone], bases: Sequence[Base], weights: Floats, is_total: bool = False
) -> tuple[tuple[Drone, ...], float]:
    """The drones with their pads, those that may move on better ones; and the seconds per drone.

    Starts from the pads that the site names and moves one drone at a time while that helps. With
    `is_total` the seconds of all drones count, not those of the last.
    """
    places = {(base.hops.model.id, base.pad.id): base.index for base in bases}
    at = [places[drone.model.id, drone.pad_id] for drone in drones]
    if not any(drone.is_movable for drone in drones):
        return tuple(drones), shared_out(weights, _counts(at, bases))[0]
    weigh = summed if is_total else shared_out
    best_s, prices = weigh(weights, _counts(at, bases))
    for _ in range(4 * len(drones)):
        found = _best_move(drones, bases, weights, at, prices, weigh)
        if found is None or found[0] > best_s * (1 - 1e-4):
            break
        best_s, prices, at = found
    moved = (replace(d, pad_id=bases[k].pad.id) for d, k in zip(drones, at, strict=True))
    return tuple(moved), best_s


def counts_of(drones: Sequence[Drone], bases: Sequence[Base]) -> Floats:
    """How many drones stand at each base."""
    places = {(base.hops.model.id, base.pad.id): base.index for base in bases}
    return _counts([places[drone.model.id, drone.pad_id] for drone in drones], bases)


def _counts(at: Sequence[int], bases: Sequence[Base]) -> Floats:
    held = Counter(at)
    return np.array([float(held[base.index]) for base in bases])


def _best_move(
    drones: Sequence[Drone],
    bases: Sequence[Base],
    weights: Floats,
    at: Sequence[int],
    prices: Floats,
    weigh: Callable[[Floats, Floats], tuple[float, Floats]],
) -> tuple[float, Floats, list[int]] | None:
    """The move of one drone to another pad after which all are done soonest."""
    counts = _counts(at, bases)
    # What work would save at a base that is free of charge says how much a drone there is worth.
    now = np.min(np.where(counts > 0, weights * np.maximum(prices, 1e-9), np.inf), axis=1)
    mean = float(prices[counts > 0].mean())
    with np.errstate(invalid="ignore"):
        gain = np.nan_to_num(np.maximum(now[:, None] - weights * mean, 0.0), posinf=1e9).sum(axis=0)
    gain = gain + prices * 1e-3
    tries: list[tuple[float, int, int]] = []
    for k in dict.fromkeys(k for k, d in zip(at, drones, strict=True) if d.is_movable):
        for base in bases:
            is_room = base.pad.capacity is None or _on_pad(at, bases, base.pad.id) < (
                base.pad.capacity
            )
            if base.index != k and base.hops.model.id == bases[k].hops.model.id and is_room:
                worth = float(gain[base.index]) / (1 + counts[base.index])
                tries.append((worth - float(gain[k]) / counts[k], k, base.index))
    tries.sort(key=lambda item: (-item[0], item[1:]))
    best: tuple[float, Floats, list[int]] | None = None
    for _, source, target in tries[:MOVES_TRIED]:
        moved = list(at)
        mover = next(
            i for i, d in reversed(list(enumerate(drones))) if d.is_movable and at[i] == source
        )
        moved[mover] = target
        bound_s, fresh = weigh(weights, _counts(moved, bases))
        lost = ~np.isfinite(np.where(_counts(moved, bases) > 0, weights, np.inf)).any(axis=1)
        bound_s += 1e6 * float((lost & np.isfinite(weights).any(axis=1)).sum())
        if best is None or bound_s < best[0]:
            best = (bound_s, fresh, moved)
    return best


def _on_pad(at: Sequence[int], bases: Sequence[Base], pad_id: str) -> int:
    return sum(bases[k].pad.id == pad_id for k in at)


def as_flown(
    flights: Sequence[Flight],
    bases: Sequence[Base],
    chunks: Sequence[Chunk],
    weights: Floats,
    stop_s: float,
) -> Floats:
    """For each base, what its flights take for what their chunks were weighed at."""
    rows = {(chunk.spot_id, chunk.index): k for k, chunk in enumerate(chunks)}
    columns = {base.index: k for k, base in enumerate(bases)}
    taken, weighed = np.zeros(len(bases)), np.zeros(len(bases))
    for flight in flights:
        k = columns[flight.base.index]
        known = {rows[c.spot_id, c.index] for c in flight.chunks}
        told = [weights[row, k] for row in known if np.isfinite(weights[row, k])]
        if told:
            taken[k] += flight.cost.duration_s + stop_s
            weighed[k] += sum(told)
    overall = taken.sum() / max(weighed.sum(), 1e-9) if taken.any() else 1.0
    ratios = np.where(weighed > 0, taken / np.maximum(weighed, 1e-9), overall)
    return np.asarray(np.clip(ratios / max(overall, 1e-9), 0.7, 1.4))
