"""Whole operations over bytes against embedded copters, in simulated time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shapely.geometry import LineString, Point
from shapely.ops import unary_union

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result, StopButton
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.errors import VehicleRefused
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.recording.record import Record, read_record
from skymist.flight.terminal.display import Silent
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.pipes import Pipe
from tests.flights.machines import Both

MakePlan = Callable[..., Plan]
STARTED_UTC = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BEYOND_M = 5.0
"""Half a swath, the interlock's margin, and 1 m for the way flown until the next message."""


class Mishap:
    """What goes wrong; `watch` runs beside the operation, `saw` is told every event."""

    def __init__(self) -> None:
        self.fleet: EmbeddedFleet
        self.links: dict[str, Pipe]

    async def watch(self) -> None:
        """Do nothing."""

    @property
    def copter(self) -> EmbeddedCopter:
        return self.fleet.copters[0]

    async def until(self, claim: Callable[[EmbeddedCopter], bool], timeout_s: float = 300) -> None:
        async with asyncio.timeout(timeout_s):
            while not claim(self.copter):
                await asyncio.sleep(0.05)


@dataclass
class Flown:
    outcome: Outcome
    record: Record
    copters: tuple[EmbeddedCopter, ...]
    plan: Plan
    sim_s: float
    events: list[str] = field(default_factory=list)

    def states(self, drone_id: str = "d1") -> list[str]:
        return [e["state"] for e in self.record.of("sortie") if e["drone_id"] == drone_id]

    def codes(self) -> set[str]:
        return {e["code"] for e in self.record.of("alert")}

    def litres_outside_l(self, index: int = 0, since_s: float = 0.0) -> float:
        """Litres that left the nozzles further than `BEYOND_M` from every pass, in truth."""
        passes = [p for s in self.plan.sorties for p in s.passes]
        lines = [LineString(p.path) if len(p.path) > 1 else Point(p.path[0]) for p in passes]
        allowed = unary_union(lines).buffer(BEYOND_M)
        origin, outside_l, before = self.plan.site.origin, 0.0, None
        for sample in self.copters[index].truth:
            if before is not None and before.t_s >= since_s and sample.pumped_l > before.pumped_l:
                (xy,) = origin.to_local([(before.lon_deg, before.lat_deg)])
                if not allowed.contains(Point(xy)):
                    outside_l += sample.pumped_l - before.pumped_l
            before = sample
        return outside_l


@pytest.fixture
def fly(tmp_path: Path) -> Callable[..., Flown]:
    def flown(
        plan: Plan,
        mishap: Mishap | None = None,
        *,
        arm: bool = True,
        drop: tuple[str, ...] = (),
    ) -> Flown:
        async def main() -> tuple[Outcome, tuple[EmbeddedCopter, ...], float]:
            drones = list(plan.site.fleet)
            async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
                links = {d.id: fleet.connect(i) for i, d in enumerate(drones) if d.id not in drop}
                copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}
                if mishap is not None:
                    mishap.fleet, mishap.links = fleet, links
                trouble = asyncio.create_task((mishap or Mishap()).watch())
                outcome = await operate(
                    plan,
                    links,
                    tmp_path / "record",
                    crew=crew_of(plan.site.policy, copters),
                    display=Silent(),
                    arm=arm,
                    setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                )
                assert trouble.done(), "the mishap of this test never came"
                trouble.result()
                return outcome, fleet.copters, fleet.now_s

        outcome, copters, sim_s = run(main(), loop=VirtualLoop())
        record = read_record(tmp_path / "record")
        return Flown(outcome=outcome, record=record, copters=copters, plan=plan, sim_s=sim_s)

    return flown


Fly = Callable[..., Flown]


def test_a_whole_sortie(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan())
    assert flown.outcome.result is Result.DONE
    states = ["preparing", "uploading", "verified", "armed", "flying", "landed"]
    assert flown.states() == states
    assert flown.record.is_closed
    assert flown.record.plan().sorties[0].id == "d1-01"
    passes = [(e["spot_id"], e["state"]) for e in flown.record.of("pass")]
    assert passes == [
        ("yard0", "started"),
        ("yard0", "ended"),
        ("bins0", "started"),
        ("bins0", "ended"),
    ]
    assert not list(flown.record.of("pump", "skipped"))
    assert flown.litres_outside_l() == 0.0


