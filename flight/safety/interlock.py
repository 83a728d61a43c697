"""The pump's interlock from the ground: when it must be commanded off, and until when.

The mission itself turns the pump off wherever it is planned to (`missions.compile`); this is
the second line, for what the mission cannot see: a pilot who takes over, a drone outside its
spot, a pump that runs when it should not. Pure: the conductor sends what is asked for here.

ArduPilot keeps the sprayer permitted through RTL, LAND, every failsafe, disarm and re-arm, so
leaving AUTO alone is reason enough.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import shapely
from shapely.geometry import LineString, Point
from shapely.ops import unary_union

from skymist.flight.mavlink.telemetry import AUTO, is_fresh

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Pass, Plan, Sortie
    from skymist.flight.mavlink.telemetry import VehicleState
    from skymist.missions.items import Mission, PassSpan

STALE_S = 2.0
"""Evidence older than this is none: eight positions in a row at 4 Hz."""
BEAT_STALE_S = 3.5
"""For what comes once a second, HEARTBEAT and MISSION_CURRENT: three in a row are missing."""
REPEAT_S = 0.5
MARGIN_M = 2.0
"""Beyond the edge of what may be wetted: GPS noise and the path flown between two messages."""

OFF_HEIGHT_M = 2.0
"""Off the height of its pass by so much a drone is falling or lost: it holds it within 0.5 m, by
the very estimate that it tells. [P]"""


class Cause(StrEnum):
    """Why the pump must be off."""

    LEFT_AUTO = "left_auto"
    NOT_A_PASS = "not_a_pass"
    OUTSIDE = "outside"
    STALE = "stale"
    DISARMED = "disarmed"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the pump must be off now; `cause` is None where it may run."""

    cause: Cause | None = None
    reason: str = ""

    @property
    def must_stop(self) -> bool:
        """Whether the pump is to be commanded off."""
        return self.cause is not None


