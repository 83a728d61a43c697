"""From layouts to a path: the quickest layout of each piece, gaps filled, all in one order.

`coverage.layouts` offers passes, `coverage.order` puts them in order, `coverage.transits` finds
the ways, `coverage.turns` sprays turns. This module weighs the results against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import layouts, order, robust
from skymist.coverage.errors import PlanError
from skymist.coverage.gaps import gap_passes
from skymist.coverage.kinematics import SAME_PLACE_M
from skymist.coverage.layouts import Brief, Layout, Piece
from skymist.coverage.tally import footprints
from skymist.coverage.transits import FreeSpace
from skymist.coverage.turns import sprayed_turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flown = list[tuple[bool, Floats]]

GAP_ROUNDS = 2
NESTED_S = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Passes of several pieces: which piece each lies in."""

    paths: tuple[Floats, ...]
    piece: NDArray[np.intp]


def is_ring(path: Floats) -> bool:
    """Whether a pass ends where it starts."""
    return len(path) > 3 and bool(np.hypot(*(path[0] - path[-1])) <= SAME_PLACE_M)


def _sequence(
    passes: Passes,
    spaces: Sequence[FreeSpace],
    brief: Brief,
    start: Floats | None,
    nested: NDArray[np.bool_],
) -> list[int]:
    tasks = order.Tasks.of(passes.paths)
    costs = order.costs_s(tasks, passes.piece, spaces, brief.kinematics)
    if nested.any():
        node_piece = np.repeat(passes.piece, 2)
        costs += NESTED_S * nested[node_piece[:, None], node_piece[None, :]]
    from_start = None
    if start is not None:
        from_start = brief.kinematics.run_s(np.hypot(*(tasks.starts - start).T))
    return order.ordered(costs, from_start=from_start)


def _rings_turned(passes: Passes, nodes: list[int]) -> Passes:
    """Each ring opened at the corner that lies best between its neighbours in the order."""
    paths = list(passes.paths)
    for at, node in enumerate(nodes):
        ring = paths[node >> 1]
        if not is_ring(ring):
            continue
        detour = np.zeros(len(ring) - 1)
        if at > 0:
            before = paths[nodes[at - 1] >> 1][0 if nodes[at - 1] & 1 else -1]
            detour += np.hypot(*(ring[:-1] - before).T)
        if at + 1 < len(nodes):
            after = paths[nodes[at + 1] >> 1][-1 if nodes[at + 1] & 1 else 0]
            detour += np.hypot(*(ring[:-1] - after).T)
        opened = np.roll(ring[:-1], -int(np.argmin(detour)), axis=0)
        paths[node >> 1] = np.concatenate([opened, opened[:1]])
    return Passes(paths=tuple(paths), piece=passes.piece)


def _joined(passes: Passes, nodes: list[int], spaces: Sequence[FreeSpace]) -> Flown:
    """Passes in order with the ways between them; ends that all but meet are made one."""
    paths = [passes.paths[node >> 1][:: -1 if node & 1 else 1] for node in nodes]
    pieces = passes.piece[np.array(nodes) >> 1]
    tails = np.array([path[-1] for path in paths[:-1]]).reshape(-1, 2)
    heads = np.array([path[0] for path in paths[1:]]).reshape(-1, 2)
    far = np.hypot(*(heads - tails).T) > SAME_PLACE_M
    ways: list[Floats] = list(np.stack([tails, heads], axis=1))
    for number, space in enumerate(spaces):
        mine = np.flatnonzero(far & (pieces[:-1] == number) & (pieces[1:] == number))
        if len(mine) and not space.convex:
            for row, way in zip(mine, space.ways(tails[mine], heads[mine]), strict=True):
                ways[row] = way
    legs: Flown = [(True, paths[0])]
    for number, path in enumerate(paths[1:]):
        if far[number]:
            legs.append((False, ways[number]))
        elif (tails[number] != heads[number]).any():
            path = np.concatenate([tails[number : number + 1], path[1:]])
        legs.append((True, path))
    return legs


def routed(
    passes: Passes,
    spaces: Sequence[FreeSpace],
    brief: Brief,
    start: Floats | None,
    nested: NDArray[np.bool_],
) -> Flown:
    """Passes in the order that is quickest, with the ways between them."""
    nodes = _sequence(passes, spaces, brief, start, nested)
    if any(is_ring(path) for path in passes.paths):
        for _ in range(2):
            passes = _rings_turned(passes, nodes)
        nodes = _sequence(passes, spaces, brief, start, nested)
        passes = _rings_turned(passes, nodes)
    return _joined(passes, nodes, spaces)


def seconds_of(legs: Flown, brief: Brief) -> float:
    """Seconds to fly all legs."""
    return brief.kinematics.path_s(np.concatenate([path for _, path in legs]))


def _turned(legs: Flown, area: BaseGeometry, brief: Brief) -> tuple[Flown, float, float]:
    """Legs with the turns sprayed that fit the budgets, and m2 about covered and outside."""
    wet = _wet(legs, brief)
    inside = robust.intersection(wet, area).area
    outside = wet.area - inside
    turned, dry_m2, over_m2 = sprayed_turns(
        legs,
        area,
        width_m=brief.swath_m,
        dry_budget_m2=0.0 if brief.contain else inside - brief.enough_frac * area.area,
        over_budget_m2=0.0
        if brief.contain
        else brief.most_over_frac * area.area - outside,
    )
    return turned, inside - dry_m2, outside + over_m2


def _wet(legs: Flown, brief: Brief) -> BaseGeometry:
    return robust.union(footprints([path for spraying, path in legs if spraying], brief.swath_m))


