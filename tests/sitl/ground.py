"""A tiny ground station for tests, written from the protocol alone, without skymist.flight."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.pipes import BytePipe
from skymist.sitl.state import Grid

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


class Row(NamedTuple):
    """An item before it has a number."""

    command: int
    frame: int = 0
    params: tuple[float, float, float, float] = (0, 0, 0, 0)
    lat_e7: int = 0
    lon_e7: int = 0
    z_m: float = 0.0


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


class Ground:
    """One ground station on one pipe. `last` has the latest message of each type."""

    def __init__(self, pipe: BytePipe, sysid: int = 255, target: int = 1) -> None:
        self._pipe = pipe
        self._mav = mavlink.MAVLink(None, srcSystem=sysid, srcComponent=190)
        self._mav.robust_parsing = True
        self._waiters: list[tuple[Callable[[Any], bool], asyncio.Future[Any]]] = []
        self.target = target
        self.last: dict[str, Any] = {}
        self.texts: list[str] = []
        self.heard: list[Any] = []
        self.beats = True
        self.watchers: list[Callable[[Any], object]] = []

    async def listen(self) -> None:
        while data := await self._pipe.read():
            for message in self._mav.parse_buffer(data) or []:
                self._hear(message)

    def _hear(self, message: Any) -> None:
        kind = message.get_type()
        if kind == "BAD_DATA":
            return
        self.heard.append(message)
        self.last[kind] = message
        if kind == "STATUSTEXT":
            self.texts.append(message.text)
        for watcher in self.watchers:
            watcher(message)
        for wanted, future in self._waiters:
            if not future.done() and wanted(message):
                future.set_result(message)

    async def beat(self) -> None:
        while True:
            if self.beats:
                self.send_heartbeat()
            await asyncio.sleep(1)

    def send(self, message: Any) -> None:
        self._pipe.write(bytes(message.pack(self._mav)))
        self._mav.seq = (self._mav.seq + 1) % 256

    def send_heartbeat(self) -> None:
        self.send(mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))

    async def ask(
        self, message: Any, wanted: str | Callable[[Any], bool], timeout_s: float = 5.0
    ) -> Any:
        """Send, then wait for an answer; `wanted` is a type or a claim about messages."""
        claim = (lambda m: m.get_type() == wanted) if isinstance(wanted, str) else wanted
        future = asyncio.get_running_loop().create_future()
        entry = (claim, future)
        self._waiters.append(entry)
        try:
            if message is not None:
                self.send(message)
            return await asyncio.wait_for(future, timeout_s)
        finally:
            self._waiters.remove(entry)

    async def wait(self, wanted: str | Callable[[Any], bool], timeout_s: float = 60.0) -> Any:
        return await self.ask(None, wanted, timeout_s)

    async def command(self, number: int, *params: float) -> int:
        p = [*params, *[0.0] * (7 - len(params))]
        ack = await self.ask(
            mavlink.MAVLink_command_long_message(self.target, 1, number, 0, *p),
            lambda m: m.get_type() == "COMMAND_ACK" and m.command == number,
        )
        result: int = ack.result
        return result

    async def interval(self, message_id: int, rate_hz: float) -> int:
        return await self.command(511, message_id, 1e6 / rate_hz)

    async def set_param(self, name: str, value: float) -> float:
        message = mavlink.MAVLink_param_set_message(self.target, 1, name.encode(), value, 9)
        answer = await self.ask(
            message, lambda m: m.get_type() == "PARAM_VALUE" and m.param_id == name
        )
        back: float = answer.param_value
        return back

    def item(self, seq: int, row: Row, mission_type: int = 0) -> Any:
        return mavlink.MAVLink_mission_item_int_message(
            self.target,
            1,
            seq,
            row.frame,
            row.command,
            0,
            1,
            *row.params,
            row.lat_e7,
            row.lon_e7,
            row.z_m,
            mission_type=mission_type,
        )

    async def upload(self, rows: Sequence[Row], mission_type: int = 0) -> int:
        """Upload, answering every request; give the final result."""
        message: Any = mavlink.MAVLink_mission_count_message(
            self.target, 1, len(rows), mission_type=mission_type
        )
        while True:
            answer = await self.ask(
                message,
                lambda m: (
                    m.get_type() in ("MISSION_REQUEST", "MISSION_ACK")
                    and m.mission_type == mission_type
                ),
            )
            if answer.get_type() == "MISSION_ACK":
                result: int = answer.type
                return result
            message = self.item(answer.seq, rows[answer.seq], mission_type)

    async def download(self, mission_type: int = 0) -> list[Any]:
        count = await self.ask(
            mavlink.MAVLink_mission_request_list_message(self.target, 1, mission_type=mission_type),
            "MISSION_COUNT",
        )
        return [
            await self.ask(
                mavlink.MAVLink_mission_request_int_message(
                    self.target, 1, seq, mission_type=mission_type
                ),
                "MISSION_ITEM_INT",
            )
            for seq in range(count.count)
        ]

    async def watch(self) -> None:
        """Ask for the telemetry of a flight."""
        for message_id, rate_hz in (
            (33, 4),
            (36, 4),
            (42, 1),
            (1, 1),
            (24, 1),
            (147, 0.5),
            (193, 1),
            (162, 0.5),
        ):
            assert await self.interval(message_id, rate_hz) == 0

    async def wait_ready(self) -> None:
        await self.wait(lambda m: m.get_type() == "EKF_STATUS_REPORT" and m.flags & 16)
        await self.wait(
            lambda m: m.get_type() == "SYS_STATUS" and m.onboard_control_sensors_health & (1 << 28)
        )

    async def launch(self, rows: Sequence[Row], **params: float) -> None:
        """Upload, set parameters, arm in AUTO and start."""
        await self.prepare(rows, **params)
        await self.start()

    async def prepare(self, rows: Sequence[Row], **params: float) -> None:
        """Upload, set parameters, and wait in AUTO until it may arm."""
        await self.watch()
        for name, value in {"AUTO_OPTIONS": 3.0, "SPRAY_PUMP_RATE": 18.0, **params}.items():
            await self.set_param(name, value)
        assert await self.upload(rows) == 0
        assert await self.command(176, 1, 3) == 0
        await self.wait_ready()

    async def start(self) -> None:
        """Arm and start; a transmitter that wakes late may have changed the mode meanwhile."""
        assert await self.command(176, 1, 3) == 0
        assert await self.command(400, 1) == 0
        assert await self.command(300) == 0

    async def wait_mode(self, mode: int, timeout_s: float = 60.0) -> None:
        await self.wait(lambda m: m.get_type() == "HEARTBEAT" and m.custom_mode == mode, timeout_s)

    async def wait_beyond(self, x: float, timeout_s: float = 120.0) -> None:
        """Wait until the copter is `x` metres east of its pad."""
        await self.wait(
            lambda m: m.get_type() == "GLOBAL_POSITION_INT" and GRID.to_xy(m.lat, m.lon)[0] > x,
            timeout_s,
        )

    async def wait_disarmed(self, timeout_s: float = 600.0) -> None:
        await self.wait(lambda m: m.get_type() == "HEARTBEAT" and not m.base_mode & 128, timeout_s)

    async def wait_armed(self) -> None:
        await self.wait(lambda m: m.get_type() == "HEARTBEAT" and m.base_mode & 128)


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
