"""Hours of spots, zones and policy, closures and days: plans keep them, and tell of what cannot."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from skymist.coverage.chunks import Chunk, chunks_of
from skymist.coverage.days import Stop
from skymist.coverage.errors import PlanError
from skymist.coverage.flights import Base, Flight, Flights
from skymist.coverage.hops import Hops
from skymist.coverage.hours import (
    Hours,
    Start,
    both,
    daily,
    first_in,
    inside,
    merged,
    outside,
)
from skymist.coverage.plan import Plan, Reason
from skymist.coverage.planning import plan_site
from skymist.coverage.site import (
    Closure,
    Kind,
    LevelName,
    Mode,
    Objective,
    Policy,
    Site,
    Zone,
)
from skymist.coverage.timetable import Timetable
from skymist.missions.plans import plan_from_dict, plan_to_dict
from tests import checks

MORNING, EVENING = Hours(start_s=7 * 3600, end_s=9 * 3600), Hours(start_s=61200, end_s=68400)
SEVEN = Start(clock_s=7 * 3600)


def minutes(start: float, end: float) -> Hours:
    """Hours so many minutes after 07:00."""
    return Hours(start_s=25200 + 60 * start, end_s=25200 + 60 * end)


# --- arithmetic ---------------------------------------------------------------------------------

_times = st.integers(0, 40).map(float)
_spans = st.lists(st.tuples(_times, _times), max_size=4).map(merged)


@given(some=_spans, others=_spans, begin=st.integers(0, 5), length=st.integers(0, 5))
def test_spans_mean_what_they_say(some: Any, others: Any, begin: int, length: int) -> None:
    """Against each quarter of a second, asked one by one."""

    def holds(spans: Any, t: float) -> bool:
        return any(a <= t <= b for a, b in spans)

    end = begin + length
    within, clear, shared = (
        inside(some, begin, end),
        outside(some, begin, end),
        both(some, others),
    )
    for t in (k / 4 for k in range(200)):
        assert holds(shared, t) == (holds(some, t) and holds(others, t))
        assert holds(within, t) == any(a <= t + begin and t + end <= b for a, b in some)
        touched = any(t + begin < b and t + end > a for a, b in some)
        assert holds(clear, t) == (not touched)
        later = [a if a > t else t for a, b in within if b >= t]
        assert first_in(within, t) == (min(later) if later else math.inf)


def test_hours_come_again_every_day_and_go_past_midnight() -> None:
    night = Hours(start_s=22 * 3600, end_s=26 * 3600)
    spans = daily((night,), Start(clock_s=23 * 3600), 2)
    assert spans == ((0, 3 * 3600), (23 * 3600, 27 * 3600), (47 * 3600, 48 * 3600))
    assert night.text == "22:00-02:00"


def test_a_start_tells_the_time() -> None:
    start = Start(clock_s=23.5 * 3600, date="2026-02-28")
    assert start.at(3600) == "2026-03-01 00:30"
    assert start.later(3600) == Start(clock_s=1800, date="2026-03-01")
    assert SEVEN.at(300) == "07:05"
    assert SEVEN.at(86400) == "day 2 07:00"
    with pytest.raises(PlanError, match="YYYY-MM-DD"):
        Start(clock_s=0, date="tomorrow")
    with pytest.raises(PlanError, match="hours: wanted"):
        Hours(start_s=50, end_s=50)


# --- plans --------------------------------------------------------------------------------------


def bins(hours: Sequence[tuple[Hours, ...]], policy: Policy | None = None, **keys: Any) -> Site:
    """Refuse points in a row, each with its hours; two drones on pads 40 m apart."""
    spots = [
        checks.spot(f"bin{k}", Point(30 + 25 * k, 20), Kind.REFUSE_POINT, radius_m=2.0, hours=own)
        for k, own in enumerate(hours)
    ]
    site: Site = checks.site_with(
        "bins", spots, pads=[(0, 0), (0, -40)], models=(checks.HEXA,) * 2, policy=policy
    )
    return replace(site, **keys)


def starts_of(plan: Plan, spot_id: str) -> list[float]:
    return [s.start_s for s in plan.sorties if spot_id in s.spot_ids]


def test_a_drone_waits_on_its_pad_until_the_hours_begin() -> None:
    plan = plan_site(bins([(minutes(30, 60),), ()]), start=SEVEN)
    checks.assert_lawful_plan(plan)
    late, soon = starts_of(plan, "bin0"), starts_of(plan, "bin1")
    assert min(soon) == 0
    assert 29 * 60 < min(late) < 31 * 60
    assert all(s.duration_s < 200 for s in plan.sorties), "nobody hovers"
    assert plan.lowest_s >= 30 * 60 * 0.99


def test_hours_of_zone_and_mode_bind_their_spots() -> None:
    site = bins([(), ()])
    belt = checks.spot("belt", box(20, -30, 60, -26), Kind.GREEN_BELT, mode=Mode.VECTOR)
    site = replace(
        site,
        spots=(replace(site.spots[0], zone_id="z"), site.spots[1], belt),
        zones=(Zone(id="z", area=box(0, 0, 200, 100), hours=(minutes(60, 90),)),),
        policy=Policy(vector_hours=(EVENING,)),
    )
    plan = plan_site(site, start=SEVEN)
    checks.assert_lawful_plan(plan)
    assert min(starts_of(plan, "bin0")) >= 59 * 60
    assert max(starts_of(plan, "bin0")) <= 90 * 60
    assert min(starts_of(plan, "belt")) >= 10 * 3600 - 60


def test_a_site_with_hours_starts_at_its_first() -> None:
    plan = plan_site(bins([(EVENING,), (MORNING,)]))
    assert plan.start == SEVEN
    assert plan_site(bins([(), ()])).start is None


def test_nobody_flies_over_closed_ground() -> None:
    closed = Closure(id="street", area=box(10, -1500, 22, 1500), hours=(minutes(0, 45),))
    plan = plan_site(bins([(), ()], closures=(closed,)), start=SEVEN)
    checks.assert_lawful_plan(plan)
    assert min(s.start_s for s in plan.sorties) > 44 * 60


def test_closed_ground_is_gone_around_where_that_takes_little() -> None:
    closed = Closure(id="yard", area=box(10, -100, 22, 100), hours=(minutes(0, 45),))
    plan = plan_site(bins([(), ()], closures=(closed,)), start=SEVEN)
    checks.assert_lawful_plan(plan)
    assert min(s.start_s for s in plan.sorties) == 0.0
    for sortie in plan.sorties:
        ways = [LineString([p[:2] for p in leg.path]) for leg in sortie.legs if len(leg.path) > 1]
        assert all(way.distance(closed.area) > checks.HEXA.body_m / 2 for way in ways)


def test_a_spot_on_closed_ground_waits_for_it() -> None:
    closed = Closure(id="yard", area=box(20, 10, 40, 30), hours=(minutes(0, 45),))
    plan = plan_site(bins([(), ()], closures=(closed,)), start=SEVEN)
    checks.assert_lawful_plan(plan)
    assert min(starts_of(plan, "bin0")) > 43 * 60


def test_what_no_hours_hold_is_left_with_the_reason() -> None:
    plan = plan_site(bins([(minutes(10, 10.05),), ()]), start=SEVEN)
    checks.assert_lawful_plan(plan)
    (task,) = plan.ground
    assert (task.spot_id, task.reason, task.is_whole_spot) == ("bin0", Reason.NO_WINDOW, True)
    assert "07:10-07:10" in task.text


def test_hours_too_short_for_one_spot_leave_the_others_alone() -> None:
    plan = plan_site(bins([(minutes(10, 10.2),), ()]), start=SEVEN)
    checks.assert_lawful_plan(plan)
    assert [(t.spot_id, t.reason) for t in plan.ground] == [("bin0", Reason.NO_TIME)]


def big_site(**keys: Any) -> Site:
    """Work for an hour and more for three drones."""
    site: Site = checks.beyond_one_tank()
    return replace(site, policy=Policy(**keys))


def test_work_goes_on_in_the_next_hours_and_days() -> None:
    hours = (minutes(0, 20), minutes(120, 140))
    plan = plan_site(big_site(hours=hours, num_days=2), start=SEVEN)
    checks.assert_lawful_plan(plan)
    assert not any(task.reason is Reason.NO_TIME for task in plan.ground)
    days = {int(s.start_s // 86400) for s in plan.sorties}
    assert days == {0, 1}
    assert any(s.start_s % 86400 >= 7200 for s in plan.sorties)


def test_what_the_days_have_no_time_for_is_left_by_level() -> None:
    plan = plan_site(big_site(hours=(minutes(0, 20),)), start=SEVEN)
    checks.assert_lawful_plan(plan)
    late = [task for task in plan.ground if task.reason is Reason.NO_TIME]
    assert late
    assert plan.sorties
    assert all("hours" in task.text for task in late)


def test_hours_and_start_survive_the_file() -> None:
    closed = Closure(id="c", area=box(200, 0, 210, 10), hours=(MORNING,), reason="school")
    start = Start(clock_s=25200, date="2026-07-01")
    plan = plan_site(bins([(MORNING, EVENING), ()], closures=(closed,)), start=start)
    data = plan_to_dict(plan)
    again = plan_from_dict(json.loads(json.dumps(data)))
    assert again.start == start
    assert again.site.closures[0].hours == (MORNING,)
    assert again.site.spots[0].hours == (MORNING, EVENING)
    assert plan_to_dict(again) == data


@st.composite
def _hours(draw: st.DrawFn) -> tuple[Hours, ...]:
    begin = draw(st.integers(0, 120))
    return (minutes(begin, begin + draw(st.sampled_from([4, 10, 30, 90]))),)


@st.composite
def timed_sites(draw: st.DrawFn) -> Site:
    """Any neighbourhood of `checks.sites`, with hours of any kind, closures, days, objectives."""
    site: Site = draw(checks.sites())
    some = st.one_of(st.just(()), _hours())
    closures = [
        Closure(id=f"c{k}", area=draw(checks._blocks(5, 25)), hours=draw(_hours()))
        for k in range(draw(st.integers(0, 2)))
    ]
    policy = replace(
        site.policy,
        hours=draw(st.sampled_from([(), (), (minutes(0, 60), minutes(100, 200))])),
        vector_hours=draw(some),
        num_days=draw(st.sampled_from([1, 1, 2])),
        day_s=draw(st.sampled_from([None, None, 3600.0])),
        objective=draw(st.sampled_from(list(Objective))),
    )
    spots = tuple(replace(spot, hours=draw(some)) for spot in site.spots)
    return replace(site, spots=spots, closures=tuple(closures), policy=policy)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(site=timed_sites(), clock=st.sampled_from([6.5, 7.0, 8.0, 20.0]))
def test_any_site_with_hours_keeps_every_law(site: Site, clock: float) -> None:
    plan = plan_site(site, start=Start(clock_s=clock * 3600))
    checks.assert_lawful_plan(plan)
    assert plan.lowest_s <= plan.makespan_s + 1e-6 or not plan.sorties


# --- laws that notice ---------------------------------------------------------------------------


def _spoilt() -> dict[str, tuple[Site, str, Callable[[Plan], Plan]]]:
    timed = bins([(minutes(30, 60),), ()])
    closed = Closure(id="street", area=box(10, -1500, 22, 1500), hours=(minutes(0, 45),))
    row = replace(
        bins([()] * 8),
        pads=tuple(replace(p, capacity=1, group="row") for p in bins([()]).pads),
    )

    def at_once(plan: Plan) -> Plan:
        return replace(plan, sorties=tuple(replace(s, start_s=0.0) for s in plan.sorties))

    def later(plan: Plan) -> Plan:
        moved = tuple(replace(s, start_s=s.start_s + 7200) for s in plan.sorties)
        return replace(plan, sorties=moved)

    def on_policy(**keys: Any) -> Callable[[Plan], Plan]:
        return lambda plan: replace(
            plan, site=replace(plan.site, policy=replace(plan.site.policy, **keys))
        )

    def on_one_pad(plan: Plan) -> Plan:
        fleet = tuple(replace(d, pad_id="p0") for d in plan.site.fleet)
        return replace(plan, site=replace(plan.site, fleet=fleet))

    def stands_together(plan: Plan) -> Plan:
        pads = tuple(replace(p, y=p.y / 10) for p in plan.site.pads)
        return replace(plan, site=replace(plan.site, pads=pads))

    def without_rinse(plan: Plan) -> Plan:
        return on_policy(rinse_s=plan.site.policy.rinse_s + 300)(plan)

    def one_crew(plan: Plan) -> Plan:
        pads = tuple(replace(p, num_crews=1, group="all") for p in plan.site.pads)
        return replace(plan, site=replace(plan.site, pads=pads))

    two_agents = checks.yard_with_playground()
    two_agents = replace(two_agents, fleet=two_agents.fleet[:1])
    hours, schedule = "assert_keeps_hours", "assert_schedule_holds"
    return {
        "before its hours": (timed, hours, at_once),
        "after its hours": (timed, hours, later),
        "no start is told": (timed, hours, lambda plan: replace(plan, start=None)),
        "over closed ground": (replace(bins([(), ()]), closures=(closed,)), hours, at_once),
        "outside the policy's hours": (
            bins([(), ()]),
            hours,
            on_policy(hours=(minutes(60, 90),)),
        ),
        "two on one pad": (row, schedule, on_one_pad),
        "stands side by side": (row, schedule, stands_together),
        "the day is over": (bins([(), ()]), schedule, on_policy(day_s=30.0)),
        "too little time to rinse": (two_agents, schedule, without_rinse),
        "one crew for all": (big_site(), schedule, one_crew),
    }


@pytest.mark.parametrize("name", list(_spoilt()))
def test_laws_notice(name: str) -> None:
    site, law, spoil = _spoilt()[name]
    plan = plan_site(site, start=SEVEN)
    getattr(checks, law)(plan)
    with pytest.raises(AssertionError):
        getattr(checks, law)(spoil(plan))


# --- objectives ---------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", list(Objective))
def test_every_objective_gives_a_lawful_plan(objective: Objective) -> None:
    plan = plan_site(checks.under_and_around(), objective=objective)
    checks.assert_lawful_plan(plan)
    assert plan.site.policy.objective is objective


def air_s(plan: Plan) -> float:
    return math.fsum(s.duration_s for s in plan.sorties)


def test_objectives_give_what_they_are_named_for() -> None:
    site = checks.beyond_one_tank()
    site = replace(site, fleet=tuple(replace(d, is_movable=True) for d in site.fleet))
    plans = {aim: plan_site(site, objective=aim) for aim in Objective}
    quickest, fewest = plans[Objective.MAKESPAN], plans[Objective.DRONE_MINUTES]
    assert air_s(fewest) <= air_s(quickest) * 1.001
    assert quickest.makespan_s <= fewest.makespan_s * 1.001


def mixed_levels(**keys: Any) -> Site:
    """Bins of three levels in turn along a street, more than a tank of them."""
    levels = (LevelName.BLUE, LevelName.YELLOW, LevelName.RED)
    spots = [
        checks.spot(f"s{k}", box(20 + 14 * k, 10, 30 + 14 * k, 22), level=levels[k % 3])
        for k in range(12)
    ]
    site: Site = checks.site_with("levels", spots, policy=Policy(**keys))
    return site


def mean_done_s(plan: Plan, level: LevelName) -> float:
    ends = [
        s.start_s + s.duration_s
        for s in plan.sorties
        for spot_id in s.spot_ids
        if plan.site.spot(spot_id).level is level
    ]
    return sum(ends) / len(ends)


def test_priority_does_the_worst_levels_first() -> None:
    plan = plan_site(mixed_levels(), objective=Objective.PRIORITY)
    checks.assert_lawful_plan(plan)
    red, yellow, blue = (mean_done_s(plan, LevelName(n)) for n in ("red", "yellow", "blue"))
    assert red < yellow < blue
    assert red < mean_done_s(plan_site(mixed_levels()), LevelName.RED)


def test_priority_of_a_short_day_leaves_the_least_urgent() -> None:
    whole = plan_site(mixed_levels(), objective=Objective.PRIORITY)
    plan = plan_site(
        mixed_levels(day_s=whole.makespan_s / 2), objective=Objective.PRIORITY, start=SEVEN
    )
    checks.assert_lawful_plan(plan)
    late = {task.spot_id for task in plan.ground if task.reason is Reason.NO_TIME}
    assert late
    assert {plan.site.spot(s).level for s in late} <= {LevelName.BLUE, LevelName.YELLOW}


# --- brute force --------------------------------------------------------------------------------


def _splits(order: tuple[Chunk, ...]) -> Iterator[list[tuple[Chunk, ...]]]:
    """All ways to cut a sequence into flights."""
    for cuts in itertools.product((False, True), repeat=len(order) - 1):
        parts, part = [], [order[0]]
        for chunk, is_cut in zip(order[1:], cuts, strict=True):
            if is_cut:
                parts.append(tuple(part))
                part = []
            part.append(chunk)
        yield [*parts, tuple(part)]


def _ends_s(flights: Sequence[Flight], policy: Policy) -> float:
    """When a drone is done that flies these in this order."""
    now_s, used, agent = 0.0, 0.0, ""
    for k, flight in enumerate(flights):
        own = flight.chunks[0].load[0]
        is_swap = used + flight.cost.battery_frac > 1 - policy.reserve_frac
        stop = Stop(is_refill=k > 0, is_swap=is_swap, is_rinse=k > 0 and own != agent)
        now_s = first_in(flight.takeoffs, now_s + stop.seconds(policy)) + flight.cost.duration_s
        used, agent = flight.cost.battery_frac + (0.0 if is_swap else used), own
    return now_s


def best_s(site: Site, start: Start, plan: Plan) -> float:
    """The least makespan of all plans, by trying them; separation is left out."""
    flights = Flights(Timetable(site, start))
    pads = {pad.id: pad for pad in site.pads}
    bases = [
        Base(k, pads[drone.pad_id], Hops(site, drone.model)) for k, drone in enumerate(site.fleet)
    ]
    chunks = [c for t in plan.treatments for c in chunks_of(t, site.fleet[0].model)]
    assert len(chunks) <= 5
    done: dict[tuple[int, tuple[int, ...]], float] = {}

    def day(k: int, order: tuple[Chunk, ...]) -> float:
        key = (k, tuple(id(chunk) for chunk in order))
        if key not in done:
            found = [0.0] if not order else []
            for parts in _splits(order) if order else ():
                made = [flights.over(bases[k], part) for part in parts]
                if all(made):
                    found.append(_ends_s([f for f in made if f], site.policy))
            done[key] = min(found, default=math.inf)
        return done[key]

    best = math.inf
    for order in itertools.permutations(chunks):
        for cut in range(len(order) + 1):
            best = min(best, max(day(0, order[:cut]), day(1, order[cut:])))
    return best


GAP_MOST, GAP_S = 0.10, 20.0
"""Of the makespan over that of the best plan of tiny sites. The planner makes no move between two
drones that gains less than 10 s."""


@settings(
    max_examples=24,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_tiny_plans_are_near_the_best(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 5))
    some = data.draw(st.sampled_from([st.just(()), st.one_of(st.just(()), _hours())]))
    site = bins([data.draw(some) for _ in range(count)], Policy(separation_m=0.0))
    places = [
        (data.draw(st.integers(15, 150)), data.draw(st.integers(-80, 80))) for _ in range(count)
    ]
    levels = [data.draw(st.sampled_from([LevelName.RED, LevelName.YELLOW])) for _ in range(count)]
    spots = tuple(
        replace(spot, shape=Point(place), level=level)
        for spot, place, level in zip(site.spots, places, levels, strict=True)
    )
    site = replace(site, spots=spots)
    plan = plan_site(site, start=SEVEN)
    checks.assert_lawful_plan(plan)
    best = best_s(site, SEVEN, plan)
    print(f"{plan.makespan_s:.0f} {best:.0f} {plan.makespan_s / best:.3f}")
    assert plan.makespan_s <= best * (1 + GAP_MOST) + GAP_S
