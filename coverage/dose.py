"""From a dose asked for to a speed, a flow and a number of laps that give it; and the pump's rule.

The dose of one pass is D = Q / (W v): litres a second over the swath and the ground speed. The
vehicle drives the pump by its ground speed, at 3 Hz, so that the dose holds where it slows down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from skymist.coverage.drones import Sprayer

SPEED_MIN_MPS = 0.3
"""Slowest pass. ArduCopter refuses speeds below 0.2 m/s (AC_WPNav), and a gust of half this
speed would already double a dose."""

DOSE_MARGIN_FRAC = 0.08
"""Planned above the dose asked for, against track error and pump lag. Proposal of this project."""

LEAD_MOST_M = 0.3
"""From rest a drone at 2.5 m/s2 is 0.26 m on when the pump starts (lag 0.46 s)."""

FAST_MPS = 1.2
"""Faster passes are flown straight, one by one. At this speed a stop takes 0.3 m at 2.5 m/s2."""

PUMP_LAG_S = 0.46
"""Mean time from DO_SPRAYER 1 to flow. Measured on ArduPilot SITL: 0.33 to 0.67 s."""


PUMP_PERIOD_S = 1 / 3
"""AC_Sprayer looks at the ground speed three times a second. Source: ARDUPILOT.md, 3."""

PUMP_LAG_MOST_S = 0.67
"""Longest time from DO_SPRAYER 1 to flow. Measured on ArduPilot SITL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How to fly every pass over a spot: `laps` times over each line at one speed and flow."""

    speed_mps: float
    flow_lps: float
    laps: int
    swath_m: float

    @property
    def dose_l_per_m2(self) -> float:
        """What all laps together leave on the ground, spread evenly over the swath."""
        return self.laps * self.flow_lps / (self.swath_m * self.speed_mps)


def solve_dose(dose_l_per_m2: float, sprayer: Sprayer, *, speed_max_mps: float) -> Setting:
    """The setting with the fewest laps that gives at least the dose asked for.

    Full flow is kept as long as the drone need not fly faster than `speed_max_mps`; below that
    dose the pump is turned down, to `flow_min_lps` at the least, and then the dose is higher
    than asked for.

    Raises
    ------
    PlanError
        Where the dose is not above 0, or the speed limit is below the slowest pass.
    """
    if not 0 < dose_l_per_m2 < math.inf:
        raise PlanError(f"dose_l_per_m2 must be above 0, got {dose_l_per_m2}")
    if not speed_max_mps >= SPEED_MIN_MPS:
        raise PlanError(f"speed_max_mps must be at least {SPEED_MIN_MPS}, got {speed_max_mps}")
    wanted = dose_l_per_m2 * (1 + DOSE_MARGIN_FRAC)
    per_metre_l = wanted * sprayer.swath_m
    single_mps = sprayer.flow_max_lps / per_metre_l
    laps = max(1, math.ceil(SPEED_MIN_MPS / single_mps - 1e-9))
    speed_mps = min(laps * single_mps, speed_max_mps)
    flow_lps = min(sprayer.flow_max_lps, per_metre_l * speed_mps / laps)
    return Setting(
        speed_mps=speed_mps,
        flow_lps=max(flow_lps, sprayer.flow_min_lps),
        laps=laps,
        swath_m=sprayer.swath_m,
    )


def pump_rate_pct_per_mps(flow_lps: float, speed_mps: float, flow_max_lps: float) -> float:
    """SPRAY_PUMP_RATE: the pump's opening per metre per second that gives a flow at a speed."""
    return 100.0 * flow_lps / flow_max_lps / speed_mps


def pump_flow_lps(speed_mps: float, rate_pct_per_mps: float, sprayer: Sprayer) -> float:
    """What the vehicle's rule gives at a ground speed: clip(rate * v, least, 100) per cent.

    Between the two bounds the dose does not depend on the speed. Below, it rises; above the speed
    of full flow it falls without a word, so no pass is planned faster than that.

    Source: ArduPilot AC_Sprayer::update, as ARDUPILOT.md, 3 quotes it.
    """
    least_pct = 100.0 * sprayer.flow_min_lps / sprayer.flow_max_lps
    return min(max(rate_pct_per_mps * speed_mps, least_pct), 100.0) / 100 * sprayer.flow_max_lps


def lead_m(speed_mps: float) -> float:
    """How far before a pass the pump is switched on, so that it runs when the pass begins.

    The drone starts from rest there, so that a fast one needs no more than `LEAD_MOST_M`.
    """
    return min(speed_mps * PUMP_LAG_S, LEAD_MOST_M)


def run_up_m(after_s: float, speed_mps: float, accel_mps2: float) -> float:
    """How far a drone is from rest after some seconds, at one acceleration up to its speed."""
    rising_s = min(after_s, speed_mps / accel_mps2)
    return accel_mps2 * rising_s**2 / 2 + speed_mps * (after_s - rising_s)


def on_edge_m(speed_mps: float, accel_mps2: float) -> tuple[float, float]:
    """The earliest and latest that spray begins beyond the start of a pass (below 0: before it).

    The pump starts within one to two periods of its rule. The other edge needs no lead:
    DO_SPRAYER 0 closes the pump at once, when the last corner is reached.
    """
    lead = lead_m(speed_mps)
    return (
        run_up_m(PUMP_PERIOD_S, speed_mps, accel_mps2) - lead,
        run_up_m(PUMP_LAG_MOST_S, speed_mps, accel_mps2) - lead,
    )


def hover_s(dose_l_per_m2: float, sprayer: Sprayer) -> float:
    """Seconds over a point at the least steady flow, for the dose on a disc one swath wide."""
    disc_m2 = math.pi * sprayer.swath_m**2 / 4
    return dose_l_per_m2 * (1 + DOSE_MARGIN_FRAC) * disc_m2 / sprayer.flow_min_lps
