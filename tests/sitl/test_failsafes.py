"""Failsafes over bytes: what each does, and that none of them stops the pump."""

from __future__ import annotations

import asyncio

import pytest

from skymist.sitl.failsafes import GCS_ACTIONS, RADIO_ACTIONS, Action
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.state import Mode
from tests.sitl.ground import GRID, Ground, Row, tell
from tests.sitl.test_flights import long_leg


def fence(half_m: float) -> list[Row]:
    corners = ((-half_m, -half_m), (half_m, -half_m), (half_m, half_m), (-half_m, half_m))
    return [Row(5001, 6, (4, 0, 0, 0), *GRID.to_e7(x, y)) for x, y in corners]


async def launch_and_reach(ground: Ground, x: float, **params: float) -> None:
    await ground.launch(long_leg(), RTL_ALT_M=10, **params)
    await ground.wait_beyond(x)


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        (1, Mode.RTL),
        (3, Mode.RTL),
        (4, Mode.LAND),
        (5, Mode.LAND),
        (6, Mode.AUTO_RTL),
        (7, Mode.BRAKE),
    ],
)
def test_ground_station_lost(value: int, mode: Mode) -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60, FS_GCS_ENABLE=value)
        ground.beats = False
        lost_s = fleet.now_s
        await ground.wait_mode(mode, 10)
        assert 4 < fleet.now_s - lost_s < 7
        assert any("GCS Failsafe" in t for t in ground.texts)
        await asyncio.sleep(0.3)
        wet = fleet.copters[0].state.flow_lps > 0
        assert wet == (mode is not Mode.AUTO_RTL), "only the mission's own DO_SPRAYER 0 stops it"
        ground.beats = True
        await asyncio.sleep(3)
        assert any("GCS Failsafe Cleared" in t for t in ground.texts)

    tell(story)


def test_only_our_ground_station_counts() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 40, FS_GCS_ENABLE=5)
        ground._mav.srcSystem = 254
        await ground.wait_mode(Mode.LAND, 10)

    tell(story)


@pytest.mark.parametrize("params", [{"FS_GCS_ENABLE": 0}, {"FS_GCS_ENABLE": 1, "FS_OPTIONS": 2}])
def test_switched_off_or_told_to_go_on(params: dict[str, float]) -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 40, **params)
        ground.beats = False
        await asyncio.sleep(10)
        assert fleet.copters[0].state.mode is Mode.AUTO

    tell(story)


@pytest.mark.parametrize(("value", "mode"), [(1, Mode.RTL), (3, Mode.LAND), (6, Mode.AUTO_RTL)])
def test_radio_lost(value: int, mode: Mode) -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60, FS_THR_ENABLE=value)
        fleet.copters[0].faults.rc_lost = True
        await ground.wait_mode(mode, 5)
        fleet.copters[0].faults.rc_lost = False
        await asyncio.sleep(2)
        assert any("Radio Failsafe Cleared" in t for t in ground.texts)

    tell(story)


@pytest.mark.parametrize(("value", "mode"), [(1, Mode.LAND), (2, Mode.RTL), (6, Mode.AUTO_RTL)])
def test_battery_low(value: int, mode: Mode) -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60, BATT_FS_LOW_ACT=value, BATT_LOW_MAH=8000)
        fleet.copters[0].faults.battery_lost_frac = 0.7
        await ground.wait_mode(mode, 5)
        assert any("Battery 1 is low" in t for t in ground.texts)
        await ground.wait_disarmed()
        assert await ground.command(400, 1) == 4
        await asyncio.sleep(0.2)
        assert any("PreArm: Battery failsafe" in t for t in ground.texts)

    tell(story)


def test_battery_voltage_low_for_ten_seconds() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 40, BATT_FS_LOW_ACT=2, BATT_LOW_VOLT=44)
        fleet.copters[0].faults.battery_drop_v = 8
        dropped_s = fleet.now_s
        await ground.wait_mode(Mode.RTL, 20)
        assert 9 < fleet.now_s - dropped_s < 13

    tell(story)


