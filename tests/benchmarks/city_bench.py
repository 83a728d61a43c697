"""Forty small sites planned by one process, by local processes and by two dask workers, and by
those with one killed on the way; the same bytes each time.

    python tests/benchmarks/city_bench.py                 # writes docs/city-benchmark.md
    python tests/benchmarks/city_bench.py --sites 8       # prints, writes nothing
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUM_SITES = 40
NUM_WORKERS = 2
GOAL = 1.7
"""Issue 4: two local dask workers over one process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way to plan them all: wall seconds of the command, exit code, sites and bytes made.

    `cpu_s` is what all its processes took, those of dask too.
    """

    name: str
    wall_s: float
    code: int
    num_sites: int
    digest: str
    cpu_s: float = 0.0


def sites(folder: Path, num_sites: int) -> list[Path]:
    """Districts of 20 to 60 spots, each with its own seed."""
    from tests.benchmarks.district import district
    from tests.benchmarks.district_files import write_district

    return [
        write_district(
            district(20 + 40 * (k * 7 % num_sites) // num_sites, seed=k, name=f"Quarter {k}"),
            folder / f"quarter-{k:02d}",
        )
        for k in range(num_sites)
    ]


def digest(folder: Path) -> str:
    """One number for every file below a folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:12]


def environment() -> dict[str, str]:
    """One thread a process, so that processes are what is measured."""
    single = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(single, "1")}


def plan(name: str, paths: list[Path], folder: Path, *words: str, kill: object = None) -> Run:
    """Plan all sites with the command line; `kill` is a process to kill after three sites."""
    command = [sys.executable, "-m", "skymist.flight.cli", "plan", *map(str, paths)]
    began_s = time.perf_counter()
    running = subprocess.Popen(
        [*command, "-o", str(folder), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert running.stderr is not None
    for line in running.stderr:
        if isinstance(kill, subprocess.Popen) and line.startswith("3 of "):
            kill.kill()
    code = running.wait()
    wall_s = time.perf_counter() - began_s
    num_sites = len(list(folder.glob("*/plan.json")))
    return Run(name=name, wall_s=wall_s, code=code, num_sites=num_sites, digest=digest(folder))


def _started(what: str, *words: str) -> subprocess.Popen[str]:
    """A process of dask's own command, its words on a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "dask", what, *words, "--no-dashboard"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def _said(process: subprocess.Popen[str], pattern: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found.group(found.lastindex or 0)
    raise RuntimeError(f"{process.args}: ended before it said {pattern!r}")


@contextmanager
def workers(num_workers: int) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A scheduler's address and its workers, started by dask's own commands."""
    started = [_started("scheduler", "--host", "127.0.0.1", "--port", "0")]
    try:
        address = _said(started[0], r"Scheduler at:\s+(\S+)")
        for _ in range(num_workers):
            started.append(_started("worker", address, "--nthreads", "1", "--no-nanny"))
        for worker in started[1:]:
            _said(worker, "Registered to")
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def counted(way: Callable[[], Run]) -> Run:
    """A run with the processor seconds of all processes that it started and waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    one = way()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return replace(one, cpu_s=cpu_s)


def measure(num_sites: int, folder: Path, *, preview: bool) -> list[Run]:
    """All ways, one after the other."""
    paths = sites(folder / "sites", num_sites)
    words = [] if preview else ["--no-preview"]
    jobs = ("--jobs", str(NUM_WORKERS))

    def by_workers(name: str, out: str, *, is_killing: bool) -> Run:
        with workers(NUM_WORKERS) as (address, started):
            engine = ("--engine", f"dask={address}")
            victim = started[0] if is_killing else None
            return plan(name, paths, folder / out, *engine, *words, kill=victim)

    two = f"{NUM_WORKERS} dask workers"
    ways: list[Callable[[], Run]] = [
        lambda: plan("one process", paths, folder / "one", "--jobs", "1", *words),
        lambda: plan(f"{NUM_WORKERS} local processes", paths, folder / "local", *jobs, *words),
        lambda: by_workers(two, "dask", is_killing=False),
        lambda: by_workers(f"{two}, one killed after 3 sites", "killed", is_killing=True),
        lambda: plan(f"{two} of its own", paths, folder / "own", "--engine", "dask", *words),
    ]
    return [counted(way) for way in ways]


def load() -> float:
    """Processes that ran or waited for a core over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def report(runs: list[Run], num_sites: int, loads: tuple[float, float], *, preview: bool) -> str:
    first = runs[0]
    lines = [
        "# City benchmark",
        "",
        f"Made by `python tests/benchmarks/city_bench.py`: {num_sites} synthetic quarters of 20 to "
        "60 spots and five times as many buildings, "
        f"{'with' if preview else 'without'} `preview.png`; wall seconds of the "
        "whole command, from the shell. The scheduler and the workers of the dask rows run on the "
        "same machine, started by `dask scheduler` and `dask worker --nthreads 1` beforehand, but "
        "for the last row. "
        f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}; load average {loads[0]:.1f} before the "
        f"start and {loads[1]:.1f} at the end: what is above 0 before is other work, which takes "
        "cores from the processes that are compared.",
        "",
        "| way | s | times as fast | CPU s | sites | exit | same bytes |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in runs:
        is_same = "yes" if one.digest == first.digest else "no"
        lines.append(
            f"| {one.name} | {one.wall_s:.1f} | {first.wall_s / one.wall_s:.2f} "
            f"| {one.cpu_s:.1f} | {one.num_sites} | {one.code} | {is_same} |"
        )
    gain = first.wall_s / runs[2].wall_s
    lines += [
        "",
        f"Goal: two local dask workers {GOAL} times as fast as one process: "
        f"{'met' if gain >= GOAL else 'missed'}, {gain:.2f}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=NUM_SITES)
    parser.add_argument("--no-preview", action="store_true")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "city-benchmark.md")
    asked = parser.parse_args()
    before = load()
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(asked.sites, Path(folder), preview=not asked.no_preview)
    text = report(runs, asked.sites, (before, load()), preview=not asked.no_preview)
    print(text)
    if asked.sites == NUM_SITES and not asked.no_preview:
        asked.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
