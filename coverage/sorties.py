"""From treatments to sorties: who flies which spot, in which order, with which tank and battery.

Spots go to drones by their load and distance, are ordered by nearest neighbour and 2-opt, and are
cut into flights that keep within tank, battery reserve and the items a vehicle can hold.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from skymist.coverage.airways import Airways
from skymist.coverage.dose import FAST_MPS
from skymist.coverage.energy import Cost, sortie_cost
from skymist.coverage.errors import PlanError
from skymist.coverage.footprints import footprint
from skymist.coverage.plan import GroundTask, Pass, PassKind, Reason, Sortie, Transit
from skymist.coverage.runs import RUN_MIN_M
from skymist.coverage.site import LevelName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skymist.coverage.airways import XYZ
    from skymist.coverage.drones import Drone, DroneModel, Sprayer
    from skymist.coverage.obstacles import Obstacles
    from skymist.coverage.plan import Leg, Treatment
    from skymist.coverage.site import Pad, Policy, Site

END_S = 1.0
"""Least flow at both ends of a fast pass. Seen in rehearsals: 0.7 s."""
DREGS_L = 0.2
"""Left in hoses and sump when the pump sucks air. Proposal of this project."""
TANK_USE_FRAC = 0.92
"""Share of a tank that a plan may use: pump lag and slow legs take a few per cent more than
planned. Proposal of this project."""
PASSES_MOST = 90
"""Passes in one sortie: at 5 to 7 items each, below ArduPilot's 650 (ARDUPILOT.md, 10)."""
PAD_HEIGHT_M = 3.0
"""Where the way home ends, above the pad; from there the vehicle lands by itself."""
_ORDER = {LevelName.RED: 0, LevelName.YELLOW: 1, LevelName.BLUE: 2, LevelName.GREEN: 3}

Load = tuple[str, float, float]
"""What one tank load has in common: the agent, and flow and speed where the pump is turned down."""


def load_of(treatment: Treatment, flow_max_lps: float) -> Load:
    """What a treatment asks of tank and pump; those with the same load can share a sortie."""
    moving = [p for p in treatment.passes if p.kind is not PassKind.HOVER]
    if not moving or moving[0].flow_lps >= flow_max_lps - 1e-9:
        return treatment.agent_id, 0.0, 0.0
    return treatment.agent_id, round(moving[0].flow_lps, 6), round(moving[0].speed_mps, 6)


def assign(
    site: Site, drones: Sequence[Drone], options: dict[str, dict[str, Treatment]]
) -> dict[str, list[Treatment]]:
    """Spots to drones: worst level first, each to the drone that would be done with it soonest.

    `options` holds the treatments by model, then by spot.
    """
    pads = {pad.id: pad for pad in site.pads}
    loads_s = {drone.id: 0.0 for drone in drones}
    given: dict[str, list[Treatment]] = {drone.id: [] for drone in drones}
    order = {spot.id: (_ORDER[spot.level], index) for index, spot in enumerate(site.spots)}
    wanted = sorted({s for by_spot in options.values() for s in by_spot}, key=order.__getitem__)
    for spot_id in wanted:
        ranked = []
        for rank, drone in enumerate(drones):
            treatment = options[drone.model.id].get(spot_id)
            if treatment is None:
                continue
            work_s = _work_s(treatment, drone, pads[drone.pad_id], site)
            ranked.append((loads_s[drone.id] + work_s, rank, work_s, treatment))
        _, rank, work_s, treatment = min(ranked, key=lambda item: item[:2])
        loads_s[drones[rank].id] += work_s
        given[drones[rank].id].append(treatment)
    return given


def _work_s(treatment: Treatment, drone: Drone, pad: Pad, site: Site) -> float:
    """Seconds that a spot adds to a drone's day: spraying, and its share of trips and refills."""
    sprayed_s = math.fsum(p.spray_s for p in treatment.passes)
    x, y = treatment.passes[0].path[0]
    tanks = treatment.litres_l / usable_l(drone.model)
    trip_s = 2 * math.hypot(x - pad.x, y - pad.y) / cruise_mps(drone.model, site.policy) + 60
    share = max(tanks, 0.05)
    return sprayed_s + 5.0 + share * (trip_s + site.policy.refill_s)


def order_spots(treatments: Sequence[Treatment], pad: Pad) -> list[Treatment]:
    """A short round trip over the spots: nearest neighbour, then 2-opt until nothing improves."""
    places = [(pad.x, pad.y), *(_middle(t) for t in treatments)]
    todo, tour = set(range(1, len(places))), [0]
    while todo:
        here = places[tour[-1]]
        nearest = min(todo, key=lambda i: (math.dist(here, places[i]), i))
        todo.remove(nearest)
        tour.append(nearest)
    return [treatments[i - 1] for i in _two_opt(tour, places)[1:]]


