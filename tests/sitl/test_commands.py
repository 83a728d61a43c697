"""Commands over bytes: each with its acknowledgement, on the ground and in the air."""

from __future__ import annotations

import asyncio

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.params import Firmware
from skymist.sitl.state import Mode
from tests.sitl.ground import (
    GRID,
    HOME,
    LAND,
    RTL,
    SPRAY_ON,
    Ground,
    Row,
    do,
    drone,
    land_start,
    on,
    takeoff,
    tell,
    waypoint,
)

OK, REJECTED, DENIED, UNSUPPORTED, FAILED = range(5)

ON_THE_GROUND = [
    ("spray on", 216, (1,), OK),
    ("spray off", 216, (0,), OK),
    ("spray other", 216, (5,), OK),
    ("unknown", 31_999, (), UNSUPPORTED),
    ("disarm", 400, (0,), OK),
    ("arm oddly", 400, (5,), UNSUPPORTED),
    ("start with range", 300, (1,), DENIED),
    ("auto", 176, (1, 3), OK),
    ("no such mode", 176, (1, 99), FAILED),
    ("mode without custom", 176, (0, 3), DENIED),
    ("pause on the ground", 193, (0,), FAILED),
    ("pause oddly", 193, (7,), DENIED),
    ("landing sequence without one", 189, (), FAILED),
    ("current past end", 224, (99,), DENIED),
    ("take off in stabilize", 22, (0, 0, 0, 0, 0, 0, 10), FAILED),
    ("rtl", 20, (), OK),
    ("land", 21, (), OK),
    ("battery reset", 42651, (1, 100), OK),
    ("battery reset beyond", 42651, (1, 101), FAILED),
    ("prearm", 401, (), OK),
    ("unknown message interval", 511, (9999, 1000), DENIED),
    ("negative interval", 511, (33, -5), DENIED),
    ("interval off", 511, (33, -1), OK),
    ("request message", 512, (42,), OK),
    ("request unknown message", 512, (9999,), FAILED),
    ("reboot oddly", 246, (0,), UNSUPPORTED),
    ("speed on the ground", 178, (1, 4), FAILED),
    ("fence on", 207, (1,), OK),
    ("fence oddly", 207, (7,), FAILED),
]


@pytest.mark.parametrize(("name", "number", "params", "result"), ON_THE_GROUND)
def test_on_the_ground(name: str, number: int, params: tuple[float, ...], result: int) -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        assert await ground.command(number, *params) == result

    tell(story)


def test_set_message_interval_and_stop() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await asyncio.sleep(5)
        kinds = {m.get_type() for m in ground.heard}
        assert kinds <= {"HEARTBEAT", "STATUSTEXT"}
        await ground.interval(33, 4)
        ground.heard.clear()
        await asyncio.sleep(10)
        assert 39 <= sum(m.get_type() == "GLOBAL_POSITION_INT" for m in ground.heard) <= 41
        await ground.command(511, 33, -1)
        ground.heard.clear()
        await asyncio.sleep(5)
        assert not any(m.get_type() == "GLOBAL_POSITION_INT" for m in ground.heard)

    tell(story)


@pytest.mark.parametrize("is_asked", [False, True])
def test_heartbeat_once_a_second(is_asked: bool) -> None:
    """As ArduCopter does: one that is asked for goes in place of its own, not beside it."""

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        if is_asked:
            await ground.interval(0, 1)
        ground.heard.clear()
        await asyncio.sleep(30)
        assert 29 <= sum(m.get_type() == "HEARTBEAT" for m in ground.heard) <= 31

    tell(story)


def test_every_offered_message_can_be_built() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await asyncio.sleep(10)
        for number in (0, 1, 2, 24, 30, 32, 33, 36, 42, 49, 74, 147, 148, 162, 193, 242, 245):
            assert await ground.command(512, number) == OK
            await asyncio.sleep(0.2)
            name = mavlink.mavlink_map[number].msgname
            assert name in ground.last, name

    tell(story)


def test_arming_names_its_reasons_before_there_is_a_position() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.set_param("AUTO_OPTIONS", 3)
        assert await ground.upload([waypoint(0, 0, 0), takeoff(), LAND]) == 0
        assert await ground.command(176, 1, Mode.AUTO) == OK, "AUTO is taken while disarmed"
        assert await ground.command(400, 1) == FAILED
        await asyncio.sleep(0.2)
        assert any("Need Position Estimate" in t for t in ground.texts)

    tell(story)


