"""A plan as one HTML file that opens anywhere: layers to switch, sorties to step, time to slide.

Everything is in the file: no font, script, tile or picture is fetched.
"""

from __future__ import annotations

import base64
import io
import json
from contextlib import closing
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely
from fontTools import subset
from matplotlib import image

from skymist.coverage.energy import SPOOL_S, leg_s
from skymist.coverage.layers import DOSE_COLOURS, LEVELS, drones_of
from skymist.coverage.mapmarks import DRONE_COLOURS, chinese_font_path
from skymist.coverage.plan import Pass
from skymist.coverage.plots import drift_distances_m, planned_dose
from skymist.coverage.raster import polygons_of
from skymist.coverage.words import Language, say
from skymist.missions.organiser.words import kind_text
from skymist.missions.plan_phrases import PLAN_BOOK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry import Polygon
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Plan, Sortie

_DATA = files("skymist.missions") / "data"
MARK, FONT_MARK = "/*PLAN*/null", "/*FONT*/"
FIRST_CHINESE = 0x2E80
"""Where Unicode's CJK blocks begin."""
SCALE = 10
"""Coordinates are whole decimetres: half the digits of metres with one decimal."""
DOSE_CELLS_MOST = 2_000_000
MARKS = {"s": "square", "^": "triangle", "o": "circle", "D": "diamond"}


def plan_page(plan: Plan, language: str = "en") -> str:
    """The text of the page; `language` is the one that it opens in."""
    data = {**plan_data(plan), "dose": _dose(plan), "lang": language}
    return filled((_DATA / "page.html").read_text(encoding="utf-8"), data)


