"""How the drones of a plan or record are reached: what `fly`, `resume` and `restore` share.

Options, connections by drone, links, and the people at the terminal.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.conduct import Outcome
    from skymist.flight.conductor.crew import Crew
    from skymist.flight.conductor.orders import OrderDesk
    from skymist.flight.mavlink.links import Link
    from skymist.flight.mavlink.wiring import Wiring

LEFT = (
    "left at once, without waiting for any drone. Those in the air come home by themselves when "
    "they have missed the ground station for 5 s: watch them land, the pilot's hands on the sticks"
)
FORM = "ID=CONNECTION, such as d1=udp:0.0.0.0:14550"

RecordArgument = Annotated[Path, typer.Argument(help="An operation's record: its folder or file.")]
KnownDrones = Annotated[
    list[str] | None,
    typer.Option(
        "--drone", help="ID=CONNECTION, as for fly; by default what the record remembers."
    ),
]
Arm = Annotated[
    bool, typer.Option("--arm", help="Really fly. Without it all stops after the upload.")
]
Events = Annotated[bool, typer.Option("--json", help="Events as JSON lines on stdout.")]
Patience = Annotated[
    float,
    typer.Option(
        "--link-patience-s", min=0.0, help="How long a lost link is opened again and waited for."
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="File of signing keys; by default your own (see `skymist keys`)."),
]
Unsigned = Annotated[
    bool, typer.Option("--accept-unsigned", help="Also take unsigned frames: over a cable.")
]
Forward = Annotated[
    list[str] | None,
    typer.Option(
        "--forward", help="udp:HOST:PORT of another ground station that looks on; repeatable."
    ),
]
ForwardCommands = Annotated[
    bool, typer.Option("--forward-commands", help="Let the one that looks on command the drones.")
]
MeasuredWind = Annotated[
    float | None,
    typer.Option("--wind-mps", min=0.0, help="The wind as measured at the start."),
]
Orders = Annotated[
    Path | None,
    typer.Option("--orders", help="A file or named pipe: each line written to it is an order."),
]


def parse_connections(drones: list[str], plan: Plan) -> dict[str, str]:
    """Connection strings by drone id, each a drone of the plan's fleet.

    Raises
    ------
    PlanError
        For another form, an unknown id, or one that is named twice.
    """
    from skymist.flight.mavlink.links import wanted_of

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
        if wanted := wanted_of(connection):
            raise PlanError(f"--drone {text!r}: {wanted}")
        found[drone_id] = connection
    return found


@asynccontextmanager
async def at_terminal(orders: Path | None) -> AsyncIterator[tuple[Crew, OrderDesk | None]]:
    """The people at the terminal: who serves the pads, and whose orders are taken."""
    from skymist.flight.conductor.crew import AskingCrew
    from skymist.flight.conductor.order_sources import Console, ordering
    from skymist.flight.conductor.orders import OrderDesk

    desk = OrderDesk()
    console = Console(desk, sys.stdin) if sys.stdin.isatty() else None
    crew = AskingCrew(answer=console.answer) if console else AskingCrew()
    async with ordering(desk, path=orders, console=console) as told:
        yield crew, told


async def open_links(connections: Mapping[str, str], *, patience_s: float) -> dict[str, Link]:
    """A link for each drone; those with the same connection share one."""
    from skymist.flight.mavlink.reconnect import open_lasting

    opened: dict[str, Link] = {}
    for connection in connections.values():
        if connection not in opened:
            opened[connection] = await open_lasting(connection, patience_s=patience_s)
    return {drone_id: opened[connection] for drone_id, connection in connections.items()}


def say_unsigned(wiring: Wiring, drones: Iterable[str]) -> None:
    """Name on stderr the drones without a key, whose links are not signed."""
    if plain := wiring.unsigned(drones):
        typer.echo(f"no key, so not signed: {', '.join(plain)}", err=True)


def exit_unless_done(outcome: Outcome, *, is_upload_enough: bool) -> None:
    """Exit 3 for a lost link, 1 unless all was flown, or all uploaded where no more was asked."""
    from skymist.flight.conductor.conduct import Result

    if outcome.is_link_lost:
        raise typer.Exit(3)
    is_checked = is_upload_enough and not outcome.skipped and outcome.result is not Result.ABORTED
    if outcome.result is not Result.DONE and not is_checked:
        raise typer.Exit(1)
