"""The dose map: litres per m2 on a grid of small cells, from planned passes or flown tracks.

Sparse: only tiles that were wetted take memory, so a square kilometre wetted all over takes
64 MB at 0.25 m, and spots in it a few. Mass is kept: the cells hold exactly what was put out.
Where the wind would take the spray is `skymist.coverage.drift`'s; pass a shift to have it moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skymist.coverage.errors import PlanError
from skymist.coverage.raster import (
    Discs,
    Splash,
    cells_in,
    polygons_of,
    splash_discs,
    splash_strips,
)
from skymist.coverage.tracks import GAP_S, Sample, path_strips, wetting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Pass
    from skymist.coverage.profile import Profile

CELL_M = 0.25
_TILE_BITS = 7
_TILE = 1 << _TILE_BITS
_BAND_CELLS = 4_000_000
DOSED_FRAC = 0.8
"""A place counts as dosed from this share of the dose asked for."""
TREATED_FRAC = 0.9
"""A spot counts as treated from this share of its target dosed. [P]"""

Doses = NDArray[np.float32]


class SpotOutcome(StrEnum):
    """What became of a spot that was planned for a drone."""

    TREATED = "treated"
    PARTIAL = "partial"
    MISSED = "missed"

    @classmethod
    def of(cls, dosed_frac: float) -> SpotOutcome:
        """The outcome for a share of the target that got its dose."""
        if dosed_frac >= TREATED_FRAC:
            return cls.TREATED
        return cls.PARTIAL if dosed_frac > 0 else cls.MISSED

    @property
    def meaning(self) -> str:
        """The rule, in words."""
        return {
            SpotOutcome.TREATED: f"{TREATED_FRAC:.0%} or more at the dose",
            SpotOutcome.PARTIAL: "less of it",
            SpotOutcome.MISSED: "none of it",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rectangle of the map: `dose_l_per_m2[row, column]`, row 0 in the south.

    `x_min`, `y_min` are the outer corner of its first cell.
    """

    x_min: float
    y_min: float
    cell_m: float
    dose_l_per_m2: Doses

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, east, south, north edges: what `imshow(origin="lower")` asks for."""
        rows, columns = self.dose_l_per_m2.shape
        return (
            self.x_min,
            self.x_min + columns * self.cell_m,
            self.y_min,
            self.y_min + rows * self.cell_m,
        )


class DoseMap:
    """Doses on a grid of square cells of `cell_m`, aligned to the origin of the local frame."""

    def __init__(self, cell_m: float = CELL_M) -> None:
        if not 0 < cell_m < math.inf:
            raise PlanError(f"cell_m must be above 0, got {cell_m}")
        self.cell_m = cell_m
        self.litres_l = 0.0
        """All that was put on the map."""
        self._slots: dict[tuple[int, int], int] = {}
        self._pool = np.zeros((0, _TILE * _TILE), dtype=np.float32)

    @property
    def num_bytes(self) -> int:
        """Memory that the cells take."""
        return int(self._pool.nbytes)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north edges of the wetted tiles; None for a dry map."""
        if not self._slots:
            return None
        rows = [row for row, _ in self._slots]
        columns = [column for _, column in self._slots]
        side = _TILE * self.cell_m
        return (
            min(columns) * side,
            min(rows) * side,
            (max(columns) + 1) * side,
            (max(rows) + 1) * side,
        )

    def add_pass(
        self, sprayed: Pass, profile: Profile | None = None, shift_m: tuple[float, float] = (0, 0)
    ) -> None:
        """Add a planned pass at constant speed, its strip flat at both ends; a hover as a disc.

        `profile` says how the flow lies across the track, by default level over the swath;
        `shift_m` moves the spray east and north, beyond the pass's own `drift_m`.
        """
        east, north = shift_m[0] + sprayed.drift_m[0], shift_m[1] + sprayed.drift_m[1]
        points = [(x + east, y + north) for x, y in sprayed.path]
        if len(points) > 1:
            strips = path_strips(points, sprayed.swath_m, sprayed.litres_l)
            self._add(splash_strips(strips, self.cell_m, profile))
            return
        disc = Discs(np.array(points), np.array([sprayed.swath_m]), np.array([sprayed.litres_l]))
        self._add(splash_discs(disc, self.cell_m))

    def add_passes(self, passes: Iterable[Pass], profile: Profile | None = None) -> None:
        """Add planned passes."""
        for sprayed in passes:
            self.add_pass(sprayed, profile)

    def add_track(
        self,
        samples: Sequence[Sample] | NDArray[np.float64],
        swath_m: float,
        *,
        profile: Profile | None = None,
        gap_s: float = GAP_S,
    ) -> float:
        """Add what a flown track sprayed; gives the seconds of spray that no samples prove.

        `samples` as `tracks.Sample`, in order of time. Where two lie more than `gap_s` apart
        nothing is put on the map: nobody saw where it fell.
        """
        wet = wetting(samples, swath_m, cell_m=self.cell_m, gap_s=gap_s)
        self._add(splash_strips(wet.strips, self.cell_m, profile))
        self._add(splash_discs(wet.discs, self.cell_m))
        return wet.unproven_s

    def window(self, bounds: tuple[float, float, float, float], pool: int = 1) -> Window:
        """The cells of a rectangle (west, south, east, north), grown to whole cells.

        With `pool` above 1 each value is the mean of the wet cells in a square of `pool` cells.
        """
        step = self.cell_m * pool
        west, south = math.floor(bounds[0] / step), math.floor(bounds[1] / step)
        east, north = math.ceil(bounds[2] / step), math.ceil(bounds[3] / step)
        rows, columns = max(1, north - south), max(1, east - west)
        cut = self._cells if pool == 1 else partial(self._pooled, pool=pool)
        dose = cut(south, west, (rows, columns))
        return Window(x_min=west * step, y_min=south * step, cell_m=step, dose_l_per_m2=dose)

    def dose_in(self, polygon: BaseGeometry) -> Doses:
        """Litres per m2 of every cell whose centre lies in a (multi)polygon.

        A polygon too small to hold a centre gives the cell that it lies in.
        """
        found = [self._dose_in_part(part) for part in polygons_of(polygon)]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.float32)

    def share_at(
        self, polygon: BaseGeometry, dose_l_per_m2: float, frac: float = DOSED_FRAC
    ) -> float:
        """Share of a polygon that got at least `frac` of the dose; 0 for an empty one."""
        cells = self.dose_in(polygon)
        # Cells are float32: what was put out exactly at the limit must not fall below it.
        least = dose_l_per_m2 * frac * (1 - 1e-5)
        return float(np.count_nonzero(cells >= least) / cells.size) if cells.size else 0.0

    def overlap_in(self, polygon: BaseGeometry, dose_l_per_m2: float, frac: float = 1.5) -> float:
        """Share of a polygon that got `frac` of the dose or more: passes on top of each other."""
        return self.share_at(polygon, dose_l_per_m2, frac)

    def cv_in(self, polygon: BaseGeometry) -> float:
        """Coefficient of variation (std over mean) of the dose in a polygon; NaN where dry."""
        cells = self.dose_in(polygon).astype(np.float64)
        mean = float(cells.mean()) if cells.size else 0.0
        return float(cells.std() / mean) if mean > 0 else math.nan

    def litres_in(self, polygon: BaseGeometry) -> float:
        """What fell into a (multi)polygon whose parts do not overlap."""
        parts = polygons_of(polygon)
        return math.fsum(self._litres_of(part) for part in parts)

    def litres_outside(self, polygon: BaseGeometry) -> float:
        """What fell anywhere else."""
        return max(0.0, self.litres_l - self.litres_in(polygon))

    def wet_m2(self, polygon: BaseGeometry, least_l_per_m2: float) -> float:
        """Ground in a polygon that got at least this dose."""
        cells = self.dose_in(polygon)
        return float(np.count_nonzero(cells >= least_l_per_m2)) * self.cell_m**2

    def _add(self, splashes: Iterable[Splash]) -> None:
        for rows, columns, dose in splashes:
            tile_rows, tile_columns = rows >> _TILE_BITS, columns >> _TILE_BITS
            place = (rows & (_TILE - 1)) << _TILE_BITS | (columns & (_TILE - 1))
            slots = self._slots_of(tile_rows, tile_columns)
            index = slots << (2 * _TILE_BITS) | place
            np.add.at(self._pool.reshape(-1), index, dose.astype(np.float32))
            self.litres_l += float(np.sum(dose)) * self.cell_m**2

    def _slots_of(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in the pool the tiles lie; those not yet there are made."""
        if not rows.size:
            return rows
        row0, column0 = int(rows.min()), int(columns.min())
        wide = int(columns.max()) - column0 + 1
        key = (rows - row0) * wide + (columns - column0)
        tiles = np.flatnonzero(np.bincount(key))
        table = np.zeros(int(tiles[-1]) + 1, dtype=np.int64)
        for tile in tiles.tolist():
            place = (row0 + tile // wide, column0 + tile % wide)
            table[tile] = self._slots.setdefault(place, len(self._slots))
        if len(self._slots) > len(self._pool):
            grown = np.zeros((max(8, len(self._slots) * 5 // 4), _TILE * _TILE), dtype=np.float32)
            grown[: len(self._pool)] = self._pool
            self._pool = grown
        return np.asarray(table[key])

    def _cells(self, row0: int, column0: int, shape: tuple[int, int]) -> Doses:
        """A copy of a rectangle of cells."""
        rows, columns = shape
        out = np.zeros(shape, dtype=np.float32)
        for tile_row in range(row0 >> _TILE_BITS, ((row0 + rows - 1) >> _TILE_BITS) + 1):
            for tile_column in range(
                column0 >> _TILE_BITS, ((column0 + columns - 1) >> _TILE_BITS) + 1
            ):
                slot = self._slots.get((tile_row, tile_column))
                if slot is None:
                    continue
                top, left = tile_row * _TILE - row0, tile_column * _TILE - column0
                tile = self._pool[slot].reshape(_TILE, _TILE)
                part = tile[max(0, -top) : rows - top, max(0, -left) : columns - left]
                out[max(0, top) : top + _TILE, max(0, left) : left + _TILE] = part
        return out

    def _pooled(self, row0: int, column0: int, shape: tuple[int, int], *, pool: int) -> Doses:
        """Means of the wet cells in squares of `pool` cells; of a large site few cells are wet."""
        rows, columns = shape
        tiles = np.array(list(self._slots), dtype=np.int64).reshape(-1, 2) * _TILE
        wet = np.flatnonzero(self._pool[: len(tiles)])
        tile, place = wet >> 2 * _TILE_BITS, wet & (_TILE * _TILE - 1)
        row = (tiles[tile, 0] + (place >> _TILE_BITS)) // pool - row0
        column = (tiles[tile, 1] + (place & (_TILE - 1))) // pool - column0
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        square = (row * columns + column)[inside]
        total = np.bincount(square, self._pool.reshape(-1)[wet[inside]], rows * columns)
        count = np.bincount(square, minlength=rows * columns)
        return (total / np.maximum(count, 1)).astype(np.float32).reshape(shape)

    def _bands(self, part: BaseGeometry) -> Iterator[Doses]:
        """Doses in one polygon, by bands of rows so that a large one does not need all at once."""
        if part.is_empty:
            return
        west, south, east, north = part.bounds
        column0, row0 = math.floor(west / self.cell_m), math.floor(south / self.cell_m)
        columns = math.floor(east / self.cell_m) + 1 - column0
        end = math.floor(north / self.cell_m) + 1
        step = max(1, _BAND_CELLS // columns)
        for row in range(row0, end, step):
            shape = (min(step, end - row), columns)
            inside = cells_in(part, row, column0, shape, self.cell_m)
            yield self._cells(row, column0, shape)[inside]

    def _dose_in_part(self, part: BaseGeometry) -> Doses:
        bands = list(self._bands(part))
        if not bands:
            return np.zeros(0, dtype=np.float32)
        cells = np.concatenate(bands)
        if cells.size:
            return cells
        point = part.representative_point()
        row, column = math.floor(point.y / self.cell_m), math.floor(point.x / self.cell_m)
        return self._cells(row, column, (1, 1)).ravel()

    def _litres_of(self, part: BaseGeometry) -> float:
        dosed = math.fsum(float(band.sum(dtype=np.float64)) for band in self._bands(part))
        return dosed * self.cell_m**2
