"""Standing still in the air because someone said so: pump off first, then DO_PAUSE_CONTINUE.

Several may want it at once (the operator, the weather, a drone that is in the way); the drone
flies on when none does any more. On the ground the same reasons keep it from taking off.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from skymist.flight.conductor.phases import Phase
from skymist.flight.errors import FlightError, LinkLost
from skymist.flight.mavlink.messages import CopterMode, VehicleCommand
from skymist.flight.protocols import driver
from skymist.flight.safety.monitor import Alert, Severity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from skymist.flight.conductor.telling import DroneLog
    from skymist.flight.mavlink.channel import Peer

OPERATOR, GAP = "operator", "gap"
"""Who wants a drone to stand still: a person, or another drone in its way."""
PAUSE, FLY_ON = 0.0, 1.0
"""First parameter of DO_PAUSE_CONTINUE. Source: MAVLink common.xml."""
ASK_AGAIN_S = 1.0
_ON_PLAN = frozenset({Phase.ARMED, Phase.TRANSIT, Phase.SPRAYING})


class Halts:
    """Why one drone is not to fly on, by who wants it; `is_stopped` is for good."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self.is_stopped = False

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def __contains__(self, who: str) -> bool:
        return who in self._reasons

    @property
    def text(self) -> str:
        """All reasons in words."""
        return "; ".join(self._reasons.values())

    def add(self, who: str, reason: str) -> None:
        """Want the drone to stand still."""
        self._reasons[who] = reason

    def remove(self, who: str) -> bool:
        """Want it no more; False where it was not wanted."""
        return self._reasons.pop(who, None) is not None


class AirHalt:
    """Pauses one vehicle and lets it fly on; what it answered is what counts.

    `may_go_on` looks before it flies on whether it still holds what it flew.
    """

    def __init__(
        self, halts: Halts, peer: Peer, told: DroneLog, may_go_on: Callable[[], Awaitable[bool]]
    ) -> None:
        self.is_paused = False
        self.was_paused = False
        self._halts, self._peer, self._told = halts, peer, told
        self._may_go_on = may_go_on
        self._is_refusal_told = False

    def is_due(self, phase: Phase) -> bool:
        """Whether the vehicle is to be told something now."""
        if self._halts.is_stopped and phase in _ON_PLAN | {Phase.PAUSED, Phase.RETURNING}:
            return True
        if self._halts:
            return not self.is_paused and phase in _ON_PLAN
        return self.is_paused

    async def act(self) -> None:
        """Tell it; where it does not say yes, a second passes before it is told again."""
        if self._halts.is_stopped:
            await self._brake()
        elif self._halts:
            await self._pause()
        else:
            await self._fly_on()

    def forget(self) -> None:
        """The vehicle left AUTO, or was sent home: the pause is over."""
        self.is_paused = False

    async def _pause(self) -> None:
        await driver.spray_off(self._peer)
        result = await driver.command(self._peer, VehicleCommand.DO_PAUSE_CONTINUE, PAUSE)
        if result.is_accepted:
            self.is_paused = self.was_paused = True
            self._is_refusal_told = False
            self._tell("paused", f"pump off, stands still in the air: {self._halts.text}")
            return
        if not self._is_refusal_told:
            self._is_refusal_told = True
            self._tell("pause_refused", f"does not stand still yet ({result.reason}), asked again")
        await asyncio.sleep(ASK_AGAIN_S)

    async def _fly_on(self) -> None:
        if not await self._may_go_on():
            await asyncio.sleep(ASK_AGAIN_S)
            return
        result = await driver.command(self._peer, VehicleCommand.DO_PAUSE_CONTINUE, FLY_ON)
        if result.is_accepted:
            self.is_paused = False
            self._tell("continued", "flies on; what its pause left dry is flown anew")
            return
        await asyncio.sleep(ASK_AGAIN_S)

    async def _brake(self) -> None:
        await driver.spray_off(self._peer)
        try:
            await driver.set_mode(self._peer, CopterMode.BRAKE)
            self.is_paused = False
        except LinkLost:
            raise
        except FlightError as exc:
            self._tell("stop_refused", str(exc))
            await asyncio.sleep(ASK_AGAIN_S)

    def _tell(self, code: str, text: str) -> None:
        self._told.alert(Alert(severity=Severity.WARNING, code=code, text=text))


async def release(peer: Peer) -> None:
    """Undo a pause that the way home may still be under: harmless where there is none."""
    await driver.command(peer, VehicleCommand.DO_PAUSE_CONTINUE, FLY_ON)