def test_armed_in_stabilize_too_early_auto_is_refused_and_the_motors_stop() -> None:
    """ARDUPILOT.md 13."""

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        assert await ground.upload([waypoint(0, 0, 0), takeoff(), LAND]) == 4, "too early"
        await asyncio.sleep(25)
        assert await ground.upload([waypoint(0, 0, 0), takeoff(), LAND]) == 0
        assert await ground.command(176, 1, Mode.STABILIZE) == OK
        assert await ground.command(400, 1) == OK
        assert await ground.command(300) == FAILED
        await asyncio.sleep(0.5)
        assert any("requires position" in t for t in ground.texts)
        await ground.wait_disarmed(15)

    tell(story, warm_boot=False)


def test_auto_must_be_allowed_to_be_armed_in() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.watch()
        assert await ground.upload([waypoint(0, 0, 0), takeoff(), LAND]) == 0
        await ground.command(176, 1, Mode.AUTO)
        await ground.wait_ready()
        assert await ground.command(400, 1) == FAILED
        await asyncio.sleep(0.2)
        assert any("AUTO mode not armable" in t for t in ground.texts)

    tell(story)


def test_set_current_on_the_ground_then_start_spins_but_does_not_fly() -> None:
    """ARDUPILOT.md 12: all accepted, nothing flies."""

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.watch()
        await ground.set_param("AUTO_OPTIONS", 3)
        rows = [waypoint(0, 0, 0), takeoff(), waypoint(50, 0), waypoint(80, 0), LAND]
        assert await ground.upload(rows) == 0
        assert await ground.command(224, 3) == OK
        assert await ground.command(176, 1, Mode.AUTO) == OK
        await ground.wait_ready()
        assert await ground.command(400, 1) == OK
        assert await ground.command(300) == OK
        await asyncio.sleep(8)
        assert fleet.copters[0].state.is_armed
        assert fleet.copters[0].state.z == 0
        await ground.wait_disarmed(20)

    tell(story)


def test_in_the_air() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        rows = [waypoint(0, 0, 0), takeoff(), waypoint(400, 0), land_start(), RTL]
        await ground.launch(rows)
        await ground.wait_beyond(30)
        assert await ground.command(400, 0) == FAILED, "no disarming in the air"
        assert await ground.command(401) == REJECTED
        assert await ground.command(246, 1) == FAILED, "no reboot while armed"
        assert await ground.command(193, 0) == OK
        await asyncio.sleep(6)
        stood = fleet.copters[0].state.x
        await asyncio.sleep(5)
        assert fleet.copters[0].state.x == pytest.approx(stood, abs=0.3)
        assert await ground.command(193, 1) == OK
        await asyncio.sleep(6)
        assert fleet.copters[0].state.x > stood + 10
        assert await ground.command(178, 1, 2) == OK
        await asyncio.sleep(5)
        assert fleet.copters[0].state.vx == pytest.approx(2, abs=0.1)
        clear = mavlink.MAVLink_mission_clear_all_message(1, 1)
        assert (await ground.ask(clear, "MISSION_ACK")).type == 1, "not while it is flown"

    tell(story)


def test_guided_flight() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.watch()
        assert await ground.command(176, 1, Mode.GUIDED) == OK
        await ground.wait_ready()
        assert await ground.command(400, 1) == OK
        assert await ground.command(22, 0, 0, 0, 0, 0, 0, 8) == OK
        await asyncio.sleep(15)
        assert fleet.copters[0].state.z == pytest.approx(8, abs=0.1)
        lat_e7, lon_e7 = GRID.to_e7(30, 20)
        move = mavlink.MAVLink_command_int_message(
            1, 1, 6, 192, 0, 0, -1, 1, 0, 0, lat_e7, lon_e7, 12
        )
        assert (await ground.ask(move, "COMMAND_ACK")).result == OK
        await asyncio.sleep(25)
        state = fleet.copters[0].state
        assert (state.x, state.y, state.z) == pytest.approx((30, 20, 12), abs=0.2)

    tell(story)


def test_a_reboot_is_acknowledged_keeps_what_is_stored_and_forgets_the_rest() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.watch()
        await ground.set_param("FS_GCS_ENABLE", 6)
        assert await ground.upload([waypoint(0, 0, 0), takeoff(), LAND]) == 0
        assert await ground.command(246, 1) == OK
        await asyncio.sleep(3)
        assert fleet.copters[0].params["FS_GCS_ENABLE"] == 6
        assert len(await ground.download()) == 3
        ground.heard.clear()
        await asyncio.sleep(3)
        assert not any(m.get_type() == "SYS_STATUS" for m in ground.heard)
        assert await ground.command(400, 1) == FAILED
        assert any("PreArm" in t for t in ground.texts)

    tell(story)


