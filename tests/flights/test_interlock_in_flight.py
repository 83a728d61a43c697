"""Each rule of the ground's interlock, flown with it and without it: by the litres in truth.

Without a rule the liquid goes where it must not; that is what the rule is there for, and what a
test of it has to show.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from skymist.flight import driver, oversight
from skymist.flight.channel import Channel, Peer
from skymist.flight.interlock import MAY_RUN, Cause, Verdict, pump_verdict
from skymist.flight.messages import CopterMode, VehicleCommand
from tests.flights.test_hazards import Hazard, Meet, meet  # noqa: F401
from tests.flights.test_operations import Flown, MakePlan

POSITION = 33
SEEN_S = 0.5
"""From seeing it to the command."""
TOLD_S = 0.35
"""From the vehicle's doing to the message that shows it: 4 Hz, and the link."""
SPRAY_ON, SPRAY_OFF = 1.0, 0.0


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
            await self.until(lambda c: c.state.x < 38.0)
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


def outside_l(flown: Flown, since_s: float) -> float:
    """Litres that left the nozzles since then, over no spot."""
    total, before = 0.0, None
    for sample in flown.copters[0].truth:
        if before is not None and before.t_s >= since_s and sample.pumped_l > before.pumped_l:
            is_over = (18.0 <= before.x <= 32.0 or 41.0 <= before.x <= 49.0) and before.z > 3.0
            total += 0.0 if is_over else sample.pumped_l - before.pumped_l
        before = sample
    return total


def without(cause: Cause) -> Callable[..., Verdict]:
    """The interlock with one rule taken out."""

    def verdict(*args: Any, **more: Any) -> Verdict:
        found = pump_verdict(*args, **more)
        return MAY_RUN if found.cause is cause else found

    return verdict


RULES = [
    (Cause.LEFT_AUTO, Rtl, SEEN_S + 1.0),  # a heartbeat comes once a second
    # An item that changed is given half a second first.
    (Cause.NOT_A_PASS, SprayInTransit, SEEN_S + TOLD_S + 0.5),
    (Cause.OUTSIDE, JumpToPass, SEEN_S + TOLD_S),
    (Cause.STALE, JumpUnseen, SEEN_S + TOLD_S),
]


@pytest.mark.parametrize(("cause", "hand", "within_s"), RULES, ids=[str(r[0]) for r in RULES])
def test_each_rule_keeps_litres_off_the_street(
    tiny_plan: MakePlan,
    meet: Meet,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    cause: Cause,
    hand: type[OtherHand],
    within_s: float,
) -> None:
    hazard = hand()
    flown = meet(tiny_plan(), hazard)
    assert hazard.at_s < float("inf")
    assert outside_l(flown, hazard.at_s + within_s) == 0.0
    assert list(flown.record.of("pump")), "the rule never spoke"


@pytest.mark.parametrize(("cause", "hand", "within_s"), RULES, ids=[str(r[0]) for r in RULES])
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
    assert outside_l(flown, hazard.at_s + within_s) > 0.02
