"""When each sortie takes off: service on the pad first, and never two drones too near.

Predicted positions are compared second by second; a sortie that would come too near waits on
its pad, or flies its transits a layer higher where that brings the last drone down sooner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.days import Stop
from skymist.coverage.energy import SPOOL_S, leg_s
from skymist.coverage.errors import PlanError
from skymist.coverage.hours import ALWAYS, first_in
from skymist.coverage.lifts import lifts
from skymist.coverage.plan import Transit
from skymist.coverage.site import Objective

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.hours import Spans
    from skymist.coverage.plan import Sortie
    from skymist.coverage.site import Pad, Policy
    from skymist.coverage.timetable import Timetable

STEP_S = 1.0
WAIT_S = 5.0
CHOICES = 12
"""Sorties that are looked at when the next in order would have to wait."""
SLIPS = tuple(range(-15, 16, 3))
"""Seconds early or late against another drone at which a flight must still keep clear of it."""


def trajectory(sortie: Sortie, model: DroneModel) -> NDArray[np.float64]:
    """Predicted positions x, y, z each second from arming to landing, shape (n, 3)."""
    times, points = [0.0, SPOOL_S], [sortie.legs[0].path[0], sortie.legs[0].path[0]]
    now_s = SPOOL_S
    for leg in sortie.legs:
        if isinstance(leg, Transit):
            path = list(leg.path)
        else:
            path = [(x, y, leg.above_home_m) for x, y in leg.path]
        took_s = leg_s(leg, model)
        steps = [np.linalg.norm(np.subtract(b, a)) for a, b in pairwise(path)]
        total = float(sum(steps))
        for point, step in zip(path[1:], steps, strict=True):
            now_s += took_s * float(step) / total if total else 0.0
            times.append(now_s)
            points.append(point)
        if not total:
            now_s += took_s
            times.append(now_s)
            points.append(path[-1])
    times.append(max(now_s, sortie.duration_s))
    points.append((points[-1][0], points[-1][1], 0.0))
    grid = np.arange(0.0, times[-1] + STEP_S, STEP_S)
    where = np.array(points, dtype=float)
    return np.column_stack([np.interp(grid, times, where[:, axis]) for axis in range(3)])


class Airspace:
    """Sorties that have their time, and whether one more keeps clear of them."""

    def __init__(self, separation_m: float) -> None:
        self._separation_m = separation_m
        self._flown: list[tuple[str, int, NDArray[np.float64], NDArray[np.float64]]] = []

    def add(self, drone_id: str, start_s: float, path: NDArray[np.float64]) -> None:
        """Keep this flight's place in space and time."""
        bounds = np.concatenate([path.min(axis=0), path.max(axis=0)])
        self._flown.append((drone_id, round(start_s / STEP_S), path, bounds))

    def forget(self, before_s: float) -> None:
        """Nothing will take off before this time: flights long over need no looking at."""
        self._flown = [f for f in self._flown if f[1] + len(f[2]) + SLIPS[-1] >= before_s]

    def first_free_s(
        self,
        drone_id: str,
        start_s: float,
        path: NDArray[np.float64],
        until_s: float = math.inf,
        takeoffs: Spans = ALWAYS,
    ) -> float:
        """The earliest take-off from `start_s` on, in steps of 5 s, that keeps clear of all.

        Gives up, and says infinity, after `until_s` and where `takeoffs` holds no more.
        """
        others = self._near_paths(drone_id, path)
        while (start_s := first_in(takeoffs, start_s)) <= until_s and start_s < math.inf:
            step = round(start_s / STEP_S)
            busy = [self._is_near(step, path, begun, other) for begun, other in others]
            if not any(busy):
                return start_s
            start_s += WAIT_S
        return math.inf

    def _near_paths(
        self, drone_id: str, path: NDArray[np.float64]
    ) -> list[tuple[int, NDArray[np.float64]]]:
        """Where and when others fly that come near the ground of this path at any time."""
        reach = self._separation_m
        low, high = path.min(axis=0) - reach, path.max(axis=0) + reach
        boxes = np.array([bounds for *_, bounds in self._flown]).reshape(-1, 6)
        near = (boxes[:, :3] < high).all(axis=1) & (boxes[:, 3:] > low).all(axis=1)
        some = [self._flown[k] for k in np.flatnonzero(near).tolist()]
        return [(begun, other) for other_id, begun, other, _ in some if other_id != drone_id]

    def _is_near(
        self, start: int, path: NDArray[np.float64], begun: int, other: NDArray[np.float64]
    ) -> bool:
        """Whether two flights come too near, either of them a little early or late."""
        first, last = start + SLIPS[0], start + SLIPS[-1] + len(path)
        if last <= begun or first >= begun + len(other):
            return False
        for slip in SLIPS:
            at = start + slip
            low, high = max(at, begun), min(at + len(path), begun + len(other))
            if low >= high:
                continue
            gap = path[low - at : high - at] - other[low - begun : high - begun]
            if float(np.einsum("ij,ij->i", gap, gap).min()) < self._separation_m**2:
                return True
        return False