MAY_RUN = Verdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class SprayGround:
    """Where the nozzles may be with the pump on: one prepared area per span of the mission.

    `above_home_m` are the heights at which the spans are flown.
    """

    origin: Origin
    areas: tuple[BaseGeometry, ...]
    above_home_m: tuple[float, ...]
    _last: dict[int, tuple[tuple[float, float], bool]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def is_at_height(self, index: int, state: VehicleState) -> bool:
        """Whether the drone is as high as the span with this index is flown."""
        place = state.position
        if place is None:
            return False
        return abs(place.above_home_m - self.above_home_m[index]) <= OFF_HEIGHT_M

    def holds(self, index: int, state: VehicleState) -> bool:
        """Whether the drone's last position lies over and at the height of the span's area."""
        return self.is_at_height(index, state) and self._is_over(index, state)

    def _is_over(self, index: int, state: VehicleState) -> bool:
        """Whether it lies over the area of the span with this index.

        Asked at every message, and positions are every third of them: the last answer is kept.
        """
        place = state.local(self.origin)
        known = self._last.get(index)
        if known is not None and known[0] == place:
            return known[1]
        holds = bool(shapely.contains_xy(self.areas[index], *place))
        self._last[index] = place, holds
        return holds


def _wetted(leg: Pass) -> BaseGeometry:
    line = Point(leg.path[0]) if len(leg.path) == 1 else LineString(leg.path)
    return line.buffer(leg.swath_m / 2)


def spray_ground(
    plan: Plan, sortie: Sortie, mission: Mission, *, margin_m: float = MARGIN_M
) -> SprayGround:
    """The areas for one sortie's mission, in the frame of the site's origin.

    A drone may spray over the target of its span's spot and over its pass, `margin_m` beyond
    both, at the height of that pass, but never over ground that no spray may reach.
    """
    forbidden = unary_union([shapely.make_valid(zone.area) for zone in plan.site.no_spray])
    targets = {made.spot_id: made.target for made in plan.treatments}
    around: dict[str, BaseGeometry] = {}
    areas = []
    passes = [sortie.passes[span.pass_index] for span in mission.spans]
    for span, leg in zip(mission.spans, passes, strict=True):
        area: BaseGeometry = _wetted(leg).buffer(margin_m)
        if span.spot_id in targets:
            if span.spot_id not in around:
                target = shapely.make_valid(targets[span.spot_id])
                around[span.spot_id] = target.buffer(margin_m, quad_segs=4)
            area = area.union(around[span.spot_id])
        if area.intersects(forbidden):
            area = area.difference(forbidden)
        shapely.prepare(area)
        areas.append(area)
    heights = tuple(leg.above_home_m for leg in passes)
    return SprayGround(origin=plan.site.origin, areas=tuple(areas), above_home_m=heights)


def span_at(mission: Mission, seq: int) -> tuple[int, PassSpan] | None:
    """The span that holds an item's number, with its index; None outside every pass."""
    for index, span in enumerate(mission.spans):
        if span.first_seq <= seq <= span.last_seq:
            return index, span
    return None


def pump_verdict(
    state: VehicleState,
    mission: Mission,
    ground: SprayGround,
    now_s: float,
    *,
    forbidden: str = "",
) -> Verdict:
    """Whether the pump must be commanded off, from what the vehicle last said of itself.

    `forbidden` says why it may not run now whatever the mission holds: it is commanded off
    even before it is seen to run.
    """
    heart, pump = state.heart, state.pump
    if heart is None:
        return MAY_RUN
    if not heart.is_armed:
        if pump is not None and pump.is_on and is_fresh(pump, now_s, STALE_S):
            return Verdict(cause=Cause.DISARMED, reason="the pump runs on a disarmed drone")
        return MAY_RUN
    if not is_fresh(heart, now_s, BEAT_STALE_S):
        return Verdict(cause=Cause.STALE, reason=f"no heartbeat for {BEAT_STALE_S:g} s")
    if heart.mode != AUTO:
        return Verdict(cause=Cause.LEFT_AUTO, reason=f"mode {heart.mode_name} instead of AUTO")
    if forbidden:
        return Verdict(cause=Cause.FORBIDDEN, reason=forbidden)
    if not is_fresh(state.position, now_s, STALE_S):
        return Verdict(cause=Cause.STALE, reason=f"no position for {STALE_S:g} s")
    if not is_fresh(pump, now_s, STALE_S):
        return Verdict(cause=Cause.STALE, reason=f"no pump output for {STALE_S:g} s")
    if pump is None or not pump.is_on:
        return MAY_RUN
    if is_fresh(state.progress, now_s, BEAT_STALE_S):
        return _verdict_in_auto(state, mission, ground)
    if any(ground.holds(index, state) for index in range(len(mission.spans))):
        return MAY_RUN
    reason = f"the pump runs outside every spot, no item's number for {BEAT_STALE_S:g} s"
    return Verdict(cause=Cause.OUTSIDE, reason=reason)


def _verdict_in_auto(state: VehicleState, mission: Mission, ground: SprayGround) -> Verdict:
    """The verdict of an armed drone in AUTO whose pump runs and whose every word is fresh.

    An item's number that is older than the pump's start proves nothing: MISSION_CURRENT comes
    once a second, and the pump may have started with the item after it.
    """
    pump, progress = state.pump, state.progress
    if pump is None or not pump.is_on or progress is None:
        return MAY_RUN
    found = span_at(mission, progress.seq)
    if found is None:
        if pump.at_s > progress.since_s + REPEAT_S and progress.at_s > pump.on_since_s:
            reason = f"the pump runs during item {progress.seq}, which is no pass"
            return Verdict(cause=Cause.NOT_A_PASS, reason=reason)
        return MAY_RUN
    index, span = found
    if ground.holds(index, state) or _is_in_neighbour(state, mission, ground, index):
        return MAY_RUN
    where = f"outside {span.spot_id}"
    if not ground.is_at_height(index, state) and state.position is not None:
        meant_m = ground.above_home_m[index]
        where = f"at {state.position.above_home_m:.1f} m where {meant_m:.1f} m are planned"
    reason = f"the pump runs {where} (item {progress.seq})"
    return Verdict(cause=Cause.OUTSIDE, reason=reason)


def _is_in_neighbour(
    state: VehicleState, mission: Mission, ground: SprayGround, index: int
) -> bool:
    """Whether the drone is already in the next span's area, its item's number not yet heard."""
    following = index + 1
    return following < len(mission.spans) and ground.holds(following, state)


class GuardState(StrEnum):
    """What the guard of one pump is doing; see `PumpGuard.step` for every transition."""

    WATCHING = "watching"
    STOPPING = "stopping"
    HELD = "held"


class PumpGuard:
    """Asks for DO_SPRAYER 0 until the vehicle accepted it and its servo output shows off."""

    def __init__(self) -> None:
        self.state = GuardState.WATCHING
        self.cause: Cause | None = None
        self.since_s = self.accepted_s = 0.0
        self._sent_s = -REPEAT_S
        self.is_accepted = False

    def step(self, verdict: Verdict, vehicle: VehicleState, now_s: float) -> bool:
        """Whether DO_SPRAYER 0 is to be sent now.

        watching -> stopping when the verdict says stop; stopping -> held when accepted and seen
        off; held -> stopping when seen on again; any -> watching when the verdict clears.
        """
        if not verdict.must_stop:
            self.state, self.cause = GuardState.WATCHING, None
            return False
        if self.state is GuardState.WATCHING or (
            self.state is GuardState.HELD and self._is_seen_on(vehicle)
        ):
            self.state, self.since_s = GuardState.STOPPING, now_s
            self.is_accepted, self._sent_s = False, now_s - REPEAT_S
        self.cause = verdict.cause
        if self.state is GuardState.STOPPING and self._is_done(vehicle):
            self.state = GuardState.HELD
        if self.state is not GuardState.STOPPING or now_s - self._sent_s < REPEAT_S:
            return False
        self._sent_s = now_s
        return True

    def accepted(self, now_s: float) -> None:
        """The vehicle's ACK of a DO_SPRAYER came with ACCEPTED."""
        if not self.is_accepted:
            self.accepted_s = now_s
        self.is_accepted = True

    def _is_seen_on(self, vehicle: VehicleState) -> bool:
        pump = vehicle.pump
        return pump is not None and pump.is_on and pump.at_s > self._sent_s

    def _is_done(self, vehicle: VehicleState) -> bool:
        pump = vehicle.pump
        is_seen_off = pump is not None and not pump.is_on and pump.at_s > self._sent_s
        return self.is_accepted and is_seen_off
