"""The ground crew's list as CSV: what no drone treats, where, how much, and why."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan

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
    posts = {zone.id: zone.responsible for zone in plan.site.zones}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for task in plan.ground:
        spot = spots[task.spot_id]
        middle = task.area.representative_point()
        geo = plan.site.origin.geo(middle.x, middle.y)
        writer.writerow(
            (
                *(spot.id, spot.kind.value, spot.level.value, spot.zone_id or ""),
                posts.get(spot.zone_id or "", ""),
                "yes" if task.is_whole_spot else "no",
                *(f"{task.area_m2:.1f}", task.reason.value, task.text),
                *(f"{geo.lat_deg:.7f}", f"{geo.lon_deg:.7f}"),
            )
        )
    return out.getvalue()
