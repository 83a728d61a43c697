"""Kills the ground program with SIGKILL at many moments of an operation, and takes it up each time.

    python tests/benchmarks/kill_bench.py [--kills 100] [--doc docs/resume-benchmark.md]

Three embedded copters in a process of their own, a ground program in another, one simulated clock.
Each kill falls on a random moment of the operation, on whatever the program does just then; it is
taken up again at once, or after up to a minute. What fell where is reckoned from the copters' truth
by `tests/truths.py`, which shares no code with planner, ledger or report.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skymist.flight.recording.record import read_record
from skymist.flight.resuming.resume import Choice
from tests.lockstep import ALONE
from tests.processes import Airfield, airfield, ground
from tests.truths import fallen, litres
from tests.yards import six_yards

TIMEOUT_S = 300.0
WITHIN_FRAC = 0.01
LATE_S = 0.01
PAUSES_S = (0.0, 0.0, 2.0, 10.0, 60.0)


@dataclass(frozen=True)
class Result:
    """What one operation came to, in truth."""

    at_s: float
    pause_s: float
    dosed_m2: float
    double_m2: float
    litres_l: float
    duration_s: float
    num_in_air: int
    faults: tuple[str, ...]
    is_done: bool


def truth(field: Airfield, folder: Path) -> tuple[float, float, float]:
    """Ground at 80 % of the dose, ground at 150 % of it, litres."""
    tracks = field.truths(folder)
    spots = fallen(field.plan, tracks).values()
    return (
        sum(spot.dosed_m2() for spot in spots),
        sum(spot.dosed_m2(1.5) for spot in spots),
        litres(tracks.values()),
    )


def undisturbed() -> Result:
    """The operation without a kill."""
    with tempfile.TemporaryDirectory() as name, airfield(six_yards()) as field:
        folder = Path(name)
        program = ground(field, folder / "record")
        program.join(TIMEOUT_S)
        dosed_m2, double_m2, litres_l = truth(field, folder)
        read = read_record(folder / "record")
    is_done = program.exitcode == 0 and read.events[-1].get("outcome") == "done"
    return Result(0, 0, dosed_m2, double_m2, litres_l, read.last_s, 0, (), is_done)


def killed(at_s: float, late_s: float, pause_s: float) -> Result:
    """The operation killed once and taken up."""
    with tempfile.TemporaryDirectory() as name, airfield(six_yards()) as field:
        folder = Path(name)
        field.kill(ground(field, folder / "record"), at_s, late_s=late_s)
        time.sleep(pause_s / ALONE)
        program = ground(field, folder / "record", choice=Choice())
        program.join(TIMEOUT_S)
        dosed_m2, double_m2, litres_l = truth(field, folder)
        read = read_record(folder / "record")
    is_done = program.exitcode == 0 and read.events[-1].get("outcome") == "done"
    in_air = sum("found in the air" in event["text"] for event in read.of("sortie"))
    unknown = tuple(e["text"] for e in read.of("alert") if e["code"] == "mission_unknown")
    torn = tuple(fault for fault in read.faults if "taken up after it" not in fault)
    return Result(
        at_s,
        pause_s,
        dosed_m2,
        double_m2,
        litres_l,
        read.last_s,
        in_air,
        (*unknown, *torn),
        is_done,
    )


def document(whole: Result, results: list[Result], wall_s: float) -> str:
    """The page of the docs."""
    shares = [r.dosed_m2 / whole.dosed_m2 - 1 for r in results]
    extra_l = [r.litres_l - whole.litres_l for r in results]
    double = [r.double_m2 - whole.double_m2 for r in results]
    good = sum(r.is_done and abs(s) <= WITHIN_FRAC for r, s in zip(results, shares, strict=True))
    lines = [
        "# Killed and taken up again",
        "",
        "`python tests/benchmarks/kill_bench.py` kills the ground program with SIGKILL at a random",
        "moment of a three-drone operation, and the code of `skymist resume` takes it up: at once,",
        "or after 2, 10 or 60 s. Six yards, 31 L, six sorties with refills; embedded copters in a",
        "process of their own, over TCP, on one simulated clock. What fell where is the copters'",
        "truth, laid on a grid of 0.5 m by code that planner, ledger and report do not share.",
        "",
        f"| | {len(results)} kills |",
        "|---|---|",
        f"| finished, treated ground within 1 % of the undisturbed run | {good} |",
        f"| treated ground against the undisturbed {whole.dosed_m2:,.0f} m2: least, median, most "
        f"| {min(shares):+.2%}, {statistics.median(shares):+.2%}, {max(shares):+.2%} |",
        f"| litres beyond the undisturbed {whole.litres_l:.1f} L: median, most "
        f"| {statistics.median(extra_l):.2f}, {max(extra_l):.2f} |",
        f"| ground at 150 % of its dose or more, beyond the undisturbed {whole.double_m2:.0f} m2: "
        f"median, most | {statistics.median(double):.0f} m2, {max(double):.0f} m2 |",
        f"| drones found in the air and watched home | {sum(r.num_in_air for r in results)} |",
        "| damage in the record beyond one torn line, missions not as recorded "
        f"| {sum(len(r.faults) for r in results)} |",
        "",
        "The liquid beyond comes from what nobody saw: a drone sprays on for up to 5 s until it",
        "misses the ground station, and one that is found again before that sprays on until its",
        "telemetry runs; on this clock time flies while a program starts: some seconds more.",
        "Those stretches and 1 m of overlap count as dry and are flown again.",
        "",
        f"Measured in {wall_s / 60:.0f} min on a machine of two cores that others used too.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run, print a line for each kill, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--doc", type=Path)
    args = parser.parse_args()
    rng, began_s, whole = random.Random(args.seed), time.monotonic(), undisturbed()
    print(whole, flush=True)
    results = []
    for number in range(args.kills):
        at_s = rng.uniform(2.0, whole.duration_s + 5.0)
        found = killed(at_s, rng.uniform(0, LATE_S), rng.choice(PAUSES_S))
        results.append(found)
        print(number, f"{found.dosed_m2 / whole.dosed_m2 - 1:+.2%}", found, flush=True)
    page = document(whole, results, time.monotonic() - began_s)
    print(page)
    if args.doc:
        args.doc.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
