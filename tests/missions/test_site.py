"""Reading a site: what comes out, every fault by name, and garbage that never crashes it."""

from __future__ import annotations

import copy
import json
import math
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skymist.coverage.plan import Plan
from skymist.coverage.site import Kind, LevelName, Mode, Site
from skymist.missions.checks import check_site
from skymist.missions.errors import SiteFileError
from skymist.missions.plans import plan_from_dict, plan_to_dict
from skymist.missions.site import read_site, site_faults

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"
FAULTS = Path(__file__).parent / "faults" / "site.yaml"
SHARED = ROOT.parent / "shared" / "sites"

LON, LAT = 24.94, 60.17
PRODUCT: dict[str, Any] = {
    "id": "a",
    "agents": ["chlorine-500"],
    "contains": ["hypochlorite"],
    "chlorine_percent": 6,
}
BARE = {key: value for key, value in PRODUCT.items() if key != "chlorine_percent"}
SMALL: dict[str, Any] = {
    "schema": 1,
    "name": "Small",
    "spots": [
        {"id": "bin", "kind": "refuse_point", "level": "red", "radius_m": 2, "point": [LON, LAT]},
        {
            "id": "lane",
            "kind": "back_alley",
            "level": "blue",
            "width_m": 3,
            "line": [[LON, LAT + 0.001], [LON + 0.001, LAT + 0.001]],
        },
        {
            "id": "yard",
            "kind": "yard",
            "level": "yellow",
            "polygon": [[LON, LAT], [LON + 0.001, LAT], [LON + 0.001, LAT - 0.001]],
        },
    ],
    "buildings": [
        {
            "id": "b",
            "height_m": 9,
            "polygon": [
                [LON - 0.001, LAT],
                [LON - 0.0005, LAT],
                [LON - 0.0005, LAT + 0.0005],
            ],
        }
    ],
    "pads": [{"id": "p1", "point": [LON + 0.0005, LAT + 0.0005]}],
    "fleet": [{"model": "hexa-16"}],
    "agents": [{"id": "mix", "name": "our mix", "chlorine_mg_per_l": 800}],
    "levels": {"surface": {"red": {"dose_ml_per_m2": 120, "agent": "mix"}}},
    "policy": {"wind_max_mps": 4},
}


