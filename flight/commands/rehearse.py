"""`skymist rehearse`: the plan on simulated drones, by the code that flies real ones.

The only module of the room that knows `skymist.sitl`, and only inside the functions that start a
rehearsal.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager

    from skymist.coverage.drones import Drone
    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Policy
    from skymist.flight.conductor.conduct import Outcome
    from skymist.flight.conductor.crew import Crew, Load
    from skymist.flight.conductor.operation import Setting
    from skymist.flight.conductor.orders import Order
    from skymist.flight.mavlink.links import Link
    from skymist.flight.mavlink.wiring import Wiring
    from skymist.flight.terminal.display import Display
    from skymist.sitl.copter import EmbeddedCopter
    from skymist.sitl.mishaps import Mishap

ARDUPILOT_SPEEDUP = 10.0


class Sim(StrEnum):
    """Where simulated drones come from."""

    EMBEDDED = "embedded"
    ARDUPILOT = "ardupilot"


def _list_faults(asked: list[str] | None) -> list[str] | None:
    """`--fault list` names them, whatever else is asked."""
    from skymist.sitl.mishaps import told_names

    if asked and "list" in asked:
        typer.echo(told_names())
        raise typer.Exit
    return asked


def rehearse(
    place: Annotated[
        Path, typer.Argument(metavar="SITE-or-DIR", help="A site file, or a plan's folder.")
    ],
    sim: Annotated[
        str,
        typer.Option(
            help="embedded: copters inside this program; ardupilot: the real ArduCopter binary."
        ),
    ] = "embedded",
    speedup: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Simulated seconds per second: embedded runs as fast as the machine can unless "
            "given, ardupilot 10 times.",
        ),
    ] = None,
    arducopter: Annotated[
        Path | None, typer.Option(help="The ArduCopter binary for --sim ardupilot.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder for the record.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Events as JSON lines on stdout.")] = False,
    seed: Annotated[int, typer.Option(help="Of the plan and of everything random.")] = 0,
    drones: Annotated[
        int | None, typer.Option(min=1, help="Plan with the first so many drones of the fleet.")
    ] = None,
    tlog: Annotated[
        bool, typer.Option("--tlog", help="Keep every raw MAVLink frame beside the record.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="[DRONE:]NAME[@SECONDS][+SECONDS]: what breaks, so long after arming, for so "
            "long; may be given again. --fault list names all, and what each is.",
            callback=_list_faults,
            is_eager=True,
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="SECONDS:ORDER of the drones' time, such as 120:pause:heron; once for each."
        ),
    ] = None,
    orders: Annotated[
        Path | None, typer.Option(help="A file or named pipe: each line written to it is an order.")
    ] = None,
    logs: Annotated[
        Path | None,
        typer.Option(help="Keep what the simulators write: truth of embedded, logs of ArduPilot."),
    ] = None,
    forward: Annotated[
        list[str] | None,
        typer.Option(help="udp:HOST:PORT of a ground station that looks on; best with --speedup."),
    ] = None,
    forward_commands: Annotated[
        bool,
        typer.Option("--forward-commands", help="Let the one that looks on command the drones."),
    ] = False,
    dashboard: Annotated[
        bool,
        typer.Option("--dashboard", help="Show it in a browser; 10 times real time by default."),
    ] = False,
) -> None:
    """Fly a whole plan on simulated drones: the same code as `fly`, over other links.

    A site file is planned first. Ctrl-C calls all drones home; a second one stops at once.

    Orders are those of `fly`: pause, continue, skip, home, stop, wind.

    Example: [bold]skymist rehearse plans/helsinki[/bold]

    Example: [bold]skymist rehearse plans/demo --at 120:pause:heron --at 180:continue[/bold]

    Example: [bold]skymist rehearse site.yaml --sim ardupilot --speedup 20 -o /tmp/record[/bold]

    Example: [bold]skymist rehearse plans/b --fault heavy-loss --fault heron:gps-lost@40+10[/bold]
    """
    from skymist.flight.commands.flown import record_folder, utc_now
    from skymist.flight.conductor.operation import Setting
    from skymist.flight.conductor.order_sources import say_on_stderr
    from skymist.flight.conductor.orders import parse_timed
    from skymist.flight.dashboard.beside import dashboard_beside
    from skymist.flight.mavlink.wiring import Wiring
    from skymist.flight.safety.lawful import require_policy
    from skymist.sitl.mishaps import parse_mishap, require_drones

    if sim not in tuple(Sim):
        raise PlanError(f"--sim: wanted {' or '.join(Sim)}, found {sim!r}")
    mishaps = [parse_mishap(text) for text in fault or ()]
    timed = tuple(parse_timed(text) for text in at or ())
    plan = plan_for(place, seed=seed, num_drones=drones, as_json=json)
    require_drones(mishaps, [drone.id for drone in flying(plan)])
    judged = require_policy(plan, place)
    started_utc = utc_now()
    folder = record_folder(place, output, "rehearsal", started_utc)
    if sim == Sim.ARDUPILOT or dashboard:
        speedup = speedup or ARDUPILOT_SPEEDUP
    setting = Setting(
        started_utc=started_utc,
        sim=sim,
        speedup=speedup,
        has_tlog=tlog,
        policy=judged.as_dict(),
    )
    world = World(
        wiring=Wiring(forward=tuple(forward or ()), passes_commands=forward_commands),
        seed=seed,
        binary=arducopter,
        mishaps=tuple(mishaps),
        logs=logs,
        timed=timed,
        orders=orders,
    )
    with ExitStack() as beside:
        if dashboard:
            orders = beside.enter_context(dashboard_beside(folder, orders, say_on_stderr))
            world = replace(world, orders=orders)
        _rehearse(plan, folder, setting, world, as_json=json)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where simulated drones fly: what is random, what breaks, which binary, where logs go.

    `timed` are orders with the seconds after the start, `orders` is a file that brings some.
    """

    wiring: Wiring
    seed: int
    binary: Path | None = None
    mishaps: tuple[Mishap, ...] = ()
    logs: Path | None = None
    timed: tuple[tuple[float, Order], ...] = ()
    orders: Path | None = None

    def of(self, drone_id: str) -> tuple[Mishap, ...]:
        """What strikes a drone."""
        return tuple(m for m in self.mishaps if m.strikes(drone_id))


