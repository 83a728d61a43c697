"""Keeping drones apart in the air when one of them is not where its plan has it by now.

The plan keeps drones apart by its clock, and nobody takes off beside a drone that is off its plan.
What remains are drones that were in the air already: one was paused or is in its pilot's hands, and
another's way leads past it. Pure; `safety.standstill` pauses the one that flies on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOK_S = 8.0
"""So far ahead a drone's way is looked at: to stop from 5 m/s takes 3 s, a message 1 s. [P]"""
STOP_M = 5.0
"""What a stop takes at 5 m/s and 2.5 m/s2: both may turn where nobody looks ahead. [D]"""
CLEAR_SHARE = 1.2
"""A drone that was paused flies on when there is so much more room. [P]"""
STEP_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A drone in the air: metres east, north and above home, and m/s over ground.

    `is_on_plan` says that it is where its plan has it; `is_held` that it was paused for a gap.
    """

    drone_id: str
    place: tuple[float, float, float]
    velocity: tuple[float, float] = (0.0, 0.0)
    is_on_plan: bool = True
    is_held: bool = False


def to_hold(movers: Iterable[Mover], separation_m: float) -> dict[str, str]:
    """Who is to stand still, and because of whom: of two it is the one that flies by its plan.

    Where both are off their plans it is the one whose id comes later, so that one always goes on.
    """
    found: dict[str, str] = {}
    drones = sorted(movers, key=lambda mover: mover.drone_id)
    for k, one in enumerate(drones):
        for other in drones[k + 1 :]:
            if one.is_on_plan and other.is_on_plan:
                continue
            holds, goes = (one, other) if one.is_on_plan else (other, one)
            limit_m = (separation_m + STOP_M) * (CLEAR_SHARE if holds.is_held else 1.0)
            if nearest_m(one, other) < limit_m:
                found.setdefault(holds.drone_id, goes.drone_id)
    return found


def nearest_m(one: Mover, other: Mover) -> float:
    """How near two come in the next seconds, if both keep their velocities or both stop."""
    gap = [a - b for a, b in zip(one.place, other.place, strict=True)]
    rate = [a - b for a, b in zip(one.velocity, other.velocity, strict=True)]
    steps = (k * STEP_S for k in range(round(LOOK_S / STEP_S) + 1))
    return min(math.hypot(gap[0] + t_s * rate[0], gap[1] + t_s * rate[1], gap[2]) for t_s in steps)
