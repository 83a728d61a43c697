"""Rows that hold each other: canonical JSON, the hash of the row before, the first broken link.

Pure; the file is `missions.ledger.store`'s.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = "0" * 64
"""What stands for the hash of the row before the first."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as it lies in the file: `seq` from 1, hashes in hex, `text` the canonical body."""

    seq: int
    prev: str
    hash: str
    text: str

    @property
    def body(self) -> Body:
        """What the row says."""
        found: Body = json.loads(self.text)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where a chain does not hold: the row (0: the file as a whole), and what is wrong."""

    seq: int
    text: str


def canonical(value: Any) -> str:
    """JSON that is the same text for the same value: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def hash_of(seq: int, prev: str, text: str) -> str:
    """SHA-256, in hex, of the canonical JSON of a row: its body, the hash before, its number."""
    return hashlib.sha256(f'{{"body":{text},"prev":"{prev}","seq":{seq}}}'.encode()).hexdigest()


def linked(bodies: Iterable[Body], last_seq: int, last_hash: str) -> list[Row]:
    """The rows of these bodies behind the last one."""
    rows = []
    for seq, body in enumerate(bodies, start=last_seq + 1):
        text = canonical(body)
        row = Row(seq=seq, prev=last_hash, hash=hash_of(seq, last_hash, text), text=text)
        rows.append(row)
        last_hash = row.hash
    return rows


def first_break(rows: Iterable[Row]) -> Break | None:
    """The first row that does not hold, or does not follow the one before; None where all do."""
    prev = FIRST
    for seq, row in enumerate(rows, start=1):
        if row.seq != seq:
            return Break(seq=row.seq, text=f"wanted row {seq}, found {row.seq}: one is lost")
        if row.prev != prev:
            return Break(seq=seq, text="does not follow the row before it")
        if row.hash != hash_of(seq, prev, row.text):
            return Break(seq=seq, text="was altered: its hash is another")
        prev = row.hash
    return None
