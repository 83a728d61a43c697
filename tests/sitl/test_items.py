from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.sitl.items import (
    Command,
    Item,
    MissionResult,
    store_fence_item,
    store_item,
    store_rally_item,
)

R = MissionResult


def kept(item: Item) -> Item:
    stored = store_item(item)
    assert isinstance(stored, Item)
    return stored


@pytest.mark.parametrize(
    ("item", "p", "frame"),
    [
        (Item(seq=1, command=16, frame=6, p1=2.7, p2=5, p3=3, p4=1), (2, 0, 0, 0), 3),
        (Item(seq=1, command=21, frame=6, p4=math.nan), (0, 0, 0, 1), 3),
        (Item(seq=1, command=19, frame=3, p1=10, p3=-4, p4=2), (10, 0, -1, 1), 3),
        (Item(seq=1, command=22, frame=6, p4=math.nan), (0, 0, 0, 0), 3),
        (Item(seq=1, command=216, frame=6, p1=1), (1, 0, 0, 0), 0),
        (Item(seq=1, command=178, frame=2, p1=1, p2=4.5, p3=-1), (1, 4.5, -1, 0), 0),
        (Item(seq=1, command=114, frame=2, p1=12.25), (12.25, 0, 0, 0), 0),
        (Item(seq=1, command=115, frame=2, p1=90, p2=10, p3=-1, p4=1), (90, 10, -1, 1), 0),
        (Item(seq=1, command=177, frame=2, p1=3, p2=-1), (3, -1, 0, 0), 0),
        (Item(seq=1, command=20, frame=6, p1=3, p4=9), (0, 0, 0, 0), 0),
        (Item(seq=1, command=189, frame=0, p1=3), (0, 0, 0, 0), 0),
    ],
)
def test_what_comes_back(item: Item, p: tuple[float, ...], frame: int) -> None:
    stored = kept(item)
    assert (stored.p1, stored.p2, stored.p3, stored.p4) == p
    assert stored.frame == frame


@pytest.mark.parametrize(
    ("item", "result"),
    [
        (Item(seq=1, command=31_999), R.UNSUPPORTED),
        (Item(seq=1, command=1), R.INVALID),
        (Item(seq=1, command=16, frame=99), R.UNSUPPORTED_FRAME),
        (Item(seq=1, command=16, p1=math.nan), R.INVALID_PARAM1),
        (Item(seq=1, command=16, p2=math.inf), R.INVALID_PARAM2),
        (Item(seq=1, command=16, p3=math.nan), R.INVALID_PARAM3),
        (Item(seq=1, command=216, p4=math.nan), R.INVALID_PARAM4),
        (Item(seq=1, command=16, lat_e7=900_000_001), R.INVALID_PARAM5_X),
        (Item(seq=1, command=16, lon_e7=-1_800_000_001), R.INVALID_PARAM6_Y),
        (Item(seq=1, command=16, z_m=math.nan), R.INVALID_PARAM7),
    ],
)
def test_refusals(item: Item, result: MissionResult) -> None:
    assert store_item(item) is result


@given(
    command=st.sampled_from([16, 19, 21, 22, 189, 216, 178, 114, 112, 20]),
    p1=st.floats(0, 600, width=32),
    z=st.floats(-100, 1000, width=32),
    lat=st.integers(-900_000_000, 900_000_000),
    lon=st.integers(-1_800_000_000, 1_800_000_000),
    frame=st.sampled_from([0, 3, 5, 6]),
)
def test_storing_twice_changes_nothing_more(
    command: int, p1: float, z: float, lat: int, lon: int, frame: int
) -> None:
    once = kept(Item(seq=1, command=command, frame=frame, p1=p1, lat_e7=lat, lon_e7=lon, z_m=z))
    again = kept(once)
    if once.command in (16, 19, 21, 22, 189):
        assert (once.lat_e7, once.lon_e7) == (lat, lon)
        assert abs(once.z_m - z) < 0.011
        assert abs(again.z_m - once.z_m) < 0.011  # whole centimetres, cut off each time
    assert (again.p1, again.frame) == (once.p1, once.frame)


def test_heights_are_cut_to_centimetres() -> None:
    assert kept(Item(seq=1, command=16, z_m=12.349)).z_m == pytest.approx(12.34, abs=1e-6)
    assert kept(Item(seq=1, command=16, z_m=3.3)).z_m == pytest.approx(3.3, abs=1e-6)


def test_fence_items() -> None:
    vertex = Item(seq=0, command=Command.FENCE_POLYGON_INCLUSION, p1=4, lat_e7=1, lon_e7=2, z_m=9)
    stored = store_fence_item(vertex)
    assert stored == Item(seq=0, command=5001, frame=0, p1=4, lat_e7=1, lon_e7=2)
    too_many = Item(seq=0, command=Command.FENCE_POLYGON_EXCLUSION, p1=256)
    assert store_fence_item(too_many) is R.INVALID_PARAM1
    assert store_fence_item(Item(seq=0, command=16)) is R.UNSUPPORTED
    odd = Item(seq=0, command=Command.FENCE_CIRCLE_INCLUSION, frame=2)
    assert store_fence_item(odd) is R.UNSUPPORTED_FRAME


def test_rally_items() -> None:
    point = Item(seq=0, command=Command.RALLY_POINT, lat_e7=5, lon_e7=6, z_m=12.7)
    stored = store_rally_item(point)
    assert isinstance(stored, Item)
    assert stored.z_m == 12
    assert store_rally_item(Item(seq=0, command=16)) is R.UNSUPPORTED
