"""Which cells of a square grid a strip, a disc or a polygon holds, by the cell's centre.

Cell `(row, column)` has its centre at `((column + 0.5) cell, (row + 0.5) cell)`. Edges are half
open, so that shapes which share an edge never count a cell twice or leave one out. A strip that
lies along the grid may be half a cell wider or narrower in cells than it is; its dose is scaled so
that its litres hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.profile import Profile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BATCH_CELLS = 600_000
_BATCH_SHAPES = 4096
_MITRE_TURN_COS = 0.0
_POLYGON_TYPE = 3


class Strips(NamedTuple):
    """Straight strips cut off along lines through their ends.

    `start`, `end`, shape (n, 2); `ahead_start`, `ahead_end`, shape (n, 2): unit vectors across
    which the strip begins and ends; `width_m` and `litres_l`, shape (n,).
    """

    start: Floats
    end: Floats
    ahead_start: Floats
    ahead_end: Floats
    width_m: Floats
    litres_l: Floats


class Discs(NamedTuple):
    """Discs: `centre`, shape (n, 2), `width_m` (the diameter) and `litres_l`, shape (n,)."""

    centre: Floats
    width_m: Floats
    litres_l: Floats


class Splash(NamedTuple):
    """Doses to add: rows and columns of cells, and litres per m2 in each."""

    rows: Ints
    columns: Ints
    dose_l_per_m2: Floats


def strips_between(
    start: Floats, end: Floats, width_m: Floats, litres_l: Floats, is_joined: NDArray[np.bool_]
) -> Strips:
    """Strips along segments of a length above 0; where one joins the next, both end on a mitre.

    `is_joined[i]` claims that segment i ends where i + 1 starts. Bends sharper than a right angle,
    or too sharp for the segments' lengths, are cut off square on both sides instead.
    """
    step = end - start
    length = np.hypot(step[:, 0], step[:, 1])
    course = step / length[:, None]
    ahead_start, ahead_end = course.copy(), course.copy()
    joint = np.flatnonzero(is_joined[: len(start) - 1])
    cosine = np.sum(course[joint] * course[joint + 1], axis=1)
    tangent = np.sqrt(np.clip(1 - cosine, 0, None) / np.clip(1 + cosine, 1e-9, None))
    room = np.minimum(length[joint], length[joint + 1])
    joint = joint[(cosine >= _MITRE_TURN_COS) & (tangent * width_m[joint] / 2 <= room)]
    mean = course[joint] + course[joint + 1]
    mean /= np.hypot(mean[:, 0], mean[:, 1])[:, None]
    ahead_end[joint] = mean
    ahead_start[joint + 1] = mean
    return Strips(start, end, ahead_start, ahead_end, width_m, litres_l)


def splash_strips(strips: Strips, cell_m: float, profile: Profile | None) -> Iterator[Splash]:
    """Doses of strips, batch by batch; each batch holds exactly its strips' litres.

    Across the track the dose is level over the width, or follows `profile`.
    """
    step = strips.end - strips.start
    length = np.hypot(step[:, 0], step[:, 1])
    half = strips.width_m / 2
    if profile is not None:
        reach = max(abs(profile.offsets_m[0]), abs(profile.offsets_m[-1]))
        half = np.full_like(length, reach)
    left = np.column_stack([-step[:, 1], step[:, 0]]) / length[:, None]
    slant = np.abs(np.stack([_dot(strips.ahead_start, left), _dot(strips.ahead_end, left)]))
    slant = np.max(slant / np.sqrt(np.clip(1 - slant**2, 1e-9, None)), axis=0)
    reach_m = np.hypot(length / 2 + half * slant, half)
    centre = (strips.start + strips.end) / 2
    for batch, size in _batches(reach_m, cell_m):
        row0, column0, x, y = _boxes(centre[batch], size, cell_m)
        start, end = strips.start[batch], strips.end[batch]
        offset = _along(x, y, start, left[batch])
        wet = _along(x, y, start, strips.ahead_start[batch]) >= 0
        wet &= _along(x, y, end, strips.ahead_end[batch]) < 0
        wide = half[batch][:, None, None]
        wet &= (offset >= -wide) & (offset < wide)
        index, rows, columns = np.nonzero(wet)
        per_m2 = strips.litres_l[batch] / (length[batch] * strips.width_m[batch])
        if profile is None:
            dose = per_m2[index]
        else:
            per_m = strips.litres_l[batch] / length[batch]
            dose = per_m[index] * profile.at(offset[wet])
        litres_l = float(np.sum(strips.litres_l[batch]))
        laid_l = float(np.sum(dose)) * cell_m**2
        if laid_l > 0:
            yield Splash(row0[index] + rows, column0[index] + columns, dose * (litres_l / laid_l))
        else:
            yield _at_centres(centre[batch], strips.litres_l[batch], cell_m)


def splash_discs(discs: Discs, cell_m: float) -> Iterator[Splash]:
    """Doses of discs, batch by batch; each disc holds exactly its litres, level all over."""
    for batch, size in _batches(discs.width_m / 2, cell_m):
        centre, litres_l = discs.centre[batch], discs.litres_l[batch]
        row0, column0, x, y = _boxes(centre, size, cell_m)
        away2 = (x - centre[:, 0, None, None]) ** 2 + (y - centre[:, 1, None, None]) ** 2
        wet = away2 < (discs.width_m[batch][:, None, None] / 2) ** 2
        cells = wet.sum(axis=(1, 2))
        index, rows, columns = np.nonzero(wet)
        dose = (litres_l / np.maximum(cells, 1) / cell_m**2)[index]
        yield Splash(row0[index] + rows, column0[index] + columns, dose)
        if not cells.all():
            yield _at_centres(centre[cells == 0], litres_l[cells == 0], cell_m)


def cells_in(
    polygon: BaseGeometry, row0: int, column0: int, shape: tuple[int, int], cell_m: float
) -> NDArray[np.bool_]:
    """Which cells of a window have their centre in a valid polygon; even-odd along each row."""
    num_rows, num_columns = shape
    a, b = _edges(polygon)
    grid = np.array([column0, row0]) + 0.5
    a, b = a / cell_m - grid, b / cell_m - grid
    down = a[:, 1] > b[:, 1]
    a[down], b[down] = b[down], a[down]
    first = np.clip(np.ceil(a[:, 1]), 0, num_rows).astype(np.int64)
    last = np.clip(np.ceil(b[:, 1]), 0, num_rows).astype(np.int64)
    crossed = last - first
    edge = np.repeat(np.arange(len(a)), crossed)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed - first, crossed)
    slope = (b[edge, 0] - a[edge, 0]) / (b[edge, 1] - a[edge, 1])
    at = np.ceil(a[edge, 0] + (row - a[edge, 1]) * slope)
    column = np.clip(at, 0, num_columns).astype(np.int64)
    toggles = np.zeros((num_rows, num_columns + 1), dtype=np.uint8)
    np.add.at(toggles, (row, column), np.uint8(1))
    np.bitwise_and(toggles, 1, out=toggles)
    np.bitwise_xor.accumulate(toggles, axis=1, out=toggles)
    return toggles[:, :num_columns].view(np.bool_)


def polygons_of(shape: BaseGeometry) -> list[BaseGeometry]:
    """The polygons that a geometry is made of; lines and points are passed over."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return [part for part in parts if shapely.get_type_id(part) == _POLYGON_TYPE]


