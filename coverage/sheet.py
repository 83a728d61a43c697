"""A sheet of paper with a map on it: title above, legend and colour bar beside, source below.

Lays out and writes; what lies on the map is `skymist.coverage.plots`'s.
"""

from __future__ import annotations

import io
import re
import textwrap
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from skymist.coverage.mapmarks import INK, PAPER, SOFT_INK, add_north_arrow, add_scale_bar, font
from skymist.coverage.words import Language, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DPI = 150
_PANEL_IN = 3.3
_SIDE_IN, _TOP_IN, _FOOT_IN = 0.25, 0.95, 0.4
_MAP_AREA_IN2, _MAP_MOST_IN, _MAP_LEAST_IN = 100.0, 13.0, 7.0
_ROW_PT, _SWATCH_PT, _LETTER_FRAC = 14.5, 20.0, 0.57

_WIDE = 0x2E80
"""From here on letters are as wide as high: Unicode's CJK blocks."""
_WORDS = re.compile(r"\s*[\u2e80-\uffff]|\s*[^\s\u2e80-\uffff]+")

Bounds = tuple[float, float, float, float]


class Sheet:
    """A figure with a map axes in metres and a panel of text beside it.

    The map shows at least `bounds` (west, south, east, north); `metres_per_pt` is its scale.
    """

    def __init__(
        self,
        bounds: Bounds,
        *,
        title: str,
        lines: tuple[str, ...],
        foot: str,
        language: Language = Language.ENGLISH,
    ) -> None:
        self.language = language
        west, south, east, north = bounds
        wide, high = max(east - west, 10.0), max(north - south, 10.0)
        aspect = min(max(wide / high, 0.45), 2.2)
        high_in = min(max((_MAP_AREA_IN2 / aspect) ** 0.5, _MAP_LEAST_IN), _MAP_MOST_IN)
        wide_in = min(max(high_in * aspect, _MAP_LEAST_IN), _MAP_MOST_IN)
        self.metres_per_pt = max(wide / wide_in, high / high_in) / 72 * 1.04
        size_in = (wide_in + _PANEL_IN + 3 * _SIDE_IN, high_in + _TOP_IN + _FOOT_IN)
        self.figure = Figure(figsize=size_in, facecolor="white")
        FigureCanvasAgg(self.figure)
        self._size_in = size_in
        self.axes = self._box(_SIDE_IN, _FOOT_IN, wide_in, high_in)
        middle_x, middle_y = (west + east) / 2, (south + north) / 2
        half_x, half_y = wide_in * 36 * self.metres_per_pt, high_in * 36 * self.metres_per_pt
        self.axes.set(
            xlim=(middle_x - half_x, middle_x + half_x),
            ylim=(middle_y - half_y, middle_y + half_y),
            xticks=(),
            yticks=(),
            facecolor=PAPER,
        )
        for spine in self.axes.spines.values():
            spine.set(color=SOFT_INK, linewidth=0.8)
        self._panel = self._box(wide_in + 2 * _SIDE_IN, _FOOT_IN, _PANEL_IN, high_in)
        self._panel.set(xlim=(0, _PANEL_IN * 72), ylim=(0, high_in * 72))
        self._panel.set_axis_off()
        self._cursor_pt = high_in * 72
        self._head(title, lines, foot)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north edges of the map as drawn."""
        (west, east), (south, north) = self.axes.get_xlim(), self.axes.get_ylim()
        return west, south, east, north

    def say(self, text: str, **values: object) -> str:
        """A text in the sheet's language."""
        return say(self.language, text, **values)

    def section(self, title: str) -> None:
        """A heading in the panel."""
        if self._cursor_pt < self._panel.get_ylim()[1]:
            self._cursor_pt -= 7
        self._row(title, x_pt=0, is_bold=True)

    def patch(self, text: str, **style: Any) -> None:
        """A row with a little area drawn as `style` says."""
        y = self._cursor_pt - _ROW_PT + 3
        self._panel.add_patch(Rectangle((1, y), _SWATCH_PT, 8.5, **style))
        self._row(text)

    def line(self, text: str, **style: Any) -> None:
        """A row with a piece of line."""
        y = self._cursor_pt - _ROW_PT / 2
        self._panel.add_line(Line2D([1, 1 + _SWATCH_PT], [y, y], **style))
        self._row(text)

    def mark(self, text: str, **style: Any) -> None:
        """A row with a symbol."""
        y = self._cursor_pt - _ROW_PT / 2
        style = {"linestyle": "none", **style}
        self._panel.add_line(Line2D([1 + _SWATCH_PT / 2], [y], **style))
        self._row(text)

    def overlay(self, **style: Any) -> None:
        """A symbol on the row just written."""
        y = self._cursor_pt + _ROW_PT / 2
        self._panel.add_line(Line2D([1 + _SWATCH_PT / 2], [y], linestyle="none", **style))

    def note(self, text: str) -> None:
        """A row of text alone."""
        self._row(text, x_pt=0)

    def colour_bar(self, title: str, colours: Colormap, scale: Normalize, unit: float) -> None:
        """The bar of a colour scale; ticks are values times `unit`."""
        self.section(title)
        top_in = _FOOT_IN + self._cursor_pt / 72
        left_in = self._size_in[0] - _SIDE_IN - _PANEL_IN
        axes = self._box(left_in + 0.05, top_in - 0.2, _PANEL_IN - 0.5, 0.15)
        low, high = float(scale.vmin or 0) * unit, float(scale.vmax or 1) * unit
        shown = LogNorm(low, high) if isinstance(scale, LogNorm) else Normalize(low, high)
        bar = self.figure.colorbar(
            ScalarMappable(shown, colours), cax=axes, orientation="horizontal", extend="max"
        )
        bar.outline.set(edgecolor=SOFT_INK, linewidth=0.6)
        bar.ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        bar.ax.xaxis.set_minor_formatter(lambda *_: "")
        for label in bar.ax.get_xticklabels():
            label.set_fontproperties(font(7.5))
        self._cursor_pt -= 34

    def finish(self) -> Figure:
        """The figure, with scale bar and north arrow on the map."""
        add_scale_bar(self.axes, self.metres_per_pt)
        add_north_arrow(self.axes, self.metres_per_pt)
        return self.figure

    def _head(self, title: str, lines: tuple[str, ...], foot: str) -> None:
        wide_in, high_in = self._size_in
        shared: Mapping[str, Any] = {"parse_math": False, "va": "baseline"}
        left = _SIDE_IN / wide_in
        most = int((wide_in - 2 * _SIDE_IN) * 72 / (16 * 0.66))
        self.figure.text(
            left,
            1 - 0.42 / high_in,
            textwrap.shorten(title, most, placeholder=" ..."),
            fontproperties=font(16, is_bold=True),
            color=INK,
            **shared,
        )
        most = int((wide_in - 2 * _SIDE_IN) * 72 / (9.5 * 0.56))
        for number, line in enumerate(lines[:2]):
            self.figure.text(
                left,
                1 - (0.65 + 0.19 * number) / high_in,
                textwrap.shorten(line, most, placeholder=" ..."),
                fontproperties=font(9.5),
                color=SOFT_INK,
                **shared,
            )
        self.figure.text(
            left, 0.15 / high_in, foot, fontproperties=font(7.5), color=SOFT_INK, **shared
        )

    def _row(self, text: str, x_pt: float = _SWATCH_PT + 8, *, is_bold: bool = False) -> None:
        size_pt = 9.5 if is_bold else 8.5
        room = int((_PANEL_IN * 72 - x_pt) / (size_pt * _LETTER_FRAC))
        for line in wrapped(text, room):
            self._panel.text(
                x_pt,
                self._cursor_pt - _ROW_PT / 2,
                line,
                fontproperties=font(size_pt, is_bold=is_bold),
                color=INK,
                va="center_baseline",
                parse_math=False,
                clip_on=False,
            )
            self._cursor_pt -= _ROW_PT

    def _box(self, left_in: float, low_in: float, wide_in: float, high_in: float) -> Any:
        wide, high = self._size_in
        return self.figure.add_axes((left_in / wide, low_in / high, wide_in / wide, high_in / high))


def wrapped(text: str, room: int) -> list[str]:
    """Lines of at most `room` Latin letters; a Chinese one takes the room of two."""
    lines, left = [""], room
    for word in _WORDS.findall(text):
        need = sum(2 if ord(letter) >= _WIDE else 1 for letter in word)
        if need > left and lines[-1]:
            lines.append("")
            left, word = room, word.lstrip()
        lines[-1] += word
        left -= need
    return lines


def to_png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as a PNG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure) -> bytes:
    """The figure as an SVG file, letters as outlines; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "skymist"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def to_pdf(figures: Iterable[Figure]) -> bytes:
    """A PDF with a page a figure; only one figure is kept at a time."""
    buffer = io.BytesIO()
    with PdfPages(buffer, metadata={"CreationDate": None, "Creator": None}) as pages:
        for figure in figures:
            pages.savefig(figure)
    return buffer.getvalue()
