"""Measures of a plan: how high, fast and far it leads, how vector spots are sprayed, drift."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import shapely

from skymist.coverage.drift import CALM_MPS, downwind_m, drift_at_receptors
from skymist.coverage.energy import SPOOL_S, leg_s
from skymist.coverage.footprints import footprint
from skymist.coverage.hours import DAY_S, clock_text
from skymist.coverage.plan import Pass
from skymist.coverage.site import Mode
from skymist.missions.policies.readings import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from skymist.coverage.plan import Leg, Plan, Sortie

CARED_FOR = ("school", "kindergarten", "nursery", "hospital", "clinic", "care")
"""Words in the kind of a sensitive place from which agricultural spraying keeps farther off."""
L_PER_MIN = 60.0


def _heights(plan: Plan) -> Iterator[Reading]:
    for sortie in plan.sorties:
        most_m = max(z for leg in sortie.legs for _, _, z in _points(leg))
        yield Reading(value=most_m, where=f"sortie {sortie.id}", subjects=(sortie.id,))


def _speeds(plan: Plan) -> Iterator[Reading]:
    for sortie in plan.sorties:
        moving = [leg.speed_mps for leg in sortie.legs if not _hovers(leg)]
        yield Reading(
            value=max(moving, default=0.0), where=f"sortie {sortie.id}", subjects=(sortie.id,)
        )


def _radii(plan: Plan) -> Iterator[Reading]:
    pads = {pad.id: (pad.x, pad.y) for pad in plan.site.pads}
    for sortie in plan.sorties:
        pad = pads[sortie.pad_id]
        away_m = max(math.dist(pad, p[:2]) for leg in sortie.legs for p in _points(leg))
        where = f"sortie {sortie.id} from pad {sortie.pad_id}"
        yield Reading(value=away_m, where=where, subjects=(sortie.id,))


def _wind(plan: Plan) -> Iterator[Reading]:
    if plan.wind is not None:
        yield Reading(value=plan.wind.speed_mps, where="the wind that the plan is laid for")


def _receptor_wind(plan: Plan) -> Iterator[Reading]:
    if plan.site.receptors:
        yield from _wind(plan)


def _drift(plan: Plan) -> Iterator[Reading]:
    """Share of the highest dose upwind that each sensitive place may get."""
    if plan.wind is None or plan.wind.speed_mps < CALM_MPS:
        return
    for drift in drift_at_receptors(plan.treatments, plan.site.receptors, plan.wind):
        where = f"{drift.kind} {drift.receptor_id}".strip()
        where += f", most of it from {drift.main_spot_id}, {drift.distance_m:.0f} m upwind"
        subjects = (drift.receptor_id, drift.main_spot_id)
        yield Reading(value=drift.deposit_frac, where=where, subjects=subjects)


def _downwind(plan: Plan) -> Iterator[Reading]:
    """How far downwind of a treated spot each school, hospital and the like lies."""
    wind = plan.wind
    if wind is None or wind.speed_mps < CALM_MPS:
        return
    flown = [treatment for treatment in plan.treatments if treatment.passes]
    for receptor in plan.site.receptors:
        if not any(word in receptor.kind.lower() for word in CARED_FOR):
            continue
        apart = [
            (metres, treatment.spot_id)
            for treatment in flown
            if (metres := downwind_m(treatment, receptor, wind)) is not None
        ]
        if apart:
            metres, spot_id = min(apart)
            where = f"{receptor.kind} {receptor.id}, from spot {spot_id}"
            yield Reading(value=metres, where=where, subjects=(receptor.id, spot_id))


def _no_spray(plan: Plan) -> Iterator[Reading]:
    """The no-spray ground under each pass that wets any."""
    areas = [ground.area for ground in plan.site.no_spray]
    tree = shapely.STRtree(areas)
    for sortie in plan.sorties:
        for sprayed in sortie.passes:
            wet = footprint(sprayed)
            for i in sorted(tree.query(wet, predicate="intersects")):
                ground = plan.site.no_spray[i]
                where = f"{ground.id} ({ground.reason}), spot {sprayed.spot_id} in {sortie.id}"
                wet_m2 = float(wet.intersection(ground.area).area)
                yield Reading(value=wet_m2, where=where, subjects=(ground.id, sprayed.spot_id))


def vector_passes(plan: Plan) -> Iterator[tuple[Sortie, Pass]]:
    """Passes over spots in vector or broadcast mode, with their sorties."""
    vector = {spot.id for spot in plan.site.spots if spot.mode is not Mode.SURFACE}
    for sortie in plan.sorties:
        for sprayed in sortie.passes:
            if sprayed.spot_id in vector:
                yield sortie, sprayed


def _vector_speeds(plan: Plan) -> Iterator[Reading]:
    for sortie, sprayed in vector_passes(plan):
        if not _hovers(sprayed):
            yield _of_pass(sortie, sprayed, sprayed.speed_mps)


def _vector_heights(plan: Plan) -> Iterator[Reading]:
    """Over the surface of the spot."""
    surface_m = {spot.id: spot.elevation_m for spot in plan.site.spots}
    for sortie, sprayed in vector_passes(plan):
        yield _of_pass(sortie, sprayed, sprayed.above_home_m - surface_m[sprayed.spot_id])


def _vector_flows(plan: Plan) -> Iterator[Reading]:
    for sortie, sprayed in vector_passes(plan):
        yield _of_pass(sortie, sprayed, sprayed.flow_lps * L_PER_MIN)


def _of_pass(sortie: Sortie, sprayed: Pass, value: float) -> Reading:
    where = f"spot {sprayed.spot_id} in sortie {sortie.id}"
    return Reading(value=value, where=where, subjects=(sprayed.spot_id, sortie.id))


def _vector_areas(plan: Plan) -> Iterator[Reading]:
    """Vector area of each drone on each day: a spot counts for the drone of its first pass."""
    targets = {t.spot_id: float(t.target.area) for t in plan.treatments}
    shares: dict[tuple[str, int], float] = defaultdict(float)
    for sortie, sprayed in vector_passes(plan):
        day = int(((plan.start.clock_s if plan.start else 0.0) + sortie.start_s) // DAY_S)
        shares[sortie.drone_id, day] += targets.pop(sprayed.spot_id, 0.0)
    for (drone_id, day), m2 in sorted(shares.items()):
        yield Reading(value=m2, where=f"drone {drone_id}, day {day + 1}", subjects=(drone_id,))


def _vector_hours(plan: Plan) -> Iterator[Reading]:
    """When vector and broadcast spots are sprayed, one for each pass."""
    start = plan.start
    models = {drone.id: drone.model for drone in plan.site.fleet}
    vector = {spot.id for spot in plan.site.spots if spot.mode is not Mode.SURFACE}
    for sortie in plan.sorties:
        end_s = sortie.start_s + SPOOL_S
        for leg in sortie.legs:
            begin_s, end_s = end_s, end_s + leg_s(leg, models[sortie.drone_id])
            if not isinstance(leg, Pass) or leg.spot_id not in vector:
                continue
            subjects = (leg.spot_id, sortie.id)
            if start is None:
                where = f"spot {leg.spot_id}: the plan has no time of day"
                yield Reading(value=None, where=where, subjects=subjects)
                return
            from_s = (start.clock_s + begin_s) % DAY_S
            where = f"{clock_text(from_s)} (spot {leg.spot_id} in {sortie.id})"
            span = (from_s, from_s + end_s - begin_s)
            yield Reading(value=(span,), where=where, subjects=subjects)


def _points(leg: Leg) -> list[tuple[float, float, float]]:
    if isinstance(leg, Pass):
        return [(x, y, leg.above_home_m) for x, y in leg.path]
    return list(leg.path)


def _hovers(leg: Leg) -> bool:
    return isinstance(leg, Pass) and leg.hover_s > 0


MEASURES: dict[str, Callable[[Plan], Iterator[Reading]]] = {
    "height_m": _heights,
    "speed_mps": _speeds,
    "radius_m": _radii,
    "wind_mps": _wind,
    "receptor_wind_mps": _receptor_wind,
    "drift_frac": _drift,
    "downwind_m": _downwind,
    "no_spray_m2": _no_spray,
    "vector_speed_mps": _vector_speeds,
    "vector_height_m": _vector_heights,
    "vector_flow_lpm": _vector_flows,
    "vector_m2_per_drone_day": _vector_areas,
    "vector_hours": _vector_hours,
}
"""What can be read of a plan, by the names that rules use."""
