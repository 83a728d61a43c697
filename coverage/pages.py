"""Parts of a plan on pages of their own: a zone or a spot, and what lies there."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import shapely

from skymist.coverage.mapmarks import readable
from skymist.coverage.words import Language, say

if TYPE_CHECKING:
    from collections.abc import Collection

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Plan, Sortie
    from skymist.coverage.sheet import Bounds

PAGE_LEAST_M = 40.0
PAGE_RIM_FRAC = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One part of a plan on a page of its own; `kind` is `zone` or `spot`."""

    kind: str
    id: str
    bounds: Bounds

    def title(self, language: Language) -> str:
        """What the page shows, in words."""
        if self.kind == "zone":
            return say(language, "zone {zone}", zone=readable(self.id))
        return say(language, "spot {spot}", spot=readable(self.id))


def plan_pages(plan: Plan, kinds: Collection[str]) -> list[Page]:
    """A page for each zone (`zone` in `kinds`) and each spot (`spot`), in the site's order."""
    pages = []
    if "zone" in kinds:
        pages += [Page(kind="zone", id=z.id, bounds=_around(z.area)) for z in plan.site.zones]
    if "spot" in kinds:
        pages += [Page(kind="spot", id=s.id, bounds=_around(s.area)) for s in plan.site.spots]
    return pages


def _around(shape: BaseGeometry) -> Bounds:
    west, south, east, north = shape.bounds
    rim = PAGE_RIM_FRAC * max(east - west, north - south)
    rim = max(rim, (PAGE_LEAST_M - max(east - west, north - south)) / 2)
    return west - rim, south - rim, east + rim, north + rim


def cropped(plan: Plan, bounds: Bounds) -> Plan:
    """The plan with only what touches a rectangle, for drawing: not to be flown.

    Sorties that only fly over are left out; the litres of the others are those of the passes here.
    """
    frame = shapely.box(*bounds)
    shapely.prepare(frame)
    site = plan.site
    spots = tuple(spot for spot in site.spots if frame.intersects(spot.area))
    here = {spot.id for spot in spots}
    sorties = (_cropped_sortie(sortie, frame) for sortie in plan.sorties)
    return replace(
        plan,
        site=replace(
            site,
            spots=spots,
            zones=tuple(z for z in site.zones if frame.intersects(z.area)),
            buildings=tuple(b for b in site.buildings if frame.intersects(b.footprint)),
            no_spray=tuple(n for n in site.no_spray if frame.intersects(n.area)),
            receptors=tuple(r for r in site.receptors if frame.intersects(r.shape)),
            pads=tuple(p for p in site.pads if frame.intersects(shapely.Point(p.x, p.y))),
        ),
        treatments=tuple(t for t in plan.treatments if t.spot_id in here),
        ground=tuple(g for g in plan.ground if g.spot_id in here),
        sorties=tuple(sortie for sortie in sorties if sortie.passes),
    )


def _cropped_sortie(sortie: Sortie, frame: BaseGeometry) -> Sortie:
    legs = tuple(
        leg
        for leg in sortie.legs
        if frame.intersects(shapely.MultiPoint([p[:2] for p in leg.path]).envelope)
    )
    kept = replace(sortie, legs=legs)
    return replace(kept, litres_l=math.fsum(leg.litres_l for leg in kept.passes))
