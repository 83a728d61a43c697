"""From a sortie to what the vehicle holds: items, fence and parameters.

The mission keeps the pump in check without any link: it begins with the pump off, turns it on for
one stretch at a time, and ends with a landing sequence that turns it off first, to which every
failsafe goes (ARDUPILOT.md, 1 and 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

from skymist.coverage.dose import FAST_MPS, PUMP_LAG_S, lead_m, pump_rate_pct_per_mps
from skymist.coverage.errors import MissionError
from skymist.coverage.frames import to_e7
from skymist.coverage.plan import Pass, PassKind, Transit
from skymist.missions.items import Command, FencePolygon, Frame, Item, Mission, PassSpan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Plan, Sortie
    from skymist.coverage.site import Site

ITEMS_MOST = 650
"""Source: ArduPilot's capacity on SITL and small boards (ARDUPILOT.md, 10)."""
FENCE_MARGIN_M = 15.0
"""Fence beyond the planned paths: GPS error, corners and stopping distance. Proposal."""
PUMP_FROM_MPS = 0.3
"""The pump waits for this speed, and for 0.33 to 0.67 s after it: from 0.5 m/s on it began up to
0.56 m behind the start of a pass, from here within 0.3 m of it either way, whatever the phase of
its rule. A braked drone falls below it 0.1 s later. Measured on the embedded copter. [D]"""
STOP_S = 1.0
LAND_SEQUENCE = 6.0
"""FS_GCS_ENABLE, FS_THR_ENABLE and BATT_FS_LOW_ACT value: go to DO_LAND_START, else RTL."""
RTL_WITHOUT_CONE = 0.0
"""RTL_CONE_SLOPE below 0.5: climb to the full height first, even close to home.
Source: ArduCopter/mode_rtl.cpp, build_path."""
FENCE_BRAKE = 4.0
FENCE_TYPES = 5.0
"""FENCE_TYPE bits: 1 height, 4 polygon."""
AUTO_ARM_AND_TAKEOFF = 3.0
"""AUTO_OPTIONS bits 0 and 1: arming in AUTO, take-off without raised throttle."""


@dataclass(slots=True)
class _Draft:
    """Items so far, and how to place them."""

    origin: Origin
    items: list[Item] = field(default_factory=list)
    spans: list[PassSpan] = field(default_factory=list)

    def place(self, command: Command, x: float, y: float, z: float, p1: float = 0.0) -> None:
        geo = self.origin.geo(x, y)
        self.items.append(
            Item(
                command=command,
                frame=Frame.ABOVE_HOME,
                p1=p1,
                x_e7=to_e7(geo.lat_deg),
                y_e7=to_e7(geo.lon_deg),
                z_m=round(z, 2),
            )
        )

    def do(self, command: Command, p1: float = 0.0, p2: float = 0.0, p3: float = 0.0) -> None:
        self.items.append(Item(command=command, p1=p1, p2=p2, p3=p3))

    def speed(self, speed_mps: float) -> None:
        self.do(Command.DO_CHANGE_SPEED, 1.0, float(np.float32(speed_mps)), -1.0)

    def pump(self, is_on: bool) -> None:
        self.do(Command.DO_SPRAYER, 1.0 if is_on else 0.0)


def compile_sortie(plan: Plan, sortie: Sortie, roofs: Roofs | None = None) -> Mission:
    """The mission of one sortie, for the drone that flies it.

    Who compiles many sorties of one site hands in its `roofs`, or they are looked up anew.

    Raises
    ------
    MissionError
        Where it holds more items than a vehicle takes, or passes that one pump set-up cannot give.
    """
    site = plan.site
    drone = next(d for d in site.fleet if d.id == sortie.drone_id)
    pad = next(p for p in site.pads if p.id == sortie.pad_id)
    draft = _Draft(site.origin)
    home = site.origin.geo(pad.x, pad.y)
    draft.items.append(
        Item(
            command=Command.NAV_WAYPOINT,
            frame=Frame.GLOBAL,
            x_e7=to_e7(home.lat_deg),
            y_e7=to_e7(home.lon_deg),
            z_m=round(site.origin.amsl_m, 2),
        )
    )
    draft.pump(False)
    _take_off(draft, sortie)
    _fly(draft, sortie)
    # A flight that goes well lands here; what follows is where every failsafe jumps to.
    draft.pump(False)
    draft.place(Command.NAV_LAND, pad.x, pad.y, 0.0)
    land_seq = len(draft.items)
    draft.place(Command.DO_LAND_START, pad.x, pad.y, _last_height(sortie))
    draft.pump(False)
    draft.do(Command.NAV_RETURN_TO_LAUNCH)
    if len(draft.items) > ITEMS_MOST:
        raise MissionError(
            f"{sortie.id}: wanted at most {ITEMS_MOST} items, found {len(draft.items)}"
        )
    rtl_m = rtl_height_m(site, sortie, roofs or Roofs(site))
    return Mission(
        sortie_id=sortie.id,
        drone_id=sortie.drone_id,
        items=tuple(draft.items),
        spans=tuple(draft.spans),
        fence=(_fence(site, sortie),),
        parameters=_parameters(site, sortie, drone.model, rtl_m),
        land_start_seq=land_seq,
    )


