"""The least time that any plan could take for the same treatments: what a plan is measured by.

Somebody goes to the farthest spot and back. For all the rest the work of the drones is bounded
together: every pass takes its seconds, every line leads to another one or home, and every litre
takes its share of the flight that carries it, with the way there and back, the refill before it and
its part of a battery. See `coverage.rates` for the least share of a flight.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import LineString, Point

from skymist.coverage.chunks import load_of, usable_l
from skymist.coverage.energy import LAND_S, SPOOL_S, leg_s, runs_s
from skymist.coverage.rates import PRICINGS, Rates
from skymist.coverage.stations import shared_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.chunks import Load
    from skymist.coverage.drones import Drone, DroneModel
    from skymist.coverage.plan import Treatment
    from skymist.coverage.rates import Pricing
    from skymist.coverage.site import Pad, Policy, Site

    Floats = NDArray[np.float64]

CAPS_S = (0.0, 5.0, 10.0, 15.0)
"""Seconds up to which leaving a spot, or a line of it, is counted: each flight gives as many back,
since its last line leads home. The one that gives the highest bound is taken."""
LOOKS_M = (6.0, 25.0, 80.0, 300.0)
"""How far other passes are looked for."""
SAME_M = 0.05
"""Passes so near to each other are flown as one."""


def lowest_s(site: Site, drones: Sequence[Drone], treatments: Sequence[Treatment]) -> float:
    """A makespan that no plan of these treatments with these drones can go below, in seconds.

    Detours and climbs over roofs and waits are taken as nothing. The first tank and battery are
    filled before the start. Drones that may be moved stand on the best pad for each spot, or one by
    one on as many as each pad takes.
    """
    models = {drone.model.id: drone.model for drone in drones}
    some = [t for t in treatments if t.model_id in models]
    if not some:
        return 0.0
    pads = list(site.pads)
    reach_m = _reaches_m(some, pads)
    can_move = any(drone.is_movable for drone in drones)
    used = {drone.pad_id for drone in drones}
    nearest_m = reach_m[:, [can_move or pad.id in used for pad in pads]].min(axis=1)
    works = _works(site, some, models)
    cap_s, pricing = max(
        itertools.product(CAPS_S, PRICINGS),
        key=lambda way: _total_s(_seconds(works, nearest_m[:, None], *way)),
    )
    table = _seconds(works, reach_m, cap_s, pricing)
    table[reach_m > site.policy.radius_m] = np.inf
    best_s = 0.0
    for columns, counts in _choices(drones, pads):
        merged = np.stack([table[:, list(c)].min(axis=1) for c in columns], axis=1)
        best_s = max(best_s, shared_out(merged, np.array(counts))[0])
    visits_s = [
        2 * float(_ways_s(reach, models[t.model_id], site.policy)) + SPOOL_S + LAND_S
        for t, reach in zip(some, nearest_m.tolist(), strict=True)
    ]
    policy = site.policy
    first_s = policy.refill_s + policy.swap_s
    if policy.is_swap_in_refill:
        first_s = max(policy.refill_s, policy.swap_s)
    whole_s = _whole_s(works, nearest_m) / len(drones)
    return max(0.0, max(best_s, whole_s) - first_s, *visits_s)


def _choices(
    drones: Sequence[Drone], pads: Sequence[Pad]
) -> list[tuple[list[tuple[int, ...]], list[float]]]:
    """Pads that count as one, by index, and how many drones may stand there at most."""
    if not any(drone.is_movable for drone in drones):
        named = sorted({drone.pad_id for drone in drones})
        held = [float(sum(d.pad_id == pad_id for d in drones)) for pad_id in named]
        index = {pad.id: k for k, pad in enumerate(pads)}
        return [([(index[pad_id],) for pad_id in named], held)]
    choices = [([tuple(range(len(pads)))], [float(len(drones))])]
    if all(pad.capacity is not None for pad in pads):
        full = [float(min(pad.capacity or 0, len(drones))) for pad in pads]
        if sum(full) <= len(drones):
            choices.append(([(k,) for k in range(len(pads))], full))
    return choices


def _reaches_m(treatments: Sequence[Treatment], pads: Sequence[Pad]) -> Floats:
    """From each pad (columns) to the nearest of each treatment's ways."""
    homes = np.array([(pad.x, pad.y) for pad in pads])
    made = np.zeros((len(treatments), len(pads)))
    for k, treatment in enumerate(treatments):
        points = np.array([point for sprayed in treatment.passes for point in sprayed.path])
        gaps = points[:, None] - homes[None]
        made[k] = np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps).min(axis=0))
    return made


def _ways_s(reach_m: ArrayLike, model: DroneModel, policy: Policy) -> Floats:
    """Seconds of a level way so far, from rest to rest: climbs come on top, or go beside it."""
    return runs_s(reach_m, min(model.cruise_mps, policy.speed_max_mps), model.accel_mps2)


def _works(
    site: Site, treatments: Sequence[Treatment], models: Mapping[str, DroneModel]
) -> list[_Work]:
    """Treatments by what can share a flight."""
    groups: dict[tuple[str, Load], list[int]] = defaultdict(list)
    for k, treatment in enumerate(treatments):
        flow_lps = models[treatment.model_id].sprayer.flow_max_lps
        groups[treatment.model_id, load_of(treatment, flow_lps)].append(k)
    return [
        _Work.of(members, [treatments[k] for k in members], models[model_id], site.policy)
        for (model_id, _), members in groups.items()
    ]


