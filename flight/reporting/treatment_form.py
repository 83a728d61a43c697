"""The disinfection process record (消毒过程记录表) as a form to print, sign and keep.

After the informative annex A of WS/T 774-2021: its facts, a line a spot, filled from the record
and never by guess; what nobody told is a line to write on. The annex itself is not reproduced.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from skymist.flight.reporting.report_page import SIGNERS
from skymist.flight.reporting.treatment_record import treatment_rows
from skymist.flight.terminal.wording import ENGLISH, Wording
from skymist.missions.formats.pdf import SOFT, PdfPages, Row

HEAD: Row = (
    *("Object", "Zone", "Start", "End", "Agent", "mg/L", "m²", "L", "mL/m² given / asked"),
    *("Method", "Wait until", "Result", "Remarks"),
)
COLUMNS_MM = (36, 14, 15, 15, 38, 12, 12, 12, 20, 22, 15, 15, 47)


def treatment_form(figures: dict[str, Any], wording: Wording = ENGLISH) -> bytes:
    """The form of a report's figures (`reporting.report.report_dict`), as a PDF.

    The same figures give the same bytes.
    """
    say, record, began = wording.say, figures["record"], figures["started_utc"]
    foot = f"{figures['software']} · {record['file']} · SHA-256 {record['sha256']}"
    pages = PdfPages(foot, datetime.fromisoformat(began).astimezone(UTC))
    title = say("Disinfection process record")
    pages.set_title(f"{title}: {figures['site']}, {wording.day(began)}")
    pages.add_page()
    if figures["is_rehearsal"]:
        pages.banner(say("REHEARSAL"), say("Nothing was sprayed; no place was treated."))
    pages.words(title, 16, style="B")
    pages.words(say("after WS/T 774-2021, annex A"), 9, ink=SOFT)
    pages.ln(2)
    people = figures.get("people", {})
    pages.facts(
        [
            (say("Place"), figures["site"]),
            (say("Date"), f"{wording.day(began)} ({wording.zone})"),
            *((say(name), people.get(name, "")) for name in ("Operator", "Supervisor", "Weather")),
        ]
    )
    pages.ln(2)
    rows = [_row(cells) for cells in treatment_rows(figures, wording)]
    pages.sheet(tuple(say(text) for text in HEAD), rows, COLUMNS_MM, numbers="5 6 7 8")
    note = say("To be kept for a year at least. The report with the same hash holds the map.")
    pages.signatures(note, [say("{who}, date", who=say(who)) for who in SIGNERS])
    return bytes(pages.output())


def _row(cells: dict[str, str]) -> Row:
    doses = f"{cells['dose given mL/m2 实际剂量']} / {cells['dose asked mL/m2 要求剂量']}"
    return (
        cells["object 消毒对象"],
        cells["zone 区域"] or "-",
        cells["start 开始"] or "-",
        cells["end 结束"] or "-",
        cells["agent 消毒剂"],
        cells["concentration mg/L 有效氯浓度"] or "-",
        cells["area treated m2 消毒面积"],
        cells["volume L 用量"],
        doses,
        cells["method 方法"],
        cells["contact until 作用至"] or "-",
        cells["result 结果"],
        cells["remarks 备注"],
    )
