"""`skymist preview`: the plan as a map to brief people with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan

log = logging.getLogger(__name__)
PREVIEW_FILE = "preview.png"
SHOWN = 12


def preview(
    directory: Annotated[Path, typer.Argument(help="A plan's folder, or its plan.json.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The picture; by default preview.png in the folder."),
    ] = None,
) -> None:
    """Draw a plan: spots by level, passes, ways, dose, no-spray areas; as PNG.

    Example: [bold]skymist preview plans/helsinki -o briefing.png[/bold]
    """
    from skymist.missions.errors import FormatError
    from skymist.missions.plans import read_plan

    made = read_plan(directory)
    folder = directory if directory.is_dir() else directory.parent
    path = output or folder / PREVIEW_FILE
    if path.is_dir():
        path = path / PREVIEW_FILE
    if path.suffix.lower() != ".png":
        raise FormatError(f"{path}: wanted a name that ends in .png, found {path.suffix!r}")
    print(write_preview(made, path))


def write_preview(made: Plan, path: Path) -> Path:
    """Draw the plan into a PNG file, whole or not at all, and say where."""
    from skymist.coverage.plots import draw_plan, to_png
    from skymist.missions.plans import write_whole

    warn_of_letters(made)
    write_whole(path, to_png(draw_plan(made)))
    return path


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
