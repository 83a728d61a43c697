from __future__ import annotations

import pytest

from skymist.sitl.fences import Fence, FenceKind
from skymist.sitl.items import Command, Item
from skymist.sitl.params import Params
from skymist.sitl.state import State
from tests.sitl.ground import GRID


def square(half_m: float, command: int = Command.FENCE_POLYGON_INCLUSION) -> list[Item]:
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    places = [GRID.to_e7(x * half_m, y * half_m) for x, y in corners]
    return [
        Item(seq=i, command=command, p1=4, lat_e7=lat, lon_e7=lon)
        for i, (lat, lon) in enumerate(places)
    ]


def at(x: float, y: float, z: float = 10.0) -> State:
    state = State()
    state.x, state.y, state.z, state.is_landed = x, y, z, False
    return state


def fence(items: list[Item], **params: float) -> Fence:
    made = Fence(Params({"FENCE_ENABLE": 1, "FENCE_TYPE": 7, "FENCE_RADIUS": 500, **params}), GRID)
    made.load(items)
    return made


@pytest.mark.parametrize(
    ("place", "kinds", "beyond_m"),
    [
        (at(0, 0), FenceKind.NONE, 0),
        (at(49, 49), FenceKind.NONE, 0),
        (at(53, 0), FenceKind.POLYGON, 3),
        (at(0, 0, 105), FenceKind.ALT_MAX, 5),
        (at(600, 0), FenceKind.POLYGON | FenceKind.CIRCLE, 550),
    ],
)
def test_inclusion(place: State, kinds: FenceKind, beyond_m: float) -> None:
    found, beyond = fence(square(50)).outside(place)
    assert found == kinds
    assert beyond == pytest.approx(beyond_m, abs=0.1)


def test_exclusion_and_circles() -> None:
    centre = GRID.to_e7(100, 0)
    hole = Item(
        seq=0, command=Command.FENCE_CIRCLE_EXCLUSION, p1=10, lat_e7=centre[0], lon_e7=centre[1]
    )
    made = fence([*square(5, Command.FENCE_POLYGON_EXCLUSION), hole])
    assert made.outside(at(0, 0))[0] == FenceKind.POLYGON
    assert made.outside(at(95, 0))[0] == FenceKind.POLYGON
    assert made.outside(at(50, 0))[0] == FenceKind.NONE


def test_a_breach_is_told_once_until_it_clears() -> None:
    made = fence(square(50))
    assert made.check(at(60, 0)) == FenceKind.POLYGON
    assert made.check(at(65, 0)) == FenceKind.NONE
    assert made.breach
    assert made.check(at(0, 0)) == FenceKind.NONE
    assert not made.breach
    assert made.check(at(60, 0)) == FenceKind.POLYGON
    assert made.num_breaches == 2


def test_disabled_it_sees_nothing() -> None:
    assert fence(square(50), FENCE_ENABLE=0).check(at(999, 0)) == FenceKind.NONE


def test_several_inclusions_are_one_area() -> None:
    far = [
        Item(seq=i, command=5001, p1=4, lat_e7=lat, lon_e7=lon)
        for i, (lat, lon) in enumerate(
            GRID.to_e7(x, y) for x, y in ((80, 0), (120, 0), (120, 40), (80, 40))
        )
    ]
    made = fence([*square(50), *far])
    assert made.outside(at(100, 20))[0] == FenceKind.NONE
    assert made.outside(at(70, 20))[0] == FenceKind.POLYGON
