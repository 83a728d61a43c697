"""`skymist export`: a plan's missions and map, or a record's telemetry, as files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT = "qgc,waypoints,geojson"
NAMES = "qgc, waypoints, param, geojson, kml, gpkg, taskdata; of a record also tlog"
TLOG = "tlog"


def export(
    directory: Annotated[
        Path, typer.Argument(help="A plan's folder or its plan.json, or a record's folder.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    formats: Annotated[
        str, typer.Option("--format", help=f"Comma-separated, or all: {NAMES}.")
    ] = DEFAULT,
) -> None:
    """Write missions for other ground stations, and the plan for maps, QGIS and farm systems.

    Of a record: the same of the plan that was flown, and the raw MAVLink frames as a telemetry log
    for each drone, for Mission Planner and MAVExplorer.

    Example: [bold]skymist export plans/helsinki -o out --format qgc,kml,gpkg[/bold]

    Example: [bold]skymist export records/b -o out --format tlog[/bold]
    """
    from skymist.flight.recording.record import RECORD_FILE, read_record, record_path
    from skymist.flight.recording.tlogs import tlogs_of
    from skymist.missions.errors import FormatError
    from skymist.missions.formats.export import FORMATS, exported, formats_named
    from skymist.missions.plans import read_flyable_plan, write_whole

    is_record = directory.name == RECORD_FILE or (directory / RECORD_FILE).is_file()
    wanted = [name.strip() for name in formats.split(",")]
    if formats.strip() == "all":
        has_logs = is_record and any(record_path(directory).parent.glob("*.tlog"))
        wanted = [*FORMATS, TLOG] if has_logs else list(FORMATS)
    if TLOG in wanted and not is_record:
        raise FormatError(f"{directory}: --format tlog: wanted a record ({RECORD_FILE})")
    flown = read_record(directory) if is_record else None
    logs = tlogs_of(flown) if flown and TLOG in wanted else {}
    num_files = 0
    if names := [name for name in wanted if name != TLOG]:
        names = formats_named(",".join(names))
        made = flown.plan() if flown else read_flyable_plan(directory)
        for name, data in exported(made, names):
            write_whole(output / name, data)
            num_files += 1
    for name, data in logs.items():
        write_whole(output / name, data)
        num_files += 1
    print(f"{num_files} files in {output}")
