"""The roster of a plan: per day and zone who does what when, as a table, a PDF and plain values."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fpdf.enums import YPos

from skymist.coverage.hours import hours_text
from skymist.coverage.words import Language
from skymist.missions.formats.pdf import SOFT, PdfPages
from skymist.missions.organiser.duties import APART_S, USUAL_CREW_HOURS, Duty, Hand
from skymist.missions.organiser.words import (
    agent_text,
    clock,
    clock_after,
    day_text,
    heading,
    kind_text,
    level_text,
    reason_text,
    slot_text,
    tell,
)
from skymist.missions.tables import inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.hours import Start
    from skymist.coverage.site import Site

HEADS = (
    *("date", "zone", "post", "slot", "level", "by", "spot", "name", "kind", "m²", "agent"),
    *("litres", "wait until", "minutes of work", "drone and sortie, or why on foot", "contact"),
)
PDF_HEADS = (
    *("slot", "level", "by", "spot", "m²", "agent", "litres", "wait until"),
    *("drone and sortie, or why on foot", "done: by whom, when"),
)
LEVEL_INKS = {
    "red": (176, 0, 32),
    "yellow": (122, 90, 0),
    "blue": (20, 74, 150),
    "green": (0, 96, 56),
}


def roster_csv(site: Site, start: Start, duties: Sequence[Duty], language: Language) -> str:
    """One line a duty; opens in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*(tell(language, head) for head in HEADS), "lat_deg", "lon_deg"])
    for duty in duties:
        at = duty.spot.area.representative_point()
        geo = site.origin.geo(at.x, at.y)
        row = (
            *(day_text(language, start, duty.day), duty.zone_id, duty.post),
            *(slot_text(language, start, duty.from_s, duty.to_s),),
            *(level_text(language, duty.spot.level), _hand(language, duty)),
            *(duty.spot.id, duty.spot.name, kind_text(language, duty.spot.kind)),
            *(f"{duty.area_m2:.1f}", agent_text(language, site, duty.agent_id)),
            *(f"{duty.litres_l:.2f}", _open(start, duty)),
            *(f"{duty.work_min:.0f}" if duty.by is Hand.CREW else "", _how(language, duty)),
            site.contact_for(duty.zone_id),
            *(f"{geo.lat_deg:.7f}", f"{geo.lon_deg:.7f}"),
        )
        writer.writerow([inert(cell) for cell in row])
    return out.getvalue()


def roster_dict(site: Site, start: Start, duties: Sequence[Duty]) -> dict[str, Any]:
    """The roster as plain JSON values; units are in the keys."""
    return {
        "site": site.name,
        "starts": start.at(0),
        "duties": [
            {
                "date": day_text(Language.ENGLISH, start, duty.day),
                **{"zone": duty.zone_id, "post": duty.post, "by": str(duty.by)},
                "contact": site.contact_for(duty.zone_id),
                "from": None if duty.from_s is None else clock(start, duty.from_s),
                "to": None if duty.to_s is None else clock_after(start, duty.to_s),
                "wait_until": _open(start, duty) or None,
                **{"spot": duty.spot.id, "level": str(duty.spot.level), "agent": duty.agent_id},
                **{"area_m2": round(duty.area_m2, 2), "litres_l": round(duty.litres_l, 3)},
                "work_min": round(duty.work_min, 1) if duty.by is Hand.CREW else None,
                **{"drones": list(duty.drone_ids), "sorties": list(duty.sortie_ids)},
                "reason": None if duty.reason is None else str(duty.reason),
                "is_rest": duty.is_rest,
            }
            for duty in duties
        ],
    }


