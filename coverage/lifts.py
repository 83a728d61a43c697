"""Transits one layer up: a way above another drone instead of a wait on the pad for it.

A lifted way leads over the same ground and is nowhere lower than it was, so that what it was clear
of it still is; only the ceiling can forbid it. Passes stay as they are. Whether a lifted sortie
keeps clear of others, and whether it is worth it, is decided in `coverage.schedule`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.airways import NEAR_M, SLOPE_MIN_M
from skymist.coverage.energy import sortie_cost
from skymist.coverage.plan import Transit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Sortie
    from skymist.coverage.site import Policy

SIDE_M = 0.05
"""How far aside of the straight way a point of it may lie, and still be on it."""


def lifted(transit: Transit, model: DroneModel, layer_m: float, ceiling_m: float) -> Transit:
    """The same way `layer_m` higher, its slopes drawn out, or as it is where it has no layer.

    Metres. Ways without a layer: those shorter than `NEAR_M`, those with bends across the ground
    (around towers, at the ceiling already), and those that would rise above the ceiling.
    """
    start, end = transit.path[0], transit.path[-1]
    across_m = math.dist(start[:2], end[:2])
    was_m = max(p[2] for p in transit.path)
    top_m = was_m + layer_m
    if across_m < NEAR_M or top_m > ceiling_m or not _is_straight(transit, across_m):
        return transit
    level = [math.dist(start[:2], p[:2]) for p in transit.path if p[2] == was_m]
    up, down = transit.speed_mps / model.climb_mps, transit.speed_mps / model.descent_mps
    up_m = _slope_m(level[0], was_m - start[2], top_m - start[2], up)
    down_m = _slope_m(across_m - level[-1], was_m - end[2], top_m - end[2], down)
    share = min(1.0, across_m / max(up_m + down_m, 1e-9)) / across_m
    points = [start]
    for part in (up_m * share, 1 - down_m * share):
        x, y = (a + (b - a) * part for a, b in zip(start[:2], end[:2], strict=True))
        if math.dist((x, y, top_m), points[-1]) > SIDE_M:
            points.append((x, y, top_m))
    return replace(transit, path=(*points, end))


def _slope_m(was_m: float, before_m: float, rise_m: float, most: float) -> float:
    """Metres across of a slope over `rise_m`, as steep as when it rose `before_m` over `was_m`.

    Where it did not rise before, `most` metres for each metre up.
    """
    slope_m = rise_m * (was_m / before_m if before_m > SIDE_M else most)
    return slope_m if slope_m >= SLOPE_MIN_M else 0.0


def _is_straight(transit: Transit, across_m: float) -> bool:
    """Whether a way goes straight across the ground: up, level, down, or part of that."""
    start, end = transit.path[0], transit.path[-1]
    ux, uy = (end[0] - start[0]) / across_m, (end[1] - start[1]) / across_m
    along = [(p[0] - start[0]) * ux + (p[1] - start[1]) * uy for p in transit.path]
    aside = [(p[0] - start[0]) * uy - (p[1] - start[1]) * ux for p in transit.path]
    was_m = max(p[2] for p in transit.path)
    return (
        all(b >= a - SIDE_M for a, b in pairwise(along))
        and max(map(abs, aside)) <= SIDE_M
        and all(p[2] == was_m for p in transit.path[1:-1])
    )


def lifts(
    sortie: Sortie, model: DroneModel, policy: Policy, wind: Wind | None = None
) -> Iterator[Sortie]:
    """The sortie with its way out, its way home, both or all its ways one layer up.

    The layer is the policy's separation. Seconds and battery are reckoned anew, with the wind that
    the plan is laid for; what the battery does not hold is left out, as is what stays as it was.
    """
    ways = [k for k, leg in enumerate(sortie.legs) if isinstance(leg, Transit)]
    made: list[tuple[object, ...]] = [sortie.legs]
    for chosen in ({ways[0]}, {ways[-1]}, {ways[0], ways[-1]}, set(ways)):
        legs = tuple(
            lifted(leg, model, policy.separation_m, policy.ceiling_m)
            if k in chosen and isinstance(leg, Transit)
            else leg
            for k, leg in enumerate(sortie.legs)
        )
        if legs in made:
            continue
        made.append(legs)
        cost = sortie_cost(legs, model, sortie.carried_l, wind)
        if cost.battery_frac <= 1 - policy.reserve_frac:
            yield replace(
                sortie, legs=legs, battery_frac=cost.battery_frac, duration_s=cost.duration_s
            )
