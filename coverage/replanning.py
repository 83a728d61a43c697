"""A new plan for what is left of an old one: what was treated, who still flies, how they stand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError
from skymist.coverage.footprints import footprint
from skymist.coverage.lowest import lowest_s
from skymist.coverage.plan import PassKind, Plan
from skymist.coverage.robust import difference, union
from skymist.coverage.schedule import Standing, schedule
from skymist.coverage.separation import require_apart
from skymist.coverage.sorties import Planner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from skymist.coverage.plan import Pass, Treatment

DONE_FRAC = 0.999
"""A pass flown this far is done. Numerical."""


def replan(
    plan: Plan,
    done: Mapping[tuple[str, int], float],
    standing: Mapping[str, Standing],
    *,
    seed: int = 0,
    is_over: Callable[[], bool] | None = None,
) -> Plan:
    """The rest of a plan for the drones that are alive, each from the pad where it stands.

    `done` says by spot and index of the pass in its treatment what share of it was flown, from
    its start; `standing` names the drones that are alive. The spots' treatments, and the order in
    which they lie, are those of the plan; what is done is in neither. Times start at 0 now.

    Raises
    ------
    PlanError
        Where no drone is alive that can fly what is left.
    """
    drones = tuple(
        replace(drone, is_movable=False) for drone in plan.site.fleet if drone.id in standing
    )
    if not drones:
        raise PlanError("drones: wanted at least one alive, found none")
    models = {drone.model.id for drone in drones}
    left = [rest for t in plan.treatments if (rest := remainder(t, done)) is not None]
    options = {m: {t.spot_id: t for t in left if t.model_id == m} for m in models}
    stuck = sorted({t.spot_id for t in left if t.model_id not in models})
    if stuck:
        wanted = sorted({t.model_id for t in left} - models)
        raise PlanError(f"{', '.join(stuck)}: wanted a drone of {', '.join(wanted)}, found none")
    site = replace(plan.site, fleet=drones)
    planner = Planner(site, drones, seed=seed, is_over=is_over or (lambda: False))
    given = planner.give(options)
    by_model = {drone.id: drone.model for drone in drones}
    sorties = schedule(given.sorties(), by_model, site.policy, site.pads, standing)
    require_apart(sorties, by_model, site.policy.separation_m)
    flown = {spot_id for sortie in sorties for spot_id in sortie.spot_ids}
    treatments = tuple(t for t in given.treatments if t.spot_id in flown)
    return Plan(
        site=site,
        seed=seed,
        treatments=treatments,
        ground=(*plan.ground, *given.tasks),
        sorties=sorties,
        lowest_s=lowest_s(site, drones, treatments),
    )


def remainder(treatment: Treatment, done: Mapping[tuple[str, int], float]) -> Treatment | None:
    """A treatment without what was flown of it; None where that is all of it."""
    passes = []
    for index, whole in enumerate(treatment.passes):
        rest = rest_of(whole, done.get((treatment.spot_id, index), 0.0))
        passes += [] if rest is None else [rest]
    if not passes:
        return None
    if len(passes) == len(treatment.passes) and tuple(passes) == treatment.passes:
        return treatment
    gone = union(
        footprint(p)
        for k, p in enumerate(treatment.passes)
        if done.get((treatment.spot_id, k), 0.0) >= DONE_FRAC
    )
    target = difference(treatment.target, gone)
    still = union(footprint(p) for p in passes)
    target = union([target, still.intersection(treatment.target)])
    return replace(treatment, passes=tuple(passes), target=target)


def rest_of(whole: Pass, done_frac: float) -> Pass | None:
    """What is left of a pass of which a share was flown; a hover is done as a time."""
    if done_frac >= DONE_FRAC:
        return None
    if done_frac <= 0:
        return whole
    if whole.kind is PassKind.HOVER:
        return replace(whole, hover_s=whole.hover_s * (1 - done_frac))
    gone_m = whole.length_m * done_frac
    for k, (a, b) in enumerate(pairwise(whole.path)):
        step_m = math.dist(a, b)
        if gone_m < step_m - 0.05:
            share = gone_m / step_m
            here = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
            return replace(whole, path=(here, *whole.path[k + 1 :]))
        gone_m = max(0.0, gone_m - step_m)
    return None
