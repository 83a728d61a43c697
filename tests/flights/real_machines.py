"""A real ArduCopter process for the fault matrix, judged by its own dataflash logs.

The ground has the first serial line, as `rehearse` does; faults and a look at the pump go over
the second and third. What was true is read afterwards from the logs: the simulator's own place
(SIM), the servo's output (RCOU), and the mission that stands at the head of each log (CMD),
one log for each arming.
"""

from __future__ import annotations

import asyncio
import bisect
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

from pymavlink import DFReader
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.drones import Drone
from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import SimulatedCrew, homes_of
from skymist.flight.conductor.crew import Crew, Load
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.binaries import find_arducopter
from skymist.sitl.crew_line import CHATTER_NUM, CHATTER_S, NO_MODE, SERIAL1, SERIAL2
from skymist.sitl.faults import FaultyPipe, LinkFaults
from skymist.sitl.pipes import BytePipe
from skymist.sitl.proxy import JoiningPipe
from skymist.sitl.testing.station import Station
from skymist.sitl.truth import Sample
from tests.flights.machines import Held, Machine, Wire, wind_from_deg

LOGS = {"LOG_FILE_DSRMROT": 1.0, "LOG_DISARMED": 0.0}
CLOSED_US, SPAN_US, OPEN_US = 1100, 800, 1120
"""The pump's servo as sprayer.parm sets it up; what counts as open."""
LOOK_HZ, ASK_AGAIN_S = 10.0, 5.0
BATTERY_LEFT = 11.0


