"""Things planted on real ground, so that rules that find little there can be held to many cases.

Lanes between real walls, and a map (.osm) of tagged drains, refuse points, sites and the like with
what must be proposed of it, worked out by brute force.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon, shape

from tests.missions.suggest.narrow_places import M_PER_DEG, metres
from tests.missions.suggest.open_ground import Town

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

LANE_M = (10.0, 40.0)
NEAR_WALL_M = 5.0
POINT_TAGS = {
    ("amenity", "waste_disposal"): ("refuse-point", 3.0),
    ("amenity", "recycling"): ("refuse-point", 3.0),
    ("amenity", "toilets"): ("public-toilet", 4.0),
    ("man_made", "manhole"): ("manhole-cover", 1.0),
    ("amenity", "bench"): ("", 1.0),
}
LINE_TAGS = {
    ("waterway", "drain"): ("open-drain", 1.5),
    ("waterway", "ditch"): ("open-drain", 1.5),
    ("waterway", "river"): ("", 1.5),
}
AREA_TAGS = {
    ("landuse", "brownfield"): "demolition-site",
    ("landuse", "construction"): "building-site",
    ("amenity", "parking"): "parking-yard",
    ("landuse", "meadow"): "",
}
HIDING = ({}, {}, {"tunnel": "culvert"}, {"building": "yes"}, {"parking": "underground"})


def with_lanes(town: Town, num: int, seed: int) -> Town:
    """The town with so many straight service lanes that begin near walls and cross none."""
    rng = random.Random(seed)
    walls = shapely.union_all([building.boundary for building in town.buildings])
    solid = shapely.union_all(town.buildings)
    shapely.prepare(solid)
    lanes: list[tuple[LineString, str]] = []
    while len(lanes) < num:
        wall = walls.interpolate(rng.uniform(0, walls.length))
        turn, far = rng.uniform(0, math.tau), rng.uniform(0.5, NEAR_WALL_M)
        start = np.array([wall.x + far * math.cos(turn), wall.y + far * math.sin(turn)])
        turn, long = rng.uniform(0, math.tau), rng.uniform(*LANE_M)
        lane = LineString([start, start + long * np.array([math.cos(turn), math.sin(turn)])])
        if not solid.intersects(lane):
            lanes.append((lane, "service"))
    return replace(town, streets=(*town.streets, *lanes))


@dataclass(frozen=True)
class Tagged:
    """A thing on the planted map: its tags, shape in metres, the ground it takes, the rule for it.

    `is_expected` where it must be proposed, None where that is too near a limit to say.
    """

    tags: dict[str, str]
    shape: BaseGeometry
    ground: BaseGeometry
    rule: str
    is_expected: bool | None


def planted_map(folder: Path, lon_deg: float, lat_deg: float, seed: int, num: int) -> list[Tagged]:
    """So many tagged things on and around the zones of a town; half of them where spots are."""
    rng = random.Random(seed)
    zones = [area for area, _ in _features(folder / "zones.geojson", lon_deg, lat_deg)]
    spots = [
        _ground(area, values)
        for area, values in _features(folder / "spots.geojson", lon_deg, lat_deg)
    ]
    known = shapely.union_all([spot.buffer(1.0) for spot in spots])
    inside = shapely.union_all(zones)
    low, high = np.split(np.array(inside.bounds), 2)
    made: list[Tagged] = []
    for _ in range(num):
        middle = rng.choice(spots).centroid if rng.random() < 0.5 else None
        at = np.array(
            [middle.x + rng.uniform(-4, 4), middle.y + rng.uniform(-4, 4)]
            if middle is not None
            else [rng.uniform(a - 40, b + 40) for a, b in zip(low, high, strict=True)]
        )
        tags, rule, shape_, ground = _thing(rng, at)
        is_expected: bool | None = bool(rule)
        if rule and any(ground.distance(other.ground) < 12 for other in made):
            continue  # of two on one another one is proposed: not asked here
        share = known.intersection(ground).area / ground.area
        if rule and (abs(share - 0.5) < 0.05 or inside.boundary.distance(shape_) < 0.5):
            is_expected = None
        elif rule:
            is_expected = bool(inside.intersects(shape_)) and share < 0.5
        made.append(Tagged(tags, shape_, ground, f"tag-{rule}" if rule else "", is_expected))
    return made


def _thing(
    rng: random.Random, at: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[dict[str, str], str, BaseGeometry, BaseGeometry]:
    """One tagged thing there; hidden ones (culverts, houses, basements) have no rule."""
    form, hides = rng.choice(("point", "line", "area")), rng.choice(HIDING)
    if form == "point":
        (key, value), (rule, radius_m) = rng.choice(list(POINT_TAGS.items()))
        return {key: value}, rule, Point(at), Point(at).buffer(radius_m)
    if form == "line":
        (key, value), (rule, width_m) = rng.choice(list(LINE_TAGS.items()))
        turn, long = rng.uniform(0, math.tau), rng.uniform(5, 60)
        line = LineString([at, at + long * np.array([math.cos(turn), math.sin(turn)])])
        tags = {key: value} | ({"tunnel": "culvert"} if "tunnel" in hides else {})
        ground = line.buffer(width_m / 2, cap_style="flat")
        return tags, "" if "tunnel" in tags else rule, line, ground
    (key, value), rule = rng.choice(list(AREA_TAGS.items()))
    corners = [(0, 0), (rng.uniform(8, 40), 0), (rng.uniform(8, 40), rng.uniform(8, 30)), (0, 20)]
    area = Polygon(at + np.array(corners))
    tags = {key: value} | {k: v for k, v in hides.items() if k != "tunnel"}
    return tags, "" if len(tags) > 1 else rule, area, area


def write_osm(path: Path, things: list[Tagged], lon_deg: float, lat_deg: float) -> None:
    """The things as an OpenStreetMap file, with a street so that it is a map."""
    nodes, ways = [], []
    street = Tagged({"highway": "service"}, things[0].ground.boundary, things[0].ground, "", False)
    for thing in (*things, street):
        line = thing.shape.exterior if thing.shape.geom_type == "Polygon" else thing.shape
        scale = (M_PER_DEG * math.cos(math.radians(lat_deg)), M_PER_DEG)
        lon_lats = shapely.get_coordinates(line) / scale + (lon_deg, lat_deg)
        tags = "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in thing.tags.items())
        first = len(nodes) + 1
        is_ring = thing.shape.geom_type == "Polygon"
        for lon, lat in lon_lats[: -1 if is_ring else None]:
            own = tags if thing.shape.geom_type == "Point" else ""
            number = len(nodes) + 1
            nodes.append(
                f'<node id="{number}" version="1" lon="{lon:.9f}" lat="{lat:.9f}">{own}</node>'
            )
        if thing.shape.geom_type != "Point":
            refs = [*range(first, len(nodes) + 1), *([first] if is_ring else [])]
            told = "".join(f'<nd ref="{ref}"/>' for ref in refs)
            ways.append(f'<way id="{len(ways) + 1}" version="1">{told}{tags}</way>')
    text = f'<osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>'
    path.write_text(text, encoding="utf-8")


def _features(
    path: Path, lon_deg: float, lat_deg: float
) -> list[tuple[BaseGeometry, dict[str, float | None]]]:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [
        (
            shapely.transform(shape(one["geometry"]), lambda xy: metres(xy, lon_deg, lat_deg)),
            one["properties"],
        )
        for one in features
    ]


def _ground(area: BaseGeometry, values: dict[str, float | None]) -> BaseGeometry:
    if area.geom_type == "Point":
        return area.buffer(values["radius_m"] or 0.0)
    if area.geom_type == "LineString":
        return area.buffer((values["width_m"] or 0.0) / 2, cap_style="flat")
    return area
