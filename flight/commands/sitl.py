"""`skymist sitl`: simulated drones for any ground station, and where ArduPilot's binary is.

Knows `skymist.sitl` inside the functions of its commands alone.
"""

from __future__ import annotations

import asyncio
import json as json_module
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from skymist.coverage.drones import Drone
    from skymist.sitl.standing import Stand

app = typer.Typer(
    name="sitl",
    help="Simulated drones: find or fetch ArduPilot's binary, run a fleet for any ground station.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
EXIT_ABSENT = 1


@app.command()
def find(
    arducopter: Annotated[
        Path | None, typer.Option(help="Look at this binary alone, as --sim ardupilot would.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say where an ArduCopter binary was looked for, and which would fly. Ends with 1 if none.

    Example: [bold]skymist sitl find[/bold]
    """
    from skymist.sitl.binaries import find_arducopter

    found = find_arducopter(arducopter)
    if json:
        keys = {"binary": found.binary, "version": found.version, "defaults": found.defaults}
        told = {key: None if value is None else str(value) for key, value in keys.items()}
        print(json_module.dumps({**told, "looked": found.looked}, ensure_ascii=False))
    else:
        for line in found.looked:
            typer.echo(line, err=True)
        if found.binary is not None:
            print(found.binary)
    if found.binary is None:
        typer.echo("no arducopter: skymist sitl install fetches the official one", err=True)
        raise typer.Exit(EXIT_ABSENT)


@app.command()
def install(
    version: Annotated[
        str | None, typer.Option(help="Release X.Y.Z; the one that Skymist is tried with if none.")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="The SHA-256 to hold it to, where Skymist knows none.")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="Address in place of https://firmware.ardupilot.org.")
    ] = None,
    source_mirror: Annotated[
        str | None,
        typer.Option(help="Address in place of https://raw.githubusercontent.com/ArduPilot/…"),
    ] = None,
) -> None:
    """Fetch ArduPilot's official static build for Linux on x86_64, with its default parameters.

    It is held to a SHA-256: one that Skymist knows, or the one you name. Without either nothing
    is run: the sum of what came is printed for you to compare and to name; that ends with 1.

    Example: [bold]skymist sitl install --version 4.6.3 --sha256 SUM[/bold]
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from skymist.sitl import installing

    version = version or installing.DEFAULT_VERSION
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(f"ArduCopter {version}", total=None)

        def progress(have: int, whole: int | None) -> None:
            bar.update(task, completed=have, total=whole)

        try:
            done = installing.install(
                version,
                sha256=sha256,
                firmware_url=mirror or installing.FIRMWARE_URL,
                source_url=source_mirror or installing.SOURCE_URL,
                progress=progress,
            )
        except installing.InstallRefused as exc:
            bar.stop()
            if exc.sha256 is None:
                raise
            for line in str(exc).splitlines():
                typer.echo(line, err=True)
            print(exc.sha256)
            raise typer.Exit(1) from None
    typer.echo(f"ArduCopter {done.version}, SHA-256 {done.sha256}", err=True)
    typer.echo(f"default parameters: {done.defaults}", err=True)
    print(done.binary)


@app.command()
def run(
    drones: Annotated[int, typer.Option(min=1, help="How many, as d1, d2, ...")] = 1,
    home: Annotated[
        str, typer.Option(help="LAT,LON,ALT,HDG of the first; the others stand to its right.")
    ] = "60.17,24.94,10,0",
    spacing_m: Annotated[float, typer.Option(min=0.0, help="Between pads.")] = 10.0,
    plan: Annotated[
        Path | None, typer.Option(help="A plan's folder: its drones, on their own pads.")
    ] = None,
    model: Annotated[str, typer.Option(help="Drone model, as in site files.")] = "hexa-16",
    sim: Annotated[str, typer.Option(help="embedded or ardupilot.")] = "embedded",
    speedup: Annotated[
        float, typer.Option(min=0.1, help="Simulated seconds per second; `fly` wants 1.")
    ] = 1.0,
    arducopter: Annotated[Path | None, typer.Option(help="The binary for --sim ardupilot.")] = None,
    logs: Annotated[
        Path | None,
        typer.Option(help="Keep ArduPilot's logs here; without it they stay only on failure."),
    ] = None,
    link_fault: Annotated[
        str | None, typer.Option(help="Spoil every link, as `rehearse --fault` does: loss, ...")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a drone.")] = False,
) -> None:
    """Run simulated drones until Ctrl-C; stdout has how to reach each, as `fly` takes it.

    Ports are leased: fleets that run beside each other never meet.

    Example: [bold]skymist sitl run --drones 3 --home 60.17,24.94,10,90 --sim ardupilot[/bold]

    Example: [bold]skymist sitl run --plan plans/b[/bold], and in another terminal
    [bold]skymist fly plans/b --drone heron=tcp:127.0.0.1:5960 --arm[/bold]
    """
    from skymist.flight.commands.rehearse import Sim
    from skymist.missions.defaults import drone_models
    from skymist.sitl import loops
    from skymist.sitl.ardupilot import SimulatorFailed
    from skymist.sitl.binaries import find_arducopter
    from skymist.sitl.faults import LINK_FAULTS
    from skymist.sitl.standing import (
        numbered,
        parse_home,
        row_of,
        spoilt,
        standing_ardupilot,
        standing_embedded,
    )

    if link_fault is not None and link_fault not in LINK_FAULTS:
        names = ", ".join(sorted(LINK_FAULTS))
        raise PlanError(f"--link-fault: wanted one of {names}, found {link_fault!r}")
    if sim not in tuple(Sim):
        raise PlanError(f"--sim: wanted {' or '.join(Sim)}, found {sim!r}")
    if plan is not None:
        fleet, stands = _fleet_of(plan)
    else:
        models = drone_models()
        if model not in models:
            raise PlanError(f"--model: wanted one of {', '.join(models)}, found {model!r}")
        fleet = numbered(drones, models[model])
        stands = row_of(drones, parse_home(home), spacing_m)
    standing: AbstractAsyncContextManager[Any]
    if sim == Sim.EMBEDDED:
        standing = standing_embedded(fleet, stands, seed=seed)
    else:
        found = find_arducopter(arducopter)
        found.require()
        standing = standing_ardupilot(fleet, stands, speedup=speedup, found=found, logs_dir=logs)
    if link_fault is not None:
        standing = spoilt(standing, LINK_FAULTS[link_fault], seed)
    tell = _tell_json if json else _tell
    try:
        loops.run(_stand(standing, tell, fleet), loop=loops.ScaledLoop(speedup))
    except SimulatorFailed as exc:
        typer.echo(f"skymist: {exc}", err=True)
        raise typer.Exit(1) from None


def _fleet_of(place: Path) -> tuple[Sequence[Drone], Sequence[Stand]]:
    """The drones of a plan that fly, and their pads."""
    from skymist.flight.commands.rehearse import flying, homes_of
    from skymist.missions.plans import read_flyable_plan
    from skymist.sitl.standing import Stand

    plan = read_flyable_plan(place)
    fleet = flying(plan)
    return fleet, [
        Stand(lat_deg=lat, lon_deg=lon, amsl_m=amsl, heading_deg=0.0)
        for lat, lon, amsl in homes_of(plan, fleet)
    ]


async def _stand(
    standing: AbstractAsyncContextManager[Any],
    tell: Callable[[Drone, str], None],
    fleet: Sequence[Drone],
) -> None:
    """Let the fleet stand until Ctrl-C or until one of it fails."""
    from skymist.flight.conductor.interrupts import on_interrupt

    stop = asyncio.Event()
    async with standing as (links, ended):
        for drone in fleet:
            tell(drone, links[drone.id])
        typer.echo("Ctrl-C ends it", err=True)
        with on_interrupt(stop.set):
            waits = [asyncio.create_task(stop.wait()), asyncio.create_task(ended())]
            try:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in waits:
                    task.cancel()
                await asyncio.gather(*waits, return_exceptions=True)


def _tell(drone: Drone, connection: str) -> None:
    print(f"--drone {drone.id}={connection}", flush=True)


def _tell_json(drone: Drone, connection: str) -> None:
    told = {"drone": drone.id, "sysid": drone.sysid, "connection": connection}
    print(json_module.dumps(told), flush=True)
