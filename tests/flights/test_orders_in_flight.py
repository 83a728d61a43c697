"""What a person tells drones that fly, and what the drones do: whole operations over bytes."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from skymist.coverage.plan import Plan, Transit
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.conductor.orders import OrderDesk, parse_order
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.recording.record import Record, read_record
from skymist.flight.safety import standstill
from skymist.flight.terminal.display import Silent
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from tests.flights.test_hazards import assert_safe
from tests.flights.test_operations import STARTED_UTC, Flown, MakePlan

OVERLAP_M = 1.0
"""The stated overlap of a rest: 1 s of flight at the 1 m/s of these passes."""


@dataclass
class Told:
    """What a script may see and do."""

    fleet: EmbeddedFleet
    desk: OrderDesk = field(default_factory=OrderDesk)

    @property
    def copter(self) -> EmbeddedCopter:
        return self.fleet.copters[0]

    async def until(self, claim: Callable[[EmbeddedCopter], bool], timeout_s: float = 400) -> None:
        async with asyncio.timeout(timeout_s):
            while not claim(self.copter):
                await asyncio.sleep(0.05)

    def give(self, text: str) -> None:
        self.desk.put(parse_order(text, by="test"))


@pytest.fixture
def tell(tmp_path: Path) -> Callable[..., Flown]:
    """Fly a plan while a script gives orders; the desk is open until the script's end."""

    def flown(plan: Plan, script: Callable[[Told], Coroutine[object, object, None]]) -> Flown:
        async def main() -> tuple[Outcome, tuple[EmbeddedCopter, ...], float]:
            drones = list(plan.site.fleet)
            async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
                copters = {d.id: fleet.copters[i] for i, d in enumerate(drones)}
                told = Told(fleet)
                told.desk.opened()

                async def play() -> None:
                    try:
                        await script(told)
                    finally:
                        told.desk.closed()

                playing = asyncio.create_task(play())
                outcome = await operate(
                    plan,
                    {d.id: fleet.connect(i) for i, d in enumerate(drones)},
                    tmp_path / "record",
                    crew=crew_of(plan.site.policy, copters),
                    display=Silent(),
                    arm=True,
                    setting=Setting(started_utc=STARTED_UTC, sim="embedded"),
                    desk=told.desk,
                )
                assert playing.done(), "the script never came to its end"
                playing.result()
                return outcome, fleet.copters, fleet.now_s

        outcome, copters, sim_s = run(main(), loop=VirtualLoop())
        record = read_record(tmp_path / "record")
        return Flown(outcome=outcome, record=record, copters=copters, plan=plan, sim_s=sim_s)

    return flown


Tell = Callable[..., Flown]


def orders(record: Record) -> list[tuple[str, str, str]]:
    return [(e["verb"], e["drone_id"], e["result"]) for e in record.of("order")]


def sprayed_m(copter: EmbeddedCopter, y: float = 0.0) -> NDArray[np.float64]:
    """Litres in each decimetre of the swath from x 20 to 30, in truth: shape (100,)."""
    bins = np.zeros(100)
    before = None
    for sample in copter.truth:
        if before is not None and sample.pumped_l > before.pumped_l and sample.x < 40.0:
            steps = np.linspace(before.x, sample.x, 21)[1:]
            for x in steps:
                index = int((x - 20.0) * 10)
                if 0 <= index < 100:
                    bins[index] += (sample.pumped_l - before.pumped_l) / 20
        before = sample
    return bins


def gap_and_double(copter: EmbeddedCopter) -> tuple[float, float]:
    """Metres of the swath, its first and last apart, with under 0.4 or over 1.6 times the dose."""
    bins = sprayed_m(copter)[10:90]
    smooth = np.convolve(bins, np.ones(3) / 3, mode="same")[1:-1] / (0.06 * 0.1)
    return float((smooth < 0.4).sum()) / 10, float((smooth > 1.6).sum()) / 10


async def pause_amid_pass(told: Told) -> None:
    await told.until(lambda c: c.pumped_l > 0.3)
    told.give("p")
    await asyncio.sleep(30.0)
    told.give("c")


