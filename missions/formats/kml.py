"""A plan as KML 2.2: spots by level, passes and transits of every sortie at their heights.

Source: OGC 07-147r2. Heights are metres above home, told as `relativeToGround`: the site's ground
is taken as level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from shapely.geometry import Polygon

from skymist.missions.formats.plan_rows import Row, plan_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Plan

NAMESPACE = "http://www.opengis.net/kml/2.2"
_FILLS = {
    "red": "c8102e",
    "yellow": "d99a00",
    "blue": "1f5fbf",
    "green": "2e8b57",
    "no_spray": "5a5a5a",
    "ground_crew": "57606a",
    "zone": "444444",
}
_LINES = {"pass": ("6a42a6", 4.0), "transit": ("57606a", 1.5)}
_HOLLOW = frozenset({"zone"})


def kml(plan: Plan) -> str:
    """The text of a KML file of the plan."""
    root = ET.Element("kml", xmlns=NAMESPACE)
    document = _sub(root, "Document")
    _sub(document, "name", plan.site.name)
    if plan.site.attribution:
        _sub(document, "description", plan.site.attribution)
    _styles(document)
    tables = plan_rows(plan)
    _folder(document, "Zones", ((row, row.values["id"], "zone") for row in tables["zones"]))
    _folder(document, "No spray", ((r, r.values["id"], "no_spray") for r in tables["no_spray"]))
    _folder(
        document, "Blind spots", ((r, r.values["id"], r.values["level"]) for r in tables["spots"])
    )
    left = ((r, r.values["spot"], "ground_crew") for r in tables["ground_crew"])
    _folder(document, "Left to the ground crew", left)
    _folder(document, "Pads", ((r, r.values["id"], "") for r in tables["pads"]))
    for sortie in plan.sorties:
        legs = [
            (row, f"{row.values['order']}: {row.values.get('spot', 'transit')}", style)
            for style, rows in (("pass", tables["passes"]), ("transit", tables["transits"]))
            for row in rows
            if row.values["sortie"] == sortie.id
        ]
        legs.sort(key=lambda leg: leg[0].values["order"])
        _folder(document, f"Sortie {sortie.id} of {sortie.drone_id}", legs)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _sub(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, tag, attributes)
    if text is not None:
        made.text = _clean(str(text))
    return made


def _clean(text: str) -> str:
    """Text without the control characters that XML 1.0 has no place for."""
    return "".join(c for c in text if c >= " " or c in "\t\n")


def _colour(rgb: str, alpha: str = "ff") -> str:
    """KML's order: opacity, blue, green, red."""
    return f"{alpha}{rgb[4:6]}{rgb[2:4]}{rgb[0:2]}"


def _styles(document: ET.Element) -> None:
    for name, rgb in _FILLS.items():
        style = _sub(document, "Style", id=name)
        line = _sub(style, "LineStyle")
        _sub(line, "color", _colour(rgb))
        _sub(line, "width", 2)
        fill = _sub(style, "PolyStyle")
        _sub(fill, "color", _colour(rgb, "00" if name in _HOLLOW else "66"))
    for name, (rgb, width) in _LINES.items():
        line = _sub(_sub(document, "Style", id=name), "LineStyle")
        _sub(line, "color", _colour(rgb))
        _sub(line, "width", width)


def _folder(document: ET.Element, name: str, rows: Iterable[tuple[Row, object, object]]) -> None:
    rows = list(rows)
    if not rows:
        return
    folder = _sub(document, "Folder")
    _sub(folder, "name", name)
    for row, title, style in rows:
        mark = _sub(folder, "Placemark")
        _sub(mark, "name", title)
        if style:
            _sub(mark, "styleUrl", f"#{style}")
        data = _sub(mark, "ExtendedData")
        for key, value in row.values.items():
            if value != "":
                _sub(_sub(data, "Data", name=key), "value", value)
        _shape(mark, row.shape)


def _shape(parent: ET.Element, shape: BaseGeometry) -> None:
    if hasattr(shape, "geoms"):
        many = _sub(parent, "MultiGeometry")
        for part in shape.geoms:
            _shape(many, part)
        return
    made = _sub(parent, shape.geom_type)
    if isinstance(shape, Polygon):
        _rings(made, shape)
        return
    if shape.geom_type == "LineString":
        _sub(made, "tessellate", 0 if shape.has_z else 1)
    if shape.has_z:
        _sub(made, "altitudeMode", "relativeToGround")
    _sub(made, "coordinates", _coordinates(shape.coords))


def _rings(made: ET.Element, polygon: Polygon) -> None:
    rings = [("outerBoundaryIs", polygon.exterior)]
    rings += [("innerBoundaryIs", hole) for hole in polygon.interiors]
    for tag, ring in rings:
        _sub(_sub(_sub(made, tag), "LinearRing"), "coordinates", _coordinates(ring.coords))


def _coordinates(points: Iterable[tuple[float, ...]]) -> str:
    return " ".join(",".join(f"{value:.7f}".rstrip("0").rstrip(".") for value in p) for p in points)
