from __future__ import annotations

import math

import pytest

from skymist.coverage.frames import Origin
from skymist.flight.mavlink import messages as m
from skymist.flight.mavlink.telemetry import (
    MAX_TEXTS,
    PumpServo,
    VehicleState,
    fold,
    is_fresh,
)

POSITION = m.Position(
    boot_s=1.0,
    lat_e7=601700000,
    lon_e7=249400000,
    amsl_m=16.0,
    above_home_m=6.0,
    north_mps=3.0,
    east_mps=4.0,
    down_mps=-1.0,
    heading_deg=90.0,
)


def servo(pulse_us: int, port: int = 0) -> m.ServoOutput:
    return m.ServoOutput(boot_s=1.0, port=port, pulse_us=(1500,) * 8 + (pulse_us,) + (0,) * 7)


def heartbeat(mode: int, base_mode: int = 128) -> m.Heartbeat:
    return m.Heartbeat(
        vehicle_type=2, autopilot=3, base_mode=base_mode, custom_mode=mode, system_status=4
    )


def sys_status(health: int, frac: float | None) -> m.SysStatus:
    return m.SysStatus(
        sensors_present=0,
        sensors_enabled=0,
        sensors_health=health,
        load_frac=0.1,
        battery_v=50.0,
        battery_a=1.0,
        battery_frac=frac,
    )


def test_nothing_is_known_at_first() -> None:
    state = VehicleState()
    assert not state.is_armed
    assert not state.is_auto
    assert state.mode_name == ""
    assert all(math.isnan(v) for v in state.local(Origin(lat_deg=60.0, lon_deg=25.0)))


def test_each_part_carries_its_own_time() -> None:
    state = fold(VehicleState(), POSITION, 10.0)
    state = fold(state, heartbeat(3), 11.0)
    assert state.position is not None
    assert state.heart is not None
    assert (state.position.at_s, state.heart.at_s, state.heard_s) == (10.0, 11.0, 11.0)
    assert state.position.speed_mps == 5.0
    assert state.position.climb_mps == 1.0
    assert state.is_auto
    assert state.is_armed
    assert state.local(Origin(lat_deg=60.17, lon_deg=24.94)) == pytest.approx((0.0, 0.0), abs=0.01)


def test_stale_evidence_is_none() -> None:
    state = fold(VehicleState(), POSITION, 10.0)
    assert is_fresh(state.position, 12.0, 2.0)
    assert not is_fresh(state.position, 12.1, 2.0)
    assert not is_fresh(state.pump, 10.0, 1e9)


def test_pump_is_read_from_its_servo_and_knows_since_when_it_runs() -> None:
    state = fold(VehicleState(), servo(1100), 1.0)
    assert state.pump is not None
    assert not state.pump.is_on
    state = fold(state, servo(1500), 2.0)
    state = fold(state, servo(1900), 3.0)
    assert state.pump is not None
    assert (state.pump.frac, state.pump.on_since_s, state.pump.at_s) == (1.0, 2.0, 3.0)
    state = fold(state, servo(1100), 4.0)
    assert state.pump is not None
    assert state.pump.on_since_s == math.inf


@pytest.mark.parametrize(
    ("off_us", "full_us", "pulse_us", "frac"),
    [
        (1100, 1900, 1500, 0.5),
        (1900, 1100, 1500, 0.5),
        (1900, 1100, 1900, 0.0),
        (1100, 1900, 0, 0.0),
        (1100, 1900, 2100, 1.0),
        (1100, 1900, 900, 0.0),
    ],
)
def test_servo_pulses(off_us: int, full_us: int, pulse_us: int, frac: float) -> None:
    assert PumpServo(channel=9, off_us=off_us, full_us=full_us).frac(pulse_us) == frac


def test_outputs_of_another_port_or_too_few_are_not_the_pump() -> None:
    state = fold(VehicleState(), servo(1900), 1.0)
    assert fold(state, servo(1100, port=1), 2.0).pump == state.pump
    short = m.ServoOutput(boot_s=1.0, port=0, pulse_us=(1500,) * 8)
    assert fold(state, short, 2.0).pump == state.pump


def test_item_number_keeps_the_time_when_it_was_first_heard() -> None:
    def current(seq: int) -> m.MissionCurrent:
        return m.MissionCurrent(
            seq=seq, total=9, state=m.MissionState.ACTIVE, mode=0, is_in_auto=True
        )

    state = fold(fold(VehicleState(), current(3), 1.0), current(3), 2.0)
    assert state.progress is not None
    assert (state.progress.since_s, state.progress.at_s) == (1.0, 2.0)
    state = fold(state, current(4), 3.0)
    assert state.progress is not None
    assert state.progress.since_s == 3.0


def test_battery_share_survives_a_message_that_does_not_know_it() -> None:
    state = fold(VehicleState(), sys_status(m.PREARM_BIT, 0.8), 1.0)
    assert state.checks is not None
    assert state.checks.is_prearm_good
    state = fold(state, sys_status(0, None), 2.0)
    assert state.checks is not None
    assert not state.checks.is_prearm_good
    assert state.power is not None
    assert state.power.frac == 0.8


def test_texts_are_bounded() -> None:
    state = VehicleState()
    for number in range(1000):
        state = fold(state, m.StatusText(severity=6, text=str(number)), float(number))
    assert len(state.texts) == MAX_TEXTS
    assert state.texts[-1].text == "999"


def test_an_unknown_mode_and_message_do_no_harm() -> None:
    state = fold(VehicleState(), heartbeat(99), 1.0)
    assert state.mode_name == "99"
    assert not state.is_auto
    after = fold(state, object(), 5.0)
    assert after.heard_s == 5.0
    assert after.heart == state.heart