def test_a_pause_amid_a_pass_leaves_no_gap_and_no_double(tiny_plan: MakePlan, tell: Tell) -> None:
    flown = tell(tiny_plan(), pause_amid_pass)
    assert flown.outcome.result is Result.DONE, flown.outcome
    copter = flown.copters[0]
    assert_safe(copter)
    gap_m, double_m = gap_and_double(copter)
    assert gap_m == 0.0
    assert double_m <= OVERLAP_M
    assert orders(flown.record) == [
        ("pause", "d1", "stands still in the air, pump off"),
        ("continue", "d1", "flies on"),
    ]
    assert flown.litres_outside_l() == 0.0


@pytest.mark.parametrize("after_l", [0.05, 0.15, 0.45, 0.55])
def test_wherever_the_pass_is_paused(tiny_plan: MakePlan, tell: Tell, after_l: float) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > after_l)
        told.give("pause d1")
        await asyncio.sleep(10.0)
        told.give("continue d1")

    flown = tell(tiny_plan(), script)
    assert flown.outcome.result is Result.DONE
    gap_m, double_m = gap_and_double(flown.copters[0])
    assert (gap_m, double_m <= OVERLAP_M) == (0.0, True)


def test_a_paused_drone_stands_still_with_its_pump_off(tiny_plan: MakePlan, tell: Tell) -> None:
    at_s: list[float] = []

    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        at_s.append(told.copter.state.now_s)
        told.give("p")
        await asyncio.sleep(40.0)
        at_s.append(told.copter.state.now_s)
        told.give("c")

    flown = tell(tiny_plan(), script)
    began_s, ended_s = at_s
    still = [s for s in flown.copters[0].truth if began_s + 5 < s.t_s < ended_s]
    assert all(s.flow_lps == 0.0 for s in still)
    assert max(s.x for s in still) - min(s.x for s in still) < 0.5
    wet = [s.t_s for s in flown.copters[0].truth if began_s < s.t_s < ended_s and s.flow_lps > 0]
    assert max(wet, default=began_s) - began_s < 0.5


def test_a_mission_changed_during_a_pause_is_not_flown_on(tiny_plan: MakePlan, tell: Tell) -> None:
    """By MAVFTP another station overwrites the items of a mission in the air."""
    last_x = []

    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        told.give("p")
        await asyncio.sleep(20.0)
        store = told.copter._machine.mission
        far = max(range(len(store)), key=lambda seq: store.items()[seq].lon_e7)
        item = store.items()[far]
        assert store.write(far, replace(item, lon_e7=item.lon_e7 + 5000))
        last_x.append(told.copter.truth[-1].x)
        told.give("c")
        await asyncio.sleep(5.0)

    flown = tell(tiny_plan(), script)
    assert any("changed in the air" in e["text"] for e in flown.record.of("alert"))
    after = [s.x for s in flown.copters[0].truth if s.x > last_x[0] + 3.0]
    assert not after, "it flew on"
    assert_safe(flown.copters[0])


def test_a_pause_between_passes_needs_no_rest(tiny_plan: MakePlan, tell: Tell) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.state.x > 35.0)
        told.give("p d1")
        await asyncio.sleep(20.0)
        told.give("c d1")

    flown = tell(tiny_plan(), script)
    assert flown.outcome.result is Result.DONE
    assert not list(flown.record.of("replan", "skipped"))
    assert flown.outcome.num_sorties == flown.outcome.num_flown == 1


def test_a_hover_that_was_paused_gets_the_rest_of_its_time(tiny_plan: MakePlan, tell: Tell) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.state.x > 44.0 and c.state.pump_frac > 0.0)
        await asyncio.sleep(2.0)
        told.give("p")
        await asyncio.sleep(20.0)
        told.give("c")

    flown = tell(tiny_plan(), script)
    assert flown.outcome.result is Result.DONE
    over_bins_l = 0.0
    for a, b in itertools.pairwise(flown.copters[0].truth):
        over_bins_l += b.pumped_l - a.pumped_l if a.x > 40.0 else 0.0
    # Hovering, the pump gives its least; each of both stays is rounded up to whole seconds.
    assert 0.02 * 5.0 <= over_bins_l <= 0.02 * 7.0
    assert [e["rest_of"] for e in flown.record.of("replan")] == ["d1-01"]


def test_a_pause_on_the_ground_keeps_it_there(tiny_plan: MakePlan, tell: Tell) -> None:
    async def script(told: Told) -> None:
        told.give("pause d1")
        await asyncio.sleep(120.0)
        assert not any(sample.is_armed for sample in told.copter.truth)
        told.give("continue d1")

    flown = tell(tiny_plan(2), script)
    assert flown.outcome.result is Result.DONE
    assert orders(flown.record)[0] == ("pause", "d1", "stays on its pad")
    d2 = next(e for e in flown.record.of("sortie") if e["state"] == "armed")
    assert d2["drone_id"] == "d2"  # nobody waits for a drone that was told to stay


