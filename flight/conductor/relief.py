"""What a drone that drops out leaves is flown by the others, after what they have to fly anyway.

A drone drops out when its link is gone for good, its vehicle refuses or falls silent, or its
battery runs low without a spare. Where a person ended its day (a pilot, the operator), or its
fence, nobody else flies there: whoever did that may have had a reason that holds for all.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import shapely
from shapely.geometry import LineString, Point

from skymist.coverage.errors import SkymistError
from skymist.coverage.plan import PassKind
from skymist.coverage.replanning import replan, rest_of
from skymist.coverage.schedule import Standing
from skymist.coverage.site import Building
from skymist.flight.conductor.telling import Skipped
from skymist.flight.recording.record import rest_to_dict
from skymist.flight.resuming.rests import REST_LEAST_S
from skymist.missions.compile import compile_plan
from skymist.missions.plan_checks import plan_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.plan import Pass, Plan, Treatment
    from skymist.coverage.replanning import Share
    from skymist.flight.conductor.drone_run import DroneRun
    from skymist.flight.conductor.telling import Log
    from skymist.missions.items import Mission

LOOK_S = 0.5
BESIDE_M = 3.0
"""So much further than the drones' separation a pass ends from a drone that lies there: what it
takes to come to rest and turn at the speed of passes. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relieved:
    """New sorties over what one drone left, with the plan that they stand in."""

    plan: Plan
    missions: Mapping[str, Mission]


class Relief:
    """Shares out what drones that drop out leave.

    With `in_thread` planning runs beside the loop that minds the pumps; without it simulated time
    stands still meanwhile.
    """

    def __init__(self, plan: Plan, told: Log, *, in_thread: bool) -> None:
        self._plan, self._told, self._in_thread = plan, told, in_thread
        self._runs: Sequence[DroneRun] = ()
        self._idle: set[str] = set()
        self._planning: set[asyncio.Task[None]] = set()
        self._num = 0

    def watch(self, runs: Sequence[DroneRun]) -> None:
        """These are the drones of the operation."""
        self._runs = runs

    async def more_for(self, run: DroneRun) -> bool:
        """Wait until a drone that has flown everything is given more; False where none will be."""
        self._idle.add(run.drone.id)
        while not run.has_work and not run.is_stopped:
            busy = [r for r in self._runs if r.drone.id not in self._idle and not r.is_over]
            if not busy and not self._planning:
                return False
            await asyncio.sleep(LOOK_S)
        self._idle.discard(run.drone.id)
        return run.has_work and not run.is_stopped

    @property
    def is_busy(self) -> bool:
        """Whether a drone is still to fly, or something is being planned."""
        waiting = all(run.is_over or run.drone.id in self._idle for run in self._runs)
        return not waiting or bool(self._planning)

    def take_over(
        self,
        failed: DroneRun,
        reason: str,
        passes: Sequence[Pass],
        fallen: Mapping[str, tuple[float, float]],
    ) -> bool:
        """Have these passes flown by the others; False where there is nobody to ask.

        What lies near a drone that fell is named: people go there.
        """
        others = self._alive(failed)
        if not others or not passes:
            return False
        names = ", ".join(run.drone.id for run in others)
        text = f"{failed.drone.id} drops out ({reason}): its rest is planned over {names}"
        self._told.display.event("notice", {"text": text})
        work = self._share_out(failed, reason, tuple(passes), dict(fallen))
        task = asyncio.get_running_loop().create_task(work, name=f"rest of {failed.drone.id}")
        self._planning.add(task)
        task.add_done_callback(self._planning.discard)
        return True

    async def settled(self) -> None:
        """Wait until nothing is being planned."""
        while self._planning:
            await asyncio.gather(*self._planning)

    def _alive(self, failed: DroneRun) -> list[DroneRun]:
        return [run for run in self._runs if run is not failed and not run.is_over]

    async def _share_out(
        self,
        failed: DroneRun,
        reason: str,
        passes: tuple[Pass, ...],
        fallen: Mapping[str, tuple[float, float]],
    ) -> None:
        radius_m = self._plan.site.policy.separation_m + BESIDE_M
        for drone_id, place in fallen.items():
            passes, near = apart(passes, place, radius_m)
            why = f"{reason}; within {radius_m:g} m of {drone_id}, which lies there"
            self._left(failed, near, why)
        if not passes:
            return
        spots = tuple(dict.fromkeys(leg.spot_id for leg in passes))
        others = self._alive(failed)
        self._num += 1
        try:
            if not others:
                raise SkymistError("nobody is left to fly it")
            standing = {run.drone.id: run.standing() for run in others}
            root = f"for-{failed.drone.id}-{self._num}"
            plan = keeping_off(self._plan, fallen)
            if self._in_thread:
                made = await asyncio.to_thread(relieved, plan, passes, standing, root)
            else:
                made = relieved(plan, passes, standing, root)
        except SkymistError as exc:
            self._left(failed, spots, f"{reason}; its rest could not be given to others: {exc}")
            return
        flown = {spot_id for sortie in made.plan.sorties for spot_id in sortie.spot_ids}
        named = ", ".join(sortie.id for sortie in made.plan.sorties)
        if flown:
            text = f"{failed.drone.id} dropped out ({reason}); flown by others: {named}"
            self._told.event("replan", reason=text, plan=rest_to_dict(made.plan))
        for run in others:
            run.take_on(made.plan, made.missions)
        left = [spot_id for spot_id in spots if spot_id not in flown]
        texts = {task.spot_id: task.text for task in made.plan.ground}
        for spot_id in left:
            self._left(failed, (spot_id,), texts.get(spot_id, f"{reason}; nobody else can fly it"))

    def _left(self, failed: DroneRun, spots: Sequence[str], reason: str) -> None:
        for spot_id in spots:
            failed.skip_rest(
                Skipped(spot_id=spot_id, sortie_id=failed.last_sortie_id, reason=reason)
            )