def _rehearse(plan: Plan, folder: Path, setting: Setting, world: World, *, as_json: bool) -> None:
    """Fly, print the summary; exit 1 unless everything was flown."""
    from skymist.flight.commands.flown import print_outcome
    from skymist.flight.conductor.conduct import Result
    from skymist.flight.terminal.display import display_for

    display = display_for(as_json=as_json)
    began_s = time.perf_counter()
    try:
        outcome = _run(plan, folder, display, setting, world)
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo(f"stopped at once; record: {folder}", err=True)
        raise typer.Exit(1) from None
    finally:
        display.close()
    print_outcome(outcome, folder, time.perf_counter() - began_s, as_json=as_json)
    if outcome.result is not Result.DONE:
        raise typer.Exit(1)


def plan_for(place: Path, *, seed: int, num_drones: int | None, as_json: bool = False) -> Plan:
    """The plan that is named, or one made of the site file that is named.

    Raises
    ------
    PlanError
        There is nothing by this name.
    """
    from skymist.flight.commands.plan import make_plan
    from skymist.missions.checks import require_safe
    from skymist.missions.plans import read_flyable_plan

    if not place.exists():
        raise PlanError(f"{place}: wanted a site file or a plan's folder, found nothing")
    if place.is_dir() or place.suffix == ".json":
        made = read_flyable_plan(place)
        require_safe(made.site, place)
        return made
    return make_plan(place, seed=seed, num_drones=num_drones, as_json=as_json)


