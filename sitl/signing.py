"""MAVLink 2 signing as ArduPilot does it: one key on every link, a timestamp for each link.

Source: GCS_Signing.cpp and mavlink_helpers.h (mavlink_signature_check), 4.7.0-dev. The key and a
timestamp are stored; wrong and unsigned frames are ignored in silence.
"""

from __future__ import annotations

import hashlib
from typing import Any

TICKS_PER_S = 100_000
EPOCH_2015_S = 1_420_070_400
MINUTE = 60 * TICKS_PER_S
SAVE_S = 30.0
MAX_STREAMS = 16
SIGNATURE_BYTES = 13
_SIGNED = 0x01
_UNSIGNED_TAKEN = (166, 109)
"""RADIO and RADIO_STATUS: what radios say for themselves."""


class Signing:
    """What a copter stores about signing, and what it has heard since it booted."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        self._stored = 0
        self._saved_s = 0.0
        self._clock = 0
        self._streams: dict[tuple[int, int, int], int] = {}
        self._timestamps: dict[int, int] = {}

    def setup(self, key: bytes, timestamp: int) -> None:
        """Take a key (32 bytes) and the time it begins with; all zero ends signing."""
        if not any(key) and timestamp == 0:
            self.key, self._stored = None, 0
        else:
            self.key, self._stored = bytes(key), timestamp
        self._timestamps.clear()

    def reboot(self) -> None:
        """Keep what is stored; a minute later than it says, for what was not."""
        self._streams.clear()
        self._timestamps.clear()

    def tick(self, unix_s: float, now_s: float) -> None:
        """Follow the clock of the GPS, and store the time every half a minute."""
        if self.key is None:
            return
        self._clock = max(self._clock, int((unix_s - EPOCH_2015_S) * TICKS_PER_S))
        if now_s - self._saved_s >= SAVE_S:
            self._saved_s = now_s
            self._stored = max([self._stored, self._clock, *self._timestamps.values()])

    def stamp(self, channel: int) -> int:
        """Give the timestamp of the next frame on a channel."""
        at = max(self._now(channel) + 1, self._clock)
        self._timestamps[channel] = at
        return at

    def accepts(self, frame: bytes, channel: int) -> bool:
        """Whether a frame that came in on a channel may be obeyed."""
        if self.key is None or channel == 0:
            return True
        if frame[0] != 0xFD:
            return frame[5] in _UNSIGNED_TAKEN
        if int.from_bytes(frame[7:10], "little") in _UNSIGNED_TAKEN:
            return True
        return bool(frame[2] & _SIGNED) and self._is_good(frame, channel)

    def _now(self, channel: int) -> int:
        return self._timestamps.get(channel, self._stored + MINUTE)

    def _is_good(self, frame: bytes, channel: int) -> bool:
        assert self.key is not None
        if hashlib.sha256(self.key + frame[:-6]).digest()[:6] != frame[-6:]:
            return False
        at = int.from_bytes(frame[-12:-6], "little")
        stream = (frame[5], frame[6], frame[-13])
        last = self._streams.get(stream)
        if last is None:
            is_old = at + MINUTE < max(self._now(channel), self._clock)
            if is_old or len(self._streams) >= MAX_STREAMS:
                return False
        elif at <= last:
            return False
        self._streams[stream] = at
        self._timestamps[channel] = max(self._now(channel), at)
        return True


def sealed(message: Any, mav: Any, signing: Signing, channel: int) -> bytes:
    """Give a message as a frame, signed where there is a key."""
    out = mav.signing
    if signing.key is None:
        return bytes(message.pack(mav))
    out.secret_key, out.sign_outgoing = signing.key, True
    out.link_id, out.timestamp = channel, signing.stamp(channel)
    frame = bytes(message.pack(mav))
    out.secret_key, out.sign_outgoing = None, False
    return frame
