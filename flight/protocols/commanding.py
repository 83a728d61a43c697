"""Commands and what they lead to: modes, arming, the mission's start, the pump, telemetry.

Each function ends with the vehicle's own word, or with an error that says what is known (P3).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.mavlink.messages import (
    Battery,
    CommandAck,
    CommandLong,
    CopterMode,
    EkfStatus,
    FenceStatus,
    Gps,
    Heartbeat,
    MissionCurrent,
    Position,
    Received,
    ServoOutput,
    StatusText,
    SysStatus,
    VehicleCommand,
    Wind,
)
from skymist.flight.mavlink.readers import MESSAGE_IDS
from skymist.flight.protocols.commands_protocol import (
    ACK_TIMEOUT_S,
    NUM_TRIES,
    CommandCall,
    Outcome,
    Result,
)
from skymist.flight.protocols.conversation import play

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer, Subscription

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Received)

STREAMS_AGAIN_S = 12.0
REASONS_S = 1.0
"""How long the reasons of a refusal may take to follow it."""

STREAM_RATES_HZ: Mapping[type, float] = {
    Heartbeat: 1.0,
    Position: 4.0,
    ServoOutput: 4.0,
    MissionCurrent: 1.0,
    SysStatus: 1.0,
    Gps: 1.0,
    Battery: 0.5,
    EkfStatus: 0.5,
    FenceStatus: 0.5,
    Wind: 0.5,
}
"""What the conductor needs: 13.5 messages a second."""


async def wait_heartbeat(peer: Peer, timeout_s: float = 10.0) -> Heartbeat:
    """The vehicle's next heartbeat; `VehicleSilent` where none comes."""
    return await peer.wait_for(Heartbeat, timeout_s=timeout_s)


async def command(
    peer: Peer,
    command: int,
    *params: float,
    timeout_s: float = ACK_TIMEOUT_S,
    num_tries: int = NUM_TRIES,
) -> Result:
    """Send a command with up to seven parameters until it is answered: never raises for a no."""
    if len(params) > 7:
        raise ValueError(f"a command has up to 7 parameters, got {len(params)}")
    p1, p2, p3, p4, p5, p6, p7 = (*params, *[0.0] * (7 - len(params)))
    message = CommandLong(command=command, params=(p1, p2, p3, p4, p5, p6, p7))
    call = CommandCall(message, timeout_s=timeout_s, num_tries=num_tries)
    await play(peer, call, (CommandAck,))
    result = call.outcome(now_s())
    log.log(
        logging.DEBUG if result.is_accepted else logging.WARNING,
        "command",
        extra={"sysid": peer.sysid, "command": command, "result": result.reason},
    )
    return result


async def ask(peer: Peer, kind: type[M]) -> M | None:
    """One message on request, None where the vehicle has none or does not answer; three tries."""
    for _ in range(3):
        with peer.subscribe(kind) as inbox:
            result = await command(peer, VehicleCommand.REQUEST_MESSAGE, MESSAGE_IDS[kind])
            if result.outcome is Outcome.REFUSED:
                return None
            try:
                async with asyncio.timeout(1.0):
                    return (await inbox.get()).message
            except TimeoutError:
                continue
    return None


async def set_mode(peer: Peer, mode: CopterMode, timeout_s: float = 10.0) -> None:
    """Change the mode and see it in a heartbeat; `VehicleRefused` or `VehicleSilent`."""
    with peer.subscribe(StatusText) as texts:
        result = await command(peer, VehicleCommand.DO_SET_MODE, 1, mode)
        _require(peer, result, f"mode {mode.name}", await _why(result, texts))
    await peer.wait_for(Heartbeat, lambda h: h.custom_mode == mode, timeout_s=timeout_s)


async def arm(
    peer: Peer, timeout_s: float = 10.0, *, may_go_on: Callable[[], bool] = lambda: True
) -> None:
    """Arm, never by force, and see it in a heartbeat.

    The command is not sent again once `may_go_on` says no. `VehicleRefused` carries the reasons
    that the vehicle gave; after `VehicleSilent` the vehicle may be armed. The caller has verified
    the mission (P1).
    """
    with peer.subscribe(StatusText) as texts:
        for _ in range(NUM_TRIES):
            result = await command(
                peer, VehicleCommand.COMPONENT_ARM_DISARM, 1, timeout_s=3.0, num_tries=1
            )
            if result.outcome is not Outcome.UNKNOWN:
                break
            if not may_go_on():
                raise VehicleSilent(
                    f"vehicle {peer.sysid}: arming: no answer, no longer asked; it may be armed",
                    sysid=peer.sysid,
                    waited_s=result.waited_s,
                )
        _require(peer, result, "arming", await _why(result, texts))
        try:
            await peer.wait_for(Heartbeat, lambda h: h.is_armed, timeout_s=timeout_s)
        except VehicleSilent as error:
            said = "; ".join(_drain(texts)) or "it said nothing"
            raise VehicleSilent(
                f"vehicle {peer.sysid}: took the command to arm, and was not seen armed "
                f"within {timeout_s:g} s ({said})",
                sysid=peer.sysid,
                waited_s=timeout_s,
            ) from error


