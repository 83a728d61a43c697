"""Areas to plan over: hypothesis strategies, small named shapes, and a raster oracle."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import shapely
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

RECTANGLE = box(0, 0, 40, 24)
U_SHAPE = Polygon([(0, 0), (60, 0), (60, 40), (44, 40), (44, 14), (16, 14), (16, 40), (0, 40)])
YARD = Polygon(box(0, 0, 50, 40).exterior, [box(18, 12, 30, 26).exterior.coords[::-1]])
ALLEY = box(0, 0, 60, 3.6).union(box(28, 0, 31.6, 50))
TOUCHING = Polygon(
    [(0, 0), (20, 0), (20, 0), (20, 20), (10, 20), (0, 20)], [[(0, 10), (5, 5), (10, 10), (5, 15)]]
)
SLIVER = Polygon([(0, 0), (100, 0.001), (100, 0.002), (0, 0.0005)])


@st.composite
def polygons(draw: st.DrawFn, most_holes: int = 3) -> Polygon:
    """Star-shaped outlines of 5 to 40 m radius with turned boxes cut out."""
    count = draw(st.integers(4, 12))
    size = draw(st.floats(5, 40))
    radii = [draw(st.floats(0.45, 1.0)) * size for _ in range(count)]
    rim = Polygon(
        [
            (r * math.cos(2 * math.pi * k / count), r * math.sin(2 * math.pi * k / count))
            for k, r in enumerate(radii)
        ]
    )
    ground: BaseGeometry = rim
    for _ in range(draw(st.integers(0, most_holes))):
        side = draw(st.floats(0.05, 0.25)) * size
        house = affinity.rotate(box(-side, -side, side, side), draw(st.floats(0, 90)))
        x, y = draw(st.floats(-0.7, 0.7)) * size, draw(st.floats(-0.7, 0.7)) * size
        ground = ground.difference(affinity.translate(house, x, y))
    return max(
        (part for part in shapely.get_parts(ground) if isinstance(part, Polygon)),
        key=lambda part: part.area,
        default=rim,
    )


def wet_frac(area: BaseGeometry, paths: list[NDArray[np.float64]], width_m: float) -> float:
    """The share of an area within half a width of a path, beside its straight legs: by raster."""
    step_m = math.sqrt(area.area / 3000)
    west, south, east, north = area.bounds
    x, y = np.meshgrid(np.arange(west, east, step_m), np.arange(south, north, step_m))
    inside = shapely.contains_xy(area, x.ravel(), y.ravel())
    points = np.column_stack([x.ravel(), y.ravel()])[inside]
    wet = np.zeros(len(points), dtype=bool)
    for path in paths:
        for number, (a, b) in enumerate(pairwise(path)):
            length = math.dist(a, b)
            if length == 0:
                continue
            along = (points - a) @ (b - a) / length
            across = np.abs((points - a) @ np.array([a[1] - b[1], b[0] - a[0]]) / length)
            wet |= (along >= 0) & (along <= length) & (across <= width_m / 2)
            if number or (a == path[-1]).all():  # bends are round, and where a ring closes
                wet |= np.hypot(*(points - a).T) <= width_m / 2
    return float(wet.mean())


def parts_of(area: Polygon | MultiPolygon) -> list[Polygon]:
    return [part for part in shapely.get_parts(area) if isinstance(part, Polygon)]
