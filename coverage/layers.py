"""Layers of our maps, one function each: dose, ground, spots, ways, passes, tracks, places.

What a map is made of, its title and its legend are `skymist.coverage.plots`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize

from skymist.coverage.dosemap import DoseMap, SpotOutcome
from skymist.coverage.mapmarks import (
    INK,
    Labels,
    add_areas,
    add_arrows,
    drone_style,
    readable,
    thinned,
    write,
)
from skymist.coverage.plan import Pass, Plan, Transit
from skymist.coverage.sheet import Sheet
from skymist.coverage.site import BlindSpot, Building, LevelName, Site

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one class of spot is drawn: colour, symbol and line all differ from the others'."""

    colour: str
    marker: str
    hatch: str = ""
    line: str | tuple[float, tuple[float, ...]] = "-"
    is_hollow: bool = False
    size_pt: float = 6.0


def hollow(look: Look) -> Look:
    """The same, for what no drone treats."""
    return replace(look, is_hollow=True)


LEVELS = {
    LevelName.RED: Look(colour="#c8102e", marker="s"),
    LevelName.YELLOW: Look(colour="#d99a00", marker="^"),
    LevelName.BLUE: Look(colour="#1f5fbf", marker="o"),
    LevelName.GREEN: Look(colour="#2e8b57", marker="D"),
}
OUTCOMES = {
    SpotOutcome.TREATED: Look(colour="#00705a", marker="o"),
    SpotOutcome.PARTIAL: Look(colour="#b35900", marker="D", line=(0, (3, 1.5))),
    SpotOutcome.MISSED: Look(
        colour="#c8102e", marker="X", hatch="xxx", line=(0, (1, 1.5)), size_pt=8.5
    ),
}
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


DOSE_COLOURS = LinearSegmentedColormap.from_list(
    "dose", ["#efe9f7", "#d3c2ea", "#b196d8", "#8f6cc3", "#6a42a6"]
)
_LABELS_MOST = 120
NAMED_MOST = 30
"""Receptors that are named on a map."""


def draw_areas(sheet: Sheet, shapes: Iterable[BaseGeometry], **style: Any) -> None:
    """Polygons on a sheet; `style` as for a matplotlib collection."""
    add_areas(sheet.axes, shapes, **{"zorder": 5, **style})


