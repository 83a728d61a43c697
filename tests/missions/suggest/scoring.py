"""Which narrow places of the independent list were proposed, and which proposals are on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from tests.missions.suggest.narrow_places import Narrow, metres, narrow_places, rings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from skymist.coverage.site import Site
    from skymist.missions.suggest.proposal import Proposal

LEAST_M, MOST_M = 0.3, 4.0
LENGTH_M, SLENDER = 3.0, 2.0
FOUND_M, FOUND_FRAC = 1.0, 0.5
TRUE_M, TRUE_FRAC = 0.75, 0.6
CLEAR = 1.25
"""A place is clear where it is so much longer than asked, and 0.2 m within the widths."""


@dataclass(frozen=True)
class Score:
    """Places of the list and those found, at the same limits and clear of them; proposals.

    `num_true` proposals lie on places of the list, `num_narrow` on middle lines of any length.
    """

    num_listed: int
    num_found: int
    num_clear: int
    num_clear_found: int
    num_proposals: int
    num_true: int
    num_narrow: int


def is_asked(place: Narrow, factor: float = 1.0, spare_m: float = 0.0) -> bool:
    """Whether a place is long enough for its width."""
    return (
        place.length_m >= factor * max(LENGTH_M, SLENDER * place.width_m)
        and LEAST_M + spare_m <= place.width_m <= MOST_M - spare_m
    )


def score_of(site: Site, buildings: Path, proposals: Sequence[Proposal]) -> Score:
    """The proposals of passages of a site against the list made of its file of buildings."""
    middle = site.origin.lon_deg, site.origin.lat_deg
    places = narrow_places(rings_of(buildings, *middle), LEAST_M, MOST_M)
    lines = [metres(site.origin.to_geo(_points(one)), *middle) for one in proposals]
    tree = cKDTree(np.concatenate(lines))

    def num_found(some: list[Narrow]) -> int:
        shares = [(tree.query(place.cells)[0] <= FOUND_M).mean() for place in some]
        return sum(bool(share >= FOUND_FRAC) for share in shares)

    def num_on(some: list[Narrow]) -> int:
        cells = cKDTree(np.concatenate([place.cells for place in some]))
        shares = [(cells.query(line)[0] <= TRUE_M).mean() for line in lines]
        return sum(bool(share >= TRUE_FRAC) for share in shares)

    listed = [place for place in places if is_asked(place)]
    clear = [place for place in places if is_asked(place, CLEAR, 0.2)]
    return Score(
        num_listed=len(listed),
        num_found=num_found(listed),
        num_clear=len(clear),
        num_clear_found=num_found(clear),
        num_proposals=len(lines),
        num_true=num_on(listed),
        num_narrow=num_on(places),
    )


def _points(proposal: Proposal) -> NDArray[np.float64]:
    along = np.arange(0.0, proposal.shape.length, 0.5)
    return shapely.get_coordinates(shapely.line_interpolate_point(proposal.shape, along))
