"""Faults by name on a real ArduCopter: each is seen by what the copter does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.ardupilot_faults import (
    PARAMETERS,
    UNKNOWN_TO_ARDUPILOT,
    FaultUnavailable,
    require_known,
)
from skymist.sitl.faults import DEEDS, LINK_FAULTS, LOW_FENCE_M, VEHICLE_FAULTS, LinkFaults
from skymist.sitl.loops import ScaledLoop, run
from skymist.sitl.proxy import JoiningPipe, LinkProxy
from skymist.sitl.streams import open_tcp_pipe
from tests.sitl.ground import HOME, RTL, SPRAY_OFF, Ground, drone, on, takeoff, waypoint

SPEEDUP = 20.0
FAR = [waypoint(0, 0, 0), SPRAY_OFF, takeoff(10), waypoint(0, 400), RTL]
See = Callable[[Ground], Awaitable[None]]


def test_every_vehicle_fault_has_a_real_counterpart_or_says_that_it_has_none() -> None:
    known = {*PARAMETERS, "battery-drop", "pump-stuck", "link-silent", "text-flood"}
    assert known | UNKNOWN_TO_ARDUPILOT == set(VEHICLE_FAULTS)
    for name in (*known, *DEEDS):
        require_known(name)
    for name in UNKNOWN_TO_ARDUPILOT:
        with pytest.raises(FaultUnavailable, match="use --sim embedded"):
            require_known(name)
    with pytest.raises(KeyError):
        require_known("no such fault")


async def _gps_gone(ground: Ground) -> None:
    await ground.wait(lambda m: m.get_type() == "GPS_RAW_INT" and m.fix_type <= 1)
    await ground.wait(lambda m: m.get_type() == "HEARTBEAT" and m.custom_mode in (4, 9, 6))


async def _radio_gone(ground: Ground) -> None:
    await ground.wait_mode(6)


async def _falls(ground: Ground) -> None:
    await ground.wait(lambda m: m.get_type() == "GLOBAL_POSITION_INT" and m.relative_alt < 500, 30)
    async with asyncio.timeout(30):
        while not any("Hit ground" in text for text in ground.texts):
            await asyncio.sleep(0.5)


async def _pump_open(ground: Ground) -> None:
    await ground.wait(lambda m: m.get_type() == "SERVO_OUTPUT_RAW" and m.servo9_raw == 1900)


async def _windy(ground: Ground) -> None:
    await ground.interval(30, 4)
    await ground.wait(lambda m: m.get_type() == "ATTITUDE" and abs(m.roll) + abs(m.pitch) > 0.05)


async def _battery_low(ground: Ground) -> None:
    await ground.wait(lambda m: m.get_type() == "SYS_STATUS" and m.battery_remaining <= 30)


async def _chatters(ground: Ground) -> None:
    before = len(ground.texts)
    async with asyncio.timeout(30):
        while len(ground.texts) - before <= 250:
            await asyncio.sleep(0.5)


async def _fenced(ground: Ground) -> None:
    await ground.set_param("FENCE_ENABLE", 1)
    await ground.interval(162, 4)
    await ground.wait(lambda m: m.get_type() == "FENCE_STATUS" and m.breach_status)


async def _in_loiter(ground: Ground) -> None:
    await ground.wait_mode(5)


SIGNS: dict[str, See] = {
    "text-flood": _chatters,
    "fence": _fenced,
    "pilot": _in_loiter,
    "gps-lost": _gps_gone,
    "rc-lost": _radio_gone,
    "motor-failed": _falls,
    "pump-stuck": _pump_open,
    "wind": _windy,
    "battery-drop": _battery_low,
}


def with_real(binary: Path, story: Callable[[ArduPilotFleet], Awaitable[None]]) -> None:
    async def main() -> None:
        async with ArduPilotFleet([drone()], homes=[HOME], speedup=SPEEDUP, binary=binary) as fleet:
            await story(fleet)

    run(main(), loop=ScaledLoop(SPEEDUP))


@asynccontextmanager
async def through(proxy: LinkProxy) -> AsyncIterator[Ground]:
    pipe = await open_tcp_pipe("127.0.0.1", proxy.port)
    try:
        async with on(pipe) as ground:
            yield ground
    finally:
        pipe.close()


async def in_the_air(ground: Ground) -> None:
    await ground.wait("HEARTBEAT", 60)
    await asyncio.sleep(2)
    await ground.launch(FAR)
    await ground.wait(
        lambda m: m.get_type() == "GLOBAL_POSITION_INT" and m.relative_alt > 9000, 120
    )


@pytest.mark.ardupilot
@pytest.mark.parametrize("name", sorted(SIGNS))
def test_a_fault_shows_on_the_real_copter(arducopter: Path, name: str) -> None:
    async def story(fleet: ArduPilotFleet) -> None:
        async with on(await fleet.open(0)) as ground:
            await in_the_air(ground)
            await fleet.break_vehicle(0, name)
            await SIGNS[name](ground)
            await fleet.mend_vehicle(0, name)
            if name == "pump-stuck":
                await ground.wait(
                    lambda m: m.get_type() == "SERVO_OUTPUT_RAW" and m.servo9_raw == 1100
                )
                await ground.command(216, 1)
                await ground.wait(
                    lambda m: m.get_type() == "SERVO_OUTPUT_RAW" and 1200 < m.servo9_raw < 1900
                )

    with_real(arducopter, story)


@pytest.mark.ardupilot
def test_the_real_ceiling_is_lifted_to_where_it_was_and_stays_if_it_was_not_lowered(
    arducopter: Path,
) -> None:
    async def story(fleet: ArduPilotFleet) -> None:
        async def ceiling_m() -> float:
            async with fleet._crew_line(0) as line:
                return await line.param("FENCE_ALT_MAX")

        async with on(await fleet.open(0)) as ground:
            await ground.wait("HEARTBEAT", 60)
            assert await ground.set_param("FENCE_ALT_MAX", 31) == 31
            await fleet.mend_vehicle(0, "fence")
            assert await ceiling_m() == 31
            await fleet.break_vehicle(0, "fence")
            assert await ceiling_m() == LOW_FENCE_M
            await fleet.mend_vehicle(0, "fence")
            await fleet.mend_vehicle(0, "fence")
            assert await ceiling_m() == 31

    with_real(arducopter, story)


@pytest.mark.ardupilot
def test_a_reboot_in_the_air_is_joined_again_behind_the_proxy(arducopter: Path) -> None:
    async def story(fleet: ArduPilotFleet) -> None:
        port = int(fleet.addresses[0].rpartition(":")[2])
        async with LinkProxy(port, faults=LinkFaults()) as proxy, through(proxy) as ground:
            await in_the_air(ground)
            await fleet.break_vehicle(0, "reboot")
            await ground.wait_disarmed(300)
            await asyncio.sleep(2)
            assert len(await ground.download()) == len(FAR)  # what is stored stays

    with_real(arducopter, story)


@pytest.mark.ardupilot
def test_a_spoilt_link_of_a_real_copter_loses_frames(arducopter: Path) -> None:
    async def heard(fleet: ArduPilotFleet, faults: LinkFaults) -> int:
        port = int(fleet.addresses[0].rpartition(":")[2])
        async with LinkProxy(port, faults=faults) as proxy, through(proxy) as ground:
            await ground.wait("HEARTBEAT", 60)
            for _ in range(5):
                ground.send(_interval(33, 20))
                await asyncio.sleep(1)
            start = len(ground.heard)
            await asyncio.sleep(20)
            return sum(m.get_type() == "GLOBAL_POSITION_INT" for m in ground.heard[start:])

    async def story(fleet: ArduPilotFleet) -> None:
        whole = await heard(fleet, LinkFaults())
        spoilt = await heard(fleet, LINK_FAULTS["heavy-loss"])
        assert whole > 200
        assert 0.5 * whole < spoilt < 0.85 * whole

    with_real(arducopter, story)


def _interval(message_id: int, rate_hz: float) -> Any:
    from pymavlink.dialects.v20 import ardupilotmega as mavlink

    return mavlink.MAVLink_command_long_message(1, 1, 511, 0, message_id, 1e6 / rate_hz, *[0] * 5)


def test_a_port_that_never_answers_ends_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skymist.sitl.proxy.JOIN_TIMEOUT_S", 0.3)

    async def main() -> None:
        pipe = JoiningPipe(9)
        pipe.write(b"dropped")
        assert await pipe.read() == b""
        pipe.close()

    run(main(), loop=ScaledLoop(1))
