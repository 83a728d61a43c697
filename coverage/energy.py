"""How long a sortie takes and how much of the battery it uses.

Legs are flown as ArduCopter flies them: with limited jerk from rest to rest, and on through bends
that are not sharp. Power is hover power at the mass of the moment, which falls as the tank empties,
and what wind adds to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.airspeed import path_wind_w
from skymist.coverage.dose import FAST_MPS
from skymist.coverage.plan import Pass, PassKind, Transit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Leg

SPOOL_S = 9.0
"""Arming to 3 m above the pad. Measured on ArduPilot SITL 4.7.0-dev, AUTO take-off."""
LAND_S = 6.3
"""From 3 m above the pad to disarmed: LAND_SPEED 0.5 m/s, detection. Fitted, with `SLOW_S` and
`FAST_S`, to 117 sorties flown on embedded copters (tests/benchmarks/model_bench.py)."""
STOP_S = 2.0
"""Stop at the start of a pass: a hold of 1 s, so that it starts at its speed and not at that of the
transit, and until the copter counts as there: nothing on the embedded copter, about 2 s on
ArduCopter 4.7.0-dev in SITL, half of which is planned with."""
BEND_S = 2.5
"""What a sharp bend of a transit saves: the next leg begins before the one before has ended."""
JERK_MPS3, EDGE_S = 1.0, 0.3
"""ArduCopter's WP_JERK, and how long its jerk takes to rise. Source: defaults of 4.7.0-dev."""
UPRIGHT_MPS2 = 1.0
"""ArduCopter's WP_ACC_Z. Source: default of 4.7.0-dev."""
GENTLE_COS = math.cos(math.radians(20))
"""Bends up to here are flown through. Source: tracks of the embedded copter."""
SAME_PLACE_M = 0.01
SLOW_S, FAST_S = 1.6, 2.9
"""The same for the bend at the end of a pass, slow or fast."""


def ramp_s(speed_mps: float, accel_mps2: float) -> float:
    """Seconds from rest to a speed, which takes half of the way that the speed would.

    Source: ArduPilot's SCurve; edges as in AC_WPNav, whose jerk rises over half a sine.
    """
    if speed_mps <= accel_mps2 * (EDGE_S + accel_mps2 / JERK_MPS3):
        return EDGE_S + math.sqrt(EDGE_S**2 + 4 * speed_mps / JERK_MPS3)
    return speed_mps / accel_mps2 + accel_mps2 / JERK_MPS3 + EDGE_S


def leg_and_ramp_s(length_m: float, speed_mps: float, accel_mps2: float) -> tuple[float, float]:
    """Seconds over a straight leg from rest to rest, and those of them in which it speeds up."""
    ramp = ramp_s(speed_mps, accel_mps2)
    if length_m >= speed_mps * ramp:
        return length_m / speed_mps + ramp, ramp
    bent_s = EDGE_S + accel_mps2 / JERK_MPS3
    root = math.sqrt(bent_s**2 + 4 * length_m / accel_mps2)
    if root > 3 * bent_s:
        ramp = (root + bent_s) / 2
        return 2 * ramp, ramp
    # From here on jerk alone: length = jerk (t^3 - 2 edge t^2) / 4, by Newton from above.
    rest = 4 * length_m / JERK_MPS3
    ramp = math.cbrt(rest) + EDGE_S
    for _ in range(3):
        ramp -= (ramp**3 - 2 * EDGE_S * ramp**2 - rest) / (3 * ramp**2 - 4 * EDGE_S * ramp)
    return 2 * ramp, ramp


def run_s(length_m: float, speed_mps: float, accel_mps2: float) -> float:
    """Seconds over a straight leg from rest to rest."""
    return leg_and_ramp_s(length_m, speed_mps, accel_mps2)[0]


