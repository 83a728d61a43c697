"""The work that a record shows, for `missions.organiser.costs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.coverage.dosemap import SpotOutcome
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import applied_from
from skymist.missions.errors import FormatError
from skymist.missions.organiser.costs import Patch, Work, num_pads, rest_of

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from skymist.coverage.plan import Plan
    from skymist.flight.reporting.applied import SpotApplied


def work_flown(record: Path, plan: Plan) -> Work:
    """What was really done; what a spot that was not treated lacks is left to people on foot.

    A spot is treated by the report's rule, from 90 % of it at the dose: nobody walks to the rest,
    as `missed.csv` and the ledger ask nobody to.

    Raises
    ------
    FormatError
        Where there is no such record, or it is of another plan's site.
    """
    applied = applied_from(read_record(record))
    if applied.plan.site.name != plan.site.name:
        raise FormatError(
            f"{record}: wanted a record of {plan.site.name!r}, found one of "
            f"{applied.plan.site.name!r}"
        )
    spans: dict[date, tuple[datetime, datetime]] = {}
    for spot in applied.spots:
        if spot.started is not None and spot.ended is not None:
            day = spot.started.astimezone().date()
            low, high = spans.get(day, (spot.started, spot.ended))
            spans[day] = (min(low, spot.started), max(high, spot.ended))
    hours = [(high - low).total_seconds() / 3600 for low, high in spans.values()]
    if len(hours) == 1:
        hours = [applied.totals.busy_s / 3600]
    treated: list[Patch] = []
    missed: list[Patch] = []
    for spot in applied.spots:
        dosed_m2 = spot.target_m2 * spot.dosed_frac
        if dosed_m2 > 0:
            treated.append(_patch(spot, dosed_m2))
        if spot.outcome is not SpotOutcome.TREATED:
            missed.append(_patch(spot, spot.target_m2 - dosed_m2))
    return Work(
        basis="rehearsal" if applied.is_rehearsal else "record",
        num_drones=len(applied.tracks),
        num_pads=num_pads(applied.plan),
        day_h=tuple(hours),
        litres_l=applied.totals.agent_litres_l,
        patches=tuple(treated),
        rest=(*rest_of(applied.plan), *missed),
    )


def _patch(spot: SpotApplied, area_m2: float) -> Patch:
    return Patch(
        spot_id=spot.spot.id,
        agent_id=spot.treatment.agent_id,
        area_m2=area_m2,
        litres_l=area_m2 * spot.treatment.dose_l_per_m2,
    )
