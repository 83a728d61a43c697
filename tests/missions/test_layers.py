"""Layers in every format, and the faults of files, systems of coordinates and shapes."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

from skymist.missions.errors import Fault
from skymist.missions.features import Feature
from skymist.missions.layers import LayerReader
from skymist.missions.placing import misplaced
from skymist.missions.site_schema import LayerSource

LON, LAT = 24.94, 60.17
SQUARE = [[LON, LAT], [LON + 1e-3, LAT], [LON + 1e-3, LAT + 1e-3], [LON, LAT]]


def read(
    folder: Path, file: str, role: str = "spots", **keys: Any
) -> tuple[list[Feature], list[Fault]]:
    """The features and faults of one layer."""
    reader = LayerReader(
        role=role,
        source=LayerSource(file=file, **keys),
        place=("layers", role),
        folder=folder,
        locate=lambda place: ("site.yaml", ".".join(map(str, place)), 1),
    )
    return reader.read(), reader.faults


def write_geojson(path: Path, *features: Any, indent: int | None = None, **top: Any) -> Path:
    body = {"type": "FeatureCollection", **top, "features": list(features)}
    path.write_text(json.dumps(body, indent=indent), encoding="utf-8")
    return path


def spot(coordinates: Any, kind: str = "Point", **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def write_ogr(
    path: Path,
    shapes: list[Any],
    crs: str | None = "EPSG:4326",
    layer: str = "spots",
    **columns: Any,
) -> None:
    """A file of another program, written by GDAL."""
    drivers = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".kml": "KML"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        pyogrio.raw.write(
            path,
            shapely.to_wkb(np.array(shapes, dtype=object)),
            [np.array(values) for values in columns.values()],
            list(columns),
            driver=drivers[path.suffix],
            geometry_type=shapes[0].geom_type,
            crs=crs,
            layer=layer,
            append=path.exists() and path.suffix == ".gpkg",
        )


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".kml"])
def test_formats_of_gdal_give_the_same_features(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"spots{suffix}"
    points = [shapely.Point(LON, LAT, 5), shapely.Point(LON + 1e-3, LAT, 5)]
    points = points if suffix == ".kml" else [shapely.force_2d(p) for p in points]
    write_ogr(path, points, KIND=["bin", "bin"], size=[2.5, float("nan")])
    made, faults = read(
        tmp_path, path.name, properties={"radius_m": "size"}, defaults={"level": "red"}
    )
    assert not faults
    places = shapely.get_coordinates([f.shape for f in made])
    assert places == pytest.approx(np.array([[LON, LAT], [LON + 1e-3, LAT]]), abs=1e-9)
    assert not any(f.shape.has_z for f in made if f.shape)
    assert [f.values["kind"] for f in made] == ["bin", "bin"]
    assert float(made[0].values["radius_m"]) == 2.5
    assert "radius_m" not in made[1].values
    assert made[0].values["level"] == "red"
    assert [f.default_id for f in made] == ["spots-001", "spots-002"]


@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
def test_projected_layers_come_out_in_degrees(suffix: str, tmp_path: Path) -> None:
    change = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3067", always_xy=True)
    write_ogr(tmp_path / f"a{suffix}", [shapely.Point(*change.transform(LON, LAT))], "EPSG:3067")
    (made,), faults = read(tmp_path, f"a{suffix}")
    assert not faults
    assert shapely.get_coordinates(made.shape)[0] == pytest.approx([LON, LAT], abs=1e-7)


def test_a_shapefile_without_prj_wants_a_crs_and_takes_one(tmp_path: Path) -> None:
    write_ogr(tmp_path / "a.shp", [shapely.Point(LON, LAT)])
    (tmp_path / "a.prj").unlink()
    made, (fault,) = read(tmp_path, "a.shp")
    assert made[0].shape is None
    assert (fault.wanted, fault.found) == ("a coordinate reference system", "none")
    made, faults = read(tmp_path, "a.shp", crs="EPSG:4326")
    assert made[0].shape == shapely.Point(LON, LAT)
    assert not faults


def test_a_file_of_several_layers_wants_one_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    write_ogr(path, [shapely.Point(LON, LAT)], layer="bins")
    write_ogr(path, [shapely.Point(LON, LAT)], layer="drains")
    _, (fault,) = read(tmp_path, "a.gpkg")
    assert fault.field == "layers.spots.layer"
    assert "bins, drains" in fault.hint
    assert len(read(tmp_path, "a.gpkg", layer="bins")[0]) == 1
    assert read(tmp_path, "a.gpkg", layer="drain")[1][0].found == "'drain'"


@pytest.mark.parametrize("name", ["a.kml", "a.gpkg", "a.shp", "a.geojson"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\x00\xfe", b"{}"])
def test_a_file_that_cannot_be_read_is_one_fault(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    made, (fault,) = read(tmp_path, name)
    assert made == []
    assert fault.file == str(tmp_path / name)


def test_a_missing_file_names_its_neighbour_and_an_unknown_kind_the_known(tmp_path: Path) -> None:
    write_geojson(tmp_path / "spots.geojson")
    (tmp_path / "spots.xlsx").write_bytes(b"")
    assert read(tmp_path, "spot.geojson")[1][0].hint == "did you mean spots.geojson?"
    assert ".gpkg" in read(tmp_path, "spots.xlsx")[1][0].wanted
    assert read(tmp_path, ".")[1][0].found == "a folder"
    assert read(tmp_path, "a\0b")[1][0].wanted == "a file that is there"


def test_streets_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "streets.geojson").write_bytes(b"garbage")
    assert read(tmp_path, "streets.geojson", "streets") == ([], [])


@pytest.mark.parametrize(
    ("feature", "role", "wanted", "found"),
    [
        (spot([LON, "x"]), "spots", "[longitude, latitude]", "'x'"),
        (spot([LON]), "spots", "[longitude, latitude]", "a list of 1"),
        (spot([LON, float("nan")]), "spots", "finite", "NaN"),
        (spot([LON, 10**400]), "spots", "finite", "20 digits"),
        (spot([]), "spots", "with coordinates", "empty"),
        (spot(None), "spots", "[longitude, latitude]", "nothing"),
        (spot([LON, LAT], "Circle"), "spots", "Point, LineString", "'Circle'"),
        (spot([[LON, LAT], [LON, LAT]], "LineString"), "spots", "different positions", "1"),
        (spot([[[LON, LAT], [LON + 1, LAT]]], "Polygon"), "spots", "at least 3", "2"),
        (spot([[LON, LAT], [LON + 1e-3, LAT]], "MultiPoint"), "pads", "one part", "of 2"),
        (spot(SQUARE[:2], "LineString"), "zones", "Polygon", "LineString"),
        (spot([SQUARE], "Polygon"), "pads", "Point", "Polygon"),
        ({"type": "Feature", "geometry": None}, "spots", "a geometry", "nothing"),
        (
            spot([[SQUARE[0], SQUARE[2], SQUARE[1], [LON, LAT + 1e-3], SQUARE[0]]], "Polygon"),
            "zones",
            "not cross itself",
            "self-intersection at 24.9405 60.1705",
        ),
    ],
)
def test_a_bad_shape_says_what_and_where(
    feature: dict[str, Any], role: str, wanted: str, found: str, tmp_path: Path
) -> None:
    good = spot([LON, LAT], id="good")
    if role == "zones":
        good = spot([SQUARE], "Polygon", id="good")
    write_geojson(tmp_path / "a.geojson", good, feature | {"id": "bad"}, indent=1)
    _, (fault,) = read(tmp_path, "a.geojson", role)
    assert fault.field == "features[1](bad).geometry"
    assert wanted in fault.wanted
    assert found in fault.found
    text = (tmp_path / "a.geojson").read_text().splitlines()
    assert '"geometry"' in text[(fault.line or 0) - 1]


def test_a_multi_geometry_of_one_part_is_that_part(tmp_path: Path) -> None:
    write_geojson(tmp_path / "a.geojson", spot([[SQUARE[0], SQUARE[2]]], "MultiLineString"))
    (made,), _ = read(tmp_path, "a.geojson")
    assert made.shape is not None
    assert made.shape.geom_type == "LineString"


def test_a_lone_feature_counts_and_other_things_do_not(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(spot([LON, LAT])), encoding="utf-8")
    assert len(read(tmp_path, "a.geojson")[0]) == 1
    write_geojson(tmp_path / "b.geojson", 5, None, spot([LON, LAT]))
    made, faults = read(tmp_path, "b.geojson")
    assert len(made) == 1
    assert [f.field for f in faults] == ["features[0]", "features[1]"]


def test_geojson_syntax_errors_have_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection",\n"features": [,]}')
    _, (fault,) = read(tmp_path, "a.geojson")
    assert fault.line == 2
    (tmp_path / "b.geojson").write_text("[" * 200_000)
    assert len(read(tmp_path, "b.geojson")[1]) == 1


def test_keys_of_a_mapping_must_be_ours_and_names_theirs(tmp_path: Path) -> None:
    write_geojson(tmp_path / "a.geojson", spot([LON, LAT], typ="bin", breite=3))
    _, faults = read(
        tmp_path,
        "a.geojson",
        properties={"kind": "type", "width": "breite"},
        defaults={"levle": "red"},
        values={"knid": {}},
    )
    hints = {f.field.removeprefix("layers.spots."): f.hint for f in faults}
    assert hints == {
        "properties.kind": "did you mean typ?",
        "properties.width": "did you mean width_m?",
        "defaults.levle": "did you mean level?",
        "values.knid": "did you mean kind?",
    }


def test_an_old_crs_member_is_a_fault_unless_the_site_file_names_it(tmp_path: Path) -> None:
    change = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3067", always_xy=True)
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3067"}}
    write_geojson(tmp_path / "a.geojson", spot(list(change.transform(LON, LAT))), crs=crs)
    assert "EPSG::3067" in read(tmp_path, "a.geojson")[1][0].found
    (made,), faults = read(tmp_path, "a.geojson", crs="EPSG:3067")
    assert not faults
    assert shapely.get_coordinates(made.shape)[0] == pytest.approx([LON, LAT], abs=1e-7)
    crs["properties"] = {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}  # type: ignore[assignment]
    write_geojson(tmp_path / "b.geojson", spot([LON, LAT]), crs=crs)
    assert not read(tmp_path, "b.geojson")[1]


def test_an_unknown_crs_is_a_fault(tmp_path: Path) -> None:
    write_geojson(tmp_path / "a.geojson", spot([LON, LAT]))
    assert read(tmp_path, "a.geojson", crs="EPSG:99")[1][0].found == "'EPSG:99'"
    assert read(tmp_path, "a.geojson", crs="EPSG:3067")[0]


def placed(*sources: list[list[float]]) -> list[Feature]:
    """Points of several layers."""
    return [
        Feature(
            role="spots",
            file=f"{name}.geojson",
            source=("layers", name),
            label=f"features[{index}]",
            default_id="",
            values={},
            shape=shapely.Point(pair),
        )
        for name, pairs in enumerate(sources)
        for index, pair in enumerate(pairs)
    ]


def test_a_swapped_feature_and_a_swapped_layer_are_told_apart() -> None:
    good = [[LON + i / 1e4, LAT] for i in range(9)]
    kept, faults = misplaced(placed(good, [[LON, LAT], [LAT, LON]], [[LAT, LON]] * 5))
    assert len(kept) == 10
    assert [f.field for f in faults] == ["features[1].geometry", "features[0].geometry"]
    assert all("swapped" in f.hint for f in faults)
    assert "4 more" in faults[1].found


def test_latitudes_beyond_90_are_swapped_or_projected() -> None:
    kept, faults = misplaced(placed([[114.04, 22.73]], [[22.73, 114.04]], [[385700, 6671900]]))
    assert len(kept) == 1
    assert "swapped" in faults[0].hint
    assert "projected" in faults[1].hint


def test_null_island_and_the_antimeridian() -> None:
    _, (fault,) = misplaced(placed([[LON, LAT], [LON, LAT], [0, 0]]))
    assert "another place" in fault.hint
    assert misplaced(placed([[179.99, 10], [-179.99, 10]]))[1] == []
