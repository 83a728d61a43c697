"""The report of an operation: what was applied, as a page, a map, and files for other programs.

From the record alone. What was applied is reckoned in `applied`; here it is put into words
and files. The same record gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import mapping

from skymist.coverage.dosemap import SpotOutcome
from skymist.coverage.plots import draw_applied, to_png
from skymist.coverage.robust import areal
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import Applied, SpotApplied, applied_from
from skymist.flight.reporting.report_page import report_html
from skymist.flight.reporting.report_pdf import report_pdf
from skymist.flight.reporting.treatment_form import treatment_form
from skymist.flight.reporting.treatment_record import treatment_record_csv
from skymist.flight.safety.lawful import policy_dict
from skymist.flight.terminal.wording import ENGLISH, Wording
from skymist.missions.plans import write_whole
from skymist.missions.tables import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from skymist.coverage.frames import Origin

SCHEMA = 1
MISSED_COLUMNS = (
    *("spot", "kind", "level", "zone", "responsible", "outcome", "dosed_share", "target_m2"),
    *("given_ml_per_m2", "asked_ml_per_m2", "reason", "lat_deg", "lon_deg"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Where the report lies, and what it says."""

    html: Path
    pdf: Path
    form: Path
    treatment_csv: Path
    png: Path
    geojson: Path
    missed_csv: Path
    json: Path
    applied: Applied
    sha256: str