def _seconds(works: Sequence[_Work], reach_m: Floats, cap_s: float, pricing: Pricing) -> Floats:
    """Seconds of drones' days that each treatment (rows) takes at least from so far away."""
    table = np.zeros(reach_m.shape)
    for work in works:
        table[work.members] = work.seconds(reach_m[work.members], cap_s, pricing)
    return table


def _whole_s(works: Sequence[_Work], nearest_m: Floats) -> float:
    """Seconds of drones' days in whole flights and batteries, each load from its nearest pad."""
    total_s, batteries = 0.0, 0.0
    for work in works:
        rates, policy = work.rates, work.rates.policy
        flights = math.ceil(float(work.litres_l.sum()) / usable_l(rates.model) - 1e-9)
        way_s = float(_ways_s(nearest_m[work.members].min(), rates.model, policy))
        between_s = max(float(work.leaves_s(cap).sum()) - flights * cap for cap in CAPS_S)
        flown_s = float(work.passes_s.sum()) + between_s
        flown_s += flights * (SPOOL_S + LAND_S + 2 * way_s)
        total_s += flown_s + flights * policy.refill_s
        batteries += flown_s * rates.least_s_per_s / max(rates.swap_s, 1e-9)
    return total_s + math.ceil(batteries - 1e-9) * min(work.rates.swap_s for work in works)


def _total_s(table: Floats) -> float:
    return float(table[np.isfinite(table)].sum())


@dataclass(frozen=True, slots=True)
class _Work:
    """Treatments of one load, by their places in a list, and what they hold in sum."""

    members: list[int]
    rates: Rates
    litres_l: Floats
    passes_s: Floats
    spots_s: Floats
    """From each to the nearest other one."""
    lines_s: Floats
    """From each line of passes to the nearest other one; those of each treatment in a row."""
    firsts: NDArray[np.intp]
    """Where the lines of each treatment begin."""

    @classmethod
    def of(
        cls, members: list[int], some: Sequence[Treatment], model: DroneModel, policy: Policy
    ) -> _Work:
        """Look at treatments once."""
        lines = [_lines(t) for t in some]
        gaps = [apart_m([shapely.geometrycollections(own) for own in lines])]
        gaps.append(apart_m([line for own in lines for line in own]))
        spots_s, lines_s = (
            np.where(gaps_m < SAME_M, 0.0, _ways_s(gaps_m, model, policy)) for gaps_m in gaps
        )
        return cls(
            members,
            Rates(model, policy, min(p.spray_s / p.litres_l for t in some for p in t.passes)),
            np.array([t.litres_l for t in some]),
            np.array([math.fsum(leg_s(p, model) for p in t.passes) for t in some]),
            spots_s,
            lines_s,
            np.cumsum([0, *(len(own) for own in lines[:-1])]),
        )

    def leaves_s(self, cap_s: float) -> Floats:
        """Between lines, by treatment; one of them, nobody knows which, leads out of it."""
        lines_s = np.minimum(self.lines_s, cap_s)
        inside_s = np.add.reduceat(lines_s, self.firsts) - np.maximum.reduceat(lines_s, self.firsts)
        return np.asarray(np.minimum(self.spots_s, cap_s) + inside_s)

    def seconds(self, reach_m: Floats, cap_s: float, pricing: Pricing) -> Floats:
        """Of a drone's day, for each treatment from so far away."""
        left_s = self.leaves_s(cap_s)
        beyond_s = self.passes_s - self.rates.s_per_l * self.litres_l + left_s
        own_s = self.passes_s + left_s + pricing[0] * self.rates.least_s_per_s * beyond_s
        ways_s = _ways_s(reach_m, self.rates.model, self.rates.policy)
        per_l = self.rates.per_l(ways_s, cap_s, pricing)
        return np.asarray(own_s[:, None] + self.litres_l[:, None] * per_l)


def apart_m(shapes: Sequence[BaseGeometry]) -> Floats:
    """From each to the nearest other one, at most the last of `LOOKS_M`."""
    flat = np.array(shapes, dtype=object)
    tree = shapely.STRtree(flat)
    found = np.full(len(flat), np.inf)
    for look_m in LOOKS_M:
        todo = np.flatnonzero(~np.isfinite(found))
        near, other = tree.query(flat[todo], predicate="dwithin", distance=look_m)
        near = todo[near]
        near, other = near[near != other], other[near != other]
        np.minimum.at(found, near, shapely.distance(flat[near], flat[other]))
    return np.where(np.isfinite(found), found, LOOKS_M[-1])


def _lines(treatment: Treatment) -> list[BaseGeometry]:
    """The lines of a treatment's passes, each once, whichever way and how often it is flown."""
    made: dict[tuple[tuple[float, float], ...], BaseGeometry] = {}
    for sprayed in treatment.passes:
        path = sprayed.path
        made[min(path, path[::-1])] = LineString(path) if len(path) > 1 else Point(path[0])
    return list(made.values())
