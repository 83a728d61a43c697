"""How good one drone's link is: rate, loss, round trip, the radio's own word, refused frames.

Looked at twice a second by the drone's runner; told to the display, to the record every half a
minute, and as an alert where frames are refused or clocks disagree.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.messages import TimeSync
from skymist.flight.mavlink.signing import Verdict
from skymist.flight.safety.monitor import Alert, Severity

if TYPE_CHECKING:
    from skymist.flight.conductor.telling import DroneLog
    from skymist.flight.mavlink.channel import Peer

WINDOW_S = 10.0
PING_S = 5.0
TELL_S = 30.0
LOUD_NUM = 20
"""So many refused frames in a row of looks are no accident: 1.5 s of a drone's telemetry. [P]"""


class LinkMeter:
    """Measures one peer's link; `tick` is called twice a second."""

    def __init__(self, peer: Peer, told: DroneLog) -> None:
        self.rate_hz, self.lost_frac = 0.0, 0.0
        self.round_trip_s: float | None = None
        self._peer, self._told = peer, told
        self._marks: deque[tuple[float, int, int]] = deque()
        self._pinged_s, self._told_s = now_s() - PING_S, now_s()
        self._is_answered = True
        self._num_refused, self._said = 0, set[str]()

    @property
    def text(self) -> str:
        """The link in a few words, such as ``13/s, 2 % lost, 80 ms``."""
        if not self._peer.channel.is_up:
            return "down"
        words = [f"{self.rate_hz:.0f}/s"]
        if self.lost_frac >= 0.005:
            words.append(f"{self.lost_frac:.0%} lost")
        if self.round_trip_s is not None:
            words.append(f"{self.round_trip_s * 1000:.0f} ms")
        if (radio := self._peer.channel.radio) is not None:
            words.append(f"rssi {radio.rssi}/{radio.remote_rssi}")
        return ", ".join(words)

    def tick(self) -> None:
        """Measure, ask for the next round trip, tell what is due."""
        at_s = now_s()
        self._measure(at_s)
        self._ping(at_s)
        self._mind_seal()
        if at_s - self._told_s >= TELL_S:
            self._told_s = at_s
            self._tell()

    def _measure(self, at_s: float) -> None:
        stats = self._peer.stats
        self._marks.append((at_s, stats.num_frames, stats.num_lost))
        while self._marks[0][0] < at_s - WINDOW_S:
            self._marks.popleft()
        began_s, frames, lost = self._marks[0]
        num, num_lost = stats.num_frames - frames, stats.num_lost - lost
        took_s = at_s - began_s
        self.rate_hz = num / took_s if took_s > 0 else 0.0
        self.lost_frac = num_lost / (num + num_lost) if num + num_lost > 0 else 0.0

    def _ping(self, at_s: float) -> None:
        """TIMESYNC there and back: the vehicle echoes our time."""
        heard = self._peer.latest(TimeSync)
        stamp_ns = round(self._pinged_s * 1e9)
        if not self._is_answered and heard is not None and heard.message.ts1_ns == stamp_ns:
            self._is_answered = True
            self.round_trip_s = heard.at_s - self._pinged_s
        if at_s - self._pinged_s < PING_S:
            return
        if not self._is_answered:
            self.round_trip_s = None
        self._pinged_s, self._is_answered = at_s, False
        with suppress(LinkLost):
            self._peer.send(TimeSync(tc1_ns=0, ts1_ns=round(at_s * 1e9)))

    def _mind_seal(self) -> None:
        """Say once that frames are refused, and that clocks disagree."""
        seal = self._peer.seal
        if seal is None:
            return
        if seal.num_refused - self._num_refused >= LOUD_NUM:
            self._num_refused = seal.num_refused
            counts = seal.counts
            parts = [f"{counts[v]} {v}" for v in Verdict if v is not Verdict.GOOD and counts[v]]
            text = f"frames with its system id refused: {', '.join(parts)}; is the key the same?"
            self._say_once("signature", Severity.ERROR, text)
        if seal.is_skewed and seal.skew_s is not None:
            way = "ahead of" if seal.skew_s > 0 else "behind"
            text = f"its signing clock is {abs(seal.skew_s):.0f} s {way} this machine's"
            self._say_once("clock_skew", Severity.WARNING, text)

    def _say_once(self, code: str, severity: Severity, text: str) -> None:
        if code not in self._said:
            self._said.add(code)
            self._told.alert(Alert(severity=severity, code=code, text=text))

    def _tell(self) -> None:
        """One line of the record."""
        radio, seal = self._peer.channel.radio, self._peer.seal
        trip_s = self.round_trip_s
        self._told.event(
            "link",
            is_up=self._peer.channel.is_up,
            rate_hz=round(self.rate_hz, 1),
            lost_frac=round(self.lost_frac, 4),
            round_trip_s=None if trip_s is None else round(trip_s, 3),
            rssi=None if radio is None else radio.rssi,
            remote_rssi=None if radio is None else radio.remote_rssi,
            num_breaks=self._peer.num_breaks,
            num_refused=0 if seal is None else seal.num_refused,
        )
