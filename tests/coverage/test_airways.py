"""Transits against brute-force sampling of every building."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from skymist.coverage.airways import Airways
from skymist.coverage.errors import PlanError
from skymist.coverage.obstacles import Obstacles
from skymist.coverage.plan import Transit
from skymist.coverage.site import Building

KEEP_M, MARGIN_M, CEILING_M = 2.0, 2.0, 30.0


def house(x: float, y: float, wide: float, deep: float, height: float, name: str) -> Building:
    return Building(id=name, footprint=box(x, y, x + wide, y + deep), height_m=height)


def nearest_breach_m(transit: Transit, buildings: list[Building]) -> float:
    """How far inside the kept distance the worst sample is; 0 or less is clear."""
    worst = -math.inf
    for a, b in zip(transit.path, transit.path[1:], strict=False):
        steps = max(2, int(math.dist(a, b) / 0.5))
        for k in range(steps + 1):
            x, y, z = (a[i] + (b[i] - a[i]) * k / steps for i in range(3))
            for building in buildings:
                if building.height_m > z - MARGIN_M + 0.01:
                    gap = building.footprint.distance(Point(x, y))
                    worst = max(worst, KEEP_M - gap)
    return worst


def airways(buildings: list[Building]) -> Airways:
    obstacles = Obstacles(buildings, keep_m=KEEP_M, margin_m=MARGIN_M)
    return Airways(
        obstacles, ceiling_m=CEILING_M, level_m=8, speed_mps=8, climb_mps=2, descent_mps=1.5
    )


towns = st.lists(
    st.tuples(
        st.floats(5, 80), st.floats(-40, 40), st.floats(2, 20), st.floats(2, 20), st.floats(2, 45)
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(towns)
def test_no_transit_comes_near_a_wall(town: list[tuple[float, ...]]) -> None:
    buildings = [house(*values, name=f"b{i}") for i, values in enumerate(town)]  # type: ignore[arg-type]
    start, end = (-5.0, 0.0, 3.0), (110.0, 0.0, 3.0)
    try:
        flown = airways(buildings).transit(start, end)
    except PlanError:
        assert any(b.height_m > CEILING_M - MARGIN_M for b in buildings)
        return
    assert flown.path[0] == start
    assert flown.path[-1] == end
    assert max(p[2] for p in flown.path) <= CEILING_M
    assert nearest_breach_m(flown, buildings) <= 0.06


def test_a_low_roof_is_flown_over_and_a_tower_around() -> None:
    low, tower = house(20, -10, 10, 20, 10, "low"), house(20, -10, 10, 20, 40, "tower")
    over = airways([low]).transit((0, 0, 3), (50, 0, 3))
    assert max(p[2] for p in over.path) == pytest.approx(12.0)
    around = airways([tower]).transit((0, 0, 3), (50, 0, 3))
    assert around.length_m > 50 + 2 * 27
    assert nearest_breach_m(around, [tower]) <= 0.06


def test_a_climb_over_open_ground_is_flown_on_a_slope() -> None:
    far = airways([house(60, -10, 10, 20, 10, "far")]).transit((0, 0, 3), (200, 0, 3))
    (_, _, _), (x, _, z), *_ = far.path
    assert (x, z) == (pytest.approx(9 * 12 / 5), pytest.approx(12.0))
    near = airways([house(4, -10, 10, 20, 10, "near")]).transit((0, 0, 3), (200, 0, 3))
    assert near.path[1] == (0, 0, 12.0)


def test_a_yard_walled_in_by_towers_has_no_way_in() -> None:
    ring = [
        house(-20, -20, 40, 5, 60, "s"),
        house(-20, 15, 40, 5, 60, "n"),
        house(-20, -20, 5, 40, 60, "w"),
        house(15, -20, 5, 40, 60, "e"),
    ]
    with pytest.raises(PlanError, match="no way"):
        airways(ring).transit((-60, 0, 3), (0, 0, 3))
