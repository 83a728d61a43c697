"""Lists for the crews as CSV: what no drone treats, where, how much, why; what flies when."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from skymist.coverage.hours import hours_text
from skymist.coverage.timetable import hours_of
from skymist.missions.tables import inert

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan, Sortie
    from skymist.coverage.site import Site

COLUMNS = (
    "spot",
    "kind",
    "level",
    "zone",
    "responsible",
    "whole_spot",
    "area_m2",
    "reason",
    "explanation",
    "lat_deg",
    "lon_deg",
)


def ground_crew_csv(plan: Plan) -> str:
    """One line a task, in the order of the site; opens in a spreadsheet."""
    spots = {spot.id: spot for spot in plan.site.spots}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for task in plan.ground:
        spot = spots[task.spot_id]
        middle = task.area.representative_point()
        geo = plan.site.origin.geo(middle.x, middle.y)
        row = (
            *(spot.id, spot.kind.value, spot.level.value, spot.zone_id or ""),
            plan.site.post_for(spot),
            "yes" if task.is_whole_spot else "no",
            *(f"{task.area_m2:.1f}", task.reason.value, task.text),
            *(f"{geo.lat_deg:.7f}", f"{geo.lon_deg:.7f}"),
        )
        writer.writerow([inert(cell) for cell in row])
    return out.getvalue()


SORTIE_COLUMNS = (
    "sortie",
    "drone",
    "pad",
    "takes_off",
    "lands",
    "takes_off_min",
    "lands_min",
    "agent",
    "carries_l",
    "refill",
    "swap",
    "hours",
    "spots",
)


def sorties_csv(plan: Plan) -> str:
    """One line a sortie, by take-off: by the clock where the plan has one, and in its minutes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(SORTIE_COLUMNS)
    for sortie in plan.sorties:
        ends_s = sortie.start_s + sortie.duration_s
        clock = [plan.start.at(at_s) if plan.start else "" for at_s in (sortie.start_s, ends_s)]
        row = (
            *(sortie.id, sortie.drone_id, sortie.pad_id, *clock),
            *(f"{sortie.start_s / 60:.1f}", f"{ends_s / 60:.1f}"),
            *(sortie.agent_id, f"{sortie.carried_l:.1f}"),
            *("yes" if done else "no" for done in (sortie.refill_before, sortie.swap_before)),
            *(_hours_text(plan.site, sortie), " ".join(sortie.spot_ids)),
        )
        writer.writerow([inert(cell) for cell in row])
    return out.getvalue()


def _hours_text(site: Site, sortie: Sortie) -> str:
    """The hours that a sortie's spots keep, each once."""
    kept = [hours for s in sortie.spot_ids for hours in hours_of(site, site.spot(s))]
    return " and ".join(dict.fromkeys(hours_text(some) for some in kept))
