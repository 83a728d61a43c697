from __future__ import annotations

import random

import pytest

from skymist.flight.safety.weather import CALM_S, FRESH_S, GUST_SHARE, WindWatch

MAX_MPS = 5.0


def over(watch: WindWatch, speeds: list[float], since_s: float = 0.0) -> list[str]:
    """One estimate a second of one drone, each judged at once."""
    reasons = []
    for k, speed in enumerate(speeds):
        watch.hear("d1", speed, since_s + k)
        reasons.append(watch.judge(since_s + k))
    return reasons


def test_a_steady_wind_above_the_limit_stops() -> None:
    assert "wind 5.5 m/s, above 5 m/s" in over(WindWatch(MAX_MPS), [5.5] * 10)[-1]


@pytest.mark.parametrize("speed", [0.0, 3.0, 5.0])
def test_a_wind_up_to_the_limit_does_not(speed: float) -> None:
    assert set(over(WindWatch(MAX_MPS), [speed] * 100)) == {""}


def test_one_strong_gust_stops_at_once_although_the_mean_is_low() -> None:
    reasons = over(WindWatch(MAX_MPS), [2.0] * 30 + [8.0])
    assert reasons[-2] == ""
    assert reasons[-1] == "gusts of 8.0 m/s, above 7.5 m/s"


def test_it_is_good_again_only_after_a_calm_while() -> None:
    watch = WindWatch(MAX_MPS)
    over(watch, [7.0] * 30)
    reasons = over(watch, [2.0] * 200, since_s=30.0)
    first = next(k for k, reason in enumerate(reasons) if not reason)
    assert CALM_S <= first <= CALM_S + 30
    assert set(reasons[first:]) == {""}


def test_a_wind_that_only_eases_allows_nothing() -> None:
    watch = WindWatch(MAX_MPS)
    over(watch, [7.0] * 30)
    assert all(over(watch, [4.8] * 300, since_s=30.0))


def test_what_a_person_measures_counts_and_holds() -> None:
    watch = WindWatch(MAX_MPS)
    watch.give(6.5)
    assert watch.judge(0.0)
    assert all(over(watch, [1.0] * 100))
    watch.give(2.0)
    assert over(watch, [1.0] * 100, since_s=100.0)[-1] == ""


def test_a_silent_vehicle_says_nothing_of_the_wind() -> None:
    watch = WindWatch(MAX_MPS)
    over(watch, [7.0] * 30)
    assert watch.judge(29.0 + FRESH_S + 1.0)  # stopped is stopped
    assert not watch.judge(29.0 + FRESH_S + CALM_S + 3.0)


@pytest.mark.parametrize("seed", range(5))
def test_never_allowed_while_the_last_seconds_break_a_limit(seed: int) -> None:
    chance = random.Random(seed)
    watch, speeds = WindWatch(MAX_MPS), []
    for k in range(600):
        speeds.append(max(0.0, chance.gauss(4.0, 2.0)))
        watch.hear("d1", speeds[-1], float(k))
        last = speeds[-20:]
        is_bad = sum(last) / len(last) > MAX_MPS + 0.3 or speeds[-1] > GUST_SHARE * MAX_MPS + 0.2
        if is_bad:
            assert watch.judge(float(k))
        else:
            watch.judge(float(k))
