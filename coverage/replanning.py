"""A new plan for what is left of an old one: what was treated, who still flies, how they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.dayplan import without_late
from skymist.coverage.errors import PlanError
from skymist.coverage.footprints import footprint
from skymist.coverage.lowest import lowest_s
from skymist.coverage.plan import PassKind, Plan
from skymist.coverage.robust import difference, union
from skymist.coverage.schedule import Standing, scheduled
from skymist.coverage.separation import require_apart
from skymist.coverage.sorties import Planner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from skymist.coverage.plan import Pass, Treatment

DONE_FRAC = 0.999
"""A pass flown this far is done. Numerical."""
OVERLAP_M = 1.0
"""By how much what is left of a pass reaches into what was flown: the pump starts up to 0.3 m late,
and a position is off by some decimetres. [P]"""
CORNER_M = 0.05
"""A cut nearer than this to a corner is put on it: legs are longer. Numerical."""

XY = tuple[float, float]
Share = tuple[float, float]
"""A stretch of a pass, from and to, as shares of its length; of a hover, of its time."""
Done = Mapping[tuple[str, int], tuple[Share, ...]]
"""What was flown, by spot and index of the pass in its treatment."""


def replan(
    plan: Plan,
    done: Done,
    standing: Mapping[str, Standing],
    *,
    seed: int = 0,
    is_over: Callable[[], bool] | None = None,
    now_s: float = 0.0,
) -> Plan:
    """The rest of a plan for the drones that are alive, each from the pad where it stands.

    `done` says which shares of the treatments' passes were flown; `standing` names the drones that
    are alive. The spots' treatments, and the order in
    which they lie, are those of the plan; what is done is in neither. Times start at 0 now,
    which is `now_s` in the time of the plan; what finds no time in its hours any more is left out.

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
    start = plan.start.later(now_s) if plan.start else None
    planner = Planner(
        site, drones, seed=seed, is_over=is_over or (lambda: False), start=start, wind=plan.wind
    )
    given = planner.give(options)
    by_model = {drone.id: drone.model for drone in drones}
    found = scheduled(
        given.sorties(), by_model, site.policy, site.pads, standing, planner.timetable, plan.wind
    )
    sorties = found.flown
    cut, late = without_late(given.treatments, found.late, site.policy)
    require_apart(sorties, by_model, site.policy.separation_m)
    flown = {spot_id for sortie in sorties for spot_id in sortie.spot_ids}
    treatments = tuple(t for t in cut if t.spot_id in flown)
    return Plan(
        site=site,
        seed=seed,
        treatments=treatments,
        ground=(*plan.ground, *given.tasks, *late),
        sorties=sorties,
        wind=plan.wind,
        lowest_s=lowest_s(site, drones, treatments),
        start=start,
    )


def remainder(treatment: Treatment, done: Done) -> Treatment | None:
    """A treatment without what was flown of it; None where that is all of it."""
    passes: list[Pass] = []
    gone = []
    for index, whole in enumerate(treatment.passes):
        shares = done.get((treatment.spot_id, index), ())
        passes += rest_of(whole, shares)
        gone += [footprint(part) for part in parts_of(whole, shares)]
    if not passes:
        return None
    if tuple(passes) == treatment.passes:
        return treatment
    still = union(footprint(p) for p in passes).intersection(treatment.target)
    target = union([difference(treatment.target, union(gone)), still])
    return replace(treatment, passes=tuple(passes), target=target)


def rest_of(
    whole: Pass, done: tuple[Share, ...], *, overlap_m: float = OVERLAP_M
) -> tuple[Pass, ...]:
    """What is left of a pass of which shares were flown; a hover is done as a time.

    What is left begins and ends `overlap_m` inside of what was flown.
    """
    shares = merged(done)
    if whole.kind is PassKind.HOVER:
        left_frac = 1 - math.fsum(high - low for low, high in shares)
        if left_frac <= 1 - DONE_FRAC:
            return ()
        return (replace(whole, hover_s=whole.hover_s * left_frac),) if shares else (whole,)
    edges = [0.0, *(edge for share in shares for edge in share), 1.0]
    over = overlap_m / whole.length_m
    left = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1 - DONE_FRAC]
    grown = merged((a - over if a > 0 else a, b + over if b < 1 else b) for a, b in left)
    return tuple(part_of(whole, max(a, 0.0), min(b, 1.0)) for a, b in grown)


def parts_of(whole: Pass, shares: tuple[Share, ...]) -> tuple[Pass, ...]:
    """The parts of a pass that lie in these shares; of a hover all or nothing."""
    if whole.kind is PassKind.HOVER:
        is_whole = math.fsum(b - a for a, b in shares) >= DONE_FRAC
        return (whole,) if is_whole else ()
    return tuple(part_of(whole, a, b) for a, b in merged(shares))


def part_of(whole: Pass, from_frac: float, to_frac: float) -> Pass:
    """The part of a pass between two shares of its length."""
    if from_frac <= 0 and to_frac >= 1:
        return whole
    low_m, high_m = whole.length_m * from_frac, whole.length_m * to_frac
    path: list[XY] = [_at(whole, low_m)]
    gone_m = 0.0
    for a, b in pairwise(whole.path):
        gone_m += math.dist(a, b)
        if low_m + CORNER_M < gone_m < high_m - CORNER_M:
            path.append(b)
    return replace(whole, path=(*path, _at(whole, high_m)))


def _at(whole: Pass, along_m: float) -> XY:
    """The point so far along a pass."""
    gone_m = 0.0
    for a, b in pairwise(whole.path):
        step_m = math.dist(a, b)
        if along_m <= gone_m + step_m and step_m > 0:
            share = min(max((along_m - gone_m) / step_m, 0.0), 1.0)
            return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
        gone_m += step_m
    return whole.path[-1]


def merged(shares: Iterable[Share]) -> tuple[Share, ...]:
    """Shares in order, those that touch or overlap made one."""
    made: list[Share] = []
    for low, high in sorted(shares):
        if made and low <= made[-1][1] + 1e-9:
            made[-1] = (made[-1][0], max(made[-1][1], high))
        else:
            made.append((low, high))
    return tuple(made)
