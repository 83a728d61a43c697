"""An OpenStreetMap extract (.osm, .osm.pbf) as the layers of a starter site.

Tags are read as the OpenStreetMap wiki's Map Features means them. Blind spots among them are
proposals: nobody has looked at the place.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyogrio
import shapely
from pyogrio import errors
from shapely.geometry import Polygon, box

from skymist.coverage.site import Kind
from skymist.missions.formats.guarded import Refused, require_plain_xml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

SUFFIXES = (".osm", ".pbf")
ATTRIBUTION = "Map data (c) OpenStreetMap contributors, ODbL 1.0"
STOREY_M, ROOF_M = 3.0, 1.0
ASSUMED_M = 10.0
"""Height of a building without a tag: three storeys and a roof, rather too high than too low.
Proposal."""
_HSTORE = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_METRES = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(m|ft|'|)\s*$")
FOOT_M = 0.3048

Feature = tuple["BaseGeometry", dict[str, Any]]


@dataclass(slots=True, kw_only=True)
class Extract:
    """What a starter site takes from the map; shapes in degrees, properties as layers want them."""

    area: Polygon
    layers: dict[str, list[Feature]] = field(default_factory=lambda: defaultdict(list))

    @property
    def num_assumed(self) -> int:
        """Buildings whose height no tag tells."""
        return sum(values["height_from"] == "assumed" for _, values in self.layers["buildings"])


def read_osm(path: Path, bounds_deg: tuple[float, float, float, float] | None = None) -> Extract:
    """The extract, or what of it touches the bounds (west, south, east, north).

    Raises
    ------
    Refused
        For another kind of file, XML with entities, a file that GDAL does not read, or one
        without a building or a street in the bounds.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise Refused("an OpenStreetMap extract (.osm, .osm.pbf)", path.name)
    if path.suffix.lower() == ".osm":
        require_plain_xml(path)
    rows = [
        (shape, tags)
        for layer in ("points", "lines", "multipolygons")
        for shape, tags in _rows(path, layer, bounds_deg)
    ]
    if not rows:
        raise Refused("a building or a street within the bounds", "none")
    around = box(*(bounds_deg or shapely.union_all([shape.envelope for shape, _ in rows]).bounds))
    made = Extract(area=around)
    for shape, tags in rows:
        for role, values in _meaning(shape, tags):
            made.layers[role].append((shape, values))
    if not made.layers["buildings"] and not made.layers["streets"]:
        raise Refused("a building or a street within the bounds", "none")
    return made


