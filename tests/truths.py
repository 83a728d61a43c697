"""What fell where in truth, by brute force on a grid: the oracle of flights that were interrupted.

Shares no code with the dose map, the ledger or the planner.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from skymist.coverage.plan import Plan

CELL_M = 0.5
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fallen:
    """Doses on the cells of one spot's target, litres per square metre."""

    dose: Floats
    wanted: float

    def dosed_m2(self, frac: float = 0.8) -> float:
        """Ground at this share of the dose or more."""
        return float(np.count_nonzero(self.dose >= frac * self.wanted)) * CELL_M**2

    @property
    def target_m2(self) -> float:
        """Ground that was to be treated."""
        return len(self.dose) * CELL_M**2


def fallen(plan: Plan, tracks: Mapping[str, Floats]) -> dict[str, Fallen]:
    """By spot; tracks by drone, rows of seconds, east, north, up of its pad, litres a second."""
    pads = {pad.id: pad for pad in plan.site.pads}
    swaths = {d.id: d.model.sprayer.swath_m for d in plan.site.fleet}
    strips = [
        (a, b, litres, swaths[drone.id])
        for drone in plan.site.fleet
        for a, b, litres in _strips(tracks[drone.id], (pads[drone.pad_id].x, pads[drone.pad_id].y))
    ]
    made = {}
    for treatment in plan.treatments:
        west, south, east, north = treatment.target.bounds
        xs = np.arange(west + CELL_M / 2, east, CELL_M)
        ys = np.arange(south + CELL_M / 2, north, CELL_M)
        grid = np.array(np.meshgrid(xs, ys)).reshape(2, -1).T
        cells = grid[shapely.contains_xy(treatment.target, grid[:, 0], grid[:, 1])]
        dose = np.zeros(len(cells))
        for a, b, litres, swath_m in strips:
            _wet(cells, dose, a, b, litres, swath_m)
        made[treatment.spot_id] = Fallen(dose, treatment.dose_l_per_m2)
    return made


def litres(tracks: Iterable[Floats]) -> float:
    """All that was put out."""
    return float(sum(np.sum(np.diff(t[:, 0]) * t[:-1, 4]) for t in tracks if len(t)))


def _strips(track: Floats, pad: tuple[float, float]) -> Iterable[tuple[Floats, Floats, float]]:
    """Pieces of about a metre with the pump on, in the frame of the site."""
    start, total = None, 0.0
    for now, after in itertools.pairwise(track):
        here, there = now[1:3] + pad, after[1:3] + pad
        if now[4] <= 0:
            if start is not None and total > 0:
                yield start, here, total
            start, total = None, 0.0
            continue
        start = here if start is None else start
        total += now[4] * (after[0] - now[0])
        if np.hypot(*(there - start)) >= 1.0:
            yield start, there, total
            start, total = there, 0.0
    if start is not None and total > 0:
        yield start, track[-1, 1:3] + pad, total


def _wet(
    cells: Floats, dose: Floats, a: Floats, b: Floats, litres_l: float, swath_m: float
) -> None:
    long_m = float(np.hypot(*(b - a)))
    if long_m < 0.2:  # a hover: a disc
        near = np.hypot(*(cells - (a + b) / 2).T) <= swath_m / 2
        dose[near] += litres_l / (np.pi * swath_m**2 / 4)
        return
    ux, uy = (b - a) / long_m
    dx, dy = (cells - a).T
    along, across = dx * ux + dy * uy, dy * ux - dx * uy
    under = (along >= 0) & (along < long_m) & (np.abs(across) <= swath_m / 2)
    dose[under] += litres_l / (long_m * swath_m)
