"""Maps for people: the plan to brief with, and what was applied.

Figures are made with matplotlib's object interface and given back; nothing is written or shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize

from skymist.coverage.dosemap import DoseMap, SpotOutcome
from skymist.coverage.mapmarks import (
    DRONE_COLOURS,
    DRONE_DASHES,
    INK,
    SOFT_INK,
    Labels,
    add_areas,
    add_arrows,
    readable,
    thinned,
    write,
)
from skymist.coverage.plan import Pass, Transit
from skymist.coverage.sheet import Bounds, Sheet, to_png
from skymist.coverage.site import LevelName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import BlindSpot, Building, Site

__all__ = ["draw_applied", "draw_plan", "planned_dose", "to_png"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one class of spot is drawn: colour, symbol and line all differ from the others'."""

    colour: str
    marker: str
    hatch: str
    line: str | tuple[float, tuple[float, ...]] = "-"


LEVELS = {
    LevelName.RED: Look(colour="#c8102e", marker="s", hatch=""),
    LevelName.YELLOW: Look(colour="#d99a00", marker="^", hatch=""),
    LevelName.BLUE: Look(colour="#1f5fbf", marker="o", hatch=""),
    LevelName.GREEN: Look(colour="#2e8b57", marker="D", hatch=""),
}
OUTCOMES = {
    SpotOutcome.TREATED: Look(colour="#00705a", marker="o", hatch=""),
    SpotOutcome.PARTIAL: Look(colour="#b35900", marker="D", hatch="", line=(0, (3, 1.5))),
    SpotOutcome.MISSED: Look(colour="#c8102e", marker="X", hatch="xxx", line=(0, (1, 1.5))),
}
DOSE_COLOURS = LinearSegmentedColormap.from_list(
    "dose", ["#efe9f7", "#d3c2ea", "#b196d8", "#8f6cc3", "#6a42a6"]
)
_LABELS_MOST = 120


def planned_dose(plan: Plan) -> DoseMap:
    """What the plan's sorties put on the ground, in still air."""
    dose = DoseMap()
    for sortie in plan.sorties:
        dose.add_passes(sortie.passes)
    return dose


def draw_plan(plan: Plan, *, dose: DoseMap | None = None) -> Figure:
    """The plan as a map for a briefing; `dose` is drawn too, by default `planned_dose`."""
    site = plan.site
    dose = planned_dose(plan) if dose is None else dose
    sheet = Sheet(
        _extent(plan),
        title=readable(f"{site.name}: spray plan", "Spray plan"),
        lines=_plan_lines(plan),
        foot=_foot(site),
    )
    bar = _draw_dose(sheet, dose, plan)
    _draw_ground(sheet, site)
    flown = {t.spot_id for t in plan.treatments}
    _draw_levels(sheet, site, flown)
    _draw_transits(sheet, plan)
    _draw_passes(sheet, plan)
    labels = _draw_places(sheet, site)
    _mark_spots(sheet, labels, site.spots, {s.id: LEVELS[s.level] for s in site.spots})
    _plan_legend(sheet, plan, flown)
    if bar:
        sheet.colour_bar("Planned dose, mL/m²", *bar, unit=1000)
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
        title=readable(f"{site.name}: {title}", title),
        lines=tuple(readable(line) for line in lines),
        foot=_foot(site),
    )
    bar = _draw_dose(sheet, dose, plan)
    _draw_ground(sheet, site)
    rest = [spot for spot in site.spots if spot.id not in outcomes]
    _areas(sheet, [s.area for s in rest], facecolors="none", edgecolors=SOFT_INK, linewidths=0.6)
    for outcome, look in OUTCOMES.items():
        spots = [s.area for s in site.spots if outcomes.get(s.id) is outcome]
        style: dict[str, Any] = {"edgecolors": look.colour, "linestyles": [look.line]}
        _areas(sheet, spots, facecolors="none", linewidths=1.4, hatch=look.hatch, zorder=8, **style)
    _draw_tracks(sheet, plan, tracks)
    labels = _draw_places(sheet, site)
    judged = [spot for spot in site.spots if spot.id in outcomes]
    _mark_spots(sheet, labels, judged, {s.id: OUTCOMES[outcomes[s.id]] for s in judged})
    _applied_legend(sheet, plan, tracks, outcomes)
    if bar:
        sheet.colour_bar("Applied dose, mL/m²", *bar, unit=1000)
    return sheet.finish()