def _nested(pieces: Sequence[Piece]) -> NDArray[np.bool_]:
    """Which pairs of pieces lie one in a hole of the other: flights between cross a wall."""
    count = len(pieces)
    inside = np.zeros((count, count), dtype=bool)
    for outer, piece in enumerate(pieces):
        if piece.ground.interiors:
            rim = Polygon(piece.ground.exterior)
            for inner, other in enumerate(pieces):
                inside[outer, inner] = inner != outer and bool(
                    rim.covers(other.ground.representative_point())
                )
    return inside | inside.T


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Passes as flown: legs (spraying, points), and about what they reach."""

    passes: Passes
    legs: Flown
    covered_m2: float
    outside_m2: float

    def charged_s(self, ground_m2: float, brief: Brief) -> float:
        """Seconds to fly, with a charge for dry ground and for spray outside."""
        over_m2 = self.outside_m2 - brief.most_over_frac * ground_m2
        return (
            seconds_of(self.legs, brief)
            + brief.dry_s(ground_m2 - self.covered_m2, ground_m2)
            + brief.dry_s(ground_m2, ground_m2) * max(over_m2, 0.0) / ground_m2
        )


class _Ground:
    """An area cut into pieces, with what is needed to route passes over it."""

    def __init__(self, area: BaseGeometry, brief: Brief, start: Floats | None) -> None:
        self.area, self.brief, self.start = area, brief, start
        self.pieces = layouts.pieces_of(area, brief.clearance_m)
        self.spaces = [FreeSpace(piece.flyable, brief.kinematics) for piece in self.pieces]
        self.nested = _nested(self.pieces)

    def flown(self, passes: Passes) -> Result:
        """Passes over all pieces, routed and turned."""
        legs = routed(passes, self.spaces, self.brief, self.start, self.nested)
        legs, covered_m2, outside_m2 = _turned(legs, self.area, self.brief)
        return Result(passes=passes, legs=legs, covered_m2=covered_m2, outside_m2=outside_m2)

    def alone(self, number: int, layout: Layout) -> Result:
        """A layout of one piece, routed and turned by itself."""
        passes = Passes(paths=layout.paths, piece=np.zeros(len(layout.paths), dtype=np.intp))
        start = self.start if len(self.pieces) == 1 else None
        unnested = np.zeros((1, 1), dtype=bool)
        legs = routed(passes, [self.spaces[number]], self.brief, start, unnested)
        legs, covered_m2, outside_m2 = _turned(legs, self.pieces[number].ground, self.brief)
        return Result(passes=passes, legs=legs, covered_m2=covered_m2, outside_m2=outside_m2)

    def quickest(self, number: int) -> tuple[Layout, Result | None]:
        """The layout of a piece that costs least, and its result if it was flown."""
        piece, brief = self.pieces[number], self.brief
        tried = layouts.worth_trying(layouts.layouts_of(piece, brief), piece, brief)
        if not tried:
            return layouts.spot_layout(piece), None
        if len(tried) == 1:
            return tried[0], None
        results = [self.alone(number, layout) for layout in tried]
        seconds = [result.charged_s(piece.ground.area, brief) for result in results]
        best = int(np.argmin(seconds))
        return tried[best], results[best]

    def with_gaps_filled(self, result: Result) -> tuple[Flown, BaseGeometry]:
        """Legs with passes added over what is dry beyond what may stay dry; the wet ground."""
        brief = self.brief
        may_m2 = 0.0 if brief.contain else (1 - brief.enough_frac) * self.area.area
        wet = _wet(result.legs, brief)
        for _ in range(GAP_ROUNDS):
            dry = robust.difference(self.area, wet)
            if dry.area <= may_m2:
                break
            over_m2 = brief.most_over_frac * self.area.area - result.outside_m2
            more = self._gap_paths(dry, dry.area - may_m2, max(over_m2, 0.0))
            if not more:
                break
            passes = Passes(
                paths=(*result.passes.paths, *(path for _, path in more)),
                piece=np.append(result.passes.piece, [number for number, _ in more]),
            )
            result = self.flown(passes)
            wet = _wet(result.legs, brief)
        return result.legs, wet

    def _gap_paths(
        self, dry: BaseGeometry, wanted_m2: float, over_m2: float
    ) -> list[tuple[int, Floats]]:
        brief = self.brief
        found: list[tuple[int, Floats]] = []
        for number, piece in enumerate(self.pieces):
            mine = dry if len(self.pieces) == 1 else robust.intersection(dry, piece.ground)
            if mine.area <= 0:
                continue
            paths = gap_passes(
                mine,
                piece,
                wanted_m2=wanted_m2 * mine.area / dry.area,
                width_m=brief.swath_m,
                over_budget_m2=1e-9 if brief.contain else over_m2,
                kinematics=brief.kinematics,
            )
            found += [(number, path) for path in paths]
        return found


def flown_over(
    area: BaseGeometry, brief: Brief, start: Floats | None
) -> tuple[Flown, BaseGeometry]:
    """The legs over an area, (spraying, points) in flown order, and the ground under them."""
    ground = _Ground(area, brief, start)
    if not ground.pieces:
        raise PlanError(f"no path fits: clearance_m {brief.clearance_m} leaves no ground to fly")
    chosen = [ground.quickest(number) for number in range(len(ground.pieces))]
    if len(chosen) == 1 and chosen[0][1] is not None:
        result = chosen[0][1]
    else:
        paths = tuple(path for layout, _ in chosen for path in layout.paths)
        number = [n for n, (layout, _) in enumerate(chosen) for _ in layout.paths]
        result = ground.flown(Passes(paths=paths, piece=np.array(number, dtype=np.intp)))
    return ground.with_gaps_filled(result)
