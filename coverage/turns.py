"""Turns at the wall with the spray on: pass, short way along the wall, pass become one.

Where two neighbouring passes run up to the same wall, both stop half a swath short of it and the
way between them, now along the wall, is sprayed. That saves a swath of flight per turn, reaches
the skewed ends that a flat strip misses, and leaves a rounding in each corner dry. Which turns to
take is a trade of seconds against dry ground and spray outside; each is measured by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust
from skymist.coverage.kinematics import turn_rad
from skymist.coverage.tally import footprints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flown = list[tuple[bool, Floats]]

PULLS = (1.0, 0.7, 0.4)  # how far to stay off the wall, of half a swath
LONGEST_SWATHS = 3.0
STUB_SWATHS = 2.0


def _unit(vectors: Floats) -> Floats:
    result: Floats = vectors / np.maximum(np.hypot(vectors[:, 0], vectors[:, 1]), 1e-12)[:, None]
    return result


def _candidates(legs: Flown, width_m: float) -> NDArray[np.intp]:
    """Numbers of the transits that join two passes flown in opposite directions nearby."""
    found = []
    for number in range(1, len(legs) - 1):
        spraying, way = legs[number]
        before, after = legs[number - 1], legs[number + 1]
        if spraying or len(way) != 2 or not (before[0] and after[0]):
            continue
        ends = np.stack([before[1][-1] - before[1][-2], after[1][1] - after[1][0]])
        step = way[1] - way[0]
        angle = np.arctan2(ends[:, 1], ends[:, 0])
        across = abs(ends[0, 0] * step[1] - ends[0, 1] * step[0]) / np.hypot(*ends[0])
        if (
            np.hypot(*step) <= LONGEST_SWATHS * width_m
            and turn_rad(angle[:1], angle[1:])[0] > np.pi - 0.35
            and 0.4 * width_m <= across <= 1.3 * width_m
        ):
            found.append(number)
    return np.array(found, dtype=np.intp)


def _measured(
    area: BaseGeometry, needed: BaseGeometry, shapes: NDArray[np.object_]
) -> tuple[Floats, Floats]:
    """Square metres of each shape on ground that needs it, and outside the area."""
    inside = shapely.area(shapely.intersection(shapes, area))
    outside = shapely.area(shapes) - inside
    if needed is area:
        return inside, outside
    return shapely.area(shapely.intersection(shapes, needed)), outside


def sprayed_turns(
    legs: Flown,
    area: BaseGeometry,
    *,
    width_m: float,
    dry_budget_m2: float,
    over_budget_m2: float,
) -> tuple[Flown, float, float]:
    """The legs with those turns sprayed that fit the budgets of dry and oversprayed ground.

    Also what of the two budgets, m2, the turns took (below 0: gave back).
    """
    numbers = _candidates(legs, width_m)
    if not len(numbers):
        return legs, 0.0, 0.0
    last = np.array([legs[n - 1][1][-2:] for n in numbers])
    first = np.array([legs[n + 1][1][:2] for n in numbers])
    out, back = _unit(last[:, 1] - last[:, 0]), _unit(first[:, 0] - first[:, 1])
    room = np.minimum(
        np.hypot(*(last[:, 1] - last[:, 0]).T), np.hypot(*(first[:, 1] - first[:, 0]).T)
    )
    step = first[:, 0] - last[:, 1]
    across = np.abs(out[:, 0] * step[:, 1] - out[:, 1] * step[:, 0])
    full_m = width_m / 2 * np.hypot(step[:, 0], step[:, 1]) / np.maximum(across, 1e-9)
    stub = np.minimum(STUB_SWATHS * width_m, room)
    tails = [last[:, 1] - out * stub[:, None], last[:, 1]]
    heads = [first[:, 0], first[:, 0] - back * stub[:, None]]
    flat = [
        shapely.buffer(
            shapely.linestrings(np.stack(ends, axis=1)), width_m / 2, cap_style="flat"
        )
        for ends in (tails, heads)
    ]
    rings = [path for spraying, path in legs if spraying and len(path) > 2]
    wet = robust.union(footprints(rings, width_m))
    needed = area if wet.is_empty else robust.difference(area, wet)
    base = _measured(area, needed, shapely.union(*flat))
    best: dict[int, tuple[float, float, float, float]] = {}
    for pull in PULLS:
        pulled = full_m * pull
        fits = pulled < 0.9 * stub
        bends = [last[:, 1] - out * pulled[:, None], first[:, 0] - back * pulled[:, None]]
        lines = shapely.linestrings(np.stack([tails[0], *bends, heads[1]], axis=1))
        inside, outside = _measured(area, needed, shapely.buffer(lines, width_m / 2, cap_style="flat"))
        dry, over = base[0] - inside, outside - base[1]
        for row in np.flatnonzero(fits):
            price = max(dry[row], 0) / max(dry_budget_m2, 1e-9)
            price += max(over[row], 0) / max(over_budget_m2, 1e-9)
            worth = pulled[row] / (price + 1e-6)
            if row not in best or worth > best[row][0]:
                best[int(row)] = (worth, pulled[row], dry[row], over[row])
    return _taken(legs, numbers, best, out, back, dry_budget_m2, over_budget_m2)


def _taken(
    legs: Flown,
    numbers: NDArray[np.intp],
    best: dict[int, tuple[float, float, float, float]],
    out: Floats,
    back: Floats,
    dry_budget_m2: float,
    over_budget_m2: float,
) -> tuple[Flown, float, float]:
    """Legs joined at the turns worth most, until a budget is spent."""
    pulls: dict[int, tuple[float, int]] = {}
    had_dry_m2, had_over_m2 = dry_budget_m2, over_budget_m2
    for row in sorted(best, key=lambda row: -best[row][0]):
        _, pulled, dry, over = best[row]
        if dry > max(dry_budget_m2, 0.0) or over > max(over_budget_m2, 1e-6):
            continue
        dry_budget_m2, over_budget_m2 = dry_budget_m2 - dry, over_budget_m2 - over
        pulls[int(numbers[row])] = (pulled, row)
    joined: Flown = []
    for number, (spraying, path) in enumerate(legs):
        if number in pulls:
            continue
        if number - 1 in pulls:
            pulled, row = pulls[number - 1]
            before = joined[-1][1]
            bends = [before[-1] - out[row] * pulled, path[0] - back[row] * pulled]
            joined[-1] = (True, np.concatenate([before[:-1], bends, path[1:]]))
        else:
            joined.append((spraying, path))
    return joined, had_dry_m2 - dry_budget_m2, had_over_m2 - over_budget_m2
