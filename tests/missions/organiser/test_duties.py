"""Who does what when: nothing of a plan is lost, and nobody walks under a drone or into wet ground.

The laws are checked from the plan's passes and the hours alone, not from what made the duties.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.hours import DAY_S, Hours, Start
from skymist.coverage.organising import Organiser
from skymist.coverage.plan import Plan
from skymist.coverage.site import Site
from skymist.missions.errors import FormatError
from skymist.missions.organiser.duties import Duty, Hand, dated, duties, require_site_of
from skymist.missions.organiser.prices import default_prices
from tests.checks import positions
from tests.plans import made_plan, neighbourhood

SEVEN = Start(clock_s=7 * 3600.0, date="2026-07-01")
NEAR_S = 120.0
"""Of the five minutes kept, what the oracle, which reckons simpler times, insists on."""


def sprayed_times(plan: Plan) -> tuple[tuple[str, float, float], ...]:
    """When each pass is flown, by `tests.checks`' own reckoning of where drones are."""
    models = {drone.id: drone.model for drone in plan.site.fleet}
    found = []
    for sortie in plan.sorties:
        at = positions(sortie, models[sortie.drone_id])
        for sprayed in sortie.passes:
            path = shapely.LineString(sprayed.path) if len(sprayed.path) > 1 else None
            near = (path or shapely.Point(sprayed.path[0])).buffer(0.5)
            inside = shapely.contains_xy(near, at[:, 1], at[:, 2])
            times = at[inside & (abs(at[:, 3] - sprayed.above_home_m) < 0.5), 0]
            assert len(times), "the oracle did not see a pass"
            found.append((sprayed.spot_id, float(times.min()), float(times.max())))
    return tuple(found)


def broken_laws(plan: Plan, site: Site, found: tuple[Duty, ...]) -> list[str]:
    """What of a plan is lost, and who is where spray is."""
    wrong: list[str] = []
    spray = sprayed_times(plan)
    assert plan.start is not None
    contact_s = {a.id: a.contact_min * 60 for a in site.agents}
    flown, walked = defaultdict(float), defaultdict(float)
    busy: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for duty in found:
        (flown if duty.by is Hand.DRONE else walked)[duty.spot.id] += (
            duty.litres_l if duty.by is Hand.DRONE else duty.area_m2
        )
        if duty.by is Hand.DRONE or duty.from_s is None or duty.to_s is None:
            continue
        clock = (plan.start.clock_s + duty.from_s) % DAY_S
        ends = clock + duty.to_s - duty.from_s
        hours = site.organiser.crew_hours or (
            Hours(start_s=8 * 3600, end_s=12 * 3600),
            Hours(start_s=14 * 3600, end_s=18 * 3600),
        )
        if not any(h.start_s - 1e-6 <= clock and ends <= h.end_s + 1e-6 for h in hours):
            wrong.append(f"{duty.spot.id}: outside the crew's hours")
        if any(duty.from_s < b and a < duty.to_s for a, b in busy[duty.post]):
            wrong.append(f"{duty.spot.id}: its crew is elsewhere")
        busy[duty.post].append((duty.from_s, duty.to_s))
        for spot_id, begins_s, ends_s in spray:
            if site.spot(spot_id).zone_id == duty.spot.zone_id and (
                duty.from_s < ends_s + NEAR_S and begins_s - NEAR_S < duty.to_s
            ):
                wrong.append(f"{duty.spot.id}: people near spray on {spot_id}")
            wet_s = contact_s[plan.treatment(spot_id).agent_id] - NEAR_S
            if spot_id == duty.spot.id and begins_s < duty.from_s < ends_s + wet_s:
                wrong.append(f"{duty.spot.id}: still wet")
    for treatment in plan.treatments:
        if not math.isclose(flown[treatment.spot_id], treatment.litres_l, abs_tol=1e-6):
            wrong.append(f"{treatment.spot_id}: litres lost")
    left = defaultdict(float)
    for task in plan.ground:
        left[task.spot_id] += task.area_m2
    for spot_id, area in left.items():
        if not math.isclose(walked[spot_id], area, rel_tol=1e-6):
            wrong.append(f"{spot_id}: {walked[spot_id]} of {area} m2 on foot")
    return wrong


def test_nothing_of_the_demo_is_lost_and_nobody_is_in_the_spray(plan: Plan, site: Site) -> None:
    found = duties(plan, site, default_prices())
    assert not broken_laws(plan, site, found)
    # What no drone reaches goes to people: the narrow lane whole, the roof's edge in part.
    crew = {duty.spot.id: duty for duty in found if duty.by is Hand.CREW}
    assert not crew["alley-narrow"].is_rest
    assert crew["roof-workshop"].is_rest
    assert crew["alley-narrow"].post == "Post 1: Mrs Lin, 06:00-14:00"


