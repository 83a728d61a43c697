"""The steps before a drone flies, each ending with the vehicle's own word.

Parameters, upload with read-back, preflight, AUTO, the vehicle's checks, read-back again, arm,
start. Every step raises a `FlightError` that names what is missing; none is passed over.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from skymist.flight import driver
from skymist.flight.clock import now_s
from skymist.flight.errors import (
    FlightError,
    UploadRefused,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.messages import CopterMode, ParamRequestRead, ParamValue, VehicleCommand
from skymist.flight.preflight import preflight
from skymist.flight.telemetry import PumpServo

if TYPE_CHECKING:
    from skymist.coverage.drones import Drone
    from skymist.flight.channel import Peer
    from skymist.flight.telemetry import VehicleState
    from skymist.flight.watch import Watch
    from skymist.missions.items import Mission

log = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT_S = 30.0
POSITION_TIMEOUT_S = 120.0
"""From boot to a position estimate: 41.5 s on SITL (ARDUPILOT.md, 21), more under trees."""
CHECKS_TIMEOUT_S = 60.0
PARAM_TIMEOUT_S = 1.5
PARAM_TRIES = 3
SPRAYER_PUMP = 22
"""SERVOn_FUNCTION of a sprayer's pump (ARDUPILOT.md, 4)."""
NUM_SERVOS = 16


class Launcher:
    """Takes one vehicle from its pad into the air, step by step."""

    def __init__(self, peer: Peer, watch: Watch) -> None:
        self._peer = peer
        self._watch = watch
        self._has_servo = False

    async def prepare(self, mission: Mission) -> tuple[str, ...]:
        """Hear the vehicle, ask for telemetry, set its parameters; what it has not is told back.

        Raises
        ------
        VehicleSilent
            No heartbeat came.
        VehicleRefused
            It is armed already, or a parameter was refused.
        """
        heartbeat = await driver.wait_heartbeat(self._peer, HEARTBEAT_TIMEOUT_S)
        if heartbeat.is_armed:
            raise VehicleRefused(
                f"vehicle {self._peer.sysid}: wanted it disarmed on its pad, found it armed",
                sysid=self._peer.sysid,
            )
        await driver.request_streams(self._peer)
        report = await driver.set_parameters(self._peer, mission.parameters)
        if report.refused:
            names = ", ".join(report.refused)
            raise VehicleRefused(
                f"vehicle {self._peer.sysid}: did not take {names}", sysid=self._peer.sysid
            )
        if not self._has_servo:
            self._watch.set_servo(await read_pump_servo(self._peer))
            self._has_servo = True
        return tuple(f"the vehicle has no parameter for {name}" for name in report.missing)

    async def upload(self, mission: Mission) -> None:
        """Upload; `UploadRefused` or `VehicleSilent` unless every list was acknowledged."""
        await driver.upload(self._peer, mission)

    async def require_same(self, mission: Mission) -> None:
        """Read back what the vehicle holds; `UploadRefused` where it is not the mission (P1)."""
        differences = await driver.verify(self._peer, mission)
        if not differences.is_same:
            first = differences.items[0]
            raise UploadRefused(
                f"vehicle {self._peer.sysid}: holds another mission than compiled, "
                f"{len(differences.items)} differences; first: {first}",
                sysid=self._peer.sysid,
                kind=first.kind.name.lower(),
                seq=first.seq,
                result="DIFFERS",
            )

    async def check(self, mission: Mission, drone: Drone, *, battery_min_frac: float) -> list[str]:
        """Everything that `preflight` looks at, read-back included; what does not block comes back.

        Raises
        ------
        VehicleRefused
            With every finding that blocks.
        """
        await self._watch.until(
            _has_position, wanted="a position estimate", timeout_s=POSITION_TIMEOUT_S
        )
        found = await preflight(self._peer, mission, drone, battery_min_frac=battery_min_frac)
        if not found.is_ready:
            blocking = "; ".join(str(f.text) for f in found.findings if f.is_blocking)
            raise VehicleRefused(f"{drone.id}: not fit to fly: {blocking}", sysid=drone.sysid)
        return [finding.text for finding in found.findings]

    async def ready_in_auto(self) -> None:
        """Enter AUTO and wait until the vehicle's own checks pass in it.

        Raises
        ------
        VehicleRefused
            They do not; with the reasons that the vehicle names.
        """
        await driver.set_mode(self._peer, CopterMode.AUTO)
        entered_s = now_s()

        def is_ready(state: VehicleState) -> bool:
            checks = state.checks
            is_new = checks is not None and checks.at_s > entered_s
            return is_new and checks is not None and checks.is_prearm_good and _has_position(state)

        try:
            await self._watch.until(
                is_ready, wanted="its pre-arm checks in AUTO", timeout_s=CHECKS_TIMEOUT_S
            )
        except VehicleSilent as exc:
            raise VehicleRefused(
                f"vehicle {self._peer.sysid}: not ready in AUTO after {CHECKS_TIMEOUT_S:g} s: "
                f"{await self._reasons()}",
                sysid=self._peer.sysid,
            ) from exc

    async def _reasons(self) -> str:
        """What the vehicle names when asked why it would not arm."""
        asked_s = now_s()
        await driver.command(self._peer, VehicleCommand.RUN_PREARM_CHECKS)
        with suppress(VehicleSilent):
            await self._watch.until(lambda _: False, wanted="reasons", timeout_s=2.0)
        said = [text.text for text in self._watch.state.texts if text.at_s >= asked_s]
        return "; ".join(dict.fromkeys(said)) or "it names no reason"

    async def arm(self, mission: Mission) -> None:
        """Arm, if what the vehicle holds is still the mission."""
        await self.require_same(mission)
        if not self._watch.state.is_auto:
            raise VehicleRefused(
                f"vehicle {self._peer.sysid}: wanted AUTO, found {self._watch.state.mode_name}",
                sysid=self._peer.sysid,
            )
        await driver.arm(self._peer)

    async def start(self) -> None:
        """Start the mission of the armed vehicle."""
        await driver.start_mission(self._peer)

    async def stand_down(self) -> None:
        """Leave AUTO on the ground: with our AUTO_OPTIONS a drone that is armed in it takes off."""
        if self._watch.state.is_armed or self._watch.state.mode_name not in ("AUTO", "AUTO_RTL"):
            return
        try:
            await driver.set_mode(self._peer, CopterMode.STABILIZE)
        except FlightError as exc:
            log.error("left in AUTO", extra={"sysid": self._peer.sysid, "reason": str(exc)})

    async def disarm(self) -> None:
        """Stop the motors on the ground, after a start that failed; says so where it cannot."""
        try:
            await driver.disarm(self._peer)
        except FlightError as exc:
            log.error("not disarmed", extra={"sysid": self._peer.sysid, "reason": str(exc)})


