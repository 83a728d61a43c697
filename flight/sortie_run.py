"""One sortie of one drone, from its parameters to the drone disarmed on the ground.

A drone arms only if what it holds was read back and is the compiled mission, asked again right
before arming; whatever goes wrong in the air ends with the drone on its mission's own way home,
pump off first; a pilot's mode is never fought.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from skymist.flight import driver
from skymist.flight.clock import now_s
from skymist.flight.errors import FlightError, VehicleRefused, VehicleSilent
from skymist.flight.messages import Heartbeat, MissionCurrent, ServoOutput
from skymist.flight.monitor import Alert, Severity
from skymist.flight.oversight import Job, Oversight
from skymist.flight.phases import Phase, Phases, has_landed, phase_in_air
from skymist.flight.telling import Skipped

if TYPE_CHECKING:
    from skymist.coverage.plan import Sortie
    from skymist.flight.channel import Peer
    from skymist.flight.launch import Launcher
    from skymist.flight.monitor import Limits, Tank
    from skymist.flight.telemetry import VehicleState
    from skymist.flight.telling import DroneLog
    from skymist.flight.watch import Watch

PILOT_S = 3600.0
"""How long a drone in its pilot's hands is waited for."""
HOME_S = 300.0
"""On top of the sortie's own duration, for the way home after it was asked for."""
ASK_AGAIN_S = 1.0
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
    ) -> None:
        self.job, self.home_reason, self.note = job, "", ""
        self.took_off_s: float | None = None
        self.is_committed = False
        self._was_airborne, self._is_called = False, False
        self._peer, self._watch, self._launcher = peer, watch, launcher
        self._phases, self._told, self._limits = phases, told, limits
        self.oversight = Oversight(job, told, tank, limits, send=peer.send, ask_home=self.ask_home)

    def ask_home(self, reason: str) -> None:
        """Have the drone come home as soon as that may be asked of it; the first reason stays."""
        if not self.home_reason:
            self.home_reason = reason
            self._watch.poke()

    async def prepare(self, *, arm: bool) -> None:
        """Parameters, upload, and read-back; with `arm` as a part of the whole preflight."""
        sortie, mission = self.job.sortie, self.job.mission
        self._phases.to(Phase.PREPARING)
        self._told.sortie(sortie, "preparing")
        for text in await self._launcher.prepare(mission):
            self._told.alert(Alert(severity=Severity.WARNING, code="parameters", text=text))
        self._phases.to(Phase.UPLOADING)
        self._told.sortie(sortie, "uploading", f"{len(mission.items)} items")
        await self._launcher.upload(mission)
        if arm:
            for text in await self._launcher.check(
                mission, self.job.drone, battery_min_frac=self._battery_min_frac()
            ):
                self._told.alert(Alert(severity=Severity.WARNING, code="preflight", text=text))
        else:
            await self._launcher.require_same(mission)
        self._phases.to(Phase.VERIFIED)
        held = f"holds exactly the {len(mission.items)} items"
        self._told.sortie(sortie, "verified", held if arm else f"{held}; not armed (no --arm)")

    def _battery_min_frac(self) -> float:
        """What the sortie needs, above what would have it called home again."""
        return min(1.0, self.job.sortie.battery_frac + self._limits.come_home_frac)

    async def launch(self) -> None:
        """AUTO, the vehicle's own checks, the mission once more, arm, start."""
        await self._launcher.ready_in_auto()
        self.is_committed = True
        await self._launcher.arm(self.job.mission)
        self._phases.to(Phase.ARMED)
        self._told.sortie(self.job.sortie, "armed")
        self.took_off_s = now_s()
        try:
            if self.home_reason:
                raise VehicleRefused(self.home_reason, sysid=self._peer.sysid)
            await self._launcher.start()
        except FlightError:
            await self._launcher.disarm()
            raise

    async def see_home(self) -> None:
        """Wait until the drone has landed; call it home when it must come.

        Raises
        ------
        VehicleSilent
            It was not seen to land, long after it should have.
        LinkLost
            The channel closed meanwhile.
        """
        deadline_s = now_s() + flight_timeout_s(self.job.sortie)
        while not self._is_down(self._watch.state):
            if now_s() >= deadline_s:
                deadline_s = self._extended_s()
            elif self._must_call():
                if not self.oversight.is_sent_home:
                    deadline_s = now_s() + self.job.sortie.duration_s + HOME_S
                self._is_called = await self._call_home()
            else:
                with suppress(VehicleSilent):
                    await self._watch.until(
                        lambda state: self._is_down(state) or self._must_call(),
                        wanted=f"the landing of {self.job.sortie.id}",
                        timeout_s=deadline_s - now_s(),
                    )

    def _extended_s(self) -> float:
        """Until when to wait on, after a deadline has passed; raises where waiting is over."""
        took_s = now_s() - (self.took_off_s or now_s())
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
        """Ask for the mission's own way home, pump off first; False where it did not say yes."""
        if not self.oversight.is_sent_home:
            self.oversight.is_sent_home = True
            text = f"sent home: {self.home_reason}"
            self._told.alert(Alert(severity=Severity.ERROR, code="come_home", text=text))
        result = await driver.come_home(self._peer)
        if result.is_accepted:
            return True
        text = f"the order to come home: {result.outcome}"
        self._told.alert(Alert(severity=Severity.ERROR, code="come_home", text=text))
        await asyncio.sleep(ASK_AGAIN_S)
        return False

    def _must_call(self) -> bool:
        """Whether to send the drone home now; never out of its pilot's hands."""
        is_ours = self._phases.now is not Phase.PILOT
        return bool(self.home_reason) and not self._is_called and is_ours

    def _is_down(self, state: VehicleState) -> bool:
        return has_landed(state, now_s())

    async def close(self) -> tuple[Skipped, ...]:
        """After the landing: pump off, and what was not flown to its end."""
        result = await driver.spray_off(self._peer)
        if not result.is_accepted:
            text = f"DO_SPRAYER 0 after the landing: {result.outcome}"
            self._told.alert(Alert(severity=Severity.WARNING, code="spray_off", text=text))
        await self._launcher.stand_down()
        self._phases.to(Phase.LANDED)
        sprayed_l = self.oversight.tank.sprayed_l
        self._told.sortie(self.job.sortie, "landed", f"{sprayed_l:.2f} L sprayed")
        return self.unflown(self.home_reason or self._why_unfinished())

    @property
    def is_unfinished(self) -> bool:
        """Whether a pass was not flown to its end."""
        return bool(self.oversight.passes.unfinished)

    def unflown(self, reason: str) -> tuple[Skipped, ...]:
        """Spots whose passes did not all end, or whose pump had to be stopped."""
        spots = {span.spot_id: reason for span in self.oversight.passes.unfinished}
        for spot_id, why in self.oversight.stopped.items():
            spots.setdefault(spot_id, f"pump commanded off: {why}")
        return tuple(
            Skipped(spot_id=spot_id, sortie_id=self.job.sortie.id, reason=why)
            for spot_id, why in spots.items()
        )

    def _why_unfinished(self) -> str:
        """Why a drone came down early without being asked, as far as it told."""
        if not self._was_airborne:
            return "it never took off"
        since_s = self.took_off_s or now_s()
        texts = self._watch.state.texts
        bad = [text.text for text in texts if text.severity <= 4 and text.at_s >= since_s]
        said = f" ({bad[-1]})" if bad else ""
        mode = self._watch.state.mode_name
        return f"{self.note or f'it landed in {mode} before the end of its mission'}{said}"

    def on_message(self, state: VehicleState, message: object) -> None:
        """Take a message of this sortie's flight."""
        self.oversight.on_message(state, message)
        if isinstance(message, _TELLING):
            self._follow(state)

    def on_tick(self, state: VehicleState) -> None:
        """Look again although nothing came."""
        self.oversight.on_tick(state)
        self._follow(state)

    def _follow(self, state: VehicleState) -> None:
        """Enter the phase that the vehicle's own words mean."""
        now = self._phases.now
        if not (now is Phase.ARMED or now.is_airborne):
            return
        is_home = self.oversight.is_sent_home
        phase = phase_in_air(state, self.job.mission, now_s(), is_sent_home=is_home)
        if phase is None or phase is now:
            return
        if not self._was_airborne:
            self._was_airborne = True
            self._told.sortie(self.job.sortie, "flying")
        if phase is Phase.PILOT:
            self.note = f"taken over in {state.mode_name}"
            text = f"mode {state.mode_name} by the pilot or a failsafe: not fought, pump off"
            self._told.alert(Alert(severity=Severity.WARNING, code="pilot", text=text))
        self._phases.to(phase)
        self._watch.poke()
