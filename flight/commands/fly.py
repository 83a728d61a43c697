"""`skymist fly`: the plan on real drones."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.flight.commands.flying_options import FlyingOptions, with_flying_options
from skymist.flight.commands.reaching import (
    LEFT,
    at_terminal,
    exit_unless_done,
    open_links,
    parse_connections,
    say_unsigned,
)

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.conduct import Outcome
    from skymist.flight.conductor.operation import Setting
    from skymist.flight.terminal.display import Display


@with_flying_options
def fly(
    directory: Annotated[Path, typer.Argument(help="A plan's folder or its plan.json.")],
    drone: Annotated[
        list[str],
        typer.Option(
            help="ID=CONNECTION, once for each drone: udp:HOST:PORT, tcp:HOST:PORT, "
            "serial:/dev/ttyUSB0:57600, COM3:57600."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder for the record.")
    ] = None,
    *,
    options: FlyingOptions,
) -> None:
    """Upload, verify and fly a plan on real drones; nothing arms without --arm.

    Ctrl-C calls every drone home with its pump off; a second Ctrl-C leaves at once: drones
    in the air then come home by themselves, when they miss the ground station for 5 s.

    While drones fly, orders can be typed: p [DRONE] pause, c [DRONE] continue, s SPOT skip,
    h [DRONE] come home, w M/S the wind that you measure, stop (twice): all pumps off, all hold.

    A link that breaks is opened again. In the air the mission's own interlock holds meanwhile;
    on the ground the sortie's upload and checks begin anew. With --forward another ground
    station sees all frames; what it sends is dropped without --forward-commands.

    A plan that a rule of the site's policy packs forbids is not flown; see `skymist policy`.

    Example: [bold]skymist fly plans/helsinki --drone d1=udp:0.0.0.0:14550[/bold]

    Example: [bold]skymist fly plans/helsinki --drone d1=serial:/dev/ttyUSB0:57600 --arm[/bold]
    """
    from skymist.flight.commands.flown import (
        local_clock_s,
        local_now,
        print_outcome,
        record_folder,
        utc_now,
    )
    from skymist.flight.conductor.operation import Setting
    from skymist.flight.conductor.order_sources import say_on_stderr
    from skymist.flight.dashboard.beside import dashboard_beside
    from skymist.flight.safety.hours import require_hours
    from skymist.flight.safety.lawful import Told, flight_of, require_policy
    from skymist.flight.terminal.display import display_for
    from skymist.missions.checks import require_safe
    from skymist.missions.plans import read_flyable_plan

    plan = read_flyable_plan(directory)
    require_safe(plan.site, directory)
    connections = parse_connections(drone, plan)
    told = Told(applied=options.applied, reported=options.reported)
    flight = flight_of(plan, local_now(), wind_mps=options.wind_mps, told=told)
    judged = require_policy(plan, directory, flight if options.arm else None)
    if options.arm:
        require_hours(plan, local_clock_s())
    say_unsigned(options.wiring, connections)
    setting = Setting(
        started_utc=utc_now(),
        connections=connections,
        clock_s=local_clock_s,
        policy=judged.as_dict(),
    )
    folder = record_folder(directory, output, "flight", setting.started_utc)
    with ExitStack() as beside:
        if options.dashboard:
            orders = beside.enter_context(dashboard_beside(folder, options.orders, say_on_stderr))
            options = replace(options, orders=orders)
        display = display_for(as_json=options.json)
        began_s = time.perf_counter()
        try:
            outcome = asyncio.run(_fly(plan, folder, display, setting, options))
        except (KeyboardInterrupt, asyncio.CancelledError):
            typer.echo(f"{LEFT}; record: {folder}", err=True)
            raise typer.Exit(1) from None
        finally:
            display.close()
        print_outcome(outcome, folder, time.perf_counter() - began_s, as_json=options.json)
    exit_unless_done(outcome, is_upload_enough=not options.arm)


async def _fly(
    plan: Plan, folder: Path, display: Display, setting: Setting, options: FlyingOptions
) -> Outcome:
    """Open the links, one for each connection named, and operate."""
    from skymist.flight.conductor.operation import operate

    wiring = options.wiring
    links = await open_links(setting.connections, patience_s=wiring.patience_s)
    async with at_terminal(options.orders) as (crew, desk):
        return await operate(
            plan,
            links,
            folder,
            crew=crew,
            display=display,
            arm=options.arm,
            setting=setting,
            wiring=wiring,
            desk=desk,
            wind_mps=options.wind_mps,
        )
