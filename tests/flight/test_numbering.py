"""One vehicle or two, by the numbers of their frames: with everything that a link does to them."""

from __future__ import annotations

import math
import random

import pytest

from skymist.flight.mavlink.numbering import BEATS_S, Numbering

Heard = tuple[float, int, bytes, bool]
"""When a frame came, its number, its bytes, whether it is a heartbeat."""


def heard(
    seed: int,
    *,
    loss: float = 0.0,
    late_s: float = 0.0,
    late: float = 0.0,
    repeat: float = 0.0,
    at: tuple[int, ...],
    rate_hz: float = 60.0,
    num: int = 1500,
) -> list[Heard]:
    """Frames of vehicles that begin at these numbers, as they arrive; a heartbeat each second."""
    chance = random.Random(seed)
    arrived = []
    for k in range(num):
        for vehicle, first in enumerate(at):
            if chance.random() < loss:
                continue
            is_beat = int(k / rate_hz) > int((k - 1) / rate_hz)
            for _ in range(2 if chance.random() < repeat else 1):
                when_s = k / rate_hz + vehicle * 0.003 + chance.uniform(0.0, 0.004)
                when_s += late_s if chance.random() < late else 0.0
                arrived.append((when_s, (first + k) % 256, b"%d %d" % (vehicle, k), is_beat))
    return sorted(arrived)


def doubled_at_s(frames: list[Heard]) -> float:
    """When two vehicles are said to speak; inf for never."""
    numbering = Numbering()
    for when_s, seq, raw, is_beat in frames:
        numbering.take(seq, raw, when_s, is_beat=is_beat)
        if numbering.is_doubled:
            return when_s
    return math.inf


def verdict(frames: list[Heard]) -> bool:
    return doubled_at_s(frames) < math.inf


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rate_hz", [13.0, 60.0, 250.0, 600.0])
@pytest.mark.parametrize(
    "link",
    [
        {},
        {"loss": 0.3},
        {"late": 0.2, "late_s": 0.3},
        {"late": 0.5, "late_s": 0.3},
        {"late": 0.3, "late_s": 0.3, "loss": 0.3},
    ],
    ids=str,
)
def test_one_vehicle_is_one_whatever_the_link_does(
    link: dict[str, float], rate_hz: float, seed: int
) -> None:
    assert not verdict(heard(seed, at=(seed * 25,), rate_hz=rate_hz, **link))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
def test_frames_may_come_most_of_a_cycle_late(seed: int) -> None:
    """At 60 frames a second 0.6 s are 36 places, and 3 s are 180 of 256."""
    for late_s in (0.6, 3.0):
        assert not verdict(heard(seed, at=(seed * 25,), late=0.5, late_s=late_s))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("apart", [1, 5, 20, 40, 70, 128, 190, 230, 255])
def test_two_vehicles_are_two_however_far_apart_they_count(apart: int, seed: int) -> None:
    assert verdict(heard(seed, at=(3, 3 + apart))[:200])


@pytest.mark.parametrize("apart", [1, 20, 70, 190, 230])
@pytest.mark.parametrize("rate_hz", [13.0, 250.0])
@pytest.mark.parametrize(
    "link", [{"loss": 0.3}, {"late": 0.2, "late_s": 0.3}, {"late": 0.5, "late_s": 0.3}], ids=str
)
def test_two_vehicles_are_two_on_a_bad_link(
    link: dict[str, float], rate_hz: float, apart: int
) -> None:
    for seed in range(10):
        frames = heard(seed, at=(3, 3 + apart), rate_hz=rate_hz, **link)  # type: ignore[arg-type]
        assert verdict(frames[:250])


def test_a_reboot_is_one_vehicle() -> None:
    frames = heard(1, at=(0,))[:300]
    again_s = frames[-1][0] + 5.0
    again = [(again_s + t_s, seq, b"new" + raw, beat) for t_s, seq, raw, beat in heard(1, at=(0,))]
    assert not verdict(frames + again)


FLOODS = [
    {"late": 0.2, "late_s": 0.3},
    {"late": 0.5, "late_s": 0.3, "loss": 0.3},
    {"repeat": 0.3, "late": 0.2, "late_s": 0.3},
    {"repeat": 0.3, "late": 0.2, "late_s": 1.0, "loss": 0.2},
]


@pytest.mark.parametrize("rate_hz", [600.0, 1000.0, 2500.0])
@pytest.mark.parametrize("link", FLOODS, ids=str)
def test_a_flood_is_one_vehicle_however_late_and_often_its_frames_come(
    link: dict[str, float], rate_hz: float
) -> None:
    """A late frame finds its number used again meanwhile, by others."""
    for seed in range(2):
        frames = heard(seed, at=(seed * 25,), rate_hz=rate_hz, num=int(6 * rate_hz), **link)  # type: ignore[arg-type]
        assert not verdict(frames)


@pytest.mark.parametrize("rate_hz", [600.0, 1000.0])
@pytest.mark.parametrize("link", FLOODS, ids=str)
def test_a_flood_of_two_is_known_by_its_heartbeats(link: dict[str, float], rate_hz: float) -> None:
    frames = heard(1, at=(3, 73), rate_hz=rate_hz, num=int((BEATS_S + 1) * rate_hz), **link)  # type: ignore[arg-type]
    assert doubled_at_s(frames) <= BEATS_S
