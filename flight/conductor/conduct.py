"""Flies a whole plan: one loop, one task for each drone, one record.

`conduct` is the same for real drones and simulated ones; what differs is the links, the crew and
how fast the loop's clock runs, and all three are given to it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.conductor.drone_run import DroneReport, DroneRun, StartGate
from skymist.flight.conductor.obeying import obey_all
from skymist.flight.conductor.relief import Relief
from skymist.flight.conductor.telling import Log, Skipped
from skymist.flight.mavlink.reconnect import PATIENCE_S
from skymist.flight.safety.hours import HoursGuard
from skymist.flight.safety.standstill import mind_gaps, mind_weather
from skymist.flight.safety.traffic import Traffic
from skymist.flight.safety.weather import WindWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.crew import Crew
    from skymist.flight.conductor.orders import OrderDesk
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.recording.recorder import Recorder
    from skymist.flight.terminal.display import Display
    from skymist.missions.items import Mission

log = logging.getLogger(__name__)

STOP_REASON = "the operator stopped the operation"
STOPPING = (
    "every drone in the air is called home with its pump off, and waited for. "
    "Ctrl-C again leaves them at once: nobody watches them then"
)


class Result(StrEnum):
    """How an operation ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an operation came to; times in seconds of the loop's clock."""

    result: Result
    text: str
    drones: tuple[DroneReport, ...]
    skipped: tuple[Skipped, ...]
    duration_s: float
    is_armed: bool

    @property
    def num_sorties(self) -> int:
        """Sorties that were planned."""
        return sum(report.num_sorties for report in self.drones)

    @property
    def num_flown(self) -> int:
        """Sorties flown to their end."""
        return sum(report.num_flown for report in self.drones)

    @property
    def litres_l(self) -> float:
        """What came out, by the pumps' outputs."""
        return sum(report.litres_l for report in self.drones)

    @property
    def num_landed(self) -> int:
        """Landings after a flight."""
        return sum(report.num_landed for report in self.drones)

    @property
    def num_looked(self) -> int:
        """After how many of them somebody looked into the tank."""
        return sum(report.num_looked for report in self.drones)

    @property
    def is_link_lost(self) -> bool:
        """Whether a link ended under a drone."""
        return any(report.is_link_lost for report in self.drones)