class SimulatedCrew:
    """Refills and swaps simulated copters, in as much simulated time as the policy says.

    `fill` pours litres into a drone's tank, `swap` puts a full battery in; `held` gives what is in
    its tank, where the simulator has one.
    """

    def __init__(
        self,
        policy: Policy,
        fill: Callable[[str, Load], None],
        swap: Callable[[str], Awaitable[None]],
        held: Callable[[str], float] | None = None,
    ) -> None:
        self._policy = policy
        self._fill = fill
        self._swap = swap
        self._held = held

    async def refill(self, drone_id: str, load: Load) -> None:
        """Pour the litres in."""
        await asyncio.sleep(self._policy.refill_s)
        self._fill(drone_id, load)

    async def swap(self, drone_id: str) -> None:
        """Put a full battery in."""
        await asyncio.sleep(self._policy.swap_s)
        await self._swap(drone_id)

    async def left(self, drone_id: str, _reckoned_l: float, _tank_l: float) -> float | None:
        """What is really in the tank."""
        return None if self._held is None else self._held(drone_id)


def crew_of(policy: Policy, copters: Mapping[str, EmbeddedCopter]) -> SimulatedCrew:
    """The crew on the pads of embedded copters, by drone."""

    async def swap(drone_id: str) -> None:
        copters[drone_id].swap_battery()

    def fill(drone_id: str, load: Load) -> None:
        if load.into_empty or load.is_level:
            copters[drone_id].drain()
        copters[drone_id].refill(load.litres_l)

    return SimulatedCrew(policy, fill, swap, lambda drone_id: copters[drone_id].tank_l)


def homes_of(plan: Plan, drones: list[Drone]) -> list[tuple[float, float, float]]:
    """Latitude, longitude in degrees and height above mean sea of each drone's pad."""
    pads = {pad.id: pad for pad in plan.site.pads}
    homes = []
    for drone in drones:
        pad = pads[drone.pad_id]
        place = plan.site.origin.geo(pad.x, pad.y)
        homes.append((place.lat_deg, place.lon_deg, plan.site.origin.amsl_m))
    return homes


def flying(plan: Plan) -> list[Drone]:
    """The drones that have a sortie."""
    wanted = {sortie.drone_id for sortie in plan.sorties}
    return [drone for drone in plan.site.fleet if drone.id in wanted]


def _run(plan: Plan, folder: Path, display: Display, setting: Setting, world: World) -> Outcome:
    """Choose the loop and the fleet, and operate."""
    return run_simulated(_operate(plan, folder, display, setting, world), setting)


def run_simulated(work: Coroutine[object, object, Outcome], setting: Setting) -> Outcome:
    """Do the work on a loop whose time runs as the setting says."""
    from skymist.sitl.loops import ScaledLoop, VirtualLoop, run

    is_virtual = setting.sim == Sim.EMBEDDED and setting.speedup is None
    return run(work, loop=VirtualLoop() if is_virtual else ScaledLoop(setting.speedup or 1.0))


async def _operate(
    plan: Plan, folder: Path, display: Display, setting: Setting, world: World
) -> Outcome:
    from skymist.flight.conductor.operation import operate
    from skymist.flight.conductor.order_sources import Console, ordering
    from skymist.flight.conductor.orders import OrderDesk

    is_embedded = setting.sim == Sim.EMBEDDED
    desk = OrderDesk()
    is_paced = not (is_embedded and setting.speedup is None)
    console = Console(desk, sys.stdin) if is_paced and sys.stdin.isatty() else None
    sources = ordering(desk, timed=world.timed, path=world.orders, console=console)
    async with simulated(plan, setting, world) as (links, crew), sources as told:
        return await operate(
            plan,
            links,
            folder,
            crew=crew,
            display=display,
            arm=True,
            setting=setting,
            wiring=world.wiring,
            desk=told,
        )


