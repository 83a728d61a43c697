"""How planning grows: synthetic districts of 1,000, 5,000 and 20,000 spots, each in a process of
its own, measured from reading the site file to the last file written.

    python tests/benchmarks/scale_bench.py                  # writes docs/scale-benchmark.md
    python tests/benchmarks/scale_bench.py --sizes 1000     # prints, writes nothing

What was planned is judged by the laws of tests/checks.py, after the clock has stopped.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

SIZES = (1_000, 5_000, 20_000)
GOAL_S, GOAL_MB = 300.0, 4096.0
"""Issue 4: 20,000 spots, 100,000 buildings, 60 drones on two cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One size, measured. Steps are in seconds of wall time; `stages_s` are those of planning."""

    num_spots: int
    num_buildings: int
    num_drones: int
    steps_s: dict[str, float]
    stages_s: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    summary: dict[str, float] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)

    @property
    def wall_s(self) -> float:
        return sum(self.steps_s.values())

    @property
    def ms_per_n_log_n(self) -> float:
        """Of CPU time, which other work on the machine disturbs less."""
        return 1e3 * self.cpu_s / (self.num_spots * math.log(self.num_spots))


class Watch:
    """Seconds by name: what went on from one call to the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._since_s = "", time.perf_counter()

    def next(self, name: str) -> None:
        now_s = time.perf_counter()
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now_s - self._since_s
        self._name, self._since_s = name, now_s


def _cpu_s() -> float:
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _peak_mb() -> float:
    """This process, and all others beside it, each as large as the largest."""
    from skymist.flight.planning.engines import cores

    # Linux counts in KB, macOS in bytes.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + (cores() - 1) * others) / unit


def breaches_of(plan: Plan, num_spots: int) -> list[str]:
    """Laws of tests/checks.py that a plan breaks."""
    from tests.checks import PLAN_LAWS

    found = []
    for law in PLAN_LAWS:
        try:
            law(plan)
        except AssertionError as breach:
            found.append(f"{num_spots:,} spots: {breach}"[:2000])
    return found


def measure(site_file: Path, folder: Path, *, preview: bool, laws: bool) -> Run:
    """Plan a site file in this process, which should be fresh, as `skymist plan` does."""
    from skymist.coverage.planning import plan_site
    from skymist.coverage.summary import summarise
    from skymist.flight.cli import COLLECT_AFTER
    from skymist.flight.commands.preview import write_preview
    from skymist.flight.planning.shares import shared
    from skymist.missions.checks import require_safe
    from skymist.missions.plan_folder import write_plan_folder
    from skymist.missions.site import read_site

    gc.set_threshold(*COLLECT_AFTER)
    steps, stages = Watch(), Watch()
    cpu_s = _cpu_s()
    steps.next("read")
    site = read_site(site_file)
    steps.next("check")
    require_safe(site, site_file)
    steps.next("plan")
    with shared(site) as (treat, route):
        plan = plan_site(
            site, progress=lambda stage, *_: stages.next(stage), treat=treat, route=route
        )
    stages.next("")
    steps.next("write")
    write_plan_folder(plan, folder)
    if preview:
        steps.next("preview")
        write_preview(plan, folder / "preview.png")
    steps.next("")
    cpu_s, peak_mb = _cpu_s() - cpu_s, _peak_mb()
    summary = summarise(plan)
    return Run(
        num_spots=len(site.spots),
        num_buildings=len(site.buildings),
        num_drones=len(site.fleet),
        steps_s=steps.seconds,
        stages_s=stages.seconds,
        cpu_s=cpu_s,
        peak_mb=peak_mb,
        breaches=breaches_of(plan, len(site.spots)) if laws else [],
        summary={
            "sorties": summary.num_sorties,
            "makespan_min": summary.makespan_min,
            "by_drone_frac": summary.treated_m2 / summary.spots_m2,
            "gap_frac": plan.makespan_s / plan.lowest_s - 1,
        },
    )


