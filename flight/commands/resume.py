"""`skymist resume`: takes an interrupted operation up again."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.coverage.errors import PlanError
from skymist.flight.commands.flying_options import FlyingOptions, with_flying_options
from skymist.flight.commands.reaching import (
    LEFT,
    KnownDrones,
    RecordArgument,
    at_terminal,
    exit_unless_done,
    open_links,
    parse_connections,
    say_unsigned,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.conduct import Outcome
    from skymist.flight.conductor.operation import Setting
    from skymist.flight.recording.record import Record
    from skymist.flight.resuming.resume import Choice, Judge
    from skymist.flight.safety.lawful import Told
    from skymist.flight.terminal.display import Display


@with_flying_options
def resume(
    record: RecordArgument,
    drone: KnownDrones = None,
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
    *,
    options: FlyingOptions,
) -> None:
    """Go on with an operation that was cut short: a crash, a dead link, a stop, a lost drone.

    Drones that are still in the air are watched home first, and never commanded blindly. Then
    what was not treated, by pump output along the way flown, is planned anew for the drones that
    are connected, uploaded as new missions, verified and flown. You are asked to fill the tanks
    and to swap batteries first. The record goes on as a new part: one report tells all.

    A rehearsal is gone on with on new simulated drones; with --dashboard at 10 times real time.
    Where nothing is left of an operation that came to its end, that is said, and nothing written.

    Example: [bold]skymist resume records/b[/bold]

    Example: [bold]skymist resume records/b --without heron --from pass-start --arm[/bold]
    """
    from skymist.flight.commands.flown import local_now, print_outcome
    from skymist.flight.conductor.order_sources import say_on_stderr
    from skymist.flight.dashboard.beside import dashboard_beside
    from skymist.flight.recording.record import read_record
    from skymist.flight.resuming.ledger import ResumeFrom
    from skymist.flight.resuming.resume import Choice, finished
    from skymist.flight.safety.lawful import flight_of
    from skymist.flight.terminal.display import display_for

    if start not in tuple(ResumeFrom):
        raise PlanError(f"--from: wanted {', '.join(ResumeFrom)}, found {start!r}")
    found, choice = read_record(record), Choice(ResumeFrom(start), keep_battery)
    folder = found.path.parent
    setting = setting_of(found, connections_of(found, drone or [], without or []), options)
    told = told_before(found, options, local_now().date())
    flight_of(found.plan(), local_now(), told=told)  # words that are no time are refused first
    if (outcome := finished(found, choice)) is not None:
        print_outcome(outcome, folder, 0.0, as_json=options.json)
        return
    say_unsigned(options.wiring, setting.connections)
    judge = partial(_judge, found, told, options, is_simulated=setting.is_rehearsal)
    with ExitStack() as beside:
        if options.dashboard:
            orders = beside.enter_context(dashboard_beside(folder, options.orders, say_on_stderr))
            options = replace(options, orders=orders)
        display = display_for(as_json=options.json)
        began_s = time.perf_counter()
        try:
            if setting.is_rehearsal:
                outcome = _rehearse(found, setting, display, choice, without or [], judge, options)
            else:
                outcome = asyncio.run(_fly(found, setting, display, choice, judge, options))
        except (KeyboardInterrupt, asyncio.CancelledError):
            typer.echo(f"{LEFT}; record: {folder}", err=True)
            raise typer.Exit(1) from None
        finally:
            display.close()
        print_outcome(outcome, folder, time.perf_counter() - began_s, as_json=options.json)
    exit_unless_done(outcome, is_upload_enough=not options.arm and not setting.is_rehearsal)


def setting_of(found: Record, connections: dict[str, str], options: FlyingOptions) -> Setting:
    """How it is gone on with: a rehearsal in its own simulator, at a pace that can be looked at."""
    from skymist.flight.commands.flown import local_clock_s, utc_now
    from skymist.flight.commands.rehearse import ARDUPILOT_SPEEDUP
    from skymist.flight.conductor.operation import Setting

    is_simulated = bool(found.header.get("sim")) and not connections
    pace = found.header.get("speedup")
    if is_simulated and options.dashboard:
        pace = pace or ARDUPILOT_SPEEDUP
    return Setting(
        started_utc=utc_now(),
        sim=found.header.get("sim"),
        speedup=pace,
        has_tlog=not is_simulated,
        connections=connections,
        clock_s=None if is_simulated else local_clock_s,
    )


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
    judge: Judge,
    options: FlyingOptions,
) -> Outcome:
    """Open the links, one for each connection named, and go on."""
    from skymist.flight.resuming.resume import resume as go_on

    wiring = options.wiring
    links = await open_links(setting.connections, patience_s=wiring.patience_s)
    async with at_terminal(options.orders) as (crew, desk):
        return await go_on(
            record,
            links,
            crew=crew,
            display=display,
            arm=options.arm,
            setting=setting,
            choice=choice,
            wiring=wiring,
            desk=desk,
            wind_mps=options.wind_mps,
            judge=judge,
        )


def told_before(record: Record, options: FlyingOptions, today: date) -> Told:
    """What the authority was told: as said now, else as the record has it.

    A report is of one take-off: that of another day is not remembered.
    """
    from skymist.flight.safety.lawful import Told

    known: dict[str, str] = dict(record.header.get("policy") or {})
    for event in record.of("policy"):
        known |= {key: event[key] for key in ("applied", "reported") if key in event}
    if not known.get("reported", "").startswith(f"{today}T"):
        known.pop("reported", None)
    return Told(
        applied=options.applied or known.get("applied", ""),
        reported=options.reported or known.get("reported", ""),
    )


def _judge(
    record: Record, told: Told, options: FlyingOptions, rest: Plan, *, is_simulated: bool
) -> Mapping[str, object]:
    """Hold what is left to all rules of its site, as `fly` holds a plan; what the record keeps.

    Raises
    ------
    SiteUnsafe, PlanError
        One forbids it: the site itself, a policy pack, or its hours.
    """
    from skymist.flight.commands.flown import local_clock_s, local_now
    from skymist.flight.safety.hours import require_hours
    from skymist.flight.safety.lawful import flight_of, require_policy
    from skymist.missions.checks import require_safe

    place, flight = record.path.parent, None
    require_safe(rest.site, place)
    if options.arm and not is_simulated:
        flight = flight_of(rest, local_now(), wind_mps=options.wind_mps, told=told)
        require_hours(rest, local_clock_s())
    return require_policy(rest, place, flight).as_dict()


def _rehearse(
    record: Record,
    setting: Setting,
    display: Display,
    choice: Choice,
    without: list[str],
    judge: Judge,
    options: FlyingOptions,
) -> Outcome:
    """Go on with new simulated drones on the pads: those of the rehearsal are gone."""
    from skymist.flight.commands.rehearse import World, run_simulated, simulated
    from skymist.flight.conductor.order_sources import ordering
    from skymist.flight.conductor.orders import OrderDesk
    from skymist.flight.mavlink.wiring import PLAIN
    from skymist.flight.resuming.resume import resume as go_on

    plan = record.plan()
    world = World(wiring=PLAIN, seed=plan.seed)

    async def work() -> Outcome:
        told = ordering(OrderDesk(), path=options.orders)
        async with simulated(plan, setting, world) as (links, crew), told as desk:
            alive = {drone_id: link for drone_id, link in links.items() if drone_id not in without}
            return await go_on(
                record,
                alive,
                crew=crew,
                display=display,
                arm=True,
                setting=setting,
                choice=choice,
                desk=desk,
                judge=judge,
            )

    return run_simulated(work(), setting)
