"""A first site in a folder of its own: from an OpenStreetMap extract, or the built-in example."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, mapping
from shapely.geometry.base import BaseGeometry

from skymist.coverage.frames import Origin
from skymist.missions.formats.osm import ATTRIBUTION, Extract
from skymist.missions.plans import write_whole
from skymist.missions.site_writer import SITE_FILE, require_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYERS = ("buildings", "streets", "zones", "spots", "no_spray", "sensitive", "pads")
PAD_CLEAR_M = 12.0
"""Open ground around a pad. Source: the rule by which the example sites' pads were placed."""
PADS_MOST = 2
PADS_APART_M = 150.0
TOLERANCE_M = 1.0

HEAD = """\
# A starter made by `skymist init` from {source}.
# It is a map, not a survey: before anything flies, somebody walks the place.
#  - {num_assumed} of {num_buildings} building heights are assumed ({assumed_m:g} m): measure them.
#  - {num_spots} blind spots are proposals by map tags, all of level blue: look, drop, add, level.
#  - pads are the widest open ground on the map: see that nobody stands there.
# Every key that can stand here: docs/site-file.md, or `skymist schema`.
schema: 1
name: {name}
attribution: {attribution}

layers:
{layers}

fleet:
  - {{id: d1, model: hexa-16}}
  - {{id: d2, model: hexa-16}}
"""


def write_example(folder: Path) -> Path:
    """Copy the built-in example and say where its site file is.

    Raises
    ------
    MissionError
        Where the folder holds a site file already.
    """
    require_free(folder)
    with as_file(files("skymist.missions") / "data" / "demo") as example:
        for path in sorted(example.iterdir(), key=lambda p: p.name == SITE_FILE):
            write_whole(folder / path.name, path.read_bytes())
    return folder / SITE_FILE


def write_starter(extract: Extract, folder: Path, *, name: str, source: str) -> Path:
    """Write the layers as GeoJSON and a site file that names them; say where it is.

    Raises
    ------
    MissionError
        Where the folder holds a site file already.
    """
    from skymist.missions.formats.osm import ASSUMED_M

    require_free(folder)
    layers = {role: list(_rows(role, extract)) for role in LAYERS}
    for role, features in layers.items():
        if features:
            text = json.dumps(
                {"type": "FeatureCollection", "attribution": ATTRIBUTION, "features": features},
                ensure_ascii=False,
                separators=(",", ":"),
            )
            write_whole(folder / f"{role}.geojson", text.encode() + b"\n")
    text = HEAD.format(
        source=" ".join(source.split()),
        num_assumed=extract.num_assumed,
        num_buildings=len(layers["buildings"]),
        num_spots=len(layers["spots"]),
        assumed_m=ASSUMED_M,
        name=json.dumps(name, ensure_ascii=False),
        attribution=json.dumps(ATTRIBUTION),
        layers="\n".join(f"  {role}: {role}.geojson" for role in LAYERS if layers[role]),
    )
    write_whole(folder / SITE_FILE, text.encode())
    return folder / SITE_FILE


def _rows(role: str, extract: Extract) -> Iterator[dict[str, Any]]:
    """The GeoJSON features of one layer."""
    if role == "zones":
        yield _feature(extract.area, {"id": "z1", "responsible": ""})
        return
    if role == "pads":
        for number, point in enumerate(pads(extract), 1):
            yield _feature(point, {"id": f"p{number}"})
        return
    number = 0
    for shape, values in extract.layers[role]:
        for part in _usable(shape, role):
            number += 1
            name = values["kind"] if role == "spots" else role
            yield _feature(part, {"id": f"{name}-{number:04d}", **values})


def _feature(shape: BaseGeometry, values: dict[str, Any]) -> dict[str, Any]:
    placed = shapely.set_precision(shape, 1e-7, mode="pointwise")
    return {"type": "Feature", "properties": values, "geometry": mapping(placed)}


def _usable(shape: BaseGeometry, role: str) -> Iterator[BaseGeometry]:
    """The parts that a layer takes: valid, of one kind."""
    if role == "sensitive":
        yield shape.representative_point()
        return
    made = shape if shape.is_valid else shapely.make_valid(shape)
    for part in getattr(made, "geoms", [made]):
        if isinstance(part, Point | LineString | Polygon) and not part.is_empty:
            yield part


def pads(extract: Extract) -> list[Point]:
    """The widest open ground in the extract's bounds, in degrees; none where all is narrow."""
    middle = extract.area.centroid
    origin = Origin(lat_deg=middle.y, lon_deg=middle.x)

    def local(shape: BaseGeometry) -> BaseGeometry:
        return shapely.transform(shape, origin.to_local)

    closed = [
        local(shape) for role in ("buildings", "no_spray") for shape, _ in extract.layers[role]
    ]
    free = local(extract.area).difference(
        shapely.union_all([shapely.make_valid(shape) for shape in closed])
    )
    found: list[Point] = []
    while len(found) < PADS_MOST:
        parts = free.geoms if isinstance(free, MultiPolygon) else [free]
        circles = [
            shapely.maximum_inscribed_circle(part, TOLERANCE_M)
            for part in parts
            if isinstance(part, Polygon) and part.area > 4 * PAD_CLEAR_M**2
        ]
        widest = max(circles, key=lambda circle: circle.length, default=None)
        if widest is None or widest.length < PAD_CLEAR_M:
            break
        place = Point(widest.coords[0])
        found.append(Point(origin.to_geo([place.coords[0]])[0]))
        free = free.difference(place.buffer(PADS_APART_M))
    return found
