"""Watching one vehicle: every message folded into its state, and tasks that wait for a claim.

No commands and no decisions: those who act on the state register an observer.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleSilent
from skymist.flight.mavlink.telemetry import PumpServo, VehicleState, fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.messages import Received

    Claim = Callable[[VehicleState], bool]
    Observer = Callable[[VehicleState, object], None]

log = logging.getLogger(__name__)


class Watch:
    """Keeps the state of one vehicle as its messages come; made inside a running loop."""

    def __init__(self, peer: Peer, *, servo: PumpServo | None = None) -> None:
        self.state = VehicleState(servo=servo or PumpServo())
        self._sysid = peer.sysid
        self._failed: Exception | None = None
        self._observers: list[Observer] = []
        self._waiting: list[tuple[Claim, asyncio.Future[None]]] = []
        self._remove = peer.listen(lambda heard: self._take(heard.message, heard.at_s))

    def set_servo(self, servo: PumpServo) -> None:
        """Read the pump from this output from now on."""
        self.state = replace(self.state, servo=servo, pump=None)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer(state, message)` after each message; what comes back ends that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    async def until(self, claim: Claim, *, wanted: str, timeout_s: float) -> VehicleState:
        """The first state of which the claim holds; asked at each message and at each `poke`.

        Raises
        ------
        VehicleSilent
            After `timeout_s`, naming what was wanted and what the vehicle last said.
        """
        if self._failed is not None:
            raise self._failed
        if claim(self.state):
            return self.state
        started_s = now_s()
        entry = (claim, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout_s):
                await entry[1]
        except TimeoutError as exc:
            raise VehicleSilent(
                f"vehicle {self._sysid}: waited {timeout_s:.0f} s for {wanted}; "
                f"last seen {describe(self.state, now_s())}",
                sysid=self._sysid,
                waited_s=now_s() - started_s,
            ) from exc
        finally:
            self._waiting.remove(entry)
        return self.state

    def poke(self) -> None:
        """Ask every waiting claim again: something other than a message has changed."""
        for claim, future in self._waiting:
            if not future.done() and claim(self.state):
                future.set_result(None)

    def fail(self, reason: Exception) -> None:
        """End every wait, now and later, with an error: nothing more will come."""
        self._failed = reason
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(reason)

    def close(self) -> None:
        """Stop listening."""
        self._remove()

    def _take(self, message: Received, at_s: float) -> None:
        self.state = fold(self.state, message, at_s)
        try:
            for observer in tuple(self._observers):
                observer(self.state, message)
            self.poke()
        except Exception as exc:  # the top of what runs in the channel's reader
            log.exception("an observer failed", extra={"sysid": self._sysid})
            self.fail(exc)


def describe(state: VehicleState, at_s: float) -> str:
    """The state in a few words, for messages to a person."""
    if state.heard_s is None or state.heart is None:
        return "nothing"
    parts = [state.mode_name, "armed" if state.is_armed else "disarmed"]
    if state.position is not None:
        parts.append(f"{state.position.above_home_m:.1f} m above home")
    if state.progress is not None:
        parts.append(f"item {state.progress.seq}")
    if state.texts:
        parts.append(f"{state.texts[-1].text!r}")
    return f"{', '.join(parts)}, {at_s - state.heard_s:.1f} s ago"
