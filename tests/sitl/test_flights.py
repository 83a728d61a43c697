"""Whole flights over bytes, judged by what really happened."""

from __future__ import annotations

import asyncio
import math
from itertools import pairwise

import pytest

from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.state import Mode
from tests.sitl.ground import (
    LAND,
    RTL,
    SPRAY_OFF,
    SPRAY_ON,
    Ground,
    Row,
    do,
    drone,
    land_start,
    takeoff,
    tell,
    waypoint,
)


def meadow() -> list[Row]:
    """Two swaths of 100 m, 4 m apart, sprayed from x = 10 to 110; the interlock at the end."""
    rows = [waypoint(0, 0, 0), SPRAY_OFF, takeoff(), do(178, 1, 5)]
    for y, (a, b) in ((10, (2, 118)), (14, (118, 2))):
        rows += [waypoint(a, y), do(114, 108), SPRAY_ON, do(114, 8), SPRAY_OFF, waypoint(b, y)]
    return [*rows, land_start(), SPRAY_OFF, RTL]


def long_leg() -> list[Row]:
    """One leg of 300 m, sprayed all along, then the way home with the sprayer off."""
    return [
        waypoint(0, 0, 0),
        SPRAY_OFF,
        takeoff(),
        waypoint(0, 10),
        SPRAY_ON,
        waypoint(300, 10),
        land_start(),
        SPRAY_OFF,
        RTL,
    ]


def test_a_mission_is_flown_sprayed_and_landed() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.launch(meadow(), RTL_ALT_M=10)
        await ground.wait_armed()
        await ground.wait_disarmed()

    copter = tell(story).copters[0]
    wet = copter.truth.wet_track()
    assert len(wet) == 2
    for stretch, (on, off) in zip(wet, ((10, 110), (110, 10)), strict=True):
        first, last = stretch.samples[0], stretch.samples[-1]
        assert abs(last.x - off) < 0.5, "switching off comes at once, with CONDITION_DISTANCE"
        late_m = abs(first.x - on)
        assert late_m < 5 * 0.7 + 0.1, "switching on comes within 0.67 s"
        assert all(abs(s.y - first.y) < 0.3 for s in stretch.samples)
    assert copter.pumped_l == pytest.approx(sum(s.litres_l for s in wet), abs=1e-6)
    assert copter.tank_l == pytest.approx(16 - copter.pumped_l)
    # 18 % per m/s at 5 m/s is 90 % of 0.08 L/s
    top = max(s.flow_lps for stretch in wet for s in stretch.samples)
    assert top == pytest.approx(0.072, rel=0.02)
    end = copter.truth[-1]
    assert math.hypot(end.x, end.y) < 0.3
    assert end.z == 0.0
    assert 0.6 < copter.battery_frac < 0.95


def test_the_same_seed_gives_the_same_flight() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        fleet.copters[0].faults.wind_mps = 4.0
        await ground.launch(meadow())
        await ground.wait_armed()
        await ground.wait_disarmed()

    first = tell(story, seed=3, gps_noise_m=0.5).copters[0].truth
    again = tell(story, seed=3, gps_noise_m=0.5).copters[0].truth
    other = tell(story, seed=4, gps_noise_m=0.5).copters[0].truth
    assert list(first) == list(again)
    assert list(first) != list(other)
    straight = [s.y for s in first if 20 < s.x < 100 and s.t_s < 50 and s.flow_lps > 0]
    assert 0.05 < max(abs(y - 10) for y in straight) < 2.5


@pytest.mark.parametrize(
    ("mode", "least_m", "most_m"),
    [(Mode.RTL, 60, 90), (Mode.LAND, 5, 9), (Mode.BRAKE, 6, 12)],
)
def test_leaving_auto_leaves_the_pump_on(mode: Mode, least_m: float, most_m: float) -> None:
    """ARDUPILOT.md 1: nothing but DO_SPRAYER 0, low speed or a reboot turns the pump off."""
    wet_m = 0.0

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        nonlocal wet_m
        await ground.launch(long_leg(), RTL_ALT_M=10)
        await ground.wait_beyond(60)
        left_s = fleet.now_s
        assert await ground.command(176, 1, mode) == 0
        await asyncio.sleep(80)
        for stretch in fleet.copters[0].truth.wet_track():
            after = [s for s in stretch.samples if s.t_s >= left_s]
            wet_m += sum(math.dist(a[1:3], b[1:3]) for a, b in pairwise(after))

    tell(story)
    assert least_m < wet_m < most_m


def test_coming_home_by_the_landing_sequence_is_dry() -> None:
    """ARDUPILOT.md 2: DO_LAND_START in place of RTL, 0.2 m and the latency of the next step."""

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.launch(long_leg(), RTL_ALT_M=10)
        await ground.wait_beyond(60)
        before_l = fleet.copters[0].pumped_l
        assert await ground.command(189) == 0
        await ground.wait_mode(Mode.AUTO_RTL)
        await ground.wait_disarmed()
        assert fleet.copters[0].pumped_l - before_l < 0.08 * 0.2

    tell(story)


def test_pump_is_off_whenever_do_sprayer_0_came_last() -> None:
    last: list[float] = []

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.launch(long_leg())
        await ground.wait_beyond(40)
        for wanted in (0, 1, 1, 0, 2, 0, 1, 0):
            assert await ground.command(216, wanted) == 0
            last.append(wanted)
            await asyncio.sleep(1.3)
            copter = fleet.copters[0]
            decisive = next(w for w in reversed(last) if w in (0, 1))
            assert (copter.state.flow_lps > 0) == (decisive == 1)

    tell(story)


