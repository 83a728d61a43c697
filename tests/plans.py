"""A small made-up neighbourhood with a plan over it, for tests of what is drawn and reported."""

from __future__ import annotations

import math
from dataclasses import replace

from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.frames import Origin
from skymist.coverage.plan import (
    GroundTask,
    Leg,
    Pass,
    PassKind,
    Plan,
    Reason,
    Sortie,
    Transit,
    Treatment,
)
from skymist.coverage.site import (
    Agent,
    BlindSpot,
    Building,
    Kind,
    Level,
    LevelName,
    Mode,
    NoSpray,
    Pad,
    Receptor,
    Site,
    Zone,
)

MODEL = DroneModel(
    id="hexa16",
    name="16 L hexacopter",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.02, flow_max_lps=0.08, swath_m=4.0),
    body_m=1.8,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=700,
)
_RED, _YELLOW, _BLUE, _GREEN = LevelName


def neighbourhood(*, columns: int = 4, rows: int = 3, name: str = "Langkou test quarter") -> Site:
    """Blocks of 60 x 45 m with buildings, a red refuse point, an alley, a yard and a belt each."""
    spots: list[BlindSpot] = []
    buildings: list[Building] = []
    for row in range(rows):
        for column in range(columns):
            tag = f"{row + 1}{column + 1}"
            x, y = column * 60.0, row * 45.0
            heights = (9.0 + 6 * ((row + column) % 4), 15.0, 24.0)
            for k, height_m in enumerate(heights):
                footprint = box(x + 2 + 18 * k, y + 20, x + 14 + 18 * k, y + 36)
                buildings.append(Building(id=f"b{tag}{k}", footprint=footprint, height_m=height_m))
            spots += [
                BlindSpot(
                    id=f"refuse-{tag}",
                    kind=Kind.REFUSE_POINT,
                    level=_RED,
                    shape=Point(x + 8, y + 8),
                    radius_m=3.0,
                    zone_id=f"zone-{row + 1}",
                ),
                BlindSpot(
                    id=f"alley-{tag}",
                    kind=Kind.BACK_ALLEY,
                    level=_YELLOW,
                    shape=LineString([(x + 17, y + 18), (x + 17, y + 38)]),
                    width_m=3.0,
                    zone_id=f"zone-{row + 1}",
                ),
                BlindSpot(
                    id=f"yard-{tag}",
                    kind=Kind.YARD,
                    level=_BLUE,
                    shape=affinity.rotate(box(x + 24, y + 2, x + 44, y + 14), 12.0),
                    zone_id=f"zone-{row + 1}",
                ),
                BlindSpot(
                    id=f"belt-{tag}",
                    kind=Kind.GREEN_BELT,
                    level=_GREEN,
                    mode=Mode.VECTOR,
                    shape=LineString([(x, y + 41), (x + 54, y + 41)]),
                    width_m=4.0,
                    zone_id=f"zone-{row + 1}",
                ),
            ]
    wide, high = columns * 60.0, rows * 45.0
    agents = (
        Agent(id="cl1000", name="Chlorine 1000 mg/L", chlorine_mg_per_l=1000, contact_min=30),
        Agent(id="bti", name="Bti larvicide"),
    )
    return Site(
        name=name,
        origin=Origin(lat_deg=22.65, lon_deg=114.02),
        spots=tuple(spots),
        zones=tuple(
            Zone(
                id=f"zone-{k + 1}",
                area=box(-3, k * 45.0 - 1, wide - 3, k * 45.0 + 44),
                responsible=f"post {k + 1}",
            )
            for k in range(rows)
        ),
        buildings=tuple(buildings),
        no_spray=(
            NoSpray(id="pond", area=Point(wide - 18, 10).buffer(8), reason="pond"),
            NoSpray(id="stall", area=box(46, 2, 54, 12), reason="food stall"),
        ),
        receptors=(Receptor(id="school-1", shape=Point(wide - 30, high + 8), kind="school"),),
        pads=(Pad(id="pad-1", x=-12.0, y=10.0), Pad(id="pad-2", x=wide + 8, y=high - 20)),
        fleet=tuple(Drone(id=f"d{k}", model=MODEL, pad_id=f"pad-{k}", sysid=k) for k in (1, 2)),
        agents=agents,
        surface_levels=tuple(
            Level(name=level, dose_l_per_m2=dose, agent_id="cl1000", revisit_days=1)
            for level, dose in zip(LevelName, (0.1, 0.06, 0.03, 0.03), strict=True)
        ),
        vector_levels=tuple(
            Level(name=level, dose_l_per_m2=0.002, agent_id="bti", revisit_days=7)
            for level in LevelName
        ),
        attribution="(c) Skymist test data",
    )


