"""A site written and read again is the same site: the demo, one with everything set, a part."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import shapely

from skymist.coverage.errors import MissionError
from skymist.coverage.site import Site
from skymist.missions import site_writer
from skymist.missions.site import read_site
from skymist.missions.site_writer import site_files, write_site

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"
CITY = """\
id: shenzhen
title: City order
source: City order 12
date: 2026-05-01
rules:
  - {id: speed-in-town, what: fastest flight in town, measure: speed_mps, most: 8, unit: m/s,
     severity: error, source: "City order 12, section 3", date: 2026-05-01, mark: S, mend: slower}
"""
NEAR_M = 0.0011
"""Half a millimetre of each reading's rounding, and a bit."""
FULL = """\
schema: 1
name: "榕荫里: everything, set"
attribution: "ours & theirs"
origin: {lat_deg: 22.7312, lon_deg: 114.0406, amsl_m: 62}
zones:
  - {id: z1, responsible: "Post <1>", hours: "06:00-14:00", closed: "12:00-13:00",
     polygon: [[114.039, 22.730], [114.043, 22.730], [114.043, 22.733], [114.039, 22.733]]}
spots:
  - {id: "7", kind: refuse_station, level: red, point: [114.0405, 22.7312], radius_m: 3,
     agent: mine, dose_ml_per_m2: 80, hours: "07:00-09:00, 22:00-02:00", name: 垃圾屋, note: "gate",
     responsible: "Mr Li"}
  - {id: lane, kind: back_alley, level: yellow, mode: broadcast, width_m: 3,
     line: [[114.0401, 22.7310], [114.0404, 22.7310]]}
  - {id: roof, kind: flat_roof, level: blue, elevation_m: 9,
     polygon: [[114.0408, 22.7314], [114.0409, 22.7314], [114.0409, 22.7315], [114.0408, 22.7315]]}
buildings:
  - {id: b1, height_m: 9,
     polygon: [[114.0408, 22.7314], [114.0409, 22.7314], [114.0409, 22.7315], [114.0408, 22.7315]]}
no_spray:
  - {id: pond, point: [114.0420, 22.7320], radius_m: 5, reason: open water}
closures:
  - {id: market, hours: "10:00-11:00", reason: market, width_m: 4,
     line: [[114.0411, 22.7310], [114.0414, 22.7310]]}
sensitive:
  - {id: school, kind: kindergarten, point: [114.0422, 22.7312]}
pads:
  - {id: p1, point: [114.0402, 22.7315], capacity: 3, crews: 1, row_deg: 30}
  - {id: p2, point: [114.0415, 22.7305]}
fleet:
  - {id: own, pad: p1, sysid: 9, model: {based_on: hexa-16, id: mine-16, name: Mine, swath_m: 4.2,
     profile: {kind: triangle, half_base_m: 3.1}, droplet_um: 250, ardupilot: true}}
  - {model: hexa-10}
agents:
  - {id: mine, name: my own, chlorine_mg_per_l: 750, contact_min: 45}
levels: {surface: {red: {dose_ml_per_m2: 120, agent: mine, revisit_days: 0.5}}}
level_rules: {decay_days: 5, cases: {days: 7, red: 3, yellow: 1}}
policy: {mode: surface, reason: "asked for", ceiling_m: 28, refill_s: 61, swap_in_refill: true,
  by_zone: true, days: 2, restore_parameters: true, hours: "06:00-20:00", objective: priority,
  vector_hours: ["07:00-09:00", "17:00-19:00"], separation_m: 12, day_s: 30000,
  pack: [china-2024, city.yaml], operators: 2, applied: 2026-06-30T10:00,
  waivers: [{rule: speed-in-town, by: Li, reason: "night, closed", until: 2026-12-31}]}
organiser:
  contact: "街道办 0755"
  crew_hours: "08:00-12:00"
  crew_people: 3
  currency: EUR
  prices: {work_day_h: 7.5}
  products:
    - {id: bleach, name: 84, agents: [mine], contains: [hypochlorite], chlorine_percent: 5.5,
       keeps_h: 12, protection: [gloves, goggles], price_per_l: 3.5, source: its label}
    - {id: bti, agents: [larvicide], contains: [bti], ml_per_l: 5}
    - {id: lime, form: powder, agents: [mine], contains: [hypochlorite], chlorine_percent: 28}
    - {id: bti-wdg, form: powder, agents: [larvicide], contains: [bti], g_per_l: 1.5,
       price_per_kg: 90}
    - {id: tabs, form: tablets, agents: [mine], contains: [isocyanurate],
       chlorine_mg_per_tablet: 500, price_per_tablet: 0.25}
"""


def assert_same(found: Any, wanted: Any, where: str = "site") -> None:
    """Field by field; shapes to a millimetre."""
    if isinstance(wanted, shapely.Geometry):
        assert found.geom_type == wanted.geom_type, where
        assert shapely.hausdorff_distance(found, wanted) <= NEAR_M, where
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, abs=NEAR_M if where[-2:] in (".x", ".y") else 1e-9)
    elif hasattr(wanted, "__dataclass_fields__"):
        for field in fields(wanted):
            name = field.name
            assert_same(getattr(found, name), getattr(wanted, name), f"{where}.{name}")
    elif isinstance(wanted, tuple):
        assert len(found) == len(wanted), where
        for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
            assert_same(one, other, f"{where}[{number}]")
    else:
        assert found == wanted, where


@pytest.fixture
def full(tmp_path: Path) -> Site:
    (tmp_path / "city.yaml").write_text(CITY, encoding="utf-8")
    path = tmp_path / "full.yaml"
    path.write_text(FULL, encoding="utf-8")
    return read_site(path)


def test_the_example_comes_back(tmp_path: Path) -> None:
    site = read_site(DEMO)
    assert_same(read_site(write_site(site, tmp_path / "copy")), site)


def test_a_site_with_everything_set_comes_back(full: Site, tmp_path: Path) -> None:
    again = read_site(write_site(full, tmp_path / "copy"))
    closures = {c.id: c for c in again.closures}
    ordered = replace(again, closures=tuple(closures[c.id] for c in full.closures))
    assert_same(ordered, full)


def test_rules_and_waivers_come_along(full: Site, tmp_path: Path) -> None:
    policy = read_site(write_site(full, tmp_path / "copy")).policy
    assert policy == full.policy
    assert policy.packs == ("china-2024",)
    assert "speed-in-town" in policy.own_packs[0]
    assert policy.waivers[0].by == "Li"


def test_what_would_be_lost_is_refused_and_nothing_written(
    full: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a key were added to the policy and not to the writer."""
    given = site_writer._given

    def forgetful(model: Any, value: Any, ours: Any = None) -> dict[str, Any]:
        return {k: v for k, v in given(model, value, ours).items() if k != "wind_max_mps"}

    monkeypatch.setattr(site_writer, "_given", forgetful)
    calm = replace(full, policy=replace(full.policy, wind_max_mps=2.0))
    with pytest.raises(MissionError, match="policy cannot be written"):
        write_site(calm, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_written_site_is_written_the_same_again(full: Site, tmp_path: Path) -> None:
    assert site_files(full) == site_files(full)
    assert set(site_files(full)) >= {"site.yaml", "spots.geojson", "pads.geojson"}


def test_a_folder_with_a_site_is_left_alone(full: Site, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(MissionError, match="without a site file"):
        write_site(full, tmp_path)
    assert (tmp_path / "site.yaml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "spots.geojson").exists()
