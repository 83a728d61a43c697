"""The copter without loop or pipe: bytes in, time in, bytes out."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.arming import ORIGIN_S, POSITION_S, SENSORS_S
from skymist.sitl.copter import STEP_S, EmbeddedCopter
from skymist.sitl.homing import Homing
from skymist.sitl.items import Item
from skymist.sitl.state import Mode
from tests.sitl.ground import GRID, HOME, drone


def copter(age_s: float = 0.0, **options: Any) -> EmbeddedCopter:
    return EmbeddedCopter(drone(), home=HOME, age_s=age_s, **options)


def live(machine: EmbeddedCopter, seconds: float) -> list[Any]:
    """Step, and give the messages that came out."""
    heard = mavlink.MAVLink(None)
    data = b""
    for _ in range(round(seconds / STEP_S)):
        machine.step(STEP_S)
        data += machine.outbox()
    return heard.parse_buffer(data) or []


def send(machine: EmbeddedCopter, message: Any) -> list[Any]:
    mav = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    machine.receive(bytes(message.pack(mav)))
    return mavlink.MAVLink(None).parse_buffer(machine.outbox()) or []


def test_an_answer_needs_no_step() -> None:
    machine = copter(60)
    machine.add_link()
    order = mavlink.MAVLink_command_long_message(1, 1, 216, 0, 0, 0, 0, 0, 0, 0, 0)
    (ack,) = send(machine, order)
    assert (ack.get_type(), ack.command, ack.result) == ("COMMAND_ACK", 216, 0)


def test_waking_up_has_its_times() -> None:
    machine = copter()
    machine.add_link()
    machine.pilot_mode(Mode.LOITER)
    texts = []
    flags: dict[float, int] = {}
    for second in range(50):
        messages = live(machine, 1.0)
        texts += [(second, m.text) for m in messages if m.get_type() == "STATUSTEXT"]
        report = send(
            machine, mavlink.MAVLink_command_long_message(1, 1, 512, 0, 193, 0, 0, 0, 0, 0, 0)
        )
        flags[second] = next(m.flags for m in report if m.get_type() == "EKF_STATUS_REPORT")
    said = {text: at for at, text in texts}
    assert said["EKF3 IMU0 origin set"] == pytest.approx(ORIGIN_S, abs=1)
    assert said["EKF3 IMU0 is using GPS"] == pytest.approx(POSITION_S, abs=1)
    assert any("PreArm: " in text for text in said), "reasons twice a minute"
    assert not flags[int(POSITION_S) - 1] & 16
    assert flags[int(POSITION_S) + 1] & 16


@pytest.mark.parametrize(
    ("age_s", "mode", "is_ready"),
    [
        (10.0, Mode.STABILIZE, False),
        (SENSORS_S + 1, Mode.STABILIZE, True),
        (SENSORS_S + 1, Mode.LOITER, False),
        (POSITION_S + 1, Mode.LOITER, True),
        (POSITION_S + 1, Mode.GUIDED, True),
        (POSITION_S + 1, Mode.RTL, False),
    ],
)
def test_arming_depends_on_age_and_mode(age_s: float, mode: Mode, is_ready: bool) -> None:
    machine = copter(age_s)
    machine.step(STEP_S)
    machine.pilot_mode(mode)
    answers = send(machine, mavlink.MAVLink_command_long_message(1, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0))
    ack = next(m for m in answers if m.get_type() == "COMMAND_ACK")
    assert (ack.result == 0) == is_ready == machine.state.is_armed


@pytest.mark.parametrize("dt_s", [0.02, 0.05, 0.1])
def test_the_length_of_the_step_hardly_matters(dt_s: float) -> None:
    machine = copter(60)
    machine.step(STEP_S)
    machine.pilot_mode(Mode.GUIDED)
    modes = machine._modes
    assert modes.motors.arm()
    assert modes.take_off(10.0)
    for _ in range(round(12 / dt_s)):
        machine.step(dt_s)
    assert machine.state.z == pytest.approx(10, abs=0.05)
    assert machine.state.now_s == pytest.approx(12.1)


def test_time_goes_in_small_steps_whatever_is_asked() -> None:
    machine = copter(60)
    machine.advance_to(25.05)
    assert machine.state.now_s == pytest.approx(25.05)
    machine.advance_to(3.0)
    assert machine.state.now_s == pytest.approx(25.05), "never back"


def rally(x: float, y: float, z: float = 20.0) -> Item:
    lat_e7, lon_e7 = GRID.to_e7(x, y)
    return Item(seq=0, command=5100, frame=3, lat_e7=lat_e7, lon_e7=lon_e7, z_m=z)


@pytest.mark.parametrize(
    ("points", "here", "wanted"),
    [
        ([], (100, 0, 5), (0, 0, 15)),
        ([], (100, 0, 30), (0, 0, 30)),
        ([], (2, 0, 1), (0, 0, 6)),
        ([rally(90, 0)], (100, 0, 5), (90, 0, 20)),
        ([rally(-50, 0)], (20, 0, 10), (0, 0, 15)),
        ([rally(90, 0, 40)], (100, 0, 5), (90, 0, 30)),
    ],
)
def test_where_home_is_and_how_high(
    points: list[Item], here: tuple[float, float, float], wanted: tuple[float, float, float]
) -> None:
    machine = copter(60)._machine
    machine.rally.replace_all(points)
    machine.guidance.position = machine.guidance.position.__class__(*here)
    machine.state.is_landed = False
    homing = Homing(machine)
    homing.begin()
    assert homing._above == pytest.approx(wanted, abs=0.2)


@pytest.mark.parametrize(("slope", "height_m"), [(3.0, 6.0), (1.0, 2.0), (0.4, 15.0), (0.0, 15.0)])
def test_the_cone_around_home_lowers_the_way_back(slope: float, height_m: float) -> None:
    machine = copter(60)._machine
    machine.params.put("RTL_CONE_SLOPE", slope)
    machine.guidance.position = machine.guidance.position.__class__(2.0, 0.0, 1.0)
    machine.state.is_landed = False
    homing = Homing(machine)
    homing.begin()
    assert homing._above.z == pytest.approx(height_m, abs=0.1)


def test_a_final_height_above_0_is_held_and_not_landed() -> None:
    machine = copter(60)
    machine.params.put("RTL_ALT_FINAL_M", 4.0)
    machine.step(STEP_S)
    machine.pilot_mode(Mode.GUIDED)
    assert machine._modes.motors.arm()
    assert machine._modes.take_off(10.0)
    machine.advance_to(machine.state.now_s + 15)
    machine.pilot_mode(Mode.RTL)
    machine.advance_to(machine.state.now_s + 60)
    assert machine.state.z == pytest.approx(4.0, abs=0.1)
    assert machine.state.is_armed


def test_sequence_numbers_run_on() -> None:
    machine = copter(60)
    machine.add_link()
    numbers = [m.get_seq() for m in live(machine, 30)]
    assert all((b - a) % 256 == 1 for a, b in itertools.pairwise(numbers))


def test_telemetry_is_in_the_units_of_the_wire() -> None:
    machine = copter(60)
    machine.add_link()
    ask = mavlink.MAVLink_command_long_message
    send(machine, ask(1, 1, 511, 0, 33, 1e6, 0, 0, 0, 0, 0))
    send(machine, ask(1, 1, 511, 0, 147, 1e6, 0, 0, 0, 0, 0))
    last = {m.get_type(): m for m in live(machine, 3)}
    place = last["GLOBAL_POSITION_INT"]
    assert (place.lat, place.lon) == (round(HOME[0] * 1e7), round(HOME[1] * 1e7))
    assert (place.alt, place.relative_alt) == (10_000, 0)
    battery = last["BATTERY_STATUS"]
    assert battery.voltages[0] == pytest.approx(12 * 4150, rel=0.01)
    assert battery.voltages[1] == 65535
    assert battery.battery_remaining >= 99
