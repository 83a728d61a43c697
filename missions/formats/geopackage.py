"""A plan as a GeoPackage: one layer a table, each with the style that QGIS opens it with.

Source: OGC 12-128r19; the table `layer_styles` as QGIS's own "save as default in database" makes.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pyogrio
import shapely
from shapely.geometry import MultiPolygon, Polygon

from skymist.missions.formats.plan_rows import plan_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Plan
    from skymist.missions.formats.plan_rows import Row

LEVEL_COLOURS = {
    "red": "#c8102e",
    "yellow": "#d99a00",
    "blue": "#1f5fbf",
    "green": "#2e8b57",
}
_PLAIN = {
    "zones": ("fill", "#00000000", "#444444"),
    "buildings": ("fill", "#c4c4c4", "#9a9a9a"),
    "no_spray": ("fill", "#55f2f2f2", "#5a5a5a"),
    "receptors": ("marker", "#cc00a0", "#ffffff"),
    "ground_crew": ("fill", "#88f0f0f0", "#57606a"),
    "transits": ("line", "#57606a", "#57606a"),
    "passes": ("line", "#6a42a6", "#6a42a6"),
    "pads": ("marker", "#0b6e8a", "#ffffff"),
}
_BY_LEVEL = {
    **dict.fromkeys(("spots", "targets", "spots_areas"), "fill"),
    "spots_points": "marker",
    "spots_lines": "line",
}
_WIDTHS_MM = {"spots_lines": "1.2", "transits": "0.26", "passes": "0.8", "zones": "0.5"}


def geopackage(plan: Plan) -> bytes:
    """The bytes of a GeoPackage of the plan, in WGS84; empty tables are left out."""
    tables = {name: rows for name, rows in plan_rows(plan).items() if rows}
    with tempfile.TemporaryDirectory(prefix="skymist-") as folder:
        path = Path(folder) / "plan.gpkg"
        for name, rows in tables.items():
            _write_table(path, name, rows)
        with contextlib.closing(sqlite3.connect(path)) as base:
            add_styles(base, tables)
            base.commit()
        return path.read_bytes()


def _write_table(path: Path, name: str, rows: list[Row]) -> None:
    """Append one layer; all kinds of its shapes under one type, points of hovers aside."""
    shapes = np.array([row.shape for row in rows], dtype=object)
    kinds = {shape.geom_type for shape in shapes}
    if len(kinds) > 1 and all(kind.endswith("Polygon") for kind in kinds):
        shapes = np.array([_multi(shape) for shape in shapes], dtype=object)
        kinds = {"MultiPolygon"}
    kind = kinds.pop() if len(kinds) == 1 else "Unknown"
    has_z = bool(shapely.has_z(shapes).any())
    fields = list(rows[0].values)
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes, output_dimension=3 if has_z else 2),
        [np.array([row.values[field] for row in rows]) for field in fields],
        fields,
        geometry_type=f"{kind} Z" if has_z and kind != "Unknown" else kind,
        crs="EPSG:4326",
        layer=name,
        driver="GPKG",
        append=path.exists(),
    )


def _multi(shape: BaseGeometry) -> BaseGeometry:
    return MultiPolygon([shape]) if isinstance(shape, Polygon) else shape


def add_styles(base: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Add QGIS's table of styles to a GeoPackage, with one for each of these layers."""
    base.execute(
        "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT,"
        " f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT,"
        " styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT,"
        " ui TEXT, update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"
    )
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier)"
        " VALUES ('layer_styles', 'attributes', 'layer_styles')"
    )
    for name in tables:
        base.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name,"
            " f_geometry_column, styleName, styleQML, useAsDefault, description, owner)"
            " VALUES ('', '', ?, 'geom', ?, ?, 1, 'Skymist', '')",
            (name, name, _qml(name)),
        )


def _qml(name: str) -> str:
    """QGIS's style document of one layer."""
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    if name not in _BY_LEVEL:
        renderer = ET.SubElement(root, "renderer-v2", type="singleSymbol")
        symbols = ET.SubElement(renderer, "symbols")
        kind, fill, edge = _PLAIN[name]
        _symbol(symbols, "0", kind, fill, edge, _WIDTHS_MM.get(name, "0.26"))
    else:
        renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr="level")
        categories = ET.SubElement(renderer, "categories")
        symbols = ET.SubElement(renderer, "symbols")
        for number, (level, colour) in enumerate(LEVEL_COLOURS.items()):
            category = {"value": level, "label": level, "symbol": str(number), "render": "true"}
            ET.SubElement(categories, "category", category)
            kind = _BY_LEVEL[name]
            clear = f"#66{colour[1:]}" if kind == "fill" else colour
            _symbol(symbols, str(number), kind, clear, colour, _WIDTHS_MM.get(name, "0.4"))
    return ET.tostring(root, encoding="unicode")


def _symbol(symbols: ET.Element, name: str, kind: str, fill: str, edge: str, width_mm: str) -> None:
    symbol = ET.SubElement(symbols, "symbol", name=name, type=kind, alpha="1")
    classes = {"fill": "SimpleFill", "line": "SimpleLine", "marker": "SimpleMarker"}
    layer = ET.SubElement(symbol, "layer", {"class": classes[kind], "enabled": "1", "pass": "0"})
    options = {
        "fill": {"color": fill, "outline_color": edge, "outline_width": width_mm},
        "line": {"line_color": fill, "line_width": width_mm},
        "marker": {"color": fill, "outline_color": edge, "name": "circle", "size": "3"},
    }[kind]
    held = ET.SubElement(layer, "Option", type="Map")
    for key, value in options.items():
        value = _rgba(value) if value.startswith("#") else value
        ET.SubElement(held, "Option", name=key, value=value, type="QString")


def _rgba(colour: str) -> str:
    """`#rrggbb` or `#aarrggbb` as QGIS writes it: red,green,blue,alpha."""
    digits = colour[1:]
    alpha, digits = (digits[:2], digits[2:]) if len(digits) == 8 else ("ff", digits)
    parts = (*(digits[k : k + 2] for k in (0, 2, 4)), alpha)
    return ",".join(str(int(part, 16)) for part in parts)
