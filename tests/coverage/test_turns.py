"""Sprayed turns pay for themselves and keep to their budgets."""

import numpy as np
from shapely.geometry import LineString, box

from skymist.coverage.turns import sprayed_turns

YARD = box(0, 0, 60, 16)


def serpentine() -> list[tuple[bool, np.ndarray]]:
    legs = []
    for row in range(4):
        path = np.array([[0.0, 2 + 4 * row], [60.0, 2 + 4 * row]])
        if row:
            ends = np.stack([legs[-1][1][-1], path[0] if row % 2 == 0 else path[1]])
            legs.append((False, ends))
        legs.append((True, path if row % 2 == 0 else path[::-1]))
    return legs


def turned(dry_m2: float, over_m2: float, clear: bool = True):
    return sprayed_turns(
        serpentine(),
        YARD,
        width_m=4.0,
        dry_budget_m2=dry_m2,
        over_budget_m2=over_m2,
        sees=lambda first, _: np.full(len(first), clear),
    )


def test_with_budget_all_passes_become_one() -> None:
    legs, dry_m2, over_m2 = turned(20.0, 20.0)
    assert len(legs) == 1
    assert 0 < dry_m2 <= 20
    assert over_m2 <= 20
    assert LineString(legs[0][1]).length <= 4 * 60  # and no ways of 12 m between


def test_without_budget_nothing_is_joined() -> None:
    assert len(turned(0.0, 0.0)[0]) == 7


def test_what_it_says_it_costs_is_what_it_costs() -> None:
    legs, dry_m2, over_m2 = turned(20.0, 20.0)
    wet = LineString(legs[0][1]).buffer(2.0, cap_style="flat")
    assert abs(YARD.difference(wet).area - dry_m2) < 0.1
    assert abs(wet.difference(YARD).area - over_m2) < 0.1


def test_a_way_that_would_leave_the_ground_is_not_taken() -> None:
    assert len(turned(20.0, 20.0, clear=False)[0]) == 7
