"""A plan as ISO 11783-10 TASKDATA (version 4): tasks, treatment zones, guidance lines.

One task a sortie. Its treatment zones hold the dose as DDI 1, setpoint volume per area, in
0.01 mm3/m2; its passes are a guidance group of the partfield. Hovers have no guidance line, only
their zone. Source: ISO 11783-10:2015 and the data dictionary of ISO 11783-11.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import shapely
from shapely.geometry import Polygon

from skymist.missions.formats.plan_rows import to_degrees

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Pass, Plan, Sortie, Treatment

TEXT_MAX = 32
"""Characters of a designator."""
RATE_DDI, RATE_PER_ML_M2 = "0001", 100_000
"""Setpoint volume per area: 1 mL/m2 is 1000 mm3/m2, in steps of 0.01."""
ZONE_MOST = 254
FIELD_MARGIN_M = 5.0
EXTERIOR, INTERIOR, GUIDANCE = "1", "2", "5"
PLANNED, FROM_OFFICE = "1", "1"
BOUNDARY, TREATMENT_ZONE = "1", "2"
POINT_OTHER, POINT_A, POINT_B, POINT_GUIDANCE = "2", "6", "7", "9"
AB, CURVE = "1", "3"
NO_PROPAGATION, NO_EXTENSION = "4", "4"


def taskdata(plan: Plan, version: str) -> str:
    """The text of TASKDATA.XML; `version` is that of this program."""
    root = ET.Element(
        "ISO11783_TaskData",
        VersionMajor="4",
        VersionMinor="3",
        ManagementSoftwareManufacturer="Skymist",
        ManagementSoftwareVersion=_short(version),
        DataTransferOrigin=FROM_OFFICE,
    )
    ET.SubElement(root, "CTR", A="CTR1", B=_short(plan.site.name))
    ET.SubElement(root, "FRM", A="FRM1", B=_short(plan.site.name), I="CTR1")
    field = _partfield(root, plan)
    products = {agent.id: f"PDT{k}" for k, agent in enumerate(plan.site.agents, 1)}
    for agent in plan.site.agents:
        ET.SubElement(root, "PDT", A=products[agent.id], B=_short(agent.name))
    numbers = count(1)
    treatments = {t.spot_id: t for t in plan.treatments}
    for number, sortie in enumerate(plan.sorties, 1):
        _guidance(field, number, sortie, plan.site.origin, numbers)
        _task(root, number, sortie, treatments, products, plan.site.origin)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _short(text: str) -> str:
    """A designator: at most 32 characters, none that XML has no place for."""
    return "".join(c for c in text if c.isprintable())[:TEXT_MAX] or "-"


def _partfield(root: ET.Element, plan: Plan) -> ET.Element:
    """The site's outline: around all that is treated."""
    shapes = [t.target for t in plan.treatments] or [spot.area for spot in plan.site.spots]
    hull = shapely.union_all(shapes).convex_hull.buffer(FIELD_MARGIN_M, join_style="mitre")
    field = ET.SubElement(
        root,
        "PFD",
        A="PFD1",
        C=_short(plan.site.name),
        D=str(round(hull.area)),
        E="CTR1",
        F="FRM1",
    )
    for part in _parts(to_degrees(plan.site.origin, hull)):
        _polygon(field, part, BOUNDARY)
    return field


def _polygon(parent: ET.Element, polygon: Polygon, kind: str) -> None:
    made = ET.SubElement(parent, "PLN", A=kind)
    rings = [(EXTERIOR, polygon.exterior), *((INTERIOR, hole) for hole in polygon.interiors)]
    for ring_kind, ring in rings:
        line = ET.SubElement(made, "LSG", A=ring_kind)
        for lon, lat in ring.coords:
            _point(line, POINT_OTHER, lat, lon)


def _point(line: ET.Element, kind: str, lat: float, lon: float) -> None:
    ET.SubElement(line, "PNT", A=kind, C=f"{lat:.9f}", D=f"{lon:.9f}")


def _parts(shape: BaseGeometry) -> list[Polygon]:
    """The polygons of a shape."""
    parts = list(getattr(shape, "geoms", [shape]))
    return [part for part in parts if isinstance(part, Polygon)]


def _guidance(
    field: ET.Element, number: int, sortie: Sortie, origin: Origin, numbers: Iterator[int]
) -> None:
    """The lines of a sortie, in the order flown."""
    lines = [leg for leg in sortie.passes if len(leg.path) > 1]
    if not lines:
        return
    group = ET.SubElement(field, "GGP", A=f"GGP{number}", B=_short(sortie.id))
    for leg in lines:
        _pattern(group, leg, origin, next(numbers))


def _pattern(group: ET.Element, leg: Pass, origin: Origin, number: int) -> None:
    pattern = ET.SubElement(
        group,
        "GPN",
        A=f"GPN{number}",
        B=_short(leg.spot_id),
        C=AB if len(leg.path) == 2 else CURVE,
        E=NO_PROPAGATION,
        F=NO_EXTENSION,
    )
    line = ET.SubElement(pattern, "LSG", A=GUIDANCE, C=str(round(leg.swath_m * 1000)))
    places = origin.to_geo(leg.path)
    for index, (lon, lat) in enumerate(places):
        last = index == len(places) - 1
        _point(line, POINT_A if index == 0 else POINT_B if last else POINT_GUIDANCE, lat, lon)


def _task(
    root: ET.Element,
    number: int,
    sortie: Sortie,
    treatments: dict[str, Treatment],
    products: dict[str, str],
    origin: Origin,
) -> None:
    """A sortie with a zone for each dose that it gives, and what lies in it."""
    task = ET.SubElement(
        root,
        "TSK",
        A=f"TSK{number}",
        B=_short(f"{sortie.id} {sortie.drone_id}"),
        C="CTR1",
        D="FRM1",
        E="PFD1",
        G=PLANNED,
    )
    by_dose: defaultdict[float, list[BaseGeometry]] = defaultdict(list)
    for spot_id in sortie.spot_ids:
        by_dose[treatments[spot_id].dose_l_per_m2 * 1000].append(treatments[spot_id].target)
    doses = sorted(by_dose)[:ZONE_MOST]
    for code, dose_ml_per_m2 in enumerate(doses, 1):
        zone = ET.SubElement(task, "TZN", A=str(code), B=f"{dose_ml_per_m2:g} mL/m2")
        for shape in by_dose[dose_ml_per_m2]:
            for part in _parts(to_degrees(origin, shape)):
                _polygon(zone, part, TREATMENT_ZONE)
        rate = {"A": RATE_DDI, "B": str(round(dose_ml_per_m2 * RATE_PER_ML_M2))}
        if sortie.agent_id in products:
            rate["C"] = products[sortie.agent_id]
        ET.SubElement(zone, "PDV", rate)
