"""An independent list of narrow places: buildings as cells, and the middle lines between them.

Shares nothing with `skymist.missions.suggest`: no rays, no walls as vectors, no projection of ours.
A cell lies on the middle line where its nearest wall and that of its neighbour lie on opposite
sides (scipy's exact distance transform says where); middle lines are grouped by nearness.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.path import Path as Outline
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CELL_M = 0.25
TILE_M, MARGIN_M = 250.0, 8.0
TOGETHER_M = 1.5
OPPOSITE_COS = -0.87
M_PER_DEG = 6371008.8 * math.pi / 180


@dataclass(frozen=True)
class Narrow:
    """A narrow place: cells of its middle line (metres), its length and usual width."""

    cells: NDArray[np.float64]
    length_m: float
    width_m: float


def metres(lon_lat: Any, lon_deg: float, lat_deg: float) -> NDArray[np.float64]:
    """Metres east and north of a place on a sphere; over 2 km a millimetre in a metre is lost."""
    points = np.asarray(lon_lat, dtype=float)[:, :2] - (lon_deg, lat_deg)
    scale = (M_PER_DEG * math.cos(math.radians(lat_deg)), M_PER_DEG)
    made: NDArray[np.float64] = points * scale
    return made


def rings_of(path: Path, lon_deg: float, lat_deg: float) -> list[list[NDArray[np.float64]]]:
    """Rings of every polygon of a GeoJSON file, the largest polygon first, outer ring first."""
    made = []
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        geometry = feature["geometry"]
        parts = geometry["coordinates"]
        for rings in [parts] if geometry["type"] == "Polygon" else parts:
            made.append([metres(ring, lon_deg, lat_deg) for ring in rings])
    return sorted(made, key=lambda rings: -_area(rings[0]))


def _area(ring: NDArray[np.float64]) -> float:
    x, y = ring.T
    return abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) / 2


def narrow_places(
    polygons: list[list[NDArray[np.float64]]], least_m: float, most_m: float
) -> list[Narrow]:
    """Groups of cells on middle lines whose walls stand from `least_m` to `most_m` apart."""
    corners = np.concatenate([rings[0] for rings in polygons])
    low, high = corners.min(axis=0), corners.max(axis=0)
    cells, widths = [], []
    for west in np.arange(low[0], high[0], TILE_M):
        for south in np.arange(low[1], high[1], TILE_M):
            found, width = _tile(polygons, float(west), float(south), least_m, most_m)
            cells.append(found)
            widths.append(width)
    return _groups(np.concatenate(cells), np.concatenate(widths))


def _tile(
    polygons: list[list[NDArray[np.float64]]],
    west: float,
    south: float,
    least_m: float,
    most_m: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cells of middle lines in one tile."""
    start = np.array([west - MARGIN_M, south - MARGIN_M])
    num = round((TILE_M + 2 * MARGIN_M) / CELL_M)
    free = np.ones((num, num), dtype=bool)
    for rings in polygons:
        low = np.maximum(np.floor((rings[0].min(axis=0) - start) / CELL_M).astype(int), 0)
        high = np.minimum(np.ceil((rings[0].max(axis=0) - start) / CELL_M).astype(int), num)
        if (high <= low).any():
            continue
        rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]]
        centres = start + (np.column_stack([columns.ravel(), rows.ravel()]) + 0.5) * CELL_M
        is_in = np.zeros(len(centres), dtype=bool)
        for ring in rings:
            is_in ^= Outline(ring).contains_points(centres)
        free[low[1] : high[1], low[0] : high[0]] &= ~is_in.reshape(rows.shape)
    nothing = np.zeros((0, 2)), np.zeros(0)
    if free.all() or not free.any():
        return nothing
    far, nearest = distance_transform_edt(free, return_indices=True)
    here = np.indices(free.shape)
    towards = nearest - here
    found, widths = [], []
    for axis in (0, 1):
        one = [slice(None), slice(None)]
        two = [slice(None), slice(None)]
        one[axis], two[axis] = slice(None, -1), slice(1, None)
        a, b = tuple(one), tuple(two)
        across = far[a] + far[b]
        with np.errstate(invalid="ignore", divide="ignore"):
            cos = (towards[(slice(None), *a)] * towards[(slice(None), *b)]).sum(axis=0)
            cos = cos / (far[a] * far[b])
        width = across * CELL_M
        is_mid = free[a] & free[b] & (cos <= OPPOSITE_COS)
        is_mid &= (width >= least_m) & (width <= most_m)
        rows, columns = np.nonzero(is_mid)
        place = np.column_stack([columns, rows]).astype(float)
        place[:, 1 - axis] += 0.5
        found.append(start + (place + 0.5) * CELL_M)
        widths.append(width[is_mid])
    cells, width = np.concatenate(found), np.concatenate(widths)
    is_ours = ((cells >= (west, south)) & (cells < (west + TILE_M, south + TILE_M))).all(axis=1)
    return cells[is_ours], width[is_ours]


def _groups(cells: NDArray[np.float64], widths: NDArray[np.float64]) -> list[Narrow]:
    if not len(cells):
        return []
    pairs = cKDTree(cells).query_pairs(TOGETHER_M, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(cells), len(cells)))
    num, group = connected_components(links, directed=False)
    made = []
    for number in range(num):
        members = group == number
        mine = cells[members]
        apart = mine - mine.mean(axis=0)
        if len(mine) > 1:
            along = apart @ np.linalg.svd(apart, full_matrices=False)[2][0]
            length_m = float(np.ptp(along)) + CELL_M
        else:
            length_m = CELL_M
        made.append(Narrow(mine, length_m, float(np.median(widths[members]))))
    return made
