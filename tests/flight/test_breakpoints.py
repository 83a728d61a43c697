"""How far a pass was sprayed, against a drone whose pump is known at every moment."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.plan import Pass, PassKind
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.mavlink.telemetry import VehicleState
from skymist.flight.resuming.breakpoints import END_S, OVERLAP_S, Breakpoints
from tests.flight.test_interlock import MISSION, NOW_S, ORIGIN, PLAN, state

SPEED_MPS = 1.0
LAP = ((20.0, -2.0), (30.0, -2.0), (30.0, 2.0), (20.0, 2.0), (20.0, -2.0))


def book(leg: Pass | None = None) -> Breakpoints:
    sortie = PLAN.sorties[0]
    if leg is not None:
        sortie = replace(sortie, legs=(sortie.legs[0], leg, sortie.legs[2]))
    return Breakpoints(sortie, MISSION, ORIGIN)


def at(x: float, y: float, t_s: float, **told: object) -> VehicleState:
    seen = state(x, y, **told)  # type: ignore[arg-type]
    place, pump, progress = seen.position, seen.pump, seen.progress
    assert place is not None
    assert pump is not None
    assert progress is not None
    return replace(
        seen,
        position=replace(place, at_s=NOW_S + t_s),
        pump=replace(pump, at_s=NOW_S + t_s, on_since_s=NOW_S),
        progress=replace(progress, at_s=NOW_S + t_s, since_s=NOW_S),
    )


def fly(
    told: Breakpoints, leg: Pass, on: tuple[float, float], every_s: float, lag_s: float
) -> None:
    """Along the pass at its speed, the pump on between two of its metres, seen now and then."""
    t_s = 0.0
    while t_s * SPEED_MPS <= leg.length_m:
        along = t_s * SPEED_MPS
        x, y = _point(leg, max(0.0, along - lag_s * SPEED_MPS))
        told.see(at(x, y, t_s, pump=0.8 if on[0] <= along <= on[1] else 0.0))
        t_s += every_s


def _point(leg: Pass, along: float) -> tuple[float, float]:
    for (ax, ay), (bx, by) in zip(leg.path, leg.path[1:], strict=False):
        step = math.dist((ax, ay), (bx, by))
        if along <= step:
            return ax + (bx - ax) * along / step, ay + (by - ay) * along / step
        along -= step
    return leg.path[-1]


@settings(max_examples=200, deadline=None)
@given(
    off=st.floats(0.5, 10.0),
    every_s=st.floats(0.1, 0.5),
    lag_s=st.floats(0.0, 0.25),
    is_lap=st.booleans(),
)
def test_no_gap_and_no_more_than_the_overlap(
    off: float, every_s: float, lag_s: float, is_lap: bool
) -> None:
    straight = PLAN.sorties[0].passes[0]
    leg = replace(straight, kind=PassKind.PERIMETER, path=LAP) if is_lap else straight
    told = book(leg)
    fly(told, leg, (0.0, off), every_s, lag_s)
    done_m = told.done_frac(0, is_ended=True) * leg.length_m
    if leg.length_m - off <= END_S * SPEED_MPS:
        assert done_m == leg.length_m or done_m <= off
    else:
        assert done_m <= off + 1e-6  # nothing counts as sprayed that was not
        assert off - done_m <= (OVERLAP_S + 2 * every_s + lag_s) * SPEED_MPS + 0.01


def test_a_whole_pass_is_done_and_one_that_stayed_dry_is_not() -> None:
    leg = PLAN.sorties[0].passes[0]
    whole, dry = book(), book()
    fly(whole, leg, (0.0, 99.0), 0.25, 0.1)
    fly(dry, leg, (50.0, 99.0), 0.25, 0.1)
    assert whole.done_frac(0, is_ended=True) == 1.0
    assert dry.done_frac(0, is_ended=True) == 0.0


def test_a_pass_that_was_never_judged_counts_by_its_item() -> None:
    assert book().done_frac(0, is_ended=True) == 1.0
    assert book().done_frac(0, is_ended=False) == 0.0


def test_spray_behind_a_break_does_not_count() -> None:
    told = book()
    for t_s in range(11):
        told.see(at(20.0 + t_s, 0.0, float(t_s), pump=0.0 if 4 <= t_s <= 6 else 0.8))
    assert told.done_frac(0, is_ended=True) == pytest.approx((3.0 - OVERLAP_S) / 10.0, abs=0.01)


def test_our_own_command_cuts_even_what_is_not_seen_off() -> None:
    told = book()
    told.see(at(23.0, 0.0, 3.0))
    told.cut()
    told.see(at(26.0, 0.0, 6.0))
    assert told.done_frac(0, is_ended=True) == pytest.approx((3.0 - OVERLAP_S) / 10.0, abs=0.01)


def test_out_of_auto_nothing_counts_any_more() -> None:
    told = book()
    told.see(at(23.0, 0.0, 3.0))
    told.see(at(25.0, 0.0, 5.0, mode=CopterMode.RTL))
    told.see(at(27.0, 0.0, 7.0))
    assert told.done_frac(0, is_ended=False) == pytest.approx((3.0 - OVERLAP_S) / 10.0, abs=0.01)


def test_a_hover_counts_seconds() -> None:
    straight = PLAN.sorties[0].passes[0]
    told = book(
        replace(straight, kind=PassKind.HOVER, path=((25.0, 0.0),), hover_s=10.0, speed_mps=0.0)
    )
    for k in range(17):
        told.see(at(25.0, 0.0, k * 0.25))
    told.cut()
    assert told.done_frac(0, is_ended=False) == pytest.approx(0.4 - OVERLAP_S / 10.0)


def test_a_pass_that_went_by_unseen_after_a_command_off_is_not_done() -> None:
    """Seen in the fault matrix: a burst of loss hid a pass, and the pump had been commanded off."""
    told = book()
    told.see(at(10.0, 0.0, 1.0, seq=3, pump=0.0))
    told.cut()
    told.see(at(40.0, 0.0, 30.0, seq=9, pump=0.0))
    assert told.done_frac(0, is_ended=True) == 0.0
