"""Whether one vehicle or two speak with a system id, from the numbers of their frames alone.

Each vehicle numbers its frames from 0 to 255 and again. Two with one id give two runs of numbers
that take turns; loss, late and repeated frames, breaks and reboots do not. What tells a late frame
from another vehicle's is the place it left: one vehicle uses each number once, so a late frame
comes to a number that was passed over, and another's to one that was heard with other bytes.

A vehicle that floods comes to the same number again before a late frame arrives, and its numbers
prove nothing. Its heartbeats do: each vehicle sends one a second, however busy it is.
"""

from __future__ import annotations

MAX_STEP = 32
"""Forward by so much is the same run, with losses between. [P]"""
EARLY_NUM = 64
"""So many frames from before the first that was heard may come after it. [P]"""
NUM_TURNS = 4
"""So many turns between two runs, each within `FORGET_NUM` frames, are no accident. [P]"""
FORGET_NUM = 100
ECHO_NUM, OVER_NUM, ECHO_FRAC = 32, 100, 0.42
"""The share of frames heard again, within so many and over so many: a half where two speak alike, a
quarter on a link that repeats three of ten. [P]"""
FAST_HZ, BUSY_HZ = 400.0, 200.0
"""A run that counts so fast is a flood: 256 numbers take 0.64 s, and frames come as late as that.
It goes on as long as so many frames come as the second says. [P]"""
PACE_S, NUM_PACES, FLOOD_S = 0.25, 2, 3.0
"""Between looks at the pace; so many in a row make a flood, since the answers to many questions
come at once; how long a flood is believed in without another sign of it. [P]"""
FIRST_NUM = 200
"""Before so many looks the numbers of so many frames count: none came to its own again. [P]"""
DOUBLED_S = 10.0
"""Two that were told apart stay two for so long, though one of them then speaks alone. [P]"""
BEATS_S, BEATS_MOST = 10.0, 12
"""One vehicle sends ten or eleven heartbeats in this time; two, on a link that loses three of ten,
fourteen. [D]"""
_CYCLE = 256


class _Run:
    """One run of numbers, counted on over every cycle of 256, and what was heard under each."""

    def __init__(self, seq: int, raw: bytes) -> None:
        self.first = self.last = seq
        self._heard: dict[int, tuple[int, bytes]] = {seq: (seq, raw)}

    def step_to(self, seq: int) -> int:
        """Places forward to this number, 0 to 255."""
        return (seq - self.last) % _CYCLE

    def go_on(self, seq: int, raw: bytes) -> None:
        """Take the next frame of this run."""
        self.last += self.step_to(seq)
        self._heard[seq] = self.last, raw

    def takes_late(self, seq: int, raw: bytes) -> bool:
        """Take a frame whose place was passed over, or that was heard before just so."""
        place = self.last - (-self.step_to(seq)) % _CYCLE
        if place < self.first - EARLY_NUM:
            return False
        known_place, known_raw = self._heard.get(seq, (place - 1, b""))
        if known_place == place:
            return known_raw == raw
        self._heard[seq] = place, raw
        return True


def _is_round(run: _Run | None) -> bool:
    """Whether a run has come to its numbers again, so that a late frame may be of another cycle."""
    return run is not None and run.last - run.first >= _CYCLE - MAX_STEP


