from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.channel import Channel
from skymist.flight.protocols import driver
from skymist.flight.safety.preflight import Check, PreflightReport, preflight
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly, sortie

DRONE = Drone(
    id="d1",
    pad_id="p1",
    model=DroneModel(
        id="m",
        name="M",
        sprayer=Sprayer(tank_l=16, flow_min_lps=0.01, flow_max_lps=0.06, swath_m=4),
        body_m=1.5,
        dry_kg=15,
        endurance_empty_s=1200,
        endurance_full_s=600,
        battery_wh=800,
    ),
)
PARAMS = {
    "ARMING_CHECK": (1.0, 6),
    "SPRAY_ENABLE": (1.0, 2),
    "WP_SPD": (4.7, 9),
    "SPRAY_SPEED_MIN": (37.0, 9),
    "SERVO9_FUNCTION": (22.0, 4),
    "BATT_LOW_MAH": (0.0, 9),
    "BATT_LOW_VOLT": (10.5, 9),
    "FS_OPTIONS": (16.0, 6),
    **{f"SERVO{n}_FUNCTION": (0.0, 4) for n in range(1, 17) if n != 9},
}


def looked_at(change: Callable[[ScriptedVehicle], None]) -> PreflightReport:
    async def main() -> PreflightReport:
        link = FakeLink()
        vehicle = ScriptedVehicle(link)
        vehicle.params = dict(PARAMS)
        async with Channel(link) as channel:
            peer = channel.vehicle(1)
            await driver.upload(peer, sortie())
            change(vehicle)
            return await preflight(peer, sortie(), DRONE, patience_s=10.0)

    return fly(main())


def test_a_vehicle_that_may_fly() -> None:
    report = looked_at(lambda vehicle: None)
    assert report.findings == ()
    assert report.is_ready
    assert report.summary() == "ready"
    assert report.version is not None
    assert report.version.version[:3] == (4, 6, 2)
    assert report.battery_frac == 0.95
    assert report.differences is not None
    assert report.waited_s < 10


def _set(name: str, value: object) -> Callable[[ScriptedVehicle], None]:
    return lambda vehicle: setattr(vehicle, name, value)


def _param(name: str, value: float) -> Callable[[ScriptedVehicle], None]:
    return lambda vehicle: vehicle.params.update({name: (value, 9)})


def _without(name: str) -> Callable[[ScriptedVehicle], None]:
    return lambda vehicle: vehicle.params.pop(name) and None


def _command(number: int, result: int) -> Callable[[ScriptedVehicle], None]:
    return lambda vehicle: vehicle.command_results.update({number: [result] * 20})


@pytest.mark.parametrize(
    ("change", "check", "text"),
    [
        (_set("vehicle_type", 1), Check.FIRMWARE, "wanted ArduCopter on a multirotor"),
        (_set("is_armed", True), Check.FIRMWARE, "armed already"),
        (_set("ekf_flags", 0xA7), Check.POSITION, "EKF flag 16"),
        (_set("battery_frac", 0.3), Check.BATTERY, "wanted 50% or more, found 30%"),
        (_set("home", None), Check.HOME, "home is not set"),
        (_set("home", (601710000, 249400000)), Check.HOME, "home is 111 m from the pad"),
        (_set("place", (601700000, 249401000)), Check.PAD, "stands 5.6 m from its pad, wanted 3.0"),
        (_param("BATT_LOW_VOLT", 0), Check.FAILSAFES, "battery failsafe never fires"),
        (_param("BATT_LOW_VOLT", 6), Check.FAILSAFES, "BATT_LOW_VOLT 6 V on a battery of 12.6 V"),
        (_set("prearm_reasons", ["Compass not healthy"]), Check.PREARM, "Compass not healthy"),
        (_set("is_mute", True), Check.LINK, "none came"),
        (_command(216, 3), Check.SPRAYER, "has no sprayer"),
        (_command(216, 4), Check.SPRAYER, "FAILED"),
        (_command(216, -1), Check.SPRAYER, "no answer"),
        (_command(176, 4), Check.PREARM, "refused mode AUTO: FAILED"),
        (_param("SPRAY_ENABLE", 0), Check.SPRAYER, "SPRAY_ENABLE is 0, not 1"),
        (_param("SERVO9_FUNCTION", 0), Check.SPRAYER, "no servo output has function 22"),
        (_param("WP_SPD", 5), Check.PARAMETERS, "wp_speed_mps: wanted 4.7, found 5"),
        (_without("WP_SPD"), Check.PARAMETERS, "wp_speed_mps is not known"),
        (lambda vehicle: vehicle.lists[0].pop(), Check.MISSION, "mission: count: wanted"),
        (lambda vehicle: vehicle.lists[1].clear(), Check.MISSION, "fence: count: wanted 4"),
    ],
)
def test_each_reason_is_named(
    change: Callable[[ScriptedVehicle], None], check: Check, text: str
) -> None:
    report = looked_at(change)
    assert not report.is_ready
    found = [finding for finding in report.findings if finding.check is check]
    assert any(text in finding.text for finding in found), report.summary()


