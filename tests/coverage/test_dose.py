"""Speed, flow and laps against the dose equation D = Q / (W v)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.coverage.dose import (
    DOSE_MARGIN_FRAC,
    SPEED_MIN_MPS,
    hover_s,
    lead_m,
    on_edge_m,
    pump_flow_lps,
    pump_rate_pct_per_mps,
    run_up_m,
    solve_dose,
)
from skymist.coverage.drones import Sprayer
from skymist.coverage.errors import PlanError

sprayers = st.builds(
    lambda tank, least, span, swath: Sprayer(
        tank_l=tank, flow_min_lps=least, flow_max_lps=least * span, swath_m=swath
    ),
    st.floats(1, 50),
    st.floats(0.005, 0.1),
    st.floats(1, 5),
    st.floats(0.5, 12),
)
doses = st.floats(0.0005, 0.5)


@given(doses, sprayers, st.floats(0.5, 10))
def test_the_dose_asked_for_is_given_within_the_drones_limits(
    dose: float, sprayer: Sprayer, top_mps: float
) -> None:
    done = solve_dose(dose, sprayer, speed_max_mps=top_mps)
    wanted = dose * (1 + DOSE_MARGIN_FRAC)
    assert done.dose_l_per_m2 >= wanted * (1 - 1e-9)
    assert SPEED_MIN_MPS * (1 - 1e-9) <= done.speed_mps <= top_mps * (1 + 1e-9)
    assert sprayer.flow_min_lps <= done.flow_lps <= sprayer.flow_max_lps
    if done.flow_lps > sprayer.flow_min_lps * (1 + 1e-9):
        assert done.dose_l_per_m2 == pytest.approx(wanted)


def test_domain_figures_of_the_dose_equation() -> None:
    """DOMAIN: 12 L/min over 6 m at 5 m/s give 6.7 mL/m2."""
    sprayer = Sprayer(tank_l=40, flow_min_lps=0.01, flow_max_lps=0.2, swath_m=6)
    done = solve_dose(0.2 / 6 / 5 / (1 + DOSE_MARGIN_FRAC), sprayer, speed_max_mps=9)
    assert done.speed_mps == pytest.approx(5.0)
    assert done.laps == 1


def test_a_hover_puts_the_dose_on_its_disc() -> None:
    sprayer = Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=4)
    litres = hover_s(0.1, sprayer) * sprayer.flow_min_lps
    assert litres / (math.pi * 4) == pytest.approx(0.1 * (1 + DOSE_MARGIN_FRAC))


@pytest.mark.parametrize("dose", [0.0, -1.0, math.nan, math.inf])
def test_no_dose_is_refused(dose: float) -> None:
    sprayer = Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=4)
    with pytest.raises(PlanError, match="dose_l_per_m2"):
        solve_dose(dose, sprayer, speed_max_mps=5)


@given(doses, sprayers, st.floats(0.5, 10), st.floats(0.2, 3.0))
def test_the_vehicles_rule_holds_the_dose_where_it_slows_and_saturates_where_it_speeds(
    dose: float, sprayer: Sprayer, top_mps: float, factor: float
) -> None:
    """AC_Sprayer: pump % = clip(rate * v, least, 100). Source: ARDUPILOT.md, 3."""
    done = solve_dose(dose, sprayer, speed_max_mps=top_mps)
    rate = pump_rate_pct_per_mps(done.flow_lps, done.speed_mps, sprayer.flow_max_lps)
    assert pump_flow_lps(done.speed_mps, rate, sprayer) == pytest.approx(done.flow_lps)
    speed_mps = factor * done.speed_mps
    flow_lps = pump_flow_lps(speed_mps, rate, sprayer)
    given = done.laps * flow_lps / (sprayer.swath_m * speed_mps)
    if sprayer.flow_min_lps < factor * done.flow_lps < sprayer.flow_max_lps:
        assert given == pytest.approx(done.dose_l_per_m2)
    elif factor < 1:
        assert given >= done.dose_l_per_m2 * (1 - 1e-9)
    else:
        assert given <= done.dose_l_per_m2 * (1 + 1e-9)
    assert sprayer.flow_min_lps * (1 - 1e-9) <= flow_lps <= sprayer.flow_max_lps * (1 + 1e-9)


@given(doses, sprayers, st.floats(0.5, 10))
def test_no_fewer_laps_would_do(dose: float, sprayer: Sprayer, top_mps: float) -> None:
    done = solve_dose(dose, sprayer, speed_max_mps=top_mps)
    if done.laps > 1:
        fewer = (done.laps - 1) * sprayer.flow_max_lps / (sprayer.swath_m * SPEED_MIN_MPS)
        assert fewer < dose * (1 + DOSE_MARGIN_FRAC)


@given(st.floats(0.3, 8.0), st.floats(1.0, 3.0))
def test_spray_begins_about_where_the_pass_does(speed_mps: float, accel_mps2: float) -> None:
    early, late = on_edge_m(speed_mps, accel_mps2)
    assert -0.3 <= early <= late <= 0.5
    assert lead_m(speed_mps) <= 0.3
    assert run_up_m(100.0, speed_mps, accel_mps2) < 100 * speed_mps