def test_the_record_counts_what_came_out(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan())
    pumped_l = flown.copters[0].pumped_l
    assert pumped_l == pytest.approx(flown.plan.litres_l, rel=0.4)
    assert flown.outcome.litres_l == pytest.approx(pumped_l, rel=0.03)
    tracks = list(flown.record.of("track"))
    assert tracks[-1]["tank_l"] == pytest.approx(flown.copters[0].tank_l, abs=0.03)
    gaps = [b["t_s"] - a["t_s"] for a, b in itertools.pairwise(tracks)]
    assert max(gaps) < 0.5
    wet = {t["in_span"] for t in tracks if t["pump_frac"] > 0.02}
    assert wet <= {"yard0", "bins0", None}
    assert all(t["mode"] == "AUTO" for t in tracks)


def test_two_drones_with_a_refill_and_a_swap_each(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(2, 2))
    assert flown.outcome.result is Result.DONE
    assert flown.outcome.num_flown == 4
    services = [(e["drone_id"], e["kind"]) for e in flown.record.of("service")]
    assert sorted(services) == [
        ("d1", "fill"),
        ("d1", "refill"),
        ("d1", "swap"),
        ("d2", "fill"),
        ("d2", "refill"),
        ("d2", "swap"),
    ]
    refill = next(e for e in flown.record.of("service") if e["kind"] == "refill")
    assert refill["duration_s"] == pytest.approx(20.0, abs=0.2)
    assert refill["litres_l"] == pytest.approx(flown.copters[0].pumped_l / 2, rel=0.05)
    both = [e["t_s"] for e in flown.record.of("sortie") if e["state"] == "armed"]
    assert both[1] - both[0] < 2.0  # both start together, as planned
    assert both[2] - both[0] >= 149.0


@pytest.mark.parametrize("is_at_once", [False, True])
def test_a_battery_is_swapped_while_the_tank_is_filled(
    is_at_once: bool, tiny_plan: MakePlan, fly: Fly
) -> None:
    plan = tiny_plan(1, 2)
    policy = replace(plan.site.policy, refill_s=40.0, swap_s=30.0, is_swap_in_refill=is_at_once)
    soon = tuple(replace(s, start_s=0.0) for s in plan.sorties)
    flown = fly(replace(plan, site=replace(plan.site, policy=policy), sorties=soon))
    assert flown.outcome.result is Result.DONE
    ends = {e["kind"]: e["t_s"] for e in flown.record.of("service")}
    begins = {e["kind"]: e["t_s"] - e["duration_s"] for e in flown.record.of("service")}
    after_s = 0.0 if is_at_once else 40.0
    assert begins["swap"] - begins["refill"] == pytest.approx(after_s, abs=0.5)
    armed = [e["t_s"] for e in flown.record.of("sortie") if e["state"] == "armed"]
    assert armed[1] >= max(ends.values())


def test_two_sorties_from_one_tank_need_no_service(tiny_plan: MakePlan, fly: Fly) -> None:
    plan = tiny_plan(1, 2)
    dry = tuple(replace(s, refill_before=False, swap_before=False) for s in plan.sorties)
    flown = fly(replace(plan, sorties=dry))
    assert flown.outcome.num_flown == 2
    assert [e["kind"] for e in flown.record.of("service")] == ["fill"]
    told_l = sum(drone.litres_l for drone in flown.outcome.drones)
    assert told_l == pytest.approx(flown.copters[0].pumped_l, rel=0.03)


def test_another_agent_goes_into_a_rinsed_tank(tiny_plan: MakePlan, fly: Fly) -> None:
    plan = tiny_plan(1, 2)
    first, second = plan.sorties
    flown = fly(replace(plan, sorties=(first, replace(second, agent_id="larvicide"))))
    assert flown.outcome.num_flown == 2
    fills = [e for e in flown.record.of("service") if e["kind"] in ("fill", "refill")]
    wanted_l = second.carried_l or plan.site.fleet[0].model.sprayer.tank_l
    assert fills[1]["litres_l"] == pytest.approx(wanted_l)
    sprayed_l = flown.copters[0].pumped_l / 2
    assert flown.copters[0].tank_l == pytest.approx(wanted_l - sprayed_l, rel=0.05)


def test_without_arm_it_ends_with_the_verified_upload(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(2), arm=False)
    assert flown.states() == ["preparing", "uploading", "verified"]
    assert "--arm" in flown.outcome.text
    for copter in flown.copters:
        assert len(copter.mission) == 23
        assert not copter.state.is_armed
        assert copter.state.shown_mode != CopterMode.AUTO


