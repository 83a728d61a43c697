"""Turns at the wall with the spray on: pass, short way along the wall, pass become one.

Where two neighbouring passes run up to the same wall, both stop half a swath short of it and the
way between them, now along the wall, is sprayed. That saves a swath of flight per turn, reaches
the skewed ends that a flat strip misses, and leaves a rounding in each corner dry. Which turns to
take is a trade of seconds against dry ground and spray outside; each is measured by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust
from skymist.coverage.kinematics import turn_rad
from skymist.coverage.tally import footprints

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flown = list[tuple[bool, Floats]]

PULLS = (1.0, 0.6)  # how far to stay off the wall, of half a swath
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
    area: BaseGeometry, needed: BaseGeometry, shapes: robust.Shapes
) -> tuple[Floats, Floats]:
    """Square metres of each shape on ground that needs it, and outside the area."""
    inside = np.asarray(shapely.area(robust.each_intersection(shapes, area)))
    outside = np.asarray(shapely.area(shapes)) - inside
    if needed is area:
        return inside, outside
    return np.asarray(shapely.area(robust.each_intersection(shapes, needed))), outside


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joints:
    """Places where a pass ends at a wall and the next begins: one row each.

    `out` points along the first pass, `back` along the second, both to the wall; `full_m` is how
    far back along the passes a way half a swath off the wall lies; `stub_m` what is measured.
    """

    numbers: NDArray[np.intp]
    ends: Floats
    starts: Floats
    out: Floats
    back: Floats
    full_m: Floats
    stub_m: Floats

    @staticmethod
    def of(legs: Flown, numbers: NDArray[np.intp], width_m: float) -> _Joints:
        last = np.array([legs[n - 1][1][-2:] for n in numbers])
        first = np.array([legs[n + 1][1][:2] for n in numbers])
        out, back = _unit(last[:, 1] - last[:, 0]), _unit(first[:, 0] - first[:, 1])
        room = np.minimum(
            np.hypot(*(last[:, 1] - last[:, 0]).T), np.hypot(*(first[:, 1] - first[:, 0]).T)
        )
        step = first[:, 0] - last[:, 1]
        across = np.abs(out[:, 0] * step[:, 1] - out[:, 1] * step[:, 0])
        return _Joints(
            numbers=numbers,
            ends=last[:, 1],
            starts=first[:, 0],
            out=out,
            back=back,
            full_m=width_m / 2 * np.hypot(step[:, 0], step[:, 1]) / np.maximum(across, 1e-9),
            stub_m=np.minimum(STUB_SWATHS * width_m, room),
        )

    def bends(self, pulled_m: Floats) -> tuple[Floats, Floats]:
        """Where the way between begins and ends, pulled back from the wall."""
        pulled = pulled_m[:, None]
        return self.ends - self.out * pulled, self.starts - self.back * pulled

    def flat(self, width_m: float) -> robust.Shapes:
        """The ground under both passes near the wall, as they are."""
        tails = np.stack([self.ends - self.out * self.stub_m[:, None], self.ends], axis=1)
        heads = np.stack([self.starts, self.starts - self.back * self.stub_m[:, None]], axis=1)
        return robust.each_union(_under(tails, width_m), _under(heads, width_m))

    def turned(self, pulled_m: Floats, width_m: float) -> robust.Shapes:
        """The ground under both and the way between, pulled back from the wall."""
        path = [
            self.ends - self.out * self.stub_m[:, None],
            *self.bends(pulled_m),
            self.starts - self.back * self.stub_m[:, None],
        ]
        return _under(np.stack(path, axis=1), width_m)


def _under(paths: Floats, width_m: float) -> robust.Shapes:
    lines = shapely.linestrings(paths)
    return np.asarray(shapely.buffer(lines, width_m / 2, cap_style="flat"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """How far to pull one joint back, what that costs, and metres saved per share of budget."""

    row: int
    worth: float
    pulled_m: float
    dry_m2: float
    over_m2: float


def sprayed_turns(
    legs: Flown,
    area: BaseGeometry,
    *,
    width_m: float,
    dry_budget_m2: float,
    over_budget_m2: float,
    sees: Callable[[Floats, Floats], NDArray[np.bool_]],
) -> tuple[Flown, float, float]:
    """The legs with those turns sprayed that fit the budgets of dry and oversprayed ground.

    Also what of the two budgets, m2, the turns took (below 0: gave back). `sees` tells which
    straight ways stay on ground that may be flown.
    """
    numbers = _candidates(legs, width_m)
    if not len(numbers):
        return legs, 0.0, 0.0
    joints = _Joints.of(legs, numbers, width_m)
    rings = [path for spraying, path in legs if spraying and len(path) > 2]
    wet = robust.union(footprints(rings, width_m))
    needed = area if wet.is_empty else robust.difference(area, wet)
    budgets = (max(dry_budget_m2, 1e-9), max(over_budget_m2, 1e-9))
    taken: list[_Choice] = []
    had_dry_m2, had_over_m2 = dry_budget_m2, over_budget_m2
    for choice in sorted(
        _choices(joints, area, needed, width_m, budgets, sees), key=lambda choice: -choice.worth
    ):
        if choice.dry_m2 > max(dry_budget_m2, 0.0) or choice.over_m2 > max(over_budget_m2, 1e-6):
            continue
        dry_budget_m2 -= choice.dry_m2
        over_budget_m2 -= choice.over_m2
        taken.append(choice)
    return _joined(legs, joints, taken), had_dry_m2 - dry_budget_m2, had_over_m2 - over_budget_m2


def _choices(
    joints: _Joints,
    area: BaseGeometry,
    needed: BaseGeometry,
    width_m: float,
    budgets: tuple[float, float],
    sees: Callable[[Floats, Floats], NDArray[np.bool_]],
) -> list[_Choice]:
    """For each joint the pull that saves most for what it costs of the budgets."""
    base = _measured(area, needed, joints.flat(width_m))
    best: dict[int, _Choice] = {}
    for pull in PULLS:
        pulled_m = joints.full_m * pull
        fits = (pulled_m < 0.9 * joints.stub_m) & sees(*joints.bends(pulled_m))
        bent = joints.turned(np.where(fits, pulled_m, 0.0), width_m)
        inside, outside = _measured(area, needed, bent)
        dry, over = base[0] - inside, outside - base[1]
        price = np.maximum(dry, 0) / budgets[0] + np.maximum(over, 0) / budgets[1]
        worth = pulled_m / (price + 1e-6)
        for row in map(int, np.flatnonzero(fits)):
            if row not in best or worth[row] > best[row].worth:
                best[row] = _Choice(
                    row=row,
                    worth=float(worth[row]),
                    pulled_m=float(pulled_m[row]),
                    dry_m2=float(dry[row]),
                    over_m2=float(over[row]),
                )
    return list(best.values())


def _joined(legs: Flown, joints: _Joints, taken: list[_Choice]) -> Flown:
    """Legs with the chosen turns sprayed: pass, way and pass become one."""
    pulls = {int(joints.numbers[choice.row]): choice for choice in taken}
    joined: Flown = []
    for number, (spraying, path) in enumerate(legs):
        if number in pulls:
            continue
        choice = pulls.get(number - 1)
        if choice is None:
            joined.append((spraying, path))
            continue
        before, row = joined[-1][1], choice.row
        bends = [
            before[-1] - joints.out[row] * choice.pulled_m,
            path[0] - joints.back[row] * choice.pulled_m,
        ]
        joined[-1] = (True, np.concatenate([before[:-1], bends, path[1:]]))
    return joined
