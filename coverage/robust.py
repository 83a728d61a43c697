"""Overlays that do not fail: GEOS operations retried on other precision grids.

GEOS raises ("side location conflict", "Ring edge missing") on nearly collinear edges and now and
then returns an invalid result. Each verb here tries the exact operation, then grids from fine
to coarse. What the areas mean is left to others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage.errors import PlanError

Shapes = NDArray[np.object_]

COLLECTION = int(shapely.GeometryType.GEOMETRYCOLLECTION)

TOLD_M2 = 0.05
GRIDS_M = (None, 1e-6, 1e-4, 3.7e-4, 1e-3, 1e-2)


def _retried(operation: Callable[..., Any], *operands: Any) -> Any:
    error: Exception | None = None
    for grid_m in GRIDS_M:
        try:
            result = operation(*operands, **({} if grid_m is None else {"grid_size": grid_m}))
        except shapely.errors.GEOSException as exc:
            error = exc
            continue
        if bool(np.all(shapely.is_valid(result))):
            return result
    raise PlanError(f"no precision grid gave a valid overlay: {error}")


def union(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    """The union of any number of shapes."""
    array = np.array([shape for shape in shapes if not shape.is_empty], dtype=object)
    if not len(array):
        return Polygon()
    result: BaseGeometry = _retried(shapely.union_all, array)
    return result


def difference(first: BaseGeometry, second: BaseGeometry) -> BaseGeometry:
    """What of the first shape lies outside the second.

    Now and then GEOS fills a hole of the first without a word; such a result is tried again.
    """
    result: BaseGeometry = _retried(shapely.difference, first, second)
    for grid_m in GRIDS_M[1:] if any(part.interiors for part in polygons(first)) else ():
        if _lies_in(result, first):
            break
        again = shapely.difference(first, second, grid_size=grid_m)
        result = again if again.is_valid else result
    return result


def _lies_in(result: BaseGeometry, whole: BaseGeometry) -> bool:
    """Whether each polygon of an overlay has a point in the shape that it was cut from."""
    parts = [part for part in polygons(result) if part.area > TOLD_M2]
    if not parts:
        return True
    points = shapely.get_coordinates(shapely.point_on_surface(parts))
    return bool(shapely.contains_xy(whole, points[:, 0], points[:, 1]).all())


def intersection(first: BaseGeometry, second: BaseGeometry) -> BaseGeometry:
    """What two shapes share."""
    result: BaseGeometry = _retried(shapely.intersection, first, second)
    return result


def each_union(first: Shapes, second: Shapes) -> Shapes:
    """The union of each shape with its partner."""
    return _each(shapely.union, first, second)


def each_difference(shapes: Shapes, other: BaseGeometry) -> Shapes:
    """What of each areal shape lies outside another."""
    left = _each(shapely.difference, shapes, other)
    left[shapely.area(left) == 0] = Polygon()
    return left


def each_intersection(shapes: Shapes, other: BaseGeometry | Shapes) -> Shapes:
    """What each shape shares with another, or with its partner."""
    return _each(shapely.intersection, shapes, other)


def _each(operation: Callable[..., Any], shapes: Shapes, other: Any) -> Shapes:
    """One fast overlay of many shapes; those that GEOS gets wrong are retried one by one."""
    try:
        result: Shapes = operation(shapes, other)
        bad = np.flatnonzero(~shapely.is_valid(result))
    except shapely.errors.GEOSException:
        result = np.empty(len(shapes), dtype=object)
        bad = np.arange(len(shapes))
    for number in bad:
        partner = other[number] if isinstance(other, np.ndarray) else other
        result[number] = _retried(operation, shapes[number], partner)
    # Polygons that also touch along a line are no input for the next overlay.
    for number in np.flatnonzero(shapely.get_type_id(result) == COLLECTION):
        if result[number].area > 0:
            result[number] = areal(result[number])
    return result


def polygons(shape: BaseGeometry, above_m2: float = 0.0) -> tuple[Polygon, ...]:
    """The polygons of a shape of any type that are larger than `above_m2`."""
    if isinstance(shape, Polygon):
        return (shape,) if shape.area > above_m2 else ()
    return tuple(
        part for piece in getattr(shape, "geoms", ()) for part in polygons(piece, above_m2)
    )


def areal(shape: BaseGeometry) -> Polygon | MultiPolygon:
    """The areal share of a shape of any type, without its points and lines."""
    parts = polygons(shape)
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def inset(shape: BaseGeometry, by_m: float) -> Polygon | MultiPolygon:
    """A shape drawn in by `by_m` (drawn out if below 0), with sharp corners kept; always valid."""
    drawn: BaseGeometry = shapely.buffer(shape, -by_m, join_style="mitre", mitre_limit=2.5)
    if not drawn.is_valid:
        drawn = shapely.make_valid(drawn)
    return areal(drawn)


def is_convex(ground: Polygon) -> bool:
    """Whether a polygon has no holes and no corner that points inwards."""
    return not ground.interiors and ground.convex_hull.area - ground.area <= 1e-9 * ground.area


def edges_of(shape: BaseGeometry) -> NDArray[np.float64]:
    """All edges of the rings of a polygon or multipolygon, shape (n, 2, 2)."""
    rings = [
        shapely.get_coordinates(ring)
        for part in polygons(shape)
        for ring in (part.exterior, *part.interiors)
    ]
    if not rings:
        return np.zeros((0, 2, 2))
    return np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
