"""Rules about what is sprayed, by what and when: modes, doses, agents, levels, fleet, envelope.

Each rule is a generator of findings over a `Site`; `missions.checks` runs them all.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Start, hours_text
from skymist.coverage.profile import spacing_for_cv
from skymist.coverage.site import Agent, Kind, Level, Mode, Site
from skymist.coverage.timetable import Timetable
from skymist.missions.findings import Finding, error, info, named, spots_text, warning

NORM_MIN_MG_PER_M2, NORM_MAX_MG_PER_M2 = 50.0, 600.0
"""Available chlorine of the surface norms: 100 mL/m2 of 500 mg/L to 300 mL/m2 of 2000 mg/L.
Source: DOMAIN, [S]."""
VECTOR_MAX_L_PER_M2 = 0.003
"""Largest usual dose of vector mode. Source: DOMAIN, green belt, 1 to 3 mL/m2."""
FLIGHT_MIN_S = 120.0
"""A drone that hovers shorter with a full tank treats nothing. [P]"""


def ids_once(site: Site) -> Iterator[Finding]:
    """Ids that two things of a kind share."""
    groups: dict[str, Iterable[str]] = {
        "spot": (s.id for s in site.spots),
        "zone": (z.id for z in site.zones),
        "building": (b.id for b in site.buildings),
        "no-spray area": (n.id for n in site.no_spray),
        "pad": (p.id for p in site.pads),
        "drone": (d.id for d in site.fleet),
        "agent": (a.id for a in site.agents),
    }
    for what, ids in groups.items():
        twice = [key for key, num in Counter(ids).items() if num > 1]
        if twice:
            text = f"more than one {what} has the id {named(twice)}"
            yield error("id-twice", text, "give each its own id", twice)


def fleet_is_fit(site: Site) -> Iterator[Finding]:
    """Drones that this program cannot fly, share a system id, or carry too little."""
    other = [drone.id for drone in site.fleet if not drone.model.is_ardupilot]
    if other:
        text = f"drones without ArduPilot get no sorties: {named(other)}"
        yield warning("drone-not-ardupilot", text, "fly the plan with their own tools", other)
    by_sysid: dict[int, list[str]] = defaultdict(list)
    for drone in site.fleet:
        by_sysid[drone.sysid].append(drone.id)
    for sysid, ids in sorted(by_sysid.items()):
        if len(ids) > 1:
            text = f"drones {named(ids)} share the system id {sysid}"
            yield error("sysid-shared", text, "set SYSID_THISMAV and sysid of each apart", ids)
    pad_ids = {pad.id for pad in site.pads}
    for drone in site.fleet:
        if drone.pad_id not in pad_ids:
            text = f"drone {drone.id} stands on pad {drone.pad_id or '(none)'}, which is not there"
            yield error("drone-without-pad", text, "name a pad of the site", [drone.id])
        flight_s = drone.model.endurance_full_s * (1 - site.policy.reserve_frac)
        if flight_s < FLIGHT_MIN_S:
            text = f"drone {drone.id} hovers {flight_s:.0f} s with a full tank above the reserve"
            yield warning("drone-short-of-breath", text, "a larger battery", [drone.id])


def swaths_even(site: Site) -> Iterator[Finding]:
    """Drone models whose passes lie further apart than their profile allows."""
    for model in {drone.model.id: drone.model for drone in site.fleet}.values():
        sprayer = model.sprayer
        if sprayer.profile is None or sprayer.cv_frac <= sprayer.cv_limit_frac + 1e-9:
            continue
        text = (
            f"model {model.id}: passes {sprayer.swath_m:g} m apart vary by {sprayer.cv_frac:.0%} "
            f"(std over mean), the limit is {sprayer.cv_limit_frac:.0%}"
        )
        try:
            widest_m = spacing_for_cv(sprayer.profile, sprayer.cv_limit_frac)
            mend = f"leave swath_m out, or set it to {math.floor(widest_m * 100) / 100:g}"
        except PlanError:
            mend = "no spacing keeps it: mend the nozzles, or measure the profile again"
        yield error("swath-uneven", text, mend, [model.id])


def agents_suit(site: Site) -> Iterator[Finding]:
    """Agents that do not go with the mode, and plants under chlorine."""
    agents = {agent.id: agent for agent in site.agents}
    wrong: dict[tuple[str, Mode], list[str]] = defaultdict(list)
    burnt = []
    for spot in site.spots:
        agent_id = spot.agent_id or site.level_for(spot).agent_id
        agent = agents.get(agent_id)
        if agent is None:
            text = f"spot {spot.id} wants the agent {agent_id}, which is not there"
            yield error("agent-unknown", text, "add it under 'agents'", [spot.id])
        elif (agent.chlorine_mg_per_l > 0) != (spot.mode is Mode.SURFACE):
            wrong[agent_id, spot.mode].append(spot.id)
        if spot.kind is Kind.GREEN_BELT and agent and agent.chlorine_mg_per_l > 0:
            burnt.append(spot.id)
    for (agent_id, mode), ids in wrong.items():
        text = f"{spots_text(len(ids))} in {mode} mode get {agent_id}: {named(ids)}"
        mend = "chlorine goes with surface mode, insecticide with vector mode"
        yield warning("agent-mode", text, mend, ids)
    if burnt:
        text = f"chlorine on plants: {named(burnt)}"
        yield warning("chlorine-on-plants", text, "mode: vector, or leave the belt out", burnt)


def doses_meet_norm(site: Site) -> Iterator[Finding]:
    """Doses beside the norm, for each level that is in use."""
    agents = {agent.id: agent for agent in site.agents}
    used: dict[tuple[bool, Level], list[str]] = defaultdict(list)
    for spot in site.spots:
        level = site.level_for(spot)
        if level.is_flown and spot.mode is not Mode.BROADCAST:
            used[spot.mode is Mode.SURFACE, level].append(spot.id)
    for (is_surface, level), ids in sorted(used.items(), key=lambda item: str(item[0])):
        agent = agents.get(level.agent_id)
        if is_surface and agent is not None and agent.chlorine_mg_per_l > 0:
            yield from _against_norm(level, agent, ids)
        elif not is_surface and level.dose_l_per_m2 > VECTOR_MAX_L_PER_M2:
            text = f"vector level {level.name}: {level.dose_l_per_m2 * 1000:g} mL/m2, usual 1 to 3"
            yield warning("vector-dose-high", text, "check the label", ids)


def _against_norm(level: Level, agent: Agent, ids: list[str]) -> Iterator[Finding]:
    mg_per_m2 = level.dose_l_per_m2 * agent.chlorine_mg_per_l
    text = (
        f"level {level.name}: {level.dose_l_per_m2 * 1000:g} mL/m2 of "
        f"{agent.chlorine_mg_per_l:g} mg/L are {mg_per_m2:g} mg chlorine/m2 "
        f"({spots_text(len(ids))}); the norm is {NORM_MIN_MG_PER_M2:g} to {NORM_MAX_MG_PER_M2:g}"
    )
    if mg_per_m2 < NORM_MIN_MG_PER_M2:
        mend = "raise dose or strength, or do not call it disinfected"
        yield info("dose-below-norm", text, mend, ids)
    elif mg_per_m2 > NORM_MAX_MG_PER_M2:
        yield warning("dose-above-norm", text, "lower dose or strength", ids)


def levels_flown(site: Site) -> Iterator[Finding]:
    """Spots that no drone treats because of their level."""
    by_level: dict[str, list[str]] = defaultdict(list)
    for spot in site.spots:
        if not site.level_for(spot).is_flown:
            by_level[spot.level].append(spot.id)
    for level, ids in by_level.items():
        text = f"not flown at level {level}: {spots_text(len(ids))}: {named(ids)}"
        yield info("level-not-flown", text, f"levels.<mode>.{level}.flown: true flies them", ids)
    if site.spots and sum(map(len, by_level.values())) == len(site.spots):
        yield warning("nothing-to-fly", "no spot is of a level that is flown", "check the levels")


def hours_meet(site: Site) -> Iterator[Finding]:
    """Spots whose own hours, those of their zone, mode and site have no minute in common."""
    table = Timetable(site, Start(clock_s=0.0))
    by_hours: dict[str, list[str]] = defaultdict(list)
    for spot in site.spots:
        if table.pattern(spot.id) and site.level_for(spot).is_flown and not table.open_s(spot.id):
            by_hours[table.words(spot.id)].append(spot.id)
    for words, ids in by_hours.items():
        text = f"hours without a common minute ({words}, site: "
        text += f"{hours_text(site.policy.hours) or 'any time'}): {named(ids)}"
        yield warning("hours-never", text, "widen one of them, or it is left to people", ids)


RULES = (
    hours_meet,
    ids_once,
    fleet_is_fit,
    swaths_even,
    agents_suit,
    doses_meet_norm,
    levels_flown,
)