def draw_dose(sheet: Sheet, dose: DoseMap, plan: Plan) -> tuple[Colormap, Normalize] | None:
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
    # Coloured here, cell by cell: matplotlib would colour what it drew larger, three times slower.
    colours = np.zeros((*window.dose_l_per_m2.shape, 4), dtype=np.uint8)
    is_wet = window.dose_l_per_m2 > 0
    colours[is_wet] = DOSE_COLOURS(scale(window.dose_l_per_m2[is_wet]), bytes=True)
    sheet.axes.imshow(
        colours,
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


def draw_ground(sheet: Sheet, site: Site) -> None:
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
    draw_areas(sheet, [b.footprint for b in near], facecolors=_greys(near), zorder=2, **edge)
    dry = [area.area for area in site.no_spray]
    draw_areas(sheet, dry, **NO_SPRAY, zorder=4)
    draw_areas(sheet, [z.area for z in site.zones], **ZONE, zorder=6)


def draw_levels(sheet: Sheet, site: Site, flown: set[str]) -> None:
    """Spots outlined by level, filled where the dose does not hide it; the crew's are crossed."""
    for level, look in LEVELS.items():
        mine = [spot for spot in site.spots if spot.level is level]
        style: dict[str, Any] = {"edgecolors": look.colour, "linewidths": 1.6}
        fill = tint(look.colour)
        treated = [s.area for s in mine if s.id in flown]
        draw_areas(sheet, treated, facecolors=fill, zorder=2.5)
        draw_areas(
            sheet, treated, facecolors="none", edgecolors="white", linewidths=2.6, zorder=7.8
        )
        draw_areas(sheet, treated, facecolors="none", zorder=8, **style)
        crew = [s.area for s in mine if s.id not in flown]
        draw_areas(sheet, crew, facecolors=fill, hatch="xx", zorder=5, **style)


def tint(colour: str, share: float = 0.3) -> tuple[float, float, float]:
    """So much of a colour in white."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return 1 - (1 - red) * share, 1 - (1 - green) * share, 1 - (1 - blue) * share


def _rough(leg: Transit, apart_m: float) -> frozenset[tuple[int, int]]:
    """Where a transit leads to and fro, the same for all that run beside each other."""
    return frozenset((round(x / apart_m), round(y / apart_m)) for x, y, _ in leg.path)


def draw_transits(sheet: Sheet, plan: Plan) -> None:
    """Ways between passes, each once: fifty refills are not fifty lines."""
    apart_m = 9 * sheet.metres_per_pt
    for number, drone_id in enumerate(drones_of(plan)):
        ways: dict[frozenset[tuple[int, int]], list[tuple[float, ...]]] = {}
        for sortie in plan.sorties:
            for leg in sortie.legs if sortie.drone_id == drone_id else ():
                if isinstance(leg, Transit):
                    ways.setdefault(_rough(leg, apart_m), [point[:2] for point in leg.path])
        colour, dashes = drone_style(number)
        style: dict[str, Any] = {"colors": colour, "linestyles": [dashes], "alpha": 0.6}
        lines = LineCollection(list(ways.values()), linewidths=0.6, zorder=7, **style)
        sheet.axes.add_collection(lines, autolim=False)


def draw_passes(sheet: Sheet, plan: Plan) -> None:
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
        for a, b in [max(pairwise(path), key=lambda s: math.dist(*s))]
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


def draw_tracks(sheet: Sheet, plan: Plan, tracks: Mapping[str, NDArray[np.float64]]) -> None:
    """Where each drone flew."""
    for number, drone_id in enumerate(drones_of(plan)):
        if drone_id in tracks:
            colour, _ = drone_style(number)
            sheet.axes.plot(*tracks[drone_id].T, color=colour, lw=0.4, alpha=0.4, zorder=7)


def draw_places(sheet: Sheet, site: Site, drift_m: Mapping[str, float] | None = None) -> Labels:
    """Pads, receptors and names of zones.

    `drift_m` is by receptor how far off the spray is that adds most drift; written at its name.
    """
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
        far_m = (drift_m or {}).get(receptor.id)
        name = name if far_m is None else f"{name} · {far_m:.0f} m"
        if len(site.receptors) <= NAMED_MOST:
            labels.place(place.x, place.y, name, 7, away_pt=6, color="#7a0060")
    return labels


def _name_zones(sheet: Sheet, site: Site, labels: Labels) -> None:
    """Each zone's id and post just inside its edge, where the fewest spots are."""
    tree = shapely.STRtree([spot.area for spot in site.spots])
    unit = sheet.metres_per_pt
    for zone in site.zones:
        name = readable(f"{zone.id} {zone.responsible}".strip(), zone.id)
        wide, (_, south, _, north) = len(name) * 5.6 * unit, zone.area.bounds
        tries: list[tuple[bool, int, int, float, float]] = []
        for y in np.linspace(north - 9 * unit, south + 9 * unit, 7):
            west, _, east, _ = zone.area.bounds
            across = zone.area.intersection(shapely.LineString([(west, y), (east, y)]))
            if across.is_empty:
                continue
            left, _, right, _ = max(shapely.get_parts(across), key=lambda part: part.length).bounds
            for x in np.linspace(left + 4 * unit, max(left, right - wide) - 4 * unit, 5):
                ground = shapely.box(x, y - 6 * unit, x + wide, y + 6 * unit)
                crowd = len(tree.query(ground, "intersects"))
                tries.append((not zone.area.contains(ground), crowd, len(tries), x, y))
        *_, x, y = min(tries, default=(False, 0, 0, *zone.area.bounds[:2]))
        write(sheet.axes, float(x), float(y), name, 8.5, is_bold=True, va="center")
        for step in range(0, int(len(name) * 5.6), 8):
            labels.keep_free(float(x) + step * unit, float(y), 10)


def mark_spots(
    sheet: Sheet,
    labels: Labels,
    spots: Sequence[BlindSpot],
    looks: Mapping[str, Look],
    away_pt: float = 5.5,
) -> None:
    """A symbol on every spot; ids where there is room."""
    centres = [spot.area.representative_point() for spot in spots]
    for look in dict.fromkeys(looks.values()):
        at = [
            (centre.x, centre.y)
            for spot, centre in zip(spots, centres, strict=True)
            if looks[spot.id] == look
        ]
        if at:
            sheet.axes.plot(*np.array(at).T, **marker_of(look), linestyle="none", zorder=12)
    for centre in centres:
        labels.keep_free(centre.x, centre.y, 6)
    if len(spots) <= _LABELS_MOST:
        for spot, centre in zip(spots, centres, strict=True):
            labels.place(centre.x, centre.y, readable(spot.id), 6.5, away_pt, zorder=18)


def marker_of(look: Look) -> dict[str, Any]:
    """The symbol of a look, as for `Axes.plot`."""
    return {
        "marker": look.marker,
        "markersize": look.size_pt,
        "markerfacecolor": "white" if look.is_hollow else look.colour,
        "markeredgecolor": look.colour if look.is_hollow else "white",
        "markeredgewidth": 1.3 if look.is_hollow else 0.7,
    }


def drones_of(plan: Plan) -> list[str]:
    """Ids of the drones that fly, in the fleet's order."""
    flying = {sortie.drone_id for sortie in plan.sorties}
    return [drone.id for drone in plan.site.fleet if drone.id in flying]
