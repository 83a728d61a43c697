"""Spots of several tanks in equal parts: nothing is lost, and the day ends no later."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, box

from skymist.coverage.chunks import Chunk
from skymist.coverage.days import stops_between
from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.evening import parts_of
from skymist.coverage.frames import Origin
from skymist.coverage.plan import Pass, PassKind
from skymist.coverage.planning import plan_site
from skymist.coverage.site import (
    Agent,
    BlindSpot,
    Kind,
    Level,
    LevelName,
    Pad,
    Policy,
    Site,
)


def strip(number: int, length_m: float) -> Pass:
    return Pass(
        spot_id="yard",
        kind=PassKind.SWATH,
        path=((0.0, 2.0 * number), (length_m, 2.0 * number)),
        above_home_m=3.0,
        speed_mps=0.5,
        flow_lps=0.05,
        swath_m=2.0,
    )


@given(st.lists(st.floats(5, 60), min_size=1, max_size=12), st.integers(1, 6))
def test_equal_parts_hold_every_metre_once(lengths_m: list[float], count: int) -> None:
    passes = tuple(strip(k, length) for k, length in enumerate(lengths_m))
    whole = Chunk(spot_id="yard", index=0, load=("a", 0.0, 0.0), passes=passes)
    parts = parts_of(whole, [1 / count] * count)
    assert len(parts) <= count
    flown = [p for part in parts for p in part.passes]
    assert math.fsum(p.length_m for p in flown) == pytest.approx(math.fsum(lengths_m))
    for number, length_m in enumerate(lengths_m):
        own = sorted((p.path[0][0], p.path[-1][0]) for p in flown if p.path[0][1] == 2.0 * number)
        assert own[0][0] == 0.0
        assert own[-1][1] == pytest.approx(length_m)
        assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(own))
    # A cut is moved by at most the shortest piece that is flown.
    slack_l = 2 * 0.8 * 0.05 / 0.5 * 2
    assert all(part.litres_l <= whole.litres_l / count + slack_l for part in parts[:-1])


def test_four_equal_laps_are_all_flown() -> None:
    site = yard(850.0)
    drain = BlindSpot(
        id="yard",
        kind=Kind.OPEN_DRAIN,
        level=LevelName.RED,
        shape=LineString([(0, 5), (240, 5)]),
        width_m=2.0,
        dose_l_per_m2=0.4,
    )
    plan = plan_site(replace(site, spots=(drain,)))
    asked_l = math.fsum(p.litres_l for p in plan.treatments[0].passes)
    assert math.fsum(s.litres_l for s in plan.sorties) == pytest.approx(asked_l, rel=1e-3)


def yard(area_m2: float) -> Site:
    """A yard of six tanks for a drone whose battery carries three flights of five sixths."""
    sprayer = Sprayer(tank_l=10.0, flow_min_lps=0.015, flow_max_lps=0.056, swath_m=2.2)
    model = DroneModel(
        id="m",
        name="m",
        sprayer=sprayer,
        body_m=1.0,
        dry_kg=14.0,
        endurance_empty_s=1063.0,
        endurance_full_s=420.0,
        battery_wh=600.0,
        agent_kg_per_l=1.1,
    )
    side_m = math.sqrt(area_m2)
    return Site(
        name="yard",
        origin=Origin(lat_deg=42.0, lon_deg=-8.0),
        spots=(
            BlindSpot(
                id="yard", kind=Kind.YARD, level=LevelName.RED, shape=box(0, 3, side_m, 3 + side_m)
            ),
        ),
        pads=(Pad(id="pad", x=side_m / 2, y=0.0),),
        fleet=(Drone(id="d", model=model, pad_id="pad"),),
        agents=(Agent(id="a", name="a"),),
        surface_levels=(
            Level(name=LevelName.RED, dose_l_per_m2=0.047, agent_id="a", revisit_days=1.0),
        ),
        policy=Policy(refill_s=240.0, swap_s=240.0, reserve_frac=0.0, transit_min_m=3.0),
    )


def test_one_battery_carries_three_even_flights() -> None:
    plan = plan_site(yard(850.0))
    tank_l = plan.site.fleet[0].model.sprayer.tank_l
    assert len(plan.sorties) == math.ceil(plan.litres_l / ((tank_l - 0.2) * 0.92))
    assert max(s.litres_l for s in plan.sorties) < 1.15 * min(s.litres_l for s in plan.sorties)
    assert sum(s.swap_before for s in plan.sorties) == 1
    shares = [("a", s.battery_frac) for s in plan.sorties]
    assert sum(stop.is_swap for stop in stops_between(shares, plan.site.policy)) == 1
