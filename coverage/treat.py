"""One spot at a time: the passes that treat it, or the reason why no drone does.

`treat_spot` looks at what may be sprayed (not under roofs, not on no-spray ground), where a drone
fits (buildings widened by body and clearance), and picks runs, strips, laps or a hover. What
stays dry goes to the ground crew, in words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import runs
from skymist.coverage.dose import Setting, hover_s, solve_dose
from skymist.coverage.dosemap import DoseMap
from skymist.coverage.footprints import areal, footprint
from skymist.coverage.obstacles import Obstacles
from skymist.coverage.plan import GroundTask, Pass, PassKind, Reason, Treatment
from skymist.coverage.robust import difference, intersection, union
from skymist.coverage.site import Kind, Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.drones import DroneModel, Sprayer
    from skymist.coverage.site import BlindSpot, Site

PARAPET_M = 1.0
"""Height of a flat roof's parapet where none is surveyed. Proposal of this project."""
ROOF_SETBACK_M = 0.5
"""Edge of a roof that is not sprayed. Proposal of this project."""
REACH_MAX_M = 6.0
"""Highest release over a surface that still counts as treating it: twice the working height of
3 m at which drift figures were measured. Proposal of this project."""
NO_SPRAY_EDGE_M = 0.75
"""Kept from the edge of no-spray ground: track error and lag. Proposal of this project."""
EDGE_M = 0.05
"""Slack along the edges of strips when the dry rest is told. Numerical."""
SCRAP_M2 = 0.05
"""Smaller pieces are rounding of the map, not ground. Numerical."""
WORTH_FRAC = 0.4
"""A spot of which the drone reaches less is left whole to the ground crew. Proposal."""
DOSE_MOST = 2.5
"""A drone that cannot stay below this many times the dose does not treat the spot. Proposal."""
SLIVER_FRAC = 0.2
"""A spot of which less than this may be sprayed is left whole to the ground crew. Proposal."""
REST_FRAC, REST_M2 = 0.02, 0.25
"""A rest smaller than this share of the spot and this area is track error, not a task."""

_ROOFED = (Kind.BIKE_SHED, Kind.ROOFED_MARKET)


@dataclass(frozen=True, slots=True)
class Scene:
    """What every spot of a site and drone model shares."""

    site: Site
    model: DroneModel
    obstacles: Obstacles
    no_spray: shapely.STRtree
    no_spray_areas: tuple[BaseGeometry, ...]

    @staticmethod
    def of(site: Site, model: DroneModel) -> Scene:
        """Look a site over once for one model of drone."""
        keep_m = model.body_m / 2 + site.policy.clearance_m
        areas = tuple(n.area for n in site.no_spray)
        return Scene(
            site=site,
            model=model,
            obstacles=Obstacles(
                site.buildings, keep_m=keep_m, margin_m=site.policy.building_margin_m
            ),
            no_spray=shapely.STRtree(areas),
            no_spray_areas=areas,
        )

    def forbidden(self, region: BaseGeometry) -> BaseGeometry:
        """No-spray ground near a region, widened by the edge that is kept from it."""
        near = self.no_spray.query(region, predicate="dwithin", distance=NO_SPRAY_EDGE_M)
        return union(self.no_spray_areas[i].buffer(NO_SPRAY_EDGE_M) for i in sorted(near))


Result = tuple[Treatment | None, tuple[GroundTask, ...]]


def treat_spot(spot: BlindSpot, scene: Scene) -> Result:
    """How one model of drone treats one spot; every part of it is in the answer."""
    refusal = _refuse_whole(spot, scene)
    if refusal:
        return None, (_whole(spot, *refusal),)
    target, tasks = _may_be_sprayed(spot, scene)
    if target.is_empty or (target.area < SLIVER_FRAC * spot.area.area and spot.kind not in _ROOFED):
        return None, _all_of(spot, tasks)
    passes, refusal = _passes(spot, target, scene)
    wet_m = scene.model.sprayer.wet_m
    passes = _off_forbidden(passes, scene.forbidden(target.buffer(wet_m)), wet_m)
    wet = union(footprint(p) for p in passes)
    if intersection(target, wet).area < WORTH_FRAC * target.area:
        reason, text = refusal or _why_dry(target, scene)
        return None, (_whole(spot, reason, text),)
    rest = areal(difference(target, wet.buffer(EDGE_M)))
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
    )
    return done, tasks


