"""MAVLink 2 signing: a key per drone, a clock that never goes back, replays refused.

A `Seal` signs what goes to one drone and judges what comes from it. No I/O: timestamps come from a
`Stamps`, which `keyring` persists. Source: https://mavlink.io/en/guide/message_signing.html.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

TICKS_PER_S = 100_000
EPOCH_2015_S = 1_420_070_400
KEY_BYTES = 32
SIGNATURE_BYTES = 13
OLD_TICKS = 60 * TICKS_PER_S
"""A new stream may be so far behind our clock. Source: message signing guide, and ArduPilot."""
SKEW_S = 600.0
"""Clocks apart by more are told. ArduPilot leaps a minute at each boot, we at a crash. [P]"""
MAX_STREAMS = 16
"""Of one drone: link ids and components. Source: mavlink_types.h, MAVLINK_MAX_SIGNING_STREAMS."""
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_V2, _SIGNED = 0xFD, 0x01


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key; never shown, `fingerprint` tells it from others."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, got {len(self.secret)}")

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that do not give the key away."""
        return hashlib.sha256(b"skymist key" + self.secret).hexdigest()[:8]


def key_of(text: str) -> Key:
    """The key that a person wrote: 64 hex digits, or a passphrase (its SHA-256 is the key).

    Mission Planner, MAVProxy and QGroundControl make keys of passphrases in the same way.
    """
    if _HEX.fullmatch(text):
        return Key(bytes.fromhex(text))
    return Key(hashlib.sha256(text.encode("utf-8")).digest())


class Stamps:
    """Timestamps in 10 us since 2015, each later than every one before it.

    Parameters
    ----------
    unix_s
        The machine's clock.
    last
        The latest timestamp that may have been used before, by key fingerprint.
    """

    def __init__(self, unix_s: Callable[[], float], last: dict[str, int] | None = None) -> None:
        self._unix_s = unix_s
        self.last = dict(last or {})

    def clock(self) -> int:
        """What the machine's clock says."""
        return max(0, int((self._unix_s() - EPOCH_2015_S) * TICKS_PER_S))

    def next(self, fingerprint: str) -> int:
        """The timestamp of the next frame with this key."""
        stamp = max(self.clock(), self.last.get(fingerprint, 0) + 1)
        self.last[fingerprint] = stamp
        return stamp

    def now(self, fingerprint: str) -> int:
        """The latest of clock and what was used."""
        return max(self.clock(), self.last.get(fingerprint, 0))

    def at_least(self, fingerprint: str, stamp: int) -> None:
        """Go on after a time that the drone itself has signed."""
        self.last[fingerprint] = max(stamp, self.last.get(fingerprint, 0))


class Verdict(StrEnum):
    """What a frame from a drone with a key is."""

    GOOD = "good"
    UNSIGNED = "unsigned"
    WRONG = "wrongly signed"
    REPLAYED = "repeated or too old"


class Seal:
    """One drone's key at work. `takes_unsigned` lets unsigned frames of the drone through."""

    def __init__(
        self, key: Key, stamps: Stamps, *, link_id: int = 0, takes_unsigned: bool = False
    ) -> None:
        self.key, self.takes_unsigned = key, takes_unsigned
        self.counts = dict.fromkeys(Verdict, 0)
        self.skew_s: float | None = None
        self._stamps, self._link_id = stamps, link_id
        self._streams: OrderedDict[tuple[int, int, int], int] = OrderedDict()

    @property
    def is_skewed(self) -> bool:
        """Whether the drone's clock and ours are further apart than `SKEW_S`."""
        return self.skew_s is not None and abs(self.skew_s) > SKEW_S

    @property
    def num_refused(self) -> int:
        """Frames that were not taken."""
        refused = self.counts[Verdict.WRONG] + self.counts[Verdict.REPLAYED]
        return refused + (0 if self.takes_unsigned else self.counts[Verdict.UNSIGNED])

    def next_stamp(self) -> int:
        """A timestamp that no frame with this key has had."""
        return self._stamps.next(self.key.fingerprint)

    def sign(self, frame: bytes) -> bytes:
        """The frame, which is marked as signed and ends with its checksum, with its signature."""
        stamp = self._stamps.next(self.key.fingerprint)
        body = frame + bytes((self._link_id,)) + stamp.to_bytes(6, "little")
        return body + self._signature(body)

    def judge(self, frame: bytes) -> Verdict:
        """What a whole frame with a good checksum is; streams and clock follow good ones alone."""
        verdict = self._verdict(frame)
        self.counts[verdict] += 1
        return verdict

    def takes(self, frame: bytes) -> bool:
        """Whether the frame may be believed."""
        verdict = self.judge(frame)
        return verdict is Verdict.GOOD or (verdict is Verdict.UNSIGNED and self.takes_unsigned)

    def _verdict(self, frame: bytes) -> Verdict:
        if frame[0] != _V2 or not frame[2] & _SIGNED:
            return Verdict.UNSIGNED
        if not hmac.compare_digest(self._signature(frame[:-6]), frame[-6:]):
            return Verdict.WRONG
        stamp = int.from_bytes(frame[-12:-6], "little")
        stream = (frame[5], frame[6], frame[-13])
        last = self._streams.get(stream)
        fingerprint = self.key.fingerprint
        if last is None:
            if stamp + OLD_TICKS < self._stamps.now(fingerprint):
                return Verdict.REPLAYED
            if len(self._streams) >= MAX_STREAMS:
                return Verdict.REPLAYED
        elif stamp <= last:
            return Verdict.REPLAYED
        self._streams[stream] = stamp
        self.skew_s = (stamp - self._stamps.clock()) / TICKS_PER_S
        self._stamps.at_least(fingerprint, stamp)
        return Verdict.GOOD

    def _signature(self, body: bytes) -> bytes:
        return hashlib.sha256(self.key.secret + body).digest()[:6]
