"""The time of ArduPilot's simulator, so that the ground's clock does not run away from it.

On a busy machine the simulator falls behind the wall clock, and a ground station whose seconds
are the wall's would wait too short. Each process tells its time on a serial line of its own, by
UDP, which no fault on the link touches.
"""

from __future__ import annotations

import asyncio
import struct
import time
from typing import TYPE_CHECKING, cast

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.codec import Codec

if TYPE_CHECKING:
    from skymist.sitl.loops import ScaledLoop

MUTE_S = 2.0
"""Seconds of the wall clock after which a process that says nothing holds nobody up [P]."""
STILL_S = 10.0
"""Seconds of the wall clock after which it hangs: it beats at least once in each [P]."""
TELL_S, ASK_AGAIN_S = 0.1, 1.0
"""Simulated seconds between two times told; seconds of the wall clock between two questions."""
LEAD_MOST_S = 5.0
"""Simulated seconds that a simulator may be before the ground, and still be waited for [P]."""
_ASKER_SYSID = 252
_SYSTEM_TIME = 2
_HEADER, _MAGIC = 10, 0xFD
_UNIX_US = struct.Struct("<Q")
_BOOT_MS = struct.Struct("<I")


class VehicleClock(asyncio.DatagramProtocol):
    """Holds a loop to one simulator's time. Made by `start`, ended by `close`.

    Source: SYSTEM_TIME of MAVLink's common dialect, `time_boot_ms`.
    """

    def __init__(self, loop: ScaledLoop, sysid: int) -> None:
        self._loop = loop
        self._sysid = sysid
        self._codec = Codec(_ASKER_SYSID)
        self._transport: asyncio.DatagramTransport | None = None
        self._offset_s: float | None = None
        self._boot_s = 0.0
        self._heard_at = self._asked_at = float("-inf")
        self.port = 0

    @classmethod
    async def start(cls, loop: ScaledLoop, sysid: int) -> VehicleClock:
        """Listen on a free UDP port of 127.0.0.1, and hold the loop from the first time told."""
        _, clock = await loop.create_datagram_endpoint(
            lambda: cls(loop, sysid), local_addr=("127.0.0.1", 0)
        )
        loop.leaders.append(clock.told_s)
        return clock

    def close(self) -> None:
        """Hold nobody up any more."""
        if self.told_s in self._loop.leaders:
            self._loop.leaders.remove(self.told_s)
        if self._transport is not None:
            self._transport.close()

    def forget(self) -> None:
        """It is switched off: nobody waits for it until it tells its time again."""
        self._heard_at = float("-inf")

    @property
    def stands_still(self) -> bool:
        """Whether it told its time and stopped to, though nobody switched it off."""
        silent_s = time.monotonic() - self._heard_at
        return STILL_S < silent_s < float("inf")

    def told_s(self, wall_s: float) -> float | None:
        """Where the simulator was last, in the loop's time; None where it says nothing."""
        if wall_s - self._heard_at > MUTE_S:
            self._offset_s = None
        return None if self._offset_s is None else self._boot_s + self._offset_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the port."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take the time that is told; ask for it where it is not."""
        wall_s = time.monotonic()
        for boot_s in _times(data):
            self._take(boot_s, wall_s)
        if wall_s - self._heard_at > MUTE_S / 2 and wall_s - self._asked_at > ASK_AGAIN_S:
            self._asked_at = wall_s
            order = mavlink.MAVLink_command_long_message(
                *(self._sysid, 1, mavlink.MAV_CMD_SET_MESSAGE_INTERVAL, 0),
                *(_SYSTEM_TIME, TELL_S * 1e6, 0, 0, 0, 0, 0),
            )
            assert self._transport is not None
            self._transport.sendto(self._codec.pack(order), addr)

    def _take(self, boot_s: float, wall_s: float) -> None:
        now_s = self._loop.time()
        if (
            self._offset_s is None
            or boot_s < self._boot_s
            or boot_s + self._offset_s > now_s + LEAD_MOST_S
        ):
            self._offset_s = now_s - boot_s
        self._boot_s, self._heard_at = boot_s, wall_s


def _times(data: bytes) -> list[float]:
    """Seconds since its boot in the frames of one datagram."""
    found, at = [], data.find(_MAGIC)
    while 0 <= at <= len(data) - _HEADER:
        length = data[at + 1]
        if int.from_bytes(data[at + 7 : at + _HEADER], "little") == _SYSTEM_TIME:
            payload = data[at + _HEADER : at + _HEADER + length].ljust(12, b"\0")
            found.append(_BOOT_MS.unpack_from(payload, _UNIX_US.size)[0] / 1000)
        at = data.find(_MAGIC, at + _HEADER + length)
    return found
