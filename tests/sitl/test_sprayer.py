from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.sitl.params import Params
from skymist.sitl.sprayer import PERIOD_S, SprayControl, Tank, pump_channel, run_pump, servo_pwm
from tests.sitl.ground import MODEL


def control(**values: float) -> SprayControl:
    made = SprayControl(Params({"SPRAY_PUMP_RATE": 10, **values}))
    made.reboot(0.0)
    return made


def run(made: SprayControl, until_s: float, speed_mps: float, start_s: float = 0.0) -> float:
    """Update until a time at one speed; give when the pump first ran, or infinity."""
    first = float("inf")
    while made.next_update_s <= until_s:
        at_s = made.next_update_s
        made.update(at_s, speed_mps)
        if made.pump_frac > 0:
            first = min(first, at_s)
    return first


@pytest.mark.parametrize("phase_s", [0.0, 0.1, 0.2, 0.3])
def test_switching_on_takes_a_third_to_two_thirds_of_a_second(phase_s: float) -> None:
    made = control()
    made.reboot(-phase_s)
    made.permit(True)
    assert PERIOD_S - 1e-9 <= run(made, 5, 3.0) <= 2 * PERIOD_S + 1e-9


def test_switching_off_comes_at_once() -> None:
    made = control()
    made.permit(True)
    run(made, 5, 3.0)
    assert made.pump_frac > 0
    made.permit(False)
    assert made.pump_frac == 0


def test_slowing_down_stops_the_pump_after_a_second() -> None:
    made = control(SPRAY_SPEED_MIN=100)
    made.permit(True)
    run(made, 5, 3.0)
    run(made, 5.9, 0.5)
    assert made.pump_frac > 0
    run(made, 7.0, 0.5)
    assert made.pump_frac == 0
    assert made.is_permitted, "and starts again with speed"
    run(made, 9.0, 3.0)
    assert made.pump_frac > 0


@given(speed=st.floats(0, 20), rate=st.floats(0, 100), least=st.floats(0, 100))
def test_opening_follows_speed_between_minimum_and_all(
    speed: float, rate: float, least: float
) -> None:
    made = control(SPRAY_PUMP_RATE=rate, SPRAY_PUMP_MIN=least, SPRAY_SPEED_MIN=0)
    made.permit(True)
    run(made, 5, speed)
    assert made.pump_frac == pytest.approx(min(max(rate * speed, least), 100) / 100)


def test_a_disabled_sprayer_cannot_be_permitted() -> None:
    made = control(SPRAY_ENABLE=0)
    made.permit(True)
    assert not made.is_permitted


def test_no_servo_with_the_function_no_pump() -> None:
    made = control(SERVO9_FUNCTION=0)
    made.permit(True)
    assert run(made, 5, 5.0) == float("inf")


def test_servo_shows_the_opening() -> None:
    params = Params({"SPRAY_PUMP_RATE": 10})
    made = SprayControl(params)
    assert pump_channel(params) == 9
    assert [servo_pwm(params, 9, made, f) for f in (0, 0.5, 1)] == [1100, 1500, 1900]
    assert servo_pwm(params, 10, made, 0) == 1100
    assert servo_pwm(Params({"SERVO9_REVERSED": 1}), 9, made, 0) == 1900
    assert servo_pwm(Params({"SERVO9_FUNCTION": 0}), 9, made, 0) == 0


def test_reboot_forbids_spraying() -> None:
    made = control()
    made.permit(True)
    run(made, 5, 5.0)
    made.reboot(5.0)
    assert (made.is_permitted, made.pump_frac) == (False, 0)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.05), st.floats(0, 30)), max_size=20))
def test_the_tank_never_gives_more_than_it_holds(flows: list[tuple[float, float, float]]) -> None:
    tank = Tank(MODEL.sprayer)
    for opening, leak, dt in flows:
        tank.draw(opening, leak, dt)
        assert tank.held_l >= 0
        assert tank.held_l + tank.pumped_l + tank.leaked_l == pytest.approx(16)
    if tank.held_l == 0:
        assert tank.flow_lps(1.0) == 0


def test_refilling() -> None:
    tank = Tank(MODEL.sprayer)
    tank.draw(1, 0, 100)
    tank.refill(2)
    assert tank.held_l == pytest.approx(10)
    tank.refill(99)
    assert tank.held_l == 16
    with pytest.raises(ValueError, match="litres must be 0 or more"):
        tank.refill(float("nan"))


def test_pieces_of_a_step_add_up() -> None:
    made = control()
    made.permit(True)
    drawn: list[tuple[float, float]] = []
    switched: list[float] = []
    for i in range(1, 31):
        run_pump(
            made, i * 0.1, 0.1, 5.0, lambda s: drawn.append((s, made.pump_frac)), switched.append
        )
    assert sum(s for s, _ in drawn) == pytest.approx(3.0)
    assert switched == [pytest.approx(2 * PERIOD_S)]
    assert sum(s for s, frac in drawn if frac > 0) == pytest.approx(3 - 2 * PERIOD_S)


def test_do_set_servo_sticks_and_no_do_sprayer_0_takes_it_back() -> None:
    """ARDUPILOT.md 4: no plan may contain it."""
    made = control()
    assert made.set_servo(9, 1500)
    run(made, 10, 0.0)
    made.permit(False)
    assert made.pump_frac == 0.5
    assert not made.set_servo(3, 1500)
    made.permit(True)
    made.permit(False)
    assert made.pump_frac == 0
