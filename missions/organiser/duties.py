"""Who does what, where and when: each spot of a plan by drone, by people on foot, or by both.

Drones' times are the plan's. People on foot of a post work its tasks off one after the other,
worst level first, in the crew's hours; never in a zone while a drone sprays there, nor on a spot
before the contact time of what a drone put on it is over. All times are seconds of the plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from skymist.coverage.energy import SPOOL_S, leg_s
from skymist.coverage.hours import DAY_S, Hours, Spans, both, daily, merged
from skymist.coverage.plan import GroundTask, Pass, Plan, Reason
from skymist.coverage.site import RANK, Agent, BlindSpot, Site
from skymist.coverage.timetable import hours_of
from skymist.missions.errors import FormatError
from skymist.missions.organiser.prices import hand_minutes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from skymist.coverage.hours import Start
    from skymist.missions.organiser.prices import Prices

USUAL_CREW_HOURS = (
    Hours(start_s=8 * 3600.0, end_s=12 * 3600.0),
    Hours(start_s=14 * 3600.0, end_s=18 * 3600.0),
)
"""When people on foot work where the site does not say. Proposal."""
APART_S = 300.0
"""Between people leaving a zone and spray there, and after it. Proposal."""
NEAR_M = 30.0
"""Spray on a spot this near counts as if it were in the zone. Proposal."""
DAYS_MOST = 31


class Hand(StrEnum):
    """By what a duty is done."""

    DRONE = "drone"
    CREW = "crew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One spot on one day by one hand. `day` counts calendar days from the plan's first, 0.

    `from_s` and `to_s` are None where no hours were found. `litres_l` is what it takes, by the
    plan for drones, by the dose of its level for people. `open_s` is when the contact time is over.
    `work_min` is how long the people of a post take, 0 for drones.
    """

    day: int
    post: str
    spot: BlindSpot
    by: Hand
    area_m2: float
    litres_l: float
    agent_id: str
    from_s: float | None = None
    to_s: float | None = None
    open_s: float | None = None
    sortie_ids: tuple[str, ...] = ()
    drone_ids: tuple[str, ...] = ()
    reason: Reason | None = None
    text: str = ""
    is_rest: bool = False
    work_min: float = 0.0

    @property
    def zone_id(self) -> str:
        """The spot's zone; empty outside all."""
        return self.spot.zone_id or ""


def dated(plan: Plan, start: Start | None) -> Plan:
    """The plan with a start by the clock, which may bring the date that the plan leaves open.

    Raises
    ------
    FormatError
        Where neither says it, or both and not the same.
    """
    if plan.start is None:
        if start is None:
            raise FormatError(
                "--start: wanted when the plan begins, as 2026-07-01T07:00, found none: the plan "
                "has no start by the clock"
            )
        return replace(plan, start=start)
    if start is None:
        return plan
    if start.clock_s != plan.start.clock_s or (plan.start.date and start.date != plan.start.date):
        raise FormatError(
            f"--start: wanted the plan's own, {plan.start.at(0)}, found {start.at(0)}: "
            "plan it anew for another time"
        )
    return replace(plan, start=start)


def require_site_of(plan: Plan, site: Site) -> None:
    """Refuse a plan of another site, of spots that it no longer has, or of other agents.

    Raises
    ------
    FormatError
        With what is amiss.
    """
    if plan.site.name != site.name:
        raise FormatError(f"PLAN: wanted a plan of {site.name!r}, found one of {plan.site.name!r}")
    ids = {spot.id for spot in site.spots}
    lost = [spot.id for spot in plan.site.spots if spot.id not in ids]
    if lost:
        shown = ", ".join(lost[:5]) + (" ..." if len(lost) > 5 else "")
        raise FormatError(f"PLAN: wanted spots of the site file, found {shown}: plan it anew")
    used = {sortie.agent_id for sortie in plan.sorties}
    for planned in plan.site.agents:
        now = next((agent for agent in site.agents if agent.id == planned.id), None)
        if planned.id in used and planned != now:
            raise FormatError(
                f"PLAN: agent {planned.id}: wanted it as the site file has it, {_told(now)}, "
                f"found {_told(planned)}: plan it anew"
            )


