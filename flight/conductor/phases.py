"""What a drone is doing in an operation: every phase, and every way from one to the next.

Values and one table; the runner of a drone (`conductor.drone_run`) moves through it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from skymist.flight.mavlink.telemetry import is_fresh
from skymist.flight.safety.interlock import span_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.flight.mavlink.telemetry import VehicleState
    from skymist.missions.items import Mission

AIRBORNE_M = 0.5
"""Above this height over home, or moving, an armed drone counts as flying."""
LOST_S = 5.0


class Phase(StrEnum):
    """One drone's phase, from the pad and back to it. The last two are final."""

    WAITING = "waiting"
    REFILLING = "refilling"
    SWAPPING = "swapping"
    PREPARING = "preparing"
    UPLOADING = "uploading"
    VERIFIED = "verified"
    STANDING_BY = "standing by"
    ARMED = "armed"
    TRANSIT = "transit"
    SPRAYING = "spraying"
    RETURNING = "returning"
    PAUSED = "paused"
    HOLDING = "holding"
    PILOT = "pilot"
    LOST = "lost"
    LANDED = "landed"
    FAILED = "failed"
    DONE = "done"

    @property
    def is_airborne(self) -> bool:
        """Whether the drone has taken off and is not known to have landed."""
        return self in _AIR


_AIR = frozenset(
    {
        Phase.TRANSIT,
        Phase.SPRAYING,
        Phase.RETURNING,
        Phase.PAUSED,
        Phase.HOLDING,
        Phase.PILOT,
        Phase.LOST,
    }
)
_GROUND = frozenset({Phase.WAITING, Phase.REFILLING, Phase.SWAPPING})
_FROM_AIR = _AIR | {Phase.LANDED, Phase.FAILED}
_ENDS = frozenset({Phase.FAILED, Phase.DONE})

NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.WAITING: _GROUND | _ENDS | {Phase.PREPARING, Phase.ARMED},
    Phase.REFILLING: _GROUND | _ENDS | {Phase.PREPARING},
    Phase.SWAPPING: _GROUND | _ENDS | {Phase.PREPARING},
    Phase.PREPARING: _ENDS | {Phase.WAITING, Phase.UPLOADING},
    Phase.UPLOADING: _ENDS | {Phase.WAITING, Phase.VERIFIED},
    Phase.VERIFIED: _ENDS | {Phase.WAITING, Phase.ARMED, Phase.STANDING_BY},
    Phase.STANDING_BY: _ENDS | {Phase.WAITING, Phase.VERIFIED},
    Phase.ARMED: _FROM_AIR,
    Phase.TRANSIT: _FROM_AIR,
    Phase.SPRAYING: _FROM_AIR,
    Phase.RETURNING: _FROM_AIR,
    Phase.PAUSED: _FROM_AIR,
    Phase.HOLDING: _FROM_AIR,
    Phase.PILOT: _FROM_AIR,
    Phase.LOST: _FROM_AIR,
    Phase.LANDED: _GROUND | _ENDS | {Phase.PREPARING},
    Phase.FAILED: frozenset(),
    Phase.DONE: frozenset(),
}
"""The phases that may follow each. From waiting to armed goes one that is found in the air."""


class Phases:
    """The phase that one drone is in; a way that the table does not know is a fault of ours."""

    def __init__(self, owner: str, on_change: Callable[[Phase], None]) -> None:
        self.now = Phase.WAITING
        self._owner = owner
        self._on_change = on_change

    def to(self, phase: Phase) -> None:
        """Enter a phase."""
        if not may_follow(self.now, phase):
            raise RuntimeError(f"{self._owner}: {phase} may not follow {self.now}")
        if phase is not self.now:
            self.now = phase
            self._on_change(phase)


def may_follow(phase: Phase, following: Phase) -> bool:
    """Whether `following` may come after `phase`; staying is always allowed."""
    return phase is following or following in NEXT[phase]


def phase_in_air(
    state: VehicleState,
    mission: Mission,
    now_s: float,
    *,
    is_sent_home: bool,
    is_paused: bool = False,
) -> Phase | None:
    """The phase of a drone under way, from what it says of itself; None before it moves.

    `is_paused` says that it accepted our DO_PAUSE_CONTINUE: nothing that it tells shows that.

    A mode that neither the mission nor our own command explains is the pilot's, or one of the
    vehicle's failsafes: both are left alone. BRAKE is our own fence's: the drone holds.
    """
    heart, position, progress = state.heart, state.position, state.progress
    if heart is None or position is None:
        return None
    if state.heard_s is None or now_s - state.heard_s > LOST_S:
        return Phase.LOST
    if not heart.is_armed:
        return None
    if position.above_home_m < AIRBORNE_M and position.speed_mps < AIRBORNE_M:
        return None
    if is_sent_home and heart.mode_name in ("AUTO", "AUTO_RTL", "RTL", "LAND"):
        return Phase.RETURNING
    if heart.mode_name == "AUTO_RTL":
        return Phase.RETURNING
    if heart.mode_name == "BRAKE":
        return Phase.HOLDING
    if not state.is_auto:
        return Phase.PILOT
    if is_paused:
        return Phase.PAUSED
    if progress is None:
        return Phase.TRANSIT
    if mission.land_start_seq and progress.seq >= mission.land_start_seq:
        return Phase.RETURNING
    in_pass = span_at(mission, progress.seq) is not None
    is_spraying = in_pass and state.pump is not None and state.pump.is_on
    return Phase.SPRAYING if is_spraying else Phase.TRANSIT


def has_landed(state: VehicleState, now_s: float) -> bool:
    """Whether the drone says, freshly, that its motors are off."""
    return state.heart is not None and is_fresh(state.heart, now_s, LOST_S) and not state.is_armed
