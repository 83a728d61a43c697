from __future__ import annotations

from dataclasses import replace

import pytest
from shapely.geometry import box

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.frames import Origin, to_e7
from skymist.coverage.plan import Pass, PassKind, Plan, Sortie, Transit, Treatment
from skymist.coverage.site import BlindSpot, Kind, LevelName, NoSpray, Pad, Site
from skymist.flight.mavlink.messages import CopterMode, MissionState
from skymist.flight.mavlink.telemetry import Heart, Place, Progress, PumpOutput, VehicleState
from skymist.flight.safety.interlock import (
    Cause,
    GuardState,
    PumpGuard,
    Verdict,
    pump_verdict,
    span_at,
    spray_ground,
)
from skymist.missions.items import Command, Item, Mission, PassSpan

ORIGIN = Origin(lat_deg=60.17, lon_deg=24.94)
NOW_S = 100.0


def _pass(y: float = 0.0) -> Pass:
    return Pass(
        spot_id="yard",
        kind=PassKind.SWATH,
        path=((20.0, y), (30.0, y)),
        above_home_m=6.0,
        speed_mps=1.0,
        flow_lps=0.05,
        swath_m=4.0,
    )


def _plan() -> Plan:
    model = DroneModel(
        id="m",
        name="m",
        sprayer=Sprayer(tank_l=16.0, flow_min_lps=0.02, flow_max_lps=0.06, swath_m=4.0),
        body_m=2.0,
        dry_kg=20.0,
        endurance_empty_s=1200.0,
        endurance_full_s=600.0,
        battery_wh=800.0,
    )
    yard = BlindSpot(
        id="yard", kind=Kind.YARD, level=LevelName.RED, shape=box(20.0, -2.0, 30.0, 2.0)
    )
    up = Transit(path=((0.0, 0.0, 3.0), (20.0, 0.0, 6.0)), speed_mps=5.0)
    home = Transit(path=((30.0, 0.0, 6.0), (0.0, 0.0, 3.0)), speed_mps=5.0)
    sortie = Sortie(
        id="d1-01",
        drone_id="d1",
        pad_id="p",
        agent_id="a",
        legs=(up, _pass(), home),
        litres_l=0.5,
        battery_frac=0.1,
        start_s=0.0,
        duration_s=60.0,
    )
    treatment = Treatment(
        spot_id="yard",
        passes=(_pass(),),
        target=yard.area,
        dose_l_per_m2=0.01,
        agent_id="a",
        expected_frac=1.0,
    )
    site = Site(
        name="s",
        origin=ORIGIN,
        spots=(yard,),
        no_spray=(NoSpray(id="pond", area=box(31.0, -5.0, 40.0, 5.0)),),
        pads=(Pad(id="p", x=0.0, y=0.0),),
        fleet=(Drone(id="d1", model=model, pad_id="p"),),
    )
    return Plan(site=site, seed=0, treatments=(treatment,), ground=(), sorties=(sortie,))


PLAN = _plan()
MISSION = Mission(
    sortie_id="d1-01",
    drone_id="d1",
    items=tuple(Item(command=Command.NAV_WAYPOINT) for _ in range(12)),
    spans=(PassSpan(pass_index=0, spot_id="yard", first_seq=5, last_seq=7),),
    land_start_seq=9,
)
GROUND = spray_ground(PLAN, PLAN.sorties[0], MISSION)


def state(
    x: float = 25.0,
    y: float = 0.0,
    *,
    mode: CopterMode = CopterMode.AUTO,
    armed: bool = True,
    pump: float = 0.8,
    seq: int = 6,
    up_m: float = 6.0,
) -> VehicleState:
    place = ORIGIN.geo(x, y)
    return VehicleState(
        heard_s=NOW_S,
        heart=Heart(at_s=NOW_S, mode=mode, custom_mode=int(mode), is_armed=armed, system_status=4),
        position=Place(
            at_s=NOW_S,
            lat_e7=to_e7(place.lat_deg),
            lon_e7=to_e7(place.lon_deg),
            above_home_m=up_m,
            speed_mps=1.0,
            climb_mps=0.0,
            heading_deg=90.0,
        ),
        progress=Progress(
            at_s=NOW_S, seq=seq, mission_state=MissionState.ACTIVE, since_s=NOW_S - 3
        ),
        pump=PumpOutput(at_s=NOW_S, frac=pump, pulse_us=1700, on_since_s=NOW_S - 2),
    )


def cause(of: VehicleState, now_s: float = NOW_S) -> Cause | None:
    return pump_verdict(of, MISSION, GROUND, now_s).cause


def test_spraying_over_the_spot_is_let_be() -> None:
    assert cause(state()) is None
    assert not pump_verdict(state(), MISSION, GROUND, NOW_S).must_stop


@pytest.mark.parametrize(
    "mode", [m for m in CopterMode if m is not CopterMode.AUTO], ids=lambda m: m.name
)
def test_any_other_mode_stops_it_even_with_the_pump_seen_off(mode: CopterMode) -> None:
    verdict = pump_verdict(state(mode=mode, pump=0.0), MISSION, GROUND, NOW_S)
    assert verdict.cause is Cause.LEFT_AUTO
    assert mode.name in verdict.reason


