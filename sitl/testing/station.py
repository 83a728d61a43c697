"""A small ground station for flight tests, written from the protocol alone.

It knows nothing of `skymist.flight`, so that one misreading cannot hide in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.pipes import BytePipe

_INT32_PARAM = 9


class Row(NamedTuple):
    """An item before it has a number."""

    command: int
    frame: int = 0
    params: tuple[float, float, float, float] = (0, 0, 0, 0)
    lat_e7: int = 0
    lon_e7: int = 0
    z_m: float = 0.0


class Station:
    """One ground station on one pipe. `last` has the latest message of each type.

    `watchers` are handed every message that comes.
    """

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
        """Hear everything until the pipe closes."""
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
        """Send a heartbeat a second."""
        while True:
            if self.beats:
                self.send_heartbeat()
            await asyncio.sleep(1)

    def send(self, message: Any) -> None:
        """Send a message."""
        self._pipe.write(bytes(message.pack(self._mav)))
        self._mav.seq = (self._mav.seq + 1) % 256

    def send_heartbeat(self) -> None:
        """Send a ground station's heartbeat."""
        self.send(mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))

    async def ask(
        self, message: Any, wanted: str | Callable[[Any], bool], timeout_s: float = 5.0
    ) -> Any:
        """Send, then wait for an answer; `wanted` is a type or a claim about messages.

        Raises
        ------
        TimeoutError
            None came.
        """
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
        """Wait for a message."""
        return await self.ask(None, wanted, timeout_s)

    async def command(self, number: int, *params: float) -> int:
        """Give a command; the result that it was acknowledged with."""
        p = [*params, *[0.0] * (7 - len(params))]
        ack = await self.ask(
            mavlink.MAVLink_command_long_message(self.target, 1, number, 0, *p),
            lambda m: m.get_type() == "COMMAND_ACK" and m.command == number,
        )
        result: int = ack.result
        return result

    async def interval(self, message_id: int, rate_hz: float) -> int:
        """Ask for a message so often."""
        return await self.command(511, message_id, 1e6 / rate_hz)

    async def set_param(self, name: str, value: float) -> float:
        """Set a parameter; the value that came back."""
        message = mavlink.MAVLink_param_set_message(
            self.target, 1, name.encode(), value, _INT32_PARAM
        )
        answer = await self.ask(
            message, lambda m: m.get_type() == "PARAM_VALUE" and m.param_id == name
        )
        back: float = answer.param_value
        return back

    def item(self, seq: int, row: Row, mission_type: int = 0) -> Any:
        """A row as MISSION_ITEM_INT."""
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
        """Read back every item."""
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
        """Wait for a position and for passed pre-arm checks."""
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
        """Wait for a mode."""
        await self.wait(lambda m: m.get_type() == "HEARTBEAT" and m.custom_mode == mode, timeout_s)

    async def wait_disarmed(self, timeout_s: float = 600.0) -> None:
        """Wait until the motors stand."""
        await self.wait(lambda m: m.get_type() == "HEARTBEAT" and not m.base_mode & 128, timeout_s)

    async def wait_armed(self) -> None:
        """Wait until the motors turn."""
        await self.wait(lambda m: m.get_type() == "HEARTBEAT" and m.base_mode & 128)
