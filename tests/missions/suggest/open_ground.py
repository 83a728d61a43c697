"""Independent lists of yards and of dead ends on a map, and of ways out of a place.

Shares nothing with `skymist.missions.suggest`: yards are found on cells of half a metre, dead ends
by cutting the free ground across a street, ways out by cutting it around a place. All in metres of
`narrow_places.metres`; buildings and streets are read from the files as they lie there.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy import ndimage
from shapely.geometry import LineString, Polygon

from tests.missions.suggest.narrow_places import metres, rings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

CELL_M = 0.5
AROUND_M = 20.0
LARGEST_M2 = 10_000.0
"""Twice what is still a yard."""
CARS = (
    *("motorway", "trunk", "primary", "secondary", "tertiary", "residential", "unclassified"),
    *("living_street", "busway"),
)
SMALL = (
    *("service", "alley", "footway", "path", "pedestrian", "residential", "living_street"),
    "track",
)


@dataclass(frozen=True)
class Town:
    """Buildings, and streets with what they are, in metres about a place."""

    buildings: tuple[Polygon, ...]
    streets: tuple[tuple[LineString, str], ...]

    @property
    def tree(self) -> shapely.STRtree:
        """Of the buildings."""
        return shapely.STRtree(self.buildings)


def town_of(folder: Path, lon_deg: float, lat_deg: float) -> Town:
    """The town in a folder of shared layers."""
    buildings = tuple(
        shapely.make_valid(Polygon(rings[0], rings[1:]))
        for rings in rings_of(folder / "buildings.geojson", lon_deg, lat_deg)
    )
    streets = []
    text = (folder / "streets.geojson").read_text(encoding="utf-8")
    for feature in json.loads(text)["features"]:
        geometry, highway = feature["geometry"], feature["properties"].get("highway") or ""
        parts = geometry["coordinates"]
        for line in [parts] if geometry["type"] == "LineString" else parts:
            streets.append((LineString(metres(line, lon_deg, lat_deg)), highway))
    return Town(buildings=buildings, streets=tuple(streets))


@dataclass(frozen=True)
class Yard:
    """Closed ground: middles of its cells (metres), its width, share of walls, cars' streets in it.

    `widest_m` is the largest disc that fits.
    """

    cells: NDArray[np.float64]
    widest_m: float
    walled_frac: float
    street_m: float

    @property
    def area_m2(self) -> float:
        """Of all cells."""
        return len(self.cells) * CELL_M**2


class Ground:
    """A town as cells: which are built over, and how far the others are from walls."""

    def __init__(self, town: Town) -> None:
        low, high = np.split(shapely.total_bounds(town.buildings), 2)
        self._low = low - AROUND_M
        wide, tall = np.ceil((high + AROUND_M - self._low) / CELL_M).astype(int)
        self._built = np.zeros((tall, wide), dtype=bool)
        for building in town.buildings:
            _fill(self._built, building, self._low)
        self._far = _far(self._built) - CELL_M / 2
        self._cars = shapely.union_all([line for line, way in town.streets if way in CARS])

    def yards(self, opening_m: float) -> list[Yard]:
        """Ground that a disc as wide as the opening cannot leave, to the walls around it."""
        cores, _ = ndimage.label(self._far >= opening_m / 2)
        outside = {*cores[0], *cores[-1], *cores[:, 0], *cores[:, -1]}
        sizes = np.bincount(cores.ravel())
        more = math.ceil(opening_m / CELL_M) + 2
        made = []
        for number, place in enumerate(ndimage.find_objects(cores), start=1):
            if number in outside or sizes[number] * CELL_M**2 > LARGEST_M2:
                continue
            rows, columns = (slice(max(0, s.start - more), s.stop + more) for s in place)
            core, walls = cores[rows, columns] == number, self._built[rows, columns]
            # Into corners too: these lie as far from a disc in them as the diagonal of its square.
            parts, _ = ndimage.label(~walls & (_far(core) <= opening_m / math.sqrt(2)))
            low = self._low + CELL_M * np.array([columns.start, rows.start])
            widest_m = 2 * float(self._far[rows, columns][core].max())
            made.append(_yard(parts == parts[core][0], walls, low, widest_m, self._cars))
        return made


def _yard(
    ground: NDArray[np.bool_],
    walls: NDArray[np.bool_],
    low: NDArray[np.float64],
    widest_m: float,
    cars: BaseGeometry,
) -> Yard:
    edges = [0, 0]
    for axis in (0, 1):
        for step in (1, -1):
            beside = np.roll(ground, step, axis)
            edges[0] += int((beside & walls).sum())
            edges[1] += int((beside & ~ground).sum())
    rows, columns = np.nonzero(ground)
    cells = low + (np.column_stack([columns, rows]) + 0.5) * CELL_M
    squares = shapely.box(*(cells - CELL_M / 2).T, *(cells + CELL_M / 2).T)
    here = shapely.clip_by_rect(cars, *cells.min(axis=0) - 1, *cells.max(axis=0) + 1)
    inside = squares[shapely.intersects(here, squares)] if not here.is_empty else squares[:0]
    street_m = float(shapely.length(shapely.intersection(inside, here)).sum())
    walled_frac = edges[0] / edges[1]
    return Yard(cells=cells, widest_m=widest_m, walled_frac=walled_frac, street_m=street_m)


def _far(solid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """From each cell's middle to that of the nearest solid one."""
    far: NDArray[np.float64] = ndimage.distance_transform_edt(~solid) * CELL_M
    return far


