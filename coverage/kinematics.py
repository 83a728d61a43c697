"""How long a path takes: one model of speed, acceleration and stops for every plan.

Straight runs are flown from rest to rest. A turn below `stop_turn_rad` is flown through; at a
sharper one the drone stops. Energy and wind are left to `coverage.energy` and `coverage.drift`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SAME_PLACE_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinematics:
    """What a drone does between two stops.

    The defaults are the model of the coverage bench.
    Source: bench/score_coverage.py (4 m/s, 1.5 m/s2, a full stop above 30 degrees).
    """

    speed_mps: float = 4.0
    accel_mps2: float = 1.5
    stop_turn_rad: float = math.radians(30)

    def __post_init__(self) -> None:
        for name in ("speed_mps", "accel_mps2", "stop_turn_rad"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise PlanError(f"{name} must be above 0 and finite, got {value}")

    @property
    def stop_s(self) -> float:
        """What one more stop on a long run costs, s: speed / acceleration."""
        return self.speed_mps / self.accel_mps2

    def run_s(self, length_m: ArrayLike) -> NDArray[np.float64]:
        """Seconds from rest to rest over straight runs: trapezoid or triangle of speed."""
        length = np.asarray(length_m, dtype=float)
        long = length / self.speed_mps + self.stop_s
        short = 2.0 * np.sqrt(np.maximum(length, 0.0) / self.accel_mps2)
        return np.where(length < self.speed_mps**2 / self.accel_mps2, short, long)

    def path_s(self, path: ArrayLike) -> float:
        """Seconds to fly a path of points, shape (n, 2), from rest to rest."""
        points = np.asarray(path, dtype=float).reshape(-1, 2)
        steps = np.diff(points, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        real = lengths > SAME_PLACE_M
        if not real.any():
            return 0.0
        lengths, angles = lengths[real], np.arctan2(steps[real, 1], steps[real, 0])
        stops = turn_rad(angles[:-1], angles[1:]) > self.stop_turn_rad
        starts = np.concatenate([[0], np.flatnonzero(stops) + 1])
        return float(self.run_s(np.add.reduceat(lengths, starts)).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """Over what stands in a hole: up by `rise_m` above the passes, across, and down again.

    Defaults are those of a drone model.
    """

    rise_m: float
    climb_mps: float = 2.0
    descent_mps: float = 1.5

    def __post_init__(self) -> None:
        for name in ("rise_m", "climb_mps", "descent_mps"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise PlanError(f"{name} must be above 0 and finite, got {value}")

    @property
    def upright_s(self) -> float:
        """Seconds of climbing and descending."""
        return self.rise_m / self.climb_mps + self.rise_m / self.descent_mps


def turn_rad(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The size of the turn between two directions, 0 to pi."""
    turn: NDArray[np.float64] = np.abs((second - first + math.pi) % (2 * math.pi) - math.pi)
    return turn
