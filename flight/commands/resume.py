"""`skymist resume`: takes an interrupted operation up again."""

from __future__ import annotations

import asyncio
import time
from functools import partial
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
    KnownDrones,
    MeasuredWind,
    Orders,
    Patience,
    RecordArgument,
    Unsigned,
    at_terminal,
    exit_unless_done,
    open_links,
    parse_connections,
    say_unsigned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from skymist.coverage.plan import Plan
    from skymist.flight.conduct import Outcome
    from skymist.flight.display import Display
    from skymist.flight.lawful import Told
    from skymist.flight.operation import Setting
    from skymist.flight.record import Record
    from skymist.flight.resume import Choice
    from skymist.flight.wiring import Wiring


def resume(
    record: RecordArgument,
    drone: KnownDrones = None,
    arm: Arm = False,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            help="Where broken passes begin again: breakpoint (where the proof of spray ends), "
            "pass-start, or next-pass (their rest stays dry).",
        ),
    ] = "breakpoint",
    without: Annotated[
        list[str] | None,
        typer.Option(help="A drone that flies no more; you have seen it down."),
    ] = None,
    keep_battery: Annotated[
        bool, typer.Option("--keep-battery", help="Fly on with the batteries that are in.")
    ] = False,
    json: Events = False,
    link_patience_s: Patience = 300.0,
    keys: Keys = None,
    accept_unsigned: Unsigned = False,
    forward: Forward = None,
    forward_commands: ForwardCommands = False,
    wind_mps: MeasuredWind = None,
    orders: Orders = None,
    applied: Annotated[
        str, typer.Option(help="When the flight was applied for; by default as the record has it.")
    ] = "",
    reported: Annotated[
        str,
        typer.Option(
            help="When the take-off was reported; by default as the record has it of today."
        ),
    ] = "",
) -> None:
    """Go on with an operation that was cut short: a crash, a dead link, a stop, a lost drone.

    Drones that are still in the air are watched home first, and never commanded blindly. Then
    what was not treated, by pump output along the way flown, is planned anew for the drones that
    are connected, uploaded as new missions, verified and flown. You are asked to fill the tanks
    and to swap batteries first. The record goes on as a new part: one report tells all.

    A rehearsal is gone on with on new simulated drones.

    Example: [bold]skymist resume records/b[/bold]

    Example: [bold]skymist resume records/b --without heron --from pass-start --arm[/bold]
    """
    from skymist.flight.commands.flown import local_clock_s, local_now, print_outcome, utc_now
    from skymist.flight.display import display_for
    from skymist.flight.lawful import flight_of
    from skymist.flight.ledger import ResumeFrom
    from skymist.flight.operation import Setting
    from skymist.flight.record import read_record
    from skymist.flight.resume import Choice
    from skymist.flight.wiring import wiring_of

    if start not in tuple(ResumeFrom):
        raise PlanError(f"--from: wanted {', '.join(ResumeFrom)}, found {start!r}")
    found = read_record(record)
    connections = connections_of(found, drone or [], without or [])
    is_simulated = bool(found.header.get("sim")) and not connections
    setting = Setting(
        started_utc=utc_now(),
        sim=found.header.get("sim"),
        speedup=found.header.get("speedup"),
        has_tlog=not is_simulated,
        connections=connections,
        clock_s=None if is_simulated else local_clock_s,
    )
    wiring = wiring_of(
        patience_s=link_patience_s,
        keys_path=keys,
        takes_unsigned=accept_unsigned,
        forward=forward,
        passes_commands=forward_commands,
    )
    say_unsigned(wiring, connections)
    choice = Choice(start=ResumeFrom(start), keeps_battery=keep_battery)
    told = told_before(found, applied=applied, reported=reported, today=local_now().date())
    flight_of(found.plan(), local_now(), told=told)  # words that are no time are refused first
    judge = partial(_judge, found, told, wind_mps, is_armed=arm and not is_simulated)
    display = display_for(as_json=json)
    began_s = time.perf_counter()
    try:
        if is_simulated:
            outcome = _rehearse(found, setting, display, choice, without or [], judge)
        else:
            go = partial(_fly, found, setting, display, choice, orders=orders, wind_mps=wind_mps)
            outcome = asyncio.run(go(arm=arm, wiring=wiring, judge=judge))
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo(f"{LEFT}; record: {found.path.parent}", err=True)
        raise typer.Exit(1) from None
    finally:
        display.close()
    print_outcome(outcome, found.path.parent, time.perf_counter() - began_s, as_json=json)
    exit_unless_done(outcome, is_upload_enough=not arm and not is_simulated)


