"""Maps for people: the plan to brief with, and what was applied.

Figures are made with matplotlib's object interface and given back; nothing is written or shown.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import shapely

from skymist.coverage.concerns import wind_text
from skymist.coverage.dosemap import DoseMap, SpotOutcome
from skymist.coverage.layers import (
    LEVELS,
    OUTCOMES,
    PAD,
    RECEPTOR,
    ZONE,
    Look,
    draw_areas,
    draw_dose,
    draw_ground,
    draw_levels,
    draw_passes,
    draw_places,
    draw_tracks,
    draw_transits,
    drones_of,
    hollow,
    mark_spots,
    marker_of,
)
from skymist.coverage.mapmarks import INK, SOFT_INK, add_wind_arrow, drone_style, readable
from skymist.coverage.sheet import Bounds, Sheet, to_png

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Site

__all__ = ["draw_applied", "draw_plan", "planned_dose", "to_png"]


def planned_dose(plan: Plan) -> DoseMap:
    """What the plan's sorties put on the ground, each with its drone's profile."""
    dose = DoseMap()
    profiles = {drone.id: drone.model.sprayer.profile for drone in plan.site.fleet}
    for sortie in plan.sorties:
        dose.add_passes(sortie.passes, profiles[sortie.drone_id])
    return dose


def draw_plan(plan: Plan, *, dose: DoseMap | None = None) -> Figure:
    """The plan as a map for a briefing; `dose` is drawn too, by default `planned_dose`."""
    site = plan.site
    dose = planned_dose(plan) if dose is None else dose
    sheet = Sheet(
        _extent(plan),
        title=_title(site, "spray plan"),
        lines=_plan_lines(plan),
        foot=_foot(site),
    )
    bar = draw_dose(sheet, dose, plan)
    draw_ground(sheet, site)
    flown = {t.spot_id for t in plan.treatments}
    draw_levels(sheet, site, flown)
    draw_transits(sheet, plan)
    draw_passes(sheet, plan)
    labels = draw_places(sheet, site)
    looks = {s.id: LEVELS[s.level] for s in site.spots}
    looks |= {s.id: hollow(looks[s.id]) for s in site.spots if s.id not in flown}
    mark_spots(sheet, labels, site.spots, looks)
    _plan_legend(sheet, plan, flown)
    if bar:
        sheet.colour_bar("Planned dose, mL/m²", *bar, unit=1000)
    _air_legend(sheet, plan)
    return sheet.finish()


def draw_applied(
    plan: Plan,
    dose: DoseMap,
    tracks: Mapping[str, NDArray[np.float64]],
    outcomes: Mapping[str, SpotOutcome],
    *,
    title: str = "as applied",
    lines: tuple[str, ...] = (),
) -> Figure:
    """What was put out, by position and pump, and what that made of each spot.

    `tracks` by drone, shape (n, 2), NaN between flights; `outcomes` by spot, others are faint.
    """
    site = plan.site
    sheet = Sheet(
        _extent(plan),
        title=_title(site, title),
        lines=tuple(readable(line) for line in lines),
        foot=_foot(site),
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
    _applied_legend(sheet, plan, tracks, outcomes)
    if bar:
        sheet.colour_bar("Applied dose, mL/m²", *bar, unit=1000)
    return sheet.finish()


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


def _plan_lines(plan: Plan) -> tuple[str, str]:
    by_crew = {task.spot_id for task in plan.ground}
    whole = sum(task.is_whole_spot for task in plan.ground)
    area_m2 = sum(t.target.area for t in plan.treatments)
    in_part = len(by_crew) - whole
    drones = len({sortie.drone_id for sortie in plan.sorties})
    return (
        f"{_num(len(plan.site.spots), 'spot')}: {len(plan.treatments) - in_part} by drone, "
        f"{f'{in_part} partly, ' if in_part else ''}{whole} by ground crew",
        f"{area_m2:,.0f} m² · {plan.litres_l:,.0f} L · {_num(len(plan.sorties), 'sortie')} · "
        f"{_num(drones, 'drone')} · {_span(plan.makespan_s)}",
    )


def _foot(site: Site) -> str:
    source = readable(site.attribution)
    return f"Map data: {source} · drawn by Skymist" if source else "Drawn by Skymist"


def _num(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _span(span_s: float) -> str:
    hours, minutes = divmod(round(span_s / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _plan_legend(sheet: Sheet, plan: Plan, flown: set[str]) -> None:
    site = plan.site
    sheet.section("Blind spots")
    for level, look in LEVELS.items():
        mine = [spot for spot in site.spots if spot.level is level]
        by_drone = sum(spot.id in flown for spot in mine)
        if mine:
            text = f"{level}: {len(mine)}, by drone {by_drone}"
            sheet.mark(text, **marker_of(look))
    if len(flown) < len(site.spots):
        crew = Look(colour=SOFT_INK, marker="o", is_hollow=True)
        sheet.patch("left to the ground crew (hollow)", fc="#f0f0f0", ec=SOFT_INK, hatch="xxx")
        sheet.overlay(**marker_of(crew))
    sheet.section("Flight")
    sheet.line("sprayed pass, flown this way", color=INK, lw=0.9, marker=">", ms=4, markevery=[1])
    for number, drone_id in enumerate(drones_of(plan)):
        mine_ = [s for s in plan.sorties if s.drone_id == drone_id]
        litres, busy = sum(s.litres_l for s in mine_), _span(sum(s.duration_s for s in mine_))
        text = f"{readable(drone_id)}: {_num(len(mine_), 'sortie')}, {litres:.0f} L, {busy}"
        colour, dashes = drone_style(number)
        sheet.line(text, color=colour, lw=1.3, linestyle=dashes)
    _place_legend(sheet, site)
    agents = {s.agent_id: 0.0 for s in plan.sorties}
    for sortie in plan.sorties:
        agents[sortie.agent_id] += sortie.litres_l
    if agents:
        sheet.section("Agents")
    for agent_id, litres in agents.items():
        name = next((a.name for a in site.agents if a.id == agent_id), agent_id)
        sheet.note(f"{litres:,.1f} L  {readable(name, agent_id)}")


def _air_legend(sheet: Sheet, plan: Plan) -> None:
    """Wind and evenness, where the plan counts them."""
    if plan.wind is not None:
        towards = (plan.wind.east_mps, plan.wind.north_mps)
        add_wind_arrow(sheet.axes, sheet.metres_per_pt, towards, f"wind {wind_text(plan.wind)}")
        drift_m = max((math.hypot(*p.drift_m) for s in plan.sorties for p in s.passes), default=0.0)
        sheet.section("Wind")
        sheet.note(f"planned for {wind_text(plan.wind)}")
        sheet.note(f"flown up to {drift_m:.1f} m upwind of where the spray lands")
    worst = max(plan.treatments, key=lambda t: t.cv_frac, default=None)
    if worst is not None and worst.cv_frac > 0:
        sheet.section("Evenness")
        sheet.note(f"dose varies by {worst.cv_frac:.0%} at most ({readable(worst.spot_id)})")


def _place_legend(sheet: Sheet, site: Site) -> None:
    sheet.section("Places")
    if site.buildings:
        sheet.patch("building, darker is higher (to 40 m)", fc="#c4c4c4", ec="#9a9a9a", lw=0.4)
    if site.no_spray:
        sheet.patch("no spray", fc="#f2f2f2", ec="#5a5a5a", hatch="/////", lw=0.9)
    if site.zones:
        sheet.line("zone", color=INK, lw=1.1, linestyle=ZONE["linestyles"][0])
    if site.receptors:
        kinds = ", ".join(sorted({readable(r.kind) for r in site.receptors if r.kind})[:4])
        text = f"sensitive to drift: {kinds}" if kinds else "sensitive to drift"
        sheet.mark(text, **RECEPTOR)
    if site.pads:
        sheet.mark("pad: take-off, landing, refill", **PAD)


def _applied_legend(
    sheet: Sheet,
    plan: Plan,
    tracks: Mapping[str, NDArray[np.float64]],
    outcomes: Mapping[str, SpotOutcome],
) -> None:
    sheet.section("Spots by result")
    for outcome, look in OUTCOMES.items():
        count = sum(found is outcome for found in outcomes.values())
        sheet.mark(f"{outcome}: {count} ({outcome.meaning})", **marker_of(look))
    rest = len(plan.site.spots) - len(outcomes)
    if rest:
        sheet.patch(f"not planned by drone: {rest}", fc="none", ec=SOFT_INK, lw=0.6)
    sheet.section("Flown")
    for number, drone_id in enumerate(drones_of(plan)):
        if drone_id in tracks:
            colour, _ = drone_style(number)
            sheet.line(f"track of {readable(drone_id)}", color=colour, lw=1.2)
    _place_legend(sheet, plan.site)
