"""A rule of a policy pack: its limit, and whether a value is beyond it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from skymist.coverage.hours import DAY_S, hours_text, merged

if TYPE_CHECKING:
    from datetime import date

    from skymist.coverage.hours import Hours, Spans
    from skymist.missions.findings import Severity

MARKS = {
    "S": "read in a public source",
    "K": "general knowledge, confirm locally",
    "D": "computed from sources",
    "P": "our proposal",
}
MEASURES = {
    "height_m": "highest flight above home: what the policy allows, what a sortie does",
    "speed_mps": "fastest flight: what the policy allows, what a sortie does",
    "radius_m": "distance from the pad: what the policy allows, what a sortie does",
    "wind_mps": "wind: what the policy allows, what a plan is laid for, what was measured",
    "receptor_wind_mps": "the same, where the site has sensitive places (not of the policy)",
    "temperature_c": "air temperatures that the policy allows",
    "reserve_frac": "share of the battery that the policy keeps",
    "transit_min_m": "lowest transit of the policy",
    "clearance_m": "free space beside a drone by the policy",
    "takeoff_kg": "mass of a model with a full tank",
    "drones_per_operator": "drones of the fleet for each of the policy's operators",
    "receptor_m": "distance of each sensitive place from the nearest flown spot, up to 1 km",
    "downwind_m": "the same of schools, hospitals and the like, downwind in the plan's wind",
    "drift_frac": "share of the dose that each sensitive place may get in the plan's wind",
    "no_spray_m2": "no-spray ground that a pass wets",
    "broadcast_spots": "spots in broadcast mode",
    "broadcast_without_reason": "spots in broadcast mode, where policy.reason is empty",
    "vector_hours": "hours in which vector and broadcast spots may be sprayed, and are",
    "vector_speed_mps": "speed of a pass over a vector or broadcast spot",
    "vector_height_m": "height of such a pass over the spot",
    "vector_flow_lpm": "flow of such a pass, L/min",
    "vector_m2_per_drone_day": "area of such spots for each drone and day",
    "application_before_h": "hours from the application to the midnight that begins the day",
    "report_before_min": "minutes from the report to the start",
}
"""What a rule may measure. `of_site`, `of_plan` and `of_flight` hold the measures."""
OF_HOURS = "vector_hours"
CLOCK_S = 1.0
"""Of hours, for the rounding of files, as in `missions.plan_checks`."""
_NEAR = 1e-9


class Bound(StrEnum):
    """How a value is held to a limit; a rule with ASK has none and is a thing to see to."""

    MOST = "most"
    LEAST = "least"
    WITHIN = "within"
    HOURS = "hours"
    ASK = "ask"


def unit_of(value: float, unit: str) -> str:
    """The unit behind a value: of one drone, not drones."""
    return unit.removesuffix("s") if value == 1 and unit.isalpha() and len(unit) > 2 else unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a pack. `low` and `high` are its limits, infinite where it has none.

    `measure` is empty for one that is asked for only. `unit` is what the limit is given in.
    """

    id: str
    pack: str
    what: str
    bound: Bound
    severity: Severity
    source: str
    date: date
    mark: str
    mend: str
    measure: str = ""
    low: float = -math.inf
    high: float = math.inf
    hours: tuple[Hours, ...] = ()
    unit: str = ""
    is_waivable: bool = True

    @property
    def limit(self) -> str:
        """The limit in words; empty for what is asked for only."""
        match self.bound:
            case Bound.MOST:
                return f"at most {self.high:g} {unit_of(self.high, self.unit)}".strip()
            case Bound.LEAST:
                return f"at least {self.low:g} {unit_of(self.low, self.unit)}".strip()
            case Bound.WITHIN:
                return f"{self.low:g} to {self.high:g} {self.unit}".strip()
            case Bound.HOURS:
                return hours_text(self.hours)
        return ""

    def breaks(self, value: float | Spans | None) -> bool:
        """Whether a value is beyond the limit. None, what was not given, is; NaN too.

        Hours are spans of seconds after midnight.
        """
        if value is None:
            return True
        if isinstance(value, tuple):
            given = [
                (h.start_s + k * DAY_S - CLOCK_S, h.end_s + k * DAY_S + CLOCK_S)
                for h in self.hours
                for k in (-1, 0, 1)
            ]
            free = merged(given)
            return not all(any(a <= begin and end <= b for a, b in free) for begin, end in value)
        return not self.low - _NEAR <= value <= self.high + _NEAR

    def excess(self, value: float | Spans | None) -> float:
        """By how much a value is beyond the limit, to name the worst of several."""
        if value is None:
            return math.inf
        if isinstance(value, tuple):
            return max((end - begin for begin, end in value), default=0.0)
        return max(self.low - value, value - self.high)
