"""A ledger of 100,000 treatments: how long `due` and `verify` take; months replayed; 1,000 kills.

    python tests/benchmarks/ledger_bench.py [--kills 1000] [--months 10]
        [--doc docs/ledger-benchmark.md]

The site is examples/kouvola (its layers lie beside the project). Each killed program adds records
of 20 treatments one after the other and says on its standard output which are committed; it is
killed with SIGKILL within 200 ms of its first word.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skymist.coverage.site import Site
from skymist.missions.ledger.due import due
from skymist.missions.ledger.store import open_ledger
from skymist.missions.ledger.treatments import add_record
from skymist.missions.ledger.verify import verify
from skymist.missions.site import read_site
from tests.missions.ledger.books import MORNING, flown
from tests.missions.ledger.month import Month, lived
from tests.missions.ledger.writers import SPOTS, write

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "examples" / "kouvola" / "site.yaml"
NUM_TREATMENTS = 100_000
LATE_S = 0.2
DIFFERENCES = ("forgotten", "early", "mislevelled")
DAY = date(2027, 6, 30)


def fill(path: Path) -> float:
    """Write the treatments, a record a day with a tenth missed or partial; seconds it took."""
    site, rng, began = kouvola(), random.Random(1), time.perf_counter()
    ids, num = [spot.id for spot in site.spots], 0
    while num < NUM_TREATMENTS:
        day = MORNING + timedelta(days=num // len(ids))
        outcomes = {s: rng.choices(("treated", "partial", "missed"), (8, 1, 1))[0] for s in ids}
        made = flown(day, outcomes, site=site.name, each_min=1)
        add_record(path, made, now=day + timedelta(hours=12))
        num += len(ids)
    return time.perf_counter() - began


def timed(work: Callable[[], object], num: int = 5) -> tuple[float, float]:
    """Medians of wall seconds and of CPU seconds, children's too."""
    walls, cpus = [], []
    for _ in range(num):
        wall, cpu = time.perf_counter(), _cpu_s()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(_cpu_s() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def _cpu_s() -> float:
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def command(path: Path) -> None:
    """The whole command in a process of its own."""
    line = [sys.executable, "-m", "skymist.flight.cli", "due", str(SITE), "--ledger", str(path)]
    subprocess.run([*line, "--on", str(DAY), "--json"], check=True, stdout=subprocess.DEVNULL)


@lru_cache(maxsize=1)
def kouvola() -> Site:
    """The site, read once."""
    return read_site(SITE)


def query(path: Path) -> None:
    """What is due, of a site that is in memory."""
    site = kouvola()
    with open_ledger(path, reads=site.name) as ledger:
        due(site, ledger, DAY)


def killed(path: Path, writer: int, rng: random.Random) -> set[str]:
    """A forked program that writes until it is killed; the hashes that it said were committed."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        with os.fdopen(sink, "w") as out, contextlib.redirect_stdout(out):
            write(path, writer, 10_000)
        os._exit(0)
    os.close(sink)
    with os.fdopen(source) as told:
        told.readline()
        time.sleep(rng.uniform(0.0, LATE_S))
        os.kill(child, 9)
        lines = told.read().split("\n")[:-1]
    os.waitpid(child, 0)
    return set(lines)


def kills(folder: Path, num: int) -> tuple[int, int, int, int]:
    """Committed records; those lost; records with other than all their rows; kills in a commit."""
    rng, told, lost, half, amid, books = random.Random(8), 0, 0, 0, 0, 0
    while books * 50 < num:
        path, said = folder / f"k{books}.ledger", set[str]()
        for number in range(min(50, num - books * 50)):
            said |= killed(path, number, rng)
            journal = path.with_name(path.name + "-journal")
            amid += journal.exists() and journal.stat().st_size > 0
            if not said:
                continue
            with open_ledger(path) as ledger:
                counted = dict(
                    ledger.select(
                        "SELECT record, count(*) - 1 FROM entries WHERE record IS NOT NULL "
                        "GROUP BY record"
                    )
                )
            lost += len(said - set(counted))
            half += sum(count != len(SPOTS) for count in counted.values())
        assert verify(path).broken is None
        told, books = told + len(said), books + 1
    return told, lost, half, amid


def months(folder: Path, num: int) -> list[tuple[str, str]]:
    """Months of Kouvola, each with its own seed, beside the replay of tests/missions/ledger."""
    site, all_ = kouvola(), list[Month]()
    for seed in range(num):
        all_.append(lived(site, folder / f"m{seed}.ledger", seed=seed))
    found = sum(month.num_findings for month in all_)
    kept = sum(month.num_changes for month in all_)
    due_, done = sum(m.num_due for m in all_), sum(m.num_treated for m in all_)
    wrong = [sum(len(d) for d in (getattr(m, key) for m in all_)) for key in DIFFERENCES]
    return [
        (f"{num} months of 30 days: findings, changes of level kept", f"{found:,}, {kept:,}"),
        ("spots said to be due, treated whole", f"{due_:,}, {done:,}"),
        ("due but not said, said but not due, of another level", ", ".join(map(str, wrong))),
    ]


def document(rows: list[tuple[str, str]]) -> str:
    """The page of the docs."""
    lines = [
        "# The ledger measured",
        "",
        "`python tests/benchmarks/ledger_bench.py --doc docs/ledger-benchmark.md`, on a machine of",
        f"two cores that others used too (load {os.getloadavg()[0]:.1f}). Kouvola, 278 spots,",
        "a record of all of them each day; medians of five.",
        "",
        "| what | figure |",
        "|---|---|",
        *(f"| {name} | {figure} |" for name, figure in rows),
        "",
        "A month is lived through the real ledger with findings from a seeded stream, spots",
        "missed or treated in part, and crews that stay away; a replay that shares no code with it",
        "says for each spot and day what its level should be and whether it is due.",
        "The reports of that month are made up; `tests/flights/test_due_from_flights.py` lives",
        "five days with records that the embedded copter flew, a day's plan from what is due, the",
        "next day from its record.",
        "",
        "Each killed program adds records of 20 treatments and says which are committed; it is",
        "killed with SIGKILL within 200 ms. After each kill every record that was said to be",
        "committed is looked up; after each 50 the chain is verified.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the page, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--months", type=int, default=10)
    parser.add_argument("--doc", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "k.ledger"
        fill_s = fill(path)
        size_mb = path.stat().st_size / 1e6
        rows = [(f"{NUM_TREATMENTS:,} treatments entered", f"{fill_s:.1f} s, {size_mb:.0f} MB")]
        works: tuple[tuple[str, Callable[[], object]], ...] = (
            ("`skymist due`, the whole command with reading the site", lambda: command(path)),
            ("what is due, site in memory", lambda: query(path)),
            ("`skymist ledger verify`", lambda: verify(path)),
        )
        query(path)
        for text, work in works:
            wall_s, cpu_s = timed(work)
            rows.append((text, f"{wall_s:.2f} s ({cpu_s:.2f} s of CPU)"))
        lives = months(Path(name), args.months)
        told, lost, half, amid = kills(Path(name), args.kills)
    rows += [
        *lives,
        (f"{args.kills:,} kills: records committed by then, lost", f"{told:,}, {lost}"),
        ("records with a row too few or too many", str(half)),
        ("kills that left a transaction under way", str(amid)),
    ]
    page = document(rows)
    print(page)
    if args.doc:
        args.doc.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