def simulated(
    plan: Plan, setting: Setting, world: World
) -> AbstractAsyncContextManager[tuple[dict[str, Link], Crew]]:
    """Links to simulated drones on their pads, and who serves them there."""
    is_embedded = setting.sim == Sim.EMBEDDED
    return _embedded(plan, world) if is_embedded else _ardupilot(plan, setting, world)


@asynccontextmanager
async def _embedded(plan: Plan, world: World) -> AsyncIterator[tuple[dict[str, Link], Crew]]:
    """Links to copters inside this program, and the crew on their pads."""
    from skymist.sitl.faults import break_vehicle, mend_vehicle
    from skymist.sitl.fleet import EmbeddedFleet
    from skymist.sitl.truth import write_truth

    drones = flying(plan)
    async with EmbeddedFleet(drones, homes=homes_of(plan, drones), seed=world.seed) as fleet:
        copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}

        async def strike(drone_id: str, name: str, is_broken: bool) -> None:
            (break_vehicle if is_broken else mend_vehicle)(copters[drone_id], name)

        plain: dict[str, Link] = {d.id: fleet.connect(i) for i, d in enumerate(drones)}
        for drone_id, copter in copters.items():
            first = next(s for s in plan.sorties if s.drone_id == drone_id)
            if first.carried_l:
                copter.drain()
                copter.refill(first.carried_l)
        try:
            yield _with_mishaps(plain, world, strike), crew_of(plan.site.policy, copters)
        finally:
            if world.logs is not None:
                for drone_id, copter in copters.items():
                    write_truth(copter.truth, world.logs / f"{drone_id}-truth.csv")


@asynccontextmanager
async def _ardupilot(
    plan: Plan, setting: Setting, world: World
) -> AsyncIterator[tuple[dict[str, Link], Crew]]:
    """Links to real ArduCopter processes on this machine."""
    from skymist.flight.mavlink.links import open_link
    from skymist.sitl.ardupilot import ArduPilotFleet
    from skymist.sitl.ardupilot_faults import require_known
    from skymist.sitl.binaries import find_arducopter
    from skymist.sitl.proxy import JoiningPipe

    for mishap in world.mishaps:
        if not mishap.is_of_link:
            require_known(mishap.name)
    drones, speedup = flying(plan), setting.speedup or 1.0
    found = find_arducopter(world.binary)
    async with ArduPilotFleet(
        drones,
        homes=homes_of(plan, drones),
        speedup=speedup,
        found=found,
        logs_dir=world.logs,
    ) as fleet:
        numbers = {drone.id: index for index, drone in enumerate(drones)}

        async def strike(drone_id: str, name: str, is_broken: bool) -> None:
            change = fleet.break_vehicle if is_broken else fleet.mend_vehicle
            await change(numbers[drone_id], name)

        async def swap(drone_id: str) -> None:
            await fleet.swap_battery(numbers[drone_id])

        plain: dict[str, Link] = {}
        for drone in drones:
            address = fleet.addresses[numbers[drone.id]]
            is_rebooted = any(m.name == "reboot" for m in world.of(drone.id))
            port = int(address.rpartition(":")[2])
            plain[drone.id] = JoiningPipe(port) if is_rebooted else await open_link(address)
        links = _with_mishaps(plain, world, strike)
        yield links, SimulatedCrew(plan.site.policy, lambda *_: None, swap)


def _with_mishaps(
    links: Mapping[str, Link],
    world: World,
    strike: Callable[[str, str, bool], Awaitable[None]],
) -> dict[str, Link]:
    """The links, those of drones that something strikes behind a `MishapPipe`."""
    from skymist.sitl.mishaps import MishapPipe

    made = dict(links)
    for number, (drone_id, link) in enumerate(links.items()):
        if mishaps := world.of(drone_id):
            own = partial(strike, drone_id)
            made[drone_id] = MishapPipe(link, mishaps, own, seed=world.seed * 1000 + number)
    return made
