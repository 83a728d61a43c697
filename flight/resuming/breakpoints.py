"""How far each pass of a sortie has really been sprayed: by the pump's output along the pass.

Not by the item's number: a drone that was paused, taken over or stopped by the interlock flies on
with its pump off. What counts is the stretch from the start of the pass over which the pump was
seen running without a break; behind it everything is to be sprayed anew. What was sprayed while
nothing was heard is known afterwards, from both ends of the silence (`unseen`). No I/O.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from shapely.geometry import LineString, Point

from skymist.coverage.plan import PassKind
from skymist.flight.mavlink.telemetry import is_fresh
from skymist.flight.resuming.unseen import (
    FASTER,
    Unseen,
    flew_on,
    least_reached,
    least_reached_before,
)
from skymist.flight.safety.interlock import span_at

if TYPE_CHECKING:
    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Pass, Sortie
    from skymist.flight.mavlink.telemetry import PumpOutput, VehicleState
    from skymist.missions.items import Mission

OVERLAP_S = 0.3
"""A rest begins so much flying time before the breakpoint: the pump starts 0.33 to 0.67 s after
its command where 0.46 s were counted on (ARDUPILOT.md, 3). Computed."""
END_S = 1.0
"""An output that stops so close to the end of its pass stopped because of the end."""
SURE_S = 0.6
"""So long an output rests before its pump is taken to have stopped by itself: one message that
comes late, out of order, is no proof."""
START_S = 1.5
"""So long after its item became current a pump that still rests was not started."""
ACROSS_M = 4.0
SLACK_M, HURRY = 3.0, 1.5
"""How much further than planned a drone may have come: GPS noise, and half as fast again."""
FRESH_S = 1.0
ORDER_LATE_S = 5.0
"""So late an order may reach the vehicle. [P]"""


@dataclass(slots=True)
class _Stretch:
    """One pass: metres (of a hover: seconds) sprayed from its start without a break."""

    leg: Pass
    reached: float = 0.0
    is_on_seen: bool = False
    is_off_seen: bool = False
    is_cut: bool = False
    seen_s: float | None = None
    frac: float = 0.0
    off_since_s: float | None = None

    @property
    def whole(self) -> float:
        return self.leg.hover_s if self.is_hover else self.leg.length_m

    @property
    def is_short(self) -> bool:
        """Whether what is reached lies so far before the end that the end did not stop the pump."""
        return self.whole - self.reached > END_S * self.pace

    @property
    def is_hover(self) -> bool:
        return self.leg.kind is PassKind.HOVER

    @property
    def pace(self) -> float:
        """Of `reached`, for each second."""
        return 1.0 if self.is_hover else self.leg.speed_mps


@dataclass(slots=True)
class _Doubt:
    """The pump was commanded off at `since_s`, amid a pass and unheard.

    `behind_m`: how far the pass was flown by then at least, if the drone is found behind it;
    `on_m`: how far along it the pump was heard to run later, at `on_s`, if it is found on it.
    """

    index: int
    since_s: float
    behind_m: float = 0.0
    on_m: float = 0.0
    on_s: float = 0.0


class Breakpoints:
    """Follows the passes of one sortie's mission; ask `done_frac` of each, by its number."""

    def __init__(self, sortie: Sortie, mission: Mission, origin: Origin) -> None:
        self._mission, self._origin = mission, origin
        passes = [sortie.passes[span.pass_index] for span in mission.spans]
        self._stretches = [_Stretch(leg) for leg in passes]
        self._current: int | None = None
        self._seq, self._is_blind = 0, False
        self._doubt: _Doubt | None = None
        self._ordered_s = -math.inf
        speeds = (leg.speed_mps for leg in sortie.legs)
        self._fastest_mps = max(speeds, default=1.0)
        self.unseen: list[Unseen] = []
        """What turned out to have been sprayed unseen; whoever tells it takes it out."""

    def see(self, state: VehicleState) -> None:
        """Take what the vehicle now says of its pump, place and item."""
        pump, progress, place = state.pump, state.progress, state.position
        if pump is None or progress is None or place is None or not state.is_armed:
            return
        if self._doubt is not None:
            self._settle(self._doubt, state)
        if progress.seq != self._seq:
            self._after_blindness(progress.seq)
        found = span_at(self._mission, progress.seq)
        index = None if found is None or not state.is_auto else found[0]
        if index != self._current:
            if not state.is_auto:
                self.cut()
            self._current = index
        if index is None:
            return
        stretch = self._stretches[index]
        is_doubtful = self._doubt is not None and self._doubt.index == index
        if stretch.is_cut or is_doubtful or not is_fresh(place, pump.at_s, FRESH_S):
            return
        if pump.is_on:
            stretch.off_since_s = None
            self._advance(stretch, state, pump)
        elif stretch.is_on_seen:
            if stretch.off_since_s is None:
                stretch.off_since_s = pump.at_s
            stretch.is_cut = stretch.is_short and pump.at_s - stretch.off_since_s >= SURE_S
        elif pump.at_s - progress.since_s > START_S:
            stretch.is_off_seen = True

    def cut(self) -> None:
        """The pump of the pass under way was commanded off, or AUTO was left: it ends here."""
        if self._current is not None:
            self._stretches[self._current].is_cut = True
        if self._doubt is not None:
            self._stretches[self._doubt.index].is_cut = True
            self._doubt = None
        self._is_blind = True

    def doubt(self, at_s: float) -> None:
        """The pump was commanded off now for want of news; whether and where it obeyed shows later.

        What was not heard to run by then counts as dry at once, as by `cut`.
        """
        current, ordered_s, self._ordered_s = self._current, self._ordered_s, at_s
        if self._doubt is None and current is not None:
            stretch = self._stretches[current]
            is_on = stretch.is_on_seen and not stretch.is_cut and stretch.off_since_s is None
            if is_on and stretch.seen_s is not None:
                is_late = at_s - ordered_s < ORDER_LATE_S  # an order of before may still arrive
                self._doubt = _Doubt(current, stretch.seen_s if is_late else at_s)
                self._is_blind = True
                return
        if self._doubt is None or self._doubt.index != current:
            self.cut()

    def _settle(self, doubt: _Doubt, state: VehicleState) -> None:
        """End a doubt once all that tells is heard anew; what stays unknown ends the pass there."""
        pump, place, heart, progress = state.pump, state.position, state.heart, state.progress
        if pump is None or place is None or heart is None or progress is None:
            return
        stretch, span = self._stretches[doubt.index], self._mission.spans[doubt.index]
        if place.at_s > doubt.since_s and not stretch.is_hover:
            doubt.behind_m = max(doubt.behind_m, self._behind_m(stretch.leg, doubt, state))
            if pump.is_on and pump.at_s > doubt.since_s:
                self._note_on(stretch, doubt, state, place.at_s)
        if min(pump.at_s, place.at_s, heart.at_s, progress.at_s) <= doubt.since_s:
            return
        self._doubt, stretch.is_cut = None, True
        is_home = 0 < self._mission.land_start_seq <= progress.seq
        if not state.is_auto or is_home or progress.seq < span.first_seq or stretch.seen_s is None:
            return
        is_behind = progress.seq > span.last_seq
        # What a link held back comes as news: a place on a pass shows it, that of a hover does not.
        is_still_on = pump.is_on and not is_behind and not stretch.is_hover
        to_s = place.at_s if is_still_on else doubt.since_s
        least = self._sprayed_by(stretch, doubt, to_s, state, is_behind=is_behind)
        if least is None:
            return
        if doubt.on_m > least and not is_behind:
            to_s, least = doubt.on_s, doubt.on_m
        if least > stretch.reached:
            ends = {"from_s": stretch.seen_s, "from_m": stretch.reached, "to_s": to_s}
            self.unseen.append(Unseen(index=doubt.index, to_m=least, frac=stretch.frac, **ends))
            stretch.reached, stretch.seen_s = least, to_s
        stretch.is_cut = least < stretch.whole and not is_still_on

    def _note_on(self, stretch: _Stretch, doubt: _Doubt, state: VehicleState, at_s: float) -> None:
        """Keep how far along the pass the pump is heard to run."""
        along = self._along(stretch, state, at_s)
        took_s = at_s - (stretch.seen_s or at_s)
        if along is not None and flew_on(stretch.leg, stretch.reached, along, took_s):
            doubt.on_m, doubt.on_s = max(doubt.on_m, along), at_s

    def _behind_m(self, leg: Pass, doubt: _Doubt, state: VehicleState) -> float:
        """How far a pass was flown at least when the doubt began, by where the drone is now.

        Beside the pass it may still be on it.
        """
        assert state.position is not None
        here, ago_s = state.local(self._origin), state.position.at_s - doubt.since_s
        behind_m = least_reached_before(leg, here, ago_s, self._fastest_mps)
        line = LineString(leg.path)
        along_m = float(line.project(Point(here)))
        if along_m >= leg.length_m or line.distance(Point(here)) > ACROSS_M:
            return behind_m
        return min(behind_m, least_reached(leg, along_m, ago_s))

    def _sprayed_by(
        self, stretch: _Stretch, doubt: _Doubt, to_s: float, state: VehicleState, *, is_behind: bool
    ) -> float | None:
        """How far a pass was sprayed for sure by a time, though nobody saw it; None: not known."""
        leg, from_s = stretch.leg, stretch.seen_s or to_s
        at_s = to_s if state.position is None else state.position.at_s
        if stretch.is_hover:
            is_there = math.dist(state.local(self._origin), leg.path[0]) <= ACROSS_M
            least = stretch.reached + max(0.0, to_s - from_s)
            return min(least, stretch.whole) if is_there or is_behind else None
        most = stretch.reached + FASTER * (to_s - from_s + FRESH_S) * leg.speed_mps
        if is_behind:
            return min(doubt.behind_m, most, stretch.whole)
        along = self._along(stretch, state, at_s)
        if along is None or not flew_on(leg, stretch.reached, along, at_s - from_s):
            return None
        return min(least_reached(leg, along, at_s - to_s), most, stretch.whole)

    def _after_blindness(self, seq: int) -> None:
        """Passes that went by unseen while the pump was commanded off count as dry."""
        if self._is_blind:
            for span, stretch in zip(self._mission.spans, self._stretches, strict=True):
                if self._seq < span.last_seq < seq and not stretch.is_on_seen:
                    stretch.is_off_seen = True
        self._seq, self._is_blind = seq, False

    def done_frac(self, index: int, *, is_ended: bool) -> float:
        """Share of a span's pass that needs no more, 0 to 1; the overlap is taken off it.

        `is_ended` says that the drone has flown past it in AUTO: then what was never judged
        counts as sprayed, since nothing stopped its pump.
        """
        stretch = self._stretches[index]
        is_left_dry = stretch.off_since_s is not None and stretch.is_short
        is_doubtful = self._doubt is not None and self._doubt.index == index
        is_whole = is_ended and not (stretch.is_cut or is_doubtful or is_left_dry)
        if is_whole and (stretch.is_on_seen or not stretch.is_off_seen):
            return 1.0
        overlap = OVERLAP_S * stretch.pace
        return min(1.0, max(0.0, stretch.reached - overlap) / stretch.whole)

    def _advance(self, stretch: _Stretch, state: VehicleState, pump: PumpOutput) -> None:
        at_s, stretch.frac = pump.at_s, pump.frac
        if stretch.is_hover:  # its pump starts with it, and may be seen before its item's number
            stretch.reached = max(stretch.reached, at_s - pump.on_since_s)
            stretch.seen_s, stretch.is_on_seen = at_s, True
            return
        along = self._along(stretch, state, at_s)
        if along is not None:
            stretch.seen_s, stretch.is_on_seen = at_s, True
            stretch.reached = max(stretch.reached, along)

    def _along(self, stretch: _Stretch, state: VehicleState, at_s: float) -> float | None:
        """Metres along the pass, None beside it.

        Where a path closes or crosses itself the place is looked for no further on than the
        drone can have come since it was last seen.
        """
        elapsed_s = START_S if stretch.seen_s is None else at_s - stretch.seen_s
        most = stretch.reached + SLACK_M + HURRY * stretch.leg.speed_mps * elapsed_s
        x, y = state.local(self._origin)
        gone, best = 0.0, None
        for (ax, ay), (bx, by) in pairwise(stretch.leg.path):
            length = math.dist((ax, ay), (bx, by))
            if length > 0.0:
                share = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length**2
                share = min(1.0, max(0.0, share))
                off = math.dist((x, y), (ax + share * (bx - ax), ay + share * (by - ay)))
                along = gone + share * length
                if off <= ACROSS_M and along <= most and (best is None or off < best[0]):
                    best = off, along
            gone += length
        return None if best is None else best[1]
