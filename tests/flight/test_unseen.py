"""What a silence hid of a pass, against a drone whose pump is known at every moment.

The drone flies by itself here, written without `unseen`: it may dawdle, stop, or be past the end of
its pass when it is heard again; orders reach it late, or never.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.plan import Pass, PassKind
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.mavlink.telemetry import VehicleState
from skymist.flight.resuming.breakpoints import END_S, OVERLAP_S, Breakpoints
from skymist.flight.resuming.unseen import least_s
from tests.flight.test_interlock import MISSION, NOW_S, ORIGIN, PLAN, state

STALE_S, REPEAT_S, STEP_S = 2.0, 0.5, 0.05
FASTEST_MPS = 5.0
IN_PASS, BEHIND = 7, 8


@dataclass(frozen=True, kw_only=True)
class Case:
    """A flight with a silence; seconds count from the start of the pass."""

    speed_mps: float = 1.0
    length_m: float = 20.0
    pace: float = 1.0
    """Of the planned speed, what is really flown."""
    silent_s: tuple[float, float] = (5.0, 9.0)
    arrives_s: float = math.inf
    """From then on an order to turn the pump off arrives."""
    stop_s: tuple[float, float] = (0.0, 0.0)
    mode: CopterMode = CopterMode.AUTO
    """When it is heard again."""
    hover_s: float = 0.0

    @property
    def leg(self) -> Pass:
        straight = PLAN.sorties[0].passes[0]
        if self.hover_s:
            return replace(
                straight,
                kind=PassKind.HOVER,
                path=((20.0, 0.0),),
                speed_mps=0.0,
                hover_s=self.hover_s,
            )
        path = ((20.0, 0.0), (20.0 + self.length_m, 0.0))
        return replace(straight, path=path, speed_mps=self.speed_mps)


def flown(case: Case) -> tuple[list[tuple[float, float]], float]:
    """Metres from the start of the pass at each moment, and when its pump stopped."""
    track, m, speed, acceleration = [], 0.0, case.speed_mps * case.pace, 0.0
    first_order_s = case.silent_s[0] + STALE_S
    orders = [first_order_s + REPEAT_S * k for k in range(200)]
    heard = [t for t in orders if case.arrives_s <= t < case.silent_s[1]]
    planned_s = case.length_m / max(case.speed_mps, 0.5) if case.length_m < 1e3 else 0.0
    for k in range(round((max(case.silent_s[1], planned_s) + 8.0) / STEP_S)):
        t_s = k * STEP_S
        track.append((t_s, m))
        if m >= case.length_m:
            acceleration = min(acceleration + STEP_S, 2.5)
            speed = min(speed + acceleration * STEP_S, max(FASTEST_MPS, case.speed_mps))
        if not case.stop_s[0] <= t_s < case.stop_s[0] + case.stop_s[1]:
            m += speed * STEP_S
    end_s = next((t for t, m in track if m >= case.length_m), math.inf)
    return track, min(heard[0] if heard else math.inf, end_s)


def judged(case: Case) -> tuple[float, float, Breakpoints]:
    """Metres that count as done, and that were sprayed."""
    leg, (track, off_s) = case.leg, flown(case)
    sortie = PLAN.sorties[0]
    legs = (sortie.legs[0], leg, sortie.legs[2])
    told = Breakpoints(replace(sortie, legs=legs), MISSION, ORIGIN)
    silent_from_s, silent_to_s = case.silent_s
    known, orders, is_behind = state(20.0, 0.0), 0, False
    for t_s, m in track:
        at_s = NOW_S + t_s
        if silent_from_s <= t_s < silent_to_s:
            if t_s >= silent_from_s + STALE_S + orders * REPEAT_S:
                told.doubt(at_s)
                orders += 1
            continue
        tick = round(t_s / STEP_S)
        is_behind = m >= case.length_m
        if tick % 5 == 0:
            mode = case.mode if t_s > silent_from_s else CopterMode.AUTO
            seq = BEHIND if is_behind else IN_PASS
            pump = 0.8 if t_s < off_s else 0.0
            known = heard(known, state(20.0 + m, 0.0, mode=mode, seq=seq, pump=pump), at_s, tick)
            told.see(known)
    is_ended = is_behind and case.mode is CopterMode.AUTO
    sprayed_m = next(m for t, m in track if t >= min(off_s, track[-1][0]))
    return told.done_frac(0, is_ended=is_ended) * leg.length_m, sprayed_m, told


def heard(known: VehicleState, now: VehicleState, at_s: float, tick: int) -> VehicleState:
    """Place and pump four times a second, heart and item once."""
    assert now.position is not None
    assert now.pump is not None
    made = replace(
        known,
        position=replace(now.position, at_s=at_s),
        pump=replace(now.pump, at_s=at_s, on_since_s=NOW_S),
    )
    if tick % 20 == 0:
        assert now.heart is not None
        assert now.progress is not None
        made = replace(
            made,
            heart=replace(now.heart, at_s=at_s),
            progress=replace(now.progress, at_s=at_s, since_s=NOW_S),
        )
    return made


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A silence somewhere, any order, any delay."""
    speed_mps = draw(st.floats(0.5, 6.0))
    length_m = draw(st.floats(10.0, 60.0))
    from_s = draw(st.floats(1.0, length_m / speed_mps))
    to_s = from_s + draw(st.floats(2.1, 12.0))
    return Case(
        speed_mps=speed_mps,
        length_m=length_m,
        pace=draw(st.floats(0.9, 1.05)),
        silent_s=(from_s, to_s),
        arrives_s=draw(st.one_of(st.just(math.inf), st.floats(from_s, to_s))),
        stop_s=(draw(st.floats(0.0, to_s)), draw(st.one_of(st.just(0.0), st.floats(0.0, 6.0)))),
    )


