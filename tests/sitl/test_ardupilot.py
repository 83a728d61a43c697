"""The real ArduCopter, and the embedded one held against it. Skipped where there is no binary."""

from __future__ import annotations

import asyncio
import math
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.ardupilot import ArduPilotFleet, SimulatorFailed
from skymist.sitl.binaries import BinaryMissing, find_arducopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from skymist.sitl.params import Firmware
from skymist.sitl.pipes import BytePipe
from tests.sitl.ground import (
    GRID,
    HOME,
    LAND,
    SPRAY_OFF,
    SPRAY_ON,
    Row,
    do,
    drone,
    on,
    takeoff,
    waypoint,
)
from tests.sitl.test_flights import meadow

SPEEDUP, TALK_SPEEDUP = 20.0, 8.0
"""Of flights, and of exchanges, whose answers have a time of their own."""
_PASSED_OVER = frozenset(
    ("HEARTBEAT", "STATUSTEXT", "PARAM_VALUE", "HOME_POSITION", "GPS_GLOBAL_ORIGIN", "TIMESYNC")
)


def test_without_a_binary_the_message_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(BinaryMissing, match="nothing there"):
        ArduPilotFleet([drone()], homes=[HOME], found=find_arducopter(tmp_path / "none"))


@pytest.mark.skipif(sys.platform == "win32", reason="the launcher is POSIX's")
def test_a_binary_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "arducopter"
    broken.write_text("#!/bin/sh\necho no such frame\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)

    async def main() -> None:
        fleet = ArduPilotFleet([drone()], homes=[HOME], binary=broken, logs_dir=tmp_path / "logs")
        with pytest.raises(SimulatorFailed, match="no such frame"):
            async with fleet:
                pass
        assert list((tmp_path / "logs").rglob("arducopter.log"))

    run(main(), loop=ScaledLoop(1))


@pytest.mark.skipif(sys.platform == "win32", reason="the launcher is POSIX's")
@pytest.mark.parametrize("trouble", [None, AssertionError("the flight went wrong")])
def test_a_binary_that_ends_amid_the_flight_is_what_is_told(
    tmp_path: Path, trouble: AssertionError | None
) -> None:
    mortal = tmp_path / "arducopter"
    mortal.write_text(
        "#!/bin/sh\necho Waiting for connection\nwhile [ ! -e end ]; do sleep 0.05; done\n"
        "echo last words\nkill -FPE $$\n",
        encoding="utf-8",
    )
    mortal.chmod(0o755)
    logs = tmp_path / "logs"

    async def main() -> None:
        async with ArduPilotFleet([drone()], homes=[HOME], binary=mortal, logs_dir=logs) as fleet:
            (log,) = fleet.log_paths
            (log.parent / "end").touch()
            await fleet.ended()
            if trouble:
                raise trouble

    with pytest.raises(SimulatorFailed, match=r"(?s)by itself, by SIGFPE.*last words") as told:
        run(main(), loop=ScaledLoop(1))
    assert told.value.__cause__ is trouble


def exchanges(ask: Any) -> list[tuple[str, Any]]:
    """Odd and ordinary messages, each with a name. `ask` makes items."""

    def command(number: int, *p: float) -> Any:
        params = [*p, *[0.0] * (7 - len(p))]
        return mavlink.MAVLink_command_long_message(1, 1, number, 0, *params)

    def count(num: int, kind: int = 0) -> Any:
        return mavlink.MAVLink_mission_count_message(1, 1, num, mission_type=kind)

    def read(seq: int, kind: int = 0) -> Any:
        return mavlink.MAVLink_mission_request_int_message(1, 1, seq, mission_type=kind)

    def listing(kind: int = 0) -> Any:
        return mavlink.MAVLink_mission_request_list_message(1, 1, mission_type=kind)

    def vertex(x: float, y: float, num: int = 4) -> Row:
        return Row(5001, 6, (num, 0, 0, 0), *GRID.to_e7(x, y))

    wp, nan = waypoint(10, 10), math.nan
    odd = [
        wp,
        do(178, 1, 4.5, -1),
        SPRAY_ON,
        Row(19, 3, (10.7, 0, -4, 2), *GRID.to_e7(5, 5), 7.777),
        do(114, 12.5),
        do(115, 90, 10, -1, 1),
        Row(20, 6, (1, 2, 3, 4), 5, 6, 7),
        Row(189, 0, (3, 0, 0, 0), *GRID.to_e7(0, 0), 20.0),
        Row(21, 6, (0, 0, 0, nan), *GRID.to_e7(1, 1), 5),
        takeoff(12.349),
    ]
    square = [vertex(-50, -50), vertex(50, -50), vertex(50, 50), vertex(-50, 50)]
    return [
        ("item when idle", ask(0, wp)),
        ("count 3", count(3)),
        ("item 0", ask(0, wp)),
        ("duplicate", ask(0, wp)),
        ("gap", ask(2, wp)),
        ("item 1", ask(1, takeoff(12.349))),
        ("item 2", ask(2, LAND)),
        ("again", ask(2, LAND)),
        ("list", listing()),
        ("read past the end", read(3)),
        ("too many", count(2000)),
        *[("unknown command", m) for m in (count(2), ask(0, do(31999)))],
        *[("bad frame", m) for m in (count(2), ask(0, wp), ask(1, Row(16, 99)))],
        *[("nan", m) for m in (count(2), ask(0, wp), ask(1, Row(16, 6, (nan, 0, 0, 0))))],
        *[("jump to 0", m) for m in (count(2), ask(0, wp), ask(1, do(177, 0, 1)))],
        *[("jump past end", m) for m in (count(2), ask(0, wp), ask(1, do(177, 9, 1)))],
        ("ten", count(10)),
        *[(f"odd {i}", ask(i, row)) for i, row in enumerate(odd)],
        *[(f"read odd {i}", read(i)) for i in range(1, 10)],
        ("clear", mavlink.MAVLink_mission_clear_all_message(1, 1)),
        ("partial of nothing", mavlink.MAVLink_mission_write_partial_list_message(1, 1, 0, 5)),
        ("fence", count(4, 1)),
        *[(f"vertex {i}", ask(i, row, 1)) for i, row in enumerate(square)],
        ("fence list", listing(1)),
        ("fence read", read(0, 1)),
        ("fence too short", count(3, 1)),
        *[(f"short {i}", ask(i, row, 1)) for i, row in enumerate(square[:3])],
        ("fence as it was", listing(1)),
        ("waypoint as fence", count(1, 1)),
        ("waypoint", ask(0, wp, 1)),
        ("rally", count(1, 2)),
        ("point", ask(0, Row(5100, 3, (0, 0, 0, 0), *GRID.to_e7(5, 5), 12.7), 2)),
        ("rally read", read(0, 2)),
        ("no such type", listing(9)),
        *[(f"sprayer {p}", command(216, p)) for p in (1, 0, 5)],
        ("unknown", command(31999)),
        ("arm oddly", command(400, 5)),
        ("start with range", command(300, 1)),
        *[(f"mode {m}", command(176, b, m)) for b, m in ((1, 3), (1, 99), (0, 3), (1, 9))],
        ("pause in land", command(193, 0)),
        ("pause oddly", command(193, 7)),
        ("no landing sequence", command(189)),
        ("current past end", command(224, 99)),
        ("take off in land", command(22, 0, 0, 0, 0, 0, 0, 10)),
        ("battery reset", command(42651, 1, 100)),
        ("unknown interval", command(511, 9999, 1000)),
        ("interval below", command(511, 33, -5)),
        ("unknown message", command(512, 9999)),
        ("mission current", command(512, 42)),
        ("reboot oddly", command(246, 0)),
        ("speed in land", command(178, 1, 4)),
        ("fence oddly", command(207, 7)),
    ]


async def transcript(pipe: BytePipe) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """What comes back for each exchange: types and results, addresses left out."""
    rows = []
    async with on(pipe) as ground:
        await ground.wait("HEARTBEAT", 60)
        await asyncio.sleep(12)
        for number, (name, message) in enumerate(exchanges(ground.item), start=1):
            start = len(ground.heard)
            ground.send(message)
            await _answered(ground, number)
            await asyncio.sleep(0.6)
            said = [_essence(m) for m in ground.heard[start:] if _counts(m)]
            rows.append((name, _once(said)))
    return rows


async def _answered(ground: Any, number: int) -> None:
    """Wait for the echo of a TIMESYNC sent behind a message: a busy machine answers late."""
    await ground.ask(
        mavlink.MAVLink_timesync_message(0, number),
        lambda m: m.get_type() == "TIMESYNC" and m.ts1 == number and m.tc1 != 0,
        60,
    )


def _once(said: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What was said, an item asked for again and again counted once.

    A vehicle asks again after a second: whether that falls into the pause after an exchange is
    a matter of how busy the machine is.
    """
    return [
        one
        for number, one in enumerate(said)
        if number == 0 or one != said[number - 1] or one[0] != "MISSION_REQUEST"
    ]


def _counts(message: Any) -> bool:
    return message.get_type() not in _PASSED_OVER


def _essence(message: Any) -> tuple[Any, ...]:
    fields = message.to_dict()
    for name in ("mavpackettype", "target_system", "target_component", "progress", "result_param2"):
        fields.pop(name, None)
    values = (round(v, 3) if isinstance(v, float) else v for v in fields.values())
    return (message.get_type(), *values)


@pytest.mark.ardupilot
def test_protocol_transcripts_are_equal(arducopter: Path) -> None:
    async def real() -> list[tuple[str, list[tuple[Any, ...]]]]:
        async with ArduPilotFleet(
            [drone()], homes=[HOME], speedup=TALK_SPEEDUP, binary=arducopter
        ) as fleet:
            return await transcript(await fleet.open(0))

    async def embedded() -> list[tuple[str, list[tuple[Any, ...]]]]:
        async with EmbeddedFleet([drone()], homes=[HOME], firmware=Firmware.DEV_2025_10) as fleet:
            return await transcript(fleet.connect(0))

    ours = run(embedded(), loop=VirtualLoop())
    theirs = run(real(), loop=ScaledLoop(TALK_SPEEDUP))
    if theirs != ours:  # a machine that stood still for a second: twice in a row is no chance
        theirs = run(real(), loop=ScaledLoop(TALK_SPEEDUP))
    assert dict(ours) == dict(theirs)
    assert ours == theirs


class Witness:
    """What telemetry tells of a flight, the same way for both."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float, float, bool]] = []
        self._is_wet = False

    def see(self, message: Any) -> bool:
        if message.get_type() == "SERVO_OUTPUT_RAW":
            self._is_wet = message.servo9_raw > 1100
        elif message.get_type() == "GLOBAL_POSITION_INT":
            x, y = GRID.to_xy(message.lat, message.lon)
            self.rows.append(
                (message.time_boot_ms / 1000, x, y, message.relative_alt / 1000, self._is_wet)
            )
        return False

    def edges(self) -> list[float]:
        """Where along x the pump went off."""
        return [a[1] for a, b in pairwise(self.rows) if a[4] and not b[4]]


async def fly_meadow(pipe: BytePipe) -> Witness:
    witness = Witness()
    async with on(pipe) as ground:
        await ground.wait("HEARTBEAT", 60)
        await asyncio.sleep(2)
        names = {"WPNAV_SPEED": 500, "WPNAV_SPEED_UP": 200, "WPNAV_SPEED_DN": 150, "RTL_ALT": 1000}
        for name, value in names.items():
            await ground.set_param(name, value)
        await ground.launch(meadow())
        for message_id in (33, 36):
            await ground.interval(message_id, 20)
        ground._waiters.append((witness.see, asyncio.get_running_loop().create_future()))
        await ground.wait_armed()
        await ground.wait_disarmed()
    return witness


@pytest.mark.ardupilot
def test_the_same_mission_takes_the_same_time_and_way(arducopter: Path) -> None:
    """Time within 5 %, cross-track within 0.3 m, off-edges within 0.5 m."""

    async def real() -> Witness:
        async with ArduPilotFleet(
            [drone()], homes=[HOME], speedup=SPEEDUP, binary=arducopter
        ) as fleet:
            return await fly_meadow(await fleet.open(0))

    async def embedded() -> Witness:
        async with EmbeddedFleet(
            [drone()], homes=[HOME], warm_boot=True, firmware=Firmware.DEV_2025_10
        ) as fleet:
            return await fly_meadow(fleet.connect(0))

    theirs = run(real(), loop=ScaledLoop(SPEEDUP))
    ours = run(embedded(), loop=VirtualLoop())
    took = [w.rows[-1][0] - next(r[0] for r in w.rows if r[3] > 0.5) for w in (ours, theirs)]
    assert took[0] == pytest.approx(took[1], rel=0.05)
    for mine, its in zip(ours.edges(), theirs.edges(), strict=True):
        assert mine == pytest.approx(its, abs=0.5)
    for y in (10, 14):
        for witness in (ours, theirs):
            across = [abs(r[2] - y) for r in witness.rows if r[4] and 20 < r[1] < 100]
            on_this = [a for a in across if a < 2]
            assert max(on_this) < 0.3


@pytest.mark.ardupilot
def test_a_landing_mission_ends_alike(arducopter: Path) -> None:
    rows = [waypoint(0, 0, 0), SPRAY_OFF, takeoff(5), waypoint(10, 0, 5), LAND]

    async def fly(pipe: BytePipe) -> tuple[Any, ...]:
        async with on(pipe) as ground:
            await ground.wait("HEARTBEAT", 60)
            await asyncio.sleep(2)
            await ground.launch(rows)
            await ground.wait_armed()
            await ground.wait_disarmed()
            await asyncio.sleep(2)
            end = ground.last["MISSION_CURRENT"]
            reached = [m.seq for m in ground.heard if m.get_type() == "MISSION_ITEM_REACHED"]
            return (end.mission_state, end.mission_mode, end.seq, tuple(reached))

    async def real() -> tuple[Any, ...]:
        async with ArduPilotFleet(
            [drone()], homes=[HOME], speedup=SPEEDUP, binary=arducopter
        ) as fleet:
            assert fleet.addresses[0].startswith("tcp:127.0.0.1:")
            return await fly(await fleet.open(0))

    async def embedded() -> tuple[Any, ...]:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            return await fly(fleet.connect(0))

    assert run(embedded(), loop=VirtualLoop()) == run(real(), loop=ScaledLoop(SPEEDUP))


@pytest.mark.ardupilot
def test_what_is_stored_outlasts_a_restart_but_not_a_new_fleet(
    arducopter: Path, tmp_path: Path
) -> None:
    """A restart of the process keeps the mission; a new run in the same place begins bare."""
    rows = [waypoint(0, 0, 0), takeoff(5), LAND]
    counts = []

    async def count(pipe: BytePipe, *, upload: bool = False) -> int:
        async with on(pipe) as ground:
            await ground.wait("HEARTBEAT", 60)
            await asyncio.sleep(3)
            if upload:
                assert await ground.upload(rows) == 0
            listing = mavlink.MAVLink_mission_request_list_message(1, 1)
            num: int = (await ground.ask(listing, "MISSION_COUNT")).count
            return num

    async def main() -> None:
        options: dict[str, Any] = {"speedup": SPEEDUP, "binary": arducopter, "logs_dir": tmp_path}
        async with ArduPilotFleet([drone()], homes=[HOME], **options) as fleet:
            await count(await fleet.open(0), upload=True)
            await fleet.restart(0)
            counts.append(await count(await fleet.open(0)))
        async with ArduPilotFleet([drone()], homes=[HOME], **options) as fleet:
            counts.append(await count(await fleet.open(0)))

    run(main(), loop=ScaledLoop(SPEEDUP))
    assert counts[0] == 3
    assert counts[1] < 3
