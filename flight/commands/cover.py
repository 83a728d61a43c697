"""`skymist cover`: coverage of bare polygons, as passes and transits in GeoJSON.

The area may be in metres or in degrees. What the flown path reaches is measured and reported;
dose, wind and sorties belong to `skymist plan`.
"""

from __future__ import annotations

import json as json_text
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import shapely
import typer
from shapely.geometry import MultiPolygon, Polygon, shape

from skymist.coverage import robust
from skymist.coverage.cover import CoverPlan, EdgePolicy, Kinematics, cover_area
from skymist.coverage.errors import PlanError
from skymist.coverage.frames import Origin
from skymist.coverage.profile import (
    CV_PRODUCT_FRAC,
    Profile,
    gaussian,
    spacing_for_cv,
    trapezoid,
    triangle,
)
from skymist.missions.errors import Fault, FormatError
from skymist.missions.geojson import read_geojson
from skymist.missions.plans import write_whole

log = logging.getLogger(__name__)

METRIC_DECIMALS, GEO_DECIMALS = 4, 9  # 0.1 mm either way
LEAST_M2 = 0.01  # a smaller area in metres is degrees in the wrong order
WIDEST_M2 = 1e9  # a planned area above 1000 km2 is metres read as degrees
GEO_CRS = ("CRS84", "EPSG:4326", "EPSG::4326", "EPSG:4979", "EPSG::4979")


class Crs(StrEnum):
    """What the numbers of a file mean."""

    AUTO = "auto"
    METRIC = "metric"
    WGS84 = "wgs84"


class Policy(StrEnum):
    """What an edge of the area is worth, as asked for on the command line."""

    COVER = "cover"
    CONTAIN = "contain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The area of a file in metres, where its frame stands (None: metric), and its named CRS."""

    area: Polygon | MultiPolygon
    origin: Origin | None
    crs: str | None


def cover(
    geojson: Annotated[Path, typer.Argument(help="GeoJSON with the polygons to cover.")],
    swath_m: Annotated[
        float | None,
        typer.Option("--swath-m", help="Width of a pass, m; a --profile can stand in for it."),
    ] = None,
    clearance_m: Annotated[
        float, typer.Option("--clearance-m", help="How far the path keeps inside the edges, m.")
    ] = 0.0,
    policy: Annotated[
        Policy,
        typer.Option(help="cover: reach all; contain: no spray outside."),
    ] = Policy.COVER,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Spray across the track: gaussian:SIGMA, triangle:HALF_BASE or "
            "trapezoid:TOP,BASE, m; tells the unevenness, and the spacing where no swath is given."
        ),
    ] = None,
    cv_limit_frac: Annotated[
        float, typer.Option("--cv-limit-frac", help="Most unevenness that the spacing may leave.")
    ] = CV_PRODUCT_FRAC,
    hole_height_m: Annotated[
        float | None,
        typer.Option(
            "--hole-height-m", help="Climb that clears all in holes: ways over them if quicker, m."
        ),
    ] = None,
    speed_mps: Annotated[float, typer.Option("--speed-mps", help="Speed flown, m/s.")] = 4.0,
    crs: Annotated[
        Crs, typer.Option(help="What the coordinates are: metric, wgs84, or what the file says.")
    ] = Crs.AUTO,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the path; default stdout.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Metrics as JSON on stdout; the path to -o alone.")
    ] = False,
) -> None:
    """Plan coverage of bare polygons: passes and transits as GeoJSON LineStrings.

    Example: [bold]skymist cover yard.geojson --swath-m 4 -o path.geojson[/bold]
    """
    spread = None if profile is None else profile_of(profile)
    if swath_m is None:
        if spread is None:
            raise PlanError("cover: wanted --swath-m or --profile, found neither")
        swath_m = spacing_for_cv(spread, cv_limit_frac)
    ground = read_ground(geojson, crs)
    plan = cover_area(
        ground.area,
        swath_m=swath_m,
        profile=spread,
        hole_height_m=hole_height_m,
        clearance_m=clearance_m,
        policy=EdgePolicy(policy.value),
        kinematics=Kinematics(speed_mps=speed_mps),
    )
    path = json_text.dumps(path_collection(plan, ground, speed_mps), ensure_ascii=False)
    if output is not None:
        write_whole(output, path.encode("utf-8") + b"\n")
    if json:
        typer.echo(json_text.dumps(metrics(plan, ground), ensure_ascii=False))
    elif output is None:
        typer.echo(path)
    if not json:
        typer.echo(plan.summary(), err=True)


def profile_of(text: str) -> Profile:
    """The profile that words such as `gaussian:1.7` or `trapezoid:3,5` stand for.

    Raises
    ------
    PlanError
        For a shape that is not there, or numbers that do not make one.
    """
    name, _, rest = text.partition(":")
    makers: dict[str, tuple[int, Callable[..., Profile]]] = {
        "gaussian": (1, gaussian),
        "triangle": (1, triangle),
        "trapezoid": (2, trapezoid),
    }
    count, make = makers.get(name.strip().lower(), (0, gaussian))
    try:
        numbers = [float(part) for part in rest.split(",")]
    except ValueError:
        numbers = []
    if not count or len(numbers) != count:
        wanted = "gaussian:SIGMA, triangle:HALF_BASE or trapezoid:TOP,BASE in metres"
        raise PlanError(f"--profile: wanted {wanted}, found {text!r}")
    return make(*numbers)


