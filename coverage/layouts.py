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

from skymist.coverage import corridors, robust, swaths
from skymist.coverage.headlands import laps_along
from skymist.coverage.kinematics import Kinematics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SLACK = 0.05  # of a swath that a tiling may lack
SHORTEST_M = 0.1
NEAR = 1.12  # layouts predicted within this factor of the best are tried in full
MOST_TRIED = 3
FEW_EDGES = 12
DRY_PRICE = 13.0  # dry ground costs this many times its share of the flying time
CONTAIN_PRICE = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What all layouts of one plan share."""

    swath_m: float
    clearance_m: float
    contain: bool
    least_share: float
    enough_frac: float
    most_over_frac: float
    kinematics: Kinematics

    def dry_s(self, dry_m2: float, ground_m2: float) -> float:
        """What dry ground beyond the share that may stay dry costs, s."""
        free_m2 = 0.0 if self.contain else (1 - self.enough_frac) * ground_m2
        rate = (CONTAIN_PRICE if self.contain else DRY_PRICE) / (
            self.kinematics.speed_mps * self.swath_m
        )
        return rate * max(dry_m2 - free_m2, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One part of the area and the ground in it that may be flown."""

    ground: Polygon
    flyable: BaseGeometry
    ground_edges: Floats
    flyable_edges: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Passes over a piece, with what they are predicted to take and to reach."""

    paths: tuple[Floats, ...]
    predicted_s: float
    reached_m2: float


def pieces_of(area: BaseGeometry, clearance_m: float) -> list[Piece]:
    """The parts of an area that can be flown at all."""
    found = []
    for part in robust.polygons(area):
        flyable: BaseGeometry = part if clearance_m <= 0 else robust.inset(part, clearance_m)
        for flown in robust.polygons(flyable):
            edges = robust.edges_of(part)
            found.append(
                Piece(
                    ground=part,
                    flyable=flown,
                    ground_edges=edges,
                    flyable_edges=edges if flown is part else robust.edges_of(flown),
                )
            )
    return found


def _strips_s(strips: swaths.Strips, brief: Brief) -> float:
    lengths = strips.x1_m - strips.x0_m
    between = float(brief.kinematics.run_s(brief.swath_m))
    return float(brief.kinematics.run_s(lengths).sum()) + len(lengths) * between


def strip_layouts(
    ground: BaseGeometry, piece: Piece, brief: Brief, most: int
) -> list[Layout]:
    """Strips over one polygon, a layout per angle of its walls."""
    edges = piece.ground_edges if ground is piece.ground else robust.edges_of(ground)
    angles = swaths.angles_of(edges, max(most, 4))
    found = []
    for angle in angles[:most] if most > 2 else swaths.flattest(edges, angles)[:most]:
        strips = swaths.strips_over(
            edges,
            piece.flyable_edges,
            angle_rad=angle,
            width_m=brief.swath_m,
            least_share=brief.least_share,
            slack=SLACK,
        )
        if len(strips.y_m):
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


def corridor_layout(piece: Piece, brief: Brief) -> Layout | None:
    """Centre lines, if the piece is narrow."""
    if not corridors.is_narrow(piece.ground, brief.swath_m):
        return None
    paths = corridors.centre_lines(piece.ground, piece.flyable, brief.swath_m)
    if not paths:
        return None
    lines = shapely.multilinestrings([shapely.linestrings(path) for path in paths])
    wet = shapely.buffer(lines, brief.swath_m / 2, cap_style="flat")
    seconds = sum(brief.kinematics.path_s(path) for path in paths)
    return Layout(
        paths=tuple(paths),
        predicted_s=seconds,
        reached_m2=robust.intersection(wet, piece.ground).area,
    )


def charged_s(layout: Layout, ground_m2: float, brief: Brief) -> float:
    """Predicted seconds, with a charge for ground left dry."""
    return layout.predicted_s + brief.dry_s(ground_m2 - layout.reached_m2, ground_m2)


def layouts_of(piece: Piece, brief: Brief) -> list[Layout]:
    """The layouts of a piece, the most promising first."""
    few = len(piece.ground_edges) <= FEW_EDGES
    convex = len(piece.ground_edges) <= 2 * FEW_EDGES and is_convex(piece.ground)
    found = strip_layouts(piece.ground, piece, brief, 1 if convex else 4 if few else 6)
    if not convex or not found:
        for layout in (lap_layout(piece, brief, 1, 3), corridor_layout(piece, brief)):
            if layout is not None:
                found.append(layout)
    found.sort(key=lambda layout: charged_s(layout, piece.ground.area, brief))
    return found


def worth_trying(found: list[Layout], piece: Piece, brief: Brief) -> list[Layout]:
    """Those of the sorted layouts that may turn out the quickest when routed."""
    charged = [charged_s(layout, piece.ground.area, brief) for layout in found]
    near = [
        layout
        for layout, seconds in zip(found, charged, strict=True)
        if seconds <= NEAR * charged[0]
    ]
    return near[: 1 if len(piece.ground_edges) <= FEW_EDGES else MOST_TRIED]


def is_convex(ground: Polygon) -> bool:
    """Whether a piece has no holes and no corner that points inwards."""
    return not ground.interiors and ground.convex_hull.area - ground.area <= 1e-9 * ground.area


def spot_layout(piece: Piece) -> Layout:
    """One short pass for a piece on which nothing else fits."""
    point = piece.flyable.representative_point()
    half = np.array([SHORTEST_M / 2, 0.0])
    at = np.array([point.x, point.y])
    return Layout(paths=(np.stack([at - half, at + half]),), predicted_s=0.0, reached_m2=0.0)
