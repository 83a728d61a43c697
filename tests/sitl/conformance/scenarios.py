"""What both copters are put through: the same flights, told as data and short stories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.sitl.ground import (
    GRID,
    LAND,
    RTL,
    SPRAY_OFF,
    SPRAY_ON,
    Ground,
    Row,
    do,
    land_start,
    takeoff,
    waypoint,
)

Strike = Callable[[str], Awaitable[None]]
Story = Callable[[Ground, Strike], Awaitable[None]]

SPEEDS = {"WPNAV_SPEED": 500.0, "WPNAV_SPEED_UP": 200.0, "WPNAV_SPEED_DN": 150.0}
HOMEWARD = {"RTL_ALT": 1000.0, "RTL_CONE_SLOPE": 0.0, "BATT_FS_LOW_ACT": 6.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A flight: parameters and lists before it, and what happens on the way.

    Where a `story` gives orders on the way, the place at which they arrive is a matter of how far
    the link and this machine lag: their whole way and their pump's edges are told and not judged.
    `is_blown` scenarios drift without a position: their tracks are not judged either.
    """

    name: str
    about: str
    rows: tuple[Row, ...]
    params: dict[str, float] = field(default_factory=dict)
    fence: tuple[Row, ...] = ()
    rally: tuple[Row, ...] = ()
    story: Story | None = None
    is_blown: bool = False
    most_s: float = 400.0


def _swath(a: float, b: float, y: float) -> list[Row]:
    on_m, off_m = abs(b - a) - 10, 10
    return [
        waypoint(a, y),
        do(114, on_m),
        SPRAY_ON,
        do(114, off_m),
        SPRAY_OFF,
        waypoint(b, y),
    ]


def _mission(*rows: Row) -> tuple[Row, ...]:
    return (waypoint(0, 0, 0), SPRAY_OFF, takeoff(10), *rows, land_start(), SPRAY_OFF, RTL)


MEADOW = _mission(do(178, 1, 5), *_swath(2, 118, 10), *_swath(118, 2, 14))
ZIGZAG = _mission(
    do(178, 1, 5),
    *[waypoint(x, y, z) for x, y, z in ((20, 0, 10), (40, 30, 10), (60, 0, 14), (61, 30, 8))],
    *[waypoint(x, y, 8) for x, y in ((30, 31), (30, 45), (70, 45), (50, 45))],
)
HOVERS = _mission(
    do(178, 1, 3),
    waypoint(15, 15),
    SPRAY_ON,
    Row(19, 6, (10, 0, 0, 0), *GRID.to_e7(15, 15), 10.0),
    SPRAY_OFF,
    waypoint(40, 15, 6),
    SPRAY_ON,
    waypoint(40, 15, 6, wait_s=6),
    SPRAY_OFF,
)
PACES = _mission(
    do(178, 1, 2),
    waypoint(10, 0),
    SPRAY_ON,
    waypoint(40, 0),
    do(178, 1, 6),
    waypoint(100, 0),
    do(178, 1, 1),
    waypoint(115, 0),
    SPRAY_OFF,
)
LONG = _mission(do(178, 1, 5), waypoint(0, 10), SPRAY_ON, waypoint(300, 10))


async def _rtl(ground: Ground, _: Strike) -> None:
    await ground.wait_beyond(80)
    assert await ground.command(216, 0) == 0
    assert await ground.command(176, 1, 6) == 0


async def _land_start(ground: Ground, _: Strike) -> None:
    await ground.wait_beyond(80)
    assert await ground.command(189) == 0


async def _pause(ground: Ground, _: Strike) -> None:
    await ground.wait_beyond(60)
    assert await ground.command(193, 0) == 0
    await asyncio.sleep(15)
    assert await ground.command(193, 1) == 0
    await ground.wait_beyond(120)
    assert await ground.command(189) == 0