def _middle(treatment: Treatment) -> tuple[float, float]:
    start, end = treatment.passes[0].path[0], treatment.passes[-1].path[-1]
    return (start[0] + end[0]) / 2, (start[1] + end[1]) / 2


def _two_opt(tour: list[int], places: Sequence[tuple[float, float]]) -> list[int]:
    size, improved = len(tour), True
    while improved and size < 400:
        improved = False
        for i in range(size - 2):
            for j in range(i + 2, size):
                a, b = places[tour[i]], places[tour[i + 1]]
                c, d = places[tour[j]], places[tour[(j + 1) % size]]
                gain = math.dist(a, b) + math.dist(c, d) - math.dist(a, c) - math.dist(b, d)
                if gain > 1e-6:
                    tour[i + 1 : j + 1] = tour[i + 1 : j + 1][::-1]
                    improved = True
    return tour


@dataclass(slots=True)
class _Open:
    """A sortie being filled."""

    legs: list[Leg] = field(default_factory=list)
    here: XYZ = (0.0, 0.0, 0.0)
    num_passes: int = 0
    litres: float = 0.0


def usable_l(model: DroneModel) -> float:
    """The most that a sortie may be planned to spray from one tank."""
    tank_l = model.sprayer.tank_l
    return max(tank_l - DREGS_L, tank_l / 2) * TANK_USE_FRAC


def carried_l(legs: Sequence[Leg], sprayer: Sprayer) -> float:
    """What the tank must hold at take-off: what the legs use, the share that plans leave, dregs.

    A fast pass begins and ends at the pump's least flow, which its own litres do not count.
    """
    passes = [leg for leg in legs if isinstance(leg, Pass)]
    used = math.fsum(p.litres_l for p in passes) / TANK_USE_FRAC
    ends = math.fsum(END_S * sprayer.flow_min_lps for p in passes if p.speed_mps > FAST_MPS)
    return min(used + ends + DREGS_L, sprayer.tank_l)


def cruise_mps(model: DroneModel, policy: Policy) -> float:
    """Speed of transits: the drone's, within the policy's envelope."""
    return min(model.cruise_mps, policy.speed_max_mps)


class Filler:
    """Fills sorties of one drone, pass by pass, and cuts a pass where a tank ends."""

    def __init__(self, drone: Drone, pad: Pad, site: Site, obstacles: Obstacles) -> None:
        self._drone, self._policy = drone, site.policy
        self._airways = Airways(
            obstacles,
            ceiling_m=site.policy.ceiling_m,
            speed_mps=cruise_mps(drone.model, site.policy),
        )
        self._home = (pad.x, pad.y, PAD_HEIGHT_M)
        self._tank_l = usable_l(drone.model)
        self.closed: list[tuple[tuple[Leg, ...], Cost]] = []
        self._open = self._fresh()

    def _fresh(self) -> _Open:
        return _Open(here=self._home)

    def _joined(self, legs: Sequence[Leg], here: XYZ, sprayed: Pass) -> list[Leg]:
        start = (*sprayed.path[0], sprayed.above_home_m)
        if legs and math.dist(here, start) < 0.05:
            return [*legs, sprayed]
        return [*legs, self._airways.transit(here, start), sprayed]

    def _cost(self, legs: Sequence[Leg]) -> Cost:
        return sortie_cost(legs, self._drone.model, carried_l(legs, self._drone.model.sprayer))

    def _fits(self, legs: Sequence[Leg], last: Pass) -> bool:
        here = (*last.path[-1], last.above_home_m)
        cost = self._cost([*legs, self._airways.transit(here, self._home)])
        return (
            cost.litres_l <= self._tank_l + 1e-9
            and cost.battery_frac <= 1 - self._policy.reserve_frac
        )

    def add(self, sprayed: Pass) -> GroundTask | None:
        """Put a pass into this sortie or the next ones; a task where even an empty one cannot."""
        todo = [sprayed]
        while todo:
            current = todo.pop(0)
            now = self._open
            legs = self._joined(now.legs, now.here, current)
            if now.num_passes < PASSES_MOST and self._fits(legs, current):
                end = (*current.path[-1], current.above_home_m)
                litres = now.litres + current.litres_l
                self._open = _Open(legs, end, now.num_passes + 1, litres)
                continue
            room_frac = (self._tank_l - now.litres) / current.litres_l
            parts = _cut(current, room_frac if now.num_passes else min(room_frac, 1.0) / 2)
            if parts and (not now.num_passes or self._room_for(parts[0])):
                todo = [*parts, *todo]
            elif now.num_passes:
                self.close()
                todo = [current, *todo]
            else:
                return _too_far(current)
        return None

    def _room_for(self, part: Pass) -> bool:
        legs = self._joined(self._open.legs, self._open.here, part)
        return self._open.num_passes < PASSES_MOST and self._fits(legs, part)

    def close(self) -> None:
        """End the sortie: the way home, and a new one on the pad."""
        if self._open.num_passes:
            legs = (*self._open.legs, self._airways.transit(self._open.here, self._home))
            self.closed.append((legs, self._cost(legs)))
        self._open = self._fresh()


