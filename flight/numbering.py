"""Whether one vehicle or two speak with a system id, from the numbers of their frames alone.

Each vehicle numbers its frames from 0 to 255 and again. Two with one id give two runs of numbers
that take turns; loss, late and repeated frames, breaks and reboots do not.
"""

from __future__ import annotations

MAX_STEP = 32
"""Forward by so much is the same run, with losses between. [P]"""
LATE_NUM = 64
"""A frame that comes so many places late was overtaken on its way. [P]"""
REPEAT_NUM = 128
"""One vehicle numbers two frames alike 256 apart: so near each other among those heard they are of
two, or it started anew, even where half of all frames are lost. [D]"""
NUM_TURNS = 4
"""So many turns between two runs, each within `FORGET_NUM` frames, are no accident. [P]"""
FORGET_NUM = 100
ECHO_NUM, OVER_NUM, ECHO_FRAC = 32, 100, 0.42
"""The share of frames heard again, within so many and over so many: a half where two speak alike, a
quarter on a link that repeats three of ten. [P]"""


class Numbering:
    """Follows up to two runs of one system id's numbers."""

    def __init__(self) -> None:
        self._runs = [-1, -1]
        self._raws = [b"", b""]
        self._speaker = self._num_turns = self._since = 0
        self._heard: dict[int, tuple[int, bytes]] = {}
        self._num_heard, self._echo_frac = 0, 0.0

    @property
    def is_doubled(self) -> bool:
        """Whether two runs take turns, or all is heard twice."""
        is_echoed = self._num_heard >= OVER_NUM and self._echo_frac > ECHO_FRAC
        return is_echoed or self._num_turns >= NUM_TURNS

    def take(self, seq: int, raw: bytes) -> None:
        """Take a frame's number, and its bytes: the same number with other bytes is another's."""
        self._since += 1
        if self._since > FORGET_NUM:
            self._num_turns = 0
        is_known = self._is_known(seq, raw)
        for run in (self._speaker, 1 - self._speaker):
            if self._runs[run] < 0:
                continue
            step = (seq - self._runs[run]) % 256
            is_late = step >= 256 - LATE_NUM and not is_known
            if is_late or (step == 0 and raw == self._raws[run]):
                return
            if 0 < step <= MAX_STEP:
                self._go_on(run, seq, raw)
                return
        is_first = self._runs[self._speaker] < 0
        other = self._speaker if is_first else 1 - self._speaker
        self._runs[other], self._raws[other] = seq, raw

    def _is_known(self, seq: int, raw: bytes) -> bool:
        """Whether another frame of this number was heard lately: this one is then not late."""
        before = self._heard.get(seq)
        self._num_heard += 1
        self._heard[seq] = self._num_heard, raw
        ago = REPEAT_NUM + 1 if before is None else self._num_heard - before[0]
        is_same = before is not None and before[1] == raw
        self._echo_frac += ((is_same and ago <= ECHO_NUM) - self._echo_frac) / OVER_NUM
        return ago <= REPEAT_NUM and not is_same

    def _go_on(self, run: int, seq: int, raw: bytes) -> None:
        self._runs[run], self._raws[run] = seq, raw
        if run != self._speaker:
            self._speaker = run
            self._num_turns += 1
            self._since = 0
