"""The ledger's rows that tell a change of the inventory: who changed which spot, what was merged.

`missions.inventory.changes` adds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from skymist.missions.ledger.chain import Body
    from skymist.missions.ledger.store import Ledger

KIND = "spot"


def bodies_of(held: Ledger, spot_id: str = "") -> Iterator[Body]:
    """The inventory's rows with their numbers, of one spot if it is named, the first first."""
    where, values = ("AND spot = ? ", (spot_id,)) if spot_id else ("", ())
    for row in held.rows(f"WHERE kind = '{KIND}' {where}ORDER BY seq", *values):
        yield {**row.body, "seq": row.seq}


def state_marked(held: Ledger, spot_id: str, is_it: Callable[[Body], bool]) -> Body | None:
    """The latest state of a spot, before or after a change, of which this holds; None for none."""
    for body in reversed(list(bodies_of(held, spot_id))):
        for state in (body["after"], body["before"]):
            if state is not None and is_it(state):
                found: Body = state
                return found
    return None


def last_of(held: Ledger) -> dict[str, Body]:
    """By spot the last row that tells of it."""
    return {body["spot"]: body for body in bodies_of(held)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Into which spot another was merged, and when that was entered (UTC)."""

    into: str
    at: datetime


def merges(held: Ledger) -> dict[str, Merge]:
    """Spots that were merged and are no more, each with its merge; one taken back is not told."""
    # Read by SQLite: `due` asks for this each time, and the rows hold whole shapes.
    rows = held.select(
        "SELECT spot, json_extract(body, '$.into'), json_extract(body, '$.added_utc') "
        "FROM entries WHERE kind = ? ORDER BY seq",
        KIND,
    )
    last = {spot_id: (into, at) for spot_id, into, at in rows}
    return {
        spot_id: Merge(into=into, at=datetime.fromisoformat(at))
        for spot_id, (into, at) in last.items()
        if into
    }


def merged_into(held: Ledger) -> dict[str, str]:
    """Spots that were merged and are no more, each with the spot that stands for it now."""
    direct = {spot_id: merge.into for spot_id, merge in merges(held).items()}

    def last(spot_id: str) -> str:
        seen = {spot_id}
        while spot_id in direct and direct[spot_id] not in seen:
            spot_id = direct[spot_id]
            seen.add(spot_id)
        return spot_id

    return {spot_id: last(spot_id) for spot_id in direct}
