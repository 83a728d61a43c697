"""Which passes to fly: several layouts of each piece of ground are tried, the quickest is kept.

A layout is a set of passes: strips of one angle, laps along the walls with strips inside, or
centre lines. All are predicted cheaply; the best few are put in order and timed. Ground that
stays dry is charged by the second, so that a layout cannot win by leaving it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import cells, corridors, robust, swaths
from skymist.coverage.brief import Brief
from skymist.coverage.headlands import laps_along

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SLACK = 0.05  # of a swath that a tiling may lack
SPOT_M = 0.12  # the length of a pass over a spot on which nothing longer fits
NEAR = 1.08  # layouts predicted within this factor of the best are tried in full
MOST_TRIED = 2
FEW_EDGES = 12
MANY_CORNERS = 500
WIGGLE_SHARE = 0.01  # of the swath
MANY_PASSES = 250  # ground that needs more is planned by prediction alone, for time
FEW_CUTS = 16  # ground that needs more cuts is better flown as a whole, unless it is narrow
STRIPS_OVER = 0.8  # of the spray that may go outside: what strips may take, before turns and gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One part of the area, by its number, and the ground in it that may be flown."""

    part: int
    ground: Polygon
    flyable: Polygon
    ground_edges: Floats
    flyable_edges: Floats

    @staticmethod
    def of(part: int, ground: Polygon, flyable: Polygon) -> Piece:
        """A piece with its edges."""
        edges = robust.edges_of(ground)
        return Piece(
            part=part,
            ground=ground,
            flyable=flyable,
            ground_edges=edges,
            flyable_edges=edges if flyable is ground else robust.edges_of(flyable),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Passes over a piece, with what they are predicted to take and to reach."""

    paths: tuple[Floats, ...]
    predicted_s: float
    reached_m2: float


def pieces_of(area: BaseGeometry, brief: Brief) -> list[Piece]:
    """The parts of an area that can be flown at all; a clearance may cut one part into several."""
    found = []
    for number, part in enumerate(robust.polygons(area)):
        smooth = _smooth(part, brief)
        if brief.clearance_m <= 0:
            found.append(Piece.of(number, smooth, part))
            continue
        flown = robust.polygons(robust.inset(part, brief.clearance_m))
        for flyable in flown:
            ground = smooth if len(flown) == 1 else _around(flyable, part, brief.clearance_m)
            found.append(Piece.of(number, ground, flyable))
    return found


def _smooth(part: Polygon, brief: Brief) -> Polygon:
    """A part without wiggles that no layout need follow, where it has very many corners."""
    if brief.contain or shapely.get_num_coordinates(part) < MANY_CORNERS:
        return part
    smooth = part.simplify(WIGGLE_SHARE * brief.swath_m)
    if isinstance(smooth, Polygon) and smooth.is_valid and not smooth.is_empty:
        return smooth
    return part


def _around(flyable: Polygon, part: Polygon, clearance_m: float) -> Polygon:
    """The ground of a part that belongs to a piece of it that may be flown."""
    near = robust.intersection(robust.inset(flyable, -clearance_m), part)
    return max(robust.polygons(near), key=lambda piece: piece.area, default=flyable)


def _strips_s(strips: swaths.Strips, brief: Brief) -> float:
    lengths = strips.x1_m - strips.x0_m
    between = float(brief.kinematics.run_s(brief.swath_m))
    return float(brief.kinematics.run_s(lengths).sum()) + len(lengths) * between


def strip_layouts(ground: Polygon, piece: Piece, brief: Brief, most: int) -> list[Layout]:
    """Strips over one polygon, a layout per angle of its walls."""
    edges = piece.ground_edges if ground is piece.ground else robust.edges_of(ground)
    angles = swaths.angles_of(edges, max(most, 4))
    # Laps inside of which strips end hide what they spray beyond: only the piece's edge counts.
    most_over_m2 = np.inf
    if ground is piece.ground:
        most_over_m2 = STRIPS_OVER * brief.most_over_frac * ground.area
    found = []
    for angle in angles[:most] if most > 2 else swaths.flattest(edges, angles)[:most]:
        strips: swaths.Strips | None = None
        for share in brief.shares:
            tried = swaths.strips_over(
                edges,
                piece.flyable_edges,
                angle_rad=angle,
                width_m=brief.swath_m,
                least_share=share,
                slack=0.0 if brief.contain else SLACK,
                within=piece.ground_edges if brief.contain else None,
            )
            if strips is None or tried.spares_more_than(strips):
                strips = tried
            if strips.outside_m2 <= most_over_m2:
                break
        if strips is not None and len(strips.y_m):
            found.append(
                Layout(
                    paths=tuple(strips.paths()),
                    predicted_s=_strips_s(strips, brief),
                    reached_m2=strips.reached_m2,
                )
            )
    return found


def lap_layout(piece: Piece, brief: Brief, count: int, most: int) -> Layout | None:
    """Laps along all walls, then the quickest strips over each part of what is inside."""
    laps = laps_along(
        piece.ground,
        count=count,
        width_m=brief.swath_m,
        clearance_m=brief.clearance_m,
        exact=brief.contain,
        spikes=not brief.contain and brief.clearance_m <= 0,
    )
    if not laps.paths:
        return None
    paths = list(laps.paths)
    step_s = float(brief.kinematics.run_s(brief.swath_m)) + brief.kinematics.stop_s
    seconds = sum(brief.kinematics.path_s(path) + step_s for path in paths)
    reached = laps.reached_m2
    for part in robust.polygons(laps.inside, 1e-3 * brief.swath_m**2):
        strips = strip_layouts(part, piece, brief, most)
        if strips:
            best = min(strips, key=lambda layout: charged_s(layout, part.area, brief))
            paths.extend(best.paths)
            seconds += best.predicted_s
            reached += best.reached_m2
    return Layout(paths=tuple(paths), predicted_s=seconds, reached_m2=reached)


def cell_layout(piece: Piece, brief: Brief) -> Layout | None:
    """Strips at an angle of its own over each exact cell, cells merged where that is quicker."""
    narrow = corridors.is_narrow(piece.ground, brief.swath_m)
    found = cells.cells_of(piece.ground, brief.swath_m, cells.MOST_CUTS if narrow else FEW_CUTS)
    if len(found) < 2:
        return None

    def value_of(cell: Polygon) -> tuple[Layout | None, float]:
        most = 4 if brief.contain else 1 if robust.is_convex(cell) else 2
        strips = strip_layouts(cell, piece, brief, most)
        best = min(strips, key=lambda one: charged_s(one, cell.area, brief), default=None)
        return best, cell.area

    def cost_of(value: tuple[Layout | None, float]) -> float:
        best, ground_m2 = value
        if best is None:
            return brief.dry_s(ground_m2 / 2, ground_m2 / 2)
        return charged_s(best, ground_m2, brief)

    values = cells.merged(found, value_of, cost_of)
    kept = [layout for layout, _ in values if layout is not None]
    if not kept:
        return None
    return Layout(
        paths=tuple(path for layout in kept for path in layout.paths),
        predicted_s=sum(layout.predicted_s for layout in kept),
        reached_m2=sum(layout.reached_m2 for layout in kept),
    )


def corridor_layout(piece: Piece, brief: Brief) -> Layout | None:
    """Centre lines, if the piece is narrow."""
    if brief.contain or not corridors.is_narrow(piece.ground, brief.swath_m):
        return None
    paths = corridors.centre_lines(piece.ground, piece.flyable, brief.swath_m)
    if not paths:
        return None
    lines = shapely.MultiLineString([shapely.LineString(path) for path in paths])
    wet = shapely.buffer(lines, brief.swath_m / 2, cap_style="flat")
    seconds = sum(brief.kinematics.path_s(path) for path in paths)
    return Layout(
        paths=tuple(paths),
        predicted_s=seconds,
        reached_m2=robust.intersection(wet, piece.ground).area,
    )


def charged_s(layout: Layout, ground_m2: float, brief: Brief) -> float:
    """Predicted seconds, with a charge for ground left dry, dearer along the wind."""
    dry_s = brief.dry_s(ground_m2 - layout.reached_m2, ground_m2)
    return layout.predicted_s * brief.wind_factor(layout.paths) + dry_s


def layouts_of(piece: Piece, brief: Brief) -> list[Layout]:
    """The layouts of a piece, the most promising first."""
    few = len(piece.ground_edges) <= FEW_EDGES
    convex = len(piece.ground_edges) <= 2 * FEW_EDGES and robust.is_convex(piece.ground)
    most = 2 if convex else 4 if few else 6
    found = strip_layouts(piece.ground, piece, brief, most)
    if not convex or not found:
        for layout in (
            lap_layout(piece, brief, 1, 3),
            corridor_layout(piece, brief),
            cell_layout(piece, brief),
        ):
            if layout is not None:
                found.append(layout)
    found.sort(key=lambda layout: charged_s(layout, piece.ground.area, brief))
    return found


def worth_trying(found: list[Layout], piece: Piece, brief: Brief) -> list[Layout]:
    """Those of the sorted layouts that may turn out the quickest when routed."""
    if not found:
        return []
    charged = [charged_s(layout, piece.ground.area, brief) for layout in found]
    near = [
        layout
        for layout, seconds in zip(found, charged, strict=True)
        if seconds <= NEAR * charged[0]
    ]
    if brief.contain:
        return found[:MOST_TRIED]
    surely = len(piece.ground_edges) <= FEW_EDGES or len(near[0].paths) > MANY_PASSES
    return near[: 1 if surely else MOST_TRIED]


def spot_layout(piece: Piece) -> Layout:
    """One short pass for a piece on which nothing else fits."""
    point = piece.flyable.representative_point()
    half = np.array([SPOT_M / 2, 0.0])
    at = np.array([point.x, point.y])
    return Layout(paths=(np.stack([at - half, at + half]),), predicted_s=0.0, reached_m2=0.0)
