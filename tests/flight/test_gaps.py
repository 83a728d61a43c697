from __future__ import annotations

from dataclasses import replace

import pytest

from skymist.flight.safety.gaps import LOOK_S, Mover, nearest_m, to_hold

SEPARATION_M = 10.0
STILL = Mover(drone_id="d2", place=(30.0, 0.0, 6.0), is_on_plan=False)
COMING = Mover(drone_id="d1", place=(0.0, 0.0, 6.0), velocity=(5.0, 0.0))


def test_the_one_that_flies_on_stands_still_before_the_one_in_its_way() -> None:
    assert to_hold([COMING, STILL], SEPARATION_M) == {"d1": "d2"}


@pytest.mark.parametrize(
    "other",
    [
        replace(STILL, is_on_plan=True),  # planned so
        replace(STILL, place=(30.0, 16.0, 6.0)),
        replace(STILL, place=(30.0, 0.0, 22.0)),
        replace(STILL, place=(5.0 * LOOK_S + 16.0, 0.0, 6.0)),
    ],
)
def test_others_hinder_nobody(other: Mover) -> None:
    assert to_hold([COMING, other], SEPARATION_M) == {}


def test_who_yields_goes_on_yielding_until_there_is_room() -> None:
    held = replace(COMING, place=(18.0, 0.0, 6.0), velocity=(0.0, 0.0), is_held=True)
    assert to_hold([held, STILL], SEPARATION_M) == {"d1": "d2"}
    assert to_hold([held, replace(STILL, place=(18.0, 17.0, 6.0))], SEPARATION_M) == {"d1": "d2"}
    assert to_hold([held, replace(STILL, place=(18.0, 19.0, 6.0))], SEPARATION_M) == {}


def test_of_two_off_their_plans_one_goes_on() -> None:
    one = replace(COMING, is_on_plan=False)
    assert to_hold([one, STILL], SEPARATION_M) == {"d2": "d1"}


def test_how_near_two_come() -> None:
    passing = Mover(drone_id="d3", place=(20.0, 3.0, 6.0), velocity=(-5.0, 0.0))
    assert nearest_m(COMING, passing) == pytest.approx(3.0)
    assert nearest_m(COMING, replace(COMING, drone_id="d9", place=(0.0, 50.0, 6.0))) == 50.0
