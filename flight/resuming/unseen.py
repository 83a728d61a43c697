"""What a drone did while it was not heard: bounds from what was heard before and after. No I/O.

The ground commands the pump off when it hears nothing. Until the first such command goes out
nothing stops a pump amid its pass in AUTO, and one that is still heard to run on the same pass was
on all the while: only the next pass's start turns a pump on again. So what lies between can be
known afterwards, and where it cannot it counts as dry: it may be sprayed twice, never left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skymist.coverage.plan import Pass

LAG_S = 0.8
"""So late a drone may be that flew on at its pass's speed: jitter of positions and clocks. Its pump
runs on for 1 s where it is slow, so that a stop shorter than that leaves nothing dry. [P]"""
CORNER_S = 1.5
"""The same for each corner that it flew around unseen. [P]"""
ACCELERATION_MPS2, JERK_MPS3 = 2.5, 1.0
"""ArduCopter's WPNAV_ACCEL and WPNAV_JERK as they come."""
STEP_S = 0.05
FASTER = 1.1
"""So much faster than planned a drone may have flown. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A stretch of a span that was sprayed unseen: times of the loop's clock, metres of its pass.

    Of a hover the metres are seconds. `frac` is the pump's output when it was last seen.
    """

    index: int
    from_s: float
    to_s: float
    from_m: float
    to_m: float
    frac: float


def flew_on(leg: Pass, from_m: float, to_m: float, took_s: float) -> bool:
    """Whether a drone that came so far along a pass in this time flew it without a stop."""
    late_s = LAG_S + CORNER_S * num_corners(leg, from_m, to_m)
    return to_m - from_m >= (took_s - late_s) * leg.speed_mps


def num_corners(leg: Pass, from_m: float, to_m: float) -> int:
    """Corners of the path between two of its metres."""
    gone, found = 0.0, 0
    for a, b in pairwise(leg.path[:-1]):
        gone += math.dist(a, b)
        found += from_m < gone < to_m
    return found


def least_reached(leg: Pass, along_m: float, ago_s: float) -> float:
    """How far along a pass a drone was at least, so many seconds before it was `along_m` far."""
    return along_m - FASTER * leg.speed_mps * max(0.0, ago_s)


def least_reached_before(
    leg: Pass, place: tuple[float, float], ago_s: float, fastest_mps: float
) -> float:
    """The same for one that has left the pass at its end meanwhile, and is at `place` now."""
    beyond_s = least_s(math.dist(leg.path[-1], place), leg.speed_mps, FASTER * fastest_mps)
    return least_reached(leg, leg.length_m, ago_s - beyond_s)


def least_s(way_m: float, from_mps: float, to_mps: float) -> float:
    """How long a drone needs for a way at least that gains speed on it."""
    t_s = gone_m = acceleration = 0.0
    speed = from_mps
    while gone_m < way_m:
        acceleration = min(acceleration + JERK_MPS3 * STEP_S, ACCELERATION_MPS2)
        speed = min(speed + acceleration * STEP_S, max(from_mps, to_mps))
        gone_m += speed * STEP_S
        t_s += STEP_S
    return max(0.0, t_s - STEP_S)
