"""`skymist cover` from file to file."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import Polygon, box, mapping, shape
from typer.testing import CliRunner

from skymist.coverage.errors import PlanError
from skymist.coverage.frames import Origin
from skymist.flight.cli import app
from skymist.flight.commands.cover import Crs, read_ground
from skymist.missions.errors import FormatError

METRIC = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32650"}}
runner = CliRunner()


def written(folder: Path, *polygons: Polygon, **members: Any) -> Path:
    features = [
        {"type": "Feature", "properties": {}, "geometry": mapping(polygon)} for polygon in polygons
    ]
    file = folder / "area.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}))
    return file


def test_a_metric_area_gives_a_contiguous_path_and_metrics(tmp_path: Path) -> None:
    file, out = written(tmp_path, box(0, 0, 40, 24), crs=METRIC), tmp_path / "path.geojson"
    done = runner.invoke(app, ["cover", str(file), "--swath-m", "4", "-o", str(out), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["covered_frac"] > 0.99
    path = json.loads(out.read_text())
    assert path["crs"] == METRIC
    legs = path["features"]
    assert [leg["properties"]["order"] for leg in legs] == list(range(len(legs)))
    assert {leg["properties"]["kind"] for leg in legs} <= {"spray", "transit"}
    for before, after in pairwise(legs):
        assert before["geometry"]["coordinates"][-1] == after["geometry"]["coordinates"][0]


def test_without_a_file_to_write_the_path_goes_to_stdout(tmp_path: Path) -> None:
    file = written(tmp_path, box(0, 0, 40, 24), crs=METRIC)
    done = runner.invoke(app, ["cover", str(file), "--swath-m", "4", "--policy", "contain"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["features"]


def test_geographic_coordinates_come_back_geographic(tmp_path: Path) -> None:
    origin = Origin(lat_deg=30.5, lon_deg=114.3)
    area = Polygon(origin.to_geo(list(box(0, 0, 40, 24).exterior.coords)))
    file = written(tmp_path, area)
    assert read_ground(file, Crs.AUTO).area.area == pytest.approx(40 * 24, rel=1e-6)
    done = runner.invoke(app, ["cover", str(file), "--swath-m", "4"])
    first = shape(json.loads(done.stdout)["features"][0]["geometry"])
    assert area.buffer(1e-7).covers(first)


def test_several_features_are_one_area(tmp_path: Path) -> None:
    file = written(tmp_path, box(0, 0, 9, 9), box(20, 0, 29, 9), crs=METRIC)
    assert read_ground(file, Crs.AUTO).area.area == pytest.approx(162)


@pytest.mark.parametrize("unit", ["m", "metres"])
def test_a_feature_that_says_metres_is_in_metres(tmp_path: Path, unit: str) -> None:
    feature = {
        "type": "Feature",
        "properties": {"units": unit},
        "geometry": mapping(box(0, 0, 9, 9)),
    }
    file = tmp_path / "area.geojson"
    file.write_text(json.dumps(feature))
    assert read_ground(file, Crs.AUTO).origin is None


def test_numbers_beyond_degrees_are_metres(tmp_path: Path) -> None:
    assert read_ground(written(tmp_path, box(0, 0, 300, 200)), Crs.AUTO).origin is None


def test_metres_read_as_degrees_are_caught(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="--crs metric"):
        read_ground(written(tmp_path, box(0, 0, 40, 24)), Crs.AUTO)
    assert read_ground(written(tmp_path, box(0, 0, 40, 24)), Crs.METRIC).origin is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "wanted"),
        ('{"type": "FeatureCollection", "features": []}', "Polygon"),
        (
            '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}}',
            "coordinates",
        ),
        (
            '{"type": "Feature", "properties": {"units": "m"}, "geometry": {"type": "Polygon", '
            '"coordinates": [[[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]]]}}',
            "valid",
        ),
    ],
)
def test_bad_files_name_file_and_fault(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "bad.geojson"
    file.write_text(text)
    with pytest.raises(FormatError, match=named) as caught:
        read_ground(file, Crs.AUTO)
    assert "bad.geojson" in str(caught.value)


def test_wrong_numbers_write_nothing(tmp_path: Path) -> None:
    file, out = written(tmp_path, box(0, 0, 40, 24), crs=METRIC), tmp_path / "path.geojson"
    done = runner.invoke(app, ["cover", str(file), "--swath-m", "0", "-o", str(out)])
    assert done.exit_code != 0
    assert not out.exists()


def test_a_profile_gives_the_spacing_and_tells_the_unevenness(tmp_path: Path) -> None:
    file = written(tmp_path, box(0, 0, 40, 24), crs=METRIC)
    out = str(tmp_path / "path.geojson")
    done = runner.invoke(
        app, ["cover", str(file), "--profile", "gaussian:1.7", "-o", out, "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["cv_frac"] == pytest.approx(0.35, abs=1e-3)
    for wrong in (["--profile", "bell:1"], ["--profile", "trapezoid:1"], []):
        done = runner.invoke(app, ["cover", str(file), *wrong, "--json"])
        assert isinstance(done.exception, PlanError), done.output


def test_ways_over_holes_say_how_high(tmp_path: Path) -> None:
    sheds = [box(x, y, x + 12, y + 14) for x in (15, 45, 75) for y in (12, 50)]
    holed = Polygon(box(0, 0, 100, 80).exterior.coords, [shed.exterior.coords for shed in sheds])
    file, out = written(tmp_path, holed, crs=METRIC), tmp_path / "path.geojson"
    for more, wanted in (([], False), (["--hole-height-m", "0.5"], True)):
        done = runner.invoke(app, ["cover", str(file), "--swath-m", "5", "-o", str(out), *more])
        assert done.exit_code == 0, done.output
        found = [leg["properties"] for leg in json.loads(out.read_text())["features"]]
        assert any("above_m" in leg for leg in found) is wanted
        assert all(leg["kind"] == "transit" for leg in found if "above_m" in leg)
