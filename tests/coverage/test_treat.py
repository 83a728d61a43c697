"""One spot at a time: who treats it, how, and the reason where nobody flies."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from shapely.geometry import LineString, Point, Polygon, box

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.footprints import footprint
from skymist.coverage.frames import Origin
from skymist.coverage.plan import PassKind, Reason
from skymist.coverage.robust import union
from skymist.coverage.runs import Bounds, lines_over
from skymist.coverage.scene import NO_SPRAY_EDGE_M
from skymist.coverage.site import (
    Agent,
    BlindSpot,
    Building,
    Kind,
    Level,
    LevelName,
    Mode,
    NoSpray,
    Pad,
    Site,
)
from skymist.coverage.treat import Scene, treat_spot

MODEL = DroneModel(
    id="hexa",
    name="hexacopter",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=5),
    body_m=2.4,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=977,
)
LEVELS = tuple(
    Level(name=name, dose_l_per_m2=0.06, agent_id="a", revisit_days=1, is_flown=flown)
    for name, flown in zip(LevelName, (True, True, True, False), strict=True)
)


def spot(shape: Any, kind: Kind = Kind.YARD, **more: Any) -> BlindSpot:
    return BlindSpot(id="s", kind=kind, level=more.pop("level", LevelName.RED), shape=shape, **more)


def treat(one: BlindSpot, *buildings: Building, no_spray: tuple[NoSpray, ...] = ()) -> Any:
    site = Site(
        name="t",
        origin=Origin(lat_deg=22.7, lon_deg=114),
        spots=(one,),
        buildings=buildings,
        no_spray=no_spray,
        pads=(Pad(id="p", x=-20, y=-20),),
        fleet=(Drone(id="d", model=MODEL, pad_id="p"),),
        agents=(Agent(id="a", name="a"),),
        surface_levels=LEVELS,
        vector_levels=LEVELS,
    )
    return treat_spot(one, Scene.of(site, MODEL))


def walls(gap_m: float, height_m: float) -> tuple[Building, Building]:
    half = gap_m / 2
    return (
        Building(id="n", footprint=box(-5, half, 45, half + 10), height_m=height_m),
        Building(id="s", footprint=box(-5, -half - 10, 45, -half), height_m=height_m),
    )


ALLEY = LineString([(0, 0), (40, 0)])


def test_an_open_yard_is_covered_by_swaths() -> None:
    done, tasks = treat(spot(box(0, 0, 30, 20)))
    assert not tasks
    assert {p.kind for p in done.passes} == {PassKind.SWATH}
    assert union(footprint(p) for p in done.passes).intersection(box(0, 0, 30, 20)).area > 594
    assert done.expected_frac > 0.99


def test_a_wide_alley_is_one_run_and_a_narrow_one_is_walked() -> None:
    done, tasks = treat(spot(ALLEY, Kind.BACK_ALLEY, width_m=4), *walls(5.0, 20))
    assert {p.kind for p in done.passes} == {PassKind.RUN}
    assert not tasks
    done, (task,) = treat(spot(ALLEY, Kind.BACK_ALLEY, width_m=3), *walls(3.0, 20))
    assert done is None
    assert task.reason is Reason.TOO_NARROW
    assert task.is_whole_spot


def test_a_narrow_alley_between_sheds_is_sprayed_from_above() -> None:
    done, _ = treat(spot(ALLEY, Kind.BACK_ALLEY, width_m=3), *walls(3.0, 3.0))
    assert {p.above_home_m for p in done.passes} == {5.0}


def test_a_gap_is_never_flown() -> None:
    done, (task,) = treat(spot(ALLEY, Kind.GAP, width_m=1))
    assert done is None
    assert task.reason is Reason.TOO_NARROW


def test_green_is_left_to_people() -> None:
    done, (task,) = treat(spot(box(0, 0, 5, 5), level=LevelName.GREEN))
    assert done is None
    assert task.reason is Reason.LEVEL_NOT_FLOWN


def test_a_roof_is_flown_above_its_parapet_and_within_the_ceiling() -> None:
    roof = spot(box(0, 0, 20, 12), Kind.FLAT_ROOF, elevation_m=12.0)
    house = Building(id="h", footprint=box(0, 0, 20, 12), height_m=12.0)
    done, _ = treat(roof, house)
    assert {p.above_home_m for p in done.passes} == {16.0}
    done, (task,) = treat(replace(roof, elevation_m=28.0), replace(house, height_m=28.0))
    assert done is None
    assert task.reason is Reason.TOO_HIGH


def test_a_shed_is_flown_around_and_its_inside_walked() -> None:
    done, (task,) = treat(spot(box(0, 0, 8, 4), Kind.BIKE_SHED))
    assert {p.kind for p in done.passes} == {PassKind.PERIMETER}
    assert task.reason is Reason.ROOFED
    assert not task.is_whole_spot
    assert all(LineString(p.path).distance(box(0, 0, 8, 4)) >= 2.2 for p in done.passes)


def test_a_bin_is_a_short_run_and_a_boxed_in_one_a_hover() -> None:
    done, _ = treat(spot(Point(0, 0), Kind.REFUSE_POINT, radius_m=2))
    assert {p.kind for p in done.passes} == {PassKind.RUN}
    ring = [(-8, -8, 8, -2.4), (-8, 2.4, 8, 8), (-8, -8, -2.4, 8), (2.4, -8, 8, 8)]
    houses = [
        Building(id=f"b{i}", footprint=box(*edges), height_m=9) for i, edges in enumerate(ring)
    ]
    done, _ = treat(spot(Point(0, 0), Kind.REFUSE_POINT, radius_m=2), *houses)
    assert {p.kind for p in done.passes} == {PassKind.HOVER}


def test_ground_under_a_building_is_a_task_of_its_own() -> None:
    house = Building(id="h", footprint=box(0, 0, 30, 8), height_m=9)
    done, tasks = treat(spot(box(0, 0, 30, 20)), house)
    assert {t.reason for t in tasks} >= {Reason.UNDER_BUILDING}
    assert done.target.intersection(house.footprint).area < 0.1


def test_no_spray_ground_stays_dry_and_is_named() -> None:
    playground = NoSpray(id="n", area=box(20, 0, 30, 20), reason="playground")
    done, tasks = treat(spot(box(0, 0, 30, 20)), no_spray=(playground,))
    assert Reason.NO_SPRAY in {t.reason for t in tasks}
    assert all(footprint(p).intersection(playground.area).area < 1e-6 for p in done.passes)
    assert done.passes


def test_a_spot_wholly_on_no_spray_ground_is_left_whole() -> None:
    school = NoSpray(id="n", area=box(-10, -10, 50, 50))
    done, (task,) = treat(spot(box(0, 0, 30, 20)), no_spray=(school,))
    assert done is None
    assert (task.reason, task.is_whole_spot) == (Reason.NO_SPRAY, True)


@pytest.mark.parametrize("gap_m", [-0.6, -0.3, 0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0])
def test_what_is_promised_of_a_cover_beside_a_wall_is_wet(gap_m: float) -> None:
    house = Building(id="h", footprint=box(-10, gap_m, 10, 10), height_m=6.5)
    one = spot(Point(0, 0), Kind.SEPTIC_COVER, radius_m=1.0)
    done, tasks = treat(one, house)
    if done is None:
        assert [t.is_whole_spot for t in tasks] == [True]
        return
    wet = union(footprint(p) for p in done.passes)
    assert done.target.intersection(wet).area >= 0.95 * done.target.area
    told = union([done.target, *(t.area for t in tasks)])
    assert one.area.difference(told).area < 0.05 * one.area.area


@pytest.mark.parametrize("mode", [Mode.SURFACE, Mode.VECTOR])
def test_the_passes_hold_the_dose_of_the_level(mode: Mode) -> None:
    done, _ = treat(spot(box(0, 0, 40, 5), mode=mode))
    assert done.litres_l / 200 == pytest.approx(0.06 * 1.08, rel=0.05)


def test_every_reason_is_put_in_words() -> None:
    _, (task,) = treat(spot(Point(5000, 0), radius_m=3))
    assert task.reason is Reason.OUT_OF_REACH
    assert "2000 m" in task.text


def beside_a_school() -> tuple[BlindSpot, NoSpray]:
    """A slanted yard along no-spray ground: strips along it and across it both have to be cut."""
    yard = Polygon([(0, 0), (31, 6), (31, 22), (0, 17)])
    return spot(yard), NoSpray(id="school", area=Polygon([(-5, 18), (36, 24), (36, 50), (-5, 50)]))


def test_along_no_spray_ground_the_layout_is_judged_after_it_is_cut() -> None:
    one, school = beside_a_school()
    done, tasks = treat(one, no_spray=(school,))
    wet = union(footprint(p) for p in done.passes)
    assert wet.intersection(school.area).area < 1e-6
    may = one.area.difference(school.area.buffer(NO_SPRAY_EDGE_M))
    left = may.difference(wet).area
    assert left < 0.06 * may.area, f"{left:.1f} of {may.area:.1f} m2 stay dry"
    told = sum(task.area_m2 for task in tasks if task.reason is Reason.NO_SPRAY)
    assert told == pytest.approx(one.area.area - may.area + left, abs=2.5)


def lines(bounds: Bounds, target: Polygon) -> list[LineString]:
    return [LineString(line) for line in lines_over(spot(target), target, bounds)[1]]


def test_walls_beside_a_target_draw_the_spray_off_them() -> None:
    """12 m of yard under a swath of 5 m: three strips spill 1.5 m, unless a wall stands there."""
    yard, house = box(0, 0, 30, 12), box(-1, 12, 31, 20)
    free = Bounds(swath_m=5, lap_m=3, wet_m=5)
    walled = Bounds(swath_m=5, lap_m=3, wet_m=5, walls=house)
    wet = [
        union(line.buffer(2.5, cap_style="flat") for line in lines(bounds, yard))
        for bounds in (free, walled)
    ]
    assert wet[1].intersection(house).area <= min(1e-6, wet[0].intersection(house).area)
    assert wet[1].intersection(yard).area > 0.99 * yard.area


def test_no_pass_of_a_site_bends() -> None:
    bent = Polygon([(0, 0), (30, 0), (30, 14), (18, 14), (18, 26), (6, 26), (6, 14), (0, 14)])
    done, _ = treat(spot(bent))
    assert all(len(p.path) == 2 for p in done.passes)
    assert done.expected_frac > 0.98


@pytest.mark.parametrize("radius_m", [0.3, 1.0, 3.0])
def test_a_lap_around_a_round_shed_is_no_faster_than_it_is_held(radius_m: float) -> None:
    """Twice the machine's acceleration across it, by the circle that the lap is, and its dose."""
    round_shed = spot(Point(0, 0), Kind.BIKE_SHED, radius_m=radius_m, mode=Mode.VECTOR)
    done, _ = treat(round_shed)
    laps = [p for p in done.passes if p.kind is PassKind.PERIMETER]
    assert laps
    for lap in laps:
        away_m = min(math.hypot(x, y) for x, y in lap.path)
        assert lap.speed_mps**2 / away_m <= 2.1 * MODEL.accel_mps2
        asked = done.dose_l_per_m2
        assert lap.flow_lps / (lap.speed_mps * lap.swath_m) >= 0.99 * asked / len(laps)
