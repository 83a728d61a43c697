"""What really happened, apart from anything that MAVLink tells: the oracle of flight tests."""

from __future__ import annotations

import csv
import os
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from skymist.sitl.state import Grid


class Sample(NamedTuple):
    """The copter at one moment. `flow_lps` holds from this sample to the next."""

    t_s: float
    x: float
    y: float
    z: float
    lat_deg: float
    lon_deg: float
    flow_lps: float
    pumped_l: float
    tank_l: float
    mode: int
    is_armed: bool


class Stretch(NamedTuple):
    """A piece of the way sprayed without a break, with its samples."""

    began_s: float
    ended_s: float
    length_m: float
    litres_l: float
    samples: tuple[Sample, ...]


_WIDTH = 9


class Truth:
    """Samples in the order of time, kept as plain numbers. `x y z` are metres above switch-on."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._rows = array("d")
        self._last_still: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return len(self._rows) // _WIDTH

    def __getitem__(self, i: int) -> Sample:
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        start = i % len(self) * _WIDTH
        t, x, y, z, flow, pumped, tank, mode, armed = self._rows[start : start + _WIDTH]
        lat_e7, lon_e7 = self._grid.to_e7(x, y)
        return Sample(
            t, x, y, z, lat_e7 * 1e-7, lon_e7 * 1e-7, flow, pumped, tank, int(mode), armed > 0
        )

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    def add(
        self,
        t_s: float,
        place: tuple[float, float, float],
        flow_lps: float,
        pumped_l: float,
        tank_l: float,
        mode: int,
        is_armed: bool,
    ) -> None:
        """Keep a moment; a machine that stands still and unchanged is kept only once."""
        still = (*place, flow_lps, pumped_l, tank_l, mode, is_armed)
        if still == self._last_still:
            return
        self._last_still = still
        self._rows.extend((t_s, *place, flow_lps, pumped_l, tank_l, mode, is_armed))

    def wet_track(self) -> tuple[Stretch, ...]:
        """Give every stretch over which liquid left the nozzles."""
        stretches: list[Stretch] = []
        run: list[Sample] = []
        for sample in self:
            if run:
                run.append(sample)
                if sample.flow_lps <= 0:
                    stretches.append(_stretch(run))
                    run = []
            elif sample.flow_lps > 0:
                run = [sample]
        if len(run) > 1:
            stretches.append(_stretch(run))
        return tuple(stretches)


def write_truth(truth: Truth, target: Path) -> None:
    """Write every sample as a line of CSV; columns are the fields of `Sample`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(target.name + ".new")
    with new.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(Sample._fields)
        rows.writerows((*sample[:-1], int(sample.is_armed)) for sample in truth)
    os.replace(new, target)


def _stretch(run: list[Sample]) -> Stretch:
    pairs = tuple(pairwise(run))
    length = sum(((b.x - a.x) ** 2 + (b.y - a.y) ** 2) ** 0.5 for a, b in pairs)
    litres = run[-1].pumped_l - run[0].pumped_l
    return Stretch(run[0].t_s, run[-1].t_s, length, litres, tuple(run))
