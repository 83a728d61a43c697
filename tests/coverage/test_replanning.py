"""What is left of a plan: nothing twice, nothing lost, and only by drones that are alive."""

from __future__ import annotations

import math

import pytest
from shapely.geometry import box

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.errors import PlanError
from skymist.coverage.frames import Origin
from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.replanning import OVERLAP_M, remainder, replan
from skymist.coverage.schedule import Standing
from skymist.coverage.site import Agent, BlindSpot, Kind, Level, LevelName, Pad, Site

WHOLE = ((0.0, 1.0),)
MODEL = DroneModel(
    id="hexa",
    name="hexacopter",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=4),
    body_m=2.4,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=977,
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Six yards and two drones."""
    spots = tuple(
        BlindSpot(
            id=f"yard{k}",
            kind=Kind.YARD,
            level=LevelName.RED,
            shape=box(40 * k, 30, 40 * k + 25, 50),
        )
        for k in range(6)
    )
    site = Site(
        name="six yards",
        origin=Origin(lat_deg=22.6, lon_deg=114.0),
        spots=spots,
        pads=(Pad(id="west", x=0.0, y=0.0), Pad(id="east", x=230.0, y=0.0)),
        fleet=tuple(
            Drone(id=f"d{k}", model=MODEL, pad_id=pad, sysid=k + 1)
            for k, pad in enumerate(("west", "east"))
        ),
        agents=(Agent(id="chlorine", name="chlorine", chlorine_mg_per_l=1000),),
        surface_levels=(
            Level(name=LevelName.RED, dose_l_per_m2=0.06, agent_id="chlorine", revisit_days=1),
        ),
    )
    return plan_site(site)


def sprayed_l(plan: Plan) -> dict[str, float]:
    found: dict[str, float] = {}
    for sortie in plan.sorties:
        for sprayed in sortie.passes:
            found[sprayed.spot_id] = found.get(sprayed.spot_id, 0.0) + sprayed.litres_l
    return found


def test_what_is_left_is_flown_once_and_by_those_alive(plan: Plan) -> None:
    done = {("yard0", k): WHOLE for k in range(len(plan.treatment("yard0").passes))}
    done[("yard1", 0)] = ((0.0, 0.4),)
    rest = replan(plan, done, {"d1": Standing(battery_frac=0.5, num_flown=3)})
    assert {sortie.drone_id for sortie in rest.sorties} == {"d1"}
    before, after = sprayed_l(plan), sprayed_l(rest)
    assert "yard0" not in after
    first = plan.treatment("yard1").passes[0]
    wanted_l = before["yard1"] - (0.4 - OVERLAP_M / first.length_m) * first.litres_l
    assert math.isclose(after["yard1"], wanted_l, rel_tol=1e-6)
    for spot_id in ("yard2", "yard3", "yard4", "yard5"):
        assert math.isclose(after[spot_id], before[spot_id], rel_tol=1e-6)


def test_the_first_sortie_is_served_as_the_drone_stands(plan: Plan) -> None:
    rest = replan(plan, {}, {"d0": Standing(battery_frac=0.3, num_flown=1)})
    first = rest.sorties[0]
    policy = plan.site.policy
    assert first.refill_before
    assert first.swap_before
    assert first.start_s >= policy.refill_s + policy.swap_s
    assert first.id == "d0-02"


def test_everything_done_leaves_nothing(plan: Plan) -> None:
    done = {(t.spot_id, k): WHOLE for t in plan.treatments for k in range(len(t.passes))}
    assert all(remainder(t, done) is None for t in plan.treatments)
    assert replan(plan, done, {"d0": Standing()}).sorties == ()


def test_no_drone_alive_is_an_error(plan: Plan) -> None:
    with pytest.raises(PlanError, match="alive"):
        replan(plan, {}, {})
