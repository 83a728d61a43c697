"""Whether a sortie may take off by the clock on the wall: hours and closures when really flown.

A plan keeps its hours on its own clock. Flown later than planned it would not: then a drone
waits on its pad until they begin, or the sortie is not flown.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Start, clock_text
from skymist.coverage.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.coverage.plan import Plan, Sortie

WAIT_MOST_S = 3600.0
"""A drone that would have to wait longer for its hours does not fly the sortie. Proposal."""
DAY_S = 86400.0


class HoursGuard:
    """Asks the hours of a plan's site at each take-off.

    `clock_s` gives the local time of day, seconds after midnight.
    """

    def __init__(self, plan: Plan, clock_s: Callable[[], float]) -> None:
        self._plan, self._clock_s = plan, clock_s
        self._models = {drone.id: drone.model for drone in plan.site.fleet}

    def wait_s(self, sortie: Sortie, in_s: float = 0.0) -> float:
        """Seconds to wait, if it were to take off `in_s` from now; infinite where for ever."""
        if self._plan.start is None:
            return 0.0
        start = Start(clock_s=(self._clock_s() + in_s) % DAY_S)
        table = self._timetable(start)
        spans = table.takeoffs(sortie.legs, self._models[sortie.drone_id], sortie.duration_s)
        return next((max(a, 0.0) for a, b in spans if b >= 0.0), math.inf)

    def refusal(self, sortie: Sortie, in_s: float = 0.0) -> str:
        """Why it would not be flown then, in words; empty where it may, perhaps after a wait."""
        wait_s = self.wait_s(sortie, in_s)
        if wait_s <= WAIT_MOST_S:
            return ""
        clock = clock_text((self._clock_s() + in_s) % DAY_S)
        again = (
            "not within two days" if math.isinf(wait_s) else f"not before {self._at(in_s + wait_s)}"
        )
        return f"at {clock} {sortie.id} would be outside its hours, {again} ({self.words(sortie)})"

    def words(self, sortie: Sortie) -> str:
        """The hours that bind a sortie."""
        table = self._timetable(Start(clock_s=0.0))
        kept = {s: table.words(s) for s in sortie.spot_ids if table.pattern(s)}
        texts = [f"{spot_id}: {text}" for spot_id, text in kept.items()]
        return "; ".join(texts) or "hours of the site or a closure"

    def _timetable(self, start: Start) -> Timetable:
        """Two days of the site's hours from then on."""
        site = self._plan.site
        policy = replace(site.policy, num_days=2, day_s=None)
        return Timetable(replace(site, policy=policy), start, slack_frac=0.0)

    def _at(self, in_s: float) -> str:
        return clock_text((self._clock_s() + in_s) % DAY_S)


def require_hours(plan: Plan, clock_s: float) -> None:
    """Begin no plan that would spray outside hours, or cross closed ground, if begun now.

    Raises
    ------
    PlanError
        With the sorties that would, and when the plan was to begin.
    """
    wrong = out_of_hours(plan, clock_s)
    if wrong and plan.start is not None:
        more = f"\nand {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise PlanError(
            f"the plan begins at {plan.start.at(0.0)}, it is {clock_text(clock_s)}: "
            f"{len(wrong)} of {len(plan.sorties)} sorties would be outside their hours\n"
            + "\n".join(wrong[:5])
            + f"{more}\nfly it at its time, or plan again: skymist plan SITE --start HH:MM"
        )


def out_of_hours(plan: Plan, clock_s: float) -> list[str]:
    """What would not be flown of a plan that is begun at this time of day, in words."""
    guard = HoursGuard(plan, lambda: clock_s)
    return [text for s in plan.sorties if (text := guard.refusal(s, s.start_s))]
