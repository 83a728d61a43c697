"""One sortie of one drone, from its parameters to the drone disarmed on the ground.

A drone arms only if what it holds was read back and is the compiled mission, asked again right
before arming. From the command to arm on it is seen home, whatever is answered: it counts as armed
until it says otherwise. Whatever goes wrong in the air ends with the drone on its mission's own way
home, pump off first; a pilot's mode is never fought.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.conductor.halt import AirHalt, Halts, release
from skymist.flight.conductor.oversight import Job, Oversight
from skymist.flight.conductor.phases import (
    AIRBORNE_M,
    LOST_S,
    Phase,
    Phases,
    has_landed,
    phase_in_air,
)
from skymist.flight.conductor.telling import Skipped
from skymist.flight.errors import (
    FlightError,
    LinkLost,
    VehicleFell,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.mavlink.messages import Heartbeat, MissionCurrent, ServoOutput
from skymist.flight.mavlink.telemetry import is_fenced, is_fresh
from skymist.flight.protocols import driver
from skymist.flight.protocols.verify import uploaded_frac
from skymist.flight.resuming.rests import rest_passes
from skymist.flight.safety.falls import FallWatch
from skymist.flight.safety.interlock import Cause
from skymist.flight.safety.monitor import Alert, Severity

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from collections.abc import Set as AbstractSet

    from skymist.coverage.plan import Pass, Sortie
    from skymist.flight.conductor.launch import Launcher
    from skymist.flight.conductor.telling import DroneLog
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.telemetry import VehicleState
    from skymist.flight.mavlink.watch import Watch
    from skymist.flight.protocols.mission_transfer import Progress
    from skymist.flight.protocols.parameters import ParameterReport
    from skymist.flight.resuming.tank_look import Look
    from skymist.flight.safety.monitor import Limits, Tank

PILOT_S = 3600.0
"""How long a drone in its pilot's hands is waited for."""
HOME_S = 300.0
"""On top of the sortie's own duration, for the way home after it was asked for."""
ASK_AGAIN_S = 1.0
SURE_BEATS = 3
"""So many heartbeats must say disarmed after a command to arm that was not seen to work."""
STILL_S = 60.0
_TELLING = (Heartbeat, MissionCurrent, ServoOutput)
"""What the phase is told by; positions come between them."""


def flight_timeout_s(sortie: Sortie) -> float:
    """How long a sortie may take before its drone is called home."""
    return 2 * sortie.duration_s + 60.0


