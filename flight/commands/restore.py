"""`skymist restore`: gives drones the parameters back that a flight found and left changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.coverage.errors import PlanError
from skymist.flight.commands.reaching import (
    Keys,
    KnownDrones,
    RecordArgument,
    Unsigned,
    open_links,
    parse_connections,
    say_unsigned,
)

if TYPE_CHECKING:
    from skymist.flight.mavlink.wiring import Wiring
    from skymist.flight.recording.record import Record
    from skymist.flight.terminal.display import Display

Left = dict[str, dict[str, float]]


def restore(
    record: RecordArgument,
    drone: KnownDrones = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be put back; no link is opened.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="By drone, what was left changed, and why it still is.")
    ] = False,
    keys: Keys = None,
    accept_unsigned: Unsigned = False,
) -> None:
    """Give drones their own parameters back, by the record of a flight that left them changed.

    A flight keeps what it found before it sets anything. Where it was killed, or the site does not
    ask for `restore_parameters`, those values are set again and read back, on the ground alone.
    With `--drone` those drones alone are served. The record notes what was put back.

    Exit code 1: something is still changed; it is named.

    Example: [bold]skymist restore records/b[/bold]

    Example: [bold]skymist restore records/b --drone heron=serial:/dev/ttyUSB0:57600[/bold]
    """
    from skymist.flight.mavlink.wiring import wiring_of
    from skymist.flight.protocols.restore import left_changed
    from skymist.flight.recording.record import read_record
    from skymist.flight.terminal.display import LineDisplay

    found = read_record(record)
    left = left_changed(found)
    connections = connections_of(found, left, drone or [])
    failed: dict[str, str] = {}
    if left and not dry_run:
        wiring = wiring_of(keys_path=keys, takes_unsigned=accept_unsigned)
        say_unsigned(wiring, connections)
        display = LineDisplay()
        failed = asyncio.run(_restore(found, left, connections, display, wiring))
        if not drone:
            unserved = left.keys() - connections.keys()
            failed |= dict.fromkeys(unserved, "wanted --drone ID=CONNECTION, the record has none")
    _print(left, failed, is_done=not dry_run, as_json=json)
    if failed:
        raise typer.Exit(1)


def connections_of(record: Record, left: Left, drones: list[str]) -> dict[str, str]:
    """Where each drone with something to be put back is reached.

    Raises
    ------
    PlanError
        None is reached, or a drone that is named has nothing left.
    """
    named = parse_connections(drones, record.plan())
    if idle := sorted(named.keys() - left.keys()):
        raise PlanError(f"--drone {idle[0]}: {record.path} left nothing of it changed")
    known = record.connections
    found = named or {drone_id: known[drone_id] for drone_id in left if drone_id in known}
    if left and not found:
        is_rehearsal = bool(record.header.get("sim"))
        why = ": it was a rehearsal, its drones are gone" if is_rehearsal else ""
        raise PlanError(f"{record.path}: wanted --drone {min(left)}=CONNECTION{why}")
    return found


async def _restore(
    record: Record, left: Left, connections: dict[str, str], display: Display, wiring: Wiring
) -> dict[str, str]:
    """Open the links, hear the drones, put back; why not, by drone, where it was not done."""
    from skymist.flight.clock import now_s
    from skymist.flight.commands.flown import utc_now
    from skymist.flight.conductor.operation import connected
    from skymist.flight.conductor.telling import Log
    from skymist.flight.mavlink.hello import require_all_meant
    from skymist.flight.protocols.restore import put_back_left
    from skymist.flight.recording.recorder import Recorder

    fleet = {drone.id: drone for drone in record.plan().site.fleet}
    links = await open_links(connections, patience_s=0.0)
    epoch_s = utc_now().timestamp()
    with Recorder(
        record.path.parent, now_s, epoch_s=epoch_s, tlog=False, continues=record
    ) as writer:
        async with connected(links, fleet, writer, wiring) as peers:
            await require_all_meant(fleet, peers, display)
            return await put_back_left(left, peers, Log(writer, display))


def _print(left: Left, failed: dict[str, str], *, is_done: bool, as_json: bool) -> None:
    if as_json:
        from json import dumps

        told = [
            {"drone_id": d, "before": left[d], "is_restored": is_done and d not in failed}
            | ({"reason": failed[d]} if d in failed else {})
            for d in sorted(left)
        ]
        typer.echo(dumps({"drones": told}))
        return
    if not left:
        typer.echo("nothing is left changed")
    for drone_id in sorted(left):
        values = ", ".join(f"{name} {value:g}" for name, value in sorted(left[drone_id].items()))
        if drone_id in failed:
            typer.echo(f"{drone_id}: still changed: {failed[drone_id]}; were: {values}")
        else:
            verb = "put back and read back" if is_done else "would be put back"
            typer.echo(f"{drone_id}: {len(left[drone_id])} parameters {verb}: {values}")