async def disarm(peer: Peer, timeout_s: float = 10.0) -> None:
    """Disarm on the ground, never by force; `VehicleRefused` or `VehicleSilent`."""
    result = await command(peer, VehicleCommand.COMPONENT_ARM_DISARM, 0)
    _require(peer, result, "disarming")
    await peer.wait_for(Heartbeat, lambda h: not h.is_armed, timeout_s=timeout_s)


async def start_mission(peer: Peer) -> None:
    """Start the mission of an armed vehicle in AUTO; `VehicleRefused` or `VehicleSilent`."""
    with peer.subscribe(StatusText) as texts:
        result = await command(peer, VehicleCommand.MISSION_START)
        _require(peer, result, "starting the mission", await _why(result, texts))


async def spray_off(peer: Peer) -> Result:
    """Turn the pump off: sent again every 0.3 s, up to ten times, until acknowledged."""
    return await command(peer, VehicleCommand.DO_SPRAYER, 0, timeout_s=0.3, num_tries=10)


async def come_home(peer: Peer) -> Result:
    """Fly the mission's own landing sequence, pump off first; RTL mode where that is refused.

    The result is that of the command that brings it home.
    """
    await spray_off(peer)
    result = await command(peer, VehicleCommand.DO_LAND_START)
    if result.outcome is Outcome.REFUSED:
        log.warning("no landing sequence, RTL", extra={"sysid": peer.sysid})
        result = await command(peer, VehicleCommand.DO_SET_MODE, 1, CopterMode.RTL)
    return result


async def request_streams(peer: Peer, rates_hz: Mapping[type, float] = STREAM_RATES_HZ) -> None:
    """Ask for telemetry at these rates, by message; that it comes is the proof."""
    for kind, rate_hz in rates_hz.items():
        interval_us = round(1e6 / rate_hz) if rate_hz > 0 else -1
        params = (float(MESSAGE_IDS[kind]), float(interval_us), 0.0, 0.0, 0.0, 0.0, 0.0)
        peer.send(CommandLong(command=VehicleCommand.SET_MESSAGE_INTERVAL, params=params))


async def keep_streams(
    peer: Peer,
    rates_hz: Mapping[type, float] = STREAM_RATES_HZ,
    every_s: float = STREAMS_AGAIN_S,
) -> None:
    """Ask for telemetry again and again, until cancelled: a reboot or another station ends it.

    Asked every `every_s`, and at once when contact comes back after a break.
    """
    while True:
        num_breaks, again_s = peer.num_breaks, now_s() + every_s
        await request_streams(peer, rates_hz)
        while now_s() < again_s and peer.num_breaks == num_breaks:
            await asyncio.sleep(min(0.5, max(0.0, again_s - now_s())))


async def _why(result: Result, texts: Subscription[StatusText]) -> tuple[str, ...]:
    """What the vehicle says about a refusal: ArduPilot queues its texts behind the answer."""
    if result.outcome is Outcome.REFUSED:
        await asyncio.sleep(REASONS_S)
        return _drain(texts)
    return ()


def _drain(texts: Subscription[StatusText]) -> tuple[str, ...]:
    """The texts that have come."""
    out: list[str] = []
    while (heard := texts.get_nowait()) is not None:
        out.append(heard.message.text)
    return tuple(out)


def _require(peer: Peer, result: Result, what: str, texts: tuple[str, ...] = ()) -> None:
    """Raise unless a command was accepted, with what the vehicle said about it."""
    if result.is_accepted:
        return
    if result.outcome is Outcome.UNKNOWN:
        raise VehicleSilent(
            f"vehicle {peer.sysid}: {what}: {result.reason}, asked {result.num_sent} times",
            sysid=peer.sysid,
            waited_s=result.waited_s,
        )
    said = f" ({'; '.join(texts)})" if texts else ""
    raise VehicleRefused(
        f"vehicle {peer.sysid}: refused {what}: {result.reason}{said}",
        sysid=peer.sysid,
        result=result.reason,
    )