def _take_off(draft: _Draft, sortie: Sortie) -> None:
    first = sortie.legs[0]
    if not isinstance(first, Transit):
        raise MissionError(f"{sortie.id}: wanted a transit from the pad first, found a pass")
    (x, y, z), after = first.path[0], first.path[1]
    top_m = after[2] if math.dist((x, y), after[:2]) < 0.05 else z
    draft.place(Command.NAV_TAKEOFF, x, y, max(top_m, z))


def _last_height(sortie: Sortie) -> float:
    last = sortie.legs[-1]
    return last.path[-1][2] if isinstance(last, Transit) else last.above_home_m


def _fly(draft: _Draft, sortie: Sortie) -> None:
    """All legs in order; the pump stays on where the next pass starts where the last ended."""
    passes = 0
    for index, leg in enumerate(sortie.legs):
        after = sortie.legs[index + 1] if index + 1 < len(sortie.legs) else None
        if isinstance(leg, Transit):
            _transit(draft, leg, after if isinstance(after, Pass) else None)
            continue
        before = sortie.legs[index - 1]
        goes_on = isinstance(after, Pass) and _continues(leg, after)
        is_on = isinstance(before, Pass) and _continues(before, leg)
        _pass(draft, leg, passes, is_on=is_on, stays_on=goes_on)
        passes += 1


def _continues(first: Pass, second: Pass) -> bool:
    """Whether the pump may stay on from one pass to the next: same spot, place and speed."""
    return (
        first.spot_id == second.spot_id
        and PassKind.HOVER not in (first.kind, second.kind)
        and first.speed_mps == second.speed_mps <= FAST_MPS
        and math.dist(first.path[-1], second.path[0]) < 0.05
    )


def _transit(draft: _Draft, leg: Transit, sprayed: Pass | None) -> None:
    draft.speed(leg.speed_mps)
    for point in leg.path[1:-1]:
        draft.place(Command.NAV_WAYPOINT, *point)
    x, y, z = leg.path[-1]
    if sprayed is None:
        draft.place(Command.NAV_WAYPOINT, x, y, z)
        return
    draft.place(Command.NAV_WAYPOINT, *_lead_in(sprayed), z, p1=STOP_S)


def _lead_in(sprayed: Pass) -> tuple[float, float]:
    """Where to start so that the pump, which lags, is on at the start of the pass."""
    if sprayed.kind is PassKind.HOVER:
        return sprayed.path[0]
    (ax, ay), (bx, by) = sprayed.path[:2]
    length_m = math.dist(*sprayed.path[:2])
    lead = lead_m(sprayed.speed_mps) / length_m
    return ax - (bx - ax) * lead, ay - (by - ay) * lead


def _pass(draft: _Draft, leg: Pass, index: int, *, is_on: bool, stays_on: bool) -> None:
    if leg.kind is PassKind.HOVER:
        draft.pump(True)
        first = len(draft.items)
        hover_s = math.ceil(leg.hover_s + PUMP_LAG_S)
        draft.place(Command.NAV_LOITER_TIME, *leg.path[0], leg.above_home_m, p1=hover_s)
        draft.pump(False)
        draft.spans.append(_span(leg, index, first, first))
        return
    if not is_on:
        draft.speed(leg.speed_mps)
        draft.pump(True)
    first = len(draft.items)
    for point in leg.path[1:-1]:
        draft.place(Command.NAV_WAYPOINT, *point, leg.above_home_m)
    draft.place(Command.NAV_WAYPOINT, *leg.path[-1], leg.above_home_m)
    last = len(draft.items) - 1
    first = first if len(leg.path) > 2 else last
    if not stays_on:
        draft.pump(False)
    draft.spans.append(_span(leg, index, first, last))


