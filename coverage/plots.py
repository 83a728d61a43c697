"""Maps for people: the plan to brief with, and what was applied.

Figures are made with matplotlib's object interface and given back; nothing is written or shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from skymist.coverage.dosemap import CELL_M, DoseMap, SpotOutcome
from skymist.coverage.drift import Wind, drift_at_receptors
from skymist.coverage.layers import (
    LEVELS,
    NAMED_MOST,
    OUTCOMES,
    draw_areas,
    draw_dose,
    draw_ground,
    draw_levels,
    draw_passes,
    draw_places,
    draw_tracks,
    draw_transits,
    hollow,
    mark_spots,
)
from skymist.coverage.legends import air_legend, applied_legend, plan_legend
from skymist.coverage.mapmarks import SOFT_INK, readable
from skymist.coverage.pages import Page, cropped
from skymist.coverage.sheet import Bounds, Sheet, to_png
from skymist.coverage.words import Language, counted, say, time_span

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Site

__all__ = ["draw_applied", "draw_plan", "planned_dose", "to_png"]


COARSE_M = 1.0
"""Widest cells of a dose map that is drawn."""


def planned_dose(plan: Plan, cell_m: float = CELL_M) -> DoseMap:
    """What the plan's sorties put on the ground, each with its drone's profile."""
    dose = DoseMap(cell_m)
    profiles = {drone.id: drone.model.sprayer.profile for drone in plan.site.fleet}
    for sortie in plan.sorties:
        dose.add_passes(sortie.passes, profiles[sortie.drone_id])
    return dose


def _cell_m(sheet: Sheet) -> float:
    """Cells far smaller than what can be seen on a sheet: for a district wider than for a yard."""
    cell_m = CELL_M
    while cell_m < COARSE_M and 2 * cell_m <= 0.1 * sheet.metres_per_pt:
        cell_m *= 2
    return cell_m


def draw_plan(
    plan: Plan,
    *,
    dose: DoseMap | None = None,
    language: Language = Language.ENGLISH,
    page: Page | None = None,
) -> Figure:
    """The plan as a map for a briefing; `dose` is drawn too, by default `planned_dose`.

    `page` shows one part of it alone, by default everything.
    """
    if page is not None:
        plan = cropped(plan, page.bounds)
    site = plan.site
    title = _title(site, say(language, "spray plan"))
    sheet = Sheet(
        _extent(plan) if page is None else page.bounds,
        title=title if page is None else f"{title} · {page.title(language)}",
        lines=_plan_lines(plan, language, is_whole=page is None),
        foot=foot_of(site, language),
        language=language,
    )
    dose = planned_dose(plan, _cell_m(sheet)) if dose is None else dose
    bar = draw_dose(sheet, dose, plan)
    draw_ground(sheet, site)
    flown = {t.spot_id for t in plan.treatments}
    draw_levels(sheet, site, flown)
    draw_transits(sheet, plan)
    draw_passes(sheet, plan)
    drift_m = drift_distances_m(plan)
    labels = draw_places(sheet, site, drift_m)
    looks = {s.id: LEVELS[s.level] for s in site.spots}
    looks |= {s.id: hollow(looks[s.id]) for s in site.spots if s.id not in flown}
    mark_spots(sheet, labels, site.spots, looks)
    plan_legend(sheet, plan, flown, is_whole=page is None, has_drift=bool(drift_m))
    if bar:
        sheet.colour_bar(sheet.say("Planned dose, mL/m²"), *bar, unit=1000)
    air_legend(sheet, plan)
    return sheet.finish()


def draw_applied(
    plan: Plan,
    dose: DoseMap,
    tracks: Mapping[str, NDArray[np.float64]],
    outcomes: Mapping[str, SpotOutcome],
    *,
    title: str = "as applied",
    lines: tuple[str, ...] = (),
    language: Language = Language.ENGLISH,
) -> Figure:
    """What was put out, by position and pump, and what that made of each spot.

    `tracks` by drone, shape (n, 2), NaN between flights; `outcomes` by spot, others are faint.
    """
    site = plan.site
    sheet = Sheet(
        _extent(plan),
        title=_title(site, say(language, title)),
        lines=tuple(readable(line) for line in lines),
        foot=foot_of(site, language),
        language=language,
    )
    bar = draw_dose(sheet, dose, plan)
    draw_ground(sheet, site)
    rest = [spot for spot in site.spots if spot.id not in outcomes]
    draw_areas(
        sheet, [s.area for s in rest], facecolors="none", edgecolors=SOFT_INK, linewidths=0.6
    )
    for outcome, look in OUTCOMES.items():
        spots = [s.area for s in site.spots if outcomes.get(s.id) is outcome]
        style: dict[str, Any] = {"edgecolors": look.colour, "linestyles": [look.line]}
        draw_areas(
            sheet, spots, facecolors="none", linewidths=1.4, hatch=look.hatch, zorder=8, **style
        )
    draw_tracks(sheet, plan, tracks)
    labels = draw_places(sheet, site)
    judged = [spot for spot in site.spots if spot.id in outcomes]
    mark_spots(sheet, labels, judged, {s.id: OUTCOMES[outcomes[s.id]] for s in judged})
    applied_legend(sheet, plan, tracks, outcomes)
    if bar:
        sheet.colour_bar(sheet.say("Applied dose, mL/m²"), *bar, unit=1000)
    return sheet.finish()


def drift_distances_m(plan: Plan) -> dict[str, float]:
    """By receptor the distance of the spray that adds most drift there, in the plan's wind.

    Those that lie upwind of everything have none; without a wind every direction counts.
    """
    if len(plan.site.receptors) > NAMED_MOST:
        return {}
    wind = plan.wind or Wind(east_mps=0.0, north_mps=0.0)
    drifts = drift_at_receptors(plan.treatments, plan.site.receptors, wind)
    return {drift.receptor_id: drift.distance_m for drift in drifts}


def _extent(plan: Plan) -> Bounds:
    """What the map has to show: all that is treated, named or flown over, receptors near by."""
    site = plan.site
    shapes: list[BaseGeometry] = [spot.area for spot in site.spots]
    shapes += [zone.area for zone in site.zones]
    shapes += [shapely.Point(pad.x, pad.y) for pad in site.pads]
    paths = [leg.path for sortie in plan.sorties for leg in sortie.legs]
    shapes += [shapely.LineString([p[:2] for p in path]) for path in paths if len(path) > 1]
    west, south, east, north = shapely.total_bounds(shapes) if shapes else (0, 0, 100, 100)
    near = shapely.box(west, south, east, north).buffer(0.15 * max(east - west, north - south))
    shapes += [r.shape for r in site.receptors if near.intersects(r.shape)]
    west, south, east, north = shapely.total_bounds(shapes) if shapes else (0, 0, 100, 100)
    rim = 0.02 * max(east - west, north - south) + 3
    return float(west - rim), float(south - rim), float(east + rim), float(north + rim)


def _title(site: Site, what: str) -> str:
    name = readable(site.name).replace(" ,", ",").strip(" ,/-")
    return f"{name}: {what}" if name else what.capitalize()


def _plan_lines(plan: Plan, language: Language, *, is_whole: bool) -> tuple[str, str]:
    by_crew = {task.spot_id for task in plan.ground}
    whole = sum(task.is_whole_spot for task in plan.ground)
    area_m2 = sum(t.target.area for t in plan.treatments)
    in_part = len(by_crew) - whole
    time = f" · {time_span(language, plan.makespan_s)}" if is_whole else ""
    drones = len({sortie.drone_id for sortie in plan.sorties})
    return (
        say(
            language,
            "{spots}: {drone} by drone, {part} partly, {crew} by ground crew"
            if in_part
            else "{spots}: {drone} by drone, {crew} by ground crew",
            spots=counted(language, len(plan.site.spots), "spot"),
            drone=len(plan.treatments) - in_part,
            part=in_part,
            crew=whole,
        ),
        f"{area_m2:,.0f} m² · {plan.litres_l:,.0f} L · "
        f"{counted(language, len(plan.sorties), 'sortie')} · "
        f"{counted(language, drones, 'drone')}{time}",
    )


def foot_of(site: Site, language: Language) -> str:
    """Whose map data it is, and who drew it."""
    source = readable(site.attribution)
    if source:
        return say(language, "Map data: {source} · drawn by Skymist", source=source)
    return say(language, "Drawn by Skymist")
