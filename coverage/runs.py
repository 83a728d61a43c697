"""Lines to fly over one target: strips, a corridor's run, a lap, a short run, a hover."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiLineString, Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage.cover import EdgePolicy, LegKind, cover_area
from skymist.coverage.dose import FAST_MPS, lead_m
from skymist.coverage.footprints import XY, areal, lines_of, strip
from skymist.coverage.plan import PassKind
from skymist.coverage.robust import difference, intersection, union
from skymist.coverage.site import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.coverage.drift import Wind
    from skymist.coverage.site import BlindSpot

Path = tuple[XY, ...]
RUN_MIN_M = 0.8
"""Shortest stretch worth turning the pump on for: two lags of 0.46 s at the slowest pass."""
SMOOTH_M = 0.05
"""Corners that a path may cut: a sixth of the track error measured on SITL (0.3 m)."""
FRESH_FRAC = 0.1
"""A line is worth flying if this share of its strip is ground that nothing else wets."""
WALL_PRICE, WASTE_PRICE = 1.0, 0.1
"""What 1 m2 wetted on a building costs in m2 reached; and 1 m2 elsewhere beside the target or once
more. Proposal of this project, tried on the Helsinki and Kouvola examples."""
BEND_RAD = math.radians(15)
_ANGLES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What lines over a target have to heed.

    `blocked` is ground that must not be aimed at, `forbidden` ground that must stay dry, `walls`
    ground where spray is worse than wasted: windows. A pass wets `wet_m` across.
    """

    swath_m: float
    lap_m: float
    wet_m: float
    blocked: BaseGeometry = field(default_factory=Polygon)
    forbidden: BaseGeometry = field(default_factory=Polygon)
    walls: BaseGeometry = field(default_factory=Polygon)
    wind: Wind | None = None


def lines_over(
    spot: BlindSpot, target: BaseGeometry, bounds: Bounds
) -> tuple[PassKind, list[Path]]:
    """The lines that cover the target as far as the drone gets, in a sensible order."""
    swath_m, blocked = bounds.swath_m, bounds.blocked
    if spot.kind in (Kind.BIKE_SHED, Kind.ROOFED_MARKET):
        return PassKind.PERIMETER, _around(spot.area, bounds.lap_m, swath_m, blocked)
    if spot.shape.geom_type == "LineString" and (spot.width_m or 0) <= swath_m * 1.1:
        cut = _without(spot.shape.intersection(target.buffer(0.5)), blocked)
        return PassKind.RUN, lines_of(cut, RUN_MIN_M)
    if spot.shape.geom_type == "Point" and (spot.radius_m or 0) <= swath_m * 0.55:
        found = short_run(target, swath_m, blocked)
        return PassKind.RUN, [found] if found else []
    return PassKind.SWATH, _strips(target, bounds)


def _without(shape: BaseGeometry, blocked: BaseGeometry) -> BaseGeometry:
    return shape if blocked.is_empty else shape.difference(blocked)


def _strips(target: BaseGeometry, bounds: Bounds) -> list[Path]:
    """Strips over an area: of the layouts tried, the one that is worth most when cut.

    Layouts that keep all spray inside are tried where an edge asks for it: no-spray ground,
    buildings, ground that a drone cannot be over.
    """
    near = target.buffer(bounds.wet_m / 2)
    edges = (bounds.blocked, bounds.forbidden, bounds.walls)
    policies = [EdgePolicy.COVER]
    if any(near.intersects(edge) for edge in edges):
        policies.append(EdgePolicy.CONTAIN)
    best: tuple[float, list[Path]] = (-math.inf, [])
    for policy in policies:
        flown = cover_area(
            areal(target),
            swath_m=bounds.swath_m,
            policy=policy,
            wind=bounds.wind,
            spray_turns=False,
        )
        sprayed = [leg.path for leg in flown.legs if leg.kind is LegKind.SPRAY]
        lines = [
            piece
            for line in _needed(
                _straightened(sprayed, target, bounds.swath_m), target, bounds.swath_m
            )
            for piece in _within(line, bounds)
        ]
        worth_m2 = _worth_m2(lines, target, bounds)
        if worth_m2 > best[0]:
            best = (worth_m2, lines)
    return best[1]


def _within(line: Path, bounds: Bounds) -> list[Path]:
    """The stretches of a line that a drone can fly and that leave forbidden ground dry."""
    pieces = lines_of(_without(LineString(line), bounds.blocked), RUN_MIN_M)
    if bounds.forbidden.is_empty:
        return pieces
    return [dry for piece in pieces for dry in clear_of(piece, bounds.wet_m, bounds.forbidden)]


def _worth_m2(lines: Sequence[Path], target: BaseGeometry, bounds: Bounds) -> float:
    """Ground reached, less what is wetted beside it or twice; walls count in full."""
    wet = union(strip(line, bounds.swath_m) for line in lines)
    reached_m2 = wet.intersection(target).area
    on_walls_m2 = 0.0 if bounds.walls.is_empty else wet.intersection(bounds.walls).area
    laid_m2 = math.fsum(LineString(line).length for line in lines) * bounds.swath_m
    wasted_m2 = laid_m2 - reached_m2 - on_walls_m2
    return float(reached_m2 - WALL_PRICE * on_walls_m2 - WASTE_PRICE * wasted_m2)


