"""Levels by rules on findings: up at once, down step by step, never below what the site file says.

On each day the rules ask for a level: the worst that any rule's findings reach, in the days for
which they count. A worse level than the spot has holds at once. A milder one comes a step at a
time, each when no rule has asked for the spot's level for `decay_days`. The level of a day follows
from the site and the findings entered by then; the ledger keeps every change with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.site import COUNTED, RANK, LevelName, Measure
from skymist.missions.ledger.spots import merged_into

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from skymist.coverage.site import BlindSpot, LevelRule, LevelRules, Site
    from skymist.missions.ledger.chain import Body
    from skymist.missions.ledger.store import Ledger

_Found = dict[tuple[str, str], list[tuple[int, "Finding"]]]
"""Findings by kind of place and its id, each with its number in the order of entry."""
_OTHER_RULES = "the site file's levels or rules were changed"
_DAY = timedelta(days=1)
_BY_RANK = sorted(LevelName, key=RANK.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found on a day; it counts from `known` on, the day on which it was entered."""

    on: date
    known: date
    measure: Measure
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A spot's level became another on a day, and why."""

    on: date
    before: LevelName
    after: LevelName
    reason: str


def history(
    base: LevelName, rules: LevelRules, findings: Sequence[Finding], until: date
) -> tuple[Change, ...]:
    """Every change of a level from the first finding to a day, that day's too."""
    spans = {rule.measure: timedelta(days=rule.days) for rule in rules.rules}
    told = [f for f in findings if f.measure in spans]
    days = {f.known for f in told} | {f.on + spans[f.measure] for f in told}
    first = min((f.known for f in told), default=until)
    marks = sorted(day for day in days if first <= day <= until)
    level, held, changes = base, first - _DAY, list[Change]()
    for day, after in pairwise([*marks, until + _DAY]):
        want, why = _wanted(base, rules, told, day)
        if RANK[want] < RANK[level]:
            changes.append(Change(on=day, before=level, after=want, reason=why))
            level = want
        while RANK[want] > RANK[level] and held + rules.decay_days * _DAY < after:
            held += rules.decay_days * _DAY
            milder = _BY_RANK[RANK[level] + 1]
            why = f"no rule asked for {level} for {rules.decay_days} days"
            changes.append(Change(on=held, before=level, after=milder, reason=why))
            level = milder
        if RANK[want] <= RANK[level]:
            held = after - _DAY
    return tuple(changes)


def levelled(
    site: Site, ledger: Ledger, on: date, *, tz: tzinfo | None = None
) -> tuple[Site, dict[str, Change]]:
    """The site with each spot's level of a day, and by spot its last change, if it had one."""
    if not site.level_rules.rules:
        return site, {}
    found = _by_place(ledger, (), tz)
    last = {s.id: all_[-1] for s in site.spots if (all_ := _history_of(s, site, found, on))}
    spots = tuple(
        replace(spot, level=last[spot.id].after) if spot.id in last else spot for spot in site.spots
    )
    return replace(site, spots=spots), last


def level_changes(
    site: Site,
    ledger: Ledger,
    today: date,
    *,
    extra: Sequence[Body] = (),
    tz: tzinfo | None = None,
) -> list[Body]:
    """The changes up to today that the ledger does not hold yet, as its rows.

    `extra` are findings that are about to be added.
    """
    if not site.level_rules.rules:
        return []
    found = _by_place(ledger, extra, tz)
    kept: dict[str, Body] = {}
    for row in ledger.rows("WHERE kind = 'level' ORDER BY seq"):
        body = row.body
        kept[body["spot"]] = body
    new = {body["spot"] or body["zone"] for body in extra}
    made = []
    for spot in site.spots:
        is_told = spot.id in new or spot.zone_id in new
        why = "a finding entered later that day" if is_told else _OTHER_RULES
        changes = _history_of(spot, site, found, today)
        made += _not_kept(spot, changes, kept.get(spot.id), today, why)
    return made


def _not_kept(
    spot: BlindSpot, changes: Sequence[Change], last: Body | None, today: date, why: str
) -> list[Body]:
    """Rows for what came after the last change that is kept; `why` where no rule says it."""
    since = date.fromisoformat(last["on"]) if last else date.min
    level = LevelName(last["after"]) if last else spot.level
    made = []
    for change in changes:
        if change.on < since or change.after is level:
            continue
        made.append(_row(spot, replace(change, before=level)))
        level = change.after
    now = changes[-1].after if changes else spot.level
    if level is not now:
        made.append(_row(spot, Change(on=today, before=level, after=now, reason=why)))
    return made


def _row(spot: BlindSpot, change: Change) -> Body:
    text = f"{change.before} to {change.after}: {change.reason}"
    return {
        **{"kind": "level", "spot": spot.id, "on": str(change.on), "before": str(change.before)},
        **{"after": str(change.after), "reason": change.reason, "text": text},
    }


def _history_of(spot: BlindSpot, site: Site, found: _Found, until: date) -> tuple[Change, ...]:
    """A spot's history: its own findings and those of its zone, as they were entered."""
    mine = [*found.get(("spot", spot.id), ()), *found.get(("zone", spot.zone_id or ""), ())]
    in_order = sorted(mine, key=lambda one: one[0])
    known = [finding for _, finding in in_order if finding.known <= until]
    return history(spot.level, site.level_rules, known, until) if known else ()


def _by_place(ledger: Ledger, extra: Sequence[Body], tz: tzinfo | None) -> _Found:
    """All findings by spot or zone.

    Those of a spot that was merged into another count for that one.
    """
    merged = merged_into(ledger)
    made: _Found = {}
    bodies = [row.body for row in ledger.rows("WHERE kind = 'finding' ORDER BY seq")]
    for number, body in enumerate([*bodies, *extra]):
        on = date.fromisoformat(body["on"])
        entered = datetime.fromisoformat(body["added_utc"]).astimezone(tz).date()
        spot_id = merged.get(body["spot"], body["spot"])
        place = ("spot", spot_id) if spot_id else ("zone", body["zone"])
        finding = Finding(
            on=on,
            known=max(on, entered),
            measure=Measure(body["measure"]),
            value=float(body["value"]),
        )
        made.setdefault(place, []).append((number, finding))
    return made


def _wanted(
    base: LevelName, rules: LevelRules, findings: Sequence[Finding], day: date
) -> tuple[LevelName, str]:
    """The worst level that is asked for on a day, and by what; of equal ones the first rule's."""
    want, why = base, "the site file"
    for rule in rules.rules:
        level, text = _asked(rule, findings, day)
        if level is not None and RANK[level] < RANK[want]:
            want, why = level, text
    return want, why


def _asked(rule: LevelRule, findings: Sequence[Finding], day: date) -> tuple[LevelName | None, str]:
    """What one rule asks for on a day: counts are added up, of measurements the last counts."""
    counting = [
        f
        for f in findings
        if f.measure is rule.measure and f.known <= day and (day - f.on).days < rule.days
    ]
    if not counting:
        return None, ""
    name = str(rule.measure).replace("_", " ")
    if rule.measure in COUNTED:
        value = sum(f.value for f in counting)
        text = f"{name}: {value:g} in {rule.days} days"
    else:
        last = max(enumerate(counting), key=lambda one: (one[1].on, one[0]))[1]
        value, text = last.value, f"{name}: {last.value:g} on {last.on}"
    for level, least in rule.thresholds:
        if value >= least:
            return level, f"{text} ({level} from {least:g})"
    return None, ""