def _extent(plan: Plan) -> Bounds:
    """What the map has to show: everything that is treated, named or flown over."""
    site = plan.site
    shapes: list[BaseGeometry] = [spot.area for spot in site.spots]
    shapes += [zone.area for zone in site.zones]
    shapes += [shapely.Point(pad.x, pad.y) for pad in site.pads]
    paths = [leg.path for sortie in plan.sorties for leg in sortie.legs]
    shapes += [shapely.LineString([p[:2] for p in path]) for path in paths if len(path) > 1]
    west, south, east, north = shapely.total_bounds(shapes) if shapes else (0, 0, 100, 100)
    rim = 0.02 * max(east - west, north - south) + 3
    return float(west - rim), float(south - rim), float(east + rim), float(north + rim)


def _plan_lines(plan: Plan) -> tuple[str, str]:
    by_crew = {task.spot_id for task in plan.ground}
    whole = sum(task.is_whole_spot for task in plan.ground)
    area_m2 = sum(t.target.area for t in plan.treatments)
    minutes = plan.makespan_s / 60
    drones = len({sortie.drone_id for sortie in plan.sorties})
    return (
        f"{_num(len(plan.site.spots), 'spot')}: {len(plan.treatments)} by drone, {whole} left to "
        f"the ground crew, {len(by_crew) - whole} in part",
        f"{area_m2:,.0f} m² · {plan.litres_l:,.0f} L · {_num(len(plan.sorties), 'sortie')} · "
        f"{_num(drones, 'drone')} · {minutes:,.0f} min",
    )


def _foot(site: Site) -> str:
    source = readable(site.attribution)
    return f"Map data: {source} · drawn by Skymist" if source else "Drawn by Skymist"


