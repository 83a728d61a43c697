"""Await what a vehicle does: the one place that joins channel, clock and protocols.

Each function here is one conversation with one `Peer`, and ends with the vehicle's own word, or
with an error that says what is known and what is not. None takes silence for success.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.commands_protocol import (
    ACK_TIMEOUT_S,
    NUM_TRIES,
    CommandCall,
    Outcome,
    Result,
)
from skymist.flight.errors import (
    Holding,
    LinkLost,
    UploadRefused,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.messages import (
    Battery,
    CommandAck,
    CommandLong,
    CopterMode,
    EkfStatus,
    FenceStatus,
    Gps,
    Heartbeat,
    MissionAck,
    MissionCount,
    MissionCurrent,
    MissionItem,
    MissionKind,
    MissionRequest,
    MissionResult,
    ParamError,
    ParamValue,
    Position,
    ServoOutput,
    StatusText,
    SysStatus,
    VehicleCommand,
)
from skymist.flight.mission_protocol import Clear, Download, Machine, State, Upload
from skymist.flight.param_protocol import ParameterRead, ParameterWrite, stored_value
from skymist.flight.parameters import ParameterReport, groups_of, scale_of
from skymist.flight.readers import MESSAGE_IDS
from skymist.flight.verify import KINDS, Differences, compare, join, list_of

if TYPE_CHECKING:
    from skymist.flight.channel import Peer, Subscription
    from skymist.flight.messages import Received, Sent
    from skymist.missions.items import Item, Mission

log = logging.getLogger(__name__)

NUM_UPLOAD_TRIES = 3
STREAMS_AGAIN_S = 12.0

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
}
"""What the conductor needs: 13 messages a second."""

_MISSION_WORDS = (MissionRequest, MissionAck, MissionCount, MissionItem)
_PARAM_WORDS = (ParamValue, ParamError)

__all__ = [
    "STREAM_RATES_HZ",
    "Outcome",
    "ParameterReport",
    "Progress",
    "Result",
    "arm",
    "check_parameters",
    "clear_mission",
    "clear_or_mark",
    "come_home",
    "command",
    "disarm",
    "keep_streams",
    "read_back",
    "read_parameters",
    "request_streams",
    "set_mode",
    "set_parameters",
    "spray_off",
    "start_mission",
    "upload",
    "verify",
    "wait_heartbeat",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upload is: `num_done` of the `num_items` of this list."""

    kind: MissionKind
    num_done: int
    num_items: int


async def wait_heartbeat(peer: Peer, timeout_s: float = 10.0) -> Heartbeat:
    """The vehicle's next heartbeat; `VehicleSilent` where none comes."""
    return await peer.wait_for(Heartbeat, timeout_s=timeout_s)


async def upload(
    peer: Peer, mission: Mission, progress: Callable[[Progress], None] | None = None
) -> None:
    """Give a vehicle its mission, fence and rally points; each list ends with its acknowledgement.

    A list whose last acknowledgement is lost is read back and compared. After a failure the
    vehicle's lists are cleared, or marked unknown where it does not answer (`exc.holding`).

    Raises
    ------
    UploadRefused
        It is armed, or it refused a list; says which item and why.
    VehicleSilent
        It stopped answering; says how long ago.
    LinkLost
        The channel closed; what the vehicle holds is unknown.
    """
    heartbeat = await wait_heartbeat(peer)
    if heartbeat.is_armed:
        raise UploadRefused(
            f"vehicle {peer.sysid}: is armed; its mission is changed on the ground alone",
            sysid=peer.sysid,
            result="ARMED",
        )
    for kind in KINDS:
        items = list_of(mission, kind)
        try:
            await _upload_list(peer, kind, items, progress)
        except (UploadRefused, VehicleSilent, LinkLost) as error:
            error.holding = await clear_or_mark(peer)
            log.error("upload failed", extra={"sysid": peer.sysid, "holding": error.holding.value})
            raise
        log.info(
            "upload accepted",
            extra={"sysid": peer.sysid, "kind": kind.name.lower(), "items": len(items)},
        )