def _span(leg: Pass, index: int, first: int, last: int) -> PassSpan:
    return PassSpan(pass_index=index, spot_id=leg.spot_id, first_seq=first, last_seq=last)


def _hull(sortie: Sortie) -> BaseGeometry:
    """The ground between all corners of the sortie's path."""
    points = [(p[0], p[1]) for leg in sortie.legs for p in leg.path]
    return shapely.convex_hull(shapely.multipoints(points))


class Roofs:
    """The buildings of a site, by place."""

    def __init__(self, site: Site) -> None:
        self._tree = shapely.STRtree([building.footprint for building in site.buildings])
        self._heights_m = np.array([building.height_m for building in site.buildings])

    def tallest_m(self, region: BaseGeometry) -> float:
        """Height of the tallest building that touches a region; 0 where none does."""
        found = self._tree.query(region, predicate="intersects")
        return float(self._heights_m[found].max(initial=0.0))


def rtl_height_m(site: Site, sortie: Sortie, roofs: Roofs) -> float:
    """Height above home that clears every building between this sortie's points and the pad."""
    hull = _hull(sortie).buffer(FENCE_MARGIN_M)
    top_m = max(p[2] for leg in sortie.legs if isinstance(leg, Transit) for p in leg.path)
    return float(
        max(
            roofs.tallest_m(hull) + site.policy.building_margin_m,
            min(top_m, site.policy.ceiling_m),
        )
    )


def _fence(site: Site, sortie: Sortie) -> FencePolygon:
    hull = _hull(sortie).buffer(FENCE_MARGIN_M, quad_segs=3)
    outline = shapely.get_coordinates(hull.simplify(0.5))[:-1]
    lon_lat = site.origin.to_geo(outline)
    corners = tuple((to_e7(float(lat)), to_e7(float(lon))) for lon, lat in lon_lat)
    return FencePolygon(is_inclusion=True, corners_e7=corners)


def _pump(sortie: Sortie, model: DroneModel) -> dict[str, float]:
    """AC_Sprayer's set-up: pump % = clip(rate x ground speed, least, 100)."""
    sprayer = model.sprayer
    least_pct = 100.0 * sprayer.flow_min_lps / sprayer.flow_max_lps
    moving = [p for p in sortie.passes if p.kind is not PassKind.HOVER]
    slowest = min((p.speed_mps for p in moving), default=1.0)
    flows = {round(p.flow_lps, 6) for p in moving} or {sprayer.flow_max_lps}
    if len(flows) > 1:
        raise MissionError(f"{sortie.id}: wanted one flow for all passes, found {sorted(flows)}")
    flow = flows.pop()
    has_hover = any(p.kind is PassKind.HOVER for p in sortie.passes)
    return {
        "spray_enable": 1.0,
        "spray_pump_rate_pct_per_mps": pump_rate_pct_per_mps(flow, slowest, sprayer.flow_max_lps),
        "spray_pump_min_pct": float(round(least_pct)),
        "spray_speed_min_mps": 0.0 if has_hover else round(min(0.5 * slowest, PUMP_FROM_MPS), 2),
    }


def _parameters(site: Site, sortie: Sortie, model: DroneModel, rtl_m: float) -> dict[str, float]:
    return {
        **_pump(sortie, model),
        "fs_gcs_action": LAND_SEQUENCE,
        "fs_throttle_action": LAND_SEQUENCE,
        "battery_low_action": LAND_SEQUENCE,
        "fence_enable": 1.0,
        "fence_action": FENCE_BRAKE,
        "fence_type": FENCE_TYPES,
        "fence_options": 0.0,
        "fence_alt_max_m": math.ceil(max(site.policy.ceiling_m, rtl_m) + 3.0),
        "fence_margin_m": 2.0,
        "rtl_altitude_m": math.ceil(rtl_m),
        "rtl_cone_slope": RTL_WITHOUT_CONE,
        "rtl_alt_final_m": 0.0,
        "rtl_alt_type": 0.0,
        "wp_speed_mps": min(model.speed_mps, site.policy.speed_max_mps),
        "auto_options": AUTO_ARM_AND_TAKEOFF,
        "gcs_sysid": 255.0,
    }


def missions_of(plan: Plan) -> Iterator[tuple[str, Mission]]:
    """Each sortie's id and mission, one by one."""
    roofs = Roofs(plan.site)
    for sortie in plan.sorties:
        yield sortie.id, compile_sortie(plan, sortie, roofs)


def compile_plan(plan: Plan) -> dict[str, Mission]:
    """All missions of a plan by sortie."""
    return dict(missions_of(plan))
