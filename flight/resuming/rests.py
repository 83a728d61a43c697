"""What is left of one sortie, planned anew for the drone that flew it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skymist.coverage.errors import SkymistError
from skymist.coverage.replanning import replan, rest_of
from skymist.missions.compile import compile_plan
from skymist.missions.plan_checks import plan_faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from skymist.coverage.plan import Pass, Plan, Sortie
    from skymist.coverage.schedule import Standing
    from skymist.missions.items import Mission

REST_LEAST_S = 0.3
"""A rest that would be sprayed in less is no rest: below what the pump's start is known to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A sortie's rest: a plan of new sorties with their missions, and the spots that it leaves."""

    plan: Plan
    missions: Mapping[str, Mission]
    left: Mapping[str, str]

    @property
    def sorties(self) -> tuple[Sortie, ...]:
        """The new sorties in order."""
        return self.plan.sorties


def rest_passes(
    sortie: Sortie, done: Mapping[int, float], skip: AbstractSet[str] = frozenset()
) -> tuple[Pass, ...]:
    """The passes of a sortie that are left, by the share of each that is done."""
    rests = [
        rest
        for index, leg in enumerate(sortie.passes)
        if leg.spot_id not in skip
        for rest in rest_of(leg, ((0.0, done.get(index, 0.0)),), overlap_m=0.0)
    ]
    return tuple(rest for rest in rests if rest.spray_s > REST_LEAST_S)


def rest_of_sortie(
    plan: Plan,
    sortie: Sortie,
    passes: tuple[Pass, ...],
    standing: Standing,
    *,
    number: int,
    now_s: float = 0.0,
) -> Rest:
    """New sorties for these passes from the pad of the old one, checked like any plan.

    `now_s` is now in the time of the plan, for its hours. What cannot be planned, or would break
    a rule, is in `left` with the reason; nothing raises.
    """
    spots = tuple(dict.fromkeys(leg.spot_id for leg in passes))
    treatments = tuple(
        replace(plan.treatment(spot), passes=tuple(p for p in passes if p.spot_id == spot))
        for spot in spots
    )
    fleet = tuple(
        replace(drone, pad_id=sortie.pad_id) if drone.id == sortie.drone_id else drone
        for drone in plan.site.fleet
    )
    site = replace(plan.site, fleet=fleet)
    asked = replace(plan, site=site, treatments=treatments, ground=(), sorties=(), findings=())
    try:
        made = _named(
            replan(asked, {}, {sortie.drone_id: standing}, seed=plan.seed, now_s=now_s),
            sortie,
            number,
        )
        missions = compile_plan(made)
        faults = plan_faults(made)
    except SkymistError as exc:
        return Rest(plan=asked, missions={}, left=dict.fromkeys(spots, str(exc)))
    if faults:
        return Rest(plan=asked, missions={}, left=dict.fromkeys(spots, faults[0]))
    flown = {spot_id for s in made.sorties for spot_id in s.spot_ids}
    left = {task.spot_id: task.text for task in made.ground}
    left |= {s: "its rest could not be planned" for s in spots if s not in flown and s not in left}
    return Rest(plan=made, missions=missions, left=left)


def _named(made: Plan, sortie: Sortie, number: int) -> Plan:
    """The same with ids that no other sortie of the operation has, to be flown at once."""
    root = sortie.id.partition("-rest")[0]
    begin_s = min((s.start_s for s in made.sorties), default=0.0)
    sorties = tuple(
        replace(s, id=f"{root}-rest{number + k}", start_s=s.start_s - begin_s)
        for k, s in enumerate(made.sorties)
    )
    start = made.start.later(begin_s) if made.start else None
    return replace(made, sorties=sorties, start=start)
