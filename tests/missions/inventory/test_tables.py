"""There and back through spreadsheets and QGIS's files, read and edited by other readers."""

from __future__ import annotations

import csv
import io
import json
import random
import sqlite3
import struct
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.missions.inventory.adding import edition
from skymist.missions.inventory.book import read_book
from skymist.missions.inventory.bringing import brought as bring
from skymist.missions.inventory.changes import commit
from skymist.missions.inventory.listing import listed
from skymist.missions.inventory.rows import read_rows
from skymist.missions.inventory.sheets import csv_bytes
from skymist.missions.inventory.states import mark_of
from skymist.missions.ledger.spots import state_marked
from skymist.missions.ledger.store import open_ledger
from skymist.missions.site import read_site
from skymist.missions.tables import inert, unguarded
from tests.missions.inventory.commands import run
from tests.missions.inventory.places import SPOTS, at, community, features_of, point

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RISKY = tuple("=+-@\t\r\n＝＋－＠")


def brought(site: Path, table: Path, *words: object, code: int = 0) -> dict[str, Any]:
    found, out, err = run("import", site, table, "--json", "--by", "Wu", *words)
    assert found == code, err
    made: dict[str, Any] = json.loads(out)
    return made


def fields(told: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (change["spot"], key): value["after"]
        for change in told["changes"]
        for key, value in change["fields"].items()
    }


