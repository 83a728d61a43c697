"""Whether one vehicle or two speak with a system id, from the numbers of their frames alone.

Each vehicle numbers its frames from 0 to 255 and again. Two with one id give two runs of numbers
that take turns; loss, late and repeated frames, breaks and reboots do not.
"""

from __future__ import annotations

MAX_STEP = 32
"""Forward by so much is the same run, with losses between. [P]"""
LATE_NUM = 8
"""A frame that comes so many places late was overtaken on its way. [P]"""
NUM_TURNS = 4
"""So many turns between two runs, each within `FORGET_NUM` frames, are no accident. [P]"""
FORGET_NUM = 100


class Numbering:
    """Follows up to two runs of one system id's numbers."""

    def __init__(self) -> None:
        self._runs = [-1, -1]
        self._raws = [b"", b""]
        self._speaker = self._num_turns = self._since = 0

    @property
    def is_doubled(self) -> bool:
        """Whether two runs take turns."""
        return self._num_turns >= NUM_TURNS

    def take(self, seq: int, raw: bytes) -> None:
        """Take a frame's number, and its bytes: the same number with other bytes is another's."""
        self._since += 1
        if self._since > FORGET_NUM:
            self._num_turns = 0
        for run in (self._speaker, 1 - self._speaker):
            if self._runs[run] < 0:
                continue
            step = (seq - self._runs[run]) % 256
            if step >= 256 - LATE_NUM or (step == 0 and raw == self._raws[run]):
                return
            if 0 < step <= MAX_STEP:
                self._go_on(run, seq, raw)
                return
        is_first = self._runs[self._speaker] < 0
        other = self._speaker if is_first else 1 - self._speaker
        self._runs[other], self._raws[other] = seq, raw

    def _go_on(self, run: int, seq: int, raw: bytes) -> None:
        self._runs[run], self._raws[run] = seq, raw
        if run != self._speaker:
            self._speaker = run
            self._num_turns += 1
            self._since = 0