def connections_of(record: Record, drones: list[str], without: list[str]) -> dict[str, str]:
    """Where each drone is reached: as named, else as the last part of the record remembers.

    Raises
    ------
    PlanError
        A drone that flew has no connection and is not named as one that flies no more, or a
        rehearsal is to be gone on with on real drones.
    """
    plan = record.plan()
    if record.header.get("sim") and drones:
        raise PlanError("--drone: wanted none, since a rehearsal treated nothing; found one")
    fleet = [drone.id for drone in plan.site.fleet]
    for drone_id in without:
        if drone_id not in fleet:
            raise PlanError(f"--without {drone_id!r}: wanted one of {', '.join(fleet)}")
    known = record.connections | parse_connections(drones, plan)
    found = {drone_id: where for drone_id, where in known.items() if drone_id not in without}
    if not found and record.header.get("sim"):
        return {}
    if missing := sorted(_flown(plan) - set(found) - set(without)):
        raise PlanError(
            f"wanted --drone {missing[0]}=CONNECTION, or --without {missing[0]} "
            "if you have seen it down and it flies no more"
        )
    if not found:
        raise PlanError("wanted at least one drone that flies on, found none")
    return found


def _flown(plan: Plan) -> set[str]:
    return {sortie.drone_id for sortie in plan.sorties}


async def _fly(
    record: Record,
    setting: Setting,
    display: Display,
    choice: Choice,
    *,
    arm: bool,
    wiring: Wiring,
    orders: Path | None,
    wind_mps: float | None,
    judge: Callable[[Plan], Mapping[str, object]],
) -> Outcome:
    """Open the links, one for each connection named, and go on."""
    from skymist.flight.resume import resume as go_on

    links = await open_links(setting.connections, patience_s=wiring.patience_s)
    async with at_terminal(orders) as (crew, desk):
        return await go_on(
            record,
            links,
            crew=crew,
            display=display,
            arm=arm,
            setting=setting,
            choice=choice,
            wiring=wiring,
            desk=desk,
            wind_mps=wind_mps,
            judge=judge,
        )


def told_before(record: Record, *, applied: str, reported: str, today: date) -> Told:
    """What the authority was told: as said now, else as the record has it.

    A report is of one take-off: that of another day is not remembered.
    """
    from skymist.flight.lawful import Told

    known: dict[str, str] = dict(record.header.get("policy") or {})
    for event in record.of("policy"):
        known |= {key: event[key] for key in ("applied", "reported") if key in event}
    if not known.get("reported", "").startswith(f"{today}T"):
        known.pop("reported", None)
    return Told(
        applied=applied or known.get("applied", ""), reported=reported or known.get("reported", "")
    )


def _judge(
    record: Record, told: Told, wind_mps: float | None, plan: Plan, *, is_armed: bool
) -> Mapping[str, object]:
    """Hold what is left to the site's policy packs; what the record keeps of it."""
    from skymist.flight.commands.flown import local_now
    from skymist.flight.lawful import flight_of, require_policy

    flight = flight_of(plan, local_now(), wind_mps=wind_mps, told=told) if is_armed else None
    return require_policy(plan, record.path.parent, flight).as_dict()


def _rehearse(
    record: Record,
    setting: Setting,
    display: Display,
    choice: Choice,
    without: list[str],
    judge: Callable[[Plan], Mapping[str, object]],
) -> Outcome:
    """Go on with new simulated drones on the pads: those of the rehearsal are gone."""
    from skymist.flight.commands.rehearse import World, run_simulated, simulated
    from skymist.flight.resume import resume as go_on
    from skymist.flight.wiring import PLAIN

    plan = record.plan()
    world = World(wiring=PLAIN, seed=plan.seed)

    async def work() -> Outcome:
        async with simulated(plan, setting, world) as (links, crew):
            alive = {drone_id: link for drone_id, link in links.items() if drone_id not in without}
            return await go_on(
                record,
                alive,
                crew=crew,
                display=display,
                arm=True,
                setting=setting,
                choice=choice,
                judge=judge,
            )

    return run_simulated(work(), setting)
