"""One simulated clock for several processes, as fast as they can: none runs ahead of another.

The host (the copters) lets time pass only when every guest (a ground program) is idle. A guest
that is killed is missed at once, and the host goes on by itself, at a pace that leaves others
time to join.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import socket
import struct
from collections.abc import Callable
from typing import Any

from skymist.sitl.loops import _PacedSelector

ALONE = 60.0
"""Simulated seconds per second while the host has no guest."""
_TIME = struct.Struct("<d")


class HostLoop(asyncio.SelectorEventLoop):
    """Keeps the clock; guests join at `port` of 127.0.0.1."""

    def __init__(self) -> None:
        self._at_s = 0.0
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.setblocking(False)
        self.port: int = self._door.getsockname()[1]
        self._guests: list[socket.socket] = []
        self.on_time: Callable[[float], None] = lambda _: None
        super().__init__(_PacedSelector(self._pass))

    def time(self) -> float:
        """Simulated seconds."""
        return self._at_s

    def _pass(self, real: selectors.BaseSelector, timeout: float | None) -> Any:
        ready = real.select(0)
        if ready or timeout == 0:
            return ready
        self._let_in()
        until_s = math.inf if timeout is None else self._at_s + timeout
        for guest in list(self._guests):
            until_s = min(until_s, self._idle_until(guest))
        if ready := real.select(0):
            return ready
        if not self._guests:
            span_s = min(until_s - self._at_s, 0.1)
            ready = real.select(span_s / ALONE)
            until_s = self._at_s + span_s
        if until_s < math.inf:
            self._at_s = max(self._at_s, until_s)
            self.on_time(self._at_s)
        return ready

    def _let_in(self) -> None:
        try:
            guest, _ = self._door.accept()
        except BlockingIOError:
            return
        guest.setblocking(True)
        guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._guests.append(guest)

    def _idle_until(self, guest: socket.socket) -> float:
        """Tell a guest the time, and wait until it has nothing more to do now."""
        try:
            guest.sendall(_TIME.pack(self._at_s))
            answer = guest.recv(_TIME.size, socket.MSG_WAITALL)
        except OSError:
            answer = b""
        if len(answer) < _TIME.size:
            self._guests.remove(guest)
            guest.close()
            return math.inf
        return float(_TIME.unpack(answer)[0])


class GuestLoop(asyncio.SelectorEventLoop):
    """Lives by a host's clock."""

    def __init__(self, port: int) -> None:
        self._clock = socket.create_connection(("127.0.0.1", port))
        self._clock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._at_s = self._told()
        super().__init__(_PacedSelector(self._pass))

    def time(self) -> float:
        """Simulated seconds."""
        return self._at_s

    def _told(self) -> float:
        data = self._clock.recv(_TIME.size, socket.MSG_WAITALL)
        if len(data) < _TIME.size:
            raise RuntimeError("the host of the clock is gone")
        return float(_TIME.unpack(data)[0])

    def _pass(self, real: selectors.BaseSelector, timeout: float | None) -> Any:
        ready = real.select(0)
        if ready or timeout == 0:
            return ready
        self._clock.sendall(_TIME.pack(math.inf if timeout is None else self._at_s + timeout))
        self._at_s = self._told()
        return real.select(0)
