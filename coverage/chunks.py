"""Units of work for sorties: spots, or the pieces of one that a tank or battery can share out.

A chunk is a run of passes over one spot. Large spots are cut into several, at the ends of passes
where possible; what of one spot is flown in a row again is joined again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.dose import FAST_MPS
from skymist.coverage.plan import Pass, PassKind
from skymist.coverage.runs import RUN_MIN_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.drones import DroneModel, Sprayer
    from skymist.coverage.plan import Leg, Treatment

END_S = 0.33
"""Least flow at the end of a fast pass until ArduPilot's sprayer, at 3 Hz, has seen it."""
LAG_MORE = 1.03
"""What pump lag makes of the litres of passes. Proposal of this project."""
DREGS_L = 0.2
"""Left in hoses and sump when the pump sucks air. Proposal of this project."""
TANK_USE_FRAC = 0.92
"""Share of a tank that a plan may use: pump lag and slow legs take a few per cent more than
planned. Proposal of this project."""
CHUNKS_PER_TANK = 4
"""Into how many a tankful over one large spot is cut. Kouvola, 8 drones: 2 to 8 were tried."""

Load = tuple[str, float, float]
"""What one tank load has in common: the agent, and flow and speed where the pump is turned down."""


def load_of(treatment: Treatment, flow_max_lps: float) -> Load:
    """What a treatment asks of tank and pump; those with the same load can share a sortie."""
    moving = [p for p in treatment.passes if p.kind is not PassKind.HOVER]
    if not moving or moving[0].flow_lps >= flow_max_lps - 1e-9:
        return treatment.agent_id, 0.0, 0.0
    return treatment.agent_id, round(moving[0].flow_lps, 6), round(moving[0].speed_mps, 6)


def usable_l(model: DroneModel) -> float:
    """The most that a sortie may be planned to spray from one tank."""
    tank_l = model.sprayer.tank_l
    return max(tank_l - DREGS_L, tank_l / 2) * TANK_USE_FRAC


def carried_l(legs: Sequence[Leg], model: DroneModel) -> float:
    """What the tank must hold at take-off: what the legs use, the share that plans leave, dregs.

    A fast pass begins and ends at the pump's least flow, which its own litres do not count.
    """
    litres_l, ends_l = _used_l(legs, model)
    return min(held_l(litres_l, model.sprayer) + ends_l, model.sprayer.tank_l)


def fits_tank(legs: Sequence[Leg], model: DroneModel) -> bool:
    """Whether a full tank lasts to the end of the legs, with the ends of fast passes."""
    litres_l, ends_l = _used_l(legs, model)
    return litres_l * LAG_MORE + ends_l + DREGS_L <= model.sprayer.tank_l + 1e-9


def _used_l(legs: Sequence[Leg], model: DroneModel) -> tuple[float, float]:
    """What passes put out, and what their ends put out beyond it."""
    passes = [leg for leg in legs if isinstance(leg, Pass)]
    fast = [p for p in passes if p.kind is not PassKind.HOVER and p.speed_mps > FAST_MPS]
    ends_l = math.fsum(end_l(p, model) for p in fast)
    return math.fsum(p.litres_l for p in passes), ends_l


def end_l(fast: Pass, model: DroneModel) -> float:
    """What both ends of a fast pass take beyond its litres.

    From rest to speed v at acceleration a, what the pump puts out follows the speed but for its
    least flow: with r the share that this is of the pass's flow, it puts out r v / 2 a seconds of
    least flow more, at each end. Computed; rehearsals of Helsinki: 1.9 s for 1.85 s.
    """
    least_lps = min(model.sprayer.flow_min_lps, fast.flow_lps)
    ramps_s = least_lps / fast.flow_lps * fast.speed_mps / model.accel_mps2
    return (ramps_s + END_S) * least_lps