def test_a_drone_that_is_not_connected_is_named(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(2), drop=("d2",))
    assert flown.outcome.result is Result.INCOMPLETE
    assert flown.outcome.num_flown == 1
    skipped = [(e["spot_id"], e["reason"]) for e in flown.record.of("skipped")]
    assert skipped == [
        ("yard30", "drone d2 is not connected"),
        ("bins30", "drone d2 is not connected"),
    ]


def test_a_wrong_system_id_is_refused_by_name(tiny_plan: MakePlan, tmp_path: Path) -> None:
    plan = tiny_plan()
    (drone,) = plan.site.fleet
    other = replace(plan, site=replace(plan.site, fleet=(replace(drone, sysid=7),)))

    async def main() -> None:
        async with EmbeddedFleet([drone], homes=homes_of(plan, [drone])) as fleet:
            with pytest.raises(VehicleRefused, match=r"wanted system id 7 .* found \[1\]"):
                await operate(
                    other,
                    {"d1": fleet.connect(0)},
                    tmp_path,
                    crew=crew_of(plan.site.policy, {}),
                    display=Silent(),
                    arm=True,
                    setting=Setting(started_utc=STARTED_UTC),
                )

    run(main(), loop=VirtualLoop())
    assert read_record(tmp_path).events[-1]["outcome"] == "aborted"


def test_one_link_may_carry_several_drones(tiny_plan: MakePlan, tmp_path: Path) -> None:
    plan = tiny_plan(2)

    async def main() -> Outcome:
        drones = list(plan.site.fleet)
        async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
            hub = Both(fleet.connect(0), fleet.connect(1))
            copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}
            outcome = await operate(
                plan,
                {d.id: hub for d in drones},
                tmp_path,
                crew=crew_of(plan.site.policy, copters),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
            )
            hub.close()
            return outcome

    outcome = run(main(), loop=VirtualLoop())
    assert outcome.result is Result.DONE
    assert outcome.num_flown == 2


class Tampering(Mishap):
    """Another ground station changes one item after the upload was verified."""

    async def watch(self) -> None:
        await self.until(lambda c: c.state.shown_mode == CopterMode.AUTO)
        await asyncio.sleep(0.1)
        store = self.copter._machine.mission
        items = list(store.items())
        items[5] = replace(items[5], z_m=items[5].z_m + 1.0)
        store.replace_all(items)


def test_another_mission_between_verify_and_arm_never_arms(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(), Tampering())
    assert flown.outcome.result is Result.INCOMPLETE
    assert not any(sample.is_armed for sample in flown.copters[0].truth)
    assert "armed" not in flown.states()
    assert flown.states()[-1] == "failed"
    assert "item 5" in flown.outcome.drones[0].error
    assert {e["spot_id"] for e in flown.record.of("skipped")} == {"yard0", "bins0"}


class StuckPump(Mishap):
    """The pump's servo sticks half open in the middle of the pass, for 20 s."""

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        self.copter.faults.pump_stuck_frac = 0.5
        await asyncio.sleep(20.0)
        self.copter.faults.pump_stuck_frac = None


def test_a_stuck_pump_is_told_and_commanded_off_again_and_again(
    tiny_plan: MakePlan, fly: Fly
) -> None:
    flown = fly(tiny_plan(), StuckPump())
    assert "pump_stuck" in flown.codes()
    stops = list(flown.record.of("pump"))
    assert stops
    assert stops[0]["commanded"] is False
    ended_s = next(e["t_s"] for e in flown.record.of("pass") if e["state"] == "ended")
    assert stops[0]["t_s"] - ended_s < 1.6


class LinkDropped(Mishap):
    """Every byte is lost both ways from the middle of the pass on."""

    def __init__(self, back_after_s: float | None) -> None:
        super().__init__()
        self._back_after_s = back_after_s

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        self.copter.faults.link_silent = True
        if self._back_after_s is not None:
            await asyncio.sleep(self._back_after_s)
            self.copter.faults.link_silent = False


def test_a_dead_link_is_held_by_the_missions_own_interlock(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(), LinkDropped(None))
    assert flown.outcome.result is Result.INCOMPLETE
    assert "link_silent" in flown.codes()
    assert flown.states()[-1] == "failed"
    assert flown.litres_outside_l() == 0.0
    assert flown.copters[0].state.is_landed
    assert not flown.copters[0].state.is_armed
    assert flown.copters[0].state.pump_frac == 0.0