def _swaths(spot: BlindSpot, dose: float) -> tuple[Pass, ...]:
    """Passes by hand: one along a line, stripes over a polygon, a stop over a point."""
    swath_m = MODEL.sprayer.swath_m
    if spot.shape.geom_type == "Point":
        litres = dose * 1.08 * math.pi * swath_m**2 / 4
        return tuple(
            Pass(
                spot_id=spot.id,
                kind=PassKind.HOVER,
                path=((spot.shape.x + dx, spot.shape.y + dy),),
                above_home_m=6,
                speed_mps=1,
                flow_lps=0.02,
                swath_m=swath_m,
                hover_s=litres / 0.02,
            )
            for dx, dy in ((-1.3, -1.3), (1.3, -1.3), (1.3, 1.3), (-1.3, 1.3))
        )
    if spot.shape.geom_type == "LineString":
        lines = [tuple((float(x), float(y)) for x, y in spot.shape.coords)]
    else:
        corners = list(spot.shape.exterior.coords)
        (ax, ay), (bx, by), (cx, cy) = corners[1], corners[2], corners[0]
        count = math.ceil(math.dist(corners[0], corners[1]) / swath_m)
        lines = []
        for k in range(count):
            f = (k + 0.5) / count
            start = (cx + (ax - cx) * f, cy + (ay - cy) * f)
            end = (start[0] + bx - ax, start[1] + by - ay)
            lines.append((start, end) if k % 2 else (end, start))
    flow_lps = 0.08 if dose > 0.01 else 0.04
    speed_mps = flow_lps / (dose * 1.08 * swath_m)
    return tuple(
        Pass(
            spot_id=spot.id,
            kind=PassKind.SWATH,
            path=line,
            above_home_m=6,
            speed_mps=speed_mps,
            flow_lps=flow_lps,
            swath_m=swath_m,
        )
        for line in lines
    )


def made_plan(site: Site | None = None) -> Plan:
    """A plan over the neighbourhood: green spots and the first alley are left to the crew."""
    site = site or neighbourhood()
    treatments: list[Treatment] = []
    ground: list[GroundTask] = []
    for spot in site.spots:
        level = site.level_for(spot)
        if spot.level is _GREEN and spot.id.endswith("2"):
            text = "level green is watched, not flown"
            task = GroundTask(
                spot_id=spot.id,
                reason=Reason.LEVEL_NOT_FLOWN,
                text=text,
                area=spot.area,
                is_whole_spot=True,
            )
            ground.append(task)
            continue
        treatments.append(
            Treatment(
                spot_id=spot.id,
                passes=_swaths(spot, level.dose_l_per_m2),
                target=spot.area,
                dose_l_per_m2=level.dose_l_per_m2,
                agent_id=level.agent_id,
                expected_frac=1.0,
                model_id=MODEL.id,
            )
        )
    sorties = []
    for drone, pad in zip(site.fleet, site.pads, strict=True):
        mine = [t for k, t in enumerate(treatments) if k % 2 == drone.sysid % 2]
        for number, agent_id in enumerate(("cl1000", "bti")):
            passes = [p for t in mine if t.agent_id == agent_id for p in t.passes]
            sorties.append(_sortie(f"{drone.id}-s{number + 1}", drone, pad, agent_id, passes))
    return Plan(
        site=site,
        seed=0,
        treatments=tuple(treatments),
        ground=tuple(ground),
        sorties=tuple(sorties),
    )


def _sortie(sortie_id: str, drone: Drone, pad: Pad, agent_id: str, passes: list[Pass]) -> Sortie:
    legs: list[Leg] = []
    at = (pad.x, pad.y, 0.0)
    for sprayed in passes:
        first, last = sprayed.path[0], sprayed.path[-1]
        legs.append(Transit(path=(at, (*first, 6.0)), speed_mps=5))
        legs.append(sprayed)
        at = (*last, 6.0)
    legs.append(Transit(path=(at, (pad.x, pad.y, 0.0)), speed_mps=5))
    flown_s = sum(
        leg.spray_s if isinstance(leg, Pass) else leg.length_m / leg.speed_mps for leg in legs
    )
    return Sortie(
        id=sortie_id,
        drone_id=drone.id,
        pad_id=pad.id,
        agent_id=agent_id,
        legs=tuple(legs),
        litres_l=sum(p.litres_l for p in passes),
        battery_frac=0.5,
        start_s=0.0,
        duration_s=flown_s,
    )


def with_chinese_names(site: Site) -> Site:
    """The same site as its people would name it, with a trap for mathtext in it."""
    zones = tuple(replace(zone, responsible="浪口社区") for zone in site.zones)
    return replace(site, name="浪口 $社区$", zones=zones)


def random_town(num_buildings: int, num_spots: int) -> Site:
    """A site the size of a suburb."""
    side = math.ceil(math.sqrt(num_buildings))
    buildings = tuple(
        Building(
            id=f"b{k}",
            footprint=affinity.rotate(
                Polygon([(0, 0), (18, 0), (18, 9), (9, 9), (9, 15), (0, 15)]), 37.0 * k
            ),
            height_m=3.0 + k % 30,
        )
        for k in range(num_buildings)
    )
    buildings = tuple(
        replace(b, footprint=affinity.translate(b.footprint, (k % side) * 46.0, (k // side) * 46.0))
        for k, b in enumerate(buildings)
    )
    base = neighbourhood(columns=max(1, math.ceil(num_spots / 48)), rows=12)
    return replace(base, buildings=buildings, spots=base.spots[:num_spots])
