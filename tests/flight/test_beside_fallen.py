"""What of a pass may still be flown beside a drone that lies there: held to points along it."""

from __future__ import annotations

import math

from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from skymist.coverage.plan import Pass, PassKind
from skymist.flight.conductor.relief import apart

RADIUS_M = 13.0
ROUND_M = 0.1
"""A circle is a polygon of 64 corners."""
LAP = ((0.0, 0.0), (60.0, 0.0), (60.0, 45.0), (0.0, 45.0), (0.0, 0.0))


def lap(path: tuple[tuple[float, float], ...]) -> Pass:
    return Pass(
        spot_id="yard",
        kind=PassKind.PERIMETER,
        path=path,
        above_home_m=5.0,
        speed_mps=2.0,
        flow_lps=0.05,
        swath_m=3.0,
    )


def points(path: tuple[tuple[float, float], ...], step_m: float = 0.5) -> list[Point]:
    line = LineString(path)
    return [line.interpolate(k * step_m) for k in range(math.ceil(line.length / step_m) + 1)]


@settings(max_examples=40, deadline=None)
@given(
    turn=st.integers(0, 3),
    place=st.tuples(st.floats(-20, 80), st.floats(-20, 65)),
    is_open=st.booleans(),
)
@example(turn=0, place=(0.0, 0.0), is_open=False)
@example(turn=0, place=(1.0, 3.0), is_open=False)
def test_no_lap_leads_over_a_drone_that_lies_there(
    turn: int, place: tuple[float, float], is_open: bool
) -> None:
    corners = LAP[turn:-1] + LAP[: turn + 1]
    whole = lap(corners[:-1] if is_open else corners)
    far, near = apart([whole], place, RADIUS_M)
    for piece in far:
        assert LineString(piece.path).distance(Point(place)) > RADIUS_M - ROUND_M
    assert bool(near) == LineString(whole.path).intersects(Point(place).buffer(RADIUS_M))
    # What is left out lies near it, or is too little to go there for.
    left = [p for p in points(whole.path) if p.distance(Point(place)) > RADIUS_M + ROUND_M]
    flown = [LineString(piece.path) for piece in far]
    dry = [p for p in left if all(line.distance(p) > 1e-6 for line in flown)]
    assert len(dry) <= 8
