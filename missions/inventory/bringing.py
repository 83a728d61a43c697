"""What an edited table changes in the inventory: field by field against the state it was made from.

A cell that is as it was exported changes nothing. One that was edited is taken, unless the same
field was changed here meanwhile to something else: that is a conflict, which people decide.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from skymist.missions.errors import Fault, SiteFileError
from skymist.missions.features import capped
from skymist.missions.inventory.adding import level_faults
from skymist.missions.inventory.book import checked_state
from skymist.missions.inventory.changes import Change
from skymist.missions.inventory.listing import free_id
from skymist.missions.inventory.sheets import FIELDS, FOLLOWS, REV, WKT, Row
from skymist.missions.inventory.states import (
    GEOMETRY,
    State,
    is_same,
    mark_of,
    shape_of,
    value_text,
)
from skymist.missions.validation import found_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date

    from skymist.missions.inventory.book import Book

TAKES = ("", "table", "inventory")
_SHAPES = (GEOMETRY, WKT, "lon_deg", "lat_deg")
_OURS = frozenset(("id", *FIELDS, *FOLLOWS, REV, *_SHAPES, "fid"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A field that both sides changed: as it was exported (None: unknown), here, in the table."""

    spot_id: str
    key: str
    was: Any
    here: Any
    table: Any
    is_known: bool

    def text(self) -> str:
        """What a person reads of it."""
        was = value_text(self.key, self.was) if self.is_known else "something else"
        here, table = value_text(self.key, self.here), value_text(self.key, self.table)
        return f"{self.spot_id}.{self.key}: exported as {was}, here {here}, in the table {table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What an import changes; what both sides changed; columns passed over; spots not in it."""

    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    passed_over: tuple[str, ...]
    absent: tuple[str, ...]


def brought(
    book: Book,
    rows: Sequence[Row],
    columns: Collection[str],
    *,
    today: date,
    base_of: Callable[[str, str], State | None],
    take: str = "",
    reason: str = "",
    removes_absent: bool = False,
) -> Brought:
    """The changes that rows make. `base_of` gives an earlier state of a spot by its mark.

    `take` decides conflicts for the table or the inventory; `reason` is that of levels that change
    without one.

    Raises
    ------
    SiteFileError
        With everything that is wrong in the rows.
    """
    faults = _twice(rows)
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    taken = {**book.items, **{row.id: None for row in rows if row.id}}
    fields = [key for key in FIELDS if key in columns]
    for row in rows:
        try:
            if row.id in book.items:
                change, some = _edited(book, row, fields, base_of, take)
                conflicts += some
            else:
                change = _added(book, row, fields, taken)
                taken[change.spot_id] = None
        except SiteFileError as exc:
            faults += [replace(fault, line=row.line) for fault in exc.faults]
            continue
        change = _with_level(change, today, reason)
        faults += level_faults(change, row.file, row.line)
        changes += [change] if change.fields() else []
    if faults:
        raise SiteFileError(tuple(capped(faults)))
    named = {row.id for row in rows}
    absent = tuple(i.id for i in book.items.values() if i.raw is not None and i.id not in named)
    if removes_absent:
        changes += [
            Change(spot_id=key, what="import", before=book.items[key].state, after=None)
            for key in absent
        ]
    return Brought(
        changes=tuple(changes),
        conflicts=() if take else tuple(conflicts),
        passed_over=tuple(sorted(set(columns) - _OURS)),
        absent=absent,
    )


def _twice(rows: Sequence[Row]) -> list[Fault]:
    counts = Counter(row.id for row in rows if row.id)
    return [
        _fault(row, "id", "an id once in the table", f"'{row.id}' {counts[row.id]} times")
        for row in rows
        if counts[row.id] > 1
    ]


def _fault(row: Row, key: str, wanted: str, found: str) -> Fault:
    field = f"{row.label}.{key}"
    return Fault(file=row.file, line=row.line, field=field, wanted=wanted, found=found)


def _added(book: Book, row: Row, fields: Sequence[str], taken: Collection[str]) -> Change:
    if row.cells.get(REV):
        wanted = "the id of a spot that is there (it was removed or merged here, or its id changed)"
        raise SiteFileError((_fault(row, "id", wanted, found_text(row.id or None)),))
    if row.shape is None:
        wanted = "a shape (wkt, or lon_deg and lat_deg) for a new spot"
        raise SiteFileError((_fault(row, WKT, wanted, "nothing"),))
    values = {key: row.cells[key] for key in fields if row.cells.get(key) is not None}
    state = checked_state(row.label, {**book.defaults, **values}, row.shape, row.file)
    spot_id = row.id or free_id(state["kind"], dict.fromkeys(taken))
    return Change(spot_id=spot_id, what="import", before=None, after=state)


def _edited(
    book: Book,
    row: Row,
    fields: Sequence[str],
    base_of: Callable[[str, str], State | None],
    take: str,
) -> tuple[Change, list[Conflict]]:
    """The change of a spot that is there, and what both sides changed."""
    here, rev = book.items[row.id].state, str(row.cells.get(REV) or "").removeprefix("r")
    base = here if rev == mark_of(here) else base_of(row.id, rev) if rev else None
    table = _state_in(row, fields, base or here, clears=bool(rev))
    after, conflicts = dict(here), list[Conflict]()
    for key in (*fields, GEOMETRY):
        was, now, said = (state.get(key) if state else None for state in (base, here, table))
        if is_same(key, said, now) or (base is not None and is_same(key, said, was)):
            continue
        if rev and (base is None or not is_same(key, was, now)):
            conflicts.append(
                Conflict(
                    spot_id=row.id,
                    key=key,
                    was=was,
                    here=now,
                    table=said,
                    is_known=base is not None,
                )
            )
            if take != "table":
                continue
        after[key] = said
    after = {key: value for key, value in after.items() if value is not None}
    change = Change(spot_id=row.id, what="import", before=here, after=after)
    if change.fields():
        book.state(row.id)
    return change, conflicts


def _state_in(row: Row, fields: Sequence[str], base: State, *, clears: bool) -> State:
    """The state that a row tells; an empty cell takes a value away where the row was exported."""
    values = {key: value for key, value in base.items() if key != GEOMETRY}
    for key in fields:
        value = row.cells.get(key)
        if value is not None:
            values[key] = value
        elif clears:
            values.pop(key, None)
    made = checked_state(row.label, values, row.shape or shape_of(base), row.file)
    if row.shape is None or is_same(GEOMETRY, made[GEOMETRY], base[GEOMETRY]):
        made[GEOMETRY] = base[GEOMETRY]
    return made


def _with_level(change: Change, today: date, reason: str) -> Change:
    """The day, and the reason where none was given, for a level that changes."""
    before, after = change.before, change.after
    if before is None or after is None or before["level"] == after["level"]:
        return change
    told = dict(after)
    if told.get("level_since") == before.get("level_since"):
        told["level_since"] = str(today)
    if reason and told.get("level_reason") == before.get("level_reason"):
        told["level_reason"] = reason
    return replace(change, after=told)
