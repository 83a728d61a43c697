"""Whether drones keep apart at every instant of the predicted schedule: who, where and when not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.errors import PlanError
from skymist.coverage.schedule import STEP_S, trajectory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Sortie


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """Two sorties that come nearer than they may, where and when they are nearest."""

    sorties: tuple[str, str]
    drones: tuple[str, str]
    x: float
    y: float
    above_home_m: float
    at_s: float
    apart_m: float

    @property
    def text(self) -> str:
        """The finding in words."""
        return (
            f"{self.drones[0]} ({self.sorties[0]}) and {self.drones[1]} ({self.sorties[1]}): "
            f"{self.apart_m:.1f} m apart at ({self.x:.0f}, {self.y:.0f}), "
            f"{self.above_home_m:.0f} m above home, {self.at_s:.0f} s after the start"
        )


@dataclass(frozen=True, slots=True)
class _Track:
    """Where a sortie is each second from `begun` on, and the box that holds all of it."""

    sortie: Sortie
    begun: int
    path: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def too_near(
    sorties: Sequence[Sortie], models: Mapping[str, DroneModel], separation_m: float
) -> list[Nearness]:
    """Every pair of sorties of different drones that breaks the separation, second by second."""
    found: list[Nearness] = []
    aloft: list[_Track] = []
    for sortie in sorted(sorties, key=lambda s: (s.start_s, s.id)):
        path, begun = trajectory(sortie, models[sortie.drone_id]), round(sortie.start_s / STEP_S)
        low_m, high_m = path.min(axis=0) - separation_m, path.max(axis=0) + separation_m
        aloft = [one for one in aloft if one.begun + len(one.path) > begun]
        for one in aloft:
            other, start, track = one.sortie, one.begun, one.path
            low, high = max(begun, start), min(begun + len(path), start + len(track))
            if other.drone_id == sortie.drone_id or low >= high:
                continue
            if (one.low > high_m).any() or (one.high < low_m).any():
                continue
            gaps = np.linalg.norm(
                path[low - begun : high - begun] - track[low - start : high - start], axis=1
            )
            k = int(np.argmin(gaps))
            if gaps[k] < separation_m - 1e-6:
                x, y, z = (float(value) for value in path[low - begun + k])
                found.append(
                    Nearness(
                        sorties=(other.id, sortie.id),
                        drones=(other.drone_id, sortie.drone_id),
                        x=x,
                        y=y,
                        above_home_m=z,
                        at_s=(low + k) * STEP_S,
                        apart_m=float(gaps[k]),
                    )
                )
        aloft.append(_Track(sortie, begun, path, path.min(axis=0), path.max(axis=0)))
    return found


def require_apart(
    sorties: Sequence[Sortie], models: Mapping[str, DroneModel], separation_m: float
) -> None:
    """Refuse sorties that bring drones too near each other.

    Raises
    ------
    PlanError
        With every pair of drones, the place and the time.
    """
    found = too_near(sorties, models, separation_m)
    if found:
        raise PlanError("drones too near: " + "; ".join(one.text for one in found))
