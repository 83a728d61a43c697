"""Links that break and come back, in every phase of an operation, over bytes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import SimulatedCrew, crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.conductor.sortie_run import SortieRun
from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.codec import Decoder
from skymist.flight.mavlink.links import Link, open_link
from skymist.flight.mavlink.reconnect import ReconnectingLink
from skymist.flight.mavlink.wiring import Wiring
from skymist.flight.recording.record import Record, read_record
from skymist.flight.terminal.display import Silent
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.binaries import find_arducopter
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from tests.flights.test_hazards import _command, _parts
from tests.flights.test_operations import STARTED_UTC, MakePlan

ARM, LIST, COUNT, ITEM, LONG, FILE = 400, 43, 44, 73, 76, 110
CHECKSUM = 14


class Wire:
    """A pipe to the copter that can be pulled; `sent` sees each frame that gets through."""

    def __init__(self, pipe: Any, cable: Cable) -> None:
        self._pipe, self._cable = pipe, cable

    async def read(self) -> bytes:
        data: bytes = await self._pipe.read()
        return data

    def write(self, data: bytes) -> None:
        self._pipe.write(data)
        self._cable.saw(*_parts(data))

    def close(self) -> None:
        self._pipe.close()


class Cable:
    """One drone's cable: pulled and plugged by the test, at moments that it names."""

    def __init__(self, fleet: EmbeddedFleet, index: int) -> None:
        self.copter: EmbeddedCopter = fleet.copters[index]
        self.is_plugged = True
        self.num_arms = 0
        self.on_frame: Callable[[int, bytes], None] = lambda number, payload: None
        self._fleet, self._index = fleet, index
        self._wire: Wire | None = None

    async def dial(self) -> Link:
        if not self.is_plugged:
            raise LinkLost("no such device")
        self._wire = Wire(self._fleet.connect(self._index), self)
        return self._wire

    def pull(self) -> None:
        self.is_plugged = False
        assert self._wire is not None
        self._wire.close()

    def pull_for(self, away_s: float) -> None:
        """Pull as soon as the frame under way is through, and plug again."""
        loop = asyncio.get_running_loop()
        loop.call_soon(self.pull)
        loop.call_later(away_s, self.plug)

    def plug(self) -> None:
        self.is_plugged = True

    def saw(self, number: int, payload: bytes) -> None:
        if number == LONG and _command(payload) == (ARM, 1.0):
            self.num_arms += 1
        self.on_frame(number, payload)


class Flown:
    def __init__(self, outcome: Outcome, record: Record, cable: Cable) -> None:
        self.outcome, self.record, self.cable = outcome, record, cable
        self.copter = cable.copter

    def codes(self) -> list[str]:
        return [e["code"] for e in self.record.of("alert")]

    def states(self) -> list[str]:
        return [e["state"] for e in self.record.of("sortie")]

    def num_armings(self) -> int:
        """How often the motors began to turn, in truth."""
        was, num = False, 0
        for sample in self.copter.truth:
            num += sample.is_armed and not was
            was = sample.is_armed
        return num


Trouble = Callable[[Cable], Any]


def fly(
    plan: Plan,
    folder: Path,
    trouble: Trouble,
    *,
    patience_s: float = 300.0,
    has_files: bool = True,
) -> Flown:
    async def main() -> tuple[Outcome, Cable]:
        drones = list(plan.site.fleet)
        homes = homes_of(plan, drones)
        async with EmbeddedFleet(drones, homes=homes, warm_boot=True, has_files=has_files) as fleet:
            cable = Cable(fleet, 0)
            link = ReconnectingLink("d1's", cable.dial, await cable.dial(), patience_s=patience_s)
            copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}
            task = asyncio.create_task(trouble(cable))
            outcome = await operate(
                plan,
                {"d1": link},
                folder,
                crew=crew_of(plan.site.policy, copters),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                wiring=Wiring(patience_s=patience_s),
            )
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return outcome, cable

    outcome, cable = run(main(), loop=VirtualLoop())
    return Flown(outcome, read_record(folder), cable)