def sheet(path: Path, edit: Callable[[dict[str, dict[str, str]]], None]) -> None:
    """Edit a CSV with the csv module alone; rows by id."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    names = list(next(iter(rows.values())))
    edit(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows.values())


def exported(site: Path, name: str) -> Path:
    path = site.parent / name
    code, _, err = run("export", site, "-o", path)
    assert code == 0, err
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.gpkg"])
def test_there_and_back_changes_nothing(tmp_path: Path, name: str) -> None:
    site = community(tmp_path)
    before = (tmp_path / "spots.geojson").read_bytes()
    table = exported(site, name)
    assert brought(site, table)["changes"] == []
    assert (tmp_path / "spots.geojson").read_bytes() == before
    assert not (tmp_path / "site.ledger").exists()


def test_a_csv_says_what_the_layer_says_to_another_reader(tmp_path: Path) -> None:
    table = exported(community(tmp_path), "t.csv")
    data = table.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = {r["id"]: r for r in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))}
    for feature in SPOTS:
        told = feature["properties"]
        row = rows[told["id"]]
        assert row["level"] == told["level"]
        assert row["name"] == told.get("name", "")
        for key in ("radius_m", "width_m"):
            assert float(row[key] or 0) == told.get(key, 0)
        shape = shapely.from_wkt(row["wkt"])
        assert shape.equals_exact(shapely.geometry.shape(feature["geometry"]), 1e-9)
    assert (rows["bin-1"]["post"], rows["bin-1"]["in_zone"]) == ("Post 1", "z1")
    assert float(rows["yard-1"]["size_m2"]) == pytest.approx(150, rel=0.01)


def test_a_geopackage_says_it_to_sqlite_and_to_gdal(tmp_path: Path) -> None:
    table = exported(community(tmp_path), "t.gpkg")
    with closing(sqlite3.connect(table)) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert base.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
        held = dict(base.execute("SELECT table_name, data_type FROM gpkg_contents"))
        points = base.execute("SELECT id, kind, radius_m, geom FROM spots_points ORDER BY id")
        rows = points.fetchall()
        styles = base.execute("SELECT f_table_name, styleQML FROM layer_styles").fetchall()
    assert {"spots_points", "spots_lines", "spots_areas"} <= set(held)
    assert [row[:3] for row in rows] == [
        ("bin-1", "refuse_point", 2.0),
        ("bin-2", "refuse_point", 1.5),
        ("cover-1", "manhole_cover", 1.0),
    ]
    assert rows[0][3][:2] == b"GP"
    assert struct.unpack("<dd", rows[0][3][-16:]) == tuple(at(0, 0))
    assert {name for name, _ in styles} == {"spots_points", "spots_lines", "spots_areas"}
    assert all('attr="level"' in style for _, style in styles)
    meta, _, shapes, columns = pyogrio.raw.read(table, layer="spots_areas")
    assert list(columns[list(meta["fields"]).index("id")]) == ["yard-1"]
    assert shapely.from_wkb(shapes[0]).geom_type == "MultiPolygon"


def test_edits_in_a_spreadsheet_come_back_as_they_were_meant(tmp_path: Path) -> None:
    site = community(tmp_path)
    table = exported(site, "t.csv")

    def edit(rows: dict[str, dict[str, str]]) -> None:
        rows["bin-1"] |= {"level": "红", "level_reason": "rats seen", "responsible": "Post 4"}
        rows["bin-2"] |= {"note": "", "photos": "a.jpg; photos/b.jpg", "radius_m": "2.50"}
        rows["cover-1"]["size_m2"] = "99"
        rows.pop("drain-1")
        new = dict.fromkeys(rows["bin-1"], "")
        place = f"POINT ({at(20, -40)[0]} {at(20, -40)[1]})"
        rows["new"] = {**new, "kind": "公厕", "level": "red", "radius_m": "3", "wkt": place}

    sheet(table, edit)
    dry = brought(site, table, "--dry-run")
    assert dry["written"] is False
    told = fields(brought(site, table))
    assert fields(dry) == told
    since = told.pop(("bin-1", "level_since"))
    assert len(since) == 10
    assert {key: value for key, value in told.items() if key[0] != "public_toilet-0001"} == {
        ("bin-1", "level"): "red",
        ("bin-1", "level_reason"): "rats seen",
        ("bin-1", "responsible"): "Post 4",
        ("bin-2", "note"): None,
        ("bin-2", "photos"): ["a.jpg", "photos/b.jpg"],
        ("bin-2", "radius_m"): 2.5,
    }
    now = features_of(tmp_path / "spots.geojson")
    assert now["bin-1"]["properties"]["painted"] == "green"
    assert now["public_toilet-0001"]["geometry"]["coordinates"] == at(20, -40)
    assert "drain-1" in now
    code, out, _ = run("history", site, "bin-1", "--json")
    (row,) = json.loads(out)["changes"]
    assert (code, row["by"], row["why"]) == (0, "Wu", "import of t.csv")
    assert run("undo", site, "--by", "Lin")[0] == 0
    back = features_of(tmp_path / "spots.geojson")
    was = {feature["properties"]["id"]: feature for feature in SPOTS}
    assert set(back) == set(was)
    assert back["bin-1"] == was["bin-1"]
    assert brought(site, exported(site, "u.csv"), "--remove-absent")["changes"] == []


def test_edits_in_qgis_come_back_with_their_shapes(tmp_path: Path) -> None:
    """QGIS edits attributes by SQL and saves a moved point, a new line and another CRS by GDAL."""
    site = community(tmp_path)
    table = exported(site, "t.gpkg")
    with closing(sqlite3.connect(table)) as base:
        # QGIS has these functions; the triggers of the spatial index ask for them.
        base.create_function("ST_IsEmpty", 1, lambda _: 0)
        for number, name in enumerate(("ST_MinX", "ST_MinY", "ST_MaxX", "ST_MaxY")):
            base.create_function(name, 1, lambda blob, k=number: bounds_of(blob)[k])
        base.execute("UPDATE spots_points SET surface = 'concrete' WHERE id = 'bin-1'")
        base.execute("UPDATE spots_areas SET note = NULL, level_reason = 'x' WHERE id = 'yard-1'")
        base.commit()
    told = fields(brought(site, table))
    assert told == {("bin-1", "surface"): "concrete", ("yard-1", "level_reason"): "x"}
    meta, _, shapes, columns = pyogrio.raw.read(exported(site, "u.gpkg"), layer="spots_lines")
    names = list(meta["fields"])
    new = shapely.LineString([at(-20, -20), at(-20, -60)])
    shapes = np.array([*shapely.from_wkb(shapes), new])
    values = {"id": None, "kind": "明沟", "level": "blue", "width_m": 0.8, "rev": None}
    kept = [name for name in names if name in values]
    columns = [
        np.array([columns[names.index(name)][0], values[name]], dtype=float)
        if name == "width_m"
        else np.array([columns[names.index(name)][0], values[name]], dtype=object)
        for name in kept
    ]
    moved = shapely.transform(shapes[0], lambda xy: xy + np.array([0.0, 0.0001]))
    projected = tmp_path / "lines.gpkg"
    change = gauss_kruger(np.array([moved, new]))
    pyogrio.raw.write(
        projected, shapely.to_wkb(change), columns, kept, geometry_type="LineString",
        crs="EPSG:4547", layer="drawn", driver="GPKG",
    )  # fmt: skip
    told = fields(brought(site, projected))
    assert {key for key in told if key[0] == "drain-1"} == {("drain-1", "geometry")}
    assert told[("drain-1", "geometry")]["coordinates"][0][1] == pytest.approx(
        at(0, 40)[1] + 0.0001, abs=2e-7
    )
    assert told[("open_drain-0001", "width_m")] == 0.8


def bounds_of(blob: bytes) -> tuple[float, ...]:
    """Bounds of a GeoPackage's geometry. Source: OGC 12-128r19, clause 2.1.3."""
    envelope = {0: 0, 1: 32}[blob[3] >> 1 & 7]
    made: tuple[float, ...] = shapely.from_wkb(blob[8 + envelope :]).bounds
    return made


