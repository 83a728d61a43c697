"""Each rule of the ground's interlock, flown with it and without it: by the litres in truth.

Without a rule the liquid goes where it must not; that is what the rule is there for, and what a
test of it has to show.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from skymist.flight.conductor import oversight
from skymist.flight.conductor.orders import OrderDesk, parse_order
from skymist.flight.mavlink.channel import Channel, Peer
from skymist.flight.mavlink.messages import CopterMode, VehicleCommand
from skymist.flight.protocols import driver
from skymist.flight.safety.interlock import MAY_RUN, Cause, Verdict, pump_verdict
from skymist.sitl.truth import Sample
from tests.flights.test_hazards import Hazard, Meet, meet  # noqa: F401
from tests.flights.test_operations import Flown, MakePlan

POSITION = 33
SEEN_S = 0.5
"""From seeing it to the command."""
TOLD_S = 0.35
"""From the vehicle's doing to the message that shows it: 4 Hz, and the link."""
SPRAY_ON, SPRAY_OFF = 1.0, 0.0


def is_over_a_spot(sample: Sample) -> bool:
    is_over = 18.0 <= sample.x <= 32.0 or 41.0 <= sample.x <= 49.0
    return is_over and sample.z > 3.0


def outside(flown: Flown, since_s: float) -> list[tuple[float, float]]:
    """When litres left the nozzles since then over no spot, or on the way down, and how many."""
    return [
        (a.t_s, b.pumped_l - a.pumped_l)
        for a, b in pairwise(flown.copters[0].truth)
        if a.t_s >= since_s and b.pumped_l > a.pumped_l and not is_over_a_spot(a)
    ]


@dataclass
class OtherHand(Hazard):
    """Another ground station, at work on the first drone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_s = float("inf")

    @asynccontextmanager
    async def station(self) -> AsyncIterator[Peer]:
        async with Channel(self.fleet.connect(0), sysid=254) as channel:
            yield channel.vehicle(1)

    def struck(self) -> None:
        self.at_s = self.copter.state.now_s

    def late_l(self, flown: Flown, within_s: float) -> float:
        """Litres outside later than `within_s` after the first that fell there since it began."""
        wet = outside(flown, self.at_s)
        return math.fsum(litres for t_s, litres in wet if t_s > wet[0][0] + within_s)


class Rtl(OtherHand):
    """RTL in the middle of the pass: ArduPilot sprays on, all the way home."""

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.3)
        assert self.copter.pilot_mode(CopterMode.RTL)
        self.struck()


class SprayInTransit(OtherHand):
    """DO_SPRAYER 1 on the way to the second spot."""

    async def watch(self) -> None:
        await self.until(lambda c: c.state.x > 34.0 and c.state.vx > 2.0)
        async with self.station() as peer:
            await driver.command(peer, VehicleCommand.DO_SPRAYER, SPRAY_ON)
            self.struck()


class JumpToPass(OtherHand):
    """Far from it the drone is set to the pass's item, its pump on."""

    is_blind = False

    async def watch(self) -> None:
        await self.until(lambda c: c.state.x > 43.0 and c.state.vx < 0.2)
        await asyncio.sleep(8.0)  # the hover is over
        async with self.station() as peer:
            self.wire.unheard = lambda number, _: self.is_blind and number == POSITION
            await driver.command(peer, VehicleCommand.DO_SET_MISSION_CURRENT, 4)
            await self.until(lambda c: c.state.x < 40.5)
            await driver.command(peer, VehicleCommand.DO_SET_MISSION_CURRENT, self.seq)
            await driver.command(peer, VehicleCommand.DO_SPRAYER, SPRAY_ON)
            self.struck()

    @property
    def seq(self) -> int:
        items = self.copter.mission
        first = next(k for k, item in enumerate(items) if item.command == 216 and item.p1 == 1)
        return next(k for k in range(first, len(items)) if items[k].command == 16)


class JumpUnseen(JumpToPass):
    """The same while positions stay out."""

    is_blind = True


