"""Each rule of the check: a site that breaks it, and one that does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import LineString, Point, box

from skymist.coverage.drones import Drone
from skymist.coverage.frames import Origin
from skymist.coverage.site import (
    BlindSpot,
    Building,
    Kind,
    LevelName,
    Mode,
    NoSpray,
    Pad,
    Policy,
    Receptor,
    Site,
    Zone,
)
from skymist.missions.checks import Severity, check_site, is_unsafe
from skymist.missions.defaults import default_agents, default_levels, drone_models
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


def spot(id: str = "s", x: float = 0, **keys: Any) -> BlindSpot:
    given = {"kind": Kind.YARD, "level": LevelName.RED, "shape": box(x, 0, x + 10, 10)}
    return BlindSpot(id=id, **(given | keys))


def drone(id: str = "d", **keys: Any) -> Drone:
    return Drone(id=id, **({"model": drone_models()["hexa-16"], "pad_id": "p", "sysid": 1} | keys))


CALM = Site(
    name="calm",
    origin=Origin(lat_deg=22.7, lon_deg=114.0),
    spots=(spot(zone_id="z"),),
    zones=(Zone(id="z", area=box(-500, -500, 500, 500), responsible="post 1"),),
    buildings=(Building(id="b", footprint=box(100, 0, 110, 10), height_m=9),),
    pads=(Pad(id="p", x=-30, y=0),),
    fleet=(drone(),),
    agents=default_agents(),
    surface_levels=default_levels(Mode.SURFACE),
    vector_levels=default_levels(Mode.VECTOR),
)
BELT = {"kind": Kind.GREEN_BELT, "shape": LineString([(0, 0), (50, 0)]), "width_m": 3}
EVERYDAY = {"weather", "distances"}

CASES: list[tuple[str, Severity, dict[str, Any]]] = [
    ("pad-in-building", Severity.ERROR, {"pads": (Pad(id="p", x=105, y=5),)}),
    ("pad-near-building", Severity.WARNING, {"pads": (Pad(id="p", x=95, y=5),)}),
    (
        "pad-on-no-spray",
        Severity.ERROR,
        {"no_spray": (NoSpray(id="n", area=box(-40, -9, -20, 9), reason="pond"),)},
    ),
    (
        "pads-too-close",
        Severity.ERROR,
        {
            "pads": (Pad(id="p", x=-30, y=0), Pad(id="q", x=-30, y=5)),
            "fleet": (drone(), drone("e", pad_id="q", sysid=2)),
        },
    ),
    ("pad-shared", Severity.ERROR, {"fleet": (drone(), drone("e", sysid=2))}),
    ("spot-out-of-reach", Severity.WARNING, {"policy": Policy(radius_m=20)}),
    (
        "spot-on-no-spray",
        Severity.WARNING,
        {"no_spray": (NoSpray(id="n", area=box(5, 0, 30, 10), reason="pond"),)},
    ),
    (
        "spots-overlap",
        Severity.WARNING,
        {"spots": (spot(zone_id="z"), spot("t", 2, zone_id="z"))},
    ),
    (
        "spot-under-building",
        Severity.INFO,
        {"buildings": (Building(id="b", footprint=box(5, 0, 20, 10), height_m=9),)},
    ),
    (
        "lane-narrow",
        Severity.INFO,
        {
            "spots": (
                spot(
                    zone_id="z",
                    kind=Kind.BACK_ALLEY,
                    shape=LineString([(98, 0), (98, 10)]),
                    width_m=2,
                ),
            )
        },
    ),
    ("gap-by-hand", Severity.INFO, {"spots": (spot(zone_id="z", **(BELT | {"kind": Kind.GAP})),)}),
    ("spot-above-ceiling", Severity.WARNING, {"spots": (spot(zone_id="z", elevation_m=28),)}),
    ("building-above-ceiling", Severity.INFO, {"policy": Policy(ceiling_m=10)}),
    (
        "building-without-height",
        Severity.WARNING,
        {"buildings": (Building(id="b", footprint=box(100, 0, 110, 10), height_m=0),)},
    ),
    ("no-buildings", Severity.WARNING, {"buildings": ()}),
    (
        "receptor-near",
        Severity.WARNING,
        {"receptors": (Receptor(id="r", shape=Point(50, 5), kind="school"),)},
    ),
    ("no-zones", Severity.INFO, {"zones": ()}),
    ("spot-outside-zones", Severity.WARNING, {"spots": (spot(),)}),
    ("spot-zone-unknown", Severity.ERROR, {"spots": (spot(zone_id="y"),)}),
    ("spot-outside-its-zone", Severity.WARNING, {"spots": (spot(zone_id="z", x=900),)}),
    ("zone-without-post", Severity.WARNING, {"zones": (Zone(id="z", area=box(-9, -9, 99, 99)),)}),
    ("id-twice", Severity.ERROR, {"spots": (spot(zone_id="z"), spot(x=40, zone_id="z"))}),
    (
        "drone-not-ardupilot",
        Severity.WARNING,
        {"fleet": (drone(model=drone_models()["t40-class"]),)},
    ),
    ("sysid-shared", Severity.ERROR, {"fleet": (drone(), drone("e"))}),
    ("drone-without-pad", Severity.ERROR, {"fleet": (drone(pad_id="x"),)}),
    ("drone-short-of-breath", Severity.WARNING, {"policy": Policy(reserve_frac=0.9)}),
    (
        "broadcast-without-reason",
        Severity.ERROR,
        {"spots": (spot(zone_id="z", mode=Mode.BROADCAST),)},
    ),
    (
        "broadcast",
        Severity.WARNING,
        {
            "spots": (spot(zone_id="z", mode=Mode.BROADCAST),),
            "policy": Policy(reason="dengue outbreak, order 12/2026"),
        },
    ),
    ("agent-unknown", Severity.ERROR, {"spots": (spot(zone_id="z", agent_id="bleach"),)}),
    ("agent-mode", Severity.WARNING, {"spots": (spot(zone_id="z", agent_id="larvicide"),)}),
    ("chlorine-on-plants", Severity.WARNING, {"spots": (spot(zone_id="z", **BELT),)}),
    ("dose-below-norm", Severity.INFO, {"spots": (spot(zone_id="z", level=LevelName.BLUE),)}),
    (
        "dose-above-norm",
        Severity.WARNING,
        {
            "surface_levels": tuple(
                replace(level, dose_l_per_m2=0.7) for level in CALM.surface_levels
            )
        },
    ),
    (
        "vector-dose-high",
        Severity.WARNING,
        {
            "spots": (spot(zone_id="z", mode=Mode.VECTOR),),
            "vector_levels": tuple(
                replace(level, dose_l_per_m2=0.01) for level in CALM.vector_levels
            ),
        },
    ),
    ("level-not-flown", Severity.INFO, {"spots": (spot(zone_id="z", level=LevelName.GREEN),)}),
    ("nothing-to-fly", Severity.WARNING, {"spots": (spot(zone_id="z", level=LevelName.GREEN),)}),
    ("envelope-height", Severity.WARNING, {"policy": Policy(ceiling_m=60)}),
    ("envelope-speed", Severity.WARNING, {"policy": Policy(speed_max_mps=20)}),
    ("envelope-radius", Severity.WARNING, {"policy": Policy(radius_m=3000)}),
    ("wind-limit", Severity.WARNING, {"policy": Policy(wind_max_mps=9)}),
    ("temperature-limit", Severity.WARNING, {"policy": Policy(temperature_max_c=42)}),
    ("reserve-low", Severity.WARNING, {"policy": Policy(reserve_frac=0.05)}),
    ("clearance-low", Severity.WARNING, {"policy": Policy(clearance_m=0.2)}),
    ("transit-low", Severity.WARNING, {"policy": Policy(transit_min_m=3.0)}),
    ("vector-hours", Severity.INFO, {"spots": (spot(zone_id="z", mode=Mode.VECTOR),)}),
]


def test_a_calm_site_says_only_what_holds_every_day() -> None:
    assert {finding.rule for finding in check_site(CALM)} == EVERYDAY


@pytest.mark.parametrize(("rule", "severity", "changes"), CASES, ids=[case[0] for case in CASES])
def test_a_broken_rule_is_found(rule: str, severity: Severity, changes: dict[str, Any]) -> None:
    findings = check_site(replace(CALM, **changes))
    (found,) = [finding for finding in findings if finding.rule == rule]
    assert found.severity is severity
    assert found.text
    assert found.mend
    assert is_unsafe(findings) == any(f.severity is Severity.ERROR for f in findings)


def test_errors_come_first_and_order_is_kept() -> None:
    findings = check_site(replace(CALM, fleet=(drone(), drone("e")), zones=()))
    ranks = [list(Severity).index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert findings == check_site(replace(CALM, fleet=(drone(), drone("e")), zones=()))


def test_an_empty_site_does_not_trip_a_rule() -> None:
    empty = replace(CALM, spots=(), zones=(), buildings=(), pads=(), fleet=())
    assert {f.rule for f in check_site(empty)} == EVERYDAY | {"no-buildings", "no-zones"}


def test_the_demo_has_findings_but_no_error() -> None:
    rules = {finding.rule for finding in check_site(read_site(DEMO))}
    assert rules >= {"receptor-near", "gap-by-hand", "lane-narrow", "level-not-flown"}


def test_every_rule_stands_in_the_manual() -> None:
    text = (DEMO.parents[3] / "docs" / "site-file.md").read_text(encoding="utf-8")
    rows = {part.split(" |")[0]: part for part in text.split("\n| ")}
    for rule, severity, _ in CASES:
        assert f"`{rule}`" in rows[severity.value], rule