def _fill(built: NDArray[np.bool_], shape: BaseGeometry, low: NDArray[np.float64]) -> None:
    start = np.floor((np.array(shape.bounds[:2]) - low) / CELL_M).astype(int)
    end = np.ceil((np.array(shape.bounds[2:]) - low) / CELL_M).astype(int)
    rows, columns = np.mgrid[start[1] : end[1], start[0] : end[0]]
    x, y = low[0] + (columns + 0.5) * CELL_M, low[1] + (rows + 0.5) * CELL_M
    built[start[1] : end[1], start[0] : end[0]] |= shapely.contains_xy(shape, x, y)


@dataclass(frozen=True)
class DeadEnd:
    """Where a small street ends, and how far back walls stand on both sides of it."""

    place: tuple[float, float]
    length_m: float


def dead_ends(town: Town, apart_m: float, *, gap_m: float) -> list[DeadEnd]:
    """Every end of a small street that no other meets, walled from its end on.

    Across the street, each half metre, the free ground is cut by a line of 8 m to either side;
    what is left about the street is its width there. Up to `gap_m` may be wider than `apart_m`.
    """
    ends = shapely.points([line.coords[k] for line, _ in town.streets for k in (0, -1)])
    joints = [xy for line, _ in town.streets for xy in {*line.coords}]
    joint_tree = shapely.STRtree(shapely.points(joints))
    low, high = np.split(shapely.total_bounds([line for line, _ in town.streets]), 2)
    tree, made = town.tree, []
    for number, (line, highway) in enumerate(town.streets):
        if highway not in SMALL or line.is_ring:
            continue
        for k, way in ((0, line), (1, line.reverse())):
            end = ends[2 * number + k]
            others = joint_tree.query(end, predicate="dwithin", distance=0.05)
            xy = shapely.get_coordinates(end)[0]
            is_inside = (xy > low + 15).all() and (xy < high - 15).all()
            if len(others) > 1 or not is_inside:
                continue
            length_m = _walled_m(town, tree, _first_part(way, joint_tree), apart_m, gap_m)
            made.append(DeadEnd(place=(float(xy[0]), float(xy[1])), length_m=length_m))
    return made


def _first_part(way: LineString, joints: shapely.STRtree) -> LineString:
    """The way up to where another meets it."""
    for number, xy in enumerate(way.coords[1:], start=1):
        if len(joints.query(shapely.points(xy), predicate="dwithin", distance=0.05)) > 1:
            return LineString(way.coords[: number + 1])
    return way


def _walled_m(
    town: Town, tree: shapely.STRtree, way: LineString, apart_m: float, gap_m: float
) -> float:
    walled_m = -gap_m
    last_m = 0.0
    for along in np.arange(0.0, min(way.length, 100.0), 0.5):
        here, ahead = (
            shapely.get_coordinates(way.interpolate(at))[0] for at in (along, along + 0.2)
        )
        step = (ahead - here) / max(float(np.hypot(*(ahead - here))), 1e-9)
        side = np.array([-step[1], step[0]]) * 8.0
        across = LineString([here - side, here + side])
        near = [town.buildings[k] for k in tree.query(across)]
        free = across.difference(shapely.union_all(near)) if near else across
        parts = [p for p in shapely.get_parts(free) if p.distance(shapely.points(here)) < 0.05]
        reach = max(parts, key=lambda p: p.length) if parts else None
        is_open = reach is None or reach.distance(across.boundary) < 1e-6
        if not is_open and reach is not None and reach.length <= apart_m:
            walled_m = last_m = float(along)
        elif along - max(walled_m, 0.0) > gap_m:
            break
    return last_m


def ways_out_m(town: Town, place: Sequence[float], out_rad: float, reach_m: float = 4.0) -> float:
    """How much of a circle about a place can be walked to, ahead within 60 degrees either way."""
    middle = shapely.points(place)
    disc = middle.buffer(reach_m, quad_segs=32)
    near = [town.buildings[k] for k in town.tree.query(disc)]
    free = disc.difference(shapely.union_all(near))
    mine = [part for part in shapely.get_parts(free) if part.distance(middle) < 0.1]
    angles = out_rad + np.radians(np.arange(-60, 61, 2.0))
    rim = np.array(place) + (reach_m - 0.02) * np.column_stack([np.cos(angles), np.sin(angles)])
    reached = np.any([shapely.contains_xy(part, *rim.T) for part in mine] or [[False]], axis=0)
    return float(np.mean(reached)) * math.radians(120) * reach_m