def _told(agent: Agent | None) -> str:
    if agent is None:
        return "none"
    return f"{agent.chlorine_mg_per_l:g} mg/L, {agent.contact_min:g} min ({agent.name})"


def duties(plan: Plan, site: Site, prices: Prices) -> tuple[Duty, ...]:
    """All duties of a plan with a start, by day, zone, time; `site` says who answers today."""
    flown = list(_flown(plan, site))
    walked = [
        duty
        for post in dict.fromkeys(site.post_for(site.spot(t.spot_id)) for t in plan.ground)
        for duty in _walked(plan, site, post, flown, prices)
    ]
    zones = {zone.id: k for k, zone in enumerate(site.zones)}
    late = math.inf
    return tuple(
        sorted(
            (*flown, *walked),
            key=lambda d: (
                *(d.day, zones.get(d.zone_id, len(zones)), d.by is Hand.CREW),
                *(late if d.from_s is None else d.from_s, d.spot.id),
            ),
        )
    )


def day_of(plan: Plan, plan_s: float) -> int:
    """The calendar day of a time of the plan, from its first day, 0."""
    start_s = plan.start.clock_s if plan.start else 0.0
    return math.floor((start_s + plan_s) / DAY_S)


class _Wet(NamedTuple):
    """One pass of one sortie."""

    spot_id: str
    sortie_id: str
    drone_id: str
    from_s: float
    to_s: float
    litres_l: float


def _sprayed(plan: Plan) -> Iterator[_Wet]:
    models = {drone.id: drone.model for drone in plan.site.fleet}
    for sortie in plan.sorties:
        at_s = sortie.start_s + SPOOL_S
        for leg in sortie.legs:
            end_s = at_s + leg_s(leg, models[sortie.drone_id])
            if isinstance(leg, Pass):
                yield _Wet(leg.spot_id, sortie.id, sortie.drone_id, at_s, end_s, leg.litres_l)
            at_s = end_s


def _flown(plan: Plan, site: Site) -> Iterator[Duty]:
    found: dict[tuple[int, str], list[_Wet]] = {}
    for one in _sprayed(plan):
        found.setdefault((day_of(plan, one.from_s), one.spot_id), []).append(one)
    agents = {agent.id: agent for agent in plan.site.agents}
    for (day, spot_id), some in found.items():
        treatment = plan.treatment(spot_id)
        spot = _as_planned(plan, site, spot_id)
        ends_s = max(one.to_s for one in some)
        litres_l = math.fsum(one.litres_l for one in some)
        yield Duty(
            day=day,
            post=site.post_for(spot),
            spot=spot,
            by=Hand.DRONE,
            area_m2=treatment.target.area * min(1.0, litres_l / (treatment.litres_l or litres_l)),
            litres_l=litres_l,
            agent_id=treatment.agent_id,
            from_s=min(one.from_s for one in some),
            to_s=ends_s,
            open_s=ends_s + agents[treatment.agent_id].contact_min * 60,
            sortie_ids=tuple(dict.fromkeys(one.sortie_id for one in some)),
            drone_ids=tuple(dict.fromkeys(one.drone_id for one in some)),
        )


def _as_planned(plan: Plan, site: Site, spot_id: str) -> BlindSpot:
    """The spot as the site has it today, at the level and in the mode that the plan is for."""
    planned = plan.site.spot(spot_id)
    return replace(site.spot(spot_id), level=planned.level, mode=planned.mode)


