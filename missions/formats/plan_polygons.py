"""Polygons drawn in QGroundControl: surveys, corridors, structures and fences of a `.plan`.

Each becomes a feature as GeoJSON has it, so that a `.plan` can be a layer. Source: QGroundControl's
Plan file format, versions 1 of the file and of the geofence.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skymist.missions.formats.guarded import SIZE_MAX_BYTES, Refused

if TYPE_CHECKING:
    from pathlib import Path


def plan_features(path: Path) -> list[dict[str, Any]]:
    """Features with the property `what`: survey, structure, corridor, fence_in, fence_out, rally.

    A corridor is a line with `width_m`.

    Raises
    ------
    Refused
        Where it is not a `.plan` file. Shapes are not looked at here.
    """
    wanted = "a QGroundControl .plan file"
    if path.stat().st_size > SIZE_MAX_BYTES:
        raise Refused("at most 200 MB", f"{path.stat().st_size / 1e6:.0f} MB")
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        raise Refused(wanted, str(exc)[:100]) from exc
    if not isinstance(data, dict) or data.get("fileType") != "Plan":
        kind = data.get("fileType") if isinstance(data, dict) else type(data).__name__
        raise Refused(wanted, f"fileType {kind!r}"[:100])
    found = [*_of_items(_list(data, "mission", "items"))]
    for polygon in _list(data, "geoFence", "polygons"):
        if isinstance(polygon, dict):
            what = "fence_in" if polygon.get("inclusion", True) else "fence_out"
            found.append(_polygon(what, polygon.get("polygon")))
    for circle in _list(data, "geoFence", "circles"):
        held = circle.get("circle") if isinstance(circle, dict) else None
        if isinstance(held, dict):
            what = "fence_in" if circle.get("inclusion", True) else "fence_out"
            place = _flipped(held.get("center"))
            found.append(_feature("Point", place, what=what, radius_m=held.get("radius")))
    return found


def _list(data: dict[str, Any], part: str, key: str) -> list[Any]:
    held = data.get(part)
    value = held.get(key) if isinstance(held, dict) else None
    return value if isinstance(value, list) else []


def _of_items(items: list[Any]) -> list[dict[str, Any]]:
    found = []
    for item in items:
        kind = item.get("complexItemType") if isinstance(item, dict) else None
        if kind == "survey":
            found.append(_polygon("survey", item.get("polygon")))
        elif kind == "StructureScan":
            found.append(_polygon("structure", item.get("polygon")))
        elif kind == "CorridorScan":
            line = [_flipped(corner) for corner in item.get("polyline") or []]
            width_m = item.get("CorridorWidth")
            found.append(_feature("LineString", line, what="corridor", width_m=width_m))
    return found


def _polygon(what: str, corners: object) -> dict[str, Any]:
    ring = [_flipped(corner) for corner in corners] if isinstance(corners, list) else []
    return _feature("Polygon", [[*ring, *ring[:1]]], what=what)


def _flipped(place: object) -> object:
    """Longitude first; what is no pair stays, for the reader of shapes to fault."""
    if isinstance(place, list) and len(place) >= 2:
        return [place[1], place[0]]
    return place


def _feature(kind: str, coordinates: object, **properties: Any) -> dict[str, Any]:
    kept = {key: value for key, value in properties.items() if value is not None}
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": kept, "geometry": geometry}
