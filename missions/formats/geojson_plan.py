"""A plan as GeoJSON in WGS84: spots, passes, transits and ground-crew tasks for any map."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import LineString, Point, mapping

from skymist.coverage.plan import Pass

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Leg, Plan, Treatment


def plan_geojson(plan: Plan) -> str:
    """The text of a feature collection (RFC 7946); heights are metres above home."""
    origin = plan.site.origin
    features = [
        _feature(origin, t.target, what="target", spot=t.spot_id, dose_ml_per_m2=_ml(t))
        for t in plan.treatments
    ]
    features += [
        _feature(origin, g.area, what="ground_crew", spot=g.spot_id, reason=g.text)
        for g in plan.ground
        if not g.area.is_empty
    ]
    for sortie in plan.sorties:
        for order, leg in enumerate(sortie.legs):
            features.append(_leg(origin, leg, sortie.id, order))
    document = {"type": "FeatureCollection", "features": features}
    if plan.site.attribution:
        document["attribution"] = plan.site.attribution
    return json.dumps(document, ensure_ascii=False) + "\n"


def _ml(treatment: Treatment) -> float:
    return round(treatment.dose_l_per_m2 * 1000, 1)


def _leg(origin: Origin, leg: Leg, sortie_id: str, order: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"sortie": sortie_id, "order": order}
    if isinstance(leg, Pass):
        shape = Point(leg.path[0]) if len(leg.path) == 1 else LineString(leg.path)
        facts |= {"what": "spray", "spot": leg.spot_id, "speed_mps": round(leg.speed_mps, 3)}
        facts |= {"above_home_m": leg.above_home_m, "litres": round(leg.litres_l, 2)}
        return _feature(origin, shape, **facts)
    line = LineString([point[:2] for point in leg.path])
    heights = [round(point[2], 2) for point in leg.path]
    return _feature(origin, line, what="transit", above_home_m=heights, **facts)


def _feature(origin: Origin, shape: BaseGeometry, **properties: Any) -> dict[str, Any]:
    placed = shapely.transform(shape, origin.to_geo)
    placed = shapely.transform(placed, lambda points: points.round(7))
    return {"type": "Feature", "geometry": mapping(placed), "properties": properties}