def test_one_drone_comes_home_and_flies_its_rest_when_told(tiny_plan: MakePlan, tell: Tell) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        told.give("h d1")
        await told.until(lambda c: not c.state.is_armed)
        await asyncio.sleep(60.0)
        told.give("c d1")

    flown = tell(tiny_plan(2), script)
    assert flown.outcome.result is Result.DONE
    assert gap_and_double(flown.copters[0])[0] == 0.0
    assert gap_and_double(flown.copters[0])[1] <= OVERLAP_M
    assert "waits" in flown.codes()
    assert flown.states("d2")[-1] == "landed"
    for copter in flown.copters:
        assert_safe(copter)


def test_all_come_home_and_with_nobody_left_to_tell_the_rest_is_named(
    tiny_plan: MakePlan, tell: Tell
) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        told.give("h")

    flown = tell(tiny_plan(2), script)
    assert flown.outcome.result is Result.INCOMPLETE
    skipped = {e["spot_id"]: e["reason"] for e in flown.record.of("skipped")}
    assert set(skipped) == {"yard0", "bins0", "yard30", "bins30"}
    assert all("come home" in reason for reason in skipped.values())
    for copter in flown.copters:
        assert_safe(copter)


def test_a_pilot_is_not_fought_and_the_drone_waits_to_be_told(
    tiny_plan: MakePlan, tell: Tell
) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        assert told.copter.pilot_mode(CopterMode.LOITER)
        await asyncio.sleep(60.0)
        assert told.copter.state.mode == CopterMode.LOITER, "the mode was fought"
        assert told.copter.state.pump_frac == 0.0
        told.give("c d1")  # the pilot says over the radio that he is done

    flown = tell(tiny_plan(), script)
    assert flown.outcome.result is Result.DONE
    assert "pilot" in flown.codes()
    assert orders(flown.record)[-1][2].startswith("comes home; its rest is flown anew")
    assert gap_and_double(flown.copters[0])[0] == 0.0
    assert_safe(flown.copters[0])


def test_a_skipped_spot_gets_nothing_more(tiny_plan: MakePlan, tell: Tell) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.state.is_armed)
        told.give("s yard0")

    flown = tell(tiny_plan(1, 2), script)
    assert flown.outcome.result is Result.INCOMPLETE
    wet = [s for s in flown.copters[0].truth if s.flow_lps > 0]
    assert sum(sprayed_m(flown.copters[0])) < 0.06 * 0.5  # one breath of the pump at most
    assert min(s.x for s in wet if s.x > 35.0) > 40.0  # the bins beside it are treated
    assert [(e["spot_id"], e["reason"]) for e in flown.record.of("skipped")] == [
        ("yard0", "told to skip it")
    ]


def test_a_spot_that_is_skipped_before_take_off_is_not_flown_to(
    tiny_plan: MakePlan, tell: Tell
) -> None:
    async def script(told: Told) -> None:
        told.give("p d1")
        told.give("s bins0")
        await asyncio.sleep(60.0)
        told.give("c d1")

    flown = tell(tiny_plan(), script)
    assert max(s.x for s in flown.copters[0].truth) < 36.0
    assert gap_and_double(flown.copters[0]) == (0.0, 0.0)


def test_stop_is_asked_twice_and_holds_everything_in_the_air(
    tiny_plan: MakePlan, tell: Tell
) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        told.give("stop")
        await asyncio.sleep(2.0)
        assert told.copter.state.mode == CopterMode.AUTO  # once is not enough
        told.give("stop")
        await asyncio.sleep(30.0)
        for copter in told.fleet.copters:
            assert copter.state.mode == CopterMode.BRAKE
            assert copter.state.pump_frac == 0.0
        told.give("c")
        await asyncio.sleep(5.0)
        assert told.copter.state.mode == CopterMode.BRAKE
        told.give("h")

    flown = tell(tiny_plan(2, 2), script)
    results = [result for _, _, result in orders(flown.record)]
    assert results[0].startswith("stop means")
    assert results[1:3] == ["pump off; holds where it is"] * 2
    assert results[3].startswith("refused: everything was stopped")
    for copter in flown.copters:
        assert_safe(copter)
    assert flown.outcome.num_flown == 0
    assert flown.litres_outside_l() == 0.0


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("pause d9", "refused: wanted one of d1"),
        ("skip attic", "refused: no sortie of this plan treats 'attic'"),
        ("continue d1", "nothing to continue"),
    ],
)
def test_what_cannot_be_done_is_said(
    tiny_plan: MakePlan, tell: Tell, text: str, result: str
) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.1)
        told.give(text)

    flown = tell(tiny_plan(), script)
    assert [e["result"] for e in flown.record.of("order")] == [result]
    assert flown.outcome.result is Result.DONE


