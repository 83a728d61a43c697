"""The ledger's rows that tell a change of the inventory: who changed which spot, what was merged.

`missions.inventory.changes` adds them.
"""

from __future__ import annotations

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


def merged_into(held: Ledger) -> dict[str, str]:
    """Spots that were merged and are no more, each with the spot that stands for it now."""
    # Read by SQLite: `due` asks for this each time, and the rows hold whole shapes.
    rows = held.select(
        "SELECT spot, json_extract(body, '$.into') FROM entries WHERE kind = ? ORDER BY seq", KIND
    )
    direct = {spot_id: into for spot_id, into in dict(rows).items() if into}

    def last(spot_id: str) -> str:
        seen = {spot_id}
        while spot_id in direct and direct[spot_id] not in seen:
            spot_id = direct[spot_id]
            seen.add(spot_id)
        return spot_id

    return {spot_id: last(spot_id) for spot_id in direct}
