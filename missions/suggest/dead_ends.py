"""Dead ends of small streets between walls."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import LineString
from shapely.ops import substring

from skymist.coverage.site import Kind
from skymist.missions.suggest.proposal import Proposal
from skymist.missions.suggest.walls import Walls, first_hits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

SMALL_STREETS = frozenset(
    ("service", "alley", "footway", "path", "pedestrian", "residential", "living_street", "track")
)
"""Source: OpenStreetMap wiki, Key:highway. Steps, platforms and ways indoors are none."""
WIDTH_MOST_M = 8.0
"""Between the walls on both sides: a lane and its sides. [P]"""
LENGTH_LEAST_M = 6.0
LENGTH_MOST_M = 100.0
"""Source: DOMAIN, back alleys of 20 to 100 m; shorter stretches are proposed too. [P]"""
STEP_M = 1.0
BREAK_STEPS = 3
"""So many steps without walls, a door or a yard's gate, do not end it. [P]"""
EDGE_M = 15.0
"""Streets that end so near the edge of the map go on beyond it. [P]"""
_JOINT_M = 0.05
"""Ends nearer than this are one junction. Numerical."""


def dead_end_proposals(
    walls: Walls, streets: Sequence[tuple[BaseGeometry, str]], source: str
) -> Iterator[Proposal]:
    """Stretches from a dead end back along its street, as far as walls stand on both sides."""
    lines = [
        (part, highway)
        for shape, highway in streets
        for part in shapely.get_parts(shape)
        if part.geom_type == "LineString"
    ]
    if not lines:
        return
    met = Counter(joint for line, _ in lines for joint in {_joint(c) for c in line.coords})
    edge = shapely.box(*shapely.total_bounds([line for line, _ in lines])).buffer(-EDGE_M)
    for line, highway in lines:
        if highway not in SMALL_STREETS or line.is_closed:
            continue
        for from_end in (line, line.reverse()):
            start = from_end.coords[0]
            if met[_joint(start)] > 1 or not edge.covers(shapely.points(start)):
                continue
            found = _stretch(walls, _to_junction(from_end, met))
            if found is not None:
                yield _proposal(*found, source=f"{source}: {highway} that ends here")


def _joint(place: Sequence[float]) -> tuple[int, int]:
    return round(place[0] / _JOINT_M), round(place[1] / _JOINT_M)


def _to_junction(line: LineString, met: Counter[tuple[int, int]]) -> LineString:
    """The line up to its first junction with another."""
    coords = list(line.coords)
    for number, place in enumerate(coords[1:], start=1):
        if met[_joint(place)] > 1:
            return shapely.linestrings(coords[: number + 1])
    return line


def _stretch(walls: Walls, line: LineString) -> tuple[LineString, NDArray[np.float64]] | None:
    """The walled stretch from the start of the line, and the widths along it."""
    along = np.arange(0.0, min(line.length, LENGTH_MOST_M), STEP_M)
    if len(along) < 2:
        return None
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, along + 0.1))
    way = ahead - points
    way = way / np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    left = np.column_stack([-way[:, 1], way[:, 0]])
    widths = sum(first_hits(walls, points, side, WIDTH_MOST_M)[0] for side in (left, -left))
    is_walled = np.asarray(widths) <= WIDTH_MOST_M
    last, misses = -1, 0
    for step, is_in in enumerate(is_walled):
        misses = 0 if is_in else misses + 1
        last = step if is_in else last
        if misses > BREAK_STEPS:
            break
    if last * STEP_M < LENGTH_LEAST_M:
        return None
    part = LineString(shapely.get_coordinates(substring(line, 0.0, last * STEP_M)))
    kept = np.asarray(widths)[: last + 1]
    return part, kept[is_walled[: last + 1]]


def _proposal(line: LineString, widths_m: NDArray[np.float64], *, source: str) -> Proposal:
    width_m = round(float(np.median(widths_m)), 2)
    return Proposal(
        rule="dead-end-street",
        kind=Kind.BACK_ALLEY,
        shape=line,
        source=source,
        figures={
            "width_m": width_m,
            "narrowest_m": round(float(widths_m.min()), 2),
            "length_m": round(line.length, 1),
        },
        width_m=width_m,
    )
