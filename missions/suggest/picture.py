"""Proposals on a map, one colour and line for each rule, with the spots that are there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from skymist.coverage.layers import ZONE, draw_areas, draw_ground
from skymist.coverage.mapmarks import DRONE_COLOURS, INK, SOFT_INK, readable
from skymist.coverage.sheet import Bounds, Sheet
from skymist.missions.suggest.proposal import middle_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from skymist.coverage.site import Site
    from skymist.missions.suggest.proposal import Proposal

RULES = (
    *("narrow-gap", "narrow-alley", "dead-end-alley", "dead-end-street"),
    "yard-behind-buildings",
)
TAGGED = "map tag"
_RIM = 0.02
_SEEN_PT = 5.0
"""What is narrower on paper is ringed. [P]"""


def draw_proposals(
    site: Site, proposals: Mapping[str, Proposal], bounds: Bounds | None = None
) -> Figure:
    """The proposals over the site's buildings; `bounds` (local metres) shows a part alone."""
    groups: dict[str, dict[str, Proposal]] = {}
    for name, proposal in proposals.items():
        rule = proposal.rule if proposal.rule in RULES else TAGGED
        groups.setdefault(rule, {})[name] = proposal
    sheet = Sheet(
        _extent(site, proposals) if bounds is None else bounds,
        title=f"{readable(site.name)}: suggested blind spots",
        lines=(
            f"{len(proposals)} proposals by rules on the map; nobody has looked at the places",
            "accept: skymist inventory suggest SITE --accept NAME",
        ),
        foot=f"Map data: {readable(site.attribution)} · drawn by Skymist",
    )
    draw_ground(sheet, site)
    known: dict[str, Any] = {"facecolors": "none", "edgecolors": SOFT_INK, "linewidths": 0.5}
    draw_areas(sheet, [spot.area for spot in site.spots], linestyles=":", zorder=7, **known)
    sheet.section("Proposals by rule")
    for number, rule in enumerate([*RULES, TAGGED]):
        if rule in groups:
            _draw_rule(sheet, rule, DRONE_COLOURS[number % len(DRONE_COLOURS)], groups[rule])
    sheet.section("On the map already")
    sheet.line("spot of the inventory", color=SOFT_INK, lw=0.8, linestyle=":")
    sheet.patch("building, darker is higher (to 40 m)", fc="#c4c4c4", ec="#9a9a9a", lw=0.4)
    if site.no_spray:
        sheet.patch("no spray", fc="#f2f2f2", ec="#5a5a5a", hatch="/////", lw=0.9)
    if site.zones:
        sheet.line("zone", color=INK, lw=1.1, linestyle=ZONE["linestyles"][0])
    return sheet.finish()


def _draw_rule(sheet: Sheet, rule: str, colour: str, group: Mapping[str, Proposal]) -> None:
    """Its places, ringed where they are too narrow to be seen at this scale."""
    west, south, east, north = sheet.bounds
    frame = shapely.box(west, south, east, north)
    shown = [p for p in group.values() if frame.intersects(p.shape)]
    if not shown:
        return
    areas: dict[str, Any] = {"edgecolors": colour, "facecolors": f"{colour}55", "linewidths": 1.1}
    draw_areas(sheet, [p.area for p in shown], zorder=8, **areas)
    least_m = _SEEN_PT * sheet.metres_per_pt
    small = [middle_of(p.shape) for p in shown if p.area.buffer(-least_m / 2).is_empty]
    ring: dict[str, Any] = {"marker": "o", "mfc": "none", "mec": colour, "mew": 1.0, "ms": 9}
    if small:
        xs, ys = zip(*small, strict=True)
        sheet.axes.plot(xs, ys, linestyle="none", zorder=9, **ring)
    sheet.patch(f"{rule}: {len(shown)}", fc=f"{colour}55", ec=colour, lw=1.1)


def _extent(site: Site, proposals: Mapping[str, Proposal]) -> Bounds:
    shapes = [p.shape for p in proposals.values()] + [spot.area for spot in site.spots]
    west, south, east, north = shapely.total_bounds(shapes) if shapes else (0, 0, 100, 100)
    rim = _RIM * max(east - west, north - south) + 3
    return float(west - rim), float(south - rim), float(east + rim), float(north + rim)
