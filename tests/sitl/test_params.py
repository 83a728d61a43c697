from __future__ import annotations

import math

import pytest

from skymist.sitl.params import Firmware, Params, ParamType
from tests.sitl.ground import drone


def wire(params: Params, name: str) -> float:
    answer = params.answer(name)
    assert answer is not None
    return answer.value


@pytest.mark.parametrize(
    ("firmware", "name", "value"),
    [
        (Firmware.V4_7, "WP_SPD", 5.0),
        (Firmware.DEV_2025_10, "WPNAV_SPEED", 500.0),
        (Firmware.V4_6, "WPNAV_SPEED", 500.0),
        (Firmware.V4_7, "RTL_ALT_M", 15.0),
        (Firmware.V4_6, "RTL_ALT", 1500.0),
        (Firmware.V4_7, "MAV_GCS_SYSID", 255),
        (Firmware.DEV_2025_10, "MAV_GCS_SYSID", 255),
        (Firmware.V4_6, "SYSID_MYGCS", 255),
        (Firmware.V4_7, "ARMING_SKIPCHK", 0),
        (Firmware.V4_6, "ARMING_CHECK", 1),
        (Firmware.V4_7, "WP_JERK", 1.0),
    ],
)
def test_names_and_units_of_each_generation(firmware: Firmware, name: str, value: float) -> None:
    assert wire(Params.of(drone(), firmware), name) == pytest.approx(value)


def test_names_of_other_generations_do_not_answer() -> None:
    assert Params.of(drone()).answer("WPNAV_SPEED") is None
    assert Params.of(drone(), Firmware.V4_6).answer("WP_SPD") is None
    assert Params.of(drone()).set("WPNAV_SPEED", 500) is None


def test_setting_in_centimetres_is_kept_in_metres() -> None:
    params = Params.of(drone(), Firmware.V4_6)
    assert params.set("WPNAV_SPEED", 350) is not None
    assert params["WP_SPD"] == pytest.approx(3.5)
    params.set("ARMING_CHECK", 0)
    assert params["ARMING_SKIPCHK"] == -1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_are_passed_over(value: float) -> None:
    assert Params.of(drone()).set("WP_SPD", value) is None


def test_whole_numbers_stay_whole_and_counters_stay() -> None:
    params = Params.of(drone())
    answer = params.set("FENCE_ENABLE", 1.7)
    assert answer is not None
    assert (answer.value, answer.type) == (1.0, ParamType.INT8)
    assert params.set("MIS_TOTAL", 50) is not None
    assert params["MIS_TOTAL"] == 0


def test_the_list_is_whole_and_in_order() -> None:
    params = Params.of(drone())
    answers = list(params.answers())
    assert [a.position for a in answers] == list(range(len(params)))
    assert len({a.name for a in answers}) == len(params)
    assert params.answer_at(len(params)) is None
    assert all(len(a.name) <= 16 for a in answers)


def test_a_drones_own_numbers_are_the_defaults() -> None:
    params = Params.of(drone(7, climb_mps=1.25))
    assert params["MAV_SYSID"] == 7
    assert params["WP_SPD_UP"] == 1.25
    assert params["BATT_CAPACITY"] == pytest.approx(1000 / 44.4 * 1000, abs=1)
