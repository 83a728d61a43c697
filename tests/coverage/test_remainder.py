"""What is left dry of a target: against the strips themselves, and what has no shape."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from skymist.coverage.dosemap import TREATED_FRAC, DoseMap
from skymist.coverage.plan import Pass, PassKind
from skymist.coverage.remainder import OVERLAP_M, dry_ground, rest_of

DOSE = 0.1
YARD = box(0, 0, 20, 10)


def sprayed(*strips: tuple[float, float, float, float]) -> DoseMap:
    """Strips from west to east: x from, x to, y of the middle, width; at exactly the dose."""
    made = DoseMap()
    for west, east, y, wide in strips:
        litres = (east - west) * wide * DOSE
        speed_mps = 1.0
        flow_lps = litres / (east - west) * speed_mps
        made.add_pass(
            Pass(
                kind=PassKind.SWATH,
                spot_id="yard",
                path=((west, y), (east, y)),
                above_home_m=3.0,
                speed_mps=speed_mps,
                swath_m=wide,
                flow_lps=flow_lps,
            )
        )
    return made


def test_half_of_a_yard_leaves_the_other_half_and_a_seam() -> None:
    rest, why = rest_of(YARD, sprayed((-2, 10, 5, 10)), DOSE)
    assert (why, rest is None) == ("", False)
    assert rest is not None
    assert rest.symmetric_difference(box(10 - OVERLAP_M, 0, 20, 10)).area < 3.0
    assert YARD.buffer(0.01).contains(rest)


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 19), st.floats(1, 19), st.floats(2.0, 10.0))
def test_all_dry_ground_worth_a_way_is_in_the_rest(west: float, long: float, wide: float) -> None:
    """By the strip itself, not by cells: where there is room the rest is what it did not reach."""
    dose = sprayed((west, west + long, 5, wide))
    rest, why = rest_of(YARD, dose, DOSE)
    if rest is None:
        assert why
        return
    strip = box(west, 5 - wide / 2, west + long, 5 + wide / 2)
    deep = YARD.difference(strip.buffer(0.25)).buffer(-0.75)  # a disc of 1.5 m fits around it
    assert deep.difference(rest.buffer(0.3)).area < 0.01
    assert rest.difference(YARD.difference(strip).buffer(1.0)).area < 0.01
    assert dose.share_at(YARD.difference(rest), DOSE) >= TREATED_FRAC


@pytest.mark.parametrize(
    ("strips", "why"),
    [
        ([(-1, 1, 5, 10)], "nearly all of it is left"),
        ([(-1, 21, y, 0.75) for y in (0.5, 2.0, 3.5, 5.0, 6.5, 8.0, 9.5)], "scattered"),
    ],
)
def test_what_has_no_shape_is_left_whole(
    strips: list[tuple[float, float, float, float]], why: str
) -> None:
    rest, found = rest_of(YARD, sprayed(*strips), DOSE)
    assert rest is None
    assert why in found


def test_dry_ground_is_what_lies_below_four_fifths_of_the_dose() -> None:
    lake = Polygon(YARD.exterior.coords, [box(4, 4, 6, 6).exterior.coords])
    assert dry_ground(lake, DoseMap(), DOSE).area == pytest.approx(196.0)
    assert dry_ground(lake, sprayed((-5, 25, 5, 14)), DOSE).area == pytest.approx(0.0)
    weak = sprayed((-5, 25, 5, 14))
    assert dry_ground(lake, weak, DOSE / 0.79).area == pytest.approx(196.0)
