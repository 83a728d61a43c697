"""Layers: files of other programs as features with our keys and shapes in WGS84 degrees.

GeoJSON is read as text, so that faults have lines; KML, GeoPackage and shapefile through pyogrio.
A property is found under the name that `properties` gives, else under ours, whatever its case.
Where a layer lies on Earth is judged in `missions.placing`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from skymist.missions import geojson
from skymist.missions.entries import ENTRIES, GEOMETRY_KEYS
from skymist.missions.errors import Fault
from skymist.missions.features import Feature
from skymist.missions.formats.guarded import Refused
from skymist.missions.formats.plan_polygons import plan_features
from skymist.missions.shapes import BadShape, require_usable, shape_of_mapping, shape_of_wkb
from skymist.missions.site_schema import LayerSource
from skymist.missions.validation import Locate, found_text, near_miss
from skymist.missions.yaml_lines import Place, one_line

TEXT_SUFFIXES = (".geojson", ".json")
SUFFIXES = (*TEXT_SUFFIXES, ".kml", ".kmz", ".gpkg", ".shp", ".plan")
WGS84 = "EPSG:4326"


def _no_line(_: str) -> int | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A feature as its file has it; `geometry` makes the shape, or raises `BadShape`."""

    index: int
    properties: dict[str, Any]
    geometry: Callable[[], BaseGeometry]
    name: str = ""
    line: Callable[[str], int | None] = _no_line


