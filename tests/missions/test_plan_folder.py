"""A plan's folder: whole or not at all, the same bytes, and files that other tools take."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skymist.coverage.planning import plan_site
from skymist.missions.compile import compile_plan
from skymist.missions.errors import FormatError
from skymist.missions.formats.geojson_plan import plan_geojson
from skymist.missions.formats.qgc import qgc_plan, waypoints
from skymist.missions.items import Command
from skymist.missions.plan_folder import write_plan_folder
from skymist.missions.plans import plan_to_dict, read_plan
from skymist.missions.site import read_site

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def demo() -> Plan:
    return plan_site(read_site(DEMO))


def test_the_same_site_and_seed_give_the_same_bytes(demo: Plan, tmp_path: Path) -> None:
    write_plan_folder(demo, tmp_path / "a")
    write_plan_folder(plan_site(read_site(DEMO)), tmp_path / "b")
    names = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(names) > 4
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_plan_comes_back_as_it_was_written(demo: Plan, tmp_path: Path) -> None:
    write_plan_folder(demo, tmp_path)
    back = read_plan(tmp_path)
    assert plan_to_dict(back) == plan_to_dict(demo)
    assert {k: m.items for k, m in compile_plan(back).items()} == {
        k: m.items for k, m in compile_plan(demo).items()
    }


def test_missions_of_an_earlier_plan_do_not_stay(demo: Plan, tmp_path: Path) -> None:
    (tmp_path / "missions").mkdir()
    (tmp_path / "missions" / "old.plan").write_text("{}", encoding="utf-8")
    write_plan_folder(demo, tmp_path)
    assert not (tmp_path / "missions" / "old.plan").exists()
    names = {"missions", "plan.json", "ground-crew.csv", "sorties.csv"}
    assert {p.name for p in tmp_path.iterdir()} == names


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "JSON"), ("[]", "list"), ('{"schema": 9}', "schema"), ('{"schema": 1}', "site")],
)
def test_a_broken_plan_is_named(text: str, found: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=found):
        read_plan(tmp_path)


def test_the_ground_crews_list_holds_every_task(demo: Plan, tmp_path: Path) -> None:
    write_plan_folder(demo, tmp_path)
    text = (tmp_path / "ground-crew.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["spot"] for row in rows] == [task.spot_id for task in demo.ground]
    assert all(row["explanation"] and float(row["area_m2"]) >= 0 for row in rows)


def test_geojson_holds_every_leg_within_the_site(demo: Plan) -> None:
    features = json.loads(plan_geojson(demo))["features"]
    legs = [f for f in features if f["properties"]["what"] in ("spray", "transit")]
    assert len(legs) == sum(len(s.legs) for s in demo.sorties)
    for leg in legs:
        points = leg["geometry"]["coordinates"]
        points = [points] if leg["geometry"]["type"] == "Point" else points
        for lon, lat in points:
            assert abs(lat - demo.site.origin.lat_deg) < 0.02
            assert abs(lon - demo.site.origin.lon_deg) < 0.04


def test_waypoints_are_tab_separated_and_exact(demo: Plan) -> None:
    for mission in compile_plan(demo).values():
        lines = waypoints(mission).splitlines()
        assert lines[0] == "QGC WPL 110"
        rows = [line.split("\t") for line in lines[1:]]
        assert {len(row) for row in rows} == {12}
        for number, (row, item) in enumerate(zip(rows, mission.items, strict=True)):
            assert int(row[0]) == number
            assert int(row[3]) == item.command
            assert (round(float(row[8]) * 1e7), round(float(row[9]) * 1e7)) == (
                item.x_e7,
                item.y_e7,
            )


def test_plan_files_have_the_layout_that_qgroundcontrol_reads(demo: Plan) -> None:
    for mission in compile_plan(demo).values():
        document = json.loads(qgc_plan(mission))
        items = document["mission"]["items"]
        assert document["fileType"] == "Plan"
        assert [item["doJumpId"] for item in items] == list(range(1, len(items) + 1))
        assert all(len(item["params"]) == 7 for item in items)
        assert document["geoFence"]["polygons"][0]["inclusion"] is True


def test_the_way_home_climbs_first_and_no_failsafe_lands_where_it_is(demo: Plan) -> None:
    for mission in compile_plan(demo).values():
        commands = [item.command for item in mission.items]
        start = mission.land_start_seq
        assert commands[start - 1] is Command.NAV_LAND
        assert commands[start:] == [
            Command.DO_LAND_START,
            Command.DO_SPRAYER,
            Command.NAV_RETURN_TO_LAUNCH,
        ]
        assert mission.parameters["rtl_cone_slope"] < 0.5
        assert mission.parameters["rtl_alt_final_m"] == 0
        assert mission.parameters["rtl_alt_type"] == 0


def test_a_sites_folder_is_no_plans_and_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"found none$"):
        read_plan(tmp_path)
    (tmp_path / "site.yaml").touch()
    with pytest.raises(FormatError, match=r"found a site: name its file, .*site\.yaml$"):
        read_plan(tmp_path)
