"""What tanks must hold, against the pump's flow added up over a pass in small steps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.chunks import carried_l, end_l, fits_tank
from skymist.coverage.drones import DroneModel, Sprayer
from skymist.coverage.plan import Pass, PassKind

TANK_L = 16.0


def model(least_lps: float, accel_mps2: float = 2.5) -> DroneModel:
    return DroneModel(
        id="m",
        name="m",
        sprayer=Sprayer(tank_l=TANK_L, flow_min_lps=least_lps, flow_max_lps=0.1, swath_m=4.0),
        body_m=1.0,
        dry_kg=14.0,
        endurance_empty_s=1200.0,
        endurance_full_s=600.0,
        battery_wh=600.0,
        accel_mps2=accel_mps2,
    )


def straight(length_m: float, speed_mps: float, flow_lps: float) -> Pass:
    return Pass(
        spot_id="s",
        kind=PassKind.SWATH,
        path=((0.0, 0.0), (length_m, 0.0)),
        above_home_m=3.0,
        speed_mps=speed_mps,
        flow_lps=flow_lps,
        swath_m=4.0,
    )


def put_out_l(flown: Pass, drone: DroneModel) -> float:
    """From rest to rest, the pump in proportion to the speed but never below its least flow."""
    accel, step_s = drone.accel_mps2, 0.001
    top = min(flown.speed_mps, math.sqrt(accel * flown.length_m))
    ramp_s = top / accel
    level_s = (flown.length_m - top * ramp_s) / top
    now_s = np.arange(0.0, 2 * ramp_s + level_s, step_s)
    speeds = np.minimum(top, accel * np.minimum(now_s, 2 * ramp_s + level_s - now_s))
    flows = np.maximum(drone.sprayer.flow_min_lps, flown.flow_lps * speeds / flown.speed_mps)
    return float(flows.sum() * step_s)


@settings(deadline=None)
@given(st.floats(12, 60), st.floats(2, 5), st.floats(0.025, 0.08), st.floats(0.01, 0.025))
def test_a_fast_pass_takes_its_litres_and_its_ends(
    length_m: float, speed_mps: float, flow_lps: float, least_lps: float
) -> None:
    flown, drone = straight(length_m, speed_mps, flow_lps), model(least_lps)
    more_l = put_out_l(flown, drone) - flown.litres_l
    assert more_l <= end_l(flown, drone) <= more_l + 0.4 * least_lps + 0.001


@settings(deadline=None)
@given(st.floats(1.5, 12), st.floats(2, 5), st.floats(0.025, 0.08), st.floats(0.01, 0.025))
def test_a_pass_too_short_for_its_speed_takes_no_more(
    length_m: float, speed_mps: float, flow_lps: float, least_lps: float
) -> None:
    flown, drone = straight(length_m, speed_mps, flow_lps), model(least_lps)
    assert put_out_l(flown, drone) <= flown.litres_l + end_l(flown, drone)


@pytest.mark.parametrize("num", [1, 20, 60])
def test_what_is_carried_lasts_for_many_short_passes(num: int) -> None:
    """Helsinki's green belts: twenty passes at nearly the least flow ran a tank dry."""
    drone, legs = model(0.025), [straight(12.0, 5.0, 0.027)] * num
    needed_l = math.fsum(put_out_l(leg, drone) for leg in legs)
    assert needed_l + 0.2 <= carried_l(legs, drone) <= 1.3 * needed_l + 0.3


def test_a_tank_that_litres_alone_would_fill_has_no_room_for_ends() -> None:
    drone = model(0.025)
    legs = [straight(60.0, 5.0, 0.1)] * 12
    assert math.fsum(leg.litres_l for leg in legs) == pytest.approx(14.4)
    assert fits_tank(legs, drone)
    short = [straight(10.0, 5.0, 0.1)] * 72
    assert math.fsum(leg.litres_l for leg in short) == pytest.approx(14.4)
    assert not fits_tank(short, drone)
    assert math.fsum(put_out_l(leg, drone) for leg in short) > 14.4 * 1.06