@settings(max_examples=25, deadline=None)
@given(
    clock_h=st.floats(0, 23.9),
    opens_h=st.floats(0, 20),
    long_h=st.floats(0.2, 4),
    people=st.integers(1, 5),
    slow=st.sampled_from([0.01, 0.1, 0.76, 5.0]),
)
def test_the_laws_hold_for_any_hours_and_crews(
    plan: Plan, site: Site, clock_h: float, opens_h: float, long_h: float, people: int, slow: float
) -> None:
    hours = Hours(start_s=opens_h * 3600, end_s=(opens_h + long_h) * 3600)
    if hours.end_s > DAY_S:
        return
    organised = replace(site, organiser=Organiser(crew_hours=(hours,), crew_people=people))
    prices = default_prices()
    rows = (replace(r, value=slow) if r.key == "hand_flow_lpm" else r for r in prices.rows)
    prices = replace(prices, rows=tuple(rows))
    moved = replace(plan, start=Start(clock_s=float(round(clock_h * 3600))))
    assert not broken_laws(moved, organised, duties(moved, organised, prices))


def test_work_for_longer_than_a_slot_goes_on_in_the_next(plan: Plan, site: Site) -> None:
    hours = (Hours(start_s=9 * 3600, end_s=9 * 3600 + 600),)
    organised = replace(site, organiser=Organiser(crew_hours=hours, crew_people=1))
    rows = tuple(
        replace(r, value=0.05) if r.key == "hand_flow_lpm" else r for r in default_prices().rows
    )
    found = duties(plan, organised, replace(default_prices(), rows=rows))
    parts = [d for d in found if d.spot.id == "alley-narrow"]
    assert len(parts) > 3
    assert len({d.day for d in parts}) == len(parts)
    assert not broken_laws(plan, organised, found)


def test_hours_that_never_come_are_said_not_dropped(plan: Plan, site: Site) -> None:
    night = Hours(start_s=3600, end_s=7200)
    spots = tuple(replace(s, hours=(night,)) if s.id == "alley-narrow" else s for s in site.spots)
    changed = replace(site, spots=spots)
    (duty,) = (d for d in duties(plan, changed, default_prices()) if d.spot.id == "alley-narrow")
    assert duty.from_s is None
    assert duty.area_m2 > 0


def test_a_start_is_wanted_and_must_be_the_plans(plan: Plan, site: Site) -> None:
    bare = replace(plan, start=None)
    with pytest.raises(FormatError, match="--start: wanted"):
        dated(bare, None)
    assert dated(bare, SEVEN).start == SEVEN
    assert dated(replace(plan, start=Start(clock_s=SEVEN.clock_s)), SEVEN).start == SEVEN
    with pytest.raises(FormatError, match="plan it anew"):
        dated(plan, Start(clock_s=9 * 3600.0))
    with pytest.raises(FormatError, match="wanted a plan of 'X'"):
        require_site_of(plan, replace(site, name="X"))
    with pytest.raises(FormatError, match="found toilet"):
        require_site_of(plan, replace(site, spots=tuple(s for s in site.spots if s.id != "toilet")))


def test_a_post_that_changed_after_planning_is_the_one_on_the_roster() -> None:
    plan = dated(made_plan(neighbourhood()), SEVEN)
    zones = tuple(replace(z, responsible="Ms Wu") for z in plan.site.zones)
    found = duties(plan, replace(plan.site, zones=zones), default_prices())
    assert {duty.post for duty in found} == {"Ms Wu"}


def test_an_agent_that_changed_since_planning_is_refused(plan: Plan, site: Site) -> None:
    """Else it would be mixed at another strength than the plan's doses are reckoned with."""
    stronger = tuple(
        replace(a, chlorine_mg_per_l=2000) if a.id == "chlorine-1000" else a for a in site.agents
    )
    with pytest.raises(FormatError, match=r"chlorine-1000: wanted .*2000 mg/L.*plan it anew"):
        require_site_of(plan, replace(site, agents=stronger))
    unused = tuple(replace(a, contact_min=9.0) if a.id == "adulticide" else a for a in site.agents)
    require_site_of(plan, replace(site, agents=unused))
    require_site_of(plan, site)


def test_spray_across_a_zones_edge_keeps_people_away_too(plan: Plan, site: Site) -> None:
    """The lane stands beside a roof that is flown: put it into a zone of its own."""
    moved = tuple(replace(s, zone_id=None) if s.id == "gap-blocks" else s for s in site.spots)
    early = Organiser(crew_hours=(Hours(start_s=7 * 3600, end_s=12 * 3600),))
    changed = replace(site, spots=moved, organiser=early)
    near = next(s for s in site.spots if s.id == "gap-blocks").area
    (duty,) = (d for d in duties(plan, changed, default_prices()) if d.spot.id == "gap-blocks")
    assert duty.from_s is not None
    assert duty.to_s is not None
    close = [
        (begins_s, ends_s)
        for spot_id, begins_s, ends_s in sprayed_times(plan)
        if site.spot(spot_id).area.distance(near) < 30.0
    ]
    assert close
    for begins_s, ends_s in close:
        assert duty.to_s <= begins_s - NEAR_S or duty.from_s >= ends_s + NEAR_S
