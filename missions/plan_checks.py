"""What must hold of a plan before it is written, compiled or flown, whoever made or edited it."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.obstacles import Obstacles
from skymist.coverage.plan import Pass, Transit
from skymist.coverage.timetable import Timetable, has_hours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Leg, Plan, Sortie
    from skymist.coverage.site import Site

FAR_M = 20_000.0
"""No leg lies farther from the origin: the local frame ends there."""
JOINT_M = 0.2
"""A leg begins where the one before ended, give or take the file's rounding."""
CLOCK_S = 1.0
"""Of a take-off beside its hours, for the rounding of files."""
Point = tuple[float, float, float]


def plan_faults(plan: Plan) -> tuple[str, ...]:
    """Everything wrong with a plan, in words; empty for one that may be flown."""
    found = list(_references(plan))
    if found:
        return tuple(found)
    models = {drone.id: drone.model for drone in plan.site.fleet}
    air = {model.id: _obstacles(plan.site, model) for model in models.values()}
    for sortie in plan.sorties:
        model = models[sortie.drone_id]
        shape = list(_shape(sortie))
        faults = shape or (*_joints(sortie), *_way(plan, sortie, model, air[model.id]))
        found += [f"{sortie.id}: {t}" for t in faults]
    return tuple(found or _off_hours(plan))


def _off_hours(plan: Plan) -> Iterator[str]:
    """Sorties that would spray outside their hours or cross closed ground, flown as planned."""
    if plan.start is None:
        if has_hours(plan.site):
            yield "start: wanted the time of day at which the plan begins, found none"
        return
    table = Timetable(plan.site, plan.start, slack_frac=0.0)
    models = {drone.id: drone.model for drone in plan.site.fleet}
    for sortie in plan.sorties:
        spans = table.takeoffs(sortie.legs, models[sortie.drone_id], sortie.duration_s)
        if not any(a - CLOCK_S <= sortie.start_s <= b + CLOCK_S for a, b in spans):
            yield f"{sortie.id}: start_s: {plan.start.at(sortie.start_s)} is outside its hours"


def _references(plan: Plan) -> Iterator[str]:
    """Ids that stand twice, or that name nothing."""
    site = plan.site
    known = {
        "drone": [drone.id for drone in site.fleet],
        "pad": [pad.id for pad in site.pads],
        "spot": [spot.id for spot in site.spots],
        "sortie": [sortie.id for sortie in plan.sorties],
    }
    for kind, ids in known.items():
        for name, times in Counter(ids).items():
            if times > 1:
                yield f"{kind} {name}: wanted once, found {times} times"
    spot_ids = frozenset(known["spot"])
    for sortie in plan.sorties:
        if sortie.drone_id not in known["drone"]:
            yield f"{sortie.id}: drone_id: wanted a drone of the fleet, found {sortie.drone_id!r}"
        if sortie.pad_id not in known["pad"]:
            yield f"{sortie.id}: pad_id: wanted a pad of the site, found {sortie.pad_id!r}"
        for spot_id in sortie.spot_ids:
            if spot_id not in spot_ids:
                yield f"{sortie.id}: spot_id: wanted a spot of the site, found {spot_id!r}"


def _points(leg: Leg) -> list[Point]:
    if isinstance(leg, Transit):
        return list(leg.path)
    return [(x, y, leg.above_home_m) for x, y in leg.path]


def _shape(sortie: Sortie) -> Iterator[str]:
    """Whether the legs make one flight of finite numbers, from transit to transit."""
    numbers = (sortie.start_s, sortie.duration_s, sortie.litres_l, sortie.battery_frac)
    if not all(math.isfinite(number) for number in numbers):
        yield "start_s, duration_s, litres_l, battery_frac: wanted finite numbers"
    if len(sortie.legs) < 2 or not (
        isinstance(sortie.legs[0], Transit) and isinstance(sortie.legs[-1], Transit)
    ):
        yield "legs: wanted a transit first and last"
        return
    for number, leg in enumerate(sortie.legs):
        points = _points(leg)
        if isinstance(leg, Transit) and len(points) < 2:
            yield f"legs[{number}]: wanted two points or more, found {len(points)}"
            return
        if not all(math.isfinite(c) and abs(c) < FAR_M for point in points for c in point):
            yield f"legs[{number}]: wanted finite places within {FAR_M / 1000:.0f} km"
            return


def _joints(sortie: Sortie) -> Iterator[str]:
    """Whether each leg begins where the one before ended."""
    for number, (before, after) in enumerate(pairwise(sortie.legs), 1):
        gap_m = math.dist(_points(before)[-1], _points(after)[0])
        if gap_m > JOINT_M:
            yield f"legs[{number}]: begins {gap_m:.1f} m from where the leg before ended"


def _keep_m(site: Site, model: DroneModel) -> float:
    return model.body_m / 2 + site.policy.clearance_m


def _obstacles(site: Site, model: DroneModel) -> Obstacles:
    """A centimetre less than planned with, for the rounding of files."""
    margin_m = site.policy.building_margin_m - 0.01
    return Obstacles(site.buildings, keep_m=_keep_m(site, model) - 0.02, margin_m=margin_m)


def _way(plan: Plan, sortie: Sortie, model: DroneModel, obstacles: Obstacles) -> Iterator[str]:
    """Whether heights, speeds and distances from buildings keep the policy."""
    policy, keep_m = plan.site.policy, _keep_m(plan.site, model)
    pad = next(p for p in plan.site.pads if p.id == sortie.pad_id)
    away_m = max(math.dist((pad.x, pad.y), p[:2]) for leg in sortie.legs for p in _points(leg))
    if away_m > policy.radius_m + 0.01:
        yield f"{away_m:.0f} m from its pad {pad.id}, wanted up to {policy.radius_m:g} m"
    for number, leg in enumerate(sortie.legs):
        if not isinstance(leg, Pass) or leg.hover_s == 0:
            speed = leg.speed_mps
            if not 0 < speed <= policy.speed_max_mps + 1e-6:
                yield f"legs[{number}]: speed_mps: wanted up to {policy.speed_max_mps}, got {speed}"
        points = _points(leg)
        for z in {point[2] for point in points}:
            if not 1.0 <= z <= policy.ceiling_m + 1e-6:
                yield f"legs[{number}]: height: wanted 1 to {policy.ceiling_m} m, got {z}"
        for a, b in pairwise([*points, points[-1]] if len(points) == 1 else points):
            if not obstacles.is_clear(a, b):
                place = f"({a[0]:.1f}, {a[1]:.1f})"
                yield f"legs[{number}]: passes a building closer than {keep_m:.1f} m at {place}"
                break
