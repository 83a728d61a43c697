"""What is due, from the last full treatment of each spot and the days that its level gives.

A spot is due on a day when `revisit_days` (whole days, rounded up) have passed since the day of its
last full treatment in its mode; with less than a day between visits, so many hours after it. What
was missed or done in part has no new full treatment, and so stays due. A spot into which others
were merged is due as soon as any of them is (`missions.ledger.last`).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from skymist.coverage.site import RANK, BlindSpot, Site
from skymist.missions.ledger.last import Last, LastFull
from skymist.missions.ledger.levels import Change, levelled
from skymist.missions.ledger.spots import merged_into
from skymist.missions.ledger.store import utc_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, tzinfo

    from skymist.missions.ledger.store import Ledger

_SINCE = (
    "SELECT body FROM entries WHERE kind = 'treatment' AND spot = ? AND mode = ? "
    "AND is_rehearsal <= ? ORDER BY seq DESC LIMIT 1"
)
_LEFT = "SELECT max(seq) FROM entries WHERE kind = 'left' AND spot = ?"
_FLOWN = (
    "SELECT seq FROM entries WHERE kind = 'treatment' AND spot = ? AND record IS NOT NULL "
    "ORDER BY seq DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A spot that is due. Times are UTC; `last` and `since` are None where it never was treated.

    Of a merged spot they are those of the part that is due first.

    `since` is when it became due; `days_late` counts whole days from that day to the day asked
    for. The spot has its level of that day; `level_reason` says why where it is not the site
    file's. `by` says who treats it: `drone`, or `hand` where its level is not flown or the last
    operation that had it in its plan left it to people.
    """

    spot: BlindSpot
    post: str
    by: str
    last: datetime | None
    since: datetime | None
    days_late: int
    reason: str
    level_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A place on which the agent still stands: nobody comes back before `until` (UTC)."""

    spot_id: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which spots are asked for; empty: all. Posts are named as their zones name them."""

    levels: Collection[str] = ()
    zones: Collection[str] = ()
    posts: Collection[str] = ()

    def takes(self, spot: BlindSpot, post: str) -> bool:
        """Whether a spot is asked for."""
        return (
            (not self.levels or spot.level.value in self.levels)
            and (not self.zones or (spot.zone_id or "") in self.zones)
            and (not self.posts or post in self.posts)
        )


def due_from(last: datetime, revisit_days: float, tz: tzinfo | None = None) -> datetime:
    """From when a spot is due again that was treated then: a UTC moment.

    From one day on, the midnight that begins the day, by the clock of `tz` (None: the machine's).
    """
    if revisit_days < 1:
        return last + timedelta(days=revisit_days)
    day = last.astimezone(tz).date() + timedelta(days=math.ceil(revisit_days))
    return _midnight(day, tz)


def due(
    site: Site,
    ledger: Ledger | None,
    on: date,
    *,
    at: datetime | None = None,
    choice: Choice | None = None,
    counts_rehearsals: bool = False,
    tz: tzinfo | None = None,
) -> tuple[Due, ...]:
    """What is due on a day, worst level first, then the longest due.

    With `at`, only what is due by that moment. Without a ledger everything is.
    """
    asked = choice or Choice()
    raised: dict[str, Change] = {}
    if ledger is not None:
        site, raised = levelled(site, ledger, on, tz=tz)
    end = _midnight(on + timedelta(days=1), tz) - timedelta(seconds=1) if at is None else at
    full = None if ledger is None else LastFull(ledger, counts_rehearsals=counts_rehearsals)
    found = []
    for spot in site.spots:
        post = site.post_for(spot)
        if not asked.takes(spot, post):
            continue
        last = Last(at=None) if full is None else full.of(spot.id, spot.mode.value)
        level = site.level_for(spot)
        since = None if last.at is None else due_from(last.at, level.revisit_days, tz)
        if since is not None and since > end:
            continue
        held = None if ledger is None else _attempt(ledger, spot, counts_rehearsals)
        found.append(
            Due(
                spot=spot,
                post=post,
                by="hand" if not level.is_flown or _is_left(ledger, spot) else "drone",
                last=last.at,
                since=since,
                days_late=0 if since is None else max(0, (on - since.astimezone(tz).date()).days),
                reason=_reason(last, held, tz),
                level_reason=_level_reason(raised.get(spot.id)),
            )
        )
    never = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda d: (RANK[d.spot.level], d.since or never, d.spot.id)))


def closed(ledger: Ledger, now: datetime, *, counts_rehearsals: bool = False) -> tuple[Closed, ...]:
    """The places that are still wet at a moment, the first to open first.

    Of those that were merged since, the spot that stands for them now.
    """
    rows = ledger.select(
        "SELECT spot, max(contact_until_utc) AS until FROM entries WHERE kind = 'treatment' "
        "AND contact_until_utc > ? AND is_rehearsal <= ? GROUP BY spot ORDER BY until, spot",
        utc_text(now),
        counts_rehearsals,
    )
    into, wet = merged_into(ledger), dict[str, str]()
    for spot_id, until in rows:
        wet[into.get(spot_id, spot_id)] = until  # the latest comes last
    places = sorted(wet.items(), key=lambda one: (one[1], one[0]))
    return tuple(Closed(spot_id=s, until=datetime.fromisoformat(until)) for s, until in places)


def only_due(site: Site, found: Collection[Due]) -> Site:
    """The site with what is due alone, at its level of that day, for a plan of exactly that."""
    items = {item.spot.id: item.spot for item in found}
    return replace(site, spots=tuple(items[s.id] for s in site.spots if s.id in items))


def _attempt(ledger: Ledger, spot: BlindSpot, counts_rehearsals: bool) -> dict[str, Any] | None:
    """The row of the last time that it was planned or treated."""
    rows = ledger.select(_SINCE, spot.id, spot.mode.value, counts_rehearsals)
    return json.loads(rows[0][0]) if rows else None


def _is_left(ledger: Ledger | None, spot: BlindSpot) -> bool:
    """Whether the last plan that had the spot found no way for a drone to treat any of it."""
    if ledger is None:
        return False
    left = ledger.select(_LEFT, spot.id)[0][0]
    return left is not None and [(left,)] > ledger.select(_FLOWN, spot.id)


def _reason(last: Last, held: dict[str, Any] | None, tz: tzinfo | None) -> str:
    """Why it is due, as people say it."""
    if held is not None and held["outcome"] != "treated":
        day = str(datetime.fromisoformat(_when(held)).astimezone(tz).date())
        why = f": {held['reason']}" if held.get("reason") else ""
        return f"{held['outcome']} on {day}{why}"
    part = f" ({last.part}, merged into it)" if last.part else ""
    if last.at is None:
        return f"never treated{part}"
    return f"last treated {last.at.astimezone(tz).date()}{part}"


def _level_reason(change: Change | None) -> str:
    return "" if change is None else f"{change.after} since {change.on}: {change.reason}"


def _when(held: dict[str, Any]) -> str:
    return str(held.get("ended_utc") or held["added_utc"])


def _midnight(day: date, tz: tzinfo | None) -> datetime:
    """When a day begins by a clock, in UTC."""
    begun = datetime.combine(day, time())
    return (begun.astimezone() if tz is None else begun.replace(tzinfo=tz)).astimezone(UTC)
