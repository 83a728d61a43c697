"""Every fault in the list, several seeds each, on both simulators: what came of each flight.

    python tests/benchmarks/fault_matrix.py                    # both; writes docs/fault-matrix.md
    python tests/benchmarks/fault_matrix.py --sim embedded     # that one's columns alone
    python tests/benchmarks/fault_matrix.py --sim ardupilot --seeds 2 pilot GPS  # prints those rows
    python tests/benchmarks/fault_matrix.py --table            # writes what was flown last
    python tests/benchmarks/fault_matrix.py --seeds 5 --write loss bursts  # flies and writes those

Every run is kept in build/fault-matrix.jsonl, the last of each fault, simulator and seed; the table
is made of what is there; a row that was not flown on both stays as it stands in it. Exits with 1
where an invariant did not hold in any run, 2 where there is no ArduCopter.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from tests.flights.matrix import Row

SIMS = ("embedded", "ardupilot")
SEEDS = {"embedded": 5, "ardupilot": 3}
SPEEDUP = 5.0
RESULTS = ROOT / "build" / "fault-matrix.jsonl"
DOCUMENT = ROOT / "docs" / "fault-matrix.md"
HEAD = f"""# Fault matrix

Whole operations over MAVLink bytes, each under one fault struck at a moment chosen by seed: one
drone, a sortie with a pass of 10 m at 1 m/s and a hover; on the embedded copter and on ArduCopter
4.7.0-dev in its own simulator at {SPEEDUP:g} times speed. Measured by
`python tests/benchmarks/fault_matrix.py`, which writes this table; judged by each simulator's own
truth, not by the record: the embedded copter's, and ArduCopter's dataflash logs (the simulator's
place, the servo's output, the mission at the head of each log). A seed of each runs as a test on
the embedded copter, some on ArduCopter (`tests/flights/test_fault_matrix.py`).

Held in every run, or the command fails:

- nobody armed with an unverified mission (what the copter held, whenever its motors were armed, is
  one of the compiled missions, rests included);
- no litre outside the spots (5 m from a pass) later than 0.5 s after the fault could be seen;
- nothing lost: every spot got its dose, or is named as skipped with a reason;
- every drone stands disarmed at the end.

Each cell holds two figures: the embedded copter's, then ArduCopter's. "done" is runs in which
everything was sprayed, rests included; the others were brought to an end with what is left named.
"armed" is how often the motors were armed in a run. "late" is litres outside the spots after those
0.5 s, "outside" over the whole flight. "gap" is metres of the pass under 40 % of its dose where the
operation says "done", "double" metres over 160 %; both are the worst of all runs, at 1 m/s.

What a silence hid of a pass counts where both of its ends prove it; what they do not is sprayed
again and is in "double" (docs/flying.md, "When a link breaks"). In 120 more flights of "loss in
bursts" on the embedded copter (seeds 0 to 119) one had more than 1 m, 1.2 m; of "link silent amid a
pass, and back" none. Five more of "loss in bursts" on ArduCopter left two undone, and one sprayed
1.8 m twice. Not done are flights that a silence of 5 s upwards sent home before their last pass, 22
of those 120. A stuck pump does not obey: what it sprays on its way home is in "outside" and is nobody's to
prevent but the pilot's (power off). A copter whose motor failed may stay armed where it lies, as
ArduCopter does: it is named, its pump is off, and nobody disarms it by force. "Clock skew" is a
signed link whose two clocks are up to two days apart; the ground's leaps by as much, either way,
amid the pass.

On ArduCopter the second ground station has the second serial line; faults of the vehicle are its
SIM_* parameters and commands; the pilot is its simulated receiver (mode switch, throttle stick).
The tank is counted from the servo's output, since its simulator's own holds 0.25 L: dry means that
no more counts. A tank that leaks loses everything at once; the crew looks into it after the
landing. The simulator blows its wind, and the vehicle tells none without drag parameters: a person
gives the measured speed by the order `wind`. The flood of STATUSTEXT is its own, drawn by mode
changes that it refuses. Every class of the list could be made on the binary; only `tank-leak` and
`tank-dry` of `rehearse --fault` cannot, since its simulator neither weighs nor loses agent.

| fault | runs | done | armed | late, L | outside, L | gap, m | double, m | words, embedded | words, ArduCopter |
|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501


def one(job: tuple[str, str, int]) -> tuple[str, str, int, Row]:
    """One run, in a process of the pool."""
    from skymist.sitl.loops import ScaledLoop
    from tests.flights.matrix import EMBEDDED, Where, fly
    from tests.flights.real_machines import real_world
    from tests.flights.troubles import TROUBLES

    logging.disable(logging.CRITICAL)
    sim, name, seed = job
    with tempfile.TemporaryDirectory(prefix="fault-matrix-") as folder:
        where = EMBEDDED
        if sim == "ardupilot":
            world = real_world(None, SPEEDUP, Path(folder) / "sim")
            where = Where(lambda: ScaledLoop(SPEEDUP), world, sim, SPEEDUP)
        return *job, fly(TROUBLES[name], seed, Path(folder) / "record", where)


def cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What one simulator's runs of one fault came to."""
    if not rows:
        return ["-"] * 7
    gaps = [row["gap_m"] for row in rows if row["gap_m"] is not None]
    shown = [
        len(rows),
        sum(row["outcome"] == "done" for row in rows),
        statistics.fmean(row["num_armed"] for row in rows),
        max(row["late_l"] for row in rows),
        max(row["outside_l"] for row in rows),
        max(gaps) if gaps else "-",
        max(row["double_m"] for row in rows),
    ]
    return [f"{value:.2g}" if isinstance(value, float) else str(value) for value in shown]


def words(rows: Sequence[dict[str, Any]]) -> str:
    """What most of the runs said last."""
    said = Counter(row["text"].split("(")[0].strip()[:70] for row in rows)
    return said.most_common(1)[0][0] if said else "not flown"


def line(name: str, kept: Iterable[dict[str, Any]]) -> str:
    """One row of the table."""
    runs = {sim: [r for r in kept if (r["fault"], r["sim"]) == (name, sim)] for sim in SIMS}
    pairs = zip(*(cells(runs[sim]) for sim in SIMS), strict=True)
    both = [" / ".join(pair) for pair in pairs]
    return f"| {' | '.join([name, *both, *(words(runs[sim]) for sim in SIMS)])} |"


def read_kept() -> dict[tuple[str, str, int], dict[str, Any]]:
    """The last run of each fault, simulator and seed."""
    found = {}
    if RESULTS.exists():
        for text in RESULTS.read_text("utf-8").splitlines():
            row = json.loads(text)
            found[row["sim"], row["fault"], row["seed"]] = row
    return found


def keep(sim: str, name: str, seed: int, row: Row, commit: str) -> dict[str, Any]:
    """Add one run to what is kept."""
    values = asdict(row)
    values["gap_m"] = None if math.isnan(row.gap_m) else row.gap_m
    kept = {"sim": sim, "fault": name, "seed": seed, "commit": commit, **values}
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(kept) + "\n")
    return kept