def _rows(
    path: Path, layer: str, bounds_deg: tuple[float, float, float, float] | None
) -> Iterator[tuple[BaseGeometry, dict[str, str]]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta, _, wkb, columns = pyogrio.raw.read(
                path, layer=layer, bbox=bounds_deg, INTERLEAVED_READING="NO"
            )
    except (errors.DataSourceError, errors.DataLayerError, ValueError, OSError) as exc:
        raise Refused("an extract that GDAL reads", str(exc)[:200]) from exc
    names = [str(name) for name in meta["fields"]]
    for index, shape in enumerate(shapely.from_wkb(wkb, on_invalid="ignore")):
        tags = {name: column[index] for name, column in zip(names, columns, strict=True)}
        held = {key: str(value) for key, value in tags.items() if isinstance(value, str)}
        held |= dict(_HSTORE.findall(held.pop("other_tags", "")))
        if shape is not None and not shape.is_empty:
            yield shape, held


def height_m(tags: Mapping[str, str]) -> tuple[float, str]:
    """A building's height and the tag that tells it, or `assumed`."""
    told = _METRES.match(tags.get("height", ""))
    if told:
        return float(told[1]) * (1.0 if told[2] in ("m", "") else FOOT_M), "height"
    try:
        storeys = float(tags["building:levels"]) + float(tags.get("roof:levels", 0) or 0)
    except (KeyError, ValueError):
        return ASSUMED_M, "assumed"
    return max(STOREY_M, storeys * STOREY_M + ROOF_M), "building:levels"


SPOTS_OF_POINTS = {
    ("amenity", "waste_disposal"): (Kind.REFUSE_POINT, 3.0),
    ("amenity", "recycling"): (Kind.REFUSE_POINT, 3.0),
    ("amenity", "waste_transfer_station"): (Kind.TRANSFER_STATION, 10.0),
    ("amenity", "toilets"): (Kind.PUBLIC_TOILET, 4.0),
    ("amenity", "bicycle_parking"): (Kind.BIKE_SHED, 3.0),
    ("man_made", "manhole"): (Kind.MANHOLE_COVER, 1.0),
}
"""Tag: kind of blind spot and the radius in metres taken for a point. Radii: proposal, after the
typical sizes of DOMAIN."""
SPOTS_OF_AREAS = {
    ("amenity", "waste_disposal"): Kind.REFUSE_POINT,
    ("amenity", "recycling"): Kind.REFUSE_POINT,
    ("amenity", "waste_transfer_station"): Kind.TRANSFER_STATION,
    ("amenity", "toilets"): Kind.PUBLIC_TOILET,
    ("amenity", "parking"): Kind.PARKING_YARD,
    ("landuse", "construction"): Kind.BUILDING_SITE,
    ("landuse", "brownfield"): Kind.DEMOLITION_SITE,
}
SPOTS_OF_LINES = {
    ("service", "alley"): (Kind.BACK_ALLEY, 3.0),
    ("waterway", "drain"): (Kind.OPEN_DRAIN, 1.5),
    ("waterway", "ditch"): (Kind.OPEN_DRAIN, 1.5),
}
SENSITIVE = ("school", "kindergarten", "hospital", "clinic", "nursing_home", "social_facility")
NOTE = "proposed from OpenStreetMap; nobody has looked"
SOURCE = "OpenStreetMap tag"
"""Before the tag that a proposal was found by."""


def _meaning(shape: BaseGeometry, tags: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The roles that a thing on the map plays, each with the layer's values."""
    dimension = int(shapely.get_dimensions(shape))
    if dimension == 2 and tags.get("building", "no") != "no":
        height, source = height_m(tags)
        yield "buildings", {"height_m": round(height, 1), "height_from": source}
    if dimension == 1 and "highway" in tags:
        yield "streets", {"highway": tags["highway"], "name": tags.get("name", "")}
    is_water = tags.get("natural") == "water" or tags.get("waterway") == "riverbank"
    if dimension == 2 and is_water:
        yield "no_spray", {"reason": "open water"}
    if dimension == 2 and tags.get("leisure") == "playground":
        yield "no_spray", {"reason": "playground"}
    if dimension == 2 and tags.get("power") in ("substation", "transformer"):
        yield "no_spray", {"reason": "live electrical equipment"}
    if tags.get("amenity") in SENSITIVE:
        yield "sensitive", {"kind": tags["amenity"]}
    yield from _spots(dimension, tags)


def _spots(dimension: int, tags: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    values = {"level": "blue", "name": tags.get("name", ""), "note": NOTE}
    for (key, value), (kind, size_m) in (SPOTS_OF_POINTS if dimension == 0 else {}).items():
        if tags.get(key) == value:
            source = f"{SOURCE} {key}={value}"
            yield "spots", {"kind": kind.value, **values, "radius_m": size_m, "source": source}
    for (key, value), (kind, size_m) in (SPOTS_OF_LINES if dimension == 1 else {}).items():
        if tags.get(key) == value and tags.get("tunnel", "no") == "no":
            source = f"{SOURCE} {key}={value}"
            yield "spots", {"kind": kind.value, **values, "width_m": size_m, "source": source}
    for (key, value), kind_ in (SPOTS_OF_AREAS if dimension == 2 else {}).items():
        is_inside = tags.get("building", "no") != "no" or tags.get("parking") == "underground"
        if tags.get(key) == value and not is_inside:
            yield "spots", {"kind": kind_.value, **values, "source": f"{SOURCE} {key}={value}"}
