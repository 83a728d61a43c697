"""`skymist preview`: the plan as a map to brief people with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.coverage.words import Language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from skymist.coverage.plan import Plan

log = logging.getLogger(__name__)
PREVIEW_FILE = "preview.png"
SUFFIXES = (".png", ".svg", ".pdf", ".html")
KINDS = {"zones": "zone", "spots": "spot"}
SHOWN = 12


def preview(
    directory: Annotated[Path, typer.Argument(help="A plan's folder, or its plan.json.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A .png, .svg, .pdf, or an interactive .html; by default preview.png.",
        ),
    ] = None,
    pages: Annotated[
        str,
        typer.Option(help="Pages of their own beside the overview: zones, spots, or both."),
    ] = "",
    lang: Annotated[Language, typer.Option(help="The language of what is written.")] = (
        Language.ENGLISH
    ),
) -> None:
    """Draw a plan: spots by level, passes, ways, dose, no-spray areas.

    A PDF holds all pages; of PNG and SVG each page is a file beside the overview. An HTML file
    is a map to move in, with layers, sorties and a time slider; it needs no network.

    Example: [bold]skymist preview plans/helsinki -o briefing.pdf --pages zones --lang zh[/bold]
    """
    from skymist.coverage.errors import PlanError
    from skymist.missions.errors import FormatError
    from skymist.missions.plans import read_plan

    wanted = [name.strip() for name in pages.split(",") if name.strip()]
    if any(name not in KINDS for name in wanted):
        raise PlanError(f"--pages: wanted zones, spots or both, found {pages!r}")
    made = read_plan(directory)
    folder = directory if directory.is_dir() else directory.parent
    path = output or folder / PREVIEW_FILE
    if path.is_dir():
        path = path / PREVIEW_FILE
    if path.suffix.lower() not in SUFFIXES:
        found = f"found {path.suffix!r}"
        raise FormatError(f"{path}: wanted a name in .png, .svg, .pdf or .html, {found}")
    if path.suffix.lower() == ".html":
        _write_page(path, made, lang)
        print(path)
        return
    warn_of_letters(made)
    drawn = _drawn(made, [KINDS[name] for name in wanted], lang)
    if path.suffix.lower() == ".pdf":
        _write_pdf(path, (figure for _, figure in drawn))
        print(path)
        return
    for name, figure in drawn:
        one = path.with_name(f"{path.stem}{name}{path.suffix}")
        _write_picture(one, figure)
        print(one)


def _write_page(path: Path, made: Plan, lang: Language) -> None:
    from skymist.missions.formats.page import plan_page
    from skymist.missions.plans import write_whole

    write_whole(path, plan_page(made, lang).encode())


def write_preview(made: Plan, path: Path) -> Path:
    """Draw the plan into a PNG file, whole or not at all, and say where."""
    from skymist.coverage.plots import draw_plan

    warn_of_letters(made)
    _write_picture(path, draw_plan(made))
    return path


def _drawn(made: Plan, kinds: list[str], lang: Language) -> Iterator[tuple[str, Figure]]:
    """The overview, then each page: what its file's name ends in, and the figure."""
    from rich.console import Console
    from rich.progress import track

    from skymist.coverage.pages import plan_pages
    from skymist.coverage.plots import draw_plan
    from skymist.missions.plans import file_name_of

    yield "", draw_plan(made, language=lang)
    pages, console = plan_pages(made, kinds), Console(stderr=True)
    for page in track(pages, "pages", console=console, disable=not console.is_terminal):
        name = f"-{page.kind}-{file_name_of(page.id)}"
        yield name, draw_plan(made, language=lang, page=page)


def _write_picture(path: Path, figure: Figure) -> None:
    from skymist.coverage.sheet import to_png, to_svg
    from skymist.missions.plans import write_whole

    write_whole(path, (to_svg if path.suffix.lower() == ".svg" else to_png)(figure))


def _write_pdf(path: Path, figures: Iterator[Figure]) -> None:
    from skymist.coverage.sheet import to_pdf
    from skymist.missions.plans import write_whole

    write_whole(path, to_pdf(figures))


def warn_of_letters(made: Plan) -> None:
    """Say which letters of names are left out of pictures, for want of a font."""
    from skymist.coverage.mapmarks import without_glyphs

    site = made.site
    names = [
        site.name,
        site.attribution,
        *(s.name for s in site.spots),
        *(s.id for s in site.spots),
    ]
    names += [text for zone in site.zones for text in (zone.id, zone.responsible)]
    names += [drone.id for drone in site.fleet]
    missing = without_glyphs(names)
    if missing:
        shown = missing if len(missing) <= SHOWN else f"{missing[:SHOWN]}..."
        log.warning("no font here has %s: left out of pictures; install Noto Sans CJK", shown)
