"""Yards behind buildings: open ground that walls close in but for narrow ways."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import Polygon

from skymist.coverage.site import Kind
from skymist.missions.suggest.proposal import Proposal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shapely.geometry.base import BaseGeometry

OPENING_MOST_M = 6.0
"""Ways in are narrower than this: one lane and its sides. [P]"""
AREA_LEAST_M2 = 40.0
AREA_MOST_M2 = 5000.0
"""Smaller ones are light wells; larger ones are squares and blocks. [P]"""
STREET_MOST_M = 10.0
"""Of streets for cars inside: with more it is a street. [P]"""
CAR_STREETS = frozenset(
    f"{name}{end}"
    for name in ("motorway", "trunk", "primary", "secondary", "tertiary")
    for end in ("", "_link")
) | {"residential", "unclassified", "living_street", "busway"}
"""Source: OpenStreetMap wiki, Key:highway, roads that are for traffic."""
_WALL_M = 0.3
WALLED_LEAST_FRAC = 0.6
"""Of its edge that is walls. [P]"""
_CORNERS = 4
"""Segments of a quarter of a circle. Numerical."""


def yard_proposals(
    footprints: Sequence[BaseGeometry],
    streets: Sequence[tuple[BaseGeometry, str]],
    source: str,
) -> Iterator[Proposal]:
    """Ground from which no way wider than OPENING_MOST_M leads out, without streets for cars."""
    if not footprints:
        return
    held = np.array(footprints, dtype=object)
    reach_m = OPENING_MOST_M / 2
    closed = shapely.union_all(shapely.buffer(held, reach_m, quad_segs=_CORNERS))
    cores = [Polygon(ring) for part in shapely.get_parts(closed) for ring in part.interiors]
    walls = shapely.STRtree(held)
    roads = [line for line, highway in streets if highway in CAR_STREETS]
    road_tree = shapely.STRtree(roads)
    for core in sorted(cores, key=lambda core: core.bounds):
        # Into corners and niches too; what lies behind a thin wall is another yard's.
        around = core.buffer(math.sqrt(2) * reach_m, quad_segs=_CORNERS)
        near = held[np.sort(walls.query(around, predicate="dwithin", distance=_WALL_M))]
        solid = shapely.union_all(near)
        parts = shapely.get_parts(around.difference(solid))
        yard = max(parts, key=lambda part: part.intersection(core).area)
        if not AREA_LEAST_M2 <= yard.area <= AREA_MOST_M2:
            continue
        inside = [roads[k].intersection(yard).length for k in road_tree.query(yard)]
        if sum(inside) > STREET_MOST_M:
            continue
        walled_m = yard.boundary.intersection(solid.buffer(_WALL_M)).length
        if walled_m < WALLED_LEAST_FRAC * yard.length:
            continue
        yield Proposal(
            rule="yard-behind-buildings",
            kind=Kind.YARD,
            shape=yard.simplify(_WALL_M),
            source=f"{source}: {len(near)} buildings around",
            figures={
                "area_m2": round(yard.area, 0),
                "walled_frac": round(walled_m / yard.length, 2),
                "openings_m": round(yard.length - walled_m, 1),
            },
        )
