"""How many seconds of flight a second of CPU gives, embedded and real; writes a page.

    python -m tests.benchmarks.sim_bench [-o docs/sim-benchmark.md] [--suites]

CPU time is user and system, the flight code's share included, children's too for the real one.
With --suites the flight tests are run and timed as well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from skymist.coverage.plan import Plan
from skymist.flight.commands.plan import make_plan
from skymist.flight.commands.rehearse import Sim, World, _operate
from skymist.flight.conductor.operation import Setting
from skymist.flight.mavlink.wiring import Wiring
from skymist.flight.terminal.display import Silent
from skymist.sitl.binaries import find_arducopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from tests.sitl.ground import HOME, drone, on
from tests.sitl.test_flights import meadow

PAGE = Path(__file__).parents[2] / "docs" / "sim-benchmark.md"
REAL_SPEEDUP = 10.0
NUM_RUNS = 3


def cpu_s() -> float:
    """CPU seconds of this process and of children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def spent(work: Callable[[], float]) -> tuple[float, float, float]:
    """Drone-seconds flown, CPU seconds and wall seconds of a piece of work."""
    wall_s, used_s = time.perf_counter(), cpu_s()
    flown_s = work()
    return flown_s, cpu_s() - used_s, time.perf_counter() - wall_s


def rehearsal(plan: Plan, sim: Sim, speedup: float | None) -> float:
    """Fly a plan with the flight code; drone-seconds simulated."""
    loop = VirtualLoop() if speedup is None else ScaledLoop(speedup)
    began_s = loop.time()
    setting = Setting(started_utc=datetime.now(UTC), sim=sim, speedup=speedup, has_tlog=False)
    with tempfile.TemporaryDirectory() as folder:
        world = World(wiring=Wiring(), seed=0)
        work = _operate(plan, Path(folder) / "record", Silent(), setting, world)
        run(_checked(work), loop=loop)
    num = len({sortie.drone_id for sortie in plan.sorties})
    return (loop.time() - began_s) * num


async def _checked(work: Any) -> None:
    outcome = await work
    assert outcome.num_flown == outcome.num_sorties, outcome.text


def bare(num: int) -> float:
    """So many embedded copters in one process fly a meadow, each with a tiny ground station."""

    async def main() -> float:
        drones = [drone(sysid) for sysid in range(1, num + 1)]
        async with EmbeddedFleet(drones, homes=[HOME] * num, warm_boot=True) as fleet:

            async def fly(index: int) -> None:
                async with on(fleet.connect(index), target=index + 1) as ground:
                    await ground.launch(meadow())
                    await ground.wait_armed()
                    await ground.wait_disarmed()

            await asyncio.gather(*(fly(index) for index in range(num)))
            assert all(copter.pumped_l > 1 for copter in fleet.copters)
            return fleet.now_s * num

    return run(main(), loop=VirtualLoop())


def median_of(work: Callable[[], float], num: int = NUM_RUNS) -> tuple[float, float, float]:
    """The run with the median rate of so many."""
    runs = sorted((spent(work) for _ in range(num)), key=lambda r: r[0] / r[1])
    return runs[num // 2] if num % 2 else statistics.median_low(runs)


def row(name: str, figures: tuple[float, float, float]) -> str:
    """A line of the table."""
    flown_s, used_s, wall_s = figures
    return f"| {name} | {flown_s:,.0f} | {used_s:.1f} | {wall_s:.1f} | {flown_s / used_s:,.0f} |\n"


def suites() -> list[str]:
    """The flight tests, timed."""
    lines = []
    for name, words in (
        ("embedded", ["-m", "not ardupilot"]),
        ("real binary", ["-m", "ardupilot", "--require-ardupilot"]),
    ):
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/flights", "tests/sitl"]
        began_s, used_s = time.perf_counter(), cpu_s()
        ran = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        told = ran.stdout.strip().splitlines()[-1]
        wall_s, used_s = time.perf_counter() - began_s, cpu_s() - used_s
        lines.append(f"| {name} | {wall_s / 60:.1f} | {used_s / 60:.1f} | {told} |\n")
    return lines


HEAD = """# How fast simulated drones fly

Written by `python -m tests.benchmarks.sim_bench{words}` on {date}: {machine}, {cores} cores,
Python {python}, load average {load:.1f} before. Medians of {runs}. CPU seconds are user and
system of all processes; they include the ground's share.

| what | drone-seconds | CPU s | wall s | drone-seconds per CPU second |
|---|---|---|---|---|
"""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, default=PAGE, help="the page (docs/sim-benchmark.md)"
    )
    parser.add_argument("--suites", action="store_true")
    wanted = parser.parse_args()
    page = HEAD.format(
        words=" --suites" if wanted.suites else "",
        date=datetime.now(UTC).date(),
        machine=platform.machine(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        load=os.getloadavg()[0],
        runs=NUM_RUNS,
    )
    with ExitStack() as stack:
        demo = stack.enter_context(as_file(files("skymist.missions") / "data" / "demo"))
        plan = make_plan(demo / "site.yaml", seed=0, num_drones=None)
    num = len({sortie.drone_id for sortie in plan.sorties})
    name = f"the demo, {num} drones, embedded in pipes, flight code's share included"
    page += row(name, median_of(lambda: rehearsal(plan, Sim.EMBEDDED, None)))
    page += row("one embedded copter, a tiny ground station", median_of(lambda: bare(1)))
    page += row("100 embedded copters in one process, the same", spent(lambda: bare(100)))
    found = find_arducopter()
    if found.binary is not None:
        name = f"the demo, {num} drones, ArduCopter {found.version} at {REAL_SPEEDUP:g}x"
        page += row(name, spent(lambda: rehearsal(plan, Sim.ARDUPILOT, REAL_SPEEDUP)))
    if wanted.suites:
        page += "\n| flight tests | wall min | CPU min | |\n|---|---|---|---|\n" + "".join(suites())
    wanted.output.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