# -- weather -----------------------------------------------------------------------------


def test_a_gust_pauses_the_drones_and_they_fly_on(tiny_plan: MakePlan, tell: Tell) -> None:
    at_s: list[float] = []

    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        at_s.append(told.copter.state.now_s)
        for copter in told.fleet.copters:
            copter.faults.wind_mps = 9.0
        await asyncio.sleep(8.0)
        for copter in told.fleet.copters:
            copter.faults.wind_mps = 0.0

    flown = tell(tiny_plan(2), script)
    assert [e["state"] for e in flown.record.of("weather")] == ["stop", "go"]
    stop, go = (e["t_s"] for e in flown.record.of("weather"))
    assert stop - at_s[0] < 5.0
    for copter in flown.copters:
        assert_safe(copter)
        wet = [s.t_s for s in copter.truth if s.flow_lps > 0 and stop + 0.6 < s.t_s < go]
        assert not wet
    assert flown.outcome.result is Result.DONE
    assert gap_and_double(flown.copters[0])[0] == 0.0


def test_a_wind_that_stays_brings_them_home_and_the_rest_waits_for_it(
    tiny_plan: MakePlan, tell: Tell
) -> None:
    async def script(told: Told) -> None:
        await told.until(lambda c: c.pumped_l > 0.3)
        told.give("w 8")
        await asyncio.sleep(300.0)
        assert not any(c.state.is_armed for c in told.fleet.copters)
        told.give("wind 2")

    flown = tell(tiny_plan(2), script)
    assert flown.outcome.result is Result.DONE, flown.outcome
    assert gap_and_double(flown.copters[0])[0] == 0.0
    assert gap_and_double(flown.copters[0])[1] <= OVERLAP_M
    for copter in flown.copters:
        assert_safe(copter)


# -- beside each other -------------------------------------------------------------------


def crossing(plan: Plan) -> Plan:
    """The second drone's way leads over the first one's pass, half a minute after it is over."""
    second = next(s for s in plan.sorties if s.drone_id == "d2")
    out, swath, hop, hover, home = second.legs
    assert isinstance(out, Transit)
    detour = ((25.0, 20.0, 6.0), (25.0, -30.0, 6.0), (5.0, -30.0, 6.0), (5.0, 20.0, 6.0))
    way = Transit(path=(out.path[0], out.path[1], *detour, out.path[2]), speed_mps=4.0)
    moved = replace(second, legs=(way, swath, hop, hover, home), start_s=16.0, duration_s=120.0)
    sorties = tuple(moved if s is second else s for s in plan.sorties)
    return replace(plan, sorties=sorties)


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_drone_stands_still_before_one_that_was_paused_in_its_way(
    tiny_plan: MakePlan, tell: Tell, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    """Both are in the air when the first is paused; without the rule the other flies past it."""
    if not is_guarded:
        monkeypatch.setattr(standstill, "to_hold", lambda *_: {})

    async def script(told: Told) -> None:
        other = told.fleet.copters[1]
        await told.until(lambda c: c.pumped_l > 0.25 and other.state.is_armed)
        told.give("p d1")
        await asyncio.sleep(60.0)
        told.give("c d1")

    flown = tell(crossing(tiny_plan(2)), script)
    places = [{round(s.t_s, 1): s for s in copter.truth} for copter in flown.copters]
    home_y = (0.0, 30.0)
    near_m = min(
        math.dist((a.x, a.y + home_y[0], a.z), (b.x, b.y + home_y[1], b.z))
        for t_s, a in places[0].items()
        if (b := places[1].get(t_s)) is not None and min(a.z, b.z) > 2.0
    )
    assert (near_m >= 8.0) == is_guarded, near_m
    if is_guarded:
        assert flown.outcome.result is Result.DONE
        assert near_m >= flown.plan.site.policy.separation_m
    for copter in flown.copters:
        assert_safe(copter)
