"""The steps before a drone flies, each ending with the vehicle's own word.

Parameters, upload with read-back, preflight, AUTO, the vehicle's checks, everything once more,
arm, start. Every step raises a `FlightError` that names what is missing; none is passed over.
Once the command to arm is out, a drone that is not heard counts as armed.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import (
    FlightError,
    Holding,
    LinkLost,
    UploadRefused,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.mavlink.messages import CopterMode, MissionState, Position
from skymist.flight.mavlink.telemetry import is_fresh
from skymist.flight.protocols import driver
from skymist.flight.protocols.restore import put_back
from skymist.flight.safety.preflight import preflight
from skymist.flight.safety.pump import read_pump_servo
from skymist.flight.safety.readiness import FRESH_S, off_pad, unready_in_auto

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.coverage.drones import Drone
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.telemetry import VehicleState
    from skymist.flight.mavlink.watch import Watch
    from skymist.flight.protocols.mission_transfer import Progress
    from skymist.flight.protocols.parameters import ParameterReport
    from skymist.flight.protocols.verify import Differences
    from skymist.flight.safety.preflight import PreflightReport
    from skymist.missions.items import Mission

log = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT_S = 30.0
POSITION_TIMEOUT_S = 120.0
"""From boot to a position estimate: 41.5 s on SITL (ARDUPILOT.md, 21), more under trees."""
CHECKS_TIMEOUT_S = 60.0
STARTED_S = 5.0
"""How long a start that was not acknowledged may take to show in what the vehicle does."""
HEARD_S = 5.0
"""A vehicle that may be reached is heard within so many seconds: five heartbeats."""
CLEAR_S = 15.0
FLOWN_WITH = {"fence_options": 0.0}
"""With bit 0 ArduCopter refuses every mode, and so the way home, to a drone that its fence has
stopped. Source: Mode.cpp, "in fence recovery"."""


class Launcher:
    """Takes one vehicle from its pad into the air, step by step."""

    def __init__(self, peer: Peer, watch: Watch) -> None:
        self._peer = peer
        self.transfers = driver.Transfers(peer)
        self._watch = watch
        self._has_servo = False
        self._is_half_uploaded = False
        self._known: dict[str, float] = {}
        self.before: dict[str, float] = {}
        self.tell_before: Callable[[dict[str, float]], None] = lambda before: None

    async def prepare(self, mission: Mission) -> ParameterReport:
        """Hear the vehicle, ask for telemetry, set its parameters; what was done is given back.

        Raises
        ------
        VehicleSilent
            No heartbeat came.
        VehicleRefused
            It is armed already, or a parameter was refused.
        """
        heartbeat = await driver.wait_heartbeat(self._peer, HEARTBEAT_TIMEOUT_S)
        if heartbeat.is_armed:
            raise self._refusal("wanted it disarmed on its pad, found it armed")
        await driver.request_streams(self._peer)
        wanted = {**FLOWN_WITH, **mission.parameters}
        report = await driver.set_parameters(self._peer, wanted, self._note_before)
        self._require_taken(report)
        self._known = report.after
        if not self._has_servo:
            self._watch.set_servo(await read_pump_servo(self._peer))
            self._has_servo = True
        return report

    def _note_before(self, held: dict[str, float]) -> None:
        """Keep, and tell, what parameters held before we first wrote them."""
        self._require_single()
        new = {name: value for name, value in held.items() if name not in self.before}
        self.before |= new
        if new:
            self.tell_before(new)

    async def restore(self) -> ParameterReport | None:
        """Give the parameters that were changed their earlier values; None where none was.

        Raises
        ------
        VehicleRefused
            It is armed.
        VehicleSilent, LinkLost
            It does not answer.
        """
        return await put_back(self._peer, self.before) if self.before else None

    async def upload(
        self, mission: Mission, progress: Callable[[Progress], None] | None = None
    ) -> None:
        """Upload; `UploadRefused` or `VehicleSilent` unless every list was acknowledged."""
        self._is_half_uploaded = True
        try:
            await self.transfers.upload(mission, progress)
        except FlightError:
            self._is_half_uploaded = False  # cleared, or marked in the error
            raise

    async def check(
        self, mission: Mission, drone: Drone, *, battery_min_frac: float
    ) -> PreflightReport:
        """Everything that `preflight` looks at, and the vehicle out of AUTO again.

        Raises
        ------
        UploadRefused
            It holds another mission than compiled (P1).
        VehicleRefused
            It could not be asked what it holds.
        """
        with suppress(VehicleSilent):  # preflight says so, with everything else
            await self._watch.until(
                _has_position, wanted="a position estimate", timeout_s=POSITION_TIMEOUT_S
            )
        found = await preflight(
            self._peer,
            mission,
            drone,
            battery_min_frac=battery_min_frac,
            transfers=self.transfers,
        )
        await self.stand_down()
        if found.differences is None:
            raise self._refusal(f"not fit to fly: {'; '.join(f.text for f in found.findings)}")
        self._require_same(found.differences)
        return found

    def _require_same(self, differences: Differences) -> None:
        self._is_half_uploaded = False
        if differences.is_same:
            return
        first = differences.items[0]
        raise UploadRefused(
            f"vehicle {self._peer.sysid}: holds another mission than compiled, "
            f"{len(differences.items)} differences; first: {first}",
            sysid=self._peer.sysid,
            kind=first.kind.name.lower(),
            seq=first.seq,
            result="DIFFERS",
        )

    def _require_single(self) -> None:
        if self._peer.numbering.is_doubled:
            raise self._refusal(
                f"two vehicles answer as system id {self._peer.sysid} on {self._peer.channel.name} "
                "(or one over two radios): give each an id of its own"
            )

    def _require_taken(self, report: ParameterReport) -> None:
        if report.refused:
            raise self._refusal(f"did not take {', '.join(report.refused)}")

    async def ready_in_auto(self) -> None:
        """Enter AUTO and wait until the vehicle's own checks pass in it.

        Raises
        ------
        VehicleRefused
            They do not; with the reasons that the vehicle names.
        """
        reasons = await unready_in_auto(self._peer, CHECKS_TIMEOUT_S)
        if reasons:
            said = "; ".join(reasons)
            raise self._refusal(f"not ready in AUTO after {CHECKS_TIMEOUT_S:g} s: {said}")
        if not _has_position(self._watch.state):
            raise self._refusal("has no estimate of its position")

    async def check_again(self, mission: Mission) -> None:
        """Right before arming: mission, parameters, pad and mode are still what they were.

        Raises
        ------
        UploadRefused, VehicleRefused
            One is not; says which.
        """
        self._require_single()
        self._require_same(await self.transfers.recheck(mission))
        wanted = {**FLOWN_WITH, **mission.parameters}
        known = {name: wanted[name] for name in wanted if name in self._known}
        report = await driver.check_parameters(self._peer, known)
        if not report.is_as_wanted:
            names = ", ".join((*report.refused, *report.missing))
            raise self._refusal(f"parameters changed since they were set: {names}")
        place = self._peer.latest(Position)  # of a bad link the last may be old
        if place is None or now_s() - place.at_s > FRESH_S:
            await self._peer.wait_for(Position, timeout_s=HEARD_S)
        if reason := off_pad(self._peer, mission):
            raise self._refusal(reason)
        if not is_fresh(self._watch.state.heart, now_s(), FRESH_S):
            await driver.wait_heartbeat(self._peer, HEARD_S)
        state = self._watch.state
        if not (state.is_auto and is_fresh(state.heart, now_s(), FRESH_S)):
            raise self._refusal(f"wanted AUTO, found {state.mode_name}")

    async def arm(self, may_go_on: Callable[[], bool]) -> None:
        """Arm the vehicle that was checked again; after `VehicleSilent` it may be armed."""
        await driver.arm(self._peer, may_go_on=may_go_on)

    async def start(self) -> None:
        """Start the mission; without an answer, what the vehicle is seen to do is one.

        With our AUTO_OPTIONS the mission starts by itself on arming.
        """
        began_s = now_s()
        try:
            await driver.start_mission(self._peer)
        except VehicleSilent as silent:
            try:
                await self._watch.until(
                    lambda state: _is_under_way(state, began_s),
                    wanted="its start",
                    timeout_s=STARTED_S,
                )
            except VehicleSilent:
                raise silent from None

    async def stand_down(self) -> bool:
        """Leave AUTO on the ground: with our AUTO_OPTIONS a drone that is armed in it takes off.

        Acts only on a heartbeat that comes now and says disarmed. LAND, since ArduCopter does
        not arm in it, and since a drone that flies after all comes down in it and does not fall.
        Gives whether the drone is known to stand disarmed outside AUTO.
        """
        try:
            heart = await driver.wait_heartbeat(self._peer, HEARD_S)
            if heart.is_armed:
                log.error("armed, left as it is", extra={"sysid": self._peer.sysid})
                return False
            if heart.custom_mode in (CopterMode.AUTO, CopterMode.AUTO_RTL):
                await driver.set_mode(self._peer, CopterMode.LAND)
        except FlightError as exc:
            log.error("left as it is", extra={"sysid": self._peer.sysid, "reason": str(exc)})
            return False
        return True

    async def abandon(self) -> Holding | None:
        """After a stop: no half of a mission, and not in AUTO.

        Gives what became of an upload that was not verified yet; None where there was none.
        """
        holding = None
        if self._is_half_uploaded:
            self._is_half_uploaded = False
            holding = await driver.clear_or_mark(self._peer, CLEAR_S)
        await self.stand_down()
        return holding

    async def disarm(self) -> bool:
        """Stop the motors of a drone on the ground; the vehicle refuses in the air."""
        try:
            await driver.disarm(self._peer, timeout_s=HEARD_S)
        except LinkLost:
            raise
        except FlightError as exc:
            log.error("not disarmed", extra={"sysid": self._peer.sysid, "reason": str(exc)})
            return False
        return True

    def _refusal(self, text: str) -> VehicleRefused:
        return VehicleRefused(f"vehicle {self._peer.sysid}: {text}", sysid=self._peer.sysid)


def _has_position(state: VehicleState) -> bool:
    """Flag 16 of the EKF: before it AUTO is accepted and MISSION_START fails (ARDUPILOT, 13)."""
    return state.estimate is not None and state.estimate.has_absolute_position


def _is_under_way(state: VehicleState, since_s: float) -> bool:
    """Whether it has said, since then, that it is armed in AUTO with its mission running."""
    heart, progress = state.heart, state.progress
    if heart is None or progress is None or min(heart.at_s, progress.at_s) < since_s:
        return False
    return state.is_auto and heart.is_armed and progress.mission_state is MissionState.ACTIVE
