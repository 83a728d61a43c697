"""Where the tasks of a call run: in this process, in others on this machine, on dask's workers.

Every engine answers each job exactly once, in the order in which answers come. A process or worker
that dies takes no job with it: the job runs again, at last alone in a process of its own, so that
a site which kills its process is the only one that fails. Dask starts its own workers
(docs/city.md); this module only asks them.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import warnings
from concurrent.futures import FIRST_COMPLETED, CancelledError, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from skymist.coverage.errors import PlanError
from skymist.flight.planning.city import Outcome, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from skymist.flight.planning.city import Job

log = logging.getLogger(__name__)
CONNECT_S = 15.0
"""How long a dask scheduler may take to answer."""
WORKERLESS_S = 60.0
"""How long a dask scheduler may be without any worker before the rest is planned here."""
LOOK_S = 2.0
"""How often an engine looks whether its workers are still there."""
DASK_WORKERS = 2


class Engine(Protocol):
    """Runs jobs somewhere."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of every job, as each comes; jobs are taken as fast as they are made."""


def cores() -> int:
    """Cores that this process may use; on Windows at most as many as it can wait for."""
    if sys.platform == "win32":
        return min(os.cpu_count() or 1, 61)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def engine_for(text: str, num_jobs: int | None) -> Engine:
    """The engine that `--engine` names: `local`, `dask` or `dask=ADDRESS`.

    Raises
    ------
    PlanError
        For another name, or where dask is not installed.
    """
    name, _, address = text.partition("=")
    if name == "local" and not address:
        return LocalEngine(num_jobs=num_jobs or cores())
    if name != "dask" or (address and num_jobs is not None):
        wanted = "local, dask, or dask=ADDRESS (whose workers are counted where they are started)"
        found = f"{text!r} with --jobs {num_jobs}" if name == "dask" else repr(text)
        raise PlanError(f"--engine: wanted {wanted}, found {found}")
    try:
        import_module("distributed")
    except ImportError as exc:
        hint = "pip install 'skymist[dask]'"
        raise PlanError(f"--engine: wanted dask installed, found none ({hint})") from exc
    return DaskEngine(address=address, num_workers=num_jobs or DASK_WORKERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEngine:
    """The process itself where one is enough, else as many others as wanted."""

    num_jobs: int

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of every job."""
        if self.num_jobs <= 1:
            yield from map(attempt, jobs)
            return
        lost: list[Job] = []
        yield from self._round(jobs, lost)
        if lost:
            log.warning("a planning process died; planning %d sites again", len(lost))
            again: list[Job] = []
            yield from self._round(lost, again)
            for job in again:
                yield alone(job)

    def _round(self, jobs: Iterable[Job], lost: list[Job]) -> Iterator[Outcome]:
        """Outcomes of jobs in one set of processes; those that die with it go to `lost`."""
        # Spawned on every system: a fork would copy the progress bar's thread half-way.
        pool = ProcessPoolExecutor(self.num_jobs, mp_context=multiprocessing.get_context("spawn"))
        running: dict[Future[Outcome], Job] = {}
        try:
            for job in jobs:
                try:
                    running[pool.submit(attempt, job)] = job
                except BrokenProcessPool:
                    lost.append(job)
                yield from self._ready(running, lost, timeout_s=0.0)
            while running:
                yield from self._ready(running, lost, timeout_s=LOOK_S)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _ready(
        self, running: dict[Future[Outcome], Job], lost: list[Job], timeout_s: float
    ) -> Iterator[Outcome]:
        done = wait(running, timeout=timeout_s, return_when=FIRST_COMPLETED).done
        for future in sorted(done, key=lambda future: running[future].number):
            job = running.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool:
                lost.append(job)


def alone(job: Job) -> Outcome:
    """The outcome of a job in a process of its own; if that dies, this job is why."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(attempt, job).result()
        except BrokenProcessPool:
            text = "each process that planned it died, the last one with nothing else in it"
            return Outcome(number=job.number, trouble=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskEngine:
    """The workers of a dask scheduler at an address, or a few started on this machine."""

    address: str
    num_workers: int
    workerless_s: float = WORKERLESS_S
    wall_s: Callable[[], float] = monotonic

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of every job."""
        lost: list[Job] = []
        with ExitStack() as stack:
            client = self._client(stack)
            running: dict[Any, Job] = {}
            for job in jobs:
                with warnings.catch_warnings():
                    # A site travels with its task: one that was scattered dies with its worker.
                    warnings.filterwarnings("ignore", message="Sending large graph")
                    future = client.submit(attempt, job, pure=False)
                running[future] = job
                yield from self._ready(running, lost, timeout_s=0.01)
            yield from self._rest(client, running, lost)
        for job in lost:
            log.warning("%s: no dask worker finished it; planning it here", job.name)
            yield alone(job)

    def _client(self, stack: ExitStack) -> Any:
        """A client of the scheduler, which is started here where no address is given."""
        distributed: Any = import_module("distributed")

        if not self.address:
            cluster = distributed.LocalCluster(
                n_workers=self.num_workers,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
            return stack.enter_context(distributed.Client(stack.enter_context(cluster)))
        try:
            return stack.enter_context(distributed.Client(self.address, timeout=CONNECT_S))
        except (OSError, ValueError) as exc:
            wanted = f"a dask scheduler that answers within {CONNECT_S:.0f} s"
            raise PlanError(f"--engine: {self.address}: wanted {wanted}, found {exc}") from exc

    def _rest(self, client: Any, running: dict[Any, Job], lost: list[Job]) -> Iterator[Outcome]:
        """Outcomes until none is left, or until there are no workers any more."""
        seen_s = self.wall_s()
        while running:
            yield from self._ready(running, lost, timeout_s=LOOK_S)
            if client.status == "running" and client.scheduler_info()["workers"]:
                seen_s = self.wall_s()
            elif self.wall_s() - seen_s > self.workerless_s:
                log.warning("dask has had no worker for %.0f s", self.workerless_s)
                client.cancel(list(running))
                lost += running.values()
                running.clear()

    def _ready(
        self, running: dict[Any, Job], lost: list[Job], timeout_s: float
    ) -> Iterator[Outcome]:
        distributed: Any = import_module("distributed")
        try:
            done = distributed.wait(
                list(running), timeout=timeout_s, return_when="FIRST_COMPLETED"
            ).done
        except TimeoutError:
            return
        except CancelledError:
            done = {future for future in running if future.status != "pending"}
        for future in sorted(done, key=lambda future: running[future].number):
            job = running.pop(future)
            try:
                yield future.result()
            except (distributed.KilledWorker, CancelledError) as exc:
                log.warning("%s: %s", job.name, type(exc).__name__)
                lost.append(job)
            except ImportError as exc:
                wanted = "workers that have this Skymist installed"
                raise PlanError(f"--engine: wanted {wanted}, found {exc}") from exc
