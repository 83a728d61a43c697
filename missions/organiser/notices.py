"""What residents must know of a plan, zone by zone, and what of it changed since they were told.

Facts are plain values without a language, kept in a file beside the notices: a notice has a new
version where its facts are others, and only there. How they are said is `notice_text`'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skymist.coverage.plan import Reason
from skymist.coverage.words import Language
from skymist.missions.errors import FormatError
from skymist.missions.organiser.duties import Duty
from skymist.missions.organiser.words import agent_of, clock, clock_after

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from skymist.coverage.hours import Start
    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Site

SCHEMA = 1
STATE_FILE = "notices.json"
Facts = dict[str, Any]
Part = dict[str, str]
TIMES_MOST = 4
"""New times of more places than this are told in one line."""
_SINGLE = ("contact", "wind_max_mps", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one zone is told; `facts` None: that nothing is sprayed there any more."""

    zone_id: str
    version: int
    facts: Facts | None
    changes: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """All notices of one place, as they hang now."""

    site: str
    languages: tuple[Language, ...]
    notices: tuple[Notice, ...]

    def of(self, zone_id: str) -> Notice | None:
        """The notice of a zone."""
        return next((notice for notice in self.notices if notice.zone_id == zone_id), None)


def facts_of(plan: Plan, site: Site, duties: Sequence[Duty], contact: str = "") -> dict[str, Facts]:
    """What each zone with work must know; `contact` is called in place of the site's and zones'.

    Raises
    ------
    FormatError
        Where the plan has no date, or nobody is named to call.
    """
    start = plan.start
    if start is None or not start.date:
        raise FormatError(
            "--start: wanted the day too, as 2026-07-01T07:00: residents must know the date"
        )
    contacts = {
        duty.zone_id: contact.strip() or site.contact_for(duty.zone_id).strip() for duty in duties
    }
    if not all(contacts.values()):
        nobody = ", ".join(zone or "outside the zones" for zone in contacts if not contacts[zone])
        raise FormatError(
            f"organiser: contact: wanted whom residents call, found none for {nobody}: give it in "
            "the site file, for all or as contact of a zone, or as --contact"
        )
    found: dict[str, Facts] = {}
    for duty in duties:
        facts = found.setdefault(
            duty.zone_id,
            {
                "contact": contacts[duty.zone_id],
                "posts": [],
                "wind_max_mps": f"{plan.site.policy.wind_max_mps:g}",
                "reason": "",
                "agents": {},
                "parts": [],
            },
        )
        if duty.post and duty.post not in facts["posts"]:
            facts["posts"].append(duty.post)
        if duty.spot.mode == "broadcast":
            facts["reason"] = plan.site.policy.reason
        agent = agent_of(site, duty.agent_id)
        facts["agents"].setdefault(
            agent.id,
            {"name": agent.name, "contact_min": f"{agent.contact_min:g}", "modes": []},
        )
        modes = facts["agents"][agent.id]["modes"]
        if duty.spot.mode.value not in modes:
            modes.append(duty.spot.mode.value)
        facts["parts"].append(_part(start, duty))
    return found


