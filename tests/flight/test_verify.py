from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.flight.mavlink.messages import MissionKind
from skymist.flight.protocols.verify import (
    KINDS,
    Differences,
    compare,
    fence_items,
    join,
    list_of,
    uploaded_frac,
)
from skymist.missions.items import Command, FencePolygon, Frame, Item
from tests.flight.scripted import sortie, waypoint

MISSION = MissionKind.MISSION
HOME = waypoint(0)


def differs(wanted: Item, found: Item, kind: MissionKind = MISSION) -> list[str]:
    before = (HOME,) if kind is MISSION else ()
    return [d.field for d in compare(kind, (*before, wanted), (*before, found)).items]


def test_home_is_passed_over_and_a_list_is_itself() -> None:
    items = sortie().items
    assert compare(MISSION, items, (waypoint(99), *items[1:])).is_same


@pytest.mark.parametrize(
    ("item", "changes"),
    [
        (waypoint(1, 4.0199), {"z_m": 4.01}),
        (waypoint(1), {"p2": 3.0}),
        (replace(waypoint(1), p1=2.7), {"p1": 2.0}),
        (replace(waypoint(1), frame=Frame.GLOBAL), {"frame": 5}),
        (replace(waypoint(1), command=Command.NAV_LAND), {"p4": 1.0}),
        (replace(waypoint(1), command=Command.NAV_LOITER_TIME), {"p3": 1.0}),
        (Item(command=Command.DO_SPRAYER, p1=1.0), {"frame": Frame.GLOBAL}),
        (Item(command=Command.CONDITION_DISTANCE, p1=3.3), {"p1": 3.299999952316284}),
        (Item(command=Command.NAV_RETURN_TO_LAUNCH), {"p1": 0.0, "frame": 0}),
    ],
)
def test_what_the_vehicle_rounds_is_no_difference(item: Item, changes: dict[str, Any]) -> None:
    assert differs(item, replace(item, **changes)) == []


@pytest.mark.parametrize(
    ("item", "changes", "field"),
    [
        (waypoint(1, 4.0), {"z_m": 4.01}, "z_cm"),
        (waypoint(1), {"x_e7": waypoint(1).x_e7 + 1}, "x_e7"),
        (waypoint(1), {"y_e7": waypoint(1).y_e7 - 1}, "y_e7"),
        (waypoint(1), {"frame": Frame.GLOBAL}, "frame"),
        (waypoint(1), {"p1": 1.0}, "p1"),
        (waypoint(1), {"command": Command.NAV_TAKEOFF}, "command"),
        (Item(command=Command.DO_SPRAYER, p1=1.0), {"p1": 0.0}, "p1"),
        (Item(command=Command.DO_CHANGE_SPEED, p1=1.0, p2=4.7), {"p2": 4.6}, "p2"),
        (Item(command=Command.CONDITION_DISTANCE, p1=3.3), {"p1": 3.4}, "p1"),
    ],
)
def test_what_matters_is_a_difference(item: Item, changes: dict[str, Any], field: str) -> None:
    assert field in differs(item, replace(item, **changes))


def test_count_and_words() -> None:
    items = sortie().items
    found = compare(MISSION, items, items[:-1])
    assert str(found) == f"mission: count: wanted {len(items)}, found {len(items) - 1}"
    wrong = compare(MISSION, items, (*items[:1], Item(command=Command.DO_SPRAYER, p1=1.0)))
    assert "mission item 1: p1: wanted 0, found 1" in str(wrong)
    assert str(Differences()) == "no difference"
    assert len(join(found, wrong).items) == len(found.items) + len(wrong.items)


def test_fence_corners_count_and_rally_metres() -> None:
    triangle = ((1, 2), (3, 4), (5, 6))
    items = fence_items(
        (
            FencePolygon(is_inclusion=True, corners_e7=triangle),
            FencePolygon(is_inclusion=False, corners_e7=triangle),
        )
    )
    assert [item.p1 for item in items] == [3.0] * 6
    assert items[3].command is Command.FENCE_POLYGON_EXCLUSION
    read = tuple(replace(item, frame=Frame.ABOVE_HOME) for item in items)
    assert compare(MissionKind.FENCE, items, read).is_same
    assert differs(items[0], items[3], MissionKind.FENCE) == ["command"]
    rally = list_of(sortie(), MissionKind.RALLY)[0]
    assert differs(rally, replace(rally, z_m=12.9), MissionKind.RALLY) == []
    assert differs(rally, replace(rally, z_m=13.0), MissionKind.RALLY) == ["z_m"]


@given(st.integers(-500_000, 500_000))
def test_every_whole_centimetre_comes_back_as_itself(cm: int) -> None:
    # ArduPilot keeps int(z * 100) of 32-bit floats and gives back cm * 0.01
    import numpy as np

    sent = np.float32(cm / 100)
    kept = int(np.float32(sent * np.float32(100)))
    back = float(np.float32(kept) * np.float32(0.01))
    item = waypoint(1, cm / 100)
    assert differs(item, replace(item, z_m=back)) == []


def test_another_command_is_the_difference_whatever_its_fields() -> None:
    place = Item(command=Command.NAV_WAYPOINT, frame=Frame.ABOVE_HOME, x_e7=1, y_e7=2, z_m=3.0)
    for wanted in Command:
        for found in Command:
            pair = [(place, replace(place, command=command)) for command in (wanted, found)]
            differences = compare(MissionKind.MISSION, *pair)
            assert [d.field for d in differences.items] == ["command"] * (wanted != found)


def test_the_lists_of_an_upload_add_up_to_the_whole() -> None:
    mission = sortie()
    told = [
        uploaded_frac(mission, kind, done)
        for kind in KINDS
        for done in range(len(list_of(mission, kind)) + 1)
    ]
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)
