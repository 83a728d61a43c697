"""A plan as tables of shapes with plain properties, for every map format alike.

Shapes are in degrees (longitude, latitude), rounded to 1e-7; a third coordinate is metres above
home.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import LineString, Point

from skymist.coverage.plan import Pass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Leg, Plan
    from skymist.coverage.site import Site

Value = str | float | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing on the map; the rows of a table have the same keys."""

    shape: BaseGeometry
    values: Mapping[str, Value]


TABLES = (
    *("zones", "buildings", "no_spray", "receptors", "spots"),
    *("targets", "ground_crew", "transits", "passes", "pads"),
)
"""Names of the tables, from the bottom of a map to its top."""


def plan_rows(plan: Plan) -> dict[str, list[Row]]:
    """Every table of `TABLES` with its rows; a table may be empty."""
    site, origin = plan.site, plan.site.origin
    levels = {spot.id: spot for spot in site.spots}
    tables = {
        "zones": [_row(origin, z.area, id=z.id, responsible=z.responsible) for z in site.zones],
        "buildings": [
            _row(origin, b.footprint, id=b.id, height_m=b.height_m) for b in site.buildings
        ],
        "no_spray": [_row(origin, n.area, id=n.id, reason=n.reason) for n in site.no_spray],
        "receptors": [_row(origin, r.shape, id=r.id, kind=r.kind) for r in site.receptors],
        "spots": _spot_rows(site),
        "targets": [
            _row(
                origin,
                t.target,
                spot=t.spot_id,
                level=levels[t.spot_id].level.value,
                agent=t.agent_id,
                dose_ml_per_m2=round(t.dose_l_per_m2 * 1000, 1),
                expected_frac=round(t.expected_frac, 4),
                litres=round(t.litres_l, 3),
            )
            for t in plan.treatments
        ],
        "ground_crew": [
            _row(
                origin,
                g.area,
                spot=g.spot_id,
                reason=g.reason.value,
                explanation=g.text,
                area_m2=round(g.area_m2, 1),
                is_whole_spot=int(g.is_whole_spot),
            )
            for g in plan.ground
            if not g.area.is_empty
        ],
        "pads": [_row(origin, Point(p.x, p.y), id=p.id) for p in site.pads],
    }
    legs = [
        (isinstance(leg, Pass), _leg(origin, leg, sortie.id, sortie.drone_id, order))
        for sortie in plan.sorties
        for order, leg in enumerate(sortie.legs)
    ]
    tables["transits"] = [row for is_pass, row in legs if not is_pass]
    tables["passes"] = [row for is_pass, row in legs if is_pass]
    return {name: _not_empty(tables[name]) for name in TABLES}


def _spot_rows(site: Site) -> list[Row]:
    origin = site.origin
    return [
        _row(
            origin,
            spot.area,
            id=spot.id,
            name=spot.name,
            kind=spot.kind.value,
            level=spot.level.value,
            mode=spot.mode.value,
            zone=spot.zone_id or "",
            responsible=site.post_for(spot),
            elevation_m=spot.elevation_m,
            note=spot.note,
        )
        for spot in site.spots
    ]


def _not_empty(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row.shape.is_empty]


def _leg(origin: Origin, leg: Leg, sortie_id: str, drone_id: str, order: int) -> Row:
    facts: dict[str, Value] = {"sortie": sortie_id, "drone": drone_id, "order": order}
    facts["speed_mps"] = round(leg.speed_mps, 3)
    if not isinstance(leg, Pass):
        return _row(origin, LineString(leg.path), **facts)
    up = [(*point, leg.above_home_m) for point in leg.path]
    return _row(
        origin,
        Point(up[0]) if len(up) == 1 else LineString(up),
        **facts,
        spot=leg.spot_id,
        kind=leg.kind.value,
        above_home_m=leg.above_home_m,
        swath_m=leg.swath_m,
        litres=round(leg.litres_l, 3),
        hover_s=round(leg.hover_s, 1),
    )


def _row(origin: Origin, shape: BaseGeometry, **values: Value) -> Row:
    return Row(shape=to_degrees(origin, shape), values=values)


def to_degrees(origin: Origin, shape: BaseGeometry) -> BaseGeometry:
    """A shape of the local frame in degrees to 1e-7 (1 cm); heights to 1 cm, as they are."""

    def move(points: np.ndarray) -> np.ndarray:
        moved = np.asarray(origin.to_geo(points[:, :2]).round(7))
        return np.column_stack([moved, points[:, 2:].round(2)]) if points.shape[1] > 2 else moved

    return shapely.transform(shape, move, include_z=bool(shape.has_z))