async def read_back(peer: Peer, kind: MissionKind) -> tuple[Item, ...]:
    """One of the lists that the vehicle holds.

    Raises
    ------
    VehicleRefused
        It will not give it: another ground station is writing, or it has no such list.
    VehicleSilent
        It stopped answering.
    """
    machine = Download(kind)
    began_s = now_s()
    await _run(peer, machine, _MISSION_WORDS)
    if machine.state is State.ACCEPTED:
        return machine.items
    name = kind.name.lower()
    if machine.state is State.REFUSED and machine.result is not None:
        raise VehicleRefused(
            f"vehicle {peer.sysid}: refused to give its {name}: {machine.result.name}",
            sysid=peer.sysid,
            result=machine.result.name,
        )
    raise _silent(peer, f"its {name}, {machine.num_done} of {machine.count} came", began_s)


async def verify(peer: Peer, mission: Mission) -> Differences:
    """Read mission, fence and rally points back; every difference to what was compiled."""
    parts: list[Differences] = []
    for kind in KINDS:
        wanted = list_of(mission, kind)
        try:
            found = await read_back(peer, kind)
        except VehicleRefused as error:
            if wanted or error.result != MissionResult.UNSUPPORTED.name:
                raise
            found = ()  # a vehicle without rally points holds none
        parts.append(compare(kind, wanted, found))
    return join(*parts)


async def clear_mission(peer: Peer) -> None:
    """Empty mission, fence and rally points; `UploadRefused` or `VehicleSilent` where it cannot."""
    for kind in KINDS:
        machine = Clear(kind)
        began_s = now_s()
        await _run(peer, machine, _MISSION_WORDS)
        if machine.state is State.SILENT:
            raise _silent(peer, f"clearing its {kind.name.lower()}", began_s)
        if machine.state is State.REFUSED and machine.result is not None:
            raise _refused(peer, kind, -1, machine.result.name, "to clear its")


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
    await _run(peer, call, (CommandAck,))
    result = call.outcome(now_s())
    log.log(
        logging.DEBUG if result.is_accepted else logging.WARNING,
        "command",
        extra={"sysid": peer.sysid, "command": command, "result": result.reason},
    )
    return result


async def set_mode(peer: Peer, mode: CopterMode, timeout_s: float = 5.0) -> None:
    """Change the mode and see it in a heartbeat; `VehicleRefused` or `VehicleSilent`."""
    with peer.subscribe(StatusText) as texts:
        result = await command(peer, VehicleCommand.DO_SET_MODE, 1, mode)
        _require(peer, result, f"mode {mode.name}", () if result.is_accepted else _drain(texts))
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
        if result.outcome is Outcome.REFUSED:
            await asyncio.sleep(1.0)  # the reasons follow the refusal
        _require(peer, result, "arming", _drain(texts))
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
        _require(peer, result, "starting the mission", _drain(texts))


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


async def read_parameters(peer: Peer, names: Iterable[str]) -> dict[str, float]:
    """Logical parameters in SI units; those that answer under none of their names are left out."""
    found = await _read_values(peer, tuple(names))
    return {name: value.value / scale_of(name, value.name) for name, value in found.items()}


async def check_parameters(peer: Peer, wanted: Mapping[str, float]) -> ParameterReport:
    """Compare logical parameters with what the vehicle holds; writes nothing."""
    found = await _read_values(peer, tuple(wanted))
    values = {name: value.value / scale_of(name, value.name) for name, value in found.items()}
    return ParameterReport(
        before=values,
        after=values,
        missing=tuple(name for name in wanted if name not in found),
        refused=tuple(name for name in found if not _holds(found, name, wanted[name])),
    )


async def set_parameters(peer: Peer, wanted: Mapping[str, float]) -> ParameterReport:
    """Set logical parameters, given in SI units, and read them back.

    Only names that answered are written, and only where they differ. Raises nothing for a value
    that is missing or refused: the report names it.
    """
    found = await _read_values(peer, tuple(wanted))
    writes = {
        value.name: (wanted[name] * scale_of(name, value.name), value.param_type)
        for name, value in found.items()
        if not _holds(found, name, wanted[name])
    }
    if writes:
        await _run(peer, ParameterWrite(writes), _PARAM_WORDS)
    after = await _read_values(peer, tuple(found)) if writes else found
    return ParameterReport(
        before={n: v.value / scale_of(n, v.name) for n, v in found.items()},
        after={n: v.value / scale_of(n, v.name) for n, v in after.items()},
        missing=tuple(name for name in wanted if name not in found),
        refused=tuple(name for name in found if not _holds(after, name, wanted[name])),
    )


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
    """Ask for telemetry again and again, until cancelled: a reboot or another station ends it."""
    while True:
        await request_streams(peer, rates_hz)
        await asyncio.sleep(every_s)


