"""What a flown path reaches: covered, outside, twice, dry; by exact overlays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Shares of the area, lengths, and the ground left dry."""

    covered_frac: float
    over_frac: float
    overlap_frac: float
    spray_m: float
    transit_m: float
    dry: BaseGeometry


def length_m(path: Floats) -> float:
    """The length of a path of points, shape (n, 2)."""
    steps = np.diff(path, axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def footprints(paths: Sequence[Floats], width_m: float) -> list[BaseGeometry]:
    """The ground under each path: flat ends, round bends; straight legs exactly."""
    found: list[BaseGeometry] = []
    for path in paths:
        if len(path) == 2:
            (ax, ay), (bx, by) = path
            length = float(np.hypot(bx - ax, by - ay))
            if length <= 0:
                continue
            nx, ny = (ay - by) / length * width_m / 2, (bx - ax) / length * width_m / 2
            corners = [(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny)]
            found.append(shapely.Polygon([*corners, (ax - nx, ay - ny)]))
        else:
            under = shapely.LineString(path).buffer(width_m / 2, cap_style="flat")
            found.append(under if under.is_valid else robust.areal(shapely.make_valid(under)))
    return found


def tally(
    area: BaseGeometry,
    flown: Sequence[tuple[bool, Floats]],
    wet: BaseGeometry,
    dry: BaseGeometry,
    width_m: float,
) -> Tally:
    """What a path reaches; `flown` holds (spraying, points), `wet` is under it, `dry` is left."""
    summed = sum(length_m(path) * width_m for spraying, path in flown if spraying)
    inside = area.area - dry.area
    spray_m = sum(length_m(path) for spraying, path in flown if spraying)
    transit_m = sum(length_m(path) for spraying, path in flown if not spraying)
    return Tally(
        covered_frac=inside / area.area,
        over_frac=max(wet.area - inside, 0.0) / area.area,
        overlap_frac=max(summed - wet.area, 0.0) / area.area,
        spray_m=spray_m,
        transit_m=transit_m,
        dry=dry,
    )
