"""What of a target is still dry after spray that reached only a part of it.

From the dose map alone. The answer is ground that can be planned like any other, or a reason why
the whole target should be: specks between passes are no task, and not all dry ground has a shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from skymist.coverage.dosemap import DOSED_FRAC, TREATED_FRAC
from skymist.coverage.robust import areal, difference, intersection, polygons, union

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.dosemap import DoseMap

SPECK_M = 0.5
"""Dry ground narrower than twice this is between passes or at an edge, no place to go to. [P]"""
OVERLAP_M = 0.5
"""The rest reaches so far over what was treated: the cross-track error of both days. [P]"""
LEAST_M2 = 0.5
"""Smaller pieces are left out where the whole counts as treated without them. [P]"""
WHOLE_FRAC = 0.9
"""A rest that is more of the target than this is the whole of it. [P]"""


def rest_of(
    target: BaseGeometry, dose: DoseMap, dose_l_per_m2: float
) -> tuple[BaseGeometry | None, str]:
    """The part of a target that did not get its dose, m in the local frame; or None, and why.

    Beside the rest so much of the target got its dose that it counts as treated.
    """
    dry = dry_ground(target, dose, dose_l_per_m2)
    core = dry.buffer(-SPECK_M).buffer(SPECK_M)
    pieces = [piece for piece in polygons(core) if piece.area >= LEAST_M2]
    rest = intersection(areal(union(pieces).buffer(OVERLAP_M)), target).simplify(0.05)
    if rest.area > WHOLE_FRAC * target.area:
        return None, "nearly all of it is left"
    if dose.share_at(difference(target, rest), dose_l_per_m2) < TREATED_FRAC:
        return None, "what is left lies scattered"
    return areal(rest), ""


def dry_ground(target: BaseGeometry, dose: DoseMap, dose_l_per_m2: float) -> BaseGeometry:
    """The cells of a target below `DOSED_FRAC` of the dose, cut to the target."""
    window = dose.window(target.bounds)
    step, cells = window.cell_m, window.dose_l_per_m2
    is_dry = cells < dose_l_per_m2 * DOSED_FRAC * (1 - 1e-5)
    # Runs of dry cells along each row: from, and up to, where the row changes.
    edges = np.diff(np.pad(is_dry.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, first = np.nonzero(edges == 1)
    _, last = np.nonzero(edges == -1)
    west, south = window.x_min + first * step, window.y_min + rows * step
    strips = shapely.box(west, south, window.x_min + last * step, south + step)
    return intersection(union(strips), target)