async def _run(
    peer: Peer,
    machine: Machine,
    words: tuple[type[Received], ...],
    watch: Callable[[], None] | None = None,
) -> None:
    """Play a protocol to its end; raises `LinkLost` where the channel closes."""
    with peer.subscribe(*words, max_queue=1024) as inbox:
        for message in machine.start(now_s()):
            peer.send(message)
        while not machine.is_done:
            replies: tuple[Sent, ...] = ()
            try:
                async with asyncio.timeout_at(machine.deadline_s):
                    heard = await inbox.get()
                replies = machine.receive(heard.message, now_s())
            except TimeoutError:
                pass
            for message in (*replies, *machine.tick(now_s())):
                peer.send(message)
            if watch is not None:
                watch()


async def _upload_list(
    peer: Peer,
    kind: MissionKind,
    items: tuple[Item, ...],
    progress: Callable[[Progress], None] | None,
) -> None:
    """One list, up to three times where reading it back shows that it did not arrive whole."""
    began_s = now_s()
    for _ in range(NUM_UPLOAD_TRIES):
        machine = Upload(kind, items)

        def watch(machine: Upload = machine) -> None:
            if progress is not None:
                progress(Progress(kind=kind, num_done=machine.num_done, num_items=len(items)))

        await _run(peer, machine, _MISSION_WORDS, watch)
        if machine.state is State.ACCEPTED:
            return
        if machine.state is State.REFUSED and machine.result is not None:
            if not items and machine.result is MissionResult.UNSUPPORTED:
                return
            raise _refused(peer, kind, machine.seq, machine.result.name, "the")
        if machine.state is State.SILENT:
            raise _silent(peer, f"the {kind.name.lower()}, item {machine.seq} was last", began_s)
        try:
            found = await read_back(peer, kind)
        except VehicleRefused as error:
            raise _refused(peer, kind, -1, error.result, "to show its") from error
        if compare(kind, items, found).is_same:
            return
        log.warning("upload was not taken, again", extra={"sysid": peer.sysid})
    raise _refused(peer, kind, -1, "NOT_HELD", "the")


async def clear_or_mark(peer: Peer, timeout_s: float = 30.0) -> Holding:
    """Leave no half of a mission behind (P2): cleared, or unknown where that cannot be had."""
    try:
        async with asyncio.timeout(timeout_s):
            await clear_mission(peer)
    except (UploadRefused, VehicleSilent, LinkLost, TimeoutError):
        return Holding.UNKNOWN
    return Holding.CLEARED


async def _read_values(peer: Peer, names: tuple[str, ...]) -> dict[str, ParamValue]:
    """What the vehicle holds under the first of each parameter's names that answers."""
    machine = ParameterRead(groups_of(names))
    await _run(peer, machine, _PARAM_WORDS)
    return {names[place]: value for place, value in machine.found.items()}


def _holds(found: Mapping[str, ParamValue], name: str, wanted: float) -> bool:
    """True where the vehicle holds what `wanted`, in our unit, becomes in it."""
    value = found.get(name)
    if value is None:
        return False
    target = wanted * scale_of(name, value.name)
    return value.value == stored_value(target, value.param_type)


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


def _silent(peer: Peer, what: str, began_s: float) -> VehicleSilent:
    waited_s = now_s() - began_s
    return VehicleSilent(
        f"vehicle {peer.sysid}: wanted {what}, silent, gave up after {waited_s:.1f} s",
        sysid=peer.sysid,
        waited_s=waited_s,
    )


def _refused(peer: Peer, kind: MissionKind, seq: int, result: str, what: str) -> UploadRefused:
    name = kind.name.lower()
    place = f" at item {seq}" if seq >= 0 else ""
    return UploadRefused(
        f"vehicle {peer.sysid}: refused {what} {name}{place}: {result}",
        sysid=peer.sysid,
        kind=name,
        seq=seq,
        result=result,
    )
