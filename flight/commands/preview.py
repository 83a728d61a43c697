"""`skymist preview`: the plan as a map to brief people with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan

PREVIEW_FILE = "preview.png"


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

    write_whole(path, to_png(draw_plan(made)))
    return path