def _has_position(state: VehicleState) -> bool:
    """Flag 16 of the EKF: before it AUTO is accepted and MISSION_START fails (ARDUPILOT, 13)."""
    return state.estimate is not None and state.estimate.has_absolute_position


async def read_pump_servo(peer: Peer) -> PumpServo:
    """Which output drives the pump, and its pulses.

    Raises
    ------
    VehicleRefused
        No output has the sprayer pump's function.
    """
    functions = await driver.read_parameters(
        peer, [f"servo{n}_function" for n in range(1, NUM_SERVOS + 1)]
    )
    for channel in range(1, NUM_SERVOS + 1):
        if functions.get(f"servo{channel}_function") == SPRAYER_PUMP:
            low = await _read_raw(peer, f"SERVO{channel}_MIN", 1100.0)
            high = await _read_raw(peer, f"SERVO{channel}_MAX", 1900.0)
            is_reversed = await _read_raw(peer, f"SERVO{channel}_REVERSED", 0.0) == 1.0
            off, full = (high, low) if is_reversed else (low, high)
            return PumpServo(channel=channel, off_us=round(off), full_us=round(full))
    raise VehicleRefused(
        f"vehicle {peer.sysid}: wanted a servo output with function {SPRAYER_PUMP} "
        "(sprayer pump), found none",
        sysid=peer.sysid,
    )


async def _read_raw(peer: Peer, name: str, otherwise: float) -> float:
    """A parameter under the vehicle's own name; `otherwise` where it does not answer."""
    for _ in range(PARAM_TRIES):
        peer.send(ParamRequestRead(name=name))
        with suppress(VehicleSilent):
            value = await peer.wait_for(
                ParamValue, lambda message: message.name == name, timeout_s=PARAM_TIMEOUT_S
            )
            return value.value
    log.warning("no answer", extra={"sysid": peer.sysid, "parameter": name})
    return otherwise
