"""One spot at a time: the passes that treat it, or the reason why no drone does.

`treat_spot` looks at what may be sprayed (not under roofs, not on no-spray ground), where a drone
fits (buildings widened by body and clearance), and has `coverage.passes` lay runs, strips, laps or
a hover. What stays dry goes to the ground crew, in words.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from shapely.geometry.base import BaseGeometry

from skymist.coverage import runs
from skymist.coverage.dosemap import DoseMap
from skymist.coverage.footprints import areal, footprint
from skymist.coverage.passes import ROOFED, Refusal, dose_for, off_forbidden, passes_over
from skymist.coverage.plan import GroundTask, Pass, Reason, Treatment
from skymist.coverage.robust import difference, intersection, union
from skymist.coverage.scene import Scene, height_over
from skymist.coverage.site import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel, Sprayer
    from skymist.coverage.site import BlindSpot, Site

__all__ = ["Scene", "gathered", "treat_site", "treat_spot", "treat_spots"]

ROOF_SETBACK_M = 0.5
"""Edge of a roof that is not sprayed. Proposal of this project."""
EDGE_M = 0.05
"""Slack along the edges of strips when the dry rest is told. Numerical."""
SCRAP_M2 = 0.05
"""Smaller pieces are rounding of the map, not ground. Numerical."""
WORTH_FRAC = 0.4
"""A spot of which the drone reaches less is left whole to the ground crew. Proposal."""
SLIVER_FRAC = 0.2
"""A spot of which less than this may be sprayed is left whole to the ground crew. Proposal."""
REST_FRAC, REST_M2 = 0.02, 0.25
"""A rest smaller than this share of the spot and this area is track error, not a task."""

PROMISED_FRAC = 0.96
"""The least share of its target that a treatment promises. Proposal; `tests/checks.py` asks 0.95
on a grid."""

SHARES = (1.0, 0.5, 0.0)
"""How much of the wind's displacement is met by flying upwind, where walls leave no more room."""
SHARE_ENOUGH_FRAC = 0.97
"""A share with which so much of the target is reached is not bettered. Proposal."""


Result = tuple[Treatment | None, tuple[GroundTask, ...]]
Treated = tuple[tuple[Treatment, ...], tuple[GroundTask, ...]]


def treat_spot(spot: BlindSpot, scene: Scene) -> Result:
    """How one model of drone treats one spot; every part of it is in the answer."""
    refusal = _refuse_whole(spot, scene)
    if refusal:
        return None, (_whole(spot, *refusal),)
    target, tasks = _may_be_sprayed(spot, scene)
    if target.is_empty or (target.area < SLIVER_FRAC * spot.area.area and spot.kind not in ROOFED):
        return None, _all_of(spot, tasks)
    (passes, refusal), wet, share = _best_passes(spot, target, scene)
    if intersection(target, wet).area < WORTH_FRAC * target.area:
        reason, text = refusal or _why_dry(target, scene)
        return None, (_whole(spot, reason, text),)
    rest = _dry_rest(target, wet)
    if rest.area > max(REST_FRAC * target.area, min(REST_M2, 2 * REST_FRAC * target.area)):
        reason, text = _why_dry(rest, scene)
        tasks = (*tasks, _part(spot, reason, text, rest))
        target = areal(difference(target, rest))
    done = Treatment(
        spot_id=spot.id,
        passes=passes,
        target=target,
        dose_l_per_m2=dose_for(spot, scene.site),
        agent_id=spot.agent_id or scene.site.level_for(spot).agent_id,
        expected_frac=min(1.0, intersection(target, wet).area / target.area),
        model_id=scene.model.id,
        cv_frac=_cv_frac(passes, target, scene.model.sprayer),
        downwind_m=round((1 - share) * max(math.hypot(*p.drift_m) for p in passes), 3),
    )
    return done, tasks


