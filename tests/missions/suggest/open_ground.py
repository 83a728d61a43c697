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
        shapely.prepare(self._cars)

    def yards(self, opening_m: float) -> list[Yard]:
        """Ground that a disc as wide as the opening cannot leave, to the walls around it."""
        cores, _ = ndimage.label(self._far >= opening_m / 2)
        outside = {*cores[0], *cores[-1], *cores[:, 0], *cores[:, -1]}
        more = math.ceil(opening_m / CELL_M) + 2
        made = []
        for number, place in enumerate(ndimage.find_objects(cores), start=1):
            if number in outside:
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
    inside = squares[shapely.intersects(cars, squares)]
    street_m = float(shapely.length(shapely.intersection(inside, cars)).sum())
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
