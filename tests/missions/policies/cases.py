"""Sites, plans and flights on which one measure reads a wanted value, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shapely.geometry import LineString, Point, box

from skymist.coverage.drift import Wind
from skymist.coverage.energy import leg_s
from skymist.coverage.hours import Hours, Start
from skymist.coverage.plan import Pass, PassKind, Plan, Sortie, Transit, Treatment
from skymist.coverage.site import BlindSpot, Kind, LevelName, Mode, NoSpray, Policy, Receptor, Site
from skymist.missions.defaults import drone_models
from skymist.missions.policies.of_flight import Flight
from tests.missions.test_checks import CALM, drone, spot

HEXA = drone_models()["hexa-16"]
NOON = datetime(2026, 7, 1, 12, 0)
FOOT_M = 0.3048
SPOOL_S = 9.0
Given = Any
"""What a measure is made to read: a number, or hours as (from_s, until_s)."""


def policy_site(packs: tuple[str, ...], **keys: Any) -> Site:
    return replace(CALM, policy=Policy(packs=packs, **keys))


def with_policy(site: Site, **keys: Any) -> Site:
    return replace(site, policy=replace(site.policy, **keys))


def belt(**keys: Any) -> BlindSpot:
    line = LineString([(0, 0), (100, 0)])
    given = {"kind": Kind.GREEN_BELT, "shape": line, "width_m": 4, "mode": Mode.VECTOR}
    return BlindSpot(id="belt", **({"level": LevelName.RED, "zone_id": "z"} | given | keys))


# --- sites --------------------------------------------------------------------------------------


def of_policy(field: str) -> Callable[[Site, Given], Site]:
    return lambda site, value: with_policy(site, **{field: value})


def temperature(site: Site, value: float) -> Site:
    field = "temperature_min_c" if value < 20 else "temperature_max_c"
    return with_policy(site, **{field: value})


def mass(site: Site, value: float) -> Site:
    model = replace(HEXA, dry_kg=value - HEXA.sprayer.tank_l)
    return replace(site, fleet=(drone(model=model),))


def operators(site: Site, value: float) -> Site:
    fleet = tuple(drone(f"d{k}", sysid=k + 1) for k in range(200))
    return with_policy(replace(site, fleet=fleet), operators=round(200 / value))


def receptor(site: Site, value: float) -> Site:
    return replace(site, receptors=(Receptor(id="r", shape=Point(10 + value, 5), kind="school"),))


def broadcast(site: Site, value: float) -> Site:
    spots = [spot(f"m{k}", 30 * k, zone_id="z", mode=Mode.BROADCAST) for k in range(int(value))]
    return with_policy(replace(site, spots=tuple(spots)), reason="outbreak, order 12")


def no_reason(site: Site, value: float) -> Site:
    return with_policy(broadcast(site, value), reason=" ")


def site_hours(site: Site, value: tuple[float, float]) -> Site:
    hours = Hours(start_s=value[0], end_s=value[1])
    return with_policy(replace(site, spots=(belt(),)), vector_hours=(hours,))


SITES: dict[str, Callable[[Site, Given], Site]] = {
    "height_m": of_policy("ceiling_m"),
    "speed_mps": of_policy("speed_max_mps"),
    "radius_m": of_policy("radius_m"),
    "wind_mps": of_policy("wind_max_mps"),
    "temperature_c": temperature,
    "reserve_frac": of_policy("reserve_frac"),
    "transit_min_m": of_policy("transit_min_m"),
    "clearance_m": of_policy("clearance_m"),
    "takeoff_kg": mass,
    "drones_per_operator": operators,
    "receptor_m": receptor,
    "broadcast_spots": broadcast,
    "broadcast_without_reason": no_reason,
    "vector_hours": site_hours,
}


# --- plans --------------------------------------------------------------------------------------


def made_plan(site: Site, **keys: Any) -> Plan:
    """One sortie over a belt of 100 m in vector mode, from a pad 30 m west of it."""
    spray = Pass(
        spot_id="belt",
        kind=PassKind.RUN,
        path=((0.0, 0.0), (100.0, 0.0)),
        above_home_m=4.0,
        speed_mps=4.0,
        flow_lps=5.5 / 60,
        swath_m=4.0,
    )
    spray = replace(spray, **keys)
    out = Transit(path=((-30.0, 0.0, 3.0), (*spray.path[0], spray.above_home_m)), speed_mps=8.0)
    back = Transit(path=((*spray.path[-1], spray.above_home_m), (-30.0, 0.0, 3.0)), speed_mps=8.0)
    sortie = Sortie(
        id="d-1",
        drone_id="d",
        pad_id="p",
        agent_id="larvicide",
        legs=(out, spray, back),
        litres_l=1.0,
        battery_frac=0.5,
        start_s=0.0,
        duration_s=120.0,
    )
    ground = belt()
    treatment = Treatment(
        spot_id="belt",
        passes=(spray,),
        target=ground.area,
        dose_l_per_m2=0.002,
        agent_id="larvicide",
        expected_frac=1.0,
    )
    site = replace(site, spots=(ground,))
    return Plan(site=site, seed=0, treatments=(treatment,), ground=(), sorties=(sortie,))


def with_legs(plan: Plan, *legs: Any) -> Plan:
    return replace(plan, sorties=(replace(plan.sorties[0], legs=legs),))


def height(site: Site, value: float) -> Plan:
    plan = made_plan(site)
    _, spray, back = plan.sorties[0].legs
    way = ((-30.0, 0.0, 3.0), (-15.0, 0.0, value), (0.0, 0.0, 4.0))
    return with_legs(plan, Transit(path=way, speed_mps=8.0), spray, back)


def speed(site: Site, value: float) -> Plan:
    plan = made_plan(site)
    out, spray, back = plan.sorties[0].legs
    return with_legs(plan, out, spray, replace(back, speed_mps=value))


def radius(site: Site, value: float) -> Plan:
    return made_plan(site, path=((0.0, 0.0), (value - 30.0, 0.0)))


def windy(site: Site, value: float) -> Plan:
    return replace(made_plan(site), wind=Wind.coming_from(270, value))


def windy_school(site: Site, value: float) -> Plan:
    far = Receptor(id="r", shape=Point(-9000, 0), kind="school")
    return windy(replace(site, receptors=(far,)), value)


def drift(site: Site, value: float) -> Plan:
    """Source: US EPA, TED 1.1: c / (1 + a d)^b with (a, b, c) = (0.043, 1.03, 0.5), d in feet."""
    apart_m = ((0.5 / value) ** (1 / 1.03) - 1) / 0.043 * FOOT_M
    pond = Receptor(id="r", shape=Point(100 + apart_m, 0), kind="pond")
    return windy(replace(site, receptors=(pond,)), 2.0)


def downwind(site: Site, value: float) -> Plan:
    school = Receptor(id="r", shape=Point(100 + value, 0), kind="Primary school")
    return windy(replace(site, receptors=(school,)), 2.0)


def no_spray(site: Site, value: float) -> Plan:
    """The strip is 4 m wide: ground 1 m wide that reaches `value` m into it."""
    ground = NoSpray(id="n", area=box(50, 2 - value, 51, 40), reason="pond")
    return made_plan(replace(site, no_spray=(ground,)))


def vector_speed(site: Site, value: float) -> Plan:
    return made_plan(site, speed_mps=value)


def vector_height(site: Site, value: float) -> Plan:
    return made_plan(site, above_home_m=value)


def vector_flow(site: Site, value: float) -> Plan:
    return made_plan(site, flow_lps=value / 60)


def vector_area(site: Site, value: float) -> Plan:
    plan = made_plan(site)
    return replace(
        plan, treatments=(replace(plan.treatments[0], target=box(0, 0, value / 100, 100)),)
    )


def before_and_while_s(plan: Plan) -> tuple[float, float]:
    """Seconds from take-off to the pass, and those of the pass."""
    out, spray, _ = plan.sorties[0].legs
    return SPOOL_S + leg_s(out, HEXA), leg_s(spray, HEXA)


def plan_hours(site: Site, value: tuple[float, float]) -> Plan:
    """A plan that begins so that its pass begins, or ends, at the time wanted."""
    plan = made_plan(site)
    before_s, while_s = before_and_while_s(plan)
    first_s, last_s = value
    begin_s = first_s if first_s >= 0 else last_s - while_s
    return replace(plan, start=Start(clock_s=begin_s - before_s))


PLANS: dict[str, Callable[[Site, Given], Plan]] = {
    "height_m": height,
    "speed_mps": speed,
    "radius_m": radius,
    "wind_mps": windy,
    "receptor_wind_mps": windy_school,
    "drift_frac": drift,
    "downwind_m": downwind,
    "no_spray_m2": no_spray,
    "vector_speed_mps": vector_speed,
    "vector_height_m": vector_height,
    "vector_flow_lpm": vector_flow,
    "vector_m2_per_drone_day": vector_area,
    "vector_hours": plan_hours,
}


# --- flights ------------------------------------------------------------------------------------


def measured(site: Site, value: float) -> Flight:
    return Flight(plan=made_plan(site), at=NOON, wind_mps=value)


def measured_school(site: Site, value: float) -> Flight:
    far = Receptor(id="r", shape=Point(-9000, 0), kind="school")
    return measured(replace(site, receptors=(far,)), value)


def applied(site: Site, value: float) -> Flight:
    midnight = NOON.replace(hour=0)
    return Flight(plan=made_plan(site), at=NOON, applied=midnight - timedelta(hours=value))


def reported(site: Site, value: float) -> Flight:
    return Flight(plan=made_plan(site), at=NOON, reported=NOON - timedelta(minutes=value))


FLIGHTS: dict[str, Callable[[Site, Given], Flight]] = {
    "wind_mps": measured,
    "receptor_wind_mps": measured_school,
    "application_before_h": applied,
    "report_before_min": reported,
}
