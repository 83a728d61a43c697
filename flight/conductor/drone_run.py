"""One drone through all its sorties: service on the pad, prepare, fly. One task of the conductor.

The phases and the ways between them stand in `phases`, one sortie in `sortie_run`.
A failure ends this drone's day, never that of the others.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skymist.coverage.schedule import Standing
from skymist.flight.clock import now_s
from skymist.flight.conductor.crew import Crew, Load
from skymist.flight.conductor.halt import GAP, OPERATOR, Halts
from skymist.flight.conductor.interrupts import shielded
from skymist.flight.conductor.launch import Launcher
from skymist.flight.conductor.oversight import TICK_S, Job
from skymist.flight.conductor.phases import Phase, Phases
from skymist.flight.conductor.sortie_run import HOME_S, SortieRun, flight_timeout_s
from skymist.flight.conductor.telling import DroneLog, Skipped
from skymist.flight.errors import (
    FlightError,
    Holding,
    LeftOut,
    LinkLost,
    OutOfHours,
    VehicleRefused,
)
from skymist.flight.mavlink.linkmeter import LinkMeter
from skymist.flight.mavlink.messages import Heartbeat
from skymist.flight.mavlink.patience import until_done
from skymist.flight.mavlink.reconnect import PATIENCE_S
from skymist.flight.mavlink.watch import Watch, describe
from skymist.flight.protocols import driver
from skymist.flight.recording.record import BEFORE, RESTORED, rest_to_dict
from skymist.flight.resuming.rests import Rest, rest_of_sortie, rest_passes
from skymist.flight.resuming.tank_look import TankLooks
from skymist.flight.safety.gaps import Mover
from skymist.flight.safety.hours import HoursGuard
from skymist.flight.safety.monitor import Alert, Limits, Severity, Tank
from skymist.flight.terminal.display import DroneView

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from skymist.coverage.drones import Drone
    from skymist.coverage.plan import Pass, Plan, Sortie
    from skymist.flight.conductor.orders import OrderDesk
    from skymist.flight.conductor.relief import Relief
    from skymist.flight.conductor.telling import Log
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.telemetry import Wind
    from skymist.flight.safety.traffic import Traffic
    from skymist.missions.items import Mission

log = logging.getLogger(__name__)

COME_HOME_SHARE = 0.6
"""Of the policy's battery reserve: below it a drone is sent home. Proposal."""


POUR_LEAST_L = 0.05
"""Nobody is sent out with a can for less."""
RESTS_MOST = 8
"""Sorties broken off more often than that are left to a person. Proposal."""
TOLD_MOST_S = 3600.0
HELD_MOST_S = 3600.0
"""So long a drone waits on the ground for better weather."""
LOOK_S = 0.5
SHOW_S = 1.0
HOURS_LOOK_S = 5.0
"""Between looks at the clock while a drone waits for its hours."""
LEAVE_S = 30.0
"""To clear a broken upload and leave AUTO after a stop."""


class StartGate:
    """Opens when every drone is ready or out, so that the plan's clock starts for all at once."""

    def __init__(self, num_drones: int) -> None:
        self._left = num_drones
        self._opened = asyncio.Event()
        self.start_s = 0.0

    def pass_by(self) -> None:
        """One drone more is ready, or will never be."""
        self._left -= 1
        if self._left <= 0 and not self._opened.is_set():
            self.start_s = now_s()
            self._opened.set()

    def clock_s(self, plan: Plan) -> float:
        """The time of day by the plan's own clock."""
        return (plan.start.clock_s if plan.start else 0.0) + self.passed_s

    @property
    def passed_s(self) -> float:
        """Seconds since the plan's clock started; 0 before."""
        return now_s() - self.start_s if self._opened.is_set() else 0.0

    def until_s(self, plan_s: float) -> float:
        """Seconds until a time of the plan; 0 where it is past, its own time before the start."""
        return max(0.0, self.start_s + plan_s - now_s()) if self._opened.is_set() else plan_s

    async def opened(self) -> float:
        """Wait for all; gives when the plan's clock started."""
        await self._opened.wait()
        return self.start_s


@dataclass(slots=True, kw_only=True)
class DroneReport:
    """What became of one drone's sorties; after `num_looked` landings its tank was looked into."""

    drone_id: str
    num_sorties: int
    num_flown: int = 0
    num_verified: int = 0
    num_passes: int = 0
    num_landed: int = 0
    num_looked: int = 0
    litres_l: float = 0.0
    flight_s: float = 0.0
    error: str = ""
    is_link_lost: bool = False


