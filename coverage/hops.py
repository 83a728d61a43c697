"""Flights with the pump off between places of a site, for one model of drone, each found once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from skymist.coverage.airspeed import mean_wind_w
from skymist.coverage.airways import NEAR_M, Airways
from skymist.coverage.energy import BEND_S, UPRIGHT_MPS2, ramp_s, runs_s, transit_s
from skymist.coverage.errors import PlanError
from skymist.coverage.obstacles import Obstacles
from skymist.coverage.site import Building
from skymist.coverage.skyline import Skyline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.coverage.airways import XYZ
    from skymist.coverage.chunks import Chunk
    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Transit
    from skymist.coverage.site import Site

    Floats = NDArray[np.float64]

FAR_M = 400.0
"""Pairs farther apart are not worth a look at the roofs between them when they are compared."""
SAME_M = 0.05
"""Places so near to each other are one."""
FAR_LEVEL_FRAC = 0.6
"""Share of the ceiling to which far ways are taken to climb at least. Kouvola: with lower ones
flights come out less full, and the last drone is down 1.5 % later."""
TOWER_M = 100.0
"""Closed ground stands higher than this above any ceiling: it is gone around, never over."""
SAMPLES = 300
"""Far ways that are looked at to know what the others meet."""
AROUND_S = 15.0
"""What it takes to fly around what stands above the ceiling, beside flying over it. Mean of ways
from 150 to 1500 m in the made-up district (tests/benchmarks/district.py): 14 to 16 s."""
UPRIGHT_SHARE = 0.25
"""How much of an estimate is of a way that climbs upright, the rest of one that climbs on a slope.
Fitted to the ways of Kouvola."""


class Hops:
    """Ways of one model over one site: exact ones, kept, and estimates for many at once."""

    def __init__(self, site: Site, model: DroneModel, wind: Wind | None = None) -> None:
        policy = site.policy
        self._site = site
        self._around: Hops | None = None
        self.wind = wind
        self._wind_w: dict[float, float] = {}
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
            stop_m=self.speed_mps * (ramp_s(self.speed_mps, model.accel_mps2) - BEND_S),
        )
        self._skyline = Skyline(site.buildings, keep_m)
        self._far_top_m, self._far_around_s = self._far(site)
        self._known: dict[tuple[XYZ, XYZ], tuple[Transit, float] | PlanError] = {}
        self._guessed: dict[tuple[XYZ, XYZ], float] = {}
        self.worked: dict[int, tuple[Chunk, float]] = {}
        """What `coverage.works` has worked out, by the chunk's `id`."""

    @property
    def around(self) -> Hops | None:
        """Ways that keep out of all ground that is closed at some time; None where none is."""
        if self._around is None and self._site.closures:
            top_m = 2 * self.policy.ceiling_m + TOWER_M
            towers = [
                Building(id=f"closed {c.id}", footprint=c.area, height_m=top_m)
                for c in self._site.closures
            ]
            site = replace(self._site, buildings=(*self._site.buildings, *towers), closures=())
            self._around = Hops(site, self.model, self.wind)
        return self._around

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

    def wind_w(self, speed_mps: float) -> float:
        """Watts that wind adds at a speed over ground, on the mean of all directions."""
        if speed_mps not in self._wind_w:
            self._wind_w[speed_mps] = mean_wind_w(speed_mps, self.model, self.wind)
        return self._wind_w[speed_mps]

    def guess(self, pairs: Sequence[tuple[XYZ, XYZ]]) -> None:
        """Estimate flights between pairs of places, all at once, for `guessed_s`."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._guessed]
        if fresh:
            ends = np.array(fresh)
            found = self.estimate_s(ends[:, 0], ends[:, 1], far_m=np.inf)
            self._guessed.update(zip(fresh, found.tolist(), strict=True))

    def guessed_s(self, start: XYZ, end: XYZ) -> float:
        """Seconds of a flight that `guess` was asked for; nothing where it stays in place."""
        return 0.0 if math.dist(start, end) < SAME_M else self._guessed[start, end]

    def estimate_s(self, starts: Floats, ends: Floats, far_m: float = FAR_M) -> Floats:
        """Seconds from each of `starts` to the same of `ends`, (n, 3), by the highest roof."""
        across = np.hypot(*(ends[:, :2] - starts[:, :2]).T)
        tops = np.full(len(starts), self._far_top_m)
        looked = across < far_m
        margin_m, ceiling_m = self.policy.building_margin_m, self.policy.ceiling_m
        roofs = self._skyline.tops_m(starts[looked, :2], ends[looked, :2])
        tops[looked] = np.where(roofs > 0, roofs + margin_m, 0.0)
        around_s = np.where(looked, np.where(tops > ceiling_m, AROUND_S, 0.0), self._far_around_s)
        near = (across < NEAR_M) & (tops <= np.minimum(starts[:, 2], ends[:, 2]))
        level_m = np.where(near, 0.0, min(self.policy.transit_min_m, ceiling_m))
        tops = np.minimum(np.maximum(tops, level_m), ceiling_m)
        tops = np.maximum.reduce([tops, starts[:, 2], ends[:, 2]])
        model = self.model
        level_s = runs_s(across, self.speed_mps, model.accel_mps2)
        up_m, down_m = tops - starts[:, 2], tops - ends[:, 2]
        upright_s = _upright_s(up_m, model.climb_mps) + _upright_s(down_m, model.descent_mps)
        sloping_s = up_m / model.climb_mps + down_m / model.descent_mps
        flown_m = (up_m + down_m) * self.speed_mps / model.climb_mps
        sloping_s -= np.minimum(across, flown_m) / self.speed_mps
        rises_s = UPRIGHT_SHARE * upright_s + (1 - UPRIGHT_SHARE) * np.maximum(sloping_s, 0.0)
        return np.asarray(level_s + rises_s + around_s)

    def _far(self, site: Site) -> tuple[float, float]:
        """What far ways meet: the height that they take, and seconds around towers, on average."""
        ceiling_m = self.policy.ceiling_m
        if len(site.buildings) < 2:
            return FAR_LEVEL_FRAC * ceiling_m, 0.0
        rng = np.random.default_rng(0)
        some = [site.buildings[k].footprint for k in rng.integers(0, len(site.buildings), SAMPLES)]
        places = shapely.get_coordinates(shapely.point_on_surface(np.array(some, dtype=object)))
        turns = rng.uniform(0.0, 2 * np.pi, SAMPLES)
        ends = places + 1.5 * FAR_M * np.column_stack([np.cos(turns), np.sin(turns)])
        tops = self._skyline.tops_m(places, ends) + self.policy.building_margin_m
        is_over = tops <= ceiling_m
        level_m = float(np.clip(tops, FAR_LEVEL_FRAC * ceiling_m, ceiling_m).mean())
        return level_m, AROUND_S * float(1 - is_over.mean())


def _upright_s(rises_m: Floats, speed_mps: float) -> Floats:
    """Seconds of straight climbs with the bend that each takes part in."""
    seconds = runs_s(rises_m, speed_mps, UPRIGHT_MPS2) - BEND_S
    return np.where(rises_m > 0.01, seconds, 0.0)


def far_m(path: tuple[XYZ, ...], x: float, y: float) -> float:
    """How far a way leads from a place across the ground."""
    return max(math.hypot(px - x, py - y) for px, py, *_ in path)
