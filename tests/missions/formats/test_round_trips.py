"""What goes out comes in again: a site's layers by every format, a plan's own exports as layers."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
import yaml

from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Site
from skymist.missions.compile import compile_plan
from skymist.missions.formats.export import exported
from skymist.missions.formats.qgc import qgc_plan
from skymist.missions.site import read_site
from skymist.missions.site_writer import SITE_FILE, write_site
from tests.missions.test_site_writer import DEMO, assert_same

DRIVERS = {"gpkg": "GPKG", "shp": "ESRI Shapefile", "kml": "LIBKML", "kmz": "LIBKML"}
SHORT = 10
"""Letters of a field's name in a shapefile. Source: dBASE III, its table format."""


@pytest.fixture(scope="module")
def site() -> Site:
    return read_site(DEMO)


@pytest.fixture(scope="module")
def plan(site: Site) -> Plan:
    return plan_site(site)


def rewritten(layer: Path, ending: str) -> list[dict[str, Any]]:
    """The layer by GDAL in another format beside it; gives the entries of the site file.

    A file a kind of shape: shapefiles hold no more.
    """
    meta, _, shapes, columns = pyogrio.raw.read(layer)
    fields = list(meta["fields"])
    short = {name: name[:SHORT] if ending == "shp" else name for name in fields}
    if ending in ("kml", "kmz"):  # `id` and `name` have a meaning of their own there
        short |= {name: f"my_{name}" for name in fields}
    kinds = np.array([shapely.from_wkb(shape).geom_type for shape in shapes])
    made = []
    for kind in dict.fromkeys(kinds):
        path = layer.with_name(f"{layer.stem}-{kind}.{ending.replace('kmz', 'kml')}")
        pyogrio.raw.write(
            path,
            shapes[kinds == kind],
            [np.asarray(column)[kinds == kind] for column in columns],
            [short[name] for name in fields],
            driver=DRIVERS[ending],
            geometry_type=str(kind),
            crs="EPSG:4326",
            encoding="UTF-8",
        )
        if ending == "kmz":
            with zipfile.ZipFile(path.with_suffix(".kmz"), "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(path, "doc.kml")
            path.unlink()
        made.append({"file": f"{path.stem}.{ending}", "properties": short})
    return made


def by_id(site: Site) -> Site:
    """The site with its spots in the order of their ids."""
    return replace(site, spots=tuple(sorted(site.spots, key=lambda spot: spot.id)))


@pytest.mark.parametrize("ending", [*DRIVERS, "json"])
def test_a_sites_layers_come_in_by_every_format(site: Site, tmp_path: Path, ending: str) -> None:
    """Written by GDAL, read by us, each field and each corner to a millimetre."""
    path = write_site(site, tmp_path)
    head = yaml.safe_load(path.read_text(encoding="utf-8"))
    for role, name in head["layers"].items():
        layer = tmp_path / name
        if ending == "json":
            layer.rename(layer.with_suffix(".json"))
            head["layers"][role] = f"{role}.json"
        else:
            head["layers"][role] = rewritten(layer, ending)
            layer.unlink()
    path.write_text(yaml.safe_dump(head, allow_unicode=True), encoding="utf-8")
    assert not list(tmp_path.glob("*.geojson"))
    assert_same(by_id(read_site(path)), by_id(site))


@pytest.mark.parametrize("name", ["geojson", "gpkg"])
def test_a_plans_targets_come_in_as_spots(plan: Plan, tmp_path: Path, name: str) -> None:
    (file, data) = next(iter(exported(plan, [name])))
    (tmp_path / file).write_bytes(data)
    head = yaml.safe_load((write_site(plan.site, tmp_path)).read_text(encoding="utf-8"))
    layer = {"file": file, "properties": {"id": "spot"}}
    layer |= {"layer": "targets"} if name == "gpkg" else {"where": {"what": "target"}}
    layer["defaults"] = {"kind": "yard", "level": "red"}
    head["layers"]["spots"] = layer
    (tmp_path / SITE_FILE).write_text(yaml.safe_dump(head, allow_unicode=True), encoding="utf-8")
    again = read_site(tmp_path / SITE_FILE)
    assert [spot.id for spot in again.spots] == [t.spot_id for t in plan.treatments]
    for spot, treatment in zip(again.spots, plan.treatments, strict=True):
        # Exports round to 1e-7 degrees, a centimetre.
        edge_m = treatment.target.length
        assert spot.area.symmetric_difference(treatment.target).area <= 0.012 * edge_m


def test_a_missions_fence_comes_in_as_a_polygon(plan: Plan, tmp_path: Path) -> None:
    mission = next(iter(compile_plan(plan).values()))
    (tmp_path / "flown.plan").write_text(qgc_plan(mission), encoding="utf-8")
    path = write_site(plan.site, tmp_path)
    head = yaml.safe_load(path.read_text(encoding="utf-8"))
    fences = {"file": "flown.plan", "where": {"what": "fence_in"}}
    head["layers"]["closures"] = {**fences, "defaults": {"hours": "01:00-02:00"}}
    path.write_text(yaml.safe_dump(head, allow_unicode=True), encoding="utf-8")
    (closure,) = read_site(path).closures
    corners = [(lon / 1e7, lat / 1e7) for lat, lon in mission.fence[0].corners_e7]
    wanted = shapely.transform(shapely.Polygon(corners), plan.site.origin.to_local)
    assert shapely.hausdorff_distance(closure.area, wanted) < 0.02
