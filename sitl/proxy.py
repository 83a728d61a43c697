"""A TCP port that stands before a vehicle's own and spoils what passes: for any ground station."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Self

from skymist.sitl.faults import FaultyPipe, LinkFaults
from skymist.sitl.streams import TcpPipe, open_tcp_pipe

if TYPE_CHECKING:
    from types import TracebackType

JOIN_TIMEOUT_S = 30.0
_AGAIN_S = 0.2


class LinkProxy:
    """Listens on a free port of 127.0.0.1 while the block lasts; each who connects gets a link.

    A vehicle that starts anew is joined again behind the proxy: the ground's connection stays.

    Parameters
    ----------
    port : of the vehicle, on this machine.
    faults : of the link. May be set anew at any time through `faults`.
    seed : of everything random.
    """

    def __init__(self, port: int, *, faults: LinkFaults, seed: int = 0) -> None:
        self._vehicle_port = port
        self._faults = faults
        self._seed = seed
        self._server: asyncio.Server | None = None
        self._carriers: set[asyncio.Task[None]] = set()
        self._pipes: list[FaultyPipe] = []
        self.port = 0

    @property
    def faults(self) -> LinkFaults:
        """What links do to frames; set it to change that from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: LinkFaults) -> None:
        self._faults = faults
        for pipe in self._pipes:
            pipe.faults = faults

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._carriers):
            task.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carriers.add(task)
        vehicle = JoiningPipe(self._vehicle_port)
        self._seed += 1
        pipe = FaultyPipe(vehicle, faults=self._faults, seed=self._seed)
        self._pipes.append(pipe)
        ground = TcpPipe(reader, writer)
        down = asyncio.create_task(_carry(pipe, ground))
        try:
            while data := await ground.read():
                pipe.write(data)
        except asyncio.CancelledError:
            pass  # the block ends
        finally:
            down.cancel()
            pipe.close()
            ground.close()
            self._pipes.remove(pipe)
            self._carriers.discard(task)


async def _carry(pipe: FaultyPipe, ground: TcpPipe) -> None:
    while data := await pipe.read():
        ground.write(data)
    ground.close()


class JoiningPipe:
    """A TCP connection to a vehicle of this machine that is made anew when it breaks.

    What is written while there is none is dropped, as on the air. It counts as closed when the
    port does not answer for `JOIN_TIMEOUT_S` of the wall clock.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._pipe: TcpPipe | None = None
        self._is_closed = False

    async def read(self) -> bytes:
        """Give the bytes that came, waiting for some, over a new connection if need be."""
        while not self._is_closed:
            if self._pipe is None and not await self._join():
                return b""
            if self._pipe is not None and (data := await self._pipe.read()):
                return data
            self._drop()
        return b""

    async def _join(self) -> bool:
        until_s = time.monotonic() + JOIN_TIMEOUT_S
        while time.monotonic() < until_s and not self._is_closed:
            with contextlib.suppress(OSError):
                self._pipe = await open_tcp_pipe("127.0.0.1", self._port)
                return True
            await asyncio.sleep(_AGAIN_S)
        return False

    def _drop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def write(self, data: bytes) -> None:
        """Send bytes; without a connection they are dropped."""
        if self._pipe is not None:
            self._pipe.write(data)

    def close(self) -> None:
        """End it for good."""
        self._is_closed = True
        self._drop()
