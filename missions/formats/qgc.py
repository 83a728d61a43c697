"""Mission files of other ground stations: QGroundControl `.plan`, Mission Planner `.waypoints`.

Source: QGroundControl's Plan file format (version 1, mission version 2), QGC WPL 110.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skymist.missions.items import Command, Frame, Item

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skymist.missions.items import FencePolygon, Mission

ARDUPILOT, MULTIROTOR = 3, 2
"""MAV_AUTOPILOT_ARDUPILOTMEGA and MAV_TYPE_QUADROTOR, as QGroundControl writes them."""
ITEMS = "@items"
"""Stands for the items until the rest of the file is written."""


def qgc_plan(mission: Mission) -> str:
    """The text of a QGroundControl `.plan` file: mission, fence and rally points."""
    home = mission.items[0]
    document = {
        "fileType": "Plan",
        "version": 1,
        "groundStation": "Skymist",
        "mission": {
            "version": 2,
            "firmwareType": ARDUPILOT,
            "vehicleType": MULTIROTOR,
            "cruiseSpeed": mission.parameters.get("wp_speed_mps", 5.0),
            "hoverSpeed": mission.parameters.get("wp_speed_mps", 5.0),
            "plannedHomePosition": [home.x_e7 / 1e7, home.y_e7 / 1e7, home.z_m],
            "items": ITEMS,
        },
        "geoFence": {
            "version": 2,
            "circles": [],
            "polygons": [_fence_polygon(polygon) for polygon in mission.fence],
        },
        "rallyPoints": {
            "version": 2,
            "points": [[r.x_e7 / 1e7, r.y_e7 / 1e7, r.z_m] for r in mission.rally],
        },
    }
    items = (_simple_item(item, number) for number, item in enumerate(mission.items[1:], 1))
    # A line an item: indented throughout, a district's missions take four times as long.
    lines = ",\n   ".join(json.dumps(item) for item in items)
    text = json.dumps(document, indent=1) + "\n"
    return text.replace(json.dumps(ITEMS), f"[\n   {lines}\n  ]", 1)


def _simple_item(item: Item, number: int) -> dict[str, Any]:
    placed = item.frame is not Frame.MISSION
    params: list[float | None] = [item.p1, item.p2, item.p3, item.p4]
    if placed:
        params[3] = None if item.command is not Command.DO_LAND_START else 0.0
    place = [item.x_e7 / 1e7, item.y_e7 / 1e7, item.z_m] if placed else [0.0, 0.0, 0.0]
    entry: dict[str, Any] = {
        "type": "SimpleItem",
        "autoContinue": True,
        "command": int(item.command),
        "doJumpId": number,
        "frame": int(item.frame),
        "params": [*params, *place],
    }
    if placed:
        entry |= {"AMSLAltAboveTerrain": None, "Altitude": item.z_m, "AltitudeMode": 1}
    return entry


def _fence_polygon(polygon: FencePolygon) -> dict[str, Any]:
    corners = [[lat / 1e7, lon / 1e7] for lat, lon in polygon.corners_e7]
    return {"inclusion": polygon.is_inclusion, "polygon": corners, "version": 1}


def waypoints(mission: Mission) -> str:
    """The text of a Mission Planner `.waypoints` file; line 0 is home."""
    return _wpl(mission.items)


def fence_waypoints(mission: Mission) -> str:
    """The fence as Mission Planner's Plan page loads it with "Fence" chosen; line 0 is home."""
    corners = [
        Item(
            command=(
                Command.FENCE_POLYGON_INCLUSION
                if polygon.is_inclusion
                else Command.FENCE_POLYGON_EXCLUSION
            ),
            frame=Frame.ABOVE_HOME,
            p1=float(len(polygon.corners_e7)),
            x_e7=lat,
            y_e7=lon,
        )
        for polygon in mission.fence
        for lat, lon in polygon.corners_e7
    ]
    return _wpl((mission.items[0], *corners))


def rally_waypoints(mission: Mission) -> str:
    """The rally points as Mission Planner loads them with "Rally" chosen; line 0 is home."""
    return _wpl((mission.items[0], *mission.rally))


def _wpl(items: Iterable[Item]) -> str:
    """QGC WPL 110: a line an item, tab separated."""
    lines = ["QGC WPL 110"]
    for number, item in enumerate(items):
        frame = Frame.ABOVE_HOME if item.frame is Frame.MISSION else item.frame
        values = (item.p1, item.p2, item.p3, item.p4, item.x_e7 / 1e7, item.y_e7 / 1e7, item.z_m)
        numbers = "\t".join(f"{value:.8f}" for value in values)
        lines.append(
            f"{number}\t{int(number == 0)}\t{int(frame)}\t{int(item.command)}\t{numbers}\t1"
        )
    return "\n".join(lines) + "\n"
