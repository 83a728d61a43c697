"""A simulated copter as the fault matrix sees it, whichever it is: what fails, what was true.

`EmbeddedMachine` stands on the copter inside this program, `real_machines.RealMachine` on an
ArduCopter process. Both tell the truth by ways of their own, apart from the ground's link.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from skymist.coverage.drones import Drone
from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.crew import Crew
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.faults import FaultyPipe, LinkFaults, break_vehicle, split_frames
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.pipes import BytePipe
from skymist.sitl.telemetry import EPOCH_S
from skymist.sitl.truth import Sample

Held = tuple[tuple[float, ...], ...]
"""A mission without home: command, p1, latitude and longitude in 1e-7 degrees, metres."""


class Wire:
    """A pipe on which a trouble may touch each frame; `up` and `down` give what passes on."""

    def __init__(self, pipe: BytePipe) -> None:
        self._pipe, self._rest = pipe, b""
        self.up: Callable[[int, bytes], Sequence[bytes]] = lambda number, frame: (frame,)
        self.down: Callable[[int, bytes], Sequence[bytes]] = lambda number, frame: (frame,)
        self.is_silent = False

    @property
    def pipe(self) -> BytePipe:
        """What it stands before; a trouble may put another in its place."""
        return self._pipe

    @pipe.setter
    def pipe(self, pipe: BytePipe) -> None:
        self._pipe = pipe

    async def read(self) -> bytes:
        """What comes from the vehicle, as far as it is let through."""
        while data := await self._pipe.read():
            frames, self._rest = split_frames(self._rest + data)
            kept = b"".join(part for f in frames for part in self.down(_number(f), f))
            if kept and not self.is_silent:
                return kept
        return b""

    def write(self, data: bytes) -> None:
        """What goes to the vehicle."""
        if self.is_silent:
            return
        for part in self.up(_number(data), data):
            self._pipe.write(part)

    def close(self) -> None:
        """End the link."""
        self._pipe.close()


def _number(frame: bytes) -> int:
    return int.from_bytes(frame[7:10], "little") if len(frame) > 9 else -1


class Both:
    """Several pipes as one: a port on which several vehicles speak, as by one radio."""

    def __init__(self, *pipes: BytePipe) -> None:
        self._pipes = pipes
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._carry(pipe)) for pipe in pipes]

    async def _carry(self, pipe: BytePipe) -> None:
        while data := await pipe.read():
            self._came.put_nowait(data)

    async def read(self) -> bytes:
        """What comes from any of them."""
        return await self._came.get()

    def write(self, data: bytes) -> None:
        """To all."""
        for pipe in self._pipes:
            pipe.write(data)

    def close(self) -> None:
        """End all."""
        for task in self._tasks:
            task.cancel()
        for pipe in self._pipes:
            pipe.close()
        self._came.put_nowait(b"")


class Machine(Protocol):
    """One copter. Times are its own seconds since it was switched on first."""

    sim: str
    wire: Wire
    armed_with: list[Held]
    """What it held, each time when its motors were armed; known when the flight is over."""
    unarmed_l: float
    """Litres that left the nozzles while disarmed, where `truth` does not hold them."""

    @property
    def now_s(self) -> float:
        """Its clock."""

    @property
    def unix_s(self) -> float:
        """What its signing clock began with."""

    @property
    def pumped_l(self) -> float:
        """Litres that left the nozzles so far."""

    @property
    def is_armed(self) -> bool:
        """Whether its motors turn."""

    @property
    def truth(self) -> Iterable[Sample]:
        """What was; whole when the flight is over."""

    async def fail(self, name: str) -> None:
        """Break it by a fault's name."""

    async def blow(self, speed_mps: float, toward_rad: float) -> None:
        """Let a wind blow."""

    def silence(self, is_silent: bool) -> None:
        """Cut its link, or mend it."""

    async def reboot(self) -> None:
        """Switch off and on where it is."""

    async def station(self) -> BytePipe:
        """A link of another ground station to it."""

    async def pilot(self, mode: int) -> None:
        """The pilot at the transmitter sets a mode."""

    async def sign(self, secret: bytes, begins: int) -> None:
        """Give it a signing key over its cable."""


class EmbeddedMachine:
    """The copter inside this program."""

    sim = "embedded"
    unarmed_l = 0.0

    def __init__(self, fleet: EmbeddedFleet, index: int, wire: Wire) -> None:
        self._fleet, self._index, self.wire = fleet, index, wire
        self.armed_with: list[Held] = []

    @property
    def copter(self) -> EmbeddedCopter:
        return self._fleet.copters[self._index]

    @property
    def now_s(self) -> float:
        return self.copter.state.now_s

    @property
    def unix_s(self) -> float:
        return EPOCH_S

    @property
    def pumped_l(self) -> float:
        return self.copter.pumped_l

    @property
    def is_armed(self) -> bool:
        return self.copter.state.is_armed

    @property
    def truth(self) -> Iterable[Sample]:
        return self.copter.truth

    async def fail(self, name: str) -> None:
        break_vehicle(self.copter, name)
        if name == "battery-drop":
            self.copter.faults.battery_lost_frac = 0.85

    async def blow(self, speed_mps: float, toward_rad: float) -> None:
        self.copter.faults.wind_mps = speed_mps
        self.copter.faults.wind_toward_rad = toward_rad

    def silence(self, is_silent: bool) -> None:
        self.copter.faults.link_silent = is_silent

    async def reboot(self) -> None:
        self.copter.reboot()

    async def station(self) -> BytePipe:
        return self._fleet.connect(self._index)

    async def pilot(self, mode: int) -> None:
        assert self.copter.pilot_mode(mode)

    async def sign(self, secret: bytes, begins: int) -> None:
        self.copter._machine.signing.setup(secret, begins)

    async def look(self) -> None:
        """Note what the copter holds whenever its motors are armed."""
        was = False
        while True:
            if self.is_armed and not was:
                self.armed_with.append(self._held())
            was = self.is_armed
            await asyncio.sleep(0.05)

    def _held(self) -> Held:
        return tuple(
            (i.command, i.p1, i.lat_e7, i.lon_e7, round(i.z_m, 2)) for i in self.copter.mission[1:]
        )


@asynccontextmanager
async def embedded_world(
    plan: Plan, drones: Sequence[Drone], link: LinkFaults | None, seed: int, *, by_radio: bool
) -> AsyncIterator[tuple[list[Machine], Crew]]:
    """Copters on their pads with their links, and the crew."""
    async with EmbeddedFleet(
        drones, homes=homes_of(plan, list(drones)), warm_boot=True, seed=seed
    ) as fleet:
        made = []
        for index in range(len(drones)):
            if by_radio:
                fleet.connect(index)  # the cable
            pipe: Any = fleet.connect(index)
            if link is not None:
                pipe = FaultyPipe(pipe, faults=link, seed=seed + index)
            made.append(EmbeddedMachine(fleet, index, Wire(pipe)))
        for drone, copter in zip(drones, fleet.copters, strict=True):
            first = next((s for s in plan.sorties if s.drone_id == drone.id), None)
            if first is not None and first.carried_l:
                copter.drain()
                copter.refill(first.carried_l)
        looking = [asyncio.create_task(machine.look()) for machine in made]
        ids = [drone.id for drone in drones]
        yield list(made), crew_of(plan.site.policy, dict(zip(ids, fleet.copters, strict=True)))
        for task in looking:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def wind_from_deg(toward_rad: float) -> float:
    """Where a wind comes from, right from north, that blows so, left from east."""
    return (270.0 - math.degrees(toward_rad)) % 360.0
