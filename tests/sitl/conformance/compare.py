"""How far one copter's flight is from the other's, and how far it may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.sitl.conformance.scenarios import Scenario
from tests.sitl.conformance.traces import Trace, away_from_way

MOST_TIME_FRAC = 0.05
MOST_CROSS_M = 0.3
MOST_EDGE_M = 0.5
MOST_LITRES_FRAC = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What lies between two flights of a scenario.

    `edge_m` is the distance between the places where the pump goes off; on-edges are a matter of
    where in the sprayer's third of a second the order falls, and are in `on_edge_m` for the table.
    """

    theirs_s: float
    ours_s: float
    cross_m: float
    wet_cross_m: float
    edge_m: float
    on_edge_m: float
    theirs_l: float
    ours_l: float
    unlike: tuple[str, ...]

    @property
    def time_frac(self) -> float:
        """Of the total time."""
        return abs(self.ours_s - self.theirs_s) / self.theirs_s

    @property
    def litres_frac(self) -> float:
        """Of the litres."""
        return abs(self.ours_l - self.theirs_l) / self.theirs_l if self.theirs_l > 0 else 0.0


def compare(ours: Trace, theirs: Trace) -> Difference:
    """Measure; nothing is judged."""
    cross = [(m, away_from_way(m, theirs.moments)) for m in ours.moments[::4]]
    back = [away_from_way(m, ours.moments) for m in theirs.moments[::4]]
    wet = [away for m, away in cross if m.pump_frac > 0]
    gaps = [
        (a.pump_frac > 0, math.dist((a.x, a.y), (b.x, b.y)))
        for a, b in zip(ours.edges, theirs.edges, strict=False)
    ]
    unlike = [f"{a} / {b}" for a, b in zip(ours.said, theirs.said, strict=False) if a != b]
    if len(ours.said) != len(theirs.said):
        unlike.append(f"{len(ours.said)} / {len(theirs.said)} messages")
    if len(ours.edges) != len(theirs.edges):
        unlike.append(f"{len(ours.edges)} / {len(theirs.edges)} pump edges")
    return Difference(
        theirs_s=theirs.total_s,
        ours_s=ours.total_s,
        cross_m=max([away for _, away in cross] + back),
        wet_cross_m=max(wet, default=0.0),
        edge_m=max((gap for is_on, gap in gaps if not is_on), default=0.0),
        on_edge_m=max((gap for is_on, gap in gaps if is_on), default=0.0),
        theirs_l=theirs.litres_l,
        ours_l=ours.litres_l,
        unlike=tuple(unlike),
    )


def excesses(found: Difference, scenario: Scenario) -> list[str]:
    """What is beyond the tolerance."""
    limits = [
        ("time", found.time_frac, MOST_TIME_FRAC),
        ("litres", found.litres_frac, MOST_LITRES_FRAC),
    ]
    if not scenario.is_blown:
        limits.append(("cross-track", found.wet_cross_m, MOST_CROSS_M))
    if scenario.story is None:
        limits.append(("way", found.cross_m, MOST_CROSS_M))
        limits.append(("spray edge", found.edge_m, MOST_EDGE_M))
    over = [f"{name} {value:.3f} > {most:g}" for name, value, most in limits if value > most]
    return [*over, *found.unlike]