def _cv_frac(passes: Sequence[Pass], target: BaseGeometry, sprayer: Sprayer) -> float:
    """How unevenly the passes dose the target; 0 where the profile is taken as level."""
    if sprayer.profile is None:
        return 0.0
    dose = DoseMap()
    dose.add_passes(passes, sprayer.profile)
    cv_frac = dose.cv_in(target)
    return cv_frac if math.isfinite(cv_frac) else 0.0


def dose_for(spot: BlindSpot, site: Site) -> float:
    """Litres per m2 asked for: the spot's own, else its level's."""
    return spot.dose_l_per_m2 or site.level_for(spot).dose_l_per_m2


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


def height_over(spot: BlindSpot, scene: Scene) -> float:
    """Metres above home at which the spot is sprayed from its normal release height."""
    parapet_m = PARAPET_M if spot.kind is Kind.FLAT_ROOF else 0.0
    return spot.elevation_m + parapet_m + scene.model.sprayer.release_height_m


def _may_be_sprayed(spot: BlindSpot, scene: Scene) -> tuple[BaseGeometry, tuple[GroundTask, ...]]:
    """The part of the spot that spray may and can fall on, and tasks for the rest."""
    area, tasks = spot.area, []
    if spot.kind in _ROOFED:
        swath_m = scene.model.sprayer.swath_m
        area = runs.ring_around(
            spot.area, runs.lap_offset_m(scene.obstacles.keep_m, swath_m), swath_m
        )
        text = "under a roof: sprayed around from the air, inside on foot (no live electrics)"
        tasks.append(_part(spot, Reason.ROOFED, text, spot.area))
    elif spot.kind is Kind.FLAT_ROOF:
        area = areal(spot.area.buffer(-ROOF_SETBACK_M))
        text = f"the roof's edge: {ROOF_SETBACK_M:.1f} m kept dry, so that nothing runs down"
        tasks.append(_part(spot, Reason.NO_ACCESS, text, areal(difference(spot.area, area))))
    under = areal(intersection(area, scene.obstacles.footprints(area, spot.elevation_m + 0.5)))
    kept = areal(difference(area, under))
    if not under.is_empty and spot.kind not in _ROOFED:
        text = f"{under.area:.1f} m2 lie under a building or its eaves"
        tasks.append(_part(spot, Reason.UNDER_BUILDING, text, under))
    forbidden = scene.forbidden(kept)
    banned = areal(intersection(kept, forbidden))
    if not banned.is_empty and spot.kind not in _ROOFED:
        text = f"{banned.area:.1f} m2 lie on no-spray ground or at its edge: clean by hand"
        tasks.append(_part(spot, Reason.NO_SPRAY, text, banned))
    return areal(difference(kept, forbidden)), tuple(t for t in tasks if t.area_m2 > SCRAP_M2)


def _passes(
    spot: BlindSpot, target: BaseGeometry, scene: Scene
) -> tuple[tuple[Pass, ...], tuple[Reason, str] | None]:
    """Lines over the target at the height that suits it, lapped and dosed."""
    sprayer, policy = scene.model.sprayer, scene.site.policy
    dose = dose_for(spot, scene.site)
    top_mps = min(scene.model.speed_mps, policy.speed_max_mps)
    setting = solve_dose(dose, sprayer, speed_max_mps=top_mps)
    if setting.dose_l_per_m2 > DOSE_MOST * dose:
        return (), (
            Reason.BELOW_PUMP,
            f"asks for {dose * 1000:.2g} mL/m2, the least this drone gives is "
            f"{setting.dose_l_per_m2 * 1000:.2g} mL/m2",
        )
    height_m = height_over(spot, scene)
    blocked = scene.obstacles.blocked(target.buffer(sprayer.swath_m), height_m)
    if spot.kind in _ROOFED:
        blocked = union([blocked, spot.area.buffer(scene.obstacles.keep_m)])
    lap_m = runs.lap_offset_m(scene.obstacles.keep_m, sprayer.swath_m)
    kind, lines = runs.lines_over(spot, target, sprayer.swath_m, blocked, lap_m)
    if not lines and spot.shape.geom_type != "Point":
        roof_m = scene.obstacles.tallest_m(target.buffer(scene.obstacles.keep_m))
        over_m = roof_m + policy.building_margin_m
        if roof_m > 0 and over_m <= min(spot.elevation_m + REACH_MAX_M, policy.ceiling_m):
            height_m, blocked = max(height_m, over_m), Polygon()
            kind, lines = runs.lines_over(spot, target, sprayer.swath_m, Polygon(), lap_m)
        elif roof_m > 0:
            return (), (
                Reason.TOO_NARROW,
                f"no room for a drone {scene.model.body_m:.1f} m wide with "
                f"{policy.clearance_m:.1f} m on each side, and from above the roofs "
                f"({over_m:.1f} m) the spray does not reach",
            )
    if not lines:
        hover = runs.hover_point(target, sprayer.swath_m, blocked)
        if hover is None:
            return (), None
        return (
            Pass(
                spot_id=spot.id,
                kind=PassKind.HOVER,
                path=(hover,),
                above_home_m=height_m,
                speed_mps=0.0,
                flow_lps=sprayer.flow_min_lps,
                swath_m=sprayer.swath_m,
                hover_s=hover_s(dose, sprayer),
            ),
        ), None
    flown = [piece for line in lines for piece in runs.flyable(line, setting.speed_mps, blocked)]
    return tuple(_lapped(spot, kind, flown, height_m, setting)), None


