"""The ground's clock keeps step with a simulator that falls behind the wall clock."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import time
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.ardupilot import ArduPilotFleet, SimulatorFailed
from skymist.sitl.loops import AHEAD_S, CATCH_UP, STALL_S, ScaledLoop, run
from skymist.sitl.pace import MUTE_S, VehicleClock
from skymist.sitl.testing.station import Station
from tests.sitl.test_ardupilot import HOME, drone


def told(boot_s: float) -> bytes:
    """One datagram as an autopilot sends it: a heartbeat and its time, packed by pymavlink."""
    link = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
    beat = mavlink.MAVLink_heartbeat_message(2, 3, 0, 0, 3, 3)
    clock = mavlink.MAVLink_system_time_message(0, round(boot_s * 1000))
    return bytes(beat.pack(link) + clock.pack(link))


def test_a_clock_waits_for_the_last_of_its_leaders_and_makes_up_for_it() -> None:
    speedup = 50.0
    loop = ScaledLoop(speedup)
    first_s, last_s = 1e9, 0.0
    loop.leaders += [lambda _: first_s, lambda _: last_s, lambda _: None]

    async def main() -> None:
        nonlocal last_s
        for _ in range(40):  # 0.4 s of the wall clock, in which the last stands still
            time.sleep(0.01)
            assert loop.time() <= last_s + AHEAD_S + 1e-9
        assert loop.time() == pytest.approx(AHEAD_S)
        last_s = 20.0
        began, before_s = time.monotonic(), loop.time()
        await asyncio.sleep(5.0)
        assert 5.0 <= loop.time() - before_s <= (time.monotonic() - began) * speedup * CATCH_UP
        last_s = loop.time()
        time.sleep(0.1)  # no turn for us, and theirs went on
        last_s += 0.1 * speedup
        assert loop.time() <= last_s - 0.1 * speedup + STALL_S + 1e-9
        await asyncio.sleep(last_s - loop.time())
        assert loop.time() >= last_s
        loop.leaders.clear()
        began, before_s = time.monotonic(), loop.time()
        time.sleep(0.05)
        gone_s = loop.time() - before_s
        assert 0.05 * speedup <= gone_s <= (time.monotonic() - began) * speedup

    run(main(), loop=loop)


def test_times_are_read_off_what_an_autopilot_sends_and_asked_for_where_none_come() -> None:
    loop = ScaledLoop(1.0)

    async def main() -> None:
        clock = await VehicleClock.start(loop, 7)
        reader: asyncio.Queue[bytes] = asyncio.Queue()

        class Autopilot(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                reader.put_nowait(data)

        sender, _ = await loop.create_datagram_endpoint(
            Autopilot, remote_addr=("127.0.0.1", clock.port)
        )
        assert clock.told_s(time.monotonic()) is None
        sender.sendto(told(30.0)[:21])  # a heartbeat alone
        order = mavlink.MAVLink(None).parse_buffer(await reader.get())[0]
        assert (order.target_system, order.command, order.param1) == (7, 511, 2.0)
        sender.sendto(told(30.0))
        await asyncio.sleep(0.05)
        here_s = clock.told_s(time.monotonic())
        assert here_s is not None
        assert here_s <= loop.time()
        sender.sendto(told(31.0))
        await asyncio.sleep(0.05)
        assert clock.told_s(time.monotonic()) == pytest.approx(here_s + 1.0)
        sender.sendto(told(2.0))  # it was booted anew
        await asyncio.sleep(0.05)
        anew_s = clock.told_s(time.monotonic())
        assert anew_s is not None
        assert here_s < anew_s <= loop.time()
        assert clock.told_s(time.monotonic() + MUTE_S + 0.1) is None
        sender.sendto(struct.pack("<B", 0xFD))  # no frame, no harm
        sender.close()
        clock.close()
        assert not loop.leaders

    run(main(), loop=loop)


@pytest.mark.ardupilot
def test_the_ground_waits_for_a_simulator_that_stands_still(arducopter: Path) -> None:
    speedup, still_s = 10.0, 1.0
    loop = ScaledLoop(speedup)

    async def main() -> None:
        fleet = ArduPilotFleet([drone()], homes=[HOME], speedup=speedup, binary=arducopter)
        async with fleet:
            station = Station(await fleet.open(0), target=drone().sysid)
            listening = asyncio.create_task(station.listen())
            (leader,) = loop.leaders
            async with asyncio.timeout(120.0):
                while leader(time.monotonic()) is None:
                    await asyncio.sleep(0.5)
            process = fleet._instances[0].process
            assert process is not None
            os.kill(process.pid, signal.SIGSTOP)
            before_s = loop.time()
            await asyncio.to_thread(time.sleep, still_s)
            gone_s = loop.time() - before_s
            os.kill(process.pid, signal.SIGCONT)
            assert gone_s < 0.3 * still_s * speedup
            await asyncio.sleep(5.0)
            here_s = leader(time.monotonic())
            assert here_s is not None
            assert abs(loop.time() - here_s) < 2.0
            listening.cancel()

    run(main(), loop=loop)


@pytest.mark.ardupilot
def test_a_simulator_that_hangs_is_what_is_told(
    arducopter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skymist.sitl.pace.STILL_S", 1.0)
    loop = ScaledLoop(5.0)

    async def main() -> None:
        fleet = ArduPilotFleet([drone()], homes=[HOME], speedup=5.0, binary=arducopter)
        async with fleet:
            station = Station(await fleet.open(0), target=drone().sysid)
            listening = asyncio.create_task(station.listen())
            (leader,) = loop.leaders
            while leader(time.monotonic()) is None:
                await asyncio.sleep(0.5)
            process = fleet._instances[0].process
            assert process is not None
            os.kill(process.pid, signal.SIGSTOP)
            await asyncio.to_thread(time.sleep, 1.5)
            listening.cancel()
            os.kill(process.pid, signal.SIGCONT)

    with pytest.raises(SimulatorFailed, match="stands still"):
        run(main(), loop=loop)