class DroneRun:
    """Flies the sorties of one drone in order."""

    def __init__(
        self,
        drone: Drone,
        peer: Peer,
        plan: Plan,
        missions: Mapping[str, Mission],
        *,
        crew: Crew,
        log_: Log,
        gate: StartGate,
        traffic: Traffic,
        hours: HoursGuard | None = None,
        arm: bool,
        patience_s: float = PATIENCE_S,
        desk: OrderDesk | None = None,
        held_agent_id: str | None = None,
        relief: Relief | None = None,
    ) -> None:
        self.drone = drone
        self.halts = Halts()
        self.skip: set[str] = set()
        self._desk, self._told_on, self._num_rests = desk, "", 0
        self._relief, self._is_idle = relief, False
        self.sorties = tuple(s for s in plan.sorties if s.drone_id == drone.id)
        self.report = DroneReport(drone_id=drone.id, num_sorties=len(self.sorties))
        self.skipped: list[Skipped] = []
        self._peer, self._plan, self._missions = peer, plan, dict(missions)
        self._plans: dict[str, Plan] = {}
        self._todo = list(self.sorties)
        self._crew, self._log, self._gate, self._arm = crew, log_, gate, arm
        self._traffic, self._patience_s = traffic, patience_s
        self._hours = hours or HoursGuard(plan, lambda: gate.clock_s(plan))
        self._told = DroneLog(log_, drone.id)
        self._phases = Phases(drone.id, lambda _: self._show())
        self._watch, self._meter = Watch(peer), LinkMeter(peer, self._told)
        self._launcher = Launcher(peer, self._watch)
        self._launcher.tell_before = lambda before: self._told.event(BEFORE, before=before)
        self._tank = Tank(litres_l=self._wanted_l(self.sorties[0]))
        self._agent_id, self._is_level_known = held_agent_id, False
        self._looks = TankLooks(drone.id, drone.model.sprayer.tank_l, crew, self._told)
        self._sortie_run: SortieRun | None = None
        self._num_passes = sum(len(sortie.passes) for sortie in self.sorties)
        self._shown_s = now_s()
        self._worker: asyncio.Task[None] | None = None
        self._stop_reason, self._note = "", ""
        self._last_id = self.sorties[0].id
        self._landed: SortieRun | None = None
        self._unflown: tuple[Skipped, ...] = ()
        self._is_past_gate = self._is_waiting = False
        self._owes_swap = False
        policy = plan.site.policy
        self._limits = Limits(
            reserve_frac=policy.reserve_frac,
            come_home_frac=COME_HOME_SHARE * policy.reserve_frac,
        )

    @property
    def phase(self) -> Phase:
        """What the drone is doing."""
        return self._phases.now

    @property
    def is_over(self) -> bool:
        """Whether its day has ended."""
        return self.phase in (Phase.DONE, Phase.FAILED)

    @property
    def is_stopped(self) -> bool:
        """Whether it was told to start nothing more."""
        return bool(self._stop_reason) or self.halts.is_stopped

    @property
    def has_work(self) -> bool:
        """Whether a sortie is left to be flown."""
        return bool(self._todo)

    @property
    def last_sortie_id(self) -> str:
        """The sortie that it flies, or flew last."""
        return self._last_id

    def standing(self) -> Standing:
        """How it will stand when it has flown what is its own; its battery is swapped then."""
        agent_id = self._todo[-1].agent_id if self._todo else self._agent_id or ""
        return Standing(ready_s=self._left_s(), battery_frac=0.0, agent_id=agent_id, num_flown=1)

    def take_on(self, plan: Plan, missions: Mapping[str, Mission]) -> None:
        """Fly what is this drone's in another plan too, last; its clock starts now."""
        opened_s = self._gate.start_s
        late_s = now_s() - opened_s if opened_s else 0.0
        for sortie in plan.sorties:
            if sortie.drone_id == self.drone.id:
                new = replace(sortie, start_s=sortie.start_s + late_s)
                self._plans[new.id], self._missions[new.id] = plan, missions[new.id]
                self._todo.append(new)
                self.report.num_sorties += 1
                self._num_passes += len(new.passes)

    def skip_rest(self, skipped: Skipped) -> None:
        """Name a spot of this drone that nobody flies."""
        self._skip([skipped])

    def stop(self, reason: str) -> None:
        """Ask the drone home where it flies, and start nothing more."""
        if self._stop_reason:
            return
        self._stop_reason = reason
        if self._is_idle:
            return
        if self._sortie_run is not None and self._sortie_run.is_committed:
            self._sortie_run.ask_home(reason, is_told=self.halts.is_stopped)
        elif self._worker is not None:
            self._worker.cancel()

    def halt(self, who: str, reason: str) -> None:
        """Have the drone stand still in the air with its pump off, or stay on its pad."""
        self.halts.add(who, reason)
        if self._sortie_run is not None:
            self._sortie_run.mind_halts()

    def release(self, who: str) -> bool:
        """One reason to stand still is gone; False where it was none."""
        is_known = self.halts.remove(who)
        if is_known and self._sortie_run is not None:
            self._sortie_run.mind_halts()
        return is_known

    def stop_here(self) -> None:
        """Pump off, hold where it is, and start nothing more; on the ground its day ends."""
        self.halts.is_stopped = True
        if self._sortie_run is not None and self._sortie_run.is_committed:
            self._sortie_run.brake()
        elif self._worker is not None:
            self._stop_reason = "everything was stopped"
            self._worker.cancel()

    def go_home(self, reason: str, *, goes_on: bool = False) -> str:
        """Come home because a person says so; what came of it in words."""
        run = self._sortie_run
        if run is not None and run.is_committed:
            run.ask_home(reason, goes_on=goes_on, is_told=True)
            return "comes home, pump off"
        if self.tell_on("home"):
            return "its rest is left"
        self.stop(reason)
        return "stays on its pad, its day is over"

    def wait_at_home(self, reason: str) -> None:
        """Come home out of the air, and fly the rest when nothing holds the drone any more."""
        run = self._sortie_run
        if run is not None and run.is_committed and self.phase is not Phase.PILOT:
            run.ask_home(reason, goes_on=True)

    @property
    def mover(self) -> Mover | None:
        """Where it is in the air and goes, as it last said; None on the ground.

        One that yields to another counts as on its plan: it is the one that goes on yielding.
        """
        run, state = self._sortie_run, self._watch.state
        place = state.position
        if run is None or place is None or not self.phase.is_airborne:
            return None
        x, y = state.local(self._plan.site.origin)
        is_held = GAP in self.halts
        return Mover(
            drone_id=self.drone.id,
            place=(x, y, place.above_home_m),
            velocity=(place.east_mps, place.north_mps),
            is_on_plan=is_held or (run.is_on_plan and not run.halt.was_paused),
            is_held=is_held,
        )

    @property
    def wind(self) -> Wind | None:
        """What the vehicle last said of the wind."""
        return self._watch.state.wind

    def tell_on(self, word: str) -> bool:
        """Answer a drone that waits to be told; False where it does not wait."""
        if not self._is_waiting:
            return False
        self._told_on = word
        return True

    def skip_spot(self, spot_id: str) -> str:
        """Spray this spot no more; what that means, empty where nothing of it is left."""
        left = [sortie for sortie in self._todo if spot_id in sortie.spot_ids]
        if not left or spot_id in self.skip:
            return ""
        self.skip.add(spot_id)
        self._skip([Skipped(spot_id=spot_id, sortie_id=left[0].id, reason="told to skip it")])
        run = self._sortie_run
        if run is not None and run.job.sortie in left and run.is_committed:
            run.mind_halts()
            return "flies over it with the pump off"
        return "left out of the next sorties"

    async def run(self) -> None:
        """Fly everything; failures of this drone end here, and its report says so."""
        self._worker = asyncio.create_task(self._fly_all(), name=f"fly {self.drone.id}")
        helpers = [
            asyncio.create_task(self._tick(), name=f"tick {self.drone.id}"),
            asyncio.create_task(self._keep_streams(), name=f"streams {self.drone.id}"),
        ]
        try:
            await self._worker
        except asyncio.CancelledError:
            this = asyncio.current_task()
            is_outer = not self._stop_reason or (this is not None and this.cancelling() > 0)
            await shielded(self._leave_safe())
            if is_outer:
                raise
            if self.phase is not Phase.FAILED:
                self._fail(self._stop_reason)
        except Exception as exc:  # the top of this drone's task: others must go on
            log.exception("a fault of ours", extra={"drone_id": self.drone.id})
            await self._bring_down()
            await shielded(self._leave_safe())
            self._fail(f"a fault in Skymist: {exc!r}")
        finally:
            self._pass_gate()
            await shielded(self._put_back())
            for task in helpers:
                task.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._watch.close()
            self._show()

    async def _leave_safe(self) -> None:
        """No half of a mission and no AUTO on the ground; a drone in the air is left alone."""
        with suppress(FlightError, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                holding = await self._launcher.abandon()
                if holding is not None:
                    self._tell_holding(holding)

    async def _put_back(self) -> None:
        """Give the vehicle its own parameters back, where the site says so; else it is told."""
        if not (self._plan.site.policy.restores_parameters and self._launcher.before):
            return
        names, reason = sorted(self._launcher.before), "it did not answer in time"
        try:
            async with asyncio.timeout(LEAVE_S):
                report = await self._launcher.restore()
            if report is not None and report.is_as_wanted:
                self._told.event(RESTORED, names=names)
                return
            if report is not None:
                reason = f"not taken: {', '.join((*report.refused, *report.missing))}"
        except FlightError as exc:
            reason = str(exc)
        except TimeoutError:
            pass
        text = f"parameters not put back, the record has their values: {reason}"
        self._told.alert(Alert(severity=Severity.WARNING, code="parameters_left", text=text))

    def _tell_holding(self, holding: Holding) -> None:
        is_cleared = holding is Holding.CLEARED
        text = "stopped amid the upload: the vehicle's mission was cleared"
        if not is_cleared:
            text = "stopped amid the upload: what the vehicle holds is unknown, it must not fly"
        severity = Severity.WARNING if is_cleared else Severity.ERROR
        self._told.alert(Alert(severity=severity, code="holding_mission", text=text))

    async def _bring_down(self) -> None:
        """After a fault of ours: home by the vehicle's own means, by its heartbeats alone."""
        run = self._sortie_run
        if run is None or not run.is_committed:
            return
        with suppress(FlightError):
            if self.phase is not Phase.PILOT:
                await driver.come_home(self._peer)
            timeout_s = run.job.sortie.duration_s + HOME_S
            await self._peer.wait_for(Heartbeat, lambda h: not h.is_armed, timeout_s=timeout_s)
            await driver.spray_off(self._peer)

    async def _fly_all(self) -> None:
        """Every sortie in order, and the rests of those that were broken off, until one fails."""
        while self._todo or await self._is_given_more():
            sortie = self._todo[0]
            try:
                if self._arm:
                    following = await self._next()
                    if following is None:
                        continue
                    sortie = following
                    self._owes_swap |= sortie.swap_before
                    self._require_hours(sortie, self._gate.until_s(sortie.start_s))
                    await self._service(sortie)
                await self._fly_lasting(sortie)
                if self._arm:
                    await self._settle(sortie)
            except LeftOut as exc:
                await self._pass_over(sortie, str(exc))
            except FlightError as exc:
                self.report.is_link_lost = isinstance(exc, LinkLost)
                self._fail(str(exc), drops_out=True)
                await self._launcher.stand_down()
                await self._mind_fallen()
                return
            if not self._arm:
                break
            landed = self._landed
            fell = "" if landed is None else landed.fell
            if self._stop_reason or fell or (self._todo and self._todo[0] is sortie):
                is_out = landed is not None and landed.is_out
                reason = self._stop_reason or fell or self.skipped[-1].reason
                self._fail(reason, drops_out=is_out)
                return
        self._phases.to(Phase.DONE)

    async def _mind_fallen(self) -> None:
        """Keep the pump off of a drone that lies armed, as long as others fly."""
        run, relief = self._landed, self._relief
        while run is not None and run.fell and run.is_in_air and relief and relief.is_busy:
            await asyncio.sleep(LOOK_S)

    def _require_hours(self, sortie: Sortie, in_s: float = 0.0) -> None:
        """Let no sortie go on whose hours are over, or too far off to wait for."""
        reason = self._hours.refusal(sortie, in_s)
        if reason:
            raise OutOfHours(reason)

    async def _pass_over(self, sortie: Sortie, reason: str) -> None:
        """Leave a sortie out and go on with the next; what was due on the pad is due then."""
        self._sortie_run = None
        await self._launcher.stand_down()
        self._skip(
            Skipped(spot_id=spot_id, sortie_id=sortie.id, reason=reason)
            for spot_id in sortie.spot_ids
        )
        self._told.sortie(sortie, "failed", reason)
        self._phases.to(Phase.WAITING)
        log.warning("sortie left out", extra={"sortie_id": sortie.id, "reason": reason})
        self._todo.remove(sortie)
        self._pass_gate()

    async def _is_given_more(self) -> bool:
        """Whether another drone's rest is to be flown, when all of its own is."""
        if self._relief is None or not self._arm or self.is_stopped:
            return False
        self._is_idle, self._note = True, "has flown all; stands by for the others"
        try:
            return await self._relief.more_for(self)
        finally:
            self._is_idle, self._note = False, ""

    def _hand_over(self, reason: str, run: SortieRun | None) -> bool:
        """Have the others fly what is left; False where nobody does."""
        if self._relief is None or not self._arm or self.is_stopped:
            return False
        legs: list[Pass] = []
        for sortie in self._todo:
            is_begun = run is not None and run.is_committed and run.job.sortie is sortie
            legs += run.rest() if run and is_begun else rest_passes(sortie, {}, self.skip)
        if not self._relief.take_over(self, reason, legs, self._traffic.fallen):
            return False
        self.report.num_sorties -= len(self._todo)
        return True

    async def _next(self) -> Sortie | None:
        """The next sortie, once nobody holds the drone; None where it was changed meanwhile."""
        await self._let_go(Phase.WAITING, Phase.WAITING)
        sortie = self._todo[0]
        if not self.skip.intersection(sortie.spot_ids):
            return sortie
        passes = rest_passes(sortie, {}, self.skip)
        self._replace(sortie, passes)
        return None

    async def _let_go(self, held: Phase, free: Phase) -> None:
        """Wait on the ground as long as someone wants the drone to stay."""
        until_s = now_s() + HELD_MOST_S
        while self.halts:
            if OPERATOR not in self.halts and now_s() >= until_s:
                raise self._refusal(f"held on the ground for {HELD_MOST_S:g} s: {self.halts.text}")
            if OPERATOR in self.halts and (self._desk is None or not self._desk.is_open):
                raise self._refusal(f"{self.halts.text}; nobody is left to tell it to go on")
            self._phases.to(held)
            self._pass_gate()
            self._note = self.halts.text
            await asyncio.sleep(LOOK_S)
        self._phases.to(free)
        self._note = ""

    def _refusal(self, text: str) -> VehicleRefused:
        return VehicleRefused(f"{self.drone.id}: {text}", sysid=self.drone.sysid)

    def _replace(self, sortie: Sortie, passes: tuple[Pass, ...]) -> None:
        """Put what is left of a sortie in its place; what cannot be flown is told as skipped."""
        self._todo.remove(sortie)
        if not passes:
            return
        self._num_rests += 1
        power = self._watch.state.power
        standing = Standing(
            battery_frac=1.0 if power is None or power.frac is None else power.frac,
            agent_id=self._agent_id or "",
            num_flown=self.report.num_flown,
        )
        plan = replace(self._plans.get(sortie.id, self._plan), start=self._plan.start)
        rest = rest_of_sortie(
            plan, sortie, passes, standing, number=self._num_rests, now_s=self._gate.passed_s
        )
        self._take(sortie, rest)

    def _take(self, sortie: Sortie, rest: Rest) -> None:
        self._num_rests += max(0, len(rest.sorties) - 1)
        for new in rest.sorties:
            self._plans[new.id] = rest.plan
            self._missions[new.id] = rest.missions[new.id]
        if rest.sorties:
            named = ", ".join(new.id for new in rest.sorties)
            self._log.event(
                "replan",
                reason=f"{self.drone.id} flies what {sortie.id} left: {named}",
                rest_of=sortie.id,
                plan=rest_to_dict(rest.plan),
            )
        self._todo[:0] = rest.sorties
        self.report.num_sorties += len(rest.sorties)
        self._num_passes += sum(len(new.passes) for new in rest.sorties)
        self._skip(
            Skipped(spot_id=spot_id, sortie_id=sortie.id, reason=reason)
            for spot_id, reason in rest.left.items()
        )

    async def _service(self, sortie: Sortie) -> None:
        """Fill, refill and swap on the pad, as the plan says; never one agent onto another.

        Where the policy says so, the battery is swapped while the tank is filled.
        """
        load = self._load(sortie)
        if load is not None and self._owes_swap and self._plan.site.policy.is_swap_in_refill:
            self._phases.to(Phase.REFILLING)
            await self._refill_and_swap(sortie, replace(load, is_with_swap=True))
            return
        self._tank = Tank(litres_l=self._tank.litres_l)
        if load is not None:
            self._phases.to(Phase.REFILLING)
            await self._refill(sortie, load)
        if self._owes_swap:
            self._phases.to(Phase.SWAPPING)
            await self._swap()

    async def _refill(self, sortie: Sortie, load: Load) -> None:
        """Have the load poured in; the tank then holds it, and what it held before."""
        started_s, held_l = now_s(), self._tank.litres_l
        await self._crew.refill(self.drone.id, load)
        kind = "refill" if self._agent_id else "fill"
        self._told.service(kind, load.litres_l, now_s() - started_s)
        held_l = load.litres_l + (0.0 if load.into_empty or load.is_level else held_l)
        self._agent_id, self._is_level_known = sortie.agent_id, True
        if load.into_empty or load.is_level:
            self._looks.level_known()
        self._tank = Tank(litres_l=held_l)

    async def _refill_and_swap(self, sortie: Sortie, load: Load) -> None:
        """Both at the same time; where one fails, the other is not waited for."""
        both = [asyncio.create_task(self._refill(sortie, load)), asyncio.create_task(self._swap())]
        try:
            await asyncio.gather(*both)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _swap(self) -> None:
        """Have the battery swapped."""
        started_s = now_s()
        await self._crew.swap(self.drone.id)
        self._told.service("swap", 0.0, now_s() - started_s)
        self._owes_swap = False

    def _wanted_l(self, sortie: Sortie) -> float:
        """What the tank is to hold at take-off; a plan that does not say wants it full."""
        return sortie.carried_l or self.drone.model.sprayer.tank_l

    def _load(self, sortie: Sortie) -> Load | None:
        """What to pour in before a sortie: all of it into a rinsed tank for another agent."""
        agent = next((a.name for a in self._plan.site.agents if a.id == sortie.agent_id), None)
        agent = agent or sortie.agent_id
        if sortie.agent_id != self._agent_id:
            return Load(litres_l=self._wanted_l(sortie), agent=agent, into_empty=True)
        if not self._is_level_known:
            return Load(litres_l=self._wanted_l(sortie), agent=agent, is_level=True)
        missing_l = self._wanted_l(sortie) - self._tank.litres_l
        if not sortie.refill_before or missing_l <= POUR_LEAST_L:
            return None
        return Load(litres_l=missing_l, agent=agent)

    async def _fly_lasting(self, sortie: Sortie) -> None:
        """One sortie; begun anew where contact breaks before the command to arm."""

        def may_repeat() -> bool:
            run = self._sortie_run
            return not self._stop_reason and (run is None or not run.is_committed)

        def on_break(alert: Alert) -> None:
            self._told.alert(alert)
            is_back = alert.code == "link_back"
            self._note = "" if is_back else "waits for its link"
            self._phases.to(Phase.WAITING)

        async def attempt() -> None:
            if self._sortie_run is not None:  # of an attempt that broke off, maybe in AUTO
                await self._launcher.stand_down()
            await self._fly(sortie)

        self._sortie_run = None
        await until_done(
            attempt,
            self._peer,
            name=self.drone.id,
            may_repeat=may_repeat,
            on_break=on_break,
            patience_s=self._patience_s,
        )

    async def _fly(self, sortie: Sortie) -> None:
        """One sortie, from preparing to the drone disarmed on the ground."""
        run = self._begun(sortie)
        await run.prepare(arm=self._arm)
        self.report.num_verified += 1
        if not self._arm:
            return
        self._pass_gate()
        start_s = await self._gate.opened()
        await asyncio.sleep(max(0.0, start_s + sortie.start_s - now_s()))

        async def work() -> None:
            await self._ready(run)
            await run.launch()

        await self._see_home(run, work)

    def _begun(self, sortie: Sortie) -> SortieRun:
        """The run of a sortie, which is the one under way from now on."""
        run = SortieRun(
            Job(
                plan=self._plans.get(sortie.id, self._plan),
                drone=self.drone,
                sortie=sortie,
                mission=self._missions[sortie.id],
            ),
            self._tank,
            self._limits,
            peer=self._peer,
            watch=self._watch,
            launcher=self._launcher,
            phases=self._phases,
            told=self._told,
            halts=self.halts,
            skip=self.skip,
        )
        self._sortie_run = run
        return run

    async def _see_home(self, run: SortieRun, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work that brings it into the air, and see it down and safe."""
        stop_observing = self._watch.observe(run.on_message)
        try:
            await work()
            await run.see_home()
        finally:
            if not run.fell:  # its pump is minded until it is safe
                stop_observing()
            self._count(run)
            self._landed = run
            if run.fell:
                self._traffic.lies(self.drone.id, self._watch.state.local(self._plan.site.origin))
            elif not run.is_in_air:
                self._traffic.is_down(self.drone.id)
        self._note = run.note
        await run.close()
        if run.fell:
            self._traffic.lies(self.drone.id, self._watch.state.local(self._plan.site.origin))
        await self._look_into_tank(run)
        self._unflown = run.left_over()
        self._sortie_run = None

    async def _look_into_tank(self, run: SortieRun) -> None:
        """Have the crew say what is left, and take it for the truth."""
        if run.took_off_s is None or run.fell:
            return
        self._note = "the crew looks into its tank"
        run.look, unsure = await self._looks.after(run.job.sortie, self._tank)
        if run.look.found_l is not None:
            self._tank = Tank(litres_l=run.look.found_l)
        self.report.num_landed += 1
        self.report.num_looked += run.look.found_l is not None
        why = run.look.text
        self._skip(
            Skipped(spot_id=spot_id, sortie_id=sortie.id, reason=why)
            for sortie in unsure
            for spot_id in sortie.spot_ids
        )
        self._note = run.note

    async def _settle(self, sortie: Sortie) -> None:
        """After a landing: what was left dry is flown anew, or named."""
        run, unflown = self._landed, self._unflown
        if run is None:
            return
        passes = run.rest()
        if passes and await self._is_flown_anew(run):
            self._replace(sortie, passes)
            self.report.num_flown += 1
            return
        named = {one.spot_id for one in unflown}
        why = run.home_reason or "sprayed in part: the pump was seen off"
        dry = [p.spot_id for p in passes if p.spot_id not in named]
        unflown += tuple(
            Skipped(spot_id=spot_id, sortie_id=sortie.id, reason=why)
            for spot_id in dict.fromkeys(dry)
        )
        self._skip(one for one in unflown if one.spot_id not in self.skip)
        if not run.is_unfinished:
            self._todo.remove(sortie)
            self.report.num_flown += 1

    async def _is_flown_anew(self, run: SortieRun) -> bool:
        """Whether the rest of a sortie is to be flown; a person is asked where there is one."""
        if self._stop_reason or self.halts.is_stopped or self._num_rests >= RESTS_MOST:
            return False
        is_sound = not run.is_disproved
        if is_sound and (run.goes_on or (run.is_cut_on_purpose and not run.home_reason)):
            return True
        desk = self._desk
        if desk is None or not desk.is_open or not run.is_unfinished:
            return False
        own, until_s = self.drone.id, now_s() + TOLD_MOST_S
        self._phases.to(Phase.WAITING)
        self._note = f"waits to be told: c {own} flies the rest, h {own} leaves it"
        self._told.alert(Alert(severity=Severity.WARNING, code="waits", text=self._note))
        self._is_waiting, self._told_on = True, ""
        while desk.is_open and not self._told_on and not self._stop_reason and now_s() < until_s:
            await asyncio.sleep(LOOK_S)
        self._is_waiting = False
        return self._told_on == "continue" and not self._stop_reason

    async def _ready(self, run: SortieRun) -> None:
        """Clear air, and the vehicle ready; getting ready may take so long that the air is not."""

        def on_wait(reason: str) -> None:
            self._phases.to(Phase.STANDING_BY if reason else Phase.VERIFIED)
            self._note = f"waits to take off: {reason}" if reason else ""
            if reason:
                self._told.sortie(run.job.sortie, "waiting", reason)

        while True:
            await self._let_go(Phase.STANDING_BY, Phase.VERIFIED)
            await self._in_hours(run.job.sortie, on_wait)
            self._traffic.require_way(self.drone.id, run.job.sortie)
            await self._traffic.cleared(
                self.drone.id,
                run.job.sortie,
                flight_timeout_s(run.job.sortie),
                is_on_plan=lambda: run.is_on_plan,
                on_wait=on_wait,
            )
            await run.ready()
            is_clear = self._traffic.is_clear_now(self.drone.id, run.job.sortie)
            if is_clear and not self.halts and not self._hours.wait_s(run.job.sortie):
                return
            await self._launcher.stand_down()

    async def _in_hours(self, sortie: Sortie, on_wait: Callable[[str], None]) -> None:
        """Wait on the pad until the sortie's hours begin."""
        if not self._hours.wait_s(sortie):
            return
        self._traffic.is_down(self.drone.id)
        on_wait(f"for its hours, {self._hours.words(sortie)}")
        while wait_s := self._hours.wait_s(sortie):
            self._require_hours(sortie)
            await asyncio.sleep(min(max(wait_s, TICK_S), HOURS_LOOK_S))
        on_wait("")

    def _count(self, run: SortieRun) -> None:
        """Add what was sprayed and flown, however it ended."""
        self._tank = run.oversight.tank
        self.report.litres_l += self._tank.sprayed_l
        self.report.num_passes += run.oversight.passes.num_ended
        if run.took_off_s is not None:
            self.report.flight_s += now_s() - run.took_off_s

    def _fail(self, reason: str, *, drops_out: bool = False) -> None:
        """End the drone's day; others fly what it leaves where it drops out, else that is named.

        What it had named already when it landed counts as left only where nobody flies it.
        """
        run, self._sortie_run = self._sortie_run, None
        begun = run or self._landed
        current = (tuple(self._todo) or self.sorties[-1:])[0] if run is None else run.job.sortie
        self._last_id = current.id
        if not (drops_out and self._hand_over(reason, begun)):
            self._name_left(reason, run)
        else:
            mine = {sortie.id for sortie in self._todo}
            self.skipped = [one for one in self.skipped if one.sortie_id not in mine]
        self._told.sortie(current, "failed", reason)
        self._todo.clear()
        self.report.error = self._note = reason
        self._phases.to(Phase.FAILED)
        log.error("drone failed", extra={"drone_id": self.drone.id, "reason": reason})

    def _name_left(self, reason: str, run: SortieRun | None) -> None:
        """Name everything that nobody flies now."""
        told = {skipped.sortie_id for skipped in self.skipped}
        if run is not None:
            self._skip(run.unflown(reason))
            told.add(run.job.sortie.id)
        for sortie in self._todo:
            if sortie.id not in told:
                why = f"{self.drone.id} flies no more: {reason}"
                self._skip(
                    Skipped(spot_id=spot_id, sortie_id=sortie.id, reason=why)
                    for spot_id in sortie.spot_ids
                )

    def _skip(self, skipped: Iterable[Skipped]) -> None:
        for one in skipped:
            self.skipped.append(one)
            self._log.skipped(one)

    def _pass_gate(self) -> None:
        if not self._is_past_gate:
            self._is_past_gate = True
            self._gate.pass_by()

    async def _tick(self) -> None:
        """Twice a second: what ages, what is shown, whether the link is still there."""
        while True:
            if self._sortie_run is not None:
                self._sortie_run.on_tick(self._watch.state)
            self._meter.tick()
            if not self._peer.channel.is_open:
                self._watch.fail(self._lost())
            if now_s() - self._shown_s >= SHOW_S:
                self._show()
            await asyncio.sleep(TICK_S)

    def _lost(self) -> LinkLost:
        """The link's end, in words."""
        is_up = self._phases.now.is_airborne
        held = "; in the air the mission's own interlock holds" if is_up else ""
        where = describe(self._watch.state, now_s())
        reason = self._peer.channel.closed_reason
        return LinkLost(f"{self.drone.id}: link lost ({reason}){held}; last seen {where}")

    async def _keep_streams(self) -> None:
        with suppress(FlightError):
            await driver.keep_streams(self._peer)

    def _left_s(self) -> float:
        """Until the drone's last landing, as planned, from its last take-off on."""
        if not self.sorties or self.phase in (Phase.DONE, Phase.FAILED):
            return 0.0
        if not self._todo:
            return 0.0
        end_s = self._todo[-1].start_s + self._todo[-1].duration_s
        run = self._sortie_run
        if run is None or run.took_off_s is None:
            return end_s - self._todo[0].start_s
        return max(0.0, end_s - run.job.sortie.start_s - (now_s() - run.took_off_s))

    def _show(self) -> None:
        """Hand the newest view to the display."""
        self._shown_s = now_s()
        power, run = self._watch.state.power, self._sortie_run
        if run is self._landed:  # it is counted
            run = None
        passes = None if run is None else run.oversight.passes
        tank = self._tank if run is None else run.oversight.tank
        self._log.display.show(
            DroneView(
                drone_id=self.drone.id,
                phase=str(self.phase),
                spot_id="" if passes is None else passes.spot_id or "",
                num_passes=self._num_passes,
                num_passes_done=self.report.num_passes + (passes.num_ended if passes else 0),
                litres_l=self.report.litres_l + (tank.sprayed_l if run else 0.0),
                tank_l=tank.litres_l,
                battery_frac=None if power is None else power.frac,
                left_s=self._left_s(),
                note=self._note,
                uploaded_frac=None if run is None else run.uploaded_frac,
                link=self._meter.text,
            )
        )
