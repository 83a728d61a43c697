"""`skymist init`: a first site in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skymist.coverage.errors import MissionError, PlanError


def init(
    folder: Annotated[Path, typer.Argument(help="Where the site is to be; made if missing.")],
    from_osm: Annotated[
        Path | None,
        typer.Option("--from-osm", help="An OpenStreetMap extract: .osm or .osm.pbf."),
    ] = None,
    bbox: Annotated[
        str, typer.Option(help="Only this part of it: WEST,SOUTH,EAST,NORTH in degrees.")
    ] = "",
    name: Annotated[str, typer.Option(help="The site's name; by default the folder's.")] = "",
) -> None:
    """Write a starter site: the built-in example, or what a map knows of your neighbourhood.

    From a map come buildings with heights, streets, water and playgrounds as no-spray areas,
    schools and clinics, pads on open ground, and proposals of blind spots to confirm.

    Example: [bold]skymist init kluuvi --from-osm helsinki.osm.pbf --bbox
    24.94,60.165,24.96,60.175[/bold]
    """
    from skymist.missions.formats.guarded import Refused
    from skymist.missions.formats.osm import read_osm
    from skymist.missions.starter import write_example, write_starter

    if from_osm is None:
        if bbox or name:
            raise PlanError("--bbox, --name: wanted with --from-osm only")
        site = write_example(folder)
        print(f"{site}: the built-in example; put your own layers and figures in")
        return
    bounds = _bounds(bbox) if bbox else None
    if not from_osm.is_file():
        raise MissionError(f"{from_osm}: wanted an OpenStreetMap extract, found no file")
    try:
        extract = read_osm(from_osm, bounds)
    except Refused as exc:
        raise MissionError(f"{from_osm}: {exc}") from exc
    site = write_starter(extract, folder, name=name or folder.resolve().name, source=from_osm.name)
    counts = {role: len(rows) for role, rows in extract.layers.items() if rows}
    print(f"{site}: " + ", ".join(f"{counts[role]} {role}" for role in sorted(counts)))
    print(f"look at it: skymist check {site}")


def _bounds(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise PlanError(f"--bbox: wanted WEST,SOUTH,EAST,NORTH, found {text!r}") from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise PlanError(f"--bbox: wanted WEST below EAST and SOUTH below NORTH, found {text!r}")
    return west, south, east, north
