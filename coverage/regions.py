"""Large sites in parts that routing can take on one by one: chunks that are flown from near pads.

Below a few hundred chunks there is one part with every pad. Above, each chunk goes with the pad
that is cheapest for it, and what one pad has too much of is halved along its longer side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.chunks import Chunk
    from skymist.coverage.flights import Base

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

WHOLE_MOST = 450
PART_MOST = 250
NEAR_BASES = 4


def regions(
    chunks: Sequence[Chunk], bases: Sequence[Base], costs: Floats
) -> Iterator[tuple[list[int], list[int]]]:
    """Parts as indices of chunks and of bases; `costs` holds a row for each chunk."""
    if not chunks:
        return
    if len(chunks) <= WHOLE_MOST:
        yield list(range(len(chunks))), list(range(len(bases)))
        return
    middles = np.array([chunk.middle for chunk in chunks])
    homes = np.array([base.home[:2] for base in bases])
    best = np.argmin(costs, axis=1)
    for k in range(len(bases)):
        near = np.argsort(np.hypot(*(homes - homes[k]).T), kind="stable")[:NEAR_BASES]
        for part in _halved(np.flatnonzero(best == k), middles):
            yield part.tolist(), near.tolist()


def _halved(members: Whole, middles: Floats) -> Iterator[Whole]:
    if len(members) == 0:
        return
    if len(members) <= PART_MOST:
        yield members
        return
    places = middles[members]
    axis = int(np.argmax(np.ptp(places, axis=0)))
    order = members[np.argsort(places[:, axis], kind="stable")]
    half = len(order) // 2
    yield from _halved(order[:half], middles)
    yield from _halved(order[half:], middles)
