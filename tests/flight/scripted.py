"""A simple vehicle by pymavlink alone, and a link that loses, repeats and delays by seed.

It answers as ArduPilot does (ARDUPILOT.md 7 to 13) as far as the ground's protocols can see.
Written without `skymist.flight.mavlink.codec`, so that one misreading cannot hide in both.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.missions.items import Command, FencePolygon, Frame, Item, Mission
from skymist.sitl.loops import VirtualLoop, run

T = TypeVar("T")


def fly(main: Coroutine[Any, Any, T]) -> T:
    """Run in simulated time."""
    return run(main, loop=VirtualLoop())


@dataclass
class FakeLink:
    """The ground's end; `vehicles` hear what is written. Loss both ways, by seed."""

    seed: int = 0
    loss_frac: float = 0.0
    repeat_frac: float = 0.0
    corrupt_frac: float = 0.0
    delay_s: float = 0.01
    jitter_s: float = 0.0
    vehicles: list[ScriptedVehicle] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    is_cut: bool = False

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._num = 0
        self._arrived: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._is_closed = False

    async def read(self) -> bytes:
        while not self._arrived:
            if self._is_closed:
                return b""
            self._wake.clear()
            await self._wake.wait()
        return self._arrived.popleft()

    def write(self, data: bytes) -> None:
        self.written.append(data)
        for vehicle in self.vehicles:
            self._pass_on(data, vehicle.hear)

    def close(self) -> None:
        self._is_closed = True
        self._wake.set()

    def arrive(self, data: bytes) -> None:
        """Bytes from a vehicle, through the noise."""
        self._pass_on(data, self._take)

    def _take(self, data: bytes) -> None:
        self._arrived.append(data)
        self._wake.set()

    def _pass_on(self, data: bytes, take: Any) -> None:
        chance = self._random
        if self.is_cut or chance.random() < self.loss_frac:
            return
        if chance.random() < self.corrupt_frac:
            at = chance.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        for _ in range(2 if chance.random() < self.repeat_frac else 1):
            self._num += 1  # in order, where there is no jitter
            delay_s = self.delay_s + chance.random() * self.jitter_s + self._num * 1e-9
            asyncio.get_running_loop().call_later(delay_s, take, data)