@lru_cache(maxsize=64)
def _short(speed_mps: float, accel_mps2: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lengths of legs too short for the speed, and their seconds."""
    lengths = speed_mps * ramp_s(speed_mps, accel_mps2) * np.linspace(0.0, 1.0, 200) ** 2
    return lengths, np.array([run_s(float(length), speed_mps, accel_mps2) for length in lengths])


def runs_s(lengths_m: ArrayLike, speed_mps: float, accel_mps2: float) -> NDArray[np.float64]:
    """The same of many legs at once."""
    legs_m = np.asarray(lengths_m, dtype=float)
    lengths, seconds = _short(speed_mps, accel_mps2)
    long_s = legs_m / speed_mps + seconds[-1] / 2
    return np.asarray(np.where(legs_m < lengths[-1], np.interp(legs_m, lengths, seconds), long_s))


def transit_s(path: Iterable[tuple[float, float, float]], model: DroneModel, speed: float) -> float:
    """Seconds along a transit from rest to rest.

    At a bend the next leg begins before the one before has ended: a gentle one is flown through
    with no loss of speed, a sharp one saves at most `BEND_S`.
    """
    total, before_s, before = 0.0, 0.0, (0.0, 0.0, 0.0)
    for a, b in pairwise(path):
        x, y, z = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        length = math.sqrt(x * x + y * y + z * z)
        if length < SAME_PLACE_M:
            continue
        level, steep = math.hypot(x, y) / length, abs(z) / length
        upright_mps = model.climb_mps if z > 0 else model.descent_mps
        top_mps = _along(level, steep, speed, upright_mps)
        accel_mps2 = _along(level, steep, model.accel_mps2, UPRIGHT_MPS2)
        took_s, ramp = leg_and_ramp_s(length, top_mps, accel_mps2)
        unit = (x / length, y / length, z / length)
        turned = unit[0] * before[0] + unit[1] * before[1] + unit[2] * before[2]
        saved_s = min(ramp, before_s)
        total += took_s - (saved_s if turned > GENTLE_COS else min(saved_s, BEND_S))
        before_s, before = ramp, unit
    return total


def _along(level: float, steep: float, across: float, upright: float) -> float:
    """The most along a direction whose parts stay within what holds across and upright."""
    if steep < 1e-9:
        return across
    return upright if level < 1e-9 else min(across / level, upright / steep)


def leg_s(leg: Leg, model: DroneModel) -> float:
    """Seconds for one leg of a sortie."""
    if isinstance(leg, Transit):
        return transit_s(leg.path, model, leg.speed_mps)
    if leg.kind is PassKind.HOVER:
        return STOP_S + leg.spray_s
    bend_s = FAST_S if leg.speed_mps > FAST_MPS else SLOW_S
    return STOP_S + run_s(leg.length_m, leg.speed_mps, model.accel_mps2) - bend_s


def leg_wind_w(leg: Leg, model: DroneModel, wind: Wind | None) -> float:
    """Watts that wind adds on the mean of one leg; 0 in still air, in a hover those of a hover."""
    if isinstance(leg, Transit):
        return path_wind_w(leg.path, leg.speed_mps, model, wind)
    if leg.kind is PassKind.HOVER:
        return path_wind_w((), 1.0, model, wind)
    return path_wind_w([(x, y, 0.0) for x, y in leg.path], leg.speed_mps, model, wind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a sortie takes: seconds from arming to disarmed, share of a full battery, litres."""

    duration_s: float
    battery_frac: float
    litres_l: float


def sortie_cost(
    legs: Iterable[Leg], model: DroneModel, carried_l: float, wind: Wind | None = None
) -> Cost:
    """Time, battery and litres for legs flown in order with `carried_l` litres at take-off.

    Wind costs battery, no time: see `coverage.airspeed`.
    """
    hover_w = path_wind_w((), 1.0, model, wind)
    litres, seconds = 0.0, SPOOL_S
    joules = SPOOL_S * (model.hover_power_w(carried_l) + hover_w)
    for leg in legs:
        took_s = leg_s(leg, model)
        used_l = leg.litres_l if isinstance(leg, Pass) else 0.0
        left_l = max(0.0, carried_l - litres - used_l / 2)
        joules += took_s * (model.hover_power_w(left_l) + leg_wind_w(leg, model, wind))
        seconds, litres = seconds + took_s, litres + used_l
    joules += LAND_S * (model.hover_power_w(max(0.0, carried_l - litres)) + hover_w)
    return Cost(
        duration_s=seconds + LAND_S,
        battery_frac=joules / (model.battery_wh * 3600),
        litres_l=litres,
    )