def _num(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _areas(sheet: Sheet, shapes: Iterable[BaseGeometry], **style: Any) -> None:
    add_areas(sheet.axes, shapes, **{"zorder": 5, **style})


def _draw_dose(
    sheet: Sheet, dose: DoseMap, plan: Plan
) -> tuple[Colormap, Normalize] | None:
    """The dose under everything else; gives the colour scale, or None for a dry map."""
    asked = [t.dose_l_per_m2 for t in plan.treatments]
    if dose.bounds is None or not asked:
        return None
    most = 1.5 * max(asked)
    is_wide = min(asked) < 0.1 * max(asked)
    scale = LogNorm(0.25 * min(asked), most) if is_wide else Normalize(0, most)
    pool = max(1, math.floor(sheet.metres_per_pt * 0.4 / dose.cell_m))
    west, south, east, north = sheet.bounds
    wet = dose.bounds
    window = dose.window(
        (max(west, wet[0]), max(south, wet[1]), min(east, wet[2]), min(north, wet[3])), pool
    )
    sheet.axes.imshow(
        np.ma.masked_equal(window.dose_l_per_m2, 0),
        cmap=DOSE_COLOURS,
        norm=scale,
        extent=window.extent,
        origin="lower",
        interpolation="nearest",
        aspect="auto",
        zorder=3,
    )
    sheet.axes.set(xlim=(west, east), ylim=(south, north))
    return DOSE_COLOURS, scale


def _greys(buildings: Sequence[Building]) -> list[tuple[float, float, float]]:
    """Light for low, darker for high, to 40 m."""
    shades = [0.93 - 0.33 * min(b.height_m, 40.0) / 40.0 for b in buildings]
    return [(shade, shade, shade) for shade in shades]


def _draw_ground(sheet: Sheet, site: Site) -> None:
    """Buildings, areas that must stay dry, zones."""
    west, south, east, north = sheet.bounds
    near = [
        b
        for b in site.buildings
        if b.footprint.bounds[0] < east
        and b.footprint.bounds[2] > west
        and b.footprint.bounds[1] < north
        and b.footprint.bounds[3] > south
    ]
    edge = {"edgecolors": "#9a9a9a", "linewidths": 0.3}
    _areas(sheet, [b.footprint for b in near], facecolors=_greys(near), zorder=2, **edge)
    dry = [area.area for area in site.no_spray]
    _areas(sheet, dry, **NO_SPRAY, zorder=4)
    _areas(sheet, [z.area for z in site.zones], **ZONE, zorder=6)


NO_SPRAY: dict[str, Any] = {
    "facecolors": (0.1, 0.1, 0.1, 0.04),
    "edgecolors": "#5a5a5a",
    "hatch": "////",
    "linewidths": 0.9,
}
ZONE: dict[str, Any] = {
    "facecolors": "none",
    "edgecolors": INK,
    "linewidths": 1.1,
    "linestyles": [(0, (8, 3, 1.5, 3))],
}


def _draw_levels(sheet: Sheet, site: Site, flown: set[str]) -> None:
    """Spots outlined by level, filled where the dose does not hide it; the crew's are crossed."""
    for level, look in LEVELS.items():
        mine = [spot for spot in site.spots if spot.level is level]
        style: dict[str, Any] = {"edgecolors": look.colour, "linewidths": 1.6}
        fill = _tint(look.colour)
        treated = [s.area for s in mine if s.id in flown]
        _areas(sheet, treated, facecolors=fill, zorder=2.5)
        _areas(sheet, treated, facecolors="none", edgecolors="white", linewidths=2.6, zorder=7.8)
        _areas(sheet, treated, facecolors="none", zorder=8, **style)
        crew = [s.area for s in mine if s.id not in flown]
        _areas(sheet, crew, facecolors=fill, hatch="xx", zorder=5, **style)


def _tint(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return 1 - (1 - red) * 0.3, 1 - (1 - green) * 0.3, 1 - (1 - blue) * 0.3


def _draw_transits(sheet: Sheet, plan: Plan) -> None:
    for number, drone_id in enumerate(_drones(plan)):
        paths = [
            [point[:2] for point in leg.path]
            for sortie in plan.sorties
            if sortie.drone_id == drone_id
            for leg in sortie.legs
            if isinstance(leg, Transit)
        ]
        lines = LineCollection(
            paths,
            colors=DRONE_COLOURS[number % len(DRONE_COLOURS)],
            linestyles=[(0, DRONE_DASHES[number % len(DRONE_DASHES)])],
            linewidths=0.6,
            alpha=0.75,
            zorder=7,
        )
        sheet.axes.add_collection(lines, autolim=False)


def _draw_passes(sheet: Sheet, plan: Plan) -> None:
    """Each line once, however often it is flown; an arrow where it is long enough to carry one."""
    passes: dict[tuple[tuple[float, float], ...], Pass] = {}
    for sortie in plan.sorties:
        for sprayed in sortie.passes:
            passes.setdefault(sprayed.path, sprayed)
    runs = [p.path for p in passes.values() if len(p.path) > 1]
    for colour, width in (("white", 1.5), (INK, 0.6)):
        lines = LineCollection(runs, colors=colour, linewidths=width, zorder=9)
        sheet.axes.add_collection(lines, autolim=False)
    least_m = 14 * sheet.metres_per_pt
    steps = [
        (a, b)
        for path in runs
        for a, b in [max(zip(path, path[1:], strict=False), key=lambda s: math.dist(*s))]
        if math.dist(a, b) > least_m
    ]
    if not steps:
        return
    ends = np.asarray(steps, dtype=float)
    course = ends[:, 1] - ends[:, 0]
    course /= np.hypot(course[:, 0], course[:, 1])[:, None]
    middle = ends[:, 0] * 0.45 + ends[:, 1] * 0.55
    kept = thinned(middle, 7 * sheet.metres_per_pt)
    size_m = 5.5 * sheet.metres_per_pt
    style: dict[str, Any] = {"facecolors": INK, "edgecolors": "white", "linewidths": 0.3}
    add_arrows(sheet.axes, middle[kept], course[kept], size_m, zorder=10, **style)


def _draw_tracks(sheet: Sheet, plan: Plan, tracks: Mapping[str, NDArray[np.float64]]) -> None:
    for number, drone_id in enumerate(_drones(plan)):
        if drone_id in tracks:
            colour = DRONE_COLOURS[number % len(DRONE_COLOURS)]
            sheet.axes.plot(*tracks[drone_id].T, color=colour, lw=0.5, alpha=0.6, zorder=7)


def _draw_places(sheet: Sheet, site: Site) -> Labels:
    """Pads, receptors and names of zones."""
    labels = Labels(sheet.axes, sheet.metres_per_pt)
    if site.pads:
        at = np.array([(pad.x, pad.y) for pad in site.pads])
        sheet.axes.plot(*at.T, **PAD, zorder=15)
    centres = [shapely.centroid(r.shape) for r in site.receptors]
    if centres:
        sheet.axes.plot([p.x for p in centres], [p.y for p in centres], **RECEPTOR, zorder=15)
    _name_zones(sheet, site, labels)
    for pad in site.pads:
        labels.keep_free(pad.x, pad.y, 10)
        labels.place(pad.x, pad.y, readable(pad.id), 7.5, away_pt=6, is_bold=True)
    for place, receptor in zip(centres, site.receptors, strict=True):
        labels.keep_free(place.x, place.y, 9)
        name = readable(receptor.id, receptor.kind)
        if len(site.receptors) <= 30:
            labels.place(place.x, place.y, name, 7, away_pt=6, color="#7a0060")
    return labels


def _name_zones(sheet: Sheet, site: Site, labels: Labels) -> None:
    """Each zone's id and post just inside its edge, where the fewest spots are."""
    tree = shapely.STRtree([spot.area for spot in site.spots])
    unit = sheet.metres_per_pt
    for zone in site.zones:
        name = readable(f"{zone.id} {zone.responsible}".strip(), zone.id)
        wide, (_, south, _, north) = len(name) * 5.6 * unit, zone.area.bounds
        tries = []
        for y in np.linspace(north - 9 * unit, south + 9 * unit, 7):
            west, _, east, _ = zone.area.bounds
            across = zone.area.intersection(shapely.LineString([(west, y), (east, y)]))
            if across.is_empty:
                continue
            left, _, right, _ = max(shapely.get_parts(across), key=lambda part: part.length).bounds
            for x in np.linspace(left + 4 * unit, max(left, right - wide) - 4 * unit, 5):
                ground = shapely.box(x, y - 6 * unit, x + wide, y + 6 * unit)
                tries.append((len(tree.query(ground, "intersects")), len(tries), x, y))
        _, _, x, y = min(tries, default=(0, 0, *zone.area.bounds[:2]))
        write(sheet.axes, float(x), float(y), name, 8.5, is_bold=True, va="center")
        for step in range(0, int(len(name) * 5.6), 8):
            labels.keep_free(float(x) + step * unit, float(y), 10)


PAD: dict[str, Any] = {
    "linestyle": "none",
    "marker": "P",
    "markersize": 9,
    "markerfacecolor": INK,
    "markeredgecolor": "white",
}
RECEPTOR: dict[str, Any] = {
    "linestyle": "none",
    "marker": "*",
    "markersize": 10,
    "markerfacecolor": "#cc00a0",
    "markeredgecolor": "white",
    "markeredgewidth": 0.6,
}


def _mark_spots(
    sheet: Sheet, labels: Labels, spots: Sequence[BlindSpot], looks: Mapping[str, Look]
) -> None:
    """A symbol on every spot; ids where there is room."""
    centres = [spot.area.representative_point() for spot in spots]
    for look in dict.fromkeys(looks.values()):
        at = [
            (centre.x, centre.y)
            for spot, centre in zip(spots, centres, strict=True)
            if looks[spot.id] is look
        ]
        if at:
            sheet.axes.plot(*np.array(at).T, **_marker(look), linestyle="none", zorder=12)
    for centre in centres:
        labels.keep_free(centre.x, centre.y, 6)
    if len(spots) <= _LABELS_MOST:
        for spot, centre in zip(spots, centres, strict=True):
            labels.place(centre.x, centre.y, readable(spot.id), 6.5, 4.5, zorder=18)


def _marker(look: Look) -> dict[str, Any]:
    return {
        "marker": look.marker,
        "markersize": 6,
        "markerfacecolor": look.colour,
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
    }


def _drones(plan: Plan) -> list[str]:
    """Ids of the drones that fly, in the fleet's order."""
    flying = {sortie.drone_id for sortie in plan.sorties}
    return [drone.id for drone in plan.site.fleet if drone.id in flying]


def _plan_legend(sheet: Sheet, plan: Plan, flown: set[str]) -> None:
    site = plan.site
    sheet.section("Blind spots")
    for level, look in LEVELS.items():
        mine = [spot for spot in site.spots if spot.level is level]
        by_drone = sum(spot.id in flown for spot in mine)
        if mine:
            text = f"{level}: {len(mine)}, by drone {by_drone}"
            sheet.mark(text, **_marker(look))
    if len(flown) < len(site.spots):
        sheet.patch("left to the ground crew", fc="#f0f0f0", ec=SOFT_INK, hatch="xxx", lw=1)
    sheet.section("Flight")
    sheet.line("sprayed pass, flown this way", color=INK, lw=0.9, marker=">", ms=4, markevery=[1])
    for number, drone_id in enumerate(_drones(plan)):
        mine_ = [s for s in plan.sorties if s.drone_id == drone_id]
        litres, busy = sum(s.litres_l for s in mine_), sum(s.duration_s for s in mine_) / 60
        text = f"{readable(drone_id)}: {_num(len(mine_), 'sortie')}, {litres:.0f} L, {busy:.0f} min"
        dashes = (0, DRONE_DASHES[number % len(DRONE_DASHES)])
        colour = DRONE_COLOURS[number % len(DRONE_COLOURS)]
        sheet.line(text, color=colour, lw=1.3, linestyle=dashes)
    _place_legend(sheet, site)
    agents = {s.agent_id: 0.0 for s in plan.sorties}
    for sortie in plan.sorties:
        agents[sortie.agent_id] += sortie.litres_l
    if agents:
        sheet.section("Agents")
    for agent_id, litres in agents.items():
        name = next((a.name for a in site.agents if a.id == agent_id), agent_id)
        sheet.note(f"{readable(name, agent_id)}: {litres:,.1f} L")


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
        sheet.mark(f"{outcome}: {count} ({outcome.meaning})", **_marker(look))
    rest = len(plan.site.spots) - len(outcomes)
    if rest:
        sheet.patch(f"not planned by drone: {rest}", fc="none", ec=SOFT_INK, lw=0.6)
    sheet.section("Flown")
    for number, drone_id in enumerate(_drones(plan)):
        if drone_id in tracks:
            colour = DRONE_COLOURS[number % len(DRONE_COLOURS)]
            sheet.line(f"track of {readable(drone_id)}", color=colour, lw=1.2)
    _place_legend(sheet, plan.site)
