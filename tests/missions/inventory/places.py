"""A small site in a folder, made for tests of the inventory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

LON, LAT = 114.04, 22.73
METRE_DEG = 1 / 111_195


def at(east_m: float, north_m: float) -> list[float]:
    """A place so far from the middle, in degrees, by arithmetic of the tests' own."""
    return [
        round(LON + east_m * METRE_DEG / 0.92235, 7),  # cos 22.73 degrees
        round(LAT + north_m * METRE_DEG, 7),
    ]


def point(east_m: float, north_m: float, **properties: Any) -> dict[str, Any]:
    """A feature with a point."""
    geometry = {"type": "Point", "coordinates": at(east_m, north_m)}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def polygon(corners: list[tuple[float, float]], **properties: Any) -> dict[str, Any]:
    """A feature with a ring through these places."""
    ring = [at(*corner) for corner in [*corners, corners[0]]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


SPOTS = [
    point(0, 0, id="bin-1", kind="refuse_point", level="blue", radius_m=2, painted="green"),
    point(3, 0, id="bin-2", kind="bins", level="red", radius_m=1.5, note="smells", photos="a.jpg"),
    point(60, 0, id="cover-1", kind="manhole_cover", level="green", radius_m=1, name="井 =1+1"),
    polygon([(80, 0), (95, 0), (95, 10), (80, 10)], id="yard-1", kind="yard", level="yellow"),
    {
        "type": "Feature",
        "id": 77,
        "properties": {"id": "drain-1", "kind": "open_drain", "level": "blue", "width_m": 1.0},
        "geometry": {"type": "LineString", "coordinates": [at(0, 40), at(30, 41), at(60, 40)]},
    },
]
ZONE = polygon([(-500, -500), (500, -500), (500, 500), (-500, 500)], id="z1", responsible="Post 1")


def community(folder: Path, spots: list[dict[str, Any]] | None = None, **keys: Any) -> Path:
    """A site file with its layers; `a.jpg` and `photos/b.jpg` are there."""
    folder.mkdir(parents=True, exist_ok=True)
    site = {
        "schema": 1,
        "name": "Inventory 浪口",
        "layers": {"spots": "spots.geojson", "zones": "zones.geojson"},
        "pads": [{"id": "p", "point": at(-60, -60)}],
        "fleet": [{"model": "hexa-16"}],
        **keys,
    }
    head = {"type": "FeatureCollection", "name": "spots", "surveyed": {"by": "Lin"}}
    layer = {**head, "features": SPOTS if spots is None else spots}
    (folder / "spots.geojson").write_text(json.dumps(layer, ensure_ascii=False), encoding="utf-8")
    zones = {"type": "FeatureCollection", "features": [ZONE]}
    (folder / "zones.geojson").write_text(json.dumps(zones), encoding="utf-8")
    (folder / "photos").mkdir(exist_ok=True)
    (folder / "a.jpg").write_bytes(b"jpg")
    (folder / "photos" / "b.jpg").write_bytes(b"jpg")
    path = folder / "site.yaml"
    path.write_text(json.dumps(site, ensure_ascii=False), encoding="utf-8")
    return path


def features_of(path: Path) -> dict[str, dict[str, Any]]:
    """What a GeoJSON file holds, by id, read by the json module alone."""
    value = json.loads(path.read_text(encoding="utf-8"))
    return {feature["properties"]["id"]: feature for feature in value["features"]}