@pytest.mark.parametrize("seq", [0, 1, 4, 8, 9, 11])
def test_running_in_an_item_that_is_no_pass(seq: int) -> None:
    assert cause(state(seq=seq)) is Cause.NOT_A_PASS
    assert cause(state(seq=seq, pump=0.0)) is None


def test_an_item_number_older_than_the_pumps_start_proves_nothing() -> None:
    late = state(seq=4)
    assert late.progress is not None
    old = replace(late, progress=replace(late.progress, at_s=NOW_S - 3))
    assert cause(old) is None


def test_a_pump_reading_from_before_the_item_changed_proves_nothing() -> None:
    just = state(seq=8)
    assert just.progress is not None
    fresh = replace(just, progress=replace(just.progress, since_s=NOW_S - 0.2))
    assert cause(fresh) is None


@pytest.mark.parametrize(
    ("x", "y", "stops"),
    [
        (20.0, 0.0, False),
        (17.0, 0.0, False),  # swath / 2 and the margin before the first point
        (15.5, 0.0, True),
        (25.0, 3.9, False),
        (25.0, 4.5, True),
        (30.9, 0.0, False),
        (31.5, 0.0, True),  # within the margin, but over ground that no spray may reach
        (40.0, 0.0, True),
    ],
)
def test_the_edge_of_the_spot(x: float, y: float, stops: bool) -> None:
    assert (cause(state(x, y)) is Cause.OUTSIDE) == stops
    assert cause(state(x, y, pump=0.0)) is None


@pytest.mark.parametrize(("up_m", "stops"), [(6.0, False), (4.5, False), (3.5, True), (8.5, True)])
def test_the_height_of_the_pass(up_m: float, stops: bool) -> None:
    """A drone that falls onto its spot, or leaves upwards, sprays no more."""
    assert (cause(state(up_m=up_m)) is Cause.OUTSIDE) == stops
    assert cause(state(up_m=up_m, pump=0.0)) is None


def test_stale_position_or_pump_stops_it() -> None:
    assert cause(state(), NOW_S + 1.9) is None
    assert cause(state(), NOW_S + 2.1) is Cause.STALE
    blind = state()
    assert blind.pump is not None
    assert cause(replace(blind, pump=None)) is Cause.STALE
    assert cause(replace(blind, position=None)) is Cause.STALE


def test_a_heartbeat_that_stays_out_stops_it() -> None:
    """Without heartbeats nobody sees a pilot take over (or a drone disarm)."""
    heard = state()
    assert heard.heart is not None
    silent = replace(heard, heart=replace(heard.heart, at_s=NOW_S - 3.6))
    assert cause(silent) is Cause.STALE
    assert cause(replace(heard, heart=replace(heard.heart, at_s=NOW_S - 3.1))) is None


@pytest.mark.parametrize("is_heard", [True, False])
def test_without_an_items_number_only_the_ground_counts(is_heard: bool) -> None:
    def of(x: float, pump: float = 0.8) -> VehicleState:
        heard = state(x, seq=6, pump=pump)
        assert heard.progress is not None
        old = replace(heard.progress, at_s=NOW_S - 4.0) if is_heard else None
        return replace(heard, progress=old)

    assert cause(of(25.0)) is None
    assert cause(of(45.0)) is Cause.OUTSIDE
    assert cause(of(45.0, pump=0.0)) is None


def test_disarmed() -> None:
    assert cause(state(armed=False)) is Cause.DISARMED
    assert cause(state(armed=False, pump=0.0)) is None
    assert cause(VehicleState()) is None


def test_spans() -> None:
    assert [seq for seq in range(12) if span_at(MISSION, seq)] == [5, 6, 7]


STOP = Verdict(cause=Cause.OUTSIDE, reason="outside")
FREE = Verdict()


def pump_at(at_s: float, frac: float) -> VehicleState:
    return VehicleState(pump=PumpOutput(at_s=at_s, frac=frac, pulse_us=1700, on_since_s=0.0))


def test_guard_sends_at_once_and_repeats_until_accepted_and_seen_off() -> None:
    guard, on = PumpGuard(), pump_at(0.0, 1.0)
    assert not guard.step(FREE, on, 0.0)
    assert guard.step(STOP, on, 0.1)
    assert not guard.step(STOP, on, 0.3)
    assert guard.step(STOP, on, 0.61)
    guard.accepted(NOW_S)
    assert guard.step(STOP, pump_at(1.0, 1.0), 1.2)  # accepted, but it still runs
    assert not guard.step(STOP, pump_at(1.4, 0.0), 1.5)
    assert guard.state is GuardState.HELD
    assert not guard.step(STOP, pump_at(9.0, 0.0), 9.0)
    assert guard.step(STOP, pump_at(9.5, 0.5), 9.6)  # on again: asked off again
    assert guard.state is GuardState.STOPPING
    assert not guard.step(FREE, pump_at(9.7, 0.0), 9.8)
    assert guard.state is GuardState.WATCHING


def test_guard_is_not_content_with_off_alone_or_with_an_old_reading() -> None:
    guard = PumpGuard()
    assert guard.step(STOP, pump_at(0.0, 0.0), 1.0)
    assert guard.step(STOP, pump_at(1.2, 0.0), 1.6)  # seen off, never acknowledged
    guard.accepted(NOW_S)
    assert guard.step(STOP, pump_at(1.2, 0.0), 2.2)  # acknowledged, the reading is older
    assert not guard.step(STOP, pump_at(2.3, 0.0), 2.9)