@pytest.mark.parametrize(("action", "mode"), [(1, Mode.RTL), (2, Mode.LAND), (4, Mode.BRAKE)])
def test_fence_breached(action: int, mode: Mode) -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        assert await ground.upload(fence(80), 1) == 0
        await launch_and_reach(ground, 40, FENCE_ENABLE=1, FENCE_ACTION=action, FENCE_RADIUS=1000)
        await ground.wait_mode(mode, 30)
        # A heartbeat a second tells of the mode: 5 m at this speed.
        assert 80 < fleet.copters[0].state.x < 85.5
        assert any("Polygon fence breached" in t for t in ground.texts)
        await ground.wait(lambda m: m.get_type() == "FENCE_STATUS" and m.breach_status == 1)
        if mode is Mode.BRAKE:
            await asyncio.sleep(8)
            assert fleet.copters[0].state.flow_lps == 0, "standing still, the sprayer stops"

    tell(story)


def test_outside_the_fence_there_is_no_arming() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        far = [row._replace(lat_e7=row.lat_e7 + 20_000) for row in fence(50)]
        assert await ground.upload(far, 1) == 0
        await ground.set_param("FENCE_ENABLE", 1)
        await asyncio.sleep(10)
        assert await ground.command(400, 1) == 4
        await asyncio.sleep(0.2)
        assert any("fence" in t for t in ground.texts)

    tell(story)


def test_gps_lost_lands_and_sprays_on_meanwhile() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60)
        copter = fleet.copters[0]
        copter.faults.gps_lost = True
        copter.faults.wind_mps = 1.0
        lost_s, litres = fleet.now_s, copter.pumped_l
        await ground.wait_mode(Mode.LAND, 20)
        assert 7 < fleet.now_s - lost_s < 10
        assert copter.pumped_l - litres > 0.4
        await ground.wait(lambda m: m.get_type() == "EKF_STATUS_REPORT" and not m.flags & 16)
        await ground.wait_disarmed()

    tell(story)


def test_motor_failure_is_a_crash() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60)
        fleet.copters[0].faults.motor_failed = True
        await ground.wait_disarmed(10)
        assert any("Crash" in t for t in ground.texts)
        assert fleet.copters[0].state.z == 0

    tell(story)


def test_pump_stuck_shows_in_the_servo_and_in_the_truth() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60)
        copter = fleet.copters[0]
        copter.faults.pump_stuck_frac = 1.0
        assert await ground.command(216, 0) == 0
        await asyncio.sleep(2)
        assert copter.state.flow_lps == pytest.approx(0.08)
        assert ground.last["SERVO_OUTPUT_RAW"].servo9_raw == 1900

    tell(story)


def test_a_leak_empties_the_tank_beside_the_pump() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        fleet.copters[0].faults.tank_leak_lps = 0.1
        await asyncio.sleep(30)
        assert fleet.copters[0].tank_l == pytest.approx(13, abs=0.1)
        assert fleet.copters[0].pumped_l == 0

    tell(story)


def test_silence_on_the_link_lets_the_failsafe_fire() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60, FS_GCS_ENABLE=6)
        copter = fleet.copters[0]
        copter.faults.link_silent = True
        ground.heard.clear()
        await asyncio.sleep(15)
        assert not ground.heard
        assert copter.state.shown_mode is Mode.AUTO_RTL
        assert copter.state.flow_lps == 0
        copter.faults.link_silent = False
        await ground.wait_mode(Mode.AUTO_RTL, 5)

    tell(story)


def test_the_pilot_takes_over() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60)
        assert fleet.copters[0].pilot_mode(Mode.LOITER)
        await ground.wait_mode(Mode.LOITER, 3)
        await asyncio.sleep(10)
        state = fleet.copters[0].state
        assert state.z == pytest.approx(10, abs=0.1)
        assert abs(state.vx) < 0.01

    tell(story)


def test_loiter_by_the_ground_with_the_stick_down_sinks() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await launch_and_reach(ground, 60)
        assert await ground.command(176, 1, Mode.LOITER) == 0
        await asyncio.sleep(8)
        assert fleet.copters[0].state.z == 0

    tell(story)


def test_every_value_has_an_action() -> None:
    assert set(GCS_ACTIONS) == set(RADIO_ACTIONS) == set(range(8))
    assert GCS_ACTIONS[6] is RADIO_ACTIONS[6] is Action.LAND_START
