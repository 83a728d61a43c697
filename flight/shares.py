"""The spots of one large site, shared out among processes of this machine.

Each process takes every so many-th spot; what comes back is what one process would have found.
"""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.coverage.treat import gathered, treat_site, treat_spots
from skymist.flight.engines import cores

if TYPE_CHECKING:
    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.planning import Treat
    from skymist.coverage.site import Site
    from skymist.coverage.treat import Result, Treated

log = logging.getLogger(__name__)
SPOTS_LEAST = 2_000
"""Below, other processes would take longer to start than to work."""


def treat_for(site: Site, num_jobs: int | None = None) -> Treat:
    """How to look at the spots of a site: here, or on so many cores (all by default)."""
    num_jobs = num_jobs or cores()
    if num_jobs == 1 or len(site.spots) < SPOTS_LEAST:
        return treat_site
    return Shares(num_jobs)


@dataclass(frozen=True, slots=True)
class Shares:
    """`treat_site` by so many processes, this one among them."""

    num_jobs: int

    def __call__(self, site: Site, model: DroneModel, wind: Wind | None) -> Treated:
        """All spots of a site, in the order of the file."""
        results: list[Result | None] = [None] * len(site.spots)
        # Spawned on every system: a fork would copy the progress bar's thread half-way.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.num_jobs - 1, mp_context=context) as pool:
            futures = {
                k: pool.submit(_share, site, model, wind, k, self.num_jobs)
                for k in range(1, self.num_jobs)
            }
            results[0 :: self.num_jobs] = _share(site, model, wind, 0, self.num_jobs)
            for k, future in futures.items():
                try:
                    results[k :: self.num_jobs] = future.result()
                except BrokenProcessPool:
                    log.warning("a process died; looking at its spots here")
                    results[k :: self.num_jobs] = _share(site, model, wind, k, self.num_jobs)
        return gathered([result for result in results if result is not None])


def _share(site: Site, model: DroneModel, wind: Wind | None, k: int, num: int) -> list[Result]:
    return treat_spots(site, model, wind, site.spots[k::num])