def _dry_rest(target: BaseGeometry, wet: BaseGeometry) -> BaseGeometry:
    """What passes leave dry: without slivers along strips, but where they are much of the rest."""
    rest = areal(difference(target, wet.buffer(EDGE_M)))
    kept = difference(target, rest)
    if intersection(kept, wet).area < PROMISED_FRAC * kept.area:
        return areal(difference(target, wet))
    return rest


def _best_passes(
    spot: BlindSpot, target: BaseGeometry, scene: Scene
) -> tuple[tuple[tuple[Pass, ...], Refusal], BaseGeometry, float]:
    """The passes that reach most of the target or why there are none; what they wet; the share.

    In wind all of the displacement is met by flying upwind, less only where walls are in the way.
    """
    wet_m = scene.model.sprayer.wet_m
    best: tuple[float, tuple[tuple[tuple[Pass, ...], Refusal], BaseGeometry, float]] | None = None
    for share in SHARES if scene.wind is not None else SHARES[:1]:
        passes, refusal = passes_over(spot, target, scene, share)
        blown = max((math.hypot(*p.drift_m) for p in passes), default=0.0)
        passes = off_forbidden(passes, scene.forbidden(target.buffer(wet_m + blown)), wet_m)
        wet = union(footprint(p) for p in passes)
        reached_m2 = intersection(target, wet).area
        if best is None or reached_m2 > best[0] + SCRAP_M2:
            best = reached_m2, ((passes, refusal), wet, share)
        if best[0] >= SHARE_ENOUGH_FRAC * target.area:
            break
    assert best is not None
    return best[1]


def _cv_frac(passes: Sequence[Pass], target: BaseGeometry, sprayer: Sprayer) -> float:
    """How unevenly the passes dose the target; 0 where the profile is taken as level."""
    if sprayer.profile is None:
        return 0.0
    dose = DoseMap()
    dose.add_passes(passes, sprayer.profile)
    cv_frac = dose.cv_in(target)
    return cv_frac if math.isfinite(cv_frac) else 0.0


def _whole(spot: BlindSpot, reason: Reason, text: str) -> GroundTask:
    return GroundTask(spot_id=spot.id, reason=reason, text=text, area=spot.area, is_whole_spot=True)


def _part(spot: BlindSpot, reason: Reason, text: str, area: BaseGeometry) -> GroundTask:
    return GroundTask(spot_id=spot.id, reason=reason, text=text, area=area, is_whole_spot=False)


def _all_of(spot: BlindSpot, tasks: Sequence[GroundTask]) -> tuple[GroundTask, ...]:
    """One task for the whole spot where its parts are all left out."""
    if not tasks:
        return (_whole(spot, Reason.NO_ACCESS, "too small to spray"),)
    largest = max(tasks, key=lambda task: task.area_m2)
    return (replace(largest, area=spot.area, is_whole_spot=True),)


def _refuse_whole(spot: BlindSpot, scene: Scene) -> tuple[Reason, str] | None:
    """Why no drone should go near the spot at all, if so."""
    policy, level = scene.site.policy, scene.site.level_for(spot)
    if not level.is_flown:
        return Reason.LEVEL_NOT_FLOWN, (
            f"level {spot.level}: cleaned by people, no drone unless the site says so"
        )
    if spot.kind is Kind.GAP:
        return Reason.TOO_NARROW, "a gap between buildings: no drone fits, treat it on foot"
    height_m = height_over(spot, scene)
    if height_m > policy.ceiling_m:
        return Reason.TOO_HIGH, (
            f"needs {height_m:.1f} m above home, the ceiling is {policy.ceiling_m:.1f} m"
        )
    centre = spot.area.centroid
    reach_m = min(
        (math.hypot(centre.x - pad.x, centre.y - pad.y) for pad in scene.site.pads),
        default=math.inf,
    )
    if reach_m > policy.radius_m:
        return Reason.OUT_OF_REACH, (
            f"{reach_m:.0f} m from the nearest pad, the policy allows {policy.radius_m:.0f} m"
        )
    return None


