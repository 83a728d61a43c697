"""What all layouts of one plan share: widths, budgets, prices, the drone and the wind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.drift import CALM_MPS, Wind
from skymist.coverage.kinematics import Hop, Kinematics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRY_PRICE = 13.0  # dry ground costs this many times its share of the flying time
CONTAIN_ENOUGH = 0.99995
CONTAIN_PRICE = 200.0
SHARES = (0.35, 0.55)
FILL_SHARE = 0.02  # of a swath: spray contained by the walls may overlap a lap's at will
WIND_TIE_FRAC = 0.02  # layouts along the wind must be quicker by this much to be flown. [P]
WIND_FULL_MPS = 2.0  # wind from which on this counts in full. [P]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What all layouts of one plan share."""

    swath_m: float
    clearance_m: float
    contain: bool
    least_share: float
    enough_frac: float
    most_over_frac: float
    kinematics: Kinematics
    wind: Wind | None = None
    spray_turns: bool = True
    hop: Hop | None = None

    @property
    def shares(self) -> tuple[float, ...]:
        """The least shares of a strip's width to try until the spray outside is within bounds."""
        if self.contain:
            return (FILL_SHARE,)
        return (self.least_share, *(share for share in SHARES if share > self.least_share))

    def may_stay_dry_m2(self, ground_m2: float) -> float:
        """How much ground no pass need be flown for, m2."""
        return ((1 - CONTAIN_ENOUGH) if self.contain else (1 - self.enough_frac)) * ground_m2

    def dry_s(self, dry_m2: float, ground_m2: float) -> float:
        """What dry ground beyond the share that may stay dry costs, s."""
        free_m2 = self.may_stay_dry_m2(ground_m2)
        rate = (CONTAIN_PRICE if self.contain else DRY_PRICE) / (
            self.kinematics.speed_mps * self.swath_m
        )
        return rate * max(dry_m2 - free_m2, 0.0)

    @property
    def is_windy(self) -> bool:
        """Whether there is a wind whose direction counts."""
        return self.wind is not None and self.wind.speed_mps >= CALM_MPS

    def wind_factor(self, paths: Sequence[Floats]) -> float:
        """By how much passes along the wind count as slower than passes across it, from 1 on.

        Flown there and back at ground speed v in wind w, drag takes v^3 + 3 v w^2 along the wind
        and (v^2 + w^2)^1.5, about half of the excess, across it. Against hover power both are
        small at spraying speeds, so this decides between layouts that take about the same time.
        """
        if self.wind is None or not len(paths) or not self.is_windy:
            return 1.0
        steps = np.concatenate([np.diff(path, axis=0) for path in paths])
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        speed_mps = self.wind.speed_mps
        if not lengths.sum() > 0:
            return 1.0
        along = (steps @ np.array([self.wind.east_mps, self.wind.north_mps])) / speed_mps
        share = float(np.sum(along**2 / np.maximum(lengths, 1e-9)) / lengths.sum())
        return 1.0 + WIND_TIE_FRAC * min(1.0, speed_mps / WIND_FULL_MPS) * share