@settings(max_examples=150, deadline=None)
@given(case=cases())
def test_nothing_counts_as_sprayed_that_was_not(case: Case) -> None:
    done_m, sprayed_m, _ = judged(case)
    if case.length_m - sprayed_m <= END_S * case.speed_mps:
        assert done_m >= case.length_m - 1e-6 or done_m <= sprayed_m + 0.1
    else:
        assert done_m <= sprayed_m + 0.1


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_a_pump_that_is_still_heard_to_run_was_on_all_the_while(case: Case) -> None:
    """No order arrived and it did not stop: of a silence amid the pass nothing is sprayed twice."""
    to_s = (case.length_m / case.speed_mps - 2.5) / 1.1
    from_s = min(case.silent_s[0], to_s - 2.5)
    if from_s < 1.0:
        return
    case = replace(case, silent_s=(from_s, to_s), arrives_s=math.inf, stop_s=(0.0, 0.0), pace=1.0)
    done_m, sprayed_m, told = judged(case)
    assert done_m == pytest.approx(case.length_m)
    assert sprayed_m >= case.length_m
    (unseen,) = told.unseen
    assert unseen.from_m <= from_s * case.speed_mps + 0.1
    assert unseen.to_m >= to_s * case.speed_mps - 0.1


@pytest.mark.parametrize("speed_mps", [0.5, 1.0, 3.0, 5.0])
@pytest.mark.parametrize("late_s", [0.0, 0.6, 1.6])
def test_a_pump_that_obeyed_is_sprayed_twice_no_further_than_its_order_was_late(
    speed_mps: float, late_s: float
) -> None:
    case = Case(
        speed_mps=speed_mps,
        length_m=20.0 * speed_mps,
        silent_s=(5.0, 9.0),
        arrives_s=5.0 + STALE_S + late_s,
    )
    done_m, sprayed_m, _ = judged(case)
    assert done_m <= sprayed_m
    on_way_s = math.ceil(late_s / REPEAT_S) * REPEAT_S
    twice_s = OVERLAP_S + on_way_s + 0.1 * (9.5 - 7.0) + 0.3
    assert sprayed_m - done_m <= twice_s * speed_mps


@pytest.mark.parametrize("speed_mps", [1.0, 3.0, 5.0])
def test_a_pass_that_ended_unseen_is_known_by_how_far_the_drone_has_come(speed_mps: float) -> None:
    """The pass ended before the first order: all of it was sprayed, and nearly all counts."""
    case = Case(speed_mps=speed_mps, length_m=10.0 * speed_mps, silent_s=(8.5, 12.0))
    done_m, _, _ = judged(case)
    before_m = 8.25 * speed_mps
    assert done_m > before_m
    assert case.length_m - done_m <= 1.0 * speed_mps


