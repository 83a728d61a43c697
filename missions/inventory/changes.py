"""Changes of the inventory: written whole, kept in the community's ledger with who, when and what.

The layer is changed while the ledger is locked, so that two programs lose nothing; a file that was
changed since it was read is not written over. What others changed in the layer (QGIS, an editor)
is kept as such with the next change. `undo` takes back the last change that still stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from skymist.missions.errors import FormatError, SiteFileError
from skymist.missions.inventory.book import Book, rewritten
from skymist.missions.inventory.photos import photo_faults
from skymist.missions.inventory.states import State, changed_keys, value_text
from skymist.missions.ledger.spots import KIND, bodies_of, last_of
from skymist.missions.ledger.store import Ledger, open_ledger
from skymist.missions.plans import write_whole
from skymist.missions.site import read_site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from skymist.missions.ledger.chain import Body, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A spot before and after; None where it was not, or is no more. `into`: what it went into."""

    spot_id: str
    what: str
    before: State | None
    after: State | None
    into: str = ""

    def fields(self) -> tuple[tuple[str, Any, Any], ...]:
        """Each key that differs, with its value before and after."""
        before, after = self.before or {}, self.after or {}
        return tuple((key, before.get(key), after.get(key)) for key in changed_keys(before, after))

    def text(self) -> str:
        """What a person reads of it."""
        if self.into:
            return f"merged into {self.into}"
        if self.before is None and self.after is not None:
            return f"{self.what}: {self.after['kind']}, {self.after['level']}"
        if self.after is None:
            return f"{self.what}: taken out"
        told = (f"{k}: {value_text(k, a)} -> {value_text(k, b)}" for k, a, b in self.fields())
        return f"{self.what}: {', '.join(told)}"

    def body(self, number: int, by: str, why: str, undoes: int | None) -> Body:
        """The row of the ledger: one of change `number`."""
        text = f"{self.text()} ({by}{': ' * bool(why)}{why})"
        return {
            **{"kind": KIND, "spot": self.spot_id, "change": number, "what": self.what, "by": by},
            **{"why": why, "before": self.before, "after": self.after, "into": self.into or None},
            **{"undoes": undoes, "text": text},
        }


def commit(
    book: Book,
    changes: Sequence[Change],
    ledger: Path,
    *,
    by: str,
    why: str = "",
    undoes: int | None = None,
    now: datetime | None = None,
) -> tuple[Row, ...]:
    """Write the changes into the layer and the ledger; the whole site must hold with them.

    `undoes` is the number of the change that these take back.

    Raises
    ------
    SiteFileError
        Where the site has faults with the changes. Nothing is written then.
    FormatError
        Where the layer was changed since it was read, or cannot hold a change.
    LedgerError
        Where the ledger cannot be written; the layer is as it was.
    """
    told = [change for change in changes if change.fields()]
    if not told:
        return ()
    if not by.strip():
        raise FormatError("--by: wanted the name of who changes it, found none")
    data = prepared(book, told, checks_photos=undoes is None)
    moment, has_written = now or datetime.now(UTC), False

    def bodies(held: Ledger) -> list[Body]:
        nonlocal has_written
        found = book.path.read_bytes() if book.path.is_file() else None
        if found != book.data:
            raise FormatError(
                f"{book.path}: was changed by another program meanwhile: say it again"
            )
        number = held.head().seq + 1
        made = [change.body(number, "unknown", "", None) for change in outside(book, held)]
        made += [change.body(number, by.strip(), why.strip(), undoes) for change in told]
        write_whole(book.path, data)
        has_written = True
        return made

    try:
        with open_ledger(ledger, community=book.community, now=moment) as held:
            return held.append(bodies, moment)
    except BaseException:
        if has_written:
            _put_back(book)
        raise


def prepared(book: Book, changes: Sequence[Change], *, checks_photos: bool = True) -> bytes:
    """What the layer holds with the changes; the whole site holds with it.

    Raises
    ------
    SiteFileError
        With what is wrong in them.
    FormatError
        Where the layer cannot hold a change.
    """
    faults = [
        fault
        for change in changes
        if checks_photos and (new := _new_photos(change))
        for fault in photo_faults(book.site_file.parent, book.path, change.spot_id, new)
    ]
    if faults:
        raise SiteFileError(tuple(faults))
    data = rewritten(book, {change.spot_id: change.after for change in changes})
    _require_sound(book, data)
    return data


def outside(book: Book, held: Ledger) -> list[Change]:
    """What differs between the layer and the last that the ledger tells of its spots."""
    made = []
    for spot_id, body in last_of(held).items():
        item = book.items.get(spot_id)
        state = item.state if item else None
        change = Change(spot_id=spot_id, what="outside", before=body["after"], after=state)
        if change.fields():
            made.append(change)
    return made


def undone(book: Book, held: Ledger) -> tuple[list[Change], int]:
    """What takes back the last change that was not taken back, and that change's number.

    Raises
    ------
    FormatError
        Where there is none, or a spot was changed since.
    """
    rows = [body for body in bodies_of(held) if body["what"] != "outside"]
    taken = {body["undoes"] for body in rows if body.get("undoes")}
    left = [b for b in rows if b["what"] != "undo" and b["change"] not in taken]
    if not left:
        raise FormatError(f"{held.path}: wanted a change to take back, found none")
    number = left[-1]["change"]
    made = []
    for body in (body for body in left if body["change"] == number):
        item = book.items.get(body["spot"])
        now = item.state if item else None
        since = Change(spot_id=body["spot"], what="", before=body["after"], after=now).fields()
        if since:
            key, was, found = since[0]
            place = f"{book.path}: {body['spot']}.{key}"
            wanted = f"wanted {value_text(key, was)} as change {number} left it"
            raise FormatError(f"{place}: {wanted}, found {value_text(key, found)}")
        made.append(Change(spot_id=body["spot"], what="undo", before=now, after=body["before"]))
    return made, number


def _new_photos(change: Change) -> list[str]:
    held = (change.before or {}).get("photos", [])
    return [photo for photo in (change.after or {}).get("photos", []) if photo not in held]


def _require_sound(book: Book, data: bytes) -> None:
    """Refuse changes that bring faults which the site does not have without them."""
    try:
        read_site(book.site_file, {book.path: data})
    except SiteFileError as exc:
        before = _faults_of(book)
        new = tuple(f for f in exc.faults if (f.file, f.wanted, f.found) not in before)
        if new:
            raise SiteFileError(new) from exc


def _faults_of(book: Book) -> set[tuple[str, str, str]]:
    try:
        read_site(book.site_file, {} if book.data is None else {book.path: book.data})
    except SiteFileError as exc:
        return {(f.file, f.wanted, f.found) for f in exc.faults}
    return set()


def _put_back(book: Book) -> None:
    if book.data is None:
        book.path.unlink(missing_ok=True)
    else:
        write_whole(book.path, book.data)
