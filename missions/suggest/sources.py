"""What the rules look at beside the site: its layer of streets, and an OpenStreetMap extract."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from skymist.coverage.site import Kind
from skymist.missions.errors import FormatError
from skymist.missions.formats.guarded import Refused
from skymist.missions.formats.osm import Extract, read_osm
from skymist.missions.ogr import Unreadable, read_table
from skymist.missions.suggest.proposal import Proposal
from skymist.missions.yaml_lines import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.frames import Origin
    from skymist.coverage.site import Site

AROUND_DEG = 0.0005
"""Of the map around the site: 50 m. [P]"""

Street = tuple["BaseGeometry", str]
"""A line in local metres, and what `highway` says of it."""


def read_streets(site_file: Path, origin: Origin) -> list[Street]:
    """The site file's layer of streets; none where it names none.

    Raises
    ------
    FormatError
        For a file that cannot be read as lines.
    """
    value = read_yaml(site_file).value
    layers = value.get("layers") if isinstance(value, dict) else None
    given = layers.get("streets") if isinstance(layers, dict) else None
    made: list[Street] = []
    for source in given if isinstance(given, list) else [given] if given else []:
        told = {"file": source} if isinstance(source, str) else source
        path = Path(os.path.normpath(site_file.parent / str(told["file"])))
        made += _lines(path, told, origin)
    return made


def _lines(path: Path, told: dict[str, Any], origin: Origin) -> list[Street]:
    try:
        table = read_table(path, told.get("layer"))
        named = told.get("crs") or table.crs or "EPSG:4326"
        change = pyproj.Transformer.from_crs(named, "EPSG:4326", always_xy=True)
    except Unreadable as exc:
        raise FormatError(f"{path}: wanted {exc.wanted}, found {exc.found}") from exc
    except pyproj.exceptions.ProjError as exc:
        raise FormatError(f"{path}: wanted a known CRS, found {exc}") from exc
    name = (told.get("properties") or {}).get("highway", "highway")
    made = []
    for shape, row in zip(shapely.from_wkb(table.shapes), table.properties, strict=True):
        if shape is None or shapely.get_dimensions(shape) != 1:
            continue
        degrees = shapely.transform(
            shapely.force_2d(shape), lambda xy: np.column_stack(change.transform(*xy.T))
        )
        made.append((shapely.transform(degrees, origin.to_local), str(row.get(name) or "")))
    return made


def read_extract(path: Path, site: Site) -> Extract:
    """What an OpenStreetMap extract has on the ground of a site.

    Raises
    ------
    FormatError
        Where it cannot be read, or has nothing there.
    """
    shapes = [*(z.area for z in site.zones), *(b.footprint for b in site.buildings)]
    bounds = shapely.total_bounds(shapes + [spot.area for spot in site.spots])
    (west, south), (east, north) = site.origin.to_geo([bounds[:2], bounds[2:]])
    around = (west - AROUND_DEG, south - AROUND_DEG, east + AROUND_DEG, north + AROUND_DEG)
    try:
        return read_osm(path, tuple(float(degrees) for degrees in around))  # type: ignore[arg-type]
    except Refused as exc:
        raise FormatError(f"{path}: wanted {exc.wanted}, found {exc.found}") from exc


def tagged_proposals(extract: Extract, origin: Origin) -> Iterator[Proposal]:
    """Refuse points, drains, brownfield and other kinds that the map has tags for."""
    for shape, values in extract.layers["spots"]:
        local = shapely.transform(shapely.force_2d(shape), origin.to_local)
        for part in shapely.get_parts(local):
            if part.is_valid and not part.is_empty:
                yield Proposal(
                    rule=f"tag-{values['kind'].replace('_', '-')}",
                    kind=Kind(values["kind"]),
                    shape=part,
                    source=values["source"],
                    figures={"area_m2": round(part.area)} if part.area else {},
                    radius_m=values.get("radius_m"),
                    width_m=values.get("width_m"),
                )