def test_hovering_sprays_only_with_minimum_speed_0_and_a_minimum_opening() -> None:
    rows = [waypoint(0, 0, 0), takeoff(), waypoint(20, 0), SPRAY_ON, waypoint(20, 0, wait_s=10)]

    async def hover(ground: Ground, fleet: EmbeddedFleet, **params: float) -> float:
        await ground.launch([*rows, SPRAY_OFF, LAND], **params)
        await ground.wait_armed()
        await ground.wait_disarmed()
        return fleet.copters[0].pumped_l

    litres: dict[str, float] = {}

    async def still(ground: Ground, fleet: EmbeddedFleet) -> None:
        litres["still"] = await hover(ground, fleet, SPRAY_SPEED_MIN=100)

    async def open_(ground: Ground, fleet: EmbeddedFleet) -> None:
        litres["open"] = await hover(ground, fleet, SPRAY_SPEED_MIN=0, SPRAY_PUMP_MIN=40)

    tell(still)
    tell(open_)
    assert litres["still"] == 0
    assert litres["open"] > 0.4 * 0.08 * 9


def test_the_next_take_off_sprays_when_nobody_said_stop() -> None:
    """ARDUPILOT.md 1: disarm and arm again leave spraying permitted."""
    rows = [waypoint(0, 0, 0), takeoff(), waypoint(30, 0), SPRAY_ON, waypoint(80, 0), LAND]
    again = [waypoint(0, 0, 0), takeoff(), waypoint(200, 0), LAND]

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.launch(rows)
        await ground.wait_armed()
        await ground.wait_disarmed()
        before_l = fleet.copters[0].pumped_l
        assert await ground.command(176, 1, 0) == 0
        await ground.launch(again)
        await ground.wait_armed()
        await ground.wait_disarmed()
        assert fleet.copters[0].pumped_l > before_l + 0.5

    tell(story)


def test_an_empty_tank_leaves_the_servo_running() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.launch(long_leg())
        await ground.wait_beyond(250)
        copter = fleet.copters[0]
        assert copter.tank_l == 0
        assert copter.state.flow_lps == 0
        assert ground.last["SERVO_OUTPUT_RAW"].servo9_raw > 1500
        assert copter.pumped_l == pytest.approx(1.0)

    from dataclasses import replace

    from tests.sitl.ground import MODEL

    tell(story, drone=drone(sprayer=replace(MODEL.sprayer, tank_l=1.0)))


def test_after_landing_the_crew_refills_and_swaps_but_not_before() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        copter = fleet.copters[0]
        await ground.launch(meadow(), RTL_ALT_M=10)
        await ground.wait_armed()
        with pytest.raises(RuntimeError, match="landed and disarmed"):
            copter.refill()
        await ground.wait_beyond(50)
        with pytest.raises(RuntimeError, match="in the air"):
            copter.swap_battery()
        await ground.wait_disarmed()
        copter.refill(0.5)
        assert copter.tank_l == pytest.approx(16 - copter.pumped_l + 0.5)
        copter.refill()
        copter.swap_battery()
        assert (copter.tank_l, copter.battery_frac) == (16, 1.0)
        assert ground.last["MISSION_CURRENT"].mission_state == 5
        await ground.wait(lambda m: m.get_type() == "SYS_STATUS" and m.battery_remaining >= 99)

    tell(story)


def test_three_drones_in_one_process_fly_apart() -> None:
    from skymist.sitl.loops import VirtualLoop, run
    from tests.sitl.ground import HOME, on

    async def main() -> None:
        drones = [drone(sysid) for sysid in (1, 2, 3)]
        async with EmbeddedFleet(drones, homes=[HOME] * 3, warm_boot=True) as fleet:

            async def fly(index: int) -> None:
                async with on(fleet.connect(index), target=index + 1) as ground:
                    await ground.launch(meadow())
                    await ground.wait_armed()
                    await ground.wait_disarmed()
                    assert {m.get_srcSystem() for m in ground.heard} == {index + 1}

            await asyncio.gather(*(fly(i) for i in range(3)))
            assert len({round(c.pumped_l, 3) for c in fleet.copters}) == 1

    run(main(), loop=VirtualLoop())


def test_in_wind_the_battery_pays_for_drag() -> None:
    """docs/planning.md, Power in wind: against it, with it, and gusts on top."""

    def flown(wind_mps: float) -> EmbeddedCopter:
        async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
            fleet.copters[0].faults.wind_mps = wind_mps
            fleet.copters[0].faults.wind_toward_rad = math.pi
            await ground.launch(long_leg(), RTL_ALT_M=10)
            await ground.wait_armed()
            await ground.wait_disarmed()

        return tell(story).copters[0]

    def drag_w(through_mps: float) -> float:
        return 0.5 * 1.204 * 0.15 * 2.0**2 * through_mps**3 / 0.7

    still, windy = flown(0.0), flown(4.0)
    joules = 0.0
    for a, b in pairwise(windy.truth):
        took_s = b.t_s - a.t_s
        if took_s > 0 and b.z > 0:
            east, north = (b.x - a.x) / took_s, (b.y - a.y) / took_s
            more_w = drag_w(math.hypot(east + 4.0, north)) - drag_w(math.hypot(east, north))
            joules += max(more_w, drag_w(4.0)) * took_s
    more_wh = (still.battery_frac - windy.battery_frac) * 1000
    assert joules / 3600 < more_wh < 1.4 * joules / 3600, "drag grows with the cube: gusts cost"
