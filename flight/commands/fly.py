"""`skymist fly`: the plan on real drones."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.coverage.errors import PlanError
from skymist.flight.commands.reaching import (
    LEFT,
    Arm,
    Events,
    Forward,
    ForwardCommands,
    Keys,
    MeasuredWind,
    Orders,
    Patience,
    Unsigned,
    at_terminal,
    exit_unless_done,
    open_links,
    parse_connections,
    say_unsigned,
)

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan
    from skymist.flight.conduct import Outcome
    from skymist.flight.display import Display
    from skymist.flight.operation import Setting
    from skymist.flight.wiring import Wiring


def fly(
    directory: Annotated[Path, typer.Argument(help="A plan's folder or its plan.json.")],
    drone: Annotated[
        list[str],
        typer.Option(
            help="ID=CONNECTION, once for each drone: udp:HOST:PORT, tcp:HOST:PORT, "
            "serial:/dev/ttyUSB0:57600, COM3:57600."
        ),
    ],
    arm: Arm = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder for the record.")
    ] = None,
    json: Events = False,
    link_patience_s: Patience = 300.0,
    keys: Keys = None,
    accept_unsigned: Unsigned = False,
    forward: Forward = None,
    forward_commands: ForwardCommands = False,
    wind_mps: MeasuredWind = None,
    orders: Orders = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Show it in a browser; prints the links.")
    ] = False,
    applied: Annotated[
        str, typer.Option(help="When the flight was applied for, as 2026-06-30T10:00.")
    ] = "",
    reported: Annotated[
        str, typer.Option(help="When the take-off was reported to the authority, as 06:00.")
    ] = "",
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
    from skymist.flight.dashboard.beside import dashboard_beside
    from skymist.flight.display import display_for
    from skymist.flight.lawful import Told, flight_of, require_policy
    from skymist.flight.operation import Setting
    from skymist.flight.order_sources import say_on_stderr
    from skymist.flight.wiring import wiring_of
    from skymist.missions.checks import require_safe
    from skymist.missions.plans import read_flyable_plan

    plan = read_flyable_plan(directory)
    require_safe(plan.site, directory)
    connections = parse_connections(drone, plan)
    told = Told(applied=applied, reported=reported)
    flight = flight_of(plan, local_now(), wind_mps=wind_mps, told=told)
    judged = require_policy(plan, directory, flight if arm else None)
    if arm:
        require_hours(plan, local_clock_s())
    wiring = wiring_of(
        patience_s=link_patience_s,
        keys_path=keys,
        takes_unsigned=accept_unsigned,
        forward=forward,
        passes_commands=forward_commands,
    )
    say_unsigned(wiring, connections)
    started_utc = utc_now()
    folder = record_folder(directory, output, "flight", started_utc)
    setting = Setting(
        started_utc=started_utc,
        connections=connections,
        clock_s=local_clock_s,
        policy=judged.as_dict(),
    )
    with ExitStack() as beside:
        if dashboard:
            orders = beside.enter_context(dashboard_beside(folder, orders, say_on_stderr))
        display = display_for(as_json=json)
        began_s = time.perf_counter()
        flown = _fly(
            plan,
            connections,
            folder,
            display,
            setting,
            arm=arm,
            wiring=wiring,
            orders=orders,
            wind_mps=wind_mps,
        )
        try:
            outcome = asyncio.run(flown)
        except (KeyboardInterrupt, asyncio.CancelledError):
            typer.echo(f"{LEFT}; record: {folder}", err=True)
            raise typer.Exit(1) from None
        finally:
            display.close()
        print_outcome(outcome, folder, time.perf_counter() - began_s, as_json=json)
    exit_unless_done(outcome, is_upload_enough=not arm)


def require_hours(plan: Plan, clock_s: float) -> None:
    """Begin no plan that would spray outside hours, or cross closed ground, if begun now.

    Raises
    ------
    PlanError
        With the sorties that would, and when the plan was to begin.
    """
    from skymist.coverage.hours import clock_text
    from skymist.flight.hours import out_of_hours

    wrong = out_of_hours(plan, clock_s)
    if wrong and plan.start is not None:
        more = f"\nand {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise PlanError(
            f"the plan begins at {plan.start.at(0.0)}, it is {clock_text(clock_s)}: "
            f"{len(wrong)} of {len(plan.sorties)} sorties would be outside their hours\n"
            + "\n".join(wrong[:5])
            + f"{more}\nfly it at its time, or plan again: skymist plan SITE --start HH:MM"
        )


async def _fly(
    plan: Plan,
    connections: dict[str, str],
    folder: Path,
    display: Display,
    setting: Setting,
    *,
    arm: bool,
    wiring: Wiring,
    orders: Path | None,
    wind_mps: float | None,
) -> Outcome:
    """Open the links, one for each connection named, and operate."""
    from skymist.flight.operation import operate

    links = await open_links(connections, patience_s=wiring.patience_s)
    async with at_terminal(orders) as (crew, desk):
        return await operate(
            plan,
            links,
            folder,
            crew=crew,
            display=display,
            arm=arm,
            setting=setting,
            wiring=wiring,
            desk=desk,
            wind_mps=wind_mps,
        )