def roster_pdf(
    site: Site, start: Start, duties: Sequence[Duty], map_png: bytes, language: Language
) -> bytes:
    """The map on a page, then each day and zone with lines to sign; the same bytes each time."""
    made = datetime.fromisoformat(start.date or "2000-01-01").replace(tzinfo=UTC)
    title = f"{site.name}: {tell(language, 'roster and responsibility map')}"
    pages = PdfPages(f"{title} · {site.attribution}".rstrip("· "), made)
    pages.set_title(title)
    pages.add_page()
    pages.image(io.BytesIO(map_png), w=pages.epw, h=pages.eph - 4, keep_aspect_ratio=True)
    for day, of_day in groupby(duties, key=lambda duty: duty.day):
        pages.add_page()
        day_name = day_text(language, start, day)
        pages.words(f"{tell(language, 'Roster')}: {site.name}, {day_name}", 15, style="B")
        pages.words(_rules(site, language), 8, ink=SOFT)
        for zone, of_zone in groupby(of_day, key=lambda duty: duty.zone_id):
            some = list(of_zone)
            posts = ", ".join(dict.fromkeys(d.post for d in some if d.post))
            pages.heading(
                tell(
                    language,
                    "zone {zone}, {post}",
                    zone=zone or tell(language, "outside all zones"),
                    post=posts or tell(language, "no post named"),
                )
            )
            if contact := site.contact_for(zone):
                pages.words(f"{tell(language, 'Contact')}: {contact}", 8, ink=SOFT)
            pages.sheet(
                tuple(heading(tell(language, head)) for head in PDF_HEADS),
                [_pdf_row(site, start, duty, language) for duty in some],
                (20, 15, 25, 42, 12, 45, 15, 17, 54, 30),
                numbers="4 6",
                inks={level_text(language, name): ink for name, ink in LEVEL_INKS.items()},
            )
    _signatures(pages, language)
    return bytes(pages.output())


def _pdf_row(site: Site, start: Start, duty: Duty, language: Language) -> tuple[str, ...]:
    spot = duty.spot
    name = f"{spot.id}\n{spot.name}" if spot.name else spot.id
    return (
        slot_text(language, start, duty.from_s, duty.to_s),
        level_text(language, spot.level),
        _hand(language, duty),
        f"{name}\n{kind_text(language, spot.kind)}",
        f"{duty.area_m2:.1f}",
        agent_text(language, site, duty.agent_id),
        f"{duty.litres_l:.2f}",
        _open(start, duty),
        _how(language, duty),
        "",
    )


def _rules(site: Site, language: Language) -> str:
    """How slots were found."""
    how = tell(
        language,
        "Slots of drones are the plan's. People on foot keep {apart} min clear of the drones in "
        "their zone, and off a spot until its contact time is over.",
        apart=f"{APART_S / 60:.0f}",
    )
    litres = tell(language, "Litres on foot are those that the dose of the level asks for.")
    people = tell(
        language,
        "People on foot: {people} at each post, {hours}.",
        people=site.organiser.crew_people,
        hours=hours_text(site.organiser.crew_hours or USUAL_CREW_HOURS),
    )
    return f"{how} {litres} {people}"


def _hand(language: Language, duty: Duty) -> str:
    if duty.by is Hand.DRONE:
        return tell(language, "drone")
    return tell(language, "ground crew, the rest" if duty.is_rest else "ground crew")


def _how(language: Language, duty: Duty) -> str:
    if duty.by is Hand.DRONE:
        return ", ".join(duty.sortie_ids)
    return reason_text(language, duty.reason, duty.text)


def _open(start: Start, duty: Duty) -> str:
    if duty.open_s is None or duty.to_s is None or duty.open_s <= duty.to_s:
        return ""
    return clock_after(start, duty.open_s)


def _signatures(pages: PdfPages, language: Language) -> None:
    if pages.will_page_break(26):
        pages.add_page()
    pages.ln(18)
    each = (pages.epw - 10) / 2
    for number, who in enumerate(("Officer in charge", "Operator")):
        x = pages.l_margin + number * (each + 10)
        pages.line(x, pages.get_y(), x + each, pages.get_y())
        pages.set_xy(x, pages.get_y())
        pages.set_font("sans", "", 8)
        pages.set_text_color(*SOFT)
        label = tell(language, "{who}, date", who=tell(language, who))
        pages.cell(each, 5, label, new_y=YPos.TOP)
