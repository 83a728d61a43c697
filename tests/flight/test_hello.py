"""Who answers on a link is the drone that is meant, or is refused by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.hello import HELLO_S, require_meant
from skymist.flight.terminal.display import Silent
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly
from tests.sitl.ground import drone


class Said(Silent):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        assert name == "notice"
        self.texts.append(str(fields["text"]))


def meet(link_up: Any, *, sysid: int = 1) -> Said:
    async def main() -> Said:
        link, said = FakeLink(), Said()
        link_up(link)
        meant = replace(drone(sysid), id="heron")
        async with Channel(link) as channel:
            await require_meant(meant, channel.vehicle(sysid), said, now_s() + HELLO_S)
        return said

    return fly(main())


def test_a_drone_that_is_there_is_met_without_a_word() -> None:
    assert meet(ScriptedVehicle).texts == []


def test_a_drone_that_comes_late_is_waited_for_aloud() -> None:
    def late(link: FakeLink) -> None:
        asyncio.get_running_loop().call_later(12.0, ScriptedVehicle, link)

    texts = meet(late).texts
    assert len(texts) == 2
    assert texts[0] == (
        "heron: waiting for a heartbeat of system id 1 on its link, up to 25 s more; "
        "heard nothing there"
    )


def test_silence_says_what_was_heard_instead() -> None:
    with pytest.raises(VehicleSilent, match=r"within 30 s on its link; heard nothing there"):
        meet(lambda link: None)

    def noise(link: FakeLink) -> None:
        link.arrive(b"\x01\x02\x03" * 100)

    with pytest.raises(VehicleSilent, match=r"heard 300 bytes there that are no MAVLink"):
        meet(noise)

    def station(link: FakeLink) -> None:
        beat = m.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)
        link.arrive(bytes(beat.pack(m.MAVLink(None, 254, 190))))

    with pytest.raises(VehicleSilent, match=r"1 MAVLink frames there, no autopilot's heartbeat"):
        meet(station)


def test_another_system_id_is_named() -> None:
    with pytest.raises(VehicleRefused, match=r"heron: wanted system id 3 on its link, found \[1\]"):
        meet(ScriptedVehicle, sysid=3)


@pytest.mark.parametrize(
    ("autopilot", "frame", "words"),
    [
        (12, 2, r"PX4 on a frame of type 2 \(quad\)"),
        (3, 1, r"ArduPilot on a frame of type 1 \(fixed wing\)"),
        (3, 10, r"type 10 \(ground rover\)"),
        (17, 99, r"autopilot 17 on a frame of type 99"),
    ],
)
def test_what_is_no_arducopter_is_refused_by_name(autopilot: int, frame: int, words: str) -> None:
    def other(link: FakeLink) -> None:
        beat = m.MAVLink_heartbeat_message(frame, autopilot, 81, 0, 4, 3)
        link.arrive(bytes(beat.pack(m.MAVLink(None, 1, 1))))

    with pytest.raises(VehicleRefused, match=f"heron: wanted ArduCopter on a multirotor.*{words}"):
        meet(other)
