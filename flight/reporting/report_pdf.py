"""The report as a PDF to print, sign and file: the same figures as the page, nothing more."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from skymist.flight.reporting.report_page import (
    SIGNERS,
    TOLD_BY_PEOPLE,
    how_known,
    productivity,
    rules_held,
)
from skymist.flight.terminal.wording import ENGLISH, Wording
from skymist.missions.formats.pdf import SOFT, PdfPages, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

OUTCOMES = {"treated": (0, 112, 90), "partial": (154, 74, 0), "missed": (176, 0, 32)}
MAP_MM = 165.0
SPOT_HEAD: Row = (
    *("Spot", "Level", "Post", "Result", "Label", "m²", "At dose", "mL/m² given / asked"),
    *("mg/m² given / asked", "L", "Start", "End", "Wait until", "Drone"),
)
SPOT_MM = (30, 11, 22, 14, 30, 10, 11, 21, 21, 9, 14, 14, 14, 14)


def report_pdf(figures: dict[str, Any], png: bytes, wording: Wording = ENGLISH) -> bytes:
    """The PDF of a report's figures (`reporting.report.report_dict`) and its map.

    The same figures give the same bytes.
    """
    began = datetime.fromisoformat(figures["started_utc"]).astimezone(UTC)
    record, say = figures["record"], wording.say
    kind = say("Rehearsal report" if figures["is_rehearsal"] else "Treatment record")
    foot = f"{figures['software']} · {record['file']} · SHA-256 {record['sha256']}"
    pages = PdfPages(foot, began)
    pages.set_title(f"{kind}: {figures['site']}, {wording.day(figures['started_utc'])}")
    pages.set_lang("zh-CN" if wording.language == "zh" else "en")
    pages.add_page()
    _cover(pages, figures, kind, wording)
    pages.add_page()
    pages.heading(say("What was put out, and where"))
    pages.image(io.BytesIO(png), h=MAP_MM - 8, w=pages.epw, keep_aspect_ratio=True)
    _lists(pages, figures, wording)
    note = say(
        "All figures come from the drones' recorded positions and pump output, not from the plan. "
        "They show what was put out and where; neither contact time nor any effect on germs or "
        "insects was measured, and the wind is not counted."
    )
    pages.signatures(note, [say("{who}, date", who=say(who)) for who in SIGNERS])
    return bytes(pages.output())


def _cover(pages: PdfPages, figures: dict[str, Any], kind: str, wording: Wording) -> None:
    """What it is, who and what took part, what came of it."""
    say, began = wording.say, figures["started_utc"]
    if figures["is_rehearsal"]:
        flown = say("Flown on simulated drones.")
        nothing = say("Nothing was sprayed; no place was treated.")
        pages.banner(say("REHEARSAL"), f"{flown} {nothing}")
    pages.words(figures["site"], 20, style="B")
    pages.words(f"{kind}{say(', ')}{wording.day(began)}", 13, ink=SOFT)
    pages.ln(3)
    totals, people, record = figures["totals"], figures.get("people", {}), figures["record"]
    agents = [f"{wording.told(a['name'])}{say(': ')}{a['litres']:.1f} L" for a in figures["agents"]]
    work = say(
        "{sorties}, with {refills} refills and {swaps} battery swaps",
        sorties=totals["sorties"],
        refills=totals["refills"],
        swaps=totals["swaps"],
    )
    pages.facts(
        [
            (say("Began"), f"{wording.day(began)} {wording.minute(began)} {wording.zone}"),
            (say("Ending"), wording.told(record["ending"])),
            *((say(name), people.get(name, "")) for name in TOLD_BY_PEOPLE),
            (say("Agents"), "; ".join(agents) or say("none")),
            (say("Sorties"), work),
            (say("Doses"), "; ".join(how_known(figures, wording))),
            (say("Rules"), "; ".join(rules_held(figures, wording))),
            (say("Software"), figures["software"]),
            (say("Map data"), figures["attribution"] or say("as given by the site's owner")),
            (say("Record"), f"{record['file']}, SHA-256 {record['sha256']}"),
        ]
    )
    pages.heading(say("In short"))
    for text in _in_short(figures, wording):
        pages.words(f"- {text}", 9.5)
    pages.heading(say("Productivity"))
    # In one paragraph: the cover is one page, with room for notes.
    lines = (f"{name}{say(': ')}{text}" for name, text in productivity(figures, wording))
    pages.words(" · ".join(lines), 9.5)
    if figures["notes"]:
        pages.heading(say("Before you rely on this"))
        for note in figures["notes"]:
            pages.words(f"- {wording.told(note)}", 9)


def _in_short(figures: dict[str, Any], wording: Wording) -> Iterable[str]:
    totals, say = figures["totals"], wording.say
    yield say(
        "{share} of the planned {area} m² got 80 % of the dose or more",
        share=f"{totals['dosed_frac']:.1%}",
        area=f"{totals['target_m2']:,.0f}",
    )
    yield say(
        "{treated} of {spots} planned spots treated, {partial} in part, {missed} missed; "
        "{ground} left to the ground crew by the plan",
        **{key: totals[key] for key in ("treated", "spots", "partial", "missed", "ground")},
    )
    yield say(
        "{litres} L put out, {outside} L outside the targets",
        litres=f"{totals['litres']:.1f}",
        outside=f"{totals['outside_litres']:.1f}",
    )
    yield say(
        "{area} m² of no-spray areas wetted directly ({litres} L)",
        area=f"{totals['no_spray_m2']:.1f}",
        litres=f"{totals['no_spray_litres']:.2f}",
    )


def _lists(pages: PdfPages, figures: dict[str, Any], wording: Wording) -> None:
    """Spot by spot, what was missed, what must stay dry, what is left to people on foot."""
    say, inks = wording.say, {wording.say(name): ink for name, ink in OUTCOMES.items()}
    pages.heading(say("Spot by spot"))
    text = (
        'Doses are means over the target; times are {zone}. "mg/m²" is available chlorine. '
        '"Wait until" ends the agent\'s contact time.'
    )
    pages.words(say(text, zone=wording.zone), 7.5, ink=SOFT)
    head = tuple(say(text) for text in SPOT_HEAD)
    rows = [_spot_row(spot, wording) for spot in figures["spots"]]
    pages.sheet(head, rows, SPOT_MM, numbers="5 6 7 8 9", inks=inks)
    missed = [spot for spot in figures["spots"] if spot["outcome"] != "treated"]
    pages.heading(say("What was missed, and why"))
    if missed:
        pages.sheet(
            (say("Spot"), say("Result"), say("At dose"), say("Reason")),
            [
                (s["id"], say(s["outcome"]), f"{s['dosed_frac']:.0%}", wording.told(s["reason"]))
                for s in missed
            ],
            (40, 20, 20, 180),
            numbers="2",
            inks=inks,
        )
    else:
        pages.words(say("Nothing."))
    _dry(pages, figures, wording)
    pages.heading(say("For the ground crew"))
    if not figures["ground"]:
        pages.words(say("Nothing."))
        return
    pages.sheet(
        (say("Spot"), say("Post"), say("Part"), "m²", say("Reason")),
        [
            (
                *(g["id"], g["post"] or "-", say("whole" if g["is_whole"] else "rest")),
                *(f"{g['m2']:.1f}", wording.told(g["text"])),
            )
            for g in figures["ground"]
        ],
        (45, 35, 18, 18, 144),
        numbers="3",
    )


def _dry(pages: PdfPages, figures: dict[str, Any], wording: Wording) -> None:
    """What was wetted of the areas that must stay dry."""
    say = wording.say
    wet = [area for area in figures["no_spray"] if area["litres"] > 0]
    pages.heading(say("Areas that must stay dry"))
    if not wet:
        text = "None of the site's {number} no-spray areas got any spray directly."
        pages.words(say(text, number=len(figures["no_spray"])))
        return
    pages.sheet(
        (say("Area"), say("Why"), say("Wetted m²"), say("Litres")),
        [(a["id"], a["reason"], f"{a['wet_m2']:.1f}", f"{a['litres']:.2f}") for a in wet],
        (60, 120, 40, 40),
        numbers="2 3",
    )


def _spot_row(spot: dict[str, Any], wording: Wording) -> Row:
    def clock(key: str) -> str:
        return wording.clock(spot[f"{key}_utc"]) or "-"

    chlorine = "-"
    if spot["asked_mg_per_m2"]:
        chlorine = f"{spot['given_mg_per_m2']:.1f} / {spot['asked_mg_per_m2']:.1f}"
    name = f"{spot['id']}\n{spot['name']}" if spot["name"] else spot["id"]
    return (
        name,
        wording.say(spot["level"]),
        spot["post"] or "-",
        wording.say(spot["outcome"]),
        wording.say(spot["label"]),
        f"{spot['target_m2']:.1f}",
        f"{spot['dosed_frac']:.0%}",
        f"{spot['given_ml_per_m2']:.3g} / {spot['asked_ml_per_m2']:.3g}",
        chlorine,
        f"{spot['litres']:.2f}",
        *(clock(key) for key in ("started", "ended", "contact_until")),
        ", ".join(spot["drones"]) or "-",
    )
