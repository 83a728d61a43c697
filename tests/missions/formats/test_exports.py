"""A plan in other tools' formats, each read back by somebody else's reader."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pymavlink import mavutil, mavwp

from skymist.coverage.errors import PlanError
from skymist.coverage.plan import PassKind, Plan
from skymist.coverage.planning import plan_site
from skymist.missions.compile import compile_plan
from skymist.missions.formats.export import FORMATS, exported, formats_named
from skymist.missions.formats.kml import kml
from skymist.missions.formats.taskdata import taskdata
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[3] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_site(read_site(DEMO))


@pytest.fixture(scope="module")
def folder(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every format of the demo's plan."""
    made = tmp_path_factory.mktemp("exports")
    for name, data in exported(plan, FORMATS):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_bytes(data)
    return made


def degrees(plan: Plan, shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, plan.site.origin.to_geo)


def test_kml_is_valid_by_the_ogc_schema_and_read_by_gdal(plan: Plan, folder: Path) -> None:
    from fastkml.validator import validate

    assert validate(file_to_validate=folder / "plan.kml")
    layers = {str(row[0]) for row in pyogrio.list_layers(folder / "plan.kml")}
    assert {"Blind spots", "Pads"} < layers
    for sortie in plan.sorties:
        name = f"Sortie {sortie.id} of {sortie.drone_id}"
        assert name in layers
        _, _, shapes, _ = pyogrio.raw.read(folder / "plan.kml", layer=name)
        assert len(shapes) == len(sortie.legs)
        for leg, wkb in zip(sortie.legs, shapes, strict=True):
            points = shapely.get_coordinates(shapely.from_wkb(wkb), include_z=True)
            local = plan.site.origin.to_local(points[:, :2])
            flown = np.array([point[:2] for point in leg.path])
            assert local == pytest.approx(flown, abs=0.02)
            heights = [p[2] if len(p) > 2 else leg.above_home_m for p in leg.path]
            assert points[:, 2] == pytest.approx(heights, abs=0.01)


def test_a_geopackage_holds_every_table_with_its_style(plan: Plan, folder: Path) -> None:
    path = folder / "plan.gpkg"
    layers = {str(name) for name, kind in pyogrio.list_layers(path) if kind is not None}
    with sqlite3.connect(path) as base:
        styles = dict(
            base.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1")
        )
        columns = dict(base.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
    assert set(styles) == layers
    assert set(columns.values()) == {"geom"}
    for text in styles.values():
        root = ET.fromstring(text)
        assert root.find("renderer-v2/symbols/symbol/layer/Option/Option") is not None
    meta, _, shapes, values = pyogrio.raw.read(path, layer="targets")
    found = dict(zip(meta["fields"], values, strict=True))
    assert meta["crs"] == "EPSG:4326"
    assert list(found["spot"]) == [t.spot_id for t in plan.treatments]
    for treatment, wkb in zip(plan.treatments, shapes, strict=True):
        expected = degrees(plan, treatment.target)
        moved = shapely.from_wkb(wkb).symmetric_difference(expected).area
        assert moved < 1e-7 * expected.length  # corners are rounded to 1e-7 degrees
    _, _, passes, _ = pyogrio.raw.read(path, layer="passes")
    assert len(passes) == sum(len(sortie.passes) for sortie in plan.sorties)


def test_taskdata_is_read_by_another_library_with_doses_and_lines(plan: Plan, folder: Path) -> None:
    from isoxml.util.isoxml_io import isoxml_from_path

    data, _ = isoxml_from_path(folder / "TASKDATA")
    assert len(data.tasks) == len(plan.sorties)
    doses = {t.spot_id: t.dose_l_per_m2 for t in plan.treatments}
    for task, sortie in zip(data.tasks, plan.sorties, strict=True):
        # Of DDI 1: 0.01 mm3/m2 a step.
        told = {int(z.process_data_variables[0].process_data_value) for z in task.treatment_zones}
        assert told == {round(doses[spot] * 1e6 * 100) for spot in sortie.spot_ids}
    groups = data.partfields[0].guidance_groups
    lines = [
        [(float(p.north), float(p.east)) for p in pattern.line_strings[0].points]
        for group in groups
        for pattern in group.guidance_patterns
    ]
    flown = [leg.path for s in plan.sorties for leg in s.passes if leg.kind is not PassKind.HOVER]
    assert len(lines) == len(flown)
    for line, path in zip(lines, flown, strict=True):
        local = plan.site.origin.to_local([(lon, lat) for lat, lon in line])
        assert local == pytest.approx(np.array(path), abs=0.01)


def test_taskdata_keeps_the_standards_lengths_and_unique_ids(plan: Plan) -> None:
    root = ET.fromstring(taskdata(plan, "0.1.0"))
    ids = [
        node.get("A")
        for tag in ("CTR", "FRM", "PFD", "PDT", "TSK", "GGP", "GPN")
        for node in root.iter(tag)
    ]
    assert len(ids) == len(set(ids))
    designators = [n.get("B") or "" for n in root.iter() if n.tag not in ("PDV", "PNT")]
    assert max(len(text) for text in designators) <= 32


def test_fence_files_load_in_pymavlink_corner_by_corner(plan: Plan, folder: Path) -> None:
    for mission in compile_plan(plan).values():
        loader = mavwp.MAVWPLoader()
        loader.load(str(folder / f"{mission.sortie_id}.fence.waypoints"))
        items = [w for w in loader.wpoints if w.command in (5001, 5002)]
        corners = [
            (p.is_inclusion, len(p.corners_e7), *corner)
            for p in mission.fence
            for corner in p.corners_e7
        ]
        found = [
            (
                w.command == mavutil.mavlink.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION,
                int(w.param1),
                round(w.x * 1e7),
                round(w.y * 1e7),
            )
            for w in items
        ]
        assert found == corners


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@given(name=TEXT, attribution=TEXT)
def test_no_name_breaks_the_xml(plan: Plan, name: str, attribution: str) -> None:
    named = replace(plan, site=replace(plan.site, name=name, attribution=attribution), sorties=())
    for text in (kml(named), taskdata(named, "1")):
        ET.fromstring(text)


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(PlanError, match=r"wanted some of qgc.*found 'shp'"):
        formats_named("shp")
    assert formats_named("kml, qgc,kml") == ["kml", "qgc"]
