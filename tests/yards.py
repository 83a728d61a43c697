"""A plan for three drones of two sorties each, small enough to be flown a hundred times."""

from __future__ import annotations

from functools import cache

from shapely.geometry import box

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.frames import Origin
from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Agent, BlindSpot, Kind, Level, LevelName, Pad, Policy, Site

MODEL = DroneModel(
    id="hexa",
    name="hexacopter",
    sprayer=Sprayer(tank_l=6, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=4),
    body_m=2.4,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=977,
)


@cache
def six_yards() -> Plan:
    """31 L over 1,440 m2 in 273 s of planned flight."""
    spots = tuple(
        BlindSpot(
            id=f"yard{k}",
            kind=Kind.YARD,
            level=LevelName.RED,
            shape=box(40 * k, 20, 40 * k + 20, 32),
        )
        for k in range(6)
    )
    site = Site(
        name="six yards",
        origin=Origin(lat_deg=22.6, lon_deg=114.0),
        spots=spots,
        pads=tuple(Pad(id=f"p{k}", x=30.0 + 80 * k, y=0.0) for k in range(3)),
        fleet=tuple(Drone(id=f"d{k}", model=MODEL, pad_id=f"p{k}", sysid=k + 1) for k in range(3)),
        agents=(Agent(id="chlorine", name="chlorine", chlorine_mg_per_l=1000),),
        surface_levels=(
            Level(name=LevelName.RED, dose_l_per_m2=0.02, agent_id="chlorine", revisit_days=1),
        ),
        policy=Policy(refill_s=20, swap_s=10),
    )
    return plan_site(site)
