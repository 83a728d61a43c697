"""The passes over one spot: lines at the height that suits it, clear of walls, lapped and dosed.

Lines are laid where the spray is to land. In wind they are flown upwind of that by as much as the
droplets are carried, so what stands in the way is moved downwind first, and the lines back after.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shapely import affinity
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from skymist.coverage import runs
from skymist.coverage.dose import SPEED_MIN_MPS, Setting, hover_s, solve_dose
from skymist.coverage.footprints import footprint, lines_of
from skymist.coverage.plan import Pass, PassKind, Reason
from skymist.coverage.robust import union
from skymist.coverage.scene import Scene, height_over
from skymist.coverage.site import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.footprints import XY
    from skymist.coverage.site import BlindSpot, Site

REACH_MAX_M = 6.0
"""Highest release over a surface that still counts as treating it: twice the working height of
3 m at which drift figures were measured. Proposal of this project."""
DOSE_MOST = 2.5
"""A drone that cannot stay below this many times the dose does not treat the spot. Proposal."""
ROOF_OVER_M = 0.5
"""A building that stands higher over a spot than this has walls beside it. Proposal."""
ROOFED = (Kind.BIKE_SHED, Kind.ROOFED_MARKET)

Refusal = tuple[Reason, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """The air over one spot: where a drone fits, and where spray from there lands.

    `blocked` is ground that must not be aimed at, since the drone would be where it must not;
    `shift_m` leads from where the spray is aimed to where the drone flies, `drift_m` from there
    to where the spray lands.
    """

    height_m: float
    blocked: BaseGeometry
    shift_m: XY = (0.0, 0.0)
    drift_m: XY = (0.0, 0.0)

    @property
    def astray_m(self) -> XY:
        """How far the spray lands from where it is aimed."""
        east, north = self.shift_m[0] + self.drift_m[0], self.shift_m[1] + self.drift_m[1]
        return round(east, 3) + 0.0, round(north, 3) + 0.0


def dose_for(spot: BlindSpot, site: Site) -> float:
    """Litres per m2 asked for: the spot's own, else its level's."""
    return spot.dose_l_per_m2 or site.level_for(spot).dose_l_per_m2


def passes_over(
    spot: BlindSpot, target: BaseGeometry, scene: Scene, share: float
) -> tuple[tuple[Pass, ...], Refusal]:
    """The passes over what of a spot may be sprayed; or why there are none.

    `share` is how much of the wind's displacement is met by flying upwind, 0 to 1.
    """
    policy = scene.site.policy
    dose = dose_for(spot, scene.site)
    top_mps = min(scene.model.speed_mps, policy.speed_max_mps)
    setting = solve_dose(dose, scene.model.sprayer, speed_max_mps=top_mps)
    if setting.dose_l_per_m2 > DOSE_MOST * dose:
        return (), _below_pump(dose, setting)
    air = _air_over(spot, target, scene, height_over(spot, scene), share)
    kind, lines = runs.lines_over(spot, target, _bounds(spot, target, scene, air))
    if not lines and spot.shape.geom_type != "Point":
        roof_m = scene.obstacles.tallest_m(target.buffer(scene.obstacles.keep_m))
        over_m = roof_m + policy.building_margin_m
        if roof_m > 0 and over_m <= min(spot.elevation_m + REACH_MAX_M, policy.ceiling_m):
            air = _air_over(spot, target, scene, max(air.height_m, over_m), share)
            kind, lines = runs.lines_over(spot, target, _bounds(spot, target, scene, air))
        elif roof_m > 0:
            return (), (
                Reason.TOO_NARROW,
                f"no room for a drone {scene.model.body_m:.1f} m wide with "
                f"{policy.clearance_m:.1f} m on each side, and from above the roofs "
                f"({over_m:.1f} m) the spray does not reach",
            )
    if not lines:
        hover = _hover_over(spot, target, scene, air)
        return (() if hover is None else (hover,)), None
    flown = [
        piece for line in lines for piece in runs.flyable(line, setting.speed_mps, air.blocked)
    ]
    held_mps = runs.held_mps(flown, setting.speed_mps, scene.model.accel_mps2)
    if held_mps < setting.speed_mps:
        slowest_mps = max(held_mps, SPEED_MIN_MPS)
        setting = solve_dose(dose, scene.model.sprayer, speed_max_mps=slowest_mps)
        if setting.dose_l_per_m2 > DOSE_MOST * dose:
            return (), _below_pump(dose, setting)
    return tuple(_lapped(spot, kind, flown, air, setting)), None


def _below_pump(dose_l_per_m2: float, setting: Setting) -> tuple[Reason, str]:
    """Why a spot that asks for little is not sprayed: the least would be too much."""
    return (
        Reason.BELOW_PUMP,
        f"asks for {dose_l_per_m2 * 1000:.2g} mL/m2, the least this drone gives is "
        f"{setting.dose_l_per_m2 * 1000:.2g} mL/m2",
    )


def _air_over(
    spot: BlindSpot, target: BaseGeometry, scene: Scene, height_m: float, share: float
) -> Air:
    """The air over a spot at one height."""
    east, north = scene.blown_m(height_m - spot.elevation_m)
    shift = (round(-share * east, 3) + 0.0, round(-share * north, 3) + 0.0)
    aimed_at = affinity.translate(target, *shift)
    blocked = scene.obstacles.blocked(aimed_at.buffer(scene.model.sprayer.swath_m), height_m)
    if spot.kind in ROOFED:
        blocked = union([blocked, spot.area.buffer(scene.obstacles.keep_m)])
    if shift != (0.0, 0.0):
        blocked = affinity.translate(blocked, -shift[0], -shift[1])
    return Air(height_m=height_m, blocked=blocked, shift_m=shift, drift_m=(east, north))


def _bounds(spot: BlindSpot, target: BaseGeometry, scene: Scene, air: Air) -> runs.Bounds:
    """What lines over a spot have to heed, as seen from where the spray is aimed."""
    sprayer = scene.model.sprayer
    wide = target.buffer(sprayer.wet_m + math.hypot(*air.astray_m))
    forbidden = scene.forbidden(wide)
    walls = scene.obstacles.footprints(wide, spot.elevation_m + ROOF_OVER_M)
    if air.astray_m != (0.0, 0.0):
        east, north = air.astray_m
        forbidden = affinity.translate(forbidden, -east, -north)
        walls = affinity.translate(walls, -east, -north)
    return runs.Bounds(
        swath_m=sprayer.swath_m,
        lap_m=runs.lap_offset_m(scene.obstacles.keep_m, sprayer.swath_m),
        wet_m=sprayer.wet_m,
        blocked=air.blocked,
        forbidden=forbidden,
        walls=walls,
        wind=scene.wind,
    )


def _moved(path: Sequence[XY], by_m: XY) -> tuple[XY, ...]:
    if by_m == (0.0, 0.0):
        return tuple(path)
    return tuple((x + by_m[0], y + by_m[1]) for x, y in path)


def _hover_over(spot: BlindSpot, target: BaseGeometry, scene: Scene, air: Air) -> Pass | None:
    """A stop over a spot on which no line fits."""
    sprayer = scene.model.sprayer
    point = runs.hover_point(target, sprayer.swath_m, air.blocked)
    if point is None:
        return None
    return Pass(
        spot_id=spot.id,
        kind=PassKind.HOVER,
        path=_moved((point,), air.shift_m),
        above_home_m=air.height_m,
        speed_mps=0.0,
        flow_lps=sprayer.flow_min_lps,
        swath_m=sprayer.swath_m,
        hover_s=hover_s(dose_for(spot, scene.site), sprayer),
        drift_m=air.drift_m,
    )


def _lapped(
    spot: BlindSpot, kind: PassKind, lines: Sequence[runs.Path], air: Air, setting: Setting
) -> list[Pass]:
    """Each line flown there and back until it has its dose."""
    done = []
    for line in lines:
        path = _moved(line, air.shift_m)
        for lap in range(setting.laps):
            done.append(
                Pass(
                    spot_id=spot.id,
                    kind=kind,
                    path=path if lap % 2 == 0 else path[::-1],
                    above_home_m=air.height_m,
                    speed_mps=setting.speed_mps,
                    flow_lps=setting.flow_lps,
                    swath_m=setting.swath_m,
                    drift_m=air.drift_m,
                )
            )
    return done


def off_forbidden(
    passes: Sequence[Pass], forbidden: BaseGeometry, wet_m: float
) -> tuple[Pass, ...]:
    """The passes with every stretch cut out that would wet no-spray ground, `wet_m` wide.

    Nor is the pump on while the drone itself is over such ground: the wind may drop.
    """
    if forbidden.is_empty:
        return tuple(passes)
    kept: list[Pass] = []
    for sprayed in _not_over(passes, forbidden):
        width_m = sprayed.swath_m if sprayed.kind is PassKind.HOVER else wet_m
        wet = footprint(replace(sprayed, swath_m=width_m))
        if wet.intersection(forbidden).area < 1e-6:
            kept.append(sprayed)
        elif sprayed.kind is not PassKind.HOVER:
            east, north = sprayed.drift_m
            pieces = runs.clear_of(_moved(sprayed.path, (east, north)), wet_m, forbidden)
            kept += [replace(sprayed, path=_moved(p, (-east, -north))) for p in pieces]
    return tuple(kept)


def _not_over(passes: Sequence[Pass], forbidden: BaseGeometry) -> list[Pass]:
    """The passes without the stretches that are flown over ground, where wind asks for any."""
    kept: list[Pass] = []
    for sprayed in passes:
        if sprayed.drift_m == (0.0, 0.0):
            kept.append(sprayed)
        elif sprayed.kind is PassKind.HOVER:
            kept += [sprayed] if not forbidden.intersects(Point(sprayed.path[0])) else []
        else:
            left = LineString(sprayed.path).difference(forbidden)
            pieces = lines_of(left, runs.RUN_MIN_M)
            kept += [replace(sprayed, path=piece) for piece in pieces]
    return kept