def test_a_reboot_in_the_middle_of_an_upload_leaves_it_broken() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        old = [waypoint(0, 0, 0), takeoff(), waypoint(10, 0), waypoint(20, 0), LAND]
        assert await ground.upload(old) == 0
        new = [waypoint(0, 0, 0), takeoff(), waypoint(0, 30), waypoint(0, 60), LAND]
        ground.send(mavlink.MAVLink_mission_count_message(1, 1, 5))
        for seq in range(3):
            ground.send(ground.item(seq, new[seq]))
        assert await ground.command(246, 1) == OK
        await asyncio.sleep(3)
        back = await ground.download()
        assert [(m.x, m.y) for m in back[2:4]] == [
            (new[2].lat_e7, new[2].lon_e7),
            (old[3].lat_e7, old[3].lon_e7),
        ]

    tell(story)


@pytest.mark.parametrize("num_items", [2, 12, 650])
def test_what_was_uploaded_is_what_is_downloaded(num_items: int) -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        rows = [waypoint(i * 0.7, -i * 1.3, 5 + i % 9) for i in range(num_items)]
        assert await ground.upload(rows) == 0
        back = await ground.download()
        assert len(back) == num_items
        assert (back[0].x, back[0].y, back[0].frame) == (0, 0, 0) or back[0].frame == 0
        for message, row in zip(back[1:], rows[1:], strict=True):
            assert (message.command, message.x, message.y) == (16, row.lat_e7, row.lon_e7)
            assert message.frame == 3
            assert message.z == pytest.approx(row.z_m, abs=0.011)

    tell(story)


def test_more_items_than_there_is_room_for() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        for mission_type, most in ((0, 650), (1, 70), (2, 46)):
            count = mavlink.MAVLink_mission_count_message(1, 1, most + 1, mission_type=mission_type)
            answer = await ground.ask(count, "MISSION_ACK")
            assert (answer.type, answer.mission_type) == (4, mission_type)

    tell(story)


def test_a_second_ground_station_is_denied_during_a_transfer() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        count = mavlink.MAVLink_mission_count_message(1, 1, 3)
        await ground.ask(count, "MISSION_REQUEST")
        async with on(fleet.connect(0), sysid=254) as other:
            assert (await other.ask(count, "MISSION_ACK")).type == 14
            reading = mavlink.MAVLink_mission_request_list_message(1, 1)
            assert (await other.ask(reading, "MISSION_ACK")).type == 14
            await asyncio.sleep(9)
            assert (await other.ask(reading, "MISSION_COUNT")).count <= 3

    tell(story)


def test_parameters_over_the_wire() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        assert await ground.set_param("WPNAV_SPEED", 350) == 350
        assert fleet.copters[0].params["WP_SPD"] == pytest.approx(3.5)
        for name in (b"WP_SPD", b"NO_SUCH_NAME"):
            with pytest.raises(TimeoutError):
                await ground.ask(
                    mavlink.MAVLink_param_request_read_message(1, 1, name, -1), "PARAM_VALUE", 3
                )
        ground.heard.clear()
        ground.send(mavlink.MAVLink_param_request_list_message(1, 1))
        await asyncio.sleep(3)
        values = [m for m in ground.heard if m.get_type() == "PARAM_VALUE"]
        assert sorted(m.param_index for m in values) == list(range(values[0].param_count))

    tell(story, firmware=Firmware.DEV_2025_10)


def test_messages_for_others_are_passed_over() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        ground.target = 77
        with pytest.raises(TimeoutError):
            await ground.command(216, 1)
        assert fleet.copters[0].state.pump_frac == 0

    tell(story)


def test_home_can_be_asked_for_and_set() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await asyncio.sleep(10)
        assert await ground.command(410) == OK
        home = ground.last["HOME_POSITION"]
        assert (home.latitude, home.longitude) == (round(HOME[0] * 1e7), round(HOME[1] * 1e7))
        assert home.altitude == 10_000

    tell(story)


def test_a_mission_that_jumps_back_sprays_twice() -> None:
    rows: list[Row] = [
        waypoint(0, 0, 0),
        takeoff(),
        waypoint(10, 0),
        SPRAY_ON,
        waypoint(40, 0),
        do(216, 0),
        do(177, 2, 1),
        LAND,
    ]

    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        await ground.launch(rows)
        await ground.wait_armed()
        await ground.wait_disarmed()
        assert len(fleet.copters[0].truth.wet_track()) == 2

    tell(story, drone=drone())