def write(kept: Iterable[dict[str, Any]], names: Iterable[str]) -> None:
    """Put the table into the document; rows not flown and what follows it there stay."""
    kept = list(kept)
    old = DOCUMENT.read_text("utf-8").partition("\n## ") if DOCUMENT.exists() else ("", "", "")
    stand = {row.split("|")[1].strip(): row for row in old[0].splitlines() if row.startswith("|")}
    flown = {(row["fault"], row["sim"]) for row in kept}
    lines = [
        line(name, kept)
        if name not in stand or all((name, sim) in flown for sim in SIMS)
        else stand[name]
        for name in names
    ]
    text = HEAD + "\n".join(lines) + "\n"
    DOCUMENT.write_text(text + old[1] + old[2], "utf-8")


def main() -> int:
    """Fly, print, write."""
    from skymist.sitl.binaries import find_arducopter
    from tests.flights.troubles import TROUBLES

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sim", choices=(*SIMS, "all"), default="all")
    parser.add_argument("--seeds", type=int, help=f"from 0; {SEEDS} unless given")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="fly nothing, write the table")
    parser.add_argument("--write", action="store_true", help="write the table, names or not")
    parser.add_argument("names", nargs="*", help="parts of names; all where none is given")
    asked = parser.parse_args()
    sims = SIMS if asked.sim == "all" else (asked.sim,)
    if "ardupilot" in sims and find_arducopter(None).binary is None:
        print("no arducopter here: --sim embedded flies without", file=sys.stderr)
        return 2
    if asked.table:
        write(read_kept().values(), TROUBLES)
        return 0
    names = [n for n in TROUBLES if not asked.names or any(part in n for part in asked.names)]
    jobs = [
        (sim, name, seed)
        for sim in sims
        for name in names
        for seed in range(asked.first, asked.seeds or SEEDS[sim])
    ]
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    num_breaches = 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        for sim, name, seed, row in pool.map(one, jobs):
            keep(sim, name, seed, row, head.stdout.strip())
            print(f"{sim}: {name}, seed {seed}: {row.outcome}: {row.text[:90]}", flush=True)
            for breach in row.breaches:
                num_breaches += 1
                print(f"BREACH {sim}, {name}, seed {seed}: {breach}", flush=True)
    kept = read_kept().values()
    print("\n".join(line(name, kept) for name in names))
    if asked.write or not asked.names:
        write(kept, TROUBLES)
    return 1 if num_breaches else 0


if __name__ == "__main__":
    sys.exit(main())
