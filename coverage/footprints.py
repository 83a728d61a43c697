"""The ground under a pass: flat-ended strips and discs."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage.robust import polygons, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.plan import Pass

XY = tuple[float, float]


def strip(path: Sequence[XY], width_m: float) -> BaseGeometry:
    """The ground under a sprayed path of two points or more, cut off square at both ends.

    The wedge outside a bend is not counted: the outer end of the boom sweeps it too fast to
    leave the dose.
    """
    if len(path) == 2:
        return _straight(path[0], path[1], width_m)
    return union(_straight(a, b, width_m) for a, b in pairwise(path))


def _straight(a: XY, b: XY, width_m: float) -> Polygon:
    (ax, ay), (bx, by) = a, b
    length = math.dist(a, b)
    if length < 1e-9:
        return Polygon()
    nx, ny = (ay - by) / length * width_m / 2, (bx - ax) / length * width_m / 2
    left = [(ax + nx, ay + ny), (bx + nx, by + ny)]
    return Polygon([*left, (bx - nx, by - ny), (ax - nx, ay - ny)])


def footprint(sprayed: Pass) -> BaseGeometry:
    """The ground that a pass wets: a strip, or for a hover a disc as wide as the swath."""
    wet: BaseGeometry
    if len(sprayed.path) == 1:
        wet = Point(sprayed.path[0]).buffer(sprayed.swath_m / 2)
    else:
        wet = strip(sprayed.path, sprayed.swath_m)
    return wet if sprayed.drift_m == (0.0, 0.0) else translate(wet, *sprayed.drift_m)


def areal(shape: BaseGeometry, least_m2: float = 0.0) -> Polygon | MultiPolygon:
    """Only the polygons of a geometry that are larger than `least_m2`, made valid."""
    kept = polygons(shapely.make_valid(shape), least_m2)
    return kept[0] if len(kept) == 1 else MultiPolygon(kept)


def lines_of(shape: BaseGeometry, least_m: float) -> list[tuple[XY, ...]]:
    """The line strings of a geometry that are at least `least_m` long, as coordinates."""
    merged = shapely.line_merge(shape) if shape.geom_type == "MultiLineString" else shape
    found = [g for g in shapely.get_parts(merged) if g.geom_type == "LineString"]
    return [
        tuple((float(x), float(y)) for x, y, *_ in g.coords) for g in found if g.length >= least_m
    ]