@dataclass(slots=True, kw_only=True)
class LayerReader:
    """Reads one source of one role, and gathers its faults.

    `place` is where the source stands in the site file, `locate` gives a place's file, field
    and line; paths are taken from `folder`. `path` is the layer's file, `known_keys` are those of
    its role. `contents` stand for what GeoJSON files of these paths hold.
    """

    role: str
    source: LayerSource
    place: Place
    folder: Path
    locate: Locate
    contents: Mapping[Path, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    bad_keys: set[str] = field(default_factory=set)
    path: Path = field(init=False)
    known_keys: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.path = Path(os.path.normpath(self.folder / self.source.file))
        if self.role in ENTRIES:
            self.known_keys = frozenset(ENTRIES[self.role].model_fields) - set(GEOMETRY_KEYS)

    def read(self) -> list[Feature]:
        """The features, those without a usable shape too; what is wrong goes to `faults`."""
        self._check_keys()
        if not self._is_there() or self.role == "streets":
            return []
        suffix = self.path.suffix.lower()
        if suffix in TEXT_SUFFIXES:
            rows, crs = self._text_rows()
        else:
            rows, crs = self._plan_rows() if suffix == ".plan" else self._table_rows()
        rows = [row for row in rows if self._is_wanted(row)]
        names = self._names(rows)
        file = str(self.path)
        return self._to_wgs84([self._feature(row, names, file) for row in rows], crs)

    def _fault(self, wanted: str, found: str, hint: str = "", at: Place = ()) -> None:
        """Fault what the site file says of this layer."""
        file, where, line = self.locate((*self.place, *at))
        self.faults.append(
            Fault(file=file, line=line, field=where, wanted=wanted, found=found, hint=hint)
        )

    def _file_fault(self, wanted: str, found: str, hint: str = "") -> None:
        """Fault the layer's own file as a whole."""
        name = str(self.path)
        self.faults.append(Fault(file=name, field="file", wanted=wanted, found=found, hint=hint))

    def _is_there(self) -> bool:
        """Whether there is a file of a known kind; a fault where not."""
        path = self.path
        try:
            if path in self.contents:
                return True
            if path.is_file() and path.suffix.lower() in SUFFIXES:
                return True
            found = f"no file {found_text(self.source.file)}"
            if path.is_file():
                self._fault(f"one of {', '.join(SUFFIXES)}", found_text(path.name), at=("file",))
                return False
            beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            found = "a folder" if path.is_dir() else found
        except (OSError, ValueError):
            found, beside = f"no file {found_text(self.source.file)}", []
        stems = {Path(n).stem: n for n in beside if n.lower().endswith(SUFFIXES)}
        near = difflib.get_close_matches(path.stem, stems, n=1)
        hint = f"did you mean {stems[near[0]]}?" if near else f"looked in {path.parent}"
        self._fault("a file that is there", found, hint, ("file",))
        return False

    def _check_keys(self) -> None:
        """Fault keys of ours that the role does not have."""
        if self.role == "streets":
            return
        for part in ("properties", "values", "defaults"):
            for key in set(getattr(self.source, part)) - self.known_keys:
                hint = near_miss(key, self.known_keys)
                self._fault(f"a key of {self.role}", found_text(key), hint, (part, key))

    def _text_rows(self) -> tuple[list[_Row], str | None]:
        """The rows of a GeoJSON file, each with its lines."""
        data = geojson.read_geojson(self.path, str(self.path), self.contents.get(self.path))
        self.faults.extend(data.faults)
        spans: list[tuple[int, int]] = []

        def line(index: int, key: str) -> int | None:
            if not spans:
                spans.extend(geojson.feature_spans(data.text))
            return geojson.line_of(data.text, spans[index], key) if index < len(spans) else None

        if data.crs and not self.source.crs:
            hint = "reproject it, or name its CRS in the site file: crs: EPSG:..."
            self._file_fault("WGS84 (RFC 7946)", f"crs {found_text(data.crs)}", hint)
            return [], None
        rows = []
        for index, raw in enumerate(data.features):
            kind = raw.get("type") if isinstance(raw, dict) else raw
            if kind != "Feature":
                label, at = f"features[{index}]", line(index, "")
                self.faults.append(_no_feature(str(self.path), label, at, found_text(kind)))
                continue
            properties = raw.get("properties")
            rows.append(
                _Row(
                    index=index,
                    name=short_name(raw.get("id")),
                    properties=properties if isinstance(properties, dict) else {},
                    geometry=partial(shape_of_mapping, raw.get("geometry")),
                    line=partial(line, index),
                )
            )
        return rows, WGS84

    def _plan_rows(self) -> tuple[list[_Row], str | None]:
        """The polygons that were drawn in QGroundControl."""
        try:
            features = plan_features(self.path)
        except Refused as exc:
            self._file_fault(exc.wanted, exc.found)
            return [], None
        rows = [
            _Row(
                index=index,
                properties=raw["properties"],
                geometry=partial(shape_of_mapping, raw["geometry"]),
            )
            for index, raw in enumerate(features)
        ]
        return rows, WGS84

    def _table_rows(self) -> tuple[list[_Row], str | None]:
        """The rows of a file that GDAL reads; GDAL is loaded for these alone."""
        from skymist.missions.ogr import Unreadable, read_table

        try:
            table = read_table(self.path, self.source.layer)
        except Unreadable as exc:
            if exc.is_layer:
                self._fault(exc.wanted, exc.found, exc.hint, ("layer",))
            else:
                self._file_fault(exc.wanted, exc.found, exc.hint)
            return [], None
        rows = [
            _Row(index=index, properties=properties, geometry=partial(shape_of_wkb, data))
            for index, (properties, data) in enumerate(
                zip(table.properties, table.shapes, strict=True)
            )
        ]
        return rows, table.crs

    def _is_wanted(self, row: _Row) -> bool:
        """Whether a row passes `where`."""
        for key, wanted in self.source.where.items():
            value = row.properties.get(key)
            allowed = wanted if isinstance(wanted, list) else [wanted]
            if value is None or str(value) not in {str(one) for one in allowed}:
                return False
        return True

    def _names(self, rows: list[_Row]) -> dict[str, str]:
        """Our keys, and what the file calls them."""
        theirs = dict.fromkeys(name for row in rows for name in row.properties)
        known = self.known_keys
        by_lower = {name.lower(): name for name in reversed(theirs)}
        names = {key: by_lower[key] for key in sorted(known) if key in by_lower}
        names |= {key: key for key in known if key in theirs}
        for ours, name in self.source.properties.items():
            names[ours] = name
            if rows and name not in theirs:
                self.bad_keys.add(ours)
                wanted, hint = f"a property of {self.path.name}", near_miss(name, theirs)
                self._fault(wanted, found_text(name), hint, ("properties", ours))
        return names

    def _values(self, row: _Row, names: dict[str, str]) -> dict[str, Any]:
        """Our keys and what the row, or the layer's defaults, say of them."""
        values: dict[str, Any] = {}
        for key in dict.fromkeys((*names, *self.source.defaults)):
            value = row.properties.get(names[key]) if key in names else None
            if value is None or value == "":
                value = self.source.defaults.get(key)
            elif key in self.source.values:
                value = self.source.values[key].get(str(value), value)
            if value is not None and key in self.known_keys:
                values[key] = value
        return values

    def _feature(self, row: _Row, names: dict[str, str], file: str) -> Feature:
        values = self._values(row, names)
        name = short_name(values.get("id")) or row.name
        stem = self.source.layer or self.path.stem
        made = Feature(
            role=self.role,
            file=file,
            source=self.place,
            label=f"features[{row.index}]({name})" if name else f"features[{row.index}]",
            default_id=row.name or f"{stem}-{row.index + 1:03d}",
            values=values,
            shape=None,
            names={key: name for key, name in names.items() if key != name},
            line=row.line,
            excused=frozenset(self.bad_keys),
            mend=partial(_mapping_hint, properties=row.properties),
        )
        return self._shaped(made, row.geometry)

    def _shaped(self, feature: Feature, make: Callable[[], BaseGeometry]) -> Feature:
        """The feature with the shape, or without one and with a fault."""
        try:
            shape = make()
            require_usable(shape, self.role)
        except BadShape as exc:
            self.faults.append(feature.fault("geometry", exc.wanted, exc.found, exc.hint))
            return feature.with_shape(None)
        return feature.with_shape(shape)

    def _to_wgs84(self, made: list[Feature], crs: str | None) -> list[Feature]:
        """The features with their shapes in WGS84."""
        named = self.source.crs or crs
        if not made or named == WGS84:
            return made
        if named is None:
            hint = "add its .prj file, or name the CRS in the site file: crs: EPSG:..."
            self._file_fault("a coordinate reference system", "none", hint)
            return [feature.with_shape(None) for feature in made]
        try:
            change = pyproj.Transformer.from_crs(named, WGS84, always_xy=True)
        except pyproj.exceptions.ProjError:
            if self.source.crs:
                self._fault("a CRS such as EPSG:4326", found_text(named), at=("crs",))
            else:
                self._file_fault("a known CRS", found_text(named))
            return [feature.with_shape(None) for feature in made]
        return [
            self._shaped(feature, partial(_moved, feature.shape, change, named))
            for feature in made
            if feature.shape is not None
        ]


def _moved(shape: BaseGeometry, change: pyproj.Transformer, crs: str) -> BaseGeometry:
    """The shape in the CRS that `change` leads to."""
    x, y = change.transform(*shapely.get_coordinates(shape).T)
    points = np.column_stack([x, y])
    if not np.isfinite(points).all():
        raise BadShape(f"coordinates within {crs[:40]}", "others")
    return shapely.set_coordinates(shape, points)


def _no_feature(file: str, label: str, line: int | None, found: str) -> Fault:
    return Fault(file=file, line=line, field=label, wanted="a GeoJSON Feature", found=found)


def short_name(value: object) -> str:
    """An id for labels: short, on one line, empty for none."""
    if value is None or isinstance(value, dict | list):
        return ""
    return one_line(str(value), 40)


def _mapping_hint(key: str, properties: dict[str, Any]) -> str:
    """How to give a missing key to a layer."""
    near = near_miss(key, properties)
    if near.startswith("did"):
        name = near.removeprefix("did you mean ").removesuffix("?")
        return f"map it in the layer: properties: {{{key}: {name}}}"
    return f"give the layer defaults: {{{key}: ...}}, or map a property to it"
