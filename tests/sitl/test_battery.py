from __future__ import annotations

import pytest

from skymist.sitl.battery import Battery, Level
from skymist.sitl.params import Params
from tests.sitl.ground import MODEL, drone


def test_a_full_tank_empties_the_battery_in_the_data_sheets_time() -> None:
    for litres, endurance_s in ((0.0, 1200), (16.0, 700)):
        battery = Battery(MODEL)
        lasted_s = 0.0
        while battery.left_frac > 0:
            battery.draw(litres, True, True, 1.0)
            lasted_s += 1
        assert lasted_s == pytest.approx(endurance_s, rel=0.02)


def test_charge_and_energy_agree() -> None:
    battery, params = Battery(MODEL), Params.of(drone())
    for _ in range(300):
        battery.draw(8, True, True, 1.0)
    assert battery.remaining_percent(params) == pytest.approx(100 * battery.left_frac, abs=1.1)
    assert battery.voltage_v < 49
    battery.swap()
    assert battery.left_frac == 1
    assert battery.remaining_percent(params) == 100


@pytest.mark.parametrize(
    ("params", "level"),
    [
        ({}, None),
        ({"BATT_LOW_MAH": 15000.0}, Level.LOW),
        ({"BATT_LOW_MAH": 15000.0, "BATT_CRT_MAH": 14000.0}, Level.CRITICAL),
    ],
)
def test_low_charge(params: dict[str, float], level: Level | None) -> None:
    battery = Battery(MODEL)
    battery.lose(0.5)
    capacity = {"BATT_CAPACITY": 22523.0, "BATT_LOW_VOLT": 0.0}
    assert battery.check(Params({**capacity, **params}), 1.0) == level
    assert battery.check(Params({**capacity, **params}), 2.0) is None, "told once"


def test_low_voltage_must_last() -> None:
    battery, params = Battery(MODEL), Params({"BATT_LOW_VOLT": 45.0, "BATT_CAPACITY": 22523.0})
    battery.drop_v = 6.0
    levels = [battery.check(params, float(t)) for t in range(1, 15)]
    assert levels[:10] == [None] * 10
    assert Level.LOW in levels


def test_reset_counter() -> None:
    battery = Battery(MODEL)
    battery.level = Level.LOW
    battery.reset_counter(60.0, 20000)
    assert battery.consumed_mah == pytest.approx(8000)
    assert battery.level is Level.FINE
