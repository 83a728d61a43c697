"""Takes an interrupted operation up again: see down who flies, plan what is left, fly it.

The record goes on in the same file as a new part, so that one report is made from all. What was
treated is the ledger's word (`resuming.ledger`), never the item's number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError, SkymistError
from skymist.coverage.hours import DAY_S
from skymist.coverage.replanning import remainder, replan
from skymist.coverage.schedule import Standing
from skymist.flight.clock import now_s
from skymist.flight.conductor.conduct import Outcome, Result, StopButton, conduct
from skymist.flight.conductor.interrupts import on_interrupt
from skymist.flight.conductor.launch import Launcher
from skymist.flight.conductor.operation import connected
from skymist.flight.conductor.telling import Log
from skymist.flight.errors import FlightError, VehicleRefused, VehicleSilent
from skymist.flight.mavlink.hello import HELLO_S, require_meant
from skymist.flight.mavlink.messages import SysStatus
from skymist.flight.mavlink.watch import Watch
from skymist.flight.mavlink.wiring import PLAIN, Wiring
from skymist.flight.protocols import driver
from skymist.flight.protocols.restore import left_changed, put_back_left
from skymist.flight.recording.record import read_record, rest_to_dict
from skymist.flight.recording.recorder import Recorder
from skymist.flight.resuming.ledger import ResumeFrom, chosen, ledger_of
from skymist.flight.resuming.reattach import watch_home
from skymist.missions.compile import compile_plan
from skymist.missions.plan_checks import plan_faults

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from skymist.coverage.drones import Drone
    from skymist.coverage.plan import Plan
    from skymist.coverage.replanning import Done
    from skymist.flight.conductor.crew import Crew
    from skymist.flight.conductor.operation import Setting
    from skymist.flight.conductor.orders import OrderDesk
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.links import Link
    from skymist.flight.recording.record import Record
    from skymist.flight.terminal.display import Display

BATTERY_S = 5.0
Judge = Callable[["Plan"], Mapping[str, object]]
"""Shown what is left to fly; raises where it must not be, and gives what the record keeps."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the operator chose: where broken passes begin again, and what of the batteries.

    With `keeps_battery` a drone flies on with what its battery says it has; else it is given
    another before its first sortie.
    """

    start: ResumeFrom = ResumeFrom.BREAKPOINT
    keeps_battery: bool = False


def finished(record: Record, choice: Choice) -> Outcome | None:
    """What comes of an operation of which nothing is left; None where something is to be done.

    It must have come to its own end: else a drone may be in the air. Nothing is written.
    """
    whole = record.plan()
    if not record.is_closed or (whole.site.policy.restores_parameters and left_changed(record)):
        return None
    done = chosen(ledger_of(record).done(), choice.start)
    if any(remainder(treatment, done) is not None for treatment in whole.treatments):
        return None
    return _nothing_left(arm=False)


async def resume(
    record: Record,
    links: Mapping[str, Link],
    *,
    crew: Crew,
    display: Display,
    arm: bool,
    setting: Setting,
    choice: Choice | None = None,
    wiring: Wiring = PLAIN,
    desk: OrderDesk | None = None,
    wind_mps: float | None = None,
    judge: Judge | None = None,
) -> Outcome:
    """Go on with an operation over these links, by drone; who has none flies no more.

    `judge` is shown what is left to fly, when all are down, and raises where it must not be flown;
    what it gives is kept in the record.

    Raises
    ------
    FormatError
        The record cannot be read, or another program writes it.
    PlanError
        Nobody who is connected can fly what is left, or not at this hour.
    SiteUnsafe
        A rule of the site forbids what is left.
    VehicleSilent, VehicleRefused
        A drone is not heard, is not the one that is meant, or was not seen to land.
    """
    fleet = {drone.id: drone for drone in record.plan().site.fleet}
    stop = StopButton()
    with _next_part(record, setting) as writer:
        writer.on_failure = stop.press
        told = Log(writer, display)
        async with connected(links, fleet, writer, wiring) as peers:
            try:
                with on_interrupt(stop.press):
                    await _at_rest(record, peers, crew=crew, told=told, stop=stop)
                    choice = choice or Choice()
                    rest = await _plan_rest(record, peers, told, choice, setting.clock_s)
                    if stop.is_pressed:
                        raise FlightError(stop.reason)
                    if not rest.sorties:
                        return _nothing_left(told, arm=arm)
                    if judge is not None:
                        writer.write("policy", **judge(rest))
                    return await conduct(
                        rest,
                        compile_plan(rest),
                        peers,
                        crew=crew,
                        record=writer,
                        display=display,
                        arm=arm,
                        stop=stop,
                        patience_s=wiring.patience_s,
                        held_agents=held_agents(record),
                        desk=desk,
                        wind_mps=wind_mps,
                        clock_s=setting.clock_s,
                        thinks_beside=not setting.is_instant,
                    )
            except SkymistError as exc:
                writer.write("end", outcome=str(Result.ABORTED), text=str(exc))
                raise


@contextmanager
def _next_part(record: Record, setting: Setting) -> Iterator[Recorder]:
    """The record, open for another part, which is begun."""
    with Recorder(
        record.path.parent,
        now_s,
        epoch_s=setting.started_utc.timestamp(),
        tlog=setting.has_tlog,
        is_live=not setting.is_instant,
        continues=record,
    ) as writer:
        writer.write("part", number=record.num_parts + 1, **setting.told())
        if writer.failure:
            raise FlightError(f"nothing was started: {writer.failure}")
        yield writer


async def _at_rest(
    record: Record, peers: Mapping[str, Peer], *, crew: Crew, told: Log, stop: StopButton
) -> None:
    """Hear every drone, see down who flies, and give back what the part before left changed."""
    site, until_s = record.plan().site, now_s() + HELLO_S
    fleet = {drone.id: drone for drone in site.fleet}
    for drone_id, peer in peers.items():
        await _heard(fleet[drone_id], peer, told.display, until_s)
    await _all_down(record, peers, crew=crew, told=told, stop=stop)
    if site.policy.restores_parameters:
        await _put_back(record, peers, told)


async def _put_back(record: Record, peers: Mapping[str, Peer], told: Log) -> None:
    """Give the drones what they held before the part that broke off; this one begins from there."""
    failed = await put_back_left(left_changed(record), peers, told)
    for drone_id, why in failed.items():
        text = f"{drone_id}: parameters not put back, the record has their values: {why}"
        told.display.event("notice", {"drone_id": drone_id, "text": text})


async def _heard(drone: Drone, peer: Peer, display: Display, until_s: float) -> None:
    """Hear a drone: one that is not heard may be in the air, and nothing new is begun beside it."""
    try:
        await require_meant(drone, peer, display, until_s)
    except VehicleSilent as exc:
        hint = f"if you have seen it down and it flies no more: --without {drone.id}"
        raise VehicleSilent(f"{exc}; {hint}", sysid=exc.sysid, waited_s=exc.waited_s) from exc


def _nothing_left(told: Log | None = None, *, arm: bool) -> Outcome:
    text = "nothing is left to be flown"
    if told is not None:
        told.event("end", outcome=str(Result.DONE), text=text)
    return Outcome(
        result=Result.DONE, text=text, drones=(), skipped=(), duration_s=0.0, is_armed=arm
    )


async def _all_down(
    record: Record, peers: Mapping[str, Peer], *, crew: Crew, told: Log, stop: StopButton
) -> None:
    """Who flies is watched home; who stands is taken out of AUTO, in which it could arm."""
    heard = await asyncio.gather(*(driver.wait_heartbeat(p, HELLO_S) for p in peers.values()))
    in_air = [d for d, heart in zip(peers, heard, strict=True) if heart.is_armed]
    standing = [peer for drone_id, peer in peers.items() if drone_id not in in_air]
    work: list[Coroutine[object, object, object]] = [
        Launcher(peer, Watch(peer)).stand_down() for peer in standing
    ]
    if in_air:
        names = ", ".join(in_air)
        told.display.event("notice", {"text": f"in the air, watched home first: {names}"})
        # First of all: nobody sees what they spray until this begins.
        work.insert(0, watch_home(in_air, record, peers, crew=crew, told=told, stop=stop))
    await asyncio.gather(*work)


async def _plan_rest(
    record: Record,
    peers: Mapping[str, Peer],
    told: Log,
    choice: Choice,
    clock_s: Callable[[], float] | None,
) -> Plan:
    """Plan what is left by everything that stands in the record by now, and write it there."""
    told.record.flush()
    so_far = read_record(record.path)
    done = chosen(ledger_of(so_far).done(), choice.start)
    standing = await standing_of(so_far, peers, keeps_battery=choice.keeps_battery)
    whole = so_far.plan()
    passed_s = (clock_s() - whole.start.clock_s) % DAY_S if clock_s and whole.start else 0.0
    rest = replan(whole, done, standing, seed=whole.seed, now_s=passed_s)
    if faults := plan_faults(rest):
        raise PlanError("\n".join(f"what is left: {fault}" for fault in faults))
    reason = f"taken up again from the {choice.start}: {left_text(whole, rest, done)}"
    told.record.write("replan", reason=reason, plan=rest_to_dict(rest))
    told.display.event("notice", {"text": reason})
    return rest


def left_text(whole: Plan, rest: Plan, done: Done) -> str:
    """What is left of a plan, in words."""
    wanted_l = sum(t.litres_l for t in whole.treatments)
    broken = sum(1 for shares in done.values() if shares and shares != ((0.0, 1.0),))
    spots = "1 spot" if len(rest.treatments) == 1 else f"{len(rest.treatments)} spots"
    return (
        f"{rest.litres_l:.1f} of {wanted_l:.1f} L over {spots} in {len(rest.sorties)} sorties, "
        f"{broken} passes in part"
    )


async def standing_of(
    record: Record, peers: Mapping[str, Peer], *, keeps_battery: bool
) -> dict[str, Standing]:
    """How each drone that is connected stands on its pad.

    Raises
    ------
    VehicleRefused
        Its battery is to be kept, and it does not say what it has.
    """
    held, standing = held_agents(record), {}
    for drone_id, peer in peers.items():
        own = {s.id for made in record.plans for s in made.sorties if s.drone_id == drone_id}
        numbers = [int(n) for sortie_id in own if (n := sortie_id.rpartition("-")[2]).isdigit()]
        battery_frac = await _battery_frac(drone_id, peer) if keeps_battery else 0.0
        standing[drone_id] = Standing(
            battery_frac=battery_frac,
            agent_id=held.get(drone_id, ""),
            num_flown=max([len(own), *numbers]),
        )
    return standing


async def _battery_frac(drone_id: str, peer: Peer) -> float:
    await driver.request_streams(peer)
    status = await peer.wait_for(SysStatus, timeout_s=BATTERY_S)
    if status.battery_frac is None:
        wanted = f"{drone_id}: wanted the share that is left in its battery, found none told"
        raise VehicleRefused(wanted, sysid=peer.sysid)
    return status.battery_frac


def held_agents(record: Record) -> dict[str, str]:
    """By drone, what was last poured into its tank."""
    agents = {s.id: s.agent_id for made in record.plans for s in made.sorties}
    held: dict[str, str] = {}
    for event in record.of("sortie"):
        if event["sortie_id"] in agents:
            held[event["drone_id"]] = agents[event["sortie_id"]]
    return held