def written(folder: Path, data: Any, **layers: Any) -> Path:
    """A site file, with GeoJSON layers beside it."""
    for name, features in layers.items():
        body = {"type": "FeatureCollection", "features": features}
        (folder / f"{name}.geojson").write_text(json.dumps(body), encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def small(**changes: Any) -> dict[str, Any]:
    """The small site with other values at the top."""
    return copy.deepcopy(SMALL) | changes


def feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(dx_deg: float = 0.0, dy_deg: float = 0.0) -> dict[str, Any]:
    """A GeoJSON point near the small site."""
    return {"type": "Point", "coordinates": [LON + dx_deg, LAT + dy_deg]}


def test_a_small_site_is_read_with_defaults_and_its_changes(tmp_path: Path) -> None:
    site = read_site(written(tmp_path, SMALL))
    assert [spot.id for spot in site.spots] == ["bin", "lane", "yard"]
    assert site.fleet[0].pad_id == "p1"
    assert site.fleet[0].sysid == 1
    red = site.level_for(site.spot("bin"))
    assert red.dose_l_per_m2 == pytest.approx(0.12)
    assert red.agent_id == "mix"
    assert site.policy.wind_max_mps == 4
    assert {agent.id for agent in site.agents} >= {"mix", "chlorine-1000", "larvicide"}
    assert site.spot("lane").shape.length == pytest.approx(55.6, abs=0.1)
    assert site.buildings[0].height_m == 9


def test_demo_flies_and_fits_its_purpose() -> None:
    site = read_site(DEMO)
    assert 10 <= len(site.spots) <= 14
    assert len({spot.kind for spot in site.spots}) >= 10
    assert {spot.level for spot in site.spots} == set(LevelName)
    assert {spot.zone_id for spot in site.spots} == {"west", "east"}
    assert site.spot("belt-south").mode is Mode.VECTOR
    litres_l = sum(
        spot.area.area * site.level_for(spot).dose_l_per_m2
        for spot in site.spots
        if site.level_for(spot).is_flown
    )
    assert 20 <= litres_l <= 40
    assert not [f for f in check_site(site) if f.severity == "error"]


@pytest.mark.parametrize(
    ("name", "num_spots", "limit_s"), [("helsinki", 178, 1), ("kouvola", 278, 1)]
)
def test_real_neighbourhoods_are_read_whole_and_fast(
    name: str, num_spots: int, limit_s: float, request: pytest.FixtureRequest
) -> None:
    if not (SHARED / name).is_dir():
        if request.config.getoption("--require-shared", default=False):
            pytest.fail(f"no {SHARED / name}")
        pytest.skip("the real neighbourhoods are not beside the project")
    start_s = time.process_time()
    site = read_site(ROOT / "examples" / name / "site.yaml")
    assert time.process_time() - start_s < limit_s
    assert len(site.spots) == num_spots
    assert all(spot.zone_id for spot in site.spots)
    assert "OpenStreetMap" in site.attribution


FAULTS_BY_HAND = [
    ("site.yaml", 2, "schema", "1", "2"),
    ("site.yaml", 4, "name", "each key once", "again"),
    ("site.yaml", 5, "polices", "a known key", "polices"),
    ("site.yaml", 10, "layers.buildings.properties.height_m", "a property of", "hight"),
    ("site.yaml", 13, "layers.no_spray", "a file that is there", "no_spay.geojson"),
    ("site.yaml", 20, "fleet[0].model", "a built-in model", "hexa-61"),
    ("site.yaml", 21, "fleet[1].count", "a whole number", "2.5"),
    ("site.yaml", 25, "levels.surface.red.dose_ml_per_m2", "a number", "100 mL"),
    ("site.yaml", 26, "levels.surface.blue.agent", "the id of an agent", "chlorine-50"),
    ("site.yaml", 29, "policy.wind_max_mps", "above 0", "0"),
    ("spots.geojson", 3, "features[1](swapped).geometry", "within 30 km", "[60.1703, 24.9403]"),
    ("spots.geojson", 4, "features[2](crossed).geometry", "not cross itself", "self-intersection"),
    ("spots.geojson", 5, "features[3](not-a-number).geometry", "finite", "NaN"),
    ("spots.geojson", 6, "features[4](negative).radius_m", "above 0", "-2"),
    ("spots.geojson", 7, "features[5](purple).level", "red, yellow, blue or green", "purple"),
    ("spots.geojson", 8, "features[6](stray).geometry", "inside a zone", "outside every zone"),
    ("spots.geojson", 9, "features[7](thin).width_m", "width_m above 0", "nothing"),
    ("spots.geojson", 10, "features[8](unheard).kind", "a known kind", "refuse_statoin"),
    ("spots.geojson", 11, "features[9](good).id", "an id of its own", "again"),
    ("sensitive.geojson", None, "file", "WGS84", "EPSG::3067"),
]


def test_twenty_faults_give_twenty_findings_with_place_and_words() -> None:
    faults = site_faults(FAULTS)
    for found, (file, line, field, wanted, what) in zip(faults, FAULTS_BY_HAND, strict=True):
        assert (Path(found.file).name, found.line, found.field) == (file, line, field)
        assert wanted in found.wanted
        assert what in found.found
    assert len(faults) == 20


def test_all_faults_are_in_the_error_and_its_message() -> None:
    with pytest.raises(SiteFileError) as caught:
        read_site(FAULTS)
    assert len(str(caught.value).splitlines()) == len(caught.value.faults) == 20


@pytest.mark.parametrize(
    ("key", "hint"),
    [("polices", "policy"), ("fleets", "fleet"), ("layer", "layers"), ("no_spry", "no_spray")],
)
def test_unknown_keys_come_with_a_suggestion(key: str, hint: str, tmp_path: Path) -> None:
    (fault,) = site_faults(written(tmp_path, small(**{key: {}})))
    assert fault.hint == f"did you mean {hint}?"


@pytest.mark.parametrize(
    ("change", "field", "wanted"),
    [
        ({"spots": []}, "spots", "at least one blind spot"),
        ({"pads": None}, "pads", "at least one pad"),
        ({"fleet": []}, "fleet", "at least one drone"),
        ({"fleet": {"model": "hexa-16"}}, "fleet", "a list"),
        ({"fleet": ["hexa-16"]}, "fleet[0]", "a mapping"),
        ({"fleet": [{"model": "hexa-16", "sysid": 0}]}, "fleet[0].sysid", "1 or more"),
        ({"fleet": [{"model": "hexa-16", "sysid": 250, "count": 2}]}, "fleet[0].sysid", "250"),
        ({"fleet": [{"model": {"based_on": "hexa-1"}}]}, "fleet[0].model.based_on", "built-in"),
        ({"fleet": [{"model": {"tank_l": 5}}]}, "fleet[0].model", "a whole model"),
        ({"fleet": [{"model": "hexa-16", "pad": "p2"}]}, "fleet[0].pad", "the id of a pad"),
        ({"layers": []}, "layers", "a mapping"),
        ({"layers": {"spots": "nowhere.kml"}}, "layers.spots", "a file that is there"),
        ({"layers": {"spots": ["a.kml"]}}, "layers.spots[0]", "a file that is there"),
        ({"layers": {"spots": 5}}, "layers.spots", "a mapping"),
        ({"layers": {"spot": "a.geojson"}}, "layers.spot", "a known layer"),
        ({"origin": {"lat_deg": LON, "lon_deg": LAT}}, "origin", "within 30 km"),
        ({"origin": {"lat_deg": 100, "lon_deg": 0}}, "origin.lat_deg", "at most 90"),
        ({"origin": {"lat_deg": LAT}}, "origin.lon_deg", "longitude"),
        ({"levels": {"surface": {"orange": {}}}}, "levels.surface.orange", "a known key"),
        ({"level_rules": {"cases": {"red": 1}}}, "level_rules.cases.days", ""),
        ({"level_rules": {"rats": {"days": 1}}}, "level_rules.rats", "a known key"),
        ({"organiser": {"crew_people": 0}}, "organiser.crew_people", ""),
        ({"organiser": {"prices": {"operator_day": 1}}}, "organiser.prices.operator_day", "a key"),
        (
            {"organiser": {"products": [PRODUCT | {"ml_per_l": 20}]}},
            "organiser.products[0]",
            "one of chlorine_percent and ml_per_l",
        ),
        (
            {"organiser": {"products": [PRODUCT | {"chlorine_percent": 60}]}},
            "organiser.products[0]",
            "chlorine_percent of at most 20 for a liquid",
        ),
        (
            {"organiser": {"products": [PRODUCT | {"form": "powder", "ml_per_l": 20}]}},
            "organiser.products[0]",
            "chlorine_percent or g_per_l and price_per_kg for a product of form powder",
        ),
        (
            {"organiser": {"products": [PRODUCT | {"g_per_l": 2}]}},
            "organiser.products[0]",
            "chlorine_percent or ml_per_l and price_per_l for a product of form liquid",
        ),
        (
            {"organiser": {"products": [PRODUCT | {"form": "tablets"}]}},
            "organiser.products[0]",
            "chlorine_mg_per_tablet and price_per_tablet for a product of form tablets",
        ),
        (
            {"organiser": {"products": [BARE | {"form": "tablets"}]}},
            "organiser.products[0]",
            "chlorine_mg_per_tablet",
        ),
        (
            {"organiser": {"products": [PRODUCT | {"form": "powder", "price_per_l": 2}]}},
            "organiser.products[0]",
            "price_per_kg",
        ),
        (
            {"organiser": {"products": [PRODUCT | {"contains": ["tea"]}]}},
            "organiser.products[0].contains[0]",
            "",
        ),
        (
            {"organiser": {"products": [PRODUCT | {"agents": ["chlorine-50"]}]}},
            "organiser.products[0].agents",
            "ids of agents",
        ),
        ({"organiser": {"products": [PRODUCT, PRODUCT]}}, "organiser.products[1].id", "own"),
        ({"level_rules": {"cases": {"days": 1}}}, "level_rules.cases", "red, yellow or blue"),
        (
            {"level_rules": {"flies": {"days": 1, "red": 2, "blue": 9}}},
            "level_rules.flies",
            "the worse level from the higher one",
        ),
        ({"agents": [{"id": "mix"}, {"id": "mix"}]}, "agents[1].id", "an id of its own"),
        ({"policy": {"reserve_frac": 25}}, "policy.reserve_frac", "at most 0.9"),
        ({"policy": {"temperature_min_c": 40}}, "policy.temperature_min_c", "below the maximum"),
        ({"policy": {"ceiling_m": True}}, "policy.ceiling_m", "a number"),
        ({"policy": {"ceiling_m": math.nan}}, "policy.ceiling_m", "a finite number"),
    ],
)
def test_a_fault_names_its_field(
    change: dict[str, Any], field: str, wanted: str, tmp_path: Path
) -> None:
    faults = site_faults(written(tmp_path, small(**change)))
    assert [fault.field for fault in faults] == [field]
    assert wanted in faults[0].wanted
    assert faults[0].line is not None


@pytest.mark.parametrize(
    ("spot", "field", "found"),
    [
        ({"point": None}, "", "none"),
        ({"wkt": "POINT (24.94 60.17)"}, "", "point and wkt"),
        ({"point": [LON]}, ".point", "a list of 1"),
        ({"point": [LON, "north"]}, ".point", "'north'"),
        ({"point": [LON, math.inf]}, ".point", "infinity"),
        ({"point": None, "wkt": "POINT EMPTY"}, ".wkt", "an empty Point"),
        ({"point": None, "wkt": "POINT (24.94)"}, ".wkt", ""),
        ({"point": None, "line": [[LON, LAT], [LON, LAT]]}, ".line", "1"),
        ({"point": None, "polygon": [[LON, LAT], [LON + 1e-3, LAT]]}, ".polygon", "2"),
        ({"point": [LAT, LON]}, ".point", "[60.17, 24.94]"),
        ({"point": [LON * 1e5, LAT * 1e5]}, ".point", "[2494000, 6017000]"),
        ({"radius_m": None}, ".radius_m", "nothing"),
        ({"radius": 2}, ".radius", "'radius'"),
        ({"agent": "bleach"}, ".agent", "'bleach'"),
        ({"zone": "z1"}, ".zone", "'z1'"),
        ({"id": ""}, ".id", "''"),
        ({"kind": "flat_roof"}, ".elevation_m", "nothing"),
        ({"level": ["red"]}, ".level", "a list of 1"),
    ],
)
def test_a_faulty_spot_is_named(
    spot: dict[str, Any], field: str, found: str, tmp_path: Path
) -> None:
    data = small()
    data["spots"][0] |= spot
    data["spots"][0] = {k: v for k, v in data["spots"][0].items() if v is not None}
    (fault,) = site_faults(written(tmp_path, data))
    name = spot.get("id", "bin")
    assert fault.field == f"spots[0]{f'({name})' if name else ''}{field}"
    assert found in fault.found
    assert fault.line is not None


def test_kinds_and_levels_take_chinese_and_common_words(tmp_path: Path) -> None:
    data = small()
    data["spots"][0] |= {"kind": "垃圾屋", "level": "红色"}
    data["spots"][1] |= {"kind": "Back alley", "level": "蓝"}
    data["spots"][2] |= {"kind": "绿化带", "level": "Yellow"}
    spots = read_site(written(tmp_path, data)).spots
    assert [s.kind for s in spots] == [Kind.REFUSE_STATION, Kind.BACK_ALLEY, Kind.GREEN_BELT]
    assert [s.level for s in spots] == [LevelName.RED, LevelName.BLUE, LevelName.YELLOW]
    assert spots[2].mode is Mode.VECTOR


def test_mode_is_the_spots_then_the_kinds_then_the_sites(tmp_path: Path) -> None:
    data = small(policy={"mode": "vector"})
    data["spots"][0] |= {"mode": "surface"}
    data["spots"][2] |= {"kind": "building_site"}
    modes = [spot.mode for spot in read_site(written(tmp_path, data)).spots]
    assert modes == [Mode.SURFACE, Mode.VECTOR, Mode.VECTOR]


def test_a_roof_without_height_takes_that_of_the_building_under_it(tmp_path: Path) -> None:
    data = small()
    place = {"point": [LON - 0.0006, LAT + 0.0001], "radius_m": 2, "kind": "flat_roof"}
    data["spots"][0] |= place
    assert read_site(written(tmp_path, data)).spot("bin").elevation_m == 9


def test_fleet_is_spread_over_pads_and_system_ids(tmp_path: Path) -> None:
    data = small(
        fleet=[{"model": "hexa-16", "count": 3}, {"id": "x", "model": "hexa-10", "sysid": 2}]
    )
    data["pads"].append({"id": "p2", "point": [LON, LAT + 0.0004]})
    fleet = read_site(written(tmp_path, data)).fleet
    assert [(d.id, d.pad_id, d.sysid) for d in fleet] == [
        ("drone-1", "p1", 1),
        ("drone-2", "p2", 3),
        ("drone-3", "p1", 4),
        ("x", "p2", 2),
    ]


def test_a_model_may_vary_a_built_in_one(tmp_path: Path) -> None:
    model = {"based_on": "hexa-16", "flow_max_lpm": 4.2, "dry_kg": 21}
    made = read_site(written(tmp_path, small(fleet=[{"model": model}]))).fleet[0].model
    assert made.id == "hexa-16-own"
    assert made.sprayer.flow_max_lps == pytest.approx(0.07)
    assert made.dry_kg == 21
    assert made.sprayer.tank_l == 16


def test_a_part_that_is_faulty_draws_no_faults_after_it(tmp_path: Path) -> None:
    data = small(layers={"zones": "gone.geojson", "pads": "gone.geojson"})
    data["fleet"] = [{"model": "hexa-16", "pad": "p9"}]
    data["spots"][0]["zone"] = "z9"
    assert [f.field for f in site_faults(written(tmp_path, data))] == [
        "layers.zones",
        "layers.pads",
    ]


def test_no_spray_ground_may_be_a_point_or_a_line_with_its_size(tmp_path: Path) -> None:
    well = {"id": "well", "reason": "well", "point": [LON, LAT], "radius_m": 10}
    ditch = {"id": "ditch", "line": [[LON, LAT], [LON + 0.001, LAT]], "width_m": 2}
    site = read_site(written(tmp_path, small(no_spray=[well, ditch])))
    areas = {area.id: area.area.area for area in site.no_spray}
    assert areas["well"] == pytest.approx(math.pi * 100, rel=0.01)
    assert areas["ditch"] == pytest.approx(2 * 55.6, rel=0.01)
    faults = site_faults(written(tmp_path, small(no_spray=[well | {"radius_m": None}])))
    assert [f.field for f in faults] == ["no_spray[0](well).radius_m"]


def test_lists_and_entries_of_another_shape_are_faults(tmp_path: Path) -> None:
    faults = site_faults(written(tmp_path, small(zones={"id": "z"}, pads=["p1"], spots=5)))
    assert [f.field for f in faults] == ["spots", "pads[0]", "zones"]


def test_many_faults_of_one_cause_are_counted(tmp_path: Path) -> None:
    buildings = [
        feature({"type": "Polygon", "coordinates": [RING]}, id=f"b{i}", hoehe=5) for i in range(80)
    ]
    data = small(layers={"buildings": "buildings.geojson"})
    faults = site_faults(written(tmp_path, data, buildings=buildings))
    assert len(faults) == 51
    assert faults[-1].found == "30 more like the one above"
    assert "defaults: {height_m: ...}" in faults[0].hint


def test_a_shape_smaller_than_a_millimetre_is_a_fault(tmp_path: Path) -> None:
    data = small()
    e = 1e-9
    data["spots"][2]["polygon"] = [[LON, LAT], [LON + e, LAT], [LON + e, LAT + e]]
    (fault,) = site_faults(written(tmp_path, data))
    assert "to the millimetre" in fault.wanted


def test_a_site_comes_back_the_same_from_its_plan() -> None:
    site = read_site(DEMO)
    plan = Plan(site=site, seed=0, treatments=(), ground=(), sorties=())
    assert plan_from_dict(json.loads(json.dumps(plan_to_dict(plan)))).site == site


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02", b"- a\n- b\n", b"\xff\xfe", b"a: [", b"just text", b"5", b"[" * 9000],
)
def test_garbage_is_one_fault(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(content)
    (fault,) = site_faults(path)
    assert fault.file == str(path)
    with pytest.raises(SiteFileError):
        read_site(path)


def test_a_missing_file_a_folder_and_a_huge_file_are_faults(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"a: b\n" * 2_100_000)
    for path in (tmp_path / "gone.yaml", tmp_path, huge):
        start_s = time.perf_counter()
        assert len(site_faults(path)) == 1
        assert time.perf_counter() - start_s < 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["red", "hexa-16", "p1", "<path>", "<<", "surface", "POINT EMPTY", "a.kml"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a value."""
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    found = []
    for key, inner in pairs:
        found += [(*above, key), *_places(inner, (*above, key))]
    return found


def _mutate(data: Any, draw: Any) -> None:
    """Replace, drop, rename or double something inside the data."""
    places = _places(data)
    if not places:
        return
    *above, last = draw(st.sampled_from(places))
    owner = data
    for key in above:
        owner = owner[key]
    match draw(st.sampled_from(["replace", "drop", "rename", "double"])):
        case "replace":
            owner[last] = draw(VALUES)
        case "drop":
            del owner[last]
        case "rename" if isinstance(owner, dict):
            owner[draw(st.text(max_size=6))] = owner.pop(last)
        case _ if isinstance(owner, list):
            owner.append(copy.deepcopy(owner[last]))


def _read_or_fault(path: Path) -> Site | None:
    """The site, or None for a `SiteFileError`; whatever reads can also be checked."""
    try:
        site = read_site(path)
    except SiteFileError as exc:
        if not exc.faults or len(str(exc).splitlines()) != len(exc.faults):
            pytest.fail(f"not one line for each fault: {exc!r}")
        str(exc).encode("utf-8")
        return None
    check_site(site)
    return site


LAYERED = {
    "schema": 1,
    "name": "Layered",
    "layers": {
        "spots": {
            "file": "spots.geojson",
            "properties": {"kind": "what"},
            "values": {"kind": {"bin": "refuse_point"}},
            "defaults": {"level": "red", "radius_m": 2},
            "where": {"keep": [1, "yes"]},
            "crs": "EPSG:4326",
        },
        "zones": "zones.geojson",
        "pads": ["pads.geojson"],
    },
    "fleet": [{"model": {"based_on": "hexa-10", "dry_kg": 15}, "count": 2}],
}
SPOTS = [
    feature(point(), id="s1", what="bin", keep=1),
    feature(point(0.001), id="s2", what="bin", keep="yes", radius_m=3),
    feature(point(0.002), id="s3", what="bin", keep="no"),
]
PADS = [feature(point(0.0005, 0.0005), id="p1")]
RING = [[LON - 0.1, LAT - 0.1], [LON + 0.1, LAT - 0.1], [LON, LAT + 0.1], [LON - 0.1, LAT - 0.1]]
ZONES = [feature({"type": "Polygon", "coordinates": [RING]}, id="z1", responsible="post 1")]
CHECKED = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_layers_are_mapped_filtered_and_filled(tmp_path: Path) -> None:
    site = read_site(written(tmp_path, LAYERED, spots=SPOTS, zones=ZONES, pads=PADS))
    assert [(s.id, s.kind, s.radius_m) for s in site.spots] == [
        ("s1", Kind.REFUSE_POINT, 2.0),
        ("s2", Kind.REFUSE_POINT, 3.0),
    ]
    assert {s.zone_id for s in site.spots} == {"z1"}
    assert [d.pad_id for d in site.fleet] == ["p1", "p1"]


@CHECKED
@given(data=st.data())
def test_any_mutation_of_inline_values_is_a_site_or_faults(data: Any, tmp_path: Path) -> None:
    value = copy.deepcopy(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        _mutate(value, data.draw)
    _read_or_fault(written(tmp_path, value))


@CHECKED
@given(data=st.data())
def test_any_mutation_of_layers_is_a_site_or_faults(data: Any, tmp_path: Path) -> None:
    value = copy.deepcopy([LAYERED, SPOTS, ZONES, PADS])
    for _ in range(data.draw(st.integers(1, 3))):
        _mutate(value, data.draw)
    value += [[], [], [], []]
    _read_or_fault(written(tmp_path, value[0], spots=value[1], zones=value[2], pads=value[3]))


@CHECKED
@given(data=st.data())
def test_any_damage_to_the_bytes_is_a_site_or_faults(data: Any, tmp_path: Path) -> None:
    written(tmp_path, LAYERED, spots=SPOTS, zones=ZONES, pads=PADS)
    path = tmp_path / data.draw(st.sampled_from(["site.yaml", "spots.geojson", "zones.geojson"]))
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    path.write_bytes(content[:start] + data.draw(st.binary(max_size=8)) + content[end:])
    _read_or_fault(tmp_path / "site.yaml")


@given(dx_m=st.floats(-4000, 4000), dy_m=st.floats(-4000, 4000), lat_deg=st.floats(-70, 70))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_metres_come_out_as_they_went_in(
    dx_m: float, dy_m: float, lat_deg: float, tmp_path: Path
) -> None:
    from skymist.coverage.frames import Origin

    origin = Origin(lat_deg=lat_deg, lon_deg=LON)
    place = [float(c) for c in origin.to_geo([(dx_m, dy_m)])[0]]
    data = small(origin={"lat_deg": lat_deg, "lon_deg": LON}, buildings=None)
    data["spots"] = [data["spots"][0] | {"point": place}]
    data["pads"] = [{"id": "p1", "point": place}]
    pad = read_site(written(tmp_path, data)).pads[0]
    assert pad.x == pytest.approx(dx_m, abs=0.001)
    assert pad.y == pytest.approx(dy_m, abs=0.001)


def test_what_the_organiser_adds_is_read_and_kept_in_a_plan(tmp_path: Path) -> None:
    given = {
        "contact": "Office, 0100",
        "crew_hours": ["08:00-11:00", "14-17"],
        "crew_people": 3,
        "products": [
            PRODUCT,
            BARE | {"id": "b", "ml_per_l": 20},
            BARE | {"id": "c", "form": "powder", "chlorine_percent": 60},
            BARE | {"id": "d", "form": "powder", "g_per_l": 3, "price_per_kg": 40},
            BARE
            | {
                **{"id": "e", "form": "tablets", "chlorine_mg_per_tablet": 500},
                "price_per_tablet": 0.3,
            },
        ],
        "prices": {"operator_per_day": 500},
        "currency": "EUR",
    }
    site = read_site(written(tmp_path, small(organiser=given)))
    held = site.organiser
    assert (held.contact, held.crew_people, held.currency) == ("Office, 0100", 3, "EUR")
    assert [hours.text for hours in held.crew_hours] == ["08:00-11:00", "14:00-17:00"]
    measures = [(p.chlorine_mg_per_unit, p.units_per_l) for p in held.products]
    assert measures == [(60, 0), (0, 20), (600, 0), (0, 3), (500, 0)]
    assert [p.price for p in held.products][-2:] == [40, 0.3]
    assert held.prices == (("operator_per_day", 500.0),)
    made = Plan(site=site, seed=0, treatments=(), ground=(), sorties=())
    assert plan_from_dict(plan_to_dict(made)).site.organiser == held


def test_level_rules_are_read_and_kept_in_a_plan(tmp_path: Path) -> None:
    from skymist.coverage.plan import Plan
    from skymist.missions.plans import plan_from_dict, plan_to_dict

    rules = {"decay_days": 3, "cases": {"days": 14, "red": 1}, "flies": {"days": 2, "blue": 5.5}}
    site = read_site(written(tmp_path, small(level_rules=rules)))
    assert site.level_rules.decay_days == 3
    assert [(r.measure.value, r.days, r.red, r.blue) for r in site.level_rules.rules] == [
        ("cases", 14, 1.0, None),
        ("flies", 2, None, 5.5),
    ]
    made = Plan(site=site, seed=0, treatments=(), ground=(), sorties=())
    assert plan_from_dict(plan_to_dict(made)).site.level_rules == site.level_rules
