"""What fits a day: the worst levels first, and of one level the spots that take least time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.plan import GroundTask, Reason
from skymist.coverage.site import LevelName

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from skymist.coverage.plan import Sortie, Treatment
    from skymist.coverage.site import Site

    Options = dict[str, dict[str, Treatment]]

RANK = {LevelName.RED: 0, LevelName.YELLOW: 1, LevelName.BLUE: 2, LevelName.GREEN: 3}
"""Worst level first."""
TRIES = 8


def by_priority(site: Site, options: Options) -> list[str]:
    """Ids of the spots that can be flown: by level, then the quickest for its area."""
    rank = {spot.id: RANK[spot.level] for spot in site.spots}
    work_s: dict[str, float] = {}
    for by_spot in options.values():
        for spot_id, treatment in by_spot.items():
            spent_s = math.fsum(p.spray_s + 5.0 for p in treatment.passes)
            per_m2 = spent_s / max(float(treatment.target.area), 1e-9)
            work_s[spot_id] = min(per_m2, work_s.get(spot_id, math.inf))
    return sorted(work_s, key=lambda spot_id: (rank[spot_id], work_s[spot_id], spot_id))


def fitting(
    day_s: float, ordered: Sequence[str], end_s_of: Callable[[frozenset[str]], float]
) -> frozenset[str]:
    """The longest run of the first spots with which everything ends in time, by bisection."""
    low, high = 0, len(ordered)
    for _ in range(TRIES + int(math.log2(len(ordered) + 1))):
        if low >= high:
            break
        middle = (low + high + 1) // 2
        if end_s_of(frozenset(ordered[:middle])) <= day_s:
            low = middle
        else:
            high = middle - 1
    return frozenset(ordered[:low])


def beyond_day(site: Site, day_s: float, left_out: Sequence[str]) -> list[GroundTask]:
    """Tasks for spots that the day has no time for."""
    text = f"no time: all drones must be down after {day_s / 60:.0f} min"
    return [
        GroundTask(
            spot_id=spot_id,
            reason=Reason.NO_TIME,
            text=text,
            area=site.spot(spot_id).area,
            is_whole_spot=True,
        )
        for spot_id in left_out
    ]


def end_s(sorties: Sequence[Sortie]) -> float:
    """When the last drone is down."""
    return max((s.start_s + s.duration_s for s in sorties), default=0.0)
