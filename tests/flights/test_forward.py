"""Another ground station looks on: it sees all, and commands only where that was allowed."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.forward import Forward, open_forward
from skymist.flight.mavlink.messages import CommandAck, CopterMode
from skymist.flight.mavlink.signing import EPOCH_2015_S, Key, Seal, Stamps
from skymist.flight.mavlink.wiring import Wiring
from skymist.flight.protocols import driver
from skymist.flight.recording.record import read_record
from skymist.flight.terminal.display import Silent
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from tests.flights.test_operations import STARTED_UTC, MakePlan
from tests.sitl.ground import HOME, drone


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def look_on(port: int, sysid: int, ready: Callable[[], None]) -> tuple[set[str], list[int]]:
    """What pymavlink's own client sees and is answered; it asks for GUIDED."""
    os.environ["MAVLINK20"] = "1"
    from pymavlink import mavutil

    client = mavutil.mavlink_connection(f"udpin:127.0.0.1:{port}", source_system=sysid)
    ready()
    try:
        assert client.wait_heartbeat(timeout=20) is not None
        seen, acks = set(), []
        client.mav.command_long_send(1, 1, 176, 0, 1, CopterMode.GUIDED, 0, 0, 0, 0, 0)
        for _ in range(200):
            message = client.recv_match(blocking=True, timeout=0.05)
            if message is None:
                continue
            seen.add(message.get_type())
            if message.get_type() == "COMMAND_ACK" and message.target_system == sysid:
                acks.append(message.command)
                break
        return seen, acks
    finally:
        client.close()


def watched(
    sysid: int, *, passes_commands: bool, key: Key | None = None
) -> tuple[set[str], list[int], int, Forward, list[Any]]:
    async def main() -> tuple[set[str], list[int], int, Forward, list[Any]]:
        port, bound, answers = free_port(), asyncio.Event(), list[Any]()
        loop = asyncio.get_running_loop()
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            fleet.connect(0)
            if key is not None:
                fleet.copters[0]._machine.signing.setup(key.secret, 1)
            looking = asyncio.create_task(
                asyncio.to_thread(
                    look_on, port, sysid, lambda: loop.call_soon_threadsafe(bound.set)
                )
            )
            await bound.wait()
            forward = await open_forward(f"udp:127.0.0.1:{port}", passes_commands=passes_commands)
            async with Channel(fleet.connect(0), forwards=(forward,)) as channel:
                peer = channel.vehicle(1)
                if key is not None:
                    stamps = Stamps(lambda: EPOCH_2015_S + 3.7e8 + loop.time())
                    peer.seal = Seal(key, stamps)
                peer.listen(
                    lambda h: (
                        answers.append(h.message) if isinstance(h.message, CommandAck) else None
                    )
                )
                await driver.request_streams(peer)
                seen, acks = await looking
            forward.close()
            return seen, acks, fleet.copters[0].state.mode, forward, answers

    return run(main(), loop=ScaledLoop(4.0))


def test_pymavlinks_client_sees_all_and_is_not_obeyed() -> None:
    seen, acks, mode, forward, _ = watched(250, passes_commands=False)
    assert {"HEARTBEAT", "GLOBAL_POSITION_INT", "SERVO_OUTPUT_RAW", "SYS_STATUS"} <= seen
    assert acks == []
    assert mode == CopterMode.STABILIZE
    assert forward.num_refused > 0
    assert forward.num_relayed == 0


@pytest.mark.parametrize("key", [None, Key(bytes(range(32)))], ids=["plain", "signed"])
def test_pymavlinks_client_commands_where_it_may(key: Key | None) -> None:
    seen, acks, mode, forward, answers = watched(250, passes_commands=True, key=key)
    assert "GLOBAL_POSITION_INT" in seen
    assert acks == [176]
    assert mode == CopterMode.GUIDED
    assert forward.num_relayed > 0
    assert not any(a.command == 176 for a in answers), "its answer was taken for ours"


def test_one_that_claims_to_be_us_is_never_passed_on() -> None:
    _, acks, mode, forward, _ = watched(255, passes_commands=True)
    assert acks == []
    assert mode == CopterMode.STABILIZE
    assert forward.num_refused > 0


class Onlooker(asyncio.DatagramProtocol):
    """A ground station in the loop's own time: takes the drone over while it sprays."""

    def __init__(self) -> None:
        self._in, self._out = m.MAVLink(None), m.MAVLink(None, 245, 190)
        self._in.robust_parsing = True
        self.num_heard, self.took_over_s = 0, -1.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for message in self._in.parse_buffer(bytearray(data)) or ():
            self.num_heard += 1
            is_wet = message.get_type() == "SERVO_OUTPUT_RAW" and message.servo9_raw > 1200
            if is_wet and self.took_over_s < 0:
                self.took_over_s = asyncio.get_running_loop().time()
                self.say(addr, CopterMode.LOITER)
                asyncio.get_running_loop().call_later(30.0, self.say, addr, CopterMode.LAND)

    def say(self, addr: Any, mode: CopterMode) -> None:
        order = m.MAVLink_command_long_message(1, 1, 176, 0, 1, mode, 0, 0, 0, 0, 0)
        self._transport.sendto(bytes(order.pack(self._out)), addr)


@pytest.mark.parametrize("may", [False, True])
def test_an_operation_is_looked_upon_and_taken_over(
    tiny_plan: MakePlan, tmp_path: Path, may: bool
) -> None:
    async def main() -> tuple[Outcome, EmbeddedCopter, Onlooker]:
        plan = tiny_plan()
        drones = list(plan.site.fleet)
        loop = asyncio.get_running_loop()
        transport, onlooker = await loop.create_datagram_endpoint(
            Onlooker, local_addr=("127.0.0.1", 0)
        )
        port = transport.get_extra_info("sockname")[1]
        async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
            outcome = await operate(
                plan,
                {"d1": fleet.connect(0)},
                tmp_path / "record",
                crew=crew_of(plan.site.policy, {"d1": fleet.copters[0]}),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                wiring=Wiring(forward=(f"udp:127.0.0.1:{port}",), passes_commands=may),
            )
            transport.close()
            return outcome, fleet.copters[0], onlooker

    outcome, copter, onlooker = run(main(), loop=VirtualLoop())
    codes = {e["code"] for e in read_record(tmp_path / "record").of("alert")}
    assert onlooker.num_heard > 500
    assert onlooker.took_over_s > 0
    assert not copter.state.is_armed
    assert copter.state.pump_frac == 0.0
    assert ("pilot" in codes) is may
    assert (outcome.num_flown == 1) is not may


@pytest.mark.parametrize("place", ["udp:127.0.0.1", "tcp:127.0.0.1:5", "udp:x:70000", "14550"])
def test_a_place_that_is_none_is_named(place: str) -> None:
    with pytest.raises(LinkLost, match=r"--forward .*wanted udp:HOST:PORT"):
        asyncio.run(open_forward(place))


def test_nobody_there_costs_nothing() -> None:
    async def main() -> Forward:
        forward = await open_forward(f"udp:127.0.0.1:{free_port()}")
        for _ in range(2000):
            forward.send(b"x" * 200)
            await asyncio.sleep(0)
        forward.close()
        return forward

    forward = asyncio.run(main())
    assert forward.num_sent + forward.num_dropped == 2000