@pytest.mark.parametrize("mode", [CopterMode.AUTO_RTL, CopterMode.RTL, CopterMode.LOITER])
def test_a_drone_that_is_found_out_of_its_mission_proves_nothing(mode: CopterMode) -> None:
    done_m, _, told = judged(Case(mode=mode))
    assert done_m <= 5.0
    assert not told.unseen


def test_a_stop_amid_a_silence_proves_nothing_of_what_lies_behind() -> None:
    done_m, _, _ = judged(Case(silent_s=(5.0, 12.0), stop_s=(6.0, 3.0)))
    assert done_m <= 5.0


@pytest.mark.parametrize("arrives_s", [math.inf, 7.0])
def test_a_hover_counts_its_seconds(arrives_s: float) -> None:
    """Heard until 5 s and from 9 s on; its pump was turned off at 7 s, or not at all.

    From the first order on nothing counts: what is heard later may be old news.
    """
    case = Case(hover_s=20.0, length_m=1e9, speed_mps=0.0, arrives_s=arrives_s)
    leg, (track, off_s) = case.leg, flown(case)
    sortie = PLAN.sorties[0]
    legs = (sortie.legs[0], leg, sortie.legs[2])
    told = Breakpoints(replace(sortie, legs=legs), MISSION, ORIGIN)
    known, orders = state(20.0, 0.0), 0
    for t_s, _ in track:
        if 5.0 <= t_s < 9.0:
            if t_s >= 7.0 + orders * REPEAT_S:
                told.doubt(NOW_S + t_s)
                orders += 1
            continue
        tick = round(t_s / STEP_S)
        pump = 0.8 if t_s < off_s else 0.0
        known = heard(known, state(20.0, 0.0, seq=IN_PASS, pump=pump), NOW_S + t_s, tick)
        told.see(known)
    done_s = told.done_frac(0, is_ended=False) * 20.0
    wanted_s = min(off_s, 7.0) - OVERLAP_S
    assert wanted_s - 0.5 <= done_s <= wanted_s + 0.01


@pytest.mark.parametrize("held_s", [1.0, 3.0, 6.0])
def test_old_news_of_a_hover_is_no_proof(held_s: float) -> None:
    """A link holds back what was said from 5 s on and gives it at once; an order went at 6 s."""
    sprayed_s = 6.1
    hover = Case(hover_s=20.0, length_m=1e9, speed_mps=0.0).leg
    sortie = PLAN.sorties[0]
    legs = (sortie.legs[0], hover, sortie.legs[2])
    told = Breakpoints(replace(sortie, legs=legs), MISSION, ORIGIN)
    known = state(20.0, 0.0)
    ordered = False
    for tick in range(round(25.0 / STEP_S)):
        t_s = tick * STEP_S
        arrives_s = t_s if t_s < 5.0 else max(t_s, 6.0 + held_s)
        if arrives_s >= 6.0 and not ordered:
            told.doubt(NOW_S + 6.0)
            ordered = True
        pump = 0.8 if t_s < sprayed_s else 0.0
        here = state(20.0, 0.0, seq=IN_PASS, pump=pump)
        known = heard(known, here, NOW_S + arrives_s, tick)
        told.see(known)
    assert 4.5 <= told.done_frac(0, is_ended=False) * 20.0 <= sprayed_s


@pytest.mark.parametrize(("way_m", "from_mps"), [(0.0, 1.0), (3.0, 1.0), (15.0, 1.0), (40.0, 5.0)])
def test_the_least_time_is_no_more_than_any_flight_takes(way_m: float, from_mps: float) -> None:
    t_s = m = acceleration = 0.0
    speed = from_mps
    while m < way_m:
        acceleration = min(2.5, acceleration + 0.001)
        speed = min(FASTEST_MPS, speed + acceleration * 0.001)
        m += speed * 0.001
        t_s += 0.001
    assert t_s - 0.15 <= least_s(way_m, from_mps, FASTEST_MPS) <= t_s + 0.01
