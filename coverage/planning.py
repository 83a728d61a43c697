"""The whole of planning in one call: a site in, a plan out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from skymist.coverage.airspeed import require_held
from skymist.coverage.concerns import concerns_of
from skymist.coverage.dayplan import beyond_day, by_priority, end_s, fitting, without_late
from skymist.coverage.errors import PlanError
from skymist.coverage.lowest import lowest_s
from skymist.coverage.plan import GroundTask, Plan, Reason, Treatment
from skymist.coverage.robust import union
from skymist.coverage.schedule import scheduled
from skymist.coverage.separation import require_apart
from skymist.coverage.site import Objective
from skymist.coverage.sorties import Planner, with_stations
from skymist.coverage.timetable import usual_start
from skymist.coverage.tours import at_once
from skymist.coverage.treat import Treated, treat_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import Drone, DroneModel
    from skymist.coverage.hours import Start
    from skymist.coverage.plan import Pass, Sortie
    from skymist.coverage.schedule import Scheduled
    from skymist.coverage.site import Site
    from skymist.coverage.sorties import Given
    from skymist.coverage.timetable import Timetable
    from skymist.coverage.tours import Route

Options = dict[str, dict[str, Treatment]]
Treat = Callable[["Site", "DroneModel", "Wind | None"], Treated]


def plan_site(
    site: Site,
    *,
    seed: int = 0,
    num_drones: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    wind: Wind | None = None,
    is_over: Callable[[], bool] | None = None,
    start: Start | None = None,
    objective: Objective | None = None,
    treat: Treat = treat_site,
    route: Route = at_once,
) -> Plan:
    """Treatments, ground-crew tasks and scheduled sorties for a site.

    `num_drones` takes the first so many of the fleet. `progress` is told the stage, steps done
    and steps in all. `wind` is what passes are laid and batteries reckoned for. `start` is when
    the plan's time is 0; a site with hours starts at its first ones unless told. `objective`
    replaces the policy's. The same site, wind, start and seed give the same plan. `treat` may be
    another `treat_site` that gives the same, such as one that shares the spots out among processes,
    and `route` another `at_once`.

    Raises
    ------
    PlanError
        Where the site has no drone that can fly, or fewer than asked for; where one could not hold
        its speed against the wind; where drones would come nearer to each other than the policy
        allows.
    """
    if objective is not None:
        site = replace(site, policy=replace(site.policy, objective=objective))
    drones = _crew(site, num_drones)
    require_held((d.model for d in drones), site.policy.speed_max_mps, wind)
    tell = progress or (lambda stage, done, total: None)
    options, left = _options(site, drones, tell, wind, treat)
    tell("sorties", 0, 1)
    start = start or usual_start(site)
    planner = Planner(
        site,
        drones,
        seed=seed,
        is_over=is_over or (lambda: False),
        start=start,
        wind=wind,
        route=route,
    )
    given, sorties, late = _timed(planner, site, options, wind)
    site = with_stations(site, given.drones)
    tell("schedule", 0, 1)
    require_apart(sorties, {d.id: d.model for d in drones}, site.policy.separation_m)
    model_of = {t.spot_id: t.model_id for t in given.treatments}
    first = drones[0].model.id
    tasks = [t for s in site.spots for t in left.get((model_of.get(s.id, first), s.id), ())]
    tasks += _together(given.tasks) + late
    flown = {spot_id for sortie in sorties for spot_id in sortie.spot_ids}
    order = {spot.id: index for index, spot in enumerate(site.spots)}
    treatments = sorted(
        (t for t in given.treatments if t.spot_id in flown), key=lambda t: order[t.spot_id]
    )
    return Plan(
        site=site,
        seed=seed,
        treatments=tuple(treatments),
        ground=tuple(sorted(_settled(site, tasks, flown), key=lambda t: order[t.spot_id])),
        sorties=sorties,
        wind=wind,
        findings=concerns_of(site, treatments, wind),
        lowest_s=_lowest_s(planner, site, given, treatments, sorties),
        start=start,
    )


def _lowest_s(
    planner: Planner,
    site: Site,
    given: Given,
    treatments: Sequence[Treatment],
    sorties: Sequence[Sortie],
) -> float:
    """The lower bound; no plan ends before the last of its spots may be sprayed."""
    opens = (planner.timetable.soonest_s(t.spot_id) for t in treatments)
    return max(lowest_s(site, given.drones, _as_flown(treatments, sorties)), *opens, 0.0)


def _as_flown(treatments: Sequence[Treatment], sorties: Sequence[Sortie]) -> list[Treatment]:
    """The treatments; of those that are flown in part, that part."""
    flown: dict[str, list[Pass]] = defaultdict(list)
    for sortie in sorties:
        for sprayed in sortie.passes:
            flown[sprayed.spot_id].append(sprayed)
    parts = {spot_id: math.fsum(p.litres_l for p in some) for spot_id, some in flown.items()}
    return [
        t
        if parts[t.spot_id] > t.litres_l * (1 - 1e-6)
        else replace(t, passes=tuple(flown[t.spot_id]))
        for t in treatments
    ]


def _timed(
    planner: Planner, site: Site, options: Options, wind: Wind | None
) -> tuple[Given, tuple[Sortie, ...], list[GroundTask]]:
    """Who flies what and when; of a day that is too short what fits, and tasks for the rest."""

    def tried(spot_ids: frozenset[str] | None) -> tuple[Given, Scheduled]:
        some = options
        if spot_ids is not None:
            some = {m: {s: t for s, t in by.items() if s in spot_ids} for m, by in options.items()}
        given = planner.give(some)
        models = {d.id: d.model for d in given.drones}
        sorties = given.sorties()
        return given, scheduled(
            sorties, models, site.policy, site.pads, timetable=planner.timetable, wind=wind
        )

    def fits(found: Scheduled) -> bool:
        is_in_day = not planner.timetable.is_free or day_s is None or end_s(found.flown) <= day_s
        return is_in_day and not found.late

    day_s = site.policy.day_s
    given, found = tried(None)
    late: list[GroundTask] = []
    if not fits(found) and site.policy.objective is not Objective.PRIORITY:
        ordered = by_priority(site, options)
        kept = fitting(ordered, lambda spot_ids: fits(tried(spot_ids)[1]))
        apart = kept | (frozenset(ordered) - _crowded(planner.timetable, found.late, ordered))
        if found.late and apart > kept and fits(tried(apart)[1]):
            kept = apart
        if not (kept or planner.timetable.is_free):  # The worst spot of all, in part.
            kept = frozenset(ordered[:1])
        late = beyond_day(site, [s for s in ordered if s not in kept])
        given, found = tried(kept)
    if found.late:
        treatments, tasks = without_late(given.treatments, found.late, site.policy)
        given.treatments = tuple(treatments)
        late += tasks
    return given, found.flown, late


def _crowded(
    timetable: Timetable, late: Sequence[Sortie], spot_ids: Sequence[str]
) -> frozenset[str]:
    """Spots that share their hours with those that found no time; others may still find some."""
    full = set()
    for sortie in late:
        kept = {timetable.pattern(spot_id) for spot_id in sortie.spot_ids}
        full |= kept - {()} or kept
    return frozenset(s for s in spot_ids if timetable.pattern(s) in full)


def _together(tasks: list[GroundTask]) -> list[GroundTask]:
    """What is left of one spot for one reason, as one task."""
    groups: dict[tuple[str, Reason], list[GroundTask]] = defaultdict(list)
    for task in tasks:
        groups[task.spot_id, task.reason].append(task)
    return [replace(group[0], area=union(t.area for t in group)) for group in groups.values()]


def _settled(site: Site, tasks: list[GroundTask], flown: set[str]) -> list[GroundTask]:
    """Tasks where each spot that is not flown at all stands as one, for the whole of it."""
    kept = [task for task in tasks if task.spot_id in flown or task.is_whole_spot]
    whole = {task.spot_id for task in kept if task.is_whole_spot}
    parts: dict[str, GroundTask] = {}
    settled = flown | whole
    for task in tasks:
        if task.spot_id not in settled:
            largest = parts.setdefault(task.spot_id, task)
            if task.area_m2 > largest.area_m2:
                parts[task.spot_id] = task
    spots = {spot.id: spot for spot in site.spots}
    return kept + [
        replace(task, area=spots[spot_id].area, is_whole_spot=True)
        for spot_id, task in parts.items()
    ]


def _crew(site: Site, num_drones: int | None) -> tuple[Drone, ...]:
    fit = tuple(drone for drone in site.fleet if drone.model.is_ardupilot)
    if not fit:
        raise PlanError("fleet: wanted at least one ArduPilot drone, found none")
    if num_drones is None:
        return fit
    if not 1 <= num_drones <= len(fit):
        raise PlanError(f"drones: wanted 1 to {len(fit)} (the site's fleet), found {num_drones}")
    return fit[:num_drones]


def _options(
    site: Site,
    drones: tuple[Drone, ...],
    tell: Callable[[str, int, int], None],
    wind: Wind | None,
    treat: Treat,
) -> tuple[Options, dict[tuple[str, str], list[GroundTask]]]:
    """Treatments by model and spot, from the models that reach most of it; tasks by the same."""
    models: dict[str, DroneModel] = {drone.model.id: drone.model for drone in drones}
    options: Options = {}
    tasks: dict[tuple[str, str], list[GroundTask]] = defaultdict(list)
    best_m2: dict[str, float] = defaultdict(float)
    for done, model in enumerate(models.values()):
        tell("spots", done, len(models))
        treatments, left = treat(site, model, wind)
        options[model.id] = {t.spot_id: t for t in treatments}
        for task in left:
            tasks[model.id, task.spot_id].append(task)
        for treatment in treatments:
            best_m2[treatment.spot_id] = max(best_m2[treatment.spot_id], _reached_m2(treatment))
    for model_id, by_spot in options.items():
        options[model_id] = {
            s: t for s, t in by_spot.items() if _reached_m2(t) >= 0.95 * best_m2[s]
        }
    return options, tasks


def _reached_m2(treatment: Treatment) -> float:
    return float(treatment.target.area) * treatment.expected_frac
