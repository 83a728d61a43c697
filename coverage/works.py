"""Seconds of work: from the start of each chunk to its end, for many at once, and kept."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.energy import leg_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.coverage.airways import XYZ
    from skymist.coverage.chunks import Chunk
    from skymist.coverage.hops import Hops


def works_s(chunks: Sequence[Chunk], hops: Hops) -> NDArray[np.float64]:
    """Seconds that each chunk takes from its start to its end, shape (n,)."""
    fresh = {id(c): c for c in chunks if id(c) not in hops.worked}
    gaps = {key: _gaps(chunk) for key, chunk in fresh.items()}
    pairs = [pair for some in gaps.values() for pair in some]
    ends = np.array(pairs).reshape(-1, 2, 3)
    found = iter(hops.estimate_s(ends[:, 0], ends[:, 1]).tolist())
    for key, chunk in fresh.items():
        flown_s = math.fsum(leg_s(p, hops.model) for p in chunk.passes)
        hops.worked[key] = (chunk, flown_s + sum(next(found) for _ in gaps[key]))
    return np.array([hops.worked[id(chunk)][1] for chunk in chunks])


def _gaps(chunk: Chunk) -> list[tuple[XYZ, XYZ]]:
    """Where the pump is off between passes of a chunk."""
    made = []
    for before, after in pairwise(chunk.passes):
        start = (*before.path[-1], before.above_home_m)
        end = (*after.path[0], after.above_home_m)
        if math.dist(start, end) >= 0.05:
            made.append((start, end))
    return made
