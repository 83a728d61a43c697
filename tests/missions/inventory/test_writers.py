"""Programs that change one inventory at once, and programs that are killed while they do."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from skymist.missions.inventory.book import read_book
from skymist.missions.inventory.changes import outside
from skymist.missions.ledger.spots import bodies_of
from skymist.missions.ledger.store import open_ledger
from skymist.missions.ledger.verify import verify
from tests.missions.inventory.places import community

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from pathlib import Path
from skymist.missions.errors import FormatError
from skymist.missions.inventory.adding import edition
from skymist.missions.inventory.book import read_book
from skymist.missions.inventory.changes import commit
site, ledger, name, num = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
print("begun", flush=True)
for k in range(num):
    while True:
        try:
            book = read_book(site)
            note = book.state("bin-1").get("note", "")
            change = edition(book, "bin-1", {"note": f"{note} {name}{k}".strip()[-400:]})
            commit(book, [change], ledger, by=name)
            break
        except FormatError as exc:
            assert "another program" in str(exc), exc
    print(k, flush=True)
"""


def writer(site: Path, ledger: Path, name: str, num: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(site), str(ledger), name, str(num)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_programs_at_once_lose_no_change(tmp_path: Path) -> None:
    site, ledger = community(tmp_path), tmp_path / "l"
    programs = [writer(site, ledger, name, 12) for name in "ab"]
    for program in programs:
        program.communicate(timeout=120)
        assert program.returncode == 0
    note = read_book(site).state("bin-1")["note"].split()
    assert sorted(note) == sorted(f"{name}{k}" for name in "ab" for k in range(12))
    with open_ledger(ledger) as held:
        assert len(list(bodies_of(held))) == 24
        assert outside(read_book(site), held) == []
    assert verify(ledger).broken is None


def test_a_kill_leaves_a_whole_layer_and_a_whole_ledger(tmp_path: Path) -> None:
    site, ledger, rng = community(tmp_path), tmp_path / "l", random.Random(3)
    for number in range(6):
        with writer(site, ledger, f"k{number}-", 1000) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "begun\n"
            time.sleep(rng.uniform(0.05, 0.6))
            program.kill()
            said = [line for line in program.stdout.read().split() if line.isdigit()]
        json.loads((tmp_path / "spots.geojson").read_text(encoding="utf-8"))
        book = read_book(site)
        with open_ledger(ledger, community=book.community) as held:
            told = [b["after"]["note"] for b in bodies_of(held) if b["by"] == f"k{number}-"]
            apart = outside(book, held)
        # All that was said to be written is in the ledger. The layer is as its last row says, or
        # one change ahead: the kill came between the file and the row.
        assert len(told) >= len(said)
        assert len(apart) <= 1
        assert verify(ledger).broken is None
        assert len(read_book(site).items) == 5
