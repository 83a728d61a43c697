"""Whether a ledger still is what was written: the first broken link, or none.

A chain proves that nothing in it was changed after the hash of its head was noted elsewhere. Who
owns the file can write a whole new chain: only a noted head shows that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.missions.errors import FormatError, LedgerError
from skymist.missions.ledger.chain import Break, first_break
from skymist.missions.ledger.store import TABLES, open_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from skymist.missions.ledger.chain import Row
    from skymist.missions.ledger.store import Ledger

HEAD_LEAST = 16
"""Fewest hex digits of a noted head: 64 bits. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found. `broken` is the first broken link; `notes` do not break the chain."""

    num_rows: int
    head: str
    broken: Break | None
    notes: tuple[str, ...]


def verify(path: Path, noted_head: str = "") -> Verdict:
    """Judge a ledger, whoever changed it; with a head that was noted, whether it is still in it.

    Raises
    ------
    FormatError
        Where there is no ledger, or the noted head is none.
    """
    noted = noted_head.strip().lower()
    if noted and (len(noted) < HEAD_LEAST or set(noted) - set("0123456789abcdef")):
        wanted = f"--head: wanted {HEAD_LEAST} to 64 hex digits"
        raise FormatError(f"{wanted}, found {noted_head!r}")
    rows: list[Row] = []
    try:
        with open_ledger(path) as ledger, ledger.snapshot():
            broken = _file_break(ledger)
            rows = list(ledger.rows()) if broken is None else []
            broken = broken or first_break(rows) or _lost_tail(ledger, rows)
    except LedgerError as exc:
        broken = Break(seq=0, text=f"cannot be read: {exc}")
    broken = broken or _short_record(rows)
    if broken is None and noted and not any(row.hash.startswith(noted) for row in rows):
        broken = Break(seq=0, text="the noted head is not in it: the chain was rewritten or cut")
    notes = () if broken else _notes(rows)
    return Verdict(
        num_rows=len(rows), head=rows[-1].hash if rows else "", broken=broken, notes=notes
    )


def _file_break(ledger: Ledger) -> Break | None:
    """What is wrong with the file itself: its tables, or the way they lie on the disk."""
    found = ledger.select(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'sqlite_sequence'"
    )
    if sorted(str(sql) for (sql,) in found) != sorted(TABLES):
        return Break(seq=0, text="its tables, indexes or triggers were changed")
    ((health,), *_) = ledger.select("PRAGMA integrity_check(1)")
    return None if health == "ok" else Break(seq=0, text=f"the file is damaged: {health}")


def _lost_tail(ledger: Ledger, rows: Sequence[Row]) -> Break | None:
    """Rows taken from the end: SQLite remembers how many there were."""
    counted = ledger.select("SELECT seq FROM sqlite_sequence WHERE name = 'entries'")
    most = max((int(seq) for (seq,) in counted), default=0)
    if not rows or most != len(rows):
        return Break(
            seq=len(rows) + 1, text=f"wanted {most} rows, found {len(rows)}: rows are lost"
        )
    return None


def _short_record(rows: Sequence[Row]) -> Break | None:
    """A record's row says how many treatments follow it: they must, and no others."""
    record, left = "", 0
    for row in rows:
        try:
            body = json.loads(row.text)
        except ValueError:
            return Break(seq=row.seq, text="is no JSON")
        is_of_record = body.get("kind") == "treatment" and not body.get("by_hand")
        if is_of_record != (left > 0) or (is_of_record and body.get("record") != record):
            return Break(seq=row.seq, text="a record has more or fewer treatments than it says")
        left -= is_of_record
        if body.get("kind") == "record":
            record, left = body["record"], body["num_treatments"]
    return Break(seq=len(rows) + 1, text="the last record lacks treatments") if left else None


def _notes(rows: Sequence[Row]) -> tuple[str, ...]:
    """Where the clock went back between two rows: a clock set right, or one set wrong."""
    notes, before = [], ""
    for row in rows:
        added = str(row.body.get("added_utc", ""))
        if added < before:
            notes.append(f"row {row.seq}: entered at {added}, before row {row.seq - 1} ({before})")
        before = added
    return tuple(notes)