class SortieRun:
    """Flies one sortie; `prepare`, then `launch`, `see_home` and `close`, in this order."""

    def __init__(
        self,
        job: Job,
        tank: Tank,
        limits: Limits,
        *,
        peer: Peer,
        watch: Watch,
        launcher: Launcher,
        phases: Phases,
        told: DroneLog,
        halts: Halts | None = None,
        skip: AbstractSet[str] = frozenset(),
    ) -> None:
        self.job, self.home_reason, self.note = job, "", ""
        self.uploaded_frac: float | None = None
        self.goes_on, self._is_told_home = False, False
        self.took_off_s: float | None = None
        self.is_committed = False
        self._was_airborne, self._is_called = False, False
        self._failure: FlightError | None = None
        self._ordered_s, self._num_disarmed, self._is_ordering = 0.0, 0, False
        self._num_breaks = -1
        self.look: Look | None = None
        self.fell = ""
        self._falls, self._landed_in = FallWatch(job.plan, job.sortie), ""
        self._peer, self._watch, self._launcher = peer, watch, launcher
        self._phases, self._told, self._limits = phases, told, limits
        self._halts = Halts() if halts is None else halts
        self._skip = skip
        self.halt = AirHalt(self._halts, peer, told, self._may_go_on)
        self.oversight = Oversight(
            job,
            told,
            tank,
            limits,
            send=peer.send,
            ask_home=lambda alert: self.ask_home(alert.text, goes_on=alert.is_mended_on_pad),
            skip=skip,
        )

    def ask_home(self, reason: str, *, goes_on: bool = False, is_told: bool = False) -> None:
        """Have the drone come home as soon as that may be asked of it; the first reason stays.

        `goes_on` says that its rest is flown after the usual service; `is_told` that a person
        said so, which counts even for a drone in its pilot's hands, and asks anew.
        """
        if is_told:
            self._is_told_home, self._is_called = True, False
        if not self.home_reason:
            self.home_reason, self.goes_on = reason, goes_on
        self._watch.poke()

    def brake(self) -> None:
        """Everything is to stop where it is; whatever was asked before counts no more."""
        self._is_told_home, self._is_called = False, True
        self.ask_home("everything was stopped")
        self.mind_halts()

    def mind_halts(self) -> None:
        """Someone wants the drone to stand still, or no more: the pump obeys at once."""
        reason = "everything was stopped" if self._halts.is_stopped else self._halts.text
        if self.is_committed:
            self.oversight.forbid(reason, self._watch.state)
        self._watch.poke()

    async def prepare(self, *, arm: bool) -> None:
        """Parameters, upload, and read-back; with `arm` as a part of the whole preflight."""
        sortie, mission = self.job.sortie, self.job.mission
        self._phases.to(Phase.PREPARING)
        self._told.sortie(sortie, "preparing")
        self._tell_parameters(await self._launcher.prepare(mission))
        self._phases.to(Phase.UPLOADING)
        self._told.sortie(sortie, "uploading", f"{len(mission.items)} items")
        try:
            await self._launcher.upload(mission, self._note_upload)
        finally:
            self.uploaded_frac = None
        found = await self._launcher.check(
            mission, self.job.drone, battery_min_frac=self._battery_min_frac()
        )
        for finding in found.findings:
            severity = Severity.ERROR if finding.is_blocking else Severity.WARNING
            self._told.alert(Alert(severity=severity, code="preflight", text=finding.text))
        blocking = [finding.text for finding in found.findings if finding.is_blocking]
        if arm and blocking:
            text = f"{self.job.drone.id}: not fit to fly: {'; '.join(blocking)}"
            raise VehicleRefused(text, sysid=self._peer.sysid)
        self._phases.to(Phase.VERIFIED)
        held = f"holds exactly the {len(mission.items)} items"
        if not arm:
            held += "; not armed (no --arm)"
        if blocking:
            held += f"; not fit to fly: {'; '.join(blocking)}"
        self._told.sortie(sortie, "verified", held)

    def _tell_parameters(self, report: ParameterReport) -> None:
        """What the vehicle has not, and what was changed on it for good."""
        for name in report.missing:
            text = f"the vehicle has no parameter for {name}"
            self._told.alert(Alert(severity=Severity.WARNING, code="parameters", text=text))
        changed = [
            f"{name} {before:g} -> {report.after[name]:g}"
            for name, before in report.before.items()
            if report.after.get(name, before) != before
        ]
        if changed:
            text = f"set on the vehicle: {', '.join(changed)}"
            self._told.alert(Alert(severity=Severity.INFO, code="parameters_set", text=text))

    def _battery_min_frac(self) -> float:
        """What the sortie needs, above what would have it called home again."""
        return min(1.0, self.job.sortie.battery_frac + self._limits.come_home_frac)

    async def ready(self) -> None:
        """AUTO, the vehicle's own checks in it, and everything else once more."""
        self._num_breaks = self._peer.num_breaks
        await self._launcher.ready_in_auto()
        await self._launcher.check_again(self.job.mission)
        power, least_frac = self._watch.state.power, self._battery_min_frac()
        if power is not None and power.frac is not None and power.frac < least_frac:
            own, has = self.job.drone.id, power.frac
            text = f"{own}: wanted its battery at {least_frac:.0%}, found it at {has:.0%}"
            raise VehicleRefused(text, sysid=self._peer.sysid)

    async def launch(self) -> None:
        """Arm and start; whatever is answered, the drone is to be seen home from here on.

        Raises
        ------
        VehicleRefused
            It was to come home before the command to arm went out: none has.
        VehicleSilent
            Contact was lost since the last checks: none has gone out either.
        LinkLost
            The channel closed.
        """
        if self.home_reason:
            raise VehicleRefused(self.home_reason, sysid=self._peer.sysid)
        if not self._is_unbroken():
            text = f"{self.job.drone.id}: contact was lost since the last checks; not armed"
            raise VehicleSilent(text, sysid=self._peer.sysid)
        self.is_committed, self._is_ordering, self._ordered_s = True, True, now_s()
        self._phases.to(Phase.ARMED)
        try:
            await self._launcher.arm(lambda: not self.home_reason and self._is_unbroken())
            self._note_armed()
            if not self.home_reason:
                await self._launcher.start()
        except LinkLost:
            raise
        except FlightError as exc:
            self._failure = exc
            self.ask_home(str(exc))
        finally:
            self._is_ordering = False

    def take_up(self, passes_ended: frozenset[int]) -> None:
        """Begin amid a flight that an earlier run of the program began: see it home from here on.

        `passes_ended` are those that it saw end, by their index in the sortie.
        """
        self.oversight.passes.take_up(passes_ended)
        self.is_committed, self._was_airborne, self._ordered_s = True, True, now_s()
        self._phases.to(Phase.ARMED)
        self.took_off_s = now_s()

    def _note_upload(self, progress: Progress) -> None:
        """How much of all lists together the vehicle has taken."""
        self.uploaded_frac = uploaded_frac(self.job.mission, progress.kind, progress.num_done)

    def _is_unbroken(self) -> bool:
        """Whether the vehicle that was checked was in contact ever since."""
        return self._peer.is_in_contact and self._peer.num_breaks == self._num_breaks

    def _note_armed(self) -> None:
        """The drone was seen armed for the first time since the command."""
        if self.took_off_s is None:
            self.took_off_s = now_s()
            self._told.sortie(self.job.sortie, "armed")

    async def see_home(self) -> None:
        """Wait until the drone has landed; call it home when it must come.

        Raises
        ------
        VehicleSilent
            It was not seen to land, long after it should have.
        LinkLost
            The channel closed meanwhile.
        VehicleFell
            It lies armed where it does not belong.
        FlightError
            It stands on its pad, since arming or starting failed.
        """
        deadline_s = now_s() + flight_timeout_s(self.job.sortie)
        while not self._is_down(self._watch.state):
            if self._falls.lies:
                raise await self._fallen()
            if now_s() >= deadline_s:
                deadline_s = self._extended_s()
            elif self._must_call():
                if not self.oversight.is_sent_home:
                    deadline_s = now_s() + self.job.sortie.duration_s + HOME_S
                self._is_called = await self._call_home()
            elif self._must_halt():
                deadline_s += await self._timed(self.halt.act())
            elif self.halt.is_paused:
                deadline_s += await self._timed(self._still())
            else:
                with suppress(VehicleSilent):
                    await self._watch.until(
                        lambda state: (
                            self._is_down(state)
                            or self._must_call()
                            or self._must_halt()
                            or self._falls.lies
                        ),
                        wanted=f"the landing of {self.job.sortie.id}",
                        timeout_s=deadline_s - now_s(),
                    )
        if self._failure is not None and not self._was_airborne:
            raise self._failure

    async def _fallen(self) -> VehicleFell:
        """Tell that it lies there; pump off, and motors too where the vehicle takes that.

        Never by force: what looks like a fall may be a fault of its height.
        """
        state = self._watch.state
        self.fell = f"it lies {self._falls.away_m(state):.0f} m from its pad, armed in "
        self.fell += f"{state.mode_name}: did it fall?"
        self._told.alert(Alert(severity=Severity.ERROR, code="fallen", text=self.fell))
        with suppress(FlightError):
            await driver.spray_off(self._peer)
        is_safe = await self._launcher.disarm()
        self.fell += " It was disarmed" if is_safe else " Keep away until its power is cut"
        return VehicleFell(f"{self.job.drone.id}: {self.fell}")

    async def _may_go_on(self) -> bool:
        """Whether it still holds the mission that was verified; with another it comes home."""
        try:
            differences = await self._launcher.transfers.recheck(self.job.mission)
        except LinkLost:
            raise
        except FlightError as exc:
            text = f"does not fly on, what it holds is not known: {exc}"
            self._told.alert(Alert(severity=Severity.WARNING, code="held_unknown", text=text))
            return False
        if not differences.is_same:
            self.ask_home(f"its mission was changed in the air: {differences.items[0]}")
        return differences.is_same

    async def _still(self) -> None:
        """Wait while it stands still in the air."""
        with suppress(VehicleSilent):
            await self._watch.until(
                lambda state: (
                    self._is_down(state)
                    or self._must_call()
                    or self._must_halt()
                    or self._falls.lies
                ),
                wanted="a word",
                timeout_s=STILL_S,
            )

    @staticmethod
    async def _timed(work: Coroutine[object, object, None]) -> float:
        """How long it took."""
        began_s = now_s()
        await work
        return now_s() - began_s

    def _must_halt(self) -> bool:
        """Whether the vehicle is to be told to stand still, or to fly on."""
        if self._must_call() or self._is_told_home:
            return False
        if self.home_reason and not self._halts.is_stopped:
            return False
        return self.halt.is_due(self._phases.now)

    def _extended_s(self) -> float:
        """Until when to wait on, after a deadline has passed; raises where waiting is over."""
        took_s = now_s() - self._ordered_s
        if self._phases.now is Phase.PILOT and took_s < PILOT_S:
            return now_s() + 60.0
        if self.home_reason:
            raise VehicleSilent(
                f"{self.job.sortie.id}: no landing seen in {took_s:.0f} s",
                sysid=self._peer.sysid,
                waited_s=took_s,
            )
        self.ask_home(f"not back after {took_s:.0f} s")
        return now_s() + HOME_S

    async def _call_home(self) -> bool:
        """Ask for the mission's own way home, pump off first; False where it did not say yes.

        A drone that has not left its pad is disarmed there; in the air the vehicle refuses that.
        """
        if self._is_on_pad(self._watch.state) and await self._launcher.disarm():
            return True
        if not self.oversight.is_sent_home:
            self.oversight.is_sent_home = True
            text = f"sent home: {self.home_reason}"
            self._told.alert(Alert(severity=Severity.ERROR, code="come_home", text=text))
        result = await driver.come_home(self._peer)
        if result.is_accepted:
            if self.halt.was_paused:
                await release(self._peer)
            self.halt.forget()
            return True
        text = f"the order to come home: {result.outcome}"
        self._told.alert(Alert(severity=Severity.ERROR, code="come_home", text=text))
        await asyncio.sleep(ASK_AGAIN_S)
        return False

    def _must_call(self) -> bool:
        """Whether to send the drone home now; never out of its pilot's hands."""
        if not self.home_reason or self._is_called:
            return False
        if self._phases.now is Phase.PILOT and not self._is_told_home:
            return False
        return not has_landed(self._watch.state, now_s())

    def _is_down(self, state: VehicleState) -> bool:
        """Whether it says, freshly, that its motors are off; after a failed arming several times.

        A heartbeat from before the command to arm proves nothing.
        """
        was_armed = self.took_off_s is not None
        is_sure = self._num_disarmed >= (1 if was_armed else SURE_BEATS)
        return is_sure and has_landed(state, now_s())

    def _is_on_pad(self, state: VehicleState) -> bool:
        """Whether an armed drone says, freshly, that it has not taken off."""
        heart, place = state.heart, state.position
        if self._was_airborne or heart is None or place is None:
            return False
        is_now = is_fresh(heart, now_s(), LOST_S) and is_fresh(place, now_s(), LOST_S)
        is_still = place.above_home_m < AIRBORNE_M and place.speed_mps < AIRBORNE_M
        return is_now and heart.is_armed and is_still

    async def close(self) -> None:
        """After the landing: pump off, and out of AUTO."""
        state, is_piloted = self._watch.state, self._phases.now is Phase.PILOT
        self._landed_in = state.mode_name
        if self._was_airborne:
            self.fell = self._falls.came_down(state, self._ordered_s, is_piloted=is_piloted)
        if self.fell:
            self._told.alert(Alert(severity=Severity.ERROR, code="fallen", text=self.fell))
        result = await driver.spray_off(self._peer)
        if not result.is_accepted:
            text = f"DO_SPRAYER 0 after the landing: {result.outcome}"
            self._told.alert(Alert(severity=Severity.WARNING, code="spray_off", text=text))
        await self._launcher.stand_down()
        self._phases.to(Phase.LANDED)
        sprayed_l = self.oversight.tank.sprayed_l
        self._told.sortie(self.job.sortie, "landed", f"{sprayed_l:.2f} L sprayed")

    def left_over(self) -> tuple[Skipped, ...]:
        """What was not flown to its end, with the reason as far as it is known."""
        return self.unflown(self.home_reason or self._why_unfinished())

    @property
    def is_cut_on_purpose(self) -> bool:
        """Whether passes were broken off by a pause, or for want of news from a drone that flew on.

        Then nothing is wrong with the drone, and it may fly their rest.
        """
        causes = self.oversight.causes
        return not self.is_unfinished and bool(causes) and causes <= {Cause.FORBIDDEN, Cause.STALE}

    @property
    def is_unfinished(self) -> bool:
        """Whether a pass was not flown to its end, or none is proven."""
        return bool(self.oversight.passes.unfinished) or self.is_disproved

    @property
    def is_disproved(self) -> bool:
        """Whether its tank, looked into after the landing, does not bear out what was sprayed."""
        return self.look is not None and not self.look.is_borne_out

    @property
    def is_out(self) -> bool:
        """Whether its drone is to fly no more as it is, and the others may fly its rest."""
        return self.oversight.is_weak or self.is_disproved or bool(self.fell)

    def rest(self) -> tuple[Pass, ...]:
        """What is left to spray of this sortie, from where the pump really stopped."""
        done = {} if self.is_disproved else self.oversight.done_fracs()
        return rest_passes(self.job.sortie, done, self._skip)

    def unflown(self, reason: str) -> tuple[Skipped, ...]:
        """Spots whose passes did not all end, or were left dry since the pump had to be stopped."""
        spots = {span.spot_id: reason for span in self.oversight.passes.unfinished}
        if self.look is not None and self.is_disproved:
            spots = dict.fromkeys(self.job.sortie.spot_ids, self.look.text)
        dry = {leg.spot_id for leg in self.rest()}
        for spot_id, why in self.oversight.stopped.items():
            if spot_id in dry:
                spots.setdefault(spot_id, f"pump commanded off: {why}")
        return tuple(
            Skipped(spot_id=spot_id, sortie_id=self.job.sortie.id, reason=why)
            for spot_id, why in spots.items()
        )

    def _why_unfinished(self) -> str:
        """Why a drone came down early without being asked, as far as it told."""
        if not self._was_airborne:
            return "it never took off"
        if self.fell:
            return self.fell
        since_s = self._ordered_s
        texts = self._watch.state.texts
        bad = [text.text for text in texts if text.severity <= 4 and text.at_s >= since_s]
        said = f" ({bad[-1]})" if bad else ""
        early = f"it landed in {self._landed_in} before the end of its mission"
        return f"{self.note or early}{said}"

    def on_message(self, state: VehicleState, message: object) -> None:
        """Take a message of this sortie's flight."""
        self.oversight.on_message(state, message)
        if isinstance(message, Heartbeat) and self.is_committed:
            if message.is_armed:
                self._num_disarmed = 0
                self._note_armed()
            elif not self._is_ordering or self.took_off_s is not None:
                self._num_disarmed += 1
        if isinstance(message, _TELLING):
            self._follow(state)

    def on_tick(self, state: VehicleState) -> None:
        """Look again although nothing came."""
        self.oversight.on_tick(state)
        self._follow(state)

    def _follow(self, state: VehicleState) -> None:
        """Enter the phase that the vehicle's own words mean."""
        now = self._phases.now
        is_flying = self._was_airborne and now.is_airborne and now is not Phase.PILOT
        self._falls.see(state, now_s(), is_flying=is_flying)
        if not (now is Phase.ARMED or now.is_airborne):
            return
        is_home = self.oversight.is_sent_home
        if not state.is_auto:
            self.halt.forget()
        phase = phase_in_air(
            state,
            self.job.mission,
            now_s(),
            is_sent_home=is_home,
            is_paused=self.halt.is_paused,
        )
        is_held = now is Phase.HOLDING and phase in (None, now)
        if is_held and not self._halts.is_stopped and is_fenced(state, now_s()):
            self.ask_home("its fence stopped it")
        if phase is None or phase is now:
            return
        if not self._was_airborne and phase is not Phase.LOST:
            self._was_airborne = True
            self._told.sortie(self.job.sortie, "flying")
        if phase is Phase.HOLDING:
            # Stopped on its way home it must be asked again, unless it was told to stop.
            self._is_called = self._is_called and self._halts.is_stopped
            text = "mode BRAKE: it holds where it is, pump off"
            self._told.alert(Alert(severity=Severity.WARNING, code="holding", text=text))
        if phase is Phase.PILOT:
            self.note = f"taken over in {state.mode_name}"
            text = f"mode {state.mode_name} by the pilot or a failsafe: not fought, pump off"
            self._told.alert(Alert(severity=Severity.WARNING, code="pilot", text=text))
        self._phases.to(phase)
        self._watch.poke()

    @property
    def is_in_air(self) -> bool:
        """Whether the command to arm went out, and the drone was not seen down since."""
        return self.is_committed and not self._is_down(self._watch.state)

    @property
    def is_on_plan(self) -> bool:
        """Whether it does, or is about to do, what was planned for this time."""
        if self.home_reason:
            return False
        now = self._phases.now
        if now is Phase.RETURNING:
            return not self.is_unfinished
        return now in (Phase.VERIFIED, Phase.ARMED, Phase.TRANSIT, Phase.SPRAYING, Phase.LANDED)
