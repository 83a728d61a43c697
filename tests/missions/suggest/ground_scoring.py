"""How yards, dead ends and map tags that are proposed compare with the independent lists."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from skymist.missions.site import read_site
from skymist.missions.suggest.dead_ends import dead_end_proposals
from skymist.missions.suggest.sources import read_extract, read_streets
from skymist.missions.suggest.suggest import suggested
from skymist.missions.suggest.walls import walls_of
from skymist.missions.suggest.yards import yard_proposals
from tests.missions.suggest.narrow_places import M_PER_DEG, metres
from tests.missions.suggest.open_ground import Ground, Town, Yard, dead_ends, town_of, ways_out_m
from tests.missions.suggest.planted import planted_map, with_lanes, write_osm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.site import Site
    from skymist.missions.suggest.proposal import Proposal

ROOT = Path(__file__).resolve().parents[3]
SITES = ROOT.parent / "shared" / "sites"
SAME_M = 0.3
"""A dead end is the same where the ends lie so near."""
CLOSED_M = 0.3
"""An end with less of a way out than this is closed."""
LOOSE, STRICT = 0.8, 1.1
NUM_LANES, NUM_TAGS = 400, 600


@dataclass(frozen=True)
class Found:
    """Places on the list and those proposed; those clear of the limits; proposals on the list."""

    num_listed: int
    num_found: int
    num_clear: int
    num_clear_found: int
    num_proposals: int
    num_true: int


class RealTown:
    """One of the shared sites, for the rules and for the lists."""

    def __init__(self, name: str) -> None:
        self.path, self.folder = ROOT / "examples" / name / "site.yaml", SITES / name
        self.site: Site = read_site(self.path)
        self.middle = self.site.origin.lon_deg, self.site.origin.lat_deg
        self.streets = read_streets(self.path, self.site.origin)
        self.town: Town = town_of(self.folder, *self.middle)

    def theirs(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape of the site's frame in the metres of the lists."""
        made: BaseGeometry = shapely.transform(
            shape, lambda xy: metres(self.site.origin.to_geo(xy), *self.middle)
        )
        return made

    def ours(self, shape: BaseGeometry) -> BaseGeometry:
        """The other way."""
        scale = (M_PER_DEG * math.cos(math.radians(self.middle[1])), M_PER_DEG)
        made: BaseGeometry = shapely.transform(
            shape, lambda xy: self.site.origin.to_local(xy / scale + self.middle)
        )
        return made

    def yards(self) -> Found:
        """The rule of yards; clear ones are a tenth within the limits, ways out 5 m, wide 7 m.

        A proposal is true where half of it lies in closed ground within a fifth of the limits, by
        ways out of 5.5, 6 or 6.5 m.
        """
        footprints = [building.footprint for building in self.site.buildings]
        shapes = [self.theirs(p.shape) for p in yard_proposals(footprints, self.streets, "map")]
        proposed = shapely.union_all(shapes)
        shapely.prepare(proposed)

        def num_in(some: Sequence[Yard]) -> int:
            shares = (shapely.contains_xy(proposed, *yard.cells.T).mean() for yard in some)
            return sum(bool(share >= 0.5) for share in shares)

        ground = Ground(self.town)
        around = {opening_m: ground.yards(opening_m) for opening_m in (5.0, 5.5, 6.0, 6.5)}
        listed = [yard for yard in around[6.0] if is_yard(yard, 1.0)]
        clear = [y for y in around[5.0] if is_yard(y, STRICT) and y.widest_m >= 7.0]
        loose = [y for k in (5.5, 6.0, 6.5) for y in around[k] if is_yard(y, LOOSE)]
        cells = np.unique(np.concatenate([yard.cells for yard in loose]).round(3), axis=0)
        tree = shapely.STRtree(shapely.points(cells))
        shares = (len(tree.query(s, predicate="contains")) / 4 / s.area for s in shapes)
        return Found(
            num_listed=len(listed),
            num_found=num_in(listed),
            num_clear=len(clear),
            num_clear_found=num_in(clear),
            num_proposals=len(shapes),
            num_true=sum(share >= 0.5 for share in shares),
        )

    def dead_ends(self, *, seed: int | None = None) -> Found:
        """The rule of dead ends on the streets; with a seed on planted lanes beside them too.

        Clear ones are walled 7 m apart over 8 m with gaps of 2 m; a proposal is true where 9 m
        and gaps of 4.5 m make it 5 m long.
        """
        town = self.town if seed is None else with_lanes(self.town, NUM_LANES, seed)
        lanes = [(self.ours(line), way) for line, way in town.streets[len(self.town.streets) :]]
        walls = walls_of([building.footprint for building in self.site.buildings])
        found = dead_end_proposals(walls, [*self.streets, *lanes], "map")
        starts = [shapely.get_coordinates(self.theirs(p.shape))[0] for p in found]

        def places(apart_m: float, gap_m: float, least_m: float) -> list[tuple[float, float]]:
            ends = dead_ends(town, apart_m, gap_m=gap_m)
            return [end.place for end in ends if end.length_m >= least_m]

        def num_near(some: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> int:
            return sum(any(math.dist(a, b) < SAME_M for b in others) for a in some)

        listed, clear, loose = places(8.0, 3.0, 6.0), places(7.0, 2.0, 8.0), places(9.0, 4.5, 5.0)
        return Found(
            num_listed=len(listed),
            num_found=num_near(listed, starts),
            num_clear=len(clear),
            num_clear_found=num_near(clear, starts),
            num_proposals=len(starts),
            num_true=num_near(starts, loose),
        )

    def closed_ends(self, passages: Sequence[Proposal]) -> tuple[int, int, int, int]:
        """Passages closed at an end by the list, by both, by the rule, and all of them."""
        by_list = by_both = by_rule = 0
        for passage in passages:
            line = self.theirs(passage.shape)
            is_closed = any(self._is_closed(way) for way in (line, line.reverse()))
            is_told = passage.figures["closed_ends"] > 0
            by_list, by_rule = by_list + is_closed, by_rule + is_told
            by_both += is_closed and is_told
        return by_list, by_both, by_rule, len(passages)

    def _is_closed(self, way: BaseGeometry) -> bool:
        end = way.coords[0]
        inner = way.interpolate(min(2.0, way.length / 2))
        out_rad = math.atan2(end[1] - inner.y, end[0] - inner.x)
        return ways_out_m(self.town, end, out_rad) < CLOSED_M

    def tags(self, folder: Path, seed: int) -> tuple[int, int, int, int]:
        """Tagged things that must be proposed, and were; proposals by tags, and true ones."""
        things = planted_map(self.folder, *self.middle, seed, NUM_TAGS)
        write_osm(folder / "town.osm", things, *self.middle)
        extract = read_extract(folder / "town.osm", self.site)
        found = suggested(self.site, [], extract).proposals.values()
        told = [(one.rule, self.theirs(one.area)) for one in found if one.rule.startswith("tag-")]
        expected = [thing for thing in things if thing.is_expected]
        possible = [thing for thing in things if thing.is_expected is not False]

        def is_same(rule: str, area: BaseGeometry, thing_rule: str, ground: BaseGeometry) -> bool:
            return rule == thing_rule and area.intersection(ground).area > 0.8 * ground.area

        num_found = sum(any(is_same(*one, t.rule, t.ground) for one in told) for t in expected)
        num_true = sum(any(is_same(*one, t.rule, t.ground) for t in possible) for one in told)
        return len(expected), num_found, len(told), num_true


def is_yard(yard: Yard, strict: float) -> bool:
    """Whether it is within the limits of the rule, so much stricter."""
    return (
        40.0 * strict <= yard.area_m2 <= 5000.0 / strict
        and yard.walled_frac >= 0.6 * strict
        and yard.street_m <= 10.0 / strict
    )
