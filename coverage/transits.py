"""The quickest way from one pass to another inside the ground that may be flown.

Around holes and past corners the way bends at corners of the ground: a visibility graph between
passes' ends and corners, searched by time with a stop at every bend. Ways between separate parts
are straight; where a height is given, so are ways over holes that are quicker. The order of passes
is left to `coverage.order`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skymist.coverage.kinematics import Hop, Kinematics

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

SLACK_M = 2e-3
MOST_CORNERS = 32  # corners looked at from one place
CHUNK = 100_000
MOST_BENDS = 800
SMOOTH_SHARE = 2e-3  # of the ground's size
MANY_PLACES = 70  # above this, ways between places that lie far apart are only estimated:
MANY_NEAR = 32  # those beyond the nearest so many,
FAR_FACTOR = 1.3  # at this many times the straight way
MOST_PLACES = 24  # places looked at from one place; ways to others bend at corners


class FreeSpace:
    """One part of the ground that may be flown, and the ways through it."""

    def __init__(self, ground: Polygon, kinematics: Kinematics, hop: Hop | None = None) -> None:
        self._kinematics = kinematics
        self._hop = hop if ground.interiors else None
        self._rim: BaseGeometry | None = None
        if self._hop is not None:
            self._rim = shapely.buffer(Polygon(ground.exterior), SLACK_M, join_style="mitre")
            shapely.prepare(self._rim)
        self.convex = robust.is_convex(ground)
        self._roomy = shapely.buffer(ground, SLACK_M, join_style="mitre")
        shapely.prepare(self._roomy)
        self._corners = np.zeros((0, 2)) if self.convex else _corners(ground)
        self._between: Floats | None = None
        self._next: NDArray[np.int32] | None = None
        self._known: dict[bytes, int] = {}
        self._straight = np.zeros((0, 0), dtype=bool)
        self._seen_from = np.zeros((0, 0))

    def sees(self, first: Floats, second: Floats) -> NDArray[np.bool_]:
        """Whether the straight ways between points, both of shape (n, 2), stay inside."""
        if self.convex:
            return np.ones(len(first), dtype=bool)
        lines = shapely.linestrings(np.stack([first, second], axis=1))
        return np.asarray(shapely.covers(self._roomy, lines), dtype=bool)

    def _over_s(self, first: Floats, second: Floats) -> Floats:
        """Seconds from place to place straight over the holes, rows of (n, 2); inf where not."""
        gap = np.hypot(*(second - first).T)
        seconds = np.full(len(gap), np.inf)
        if self._hop is not None and len(gap):
            lines = shapely.linestrings(np.stack([first, second], axis=1))
            free = np.asarray(shapely.covers(self._rim, lines), dtype=bool)
            seconds[free] = self._kinematics.run_s(gap[free]) + self._hop.upright_s
        return seconds

    def _corner_times(self) -> tuple[Floats, NDArray[np.int32]]:
        if self._between is None or self._next is None:
            corners = self._corners
            graph = np.full((len(corners),) * 2, np.inf)
            first, second = np.triu_indices(len(corners), 1)
            gap = np.hypot(*(corners[first] - corners[second]).T)
            if len(corners) > MOST_CORNERS:
                full = np.full(graph.shape, np.inf)
                full[first, second] = full[second, first] = gap
                reach = np.partition(full, MOST_CORNERS, axis=1)[:, MOST_CORNERS]
                near = gap <= np.maximum(reach[first], reach[second])
                first, second, gap = first[near], second[near], gap[near]
            seen = self.sees(corners[first], corners[second])
            first, second, gap = first[seen], second[seen], gap[seen]
            graph[first, second] = graph[second, first] = self._kinematics.run_s(gap)
            graph[~np.isfinite(graph)] = 0.0
            # Here, not above: importing it takes longer than commands that do not plan.
            from scipy.sparse.csgraph import dijkstra

            self._between, self._next = dijkstra(graph, directed=False, return_predecessors=True)
        return self._between, self._next

    def _views(self, places: Floats, most: int = MOST_CORNERS) -> Floats:
        """Seconds from places to the corners that they see, else inf; shape (n, corners)."""
        corners = self._corners
        gap = np.hypot(*(places[:, None] - corners).transpose(2, 0, 1))
        near = np.ones(gap.shape, dtype=bool)
        if len(corners) > most:
            near = gap <= np.partition(gap, most, axis=1)[:, most, None]
        place, corner = np.nonzero(near)
        seen = self.sees(places[place], corners[corner])
        times = np.full(gap.shape, np.inf)
        place, corner = place[seen], corner[seen]
        times[place, corner] = self._kinematics.run_s(gap[place, corner])
        blind = ~np.isfinite(times).any(axis=1)
        if blind.any() and most < len(corners):
            times[blind] = self._views(places[blind], len(corners))
        return times

    def times(self, places: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Seconds between all pairs of places, shape (n, n), and which ways are straight.

        Pairs that the last call asked for too are not looked at again.
        """
        gap = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
        times = self._kinematics.run_s(gap)
        straight = np.ones(gap.shape, dtype=bool)
        if self.convex:
            return times, straight
        known = np.array([self._known.get(place.tobytes(), -1) for place in places], dtype=np.intp)
        old = np.flatnonzero(known >= 0)
        ask = np.triu(np.ones(gap.shape, dtype=bool), 1)
        if len(places) > MOST_PLACES:
            reach = np.partition(gap, MOST_PLACES, axis=1)[:, MOST_PLACES]
            straight = gap <= np.maximum(reach, reach[:, None])
            ask &= straight
        straight[np.ix_(old, old)] = self._straight[np.ix_(known[old], known[old])]
        ask[np.ix_(old, old)] = False
        first, second = np.nonzero(ask)
        straight[first, second] = straight[second, first] = self.sees(places[first], places[second])
        self._detour(times, straight, gap, places, known)
        if self._hop is not None:
            soonest = self._kinematics.run_s(gap) + self._hop.upright_s
            first, second = np.nonzero(np.triu(~straight & (soonest < times), 1))
            over = np.minimum(times[first, second], self._over_s(places[first], places[second]))
            times[first, second] = times[second, first] = over
        self._known = {place.tobytes(): number for number, place in enumerate(places)}
        self._straight = straight
        return times, straight

    def _detour(
        self,
        times: Floats,
        straight: NDArray[np.bool_],
        gap: Floats,
        places: Floats,
        known: NDArray[np.intp],
    ) -> None:
        """Put into `times` how long the ways take that are not straight."""
        blocked = np.triu(~straight, 1)
        if not blocked.any():
            self._seen_from = np.zeros((len(places), 0))
            return
        if len(places) > MANY_PLACES:
            reach = np.partition(gap, MANY_NEAR, axis=1)[:, MANY_NEAR]
            far = blocked & (gap > np.maximum(reach, reach[:, None]))
            far |= far.T
            times[far] = FAR_FACTOR * times[far] + self._kinematics.stop_s
            blocked &= ~far
        first, second = np.nonzero(blocked)
        times[first, second] = self._around(places, known, first, second)
        times[second, first] = times[first, second]

    def _around(self, places: Floats, known: NDArray[np.intp], first: Ints, second: Ints) -> Floats:
        """Seconds between pairs of places by way of the corners that they see, else inf."""
        if not len(self._corners):
            self._seen_from = np.zeros((len(places), 0))
            return np.full(len(first), np.inf)
        between, _ = self._corner_times()
        views = np.empty((len(places), len(self._corners)))
        if self._seen_from.shape[1] == len(self._corners):
            views[known >= 0] = self._seen_from[known[known >= 0]]
        else:
            known = np.full(len(places), -1)
        if (known < 0).any():
            views[known < 0] = self._views(places[known < 0])
        self._seen_from = views
        most = min(MOST_CORNERS, views.shape[1])
        near = np.argpartition(views, most - 1, axis=1)[:, :most]
        seconds = np.take_along_axis(views, near, axis=1)
        onward = np.full(views.shape, np.inf)
        for rank in range(most):
            np.minimum(onward, seconds[:, rank, None] + between[near[:, rank]], out=onward)
        best = np.empty(len(first))
        for low in range(0, len(first), CHUNK):
            one, other = first[low : low + CHUNK], second[low : low + CHUNK]
            total = onward[one[:, None], near[other]] + seconds[other]
            best[low : low + CHUNK] = total.min(axis=1)
        return best

    def ways(self, first: Floats, second: Floats) -> list[Floats]:
        """The quickest ways between places, rows of (n, 2), as points each; straight if none."""
        pairs = np.stack([first, second], axis=1)
        found: list[Floats] = list(pairs)
        blocked = np.flatnonzero(~self.sees(first, second))
        if not len(blocked) or not len(self._corners):
            return found
        between, before = self._corner_times()
        views = self._views(pairs[blocked].reshape(-1, 2)).reshape(len(blocked), 2, -1)
        over_s = self._over_s(first[blocked], second[blocked])
        for row, (leave, reach), hop_s in zip(blocked, views, over_s, strict=True):
            total = leave[:, None] + between + reach[None, :]
            start, end = np.unravel_index(np.argmin(total), total.shape)
            if not np.isfinite(total[start, end]) or hop_s < total[start, end]:
                continue
            bends = [int(end)]
            while bends[-1] != start:
                bends.append(int(before[start, bends[-1]]))
            found[row] = np.concatenate(
                [pairs[row, :1], self._corners[bends[::-1]], pairs[row, 1:]]
            )
        return found


def _corners(ground: Polygon) -> Floats:
    """Corners to bend at; of ground with very many, those of a smoothed and smaller copy."""
    bends = _bends(ground)
    if len(bends) <= MOST_BENDS:
        return bends
    cut_m = SMOOTH_SHARE * math.sqrt(ground.area)
    smooth = shapely.buffer(ground, -cut_m, join_style="mitre").simplify(cut_m)
    found = [_bends(part) for part in shapely.get_parts(smooth) if part.geom_type == "Polygon"]
    return np.concatenate(found) if found else bends[:MOST_BENDS]


def _bends(ground: Polygon) -> Floats:
    """Corners at which a shortest way can bend: those that point into the ground."""
    found = []
    oriented = shapely.orient_polygons(ground)
    for ring in (oriented.exterior, *oriented.interiors):
        points = shapely.get_coordinates(ring)[:-1]
        before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
        found.append(points[before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0] < -1e-12])
    return np.concatenate(found)
