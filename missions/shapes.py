"""Coordinates in degrees as shapes, and what can be wrong with one shape by itself.

Longitude comes first, as in GeoJSON; a third coordinate is dropped. Where a shape lies on Earth
is judged in `missions.placing`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage.errors import MissionError
from skymist.missions.validation import found_text
from skymist.missions.yaml_lines import one_line

POLYGONS = ("Polygon", "MultiPolygon")
TYPES: dict[str, tuple[str, ...]] = {
    "buildings": POLYGONS,
    "zones": POLYGONS,
    "spots": ("Point", "LineString", *POLYGONS),
    "no_spray": ("Point", "LineString", *POLYGONS),
    "closures": ("Point", "LineString", *POLYGONS),
    "sensitive": ("Point", "LineString", *POLYGONS),
    "pads": ("Point",),
}
_SINGLE = {"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}
_WKT_START = re.compile(r"\s*(MULTI)?(POINT|LINESTRING|POLYGON)\b", re.IGNORECASE)
_DEGREES = "[longitude, latitude] in degrees"


class BadShape(MissionError):
    """Coordinates that make no shape: what was wanted, what was found, how to mend it."""

    def __init__(self, wanted: str, found: str, hint: str = "") -> None:
        super().__init__(f"wanted {wanted}, found {found}")
        self.wanted, self.found, self.hint = wanted, found, hint


def _position(value: object) -> tuple[float, float]:
    match value:
        case [float(x), float(y)] if abs(x) < 1e12 and abs(y) < 1e12:
            return x, y
    if not isinstance(value, Sequence) or isinstance(value, str) or not 2 <= len(value) <= 4:
        raise BadShape(_DEGREES, found_text(value))
    pair = []
    for number in value[:2]:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise BadShape(_DEGREES, found_text(number))
        if not abs(number) < 1e12:
            raise BadShape("finite coordinates", found_text(number))
        pair.append(float(number))
    return pair[0], pair[1]


def _positions(value: object, least: int, what: str) -> list[tuple[float, float]]:
    if not isinstance(value, list | tuple):
        raise BadShape(f"a list of {_DEGREES}", found_text(value))
    pairs = [_position(pair) for pair in value]
    if len(set(pairs)) < least:
        raise BadShape(f"at least {least} different positions in a {what}", f"{len(set(pairs))}")
    return pairs


def _polygon(rings: object) -> Polygon:
    if not isinstance(rings, list | tuple) or not rings:
        raise BadShape("a list of rings", found_text(rings))
    made = [_positions(ring, 3, "ring") for ring in rings]
    if len(made) == 1:
        # Twice as fast as the class, and a large layer is read for its polygons.
        plain: Polygon = shapely.polygons(made[0])
        return plain
    return Polygon(made[0], made[1:])


def shape_of_mapping(geometry: object) -> BaseGeometry:
    """The shape of a GeoJSON geometry; a multi-geometry of one part is that part.

    Raises
    ------
    BadShape
        Where it is none, or of a type that no layer takes.
    """
    if not isinstance(geometry, Mapping):
        raise BadShape("a geometry", found_text(geometry))
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if isinstance(kind, str) and kind in _SINGLE:
        if not isinstance(coordinates, list):
            raise BadShape("a list of coordinates", found_text(coordinates))
        if kind == "MultiPolygon" and len(coordinates) > 1:
            return MultiPolygon([_polygon(rings) for rings in coordinates])
        if len(coordinates) != 1:
            raise _several(kind, len(coordinates))
        kind, coordinates = _SINGLE[kind], coordinates[0]
    if isinstance(coordinates, list) and not coordinates:
        raise BadShape("a geometry with coordinates", "an empty one")
    match kind:
        case "Point":
            return Point(_position(coordinates))
        case "LineString":
            return LineString(_positions(coordinates, 2, "line"))
        case "Polygon":
            return _polygon(coordinates)
    raise BadShape("Point, LineString, Polygon or MultiPolygon", found_text(kind))


def _several(kind: str, num_parts: int) -> BadShape:
    hint = "split it: one feature for each part" if num_parts else ""
    return BadShape("a geometry of one part", f"a {kind} of {num_parts}", hint)


def shape_of_wkt(text: object) -> BaseGeometry:
    """The shape of well-known text.

    Raises
    ------
    BadShape
        Where it is none.
    """
    if not isinstance(text, str) or not _WKT_START.match(text):
        raise BadShape("WKT of a point, line or polygon", found_text(text))
    try:
        return plain_shape(shapely.from_wkt(text))
    except shapely.errors.ShapelyError as exc:
        raise BadShape("well-known text", one_line(str(exc))) from exc


def shape_of_wkb(data: bytes | None) -> BaseGeometry:
    """The shape of well-known binary, as GDAL gives it.

    Raises
    ------
    BadShape
        Where it is none.
    """
    if not data:
        raise BadShape("a geometry", "nothing")
    try:
        return plain_shape(shapely.from_wkb(data))
    except shapely.errors.ShapelyError as exc:
        raise BadShape("a geometry", one_line(str(exc))) from exc


def plain_shape(shape: BaseGeometry) -> BaseGeometry:
    """The shape in two dimensions, with finite coordinates, of one part if it has but one.

    Raises
    ------
    BadShape
        Where it is empty, not finite, or of several points or lines.
    """
    if shape.is_empty:
        raise BadShape("a geometry with coordinates", f"an empty {shape.geom_type}")
    parts = shapely.get_parts(shape)
    if shape.geom_type in _SINGLE and len(parts) == 1:
        shape = parts[0]
    elif shape.geom_type in {"MultiPoint", "MultiLineString"}:
        raise _several(shape.geom_type, len(parts))
    flat = shapely.force_2d(shape)
    if not np.isfinite(shapely.get_coordinates(flat)).all():
        raise BadShape("finite coordinates", "NaN or infinity")
    return flat


def shape_of_entry(entry: Mapping[str, Any]) -> BaseGeometry:
    """The shape of an inline entry's point, line, polygon or wkt.

    Raises
    ------
    BadShape
        Where not exactly one of them is given, or it is none.
    """
    given = [key for key in ("point", "line", "polygon", "wkt") if entry.get(key) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise BadShape("one of point, line, polygon, wkt", found)
    value = entry[given[0]]
    match given[0]:
        case "point":
            return Point(_position(value))
        case "line":
            return LineString(_positions(value, 2, "line"))
        case "wkt":
            return shape_of_wkt(value)
    is_ring = isinstance(value, list) and bool(value) and _is_pair(value[0])
    return _polygon([value] if is_ring else value)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and bool(value) and not isinstance(value[0], list)


def require_usable(shape: BaseGeometry, role: str) -> None:
    """Raise `BadShape` unless the shape is valid and of a type that the role takes."""
    if shape.geom_type not in TYPES[role]:
        hint = "keep other geometry in a layer of its own"
        raise BadShape(" or ".join(TYPES[role]), shape.geom_type, hint)
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        what, _, where = reason.partition("[")
        found = what.strip().lower() + (f" at {where.rstrip(']')}" if where else "")
        raise BadShape("a shape that does not cross itself", found, "QGIS mends it: Fix Geometries")