def gauss_kruger(shapes: Any) -> Any:
    """Shapes in CGCS2000 / 3-degree Gauss-Kruger CM 114E, through pyproj."""
    change = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4547", always_xy=True)
    return shapely.transform(shapes, lambda xy: np.column_stack(change.transform(*xy.T)))


def test_what_both_sides_changed_is_a_conflict_field_by_field(tmp_path: Path) -> None:
    site = community(tmp_path)
    table = exported(site, "t.csv")
    edit = ("edit", site, "bin-1", "--by", "Lin", "--set")
    assert run(*edit, "note=here", "--set", "surface=soil")[0] == 0

    def change(rows: dict[str, dict[str, str]]) -> None:
        rows["bin-1"] |= {"note": "there", "responsible": "Post 4"}

    sheet(table, change)
    data = (tmp_path / "spots.geojson").read_bytes()
    told = brought(site, table, code=1)
    assert told["written"] is False
    assert told["conflicts"] == [
        {"spot": "bin-1", "field": "note", "was": None, "here": "here", "table": "there"}
    ]
    assert (tmp_path / "spots.geojson").read_bytes() == data
    assert fields(brought(site, table, "--take", "inventory", "--dry-run")) == {
        ("bin-1", "responsible"): "Post 4"
    }
    assert fields(brought(site, table, "--take", "table")) == {
        ("bin-1", "responsible"): "Post 4",
        ("bin-1", "note"): "there",
    }
    properties = features_of(tmp_path / "spots.geojson")["bin-1"]["properties"]
    assert properties["surface"] == "soil"


@pytest.mark.parametrize(
    ("edit", "wanted"),
    [
        ({"bin-1": {"kind": "bim"}}, "t.csv:2: bin-1.kind: wanted a known kind, found 'bim'"),
        ({"bin-2": {"radius_m": "wide"}}, "t.csv:3: bin-2.radius_m: wanted a number"),
        ({"bin-1": {"level": "red"}}, "t.csv:2: bin-1.level_reason: wanted why it goes"),
        ({"bin-2": {"wkt": "POINT (1"}}, "t.csv:3: bin-2.wkt: wanted well-known text"),
        ({"bin-2": {"id": "bin-1"}}, "t.csv:3: bin-1.id: wanted an id once in the table"),
        ({"bin-2": {"id": "0002"}}, "t.csv:3: 0002.id: wanted the id of a spot that is there"),
        ({"bin-2": {"id": "", "rev": "", "wkt": ""}}, "new spot.wkt: wanted a shape"),
        ({"cover-1": {"zone": "z7"}}, "cover-1).zone: wanted the id of a zone, found 'z7'"),
        ({"cover-1": {"photos": "gone.jpg"}}, "cover-1.photos: wanted a file in"),
    ],
)
def test_wrong_cells_are_named_and_nothing_is_taken(
    tmp_path: Path, edit: dict[str, dict[str, str]], wanted: str
) -> None:
    site = community(tmp_path)
    table = exported(site, "t.csv")
    data = (tmp_path / "spots.geojson").read_bytes()

    def change(rows: dict[str, dict[str, str]]) -> None:
        rows["yard-1"]["note"] = "fine"
        for spot_id, cells in edit.items():
            rows[spot_id] |= cells

    sheet(table, change)
    for words in (("--dry-run",), ()):
        code, out, err = run("import", site, table, "--by", "Wu", *words)
        assert (code, out) == (2, "")
        assert wanted in err
    assert (tmp_path / "spots.geojson").read_bytes() == data


def test_a_geojson_of_the_layer_itself_changes_nothing(tmp_path: Path) -> None:
    site = community(tmp_path)
    assert run("edit", site, "bin-1", "--photo", "a.jpg", "--photo", "photos/b.jpg")[0] == 0
    copy = tmp_path / "copy.geojson"
    copy.write_bytes((tmp_path / "spots.geojson").read_bytes())
    assert brought(site, copy)["changes"] == []


