"""Flights with the pump off between places of a site, for one model of drone, each found once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.airways import NEAR_M, Airways
from skymist.coverage.energy import BEND_S, transit_s
from skymist.coverage.errors import PlanError
from skymist.coverage.obstacles import Obstacles
from skymist.coverage.skyline import Skyline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skymist.coverage.airways import XYZ
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Transit
    from skymist.coverage.site import Site

    Floats = NDArray[np.float64]

FAR_M = 400.0
"""Pairs farther apart are not worth a look at the roofs between them when they are compared."""


class Hops:
    """Ways of one model over one site: exact ones, kept, and estimates for many at once."""

    def __init__(self, site: Site, model: DroneModel) -> None:
        policy = site.policy
        keep_m = model.body_m / 2 + policy.clearance_m
        self.model, self.policy = model, policy
        self.speed_mps = min(model.cruise_mps, policy.speed_max_mps)
        self._airways = Airways(
            Obstacles(site.buildings, keep_m=keep_m, margin_m=policy.building_margin_m),
            ceiling_m=policy.ceiling_m,
            level_m=policy.transit_min_m,
            speed_mps=self.speed_mps,
        )
        self._skyline = Skyline(site.buildings, keep_m)
        self._known: dict[tuple[XYZ, XYZ], tuple[Transit, float] | PlanError] = {}

    def way(self, start: XYZ, end: XYZ) -> tuple[Transit, float]:
        """The flight from one place to another, and its seconds.

        Raises
        ------
        PlanError
            Where there is none.
        """
        key = (start, end)
        found = self._known.get(key)
        if found is None:
            try:
                transit = self._airways.transit(start, end)
                found = (transit, transit_s(transit.path, self.model, self.speed_mps))
            except PlanError as exc:
                found = exc
            self._known[key] = found
        if isinstance(found, PlanError):
            raise found
        return found

    def estimate_s(self, starts: Floats, ends: Floats) -> Floats:
        """Seconds from each of `starts` to the same of `ends`, (n, 3), by the highest roof."""
        across = np.hypot(*(ends[:, :2] - starts[:, :2]).T)
        tops = np.full(len(starts), 0.6 * self.policy.ceiling_m)
        looked = across < FAR_M
        margin_m = self.policy.building_margin_m
        roofs = self._skyline.tops_m(starts[looked, :2], ends[looked, :2])
        tops[looked] = np.where(roofs > 0, roofs + margin_m, 0.0)
        near = (across < NEAR_M) & (tops <= np.minimum(starts[:, 2], ends[:, 2]))
        level_m = np.where(near, 0.0, min(self.policy.transit_min_m, self.policy.ceiling_m))
        tops = np.minimum(np.maximum(tops, level_m), self.policy.ceiling_m)
        tops = np.maximum.reduce([tops, starts[:, 2], ends[:, 2]])
        model = self.model
        seconds = _runs_s(across, self.speed_mps, model.accel_mps2)
        seconds += _runs_s(tops - starts[:, 2], model.climb_mps, 1.0)
        seconds += _runs_s(tops - ends[:, 2], model.descent_mps, 1.0)
        return np.asarray(seconds)


def _runs_s(lengths_m: Floats, speed_mps: float, accel_mps2: float) -> Floats:
    """Seconds over straight legs from rest to rest, with the bend at the end; 0 for none."""
    short = 2 * np.sqrt(lengths_m / accel_mps2)
    long = lengths_m / speed_mps + speed_mps / accel_mps2
    legs_s = np.where(lengths_m < speed_mps**2 / accel_mps2, short, long) + BEND_S
    return np.where(lengths_m > 0.01, legs_s, 0.0)


def far_m(path: tuple[XYZ, ...], x: float, y: float) -> float:
    """How far a way leads from a place across the ground."""
    return max(math.hypot(px - x, py - y) for px, py, *_ in path)