def apart(
    passes: Sequence[Pass], place: tuple[float, float], radius_m: float
) -> tuple[tuple[Pass, ...], tuple[str, ...]]:
    """What of these passes lies further than that from a place, and the spots of the others."""
    circle = Point(place).buffer(radius_m)
    far: list[Pass] = []
    near: dict[str, None] = {}
    for leg in passes:
        line = Point(leg.path[0]) if leg.kind is PassKind.HOVER else LineString(leg.path)
        if not line.intersects(circle):
            far.append(leg)
            continue
        near[leg.spot_id] = None
        if leg.kind is PassKind.HOVER or not line.is_simple:
            continue
        rests = rest_of(leg, _shares_in(leg, circle), overlap_m=0.0)
        far += [rest for rest in rests if rest.spray_s > REST_LEAST_S]
    return tuple(far), tuple(near)


def _shares_in(leg: Pass, circle: BaseGeometry) -> tuple[Share, ...]:
    """Shares of a pass inside, leg by leg: a lap ends where it begins, and a point has two."""
    found: list[Share] = []
    gone_m = 0.0
    for a, b in pairwise(leg.path):
        inside = shapely.get_coordinates(LineString([a, b]).intersection(circle)).tolist()
        along_m = [gone_m + math.dist(a, point) for point in inside]
        if along_m:
            found.append((min(along_m) / leg.length_m, max(along_m) / leg.length_m))
        gone_m += math.dist(a, b)
    return tuple(found)


def keeping_off(plan: Plan, fallen: Mapping[str, tuple[float, float]]) -> Plan:
    """The plan with a tower over each drone that lies there, so that ways lead around it."""
    height_m = plan.site.policy.separation_m
    towers = tuple(
        Building(
            id=f"{drone_id} lies here", footprint=Point(place).buffer(height_m), height_m=height_m
        )
        for drone_id, place in fallen.items()
    )
    return replace(plan, site=replace(plan.site, buildings=(*plan.site.buildings, *towers)))


def relieved(
    plan: Plan, passes: tuple[Pass, ...], standing: Mapping[str, Standing], root: str
) -> Relieved:
    """Sorties of those who stand so over these passes, with ids that begin with their drone's.

    Raises
    ------
    SkymistError
        It cannot be planned, or the plan would break a rule.
    """
    spots = dict.fromkeys(leg.spot_id for leg in passes)
    treatments: tuple[Treatment, ...] = tuple(
        replace(plan.treatment(spot), passes=tuple(p for p in passes if p.spot_id == spot))
        for spot in spots
    )
    asked = replace(plan, treatments=treatments, ground=(), sorties=(), findings=())
    made = replan(asked, {}, standing, seed=plan.seed)
    numbers: dict[str, int] = {}
    sorties = []
    for sortie in made.sorties:
        number = numbers[sortie.drone_id] = numbers.get(sortie.drone_id, 0) + 1
        sorties.append(replace(sortie, id=f"{sortie.drone_id}-{root}-{number:02d}"))
    made = replace(made, sorties=tuple(sorties))
    if faults := plan_faults(made):
        raise SkymistError(faults[0])
    return Relieved(plan=made, missions=compile_plan(made))
