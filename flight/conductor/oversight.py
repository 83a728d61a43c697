"""What happens around one sortie as its messages come: track, passes, alerts, and the pump.

Called synchronously for every message and twice a second in between. It decides nothing
about the flight: it writes, tells, sends DO_SPRAYER 0, and says when the drone should come home.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.conductor.passbook import PassBook, PassState
from skymist.flight.errors import LinkLost
from skymist.flight.mavlink import messages
from skymist.flight.mavlink.messages import CommandLong, CommandResult, CopterMode, VehicleCommand
from skymist.flight.mavlink.readers import MESSAGE_IDS
from skymist.flight.recording.trackbook import TrackBook
from skymist.flight.resuming.breakpoints import Breakpoints
from skymist.flight.safety.interlock import (
    Cause,
    GuardState,
    PumpGuard,
    pump_verdict,
    span_at,
    spray_ground,
)
from skymist.flight.safety.monitor import Alert, Severity, alerts_of, course_of, drained, rising

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from skymist.coverage.drones import Drone
    from skymist.coverage.plan import Plan, Sortie
    from skymist.flight.conductor.telling import DroneLog
    from skymist.flight.mavlink.telemetry import VehicleState
    from skymist.flight.safety.monitor import Limits, Tank
    from skymist.missions.items import Mission

log = logging.getLogger(__name__)

STUCK_S = 2.0
"""The pump still runs this long after it was commanded off: told as an error."""
TICK_S = 0.5
LATE_TICKS = 2.0
ALERTS_S = 1.0
SPRAY_OFF = CommandLong(command=VehicleCommand.DO_SPRAYER)
ASK_ITEM, ASK_MODE, ASK_PLACE, ASK_PUMP = (
    CommandLong(
        command=VehicleCommand.REQUEST_MESSAGE, params=(float(MESSAGE_IDS[kind]), *(0.0,) * 6)
    )
    for kind in (
        messages.MissionCurrent,
        messages.Heartbeat,
        messages.Position,
        messages.ServoOutput,
    )
)
SILENT_S, BACK_S = 2.0, 0.5
"""A drone that is heard again after so long is asked for its mode, and has so long to answer before
its pump is commanded off again for what is old. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One sortie to be flown: the drone, what was planned, what the vehicle is to hold."""

    plan: Plan
    drone: Drone
    sortie: Sortie
    mission: Mission


class Oversight:
    """Sees one sortie through; `send` is the way to the vehicle, `ask_home` the runner's ear.

    `forbidden` says why the pump may not run at all now; over the spots in `skip` it never may.
    """

    def __init__(
        self,
        job: Job,
        told: DroneLog,
        tank: Tank,
        limits: Limits,
        *,
        send: Callable[[CommandLong], None],
        ask_home: Callable[[Alert], None],
        skip: AbstractSet[str] = frozenset(),
    ) -> None:
        self.job, self.tank = job, tank
        self.forbidden = ""
        self.breaks = Breakpoints(job.sortie, job.mission, job.plan.site.origin)
        self._skip = skip
        self.guard = PumpGuard()
        self.passes = PassBook(job.mission)
        self.stopped: dict[str, str] = {}
        self.is_sent_home = self.is_weak = False
        self.causes: set[Cause] = set()
        self._told, self._limits, self._book = told, limits, TrackBook(told)
        self._send, self._ask_home = send, ask_home
        self._ground = spray_ground(job.plan, job.sortie, job.mission)
        self._course = course_of(job.plan, job.sortie)
        self._active: frozenset[str] = frozenset()
        self._alerts_s, self._ticked_s, self._late_s = 0.0, 0.0, -TICK_S
        self._heard_s, self._back_s = now_s(), -BACK_S

    def distrust(self) -> None:
        """What the vehicle holds is not the mission that was compiled: no pass of it is known.

        The pump may run nowhere then, and no pass is noted.
        """
        mission = replace(self.job.mission, spans=())
        self.job = replace(self.job, mission=mission)
        self.passes = PassBook(mission)
        self._ground = spray_ground(self.job.plan, self.job.sortie, mission)

    def on_message(self, state: VehicleState, message: object) -> None:
        """Take a message that has just been folded into `state`."""
        self._ask_when_back(state)
        match message:
            case messages.Position():
                self._book.place(self.job, state, self.tank)
                self._mind_pump(state)
            case messages.ServoOutput():
                flow_max_lps = self.job.drone.model.sprayer.flow_max_lps
                self.tank = drained(self.tank, state, flow_max_lps)
                if self.tank.is_empty:
                    self.breaks.cut()
                self._book.pump(state, self.tank)
                self._see(state)
                self._mind_pump(state)
                self._ask_item(state)
            case messages.MissionCurrent():
                self._note_passes(state)
                self._mind_pump(state)
            case messages.Heartbeat():
                self._see(state)
                self._mind_pump(state)
            case messages.CommandAck(command=VehicleCommand.DO_SPRAYER):
                if message.result == CommandResult.ACCEPTED:
                    self.guard.accepted(now_s())

    def _see(self, state: VehicleState) -> None:
        """How far the pass is; what a silence hid of it is told and counted when it is known."""
        self.breaks.see(state)
        while self.breaks.unseen:
            unseen = self.breaks.unseen.pop(0)
            more_l = self._book.fill(self.job, unseen, tank_l=self.tank.litres_l)
            more_l = min(more_l, self.tank.litres_l)
            self.tank = replace(
                self.tank,
                litres_l=self.tank.litres_l - more_l,
                sprayed_l=self.tank.sprayed_l + more_l,
            )

    def on_tick(self, state: VehicleState) -> None:
        """Look again although nothing came: evidence ages, alerts rise and clear.

        A program that was itself held up knows nothing of the vehicle's silence: what waits in
        its inbox is read first, and the next tick judges.
        """
        at_s, before_s = now_s(), self._ticked_s
        self._ticked_s = at_s
        if at_s - before_s > LATE_TICKS * TICK_S:
            self._late_s = at_s
            return
        self._mind_pump(state)
        if at_s - self._alerts_s < ALERTS_S:
            return
        self._alerts_s = at_s
        alerts = alerts_of(state, self.tank, self._limits, at_s, course=self._course)
        alerts += self._stuck(state, at_s) + self._off_height(state)
        for alert in rising(self._active, alerts):
            self._told.alert(alert)
            if alert.must_come_home:
                self.is_weak = self.is_weak or alert.code == "battery_critical"
                self._ask_home(alert)
        if "link_silent" in self._active and not any(a.code == "link_silent" for a in alerts):
            self._told.alert(Alert(severity=Severity.INFO, code="link_back", text="heard again"))
        self._active = frozenset(alert.code for alert in alerts)

    def _stuck(self, state: VehicleState, at_s: float) -> tuple[Alert, ...]:
        """The alert of a pump that is heard to run although the vehicle took the command."""
        pump, guard = state.pump, self.guard
        if guard.state is not GuardState.STOPPING or pump is None or not pump.is_on:
            return ()
        if not guard.is_accepted or pump.at_s - guard.accepted_s <= STUCK_S:
            return ()
        text = f"the pump still runs {STUCK_S:g} s after it was commanded off"
        alert = Alert(severity=Severity.ERROR, code="pump_stuck", text=text, must_come_home=True)
        return (alert,)

    def _off_height(self, state: VehicleState) -> tuple[Alert, ...]:
        """The alert of a drone that is not as high as its pass is planned: one that fell."""
        place, progress = state.position, state.progress
        if place is None or progress is None or not (state.is_auto and state.is_armed):
            return ()
        found = span_at(self.job.mission, progress.seq)
        if found is None or self._ground.is_at_height(found[0], state):
            return ()
        meant_m = self._ground.above_home_m[found[0]]
        text = f"at {place.above_home_m:.1f} m where {meant_m:.1f} m are planned; did it fall?"
        return (Alert(severity=Severity.ERROR, code="off_height", text=text),)

    def _mind_pump(self, state: VehicleState) -> None:
        """Send DO_SPRAYER 0 as long as the interlock asks for it."""
        at_s = now_s()
        verdict = pump_verdict(
            state, self.job.mission, self._ground, at_s, forbidden=self._why_forbidden(state)
        )
        is_answering = at_s - self._back_s < BACK_S
        if verdict.cause is Cause.STALE and (is_answering or self._is_late(at_s)):
            return
        was, was_for = self.guard.state, self.guard.cause
        if not self.guard.step(verdict, state, at_s):
            return
        if verdict.cause is Cause.STALE:
            self.breaks.doubt(at_s)
        else:
            self.breaks.cut()
        if verdict.cause is not None and not self._is_just_homeward(state):
            self.causes.add(verdict.cause)
        with suppress(LinkLost):
            if verdict.cause is Cause.STALE:  # how far it sprayed, should this be the one to arrive
                self._send(ASK_PLACE)
                self._send(ASK_PUMP)
            self._send(SPRAY_OFF)
        if was is not GuardState.STOPPING or was_for is not verdict.cause:
            spot_id = self.passes.spot_id
            if spot_id is not None:
                self.stopped[spot_id] = verdict.reason
            self._told.event("pump", commanded=False, reason=verdict.reason)

    def _ask_when_back(self, state: VehicleState) -> None:
        """Ask for mode and item where a silence has just ended: they come once a second else."""
        at_s = now_s()
        if at_s - self._heard_s > SILENT_S:
            self._back_s = at_s
        self._heard_s = at_s
        if at_s - self._back_s >= BACK_S or not state.is_armed:
            return
        asks = ((state.heart, ASK_MODE), (state.progress, ASK_ITEM))
        with suppress(LinkLost):
            for known, order in asks:
                if known is None or known.at_s < self._back_s:
                    self._send(order)

    def _is_just_homeward(self, state: VehicleState) -> bool:
        """Whether it left AUTO for its mission's own way home with every pass behind it.

        A failsafe of a bad link does that; nothing of its work was broken off.
        """
        mode = None if state.heart is None else state.heart.mode
        return mode is CopterMode.AUTO_RTL and not self.passes.unfinished and not self.is_weak

    def _ask_item(self, state: VehicleState) -> None:
        """Ask which item is flown where a pump that just started does not fit the last one heard.

        It comes by itself only once a second, and until then a pass may have begun.
        """
        pump, progress = state.pump, state.progress
        if pump is None or progress is None or not (pump.is_on and state.is_auto):
            return
        is_news = progress.at_s > pump.on_since_s
        if not is_news and span_at(self.job.mission, progress.seq) is None:
            with suppress(LinkLost):
                self._send(ASK_ITEM)

    def forbid(self, reason: str, state: VehicleState) -> None:
        """Pump off now and until this is called with an empty reason."""
        self.forbidden = reason
        self._mind_pump(state)

    def _why_forbidden(self, state: VehicleState) -> str:
        if self.forbidden or not self._skip or state.progress is None:
            return self.forbidden
        found = span_at(self.job.mission, state.progress.seq)
        if found is None or found[1].spot_id not in self._skip:
            return ""
        return f"{found[1].spot_id} is to be skipped"

    def done_fracs(self) -> dict[int, float]:
        """Share of each pass of the sortie that needs no more, by its number in the sortie."""
        ended = self.passes.ended
        return {
            span.pass_index: self.breaks.done_frac(index, is_ended=index in ended)
            for index, span in enumerate(self.job.mission.spans)
        }

    def _is_late(self, at_s: float) -> bool:
        """Whether this program was held up: what it has not heard may wait in its inbox."""
        is_held_up = self._ticked_s > 0.0 and at_s - self._ticked_s > LATE_TICKS * TICK_S
        return is_held_up or at_s - self._late_s < TICK_S

    def _note_passes(self, state: VehicleState) -> None:
        for event in self.passes.update(state, is_sent_home=self.is_sent_home):
            self._told.event(
                "pass",
                sortie_id=self.job.sortie.id,
                spot_id=event.span.spot_id,
                pass_index=event.span.pass_index,
                state=str(event.state),
            )
            if event.state is PassState.ENDED:
                log.debug("pass ended", extra={"spot_id": event.span.spot_id})
