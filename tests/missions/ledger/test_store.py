"""Two writers, kills and a full disk: what was committed is there, whole; nothing is there half."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from skymist.missions.errors import FormatError, LedgerError
from skymist.missions.ledger.store import Ledger, open_ledger
from skymist.missions.ledger.treatments import Flown, add_record
from skymist.missions.ledger.verify import verify
from tests.missions.ledger.books import COMMUNITY, MORNING, book, flown
from tests.missions.ledger.writers import SPOTS

ROOT = Path(__file__).resolve().parents[3]
NOW = MORNING + timedelta(hours=9)


def writer(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.missions.ledger.writers", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def held(path: Path) -> dict[str, int]:
    """Records by hash, and how many treatments each has."""
    with open_ledger(path) as ledger:
        found = {row.body["record"]: 0 for row in ledger.rows("WHERE kind = 'record'")}
        for row in ledger.rows("WHERE kind = 'treatment'"):
            found[row.body["record"]] += 1
    return found


@pytest.mark.slow
def test_two_programs_at_once_lose_nothing(tmp_path: Path) -> None:
    path, num = tmp_path / "t.ledger", 15
    programs = [writer("write", path, k, num) for k in range(2)]
    while any(program.poll() is None for program in programs):
        if path.exists() and path.stat().st_size:
            assert verify(path).broken is None
        time.sleep(0.02)
    told = [program.communicate(timeout=120)[0].split()[1:] for program in programs]
    assert [len(lines) for lines in told] == [num, num]
    assert verify(path).broken is None
    assert held(path) == dict.fromkeys([*told[0], *told[1]], len(SPOTS))


def test_a_writer_keeps_others_out_from_its_first_look(tmp_path: Path) -> None:
    """What one adds rests on the rows that it saw: nobody may write in between."""
    path = book(tmp_path / "t.ledger", 1)
    tried = []

    def look(_: Ledger) -> list[dict[str, object]]:
        with closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as exc:
                tried.append(str(exc))
        return [{"kind": "note"}]

    with open_ledger(path) as ledger:
        ledger.append(look, NOW)
    assert tried == ["database is locked"]
    assert verify(path).broken is None


@pytest.mark.slow
def test_kills_during_commits_lose_no_committed_treatment(tmp_path: Path) -> None:
    path, rng, told = tmp_path / "t.ledger", random.Random(8), set[str]()
    for number in range(8):
        program = writer("write", path, number, 10_000)
        assert program.stdout is not None
        program.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.3))
        program.kill()
        told |= set(program.stdout.read().split("\n")[:-1])
        program.wait()
        program.stdout.close()
        if path.exists() and path.stat().st_size:
            found = held(path)
            assert told <= set(found)
            assert set(found.values()) <= {len(SPOTS)}
            assert verify(path).broken is None
    assert told


@pytest.mark.slow
def test_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.ledger"
    program = writer("full", path, 300_000)
    told = program.communicate(timeout=120)[0].splitlines()[1:]
    assert program.returncode == 0
    assert told[-1].startswith(f"refused: {path}: ")
    assert told[-1].endswith("nothing was added")
    assert held(path) == dict.fromkeys(told[:-1], len(SPOTS))
    assert len(told) > 3
    assert verify(path).broken is None


def test_same_record_twice_is_refused(tmp_path: Path) -> None:
    path, made = tmp_path / "t.ledger", flown()
    add_record(path, made, now=NOW)
    head = verify(path).head
    with pytest.raises(LedgerError, match="in the ledger since 2026-07-01T15:00"):
        add_record(path, made, now=NOW + timedelta(days=1))
    assert verify(path).head == head


def test_record_that_was_taken_up_is_added_again_and_an_altered_one_is_not(tmp_path: Path) -> None:
    path, made = tmp_path / "t.ledger", flown()
    add_record(path, made, now=NOW)
    grown = Flown(data=made.data + b"more\n", figures=made.figures)
    rows = add_record(path, grown, now=NOW)
    assert rows[0].body["grown_from"] == made.sha256
    altered = Flown(data=made.data.replace(b"flown", b"fudge"), figures=made.figures)
    with pytest.raises(LedgerError, match="does not go on from it"):
        add_record(path, altered, now=NOW)


def test_rehearsals_are_marked_or_refused(tmp_path: Path) -> None:
    path, made = tmp_path / "t.ledger", flown(is_rehearsal=True)
    with pytest.raises(LedgerError, match="--rehearsal"):
        add_record(path, made, now=NOW)
    assert not path.exists()
    rows = add_record(path, made, takes_rehearsals=True, now=NOW)
    assert all(row.body["is_rehearsal"] for row in rows)


def test_times_to_come_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.ledger"
    with pytest.raises(LedgerError, match="wanted treatments that are over"):
        add_record(path, flown(MORNING + timedelta(days=30)), now=NOW)
    assert not path.exists()


def test_one_ledger_for_each_community(tmp_path: Path) -> None:
    path = book(tmp_path / "t.ledger", 1)
    with pytest.raises(FormatError, match="one ledger for each community"):
        add_record(
            path, flown(MORNING + timedelta(days=1), site="Elsewhere"), now=NOW + timedelta(days=1)
        )
    with open_ledger(path) as ledger:
        assert ledger.community == COMMUNITY


def test_nothing_is_added_behind_an_altered_row(tmp_path: Path) -> None:
    path = book(tmp_path / "t.ledger", 1)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER no_change")
        database.execute("UPDATE entries SET body = '{}' WHERE seq = 4")
        database.commit()
    with pytest.raises(LedgerError, match="row 4 was altered"):
        add_record(path, flown(MORNING + timedelta(days=1)), now=NOW + timedelta(days=1))


def test_other_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE mine (x)")
        database.commit()
    before = path.read_bytes()
    with pytest.raises(FormatError, match="another SQLite file"):
        add_record(path, flown(), now=NOW)
    assert path.read_bytes() == before
