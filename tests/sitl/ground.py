"""A tiny ground station for tests, written from the protocol alone, without skymist.flight."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.pipes import BytePipe
from skymist.sitl.state import Grid
from skymist.sitl.testing.station import Row, Station

LAT, LON, AMSL = 60.17, 24.94, 10.0
HOME = (LAT, LON, AMSL)
GRID = Grid(*HOME)

MODEL = DroneModel(
    id="t16",
    name="test 16",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.01, flow_max_lps=0.08, swath_m=4),
    body_m=2,
    dry_kg=20,
    endurance_empty_s=1200,
    endurance_full_s=700,
    battery_wh=1000,
)


def drone(sysid: int = 1, **model: Any) -> Drone:
    from dataclasses import replace

    return Drone(id=f"d{sysid}", model=replace(MODEL, **model), pad_id="pad", sysid=sysid)


def waypoint(x: float, y: float, z: float = 10.0, wait_s: float = 0) -> Row:
    return Row(16, 6, (wait_s, 0, 0, 0), *GRID.to_e7(x, y), z)


def takeoff(z: float = 10.0) -> Row:
    return Row(22, 6, z_m=z)


def do(command: int, *params: float) -> Row:
    p = (*params, 0.0, 0.0, 0.0, 0.0)
    return Row(command, 0, (p[0], p[1], p[2], p[3]))


def land_start() -> Row:
    return Row(189, 6, (0, 0, 0, 0), *GRID.to_e7(0, 0), 10.0)


SPRAY_ON, SPRAY_OFF, RTL, LAND = do(216, 1), do(216, 0), do(20), do(21)


class Ground(Station):
    """The station of `skymist.sitl.testing`, which knows where the tests' pad is."""

    async def wait_beyond(self, x: float, timeout_s: float = 120.0) -> None:
        """Wait until the copter is `x` metres east of its pad."""
        await self.wait(
            lambda m: m.get_type() == "GLOBAL_POSITION_INT" and GRID.to_xy(m.lat, m.lon)[0] > x,
            timeout_s,
        )


@asynccontextmanager
async def on(pipe: BytePipe, sysid: int = 255, target: int = 1) -> AsyncIterator[Ground]:
    """A ground station that listens and beats while the block lasts."""
    ground = Ground(pipe, sysid, target)
    tasks = [asyncio.create_task(ground.listen()), asyncio.create_task(ground.beat())]
    try:
        yield ground
    finally:
        for task in tasks:
            task.cancel()
        for done in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(done, Exception):
                raise done


def tell(
    story: Callable[[Ground, EmbeddedFleet], Coroutine[Any, Any, None]], **fleet: Any
) -> EmbeddedFleet:
    """Run a story with one warm copter and one ground station, in virtual time."""

    async def main() -> EmbeddedFleet:
        options = {"warm_boot": True, **fleet}
        craft = options.pop("drone", drone())
        async with (
            EmbeddedFleet([craft], homes=[HOME], **options) as copters,
            on(copters.connect(0)) as ground,
        ):
            await story(ground, copters)
            return copters

    return run(main(), loop=VirtualLoop())


def away(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.dist(a, b)
