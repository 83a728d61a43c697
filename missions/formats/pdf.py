"""Pages of a PDF to print and sign: fonts with Chinese letters, headings, tables, a foot.

What stands on them is written by those who make them. The same content gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from fpdf import FPDF
from fpdf.enums import TableCellFillMode, XPos, YPos
from fpdf.fonts import FontFace

from skymist.coverage.mapmarks import chinese_font_path, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

INK, SOFT, WASH = (27, 31, 36), (87, 96, 106), (246, 248, 250)
WARNING, WARNING_EDGE = (255, 233, 168), (122, 90, 0)
MARGIN_MM, FACTS_MM = 12.0, 34.0

Row = tuple[str, ...]
Ink = tuple[int, int, int]


def drawn(text: str) -> str:
    """The text without letters that no font here can draw, line by line."""
    return "\n".join(readable(line) for line in text.split("\n"))


class PdfPages(FPDF):
    """A4, our fonts, and `foot` at the foot of every page.

    `made_at` is what the file says of its making: the time of what it shows, not the clock's.
    """

    def __init__(self, foot: str, made_at: datetime, *, is_upright: bool = False) -> None:
        super().__init__(orientation="P" if is_upright else "L", unit="mm", format="A4")
        self._foot = foot
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font("sans", "", fonts / "DejaVuSans.ttf")
        self.add_font("sans", "B", fonts / "DejaVuSans-Bold.ttf")
        chinese = chinese_font_path()
        if chinese is not None:
            self.add_font("chinese", "", chinese)
            self.set_fallback_fonts(["chinese"], exact_match=False)
        self.set_margin(MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM + 6)
        self.set_creation_date(made_at)
        self.set_producer("Skymist")
        self.alias_nb_pages()

    def pen(self, style: str, size_pt: float, ink: Ink = INK) -> None:
        """The font and colour of what comes next, told to the page anew.

        fpdf2 leaves a page in its fallback font after Chinese letters, and takes the font that
        it is asked for next as already told.
        """
        self.font_family = ""
        self.set_font("sans", style, size_pt)
        self.set_text_color(*ink)

    def footer(self) -> None:
        """What this is, and which page."""
        self.set_y(-MARGIN_MM)
        self.pen("", 6.5, SOFT)
        self.cell(0, 4, drawn(self._foot))
        self.set_x(-MARGIN_MM - 30)
        self.cell(30, 4, f"{self.page_no()} / {{nb}}", align="R")

    def words(self, text: str, size_pt: float = 9, *, style: str = "", ink: Ink = INK) -> None:
        """A paragraph over the width of the page."""
        self.pen(style, size_pt, ink)
        high_mm, text = size_pt * 0.5, drawn(text)
        self.multi_cell(0, high_mm, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and what they are; a line to write on where nothing is told."""
        for name, text in rows:
            self.pen("", 9, SOFT)
            self.cell(FACTS_MM, 5, drawn(name))
            self.pen("", 9)
            if not text:
                self.set_draw_color(*SOFT)
                x, y = self.get_x() + 1, self.get_y() + 4.4
                self.line(x, y, x + 70, y)
            self.multi_cell(0, 5, drawn(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def banner(self, title: str, text: str) -> None:
        """What nobody may overlook."""
        self.set_fill_color(*WARNING)
        self.set_draw_color(*WARNING_EDGE)
        self.pen("B", 22)
        self.cell(0, 13, title, border=1, fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.words(text, 9)
        self.ln(3)

    def heading(self, text: str, gap_mm: float = 4) -> None:
        """A section's title with a rule, below a gap; never alone at the foot of a page."""
        if self.will_page_break(28):
            self.add_page()
        self.ln(gap_mm)
        self.words(text, 12, style="B")
        self.set_draw_color(*INK)
        self.line(self.l_margin, self.get_y() + 0.6, self.w - self.r_margin, self.get_y() + 0.6)
        self.ln(2)

    def sheet(
        self,
        head: Row,
        rows: Sequence[Row],
        widths: tuple[float, ...],
        *,
        numbers: str = "",
        inks: Mapping[str, Ink] | None = None,
    ) -> None:
        """A table whose head comes again on each page; `numbers` are the columns set right.

        Cells that hold one of the words in `inks` are written bold in its colour.
        """
        self.pen("", 7)
        self.set_fill_color(255)
        self.set_draw_color(*SOFT)
        right = {int(column) for column in numbers.split()}
        align = tuple("RIGHT" if k in right else "LEFT" for k in range(len(head)))
        with self.table(
            col_widths=widths,
            text_align=align,
            line_height=3.6,
            padding=(0.7, 1.6, 0.7, 0.7),
            borders_layout="HORIZONTAL_LINES",
            headings_style=FontFace(emphasis="BOLD"),
            cell_fill_color=WASH,
            cell_fill_mode=TableCellFillMode.ROWS,
        ) as table:
            table.row([drawn(text) for text in head])
            for row in rows:
                line = table.row()
                for text in row:
                    ink = (inks or {}).get(text)
                    style = FontFace(color=ink, emphasis="BOLD") if ink else None
                    line.cell(drawn(text), style=style)

    def signatures(self, note: str, signers: Sequence[str]) -> None:
        """Lines to sign on, kept together, and what the figures do not say."""
        if self.will_page_break(36):
            self.add_page()
        self.ln(5)
        self.words(note, 8, ink=SOFT)
        self.ln(16)
        self.set_draw_color(*INK)
        each = (self.epw - 10 * (len(signers) - 1)) / len(signers)
        for number, who in enumerate(signers):
            x = self.l_margin + number * (each + 10)
            self.line(x, self.get_y(), x + each, self.get_y())
            self.set_xy(x, self.get_y())
            self.pen("", 8, SOFT)
            self.cell(each, 5, who, new_y=YPos.TOP)
