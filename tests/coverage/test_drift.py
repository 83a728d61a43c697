"""Droplets in the wind, near by and far off, against the figures of the trade."""

from __future__ import annotations

import math

import pytest
from shapely.geometry import Point, box

from skymist.coverage.drift import (
    FarCurve,
    Spray,
    Wind,
    displacement_m,
    drift_at_receptors,
    terminal_velocity_mps,
    upwind_shift_m,
)
from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Pass, PassKind, Treatment
from skymist.coverage.site import Receptor

CURVE = Spray.AERIAL_FINE_TO_MEDIUM.value


@pytest.mark.parametrize(
    ("diameter_um", "speed_mps"),
    [(50, 0.071), (100, 0.248), (150, 0.472), (200, 0.708), (300, 1.17)],
)
def test_terminal_velocity(diameter_um: float, speed_mps: float) -> None:
    assert terminal_velocity_mps(diameter_um * 1e-6) == pytest.approx(speed_mps, rel=0.004)


def test_small_droplets_fall_as_stokes_says() -> None:
    stokes_mps = (1000 - 1.204) * 9.80665 * (5e-6) ** 2 / (18 * 1.813e-5)
    assert terminal_velocity_mps(5e-6) == pytest.approx(stokes_mps, rel=0.01)


@pytest.mark.parametrize("diameter_m", [0.0, -1e-4, 3e-3, math.nan])
def test_diameter_out_of_range(diameter_m: float) -> None:
    with pytest.raises(PlanError, match="diameter_m"):
        terminal_velocity_mps(diameter_m)


def test_shift_of_100_um_from_3_m_in_2_mps() -> None:
    wind = Wind.coming_from(270, 2.0)
    east, north = displacement_m(wind, 3.0, 100e-6)
    assert east == pytest.approx(24, abs=0.5)
    assert north == pytest.approx(0, abs=1e-9)
    assert 1.4 <= displacement_m(wind, 3.0, 100e-6, downwash_mps=3.0)[0] <= 2.0


def test_pass_is_moved_against_the_wind() -> None:
    wind = Wind.coming_from(135, 3.0)
    assert wind.east_mps < 0 < wind.north_mps
    moved = upwind_shift_m(wind, 3.0, 200e-6, 3.0)
    there = displacement_m(wind, 3.0, 200e-6, 3.0)
    assert moved == pytest.approx((-there[0], -there[1]))


@pytest.mark.parametrize(("frac", "distance_m"), [(0.10, 27), (0.05, 59), (0.01, 309)])
def test_far_curve(frac: float, distance_m: float) -> None:
    assert CURVE.distance_m(frac) == pytest.approx(distance_m, abs=0.5)
    assert CURVE.deposit_frac(CURVE.distance_m(frac)) == pytest.approx(frac)


def test_far_curve_never_gives_more_than_the_rate() -> None:
    assert FarCurve(a=1.0, b=1.0, c=3.0).deposit_frac(0) == 1.0
    assert CURVE.distance_m(0.9) == 0.0


def _treatment(spot_id: str, x: float, y: float, dose: float = 0.1) -> Treatment:
    stop = Pass(
        spot_id=spot_id,
        kind=PassKind.HOVER,
        path=((x, y),),
        above_home_m=3,
        speed_mps=1,
        flow_lps=0.05,
        swath_m=4,
        hover_s=10,
    )
    return Treatment(
        spot_id=spot_id,
        passes=(stop,),
        target=box(x - 2, y - 2, x + 2, y + 2),
        dose_l_per_m2=dose,
        agent_id="a",
        expected_frac=1.0,
    )


def test_only_receptors_downwind_are_named() -> None:
    east = Receptor(id="school", shape=Point(52, 0), kind="school")
    west = Receptor(id="pond", shape=Point(-52, 0), kind="pond")
    wind = Wind.coming_from(270, 3.0)
    (drift,) = drift_at_receptors([_treatment("s1", 0, 0)], [east, west], wind)
    assert (drift.receptor_id, drift.main_spot_id) == ("school", "s1")
    assert drift.distance_m == pytest.approx(50)
    assert drift.deposit_l_per_m2 == pytest.approx(0.1 * CURVE.deposit_frac(50))
    assert drift.is_above_limit
    assert "above the limit" in drift.text
    assert "50 m upwind" in drift.text


def test_shares_of_several_spots_add_up() -> None:
    school = Receptor(id="school", shape=Point(400, 0), kind="school")
    wind = Wind.coming_from(270, 3.0)
    one = drift_at_receptors([_treatment("a", 0, 0)], [school], wind, limit_frac=0.01)[0]
    two = drift_at_receptors(
        [_treatment("a", 0, 0), _treatment("b", 100, 0)], [school], wind, limit_frac=0.01
    )[0]
    assert not one.is_above_limit
    assert two.is_above_limit
    assert two.main_spot_id == "b"
    assert two.deposit_l_per_m2 > 2 * one.deposit_l_per_m2


def test_calm_air_counts_every_way_and_no_spray_none() -> None:
    pond = Receptor(id="pond", shape=Point(-52, 0))
    calm = Wind(east_mps=0.1, north_mps=0)
    assert len(drift_at_receptors([_treatment("a", 0, 0)], [pond], calm)) == 1
    assert drift_at_receptors([], [pond], calm) == ()


def test_bad_winds_are_refused() -> None:
    with pytest.raises(PlanError, match="finite"):
        Wind(east_mps=math.nan, north_mps=0)
    with pytest.raises(PlanError, match="0 m/s or more"):
        Wind.coming_from(0, -1)
    with pytest.raises(PlanError, match="limit_frac"):
        drift_at_receptors([], [], Wind(east_mps=1, north_mps=0), limit_frac=0)
