"""Whatever is done to a ledger's rows, verify names it; what only a noted head shows is shown."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.missions.errors import FormatError
from skymist.missions.ledger.store import TABLES
from skymist.missions.ledger.verify import verify
from tests.missions.ledger.books import book

NUM_ROWS = 1 + 3 * 3
Rows = list[list[object]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return book(tmp_path_factory.mktemp("books") / "whole.ledger")


def rows_of(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as database:
        return [
            list(r)
            for r in database.execute("SELECT seq, prev, hash, body FROM entries ORDER BY seq")
        ]


def rewrite(path: Path, rows: Rows) -> None:
    """Put other rows in, as somebody would who owns the file: triggers off, then on again."""
    with closing(sqlite3.connect(path)) as database:
        triggers = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DELETE FROM entries")
        database.executemany(
            "INSERT INTO entries (seq, prev, hash, body) VALUES (?, ?, ?, ?)", rows
        )
        for _, sql in triggers:
            database.execute(sql)
        database.commit()


def own_hash(row: list[object]) -> str:
    """The hash as the docs describe it, reckoned without the program."""
    whole = {"body": json.loads(str(row[3])), "prev": row[1], "seq": row[0]}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def test_whole_ledger_holds_and_its_hashes_are_those_of_the_docs(whole: Path) -> None:
    found = verify(whole)
    assert (found.broken, found.num_rows, found.notes) == (None, NUM_ROWS, ())
    rows = rows_of(whole)
    assert [own_hash(row) for row in rows] == [row[2] for row in rows]
    assert found.head == rows[-1][2]
    assert verify(whole, found.head[:16]).broken is None


def test_no_program_changes_a_row_by_mistake(whole: Path) -> None:
    with closing(sqlite3.connect(whole)) as database:
        for statement in ("UPDATE entries SET hash = 'x'", "DELETE FROM entries WHERE seq = 2"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                database.execute(statement)


ROW = st.integers(0, NUM_ROWS - 1)


@settings(max_examples=60, deadline=None)
@given(
    how=st.sampled_from(["change", "delete", "insert", "reorder", "back-date", "rehash"]),
    at=ROW,
    other=ROW,
    is_renumbered=st.booleans(),
)
def test_tampering_is_found(
    whole: Path,
    tmp_path_factory: pytest.TempPathFactory,
    how: str,
    at: int,
    other: int,
    is_renumbered: bool,
) -> None:
    rows = rows_of(whole)
    first = at
    match how:
        case "change":
            body = json.loads(str(rows[at][3]))
            body["operator"] = "somebody else"
            rows[at][3] = json.dumps(body, sort_keys=True, separators=(",", ":"))
        case "delete":
            del rows[at]
            is_renumbered = is_renumbered and at < NUM_ROWS - 1
        case "insert":
            body = json.dumps(json.loads(str(rows[at][3])) | {"record": "e" * 64})
            copy: list[object] = [0, rows[at][1], "f" * 64, body]
            rows[at][1] = copy[2]
            rows.insert(at, copy)
            is_renumbered = True
        case "reorder":
            other = other if other != at else (at + 1) % NUM_ROWS
            rows[at], rows[other] = rows[other], rows[at]
            first, is_renumbered = min(at, other), True
        case "back-date" | "rehash":
            body = json.loads(str(rows[at][3]))
            body["added_utc"] = "2026-06-01T06:00:00+00:00"
            rows[at][3] = json.dumps(body, sort_keys=True, separators=(",", ":"))
            if how == "rehash":
                rows[at][2] = own_hash(rows[at])
                first = at + 1
    if is_renumbered:
        for seq, row in enumerate(rows, start=1):
            row[0] = seq
    path = tmp_path_factory.mktemp("tampered") / "t.ledger"
    shutil.copy(whole, path)
    rewrite(path, rows)
    if how == "rehash" and at == NUM_ROWS - 1:
        # The last row, written anew with its own hash, is seen against a noted head alone.
        found = verify(path, str(rows_of(whole)[-1][2]))
        assert found.broken is not None
        assert "noted head" in found.broken.text
        return
    found = verify(path)
    assert found.broken is not None
    expected = first + 1
    gap = how == "delete" and not is_renumbered and at < NUM_ROWS - 1
    assert found.broken.seq == (expected + 1 if gap else expected)


@pytest.mark.parametrize("num_rows", [3, 6])
def test_whole_records_taken_from_the_end_are_missed(
    whole: Path, tmp_path: Path, num_rows: int
) -> None:
    path = tmp_path / "t.ledger"
    shutil.copy(whole, path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER no_removal")
        database.execute("DELETE FROM entries WHERE seq > ?", (NUM_ROWS - num_rows,))
        (sql,) = [sql for sql in TABLES if "no_removal" in sql]
        database.execute(sql)
        database.commit()
    broken = verify(path).broken
    assert broken is not None
    assert broken.seq == NUM_ROWS - num_rows + 1
    assert f"wanted {NUM_ROWS} rows, found {NUM_ROWS - num_rows}" in broken.text


@pytest.mark.parametrize("seq", range(1, NUM_ROWS + 1))
def test_a_link_alone_that_was_changed_is_named(whole: Path, tmp_path: Path, seq: int) -> None:
    """The hash of a row is of its link too, but is reckoned anew from the row before."""
    rows, path = rows_of(whole), tmp_path / "t.ledger"
    shutil.copy(whole, path)
    rows[seq - 1][1] = "e" * 64
    rewrite(path, rows)
    broken = verify(path).broken
    assert broken is not None
    assert (broken.seq, broken.text) == (seq, "does not follow the row before it")


def test_rewritten_chain_is_seen_against_a_noted_head(whole: Path, tmp_path: Path) -> None:
    noted, path = verify(whole).head, tmp_path / "r.ledger"
    shutil.copy(whole, path)
    rows, prev = rows_of(whole), "0" * 64
    for row in rows:
        row[3] = str(row[3]).replace("2026-07-02", "2026-07-01")
        row[1], row[2] = prev, own_hash([row[0], prev, "", row[3]])
        prev = str(row[2])
    rewrite(path, rows)
    assert verify(path).broken is None
    broken = verify(path, noted).broken
    assert broken is not None
    assert "rewritten or cut" in broken.text


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER no_change",
        "DROP INDEX treated",
        "ALTER TABLE entries ADD COLUMN note TEXT",
    ],
)
def test_changed_tables_are_named(whole: Path, tmp_path: Path, statement: str) -> None:
    path = tmp_path / "t.ledger"
    shutil.copy(whole, path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()
    broken = verify(path).broken
    assert broken is not None
    assert "tables" in broken.text


@settings(max_examples=40, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_byte_of_a_body_or_hash(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, place: float, flip: int
) -> None:
    """A byte changed on the disk, within what the rows hold, is found."""
    data = bytearray(whole.read_bytes())
    row = rows_of(whole)[int(place * NUM_ROWS)]
    text = str(row[2]) + str(row[3])
    begin = data.index(text.encode("ascii"))
    data[begin + int(place * len(text))] ^= flip
    path = tmp_path_factory.mktemp("bytes") / "t.ledger"
    path.write_bytes(data)
    assert verify(path).broken is not None


def test_clock_that_went_back_is_noted(tmp_path: Path) -> None:
    from datetime import timedelta

    from skymist.missions.ledger.treatments import add_record
    from tests.missions.ledger.books import MORNING, flown

    path = tmp_path / "t.ledger"
    for began in (MORNING, MORNING - timedelta(days=9)):
        add_record(path, flown(began), now=began + timedelta(hours=1))
    found = verify(path)
    assert found.broken is None
    assert len(found.notes) == 1
    assert "row 4: entered at 2026-06-22" in found.notes[0]


def test_no_ledger_or_no_head_is_bad_input(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="found none"):
        verify(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (tmp_path / "text").write_text("a text that is long enough to be no database" * 9)
    with pytest.raises(FormatError, match="another file"):
        verify(tmp_path / "text")
    for head in ("abc", "z" * 64):
        with pytest.raises(FormatError, match="hex digits"):
            verify(whole, head)
