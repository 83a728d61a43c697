"""A fleet of embedded copters in one event loop, reached over pipes, TCP or UDP."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING, Self

from skymist.sitl.copter import STEP_S, WARM_AGE_S, EmbeddedCopter
from skymist.sitl.params import Firmware
from skymist.sitl.pipes import Pipe
from skymist.sitl.sockets import Tie, open_tcp, open_udp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from skymist.coverage.drones import Drone
    from skymist.sitl.link import Link

log = logging.getLogger(__name__)


class EmbeddedFleet:
    """Copters that fly while the `async with` block lasts, one for each drone.

    Parameters
    ----------
    drones : who flies; each has its own system id.
    homes : latitude and longitude in degrees and height above mean sea of each pad.
    seed : of everything random.
    warm_boot : begin 35 s after switching on, 6.5 s before the copters may arm.
    gps_noise_m : standard deviation of the GPS error.
    firmware : whose parameter names the copters answer to.
    headings_deg : where each looks, right from north; north unless given.
    has_files : whether their boards speak MAVFTP.

    Raises
    ------
    ValueError
        There are not as many homes, or headings, as drones.
    """

    def __init__(
        self,
        drones: Sequence[Drone],
        *,
        homes: Sequence[tuple[float, float, float]],
        seed: int = 0,
        warm_boot: bool = False,
        gps_noise_m: float = 0.0,
        firmware: Firmware = Firmware.V4_7,
        headings_deg: Sequence[float] | None = None,
        has_files: bool = True,
    ) -> None:
        if len(drones) != len(homes):
            raise ValueError(f"homes must be as many as drones, {len(drones)}, got {len(homes)}")
        self.copters = tuple(
            EmbeddedCopter(
                drone,
                home=home,
                seed=seed,
                age_s=WARM_AGE_S if warm_boot else 0.0,
                gps_noise_m=gps_noise_m,
                firmware=firmware,
                has_files=has_files,
            )
            for drone, home in zip(drones, homes, strict=True)
        )
        if headings_deg is not None:
            for copter, heading_deg in zip(self.copters, headings_deg, strict=True):
                copter.state.heading_rad = math.radians(90.0 - heading_deg)
        self._ties: list[list[tuple[Link, Pipe | Tie]]] = [[] for _ in self.copters]
        self._task: asyncio.Task[None] | None = None
        self._servers: list[asyncio.Server | asyncio.DatagramTransport] = []
        self._began_s = 0.0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._began_s = loop.time()
        self._task = loop.create_task(self._fly())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for ties in self._ties:
            for _, tie in list(ties):
                tie.close()
        for server in self._servers:
            server.close()
        for server in self._servers:
            if isinstance(server, asyncio.Server):
                await server.wait_closed()
        await asyncio.sleep(0)
        if self._task is not None and not self._task.cancelled():
            self._task.result()

    def connect(self, index: int) -> Pipe:
        """Give a link to a copter in memory."""
        copter = self.copters[index]
        link = copter.add_link()

        def deliver(data: bytes) -> None:
            self._deliver(index, link, data)

        pipe = Pipe(deliver, lambda: self._forget(index, link))
        self._ties[index].append((link, pipe))
        return pipe

    async def serve_tcp(self, index: int, port: int = 0) -> int:
        """Offer a copter on a TCP port of 127.0.0.1, each connection a link; give the port."""
        server = await open_tcp(port, lambda tie: self._join(index, tie))
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def serve_udp(self, index: int, host: str, port: int) -> int:
        """Let a copter speak by UDP to `host` and `port`, and answer there; give its own port."""
        transport, tie, own_port = await open_udp(host, port)
        link = self._join(index, tie)
        tie.deliver = lambda data: self._deliver(index, link, data)
        self._servers.append(transport)
        return own_port

    async def wait_ended(self) -> None:
        """Wait until the copters stop, and raise what stopped them."""
        if self._task is not None:
            await asyncio.shield(self._task)

    @property
    def now_s(self) -> float:
        """Simulated seconds since the fleet was switched on."""
        return asyncio.get_running_loop().time() - self._began_s

    async def _fly(self) -> None:
        """Step every copter, ten times a second; where one fails, all links end."""
        try:
            await self._step_all()
        except Exception:
            log.exception("embedded fleet stopped")
            for ties in self._ties:
                for _, tie in list(ties):
                    tie.close()
            raise

    async def _step_all(self) -> None:
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while True:
            next_s = max(next_s + STEP_S, loop.time() - 5.0)
            await asyncio.sleep(max(0.0, next_s - loop.time()))
            now_s = loop.time() - self._began_s
            for index, copter in enumerate(self.copters):
                copter.advance_to(now_s)
                self._flush(index)

    def _join(self, index: int, tie: Tie) -> Link:
        link = self.copters[index].add_link()
        self._ties[index].append((link, tie))
        tie.deliver = lambda data: self._deliver(index, link, data)
        tie.forget = lambda: self._forget(index, link)
        return link

    def _deliver(self, index: int, link: Link, data: bytes) -> None:
        copter = self.copters[index]
        if copter.state.is_armed:
            copter.advance_to(asyncio.get_running_loop().time() - self._began_s)
        copter.receive(data, link)
        self._flush(index)

    def _flush(self, index: int) -> None:
        copter = self.copters[index]
        for link, tie in self._ties[index]:
            data = copter.outbox(link)
            if data:
                tie.feed(data)

    def _forget(self, index: int, link: Link) -> None:
        self.copters[index].remove_link(link)
        self._ties[index] = [pair for pair in self._ties[index] if pair[0] is not link]