class Numbering:
    """Follows up to two runs of one system id's numbers."""

    def __init__(self) -> None:
        self._runs: list[_Run | None] = [None, None]
        self._speaker = self._num_turns = self._since = 0
        self._last_heard: dict[int, tuple[int, bytes]] = {}
        self._num_heard, self._echo_frac = 0, 0.0
        self._look_s: float | None = None
        self._num_looked, self._marks = 0, [0, 0]
        self._flood_until_s, self._num_paces, self._num_fast = -FLOOD_S, 0, 0
        self._doubled_until_s = self._at_s = -DOUBLED_S
        self._beats: dict[bytes, float] = {}

    @property
    def is_doubled(self) -> bool:
        """Whether two runs take turns, all is heard twice, or a flood has too many heartbeats."""
        is_echoed = self._num_heard >= OVER_NUM and self._echo_frac > ECHO_FRAC
        if self._is_flood:
            return is_echoed or len(self._beats) > BEATS_MOST
        is_first = self._num_heard < FIRST_NUM and not any(map(_is_round, self._runs))
        is_known = self._num_paces >= NUM_PACES or is_first
        return is_echoed or (is_known and self._at_s < self._doubled_until_s)

    def take(self, seq: int, raw: bytes, at_s: float, *, is_beat: bool = False) -> None:
        """Take a frame's number, and its bytes: the same number with other bytes is another's.

        `at_s` is when it came, in seconds; `is_beat` that it is a HEARTBEAT.
        """
        self._at_s = at_s
        self._look(at_s)
        if is_beat:
            self._beats.setdefault(raw, at_s)
            self._beats = {k: s for k, s in self._beats.items() if s > at_s - BEATS_S}
        self._note_echo(seq, raw)
        if self._is_flood:
            return
        self._since += 1
        if self._since > FORGET_NUM:
            self._num_turns = 0
        if self._is_of_known(seq, raw):
            return
        is_first = self._runs[self._speaker] is None
        index = self._speaker if is_first else 1 - self._speaker
        self._runs[index], self._marks[index] = _Run(seq, raw), seq

    @property
    def _is_flood(self) -> bool:
        return self._look_s is not None and self._look_s < self._flood_until_s

    def _look(self, at_s: float) -> None:
        """Reckon how fast runs count, now and then; what was made of a flood is forgotten."""
        if self._look_s is None:
            self._look_s = at_s
        self._num_looked += 1
        took_s = at_s - self._look_s
        if took_s < PACE_S:
            return
        counts = [0 if run is None else run.last for run in self._runs]
        steps = [count - mark for count, mark in zip(counts, self._marks, strict=True)]
        self._num_fast = self._num_fast + 1 if max(steps) > FAST_HZ * took_s else 0
        is_busy = self._is_flood and self._num_looked > BUSY_HZ * took_s
        if self._num_fast >= NUM_PACES or is_busy:
            self._flood_until_s, self._doubled_until_s = at_s + FLOOD_S, at_s
            self._runs, self._num_turns, counts = [None, None], 0, [0, 0]
        self._look_s, self._num_looked, self._marks = at_s, 0, counts
        self._num_paces += 1

    def _is_of_known(self, seq: int, raw: bytes) -> bool:
        """Whether the frame goes on with a run, the nearer one, or comes late to one."""
        others = [index for index in (self._speaker, 1 - self._speaker) if self._runs[index]]
        for number, index in enumerate(others):
            near = [i for i in others[number:] if 0 < self._at(i).step_to(seq) <= MAX_STEP]
            if index in near:
                nearest = min(near, key=lambda i: self._at(i).step_to(seq))
                self._at(nearest).go_on(seq, raw)
                self._speaks(nearest)
                return True
            if self._at(index).takes_late(seq, raw):
                return True
        return False

    def _at(self, index: int) -> _Run:
        run = self._runs[index]
        assert run is not None
        return run

    def _note_echo(self, seq: int, raw: bytes) -> None:
        """Reckon the share of frames that were heard just so a short while ago."""
        before = self._last_heard.get(seq)
        self._num_heard += 1
        self._last_heard[seq] = self._num_heard, raw
        is_echo = (
            before is not None and before[1] == raw and self._num_heard - before[0] <= ECHO_NUM
        )
        self._echo_frac += (is_echo - self._echo_frac) / OVER_NUM

    def _speaks(self, index: int) -> None:
        if index != self._speaker:
            self._speaker = index
            self._num_turns += 1
            self._since = 0
            if self._num_turns >= NUM_TURNS:
                self._doubled_until_s = self._at_s + DOUBLED_S
