"""When a spot was last treated in full, with the spots that were merged into it.

A merged spot is as old as its oldest part: what was treated under the name of a part before the
merge counts for that part alone, a treatment of the merged spot since then for all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from skymist.missions.ledger.spots import merges

if TYPE_CHECKING:
    from skymist.missions.ledger.spots import Merge
    from skymist.missions.ledger.store import Ledger

_LAST = (
    "SELECT max(ended_utc) FROM entries WHERE kind = 'treatment' AND spot = ? AND mode = ? "
    "AND outcome = 'treated' AND is_rehearsal = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """When it ended (UTC; None: never), and which part's treatment it was; empty: its own."""

    at: datetime | None
    part: str = ""


class LastFull:
    """The last full treatments that a ledger holds. Rehearsals count only if asked."""

    def __init__(self, ledger: Ledger, *, counts_rehearsals: bool = False) -> None:
        self._ledger = ledger
        self._kinds = (False, True) if counts_rehearsals else (False,)
        self._parts: dict[str, list[tuple[str, Merge]]] = {}
        for spot_id, merge in merges(ledger).items():
            self._parts.setdefault(merge.into, []).append((spot_id, merge))

    def of(self, spot_id: str, mode: str) -> Last:
        """The oldest of the last full treatments of a spot and its parts, in its mode."""
        return self._of(spot_id, mode, frozenset())

    def _of(self, spot_id: str, mode: str, above: frozenset[str]) -> Last:
        own = self._own(spot_id, mode)
        oldest = Last(at=own)
        for part, merge in self._parts.get(spot_id, ()):
            if part in above or (own is not None and own > merge.at):
                continue
            found = self._of(part, mode, above | {spot_id})
            if oldest.at is not None and (found.at is None or found.at < oldest.at):
                oldest = Last(at=found.at, part=part)
        return oldest

    def _own(self, spot_id: str, mode: str) -> datetime | None:
        found = [self._ledger.select(_LAST, spot_id, mode, kind)[0][0] for kind in self._kinds]
        return max((datetime.fromisoformat(last) for last in found if last), default=None)
