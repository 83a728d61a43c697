"""What may go wrong around arming, stopping and coming home, and never may end in a fall."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result, StopButton
from skymist.flight.conductor.launch import Launcher
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.conductor.orders import OrderDesk
from skymist.flight.conductor.passbook import PassBook
from skymist.flight.errors import VehicleRefused
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.recording.record import read_record
from skymist.flight.terminal.display import Silent
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.pipes import Pipe
from tests.flights.test_operations import STARTED_UTC, Flown, MakePlan, Mishap

ARM, START = 400, 300
HEARTBEAT, CURRENT, ITEM, LONG, ACK, FILE = 0, 42, 73, 76, 77, 110
FALL_MPS = 3.0
"""Faster than any descent that a mission flies."""
AUTOS = (CopterMode.AUTO, CopterMode.AUTO_RTL)


class Wire:
    """Between ground and vehicle: drops whole frames, either way, for as long as told."""

    def __init__(self, link: Pipe) -> None:
        self._link, self._came = link, b""
        self.unheard: Callable[[int, bytes], bool] = lambda number, payload: False
        self.on_sent: Callable[[int, bytes], None] = lambda number, payload: None

    async def read(self) -> bytes:
        while data := await self._link.read():
            self._came += data
            kept, frames = b"", []
            while len(self._came) >= 12 and len(self._came) >= 12 + self._came[1]:
                size = 12 + self._came[1]
                frames.append(self._came[:size])
                self._came = self._came[size:]
            for frame in frames:
                if not self.unheard(*_parts(frame)):
                    kept += frame
            if kept:
                return kept
        return b""

    def write(self, data: bytes) -> None:
        self._link.write(data)
        self.on_sent(*_parts(data))

    def close(self) -> None:
        self._link.close()


def _parts(frame: bytes) -> tuple[int, bytes]:
    return int.from_bytes(frame[7:10], "little"), frame[10 : 10 + frame[1]].ljust(40, b"\0")


def _command(payload: bytes) -> tuple[int, float]:
    """Number and first parameter of a COMMAND_LONG."""
    (p1,) = struct.unpack_from("<f", payload)
    (number,) = struct.unpack_from("<H", payload, 28)
    return number, p1


@dataclass
class Hazard(Mishap):
    """A mishap that may press the button, and touch the wire of the first drone."""

    def __post_init__(self) -> None:
        self.buttons: list[StopButton] = []
        self.desk: OrderDesk | None = None
        self.wire: Wire
        self.task: asyncio.Task[Outcome]

    def wired(self) -> None:
        """The wire is there; nothing was sent yet."""


class Crew:
    """A crew whose second fill of the first drone takes so much longer."""

    def __init__(self, crew: Any, late_s: float) -> None:
        self._crew, self._late_s, self._num = crew, late_s, 0

    async def refill(self, drone_id: str, load: Any) -> None:
        self._num += drone_id == "d1"
        if drone_id == "d1" and self._num == 2:
            await asyncio.sleep(self._late_s)
        await self._crew.refill(drone_id, load)

    async def swap(self, drone_id: str) -> None:
        await self._crew.swap(drone_id)

    async def left(self, *asked: Any) -> float | None:
        found: float | None = await self._crew.left(*asked)
        return found


@pytest.fixture
def meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Flown]:
    def flown(
        plan: Plan,
        hazard: Hazard | None = None,
        *,
        arm: bool = True,
        north_m: float = 0.0,
        tail_s: float = 0.0,
        late_s: float = 0.0,
        has_files: bool = True,
    ) -> Flown:
        hazard = hazard or Hazard()

        def button() -> StopButton:
            hazard.buttons.append(StopButton())
            return hazard.buttons[-1]

        monkeypatch.setattr("skymist.flight.conductor.operation.StopButton", button)

        async def main() -> tuple[Outcome | None, tuple[EmbeddedCopter, ...], float]:
            drones = list(plan.site.fleet)
            homes = [(lat + north_m / 111_320, *rest) for lat, *rest in homes_of(plan, drones)]
            async with EmbeddedFleet(
                drones, homes=homes, warm_boot=True, has_files=has_files
            ) as fleet:
                wires = {d.id: Wire(fleet.connect(i)) for i, d in enumerate(drones)}
                copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}
                hazard.fleet, hazard.wire = fleet, wires["d1"]
                hazard.wired()
                hazard.task = asyncio.create_task(
                    operate(
                        plan,
                        wires,
                        tmp_path / "record",
                        crew=Crew(crew_of(plan.site.policy, copters), late_s),
                        display=Silent(),
                        arm=arm,
                        setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                        desk=hazard.desk,
                    )
                )
                trouble = asyncio.create_task(hazard.watch())
                outcome = None
                with suppress(asyncio.CancelledError):
                    outcome = await hazard.task
                await asyncio.sleep(tail_s)
                assert trouble.done(), "the mishap of this test never came"
                trouble.result()
                return outcome, fleet.copters, fleet.now_s

        outcome, copters, sim_s = run(main(), loop=VirtualLoop())
        record = read_record(tmp_path / "record")
        return Flown(outcome=outcome, record=record, copters=copters, plan=plan, sim_s=sim_s)  # type: ignore[arg-type]

    return flown


Meet = Callable[..., Flown]


def assert_safe(copter: EmbeddedCopter) -> None:
    """It did not fall, and stands disarmed and out of AUTO."""
    for a, b in itertools.pairwise(copter.truth):
        if b.t_s > a.t_s:
            assert (a.z - b.z) / (b.t_s - a.t_s) < FALL_MPS, f"fell at {b.t_s:.1f} s"
    assert not copter.state.is_armed
    assert copter.state.is_landed
    assert copter.state.shown_mode not in AUTOS


def was_armed(copter: EmbeddedCopter) -> bool:
    return any(sample.is_armed for sample in copter.truth)


# -- arming and starting without an answer -----------------------------------------------


@dataclass
class UnheardFromArming(Hazard):
    """Nothing of the vehicle is heard for so long from the command to arm on."""

    for_s: float = 25.0

    def wired(self) -> None:
        self.until_s = -1.0

        def on_sent(number: int, payload: bytes) -> None:
            if number == LONG and _command(payload) == (ARM, 1.0) and self.until_s < 0:
                self.until_s = asyncio.get_running_loop().time() + self.for_s

        self.wire.on_sent = on_sent
        self.wire.unheard = lambda *_: asyncio.get_running_loop().time() < self.until_s


@pytest.mark.parametrize("for_s", [6.0, 12.0, 25.0, 45.0])
def test_a_drone_that_armed_unheard_is_seen_home(
    tiny_plan: MakePlan, meet: Meet, for_s: float
) -> None:
    flown = meet(tiny_plan(2), UnheardFromArming(for_s=for_s))
    copter = flown.copters[0]
    assert was_armed(copter)
    assert_safe(copter)
    landed_s = max(s.t_s for s in copter.truth if s.is_armed)
    ends = [e for e in flown.record.of("sortie") if e["drone_id"] == "d1"]
    assert ends[-1]["state"] in ("landed", "failed")
    tracks = [t["t_s"] for t in flown.record.of("track") if t["drone_id"] == "d1"]
    assert max(tracks) > landed_s - 2.0  # overseen to the end
    assert flown.states("d2")[-1] == "landed"


@dataclass
class StartUnheard(Hazard):
    """MISSION_START is never acknowledged."""

    def wired(self) -> None:
        self.wire.unheard = lambda number, payload: (
            number == ACK and struct.unpack_from("<H", payload) == (START,)
        )


def test_a_start_is_believed_by_what_the_drone_does(tiny_plan: MakePlan, meet: Meet) -> None:
    flown = meet(tiny_plan(), StartUnheard())
    assert flown.outcome.result is Result.DONE
    assert_safe(flown.copters[0])


def test_a_start_that_is_refused_ends_on_the_pad(
    tiny_plan: MakePlan, meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(self: Launcher) -> None:
        raise VehicleRefused("refused starting the mission")

    monkeypatch.setattr(Launcher, "start", refused)
    flown = meet(tiny_plan())
    assert "refused starting" in flown.outcome.drones[0].error
    assert_safe(flown.copters[0])
    assert max(sample.z for sample in flown.copters[0].truth) < 0.5


def test_a_start_that_fails_late_is_called_home(
    tiny_plan: MakePlan, meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(self: Launcher) -> None:
        await asyncio.sleep(8.0)
        raise VehicleRefused("refused starting the mission")

    monkeypatch.setattr(Launcher, "start", refused)
    flown = meet(tiny_plan())
    assert "come_home" in flown.codes()
    assert flown.states()[-2:] == ["landed", "failed"]
    assert max(sample.z for sample in flown.copters[0].truth) > 2.0
    assert_safe(flown.copters[0])


# -- stopping at every step --------------------------------------------------------------


@dataclass
class StopAmidUpload(Hazard):
    """Ctrl-C, or a second one, after so many mission items or file packets."""

    is_second: bool = False
    kind: int = ITEM
    count: int = 8

    def wired(self) -> None:
        self.num = 0

        def on_sent(number: int, payload: bytes) -> None:
            self.num += number == self.kind
            if self.num == self.count and number == self.kind:
                if self.is_second:
                    asyncio.get_running_loop().call_soon(self.task.cancel)
                else:
                    self.buttons[0].press()

        self.wire.on_sent = on_sent


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize(("kind", "count"), [(ITEM, 8), (FILE, 1), (FILE, 3), (FILE, 6), (FILE, 9)])
def test_a_stop_leaves_no_half_of_a_mission(
    tiny_plan: MakePlan, meet: Meet, is_second: bool, kind: int, count: int
) -> None:
    hazard = StopAmidUpload(is_second=is_second, kind=kind, count=count)
    flown = meet(tiny_plan(), hazard, has_files=kind == FILE)
    assert len(flown.copters[0].mission) <= 1
    assert "holding_mission" in flown.codes()
    assert not was_armed(flown.copters[0])


@dataclass
class StopOnPad(Hazard):
    """Ctrl-C while the drone waits for its time, or so long after it entered AUTO anew."""

    num_autos: int = 1
    after_s: float = 1.0

    async def watch(self) -> None:
        for number in range(self.num_autos):
            if number:
                await self.until(lambda c: c.state.shown_mode != CopterMode.AUTO)
            await self.until(lambda c: c.state.shown_mode == CopterMode.AUTO)
        await asyncio.sleep(self.after_s)
        self.buttons[0].press()


@pytest.mark.parametrize("after_s", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("num_autos", [1, 2])
def test_a_stop_on_the_pad_leaves_auto(
    tiny_plan: MakePlan, meet: Meet, num_autos: int, after_s: float
) -> None:
    flown = meet(tiny_plan(), StopOnPad(num_autos=num_autos, after_s=after_s), tail_s=20.0)
    assert flown.outcome.result is Result.ABORTED
    assert_safe(flown.copters[0])
    if num_autos == 1:
        assert not was_armed(flown.copters[0])


def test_a_stop_while_it_is_checked_again_never_arms(
    tiny_plan: MakePlan, meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    hazard, check = Hazard(), Launcher.check_again

    async def checked(self: Launcher, mission: Any) -> None:
        hazard.buttons[0].press()
        await check(self, mission)

    monkeypatch.setattr(Launcher, "check_again", checked)
    flown = meet(tiny_plan(), hazard)
    assert flown.outcome.result is Result.ABORTED
    assert not was_armed(flown.copters[0])
    assert_safe(flown.copters[0])


def test_a_fault_of_ours_in_the_air_brings_it_home(
    tiny_plan: MakePlan, meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = PassBook.update

    def broken(self: PassBook, state: Any, **more: Any) -> Any:
        if state.position is not None and state.position.above_home_m > 5.0:
            raise ZeroDivisionError
        return update(self, state, **more)

    monkeypatch.setattr(PassBook, "update", broken)
    flown = meet(tiny_plan())
    assert "a fault in Skymist" in flown.outcome.drones[0].error
    assert_safe(flown.copters[0])


# -- before arming -----------------------------------------------------------------------


@dataclass
class Fitted(Hazard):
    """The vehicle has this parameter from the start."""

    name: str = ""
    value: float = 0.0

    def wired(self) -> None:
        self.copter.params.put(self.name, self.value)


@pytest.mark.parametrize("arm", [False, True])
def test_findings_are_told_with_and_without_arm(tiny_plan: MakePlan, meet: Meet, arm: bool) -> None:
    flown = meet(tiny_plan(), Fitted(name="BATT_LOW_MAH", value=0.0), arm=arm)
    told = [e for e in flown.record.of("alert") if e["code"] == "preflight"]
    assert any("battery failsafe never fires" in e["text"] for e in told)
    assert flown.states()[-1] == ("failed" if arm else "verified")
    assert (flown.outcome.drones[0].error == "") == (not arm)
    assert_safe(flown.copters[0])
    assert not was_armed(flown.copters[0])


def test_what_was_changed_on_the_vehicle_is_told(tiny_plan: MakePlan, meet: Meet) -> None:
    flown = meet(tiny_plan(), arm=False)
    told = next(e for e in flown.record.of("alert") if e["code"] == "parameters_set")
    assert "fs_gcs_action 0 -> 6" in told["text"]


@dataclass
class ChangedLate(Hazard):
    """Something changes once the drone is in AUTO for good."""

    change: Callable[[EmbeddedCopter], None] = lambda copter: None

    async def watch(self) -> None:
        await self.until(lambda c: c.state.shown_mode == CopterMode.AUTO)
        await self.until(lambda c: c.state.shown_mode != CopterMode.AUTO)
        self.change(self.copter)


def _carry_away(copter: EmbeddedCopter) -> None:
    guidance = copter._machine.guidance
    guidance.position = guidance.position._replace(x=guidance.position.x + 12.0)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda copter: copter.params.put("FS_GCS_ENABLE", 0), "fs_gcs_action"),
        (_carry_away, "from its pad"),
    ],
)
def test_what_changes_before_arming_keeps_it_on_the_ground(
    tiny_plan: MakePlan, meet: Meet, change: Callable[[EmbeddedCopter], None], text: str
) -> None:
    flown = meet(tiny_plan(), ChangedLate(change=change))
    assert text in flown.outcome.drones[0].error
    assert not was_armed(flown.copters[0])
    assert_safe(flown.copters[0])


@pytest.mark.parametrize(("north_m", "is_fit"), [(2.0, True), (5.0, False), (15.0, False)])
def test_a_drone_beside_its_pad_does_not_arm(
    tiny_plan: MakePlan, meet: Meet, north_m: float, is_fit: bool
) -> None:
    flown = meet(tiny_plan(), north_m=north_m)
    assert was_armed(flown.copters[0]) == is_fit
    assert ("from its pad" in flown.outcome.drones[0].error) != is_fit


# -- in the air --------------------------------------------------------------------------


@dataclass
class Braked(Hazard):
    """BRAKE in the middle of the pass; after 5 s something that must bring it home."""

    then: str = "stop"

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        if self.then == "fence":
            self.copter.params.put("FENCE_ALT_MAX", 5.0)
            return
        assert self.copter.pilot_mode(CopterMode.BRAKE)
        await asyncio.sleep(5.0)
        if self.then == "stop":
            self.buttons[0].press()
        else:
            self.copter.params.put("BATT_FS_LOW_ACT", 0.0)
            self.copter.faults.battery_lost_frac = 0.8


@pytest.mark.parametrize("then", ["stop", "battery", "fence"])
def test_a_drone_that_holds_is_not_in_its_pilots_hands(
    tiny_plan: MakePlan, meet: Meet, then: str
) -> None:
    flown = meet(tiny_plan(), Braked(then=then))
    assert {"holding", "come_home"} <= flown.codes()
    assert "pilot" not in flown.codes()
    assert flown.sim_s < 250.0
    assert_safe(flown.copters[0])


@dataclass
class Numberless(Hazard):
    """MISSION_CURRENT is never heard, and the pump sticks half open."""

    def wired(self) -> None:
        self.wire.unheard = lambda number, payload: number == CURRENT

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        self.copter.faults.pump_stuck_frac = 0.5
        await asyncio.sleep(30.0)
        self.copter.faults.pump_stuck_frac = None


def test_the_interlock_sees_without_the_items_number(tiny_plan: MakePlan, meet: Meet) -> None:
    flown = meet(tiny_plan(), Numberless())
    assert any("no item's number" in e["reason"] for e in flown.record.of("pump"))
    assert "flying" in flown.states()


@dataclass
class Heartless(Hazard):
    """Heartbeats stay out from the middle of the pass on, and the pilot takes over."""

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.15)
        self.wire.unheard = lambda number, payload: number == HEARTBEAT
        self.at_s = self.copter.state.now_s
        assert self.copter.pilot_mode(CopterMode.LAND)


def test_the_interlock_takes_no_heartbeat_for_none(tiny_plan: MakePlan, meet: Meet) -> None:
    hazard = Heartless()
    flown = meet(tiny_plan(), hazard)
    assert any("no heartbeat" in e["reason"] for e in flown.record.of("pump"))
    wet = [s.t_s for s in flown.copters[0].truth if s.flow_lps > 0]
    assert wet[-1] - hazard.at_s < 5.0


# -- beside each other -------------------------------------------------------------------


@pytest.mark.parametrize("late_s", [0.0, 150.0])
def test_a_late_drone_is_waited_for_on_the_pad(
    tiny_plan: MakePlan, meet: Meet, late_s: float
) -> None:
    """Planned one after the other, too near to fly at once; one refill takes longer."""
    plan = tiny_plan(2, 2)
    starts_s = {"d1-01": 0.0, "d2-01": 100.0, "d1-02": 200.0, "d2-02": 300.0}
    sorties = tuple(replace(s, start_s=starts_s[s.id]) for s in plan.sorties)
    near = replace(plan.site, policy=replace(plan.site.policy, separation_m=40.0))
    flown = meet(replace(plan, site=near, sorties=sorties), late_s=late_s)
    assert flown.outcome.result is Result.DONE
    steps = [
        (e["t_s"], 1 if e["state"] == "armed" else -1)
        for e in flown.record.of("sortie")
        if e["state"] in ("armed", "landed")
    ]
    in_air = list(itertools.accumulate(step for _, step in sorted(steps)))
    assert max(in_air) == 1
    waits = [e["text"] for e in flown.record.of("sortie") if e["state"] == "waiting"]
    assert any("nearer than 40 m to d" in text for text in waits) == bool(late_s)


def test_drones_on_one_pad_never_fly_from_it(tiny_plan: MakePlan, meet: Meet) -> None:
    plan = tiny_plan(2)
    fleet = tuple(replace(drone, pad_id="pad-d1") for drone in plan.site.fleet)
    sorties = tuple(replace(s, pad_id="pad-d1") for s in plan.sorties)
    flown = meet(replace(plan, site=replace(plan.site, fleet=fleet), sorties=sorties))
    assert not any(was_armed(copter) for copter in flown.copters)
    assert "d2 stands on the same pad" in flown.outcome.drones[0].error
