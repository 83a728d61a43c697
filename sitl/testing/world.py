"""A loop, a fleet on it and a ground station for each drone, for the length of one test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skymist.coverage.errors import PlanError
from skymist.missions.defaults import drone_models
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.faults import break_vehicle, mend_vehicle
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop
from skymist.sitl.params import Firmware
from skymist.sitl.standing import Stand, numbered, parse_home, row_of
from skymist.sitl.testing.station import Station
from skymist.sitl.testing.vehicle import Vehicle, plot
from skymist.sitl.truth import write_truth

if TYPE_CHECKING:
    from skymist.coverage.drones import Drone
    from skymist.sitl.pipes import BytePipe

HOME, SPACING_M = "60.17,24.94,10,0", 10.0
HELLO_S, BOOT_S = 60.0, 3.0
"""Until the first heartbeat, and until missions are taken (ARDUPILOT.md, 7)."""


class World:
    """Drones that fly until `close`.

    Parameters
    ----------
    sim : embedded or ardupilot, and the speed-up (None: as fast as the CPU allows).
    folder : where frames and logs go.
    num, home, model : so many drones of a built-in model, in a row from LAT,LON,ALT,HDG on.
    plan : a plan's folder in their place: its drones, on their pads.
    seed : of everything random.
    params : ArduPilot's parameters to begin with; embedded copters are set up by MAVLink.
    firmware : whose parameter names the embedded copters answer to.
    """

    def __init__(
        self,
        sim: tuple[str, float | None],
        folder: Path,
        *,
        num: int = 1,
        home: str = HOME,
        model: str = "hexa-16",
        plan: str | Path | None = None,
        seed: int = 0,
        params: Mapping[str, float] | None = None,
        firmware: Firmware = Firmware.V4_7,
    ) -> None:
        self._sim, self._speedup = sim
        self._folder = folder
        self._seed, self._params, self._firmware = seed, dict(params or {}), firmware
        self._drones, self._stands = _fleet(num, home, model, plan)
        is_virtual = self._sim == "embedded" and self._speedup is None
        self._loop = VirtualLoop() if is_virtual else ScaledLoop(self._speedup or 1.0)
        self._stack = AsyncExitStack()
        self._vehicles: tuple[Vehicle, ...] = ()

    def open(self) -> tuple[Vehicle, ...]:
        """Switch the drones on."""
        try:
            self._vehicles = self._run(self._open())
        except BaseException:
            self.close()
            raise
        return self._vehicles

    def close(self, *, keep: bool = False) -> None:
        """Switch them off; with `keep` truth and a plot of each are left in the folder."""
        try:
            if keep:
                for vehicle in self._vehicles:
                    plot(vehicle, self._folder / f"{vehicle.id}.png")
                    if self._sim == "embedded":
                        write_truth(vehicle.truth, self._folder / f"{vehicle.id}-truth.csv")
            self._run(self._stack.aclose())
        finally:
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any] | Awaitable[Any]) -> Any:
        return self._loop.run_until_complete(work)

    async def _open(self) -> tuple[Vehicle, ...]:
        homes = [stand.home for stand in self._stands]
        headings = [stand.heading_deg for stand in self._stands]
        if self._sim == "embedded":
            fleet = EmbeddedFleet(
                self._drones,
                homes=homes,
                headings_deg=headings,
                seed=self._seed,
                firmware=self._firmware,
            )
            await self._stack.enter_async_context(fleet)
            return tuple([await self._embedded(fleet, i) for i in range(len(self._drones))])
        real = ArduPilotFleet(
            self._drones,
            homes=homes,
            headings_deg=headings,
            speedup=self._speedup or 1.0,
            logs_dir=self._folder / "logs",
            params=self._params,
        )
        await self._stack.enter_async_context(real)
        return tuple([await self._real(real, i) for i in range(len(self._drones))])

    async def _embedded(self, fleet: EmbeddedFleet, index: int) -> Vehicle:
        copter = fleet.copters[index]

        async def strike(name: str, is_broken: bool) -> None:
            (break_vehicle if is_broken else mend_vehicle)(copter, name)

        station = await self._station(fleet.connect(index), self._drones[index])
        return Vehicle(self._drones[index], station, self._run, strike, copter)

    async def _real(self, fleet: ArduPilotFleet, index: int) -> Vehicle:
        async def strike(name: str, is_broken: bool) -> None:
            change: Callable[[int, str], Awaitable[None]]
            change = fleet.break_vehicle if is_broken else fleet.mend_vehicle
            await change(index, name)

        station = await self._station(await fleet.open(index), self._drones[index])
        return Vehicle(self._drones[index], station, self._run, strike, None)

    async def _station(self, pipe: BytePipe, drone: Drone) -> Station:
        recorded = _Recorded(pipe, self._folder / f"{drone.id}.tlog")
        station = Station(recorded, target=drone.sysid)
        tasks = [asyncio.create_task(station.listen()), asyncio.create_task(station.beat())]

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            recorded.close()

        self._stack.push_async_callback(end)
        await station.wait("HEARTBEAT", HELLO_S)
        await asyncio.sleep(BOOT_S)
        return station


def _fleet(
    num: int, home: str, model: str, plan: str | Path | None
) -> tuple[tuple[Drone, ...], tuple[Stand, ...]]:
    """The drones that fly and their pads."""
    if plan is None:
        models = drone_models()
        if model not in models:
            raise PlanError(f"model: wanted one of {', '.join(models)}, found {model!r}")
        return numbered(num, models[model]), row_of(num, parse_home(home), SPACING_M)
    from skymist.missions.plans import read_flyable_plan

    made = read_flyable_plan(Path(plan))
    flying = {sortie.drone_id for sortie in made.sorties}
    pads = {pad.id: pad for pad in made.site.pads}
    drones = tuple(drone for drone in made.site.fleet if drone.id in flying)
    stands = []
    for drone in drones:
        pad = pads[drone.pad_id]
        geo = made.site.origin.geo(pad.x, pad.y)
        amsl_m = made.site.origin.amsl_m
        stand = Stand(lat_deg=geo.lat_deg, lon_deg=geo.lon_deg, amsl_m=amsl_m, heading_deg=0.0)
        stands.append(stand)
    return drones, tuple(stands)


class _Recorded:
    """A pipe whose bytes are kept: as a tlog, 8 bytes of microseconds before each piece."""

    def __init__(self, pipe: BytePipe, target: Path) -> None:
        self._pipe = pipe
        self._file = target.open("wb")

    async def read(self) -> bytes:
        data = await self._pipe.read()
        self._keep(data)
        return data

    def write(self, data: bytes) -> None:
        self._keep(data)
        self._pipe.write(data)

    def _keep(self, data: bytes) -> None:
        if data and not self._file.closed:
            from skymist.sitl.faults import split_frames

            frames, _ = split_frames(data)
            at = time.time_ns() // 1000
            for frame in frames:
                self._file.write(at.to_bytes(8, "big") + frame)

    def close(self) -> None:
        self._file.close()
        self._pipe.close()
