from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.messages import ParamError, ParamRequestRead, ParamSet, ParamValue
from skymist.flight.protocols import driver
from skymist.flight.protocols.param_protocol import (
    NUM_TRIES,
    TIMEOUT_S,
    WINDOW,
    ParameterRead,
    ParameterWrite,
    State,
    stored_value,
)
from skymist.flight.protocols.parameters import ALIASES, aliases_of, groups_of, scale_of
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly

V46 = {
    "WPNAV_SPEED": (1000.0, 9),
    "RTL_ALT": (1500.0, 6),
    "SYSID_MYGCS": (255.0, 4),
    "SPRAY_SPEED_MIN": (100.0, 9),
    "SPRAY_PUMP_MIN": (0.0, 2),
}
V47 = {"WP_SPD": (10.0, 9), "RTL_ALT_M": (15.0, 9), "MAV_GCS_SYSID": (255.0, 2)}


def test_names_fit_a_parameter_and_are_no_others() -> None:
    names = [alias.name for aliases in ALIASES.values() for alias in aliases]
    assert len(names) == len(set(names))
    assert all(len(name) <= 16 for name in names)
    with pytest.raises(ValueError, match="wp_speed_mps"):
        aliases_of("wp_speed")
    assert groups_of(["rtl_altitude_m"]) == (("RTL_ALT_M", "RTL_ALT"),)
    assert scale_of("rtl_altitude_m", "RTL_ALT") == 100


@given(st.floats(-1e6, 1e6), st.sampled_from([2, 4, 6, 9]))
def test_stored_values_are_kept_as_they_are(value: float, kind: int) -> None:
    stored = stored_value(value, kind)
    assert stored_value(stored, kind) == stored
    if kind == 9:
        assert stored == struct.unpack("<f", struct.pack("<f", value))[0]
    else:
        assert stored == int(stored)
        assert abs(stored - value) <= 1


def reading() -> ParameterRead:
    read = ParameterRead((("WP_SPD", "WPNAV_SPEED"), ("RTL_ALT",)))
    read.start(0.0)
    return read


@pytest.mark.parametrize("state", ["idle", "asking", "done"])
@pytest.mark.parametrize(
    "message",
    [
        ParamValue(name="RTL_ALT", value=1.0),
        ParamValue(name="OTHER", value=1.0),
        ParamError(name="RTL_ALT", error=1),
        ParamError(name="WP_SPD", error=1),
        ParamError(name="OTHER", error=1),
    ],
    ids=str,
)
def test_read_every_state_every_message(state: str, message: Any) -> None:
    read = ParameterRead((("WP_SPD", "WPNAV_SPEED"), ("RTL_ALT",)))
    if state != "idle":
        read.start(0.0)
    if state == "done":
        read.receive(ParamValue(name="WPNAV_SPEED", value=1000.0), 0.1)
        read.receive(ParamValue(name="RTL_ALT", value=5.0), 0.1)
        assert read.is_done
    before = dict(read.found)
    assert read.receive(message, 0.2) == ()
    if state == "asking" and message == ParamValue(name="RTL_ALT", value=1.0):
        assert read.found == {1: message}
    else:
        assert read.found == before
    assert (1 in read.missing) == (
        state == "asking" and message == ParamError(name="RTL_ALT", error=1)
    )


def test_read_asks_all_names_and_takes_the_first() -> None:
    read = ParameterRead((("WP_SPD", "WPNAV_SPEED"),))
    assert read.start(0.0) == (
        ParamRequestRead(name="WP_SPD"),
        ParamRequestRead(name="WPNAV_SPEED"),
    )
    read.receive(ParamValue(name="WPNAV_SPEED", value=1000.0), 0.1)
    read.receive(ParamValue(name="WP_SPD", value=10.0), 0.1)
    assert read.found[0].name == "WPNAV_SPEED"
    assert read.is_done


def test_read_gives_up_a_silent_name_after_some_tries() -> None:
    read = reading()
    sent = 0
    while not read.is_done:
        sent += len(read.tick(read.deadline_s))
    assert read.missing == {0, 1}
    assert sent == 3 * (NUM_TRIES - 1)
    assert read.deadline_s == pytest.approx(NUM_TRIES * TIMEOUT_S)


def test_read_keeps_few_on_the_way() -> None:
    read = ParameterRead(tuple((f"P{n}",) for n in range(30)))
    assert len(read.start(0.0)) == WINDOW


def test_write_is_done_when_said_back_and_no_sooner() -> None:
    write = ParameterWrite({"A": (4.7, 9), "B": (12.5, 2)})
    assert len(write.start(0.0)) == 2
    write.receive(ParamValue(name="A", value=4.6), 0.1)  # the old value
    assert not write.written
    write.receive(ParamValue(name="A", value=stored_value(4.7, 9)), 0.2)
    write.receive(ParamValue(name="B", value=12.0), 0.2)
    assert write.state is State.DONE
    assert write.written == {"A": stored_value(4.7, 9), "B": 12.0}
    assert not write.refused
    assert not write.silent


def test_write_ends_refused_or_silent() -> None:
    write = ParameterWrite({"A": (1.0, 9), "B": (1.0, 9)})
    sent = list(write.start(0.0))
    while not write.is_done:
        write.receive(ParamValue(name="A", value=0.0), write.deadline_s)
        sent += write.tick(write.deadline_s)
    assert write.refused == {"A": 0.0}
    assert write.silent == {"B"}
    assert sent.count(ParamSet(name="A", value=1.0)) == NUM_TRIES


@pytest.mark.parametrize("held", [V46, V47], ids=["4.6", "4.7"])
@pytest.mark.parametrize("seed", range(4))
def test_set_over_a_noisy_link(held: dict[str, tuple[float, int]], seed: int) -> None:
    async def main() -> tuple[driver.ParameterReport, ScriptedVehicle]:
        link = FakeLink(seed=seed, loss_frac=0.15, repeat_frac=0.2, jitter_s=0.2)
        vehicle = ScriptedVehicle(link)
        vehicle.params = dict(held)
        async with Channel(link) as channel:
            wanted = {"wp_speed_mps": 4.7, "rtl_altitude_m": 15.27, "gcs_sysid": 254.0}
            return await driver.set_parameters(channel.vehicle(1), wanted), vehicle

    report, vehicle = fly(main())
    assert report.is_as_wanted
    assert report.before == {"wp_speed_mps": 10.0, "rtl_altitude_m": 15.0, "gcs_sysid": 255.0}
    assert report.after == pytest.approx(
        {"wp_speed_mps": 4.7, "rtl_altitude_m": 15.27, "gcs_sysid": 254.0}
    )
    assert set(vehicle.params) == set(held)


def test_what_is_missing_or_refused_is_named() -> None:
    async def main() -> driver.ParameterReport:
        link = FakeLink()
        vehicle = ScriptedVehicle(link)
        vehicle.params = dict(V46)
        vehicle.readonly = {"SPRAY_SPEED_MIN"}
        async with Channel(link) as channel:
            wanted = {"spray_speed_min_mps": 0.37, "spray_enable": 1.0, "spray_pump_min_pct": 12.5}
            return await driver.set_parameters(channel.vehicle(1), wanted)

    report = fly(main())
    assert report.missing == ("spray_enable",)
    assert report.refused == ("spray_speed_min_mps",)
    assert report.after == {"spray_speed_min_mps": 1.0, "spray_pump_min_pct": 12.0}
    assert not report.is_as_wanted
