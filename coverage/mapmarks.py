"""What every map of ours is drawn with: colours, fonts, areas, arrows, labels, scale, north.

Matplotlib's object interface alone; nothing here knows what a plan is.
"""

from __future__ import annotations

import importlib.util
import math
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib import font_manager
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke

from skymist.coverage.raster import polygons_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

INK = "#1b1f24"
SOFT_INK = "#57606a"
PAPER = "#fcfbf8"
DRONE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#444444")
"""Told apart by colour-blind people too. Source: Okabe & Ito, Color Universal Design (2008)."""
DRONE_DASHES = ((4, 2), (1.5, 1.5), (6, 1.5, 1.5, 1.5), (2.5, 1), (8, 2), (3, 1, 1, 1), (5, 4))

_EMPTY = re.compile(r"\(\s*\)|\[\s*\]|（\s*）")
_LATIN = "DejaVu Sans"
_CHINESE = (
    "Noto Sans SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)


def drone_style(number: int) -> tuple[str, tuple[float, tuple[float, ...]]]:
    """Colour and dashes of the drone with this number, from 0; no pair before the 50th repeats."""
    count = len(DRONE_COLOURS)
    return DRONE_COLOURS[number % count], (0, DRONE_DASHES[(number + number // count) % count])


def chinese_font_path() -> Path | None:
    """Noto Sans SC (SIL Open Font License 1.1), which the package zhplot ships; None without it.

    The package itself is not imported: it would change matplotlib's settings.
    """
    found = importlib.util.find_spec("zhplot")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "fonts" / "NotoSansSC-Regular.ttf"
        if path.is_file():
            return path
    return None


def _add_packaged_font() -> None:
    """Make the packaged Chinese font known to matplotlib."""
    path = chinese_font_path()
    if path is not None:
        font_manager.fontManager.addfont(path)
        # There is no bold of it; the regular one stands in, without a warning a letter.
        plain = next(f for f in font_manager.fontManager.ttflist if f.fname == str(path))
        font_manager.fontManager.ttflist.append(replace(plain, weight=700))


@lru_cache(maxsize=1)
def _families() -> tuple[str, ...]:
    """Our font, and after it the first Chinese one that is there."""
    _add_packaged_font()
    there = {font.name for font in font_manager.fontManager.ttflist}
    return (_LATIN, *[name for name in _CHINESE if name in there][:1])


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Every character that the families have a glyph for."""
    found: set[int] = set()
    for family in _families():
        path = font_manager.findfont(FontProperties(family=[family]))
        found |= set(FT2Font(path).get_charmap())
    return frozenset(found)


def font(size_pt: float, *, is_bold: bool = False) -> FontProperties:
    """The font of all text on a map."""
    weight = "bold" if is_bold else "normal"
    return FontProperties(family=list(_families()), size=size_pt, weight=weight)


def readable(text: str, instead: str = "") -> str:
    """The text without what would be empty boxes; `instead` where little of it is left."""
    kept = _with_glyphs(text)
    is_little = len(kept) < len(" ".join(text.split())) and sum(map(str.isalnum, kept)) < 3
    return _with_glyphs(instead) if instead and is_little else kept


def without_glyphs(texts: Iterable[str]) -> str:
    """The letters of texts that no installed font can draw, each once, in order."""
    glyphs = _glyphs()
    return "".join(
        dict.fromkeys(c for text in texts for c in text if c.isalnum() and ord(c) not in glyphs)
    )


def _with_glyphs(text: str) -> str:
    glyphs = _glyphs()
    shown = "".join(letter for letter in text if ord(letter) in glyphs or letter.isspace())
    return " ".join(_EMPTY.sub("", shown).split())


def outlines(shapes: Iterable[BaseGeometry]) -> list[Outline]:
    """One compound path a geometry, holes included; only its polygons count."""
    made = []
    for shape in shapes:
        parts = np.asarray(polygons_of(shape), dtype=object)
        rings = shapely.get_rings(parts)
        corners = [shapely.get_coordinates(ring) for ring in rings]
        codes = []
        for ring in corners:
            code = np.full(len(ring), Outline.LINETO, dtype=np.uint8)
            code[0], code[-1] = Outline.MOVETO, Outline.CLOSEPOLY
            codes.append(code)
        if corners:
            made.append(Outline(np.concatenate(corners), np.concatenate(codes)))
    return made


def add_areas(axes: Axes, shapes: Iterable[BaseGeometry], **style: Any) -> PathCollection | None:
    """Draw polygons in one go; `style` as for a matplotlib collection."""
    paths = outlines(shapes)
    if not paths:
        return None
    areas = PathCollection(paths, **style)
    axes.add_collection(areas, autolim=False)
    return areas


def add_arrows(
    axes: Axes,
    at: NDArray[np.float64],
    course: NDArray[np.float64],
    size_m: float,
    **style: Any,
) -> None:
    """Small arrow heads centred on points, shape (n, 2), along unit vectors, shape (n, 2)."""
    if not len(at):
        return
    left = np.column_stack([-course[:, 1], course[:, 0]])
    tip, back, wing = at + course * size_m * 0.6, at - course * size_m * 0.4, left * size_m * 0.42
    heads = np.stack([tip, back + wing, at - course * size_m * 0.15, back - wing], axis=1)
    axes.add_collection(PolyCollection(list(heads), **style), autolim=False)


def thinned(points: NDArray[np.float64], apart_m: float) -> NDArray[np.int64]:
    """Indices of points, shape (n, 2), at most one in each square of side `apart_m`."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    squares = np.floor(points / apart_m).astype(np.int64)
    _, first = np.unique(squares, axis=0, return_index=True)
    return np.sort(first)


def halo(width_pt: float = 2.0) -> list[withStroke]:
    """A rim in the colour of paper, so that text reads on any ground."""
    return [withStroke(linewidth=width_pt, foreground=PAPER)]


class Labels:
    """Puts texts beside points where there is room, and leaves out those that find none.

    `metres_per_pt` is the map's scale on paper.
    """

    def __init__(self, axes: Axes, metres_per_pt: float) -> None:
        self._axes, self._scale = axes, metres_per_pt
        self._taken: list[tuple[float, float, float, float]] = []
        west, east = sorted(axes.get_xlim())
        south, north = sorted(axes.get_ylim())
        self._frame = (west, south, east, north)

    def keep_free(self, x: float, y: float, size_pt: float) -> None:
        """Take the square around a symbol."""
        half = size_pt * self._scale / 2
        self._taken.append((x - half, y - half, x + half, y + half))

    def place(
        self, x: float, y: float, text: str, size_pt: float, away_pt: float = 5.0, **style: Any
    ) -> bool:
        """Write the text right, left, above or below of a point, if it fits anywhere."""
        wide, high = len(text) * size_pt * 0.62 * self._scale, size_pt * 1.25 * self._scale
        away = away_pt * self._scale
        for left, low in (
            (x + away, y - high / 2),
            (x - away - wide, y - high / 2),
            (x - wide / 2, y + away),
            (x - wide / 2, y - away - high),
        ):
            box = (left, low, left + wide, low + high)
            if self._is_free(box):
                self._taken.append(box)
                write(self._axes, left, low + high / 2, text, size_pt, va="center", **style)
                return True
        return False

    def _is_free(self, box: tuple[float, float, float, float]) -> bool:
        west, south, east, north = self._frame
        if box[0] < west or box[1] < south or box[2] > east or box[3] > north:
            return False
        return not any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
            for other in self._taken
        )


def write(axes: Axes, x: float, y: float, text: str, size_pt: float, **style: Any) -> None:
    """Text on a map, never read as mathematics."""
    is_bold = style.pop("is_bold", False)
    style = {"color": INK, "path_effects": halo(), "zorder": 20, "clip_on": True, **style}
    axes.text(x, y, text, fontproperties=font(size_pt, is_bold=is_bold), parse_math=False, **style)


def add_scale_bar(axes: Axes, metres_per_pt: float) -> None:
    """A bar of a round length in the lower left corner."""
    west, east = axes.get_xlim()
    south, _ = axes.get_ylim()
    most = (east - west) / 4
    power = 10 ** math.floor(math.log10(most))
    length = max(step * power for step in (1, 2, 5) if step * power <= most)
    x, y, high = west + 14 * metres_per_pt, south + 14 * metres_per_pt, 4 * metres_per_pt
    pad = 7 * metres_per_pt
    ground = [
        (x - pad, y - pad),
        (x + length + pad, y - pad),
        (x + length + pad, y + high + 2.6 * pad),
        (x - pad, y + high + 2.6 * pad),
    ]
    backing: dict[str, Any] = {
        "facecolors": PAPER,
        "edgecolors": "none",
        "alpha": 0.85,
        "zorder": 29,
    }
    axes.add_collection(PolyCollection([ground], **backing), autolim=False)
    halves = [
        [(x0, y), (x0 + length / 2, y), (x0 + length / 2, y + high), (x0, y + high)]
        for x0 in (x, x + length / 2)
    ]
    bar = PolyCollection(halves, facecolors=[INK, PAPER], edgecolors=INK, linewidths=0.8, zorder=30)
    axes.add_collection(bar, autolim=False)
    unit = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    style: dict[str, Any] = {"va": "bottom", "zorder": 31}
    above = y + high + 2 * metres_per_pt
    write(axes, x, above, "0", 7, ha="center", **style)
    write(axes, x + length, above, unit, 7, ha="center", **style)


def add_wind_arrow(
    axes: Axes, metres_per_pt: float, towards: tuple[float, float], text: str
) -> None:
    """Where the wind blows to, in the upper left corner, with its strength in words."""
    west, _ = axes.get_xlim()
    _, north = axes.get_ylim()
    unit = metres_per_pt
    x, y = west + 24 * unit, north - 24 * unit
    size = math.hypot(*towards)
    if size > 0:
        ux, uy = towards[0] / size, towards[1] / size
        outline = [(-16, 1.2), (4, 1.2), (4, 6), (16, 0), (4, -6), (4, -1.2), (-16, -1.2)]
        shape = [(x + (a * ux - b * uy) * unit, y + (a * uy + b * ux) * unit) for a, b in outline]
        arrow = PolyCollection(
            [shape], facecolors="#0b6e8a", edgecolors="white", linewidths=0.8, zorder=30
        )
        axes.add_collection(arrow, autolim=False)
    write(axes, x + 24 * unit, y, text, 9, va="center", is_bold=True, zorder=31)


def add_north_arrow(axes: Axes, metres_per_pt: float) -> None:
    """North is up; an arrow says so in the upper right corner."""
    _, east = axes.get_xlim()
    _, north = axes.get_ylim()
    x, y = east - 20 * metres_per_pt, north - 34 * metres_per_pt
    unit = metres_per_pt
    left = [(x, y + 22 * unit), (x - 7 * unit, y), (x, y + 5 * unit)]
    right = [(x, y + 22 * unit), (x + 7 * unit, y), (x, y + 5 * unit)]
    arrow = PolyCollection(
        [left, right], facecolors=[PAPER, INK], edgecolors=INK, linewidths=0.8, zorder=30
    )
    axes.add_collection(arrow, autolim=False)
    write(axes, x, y - 2 * unit, "N", 9, ha="center", va="top", is_bold=True, zorder=31)
