"""Coverage of bare polygons: `cover_area` turns an area into passes and the ways between them.

This module holds the entry and its answer. Layouts are tried in `coverage.layouts`, put in order
by `coverage.order`, joined by `coverage.transits`. What is sprayed (dose, wind, sorties) is left
to the modules that treat sites.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import grounds, robust
from skymist.coverage.brief import Brief
from skymist.coverage.drift import Wind
from skymist.coverage.errors import PlanError
from skymist.coverage.kinematics import Hop, Kinematics
from skymist.coverage.profile import Profile, cv_at_spacing
from skymist.coverage.tally import tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skymist.coverage.grounds import Flown

__all__ = ["CoverLeg", "CoverPlan", "EdgePolicy", "Kinematics", "LegKind", "cover_area"]

Point = tuple[float, float]

ENOUGH_FRAC = 0.9905
MOST_OVER_FRAC = 0.0295
HOLE_EDGE_M = 5e-3


class LegKind(StrEnum):
    """What happens on a leg."""

    SPRAY = "spray"
    TRANSIT = "transit"


class EdgePolicy(StrEnum):
    """What an edge of the area is worth."""

    COVER = "cover"
    """Reach the full area, with the least spray outside."""
    CONTAIN = "contain"
    """No spray outside at all, most of the area reached."""
    PENALTY = "penalty"
    """In between: `penalty` m2 outside weigh as much as 1 m2 reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverLeg:
    """One stretch with the spray on, or one way between two of them.

    `above_m` is how far above the passes a way over a hole is flown; None for all others.
    """

    kind: LegKind
    path: tuple[Point, ...]
    above_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverPlan:
    """The legs in flown order, each starting where the last ended, and what they reach.

    `over_frac` is the area sprayed outside and `overlap_frac` the area sprayed again, both as a
    share of the area; `unreached` is what stays dry, `why_dry` says why. `cv_frac` is the
    unevenness (std over mean) inside a field of such passes; 0 where the profile is level.
    """

    legs: tuple[CoverLeg, ...]
    covered_frac: float
    over_frac: float
    overlap_frac: float
    time_s: float
    spray_m: float
    transit_m: float
    unreached: Polygon | MultiPolygon
    why_dry: str
    cv_frac: float = 0.0

    def summary(self) -> str:
        """The plan in a line."""
        sprays = sum(leg.kind is LegKind.SPRAY for leg in self.legs)
        return (
            f"{sprays} passes, {self.spray_m:.0f} m sprayed and {self.transit_m:.0f} m between, "
            f"{self.time_s:.0f} s; {self.covered_frac:.2%} covered, {self.over_frac:.2%} outside, "
            f"{self.overlap_frac:.2%} twice; dry: {self.unreached.area:.1f} m2 ({self.why_dry})"
        )


def _checked(area: Polygon | MultiPolygon, swath_m: float, clearance_m: float) -> None:
    if not isinstance(area, Polygon | MultiPolygon):
        raise PlanError(f"area must be a Polygon or MultiPolygon, got {type(area).__name__}")
    if area.is_empty or not area.area > 0:
        raise PlanError("area must hold ground, got an empty one")
    if not all(math.isfinite(bound) for bound in area.bounds):
        raise PlanError("area must have finite coordinates")
    if not area.is_valid:
        raise PlanError("area must be valid (rings that do not cross themselves or each other)")
    if not (swath_m > 0 and math.isfinite(swath_m)):
        raise PlanError(f"swath_m must be above 0 m, got {swath_m}")
    if not (clearance_m >= 0 and math.isfinite(clearance_m)):
        raise PlanError(f"clearance_m must be 0 m or more, got {clearance_m}")


