"""What was applied, from the record alone: position and pump output, never the plan's hopes.

The plan in the record says only what was asked for. Words and files are `report`'s.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import shapely

from skymist.coverage.concerns import wind_text
from skymist.coverage.dosemap import DoseMap, SpotOutcome
from skymist.coverage.robust import union
from skymist.coverage.site import Mode
from skymist.flight.reporting.sprayed import flights_of, lay, lines_of, moved_over_told, spray_times
from skymist.missions.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from skymist.coverage.plan import GroundTask, Plan, Treatment
    from skymist.coverage.site import Agent, BlindSpot, NoSpray
    from skymist.flight.recording.record import Record
    from skymist.flight.reporting.sprayed import Flown

CHLORINE_NORM_MG_PER_M2 = 50.0
"""Least available chlorine of the same norms: 100 mL/m2 of 500 mg/L."""
SURFACE_NORM_L_PER_M2 = 0.1
"""Least liquid of the norms for surfaces, 100 to 300 mL/m2 of 500 to 2000 mg/L available chlorine.
Source: the health authorities' figures that the project's DOMAIN notes quote."""
DIRECT_L_PER_M2 = 0.001
"""From here an area that must stay dry counts as sprayed: half a vector dose. [P]"""
VOID_LEAST_L = 0.05
"""Less is not told: what the last drops of a pass make."""
_CLOCK_TOLERANCE_FRAC = 0.1

Times = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotApplied:
    """What one planned spot got of the agent meant for it; another's spray counts for nothing.

    `dosed_frac` is the share of the target at 80 % of the dose or more.
    `given_l_per_m2` is the mean over the target. Times are those of the spray that was meant for
    it, None where there was none; `contact_until` adds the agent's contact time.
    """

    spot: BlindSpot
    treatment: Treatment
    agent: Agent | None
    outcome: SpotOutcome
    dosed_frac: float
    given_l_per_m2: float
    litres_l: float
    drone_ids: tuple[str, ...] = ()
    started: datetime | None = None
    ended: datetime | None = None
    reason: str = ""

    @property
    def target_m2(self) -> float:
        """Ground that a drone could and might treat."""
        return float(self.treatment.target.area)

    @property
    def chlorine_mg_per_m2(self) -> float:
        """Available chlorine on the target, mean."""
        return self.given_l_per_m2 * (self.agent.chlorine_mg_per_l if self.agent else 0.0)

    @property
    def asked_chlorine_mg_per_m2(self) -> float:
        """Available chlorine that the level asks for."""
        asked = self.treatment.dose_l_per_m2
        return asked * (self.agent.chlorine_mg_per_l if self.agent else 0.0)

    @property
    def contact_until(self) -> datetime | None:
        """When people may come back to it; None where nothing was sprayed or no time is known."""
        if self.ended is None or self.agent is None or not self.agent.contact_min > 0:
            return None
        return self.ended + timedelta(minutes=self.agent.contact_min)

    @property
    def label(self) -> str:
        """What may honestly be said of it."""
        if self.spot.mode is Mode.VECTOR:
            return "vector control, not a surface dose"
        if self.spot.mode is Mode.BROADCAST:
            return "mist: below the surface dose"
        if self.outcome is not SpotOutcome.TREATED:
            return "below the surface dose"
        if (
            self.given_l_per_m2 < SURFACE_NORM_L_PER_M2
            or self.chlorine_mg_per_m2 < CHLORINE_NORM_MG_PER_M2
        ):
            return "dose of its level reached, below the surface norm"
        return "surface dose reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSprayApplied:
    """What fell on an area that must stay dry."""

    area: NoSpray
    wet_m2: float
    litres_l: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The operation in figures. `dosed_m2` is ground at 80 % of its dose or more.

    `litres_l` is what the pumps put out, `outside_l` of it beside the targets, `void_l` of it what
    counts as given nowhere.
    """

    target_m2: float
    dosed_m2: float
    litres_l: float
    outside_l: float
    void_l: float
    unproven_s: float
    busy_s: float
    num_sorties: int
    num_refills: int
    num_swaps: int
    agent_litres_l: Mapping[str, float]

    @property
    def dosed_frac(self) -> float:
        """Share of all targets' ground at 80 % of its dose or more."""
        return self.dosed_m2 / self.target_m2 if self.target_m2 > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How often a drone landed, its tank was looked into then, and was not as reckoned."""

    num_landed: int
    num_looked: int
    num_off: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The whole as-applied result. `notes` say what makes it less sure than it looks.

    `dose` holds what counts as given; what fell where it must not is counted from all pump output.
    `doses` are the same by agent. `is_place_sure` is False where lines of the record are damaged,
    or its positions and speeds do not go together.
    """

    plan: Plan
    started: datetime
    is_rehearsal: bool
    sim: str
    software: str
    ending: str
    spots: tuple[SpotApplied, ...]
    no_spray: tuple[NoSprayApplied, ...]
    totals: Totals
    looks: Looks
    dose: DoseMap
    doses: Mapping[str, DoseMap]
    tracks: Mapping[str, NDArray[np.float64]]
    notes: tuple[str, ...]
    is_place_sure: bool

    @property
    def ground(self) -> tuple[GroundTask, ...]:
        """What was left to people on foot from the start."""
        return self.plan.ground

    @property
    def missed(self) -> tuple[SpotApplied, ...]:
        """Spots that did not get what was planned, whole or in part."""
        return tuple(s for s in self.spots if s.outcome is not SpotOutcome.TREATED)

    @property
    def is_as_planned(self) -> bool:
        """Whether every planned spot was treated and nothing fell where it must not."""
        return not self.missed and not any(area.wet_m2 > 0 for area in self.no_spray)

    def count(self, outcome: SpotOutcome) -> int:
        """How many planned spots ended so."""
        return sum(spot.outcome is outcome for spot in self.spots)


