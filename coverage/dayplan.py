"""What fits a day: the worst levels first, and of one level the spots that take least time."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from skymist.coverage.footprints import areal, footprint
from skymist.coverage.plan import GroundTask, Reason
from skymist.coverage.robust import difference, intersection, union
from skymist.coverage.site import RANK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Sortie, Treatment
    from skymist.coverage.site import Policy, Site

    Options = dict[str, dict[str, Treatment]]

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


def fitting(ordered: Sequence[str], fits: Callable[[frozenset[str]], bool]) -> frozenset[str]:
    """The longest run of the first spots with which everything ends in time, by bisection."""
    low, high = 0, len(ordered)
    for _ in range(TRIES + int(math.log2(len(ordered) + 1))):
        if low >= high:
            break
        middle = (low + high + 1) // 2
        if fits(frozenset(ordered[:middle])):
            low = middle
        else:
            high = middle - 1
    return frozenset(ordered[:low])


def no_time_text(policy: Policy) -> str:
    """Why there is no time, in words."""
    if policy.day_s is not None and policy.num_days == 1 and not policy.hours:
        return f"no time: all drones must be down after {policy.day_s / 60:.0f} min"
    days = "the day" if policy.num_days == 1 else f"{policy.num_days} days"
    return f"no time: what comes first takes all of its hours of {days}"


def beyond_day(site: Site, left_out: Sequence[str]) -> list[GroundTask]:
    """Tasks for spots that the day has no time for."""
    spots = {spot.id: spot for spot in site.spots}
    return [
        GroundTask(
            spot_id=spot_id,
            reason=Reason.NO_TIME,
            text=no_time_text(site.policy),
            area=spots[spot_id].area,
            is_whole_spot=True,
        )
        for spot_id in left_out
    ]


def without_late(
    treatments: Sequence[Treatment], late: Sequence[Sortie], policy: Policy
) -> tuple[list[Treatment], list[GroundTask]]:
    """Treatments without what late sorties would have sprayed, and tasks for that."""
    dry: dict[str, list[BaseGeometry]] = {}
    for sortie in late:
        for sprayed in sortie.passes:
            dry.setdefault(sprayed.spot_id, []).append(footprint(sprayed))
    kept, tasks = [], []
    for treatment in treatments:
        left = areal(intersection(union(dry.get(treatment.spot_id, ())), treatment.target))
        target = areal(difference(treatment.target, left))
        kept.append(replace(treatment, target=target) if not target.is_empty else treatment)
        if not left.is_empty:
            tasks.append(
                GroundTask(
                    spot_id=treatment.spot_id,
                    reason=Reason.NO_TIME,
                    text=no_time_text(policy),
                    area=left,
                    is_whole_spot=False,
                )
            )
    return kept, tasks


def end_s(sorties: Sequence[Sortie]) -> float:
    """When the last drone is down."""
    return max((s.start_s + s.duration_s for s in sorties), default=0.0)