async def until(cable: Cable, claim: Callable[[EmbeddedCopter], bool]) -> None:
    while not claim(cable.copter):
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(("away_s", "num_rests"), [(0.3, 0), (3.0, 1)])
def test_a_short_break_in_the_air_is_flown_through(
    tiny_plan: MakePlan, tmp_path: Path, away_s: float, num_rests: int
) -> None:
    """After 2 s unheard the interlock wants the pump off: what that left dry is flown anew."""

    async def trouble(cable: Cable) -> None:
        await until(cable, lambda c: c.pumped_l > 0.2)
        cable.pull_for(away_s)

    flown = fly(tiny_plan(1, 2), tmp_path / "r", trouble)
    assert not flown.outcome.skipped
    assert flown.outcome.num_flown == 2 + num_rests
    assert flown.num_armings() == 2 + num_rests


def test_a_long_break_in_the_air_is_held_and_the_drone_seen_home(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    async def trouble(cable: Cable) -> None:
        await until(cable, lambda c: c.pumped_l > 0.2)
        cable.pull_for(25.0)

    flown = fly(tiny_plan(1, 1), tmp_path / "r", trouble)
    assert not flown.outcome.is_link_lost
    assert "link_silent" in flown.codes()
    assert "landed" in flown.states()
    assert not flown.copter.state.is_armed
    assert flown.copter.state.pump_frac == 0.0


@pytest.mark.parametrize(
    ("kind", "count"), [*[(ITEM, n) for n in (1, 4, 10)], *[(FILE, n) for n in (1, 3, 6, 9, 20)]]
)
def test_a_break_amid_the_upload_is_begun_anew(
    tiny_plan: MakePlan, tmp_path: Path, kind: int, count: int
) -> None:
    async def trouble(cable: Cable) -> None:
        num = 0

        def saw(number: int, payload: bytes) -> None:
            nonlocal num
            num += number == kind
            if num == count and cable.is_plugged:
                num += 1000
                cable.pull_for(20.0)

        cable.on_frame = saw
        await asyncio.sleep(1e9)

    flown = fly(tiny_plan(1, 2), tmp_path / "r", trouble, has_files=kind == FILE)
    assert flown.outcome.result is Result.DONE
    assert {"link_lost", "link_back"} <= set(flown.codes())
    assert flown.states().count("uploading") == 3
    assert flown.num_armings() == 2


def _asks_what_it_holds(number: int, payload: bytes) -> bool:
    return number == LIST or (number == FILE and payload[6] == CHECKSUM)


@pytest.mark.parametrize(("has_files", "count"), [(False, 4), (True, 7), (True, 9)])
def test_a_break_amid_the_last_checks_begins_anew(
    tiny_plan: MakePlan, tmp_path: Path, has_files: bool, count: int
) -> None:
    """Each list is asked for in preflight, and before that, by files, after its upload."""

    async def trouble(cable: Cable) -> None:
        num = 0

        def saw(number: int, payload: bytes) -> None:
            nonlocal num
            num += _asks_what_it_holds(number, payload)
            if num == count:
                num += 1000
                cable.pull_for(12.0)

        cable.on_frame = saw
        await asyncio.sleep(1e9)

    flown = fly(tiny_plan(1, 1), tmp_path / "r", trouble, has_files=has_files)
    assert flown.outcome.result is Result.DONE
    assert flown.states().count("verified") == 2
    assert flown.num_armings() == flown.cable.num_arms == 1


@pytest.mark.parametrize("away_s", [0.2, 12.0])
def test_a_break_between_the_checks_and_arming_has_all_checked_again(
    tiny_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away_s: float
) -> None:
    launch, seen = SortieRun.launch, []
    cables: list[Cable] = []

    async def launch_late(self: SortieRun) -> None:
        if not seen:
            seen.append(self)
            cables[0].pull_for(away_s)
            await asyncio.sleep(away_s + 20.0)
        await launch(self)

    async def trouble(cable: Cable) -> None:
        cables.append(cable)

    monkeypatch.setattr(SortieRun, "launch", launch_late)
    flown = fly(tiny_plan(1, 1), tmp_path / "r", trouble)
    assert flown.outcome.result is Result.DONE
    assert flown.states().count("verified") == 2
    assert flown.num_armings() == flown.cable.num_arms == 1


@pytest.mark.parametrize("kind", [COUNT, FILE])
def test_patience_ends_on_the_ground(tiny_plan: MakePlan, tmp_path: Path, kind: int) -> None:
    async def trouble(cable: Cable) -> None:
        def saw(number: int, payload: bytes) -> None:
            if number == kind:
                cable.pull_for(1e6)
                cable.on_frame = lambda *_: None

        cable.on_frame = saw
        await asyncio.sleep(1e9)

    flown = fly(tiny_plan(1, 1), tmp_path / "r", trouble, patience_s=60.0, has_files=kind == FILE)
    assert flown.outcome.result is Result.INCOMPLETE
    assert flown.outcome.is_link_lost
    assert flown.states()[-1] == "failed"
    assert "gone for" in flown.outcome.drones[0].error
    assert flown.num_armings() == 0


@pytest.mark.parametrize("seed", range(8))
def test_a_flapping_link_never_commands_twice(
    tiny_plan: MakePlan, tmp_path: Path, seed: int
) -> None:
    """Pulled and plugged at random all the time; every arming in truth has its own check."""
    chance = random.Random(seed)

    async def trouble(cable: Cable) -> None:
        while True:
            await asyncio.sleep(chance.uniform(3.0, 40.0))
            cable.pull()
            await asyncio.sleep(chance.uniform(0.1, 12.0))
            cable.plug()
            await asyncio.sleep(1.0)

    plan = tiny_plan(1, 2)
    flown = fly(plan, tmp_path / "r", trouble, patience_s=600.0)
    assert flown.num_armings() <= flown.states().count("verified")
    sorties = {e["sortie_id"] for e in flown.record.of("sortie")}  # rests among them
    assert flown.num_armings() <= len(sorties) <= 2 * len(plan.sorties)
    assert not flown.copter.state.is_armed
    assert flown.copter.state.pump_frac == 0.0
    assert flown.record.is_closed


@pytest.mark.ardupilot
@pytest.mark.slow
def test_real_arducopter_is_taken_up_again_on_the_ground_and_in_the_air(
    tiny_plan: MakePlan, tmp_path: Path, arducopter: Path
) -> None:
    """Its TCP port is hung up amid the upload and amid the pass; the mission is flown whole."""
    plan = tiny_plan(1, 1)

    async def main() -> tuple[Outcome, ReconnectingLink]:
        drones = list(plan.site.fleet)
        async with ArduPilotFleet(
            drones, homes=homes_of(plan, drones), speedup=5.0, found=find_arducopter(arducopter)
        ) as fleet:
            wires: list[Link] = []

            async def dial() -> Link:
                wires.append(Spied(await open_link(fleet.addresses[0]), saw))
                return wires[-1]

            seen = {"items": 0, "wet": 0}

            def saw(number: int, payload: bytes) -> None:
                seen["items"] += number in (ITEM, FILE)
                if number in (ITEM, FILE) and seen["items"] == 4:
                    asyncio.get_running_loop().call_soon(wires[-1].close)
                is_wet = number == 36 and int.from_bytes(payload[21:23], "little") > 1200
                if is_wet and not seen["wet"]:
                    seen["wet"] = 1
                    asyncio.get_running_loop().call_soon(wires[-1].close)

            link = ReconnectingLink("SITL", dial, await dial())
            outcome = await operate(
                plan,
                {"d1": link},
                tmp_path / "r",
                crew=SimulatedCrew(plan.site.policy, lambda *_: None, _no_swap),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=STARTED_UTC, sim="ardupilot", speedup=5.0),
            )
            return outcome, link

    outcome, link = run(main(), loop=ScaledLoop(5.0))
    states = [e["state"] for e in read_record(tmp_path / "r").of("sortie")]
    assert link.num_reconnects == 2
    assert outcome.num_flown == 1, "a break that the transfer outlasts need not begin it anew"
    assert states.count("armed") == 1


async def _no_swap(drone_id: str) -> None:
    raise AssertionError(drone_id)


class Spied:
    """A wire that shows whole frames, both ways."""

    def __init__(self, wire: Link, saw: Callable[[int, bytes], None]) -> None:
        self._wire, self._saw, self._decoder = wire, saw, Decoder()

    async def read(self) -> bytes:
        data = await self._wire.read()
        for frame in self._decoder.feed(data):
            self._saw(*_parts(frame.raw))
        return data

    def write(self, data: bytes) -> None:
        self._wire.write(data)
        self._saw(*_parts(data))

    def close(self) -> None:
        self._wire.close()