def write_report(
    record: Path,
    output: Path,
    people: Mapping[str, str] | None = None,
    *,
    num_people: int | None = None,
    wording: Wording = ENGLISH,
    tell: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> ReportFiles:
    """Write the report of a record (its file, or the folder that holds it) into a folder.

    `people` are facts that the record does not hold: Operator, Supervisor, Weather; `num_people`
    is how many were at work. `tell` is called with the stage, parts done and parts in all.

    Raises
    ------
    FormatError
        Where there is no record, or none with a plan; nothing is written then.
    """
    tell("record", 0, 0)
    read = read_record(record)
    applied = applied_from(read, tell=partial(tell, "applied"))
    sha256 = hashlib.sha256(read.path.read_bytes()).hexdigest()
    figures = report_dict(applied, record_name=read.path.name, sha256=sha256)
    figures["people"] = dict(people or {})
    figures["num_people"] = num_people
    tell("map", 0, 0)
    png = applied_png(applied, wording)
    made = ReportFiles(
        html=output / "report.html",
        pdf=output / "report.pdf",
        form=output / "treatment-record.pdf",
        treatment_csv=output / "treatment-record.csv",
        png=output / "applied.png",
        geojson=output / "treated.geojson",
        missed_csv=output / "missed.csv",
        json=output / "report.json",
        applied=applied,
        sha256=sha256,
    )
    makers: dict[Path, Callable[[], bytes]] = {
        made.png: lambda: png,
        made.geojson: lambda: treated_geojson(applied).encode("utf-8"),
        made.missed_csv: lambda: missed_csv(applied).encode("utf-8-sig"),
        made.json: lambda: json.dumps(figures, ensure_ascii=False, indent=1).encode() + b"\n",
        made.treatment_csv: lambda: treatment_record_csv(figures, wording).encode("utf-8-sig"),
        made.form: lambda: treatment_form(figures, wording),
        made.pdf: lambda: report_pdf(figures, png, wording),
        made.html: lambda: report_html(applied, figures, png, wording).encode("utf-8"),
    }
    contents: dict[Path, bytes] = {}
    for path, make in makers.items():
        tell("files", len(contents), len(makers))
        contents[path] = make()
    for path, data in contents.items():
        write_whole(path, data)
    tell("files", len(contents), len(makers))
    return made


def report_dict(applied: Applied, *, record_name: str, sha256: str) -> dict[str, Any]:
    """Every figure of the report as plain JSON values; units are in the keys."""
    site = applied.plan.site
    agents = {agent.id: agent for agent in site.agents}
    return {
        "schema": SCHEMA,
        "site": site.name,
        "attribution": site.attribution,
        "is_rehearsal": applied.is_rehearsal,
        "sim": applied.sim or None,
        "started_utc": _iso(applied.started),
        "software": applied.software,
        "record": {"file": record_name, "sha256": sha256, "ending": applied.ending},
        "notes": list(applied.notes),
        "policy": policy_dict(site.policy, applied.started.astimezone().date()),
        "totals": _totals_dict(applied),
        "tanks": {
            "landings": applied.looks.num_landed,
            "looked": applied.looks.num_looked,
            "off": applied.looks.num_off,
        },
        "agents": [
            {
                "id": agent_id,
                "name": agents[agent_id].name if agent_id in agents else agent_id,
                "chlorine_mg_per_l": (
                    agents[agent_id].chlorine_mg_per_l if agent_id in agents else None
                ),
                "litres": round(litres, 3),
            }
            for agent_id, litres in applied.totals.agent_litres_l.items()
        ],
        "spots": [_spot_dict(spot, applied) for spot in applied.spots],
        "no_spray": [
            {
                "id": area.area.id,
                "reason": area.area.reason,
                "wet_m2": round(area.wet_m2, 2),
                "litres": round(area.litres_l, 4),
            }
            for area in applied.no_spray
        ],
        "ground": [
            {
                "id": task.spot_id,
                "post": site.post_for(site.spot(task.spot_id)),
                "is_whole": task.is_whole_spot,
                "m2": round(task.area_m2, 2),
                "reason": str(task.reason),
                "text": task.text,
            }
            for task in applied.ground
        ],
    }


def _totals_dict(applied: Applied) -> dict[str, Any]:
    totals = applied.totals
    hours = totals.busy_s / 3600
    return {
        "spots": len(applied.spots),
        **{str(outcome): applied.count(outcome) for outcome in SpotOutcome},
        "ground": len({task.spot_id for task in applied.ground}),
        "target_m2": round(totals.target_m2, 2),
        "dosed_m2": round(totals.dosed_m2, 2),
        "dosed_frac": round(totals.dosed_frac, 4),
        "litres": round(totals.litres_l, 3),
        "outside_litres": round(totals.outside_l, 3),
        "void_litres": round(totals.void_l, 3),
        "no_spray_m2": round(sum(area.wet_m2 for area in applied.no_spray), 2),
        "no_spray_litres": round(sum(area.litres_l for area in applied.no_spray), 3),
        "duration_s": round(totals.busy_s, 1),
        "m2_per_h": round(totals.dosed_m2 / hours, 1) if hours > 0 else None,
        "sorties": totals.num_sorties,
        "refills": totals.num_refills,
        "swaps": totals.num_swaps,
        "unproven_s": round(totals.unproven_s, 1),
    }


def _spot_dict(applied: SpotApplied, whole: Applied) -> dict[str, Any]:
    spot = applied.spot
    return {
        "id": spot.id,
        "name": spot.name,
        "kind": spot.kind.replace("_", " "),
        "level": str(spot.level),
        "mode": str(spot.mode),
        "zone": spot.zone_id,
        "post": whole.plan.site.post_for(spot),
        "agent": applied.treatment.agent_id,
        "outcome": str(applied.outcome),
        "label": applied.label,
        "target_m2": round(applied.target_m2, 2),
        "dosed_frac": round(applied.dosed_frac, 4),
        "given_ml_per_m2": round(applied.given_l_per_m2 * 1000, 2),
        "asked_ml_per_m2": round(applied.treatment.dose_l_per_m2 * 1000, 2),
        "given_mg_per_m2": round(applied.chlorine_mg_per_m2, 2),
        "asked_mg_per_m2": round(applied.asked_chlorine_mg_per_m2, 2),
        "litres": round(applied.litres_l, 3),
        "started_utc": _iso(applied.started),
        "ended_utc": _iso(applied.ended),
        "contact_until_utc": _iso(applied.contact_until),
        "drones": list(applied.drone_ids),
        "reason": applied.reason,
    }


def applied_png(applied: Applied, wording: Wording = ENGLISH) -> bytes:
    """The as-applied map; a rehearsal says so in its title."""
    totals, say = applied.totals, wording.say
    began = _iso(applied.started) or ""
    counts = [
        say("{count} {outcome}", count=applied.count(outcome), outcome=say(outcome))
        for outcome in SpotOutcome
    ]
    figure = draw_applied(
        applied.plan,
        applied.dose,
        applied.tracks,
        {spot.spot.id: spot.outcome for spot in applied.spots},
        title=say("REHEARSAL, as applied" if applied.is_rehearsal else "as applied"),
        lines=(
            f"{wording.day(began)} {wording.minute(began)} {wording.zone} · "
            + say(", ").join(counts),
            say(
                "{share} of {area} m² at 80 % of the dose or more · {litres} L, {outside} L of it "
                "outside the targets",
                share=f"{totals.dosed_frac:.1%}",
                area=f"{totals.target_m2:,.0f}",
                litres=f"{totals.litres_l:,.1f}",
                outside=f"{totals.outside_l:,.1f}",
            ),
        ),
        language=wording.language,
    )
    return to_png(figure)


def treated_geojson(applied: Applied) -> str:
    """Targets in WGS84 with what each got (RFC 7946)."""
    features = [
        {
            "type": "Feature",
            "geometry": _in_wgs84(applied.plan.site.origin, spot.treatment.target),
            "properties": _spot_dict(spot, applied),
        }
        for spot in applied.spots
    ]
    document: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    document["is_rehearsal"] = applied.is_rehearsal
    if applied.plan.site.attribution:
        document["attribution"] = applied.plan.site.attribution
    return json.dumps(document, ensure_ascii=False) + "\n"


def _in_wgs84(origin: Origin, shape: shapely.geometry.base.BaseGeometry) -> dict[str, Any]:
    flat = shapely.orient_polygons(areal(shape), exterior_cw=False)
    placed = shapely.transform(flat, lambda points: origin.to_geo(points).round(7))
    return dict(mapping(placed))


def missed_csv(applied: Applied) -> str:
    """What is still to be done, one line a spot; opens in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(MISSED_COLUMNS)
    for missed in applied.missed:
        spot, middle = missed.spot, missed.treatment.target.representative_point()
        geo = applied.plan.site.origin.geo(middle.x, middle.y)
        row = (
            *(spot.id, spot.kind, spot.level, spot.zone_id or "", applied.plan.site.post_for(spot)),
            *(missed.outcome, f"{missed.dosed_frac:.3f}", f"{missed.target_m2:.1f}"),
            f"{missed.given_l_per_m2 * 1000:.1f}",
            f"{missed.treatment.dose_l_per_m2 * 1000:.1f}",
            *(missed.reason, f"{geo.lat_deg:.7f}", f"{geo.lon_deg:.7f}"),
        )
        writer.writerow([inert(cell) for cell in row])
    return out.getvalue()


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