def _edges(polygon: BaseGeometry) -> tuple[Floats, Floats]:
    rings = shapely.get_rings(np.asarray(polygons_of(polygon), dtype=object))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return points[:-1][same].copy(), points[1:][same].copy()


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.sum(a * b, axis=1))


def _along(x: Floats, y: Floats, origin: Floats, direction: Floats) -> Floats:
    """Distance of cell centres, shape (n, rows, columns), along unit vectors from origins."""
    east = (x - origin[:, 0, None, None]) * direction[:, 0, None, None]
    north = (y - origin[:, 1, None, None]) * direction[:, 1, None, None]
    return np.asarray(east + north)


def _boxes(centre: Floats, size: int, cell_m: float) -> tuple[Ints, Ints, Floats, Floats]:
    """First rows and columns of boxes around centres, and their cells' x and y, broadcastable."""
    corner = np.floor(centre / cell_m).astype(np.int64) - size // 2
    steps = np.arange(size) + 0.5
    x = (corner[:, 0, None] + steps)[:, None, :] * cell_m
    y = (corner[:, 1, None] + steps)[:, :, None] * cell_m
    return corner[:, 1], corner[:, 0], x, y


def _batches(reach_m: Floats, cell_m: float) -> Iterator[tuple[slice, int]]:
    """Slices of neighbours with the cells across a box that holds every shape of the slice."""
    begin = 0
    while begin < len(reach_m):
        most = np.maximum.accumulate(reach_m[begin : begin + _BATCH_SHAPES])
        size = np.ceil(2 * most / cell_m).astype(np.int64) + 3
        cells = size**2 * np.arange(1, len(size) + 1)
        count = max(1, int(np.searchsorted(cells, _BATCH_CELLS, side="right")))
        yield slice(begin, begin + count), int(size[count - 1])
        begin += count


def _at_centres(centre: Floats, litres_l: Floats, cell_m: float) -> Splash:
    """Shapes too small to hold a cell's centre: all into the cell they lie in."""
    cell = np.floor(centre / cell_m).astype(np.int64)
    return Splash(cell[:, 1], cell[:, 0], litres_l / cell_m**2)
