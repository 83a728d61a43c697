"""All rules over one site: proposals by name, without those that the inventory has already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from skymist.missions.suggest.dead_ends import dead_end_proposals
from skymist.missions.suggest.passages import ALLEY_MOST_M, passage_proposals
from skymist.missions.suggest.proposal import Proposal, middle_of
from skymist.missions.suggest.sources import tagged_proposals
from skymist.missions.suggest.walls import looks_from, walls_of
from skymist.missions.suggest.yards import yard_proposals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.site import Site
    from skymist.missions.formats.osm import Extract
    from skymist.missions.suggest.sources import Street

KNOWN_FRAC = 0.5
"""A place is in the inventory where spots cover this much of it. [P]"""
KNOWN_MARGIN_M = 1.0
"""Maps differ by so much. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """Proposals by name; how many more the inventory has already, and how many lie in no zone."""

    proposals: dict[str, Proposal]
    num_known: int
    num_outside: int


def suggested(
    site: Site, streets: Sequence[Street] = (), extract: Extract | None = None
) -> Suggested:
    """What the rules find on the map of a site, in the order of the rules.

    Of two proposals of one kind over one another the first stays.
    """
    found = list(_all(site, streets, extract))
    areas = np.array([proposal.area for proposal in found], dtype=object)
    spots = np.array([spot.area.buffer(KNOWN_MARGIN_M) for spot in site.spots], dtype=object)
    spot_tree, area_tree = shapely.STRtree(spots), shapely.STRtree(areas)
    zone_tree = shapely.STRtree([zone.area for zone in site.zones])
    kept: dict[int, str] = {}
    num_known = num_outside = 0
    for number, (proposal, area) in enumerate(zip(found, areas, strict=True)):
        alike = [
            int(k)
            for k in area_tree.query(area)
            if int(k) in kept and found[int(k)].kind is proposal.kind
        ]
        if site.zones and not len(zone_tree.query(proposal.shape, predicate="intersects")):
            num_outside += 1
        elif _share(area, spots[spot_tree.query(area)]) >= KNOWN_FRAC:
            num_known += 1
        elif _share(area, areas[alike]) < KNOWN_FRAC:
            kept[number] = _name(site, proposal, set(kept.values()))
    return Suggested(
        proposals={name: found[number] for number, name in kept.items()},
        num_known=num_known,
        num_outside=num_outside,
    )


def _share(area: BaseGeometry, others: NDArray[np.object_]) -> float:
    """How much of an area the others cover."""
    if not len(others) or not area.area > 0:
        return 0.0
    return float(shapely.union_all(others).intersection(area).area / area.area)


def _all(site: Site, streets: Sequence[Street], extract: Extract | None) -> Iterator[Proposal]:
    footprints = [building.footprint for building in site.buildings]
    if footprints:
        walls = walls_of(footprints)
        ids = [building.id for building in site.buildings]
        yield from passage_proposals(walls, looks_from(walls, ALLEY_MOST_M), ids, "buildings")
        yield from dead_end_proposals(walls, streets, "streets")
        yield from yard_proposals(footprints, streets, "buildings")
    if extract is not None:
        yield from tagged_proposals(extract, site.origin)


def _name(site: Site, proposal: Proposal, taken: set[str]) -> str:
    lon_deg, lat_deg = site.origin.to_geo([middle_of(proposal.shape)])[0]
    name = proposal.name((float(lon_deg), float(lat_deg)))
    number = 2
    while name in taken:
        name, number = f"{name.split('.')[0]}.{number}", number + 1
    return name