@dataclass(slots=True)
class _Turn:
    """A drone between sorties: what is left to fly, since when it stands, what it used."""

    left: list[Sortie]
    ready_s: float = 0.0
    used_frac: float = 0.0
    agent_id: str = ""
    num_flown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a drone stands on its pad in the middle of an operation.

    `battery_frac` is what is left of the battery, `num_flown` how many sorties it has flown.
    Whatever is in the tank, it is filled again before the next sortie.
    """

    ready_s: float = 0.0
    battery_frac: float = 1.0
    agent_id: str = ""
    num_flown: int = 0


def _turn(left: list[Sortie], standing: Standing | None) -> _Turn:
    if standing is None:
        return _Turn(left)
    return _Turn(
        left,
        ready_s=standing.ready_s,
        used_frac=1 - standing.battery_frac,
        agent_id=standing.agent_id,
        num_flown=max(1, standing.num_flown),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """Sorties with their times, by take-off, and those that found no time, as they were given."""

    flown: tuple[Sortie, ...]
    late: tuple[Sortie, ...] = ()


def schedule(
    by_drone: Mapping[str, Sequence[Sortie]],
    models: Mapping[str, DroneModel],
    policy: Policy,
    pads: Sequence[Pad] = (),
    standing: Mapping[str, Standing] | None = None,
) -> tuple[Sortie, ...]:
    """All sorties with their start times and stops, by time of take-off, at any time of day."""
    return scheduled(by_drone, models, policy, pads, standing).flown


def scheduled(
    by_drone: Mapping[str, Sequence[Sortie]],
    models: Mapping[str, DroneModel],
    policy: Policy,
    pads: Sequence[Pad] = (),
    standing: Mapping[str, Standing] | None = None,
    timetable: Timetable | None = None,
    wind: Wind | None = None,
) -> Scheduled:
    """Start times and stops for all sorties that the timetable has time for.

    The tank is filled before every sortie but the first, and the battery swapped where what is
    left of it would go below the reserve. A drone whose next sortie would have to wait flies
    another one first. `standing` says how drones stand that have flown before; the others are
    full and ready. Where a pad has fewer crews than drones, the first to land is served first.

    With the objective makespan, where a sortie would be held for another drone, its transits are
    tried a layer higher (`coverage.lifts`, reckoned with `wind`); kept if the last drone is then
    down sooner, or as soon and all of them sooner on the mean.
    """
    ways = _Ways(models, policy, timetable, wind)
    flat, is_held = _flown(by_drone, ways, pads, standing, is_lifting=False)
    if not is_held or policy.objective is not Objective.MAKESPAN:
        return flat
    return min(flat, _flown(by_drone, ways, pads, standing, is_lifting=True)[0], key=_lateness)


def _lateness(found: Scheduled) -> tuple[int, float, float]:
    """What is late, the last landing, and all landings together: what a schedule is judged by."""
    landings = [s.start_s + s.duration_s for s in found.flown]
    return len(found.late), max(landings, default=0.0), math.fsum(landings)


@dataclass(frozen=True, slots=True)
class _Way:
    """A sortie with its positions and when hours let it take off."""

    sortie: Sortie
    path: NDArray[np.float64]
    takeoffs: Spans


class _Ways:
    """How sorties can be flown, each worked out once: as they are, and lifted."""

    def __init__(
        self,
        models: Mapping[str, DroneModel],
        policy: Policy,
        timetable: Timetable | None,
        wind: Wind | None,
    ) -> None:
        self.policy = policy
        self._models, self._timetable, self._wind = models, timetable, wind
        self._flat: dict[str, _Way] = {}
        self._lifted: dict[str, tuple[_Way, ...]] = {}

    def flat(self, sortie: Sortie) -> _Way:
        """The sortie as it is."""
        if sortie.id not in self._flat:
            self._flat[sortie.id] = self._of(sortie)
        return self._flat[sortie.id]

    def lifted(self, sortie: Sortie) -> tuple[_Way, ...]:
        """The sortie with some of its transits one layer up."""
        if sortie.id not in self._lifted:
            some = lifts(sortie, self._models[sortie.drone_id], self.policy, self._wind)
            self._lifted[sortie.id] = tuple(self._of(one) for one in some)
        return self._lifted[sortie.id]

    def _of(self, sortie: Sortie) -> _Way:
        model, takeoffs = self._models[sortie.drone_id], ALWAYS
        if self._timetable is not None:
            takeoffs = self._timetable.takeoffs(sortie.legs, model, sortie.duration_s)
        return _Way(sortie, trajectory(sortie, model), takeoffs)


def _flown(
    by_drone: Mapping[str, Sequence[Sortie]],
    ways: _Ways,
    pads: Sequence[Pad],
    standing: Mapping[str, Standing] | None,
    *,
    is_lifting: bool,
) -> tuple[Scheduled, bool]:
    """All sorties with their times, and whether one was held on its pad for another drone."""
    airspace = Airspace(ways.policy.separation_m)
    known = standing or {}
    turns = {d: _turn(list(some), known.get(d)) for d, some in by_drone.items() if some}
    group_of = {pad.id: pad.group or pad.id for pad in pads}
    crews_s = {group_of[pad.id]: [0.0] * pad.num_crews for pad in pads if pad.num_crews}
    flown: list[Sortie] = []
    late: list[Sortie] = []
    is_held = False
    while turns:
        drone_id = min(turns, key=lambda d: (turns[d].ready_s, d))
        turn = turns[drone_id]
        airspace.forget(turn.ready_s)
        free_s = crews_s.get(group_of.get(turn.left[0].pad_id, ""), [0.0])
        served_s = max(turn.ready_s, min(free_s))
        chosen = _soonest(turn, served_s, airspace, ways, is_lifting=is_lifting)
        sortie = chosen.sortie
        is_held |= chosen.is_held
        turn.left = [s for s in turn.left if s.id != sortie.id]
        if not turn.left:
            del turns[drone_id]
        if sortie.start_s == math.inf:
            late.append(sortie)
            continue
        if chosen.stop_s > 0:
            free_s[free_s.index(min(free_s))] = served_s + chosen.stop_s
        airspace.add(drone_id, sortie.start_s, chosen.path)
        turn.num_flown += 1
        flown.append(replace(sortie, id=f"{drone_id}-{turn.num_flown:02d}"))
        turn.ready_s = sortie.start_s + sortie.duration_s
        turn.used_frac = sortie.battery_frac + (0.0 if sortie.swap_before else turn.used_frac)
        turn.agent_id = sortie.agent_id
    ordered = tuple(sorted(flown, key=lambda s: (s.start_s, s.id)))
    return Scheduled(flown=ordered, late=tuple(late)), is_held


@dataclass(frozen=True, slots=True)
class _Choice:
    """A sortie with its take-off, the seconds of its stop, and those that it loses by waiting.

    `is_held` says that it waits for another drone, and not for its hours alone.
    """

    sortie: Sortie
    path: NDArray[np.float64]
    stop_s: float
    lost_s: float
    is_held: bool


def _soonest(
    turn: _Turn, served_s: float, airspace: Airspace, ways: _Ways, *, is_lifting: bool
) -> _Choice:
    """The next in order if it need not wait, else of those next in order what waits least.

    Its stop begins at `served_s`. A start at infinity says that none of them finds a time. Another
    agent is taken up only while hours keep the drone waiting. Where it would be held by other
    drones, one with transits a layer up is taken instead if that is down sooner.
    """
    best: _Choice | None = None
    held: list[_Choice] = []
    is_bound = ways.flat(turn.left[0]).takeoffs is not ALWAYS
    for sortie in turn.left[:CHOICES]:
        if best is not None and not is_bound and sortie.agent_id != turn.left[0].agent_id:
            break
        most_s = math.inf if best is None else best.lost_s
        found = _timed(turn, ways.flat(sortie), served_s, airspace, ways.policy, most_s)
        if best is None or found.lost_s < best.lost_s - 1e-9:
            best = found
        if best.lost_s <= 0.0:
            break
        if found.is_held:
            held.append(found)
    if best is None:
        raise PlanError("nothing left to fly")
    if best.lost_s > 0.0 and is_lifting:
        for low in held:
            for way in ways.lifted(low.sortie):
                longer_s = way.sortie.duration_s - low.sortie.duration_s
                most_s = best.lost_s - longer_s
                high = _timed(turn, way, served_s, airspace, ways.policy, most_s)
                lost_s = high.lost_s + longer_s + max(0.0, high.stop_s - low.stop_s)
                if lost_s < best.lost_s - 1e-9:
                    best = replace(high, lost_s=lost_s)
    return best


def _timed(
    turn: _Turn, way: _Way, served_s: float, airspace: Airspace, policy: Policy, most_s: float
) -> _Choice:
    """When a sortie can take off after its stop; never where it would lose `most_s` or more."""
    sortie = way.sortie
    stop = Stop(
        is_refill=turn.num_flown > 0,
        is_swap=turn.used_frac + sortie.battery_frac > 1 - policy.reserve_frac,
        is_rinse=turn.num_flown > 0 and sortie.agent_id != turn.agent_id,
    )
    stop_s = stop.seconds(policy)
    earliest_s = (served_s if stop_s else turn.ready_s) + stop_s
    until_s = earliest_s + most_s - WAIT_S
    start_s = airspace.first_free_s(sortie.drone_id, earliest_s, way.path, until_s, way.takeoffs)
    return _Choice(
        replace(sortie, start_s=start_s, refill_before=stop.is_refill, swap_before=stop.is_swap),
        way.path,
        stop_s,
        start_s - earliest_s,
        is_held=start_s > first_in(way.takeoffs, earliest_s),
    )
