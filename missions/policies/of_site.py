"""Measures of a site: what its policy allows, what is drawn, who is there; without a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from skymist.coverage.hours import ALWAYS, DAY_S, Start, both, daily, hours_text
from skymist.coverage.site import Mode
from skymist.coverage.timetable import Timetable, hours_of
from skymist.missions.findings import named, spots_text
from skymist.missions.policies.readings import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from skymist.coverage.site import BlindSpot, Site

NEAR_M = 1000.0
"""Farther places are no matter of any rule of distance. [P]"""


def _of_policy(field: str) -> Callable[[Site], Iterator[Reading]]:
    """A figure of the site's policy."""

    def read(site: Site) -> Iterator[Reading]:
        yield Reading(value=getattr(site.policy, field), where=f"policy.{field}", subjects=(field,))

    return read


def _temperatures(site: Site) -> Iterator[Reading]:
    for field in ("temperature_min_c", "temperature_max_c"):
        yield from _of_policy(field)(site)


def _takeoff_masses(site: Site) -> Iterator[Reading]:
    for model in {drone.model.id: drone.model for drone in site.fleet}.values():
        yield Reading(value=model.full_kg, where=f"model {model.id}", subjects=(model.id,))


def _drones_per_operator(site: Site) -> Iterator[Reading]:
    num, operators = len(site.fleet), site.policy.operators
    if not num:
        return
    value = num / operators if operators else None
    where = f"{num} drones, policy.operators {operators or 'not given'}"
    yield Reading(value=value, where=where, subjects=("operators",))


def flown(site: Site) -> list[BlindSpot]:
    """The spots that drones treat by their level."""
    return [spot for spot in site.spots if site.level_for(spot).is_flown]


def _receptor_distances(site: Site) -> Iterator[Reading]:
    """For each sensitive place the nearest flown spot."""
    spots = flown(site)
    if not (spots and site.receptors):
        return
    tree = shapely.STRtree([spot.area for spot in spots])
    shapes = [receptor.shape for receptor in site.receptors]
    found, apart_m = tree.query_nearest(shapes, max_distance=NEAR_M, return_distance=True)
    nearest: dict[int, tuple[str, float]] = {}
    for number, index, metres in zip(*found, apart_m, strict=True):
        named_first = min(spots[index].id, nearest.get(number, (spots[index].id,))[0])
        nearest[number] = (named_first, float(metres))
    for number, (spot_id, metres) in sorted(nearest.items()):
        receptor = site.receptors[number]
        where = f"{receptor.kind or 'receptor'} {receptor.id}, from spot {spot_id}"
        yield Reading(value=metres, where=where, subjects=(receptor.id, spot_id))


def _broadcast(site: Site) -> Iterator[Reading]:
    ids = [spot.id for spot in site.spots if spot.mode is Mode.BROADCAST]
    if ids:
        yield Reading(value=float(len(ids)), where=named(ids), subjects=tuple(ids))


def _broadcast_without_reason(site: Site) -> Iterator[Reading]:
    if not site.policy.reason.strip():
        yield from _broadcast(site)


def _vector_hours(site: Site) -> Iterator[Reading]:
    """When each vector or broadcast spot may be sprayed by all hours of the site, one for each."""
    table, midnight = Timetable(site, Start(clock_s=0.0)), Start(clock_s=0.0)
    by_hours: dict[str, list[str]] = {}
    spans = {}
    for spot in flown(site):
        if spot.mode is Mode.SURFACE:
            continue
        free = table.spraying(spot.id) if hours_of(site, spot) else ALWAYS
        if site.policy.hours:
            free = both(free, daily(site.policy.hours, midnight, 1))
        words = "any time" if free is ALWAYS else table.words(spot.id)
        if site.policy.hours:
            words = f"{words}, site {hours_text(site.policy.hours)}"
        spans[words] = ((0.0, DAY_S),) if free is ALWAYS else free
        by_hours.setdefault(words, []).append(spot.id)
    for words, ids in by_hours.items():
        where = f"{words} ({spots_text(len(ids))}: {named(ids)})"
        yield Reading(value=spans[words], where=where, subjects=tuple(ids))


MEASURES: dict[str, Callable[[Site], Iterator[Reading]]] = {
    "height_m": _of_policy("ceiling_m"),
    "speed_mps": _of_policy("speed_max_mps"),
    "radius_m": _of_policy("radius_m"),
    "wind_mps": _of_policy("wind_max_mps"),
    "temperature_c": _temperatures,
    "reserve_frac": _of_policy("reserve_frac"),
    "transit_min_m": _of_policy("transit_min_m"),
    "clearance_m": _of_policy("clearance_m"),
    "takeoff_kg": _takeoff_masses,
    "drones_per_operator": _drones_per_operator,
    "receptor_m": _receptor_distances,
    "broadcast_spots": _broadcast,
    "broadcast_without_reason": _broadcast_without_reason,
    "vector_hours": _vector_hours,
}
"""What can be read of a site, by the names that rules use."""
