"""When a drone is said to have fallen, from what it says of itself."""

from __future__ import annotations

from skymist.coverage.frames import to_e7
from skymist.coverage.plan import Plan
from skymist.flight.mavlink.messages import Heartbeat, Position
from skymist.flight.mavlink.telemetry import VehicleState, fold
from skymist.flight.safety.falls import LYING_S, FallWatch
from tests.flights.conftest import small_plan

HEART = Heartbeat(vehicle_type=2, autopilot=3, base_mode=209, custom_mode=3, system_status=4)


def told(plan: Plan, now_s: float, *, up_m: float = 0.3) -> VehicleState:
    pad = plan.site.pads[0]
    here = plan.site.origin.geo(pad.x, pad.y)
    state = fold(VehicleState(), HEART, now_s)
    place = Position(
        boot_s=now_s,
        lat_e7=to_e7(here.lat_deg),
        lon_e7=to_e7(here.lon_deg),
        amsl_m=up_m,
        above_home_m=up_m,
        north_mps=0.0,
        east_mps=0.0,
        down_mps=0.0,
        heading_deg=None,
    )
    return fold(state, place, now_s)


def test_silence_after_a_landing_was_begun_is_no_fall() -> None:
    plan = small_plan()
    watch = FallWatch(plan, plan.sorties[0])
    for tenth in range(20):
        watch.see(told(plan, tenth / 10), tenth / 10, is_flying=True)
    last = told(plan, 2.0)
    for second in range(3, 40):  # nothing more is heard: what was said last grows old
        watch.see(last, float(second), is_flying=True)
        assert not watch.lies


def test_seen_armed_and_low_for_long_it_lies_there() -> None:
    plan = small_plan()
    watch = FallWatch(plan, plan.sorties[0])
    for second in range(int(LYING_S)):
        watch.see(told(plan, second), second, is_flying=True)
        assert not watch.lies
    watch.see(told(plan, LYING_S), LYING_S, is_flying=True)
    assert watch.lies
    watch.see(told(plan, LYING_S + 1, up_m=6.0), LYING_S + 1, is_flying=True)
    assert not watch.lies