def _too_far(sprayed: Pass) -> GroundTask:
    return GroundTask(
        spot_id=sprayed.spot_id,
        reason=Reason.BEYOND_TANK,
        text="too far from the pad for this drone's battery and tank",
        area=footprint(sprayed),
        is_whole_spot=False,
    )


def _cut(sprayed: Pass, frac: float) -> tuple[Pass, Pass] | None:
    """A pass cut at a share of its length; nothing where a piece would be too short to fly."""
    if sprayed.kind is PassKind.HOVER or not 0 < frac < 1:
        return None
    cut_m, length_m = sprayed.length_m * frac, sprayed.length_m
    if cut_m < 2 * RUN_MIN_M or length_m - cut_m < 2 * RUN_MIN_M:
        return None
    first, gone_m = [sprayed.path[0]], 0.0
    for i, (a, b) in enumerate(zip(sprayed.path, sprayed.path[1:], strict=False)):
        step_m = math.dist(a, b)
        if gone_m + step_m >= cut_m:
            share = (cut_m - gone_m) / step_m
            middle = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
            return (
                replace(sprayed, path=(*first, middle)),
                replace(sprayed, path=(middle, *sprayed.path[i + 1 :])),
            )
        first.append(b)
        gone_m += step_m
    return None


def fly_order(passes: Sequence[Pass], here: tuple[float, float]) -> Iterable[Pass]:
    """The passes of a spot, from whichever end is nearer."""
    ahead = math.dist(here, passes[0].path[0])
    behind = math.dist(here, passes[-1].path[-1])
    if ahead <= behind:
        return passes
    return [replace(p, path=p.path[::-1]) for p in reversed(passes)]


def sorties_of(
    drone: Drone, treatments: Sequence[Treatment], site: Site, obstacles: Obstacles
) -> tuple[list[Sortie], list[GroundTask]]:
    """All sorties of one drone, in order, with no start times yet; and what it cannot reach."""
    pad = next(p for p in site.pads if p.id == drone.pad_id)
    filler = Filler(drone, pad, site, obstacles)
    tasks: list[GroundTask] = []
    sorties: list[Sortie] = []
    groups: dict[Load, list[Treatment]] = defaultdict(list)
    for treatment in treatments:
        groups[load_of(treatment, drone.model.sprayer.flow_max_lps)].append(treatment)
    for load, group in groups.items():
        here = (pad.x, pad.y)
        for treatment in order_spots(group, pad):
            try:
                for sprayed in fly_order(treatment.passes, here):
                    task = filler.add(sprayed)
                    tasks += [task] if task else []
                    here = sprayed.path[-1]
            except PlanError as exc:
                tasks.append(_unreachable(treatment, str(exc)))
        filler.close()
        for legs, cost in filler.closed[len(sorties) :]:
            sorties.append(
                Sortie(
                    id=f"{drone.id}-{len(sorties) + 1:02d}",
                    drone_id=drone.id,
                    pad_id=pad.id,
                    agent_id=load[0],
                    legs=legs,
                    litres_l=cost.litres_l,
                    battery_frac=cost.battery_frac,
                    carried_l=carried_l(legs, drone.model.sprayer),
                    start_s=0.0,
                    duration_s=cost.duration_s,
                )
            )
    return sorties, tasks


def _unreachable(treatment: Treatment, why: str) -> GroundTask:
    return GroundTask(
        spot_id=treatment.spot_id,
        reason=Reason.OUT_OF_REACH,
        text=why,
        area=treatment.target,
        is_whole_spot=False,
    )


def is_transit(leg: Leg) -> bool:
    """Whether a leg is flown with the pump off."""
    return isinstance(leg, Transit)