def applied_from(
    record: Record,
    *,
    cell_m: float = 0.25,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Applied:
    """The as-applied result of a record, closed or cut short.

    `tell` hears how many of the flights and spots are reckoned, and of how many.

    Raises
    ------
    FormatError
        Where the record holds no plan, or events that cannot be read.
    """
    plan, started = record.whole_plan(), record.started_utc
    try:
        flights = flights_of(record, plan)
        reasons = _reasons(record, plan)
        services = Counter(event["kind"] for event in record.of("service"))
    except (KeyError, TypeError, ValueError) as exc:
        raise FormatError(f"{record.path}: an event lacks or garbles {exc}") from exc
    total = len(flights) + len(plan.treatments)
    laid = _laid(flights, plan, cell_m, lambda done: tell(done, total))
    times, drones = spray_times(flights)
    spots = []
    for done, treatment in enumerate(plan.treatments, len(flights)):
        tell(done, total)
        given = laid.by_agent[treatment.agent_id]
        spots.append(_spot_applied(treatment, plan, given, started, times, drones, reasons))
    tell(total, total)
    totals = _totals(plan, laid, spots, flights, services)
    return Applied(
        plan=plan,
        started=started,
        is_rehearsal=bool(record.header.get("is_rehearsal", True)),
        sim=str(record.header.get("sim") or ""),
        software=str(record.header.get("software", "")),
        ending=_ending(record),
        spots=tuple(spots),
        no_spray=tuple(_no_spray_applied(area, laid.pumped) for area in plan.site.no_spray),
        totals=totals,
        looks=_looks(record),
        dose=laid.dose,
        doses=dict(laid.by_agent),
        tracks=lines_of(flights),
        notes=_notes(record, plan, flights, totals),
        is_place_sure=not record.faults and _odd_ratio(flights) is None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """Where the liquid went: what counts as given, whole and by agent, and all that was pumped."""

    dose: DoseMap
    by_agent: Mapping[str, DoseMap]
    pumped: DoseMap
    agent_litres_l: Mapping[str, float]
    unproven_s: float


def _laid(
    flights: Sequence[Flown], plan: Plan, cell_m: float, tell: Callable[[int], None]
) -> _Laid:
    agents = {sortie.id: sortie.agent_id for sortie in plan.sorties}
    by_agent = defaultdict[str, DoseMap](lambda: DoseMap(cell_m))
    pumped, litres, unproven_s = DoseMap(cell_m), defaultdict[str, float](float), 0.0
    for number, flown in enumerate(flights):
        tell(number)
        agent_id, before_l = agents.get(flown.sortie_id, "unknown"), pumped.litres_l
        unproven_s += lay(pumped, flown, plan, is_pumped=True)
        lay(by_agent[agent_id], flown, plan)
        if pumped.litres_l > before_l:
            litres[agent_id] += pumped.litres_l - before_l
    dose = pumped
    if any((flown.given[:, 3] < flown.track[:, 3]).any() for flown in flights):
        dose = DoseMap(cell_m)
        for flown in flights:
            lay(dose, flown, plan)
    return _Laid(
        dose=dose,
        by_agent=by_agent,
        pumped=pumped,
        agent_litres_l=litres,
        unproven_s=unproven_s,
    )


def _looks(record: Record) -> Looks:
    found = {e["sortie_id"]: e for e in record.of("look") if e["found_l"] is not None}
    return Looks(
        num_landed=len({e["sortie_id"] for e in record.of("sortie") if e["state"] == "landed"}),
        num_looked=len(found),
        num_off=sum(not look["is_as_reckoned"] for look in found.values()),
    )


def _reasons(record: Record, plan: Plan) -> dict[str, str]:
    """Why spots were left, in the words of whoever left them: the first of the last part."""
    parts: list[dict[str, str]] = [{}]
    spots = {sortie.id: sortie.spot_ids for sortie in plan.sorties}
    for event in record.of("part", "skipped", "sortie"):
        if event["event"] == "part":
            parts.append({})
        elif event["event"] == "skipped":
            parts[-1].setdefault(event["spot_id"], event["reason"])
    for event in record.of("sortie"):
        if event["state"] == "failed":
            for spot_id in spots.get(event["sortie_id"], ()):
                parts[0].setdefault(
                    spot_id, f"{event['sortie_id']} failed: {event.get('text', '')}"
                )
    reasons: dict[str, str] = {}
    for part in parts:
        reasons |= part
    return reasons


def _spot_applied(
    treatment: Treatment,
    plan: Plan,
    dose: DoseMap,
    started: datetime,
    times: Times,
    drones: Mapping[str, Mapping[str, None]],
    reasons: Mapping[str, str],
) -> SpotApplied:
    spot_id, target = treatment.spot_id, treatment.target
    dosed_frac = dose.share_at(target, treatment.dose_l_per_m2)
    litres_l = dose.litres_in(target)
    outcome = SpotOutcome.of(dosed_frac)
    span = times.get(spot_id)
    reason = ""
    if outcome is not SpotOutcome.TREATED:
        unsaid = f"{dosed_frac:.0%} of it got the dose" if span else "no spray on it is recorded"
        reason = reasons.get(spot_id, unsaid)
    return SpotApplied(
        spot=plan.site.spot(spot_id),
        treatment=treatment,
        agent=next((a for a in plan.site.agents if a.id == treatment.agent_id), None),
        outcome=outcome,
        dosed_frac=dosed_frac,
        given_l_per_m2=litres_l / target.area if target.area > 0 else 0.0,
        litres_l=litres_l,
        drone_ids=tuple(drones.get(spot_id, ())),
        started=started + timedelta(seconds=span[0]) if span else None,
        ended=started + timedelta(seconds=span[1]) if span else None,
        reason=reason,
    )


def _no_spray_applied(area: NoSpray, dose: DoseMap) -> NoSprayApplied:
    return NoSprayApplied(
        area=area,
        wet_m2=dose.wet_m2(area.area, DIRECT_L_PER_M2),
        litres_l=dose.litres_in(area.area),
    )


def _totals(
    plan: Plan,
    laid: _Laid,
    spots: Sequence[SpotApplied],
    flights: Sequence[Flown],
    services: Counter[str],
) -> Totals:
    targets = [t.target for t in plan.treatments]
    ends = [(f.track[0, 0], f.track[-1, 0]) for f in flights if len(f.track)]
    return Totals(
        target_m2=math.fsum(s.target_m2 for s in spots),
        dosed_m2=math.fsum(s.target_m2 * s.dosed_frac for s in spots),
        litres_l=laid.pumped.litres_l,
        outside_l=laid.pumped.litres_outside(union(map(shapely.make_valid, targets))),
        void_l=max(0.0, laid.pumped.litres_l - laid.dose.litres_l),
        unproven_s=laid.unproven_s,
        busy_s=float(max(e for _, e in ends) - min(s for s, _ in ends)) if ends else 0.0,
        num_sorties=len(flights),
        num_refills=services["refill"],
        num_swaps=services["swap"],
        agent_litres_l=laid.agent_litres_l,
    )


def _ending(record: Record) -> str:
    text = "cut short: the record has no end"
    for event in record.of("part", "end"):
        text = "cut short: the record's last part has no end"
        if event["event"] == "end":
            text = f"{event.get('outcome', '')}: {event.get('text', '')}".strip(": ")
    return text


def _notes(record: Record, plan: Plan, flights: Sequence[Flown], totals: Totals) -> tuple[str, ...]:
    """What a reader must know before trusting the figures."""
    notes = list(record.faults)
    if record.num_parts > 1:
        again = "once" if record.num_parts == 2 else f"{record.num_parts - 1} times"
        notes.append(f"The operation was taken up again {again}.")
    if not record.is_closed:
        notes.append("The record was cut short: what happened after its last line is not known.")
    if totals.void_l >= VOID_LEAST_L:
        notes.append(
            f"{totals.void_l:.1f} L of what the pumps put out count as given nowhere: sprayed off "
            "the height of every pass, or in sorties that a look into the tank does not bear out."
        )
    if totals.unproven_s > 0:
        notes.append(
            f"For {totals.unproven_s:.0f} s the pump was on and no position was recorded; "
            "that spray is credited to no spot."
        )
    if plan.wind is not None:
        notes.append(
            f"The plan was laid for wind of {wind_text(plan.wind)}: spray is drawn as far downwind "
            "of the drone as that wind carries it."
        )
    ratio = _odd_ratio(flights)
    if ratio is not None:
        notes.append(
            f"Positions moved {ratio:.2f} times as far as the reported speeds say: clock and "
            "vehicle disagree (a simulator that lags, or faulty speeds); doses are as unsure."
        )
    return tuple(notes)


def _odd_ratio(flights: Sequence[Flown]) -> float | None:
    """How many times as far positions moved as speeds say, where that is not about once."""
    ratio = moved_over_told(flights)
    is_odd = ratio is not None and not abs(ratio - 1) <= _CLOCK_TOLERANCE_FRAC
    return ratio if is_odd else None