async def _silence(ground: Ground, _: Strike) -> None:
    await ground.wait_beyond(80)
    ground.beats = False


async def _battery(ground: Ground, _: Strike) -> None:
    await ground.wait_beyond(80)
    await ground.set_param("BATT_LOW_MAH", 60_000)


async def _radio(ground: Ground, strike: Strike) -> None:
    await ground.wait_beyond(80)
    await strike("rc-lost")


async def _brake(ground: Ground, _: Strike) -> None:
    await ground.wait(lambda m: m.get_type() == "HEARTBEAT" and m.custom_mode == 17, 120)
    await asyncio.sleep(10)
    assert await ground.command(189) == 0


async def _blind(ground: Ground, strike: Strike) -> None:
    await ground.wait_beyond(80)
    await strike("gps-lost")


async def _modes(ground: Ground, _: Strike) -> None:
    await ground.wait_beyond(60)
    assert await ground.command(216, 0) == 0
    assert await ground.command(176, 1, 17) == 0
    await asyncio.sleep(8)
    assert await ground.command(176, 1, 3) == 0
    await asyncio.sleep(10)
    assert await ground.command(176, 1, 4) == 0
    await asyncio.sleep(8)
    assert await ground.command(176, 1, 9) == 0


def _fence(x: float, y: float) -> Row:
    return Row(5001, 6, (4, 0, 0, 0), *GRID.to_e7(x, y))


SCENARIOS = (
    Scenario(name="meadow", about="two swaths with CONDITION_DISTANCE", rows=MEADOW),
    Scenario(name="zigzag", about="corners of 30 to 180 degrees, climbs, descents", rows=ZIGZAG),
    Scenario(
        name="hovers",
        about="NAV_LOITER_TIME and a waypoint's wait, pump at its minimum",
        rows=HOVERS,
        params={"SPRAY_SPEED_MIN": 0, "SPRAY_PUMP_MIN": 40},
    ),
    Scenario(name="paces", about="DO_CHANGE_SPEED between sprayed legs", rows=PACES),
    Scenario(name="return", about="RTL ordered on the way", rows=LONG, story=_rtl),
    Scenario(
        name="rally",
        about="RTL to a rally point",
        rows=LONG,
        rally=(Row(5100, 3, (0, 0, 0, 0), *GRID.to_e7(60, 40), 12.0),),
        story=_rtl,
    ),
    Scenario(name="landing", about="DO_LAND_START ordered, pump on", rows=LONG, story=_land_start),
    Scenario(name="pause", about="DO_PAUSE_CONTINUE, pump on", rows=LONG, story=_pause),
    Scenario(
        name="silence",
        about="the ground station falls silent",
        rows=LONG,
        params={"FS_GCS_ENABLE": 6},
        story=_silence,
    ),
    Scenario(name="battery", about="the battery is low", rows=LONG, story=_battery),
    Scenario(
        name="radio",
        about="the transmitter is lost",
        rows=LONG,
        params={"FS_THR_ENABLE": 6},
        story=_radio,
    ),
    Scenario(
        name="fence",
        about="a fence crossed, FENCE_ACTION 4, then DO_LAND_START",
        rows=LONG,
        params={"FENCE_TYPE": 4, "FENCE_ACTION": 4, "FENCE_OPTIONS": 0, "FENCE_ENABLE": 1},
        fence=(_fence(-60, -60), _fence(90, -60), _fence(90, 60), _fence(-60, 60)),
        story=_brake,
    ),
    Scenario(name="modes", about="BRAKE, AUTO again, GUIDED, LAND", rows=LONG, story=_modes),
    Scenario(name="blind", about="the GPS is lost", rows=LONG, story=_blind, is_blown=True),
    Scenario(
        name="short",
        about="take-off, one waypoint, LAND",
        rows=(waypoint(0, 0, 0), SPRAY_OFF, takeoff(5), waypoint(10, 0, 5), LAND),
    ),
)