class SprayOnPad(OtherHand):
    """DO_SPRAYER 1 while the drone waits on its pad, ready to fly."""

    async def watch(self) -> None:
        await self.until(lambda c: c.state.shown_mode == CopterMode.AUTO)
        await self.until(lambda c: c.state.shown_mode != CopterMode.AUTO)
        async with self.station() as peer:
            await driver.command(peer, VehicleCommand.DO_SPRAYER, SPRAY_ON)
            self.struck()


def without(cause: Cause) -> Callable[..., Verdict]:
    """The interlock with one rule taken out."""

    def verdict(*args: Any, **more: Any) -> Verdict:
        found = pump_verdict(*args, **more)
        return MAY_RUN if found.cause is cause else found

    return verdict


@dataclass
class SkippedSpot(OtherHand):
    """The first spot is to be skipped amid its pass: the mission aboard sprays on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.desk = OrderDesk()

    async def watch(self) -> None:
        assert self.desk is not None
        self.desk.opened()
        await self.until(lambda c: c.pumped_l > 0.1)
        self.desk.put(parse_order("s yard0", by="test"))
        self.struck()
        self.desk.closed()

    def late_l(self, flown: Flown, within_s: float) -> float:
        return math.fsum(
            b.pumped_l - a.pumped_l
            for a, b in pairwise(flown.copters[0].truth)
            if a.t_s > self.at_s + within_s and a.x < 32.0
        )


class Falls(OtherHand):
    """A motor fails amid the pass: it falls onto the spot, its sprayer permitted."""

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.3)
        self.struck()
        self.copter.faults.motor_failed = True


RULES = [
    (Cause.LEFT_AUTO, Rtl, SEEN_S + 1.0),  # a heartbeat comes once a second
    (Cause.NOT_A_PASS, SprayInTransit, SEEN_S + TOLD_S),
    (Cause.OUTSIDE, JumpToPass, SEEN_S + TOLD_S),
    (Cause.OUTSIDE, Falls, SEEN_S + TOLD_S),
    (Cause.STALE, JumpUnseen, SEEN_S + TOLD_S),
    (Cause.DISARMED, SprayOnPad, SEEN_S + TOLD_S),
    (Cause.FORBIDDEN, SkippedSpot, SEEN_S + TOLD_S),
]
"""From the first drop that falls where none may; for the mode from the change itself."""
NAMES = [f"{cause}-{hand.__name__}" for cause, hand, _ in RULES]


@pytest.mark.parametrize(("cause", "hand", "within_s"), RULES, ids=NAMES)
def test_each_rule_keeps_litres_off_the_street(
    tiny_plan: MakePlan,
    meet: Meet,  # noqa: F811
    cause: Cause,
    hand: type[OtherHand],
    within_s: float,
) -> None:
    hazard = hand()
    flown = meet(tiny_plan(), hazard)
    assert hazard.at_s < float("inf")
    assert hazard.late_l(flown, within_s) == 0.0
    assert list(flown.record.of("pump")), "the rule never spoke"


@pytest.mark.parametrize(("cause", "hand", "within_s"), RULES, ids=NAMES)
def test_without_the_rule_they_go_there(
    tiny_plan: MakePlan,
    meet: Meet,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    cause: Cause,
    hand: type[OtherHand],
    within_s: float,
) -> None:
    monkeypatch.setattr(oversight, "pump_verdict", without(cause))
    hazard = hand()
    flown = meet(tiny_plan(), hazard)
    assert hazard.late_l(flown, within_s) > 0.01


def test_who_fell_is_told_at_once(tiny_plan: MakePlan, meet: Meet) -> None:  # noqa: F811
    flown = meet(tiny_plan(), Falls())
    alert = next(e for e in flown.record.of("alert") if e["code"] == "off_height")
    passing = [e for e in flown.record.of("track") if e["in_span"] == "yard0"]
    low_s = next(e["t_s"] for e in passing if e["above_home_m"] < 4.0)
    assert alert["severity"] == "error"
    assert 0.0 <= alert["t_s"] - low_s < 1.5
    assert "did it fall?" in alert["text"]