def test_a_mission_that_goes_on_without_its_links_is_told() -> None:
    report = looked_at(_param("FS_OPTIONS", 3))
    assert report.is_ready
    assert "bit 0: the mission goes on without its radio" in report.summary()
    assert "bit 1: the mission goes on without its ground station" in report.summary()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ARMING_CHECK", 0, "all"),
        ("ARMING_CHECK", 64, "all but ARMING_CHECK 64"),
        ("ARMING_SKIPCHK", -1, "all"),
        ("ARMING_SKIPCHK", 8, "ARMING_SKIPCHK 8"),
    ],
)
def test_checks_that_are_switched_off_are_told(name: str, value: float, words: str) -> None:
    def off(vehicle: ScriptedVehicle) -> None:
        vehicle.params.pop("ARMING_CHECK")
        vehicle.params[name] = (value, 6)

    report = looked_at(off)
    assert report.is_ready
    assert report.summary().endswith(f"its own checks before arming are switched off: {words}")


def test_every_reason_comes_over_a_lossy_link_and_disabled_checks_are_none() -> None:
    reasons = [f"Reason number {num}" for num in range(12)]

    def many(vehicle: ScriptedVehicle) -> None:
        vehicle.prearm_reasons = reasons
        obey = vehicle._obey

        def obey_lossily(command: int, params: tuple[float, ...]) -> None:
            if command == 401:
                text = b"PreArm: of a check that is off"
                vehicle.say(mavlink.MAVLink_statustext_message(7, text))
                vehicle._link.loss_frac = 0.2
                obey(command, params)
                vehicle._link.loss_frac = 0.0
            else:
                obey(command, params)

        vehicle._obey = obey_lossily  # type: ignore[method-assign]

    report = looked_at(many)
    found = [f.text for f in report.findings if f.check is Check.PREARM]
    assert sorted(found) == sorted(reasons)


def test_why_a_mode_is_refused_follows_the_refusal() -> None:
    def late(vehicle: ScriptedVehicle) -> None:
        vehicle.command_results[176] = [4] * 9
        on_command = vehicle._on_command_long

        def answered(message: Any) -> None:
            on_command(message)
            if message.command == 176:
                text = mavlink.MAVLink_statustext_message(4, b"Auto: Missing Takeoff Cmd")
                asyncio.get_running_loop().call_later(0.5, vehicle.say, text)

        vehicle._on_command_long = answered  # type: ignore[method-assign]

    assert "FAILED (Auto: Missing Takeoff Cmd)" in looked_at(late).summary()


def test_a_threshold_in_mah_is_enough() -> None:
    def counted(vehicle: ScriptedVehicle) -> None:
        vehicle.params.update({"BATT_LOW_VOLT": (0.0, 9), "BATT_LOW_MAH": (1500.0, 9)})

    assert looked_at(counted).is_ready


def test_no_sprayer_at_all() -> None:
    report = looked_at(lambda vehicle: vehicle.params.clear())
    assert "SPRAY_ENABLE is nothing, not 1" in report.summary()


def test_a_vehicle_with_another_mission_is_not_put_into_auto() -> None:
    async def main() -> int:
        link = FakeLink()
        vehicle = ScriptedVehicle(link)
        vehicle.params = dict(PARAMS)
        async with Channel(link) as channel:
            await preflight(channel.vehicle(1), sortie(), DRONE, patience_s=5.0)
        return vehicle.mode

    assert fly(main()) == 0


def test_it_waits_for_what_comes_by_itself() -> None:
    def later(vehicle: ScriptedVehicle) -> None:
        vehicle.ekf_flags, vehicle.prearm_reasons = 0, ["Need Position Estimate"]

        def ready() -> None:
            vehicle.ekf_flags, vehicle.prearm_reasons = 831, []

        asyncio.get_running_loop().call_later(6.0, ready)

    report = looked_at(later)
    assert report.is_ready, report.summary()
    assert report.waited_s > 5


def test_the_wrong_vehicle_and_a_lost_link() -> None:
    async def main() -> None:
        link = FakeLink()
        ScriptedVehicle(link, sysid=9)
        async with Channel(link) as channel:
            report = await preflight(channel.vehicle(9), sortie(), DRONE)
            assert "has system id 1, the vehicle on this link has 9" in report.summary()
            asyncio.get_running_loop().call_later(0.1, link.close)
            with pytest.raises(LinkLost):
                await preflight(channel.vehicle(1), sortie(), DRONE)

    fly(main())
