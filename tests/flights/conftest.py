"""Small plans to fly: one 10 m swath and one hover, for one or two drones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shapely.geometry import Point, box

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.frames import Origin
from skymist.coverage.plan import Pass, PassKind, Plan, Sortie, Transit, Treatment
from skymist.coverage.site import Agent, BlindSpot, Kind, Level, LevelName, Pad, Policy, Site

MODEL = DroneModel(
    id="test16",
    name="16 L class",
    sprayer=Sprayer(tank_l=16.0, flow_min_lps=0.02, flow_max_lps=0.06, swath_m=4.0),
    body_m=2.0,
    dry_kg=20.0,
    endurance_empty_s=1200.0,
    endurance_full_s=600.0,
    battery_wh=800.0,
)
HEIGHT_M = 6.0
FLOW_LPS = 0.06


def _spots(north_m: float) -> tuple[BlindSpot, BlindSpot]:
    yard = BlindSpot(
        id=f"yard{north_m:g}",
        kind=Kind.YARD,
        level=LevelName.RED,
        shape=box(18.0, north_m - 2.0, 32.0, north_m + 2.0),
    )
    bins = BlindSpot(
        id=f"bins{north_m:g}",
        kind=Kind.REFUSE_POINT,
        level=LevelName.RED,
        shape=Point(45.0, north_m),
        radius_m=2.0,
    )
    return yard, bins


def _sortie(drone_id: str, number: int, y: float, refill: bool = False) -> Sortie:
    swath = Pass(
        spot_id=f"yard{y:g}",
        kind=PassKind.SWATH,
        path=((20.0, y), (30.0, y)),
        above_home_m=HEIGHT_M,
        speed_mps=1.0,
        flow_lps=FLOW_LPS,
        swath_m=4.0,
    )
    hover = Pass(
        spot_id=f"bins{y:g}",
        kind=PassKind.HOVER,
        path=((45.0, y),),
        above_home_m=HEIGHT_M,
        speed_mps=0.0,
        flow_lps=FLOW_LPS,
        swath_m=4.0,
        hover_s=5.0,
    )
    up = (0.0, y, HEIGHT_M)
    legs = (
        Transit(path=((0.0, y, 3.0), up, (20.0, y, HEIGHT_M)), speed_mps=5.0),
        swath,
        Transit(path=((30.0, y, HEIGHT_M), (45.0, y, HEIGHT_M)), speed_mps=5.0),
        hover,
        Transit(path=((45.0, y, HEIGHT_M), (0.0, y, HEIGHT_M), (0.0, y, 3.0)), speed_mps=5.0),
    )
    return Sortie(
        id=f"{drone_id}-{number:02d}",
        drone_id=drone_id,
        pad_id=f"pad-{drone_id}",
        agent_id="chlorine",
        legs=legs,
        litres_l=swath.litres_l + hover.litres_l,
        battery_frac=0.12,
        start_s=150.0 * (number - 1),
        duration_s=75.0,
        refill_before=refill,
        swap_before=refill,
    )


def _treatment(sprayed: Pass, spot: BlindSpot) -> Treatment:
    return Treatment(
        spot_id=spot.id,
        passes=(sprayed,),
        target=spot.area,
        dose_l_per_m2=0.015,
        agent_id="chlorine",
        expected_frac=1.0,
        model_id=MODEL.id,
    )


def small_plan(num_drones: int = 1, num_sorties: int = 1) -> Plan:
    """Drones 30 m apart, each with its own pad, a yard and bins."""
    spots: list[BlindSpot] = []
    treatments: list[Treatment] = []
    sorties: list[Sortie] = []
    drones: list[Drone] = []
    pads: list[Pad] = []
    for index in range(num_drones):
        drone_id, y = f"d{index + 1}", 30.0 * index
        pads.append(Pad(id=f"pad-{drone_id}", x=0.0, y=y))
        drones.append(Drone(id=drone_id, model=MODEL, pad_id=f"pad-{drone_id}", sysid=index + 1))
        own = [_sortie(drone_id, n + 1, y, refill=n > 0) for n in range(num_sorties)]
        sorties += own
        both = _spots(y)
        spots += both
        treatments += [_treatment(p, s) for p, s in zip(own[0].passes, both, strict=True)]
    site = Site(
        name="tiny",
        origin=Origin(lat_deg=60.17, lon_deg=24.94, amsl_m=10.0),
        spots=tuple(spots),
        pads=tuple(pads),
        fleet=tuple(drones),
        agents=(Agent(id="chlorine", name="chlorine 500 mg/L", chlorine_mg_per_l=500.0),),
        surface_levels=tuple(
            Level(name=name, dose_l_per_m2=0.03, agent_id="chlorine", revisit_days=1.0)
            for name in LevelName
        ),
        policy=Policy(refill_s=20.0, swap_s=10.0),
    )
    return Plan(
        site=site,
        seed=0,
        treatments=tuple(treatments),
        ground=(),
        sorties=tuple(sorted(sorties, key=lambda s: (s.start_s, s.id))),
    )


@pytest.fixture(scope="session")
def tiny_plan() -> Callable[..., Plan]:
    """`tiny_plan(num_drones=1, num_sorties=1)`."""
    return small_plan
