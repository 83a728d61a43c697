"""`skymist export`: a plan's missions as files of other ground stations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skymist.coverage.errors import PlanError

FORMATS = ("qgc", "waypoints", "geojson")


def export(
    directory: Annotated[Path, typer.Argument(help="A plan's folder or its plan.json.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    formats: Annotated[
        str, typer.Option("--format", help=f"Comma-separated: {', '.join(FORMATS)}.")
    ] = ",".join(FORMATS),
) -> None:
    """Write missions for QGroundControl and Mission Planner, and the plan as GeoJSON.

    Example: [bold]skymist export plans/helsinki -o out --format qgc,waypoints[/bold]
    """
    from skymist.missions.compile import compile_plan
    from skymist.missions.geojson_export import plan_geojson
    from skymist.missions.plans import file_name_of, read_flyable_plan, write_whole
    from skymist.missions.qgc import qgc_plan, waypoints

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise PlanError(f"--format: wanted some of {', '.join(FORMATS)}, found {formats!r}")
    made = read_flyable_plan(directory)
    files: dict[str, str] = {}
    for name, mission in compile_plan(made).items():
        if "qgc" in wanted:
            files[f"{file_name_of(name)}.plan"] = qgc_plan(mission)
        if "waypoints" in wanted:
            files[f"{file_name_of(name)}.waypoints"] = waypoints(mission)
    if "geojson" in wanted:
        files["plan.geojson"] = plan_geojson(made)
    for name, text in files.items():
        write_whole(output / name, text.encode("utf-8"))
    print(f"{len(files)} files in {output}")
