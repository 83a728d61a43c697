"""The work that a record shows, for `missions.organiser.costs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.flight.applied import applied_from
from skymist.flight.record import read_record
from skymist.missions.errors import FormatError
from skymist.missions.organiser.costs import Patch, Work, num_pads, rest_of

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from skymist.coverage.plan import Plan


def work_flown(record: Path, plan: Plan) -> Work:
    """What was really done; what missed its dose is left to people on foot.

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
        for area_m2, some in ((dosed_m2, treated), (spot.target_m2 - dosed_m2, missed)):
            if area_m2 > 0:
                litres_l = area_m2 * spot.treatment.dose_l_per_m2
                agent_id = spot.treatment.agent_id
                some.append(Patch(agent_id=agent_id, area_m2=area_m2, litres_l=litres_l))
    return Work(
        basis="rehearsal" if applied.is_rehearsal else "record",
        num_drones=len(applied.tracks),
        num_pads=num_pads(applied.plan),
        day_h=tuple(hours),
        litres_l=applied.totals.agent_litres_l,
        patches=tuple(treated),
        rest=(*rest_of(applied.plan), *missed),
    )