def filled(template: str, data: Mapping[str, Any]) -> str:
    """A page template with the shared map, the plan's data, and letters for what it says."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # A text of somebody's must not end the script that it stands in.
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    for mark in ("map.css", "map.js"):
        shared = (_DATA / mark).read_text(encoding="utf-8")
        template = template.replace(f"/*{mark.upper()}*/", shared)
    before, after = template.split(MARK)
    page = before + text + after
    return page.replace(FONT_MARK, font_face(page))


def font_face(text: str) -> str:
    """CSS that brings the Chinese letters of a text along, for machines that have none.

    Empty where the text has no such letter or no font is there.
    """
    wanted = {letter for letter in text if ord(letter) >= FIRST_CHINESE}
    path = chinese_font_path()
    if not wanted or path is None:
        return ""
    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
    made = subset.Subsetter(options)
    made.populate(unicodes=[ord(letter) for letter in wanted])
    buffer = io.BytesIO()
    with closing(subset.load_font(str(path), options)) as held:
        made.subset(held)
        subset.save_font(held, buffer, options)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        "@font-face { font-family: 'Skymist SC'; unicode-range: U+2E80-FFFF; "
        f"src: url(data:font/woff;base64,{data}) format('woff'); }}"
    )


def plan_data(plan: Plan) -> dict[str, Any]:
    """What the map shows, as `map.js` wants it: coordinates are whole decimetres."""
    site, far_m = plan.site, drift_distances_m(plan)
    return {
        "name": site.name,
        "attribution": site.attribution,
        "makespan": round(plan.makespan_s),
        "levels": {
            str(level): {"colour": look.colour, "mark": MARKS.get(look.marker, "circle")}
            for level, look in LEVELS.items()
        },
        "colours": DRONE_COLOURS,
        "zones": [{"id": z.id, "post": z.responsible, "rings": _rings(z.area)} for z in site.zones],
        "buildings": [
            {"h": round(b.height_m, 1), "rings": _rings(b.footprint)} for b in site.buildings
        ],
        "noSpray": [{"why": n.reason, "rings": _rings(n.area)} for n in site.no_spray],
        "receptors": [
            {
                "kind": r.kind.replace("_", " "),
                "kindZh": say(Language.CHINESE, r.kind),
                "far": None if r.id not in far_m else round(far_m[r.id]),
                "at": _points([r.shape.representative_point().coords[0]])[0],
            }
            for r in site.receptors
        ],
        "pads": [{"id": p.id, "at": _points([(p.x, p.y)])[0]} for p in site.pads],
        "spots": _spots(plan),
        "sorties": _sorties(plan),
    }


def _spots(plan: Plan) -> list[dict[str, Any]]:
    doses = {t.spot_id: t for t in plan.treatments}
    left: dict[str, list[str]] = {}
    for task in plan.ground:
        left.setdefault(task.spot_id, []).append(task.text)
    made = []
    for spot in plan.site.spots:
        flown = doses.get(spot.id)
        one: dict[str, Any] = {
            "id": spot.id,
            "name": spot.name,
            "kind": spot.kind.value.replace("_", " "),
            "kindZh": kind_text(Language.CHINESE, spot.kind),
            "level": spot.level.value,
            "zone": spot.zone_id or "",
            "post": plan.site.post_for(spot),
            "note": spot.note,
            "m2": round(spot.area.area, 1),
            "at": _points([spot.area.representative_point().coords[0]])[0],
            "rings": _rings(spot.area),
            "left": left.get(spot.id, []),
            "leftZh": [PLAN_BOOK.told(text) for text in left.get(spot.id, [])],
        }
        if flown is not None:
            one |= {
                "dose": round(flown.dose_l_per_m2 * 1000, 1),
                "litres": round(flown.litres_l, 2),
                "share": round(flown.expected_frac, 3),
                "agent": flown.agent_id,
            }
        made.append(one)
    return made


def _sorties(plan: Plan) -> list[dict[str, Any]]:
    models = {drone.id: drone.model for drone in plan.site.fleet}
    numbers = {drone_id: k for k, drone_id in enumerate(drones_of(plan))}
    return [
        {
            "id": s.id,
            "drone": s.drone_id,
            "number": numbers[s.drone_id],
            "pad": s.pad_id,
            "start": round(s.start_s, 1),
            "end": round(s.start_s + s.duration_s, 1),
            "litres": round(s.litres_l, 1),
            "battery": round(s.battery_frac, 3),
            "refill": s.refill_before,
            "swap": s.swap_before,
            "spots": s.spot_ids,
            "legs": _legs(s, models[s.drone_id]),
        }
        for s in plan.sorties
    ]


def _legs(sortie: Sortie, model: DroneModel) -> list[list[Any]]:
    """Per leg: 1 where it sprays, start and end in seconds from arming, x, y, z of its points."""
    legs, at_s = [], SPOOL_S
    for leg in sortie.legs:
        took_s = leg_s(leg, model)
        if isinstance(leg, Pass):
            path = [(*point, leg.above_home_m) for point in leg.path]
        else:
            path = list(leg.path)
        points = [value for point in path for value in _whole(point)]
        legs.append([int(isinstance(leg, Pass)), round(at_s, 1), round(at_s + took_s, 1), points])
        at_s += took_s
    return legs


def _whole(point: Iterable[float]) -> list[int]:
    return [round(value * SCALE) for value in point]


def _points(points: Iterable[tuple[float, ...]]) -> list[list[int]]:
    return [_whole(point[:2]) for point in points]


def _rings(shape: BaseGeometry) -> list[list[int]]:
    """Every ring of a shape's polygons as x, y, x, y; holes too: they are filled even-odd."""
    rings = []
    for polygon in cast("list[Polygon]", polygons_of(shape)):
        for ring in (polygon.exterior, *polygon.interiors):
            corners = shapely.get_coordinates(ring)[:-1]
            rings.append([int(value) for value in np.rint(corners * SCALE).ravel()])
    return rings


def _dose(plan: Plan) -> dict[str, Any] | None:
    """The dose map as a picture under the rest, coarse where the site is large."""
    dose = planned_dose(plan)
    asked = [t.dose_l_per_m2 for t in plan.treatments]
    if dose.bounds is None or not asked:
        return None
    west, south, east, north = dose.bounds
    cells = (east - west) * (north - south) / dose.cell_m**2
    pool = max(1, int(np.ceil((cells / DOSE_CELLS_MOST) ** 0.5)))
    window = dose.window(dose.bounds, pool)
    most = 1.5 * max(asked)
    values = np.ma.masked_equal(window.dose_l_per_m2, 0)
    pixels = DOSE_COLOURS(np.clip(values / most, 0, 1), bytes=True)
    buffer = io.BytesIO()
    image.imsave(buffer, np.flipud(pixels), format="png", pil_kwargs={"optimize": True})
    left, right, bottom, top = window.extent
    return {
        "png": "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode(),
        "box": _whole((left, bottom, right, top)),
        "most": round(most * 1000, 1),
        "colours": [list(map(int, DOSE_COLOURS(k / 4, bytes=True)[:3])) for k in range(5)],
    }
