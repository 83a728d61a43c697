"""`skymist export`: a plan's missions and map as files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT = "qgc,waypoints,geojson"
NAMES = "qgc, waypoints, param, geojson, kml, gpkg, taskdata"


def export(
    directory: Annotated[Path, typer.Argument(help="A plan's folder or its plan.json.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    formats: Annotated[
        str, typer.Option("--format", help=f"Comma-separated, or all: {NAMES}.")
    ] = DEFAULT,
) -> None:
    """Write missions for other ground stations, and the plan for maps, QGIS and farm systems.

    Example: [bold]skymist export plans/helsinki -o out --format qgc,kml,gpkg[/bold]
    """
    from skymist.missions.formats.export import FORMATS, exported, formats_named
    from skymist.missions.plans import read_flyable_plan, write_whole

    names = list(FORMATS) if formats.strip() == "all" else formats_named(formats)
    made = read_flyable_plan(directory)
    num_files = 0
    for name, data in exported(made, names):
        write_whole(output / name, data)
        num_files += 1
    print(f"{num_files} files in {output}")
