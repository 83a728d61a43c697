"""Whether a drone fell: it lies armed where nothing lands, or stopped its motors away from its pad.

A copter that lost a motor may stay armed in AUTO where it lies, and says nothing of it. No I/O.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.flight.mavlink.telemetry import is_fresh

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan, Sortie
    from skymist.flight.mavlink.telemetry import VehicleState

LOW_M = 1.5
"""Lower than every pass, with room for a height that drifted. [P]"""
STILL_MPS = 0.5
LYING_S = 10.0
"""Armed, low and still for so long amid a flight: from `LOW_M` a landing takes 3 to 5 s, and ends
with the motors off. [P]"""
FRESH_S = 2.0
AWAY_M = 5.0
"""Further from its pad it did not land on it: what the estimate and a landing may be off. [P]"""
CRASH = "crash"
"""In the STATUSTEXT with which ArduCopter stops the motors of a copter that lies tilted."""


class FallWatch:
    """Follows one flight."""

    def __init__(self, plan: Plan, sortie: Sortie) -> None:
        self._origin = plan.site.origin
        self._pad = next((p.x, p.y) for p in plan.site.pads if p.id == sortie.pad_id)
        self._low_since_s: float | None = None
        self._low_until_s = 0.0

    def see(self, state: VehicleState, now_s: float, *, is_flying: bool) -> None:
        """Take what it says of itself; `is_flying` where it should be in the air by now."""
        place = state.position
        is_known = is_fresh(place, now_s, FRESH_S) and is_fresh(state.heart, now_s, FRESH_S)
        if place is None or not is_known:
            return
        is_low = place.above_home_m < LOW_M and place.speed_mps < STILL_MPS
        if not (is_flying and is_low and state.is_armed):
            self._low_since_s = None
        else:
            self._low_since_s = now_s if self._low_since_s is None else self._low_since_s
            self._low_until_s = now_s

    @property
    def lies(self) -> bool:
        """Whether it has been seen to lie armed for too long; silence is no evidence of it."""
        since_s = self._low_since_s
        return since_s is not None and self._low_until_s - since_s >= LYING_S

    def away_m(self, state: VehicleState) -> float:
        """How far it is from its pad; infinite before the first position."""
        x, y = state.local(self._origin)
        return math.hypot(x - self._pad[0], y - self._pad[1]) if math.isfinite(x) else math.inf

    def came_down(self, state: VehicleState, since_s: float, *, is_piloted: bool) -> str:
        """Why a drone that stands disarmed fell, in words; empty where it landed."""
        said = [t.text for t in state.texts if t.at_s >= since_s and CRASH in t.text.lower()]
        away_m = self.away_m(state)
        if said:
            return f"it crashed {away_m:.0f} m from its pad ({said[-1]})"
        if away_m > AWAY_M and not is_piloted and math.isfinite(away_m):
            return f"it came down {away_m:.0f} m from its pad"
        return ""
