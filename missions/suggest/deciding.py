"""What people make of proposals: spots of the inventory, or places that are not proposed again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import shapely

from skymist.missions.errors import FormatError
from skymist.missions.inventory.book import Book, checked_state
from skymist.missions.inventory.changes import Change
from skymist.missions.ledger.store import Ledger, open_ledger
from skymist.missions.suggest.proposal import middle_of
from skymist.missions.validation import near_miss

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from skymist.coverage.site import Site
    from skymist.missions.ledger.chain import Row
    from skymist.missions.suggest.proposal import Proposal

KIND = "proposal"
"""Of the ledger's rows that tell of a dismissed proposal."""
SOURCE_MOST = 500
SAME_M = 2.0
"""A dismissed place is the same within this, whatever its name became. [P]"""


def accepted(
    book: Book,
    site: Site,
    proposals: Mapping[str, Proposal],
    names: Sequence[str],
    values: Mapping[str, Any],
) -> tuple[Change, ...]:
    """The changes that make spots of the named proposals, with these values over their own.

    Raises
    ------
    FormatError
        For a name that is none of them.
    """
    _require_known(names, proposals, "--accept")
    made = []
    for name in dict.fromkeys(names):
        proposal = proposals[name]
        told = {
            **{"kind": proposal.kind.value, "radius_m": proposal.radius_m},
            "width_m": proposal.width_m,
            "source": proposal.text()[:SOURCE_MOST],
            **values,
        }
        shape = shapely.transform(proposal.shape, site.origin.to_geo)
        state = checked_state(name, {**book.defaults, **told}, shape, str(book.path))
        made.append(Change(spot_id=name, what="accept", before=None, after=state))
    return tuple(made)


def dismiss(
    ledger: Path,
    site: Site,
    proposals: Mapping[str, Proposal],
    names: Sequence[str],
    *,
    by: str,
    why: str,
    now: datetime | None = None,
) -> tuple[Row, ...]:
    """Keep in the ledger that these places are no blind spots; they are not proposed again.

    Raises
    ------
    FormatError
        For a name that is none of the proposals, or nobody who says so.
    """
    _require_known(names, proposals, "--dismiss")
    if not by.strip():
        raise FormatError("--by: wanted the name of who dismisses it, found none")
    bodies = [
        {
            **{"kind": KIND, "what": "dismissed", "proposal": name, "by": by.strip(), "why": why},
            **{"rule": proposals[name].rule, "lon_lat_deg": _place(site, proposals[name])},
            "text": f"{name} dismissed ({by.strip()}{': ' * bool(why)}{why})",
        }
        for name in dict.fromkeys(names)
    ]
    moment = now or datetime.now(UTC)
    with open_ledger(ledger, community=site.name, now=moment) as held:
        return held.append(lambda _: bodies, moment)


def dismissed(held: Ledger, site: Site, proposals: Mapping[str, Proposal]) -> set[str]:
    """Names of those proposals that were dismissed."""
    gone = [row.body for row in held.rows(f"WHERE kind = '{KIND}'")]
    if not gone or not proposals:
        return set()
    names = list(proposals)
    tree = shapely.STRtree([shapely.points(middle_of(proposals[n].shape)) for n in names])
    places = shapely.points(site.origin.to_local([body["lon_lat_deg"] for body in gone]))
    found = zip(*tree.query(places, predicate="dwithin", distance=SAME_M), strict=True)
    return {names[k] for i, k in found if proposals[names[k]].rule == gone[i]["rule"]}


def _place(site: Site, proposal: Proposal) -> list[float]:
    lon_deg, lat_deg = site.origin.to_geo([middle_of(proposal.shape)])[0]
    return [round(float(lon_deg), 7), round(float(lat_deg), 7)]


def _require_known(names: Sequence[str], known: Collection[str], flag: str) -> None:
    for name in names:
        if name not in known:
            hint = near_miss(name, known) if known else "there is none"
            raise FormatError(f"{flag}: wanted the name of a proposal, found {name!r} ({hint})")
