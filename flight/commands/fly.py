"""`skymist fly`: the plan on real drones."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from skymist.coverage.plan import Plan
    from skymist.flight.conduct import Outcome
    from skymist.flight.crew import Crew
    from skymist.flight.display import Display
    from skymist.flight.links import Link
    from skymist.flight.operation import Setting
    from skymist.flight.order_sources import say_on_stderr
    from skymist.flight.orders import OrderDesk
    from skymist.flight.wiring import Wiring

LEFT = (
    "left at once, without waiting for any drone. Those in the air come home by themselves when "
    "they have missed the ground station for 5 s: watch them land, the pilot's hands on the sticks"
)
FORM = "ID=CONNECTION, such as d1=udp:0.0.0.0:14550"


def fly(
    directory: Annotated[Path, typer.Argument(help="A plan's folder or its plan.json.")],
    drone: Annotated[
        list[str],
        typer.Option(
            help="ID=CONNECTION, once for each drone: udp:HOST:PORT, tcp:HOST:PORT, "
            "serial:/dev/ttyUSB0:57600, COM3:57600."
        ),
    ],
    arm: Annotated[
        bool, typer.Option("--arm", help="Really fly. Without it all stops after the upload.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder for the record.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Events as JSON lines on stdout.")] = False,
    link_patience_s: Annotated[
        float, typer.Option(min=0.0, help="How long a lost link is opened again and waited for.")
    ] = 300.0,
    keys: Annotated[
        Path | None,
        typer.Option(help="File of signing keys; by default your own (see `skymist keys`)."),
    ] = None,
    accept_unsigned: Annotated[
        bool, typer.Option("--accept-unsigned", help="Also take unsigned frames: over a cable.")
    ] = False,
    forward: Annotated[
        list[str] | None,
        typer.Option(help="udp:HOST:PORT of another ground station that looks on; repeatable."),
    ] = None,
    forward_commands: Annotated[
        bool,
        typer.Option("--forward-commands", help="Let the one that looks on command the drones."),
    ] = False,
    wind_mps: Annotated[
        float | None, typer.Option(min=0.0, help="The wind as measured at the start.")
    ] = None,
    orders: Annotated[
        Path | None, typer.Option(help="A file or named pipe: each line written to it is an order.")
    ] = None,
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
    from skymist.flight.conduct import Result
    from skymist.flight.dashboard.beside import dashboard_beside
    from skymist.flight.display import display_for
    from skymist.flight.lawful import Told, flight_of, require_policy
    from skymist.flight.operation import Setting
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
    if plain := wiring.unsigned(connections):
        typer.echo(f"no key, so not signed: {', '.join(plain)}", err=True)
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
    if outcome.is_link_lost:
        raise typer.Exit(3)
    is_checked = not arm and not outcome.skipped and outcome.result is not Result.ABORTED
    if outcome.result is not Result.DONE and not is_checked:
        raise typer.Exit(1)


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


def parse_connections(drones: list[str], plan: Plan) -> dict[str, str]:
    """Connection strings by drone id, each a drone of the plan's fleet.

    Raises
    ------
    PlanError
        For another form, an unknown id, or one that is named twice.
    """
    known = [d.id for d in plan.site.fleet]
    found: dict[str, str] = {}
    for text in drones:
        drone_id, equals, connection = text.partition("=")
        if not (equals and drone_id and connection):
            raise PlanError(f"--drone {text!r}: wanted {FORM}")
        if drone_id not in known:
            raise PlanError(f"--drone {text!r}: wanted one of {', '.join(known)}")
        if drone_id in found:
            raise PlanError(f"--drone {text!r}: {drone_id} is named twice")
        found[drone_id] = connection
    return found


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


@asynccontextmanager
async def at_terminal(orders: Path | None) -> AsyncIterator[tuple[Crew, OrderDesk | None]]:
    """The people at the terminal: who serves the pads, and whose orders are taken."""
    from skymist.flight.crew import AskingCrew
    from skymist.flight.order_sources import Console, ordering
    from skymist.flight.orders import OrderDesk

    desk = OrderDesk()
    console = Console(desk, sys.stdin) if sys.stdin.isatty() else None
    crew = AskingCrew(enter=console.enter) if console else AskingCrew()
    async with ordering(desk, path=orders, console=console) as told:
        yield crew, told


async def open_links(connections: Mapping[str, str], *, patience_s: float) -> dict[str, Link]:
    """A link for each drone; those with the same connection share one."""
    from skymist.flight.reconnect import open_lasting

    opened: dict[str, Link] = {}
    for connection in connections.values():
        if connection not in opened:
            opened[connection] = await open_lasting(connection, patience_s=patience_s)
    return {drone_id: opened[connection] for drone_id, connection in connections.items()}
