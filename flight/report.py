"""The report of an operation: what was applied, as a page, a map, and files for other programs.

From the record alone. What was applied is reckoned in `skymist.flight.applied`; here it is put
into words and files. The same record gives the same bytes.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
import shapely
from shapely.geometry import mapping

from skymist.coverage.dosemap import TREATED_FRAC, SpotOutcome
from skymist.coverage.plots import draw_applied, to_png
from skymist.coverage.robust import areal
from skymist.flight.applied import DIRECT_L_PER_M2, Applied, SpotApplied, applied_from
from skymist.flight.record import read_record
from skymist.flight.report_pdf import report_pdf
from skymist.flight.treatment_record import treatment_record_csv
from skymist.missions.plans import write_whole
from skymist.missions.tables import inert

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from skymist.coverage.frames import Origin

SCHEMA = 1
MISSED_COLUMNS = (
    *("spot", "kind", "level", "zone", "responsible", "outcome", "dosed_share", "target_m2"),
    *("given_ml_per_m2", "asked_ml_per_m2", "reason", "lat_deg", "lon_deg"),
)
_MARKS = {SpotOutcome.TREATED: "✔", SpotOutcome.PARTIAL: "◐", SpotOutcome.MISSED: "✘"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Where the report lies, and what it says."""

    html: Path
    pdf: Path
    treatment_csv: Path
    png: Path
    geojson: Path
    missed_csv: Path
    json: Path
    applied: Applied
    sha256: str


def write_report(
    record: Path, output: Path, people: Mapping[str, str] | None = None
) -> ReportFiles:
    """Write the report of a record (its file, or the folder that holds it) into a folder.

    `people` are facts that the record does not hold: Operator, Supervisor, Weather.

    Raises
    ------
    FormatError
        Where there is no record, or none with a plan; nothing is written then.
    """
    read = read_record(record)
    applied = applied_from(read)
    sha256 = hashlib.sha256(read.path.read_bytes()).hexdigest()
    figures = report_dict(applied, record_name=read.path.name, sha256=sha256)
    figures["people"] = dict(people or {})
    png = applied_png(applied)
    made = ReportFiles(
        html=output / "report.html",
        pdf=output / "report.pdf",
        treatment_csv=output / "treatment-record.csv",
        png=output / "applied.png",
        geojson=output / "treated.geojson",
        missed_csv=output / "missed.csv",
        json=output / "report.json",
        applied=applied,
        sha256=sha256,
    )
    contents = {
        made.png: png,
        made.geojson: treated_geojson(applied).encode("utf-8"),
        made.missed_csv: missed_csv(applied).encode("utf-8-sig"),
        made.json: json.dumps(figures, ensure_ascii=False, indent=1).encode("utf-8") + b"\n",
        made.treatment_csv: treatment_record_csv(figures).encode("utf-8-sig"),
        made.pdf: report_pdf(figures, png),
        made.html: report_html(applied, figures, png).encode("utf-8"),
    }
    for path, data in contents.items():
        write_whole(path, data)
    return made


def report_dict(applied: Applied, *, record_name: str, sha256: str) -> dict[str, Any]:
    """Every figure of the report as plain JSON values; units are in the keys."""
    totals, site = applied.totals, applied.plan.site
    hours = totals.busy_s / 3600
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
        "totals": {
            "spots": len(applied.spots),
            **{str(outcome): applied.count(outcome) for outcome in SpotOutcome},
            "ground": len({task.spot_id for task in applied.ground}),
            "target_m2": round(totals.target_m2, 2),
            "dosed_m2": round(totals.dosed_m2, 2),
            "dosed_frac": round(totals.dosed_frac, 4),
            "litres": round(totals.litres_l, 3),
            "outside_litres": round(totals.outside_l, 3),
            "no_spray_m2": round(sum(area.wet_m2 for area in applied.no_spray), 2),
            "no_spray_litres": round(sum(area.litres_l for area in applied.no_spray), 3),
            "duration_s": round(totals.busy_s, 1),
            "m2_per_h": round(totals.dosed_m2 / hours, 1) if hours > 0 else None,
            "sorties": totals.num_sorties,
            "refills": totals.num_refills,
            "swaps": totals.num_swaps,
            "unproven_s": round(totals.unproven_s, 1),
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
            for agent_id, litres in totals.agent_litres_l.items()
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
                "is_whole": task.is_whole_spot,
                "m2": round(task.area_m2, 2),
                "reason": str(task.reason),
                "text": task.text,
            }
            for task in applied.ground
        ],
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


def report_html(applied: Applied, figures: dict[str, Any], png: bytes) -> str:
    """One page that needs nothing else: styles and map are inside."""
    began, busy_s = applied.started, applied.totals.busy_s
    finished = max((s.ended for s in applied.spots if s.ended), default=began)
    hours, minutes = divmod(round(busy_s / 60), 60)
    duration = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
    totals = figures["totals"] | {"duration": duration}
    spots = [
        spot
        | {key: _clock(spot[f"{key}_utc"]) for key in ("started", "ended", "contact_until")}
        | {"drones": ", ".join(spot["drones"])}
        for spot in figures["spots"]
    ]
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(files("skymist.flight").joinpath("data/report.html.j2").read_text("utf-8"))
    return page.render(
        kind="Rehearsal report" if applied.is_rehearsal else "Treatment record",
        site=applied.plan.site,
        day=f"{began:%Y-%m-%d}",
        began=f"{began:%H:%M}",
        finished=f"{finished:%H:%M}",
        ending=applied.ending,
        is_rehearsal=applied.is_rehearsal,
        sim=applied.sim,
        software=applied.software,
        sha256=figures["record"]["sha256"],
        record_name=figures["record"]["file"],
        drones=list(applied.tracks),
        agents=figures["agents"],
        people=[(name, text) for name, text in figures["people"].items() if text],
        totals=totals,
        notes=figures["notes"],
        spots=spots,
        missed=[spot for spot in spots if spot["outcome"] != SpotOutcome.TREATED],
        no_spray=[area for area in figures["no_spray"] if area["litres"] > 0],
        num_no_spray=len(figures["no_spray"]),
        ground=figures["ground"],
        marks={str(outcome): mark for outcome, mark in _MARKS.items()},
        treated_rule=f"{TREATED_FRAC:.0%} or more of the target",
        direct_ml_per_m2=DIRECT_L_PER_M2 * 1000,
        png_base64=base64.b64encode(png).decode("ascii"),
    )


def applied_png(applied: Applied) -> bytes:
    """The as-applied map; a rehearsal says so in its title."""
    totals = applied.totals
    what = "REHEARSAL, as applied" if applied.is_rehearsal else "as applied"
    counts = ", ".join(f"{applied.count(outcome)} {outcome}" for outcome in SpotOutcome)
    figure = draw_applied(
        applied.plan,
        applied.dose,
        applied.tracks,
        {spot.spot.id: spot.outcome for spot in applied.spots},
        title=what,
        lines=(
            f"{applied.started:%Y-%m-%d %H:%M} UTC · {counts}",
            f"{totals.dosed_frac:.1%} of {totals.target_m2:,.0f} m² at 80 % of the dose or more · "
            f"{totals.litres_l:,.1f} L, {totals.outside_l:,.1f} L of it outside the targets",
        ),
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


def _clock(iso: str | None) -> str:
    """Hours, minutes and seconds of an ISO time."""
    return "" if iso is None else iso[11:19]
