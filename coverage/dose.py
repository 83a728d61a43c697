"""From a dose asked for to a speed, a flow and a number of laps that give it.

The dose of one pass is D = Q / (W v): litres a second over the swath and the ground speed.
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


def hover_s(dose_l_per_m2: float, sprayer: Sprayer) -> float:
    """Seconds over a point at the least steady flow, for the dose on a disc one swath wide."""
    disc_m2 = math.pi * sprayer.swath_m**2 / 4
    return dose_l_per_m2 * (1 + DOSE_MARGIN_FRAC) * disc_m2 / sprayer.flow_min_lps