class ScriptedVehicle:
    """Holds lists, parameters, a mode; `refuse` maps (kind, seq) to the result it ends with."""

    def __init__(self, link: FakeLink, *, sysid: int = 1) -> None:
        self._link = link
        self._out = m.MAVLink(None, sysid, 1)
        self._in = m.MAVLink(None)
        self._in.robust_parsing = True
        self.sysid = sysid
        self.lists: dict[int, list[Any]] = {0: [], 1: [], 2: []}
        self.refuse: dict[tuple[int, int], int] = {}
        self.lose_acks = 0
        self.is_mute = False
        self.booted_s = -10.0
        self.denied_until_s = -1.0
        self.params: dict[str, tuple[float, int]] = {}
        self.readonly: set[str] = set()
        self.command_results: dict[int, list[int]] = {}
        self.commands: list[tuple[int, tuple[float, ...]]] = []
        self.mode = 0
        self.is_armed = False
        self.battery_frac = 0.95
        self.prearm_reasons: list[str] = []
        self.place = (601700000, 249400000)
        self.home: tuple[int, int] | None = (601700000, 249400000)
        self.ekf_flags = 831
        self.vehicle_type = 2
        self._kind = -1
        self._wanted = 0
        self._count = 0
        self._fresh: list[Any] = []
        self._took_s = 0.0
        self._asked_s = 0.0
        self._task = asyncio.create_task(self._live())
        link.vehicles.append(self)

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def say(self, message: Any) -> None:
        if not self.is_mute:
            data = bytes(message.pack(self._out))
            self._out.seq = (self._out.seq + 1) % 256
            self._link.arrive(data)

    def beat(self) -> None:
        base = 81 | (128 if self.is_armed else 0)
        self.say(m.MAVLink_heartbeat_message(self.vehicle_type, 3, base, self.mode, 4, 3))

    async def _live(self) -> None:
        num = 0
        while True:
            if num % 10 == 0:
                self.beat()
                self._telemetry()
            num += 1
            self._retry()
            await asyncio.sleep(0.1)

    def _telemetry(self) -> None:
        health = 0xFFFFFFF | (0 if self.prearm_reasons else 1 << 28)
        frac = round(self.battery_frac * 100)
        self.say(m.MAVLink_sys_status_message(0, 0, health, 0, 12600, 0, frac, 0, 0, 0, 0, 0, 0))
        self.say(m.MAVLink_ekf_status_report_message(self.ekf_flags, 0, 0, 0, 0, 0))
        self.say(m.MAVLink_gps_raw_int_message(0, 3, 601700000, 249400000, 0, 100, 0, 0, 0, 9))
        self.say(m.MAVLink_global_position_int_message(0, *self.place, 10000, 0, 0, 0, 0, 0))

    def _retry(self) -> None:
        if self._kind < 0:
            return
        if self.now_s - self._took_s > 8:
            kind, self._kind = self._kind, -1
            self._ack(kind, 15)
        elif self.now_s - self._asked_s > 1:
            self._request()

    def _request(self) -> None:
        self._asked_s = self.now_s
        self.say(m.MAVLink_mission_request_message(255, 190, self._wanted, self._kind))

    def _ack(self, kind: int, result: int) -> None:
        if result == 0 and self.lose_acks > 0:
            self.lose_acks -= 1
            return
        self.say(m.MAVLink_mission_ack_message(255, 190, result, kind))

    def hear(self, data: bytes) -> None:
        for message in self._in.parse_buffer(bytearray(data)) or ():
            answer = getattr(self, "_on_" + message.get_type().lower(), None)
            if answer is not None and not self.is_mute:
                answer(message)

    def _on_mission_count(self, message: Any) -> None:
        kind = message.mission_type
        if self.now_s - self.booted_s < 1:
            self._ack(kind, 4)
        elif self.now_s < self.denied_until_s:
            self._ack(kind, 14)
        elif message.count == 0:
            self.lists[kind] = []
            self._ack(kind, 0)
        else:
            if kind == 0:
                del self.lists[0][message.count :]
            self._kind, self._count, self._wanted, self._fresh = kind, message.count, 0, []
            self._took_s = self.now_s
            self._request()

    def _on_mission_item_int(self, message: Any) -> None:
        kind = message.mission_type
        if self._kind != kind:
            self._ack(kind, 1)
        elif message.seq != self._wanted:
            self._ack(kind, 13)
        elif (kind, message.seq) in self.refuse:
            self._kind = -1
            self._ack(kind, self.refuse[kind, message.seq])
        else:
            self._took_s = self.now_s
            self._fresh.append(_kept(message))
            if kind == 0:  # not atomic: a broken transfer leaves new and old
                self.lists[0][message.seq : message.seq + 1] = self._fresh[-1:]
            self._wanted += 1
            if self._wanted == self._count:
                self.lists[kind] = self._fresh
                self._kind = -1
                self._ack(kind, 0)
            else:
                self._request()

    def _on_mission_request_list(self, message: Any) -> None:
        kind = message.mission_type
        if self._kind >= 0:
            self._ack(kind, 14)
        else:
            self.say(m.MAVLink_mission_count_message(255, 190, len(self.lists[kind]), kind))

    def _on_mission_request_int(self, message: Any) -> None:
        kind, seq = message.mission_type, message.seq
        if self._kind >= 0:
            self._ack(kind, 14)
        elif seq >= len(self.lists[kind]):
            self._ack(kind, 13)
        else:
            self.say(
                m.MAVLink_mission_item_int_message(255, 190, seq, *self.lists[kind][seq], kind)
            )

    def _on_mission_clear_all(self, message: Any) -> None:
        self.lists[message.mission_type] = []
        self._kind = -1
        self._ack(message.mission_type, 0)

    def _on_param_request_read(self, message: Any) -> None:
        if message.param_id in self.params:
            self._say_param(message.param_id)

    def _on_param_set(self, message: Any) -> None:
        name = message.param_id
        if name in self.params:
            if name not in self.readonly:
                kind = self.params[name][1]
                value = message.param_value
                self.params[name] = (value if kind == 9 else int(value + 0.01), kind)
            self._say_param(name)

    def _say_param(self, name: str) -> None:
        value, kind = self.params[name]
        self.say(m.MAVLink_param_value_message(name.encode(), value, kind, 1, 65535))

    def _on_command_long(self, message: Any) -> None:
        params = tuple(getattr(message, f"param{i}") for i in range(1, 8))
        self.commands.append((message.command, params))
        planned = self.command_results.get(message.command)
        result = planned.pop(0) if planned else 0
        if result >= 0:
            self.say(m.MAVLink_command_ack_message(message.command, result, 0, 0, 255, 190))
        if result == 0:
            self._obey(message.command, params)

    def _obey(self, command: int, params: tuple[float, ...]) -> None:
        if command == 176:
            self.mode = int(params[1])
        elif command == 400:
            self.is_armed = params[0] == 1
        elif command == 401:
            for reason in self.prearm_reasons:
                self.say(m.MAVLink_statustext_message(3, f"PreArm: {reason}".encode()))
        elif command == 512 and params[0] == 242 and self.home is not None:
            rest = (10000, 0, 0, 0, [1, 0, 0, 0], 0, 0, 0)
            self.say(m.MAVLink_home_position_message(*self.home, *rest))
        elif command == 512 and params[0] == 148:
            eight, version = [0] * 8, 4 << 24 | 6 << 16 | 2 << 8 | 255
            self.say(
                m.MAVLink_autopilot_version_message(
                    0, version, 0, 0, 0, eight, eight, eight, 0, 0, 7
                )
            )