class StopButton:
    """What Ctrl-C presses: every drone comes home, nothing more starts."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.reason = STOP_REASON

    @property
    def is_pressed(self) -> bool:
        """Whether it was pressed."""
        return self._event.is_set()

    def press(self, reason: str = STOP_REASON) -> None:
        """Ask everything to end; the first reason stays."""
        if not self.is_pressed:
            self.reason = reason
        self._event.set()

    async def pressed(self) -> None:
        """Wait for it."""
        await self._event.wait()


async def conduct(
    plan: Plan,
    missions: Mapping[str, Mission],
    peers: Mapping[str, Peer],
    *,
    crew: Crew,
    record: Recorder,
    display: Display,
    arm: bool,
    stop: StopButton | None = None,
    patience_s: float = PATIENCE_S,
    desk: OrderDesk | None = None,
    wind_mps: float | None = None,
    held_agents: Mapping[str, str] | None = None,
    clock_s: Callable[[], float] | None = None,
    thinks_beside: bool = True,
) -> Outcome:
    """Fly every sortie of the plan on the drones that are connected, and close the record.

    Parameters
    ----------
    plan
        What is to be flown; its header is in the record already.
    missions
        The compiled mission of every sortie, by the sortie's id.
    peers
        The vehicle of every drone that is connected, by the drone's id.
    crew
        Who refills and swaps.
    record, display
        Both hear everything.
    arm
        Without it everything is done up to the verified upload, and nothing turns.
    stop
        Pressed by the operator: all drones come home.
    patience_s
        How long a drone on the ground is waited for when its link breaks.
    desk
        Where orders come from. While it is open, a drone that its pilot or a failsafe brought
        down waits to be told; without one its day ends there.
    wind_mps
        The wind as measured on the ground before the start; the vehicles' own counts beside it.
    held_agents
        By drone, what its tank holds some of already; nobody knows how much.
    clock_s
        The local time of day, seconds after midnight, for hours and closures; by default that of
        the plan, which begins when all drones are ready.
    thinks_beside
        What a drone leaves that drops out is planned in a thread; without it time, which must be
        simulated then, stands still meanwhile.

    Returns
    -------
    Outcome
        Failures of drones are in it; none is raised.
    """
    started_s, stop = now_s(), stop or StopButton()
    told = Log(record, display)
    wanted = {sortie.drone_id for sortie in plan.sorties}
    flying = [d for d in plan.site.fleet if d.id in wanted and d.id in peers]
    gate = StartGate(len(flying))
    hours = HoursGuard(plan, clock_s or (lambda: gate.clock_s(plan)))
    traffic = Traffic(tuple(flying), plan.site.policy.separation_m)
    relief = Relief(plan, told, in_thread=thinks_beside)
    runs = [
        DroneRun(
            d,
            peers[d.id],
            plan,
            missions,
            crew=crew,
            log_=told,
            gate=gate,
            traffic=traffic,
            hours=hours,
            arm=arm,
            patience_s=patience_s,
            desk=desk,
            held_agent_id=(held_agents or {}).get(d.id),
            relief=relief,
        )
        for d in flying
    ]
    relief.watch(runs)
    unconnected = _without_drone(plan, wanted - set(peers), told)
    try:
        weather = WindWatch(plan.site.policy.wind_max_mps)
        if wind_mps is not None:
            weather.give(wind_mps)
        beside = [listen(runs, stop, told), mind_weather(runs, weather, told)]
        beside.append(mind_gaps(runs, plan.site.policy.separation_m))
        if desk is not None:
            beside.append(obey_all(desk, runs, plan, told, on_wind=weather.give))
        await fly_all(runs, beside)
        await relief.settled()
    except asyncio.CancelledError:
        told.event("end", outcome=str(Result.ABORTED), text="stopped at once")
        raise
    finally:
        record.flush()
    outcome = _outcome(runs, unconnected, stop, arm=arm, duration_s=now_s() - started_s)
    told.event("end", outcome=str(outcome.result), text=outcome.text)
    record.flush()
    return outcome


async def fly_all(
    runs: Sequence[DroneRun], beside: Sequence[Coroutine[object, object, None]]
) -> None:
    """All drones at once, until the last is done; what runs beside them ends then."""
    tasks = [asyncio.create_task(work) for work in beside]
    try:
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(run.run(), name=f"drone {run.drone.id}")
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                log.error("what ran beside the drones failed", exc_info=ended)


async def listen(runs: Sequence[DroneRun], stop: StopButton, told: Log) -> None:
    """Call all drones home once the button is pressed."""
    await stop.pressed()
    log.info("stopped", extra={"reason": stop.reason})
    told.display.event("notice", {"text": f"{stop.reason}: {STOPPING}"})
    for run in runs:
        run.stop(stop.reason)


def _without_drone(plan: Plan, missing: set[str], told: Log) -> tuple[Skipped, ...]:
    """Sorties whose drone is not connected: named at once, never left out in silence."""
    skipped = tuple(
        Skipped(
            spot_id=spot_id,
            sortie_id=sortie.id,
            reason=f"drone {sortie.drone_id} is not connected",
        )
        for sortie in plan.sorties
        if sortie.drone_id in missing
        for spot_id in sortie.spot_ids
    )
    for one in skipped:
        told.skipped(one)
    return skipped


def _outcome(
    runs: Sequence[DroneRun],
    unconnected: tuple[Skipped, ...],
    stop: StopButton,
    *,
    arm: bool,
    duration_s: float,
) -> Outcome:
    skipped = (*unconnected, *(one for run in runs for one in run.skipped))
    num_flown = sum(run.report.num_flown for run in runs)
    unflown = {one.sortie_id for one in unconnected}
    num_sorties = sum(run.report.num_sorties for run in runs) + len(unflown)
    text = f"{num_flown} of {num_sorties} sorties flown"
    if stop.is_pressed:
        result, text = Result.ABORTED, f"{text}; {stop.reason}"
    elif skipped:
        result, text = (
            Result.INCOMPLETE,
            f"{text}; {len(skipped)} {'spot' if len(skipped) == 1 else 'spots'} left",
        )
    elif not arm:
        ready = sum(run.report.num_verified for run in runs)
        result = Result.INCOMPLETE
        held = "1 drone holds its" if ready == 1 else f"{ready} drones hold their"
        text = f"{held} first mission; nothing armed without --arm"
    else:
        result = Result.DONE
    if unseen := sum(run.report.num_landed - run.report.num_looked for run in runs):
        times = "1 landing" if unseen == 1 else f"{unseen} landings"
        text = f"{text}; nobody looked into the tank after {times}"
    return Outcome(
        result=result,
        text=text,
        drones=tuple(run.report for run in runs),
        skipped=skipped,
        duration_s=duration_s,
        is_armed=arm,
    )