VALUES = st.sampled_from(["", "a", "b"])
KEYS = ("name", "note", "surface", "responsible")


@settings(max_examples=40, deadline=None)
@given(was=st.tuples(*[VALUES] * 4), here=st.tuples(*[VALUES] * 4), there=st.tuples(*[VALUES] * 4))
def test_each_field_is_merged_by_the_table_of_three_ways(
    was: tuple[str, ...], here: tuple[str, ...], there: tuple[str, ...], tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("three")
    spot = point(0, 0, id="s", kind="bin", level="red", radius_m=1)
    spot["properties"] |= dict(zip(KEYS, was, strict=True))
    site = community(folder, [spot])
    book = read_book(site)
    table, ledger = folder / "t.csv", folder / "l"
    table.write_bytes(csv_bytes(listed(book, read_site(site))))
    values = {key: value or None for key, value in zip(KEYS, here, strict=True)}
    commit(book, [edition(book, "s", values)], ledger, by="Lin")
    sheet(table, lambda rows: rows["s"].update(zip(KEYS, there, strict=True)))
    rows, columns = read_rows(table)
    book = read_book(site)

    def base_of(spot_id: str, rev: str) -> Any:
        if not ledger.is_file():
            return None
        with open_ledger(ledger) as held:
            return state_marked(held, spot_id, lambda state: mark_of(state) == rev)

    found = bring(book, rows, columns, today=date(2026, 7, 1), base_of=base_of)
    fought = {conflict.key for conflict in found.conflicts}
    after = found.changes[0].after if found.changes else book.state("s")
    for key, old, ours, theirs in zip(KEYS, was, here, there, strict=True):
        both = theirs not in (old, ours) and ours != old
        assert (key in fought) == both
        want = ours if theirs == old or both else theirs
        assert (after or {}).get(key, "") == want


def test_tables_of_others(tmp_path: Path) -> None:
    """Semicolons and decimal commas, other columns, points by coordinates; GBK is refused."""
    site = community(tmp_path)
    lon, lat = (str(part).replace(".", ",") for part in at(-30, 30))
    table = tmp_path / "own.csv"
    table.write_text(
        f"ID;Kind;Level;radius_m;lon_deg;lat_deg;inspector\nx1;井盖;blue;1,5;{lon};{lat};Wu\n"
        "bin-1;;;4;;;Wu\n",
        encoding="utf-8",
    )
    code, out, err = run("import", site, table, "--by", "Wu")
    assert code == 0, err
    assert "x1: import: manhole_cover, blue" in out
    assert "bin-1: import: radius_m: 2 -> 4" in out
    assert "columns passed over: inspector" in err
    assert "4 spots are not in the table and stay" in err
    table.write_bytes("id,note\nbin-1,脏\n".encode("gbk"))
    code, _, err = run("import", site, table)
    assert (code, "own.csv:2: wanted UTF-8" in err, "save it as CSV UTF-8" in err) == (
        2,
        True,
        True,
    )
    table.write_text("name,note\na,b\n")
    assert "wanted headings with id" in run("import", site, table)[2]


@given(st.text(max_size=30))
def test_a_guarded_cell_begins_no_formula_and_comes_back(cell: str) -> None:
    made = inert(cell)
    assert unguarded(made) == cell
    if made.startswith(RISKY):
        float(made)  # a plain negative number


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_names_survive_a_spreadsheet(seed: int, tmp_path_factory: Any) -> None:
    """Formulas, quotes, newlines and Chinese: text for text, and no cell is a formula."""
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("names")
    alphabet = "=+-@'\";,\t\n <>&%1aé脏＝"
    spots = [
        point(
            *(20 * k, 0),
            **{"id": f"s{k}", "kind": "bin", "level": "red", "radius_m": 1},
            **{
                key: "".join(rng.choices(alphabet, k=rng.randint(0, 9)))
                for key in ("name", "note", "responsible", "source")
            },
        )
        for k in range(8)
    ]
    site = community(folder, spots)
    book = read_book(site)
    table = folder / "t.csv"
    table.write_bytes(csv_bytes(listed(book, read_site(site))))
    for row in csv.reader(io.StringIO(table.read_bytes().decode("utf-8-sig"), newline="")):
        for cell in (cell for cell in row if cell.startswith(RISKY)):
            float(cell)  # a plain negative number
    rows, columns = read_rows(table)
    found = bring(book, rows, columns, today=date(2026, 7, 1), base_of=lambda *_: None)
    assert found.changes == ()
    assert found.conflicts == ()
