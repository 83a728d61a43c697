"""How far each pass of a sortie has really been sprayed: by the pump's output along the pass.

Not by the item's number: a drone that was paused, taken over or stopped by the interlock flies on
with its pump off. What counts is the stretch from the start of the pass over which the pump was
seen running without a break; behind it everything is to be sprayed anew. No I/O.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.plan import PassKind
from skymist.flight.interlock import span_at
from skymist.flight.telemetry import is_fresh

if TYPE_CHECKING:
    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Pass, Sortie
    from skymist.flight.telemetry import PumpOutput, VehicleState
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


@dataclass(slots=True)
class _Stretch:
    """One pass: metres (of a hover: seconds) sprayed from its start without a break."""

    leg: Pass
    reached: float = 0.0
    is_on_seen: bool = False
    is_off_seen: bool = False
    is_cut: bool = False
    seen_s: float | None = None
    off_since_s: float | None = None

    @property
    def whole(self) -> float:
        return self.leg.hover_s if self.is_hover else self.leg.length_m

    @property
    def is_short(self) -> bool:
        """Whether what is reached lies so far before the end that the end did not stop the pump."""
        speed = 1.0 if self.is_hover else self.leg.speed_mps
        return self.whole - self.reached > END_S * speed

    @property
    def is_hover(self) -> bool:
        return self.leg.kind is PassKind.HOVER


class Breakpoints:
    """Follows the passes of one sortie's mission; ask `done_frac` of each, by its number."""

    def __init__(self, sortie: Sortie, mission: Mission, origin: Origin) -> None:
        self._mission, self._origin = mission, origin
        passes = [sortie.passes[span.pass_index] for span in mission.spans]
        self._stretches = [_Stretch(leg) for leg in passes]
        self._current: int | None = None
        self._seq, self._is_blind = 0, False

    def see(self, state: VehicleState) -> None:
        """Take what the vehicle now says of its pump, place and item."""
        pump, progress, place = state.pump, state.progress, state.position
        if pump is None or progress is None or place is None or not state.is_armed:
            return
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
        if stretch.is_cut or not is_fresh(place, pump.at_s, FRESH_S):
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
        self._is_blind = True

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
        is_whole = is_ended and not stretch.is_cut and not is_left_dry
        if is_whole and (stretch.is_on_seen or not stretch.is_off_seen):
            return 1.0
        overlap = OVERLAP_S * (1.0 if stretch.is_hover else stretch.leg.speed_mps)
        return min(1.0, max(0.0, stretch.reached - overlap) / stretch.whole)

    def _advance(self, stretch: _Stretch, state: VehicleState, pump: PumpOutput) -> None:
        at_s = pump.at_s
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
