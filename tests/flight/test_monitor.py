from __future__ import annotations

from dataclasses import replace

import pytest
from shapely.geometry import LineString

from skymist.coverage.frames import Origin, to_e7
from skymist.flight.conductor.passbook import PassBook
from skymist.flight.conductor.phases import NEXT, Phase, Phases, may_follow, phase_in_air
from skymist.flight.mavlink.messages import CopterMode, EkfFlag, MissionState
from skymist.flight.mavlink.telemetry import (
    Estimate,
    Fence,
    Fix,
    Heart,
    Place,
    Power,
    Progress,
    PumpOutput,
    VehicleState,
)
from skymist.flight.safety.monitor import Course, Limits, Severity, Tank, alerts_of, drained, rising
from skymist.missions.items import Command, Item, Mission, PassSpan

ORIGIN = Origin(lat_deg=60.17, lon_deg=24.94)
NOW_S = 100.0
LIMITS = Limits()
FULL = Tank(litres_l=16.0)


def state(*, x: float = 10.0, mode: CopterMode = CopterMode.AUTO, seq: int = 3) -> VehicleState:
    place = ORIGIN.geo(x, 0.0)
    return VehicleState(
        heard_s=NOW_S,
        heart=Heart(at_s=NOW_S, mode=mode, custom_mode=int(mode), is_armed=True, system_status=4),
        position=Place(
            at_s=NOW_S,
            lat_e7=to_e7(place.lat_deg),
            lon_e7=to_e7(place.lon_deg),
            above_home_m=6.0,
            speed_mps=1.0,
            climb_mps=0.0,
            heading_deg=None,
        ),
        progress=Progress(at_s=NOW_S, seq=seq, mission_state=MissionState.ACTIVE, since_s=NOW_S),
        pump=PumpOutput(at_s=NOW_S, frac=0.5, pulse_us=1500, on_since_s=NOW_S - 5),
        power=Power(at_s=NOW_S, frac=0.8, volts_v=50.0),
        fix=Fix(at_s=NOW_S, has_fix=True, fix_type=3, num_satellites=12),
        estimate=Estimate(at_s=NOW_S, flags=EkfFlag(831), has_absolute_position=True),
    )


def codes(of: VehicleState, tank: Tank = FULL, now_s: float = NOW_S) -> set[str]:
    return {alert.code for alert in alerts_of(of, tank, LIMITS, now_s)}


def test_nothing_to_tell() -> None:
    assert codes(state()) == set()
    assert codes(VehicleState()) == set()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"power": Power(at_s=NOW_S, frac=0.2, volts_v=40.0)}, "battery_reserve"),
        ({"power": Power(at_s=NOW_S, frac=0.1, volts_v=40.0)}, "battery_critical"),
        (
            {"power": Power(at_s=NOW_S, frac=None, volts_v=40.0, is_critical=True)},
            "battery_critical",
        ),
        ({"fix": Fix(at_s=NOW_S, has_fix=False, fix_type=1, num_satellites=3)}, "gps_lost"),
        ({"fix": Fix(at_s=NOW_S - 9, has_fix=True, fix_type=3, num_satellites=9)}, "gps_lost"),
        (
            {"estimate": Estimate(at_s=NOW_S, flags=EkfFlag(1), has_absolute_position=False)},
            "ekf",
        ),
        ({"fence": Fence(at_s=NOW_S, is_breached=True)}, "fence"),
    ],
)
def test_each_alert(change: dict[str, object], code: str) -> None:
    assert codes(replace(state(), **change)) == {code}  # type: ignore[arg-type]


def test_only_a_critical_battery_calls_home() -> None:
    low = replace(state(), power=Power(at_s=NOW_S, frac=0.1, volts_v=40.0))
    (alert,) = alerts_of(low, FULL, LIMITS, NOW_S)
    assert alert.must_come_home
    assert alert.severity is Severity.ERROR


def test_a_silent_link_is_the_only_thing_told() -> None:
    low = replace(state(), power=Power(at_s=NOW_S, frac=0.1, volts_v=40.0))
    assert codes(low, now_s=NOW_S + 5.1) == {"link_silent"}


def test_an_empty_tank_matters_while_the_pump_runs() -> None:
    assert codes(state(), Tank(litres_l=0.0)) == {"tank_empty"}
    off = replace(
        state(), pump=PumpOutput(at_s=NOW_S, frac=0.0, pulse_us=1100, on_since_s=float("inf"))
    )
    assert codes(off, Tank(litres_l=0.0)) == set()


def test_off_path() -> None:
    course = Course(origin=ORIGIN, line=LineString([(0.0, 0.0), (20.0, 0.0)]))
    near = alerts_of(state(x=29.0), FULL, LIMITS, NOW_S, course=course)
    far = alerts_of(state(x=31.0), FULL, LIMITS, NOW_S, course=course)
    assert near == ()
    assert [a.code for a in far] == ["off_path"]


def test_rising_gives_what_is_new() -> None:
    alerts = alerts_of(state(), Tank(litres_l=0.0), LIMITS, NOW_S)
    assert rising(frozenset(), alerts) == alerts
    assert rising(frozenset({"tank_empty"}), alerts) == ()