def _may_be_sprayed(spot: BlindSpot, scene: Scene) -> tuple[BaseGeometry, tuple[GroundTask, ...]]:
    """The part of the spot that spray may and can fall on, and tasks for the rest."""
    area, tasks = spot.area, []
    if spot.kind in ROOFED:
        swath_m = scene.model.sprayer.swath_m
        area = _ring_around(spot.area, runs.lap_offset_m(scene.obstacles.keep_m, swath_m), swath_m)
        text = "under a roof: sprayed around from the air, inside on foot (no live electrics)"
        tasks.append(_part(spot, Reason.ROOFED, text, spot.area))
    elif spot.kind is Kind.FLAT_ROOF:
        area = areal(spot.area.buffer(-ROOF_SETBACK_M))
        text = f"the roof's edge: {ROOF_SETBACK_M:.1f} m kept dry, so that nothing runs down"
        tasks.append(_part(spot, Reason.NO_ACCESS, text, areal(difference(spot.area, area))))
    under = areal(intersection(area, scene.obstacles.footprints(area, spot.elevation_m + 0.5)))
    kept = areal(difference(area, under))
    if not under.is_empty and spot.kind not in ROOFED:
        text = f"{under.area:.1f} m2 lie under a building or its eaves"
        tasks.append(_part(spot, Reason.UNDER_BUILDING, text, under))
    forbidden = scene.forbidden(kept)
    banned = areal(intersection(kept, forbidden))
    if not banned.is_empty and spot.kind not in ROOFED:
        text = f"{banned.area:.1f} m2 lie on no-spray ground or at its edge: clean by hand"
        tasks.append(_part(spot, Reason.NO_SPRAY, text, banned))
    return areal(difference(kept, forbidden)), tuple(t for t in tasks if t.area_m2 > SCRAP_M2)


def _ring_around(area: BaseGeometry, offset_m: float, swath_m: float) -> BaseGeometry:
    """The band that a lap at `offset_m` from the area wets, outside the area."""
    outer = area.buffer(offset_m, join_style="mitre").buffer(swath_m / 2)
    return areal(
        outer.difference(area.buffer(max(0.0, offset_m - swath_m / 2), join_style="mitre"))
    )


def _why_dry(rest: BaseGeometry, scene: Scene) -> tuple[Reason, str]:
    """In words, why a part that may be sprayed is not reached."""
    near = scene.obstacles.tallest_m(rest.buffer(scene.obstacles.keep_m))
    if near > 0:
        return Reason.NO_ACCESS, (
            f"{rest.area:.1f} m2 lie closer to a wall than the drone may fly "
            f"({scene.obstacles.keep_m:.1f} m from its centre)"
        )
    edge = scene.forbidden(rest.buffer(scene.model.sprayer.swath_m))
    if not edge.is_empty:
        return Reason.NO_SPRAY, (
            f"{rest.area:.1f} m2 cannot be sprayed without wetting no-spray ground beside them"
        )
    return Reason.NO_ACCESS, f"{rest.area:.1f} m2 in corners that no pass fits"


def treat_site(
    site: Site,
    model: DroneModel,
    wind: Wind | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Treated:
    """All spots of a site, in the order of the file; every one in one of the two lists or both.

    `wind` is what the passes are laid for; None for still air. `tell` is called before each spot
    and at the end, with how many are done and how many there are.
    """
    return gathered(treat_spots(site, model, wind, site.spots, tell))


def treat_spots(
    site: Site,
    model: DroneModel,
    wind: Wind | None,
    spots: Sequence[BlindSpot],
    tell: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Some spots of a site, one by one; `tell` as for `treat_site`."""
    scene, tell = Scene.of(site, model, wind), tell or (lambda done, total: None)
    results = []
    for done, spot in enumerate(spots):
        tell(done, len(spots))
        results.append(treat_spot(spot, scene))
    tell(len(spots), len(spots))
    return results


def gathered(results: Sequence[Result]) -> Treated:
    """Treatments and tasks of spots that were looked at one by one."""
    treatments = tuple(t for t, _ in results if t is not None)
    return treatments, tuple(task for _, tasks in results for task in tasks)