def _straightened(paths: Sequence[Path], target: BaseGeometry, swath_m: float) -> list[Path]:
    """Straight pieces of sprayed paths; where a path bends, both pieces fly on past the bend.

    A boom that turns leaves the ground outside the bend short of its dose.
    """
    ground = target.buffer(0.01)
    straight: list[Path] = []
    for path in paths:
        points = shapely.get_coordinates(LineString(path).simplify(SMOOTH_M))
        pieces = _straights([(float(x), float(y)) for x, y in points])
        for number, piece in enumerate(pieces):
            first = number > 0
            last = number < len(pieces) - 1
            straight.append(_flown_on(piece, swath_m / 2, ground, first=first, last=last))
    return straight


def _flown_on(
    piece: Sequence[XY], by_m: float, ground: BaseGeometry, *, first: bool, last: bool
) -> Path:
    """A piece drawn out at its first or last end, as far as it stays over the ground."""
    points = list(piece)
    for ends, is_wanted in ((slice(None, None, 1), first), (slice(None, None, -1), last)):
        if not is_wanted:
            continue
        (ax, ay), (bx, by) = points[ends][:2]
        scale = by_m / math.dist((ax, ay), (bx, by))
        out = LineString([(ax, ay), (ax - (bx - ax) * scale, ay - (by - ay) * scale)])
        inside = [line for line in lines_of(out.intersection(ground), 0.01) if line[0] == (ax, ay)]
        if inside:
            points = [inside[0][-1], *points[ends]][ends]
    return tuple(points)


def _needed(lines: Sequence[Path], target: BaseGeometry, swath_m: float) -> list[Path]:
    """The lines without those that wet little ground that no longer line wets."""
    wet: BaseGeometry = Polygon()
    kept = set()
    for number in sorted(range(len(lines)), key=lambda n: (-LineString(lines[n]).length, n)):
        new = intersection(strip(lines[number], swath_m), target)
        fresh = difference(new, wet)
        if fresh.area >= FRESH_FRAC * swath_m * LineString(lines[number]).length:
            kept.add(number)
            wet = union([wet, new])
    return [line for number, line in enumerate(lines) if number in kept]


def flyable(line: Path, speed_mps: float, blocked: BaseGeometry) -> list[Path]:
    """A line as a drone can fly it at this speed: few corners, room to start, no sharp bends.

    Corners closer than a drone turns in cost its speed (ARDUPILOT.md, 5), so fast lines are cut
    at their bends. Ends within the pump's lead of a wall are drawn in by it.
    """
    points = shapely.get_coordinates(LineString(line).simplify(SMOOTH_M))
    path = [(float(x), float(y)) for x, y in points]
    pieces = _straights(path) if speed_mps > FAST_MPS else [path]
    lead = lead_m(speed_mps)
    drawn = (
        _drawn_in(_drawn_in(piece, lead, blocked)[::-1], lead, blocked)[::-1] for piece in pieces
    )
    return [tuple(piece) for piece in drawn if LineString(piece).length >= RUN_MIN_M]


def _straights(path: list[XY]) -> list[list[XY]]:
    """A path cut at every bend sharper than 15 degrees."""
    pieces, current = [], [path[0]]
    for before, here, after in zip(path, path[1:], path[2:], strict=False):
        current.append(here)
        first = math.atan2(here[1] - before[1], here[0] - before[0])
        second = math.atan2(after[1] - here[1], after[0] - here[0])
        if abs((second - first + math.pi) % (2 * math.pi) - math.pi) > BEND_RAD:
            pieces.append(current)
            current = [here]
    return [*pieces, [*current, path[-1]]]


def held_mps(lines: Sequence[Path], speed_mps: float, accel_mps2: float) -> float:
    """The speed, at most the one given, that a drone holds around every curve of the lines.

    A curve is drawn by corners that lie within a second's flight of each other; across it the
    vehicle takes twice its acceleration. Source: ArduPilot, WPNAV_ACCEL_C of 0.
    """
    held = speed_mps
    for line in lines:
        for before, here, after in zip(line, line[1:], line[2:], strict=False):
            sides_m = math.dist(before, here), math.dist(here, after), math.dist(before, after)
            (ax, ay), (bx, by) = np.subtract(here, before), np.subtract(after, before)
            twice_m2 = abs(float(ax * by - ay * bx))
            if max(sides_m[:2]) <= speed_mps and twice_m2 > 0:
                radius_m = math.prod(sides_m) / (2 * twice_m2)
                held = min(held, math.sqrt(2 * accel_mps2 * radius_m))
    return held


def _drawn_in(path: list[XY], by_m: float, blocked: BaseGeometry) -> list[XY]:
    """A path whose start is drawn in by the lead, where the lead would leave the free air."""
    (ax, ay), (bx, by) = path[:2]
    length_m = math.dist(*path[:2])
    ux, uy = (bx - ax) / length_m, (by - ay) / length_m
    lead = LineString([(ax - ux * by_m, ay - uy * by_m), (ax, ay)])
    if blocked.is_empty or length_m <= by_m or not blocked.intersects(lead):
        return path
    return [(ax + ux * by_m, ay + uy * by_m), *path[1:]]


