"""An area cut into pieces: the quickest layout of each, gaps filled, all in one path.

`coverage.layouts` offers passes, `coverage.routes` joins them, `coverage.turns` sprays turns and
`coverage.gaps` adds passes over what stayed dry. This module weighs the results against each
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import layouts, robust
from skymist.coverage.brief import Brief
from skymist.coverage.errors import PlanError
from skymist.coverage.gaps import gap_passes
from skymist.coverage.kinematics import SAME_PLACE_M
from skymist.coverage.layouts import Layout, Piece
from skymist.coverage.routes import Passes, Terrain, routed
from skymist.coverage.tally import footprints
from skymist.coverage.transits import FreeSpace
from skymist.coverage.turns import sprayed_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flown = list[tuple[bool, Floats]]
    Seen = NDArray[np.bool_]

GAP_SHARES = (0.04, 0.03, 0.015)  # of a swath squared: dry spots worth a pass, round by round
EXACT_GAP_SHARES = (0.004, 0.004)  # the same where as much as can be is to be reached
LEFT_FOR_TURNS = 0.75  # of the spray that may go outside, where gap passes will need some too
LAST_OVER_FRAC = 0.08  # what reaching the full area may spray outside, in the last round


def seconds_of(legs: Flown, brief: Brief) -> float:
    """Seconds to fly all legs."""
    return brief.kinematics.path_s(np.concatenate([path for _, path in legs]))


def _turned(
    legs: Flown, area: BaseGeometry, brief: Brief, sees: Callable[[Floats, Floats], Seen]
) -> tuple[Flown, float, float]:
    """Legs with the turns sprayed that fit the budgets, and m2 about covered and outside."""
    wet = _wet(legs, brief)
    inside = robust.intersection(wet, area).area
    outside = wet.area - inside
    if brief.contain or not brief.spray_turns:  # rounded bends would leave specks dry
        return legs, inside, outside
    dry_budget_m2 = inside - brief.enough_frac * area.area
    over_budget_m2 = brief.most_over_frac * area.area - outside
    turned, dry_m2, over_m2 = sprayed_turns(
        legs,
        area,
        width_m=brief.swath_m,
        dry_budget_m2=dry_budget_m2,
        over_budget_m2=over_budget_m2 * (1.0 if dry_budget_m2 > 0 else LEFT_FOR_TURNS),
        sees=sees,
    )
    return turned, inside - dry_m2, outside + over_m2


def _wet(legs: Flown, brief: Brief) -> BaseGeometry:
    return robust.union(footprints([path for spraying, path in legs if spraying], brief.swath_m))


def _inside_holes(pieces: Sequence[Piece]) -> NDArray[np.bool_]:
    """Whether each piece (row) has each other (column) in a hole: ways between cross a wall."""
    count = len(pieces)
    inside = np.zeros((count, count), dtype=bool)
    for outer, piece in enumerate(pieces):
        if piece.ground.interiors:
            rim = Polygon(piece.ground.exterior)
            for inner, other in enumerate(pieces):
                inside[outer, inner] = inner != outer and bool(
                    rim.covers(other.ground.representative_point())
                )
    return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Passes as flown: legs (spraying, points), and about what they reach."""

    legs: Flown
    covered_m2: float
    outside_m2: float

    def charged_s(self, ground_m2: float, brief: Brief) -> float:
        """Seconds to fly, with a charge for dry ground and for spray outside."""
        over_m2 = self.outside_m2 - brief.most_over_frac * ground_m2
        sprayed = [path for spraying, path in self.legs if spraying]
        return (
            seconds_of(self.legs, brief) * brief.wind_factor(sprayed)
            + brief.dry_s(ground_m2 - self.covered_m2, ground_m2)
            + brief.dry_s(ground_m2, ground_m2) * max(over_m2, 0.0) / ground_m2
        )


