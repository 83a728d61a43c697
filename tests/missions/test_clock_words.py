"""Hours, closures, starts and rows of stands as people write them in site files and on the line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Hours, Start
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Objective, Site
from skymist.missions.checks import check_site
from skymist.missions.clock_words import hours_of_words, start_of_words
from skymist.missions.plan_checks import plan_faults
from skymist.missions.site import read_site, site_faults

SITE = """schema: 1
name: timed
spots:
  - {id: a, kind: yard, level: red, hours: 07:00-09:00, point: [114.0, 22.0], radius_m: 3}
  - {id: b, kind: yard, level: red, point: [114.0003, 22.0], radius_m: 3}
zones:
  - id: z
    hours: [06-08, "22:00-02:00"]
    closed: 12:00-13:30
    polygon: [[113.99, 21.99], [114.01, 21.99], [114.01, 22.01], [113.99, 22.01]]
closures:
  - {id: street, line: [[114.001, 22.0], [114.002, 22.0]], width_m: 8, hours: 15-16, reason: school}
pads:
  - {id: p, point: [114.0, 22.0005], capacity: 3, crews: 1, row_deg: 0}
fleet:
  - {id: d, model: hexa-16, count: 2, pad: p}
  - {id: e, model: hexa-16}
policy: {vector_hours: [07:00-09:00, 17:00-19:00], hours: 05:00-23:00, days: 2, objective: priority}
"""


def written(folder: Path, text: str = SITE) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def hours(*stretches: tuple[float, float]) -> tuple[Hours, ...]:
    return tuple(Hours(start_s=a * 3600, end_s=b * 3600) for a, b in stretches)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return read_site(written(tmp_path))


def test_hours_stand_where_the_file_puts_them(site: Site) -> None:
    assert site.spot("a").hours == hours((7, 9))
    assert site.zones[0].hours == hours((6, 8), (22, 26))
    assert [(c.id, c.hours, c.reason) for c in site.closures] == [
        ("street", hours((15, 16)), "school"),
        ("zone z", hours((12, 13.5)), ""),
    ]
    policy = site.policy
    assert (policy.vector_hours, policy.hours) == (hours((7, 9), (17, 19)), hours((5, 23)))
    assert (policy.num_days, policy.objective) == (2, Objective.PRIORITY)


def test_hours_are_read_from_layers(tmp_path: Path) -> None:
    keys = {"id": "c", "hours": "12:00-13:30; 16-17", "radius_m": 5}
    feature = {
        "type": "Feature",
        "properties": keys,
        "geometry": {"type": "Point", "coordinates": [114.001, 22.001]},
    }
    layer = {"type": "FeatureCollection", "features": [feature]}
    (tmp_path / "closed.geojson").write_text(json.dumps(layer), encoding="utf-8")
    text = SITE + "layers: {closures: closed.geojson}\n"
    assert hours((12, 13.5), (16, 17)) in [
        c.hours for c in read_site(written(tmp_path, text)).closures
    ]


@pytest.mark.parametrize(
    ("change", "line", "field"),
    [
        (("hours: 07:00-09:00", "hours: 7 to noon"), 4, "spots[0](a).hours"),
        (("hours: 07:00-09:00", "hours: []"), 4, "spots[0](a).hours"),
        (("hours: 05:00-23:00", "hours: 05:00-25:00"), 18, "policy.hours"),
        (("hours: [06-08,", "hours: [6, "), 8, "zones[0](z).hours"),
        (("closed: 12:00-13:30", "closed: 12:75-13:30"), 9, "zones[0](z).closed"),
        (("hours: 15-16, ", ""), 12, "closures[0](street).hours"),
        (("width_m: 8, ", ""), 12, "closures[0](street).width_m"),
        (("objective: priority", "objective: speed"), 18, "policy.objective"),
        (("days: 2", "days: 0"), 18, "policy.days"),
    ],
)
def test_faults_name_file_line_and_field(
    tmp_path: Path, change: tuple[str, str], line: int, field: str
) -> None:
    path = written(tmp_path, SITE.replace(*change))
    (fault,) = site_faults(path)
    assert (fault.file, fault.line, fault.field) == (str(path), line, field)
    assert fault.wanted
    assert fault.found


def test_a_pad_for_three_is_a_row_of_stands(site: Site) -> None:
    ids = [pad.id for pad in site.pads]
    assert ids == ["p/1", "p/2", "p/3"]
    assert {(pad.group, pad.capacity, pad.num_crews) for pad in site.pads} == {("p", 1, 1)}
    norths = [pad.y for pad in site.pads]
    assert norths[1] - norths[0] >= site.policy.separation_m
    assert len({round(pad.x, 2) for pad in site.pads}) == 1
    assert [drone.pad_id for drone in site.fleet] == ["p/1", "p/2", "p/3"]
    assert not [f for f in check_site(site) if f.rule in ("pad-shared", "pads-too-close")]


def test_check_and_planner_agree_on_who_stands_where(site: Site) -> None:
    plan = plan_site(site)
    assert not [f for f in check_site(plan.site) if f.rule in ("pad-shared", "pads-too-close")]
    crowd = replace(site, fleet=tuple(replace(d, pad_id="p/1") for d in site.fleet))
    assert "takes 1" in next(f.text for f in check_site(crowd) if f.rule == "pad-shared")


def test_check_names_hours_that_never_meet(site: Site) -> None:
    never = replace(site.spot("a"), hours=hours((3, 4)))
    found = check_site(replace(site, spots=(never, site.spot("b"))))
    assert [f.severity.value for f in found if f.rule == "hours-never"] == ["warning"]


def test_an_edited_plan_off_its_hours_is_refused(site: Site) -> None:
    plan = plan_site(site)
    assert plan.sorties
    assert plan_faults(plan) == ()
    moved = tuple(replace(s, start_s=s.start_s + 6 * 3600) for s in plan.sorties)
    assert "outside its hours" in plan_faults(replace(plan, sorties=moved))[0]
    assert "start: wanted" in plan_faults(replace(plan, start=None))[0]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("07:00", Start(clock_s=25200)),
        (" 7:05 ", Start(clock_s=25500)),
        ("2026-07-01T07:00", Start(clock_s=25200, date="2026-07-01")),
        ("2026-07-01 07:00:30", Start(clock_s=25230, date="2026-07-01")),
    ],
)
def test_starts(text: str, start: Start) -> None:
    assert start_of_words(text) == start


@pytest.mark.parametrize(
    "text", ["7", "24:00", "07:60", "2026-07-01", "2026-07-01T07:00Z", "noon", ""]
)
def test_other_starts_are_refused(text: str) -> None:
    with pytest.raises(PlanError, match="--start: wanted a time as 07:00"):
        start_of_words(text)


def test_one_stretch_may_be_written_in_many_ways() -> None:
    for text in ("07:00-09:00", "7-9", "07-09 h", "7:00 to 9:00", ["07:00-09:00"]):
        assert hours_of_words(text) == hours((7, 9))
