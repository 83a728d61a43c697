"""The least time that any plan could take for the same treatments: what a plan is measured by.

Somebody goes to the farthest spot and back. Every litre takes its seconds of spraying and its
share of the stops and of the way there and back: a flight carries at most a tank, so its round
trip, which is at least as long as to any of its spots, is shared by at most a tankful. Wherever a
drone may be moved, the best pad counts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.airways import NEAR_M
from skymist.coverage.chunks import usable_l
from skymist.coverage.energy import LAND_S, SPOOL_S, leg_s, transit_s
from skymist.coverage.flights import PAD_HEIGHT_M
from skymist.coverage.stations import shared_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.coverage.drones import Drone, DroneModel
    from skymist.coverage.plan import Treatment
    from skymist.coverage.site import Pad, Site


def lowest_s(site: Site, drones: Sequence[Drone], treatments: Sequence[Treatment]) -> float:
    """A makespan that no plan of these treatments with these drones can go below, in seconds.

    Ways between spots, detours and climbs over roofs and waits are taken as nothing, the power
    as that of an empty drone. The first tank and battery are filled before the start. Drones that
    may be moved stand on the best pad for each spot, or one by one on as many as each pad takes.
    """
    if not treatments:
        return 0.0
    models = {drone.model.id: drone.model for drone in drones}
    some = [t for t in treatments if t.model_id in models]
    pads = {pad.id: pad for pad in site.pads}
    if any(drone.is_movable for drone in drones):
        choices = [([tuple(pads.values())], [float(len(drones))])]
        if all(pad.capacity is not None for pad in pads.values()):
            full = [float(min(pad.capacity or 0, len(drones))) for pad in pads.values()]
            choices.append(([(pad,) for pad in pads.values()], full))
    else:
        named = sorted({drone.pad_id for drone in drones})
        held = [float(sum(d.pad_id == pad_id for d in drones)) for pad_id in named]
        choices = [([(pads[pad_id],) for pad_id in named], held)]
    best_s = 0.0
    reach_m = _reaches_m(some, list(pads.values()))
    by_pad = {
        pad_id: [
            _least_s(t, models[t.model_id], reach, site)
            if reach <= site.policy.radius_m
            else math.inf
            for t, reach in zip(some, reach_m[:, k].tolist(), strict=True)
        ]
        for k, pad_id in enumerate(pads)
    }
    for columns, counts in choices:
        table = [np.min([by_pad[pad.id] for pad in column], axis=0) for column in columns]
        best_s = max(best_s, shared_out(np.stack(table, axis=1), np.array(counts))[0])
    policy = site.policy
    first_s = (
        max(policy.refill_s, policy.swap_s)
        if policy.is_swap_in_refill
        else (policy.refill_s + policy.swap_s)
    )
    can_move = any(drone.is_movable for drone in drones)
    used = {drone.pad_id for drone in drones}
    nearest_m = reach_m[:, [can_move or pad_id in used for pad_id in pads]].min(axis=1).tolist()
    visits = [
        _round_trip_s(t, models[t.model_id], reach, site)
        for t, reach in zip(some, nearest_m, strict=True)
    ]
    return max(0.0, best_s - first_s, *visits)


def _reaches_m(treatments: Sequence[Treatment], pads: Sequence[Pad]) -> NDArray[np.float64]:
    """From each pad (columns) to the nearest of each treatment's ways."""
    homes = np.array([(pad.x, pad.y) for pad in pads])
    made = np.zeros((len(treatments), len(pads)))
    for k, treatment in enumerate(treatments):
        points = np.array([point for sprayed in treatment.passes for point in sprayed.path])
        gaps = points[:, None] - homes[None]
        made[k] = np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps).min(axis=0))
    return made


def _round_trip_s(treatment: Treatment, model: DroneModel, reach_m: float, site: Site) -> float:
    """Seconds that whoever treats any part of the spot needs to be there and back."""
    policy = site.policy
    speed_mps = min(model.cruise_mps, policy.speed_max_mps)
    low_m = min(PAD_HEIGHT_M, treatment.passes[0].above_home_m)
    top_m = min(policy.transit_min_m, policy.ceiling_m) if reach_m >= NEAR_M else low_m
    way = [(0.0, 0.0, PAD_HEIGHT_M), (0.0, 0.0, top_m), (reach_m, 0.0, top_m)]
    way.append((reach_m, 0.0, max(low_m, treatment.passes[0].above_home_m)))
    trip_s = transit_s(way, model, speed_mps) + transit_s(way[::-1], model, speed_mps)
    return trip_s + SPOOL_S + LAND_S


def _least_s(treatment: Treatment, model: DroneModel, reach_m: float, site: Site) -> float:
    """Seconds of a drone's day that the treatment takes at least, from a pad so far away."""
    policy = site.policy
    trip_s = _round_trip_s(treatment, model, reach_m, site)
    tanks = treatment.litres_l / usable_l(model)
    spray_s = math.fsum(leg_s(sprayed, model) for sprayed in treatment.passes)
    flown_s = spray_s + tanks * trip_s
    used = flown_s * model.hover_power_w(0.0) / (model.battery_wh * 3600)
    swap_s = policy.swap_s * used / (1 - policy.reserve_frac)
    fill_s = policy.refill_s * tanks
    stop_s = max(fill_s, swap_s) if policy.is_swap_in_refill else fill_s + swap_s
    return flown_s + stop_s