def _kept(message: Any) -> tuple[Any, ...]:
    """What ArduPilot gives back of an item: frame, command, current, autocontinue, the rest."""
    placed = message.command in (16, 19, 21, 22, 189, 5001, 5002, 5100)
    cm = int(struct.unpack("<f", struct.pack("<f", message.z * 100.0))[0])
    frame = message.frame if placed else 0
    if message.command in (5001, 5002):
        frame = 0
    p4 = 1.0 if message.command == 21 else message.param4
    params = (message.param1, message.param2, message.param3, p4)
    place = (message.x, message.y, cm * 0.01) if placed else (0, 0, 0.0)
    return (frame, message.command, 0, 1, *params, *place)


def waypoint(num: int, z_m: float = 4.019) -> Item:
    return Item(
        command=Command.NAV_WAYPOINT,
        frame=Frame.ABOVE_HOME,
        x_e7=601700000 + num * 137,
        y_e7=249400000 + num * 71,
        z_m=z_m,
    )


def sortie(num_legs: int = 6, *, with_fence: bool = True) -> Mission:
    """A mission with every command that the compiler writes."""
    items = [
        waypoint(0, 0.0),
        Item(command=Command.DO_SPRAYER),
        Item(command=Command.NAV_TAKEOFF, frame=Frame.ABOVE_HOME, z_m=3.337),
    ]
    for num in range(1, num_legs + 1):
        items += [
            waypoint(num, 4.0 + num * 0.0317),
            Item(command=Command.CONDITION_DISTANCE, p1=3.3 + num / 10),
            Item(command=Command.DO_SPRAYER, p1=1.0),
            Item(command=Command.DO_CHANGE_SPEED, p1=1.0, p2=4.7, p3=-1.0),
        ]
    way_home = waypoint(0, 5.0)
    items += [
        Item(
            command=Command.NAV_LOITER_TIME,
            frame=Frame.ABOVE_HOME,
            p1=10.0,
            p3=1.0,
            x_e7=way_home.x_e7,
            y_e7=way_home.y_e7,
            z_m=4.0,
        ),
        Item(command=Command.NAV_DELAY, p1=2.5, p2=-1.0, p3=-1.0, p4=-1.0),
        Item(
            command=Command.DO_LAND_START,
            frame=Frame.ABOVE_HOME,
            x_e7=way_home.x_e7,
            y_e7=way_home.y_e7,
            z_m=5.0,
        ),
        Item(command=Command.DO_SPRAYER),
        Item(
            command=Command.NAV_LAND,
            frame=Frame.ABOVE_HOME,
            x_e7=way_home.x_e7,
            y_e7=way_home.y_e7,
        ),
    ]
    low, high, west, east = 601690000, 601710000, 249390000, 249410000
    square = ((low, west), (low, east), (high, east), (high, west))
    rally = Item(
        command=Command.NAV_RALLY_POINT,
        frame=Frame.ABOVE_HOME,
        x_e7=601700100,
        y_e7=249400100,
        z_m=12.0,
    )
    return Mission(
        sortie_id="s1",
        drone_id="d1",
        items=tuple(items),
        spans=(),
        fence=(FencePolygon(is_inclusion=True, corners_e7=square),) if with_fence else (),
        rally=(rally,) if with_fence else (),
        parameters={"spray_enable": 1.0, "wp_speed_mps": 4.7, "spray_speed_min_mps": 0.37},
    )
