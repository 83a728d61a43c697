"""A simulated fleet that stands on its pads and waits for a ground station of any kind."""

from __future__ import annotations

import math
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.coverage.drones import Drone
from skymist.coverage.errors import PlanError
from skymist.sitl.ardupilot import ArduPilotFleet, SimulatorFailed
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.proxy import LinkProxy
from skymist.sitl.state import Grid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from skymist.coverage.drones import DroneModel
    from skymist.sitl.binaries import Found
    from skymist.sitl.faults import LinkFaults

MOST_DRONES = 180
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_HOME = re.compile(rf"({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A pad: its place, and where a drone on it looks, right from north."""

    lat_deg: float
    lon_deg: float
    amsl_m: float
    heading_deg: float

    @property
    def home(self) -> tuple[float, float, float]:
        """Latitude, longitude, height, as fleets take it."""
        return self.lat_deg, self.lon_deg, self.amsl_m


def parse_home(text: str) -> Stand:
    """Read LAT,LON,ALT,HDG: degrees, metres above mean sea, degrees right from north.

    Raises
    ------
    PlanError
        The text is not four such numbers.
    """
    found = _HOME.fullmatch(text.replace(" ", ""))
    wanted = "wanted LAT,LON,ALT,HDG such as 60.17,24.94,10,0"
    if found is None:
        raise PlanError(f"--home: {wanted}, found {text!r}")
    lat, lon, alt, heading = (float(number) for number in found.groups())
    if not (abs(lat) <= 85 and abs(lon) <= 180 and -500 <= alt <= 9000 and 0 <= heading <= 360):
        raise PlanError(f"--home: {wanted}, within the Earth's ranges, found {text!r}")
    return Stand(lat_deg=lat, lon_deg=lon, amsl_m=alt, heading_deg=heading % 360)


def row_of(num: int, first: Stand, spacing_m: float) -> tuple[Stand, ...]:
    """Pads beside each other: each to the right of the one before, seen from a drone on it."""
    grid = Grid(*first.home)
    heading = math.radians(first.heading_deg)
    east, north = math.cos(heading) * spacing_m, -math.sin(heading) * spacing_m
    stands = []
    for i in range(num):
        lat_e7, lon_e7 = grid.to_e7(i * east, i * north)
        stands.append(
            Stand(
                lat_deg=lat_e7 * 1e-7,
                lon_deg=lon_e7 * 1e-7,
                amsl_m=first.amsl_m,
                heading_deg=first.heading_deg,
            )
        )
    return tuple(stands)


def numbered(num: int, model: DroneModel) -> tuple[Drone, ...]:
    """Drones d1, d2, ... of one model, with system ids from 1.

    Raises
    ------
    PlanError
        There are more than `MOST_DRONES`, or none.
    """
    if not 1 <= num <= MOST_DRONES:
        raise PlanError(f"--drones: wanted 1 to {MOST_DRONES}, found {num}")
    ids = range(1, num + 1)
    return tuple(Drone(id=f"d{n}", model=model, pad_id=f"pad-d{n}", sysid=n) for n in ids)


Standing = tuple[dict[str, str], "Callable[[], Awaitable[None]]"]


@asynccontextmanager
async def standing_embedded(
    drones: Sequence[Drone], stands: Sequence[Stand], *, seed: int = 0
) -> AsyncIterator[Standing]:
    """Embedded copters behind TCP ports that the system chooses: connections by drone.

    The second value given waits until a copter fails, and raises what it failed with.
    """
    async with EmbeddedFleet(
        drones,
        homes=[stand.home for stand in stands],
        headings_deg=[stand.heading_deg for stand in stands],
        seed=seed,
    ) as fleet:
        ports = [await fleet.serve_tcp(index) for index in range(len(drones))]
        links = {d.id: f"tcp:127.0.0.1:{p}" for d, p in zip(drones, ports, strict=True)}
        yield links, fleet.wait_ended


@asynccontextmanager
async def standing_ardupilot(
    drones: Sequence[Drone],
    stands: Sequence[Stand],
    *,
    speedup: float,
    found: Found,
    logs_dir: Path | None = None,
) -> AsyncIterator[Standing]:
    """ArduCopter processes on leased ports: connections by drone, and a wait as above."""
    async with ArduPilotFleet(
        drones,
        homes=[stand.home for stand in stands],
        headings_deg=[stand.heading_deg for stand in stands],
        speedup=speedup,
        found=found,
        logs_dir=logs_dir,
    ) as fleet:

        async def ended() -> None:
            index = await fleet.ended()
            what = f"arducopter of {drones[index].id} ended, logs in {fleet.directory}"
            raise SimulatorFailed(what, fleet.last_words(index))

        yield {d.id: fleet.addresses[i] for i, d in enumerate(drones)}, ended


@asynccontextmanager
async def spoilt(
    standing: AbstractAsyncContextManager[Standing], faults: LinkFaults, seed: int
) -> AsyncIterator[Standing]:
    """The same fleet behind proxies that spoil every link."""
    async with AsyncExitStack() as stack:
        links, ended = await stack.enter_async_context(standing)
        through: dict[str, str] = {}
        for number, (drone_id, link) in enumerate(links.items()):
            port = int(link.rpartition(":")[2])
            proxy = LinkProxy(port, faults=faults, seed=seed * 1000 + number)
            await stack.enter_async_context(proxy)
            through[drone_id] = f"tcp:127.0.0.1:{proxy.port}"
        yield through, ended
