"""One command and its acknowledgement: a state machine without I/O.

A command ends acknowledged, refused by name, or unknown; nothing is ever assumed (P3). Repeats
carry a counter. Source: https://mavlink.io/en/services/command.html.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from skymist.flight.mavlink.messages import (
    CommandAck,
    CommandInt,
    CommandLong,
    CommandResult,
    Received,
    Sent,
)

ACK_TIMEOUT_S = 1.5
NUM_TRIES = 12
"""With three of ten frames lost each way three of ten thousand commands stay without an answer."""
PROGRESS_TIMEOUT_S = 10.0
"""After IN_PROGRESS the vehicle has this long for its next word."""

_RESULTS = {int(result): result for result in CommandResult}


class Outcome(StrEnum):
    """How a command ended; UNKNOWN is never taken for either of the others."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a command.

    `result` is None where no answer came; `reason` names it: ``DENIED``, ``no answer in 6 s``.
    """

    command: int
    outcome: Outcome
    result: CommandResult | None
    reason: str
    num_sent: int
    waited_s: float

    @property
    def is_accepted(self) -> bool:
        """True where the vehicle said ACCEPTED."""
        return self.outcome is Outcome.ACKNOWLEDGED


class State(StrEnum):
    """Where a command stands; from ACKNOWLEDGED on, end states."""

    IDLE = "idle"
    SENT = "sent"
    IN_PROGRESS = "in_progress"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


_OUTCOMES = {
    State.ACKNOWLEDGED: Outcome.ACKNOWLEDGED,
    State.REFUSED: Outcome.REFUSED,
    State.UNKNOWN: Outcome.UNKNOWN,
}


class CommandCall:
    """Sends a command up to `num_tries` times until the vehicle answers.

    Once it said IN_PROGRESS it is not sent again: a repeat would start it anew.
    """

    def __init__(
        self,
        message: CommandLong | CommandInt,
        *,
        timeout_s: float = ACK_TIMEOUT_S,
        num_tries: int = NUM_TRIES,
    ) -> None:
        self._message = message
        self._timeout_s = timeout_s
        self._num_tries = num_tries
        self._began_s = 0.0
        self._code = -1
        self.state = State.IDLE
        self.deadline_s = 0.0
        self.num_sent = 0
        self.progress_frac: float | None = None

    @property
    def is_done(self) -> bool:
        """True in an end state."""
        return self.state in _OUTCOMES

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Send it."""
        self._began_s = now_s
        return self._send(now_s)

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Go by the acknowledgement of this command; all else is passed over."""
        if self.state not in (State.SENT, State.IN_PROGRESS):
            return ()
        match message:
            case CommandAck(command=self._message.command, result=CommandResult.IN_PROGRESS):
                self.state, self.deadline_s = State.IN_PROGRESS, now_s + PROGRESS_TIMEOUT_S
                self.progress_frac = message.progress_frac
            case CommandAck(command=self._message.command, result=code):
                self._code = code
                is_accepted = code == CommandResult.ACCEPTED
                self.state = State.ACKNOWLEDGED if is_accepted else State.REFUSED
        return ()

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Send again, or end as unknown."""
        if self.state not in (State.SENT, State.IN_PROGRESS) or now_s < self.deadline_s:
            return ()
        if self.state is State.SENT and self.num_sent < self._num_tries:
            return self._send(now_s)
        self.state = State.UNKNOWN
        return ()

    def outcome(self, now_s: float) -> Result:
        """What became of it, once done; before, and when given up, it is unknown."""
        waited_s = now_s - self._began_s
        known = _RESULTS.get(self._code)
        reason = f"no answer in {waited_s:.1f} s"
        if self._code >= 0:
            reason = known.name if known is not None else f"MAV_RESULT {self._code}"
        return Result(
            command=self._message.command,
            outcome=_OUTCOMES.get(self.state, Outcome.UNKNOWN),
            result=known,
            reason=reason,
            num_sent=self.num_sent,
            waited_s=waited_s,
        )

    def _send(self, now_s: float) -> tuple[Sent, ...]:
        message = self._message
        if isinstance(message, CommandLong):
            message = replace(message, confirmation=min(self.num_sent, 255))
        self.num_sent += 1
        self.state, self.deadline_s = State.SENT, now_s + self._timeout_s
        return (message,)