def _part(start: Start, duty: Duty) -> Part:
    """One line of a notice: what, by whom, from when to when, closed until."""
    times = dict.fromkeys(("date", "from", "to", "until"), "")
    if duty.from_s is not None and duty.to_s is not None:
        times["date"] = start.at(duty.from_s // 60 * 60)[:10]
        times["from"], times["to"] = clock(start, duty.from_s), clock_after(start, duty.to_s)
        if duty.open_s is not None and duty.open_s > duty.to_s:
            until = clock_after(start, duty.open_s)
            day = start.at(-(-(start.clock_s + duty.open_s) // 60) * 60 - start.clock_s)[:10]
            times["until"] = until if day == times["date"] else f"{day} {until}"
    kind = "clean" if duty.reason is Reason.LEVEL_NOT_FLOWN else "rest" if duty.is_rest else "whole"
    return {
        "spot": duty.spot.id,
        "name": duty.spot.name,
        "kind": duty.spot.kind.value,
        "by": duty.by.value,
        "part": kind,
        "agent": duty.agent_id,
        **times,
    }


def revised(old: Notice | None, zone_id: str, facts: Facts | None) -> Notice | None:
    """The notice of a zone after the one before; None where there never was anything to say."""
    if old is None:
        return None if facts is None else Notice(zone_id=zone_id, version=1, facts=facts)
    if old.facts == facts:
        return old
    if facts is None:
        # Whom to call stays: people ask why.
        contact = old.facts["contact"] if old.facts else ""
        changes: list[dict[str, str]] = [{"what": "cancelled", "contact": contact}]
    elif old.facts is None:
        changes = [{"what": "resumed"}]
    else:
        changes = changes_between(old.facts, facts)
    return Notice(zone_id=zone_id, version=old.version + 1, facts=facts, changes=tuple(changes))


def series_after(
    old: Series | None, site: Site, found: Mapping[str, Facts], languages: Sequence[Language]
) -> Series:
    """All notices after those before; languages that hang already are kept up.

    Raises
    ------
    FormatError
        Where those before are another site's.
    """
    if old is not None and old.site != site.name:
        raise FormatError(
            f"{STATE_FILE}: wanted notices of {site.name!r}, found those of {old.site!r}: "
            "choose another --output"
        )
    before = old.notices if old else ()
    zones = dict.fromkeys((*found, *(notice.zone_id for notice in before)))
    made = (revised(old.of(z) if old else None, z, found.get(z)) for z in zones)
    spoken = dict.fromkeys((*(old.languages if old else ()), *languages))
    return Series(
        site=site.name,
        languages=tuple(spoken),
        notices=tuple(notice for notice in made if notice is not None),
    )


def changes_between(old: Facts, new: Facts) -> list[dict[str, str]]:
    """What differs, in the order in which people ask; never empty for facts that differ."""
    changes: list[dict[str, str]] = []
    names = {part["spot"]: part["name"] or part["spot"] for part in (*old["parts"], *new["parts"])}
    before, after = _by_spot(old["parts"]), _by_spot(new["parts"])
    for spot_id in dict.fromkeys((*before, *after)):
        place = names[spot_id]
        if spot_id not in after:
            changes.append({"what": "gone", "place": place})
        elif spot_id not in before:
            changes.append({"what": "new", "place": place})
        else:
            found = _part_changes(before[spot_id], after[spot_id])
            changes += [{"what": "part", "place": place, **change} for change in found]
    changes = _times_in_one(changes, old, new)
    for agent_id in sorted({*old["agents"]} & {*new["agents"]}):
        a, b = (facts["agents"][agent_id]["contact_min"] for facts in (old, new))
        if a != b:
            changes.append(
                {"what": "wait", "agent": new["agents"][agent_id]["name"], "before": a, "after": b}
            )
    for key in _SINGLE:
        if old[key] != new[key]:
            changes.append({"what": key, "before": old[key], "after": new[key]})
    if old["posts"] != new["posts"]:
        told = ["; ".join(facts["posts"]) for facts in (old, new)]
        changes.append({"what": "posts", "before": told[0], "after": told[1]})
    return changes or [{"what": "details"}]


def _by_spot(parts: Sequence[Part]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part["spot"], []).append(part)
    return found


def _part_changes(old: Sequence[Part], new: Sequence[Part]) -> list[dict[str, str]]:
    """How the parts of one spot differ, field by field."""
    before, after = _told(old), _told(new)
    names = [name for name in before if before[name] != after[name]]
    if "time" in names and "until" in names:
        names.remove("until")
    return [{"field": name, "before": before[name], "after": after[name]} for name in names]


def _times_in_one(changes: list[Part], old: Facts, new: Facts) -> list[Part]:
    """The same, but one line for the new times of many places: their places tell the rest."""
    moved = [change for change in changes if change.get("field") == "time"]
    if len(moved) <= TIMES_MOST:
        return changes
    kept = [change for change in changes if change not in moved]
    hours = {key: _days_text(facts["parts"]) for key, facts in (("before", old), ("after", new))}
    return [{"what": "times", "count": str(len(moved)), **hours}, *kept]


def _days_text(parts: Sequence[Part]) -> str:
    """The hours of each day."""
    days = sorted({part["date"] for part in parts if part["from"]})
    told = (f"{day} {slots_text([p for p in parts if p['date'] == day])}" for day in days)
    return "; ".join(told)


def _told(parts: Sequence[Part]) -> dict[str, str]:
    times = [f"{p['date']} {p['from']}-{p['to']}" if p["from"] else "" for p in parts]
    return {
        "time": "; ".join(times),
        "until": "; ".join(part["until"] for part in parts),
        "by": "; ".join(f"{part['by']} {part['part']}" for part in parts),
        "agent": "; ".join(dict.fromkeys(part["agent"] for part in parts)),
    }


def slots_text(parts: Sequence[Part]) -> str:
    """Times of a day, those that follow within half an hour made one."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted((_minutes(p["from"]), _minutes(p["to"])) for p in parts):
        end += 24 * 60 if end < start else 0
        if spans and start <= spans[-1][1] + 30:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return ", ".join(f"{_clock(a)}-{_clock(b)}" for a, b in spans)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def series_json(series: Series) -> bytes:
    """What stands in `notices.json`."""
    data = {
        "schema": SCHEMA,
        "site": series.site,
        "languages": [str(language) for language in series.languages],
        "notices": [
            {"zone": n.zone_id, "version": n.version, "facts": n.facts, "changes": list(n.changes)}
            for n in series.notices
        ],
    }
    return json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def read_series(path: Path) -> Series | None:
    """The notices that hang; None where none were ever made there.

    Raises
    ------
    FormatError
        Where the file is not ours: versions would begin anew, which residents could not know.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise FormatError(f"{path}: wanted notices as JSON, found {exc}") from exc
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']!r}")
        made = Series(
            site=str(data["site"]),
            languages=tuple(Language(word) for word in data["languages"]),
            notices=tuple(_notice(one) for one in data["notices"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise FormatError(
            f"{path}: wanted the state of the notices here, schema {SCHEMA}, found "
            f"{type(exc).__name__}: {exc}: move the folder away to begin at version 1"
        ) from exc
    return made


def _notice(data: Mapping[str, Any]) -> Notice:
    version, facts = data["version"], data["facts"]
    if not (isinstance(version, int) and version >= 1):
        raise ValueError(f"version {version!r}")
    if facts is not None:
        if not (isinstance(facts["parts"], list) and isinstance(facts["agents"], dict)):
            raise ValueError("no parts or agents")
        changes_between(facts, facts)
    changes = tuple({str(k): str(v) for k, v in change.items()} for change in data["changes"])
    return Notice(zone_id=str(data["zone"]), version=version, facts=facts, changes=changes)
