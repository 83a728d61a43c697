"""Narrow ways between walls: gaps, alleys, alleys with a dead end.

A passage is a run of looks from walls that end at a facing wall; its line goes half way between. It
is seen from both sides: of what is seen twice the longer line stays.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely

from skymist.coverage.site import Kind
from skymist.missions.suggest.chains import Passage, chained
from skymist.missions.suggest.proposal import Proposal
from skymist.missions.suggest.walls import STEP_M, Looks, Walls, first_hits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

WIDTH_LEAST_M = 0.3
"""Narrower ones are joints, or two drawings of one wall. Source: DOMAIN, gaps 0.3 to 1.5 m."""
GAP_MOST_M = 1.5
ALLEY_MOST_M = 4.0
"""Source: DOMAIN, gaps 0.3 to 1.5 m wide, back alleys 1.5 to 4 m."""
LENGTH_LEAST_M = 3.0
"""Shorter ones are recesses and doors. [P]"""
SLENDER = 2.0
"""A passage is so many times longer than wide. [P]"""
BREAK_M = 2.0
"""A door or a corner does not end a passage. [P]"""
JUMP_M = 1.5
"""Where the width jumps by more, another passage begins. [P]"""
SEEN_AGAIN_M = 0.75
"""Lines of one passage from both sides lie no farther apart than this and half its width. [P]"""
END_LOOK_M = 4.0
END_FAN_RAD = tuple(math.radians(deg) for deg in (-60, -30, 0, 30, 60))
"""An end is closed where a wall stands within 4 m in all these directions. [P]"""
SIMPLE_M = 0.25


def passages(walls: Walls, looks: Looks) -> list[Passage]:
    """All passages, each once, the longest first."""
    runs = sorted(_runs(looks), key=lambda run: (-run.line.length, tuple(run.points[0])))
    tree = shapely.STRtree([run.line for run in runs])
    kept: dict[int, list[Passage]] = {}
    for number, run in enumerate(runs):
        reach_m = run.width_m / 2 + SEEN_AGAIN_M
        near = [int(k) for k in tree.query(run.line.buffer(reach_m)) if int(k) in kept]
        parts = [run]
        if near:
            others = shapely.union_all([part.line for k in near for part in kept[k]])
            apart = shapely.distance(shapely.points(run.points), others)
            parts = _stretches(run, apart > run.widths_m / 2 + SEEN_AGAIN_M)
        if parts:
            kept[number] = parts
    chains = chained(walls, [part for parts in kept.values() for part in parts])
    return [chain for chain in chains if _is_long(chain)]


def passage_proposals(
    walls: Walls, looks: Looks, ids: Sequence[str], source: str
) -> Iterator[Proposal]:
    """Gaps, alleys and dead ends among the passages; `ids` are those of the buildings."""
    for passage in passages(walls, looks):
        # To the micrometre: two walls 1.5 m apart are no alley by the last bit of a sum.
        width_m, line = round(passage.width_m, 6), passage.line
        num_closed = sum(_closed_ends(walls, passage))
        is_gap = width_m <= GAP_MOST_M
        rule = "narrow-gap" if is_gap else "dead-end-alley" if num_closed else "narrow-alley"
        between = " and ".join(ids[k] for k in sorted(set(passage.buildings))[:3])
        yield Proposal(
            rule=rule,
            kind=Kind.GAP if is_gap else Kind.BACK_ALLEY,
            shape=line.simplify(SIMPLE_M),
            source=f"{source}, walls of {between}",
            figures={
                "width_m": round(width_m, 2),
                "narrowest_m": round(float(passage.widths_m.min()), 2),
                "widest_m": round(float(passage.widths_m.max()), 2),
                "length_m": round(line.length + STEP_M, 1),
                "closed_ends": num_closed,
            },
            width_m=round(max(width_m, 0.1), 2),
        )


def _runs(looks: Looks) -> Iterator[Passage]:
    """Unbroken stretches of looks at facing walls along one ring."""
    is_in = (looks.width_m >= WIDTH_LEAST_M) & (looks.width_m <= ALLEY_MOST_M)
    index = np.nonzero(is_in)[0]
    if not len(index):
        return
    middle = looks.point + looks.normal * np.where(is_in, looks.width_m, 0.0)[:, None] / 2
    before, after = index[:-1], index[1:]
    breaks = (
        (looks.ring[after] != looks.ring[before])
        | (looks.along_m[after] - looks.along_m[before] > BREAK_M + STEP_M)
        | (np.abs(looks.width_m[after] - looks.width_m[before]) > JUMP_M)
        # At the closed end of a slot the wall turns back: the other side is a run of its own.
        | ((looks.normal[after] * looks.normal[before]).sum(axis=1) < 0)
        | (np.hypot(*(middle[after] - middle[before]).T) > BREAK_M + 2 * STEP_M)
    )
    for part in np.split(index, np.nonzero(breaks)[0] + 1):
        if len(part) < 2:
            continue
        hits = dict.fromkeys(int(k) for k in looks.hit[part])
        owner = int(looks.building[part[0]])
        yield Passage(points=middle[part], widths_m=looks.width_m[part], buildings=(owner, *hits))


def _stretches(run: Passage, is_kept: NDArray[np.bool_]) -> list[Passage]:
    """The unbroken parts of a run that are kept."""
    edges = np.nonzero(np.diff(is_kept.astype(int)))[0] + 1
    spans = np.split(np.arange(len(is_kept)), edges)
    return [run.part(span) for span in spans if is_kept[span[0]] and len(span) > 1]


def _is_long(run: Passage) -> bool:
    length_m = run.line.length + STEP_M  # looks stand in the middle of their stretch of wall
    return length_m >= max(LENGTH_LEAST_M, SLENDER * run.width_m)


def _closed_ends(walls: Walls, passage: Passage) -> list[bool]:
    """Of each end whether walls close it."""
    points, closed = passage.points, []
    back = max(1, min(len(points) - 1, round(2.0 / STEP_M)))
    for end, inner in ((points[-1], points[-1 - back]), (points[0], points[back])):
        way = math.atan2(*(end - inner)[::-1])
        towards = np.array([(math.cos(way + a), math.sin(way + a)) for a in END_FAN_RAD])
        far, _ = first_hits(walls, np.tile(end, (len(towards), 1)), towards, END_LOOK_M, 0.0)
        closed.append(bool(np.isfinite(far).all()))
    return closed
