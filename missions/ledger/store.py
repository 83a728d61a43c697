"""The ledger's file: one SQLite database for a community, to which rows are only ever added.

A batch of rows is one transaction: all of it is there, or nothing. Writers wait for each other.
The columns that are searched are reckoned by SQLite from the row's body, so that they cannot say
anything else. `missions.ledger.verify` judges a file that somebody may have changed.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from skymist.missions.errors import FormatError, LedgerError
from skymist.missions.ledger.chain import FIRST, Body, Row, hash_of, linked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SCHEMA = 1
APPLICATION_ID = 0x534B594D
"""SKYM: SQLite keeps it in the file's header."""
WAIT_S = 60.0
"""How long a writer waits for another. [P]"""
_SEARCHED = {
    **dict.fromkeys(("kind", "spot", "mode", "outcome", "ended_utc"), "TEXT"),
    **dict.fromkeys(("contact_until_utc", "record", "operation"), "TEXT"),
    "is_rehearsal": "INTEGER",
}
TABLES = (
    "CREATE TABLE entries (seq INTEGER PRIMARY KEY AUTOINCREMENT, prev TEXT NOT NULL UNIQUE, "
    "hash TEXT NOT NULL UNIQUE, body TEXT NOT NULL, "
    + ", ".join(
        f"{key} {kind} GENERATED ALWAYS AS (json_extract(body, '$.{key}')) VIRTUAL"
        for key, kind in _SEARCHED.items()
    )
    + ")",
    "CREATE INDEX treated ON entries (kind, spot, mode, outcome, is_rehearsal, ended_utc)",
    "CREATE INDEX by_spot ON entries (kind, spot)",
    "CREATE INDEX wet ON entries (kind, contact_until_utc)",
    "CREATE INDEX operations ON entries (kind, operation)",
    "CREATE UNIQUE INDEX once ON entries (record) WHERE kind = 'record'",
    "CREATE TRIGGER no_change BEFORE UPDATE ON entries "
    "BEGIN SELECT RAISE(ABORT, 'a ledger is only added to'); END",
    "CREATE TRIGGER no_removal BEFORE DELETE ON entries "
    "BEGIN SELECT RAISE(ABORT, 'a ledger is only added to'); END",
)


def utc_text(moment: datetime) -> str:
    """A moment as every row writes it: UTC, to the second, in an order that texts keep."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


class Ledger:
    """An open ledger. Make one with `open_ledger`."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database

    @property
    def community(self) -> str:
        """Whose ledger it is."""
        (row,) = self.select("SELECT json_extract(body, '$.community') FROM entries WHERE seq = 1")
        return str(row[0])

    def head(self) -> Row:
        """The last row; its hash stands for all that is in the ledger."""
        return next(self.rows("ORDER BY seq DESC LIMIT 1"))

    def rows(self, where: str = "ORDER BY seq", *values: object) -> Iterator[Row]:
        """Rows as they lie there, of a condition and in an order in SQL."""
        for seq, prev, found, body in self.select(
            f"SELECT seq, prev, hash, body FROM entries {where}", *values
        ):
            yield Row(seq=seq, prev=prev, hash=found, text=body)

    def select(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query over `entries` gives.

        Raises
        ------
        LedgerError
            Where the file cannot be read.
        """
        with _told(self.path):
            return self._database.execute(query, values).fetchall()

    def append(self, make: Callable[[Ledger], Sequence[Body]], now: datetime) -> tuple[Row, ...]:
        """Add rows as one transaction and give them; when it returns, the disk has them.

        `make` is called while no other program can write, and gives the bodies, or raises;
        `added_utc` is put into each.

        Raises
        ------
        LedgerError
            The last row does not hold, the file cannot be written (disk full, read only), or
            others wrote for longer than WAIT_S. Nothing is added then.
        """
        with _told(self.path), _writing(self._database):
            last = self.head()
            if last.hash != hash_of(last.seq, last.prev, last.text):
                text = f"{self.path}: row {last.seq} was altered; nothing is added behind it"
                raise LedgerError(f"{text}; see: skymist ledger verify --ledger {self.path}")
            bodies = [{**body, "added_utc": utc_text(now)} for body in make(self)]
            rows = linked(bodies, last.seq, last.hash)
            _insert(self._database, rows)
        return tuple(rows)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """While this lasts, all that is read is of one moment; writers wait."""
        with _told(self.path):
            self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._database.execute("ROLLBACK")


@contextmanager
def open_ledger(
    path: Path, *, community: str = "", reads: str = "", now: datetime | None = None
) -> Iterator[Ledger]:
    """Open a ledger; with the name of its community, one that is not there is begun.

    With `reads` instead, the community's name, it must be there and be that one's.

    Raises
    ------
    FormatError
        Where there is none, or the file is something else, or another community's.
    LedgerError
        Where it cannot be read or written.
    """
    if not community and not path.is_file():
        raise FormatError(f"{path}: wanted a ledger (skymist ledger add), found none")
    mode = "rwc" if community else "rw"
    with _told(path):
        database = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=WAIT_S, isolation_level=None
        )
    try:
        with _told(path):
            # The rollback journal keeps a ledger in one file, which people can copy; EXTRA brings
            # the journal's end to the disk too. Source: sqlite.org/pragma.html#pragma_synchronous
            database.execute("PRAGMA synchronous = EXTRA")
            if community:
                _begin(database, community, now or datetime.now(UTC))
            _require_ours(database, path)
        ledger = Ledger(path, database)
        wanted = community or reads
        if wanted and ledger.community != wanted:
            raise FormatError(
                f"{path}: community: wanted {wanted!r}, found {ledger.community!r}: "
                "one ledger for each community"
            )
        yield ledger
    finally:
        database.close()


def _begin(database: sqlite3.Connection, community: str, now: datetime) -> None:
    """Make the tables and the first row, unless something is there."""
    if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return
    with _writing(database):
        if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return
        for statement in TABLES:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {SCHEMA}")
        first = {"kind": "ledger", "schema": SCHEMA, "community": community}
        _insert(database, linked([{**first, "added_utc": utc_text(now)}], 0, FIRST))


def _insert(database: sqlite3.Connection, rows: Sequence[Row]) -> None:
    database.executemany(
        "INSERT INTO entries (seq, prev, hash, body) VALUES (?, ?, ?, ?)",
        [(row.seq, row.prev, row.hash, row.text) for row in rows],
    )


def _require_ours(database: sqlite3.Connection, path: Path) -> None:
    ours = database.execute("PRAGMA application_id").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if ours != APPLICATION_ID:
        raise FormatError(f"{path}: wanted a ledger, found another SQLite file")
    if version != SCHEMA:
        raise FormatError(f"{path}: schema: wanted {SCHEMA}, found {version}")


@contextmanager
def _writing(database: sqlite3.Connection) -> Iterator[None]:
    """One transaction that keeps other writers out from its first moment."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors in our words."""
    try:
        yield
    except sqlite3.Error as exc:
        if getattr(exc, "sqlite_errorname", "") == "SQLITE_NOTADB":
            raise FormatError(f"{path}: wanted a ledger, found another file") from exc
        raise LedgerError(f"{path}: {exc}; nothing was added") from exc
