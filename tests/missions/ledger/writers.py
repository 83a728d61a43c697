"""Programs of their own that write a ledger, to be killed, raced or starved of disk."""

from __future__ import annotations

import resource
import sys
from datetime import timedelta
from pathlib import Path

from skymist.missions.errors import LedgerError
from skymist.missions.ledger.treatments import add_record
from tests.missions.ledger.books import MORNING, flown

SPOTS = {f"bin-{k}": "treated" for k in range(20)}


def write(path: Path, writer: int, num_records: int) -> None:
    """Add records one after the other; a line on stdout for each that is committed."""
    print("ready", flush=True)
    for number in range(num_records):
        began = MORNING + timedelta(days=number, seconds=writer)
        made = flown(began, SPOTS)
        add_record(path, made, now=began + timedelta(hours=9))
        print(made.sha256, flush=True)


def write_until_full(path: Path, limit_bytes: int) -> None:
    """The same on a disk that takes no file above so many bytes; says how it ended."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    try:
        write(path, 0, 10_000)
    except LedgerError as exc:
        print(f"refused: {exc}", flush=True)


if __name__ == "__main__":
    _, what, place, *numbers = sys.argv
    {"write": write, "full": write_until_full}[what](Path(place), *map(int, numbers))
