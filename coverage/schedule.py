"""When each sortie takes off: service on the pad first, and never two drones too near.

Predicted positions are compared second by second; a sortie that would come too near waits on
its pad.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.energy import SPOOL_S, leg_s
from skymist.coverage.plan import Transit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Sortie
    from skymist.coverage.site import Policy

STEP_S = 1.0
WAIT_S = 5.0
SLIPS = tuple(range(-15, 16, 3))
"""Seconds early or late against another drone at which a flight must still keep clear of it."""


def trajectory(sortie: Sortie, model: DroneModel) -> NDArray[np.float64]:
    """Predicted positions x, y, z each second from arming to landing, shape (n, 3)."""
    times, points = [0.0, SPOOL_S], [sortie.legs[0].path[0], sortie.legs[0].path[0]]
    now_s = SPOOL_S
    for leg in sortie.legs:
        if isinstance(leg, Transit):
            path = list(leg.path)
        else:
            path = [(x, y, leg.above_home_m) for x, y in leg.path]
        took_s = leg_s(leg, model)
        steps = [np.linalg.norm(np.subtract(b, a)) for a, b in pairwise(path)]
        total = float(sum(steps))
        for point, step in zip(path[1:], steps, strict=True):
            now_s += took_s * float(step) / total if total else 0.0
            times.append(now_s)
            points.append(point)
        if not total:
            now_s += took_s
            times.append(now_s)
            points.append(path[-1])
    times.append(max(now_s, sortie.duration_s))
    points.append((points[-1][0], points[-1][1], 0.0))
    grid = np.arange(0.0, times[-1] + STEP_S, STEP_S)
    where = np.array(points, dtype=float)
    return np.column_stack([np.interp(grid, times, where[:, axis]) for axis in range(3)])


class Airspace:
    """Sorties that have their time, and whether one more keeps clear of them."""

    def __init__(self, separation_m: float) -> None:
        self._separation_m = separation_m
        self._flown: list[tuple[str, int, NDArray[np.float64]]] = []

    def add(self, drone_id: str, start_s: float, path: NDArray[np.float64]) -> None:
        """Keep this flight's place in space and time."""
        self._flown.append((drone_id, round(start_s / STEP_S), path))

    def first_free_s(self, drone_id: str, start_s: float, path: NDArray[np.float64]) -> float:
        """The earliest take-off from `start_s` on, in steps of 5 s, that keeps clear of all."""
        while True:
            step = round(start_s / STEP_S)
            if not any(self._is_near(drone_id, step + slip, path) for slip in SLIPS):
                return start_s
            start_s += WAIT_S

    def _is_near(self, drone_id: str, start: int, path: NDArray[np.float64]) -> bool:
        for other_id, begun, other in self._flown:
            low, high = max(start, begun), min(start + len(path), begun + len(other))
            if other_id == drone_id or low >= high:
                continue
            gap = path[low - start : high - start] - other[low - begun : high - begun]
            if float((gap**2).sum(axis=1).min()) < self._separation_m**2:
                return True
        return False


def schedule(
    by_drone: Mapping[str, Sequence[Sortie]], models: dict[str, DroneModel], policy: Policy
) -> tuple[Sortie, ...]:
    """All sorties with their start times and stops, by time of take-off.

    The tank is filled before every sortie but the first, and the battery swapped where what is
    left of it would go below the reserve.
    """
    airspace = Airspace(policy.separation_m)
    waiting = {drone_id: list(sorties) for drone_id, sorties in by_drone.items() if sorties}
    ready_s, used_frac = dict.fromkeys(waiting, 0.0), dict.fromkeys(waiting, 0.0)
    flown: list[Sortie] = []
    while waiting:
        drone_id = min(waiting, key=lambda d: (ready_s[d], d))
        sortie = waiting[drone_id].pop(0)
        is_first = ready_s[drone_id] == 0.0
        swap = used_frac[drone_id] + sortie.battery_frac > 1 - policy.reserve_frac
        stop_s = (0.0 if is_first else policy.refill_s) + (policy.swap_s if swap else 0.0)
        path = trajectory(sortie, models[drone_id])
        start_s = airspace.first_free_s(drone_id, ready_s[drone_id] + stop_s, path)
        airspace.add(drone_id, start_s, path)
        flown.append(replace(sortie, start_s=start_s, refill_before=not is_first, swap_before=swap))
        ready_s[drone_id] = start_s + sortie.duration_s
        used_frac[drone_id] = sortie.battery_frac + (0.0 if swap else used_frac[drone_id])
        if not waiting[drone_id]:
            del waiting[drone_id]
    return tuple(sorted(flown, key=lambda s: (s.start_s, s.id)))
