"""The report as a PDF to print, sign and file: the same figures as the page, nothing more."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fpdf.enums import XPos, YPos

from skymist.missions.formats.pdf import INK, SOFT, PdfPages, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

OUTCOMES = {"treated": (0, 112, 90), "partial": (154, 74, 0), "missed": (176, 0, 32)}
WARNING, WARNING_EDGE = (255, 233, 168), (122, 90, 0)
MAP_MM = 165.0
FACTS_MM = 34.0

SPOT_HEAD: Row = (
    *("Spot", "Level", "Post", "Result", "Label", "m²", "At dose", "mL/m² given / asked"),
    *("mg/m² given / asked", "L", "Start", "End", "Wait until", "Drone"),
)


def report_pdf(figures: dict[str, Any], png: bytes) -> bytes:
    """The PDF of a report's figures (`flight.report.report_dict`) and its map.

    The same figures give the same bytes.
    """
    began = datetime.fromisoformat(figures["started_utc"]).astimezone(UTC)
    record, kind = figures["record"], "Rehearsal report"
    if not figures["is_rehearsal"]:
        kind = "Treatment record"
    foot = f"{figures['software']} · {record['file']} · SHA-256 {record['sha256']}"
    pages = PdfPages(foot, began)
    pages.set_title(f"{kind}: {figures['site']}, {began:%Y-%m-%d}")
    pages.add_page()
    _cover(pages, figures, kind, began)
    pages.add_page()
    pages.heading("What was put out, and where")
    pages.image(io.BytesIO(png), h=MAP_MM - 8, w=pages.epw, keep_aspect_ratio=True)
    _lists(pages, figures)
    _signatures(pages)
    return bytes(pages.output())


def _cover(pages: PdfPages, figures: dict[str, Any], kind: str, began: datetime) -> None:
    """What it is, who and what took part, what came of it."""
    if figures["is_rehearsal"]:
        pages.set_fill_color(*WARNING)
        pages.set_draw_color(*WARNING_EDGE)
        pages.set_font("sans", "B", 22)
        pages.set_text_color(*INK)
        pages.cell(0, 13, "REHEARSAL", border=1, fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pages.words("Flown on simulated drones. Nothing was sprayed; no place was treated.", 9)
        pages.ln(3)
    pages.words(figures["site"], 20, style="B")
    pages.words(f"{kind}, {began:%Y-%m-%d}", 13, ink=SOFT)
    pages.ln(3)
    totals, people = figures["totals"], figures.get("people", {})
    agents = "; ".join(f"{a['name']}: {a['litres']:.1f} L" for a in figures["agents"]) or "none"
    facts: list[tuple[str, str]] = [
        ("Began", f"{began:%Y-%m-%d %H:%M} UTC"),
        ("Ending", figures["record"]["ending"]),
        *((name, text) for name, text in people.items() if text),
        ("Agents", agents),
        ("Sorties", f"{totals['sorties']}, {totals['refills']} refills, {totals['swaps']} swaps"),
        ("Software", figures["software"]),
        ("Map data", figures["attribution"] or "as given by the site's owner"),
        ("Record", f"{figures['record']['file']}, SHA-256 {figures['record']['sha256']}"),
    ]
    for name, text in facts:
        pages.set_font("sans", "", 9)
        pages.set_text_color(*SOFT)
        pages.cell(FACTS_MM, 5, name)
        pages.set_text_color(*INK)
        pages.multi_cell(0, 5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pages.heading("In short")
    for text in _in_short(figures):
        pages.words(f"- {text}", 9.5)
    if figures["notes"]:
        pages.heading("Before you rely on this")
        for note in figures["notes"]:
            pages.words(f"- {note}", 9)


def _in_short(figures: dict[str, Any]) -> Iterable[str]:
    totals = figures["totals"]
    yield (
        f"{totals['dosed_frac']:.1%} of the planned {totals['target_m2']:,.0f} m² got 80 % of the "
        f"dose or more"
    )
    yield (
        f"{totals['treated']} of {totals['spots']} planned spots treated, {totals['partial']} in "
        f"part, {totals['missed']} missed; {totals['ground']} left to the ground crew by the plan"
    )
    yield f"{totals['litres']:.1f} L put out, {totals['outside_litres']:.1f} L outside the targets"
    yield (
        f"{totals['no_spray_m2']:.1f} m² of no-spray areas wetted directly "
        f"({totals['no_spray_litres']:.2f} L)"
    )
    speed = f", {totals['m2_per_h']:,.0f} m² per hour" if totals["m2_per_h"] else ""
    yield f"{totals['duration_s'] / 60:.0f} min from first take-off to last landing{speed}"


def _lists(pages: PdfPages, figures: dict[str, Any]) -> None:
    """Spot by spot, what was missed, what must stay dry, what is left to people on foot."""
    spots = figures["spots"]
    pages.heading("Spot by spot")
    pages.words(
        "Doses are means over the target; times are UTC. Chlorine is available chlorine. "
        '"Wait until" ends the contact time.',
        7.5,
        ink=SOFT,
    )
    pages.sheet(
        SPOT_HEAD,
        [_spot_row(spot) for spot in spots],
        (30, 11, 22, 14, 30, 10, 11, 21, 21, 9, 14, 14, 14, 14),
        numbers="5 6 7 8 9",
        inks=OUTCOMES,
    )
    missed = [spot for spot in spots if spot["outcome"] != "treated"]
    pages.heading("What was missed, and why")
    if missed:
        pages.sheet(
            ("Spot", "Result", "At dose", "Reason"),
            [(s["id"], s["outcome"], f"{s['dosed_frac']:.0%}", s["reason"]) for s in missed],
            (40, 20, 20, 180),
            numbers="2",
            inks=OUTCOMES,
        )
    else:
        pages.words("Nothing.")
    wet = [area for area in figures["no_spray"] if area["litres"] > 0]
    pages.heading("Areas that must stay dry")
    if wet:
        pages.sheet(
            ("Area", "Why", "Wetted m²", "Litres"),
            [(a["id"], a["reason"], f"{a['wet_m2']:.1f}", f"{a['litres']:.2f}") for a in wet],
            (60, 120, 40, 40),
            numbers="2 3",
        )
    else:
        pages.words(f"None of the site's {len(figures['no_spray'])} got any spray directly.")
    pages.heading("For the ground crew")
    if figures["ground"]:
        pages.sheet(
            ("Spot", "Part", "m²", "Reason"),
            [
                (g["id"], "whole" if g["is_whole"] else "rest", f"{g['m2']:.1f}", g["text"])
                for g in figures["ground"]
            ],
            (45, 20, 20, 175),
            numbers="2",
        )
    else:
        pages.words("Nothing.")


def _spot_row(spot: dict[str, Any]) -> Row:
    def clock(key: str) -> str:
        return (spot[f"{key}_utc"] or "")[11:19] or "-"

    chlorine = "-"
    if spot["asked_mg_per_m2"]:
        chlorine = f"{spot['given_mg_per_m2']:.1f} / {spot['asked_mg_per_m2']:.1f}"
    name = f"{spot['id']}\n{spot['name']}" if spot["name"] else spot["id"]
    return (
        name,
        spot["level"],
        spot["post"] or "-",
        spot["outcome"],
        spot["label"],
        f"{spot['target_m2']:.1f}",
        f"{spot['dosed_frac']:.0%}",
        f"{spot['given_ml_per_m2']:.3g} / {spot['asked_ml_per_m2']:.3g}",
        chlorine,
        f"{spot['litres']:.2f}",
        *(clock(key) for key in ("started", "ended", "contact_until")),
        ", ".join(spot["drones"]) or "-",
    )


def _signatures(pages: PdfPages) -> None:
    """Lines to sign on, kept together, and what the figures do not say."""
    if pages.will_page_break(48):
        pages.add_page()
    pages.ln(5)
    pages.words(
        "All figures come from the drones' recorded positions and pump output, not from the plan. "
        "They show what was put out and where; neither contact time nor any effect on germs or "
        "insects was measured, and the wind is not counted.",
        8,
        ink=SOFT,
    )
    pages.ln(16)
    pages.set_draw_color(*INK)
    each = (pages.epw - 20) / 3
    for number, who in enumerate(("Operator", "Supervisor", "Responsible post")):
        x = pages.l_margin + number * (each + 10)
        pages.line(x, pages.get_y(), x + each, pages.get_y())
        pages.set_xy(x, pages.get_y())
        pages.set_font("sans", "", 8)
        pages.set_text_color(*SOFT)
        pages.cell(each, 5, f"{who}, date", new_y=YPos.TOP)
