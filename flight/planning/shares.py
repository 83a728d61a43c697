"""The work of planning one large site, shared out among processes of this machine.

Each looks at every so many-th spot; later the others solve routing problems while this one makes
the next and flies what is solved. What comes back is what one process would have found.
"""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from skymist.coverage.tours import at_once, routed
from skymist.coverage.treat import gathered, treat_site, treat_spots
from skymist.flight.planning.engines import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyvrp

    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.planning import Treat
    from skymist.coverage.site import Site
    from skymist.coverage.tours import Route, Tour
    from skymist.coverage.treat import Result, Treated

log = logging.getLogger(__name__)
SPOTS_LEAST = 2_000
"""Below, other processes would take longer to start than to work."""


@contextmanager
def shared(
    site: Site,
    is_over: Callable[[], bool] | None = None,
    num_jobs: int | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[Treat, Route]]:
    """How to look at the spots of a site and route over them: here, or on so many cores (all).

    `tell` hears for each model how many spots are done, of how many.
    Where `is_over` says so, what waits for a process is done here with no search.
    """
    num_jobs = num_jobs or cores()
    if num_jobs == 1 or len(site.spots) < SPOTS_LEAST:
        yield (partial(treat_site, tell=tell) if tell else treat_site), at_once
        return
    # Spawned on every system: a fork would copy the progress bar's thread half-way.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_jobs - 1, mp_context=context) as pool:
        shares = Shares(num_jobs, pool, is_over or (lambda: False), tell)
        try:
            yield shares.treat, shares.route
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Shares:
    """So many processes, this one among them."""

    num_jobs: int
    pool: ProcessPoolExecutor
    is_over: Callable[[], bool]
    tell: Callable[[int, int], None] | None = None

    def treat(self, site: Site, model: DroneModel, wind: Wind | None) -> Treated:
        """`treat_site`: all spots of a site, in the order of the file."""
        results: list[Result | None] = [None] * len(site.spots)
        futures = {
            k: self.pool.submit(_share, site, model, wind, k, self.num_jobs)
            for k in range(1, self.num_jobs)
        }
        own = site.spots[0 :: self.num_jobs]
        results[0 :: self.num_jobs] = treat_spots(site, model, wind, own, self._told)
        for k, future in futures.items():
            try:
                results[k :: self.num_jobs] = future.result()
            except BrokenProcessPool:
                log.warning("a process died; looking at its spots here")
                results[k :: self.num_jobs] = _share(site, model, wind, k, self.num_jobs)
        return gathered([result for result in results if result is not None])

    def _told(self, done: int, total: int) -> None:
        """Tell of the spots of all from those looked at here, which are as many everywhere."""
        if self.tell is not None:
            self.tell(done * self.num_jobs, total * self.num_jobs)

    def route(
        self, data: pyvrp.ProblemData, iterations: int, seed: int
    ) -> Callable[[], list[Tour]]:
        """`routed`, by another process."""
        try:
            future = self.pool.submit(routed, data, iterations, seed)
        except BrokenProcessPool:
            return at_once(data, iterations, seed)

        def tours() -> list[Tour]:
            if self.is_over() and future.cancel():
                return routed(data, 0, seed)
            try:
                return future.result()
            except BrokenProcessPool:
                log.warning("a process died; routing here")
                return routed(data, iterations, seed)

        return tours


def _share(site: Site, model: DroneModel, wind: Wind | None, k: int, num: int) -> list[Result]:
    return treat_spots(site, model, wind, site.spots[k::num])
