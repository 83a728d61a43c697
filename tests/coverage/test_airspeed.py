"""What wind costs: laws of the power that it adds, and the wind that no drone can hold."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.coverage.airspeed import (
    drag_w,
    held_airspeed_mps,
    mean_wind_w,
    path_wind_w,
    require_held,
)
from skymist.coverage.drift import Wind
from skymist.coverage.drones import DroneModel, Sprayer
from skymist.coverage.energy import LAND_S, SPOOL_S, leg_s, leg_wind_w, sortie_cost
from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Leg, Pass, PassKind, Transit

MODEL = DroneModel(
    id="m",
    name="m",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=5),
    body_m=2.4,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=977,
)
SPEED = st.floats(0.3, 14)
FROM_DEG = st.floats(0, 360)
STILL = Wind(east_mps=0.0, north_mps=0.0)


def level(length_m: float, speed_mps: float, towards_rad: float = 0.0) -> Transit:
    end = (length_m * math.cos(towards_rad), length_m * math.sin(towards_rad), 6.0)
    return Transit(path=((0.0, 0.0, 6.0), end), speed_mps=speed_mps)


def back(leg: Transit) -> Transit:
    return replace(leg, path=leg.path[::-1])


def sprayed(*path: tuple[float, float], speed_mps: float = 2.0, hover_s: float = 0.0) -> Pass:
    return Pass(
        spot_id="s",
        kind=PassKind.HOVER if hover_s else PassKind.SWATH,
        path=path,
        above_home_m=3.0,
        speed_mps=speed_mps,
        flow_lps=0.05,
        swath_m=5.0,
        hover_s=hover_s,
    )


def joules(wind: Wind | None, *legs: Leg) -> float:
    return sortie_cost(legs, MODEL, 5.0, wind).battery_frac * MODEL.battery_wh * 3600


@given(st.floats(1, 500), SPEED, st.sampled_from([None, STILL]))
def test_still_air_costs_hover_power_at_any_speed(
    length_m: float, speed_mps: float, wind: Wind | None
) -> None:
    leg = level(length_m, speed_mps)
    seconds = SPOOL_S + leg_s(leg, MODEL) + LAND_S
    assert joules(wind, leg) == pytest.approx(seconds * MODEL.hover_power_w(5.0))
    assert joules(wind, leg) == joules(None, leg)


@given(SPEED, st.floats(0, 15), st.floats(0, 5))
def test_more_head_wind_costs_more(speed_mps: float, wind_mps: float, more_mps: float) -> None:
    leg = level(100.0, speed_mps)
    one, other = (
        joules(Wind(east_mps=-blows, north_mps=0.0), leg)
        for blows in (wind_mps, wind_mps + more_mps)
    )
    assert other >= one >= joules(None, leg)


@given(st.floats(1, 500), SPEED, st.floats(0.1, 15), FROM_DEG, st.floats(0, 2 * math.pi))
def test_there_and_back_costs_more_than_in_still_air(
    length_m: float, speed_mps: float, wind_mps: float, from_deg: float, towards_rad: float
) -> None:
    there = level(length_m, speed_mps, towards_rad)
    wind = Wind.coming_from(from_deg, wind_mps)
    assert joules(wind, there, back(there)) > joules(None, there, back(there))
    head, tail = leg_wind_w(there, MODEL, wind), leg_wind_w(back(there), MODEL, wind)
    through = [
        drag_w(math.hypot(*(sign * v - w for v, w in zip(flat, blows, strict=True))), MODEL)
        for flat in [(speed_mps * math.cos(towards_rad), speed_mps * math.sin(towards_rad))]
        for blows in [(wind.east_mps, wind.north_mps)]
        for sign in (1, -1)
    ]
    assert head + tail >= sum(through) - 2 * drag_w(speed_mps, MODEL) - 1e-6
    assert min(head, tail) >= drag_w(wind_mps, MODEL) - 1e-6


@given(st.floats(0, 15), FROM_DEG)
def test_a_hover_and_a_leg_without_length_cost_what_the_wind_takes(
    wind_mps: float, from_deg: float
) -> None:
    wind = Wind.coming_from(from_deg, wind_mps)
    spot = Transit(path=((1.0, 2.0, 6.0), (1.0, 2.0, 6.0)), speed_mps=8.0)
    upright = Transit(path=((1.0, 2.0, 3.0), (1.0, 2.0, 9.0)), speed_mps=8.0)
    wanted = pytest.approx(0.5 * 1.204 * 0.15 * 2.4**2 * wind_mps**3 / 0.7, abs=1e-6)
    for leg in (spot, upright, sprayed((1.0, 2.0), hover_s=5.0)):
        assert leg_wind_w(leg, MODEL, wind) == wanted
    assert path_wind_w((), 8.0, MODEL, wind) == wanted
    assert joules(wind) - joules(None) == pytest.approx(
        (SPOOL_S + LAND_S) * drag_w(wind_mps, MODEL), abs=1e-3
    )


def test_a_head_wind_of_four_at_eight_takes_what_the_formula_says() -> None:
    """12 instead of 8 m/s: 0.5 * 1.204 * 0.864 / 0.7 * (1728 - 512) = 904 W of 3664 empty."""
    wind = Wind.coming_from(90, 4.0)
    assert leg_wind_w(level(100, 8.0), MODEL, wind) == pytest.approx(903.5, abs=0.5)
    across = Wind.coming_from(0, 4.0)
    assert leg_wind_w(level(100, 8.0), MODEL, across) == pytest.approx(
        drag_w(math.sqrt(80), MODEL) - drag_w(8, MODEL)
    )
    assert leg_wind_w(back(level(100, 8.0)), MODEL, wind) == drag_w(4.0, MODEL)


def test_parts_of_a_leg_count_by_their_time() -> None:
    wind = Wind.coming_from(90, 3.0)
    bent = sprayed((0, 0), (30, 0), (30, 10), speed_mps=2.0)
    upwind = leg_wind_w(sprayed((0, 0), (30, 0)), MODEL, wind)
    across = leg_wind_w(sprayed((30, 0), (30, 10)), MODEL, wind)
    assert leg_wind_w(bent, MODEL, wind) == pytest.approx(0.75 * upwind + 0.25 * across)


@given(SPEED, st.floats(0, 15), FROM_DEG)
def test_the_mean_of_all_directions_lies_between_hover_and_head_wind(
    speed_mps: float, wind_mps: float, from_deg: float
) -> None:
    mean_w = mean_wind_w(speed_mps, MODEL, Wind.coming_from(from_deg, wind_mps))
    most_w = drag_w(speed_mps + wind_mps, MODEL) - drag_w(speed_mps, MODEL)
    assert drag_w(wind_mps, MODEL) - 1e-6 <= mean_w <= most_w + 1e-6


def test_wind_takes_no_time_but_what_cannot_be_held_is_refused() -> None:
    wind, leg = Wind.coming_from(90, 4.0), level(100, 8.0)
    still, windy = sortie_cost([leg], MODEL, 5.0), sortie_cost([leg], MODEL, 5.0, wind)
    assert windy.duration_s == still.duration_s
    held_mps = held_airspeed_mps(MODEL)
    # 30 degrees: drag is weight * tan 30.
    drag_n = 0.5 * 1.204 * 0.864 * held_mps**2
    assert drag_n == pytest.approx(20 * 9.80665 / math.sqrt(3))
    assert held_mps == pytest.approx(14.75, abs=0.01)
    require_held([MODEL], 13.9, Wind.coming_from(10, held_mps - 8.01))
    require_held([replace(MODEL, cruise_mps=20.0)], 13.9, None)
    with pytest.raises(PlanError, match=r"wind of 6\.8 m/s: m at 8 m/s .* at most 14\.8 m/s"):
        require_held([MODEL], 13.9, Wind.coming_from(10, held_mps - 7.99))
    require_held([MODEL], 6.0, Wind.coming_from(10, held_mps - 7.99))
