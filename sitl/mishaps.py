"""Faults that strike at their time: written on the command line, or in a test.

`heron:gps-lost@40+10` breaks heron's GPS 40 s after it first armed, for 10 s. Without a drone a
fault strikes each of them; without a time a link is spoilt from the start and a vehicle breaks
`LATER_S` after arming; without a length it stays.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError
from skymist.sitl.faults import (
    ABOUT,
    DEEDS,
    LINK_FAULTS,
    VEHICLE_FAULTS,
    FaultyPipe,
    LinkFaults,
    split_frames,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from skymist.sitl.pipes import BytePipe

log = logging.getLogger(__name__)

LATER_S = 30.0
NAMES = tuple(sorted({*VEHICLE_FAULTS, *DEEDS, *LINK_FAULTS}))
_FORM = re.compile(
    r"(?:(?P<drone>[^:@+]+):)?(?P<name>[a-z-]+)"
    r"(?:@(?P<at>\d+(?:\.\d+)?))?(?:\+(?P<length>\d+(?:\.\d+)?))?"
)
_V2, _V1 = 0xFD, 0xFE
_ARMED_BIT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """One fault: of which drone (None: of each), when after arming (None: at once), how long."""

    name: str
    drone_id: str | None = None
    at_s: float | None = None
    for_s: float | None = None

    @property
    def is_of_link(self) -> bool:
        """Whether it spoils the link and not the vehicle."""
        return self.name in LINK_FAULTS

    def strikes(self, drone_id: str) -> bool:
        """Whether it is this drone's."""
        return self.drone_id is None or self.drone_id == drone_id


def parse_mishap(text: str) -> Mishap:
    """Read [DRONE:]NAME[@SECONDS][+SECONDS].

    Raises
    ------
    PlanError
        It is not of this form, or no fault has the name.
    """
    found = _FORM.fullmatch(text)
    if found is None or found["name"] not in NAMES:
        raise PlanError(
            f"--fault: wanted [DRONE:]NAME[@SECONDS][+SECONDS] with a name of "
            f"{', '.join(NAMES)}, found {text!r}"
        )
    at_s, for_s = (float(found[key]) if found[key] else None for key in ("at", "length"))
    name = found["name"]
    if at_s is None and name not in LINK_FAULTS:
        at_s = LATER_S
    return Mishap(name=name, drone_id=found["drone"], at_s=at_s, for_s=for_s)


def told_names() -> str:
    """Every name, with what it is and which simulators have it; a line each."""
    from skymist.sitl.ardupilot_faults import UNKNOWN_TO_ARDUPILOT

    wide = max(map(len, NAMES))
    lines = []
    for name in NAMES:
        kind = "link" if name in LINK_FAULTS else "drone"
        sims = "embedded" if name in UNKNOWN_TO_ARDUPILOT else "embedded, ardupilot"
        lines.append(f"{name:{wide}}  {kind:5}  {sims:19}  {ABOUT[name]}")
    return "\n".join(lines)


def require_drones(mishaps: Iterable[Mishap], drone_ids: Sequence[str]) -> None:
    """Check that every drone named is there.

    Raises
    ------
    PlanError
        One is not.
    """
    for mishap in mishaps:
        if mishap.drone_id is not None and mishap.drone_id not in drone_ids:
            wanted = ", ".join(drone_ids)
            raise PlanError(f"--fault: wanted a drone of {wanted}, found {mishap.drone_id!r}")


class MishapPipe:
    """A drone's link, on which and beside which faults strike at their times.

    `strike(name, is_broken)` breaks and mends the vehicle. The drone's own heartbeats tell when
    it armed, so that embedded and real copters are watched alike.
    """

    def __init__(
        self,
        pipe: BytePipe,
        mishaps: Sequence[Mishap],
        strike: Callable[[str, bool], Awaitable[None]],
        *,
        seed: int = 0,
    ) -> None:
        self._pipe = FaultyPipe(_Watched(pipe, self._armed), faults=LinkFaults(), seed=seed)
        self._mishaps = tuple(mishaps)
        self._strike = strike
        self._tasks: list[asyncio.Task[None]] = []
        self._active: list[Mishap] = []
        self._was_armed = False
        self.struck: list[str] = []
        for mishap in self._mishaps:
            if mishap.at_s is None:
                self._begin(mishap)

    async def read(self) -> bytes:
        """Give the bytes that came through, waiting for some; b"" once closed."""
        return await self._pipe.read()

    def write(self, data: bytes) -> None:
        """Send bytes, as far as they get through."""
        self._pipe.write(data)

    def close(self) -> None:
        """End the link, and what was still to strike."""
        for task in self._tasks:
            task.cancel()
        self._pipe.close()

    def _armed(self) -> None:
        if not self._was_armed:
            self._was_armed = True
            for mishap in self._mishaps:
                if mishap.at_s is not None:
                    self._begin(mishap)

    def _begin(self, mishap: Mishap) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._run(mishap)))

    async def _run(self, mishap: Mishap) -> None:
        await asyncio.sleep(mishap.at_s or 0.0)
        log.info("fault strikes", extra={"fault": mishap.name})
        self.struck.append(mishap.name)
        self._active.append(mishap)
        await self._set(mishap, is_broken=True)
        if mishap.for_s is not None:
            await asyncio.sleep(mishap.for_s)
            log.info("fault is mended", extra={"fault": mishap.name})
            self._active.remove(mishap)
            await self._set(mishap, is_broken=False)

    async def _set(self, mishap: Mishap, *, is_broken: bool) -> None:
        """Break or mend; what is broken twice at a time is mended when both are over.

        Of several faults of the link the one that struck last holds.
        """
        names = [active.name for active in self._active]
        if mishap.is_of_link:
            of_link = [name for name in names if name in LINK_FAULTS]
            self._pipe.faults = LINK_FAULTS[of_link[-1]] if of_link else LinkFaults()
        elif is_broken or mishap.name not in names:
            await self._strike(mishap.name, is_broken)


class _Watched:
    """A pipe whose heartbeats are looked at: `armed` is called for each that says so."""

    def __init__(self, pipe: BytePipe, armed: Callable[[], None]) -> None:
        self._pipe = pipe
        self._armed = armed
        self._rest = b""

    async def read(self) -> bytes:
        data = await self._pipe.read()
        frames, self._rest = split_frames(self._rest + data)
        if any(is_armed_heartbeat(frame) for frame in frames):
            self._armed()
        return data

    def write(self, data: bytes) -> None:
        self._pipe.write(data)

    def close(self) -> None:
        self._pipe.close()


def is_armed_heartbeat(frame: bytes) -> bool:
    """Whether a frame is a vehicle's HEARTBEAT that says it is armed.

    Source: the MAVLink guide: HEARTBEAT is message 0; its payload has custom_mode (4 bytes),
    type, autopilot, base_mode.
    """
    if frame[:1] == bytes([_V2]) and frame[7:10] == b"\0\0\0":
        payload = frame[10:-2]
    elif frame[:1] == bytes([_V1]) and frame[5:6] == b"\0":
        payload = frame[6:-2]
    else:
        return False
    return len(payload) > 6 and bool(payload[6] & _ARMED_BIT)