def read_ground(file: Path, crs: Crs) -> Ground:
    """The polygons of a GeoJSON file as one area in metres.

    Raises
    ------
    FormatError
        Where the file cannot be read, holds no valid polygon, or its numbers do not fit `crs`.
    """
    read = read_geojson(file, str(file))
    if read.faults:
        raise FormatError("\n".join(str(fault) for fault in read.faults))
    polygons = [
        polygon
        for number, feature in enumerate(read.features)
        for polygon in _polygons(file, number, feature)
    ]
    if not polygons:
        raise _fault(file, "features", "a Polygon or MultiPolygon", "none")
    area = robust.areal(robust.union(polygons)) if len(polygons) > 1 else polygons[0]
    kind = _kind_of(file, area, crs, read.crs, read.features)
    if kind is Crs.METRIC:
        if area.area < LEAST_M2:
            raise _fault(
                file,
                "coordinates",
                f"an area of {LEAST_M2:g} m2 or more",
                f"{area.area:.2g} m2; are latitude and longitude swapped?",
            )
        return Ground(area=area, origin=None, crs=read.crs)
    lon_deg, lat_deg = area.centroid.x, area.centroid.y
    origin = Origin(lat_deg=lat_deg, lon_deg=lon_deg)
    local = robust.areal(shapely.transform(area, origin.to_local))
    if local.area > WIDEST_M2:
        raise _fault(
            file, "coordinates", "degrees", "an area beyond 1000 km2; for metres: --crs metric"
        )
    return Ground(area=local, origin=origin, crs=None)


def _fault(file: Path, field: str, wanted: str, found: str) -> FormatError:
    return FormatError(str(Fault(file=str(file), field=field, wanted=wanted, found=found)))


def _polygons(file: Path, number: int, feature: Any) -> list[Polygon]:
    """The polygons of a feature; other geometry is passed over with a warning."""
    place = f"features[{number}].geometry"
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if geometry is None or kind not in ("Polygon", "MultiPolygon"):
        log.warning("feature passed over", extra={"feature": number, "geometry": str(kind)})
        return []
    try:
        found = shape(geometry)
    except (ValueError, TypeError, IndexError, KeyError, shapely.errors.ShapelyError) as exc:
        raise _fault(file, f"{place}.coordinates", "rings of positions", str(exc)) from exc
    found = shapely.force_2d(found)
    if found.is_empty:
        raise _fault(file, place, "a polygon with ground", "an empty one")
    if not bool(np.isfinite(shapely.get_coordinates(found)).all()):
        raise _fault(file, f"{place}.coordinates", "finite numbers", "NaN or infinity")
    if not found.is_valid:
        raise _fault(file, place, "a valid polygon", shapely.is_valid_reason(found))
    return [part for part in shapely.get_parts(found) if part.area > 0]


def _kind_of(
    file: Path,
    area: Polygon | MultiPolygon,
    asked: Crs,
    named: str | None,
    features: tuple[Any, ...],
) -> Crs:
    """Metres or degrees: as asked, else as the file says, else by the range of the numbers.

    GeoJSON without a word on it is WGS84 (Source: RFC 7946, section 4).
    """
    west, south, east, north = area.bounds
    is_in_range = west >= -180 and east <= 180 and south >= -90 and north <= 90
    if asked is Crs.METRIC:
        return asked
    if asked is Crs.WGS84:
        if not is_in_range:
            found = f"{west:g} {south:g} to {east:g} {north:g}"
            raise _fault(file, "coordinates", "longitudes and latitudes", found)
        return asked
    if named is not None:
        return Crs.WGS84 if named.upper().endswith(GEO_CRS) else Crs.METRIC
    if any(_says_metres(feature) for feature in features) or not is_in_range:
        return Crs.METRIC
    return Crs.WGS84


def _says_metres(feature: Any) -> bool:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return False
    said = {str(properties.get(key, "")).lower() for key in ("units", "unit", "crs")}
    return bool(said & {"m", "metre", "metres", "meter", "meters", "metric", "local"})


def path_collection(plan: CoverPlan, ground: Ground, speed_mps: float) -> dict[str, Any]:
    """The legs as a GeoJSON FeatureCollection, in the coordinates of the file that came in."""
    features = []
    for order, leg in enumerate(plan.legs):
        points = np.array(leg.path)
        if ground.origin is not None:
            points = ground.origin.to_geo(points)
        decimals = METRIC_DECIMALS if ground.origin is None else GEO_DECIMALS
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "kind": leg.kind.value,
                    "order": order,
                    "speed_mps": speed_mps,
                    **({} if leg.above_m is None else {"above_m": leg.above_m}),
                },
                "geometry": {"type": "LineString", "coordinates": points.round(decimals).tolist()},
            }
        )
    named = {} if ground.crs is None else {"crs": _crs_member(ground.crs)}
    return {"type": "FeatureCollection", **named, "features": features}


def _crs_member(name: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


def metrics(plan: CoverPlan, ground: Ground) -> dict[str, Any]:
    """What the path reaches and takes, for machines."""
    numbers = {
        "covered_frac": plan.covered_frac,
        "over_frac": plan.over_frac,
        "overlap_frac": plan.overlap_frac,
        "time_s": plan.time_s,
        "cv_frac": plan.cv_frac,
        "spray_m": plan.spray_m,
        "transit_m": plan.transit_m,
        "area_m2": ground.area.area,
        "unreached_m2": plan.unreached.area,
    }
    rounded = {name: round(float(value), 5) for name, value in numbers.items()}
    return {**rounded, "num_legs": len(plan.legs), "why_dry": plan.why_dry}