def pumping(at_s: float, frac: float) -> VehicleState:
    return VehicleState(pump=PumpOutput(at_s=at_s, frac=frac, pulse_us=1500, on_since_s=0.0))


def test_tank_is_the_integral_of_the_output() -> None:
    tank = Tank(litres_l=1.0)
    for at_s, frac in [(0.0, 0.0), (1.0, 1.0), (2.0, 0.5), (3.0, 0.0), (9.0, 0.0)]:
        tank = drained(tank, pumping(at_s, frac), 0.1)
    assert tank.sprayed_l == pytest.approx(0.15)
    assert tank.litres_l == pytest.approx(0.85)
    assert tank.flow_lps == 0.0


def test_tank_counts_neither_a_message_twice_nor_what_was_not_seen() -> None:
    tank = drained(Tank(litres_l=1.0), pumping(0.0, 1.0), 0.1)
    assert drained(tank, pumping(0.0, 1.0), 0.1) is tank
    assert drained(tank, pumping(60.0, 1.0), 0.1).sprayed_l == pytest.approx(0.2)


def test_tank_does_not_go_below_nothing() -> None:
    tank = drained(Tank(litres_l=0.05), pumping(0.0, 1.0), 0.1)
    tank = drained(tank, pumping(1.0, 1.0), 0.1)
    assert (tank.litres_l, tank.flow_lps) == (0.0, 0.0)
    assert tank.sprayed_l == pytest.approx(0.05)


MISSION = Mission(
    sortie_id="s",
    drone_id="d",
    items=tuple(Item(command=Command.NAV_WAYPOINT) for _ in range(20)),
    spans=(
        PassSpan(pass_index=0, spot_id="a", first_seq=4, last_seq=5),
        PassSpan(pass_index=1, spot_id="b", first_seq=8, last_seq=8),
    ),
    land_start_seq=12,
)


def told(book: PassBook, seq: int, *, home: bool = False) -> list[str]:
    events = book.update(state(seq=seq), is_sent_home=home)
    return [f"{event.span.spot_id} {event.state}" for event in events]


def test_passes_start_and_end_with_the_items() -> None:
    book = PassBook(MISSION)
    assert [told(book, seq) for seq in (1, 4, 4, 5, 6, 8, 9)] == [
        [],
        ["a started"],
        [],
        [],
        ["a ended"],
        ["b started"],
        ["b ended"],
    ]
    assert book.unfinished == ()


def test_a_pass_whose_numbers_were_lost_is_entered_and_left_in_one_step() -> None:
    book = PassBook(MISSION)
    assert told(book, 4) == ["a started"]
    assert told(book, 11) == ["a ended", "b started", "b ended"]


def test_a_jump_home_ends_no_pass() -> None:
    book = PassBook(MISSION)
    told(book, 4)
    assert told(book, 12, home=True) == []
    assert [span.spot_id for span in book.unfinished] == ["a", "b"]
    assert book.spot_id is None


def test_other_modes_and_steps_back_tell_nothing() -> None:
    book = PassBook(MISSION)
    told(book, 4)
    assert book.update(state(seq=9, mode=CopterMode.LOITER)) == ()
    assert told(book, 0) == []
    assert told(book, 4) == []


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_its_ways_on_and_only_two_are_final(phase: Phase) -> None:
    assert may_follow(phase, phase)
    assert bool(NEXT[phase]) == (phase not in (Phase.DONE, Phase.FAILED))
    assert phase in (Phase.LANDED, Phase.DONE, Phase.FAILED) or Phase.FAILED in NEXT[phase]
    # Nothing arms what was not verified; a drone that is taken up may be armed already.
    if phase not in (Phase.VERIFIED, Phase.WAITING):
        assert Phase.ARMED not in NEXT[phase]


def test_an_unknown_way_is_a_fault_of_ours() -> None:
    seen: list[Phase] = []
    phases = Phases("d1", seen.append)
    phases.to(Phase.PREPARING)
    with pytest.raises(RuntimeError, match="armed may not follow preparing"):
        phases.to(Phase.ARMED)
    assert seen == [Phase.PREPARING]


@pytest.mark.parametrize(
    ("mode", "seq", "home", "phase"),
    [
        (CopterMode.AUTO, 3, False, Phase.TRANSIT),
        (CopterMode.AUTO, 4, False, Phase.SPRAYING),
        (CopterMode.AUTO, 12, False, Phase.RETURNING),
        (CopterMode.AUTO_RTL, 4, False, Phase.RETURNING),
        (CopterMode.RTL, 4, True, Phase.RETURNING),
        (CopterMode.RTL, 4, False, Phase.PILOT),
        (CopterMode.BRAKE, 4, False, Phase.HOLDING),
        (CopterMode.LOITER, 4, False, Phase.PILOT),
        (CopterMode.LOITER, 4, True, Phase.PILOT),
    ],
)
def test_the_phase_in_the_air(mode: CopterMode, seq: int, home: bool, phase: Phase) -> None:
    found = phase_in_air(state(mode=mode, seq=seq), MISSION, NOW_S, is_sent_home=home)
    assert found is phase


def test_a_silent_drone_is_lost() -> None:
    assert phase_in_air(state(), MISSION, NOW_S + 6, is_sent_home=False) is Phase.LOST
