"""A notice as text, as a PDF to hang up, and as a page that needs nothing else, each with its code.

The code (QR, ISO/IEC 18004, by segno) holds the notice's own text, or the address of its page.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

import jinja2
import segno

from skymist.coverage.words import Language
from skymist.missions.formats.page import font_face
from skymist.missions.formats.pdf import INK, SOFT, PdfPages
from skymist.missions.organiser.notice_text import Told
from skymist.missions.organiser.words import tell
from skymist.missions.plans import file_name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skymist.missions.organiser.notices import Notice

WIDTH = 78
QUIET_MODULES = 4
"""The empty rim that readers want. Source: ISO/IEC 18004."""
CHANGES_FILL, CHANGES_EDGE = (255, 233, 168), (122, 90, 0)
QR_MM = 46.0


def name_of(notice: Notice, language: Language) -> str:
    """The name of a notice's files, without what they end in."""
    return f"notice-{file_name_of(notice.zone_id or 'outside')}.{language}"


def code_text(told: Told, notice: Notice, language: Language, url: str) -> str:
    """What the code says: the notice in short, or where its page is."""
    if not url:
        return told.short
    return f"{url.rstrip('/')}/{quote(name_of(notice, language))}.html"


def code_of(text: str) -> segno.QRCode:
    """The code of a text, at level M: 15 % of it may be torn or dirty."""
    return segno.make_qr(text, error="m", encoding="utf-8", mode="byte", boost_error=False)


def caption(told: Told, notice: Notice, language: Language, url: str) -> str:
    """What stands under the code."""
    if url:
        link = code_text(told, notice, language, url)
        return tell(language, "Scan for this notice: {link}", link=link)
    return tell(
        language,
        "Scan to take this notice with you. The code holds its text; no network is needed.",
    )


def notice_text(told: Told) -> str:
    """Plain text, for messages and loudspeakers."""
    lines = [told.site, told.title, told.version, *told.contact]
    if told.changes:
        lines += ["", told.changes_title, *(f"- {line}" for line in told.changes)]
    for section in told.sections:
        lines += ["", section.title, *(f"- {line}" for line in section.lines)]
    return "\n".join(lines) + "\n"


def notice_html(told: Told, notice: Notice, language: Language, url: str) -> str:
    """One page with styles, letters and code inside; nothing is fetched."""
    code = code_of(code_text(told, notice, language, url))
    drawn = code.svg_inline(border=QUIET_MODULES, dark="#000", light="#fff", omitsize=True)
    template = (files("skymist.missions") / "data" / "notice.html.j2").read_text(encoding="utf-8")
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(template)
    under = caption(told, notice, language, url)
    return page.render(
        lang="zh-CN" if language is Language.CHINESE else "en",
        told=told,
        font=font_face(notice_text(told) + under),
        code=drawn,
        caption=under,
    )


def notice_pdf(told: Told, notice: Notice, language: Language, url: str) -> bytes:
    """An upright A4 to hang up; the same bytes each time."""
    dates = sorted(p["date"] for p in notice.facts["parts"] if p["date"]) if notice.facts else []
    made = datetime.fromisoformat(dates[0] if dates else "2000-01-01").replace(tzinfo=UTC)
    pages = PdfPages(f"{told.site} · {told.title} · {told.version}", made, is_upright=True)
    pages.set_title(f"{told.title}, {told.version}")
    pages.add_page()
    buffer = io.BytesIO()
    code_of(code_text(told, notice, language, url)).save(
        buffer, kind="png", scale=8, border=QUIET_MODULES
    )
    top, left = pages.get_y(), pages.l_margin
    pages.image(buffer, x=pages.w - pages.r_margin - QR_MM, y=top - 4, w=QR_MM)
    pages.set_xy(pages.w - pages.r_margin - QR_MM, top + QR_MM - 5)
    pages.set_font("sans", "", 6)
    pages.set_text_color(*SOFT)
    pages.multi_cell(QR_MM, 2.7, caption(told, notice, language, url), align="L")
    foot = pages.get_y()
    pages.set_xy(left, top)
    pages.set_right_margin(pages.r_margin + QR_MM + 4)
    pages.words(told.site, 11, ink=SOFT)
    pages.ln(2)
    pages.words(told.title, 20, style="B")
    pages.ln(1)
    pages.words(told.version, 13, ink=SOFT)
    pages.ln(1)
    for line in told.contact:
        pages.words(line, 10.5)
    pages.set_right_margin(pages.l_margin)
    pages.set_y(max(pages.get_y(), foot) + 2)
    if told.changes:
        _changes(pages, told)
    for section in told.sections:
        pages.heading(section.title, gap_mm=1.2)
        for line in section.lines:
            pages.words(f"- {line}", 9.3)
    return bytes(pages.output())


def _changes(pages: PdfPages, told: Told) -> None:
    """What is new, in a box that is seen from afar."""
    pages.set_fill_color(*CHANGES_FILL)
    pages.set_draw_color(*CHANGES_EDGE)
    pages.set_font("sans", "", 10)
    pages.set_text_color(*INK)
    text = "\n".join((told.changes_title, *(f"- {line}" for line in told.changes)))
    pages.multi_cell(0, 5, text, border=1, fill=True, align="L", padding=2)
    pages.ln(2)


def files_of(
    told: Told, notice: Notice, language: Language, url: str
) -> Iterator[tuple[str, bytes]]:
    """Each file of a notice: its name and bytes."""
    name = name_of(notice, language)
    yield f"{name}.txt", notice_text(told).encode("utf-8")
    yield f"{name}.html", notice_html(told, notice, language, url).encode("utf-8")
    yield f"{name}.pdf", notice_pdf(told, notice, language, url)
