"""Flights with the pump off between places of a site, for one model of drone, each found once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.airways import NEAR_M, Airways
from skymist.coverage.energy import BEND_S, UPRIGHT_MPS2, runs_s, transit_s
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
UPRIGHT_SHARE = 0.25
"""How much of an estimate is of a way that climbs upright, the rest of one that climbs on a slope.
Fitted to the ways of Kouvola."""


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
            climb_mps=model.climb_mps,
            descent_mps=model.descent_mps,
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
        level_s = runs_s(across, self.speed_mps, model.accel_mps2)
        up_m, down_m = tops - starts[:, 2], tops - ends[:, 2]
        upright_s = _upright_s(up_m, model.climb_mps) + _upright_s(down_m, model.descent_mps)
        sloping_s = up_m / model.climb_mps + down_m / model.descent_mps
        flown_m = (up_m + down_m) * self.speed_mps / model.climb_mps
        sloping_s -= np.minimum(across, flown_m) / self.speed_mps
        return np.asarray(
            level_s + UPRIGHT_SHARE * upright_s + (1 - UPRIGHT_SHARE) * np.maximum(sloping_s, 0.0)
        )


def _upright_s(rises_m: Floats, speed_mps: float) -> Floats:
    """Seconds of straight climbs with the bend that each takes part in."""
    seconds = runs_s(rises_m, speed_mps, UPRIGHT_MPS2) - BEND_S
    return np.where(rises_m > 0.01, seconds, 0.0)


def far_m(path: tuple[XYZ, ...], x: float, y: float) -> float:
    """How far a way leads from a place across the ground."""
    return max(math.hypot(px - x, py - y) for px, py, *_ in path)