class _Ground:
    """An area cut into pieces, with what is needed to route passes over it.

    Pieces inside a hole of another are islands. Who reads a path and takes holes as solid counts
    a way on an island as a crossing, so there the spray stays on between passes, if it may.
    """

    def __init__(self, area: BaseGeometry, brief: Brief, start: Floats | None) -> None:
        self.area, self.brief = area, brief
        self.pieces = layouts.pieces_of(area, brief)
        inside = _inside_holes(self.pieces)
        islands = np.flatnonzero(inside.any(axis=0)) if brief.spray_turns else ()
        self.islands = frozenset(int(number) for number in islands)
        self.terrain = Terrain(
            spaces=tuple(
                FreeSpace(piece.flyable, brief.kinematics, brief.hop) for piece in self.pieces
            ),
            nested=inside | inside.T,
            start=start,
            detours=self._detours(),
        )

    def _detours(self) -> dict[tuple[int, int], FreeSpace]:
        """For pieces of one part that the clearance keeps apart: the part, to fly through."""
        parts = [piece.part for piece in self.pieces]
        if len(set(parts)) == len(parts):
            return {}
        grounds = robust.polygons(self.area)
        split = {part for part in parts if parts.count(part) > 1}
        brief = self.brief
        spaces = {part: FreeSpace(grounds[part], brief.kinematics, brief.hop) for part in split}
        return {
            (one, other): spaces[part]
            for one, part in enumerate(parts)
            for other, same in enumerate(parts)
            if part == same and one != other
        }

    def flown(self, passes: Passes) -> Result:
        """Passes over all pieces, routed and turned."""
        legs, _ = routed(passes, self.terrain, self.brief.kinematics)
        legs, covered_m2, outside_m2 = _turned(legs, self.area, self.brief, self._sees)
        for number in self.islands:
            legs = self._island_sprayed(legs, self.pieces[number])
        return Result(legs=legs, covered_m2=covered_m2, outside_m2=outside_m2)

    def _sees(self, first: Floats, second: Floats) -> Seen:
        """Which straight ways stay on one of the pieces."""
        spaces = self.terrain.spaces
        if len(spaces) == 1:
            return spaces[0].sees(first, second)
        tree = shapely.STRtree([piece.flyable for piece in self.pieces])
        seen = np.zeros(len(first), dtype=bool)
        way, near = tree.query(
            shapely.points((first + second) / 2), predicate="dwithin", distance=1e-3
        )
        for number in np.unique(near):
            mine = way[near == number]
            seen[mine] |= spaces[int(number)].sees(first[mine], second[mine])
        return seen

    def _island_sprayed(self, legs: Flown, piece: Piece) -> Flown:
        ground = shapely.buffer(piece.ground, SAME_PLACE_M)
        half_m = self.brief.swath_m / 2
        kept: Flown = []
        for spraying, path in legs:
            line = shapely.LineString(path)
            under = shapely.buffer(line, half_m, cap_style="flat") if self.brief.contain else line
            kept.append((spraying or bool(ground.covers(under)), path))
        return kept

    def alone(self, number: int, layout: Layout) -> Result:
        """A layout of one piece, routed and turned by itself."""
        passes = Passes(paths=layout.paths, piece=np.zeros(len(layout.paths), dtype=np.intp))
        terrain = Terrain(
            spaces=(self.terrain.spaces[number],),
            nested=np.zeros((1, 1), dtype=bool),
            start=self.terrain.start if len(self.pieces) == 1 else None,
        )
        legs, _ = routed(passes, terrain, self.brief.kinematics)
        legs, covered_m2, outside_m2 = _turned(
            legs, self.pieces[number].ground, self.brief, self.terrain.spaces[number].sees
        )
        return Result(legs=legs, covered_m2=covered_m2, outside_m2=outside_m2)

    def quickest(self, number: int) -> tuple[Layout | None, Result | None]:
        """The layout of a piece that costs least, and its result if it was flown.

        None where no pass fits without spray outside, and the policy forbids that.
        """
        piece, brief = self.pieces[number], self.brief
        tried = layouts.worth_trying(layouts.layouts_of(piece, brief), piece, brief)
        if not tried:
            return None if brief.contain else layouts.spot_layout(piece), None
        if len(tried) == 1:
            return tried[0], None
        results = [self.alone(number, layout) for layout in tried]
        seconds = [result.charged_s(piece.ground.area, brief) for result in results]
        best = int(np.argmin(seconds))
        return tried[best], results[best]

    def with_gaps_filled(self, result: Result) -> tuple[Flown, BaseGeometry, BaseGeometry]:
        """Legs with passes added over dry ground that may not stay so; wet and dry ground.

        What is sprayed already stays as it is, turns and all; the order is made anew.
        """
        brief, whole_m2 = self.brief, self.area.area
        may_m2 = brief.may_stay_dry_m2(whole_m2)
        wet = _wet(result.legs, brief)
        dry = robust.difference(self.area, wet)
        outside_m2 = wet.area - whole_m2 + dry.area
        added: list[tuple[int, Floats]] = []
        for least_share in EXACT_GAP_SHARES if brief.contain else GAP_SHARES:
            if dry.area <= may_m2:
                break
            is_last = least_share == GAP_SHARES[-1]
            most_m2 = (LAST_OVER_FRAC if is_last else brief.most_over_frac) * whole_m2
            over_m2 = max(most_m2 - outside_m2, 0.0)
            more = self._gap_paths(dry, dry.area - may_m2, over_m2, least_share)
            if more:
                added += more
                strips = robust.union(footprints([path for _, path in more], brief.swath_m))
                wet, dry = robust.union([wet, strips]), robust.difference(dry, strips)
                outside_m2 = wet.area - whole_m2 + dry.area
        if added:
            return self._with(result.legs, added), wet, dry
        return result.legs, wet, dry

    def _with(self, legs: Flown, added: list[tuple[int, Floats]]) -> Flown:
        """Legs in an order that takes in added passes, each with the number of its piece."""
        sprayed = [path for spraying, path in legs if spraying]
        paths = (*sprayed, *(path for _, path in added))
        number = np.zeros(len(sprayed), dtype=np.intp)
        if len(self.pieces) > 1:
            tree = shapely.STRtree([piece.flyable for piece in self.pieces])
            number = tree.nearest(shapely.points([path[0] for path in sprayed]))
        passes = Passes(paths=paths, piece=np.append(number, [piece for piece, _ in added]))
        known = range(0, 2 * len(sprayed), 2)
        legs, _ = routed(passes, self.terrain, self.brief.kinematics, known)
        for island in self.islands:
            legs = self._island_sprayed(legs, self.pieces[island])
        return legs

    def _gap_paths(
        self, dry: BaseGeometry, wanted_m2: float, over_m2: float, least_share: float
    ) -> list[tuple[int, Floats]]:
        brief = self.brief
        found: list[tuple[int, Floats]] = []
        for number, piece in enumerate(self.pieces):
            mine = dry
            if len(self.pieces) > 1:
                mine = robust.areal(robust.intersection(dry, piece.ground))
            if mine.area <= 0:
                continue
            paths = gap_passes(
                mine,
                piece,
                wanted_m2=wanted_m2 * mine.area / dry.area,
                width_m=brief.swath_m,
                least_m2=least_share * brief.swath_m**2,
                over_budget_m2=None if brief.contain else over_m2,
                kinematics=brief.kinematics,
            )
            found += [(number, path) for path in paths]
        return found


def flown_over(
    area: BaseGeometry, brief: Brief, start: Floats | None
) -> tuple[Flown, BaseGeometry, BaseGeometry]:
    """The legs over an area, (spraying, points) in flown order; wet and dry ground."""
    ground = _Ground(area, brief, start)
    if not ground.pieces:
        raise PlanError(f"no path fits: clearance_m {brief.clearance_m} leaves no ground to fly")
    chosen = [ground.quickest(number) for number in range(len(ground.pieces))]
    if len(chosen) == 1 and chosen[0][1] is not None:
        result = chosen[0][1]
    else:
        flyable = [(n, layout) for n, (layout, _) in enumerate(chosen) if layout is not None]
        paths = tuple(path for _, layout in flyable for path in layout.paths)
        number = [n for n, layout in flyable for _ in layout.paths]
        if not paths:
            return [], Polygon(), area
        result = ground.flown(Passes(paths=paths, piece=np.array(number, dtype=np.intp)))
    return ground.with_gaps_filled(result)
