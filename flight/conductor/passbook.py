"""Which passes a drone has started and ended, from the items it says it flies. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from skymist.flight.safety.interlock import span_at

if TYPE_CHECKING:
    from collections.abc import Collection

    from skymist.flight.mavlink.telemetry import VehicleState
    from skymist.missions.items import Mission, PassSpan


class PassState(StrEnum):
    """The two things that happen to a pass."""

    STARTED = "started"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassEvent:
    """One of them, for one span of the mission."""

    span: PassSpan
    state: PassState


class PassBook:
    """Follows one mission's spans; a span that was left for a later item has ended.

    MISSION_CURRENT comes once a second and can be lost: a span that the drone has flown past in
    AUTO is entered and left in one step. One that it jumped over on its way home is not: only a
    failsafe goes to the landing sequence behind the mission's own landing.
    """

    def __init__(self, mission: Mission) -> None:
        self._mission = mission
        self.current: int | None = None
        self.started: set[int] = set()
        self.ended: set[int] = set()
        self._reached_seq, self._is_taken_up = 0, False

    def take_up(self, ended: Collection[int]) -> None:
        """Begin amid a flight: these passes, by their index in the sortie, were seen to end.

        What lies before the first item that is heard of now was flown or jumped over, unseen.
        """
        spans = enumerate(self._mission.spans)
        self.ended = {index for index, span in spans if span.pass_index in ended}
        self.started |= self.ended
        self._is_taken_up = True

    @property
    def spot_id(self) -> str | None:
        """The spot of the pass under way."""
        return None if self.current is None else self._mission.spans[self.current].spot_id

    @property
    def num_ended(self) -> int:
        """Passes flown to their end."""
        return len(self.ended)

    @property
    def unfinished(self) -> tuple[PassSpan, ...]:
        """The spans that have not ended, in the order of the mission."""
        spans = enumerate(self._mission.spans)
        return tuple(span for index, span in spans if index not in self.ended)

    def update(self, state: VehicleState, *, is_sent_home: bool = False) -> tuple[PassEvent, ...]:
        """What the last MISSION_CURRENT means; nothing more starts once the drone was sent home."""
        progress = state.progress
        if progress is None or not (state.is_auto and state.is_armed):
            return ()
        if is_sent_home or 0 < self._mission.land_start_seq <= progress.seq:
            self.current = None
            return ()
        if progress.seq <= self._reached_seq:
            return ()
        self._reached_seq = progress.seq
        events = [] if self._is_taken_up else self._passed(progress.seq)
        self._is_taken_up = False
        found = span_at(self._mission, progress.seq)
        self.current = None if found is None else found[0]
        if self.current is not None:
            events += self._begin(self.current)
        return tuple(events)

    def _begin(self, index: int) -> list[PassEvent]:
        if index in self.started:
            return []
        self.started.add(index)
        return [PassEvent(span=self._mission.spans[index], state=PassState.STARTED)]

    def _passed(self, seq: int) -> list[PassEvent]:
        """Ends, and starts where they were missed, of the spans that lie before an item."""
        events: list[PassEvent] = []
        for index, span in enumerate(self._mission.spans):
            if span.last_seq < seq and index not in self.ended:
                events += self._begin(index)
                events.append(PassEvent(span=span, state=PassState.ENDED))
                self.ended.add(index)
        return events
