"""How long a sortie takes and how much of the battery it uses.

Legs are flown from rest to rest at constant acceleration; power is hover power at the mass of the
moment, which falls as the tank empties.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.dose import FAST_MPS
from skymist.coverage.plan import Pass, PassKind, Transit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Leg

SPOOL_S = 9.0
"""Arming to 3 m above the pad. Measured on ArduPilot SITL 4.7.0-dev, AUTO take-off."""
LAND_S = 6.0
"""From 3 m above the pad to disarmed: LAND_SPEED 0.5 m/s, detection. Fitted, with the three below,
to sorties flown on the embedded copter."""
STOP_S = 1.0
"""Hold at the start of a pass, so that it starts at its speed and not at that of the transit."""
BEND_S = 0.2
"""Jerk limit and corner at each way point of a transit."""
SLOW_S, FAST_S = 0.7, 2.0
"""The same for a pass: a fast one starts and ends at rest."""


def run_s(length_m: float, speed_mps: float, accel_mps2: float) -> float:
    """Seconds over a straight leg from rest to rest: a trapezoid or triangle of speed."""
    if length_m < speed_mps**2 / accel_mps2:
        return 2 * math.sqrt(max(length_m, 0.0) / accel_mps2)
    return length_m / speed_mps + speed_mps / accel_mps2


def transit_s(path: Iterable[tuple[float, float, float]], model: DroneModel, speed: float) -> float:
    """Seconds along a transit; each way point is a stop, a sloping leg takes its slower part."""
    points = list(path)
    total = 0.0
    for a, b in pairwise(points):
        rise = b[2] - a[2]
        vertical_mps = model.climb_mps if rise > 0 else model.descent_mps
        across = math.dist(a[:2], b[:2])
        across_s = run_s(across, speed, model.accel_mps2) if across > 0.01 else 0.0
        rise_s = run_s(abs(rise), vertical_mps, 1.0) if abs(rise) > 0.01 else 0.0
        total += max(across_s, rise_s) + (BEND_S if across_s or rise_s else 0.0)
    return total


def leg_s(leg: Leg, model: DroneModel) -> float:
    """Seconds for one leg of a sortie."""
    if isinstance(leg, Transit):
        return transit_s(leg.path, model, leg.speed_mps)
    if leg.kind is PassKind.HOVER:
        return STOP_S + leg.spray_s
    bend_s = FAST_S if leg.speed_mps > FAST_MPS else SLOW_S
    return STOP_S + run_s(leg.length_m, leg.speed_mps, model.accel_mps2) + bend_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a sortie takes: seconds from arming to disarmed, share of a full battery, litres."""

    duration_s: float
    battery_frac: float
    litres_l: float


def sortie_cost(legs: Iterable[Leg], model: DroneModel, carried_l: float) -> Cost:
    """Time, battery and litres for legs flown in order with `carried_l` litres at take-off."""
    litres, seconds, joules = 0.0, SPOOL_S, SPOOL_S * model.hover_power_w(carried_l)
    for leg in legs:
        took_s = leg_s(leg, model)
        used_l = leg.litres_l if isinstance(leg, Pass) else 0.0
        left_l = max(0.0, carried_l - litres - used_l / 2)
        joules += took_s * model.hover_power_w(left_l)
        seconds, litres = seconds + took_s, litres + used_l
    joules += LAND_S * model.hover_power_w(max(0.0, carried_l - litres))
    return Cost(
        duration_s=seconds + LAND_S,
        battery_frac=joules / (model.battery_wh * 3600),
        litres_l=litres,
    )