def cover_area(
    area: Polygon | MultiPolygon,
    *,
    swath_m: float,
    clearance_m: float = 0.0,
    policy: EdgePolicy = EdgePolicy.COVER,
    penalty: float | None = None,
    kinematics: Kinematics | None = None,
    start: Point | None = None,
    profile: Profile | None = None,
    wind: Wind | None = None,
    spray_turns: bool = True,
    hole_height_m: float | None = None,
    climb_mps: float = 2.0,
    descent_mps: float = 1.5,
) -> CoverPlan:
    """Passes over an area and the ways between them, in flown order.

    `swath_m` is the width of a pass and also the spacing wanted; `clearance_m` how far the path
    keeps inside the boundary; `penalty` is read with `EdgePolicy.PENALTY` alone: m2 of spray
    outside that weigh 1 m2 reached. `start` is where the drone comes from (not flown here).
    `profile` is how the spray lies across the track, by default level over the swath.
    `wind` decides between sweep directions that take about the same time: across it is better.
    Without `spray_turns` the spray is off between passes: a boom that turns leaves the ground
    outside the bend short of its dose. `hole_height_m` is how far a drone must climb above the
    passes to be clear of all that stands in holes; then ways lead over them where that is quicker.

    Raises
    ------
    PlanError
        If a value is out of its range or no path fits.
    """
    _checked(area, swath_m, clearance_m)
    brief = Brief(
        swath_m=float(swath_m),
        clearance_m=float(clearance_m),
        contain=policy is EdgePolicy.CONTAIN,
        least_share=_least_share(policy, penalty),
        enough_frac=ENOUGH_FRAC,
        most_over_frac=MOST_OVER_FRAC / (1 + (penalty or 0.0) * (policy is EdgePolicy.PENALTY)),
        kinematics=kinematics or Kinematics(),
        wind=wind,
        spray_turns=spray_turns,
        hop=None
        if hole_height_m is None
        else Hop(rise_m=hole_height_m, climb_mps=climb_mps, descent_mps=descent_mps),
    )
    came_from = None if start is None else np.array(start, dtype=float)
    plan = _planned(area, brief, came_from)
    if brief.hop is not None:
        low = _planned(area, replace(brief, hop=None), came_from)
        plan = min(low, plan, key=lambda one: one.time_s / max(one.covered_frac, 1e-9))
    cv_frac = 0.0 if profile is None else cv_at_spacing(profile, brief.swath_m)
    why_dry = _why_dry(plan.unreached.area / area.area, policy, clearance_m)
    return replace(plan, cv_frac=cv_frac, why_dry=why_dry)


def _planned(
    area: Polygon | MultiPolygon, brief: Brief, start: NDArray[np.float64] | None
) -> CoverPlan:
    """The plan of one brief, its reasons left out."""
    flown, wet, dry = grounds.flown_over(area, brief, start)
    counted = tally(area, flown, wet, dry, brief.swath_m)
    hops = _hops(area, flown, brief)
    legs = tuple(
        CoverLeg(
            kind=LegKind.SPRAY if spraying else LegKind.TRANSIT,
            path=tuple((float(x), float(y)) for x, y in path),
            above_m=brief.hop.rise_m if brief.hop is not None and is_hop else None,
        )
        for (spraying, path), is_hop in zip(flown, hops, strict=True)
    )
    return CoverPlan(
        legs=legs,
        covered_frac=counted.covered_frac,
        over_frac=counted.over_frac,
        overlap_frac=counted.overlap_frac,
        time_s=_seconds(flown, hops, brief),
        spray_m=counted.spray_m,
        transit_m=counted.transit_m,
        unreached=robust.areal(counted.dry),
        why_dry="",
    )


def _hops(area: BaseGeometry, flown: Flown, brief: Brief) -> list[bool]:
    """Which legs lead over a hole of the ground that may be flown."""
    if brief.hop is None:
        return [False] * len(flown)
    ground = area if brief.clearance_m <= 0 else robust.inset(area, brief.clearance_m)
    holes = [Polygon(ring) for part in robust.polygons(ground) for ring in part.interiors]
    tree = shapely.STRtree([shapely.buffer(hole, -HOLE_EDGE_M) for hole in holes])
    return [
        not spraying and bool(len(tree.query(shapely.LineString(path), predicate="intersects")))
        for spraying, path in flown
    ]


def _seconds(flown: Flown, hops: list[bool], brief: Brief) -> float:
    """Seconds to fly all legs; at both ends of a hop the drone stops."""
    if not flown:
        return 0.0
    kinematics, seconds = brief.kinematics, 0.0
    low: list[NDArray[np.float64]] = []
    for (_, path), is_hop in zip(flown, hops, strict=True):
        if is_hop and brief.hop is not None:
            seconds += kinematics.path_s(np.concatenate(low)) if low else 0.0
            seconds += kinematics.path_s(path) + brief.hop.upright_s
            low = []
        else:
            low.append(path)
    return seconds + (kinematics.path_s(np.concatenate(low)) if low else 0.0)


def _least_share(policy: EdgePolicy, penalty: float | None) -> float:
    """The least share of a strip's width on the area for which the spray is on.

    Spraying on is worth it while share > penalty * (1 - share).
    """
    if policy is EdgePolicy.CONTAIN:
        return 1.0
    if policy is EdgePolicy.COVER:
        return 0.1
    if penalty is None or not (penalty >= 0 and math.isfinite(penalty)):
        raise PlanError(f"penalty must be 0 or more and finite, got {penalty}")
    return max(penalty / (1 + penalty), 0.05)


def _why_dry(dry_frac: float, policy: EdgePolicy, clearance_m: float) -> str:
    if dry_frac < 1e-4:
        return "nothing worth a pass"
    if policy is EdgePolicy.CONTAIN:
        return "no strip reaches it without spray outside, or it is not worth a pass"
    if clearance_m > 0:
        return "out of reach at this clearance, or not worth a pass"
    return "corners and slivers not worth a pass"
