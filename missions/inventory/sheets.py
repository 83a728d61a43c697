"""The inventory as a table for a spreadsheet (CSV) or for QGIS (GeoPackage), and back as rows.

Both hold the same columns. `rev` marks the state that was exported, so that what people changed is
told from what changed here meanwhile; FOLLOWS are reckoned and not taken back.
"""

from __future__ import annotations

import contextlib
import csv
import io
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import shapely
from shapely.geometry import MultiPolygon, Polygon

from skymist.missions.formats.geopackage import add_styles
from skymist.missions.inventory.states import GEOMETRY, NUMBERS, mark_of, shape_of
from skymist.missions.tables import inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.missions.inventory.listing import Listed

FIELDS = (
    *("name", "kind", "level", "level_reason", "level_since", "responsible", "zone", "surface"),
    *("note", "photos", "source", "mode", "agent", "dose_ml_per_m2", "hours"),
    *("radius_m", "width_m", "elevation_m"),
)
FOLLOWS = ("size_m2", "in_zone", "post")
REV = "rev"
WKT = "wkt"
LAYERS = {"spots_points": "Point", "spots_lines": "LineString", "spots_areas": "MultiPolygon"}
"""Of a GeoPackage: the kinds of shape apart, as QGIS edits them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table that comes back: cells of its columns, None where they are empty.

    `label` is the feature, `line` the line of a CSV.
    """

    file: str
    label: str
    cells: dict[str, Any] = field(default_factory=dict)
    shape: BaseGeometry | None = None
    line: int | None = None

    @property
    def id(self) -> str:
        """The id that it names; empty for a new spot."""
        value = self.cells.get("id")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return "" if value is None else str(value).strip()


def cells_of(listed: Listed) -> dict[str, Any]:
    """A spot's cells but its shape; None for what is not said."""
    state = listed.item.state
    made = {"id": listed.item.id, **{key: state.get(key) for key in FIELDS}}
    made["photos"] = "; ".join(state["photos"]) if "photos" in state else None
    follows = (listed.size_m2, listed.spot.zone_id, listed.post or None)
    return {**made, **dict(zip(FOLLOWS, follows, strict=True)), REV: f"r{mark_of(state)}"}


def csv_bytes(rows: Sequence[Listed]) -> bytes:
    """A CSV in UTF-8 with a mark that spreadsheets know it by; no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["id", *FIELDS, *FOLLOWS, WKT, REV])
    for row in rows:
        cells = cells_of(row)
        cells[WKT] = shapely.to_wkt(shape_of(row.item.state), rounding_precision=7, trim=True)
        named = (cells[key] for key in ("id", *FIELDS, *FOLLOWS, WKT, REV))
        writer.writerow(["" if cell is None else inert(str(cell)) for cell in named])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def geopackage_bytes(rows: Sequence[Listed]) -> bytes:
    """A GeoPackage in WGS84 with a layer for each of points, lines and areas, coloured by level."""
    with tempfile.TemporaryDirectory(prefix="skymist-") as folder:
        path = Path(folder) / "inventory.gpkg"
        for layer, kind in LAYERS.items():
            mine = [row for row in rows if _layer_of(row) == layer]
            _write_layer(path, layer, kind, mine)
        with contextlib.closing(sqlite3.connect(path)) as base:
            add_styles(base, LAYERS)
            base.commit()
        return path.read_bytes()


def _layer_of(row: Listed) -> str:
    kind = row.item.state[GEOMETRY]["type"]
    return next((layer for layer, name in LAYERS.items() if name == kind), "spots_areas")


def _write_layer(path: Path, layer: str, kind: str, rows: Sequence[Listed]) -> None:
    names = ("id", *FIELDS, *FOLLOWS, REV)
    cells = [cells_of(row) for row in rows]
    shapes = [shape_of(row.item.state) for row in rows]
    if kind == "MultiPolygon":
        shapes = [MultiPolygon([s]) if isinstance(s, Polygon) else s for s in shapes]
    columns = []
    for name in names:
        values = [cell[name] for cell in cells]
        if name in (*NUMBERS, "size_m2"):
            columns.append(np.array([np.nan if v is None else float(v) for v in values]))
        else:
            columns.append(np.array(values, dtype=object))
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes, dtype=object)),
        columns,
        list(names),
        geometry_type=kind,
        crs="EPSG:4326",
        layer=layer,
        driver="GPKG",
        append=path.exists(),
    )
