"""How often the ground station says that it is there: the more often, the worse the link. No I/O.

ArduPilot's failsafe waits 5 s for HEARTBEAT alone. At one a second three of ten frames lost take
five in a row about once in seven minutes, and one spoilt length byte makes its parser swallow up to
128 bytes that follow, six heartbeats where nothing else is sent.
"""

from __future__ import annotations

from collections import deque

BEAT_S = 0.5
"""Between two heartbeats on a good link: what is lost on the way up alone is not seen here. [P]"""
QUICK_S = 0.25
"""The same on a bad one: twenty in the 5 s of the failsafe. [P]"""
LOST_FRAC = 0.02
"""So much loss of what comes down makes a link bad. [P]"""
WINDOW_S = 10.0
SILENT_S = 1.5
"""A vehicle that was heard is silent after so long. [P]"""


class Pulse:
    """Looks at what came before each heartbeat; `next_s` is the time until the one after it."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int, int]] = deque()

    def next_s(self, now_s: float, num_frames: int, num_lost: int, silent_s: float) -> float:
        """Seconds until the next heartbeat.

        Parameters
        ----------
        now_s
            The loop's time.
        num_frames, num_lost
            Of all vehicles on the link since it was opened: what came, and what their numbering
            says was lost.
        silent_s
            How long the one that was not heard for longest has been silent; 0 before any was heard.
        """
        self._marks.append((now_s, num_frames, num_lost))
        while self._marks[0][0] < now_s - WINDOW_S:
            self._marks.popleft()
        _, frames, lost = self._marks[0]
        num, gone = num_frames - frames, num_lost - lost
        is_bad = gone > LOST_FRAC * (num + gone) or silent_s > SILENT_S
        return QUICK_S if is_bad else BEAT_S
