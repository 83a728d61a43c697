"""What wind costs a drone that keeps its speed over ground, and how much of it that can hold.

In still air a drone is taken to fly at hover power at any speed: less induced power makes up for
about what drag takes. Only what wind adds is reckoned here: power against drag at the speed through
the air, less that at the same speed in still air, and never less than in a hover in that wind. A
tail wind thus saves nothing, and a way there and back costs more than in still air.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.drift import GRAVITY_MPS2, Air
from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel

DRAG_SHARE = 0.15
"""Drag area (drag coefficient times area) as a share of the square of `body_m`. [P]: 0.86 m2 for a
machine 2.4 m wide; a body of 0.6 by 0.5 m with arms and a drag coefficient of 1 to 1.5 has 0.3 to
0.5, the drag of the rotors themselves comes to that. Data sheets do not give it."""
DRAG_EFFICIENCY_FRAC = 0.7
"""Of the battery's power what pushes against drag: motors, controllers, rotors. [P]"""
TILT_RAD = math.radians(30)
"""As far as a copter leans. Source: ATC_ANGLE_MAX, default of ArduCopter 4.7.0-dev."""
DENSITY_KG_PER_M3 = Air().density_kg_per_m3
DIRECTIONS = 16
XYZ = tuple[float, float, float]


def drag_area_m2(model: DroneModel) -> float:
    """Drag coefficient times area, from the size of the airframe."""
    return DRAG_SHARE * model.body_m**2


def drag_w(airspeed_mps: float, model: DroneModel) -> float:
    """Electric power against drag at a speed through the air: half rho CdA v^3 / efficiency.

    Source: Leishman, Principles of Helicopter Aerodynamics, 5.4 (parasite power); with multirotors
    Liu, Sengupta & Kurek, ICUAS 2017.
    """
    watts = DENSITY_KG_PER_M3 / 2 * drag_area_m2(model) * airspeed_mps**3
    return watts / DRAG_EFFICIENCY_FRAC


def wind_w(east_mps: float, north_mps: float, model: DroneModel, wind: Wind | None) -> float:
    """Watts that a wind adds to hover power at a velocity over ground; 0 in still air."""
    if wind is None:
        return 0.0
    through_mps = math.hypot(east_mps - wind.east_mps, north_mps - wind.north_mps)
    more_w = drag_w(through_mps, model) - drag_w(math.hypot(east_mps, north_mps), model)
    return max(more_w, drag_w(wind.speed_mps, model))


def mean_wind_w(speed_mps: float, model: DroneModel, wind: Wind | None) -> float:
    """The same over all directions, for estimates."""
    turns = (2 * math.pi * k / DIRECTIONS for k in range(DIRECTIONS))
    ways = ((speed_mps * math.cos(a), speed_mps * math.sin(a)) for a in turns)
    return math.fsum(wind_w(*way, model, wind) for way in ways) / DIRECTIONS


def path_wind_w(
    path: Sequence[XYZ], speed_mps: float, model: DroneModel, wind: Wind | None
) -> float:
    """The mean of what wind adds along a path, each straight by the time that it takes.

    `speed_mps` is the fastest across the ground; climbs and descents keep the model's. A path
    without length is a hover.
    """
    if wind is None:
        return 0.0
    total_s, total_ws = 0.0, 0.0
    for a, b in pairwise(path):
        upright_mps = model.climb_mps if b[2] > a[2] else model.descent_mps
        took_s = max(math.dist(a[:2], b[:2]) / speed_mps, abs(b[2] - a[2]) / upright_mps)
        if took_s > 0:
            way = (b[0] - a[0]) / took_s, (b[1] - a[1]) / took_s
            total_ws += took_s * wind_w(*way, model, wind)
            total_s += took_s
    return total_ws / total_s if total_s > 0 else wind_w(0.0, 0.0, model, wind)


def held_airspeed_mps(model: DroneModel) -> float:
    """The fastest through the air that an empty drone holds, leaning as far as it may."""
    pull_n = model.dry_kg * GRAVITY_MPS2 * math.tan(TILT_RAD)
    return math.sqrt(2 * pull_n / (DENSITY_KG_PER_M3 * drag_area_m2(model)))


def require_held(models: Iterable[DroneModel], speed_max_mps: float, wind: Wind | None) -> None:
    """Raise `PlanError` where a drone could not keep its speed against the wind.

    Below that a leg takes as long as in still air: the autopilot keeps the speed over ground.
    """
    if wind is None or wind.speed_mps == 0:
        return
    for model in models:
        speed_mps = min(max(model.cruise_mps, model.speed_mps), speed_max_mps)
        held_mps = held_airspeed_mps(model)
        if not speed_mps + wind.speed_mps <= held_mps:
            raise PlanError(
                f"wind of {wind.speed_mps:.1f} m/s: {model.id} at {speed_mps:g} m/s against it "
                f"wanted at most {held_mps:.1f} m/s through the air, found "
                f"{speed_mps + wind.speed_mps:.1f}; wait for less wind, or lower "
                "policy.speed_max_mps"
            )