class RealMachine:
    """One process, seen over its third serial line while it flies."""

    sim = "ardupilot"

    def __init__(
        self, fleet: ArduPilotFleet, index: int, drone: Drone, wire: Wire, tank_l: float
    ) -> None:
        self._fleet, self._index, self._drone, self.wire = fleet, index, drone, wire
        self.armed_with: list[Held] = []
        self.truth: Sequence[Sample] = ()
        self._tank_l = self.held_l = tank_l
        self._fills: list[tuple[float, float]] = []
        self._boot_s = self._before_s = 0.0
        self._is_armed = False
        self._pumped_l = self._frac = self._seen_s = 0.0
        self.unarmed_l = 0.0
        """Litres seen to leave the nozzles while disarmed, when no log is written."""
        self.unix_s = time.time()

    # -- seen in flight --------------------------------------------------------------------

    @property
    def port(self) -> int:
        return int(self._fleet.addresses[self._index].rpartition(":")[2])

    @property
    def now_s(self) -> float:
        return self._before_s + self._boot_s

    @property
    def pumped_l(self) -> float:
        return self._pumped_l

    @property
    def is_armed(self) -> bool:
        return self._is_armed

    async def look(self) -> None:
        """See where its clock, its motors and its pump stand, ten times a second."""
        pipe = JoiningPipe(self.port + SERIAL2)
        self._station = station = Station(pipe, sysid=253, target=self._drone.sysid)
        station.watchers.append(self._see)
        hearing = asyncio.create_task(station.listen())
        try:
            while True:
                for number in (33, 36):
                    station.send(
                        mavlink.MAVLink_command_long_message(
                            *(self._drone.sysid, 1, 511, 0, number, 1e6 / LOOK_HZ, 0, 0, 0, 0, 0)
                        )
                    )
                station.heard.clear()
                await asyncio.sleep(ASK_AGAIN_S)
        finally:
            hearing.cancel()
            pipe.close()

    def _see(self, message: Any) -> None:
        match message.get_type():
            case "HEARTBEAT" if message.get_srcComponent() == 1:
                self._is_armed = bool(message.base_mode & 128)
            case "GLOBAL_POSITION_INT":
                at_s = message.time_boot_ms / 1000
                if at_s < self._boot_s - 5.0:
                    self._before_s += self._boot_s
                self._boot_s = at_s
            case "SERVO_OUTPUT_RAW":
                at_s = message.time_usec / 1e6
                litres = self._frac * self._flow_lps * min(max(at_s - self._seen_s, 0.0), 1.0)
                self._pumped_l += litres
                self.held_l = max(0.0, self.held_l - litres)
                self.unarmed_l += 0.0 if self._is_armed else litres
                self._seen_s, self._frac = at_s, _frac(message.servo9_raw)

    @property
    def _flow_lps(self) -> float:
        return self._drone.model.sprayer.flow_max_lps

    # -- what goes wrong -------------------------------------------------------------------

    async def fail(self, name: str) -> None:
        if name == "battery-drop":
            async with self._fleet._crew_line(self._index) as line:
                await line.command(mavlink.MAV_CMD_BATTERY_RESET, 1, BATTERY_LEFT)
        elif name == "tank-dry":
            self._empty()
        elif name == "text-flood":
            self._flooding = asyncio.create_task(self._flood())
        else:
            await self._fleet.break_vehicle(self._index, name)

    async def _flood(self) -> None:
        """As the fleet's, over the line that is open already."""
        while True:
            for _ in range(CHATTER_NUM):
                self._station.send(
                    mavlink.MAVLink_command_long_message(
                        *(self._drone.sysid, 1, mavlink.MAV_CMD_DO_SET_MODE, 0, 1, NO_MODE),
                        *(0.0,) * 5,
                    )
                )
            await asyncio.sleep(CHATTER_S)

    async def blow(self, speed_mps: float, toward_rad: float) -> None:
        async with self._fleet._crew_line(self._index) as line:
            await line.set_param("SIM_WIND_DIR", wind_from_deg(toward_rad))
            await line.set_param("SIM_WIND_SPD", speed_mps)

    def silence(self, is_silent: bool) -> None:
        self.wire.is_silent = is_silent

    async def reboot(self) -> None:
        await self._fleet.restart(self._index)

    async def station(self) -> BytePipe:
        return JoiningPipe(self.port + SERIAL1)

    async def pilot(self, mode: int) -> None:
        """By its mode switch; the throttle is held amid until it stands."""
        await self._fleet.pilot_mode(self._index, mode)
        self._piloting = asyncio.create_task(self._lower_when_down())

    async def _lower_when_down(self) -> None:
        while self.is_armed:
            await asyncio.sleep(0.5)
        self._fleet.hold_sticks(self._index, throttle_us=1000)

    async def sign(self, secret: bytes, begins: int) -> None:
        """Over the first serial line, which is the cable: the ground has the second then."""
        self.cable = Station(await self._fleet.open(self._index), target=self._drone.sysid)
        self._hearing = asyncio.create_task(self.cable.listen())
        await self.cable.wait("HEARTBEAT", 60.0)
        await asyncio.sleep(5.0)
        for _ in range(3):  # it is not answered
            order = mavlink.MAVLink_setup_signing_message(
                self._drone.sysid, 1, list(secret), begins
            )
            self.cable.send(order)
            await asyncio.sleep(0.5)

    def pour(self, load: Load) -> None:
        """The crew fills the tank, which the simulator knows nothing of."""
        if load.into_empty or load.is_level:
            self._empty()
        self._fills.append((self.now_s, load.litres_l))
        self.held_l += load.litres_l

    def _empty(self) -> None:
        self._fills.append((self.now_s, -1.0))
        self.held_l = 0.0

    # -- what was true ---------------------------------------------------------------------

    def read_logs(self, folder: Path, plan: Plan) -> None:
        """Fill `truth` and `armed_with` when the process has ended."""
        pad = next(pad for pad in plan.site.pads if pad.id == self._drone.pad_id)
        samples: list[Sample] = []
        tank = _Tank(self._tank_l, self._fills)
        logs = sorted(folder.rglob("*.BIN"), key=lambda path: int(path.stem))
        offset_s = last_s = 0.0
        for path in logs:
            log = _Log(path)
            if not log.places:
                continue
            if log.places[0][0] < last_s - offset_s - 5.0:  # it was switched off between them
                offset_s = last_s
            last_s = offset_s + log.places[-1][0]
            self.armed_with += log.armed_with
            xy = plan.site.origin.to_local([(lon, lat) for _, lat, lon, _ in log.places])
            for (at_s, lat, lon, up_m), (x, y), frac in zip(
                log.places, xy, log.fracs(), strict=True
            ):
                flow_lps = tank.flow(offset_s + at_s, frac * self._flow_lps)
                samples.append(
                    Sample(
                        *(offset_s + at_s, x - pad.x, y - pad.y, up_m, lat, lon),
                        *(flow_lps, tank.pumped_l, tank.held_l, 0, True),
                    )
                )
            tank.flow(last_s, 0.0)
        self.truth = samples


def _frac(pulse_us: float) -> float:
    return min(1.0, max(0.0, (pulse_us - CLOSED_US) / SPAN_US)) if pulse_us > OPEN_US else 0.0