def _lapped(
    spot: BlindSpot,
    kind: PassKind,
    lines: Sequence[runs.Path],
    height_m: float,
    setting: Setting,
) -> list[Pass]:
    """Each line flown there and back until it has its dose."""
    done = []
    for line in lines:
        for lap in range(setting.laps):
            done.append(
                Pass(
                    spot_id=spot.id,
                    kind=kind,
                    path=line if lap % 2 == 0 else line[::-1],
                    above_home_m=height_m,
                    speed_mps=setting.speed_mps,
                    flow_lps=setting.flow_lps,
                    swath_m=setting.swath_m,
                )
            )
    return done


def _off_forbidden(
    passes: Sequence[Pass], forbidden: BaseGeometry, wet_m: float
) -> tuple[Pass, ...]:
    """The passes with every stretch cut out that would wet no-spray ground, `wet_m` wide."""
    if forbidden.is_empty:
        return tuple(passes)
    kept: list[Pass] = []
    for sprayed in passes:
        width_m = sprayed.swath_m if sprayed.kind is PassKind.HOVER else wet_m
        wet = footprint(replace(sprayed, swath_m=width_m))
        if wet.intersection(forbidden).area < 1e-6:
            kept.append(sprayed)
        elif sprayed.kind is not PassKind.HOVER:
            pieces = runs.clear_of(sprayed.path, wet_m, forbidden)
            kept += [replace(sprayed, path=piece) for piece in pieces]
    return tuple(kept)


def _why_dry(rest: BaseGeometry, scene: Scene) -> tuple[Reason, str]:
    """In words, why a part that may be sprayed is not reached."""
    near = scene.obstacles.tallest_m(rest.buffer(scene.obstacles.keep_m))
    if near > 0:
        return Reason.NO_ACCESS, (
            f"{rest.area:.0f} m2 lie closer to a wall than the drone may fly "
            f"({scene.obstacles.keep_m:.1f} m from its centre)"
        )
    edge = scene.forbidden(rest.buffer(scene.model.sprayer.swath_m))
    if not edge.is_empty:
        return Reason.NO_SPRAY, (
            f"{rest.area:.0f} m2 cannot be sprayed without wetting no-spray ground beside them"
        )
    return Reason.NO_ACCESS, f"{rest.area:.0f} m2 in corners that no pass fits"


def treat_site(
    site: Site, model: DroneModel
) -> tuple[tuple[Treatment, ...], tuple[GroundTask, ...]]:
    """All spots of a site, in the order of the file; every one in one of the two lists or both."""
    scene = Scene.of(site, model)
    results = [treat_spot(spot, scene) for spot in site.spots]
    treatments = tuple(t for t, _ in results if t is not None)
    return treatments, tuple(task for _, tasks in results for task in tasks)


def is_vector(site: Site, spot_id: str) -> bool:
    """Whether a spot is treated against vectors, not for its surface."""
    return site.spot(spot_id).mode is Mode.VECTOR
