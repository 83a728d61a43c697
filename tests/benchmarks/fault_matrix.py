"""Every fault in the list, several seeds each, on the embedded copter: what came of each flight.

    python tests/benchmarks/fault_matrix.py                     # writes docs/fault-matrix.md
    python tests/benchmarks/fault_matrix.py --seeds 2 pilot     # prints, writes nothing

Exits with 1 where an invariant did not hold in any run.
"""

from __future__ import annotations

import argparse
import logging
import math
import statistics
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from tests.flights.matrix import Row

HEAD = """# Fault matrix

Whole operations on the embedded copter over MAVLink bytes, each under one fault struck at a moment
chosen by seed: one drone, a sortie with a pass of 10 m at 1 m/s and a hover. Measured by
`python tests/benchmarks/fault_matrix.py` ({seeds} seeds each); judged by the simulator's truth, not
by the record. A few seeds of each run as tests (`tests/flights/test_fault_matrix.py`).

Held in every run, or the command fails:

- nobody armed with an unverified mission (what the copter held, whenever its motors were armed, is
  one of the compiled missions, rests included);
- no litre outside the spots (5 m from a pass) later than 0.5 s after the fault could be seen;
- nothing lost: every spot got its dose, or is named as skipped with a reason;
- every drone stands disarmed at the end.

"done" is everything sprayed, rests included; "incomplete" is brought to an end with what is left
named. "late" is litres outside the spots after those 0.5 s, "outside" over the whole flight. "gap"
is metres of the pass under 40 % of its dose where the operation says "done", "double" metres over
160 %; both are the worst of all runs, at 1 m/s. A stuck pump does not obey: what it sprays on its
way home is in "outside" and is nobody's to prevent but the pilot's (power off). "Clock skew" is a
signed link whose two clocks are up to two days apart; the ground's leaps by as much, either
way, amid the pass.

On real ArduCopter only the events of the table further down are measured, by what they spray; the
other faults of this list were not flown on it here.

| fault | runs | done | incomplete | armed | late, L | outside, L | gap, m | double, m | words |
|---|---|---|---|---|---|---|---|---|---|
"""


def one(job: tuple[str, int]) -> tuple[str, int, Row]:
    """One run, in a process of the pool."""
    from tests.flights.matrix import fly
    from tests.flights.troubles import TROUBLES

    logging.disable(logging.CRITICAL)
    name, seed = job
    with tempfile.TemporaryDirectory() as folder:
        return name, seed, fly(TROUBLES[name], seed, Path(folder) / "record")


def line(name: str, rows: list[Row]) -> str:
    """One row of the table."""
    outcomes = Counter(row.outcome for row in rows)
    gaps = [row.gap_m for row in rows if not math.isnan(row.gap_m)]
    words = Counter(row.text.split("(")[0].strip()[:70] for row in rows).most_common(1)[0][0]
    shown = [
        name,
        len(rows),
        outcomes["done"],
        len(rows) - outcomes["done"],
        statistics.fmean(row.num_armed for row in rows),
        max(row.late_l for row in rows),
        max(row.outside_l for row in rows),
        max(gaps) if gaps else "-",
        max(row.double_m for row in rows),
        words,
    ]
    cells = [f"{value:.2g}" if isinstance(value, float) else str(value) for value in shown]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Fly, print, write."""
    from tests.flights.troubles import TROUBLES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*", help="parts of names; all where none is given")
    asked = parser.parse_args()
    names = [n for n in TROUBLES if not asked.names or any(part in n for part in asked.names)]
    rows: dict[str, list[Row]] = {name: [] for name in names}
    num_breaches = 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        for name, seed, row in pool.map(one, [(n, k) for n in names for k in range(asked.seeds)]):
            rows[name].append(row)
            for breach in row.breaches:
                num_breaches += 1
                print(f"BREACH {name}, seed {seed}: {breach}", flush=True)
            if len(rows[name]) == asked.seeds:
                print(line(name, rows[name]), flush=True)
    if not asked.names:
        text = HEAD.format(seeds=asked.seeds) + "\n".join(line(n, rows[n]) for n in names) + "\n"
        place = ROOT / "docs" / "fault-matrix.md"
        kept = place.read_text("utf-8").partition("\n## ") if place.exists() else ("", "", "")
        place.write_text(text + kept[1] + kept[2], "utf-8")
    return 1 if num_breaches else 0


if __name__ == "__main__":
    sys.exit(main())
