"""What a plan comes to, in numbers that a planner asks for."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """Totals of a plan. `treated_m2` is what drones are planned to treat of `spots_m2`.

    `gap_frac` says how much longer than the lower bound `lowest_min` the plan takes. `starts` and
    `ends` are the first take-off and the last landing by the clock, where the plan has one.
    """

    num_spots: int
    num_treated: int
    num_partly: int
    num_ground: int
    spots_m2: float
    treated_m2: float
    ground_m2: float
    litres_l: float
    makespan_min: float
    drone_min: float
    num_sorties: int
    num_refills: int
    num_swaps: int
    num_drones: int
    left_out: dict[str, int]
    lowest_min: float = 0.0
    gap_frac: float = 0.0
    starts: str = ""
    ends: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def summarise(plan: Plan) -> PlanSummary:
    """The totals of a plan; `left_out` counts ground-crew tasks by reason."""
    treated = {t.spot_id for t in plan.treatments}
    tasked = {task.spot_id for task in plan.ground}
    return PlanSummary(
        num_spots=len(plan.site.spots),
        num_treated=len(treated - tasked),
        num_partly=len(treated & tasked),
        num_ground=len(tasked - treated),
        spots_m2=math.fsum(s.area.area for s in plan.site.spots),
        treated_m2=math.fsum(t.target.area for t in plan.treatments),
        ground_m2=math.fsum(task.area_m2 for task in plan.ground),
        litres_l=plan.litres_l,
        makespan_min=plan.makespan_s / 60,
        drone_min=math.fsum(s.duration_s for s in plan.sorties) / 60,
        num_sorties=len(plan.sorties),
        num_refills=sum(s.refill_before for s in plan.sorties),
        num_swaps=sum(s.swap_before for s in plan.sorties),
        num_drones=len({s.drone_id for s in plan.sorties}),
        left_out=dict(Counter(task.reason.value for task in plan.ground).most_common()),
        lowest_min=plan.lowest_s / 60,
        gap_frac=plan.makespan_s / plan.lowest_s - 1 if plan.lowest_s > 0 else 0.0,
        starts=_by_clock(plan, min((s.start_s for s in plan.sorties), default=0.0)),
        ends=_by_clock(plan, plan.makespan_s),
    )


def _by_clock(plan: Plan, plan_s: float) -> str:
    return plan.start.at(plan_s) if plan.start and plan.sorties else ""
