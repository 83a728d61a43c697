"""A notice in words: the same sections for the text, the PDF and the page.

The words are held to what a plan does: places by name, no claim about others, none about germs;
what was really reached is the report's to say. Mist is never recommended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skymist.coverage.site import Kind
from skymist.coverage.words import Language
from skymist.missions.organiser.notices import slots_text
from skymist.missions.organiser.words import kind_text, said, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from skymist.missions.organiser.notices import Facts, Notice, Part

PLACES_FIRST_MOST = 15
"""A longer list comes after what people have to do: not on the second page."""
QR_BYTES_MOST = 500
"""A code that a telephone still reads from a sheet of paper: version 18 at level M."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and lines under it."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A whole notice in one language; `changes` stand before everything else."""

    site: str
    title: str
    version: str
    contact: tuple[str, ...]
    changes_title: str
    changes: tuple[str, ...]
    sections: tuple[Section, ...]
    short: str


def told(site: str, notice: Notice, language: Language) -> Told:
    """What a notice says."""
    title = (
        tell(language, "Notice: spraying in zone {zone}", zone=notice.zone_id)
        if notice.zone_id
        else tell(language, "Notice: spraying outside the zones")
    )
    facts = notice.facts
    if facts is None:
        gone = tell(language, "Nothing is sprayed in this zone. Earlier notices no longer hold.")
        cancelled = Section(
            title=tell(language, "CANCELLED: nothing is sprayed in this zone."), lines=(gone,)
        )
        sections: tuple[Section, ...] = (cancelled,)
    else:
        sections = tuple(_sections(facts, language))
    version = tell(language, "version {n}", n=notice.version)
    return Told(
        site=site,
        title=title,
        version=version,
        contact=tuple(_contact(notice, language)),
        changes_title=_changes_title(notice, language),
        changes=tuple(_change(change, notice, language) for change in notice.changes),
        sections=sections,
        short=_short(site, title, version, notice, language),
    )


def _sections(facts: Facts, language: Language) -> Iterator[Section]:
    parts: list[Part] = facts["parts"]
    yield Section(title=tell(language, "When"), lines=tuple(_when(facts, language)))
    where = [_where(part, language) for part in parts]
    where.append(tell(language, "Other places of the zone are not to be sprayed."))
    places = Section(title=tell(language, "Where"), lines=tuple(where))
    if len(parts) <= PLACES_FIRST_MOST:
        yield places
    yield Section(title=tell(language, "With what, and why"), lines=tuple(_what(facts, language)))
    yield Section(
        title=tell(language, "What to do"),
        lines=(
            tell(
                language,
                "Leave these places 10 min before the time given, with your animals. Stay away "
                "from under the drones. Follow sentries.",
            ),
            tell(
                language,
                "Close windows and doors that face these places. Take in laundry, food and toys.",
            ),
            tell(
                language,
                "Cover wells, fish tanks and bee hives; move cars and bicycles if you can.",
            ),
            tell(
                language,
                "If you got wet, rinse with plenty of water. If you feel unwell, see a doctor and "
                "name the agent.",
            ),
        ),
    )
    yield Section(title=tell(language, "How long to wait"), lines=tuple(_wait(facts, language)))
    if len(parts) > PLACES_FIRST_MOST:
        yield places
    yield Section(
        title=tell(language, "What this does not do"), lines=tuple(_limits(parts, language))
    )


def _contact(notice: Notice, language: Language) -> Iterator[str]:
    """Whom to call, of a cancelled notice too."""
    contact = notice.facts["contact"] if notice.facts else _last_contact(notice)
    if contact:
        yield f"{tell(language, 'Contact')}: {contact}"
    yield from notice.facts["posts"] if notice.facts else ()


def _last_contact(notice: Notice) -> str:
    return next((change.get("contact", "") for change in notice.changes), "")


def _when(facts: Facts, language: Language) -> Iterator[str]:
    timed = [part for part in facts["parts"] if part["from"]]
    for date in sorted({part["date"] for part in timed}):
        for by in ("drone", "crew"):
            mine = [p for p in timed if (p["date"], p["by"]) == (date, by)]
            if mine:
                text = "{date}, {slots}: by drone" if by == "drone" else "{date}, {slots}: on foot"
                yield tell(language, text, date=date, slots=slots_text(mine))
    if any(not part["from"] for part in facts["parts"]):
        yield tell(language, "on foot, time to be agreed: ask the contact below")
    yield tell(
        language,
        "Times may shift by some minutes. Nothing is sprayed in rain, or in wind above {wind} m/s; "
        "the work is then put off and a new version of this notice is posted.",
        wind=facts["wind_max_mps"],
    )


def _where(part: Part, language: Language) -> str:
    place = place_text(part, language)
    if not part["from"]:
        return tell(language, "{place}: on foot, time to be agreed", place=place)
    values = {
        "place": place,
        "date": part["date"],
        "slot": f"{part['from']}-{part['to']}",
        "until": part["until"],
    }
    if part["part"] == "clean":
        return tell(language, "{place}: cleaned or treated on foot, {date} {slot}", **values)
    if part["by"] == "drone":
        text = "{place}: by drone, {date} {slot}; keep away until {until}"
        if not part["until"]:
            text = "{place}: by drone, {date} {slot}; keep away until it is dry"
    elif part["part"] == "rest":
        text = "{place}: the rest on foot, {date} {slot}; keep away until {until}"
        if not part["until"]:
            text = "{place}: the rest on foot, {date} {slot}; keep away until it is dry"
    else:
        text = "{place}: on foot, {date} {slot}; keep away until {until}"
        if not part["until"]:
            text = "{place}: on foot, {date} {slot}; keep away until it is dry"
    return tell(language, text, **values)


def place_text(part: Part, language: Language) -> str:
    """A place as people know it, with what it is."""
    kind = kind_text(language, Kind(part["kind"]))
    brackets = "（{}）" if language is Language.CHINESE else " ({})"
    return (part["name"] or part["spot"]) + brackets.format(kind)


def _what(facts: Facts, language: Language) -> Iterator[str]:
    texts = {
        "surface": (
            "{agent}: wets the surfaces of the places above, where refuse and dirt gather."
        ),
        "vector": "{agent}: for the control of mosquitoes or flies at the places above.",
        "broadcast": (
            "{agent}: fine mist over the area, below the dose that surfaces need. Do not rely on "
            "it."
        ),
    }
    for mode, text in texts.items():
        agents = [agent for agent in facts["agents"].values() if mode in agent["modes"]]
        if agents:
            yield tell(language, text, agent=_names(agents, language))
    if facts["reason"]:
        yield tell(language, "Reason given for mist: {reason}", reason=facts["reason"])


def _names(agents: Iterable[dict[str, Any]], language: Language) -> str:
    between = "；" if language is Language.CHINESE else "; "
    return between.join(said(language, agent["name"]) for agent in agents)


def _wait(facts: Facts, language: Language) -> Iterator[str]:
    """How long, the agents of one time together."""
    agents = facts["agents"].values()
    for minutes in dict.fromkeys(agent["contact_min"] for agent in agents):
        names = _names([a for a in agents if a["contact_min"] == minutes], language)
        if float(minutes) > 0:
            yield tell(
                language,
                "{agent}: {minutes} min from the end of spraying, and until it is dry and the "
                "smell is gone.",
                agent=names,
                minutes=minutes,
            )
        else:
            yield tell(
                language,
                "{agent}: until it is dry; longer where a sign or the product's label says so.",
                agent=names,
            )


def _limits(parts: Sequence[Part], language: Language) -> Iterator[str]:
    by_drone = {p["spot"] for p in parts if p["by"] == "drone"}
    on_foot = {p["spot"] for p in parts if p["by"] != "drone"}
    yield tell(
        language,
        "Of {count} places here drones are to spray {whole} whole and {part} in part; people on "
        "foot do the rest.",
        count=len(by_drone | on_foot),
        whole=len(by_drone - on_foot),
        part=len(by_drone & on_foot),
    )
    yield tell(language, "It does not treat air, homes or people, and does not replace cleaning.")
    yield tell(language, "What was really reached stands in the report of the day: ask for it.")


def _changes_title(notice: Notice, language: Language) -> str:
    if notice.version == 1:
        return ""
    return tell(language, "What changed since version {n}:", n=notice.version - 1)


def _change(change: dict[str, str], notice: Notice, language: Language) -> str:
    what, place = change["what"], change.get("place", "")
    values = {key: _value(change.get(key, ""), notice, language) for key in ("before", "after")}
    match what:
        case "cancelled":
            return tell(language, "CANCELLED: nothing is sprayed in this zone.")
        case "resumed":
            return tell(language, "it takes place again")
        case "new":
            return tell(language, "new: {place}", place=place)
        case "gone":
            return tell(language, "no longer: {place}", place=place)
        case "times":
            text = "times of {count} places, see below: now {after}, was {before}"
            return tell(language, text, count=change["count"], **values)
        case "part":
            fields = {"time": "time", "until": "keep away until", "by": "by whom"}
            changed = fields.get(change["field"], "agent")
            name = tell(language, changed)
            text = "{place}: {field} now {after}, was {before}"
            return tell(language, text, place=place, field=name, **values)
        case "wait":
            name = f"{said(language, change['agent'])}, {tell(language, 'waiting time')}"
            values = {
                key: tell(language, "{minutes} min", minutes=change[key])
                for key in ("before", "after")
            }
        case "details":
            return tell(language, "details of the places")
        case _:
            fields = {"wind_max_mps": "wind limit", "posts": "post"}
            name = tell(language, fields.get(what, what))
    return tell(language, "{field} now {after}, was {before}", field=name, **values)


def _value(value: str, notice: Notice, language: Language) -> str:
    """A value of a change as people say it; agents of the notice by their names."""
    if not value.strip("; "):
        return tell(language, "none")
    words = {"drone whole": "by drone", "crew whole": "on foot", "crew rest": "on foot, the rest"}
    words |= {"crew clean": "on foot"}
    agents = notice.facts["agents"] if notice.facts else {}
    made = []
    for one in value.split("; "):
        if one in words:
            made.append(tell(language, words[one]))
        else:
            made.append(said(language, agents[one]["name"]) if one in agents else one)
    return "; ".join(made)


def _short(site: str, title: str, version: str, notice: Notice, language: Language) -> str:
    """What the code holds: what matters most, in few bytes."""
    lines = [site, f"{title}, {version}"]
    facts = notice.facts
    if facts is None:
        lines.append(tell(language, "CANCELLED: nothing is sprayed in this zone."))
        lines += _contact(notice, language)
        return _cut("\n".join(lines))
    lines.append(facts["contact"])
    for when in _in_short(facts, language):
        if len("\n".join((*lines, when)).encode()) <= QR_BYTES_MOST:
            lines.append(when)
    return _cut("\n".join(lines))


def _cut(text: str) -> str:
    return text.encode()[:QR_BYTES_MOST].decode(errors="ignore")


def _in_short(facts: Facts, language: Language) -> Iterator[str]:
    """Each day: from when to when, and when all of it is open again."""
    timed = [part for part in facts["parts"] if part["from"]]
    for date in sorted({part["date"] for part in timed}):
        mine = [part for part in timed if part["date"] == date]
        yield f"{date} {slots_text(mine)}"
        until = max(part["until"] for part in mine)
        if until:
            yield tell(language, "keep away until {until}", until=until)
    yield from dict.fromkeys(said(language, agent["name"]) for agent in facts["agents"].values())
