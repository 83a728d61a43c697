"""Tables that people edited, as rows: CSV from a spreadsheet, or a layer that GDAL reads.

What the rows mean for the inventory is `missions.inventory.bringing`'s.
"""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import pyproj
import shapely

from skymist.missions.errors import Fault, FormatError, SiteFileError
from skymist.missions.inventory.sheets import LAYERS, WKT, Row
from skymist.missions.inventory.states import NUMBERS
from skymist.missions.ogr import Table, Unreadable, read_table
from skymist.missions.shapes import BadShape, require_usable, shape_of_wkb, shape_of_wkt
from skymist.missions.tables import unguarded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shapely.geometry.base import BaseGeometry

SUFFIXES = (".csv", ".gpkg", ".geojson", ".json", ".kml", ".kmz", ".shp")
CSV_MOST_BYTES = 50_000_000
"""Ten thousand spots are a tenth of it. [P]"""
CELL_MOST = 10_000_000
"""Characters of a cell: a shape of many corners is one. Numerical."""
PLACE = ("lon_deg", "lat_deg")


def read_rows(path: Path, layer: str | None = None) -> tuple[list[Row], set[str]]:
    """The rows of a table, and the columns that it has, in small letters.

    Raises
    ------
    FormatError
        For a file that cannot be read, or none of the known kinds.
    SiteFileError
        With every shape that is none.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(f"{path}: wanted one of {', '.join(SUFFIXES)}, found {path.name!r}")
    faults: list[Fault] = []
    if suffix == ".csv":
        rows, columns = _csv_rows(path, faults)
    else:
        rows, columns = [], set[str]()
        for name in _layers_of(path, layer):
            more, names = _layer_rows(path, name, faults)
            rows += more
            columns |= names
    if faults:
        raise SiteFileError(tuple(faults))
    return rows, columns


def _csv_rows(path: Path, faults: list[Fault]) -> tuple[list[Row], set[str]]:
    text = _text_of(path)
    head = text.partition("\n")[0]
    mark = max(",;\t", key=head.count)
    csv.field_size_limit(CELL_MOST)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    names = [unguarded(name or "").strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    if len(set(names)) < len(names) or "id" not in names:
        found = "a heading twice" if "id" in names else f"no id among {', '.join(names[:8])}"
        raise FormatError(f"{path}:1: wanted headings with id, each once; found {found}")
    rows = []
    try:
        for line in reader:
            if None in line or None in line.values():
                found = "more or fewer"
                wanted = f"wanted {len(names)} cells, found {found}"
                raise FormatError(f"{path}:{reader.line_num}: {wanted}")
            told = {key: _cell(cell) for key, cell in line.items()}
            if not any(told.values()):
                continue
            cells: dict[str, Any] = dict(told)
            for key in NUMBERS if mark != "," else ():
                if isinstance(cells.get(key), str):
                    cells[key] = cells[key].replace(",", ".")
            row = Row(file=str(path), label=told["id"] or "new spot", line=reader.line_num)
            shape = _shape_of_cells(cells, row, faults)
            rows.append(_with(row, cells, shape))
    except csv.Error as exc:
        raise FormatError(f"{path}:{reader.line_num}: wanted CSV, found {exc}") from exc
    return rows, set(names)


def _cell(text: str) -> str | None:
    """What a cell says; line ends of one kind."""
    return unguarded(text).replace("\r\n", "\n").replace("\r", "\n").strip() or None


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > CSV_MOST_BYTES:
            raise FormatError(f"{path}: wanted a table of at most 50 MB, found more")
        data = path.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as exc:
        raise FormatError(f"{path}: wanted a table, found {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        hint = "save it as CSV UTF-8"
        found = f"the byte 0x{data[exc.start]:02x}"
        raise FormatError(f"{path}:{line}: wanted UTF-8, found {found} ({hint})") from exc


def _shape_of_cells(cells: dict[str, Any], row: Row, faults: list[Fault]) -> BaseGeometry | None:
    """The shape in `wkt`, or the point of `lon_deg` and `lat_deg`."""
    wkt, place = cells.get(WKT), [cells.get(key) for key in PLACE]
    if wkt:
        return _usable(partial(shape_of_wkt, wkt), row, WKT, faults)
    if all(place):
        text = "POINT ({} {})".format(*(str(part).replace(",", ".") for part in place))
        return _usable(partial(shape_of_wkt, text), row, "lon_deg", faults)
    return None


def _layers_of(path: Path, layer: str | None) -> Sequence[str | None]:
    """The layers to read: the one named, else ours, else the only one."""
    if layer is not None or path.suffix.lower() != ".gpkg":
        return [layer]
    try:
        held = [str(name) for name, _ in pyogrio.list_layers(path)]
    except (pyogrio.errors.DataSourceError, OSError) as exc:
        raise FormatError(f"{path}: wanted a GeoPackage, found {str(exc)[:200]}") from exc
    return [name for name in LAYERS if name in held] or [None]


def _layer_rows(path: Path, layer: str | None, faults: list[Fault]) -> tuple[list[Row], set[str]]:
    try:
        table = read_table(path, layer)
    except Unreadable as exc:
        hint = f" ({exc.hint}; say --layer)" if exc.is_layer else ""
        raise FormatError(f"{path}: wanted {exc.wanted}, found {exc.found}{hint}") from exc
    change = _to_wgs84(path, table)
    rows = []
    for number, (values, data) in enumerate(zip(table.properties, table.shapes, strict=True)):
        cells = {name.lower(): None if v == "" else v for name, v in values.items()}
        name = cells.get("id") or f"feature {number + 1}"
        row = Row(file=str(path), label=f"{layer}({name})" if layer else str(name))
        shape = None
        if data:
            shape = _usable(partial(shape_of_wkb, data), row, "geometry", faults)
        rows.append(_with(row, cells, change(shape) if shape is not None else None))
    return rows, {name for row in rows for name in row.cells} | {"geometry"}


def _to_wgs84(path: Path, table: Table) -> Callable[[BaseGeometry], BaseGeometry]:
    if table.crs in (None, "EPSG:4326"):
        return lambda shape: shape
    try:
        change = pyproj.Transformer.from_crs(table.crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as exc:
        raise FormatError(f"{path}: wanted a known CRS, found {table.crs!r}") from exc
    return lambda shape: shapely.transform(
        shape, lambda xy: np.column_stack(change.transform(*xy.T))
    )


def _usable(
    make: Callable[[], BaseGeometry], row: Row, key: str, faults: list[Fault]
) -> BaseGeometry | None:
    try:
        shape = make()
        require_usable(shape, "spots")
    except BadShape as exc:
        field = f"{row.label}.{key}"
        faults.append(
            Fault(
                file=row.file,
                line=row.line,
                field=field,
                wanted=exc.wanted,
                found=exc.found,
                hint=exc.hint,
            )
        )
        return None
    return shape


def _with(row: Row, cells: dict[str, Any], shape: BaseGeometry | None) -> Row:
    return Row(file=row.file, label=row.label, line=row.line, cells=cells, shape=shape)
