"""Our heartbeats against ArduPilot's failsafe: by a parser that is not ours, over bad links."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.flight.mavlink import heartbeat
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.heartbeat import BEAT_S, QUICK_S, WINDOW_S, Pulse
from tests.flight.scripted import FakeLink, fly

FAILSAFE_S = 5.0
FLOWN_S = 600.0
SEEDS = (2, 3)


class Listener:
    """A vehicle that tells four things a second, and notes when it heard a heartbeat of ours."""

    def __init__(self, link: FakeLink) -> None:
        self._in, self._out = m.MAVLink(None), m.MAVLink(None, 1, 1)
        self._in.robust_parsing = True
        self._link = link
        self.heard_s: list[float] = []
        self._task = asyncio.create_task(self._live())
        link.vehicles.append(self)  # type: ignore[arg-type]

    def hear(self, data: bytes) -> None:
        for message in self._in.parse_buffer(bytearray(data)) or ():
            if message.get_type() == "HEARTBEAT":
                self.heard_s.append(asyncio.get_running_loop().time())

    async def _live(self) -> None:
        while True:
            data = bytes(m.MAVLink_heartbeat_message(2, 3, 81, 0, 4, 3).pack(self._out))
            self._out.seq = (self._out.seq + 1) % 256
            self._link.arrive(data)
            await asyncio.sleep(0.25)


def longest_s(**noise: Any) -> float:
    """The longest time without a heartbeat that a vehicle sees."""

    async def main() -> list[float]:
        link = FakeLink(**noise)
        vehicle = Listener(link)
        async with Channel(link):
            await asyncio.sleep(FLOWN_S)
        return vehicle.heard_s

    return max(b - a for a, b in pairwise([0.0, *fly(main())]))


BAD = [{"loss_frac": 0.3}, {"corrupt_frac": 0.1}]


@pytest.mark.parametrize("noise", BAD, ids=str)
def test_no_failsafe_on_a_bad_link(noise: dict[str, float]) -> None:
    assert max(longest_s(seed=seed, **noise) for seed in SEEDS) < FAILSAFE_S


@pytest.mark.parametrize("noise", BAD, ids=str)
def test_once_a_second_would_be_too_seldom(
    noise: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why it is not: the same links, by the same judge."""
    monkeypatch.setattr(heartbeat, "BEAT_S", 1.0)
    monkeypatch.setattr(heartbeat, "QUICK_S", 1.0)
    assert max(longest_s(seed=seed, **noise) for seed in SEEDS) >= FAILSAFE_S


def test_the_pulse_quickens_with_loss_and_silence_and_calms_down() -> None:
    pulse = Pulse()
    assert pulse.next_s(0.0, 0, 0, 0.0) == BEAT_S
    assert pulse.next_s(1.0, 100, 1, 0.1) == BEAT_S
    assert pulse.next_s(2.0, 110, 6, 0.1) == QUICK_S
    assert pulse.next_s(3.0 + WINDOW_S, 210, 6, 0.1) == BEAT_S
    assert pulse.next_s(4.0 + WINDOW_S, 210, 6, 2.0) == QUICK_S
