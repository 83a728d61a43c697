"""Every class of fault in the list of what a flight must survive, as troubles made by seed."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.drones import Drone
from skymist.coverage.plan import Plan
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.keyring import KeyRing, add_key
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.mavlink.signing import EPOCH_2015_S, TICKS_PER_S
from skymist.flight.mavlink.wiring import Wiring
from skymist.flight.protocols import driver
from skymist.missions.items import Command, Item, Mission
from skymist.sitl.faults import LinkFaults
from tests.flights.machines import Both
from tests.flights.matrix import COUNT, FTP, ITEM, Trouble

ACK, REQUEST, REQUEST_INT, CURRENT, STATUSTEXT = 47, 40, 51, 42, 253
FAULTS = tuple(range(1, 16))
"""Every MAV_MISSION_RESULT but ACCEPTED."""
DAYS_S = 2 * 86_400.0


def spoilt(**faults: float) -> Callable[[random.Random], Trouble]:
    """A link with these faults all the time."""

    def make(chance: random.Random) -> Trouble:
        trouble = Trouble(chance)
        trouble.link = LinkFaults(**faults)  # type: ignore[arg-type]
        trouble.event_s = 0.0
        return trouble

    return make


class ByItems(Trouble):
    """No file transfer comes through: the mission protocol is used."""

    async def wired(self) -> None:
        self.pack = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
        self.event_s = 0.0
        self.wire.up = self.up
        self.wire.down = self.down

    def up(self, number: int, frame: bytes) -> tuple[bytes, ...]:
        return () if number == FTP else (frame,)

    def down(self, number: int, frame: bytes) -> tuple[bytes, ...]:
        return () if number == FTP else (frame,)

    def ack(self, result: int, kind: int = 0) -> bytes:
        message = mavlink.MAVLink_mission_ack_message(255, 190, result, kind)
        return bytes(message.pack(self.pack))


class RefusedItem(ByItems):
    """One request for an item becomes a refusal, with one of all results."""

    async def wired(self) -> None:
        await super().wired()
        self.at, self.seen = self.chance.randrange(1, 40), 0
        self.result = self.chance.choice(FAULTS)

    def down(self, number: int, frame: bytes) -> tuple[bytes, ...]:
        if number in (REQUEST, REQUEST_INT):
            self.seen += 1
            if self.seen == self.at:
                return (self.ack(self.result),)
        return super().down(number, frame)


class AckTrouble(ByItems):
    """The acknowledgement is lost, early, there twice, or of another list."""

    how = "lost"

    async def wired(self) -> None:
        await super().wired()
        self.num, self.seen = 0, 0
        self.at = self.chance.randrange(1, 20)

    def down(self, number: int, frame: bytes) -> tuple[bytes, ...]:
        if number in (REQUEST, REQUEST_INT):
            self.seen += 1
            if self.how == "early" and self.seen == self.at:
                return (self.ack(0), frame)
            if self.how == "other" and self.seen == self.at:
                return (self.ack(0, self.chance.choice((1, 2))), frame)
        if number == ACK:
            self.num += 1
            if self.how == "lost" and self.num <= self.chance.randrange(1, 3):
                return ()
            if self.how == "twice":
                return (frame, frame)
        return super().down(number, frame)


def ack(how: str) -> Callable[[random.Random], Trouble]:
    """Trouble with the acknowledgement."""

    def make(chance: random.Random) -> Trouble:
        trouble = AckTrouble(chance)
        trouble.how = how
        return trouble

    return make


class AmidUpload(Trouble):
    """Something happens after so many frames of the first upload, by file or by items."""

    async def wired(self) -> None:
        self.event_s = 0.0
        self.by_items = self.chance.random() < 0.5
        self.at, self.seen = self.chance.randrange(1, 25), 0
        self.wire.up = self.up

    def up(self, number: int, frame: bytes) -> tuple[bytes, ...]:
        if self.by_items and number == FTP:
            return ()
        self.seen += number in (ITEM, COUNT, FTP)
        if self.seen == self.at and number in (ITEM, COUNT, FTP):
            self.seen += 1000
            asyncio.get_running_loop().call_soon(self.strike)
        return (frame,)

    def strike(self) -> None:
        """What happens."""


class OtherStation(AmidUpload):
    """A second ground station writes its own mission in the middle of ours."""

    def strike(self) -> None:
        self.writing = asyncio.create_task(self.write())

    async def write(self) -> None:
        item = Item(command=Command.NAV_WAYPOINT, x_e7=601700000, y_e7=249400000, z_m=9.0)
        mission = Mission(sortie_id="x", drone_id="x", items=(item, item, item), spans=())
        async with Channel(await self.machine.station(), sysid=254) as channel:
            try:
                await driver.upload(channel.vehicle(1), mission)
            except Exception as exc:  # whatever it is told, it is not ours
                self.told = exc


class LinkGap(AmidUpload):
    """The link is silent in the middle of the upload, and back after a while."""

    def strike(self) -> None:
        self.machine.silence(True)
        asyncio.get_running_loop().call_later(self.chance.uniform(2.0, 40.0), self.mend)

    def mend(self) -> None:
        self.machine.silence(False)


class RebootAmidUpload(AmidUpload):
    """The vehicle starts anew in the middle of the upload."""

    def strike(self) -> None:
        self.rebooting = asyncio.create_task(self.machine.reboot())


class Killed(Trouble):
    """The ground program is gone at some moment of the operation, without a farewell."""

    async def watch(self) -> None:
        await asyncio.sleep(self.chance.uniform(1.0, 110.0))
        self.event_s = self.machine.now_s + 8.0  # its failsafe waits 5 s
        self.machine.silence(True)
        self.operation.cancel()


class TwoOfOneId(Trouble):
    """A second drone answers with the same system id on the same port."""

    num_drones = 2

    def plan(self) -> Plan:
        whole = super().plan()
        own = tuple(s for s in whole.sorties if s.drone_id == "d1")
        return replace(whole, sorties=own)

    def drones(self, plan: Plan) -> list[Drone]:
        return [replace(drone, sysid=1) for drone in plan.site.fleet]

    async def wired(self) -> None:
        self.event_s = 0.0
        self.wire.pipe = Both(self.wire.pipe, self.machines[1].wire.pipe)


class OnePort(Trouble):
    """Two drones, each with its own system id, speak and hear on one port."""

    num_drones = 2

    async def wired(self) -> None:
        self.event_s = 0.0
        first, second = self.machines
        first.wire.pipe = Both(first.wire.pipe, second.wire.pipe)
        second.wire = first.wire


class Flood(Trouble):
    """STATUSTEXT without end, two hundred a second, from the first moment on."""

    async def watch(self) -> None:
        self.event_s = 0.0
        await self.until(lambda m: m.now_s > 0.0)
        await asyncio.sleep(2.0)
        await self.machine.fail("text-flood")


def vehicle(
    fault: str, *, seen_s: float = 1.0, is_obeyed: bool = True, is_wreck: bool = False
) -> Callable[[random.Random], Trouble]:
    """A fault in the middle of a pass; the ground sees it `seen_s` later at the latest."""

    class Struck(Trouble):
        async def watch(self) -> None:
            await self.amid_pass()
            await self.machine.fail(fault)
            self.event_s += seen_s

    def make(chance: random.Random) -> Trouble:
        made = Struck(chance)
        made.is_obeyed, made.is_wreck = is_obeyed, is_wreck
        return made

    return make


class Windy(Trouble):
    """It blows harder than the limit for a while; where no copter tells, a person measures it."""

    orders_open = True

    async def watch(self) -> None:
        await self.amid_pass()
        speed_mps = self.chance.uniform(6.0, 12.0)
        await self.machine.blow(speed_mps, self.chance.uniform(0.0, math.tau))
        self.event_s += 3.0
        if is_told := self.machine.sim == "ardupilot":
            self.say(f"w {speed_mps:.1f}")
        await asyncio.sleep(self.chance.uniform(10.0, 200.0))
        await self.machine.blow(0.0, 0.0)
        if is_told:
            self.say("w 0")


class Silence(Trouble):
    """The link falls silent in the middle of a pass, for good."""

    async def watch(self) -> None:
        await self.amid_pass()
        self.machine.silence(True)


class SilenceAwhile(Trouble):
    """The link falls silent in the middle of a pass, and is back before the failsafe."""

    async def watch(self) -> None:
        await self.amid_pass()
        self.event_s = 0.0
        self.machine.silence(True)
        await asyncio.sleep(self.chance.uniform(2.2, 4.3))
        self.machine.silence(False)


class Numberless(Trouble):
    """MISSION_CURRENT is late by chance, or never comes."""

    async def wired(self) -> None:
        self.event_s = 0.0
        self.share = self.chance.choice((0.5, 0.8, 1.0))
        self.wire.down = self.down

    def down(self, number: int, frame: bytes) -> tuple[bytes, ...]:
        return () if number == CURRENT and self.chance.random() < self.share else (frame,)


class DryTank(Trouble):
    """Less is in the tank than the sortie needs: it runs dry in the middle of the pass."""

    def plan(self) -> Plan:
        whole = super().plan()
        (sortie,) = whole.sorties
        carried = self.chance.uniform(0.2, 0.5)
        return replace(whole, sorties=(replace(sortie, carried_l=carried),))


class Leak(Trouble):
    """The tank loses everything amid the pass, and no message shows it."""

    async def watch(self) -> None:
        await self.amid_pass()
        await self.machine.fail("tank-dry")


class Pilot(Trouble):
    """The pilot takes over in some mode, flies a while, and lands or gives it back by an order."""

    orders_open = True

    async def watch(self) -> None:
        await self.amid_pass()
        mode = self.chance.choice(
            (CopterMode.LOITER, CopterMode.RTL, CopterMode.LAND, CopterMode.BRAKE)
        )
        await self.machine.pilot(mode)
        self.event_s += 1.0  # a heartbeat comes once a second
        await asyncio.sleep(self.chance.uniform(5.0, 30.0))
        self.say("c d1")
        await asyncio.sleep(40.0)
        self.say("c d1")
        await asyncio.sleep(5.0)


class Paused(Trouble):
    """An operator pauses in the middle of a pass, and goes on."""

    orders_open = True

    async def watch(self) -> None:
        await self.amid_pass()
        self.say("p d1")
        await asyncio.sleep(self.chance.uniform(2.0, 60.0))
        self.say("c d1")


class ClockSkew(Trouble):
    """Signed links: the clocks are up to two days apart, and ours leaps again amid a pass."""

    by_radio = True

    async def wiring(self, folder: Path) -> Wiring:
        self.ahead_s = self.chance.uniform(-DAYS_S, DAYS_S)
        self.leap_s = self.chance.uniform(-DAYS_S, DAYS_S)
        loop = asyncio.get_running_loop()
        keys = folder.with_name("keys.toml")
        key = add_key(keys, "d1")
        unix_s = self.machine.unix_s
        begins = round((unix_s - EPOCH_2015_S) * TICKS_PER_S)
        await self.machine.sign(key.secret, begins)
        return Wiring(keys=KeyRing(keys, unix_s=lambda: unix_s + loop.time() + self.ahead_s))

    async def watch(self) -> None:
        await self.amid_pass()
        self.ahead_s += self.leap_s


class CalledHome(Trouble):
    """An operator calls the drone home in the middle of a pass, and has the rest flown."""

    orders_open = True

    async def watch(self) -> None:
        await self.amid_pass()
        self.say("h d1")
        await self.until(lambda m: not m.is_armed)
        await asyncio.sleep(20.0)
        self.say("c d1")
        await asyncio.sleep(5.0)


TROUBLES: Mapping[str, Callable[[random.Random], Trouble]] = {
    "no fault": Trouble,
    "loss 5 %": spoilt(loss=0.05),
    "loss 10 %": spoilt(loss=0.1),
    "loss 20 %": spoilt(loss=0.2),
    "loss 30 %": spoilt(loss=0.3),
    "loss in bursts": spoilt(burst_s=1.5, burst_every_s=8.0),
    "duplicates": spoilt(duplicate=0.3),
    "reordering": spoilt(reorder=0.2, delay_s=0.02),
    "corruption": spoilt(corrupt=0.1),
    "delay 0.4 s, jitter 0.2 s": spoilt(delay_s=0.4, jitter_s=0.2),
    "57.6 kbit/s, 80 ms, 5 % loss": spoilt(rate_bps=57_600, delay_s=0.08, loss=0.05),
    "refusal at an item, any result": RefusedItem,
    "ACK lost": ack("lost"),
    "ACK early": ack("early"),
    "ACK twice": ack("twice"),
    "ACK of another list": ack("other"),
    "second ground station amid the upload": OtherStation,
    "link dropped amid the upload, and back": LinkGap,
    "vehicle rebooted amid the upload": RebootAmidUpload,
    "ground program killed": Killed,
    "two drones of one system id": TwoOfOneId,
    "two drones on one port": OnePort,
    "STATUSTEXT flood": Flood,
    "GPS lost": vehicle("gps-lost"),
    "wind above the limit for a while": Windy,
    "motor failed": vehicle("motor-failed", is_wreck=True),
    "RC lost": vehicle("rc-lost"),
    "battery drops": vehicle("battery-drop"),
    "fence breached": vehicle("fence"),
    "link silent for good": Silence,
    "link silent amid a pass, and back": SilenceAwhile,
    "MISSION_CURRENT late or missing": Numberless,
    "pump stuck on": vehicle("pump-stuck", is_obeyed=False),
    "tank empty amid a pass": DryTank,
    "tank leaks, told by nothing": Leak,
    "clock skew under signing": ClockSkew,
    "pilot takes over": Pilot,
    "paused amid a pass": Paused,
    "called home amid a pass": CalledHome,
}