def lap_offset_m(keep_m: float, swath_m: float) -> float:
    """How far from a roofed spot its lap is flown: clear of it, with the swath's edge at it."""
    return max(keep_m, swath_m / 2) + 0.05


def _around(
    area: BaseGeometry, offset_m: float, swath_m: float, blocked: BaseGeometry
) -> list[Path]:
    """One lap around each part of a roofed spot, as far as the drone gets."""
    lines: list[Path] = []
    for part in shapely.get_parts(area):
        rim = _from_a_side(part.buffer(offset_m, join_style="mitre"))
        around = shapely.get_coordinates(rim)
        path = tuple((float(x), float(y)) for x, y in around)
        for line in _straightened([path], part.buffer(offset_m + swath_m / 2), swath_m):
            lines += lines_of(_without(LineString(line), blocked), RUN_MIN_M)
    return lines


def _from_a_side(area: BaseGeometry) -> LineString:
    """The rim of an area, begun in the middle of its longest side, so that both ends meet."""
    points = shapely.get_coordinates(area)[:-1]
    sides = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
    longest = int(sides.argmax())
    turned = np.roll(points, -longest - 1, axis=0)
    middle = (turned[-1] + turned[0]) / 2
    return LineString(np.vstack([middle, turned, middle]))


def short_run(target: BaseGeometry, swath_m: float, blocked: BaseGeometry) -> Path | None:
    """One straight run over a small target: over it whole if it can, else over most of it."""
    turns = [_runs_across(target, 180.0 * n / _ANGLES, swath_m) for n in range(_ANGLES)]
    lines = np.concatenate(turns)
    if not blocked.is_empty:
        lines = shapely.difference(lines, blocked)
    paths = [lines_of(line, RUN_MIN_M) for line in lines]
    wet = np.array([strip(path, swath_m) for found in paths for path in found], dtype=object)
    reached_m2 = shapely.area(shapely.intersection(wet, target))
    scores = iter((reached_m2 - 0.02 * shapely.area(wet)).tolist())
    scored = [[(next(scores), path) for path in found] for found in paths]
    best: tuple[float, Path] | None = None
    for first in range(0, len(lines), len(turns[0])):
        for number in range(first, first + len(turns[0])):
            for score, path in scored[number]:
                if best is None or score > best[0] + 1e-6:
                    best = (score, path)
            if best is not None and number == first and best[0] > 0.97 * target.area:
                break
    return best[1] if best else None


def _runs_across(target: BaseGeometry, angle_deg: float, swath_m: float) -> NDArray[np.object_]:
    """Lines as long as the target at one angle: through its middle, then beside it in turn."""
    centre = target.centroid
    low_x, low_y, high_x, high_y = affinity.rotate(target, -angle_deg, origin=centre).bounds
    half_m = max((high_x - low_x) / 2, RUN_MIN_M / 2)
    mid_x, mid_y = (low_x + high_x) / 2, (low_y + high_y) / 2
    shifts_m = (0.0, *(s * k * swath_m / 6 for k in (1, 2, 3) for s in (1, -1)))
    rows = MultiLineString(
        [
            [(mid_x - half_m, mid_y + shift_m), (mid_x + half_m, mid_y + shift_m)]
            for shift_m in shifts_m
        ]
    )
    lines: NDArray[np.object_] = shapely.get_parts(affinity.rotate(rows, angle_deg, origin=centre))
    return lines


def hover_point(target: BaseGeometry, swath_m: float, blocked: BaseGeometry) -> XY | None:
    """The free point over which a disc as wide as the swath wets most of the target."""
    low_x, low_y, high_x, high_y = target.buffer(swath_m / 2).bounds
    xs, ys = np.linspace(low_x, high_x, 13), np.linspace(low_y, high_y, 13)
    places = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1).reshape(-1, 2)
    points = shapely.points(places)
    discs = shapely.buffer(points, swath_m / 2, quad_segs=16)
    reached_m2 = np.asarray(shapely.area(shapely.intersection(discs, target)))
    reached_m2 -= 1e-3 * shapely.distance(points, target.centroid)
    if not blocked.is_empty:
        reached_m2[shapely.intersects(points, blocked)] = 0.0
    best = int(reached_m2.argmax())
    return (float(places[best, 0]), float(places[best, 1])) if reached_m2[best] > 0 else None


def clear_of(path: Sequence[XY], swath_m: float, forbidden: BaseGeometry) -> list[Path]:
    """The stretches of a path whose strip leaves the forbidden ground dry."""
    keep_m = swath_m / 2
    line = LineString(path).difference(forbidden.buffer(keep_m, quad_segs=8))
    return [
        piece
        for piece in lines_of(line, RUN_MIN_M)
        if strip(piece, swath_m).intersection(forbidden).area < 1e-3
    ]