def test_a_link_that_comes_back_is_taken_up_again(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(), LinkDropped(30.0))
    assert {"link_silent", "link_back"} <= flown.codes()
    assert flown.states()[-1] in ("landed", "failed")
    assert flown.record.is_closed
    assert flown.litres_outside_l() == 0.0


class LinkClosed(Mishap):
    """The wire is pulled in the middle of the pass."""

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        self.links["d1"].close()


def test_a_closed_link_ends_that_drone_and_not_the_other(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(2), LinkClosed())
    assert flown.outcome.is_link_lost
    assert flown.states("d1")[-1] == "failed"
    assert flown.states("d2")[-1] == "landed"
    assert flown.outcome.num_flown == 2  # its own, and what d1 left
    assert "interlock" in flown.outcome.drones[0].error


class PilotTakesOver(Mishap):
    """The pilot holds the drone in LOITER during the pass, and lands it half a minute later."""

    def __init__(self, then: CopterMode) -> None:
        super().__init__()
        self._then = then
        self.at_s = 0.0

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        self.at_s = self.copter.state.now_s
        assert self.copter.pilot_mode(CopterMode.LOITER)
        await asyncio.sleep(30.0)
        assert self.copter.state.shown_mode == CopterMode.LOITER  # nobody fought it
        assert self.copter.pilot_mode(self._then)


def test_a_pilot_is_never_fought(tiny_plan: MakePlan, fly: Fly) -> None:
    mishap = PilotTakesOver(CopterMode.LAND)
    flown = fly(tiny_plan(), mishap)
    assert flown.outcome.result is Result.INCOMPLETE
    assert "pilot" in flown.codes()
    stop = next(flown.record.of("pump"))
    assert "LOITER" in stop["reason"]
    wet = [s for s in flown.copters[0].truth if s.flow_lps > 0]
    assert wet[-1].t_s - mishap.at_s < 1.5  # a heartbeat a second, then 0.5 s
    reasons = {e["reason"] for e in flown.record.of("skipped")}
    assert any("LOITER" in reason for reason in reasons)


def test_a_pilot_who_gives_back_is_followed(tiny_plan: MakePlan, fly: Fly) -> None:
    flown = fly(tiny_plan(), PilotTakesOver(CopterMode.AUTO))
    assert flown.states()[-1] == "landed"
    assert flown.outcome.result is Result.INCOMPLETE  # the rest of the pass stayed dry
    assert {e["spot_id"] for e in flown.record.of("skipped")} == {"yard0"}
    assert flown.litres_outside_l() == 0.0


class EmptyBattery(Mishap):
    """The battery loses most of what it has in the middle of the pass."""

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        self.copter.faults.battery_lost_frac = 0.8


def test_a_low_battery_brings_one_drone_home_and_the_other_flies_its_rest(
    tiny_plan: MakePlan, fly: Fly
) -> None:
    flown = fly(tiny_plan(2, 2), EmptyBattery())
    assert flown.outcome.result is Result.DONE
    assert flown.states("d1")[-1] == "failed"
    assert flown.states("d2").count("landed") == 3
    assert {s.drone_id for s in flown.record.plans[1].sorties} == {"d2"}
    assert flown.copters[0].state.is_landed
    assert flown.litres_outside_l() == 0.0


class OperatorStops(Mishap):
    """The operator presses Ctrl-C during the pass."""

    def __init__(self, button: list[StopButton]) -> None:
        super().__init__()
        self._button = button

    async def watch(self) -> None:
        await self.until(lambda c: c.pumped_l > 0.2)
        self._button[0].press()


def test_the_operators_stop_brings_all_home(
    tiny_plan: MakePlan, fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    buttons: list[StopButton] = []

    def made() -> StopButton:
        buttons.append(StopButton())
        return buttons[-1]

    monkeypatch.setattr("skymist.flight.conductor.operation.StopButton", made)
    flown = fly(tiny_plan(2, 2), OperatorStops(buttons))
    assert flown.outcome.result is Result.ABORTED
    end = flown.record.events[-1]
    assert (end["event"], end["outcome"]) == ("end", "aborted")
    assert flown.outcome.num_flown == 0
    for index, copter in enumerate(flown.copters):
        assert copter.state.is_landed
        assert not copter.state.is_armed
        assert flown.litres_outside_l(index) == 0.0
    home_x, home_y = flown.copters[0].truth[0].x, flown.copters[0].truth[0].y
    last = flown.copters[0].truth[-1]
    assert abs(last.x - home_x) + abs(last.y - home_y) < 1.0
