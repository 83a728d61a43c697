"""Files for other ground stations, read by MAVSDK's importers: an oracle that shares no code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.planning import plan_site
from skymist.missions.compile import compile_plan
from skymist.missions.formats.qgc import qgc_plan, waypoints
from skymist.missions.items import Frame, Mission
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[3] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def importer() -> Iterator[Any]:
    """MAVSDK's raw mission plugin, for a vehicle of which it has heard one heartbeat."""
    mavsdk = pytest.importorskip("mavsdk", reason="no MAVSDK wheel here: imports not checked")
    from mavsdk.plugins.mission_raw import MissionRaw

    configuration = mavsdk.Configuration.create_with_component_type(
        mavsdk.ComponentType.GROUND_STATION
    )
    station = mavsdk.Mavsdk(configuration)
    station.add_any_connection("raw://")
    packer = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
    beat = packer.heartbeat_encode(
        mavlink.MAV_TYPE_HEXAROTOR, mavlink.MAV_AUTOPILOT_ARDUPILOTMEGA, 0, 0, 4
    )
    station.pass_received_raw_bytes(beat.pack(packer))
    system = station.first_autopilot(5.0)
    assert system is not None
    yield MissionRaw(system)
    station.destroy()


@pytest.fixture(scope="module")
def missions() -> dict[str, Mission]:
    made = compile_plan(plan_site(read_site(DEMO)))
    assert made
    return made


def agrees(found: list[Any], mission: Mission) -> None:
    """The importer's items are the compiled ones, number by number."""
    assert len(found) == len(mission.items)
    for item, expected in zip(found, mission.items, strict=True):
        assert item.command == expected.command
        assert item.param1 == pytest.approx(expected.p1, abs=1e-5)
        assert item.param2 == pytest.approx(expected.p2, abs=1e-5)
        if expected.frame is not Frame.MISSION:
            assert (item.x, item.y) == (expected.x_e7, expected.y_e7)
            assert item.z == pytest.approx(expected.z_m, abs=1e-4)


def test_qgroundcontrol_plans_are_imported_item_by_item(
    importer: Any, missions: dict[str, Mission]
) -> None:
    for mission in missions.values():
        found = importer.import_qgroundcontrol_mission_from_string(qgc_plan(mission))
        # MAVSDK puts the planned home in front, as ArduPilot counts.
        agrees(found.mission_items, mission)
        assert len(found.geofence_items) == len(mission.fence[0].corners_e7)


def test_mission_planner_waypoints_are_imported_item_by_item(
    importer: Any, missions: dict[str, Mission]
) -> None:
    for mission in missions.values():
        found = importer.import_mission_planner_mission_from_string(waypoints(mission))
        # MAVSDK puts one more home in front of line 0, which is home already.
        agrees(found.mission_items[1:], mission)