def _walked(
    plan: Plan, site: Site, post: str, flown: Sequence[Duty], prices: Prices
) -> Iterator[Duty]:
    """The tasks of one post, worked off in its hours."""
    tasks = [t for t in plan.ground if site.post_for(site.spot(t.spot_id)) == post]
    tasks.sort(key=lambda t: RANK[plan.site.spot(t.spot_id).level])
    free = _crew_spans(plan, site)
    contact_s = {agent.id: agent.contact_min * 60 for agent in plan.site.agents}
    for task in tasks:
        asked = _asked(plan, site, task)
        people = site.organiser.crew_people
        minutes = hand_minutes(prices, asked.area_m2, asked.litres_l, people)
        work_s = math.ceil(minutes) * 60.0
        allowed = _whole_minutes(plan, both(free, _allowed(plan, site, asked.spot, flown)))
        parts = _parts(allowed, work_s)
        told_s = math.fsum(b - a for a, b in parts)
        for a, b in parts:
            free = _without(free, (a, b))
            share = (b - a) / work_s
            yield replace(
                _share(asked, share, minutes),
                day=day_of(plan, a),
                from_s=a,
                to_s=b,
                open_s=b + contact_s[asked.agent_id],
            )
        if told_s < work_s - 1:
            yield _share(asked, 1 - told_s / work_s, minutes)


def _share(duty: Duty, share: float, work_min: float) -> Duty:
    """A part of a duty."""
    return replace(
        duty,
        area_m2=duty.area_m2 * share,
        litres_l=duty.litres_l * share,
        work_min=work_min * share,
    )


def _asked(plan: Plan, site: Site, task: GroundTask) -> Duty:
    """A task with what it takes at the dose and with the agent of its level; when is left open."""
    planned = plan.site.spot(task.spot_id)
    level = plan.site.level_for(planned)
    dose = planned.dose_l_per_m2 or level.dose_l_per_m2
    spot = _as_planned(plan, site, task.spot_id)
    return Duty(
        day=0,
        post=site.post_for(spot),
        spot=spot,
        by=Hand.CREW,
        area_m2=task.area_m2,
        litres_l=dose * task.area_m2,
        agent_id=planned.agent_id or level.agent_id,
        reason=task.reason,
        text=task.text,
        is_rest=not task.is_whole_spot,
    )


def _crew_spans(plan: Plan, site: Site) -> Spans:
    assert plan.start is not None
    return daily(site.organiser.crew_hours or USUAL_CREW_HOURS, plan.start, DAYS_MOST)


def _allowed(plan: Plan, site: Site, spot: BlindSpot, flown: Sequence[Duty]) -> Spans:
    """When people may spray a spot: in its hours, away from drones, not on what is still wet."""
    assert plan.start is not None
    spans: Spans = ((0.0, DAYS_MOST * DAY_S),)
    for hours in hours_of(site, spot):
        spans = both(spans, daily(hours, plan.start, DAYS_MOST))
    closed = [
        (duty.from_s - APART_S, duty.to_s + APART_S)
        for duty in flown
        if _is_near(duty.spot, spot) and duty.from_s is not None and duty.to_s is not None
    ]
    closed += [
        (duty.from_s - APART_S, duty.open_s)
        for duty in flown
        if duty.spot.id == spot.id and duty.from_s is not None and duty.open_s is not None
    ]
    for span in merged(closed):
        spans = _without(spans, span)
    return spans


def _is_near(one: BlindSpot, other: BlindSpot) -> bool:
    return one.zone_id == other.zone_id or one.area.distance(other.area) < NEAR_M


def _whole_minutes(plan: Plan, spans: Spans) -> Spans:
    """The same in whole minutes of the clock, so that slots on paper do not overlap."""
    off_s = plan.start.clock_s % 60 if plan.start else 0.0
    found = (
        (math.ceil((a + off_s) / 60) * 60 - off_s, math.floor((b + off_s) / 60) * 60 - off_s)
        for a, b in spans
    )
    return tuple((a, b) for a, b in found if b > a)


def _without(spans: Spans, gone: tuple[float, float]) -> Spans:
    made = []
    for a, b in spans:
        made += [part for part in ((a, min(b, gone[0])), (max(a, gone[1]), b)) if part[1] > part[0]]
    return tuple(made)


def _parts(spans: Spans, work_s: float) -> list[tuple[float, float]]:
    """The first time long enough; for work longer than any, one after the other from the first."""
    for a, b in spans:
        if b - a >= work_s:
            return [(a, a + work_s)]
    made: list[tuple[float, float]] = []
    for a, b in spans:
        if work_s <= 0:
            break
        made.append((a, min(b, a + work_s)))
        work_s -= b - a
    return made