def run(
    num_spots: int, folder: Path, *, seed: int, preview: bool, laws: bool, limit_s: float
) -> Run | None:
    """A district written to disk, then planned in a process of its own; None past the limit."""
    from tests.benchmarks.district import district
    from tests.benchmarks.district_files import write_district

    place = write_district(district(num_spots, seed=seed), folder / f"site-{num_spots}")
    words = [sys.executable, __file__, "--child", str(place), "--out", str(folder / "plan")]
    words += [] if preview else ["--no-preview"]
    words += [] if laws else ["--no-laws"]
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return None
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def table(runs: list[Run]) -> list[str]:
    """A row a size, then the stages of planning."""
    steps = list(runs[0].steps_s)
    head = ["spots", "buildings", "drones", *(f"{s} s" for s in steps), "s in all", "CPU s", "MB"]
    head += ["CPU ms / (n ln n)", "sorties", "makespan, min", "above bound", "by drone"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for one in runs:
        cells = [f"{one.num_spots:,}", f"{one.num_buildings:,}", str(one.num_drones)]
        cells += [f"{one.steps_s[step]:.1f}" for step in steps]
        cells += [f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}", f"{one.peak_mb:,.0f}"]
        cells += [f"{one.ms_per_n_log_n:.3f}", f"{one.summary['sorties']:,.0f}"]
        cells += [f"{one.summary['makespan_min']:.0f}", f"{one.summary['gap_frac']:.0%}"]
        cells += [f"{one.summary['by_drone_frac']:.1%}"]
        lines.append(f"| {' | '.join(cells)} |")
    stages = list(dict.fromkeys(stage for one in runs for stage in one.stages_s))
    lines += ["", f"| spots | {' | '.join(f'{stage}, s' for stage in stages)} |"]
    lines += ["|" + "---|" * (len(stages) + 1)]
    for one in runs:
        cells = [f"{one.stages_s.get(stage, 0.0):.1f}" for stage in stages]
        lines.append(f"| {one.num_spots:,} | {' | '.join(cells)} |")
    return lines


def _exponent(runs: list[Run], *, is_log: bool = False) -> float:
    """The slope of seconds over spots, both in logarithms; or that of n log n over the same."""
    sizes = [math.log(one.num_spots) for one in runs]
    work = [
        math.log(one.num_spots * math.log(one.num_spots) if is_log else one.cpu_s) for one in runs
    ]
    middle, level = statistics.fmean(sizes), statistics.fmean(work)
    steep = sum((s - middle) * (w - level) for s, w in zip(sizes, work, strict=True))
    return steep / sum((s - middle) ** 2 for s in sizes)


def verdict(runs: list[Run]) -> list[str]:
    """Whether issue 4's goals are met, in words."""
    largest, first = runs[-1], runs[0]
    lines = []
    if largest.num_spots >= SIZES[-1]:
        is_met = largest.wall_s <= GOAL_S and largest.peak_mb <= GOAL_MB
        lines.append(
            f"Goal for {SIZES[-1]:,} spots: {GOAL_S:.0f} s and {GOAL_MB:,.0f} MB; "
            f"{'met' if is_met else 'missed'}: {largest.wall_s:.0f} s, {largest.peak_mb:,.0f} MB."
        )
    if len(runs) > 1:
        grown = largest.ms_per_n_log_n / first.ms_per_n_log_n
        lines.append(
            f"Goal: no faster growth than n log n. CPU seconds / (n ln n) from {first.num_spots:,} "
            f"to {largest.num_spots:,} spots: x {grown:.2f} "
            f"({'met' if grown <= 1 else 'missed'}); over all sizes CPU seconds grow like "
            f"n^{_exponent(runs):.2f}, n log n like n^{_exponent(runs, is_log=True):.2f}."
        )
    return lines


def _judged(runs: list[Run], *, laws: bool) -> list[str]:
    """What the laws of tests/checks.py say."""
    if not laws:
        return ["The laws of tests/checks.py were not asked."]
    found = [breach for one in runs for breach in one.breaches]
    if not found:
        return ["All laws of plans in `tests/checks.py` hold for every sortie and spot of each."]
    return ["Laws of `tests/checks.py` that are broken:", "", *(f"- {text}" for text in found)]


def report(runs: list[Run], late: list[int], limit_s: float, *, laws: bool) -> str:
    lines = [
        "# Scale benchmark",
        "",
        "Made by `python tests/benchmarks/scale_bench.py`: synthetic districts "
        "(`tests/benchmarks/district.py`), five buildings to a spot and a drone to each 334 spots; "
        "each planned in a process of its own, from the site file to the last file written. "
        f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}; load {os.getloadavg()[0]:.1f} at the end: "
        "other work ran on the machine, wall time is longer for it, CPU time somewhat.",
        "",
        *table(runs),
        "",
        *(f"{line}\n" for line in verdict(runs)),
        *_judged(runs, laws=laws),
        *(f"{size:,} spots took more than {limit_s:.0f} s and were stopped." for size in late),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=1800.0)
    parser.add_argument("--no-preview", action="store_true", help="draw no preview.png")
    parser.add_argument("--no-laws", action="store_true", help="do not ask tests/checks.py")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "scale-benchmark.md")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(
            json.dumps(
                asdict(
                    measure(
                        asked.child, asked.out, preview=not asked.no_preview, laws=not asked.no_laws
                    )
                )
            )
        )
        return
    runs: list[Run] = []
    late: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.sizes:
            one = run(
                size,
                Path(folder) / str(size),
                seed=asked.seed,
                preview=not asked.no_preview,
                laws=not asked.no_laws,
                limit_s=asked.limit_s,
            )
            if one is None:
                late.append(size)
                continue
            runs.append(one)
            print(f"{size}: {asdict(one)}", file=sys.stderr)
    text = (
        report(runs, late, asked.limit_s, laws=not asked.no_laws)
        if runs
        else f"none within {asked.limit_s} s"
    )
    print(text)
    if tuple(asked.sizes) == SIZES and runs:
        asked.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