def held_l(litres_l: float, sprayer: Sprayer) -> float:
    """What the tank must hold to put out so many litres."""
    return min(litres_l / TANK_USE_FRAC + DREGS_L, sprayer.tank_l)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Passes over one spot that are flown in a row. `index` counts those of the spot."""

    spot_id: str
    index: int
    load: Load
    passes: tuple[Pass, ...]
    litres_l: float = field(init=False, compare=False, repr=False)
    """What all passes put out."""
    middle: tuple[float, float] = field(init=False, compare=False, repr=False)
    """Halfway between where it starts and where it ends."""

    def __post_init__(self) -> None:
        (ax, ay), (bx, by) = self.passes[0].path[0], self.passes[-1].path[-1]
        object.__setattr__(self, "litres_l", math.fsum(p.litres_l for p in self.passes))
        object.__setattr__(self, "middle", ((ax + bx) / 2, (ay + by) / 2))

    def reversed(self) -> Chunk:
        """The same flown backwards."""
        back = tuple(replace(p, path=p.path[::-1]) for p in reversed(self.passes))
        return replace(self, passes=back)


def chunks_of(treatment: Treatment, model: DroneModel) -> list[Chunk]:
    """A treatment in whole tanks and smaller pieces, in the order in which they adjoin."""
    tank_l = usable_l(model)
    load = load_of(treatment, model.sprayer.flow_max_lps)
    num_full = int(treatment.litres_l / tank_l + 1e-9)
    groups: list[list[Pass]] = [[]]
    left_l = tank_l if num_full else tank_l / CHUNKS_PER_TANK
    todo = list(treatment.passes)[::-1]
    while todo:
        whole = todo.pop()
        if whole.litres_l <= left_l * (1 + 1e-6):
            groups[-1].append(whole)
            left_l -= whole.litres_l
            continue
        is_cut = whole.speed_mps <= FAST_MPS or whole.litres_l > tank_l
        parts = cut_at(whole, left_l / whole.litres_l) if is_cut else None
        if parts:
            groups[-1].append(parts[0])
            todo.append(parts[1])
        elif groups[-1]:
            todo.append(whole)
        else:
            groups[-1].append(whole)
        groups.append([])
        num_full -= 1
        left_l = tank_l if num_full > 0 else tank_l / CHUNKS_PER_TANK
    return [
        Chunk(spot_id=treatment.spot_id, index=k, load=load, passes=tuple(group))
        for k, group in enumerate(group for group in groups if group)
    ]


def cut_at(whole: Pass, frac: float) -> tuple[Pass, Pass] | None:
    """A pass in two; nothing where a piece would be too short to fly."""
    shortest_m = min(frac, 1 - frac) * whole.length_m
    if whole.kind is PassKind.HOVER or shortest_m < 2 * RUN_MIN_M:
        return None
    return _cut(whole, frac)


def halves_of(chunk: Chunk) -> tuple[Chunk, ...]:
    """A chunk in two; nothing where it is a hover or too short to cut."""
    if len(chunk.passes) > 1:
        middle = len(chunk.passes) // 2
        parts = (chunk.passes[:middle], chunk.passes[middle:])
    else:
        cut = cut_at(chunk.passes[0], 0.5)
        if cut is None:
            return ()
        parts = ((cut[0],), (cut[1],))
    return tuple(replace(chunk, passes=part) for part in parts)


def _cut(sprayed: Pass, frac: float) -> tuple[Pass, Pass] | None:
    """A pass cut at a share of its length; nothing where the cut falls next to a corner."""
    cut_m, gone_m = sprayed.length_m * frac, 0.0
    first = [sprayed.path[0]]
    for i, (a, b) in enumerate(pairwise(sprayed.path)):
        step_m = math.dist(a, b)
        if gone_m + step_m >= cut_m:
            share = (cut_m - gone_m) / step_m
            if min(share, 1 - share) * step_m < 0.05:
                return None
            middle = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
            return (
                replace(sprayed, path=(*first, middle)),
                replace(sprayed, path=(middle, *sprayed.path[i + 1 :])),
            )
        first.append(b)
        gone_m += step_m
    return None


def joined(passes: Sequence[Pass]) -> list[Pass]:
    """The passes with pieces of one line that follow each other made one again."""
    made: list[Pass] = []
    for sprayed in passes:
        if made and _goes_on(made[-1], sprayed):
            made[-1] = replace(sprayed, path=(*made[-1].path[:-1], *sprayed.path[1:]))
        else:
            made.append(sprayed)
    return made


def _goes_on(first: Pass, second: Pass) -> bool:
    """Whether a pass was cut from the end of the one before it."""
    if PassKind.HOVER in (first.kind, second.kind) or first.path[-1] != second.path[0]:
        return False
    (ax, ay), (bx, by), (cx, cy) = first.path[-2], first.path[-1], second.path[1]
    ux, uy, vx, vy = bx - ax, by - ay, cx - bx, cy - by
    is_straight = ux * vx + uy * vy > 0.9999 * math.hypot(ux, uy) * math.hypot(vx, vy)
    return is_straight and first == replace(second, path=first.path)