class _Tank:
    """Litres by the crew's fills and the pump's output: from an empty tank nothing comes."""

    def __init__(self, held_l: float, fills: Iterable[tuple[float, float]]) -> None:
        self.held_l, self.pumped_l = held_l, 0.0
        self._fills = list(fills)
        self._at_s = self._flow_lps = 0.0

    def flow(self, at_s: float, wanted_lps: float) -> float:
        """Carry on to this moment; the flow from now on."""
        used_l = min(self.held_l, self._flow_lps * max(at_s - self._at_s, 0.0))
        self.held_l -= used_l
        self.pumped_l += used_l
        while self._fills and self._fills[0][0] <= at_s:
            _, litres_l = self._fills.pop(0)
            self.held_l = 0.0 if litres_l < 0.0 else self.held_l + litres_l
        self._at_s = at_s
        self._flow_lps = wanted_lps if self.held_l > 0.0 else 0.0
        return self._flow_lps


class _Log:
    """One dataflash log: it begins when the motors are armed, and ends some time after."""

    def __init__(self, path: Path) -> None:
        self.places: list[tuple[float, float, float, float]] = []
        self._pumps: list[tuple[float, float]] = []
        self.armed_with: list[Held] = []
        """What was held at each arming: the list at the log's head, then the last that came."""
        self._items: dict[int, tuple[float, ...]] = {}
        self._ground_m = 0.0
        with closing(DFReader.DFReader_binary(str(path))) as reader:
            while (message := reader.recv_match(type=["SIM", "RCOU", "CMD", "MSG"])) is not None:
                self._take(message, message.TimeUS / 1e6)

    def _take(self, message: Any, at_s: float) -> None:
        match message.get_type():
            case "SIM":
                self._ground_m = self._ground_m or message.Alt
                self.places.append((at_s, message.Lat, message.Lng, message.Alt - self._ground_m))
            case "RCOU":
                self._pumps.append((at_s, _frac(message.C9)))
            case "MSG" if message.Message == "Arming motors" and self.armed_with:
                self.armed_with.append(self._held())
            case "CMD":
                if message.CNum == 0:
                    self._items.clear()
                self._items[message.CNum] = (
                    *(message.CId, message.Prm1, round(message.Lat * 1e7)),
                    *(round(message.Lng * 1e7), round(message.Alt, 2)),
                )
                if not self.armed_with and len(self._items) == message.CTot:
                    self.armed_with.append(self._held())

    def _held(self) -> Held:
        return tuple(self._items[number] for number in sorted(self._items) if number > 0)

    def fracs(self) -> Iterable[float]:
        """The pump's opening at each place."""
        times = [at_s for at_s, _ in self._pumps]
        for at_s, *_ in self.places:
            index = bisect.bisect_right(times, at_s) - 1
            yield self._pumps[index][1] if index >= 0 else 0.0


def real_world(binary: Path | None, speedup: float, folder: Path) -> Any:
    """A maker of worlds, of the shape of `machines.embedded_world`; logs go into `folder`."""

    @asynccontextmanager
    async def world(
        plan: Plan, drones: Sequence[Drone], link: LinkFaults | None, seed: int, *, by_radio: bool
    ) -> AsyncIterator[tuple[list[Machine], Crew]]:
        made: list[RealMachine] = []
        async with ArduPilotFleet(
            drones,
            homes=homes_of(plan, list(drones)),
            speedup=speedup,
            found=find_arducopter(binary),
            logs_dir=folder,
            params=LOGS,
        ) as fleet:
            for index, drone in enumerate(drones):
                port = int(fleet.addresses[index].rpartition(":")[2])
                pipe: Any = JoiningPipe(port + (SERIAL1 if by_radio else 0))
                if link is not None:
                    pipe = FaultyPipe(pipe, faults=link, seed=seed + index)
                carried_l = next((s.carried_l for s in plan.sorties if s.drone_id == drone.id), 0.0)
                tank_l = carried_l or drone.model.sprayer.tank_l
                made.append(RealMachine(fleet, index, drone, Wire(pipe), tank_l))
            numbers = {drone.id: index for index, drone in enumerate(drones)}
            looking = [asyncio.create_task(machine.look()) for machine in made]

            async def swap(drone_id: str) -> None:
                await fleet.swap_battery(numbers[drone_id])

            def fill(drone_id: str, load: Load) -> None:
                made[numbers[drone_id]].pour(load)

            def held(drone_id: str) -> float:
                return made[numbers[drone_id]].held_l

            yield list(made), SimulatedCrew(plan.site.policy, fill, swap, held)
            for task in looking:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            for machine in made:
                machine.wire.close()
            await asyncio.sleep(1.0)
        for machine in made:
            (own,) = folder.glob(f"{machine._drone.id}-*")
            machine.read_logs(own, plan)

    return world
