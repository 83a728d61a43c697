"""The built-in example and a piece of a real city, flown whole, against the simulator's truth."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import shapely
from shapely.geometry import LineString, Point

from skymist.coverage.footprints import footprint
from skymist.coverage.planning import plan_site
from skymist.flight.commands.rehearse import crew_of, homes_of, rehearse
from skymist.flight.conductor.conduct import Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.reporting.report import write_report
from skymist.flight.terminal.display import Silent
from skymist.missions.plan_folder import write_plan_folder
from skymist.missions.site import read_site
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.conduct import Outcome
    from skymist.sitl.copter import EmbeddedCopter

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"
OFF_TRACK_M = 1.0
"""Cross-track error and pump lag at the ends of a pass."""


@dataclass(frozen=True)
class Flown:
    plan: Plan
    outcome: Outcome
    copters: tuple[EmbeddedCopter, ...]
    folder: Path


def flown(plan: Plan, folder: Path) -> Flown:
    async def main() -> tuple[Outcome, tuple[EmbeddedCopter, ...]]:
        wanted = {sortie.drone_id for sortie in plan.sorties}
        drones = [drone for drone in plan.site.fleet if drone.id in wanted]
        async with EmbeddedFleet(drones, homes=homes_of(plan, drones)) as fleet:
            copters = dict(zip([d.id for d in drones], fleet.copters, strict=True))
            outcome = await operate(
                plan,
                {d.id: fleet.connect(i) for i, d in enumerate(drones)},
                folder,
                crew=crew_of(plan.site.policy, copters),
                display=Silent(),
                arm=True,
                setting=Setting(started_utc=datetime(2026, 6, 1, tzinfo=UTC), sim="embedded"),
            )
            return outcome, fleet.copters

    outcome, copters = run(main(), loop=VirtualLoop())
    return Flown(plan, outcome, copters, folder)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Flown:
    return flown(plan_site(read_site(DEMO)), tmp_path_factory.mktemp("demo") / "record")


def wet_points(done: Flown) -> list[tuple[Point, float]]:
    """Where each copter really was while its pump ran, and the litres of that moment."""
    found = []
    for copter in done.copters:
        for stretch in copter.truth.wet_track():
            for a, b in pairwise(stretch.samples):
                places = [(s.lon_deg, s.lat_deg) for s in (a, b)]
                line = LineString(done.plan.site.origin.to_local(places))
                found.append((line.interpolate(0.5, normalized=True), b.pumped_l - a.pumped_l))
    return found


def assert_only_passes_are_wet(done: Flown) -> None:
    passes = [p for sortie in done.plan.sorties for p in sortie.passes]
    lines = [LineString(p.path) if len(p.path) > 1 else Point(p.path[0]) for p in passes]
    allowed = shapely.union_all(lines).buffer(OFF_TRACK_M)
    shapely.prepare(allowed)
    off = [litres for point, litres in wet_points(done) if not allowed.contains(point)]
    total = sum(copter.pumped_l for copter in done.copters)
    assert sum(off) <= 0.01 * total, f"{sum(off):.2f} of {total:.2f} L beside the passes"


def assert_all_is_treated(done: Flown, report: Path) -> None:
    files = write_report(done.folder, report)
    totals = json.loads((report / "report.json").read_text(encoding="utf-8"))["totals"]
    assert totals["dosed_frac"] >= 0.95, files
    assert totals["no_spray_m2"] == 0


def test_every_sortie_of_the_demo_is_flown(demo: Flown) -> None:
    assert demo.outcome.result is Result.DONE


def test_in_truth_only_the_passes_of_the_demo_are_wet(demo: Flown) -> None:
    assert_only_passes_are_wet(demo)


def test_in_truth_no_litre_falls_on_no_spray_ground(demo: Flown) -> None:
    forbidden = shapely.union_all([n.area for n in demo.plan.site.no_spray])
    half_m = max(d.model.sprayer.swath_m for d in demo.plan.site.fleet) / 2
    near = [p for p, litres in wet_points(demo) if litres > 0 and p.distance(forbidden) < half_m]
    for sortie in demo.plan.sorties:
        for sprayed in sortie.passes:
            assert footprint(sprayed).distance(forbidden) > 0
    assert not near


def test_in_truth_the_litres_are_those_of_the_plan(demo: Flown) -> None:
    pumped = sum(copter.pumped_l for copter in demo.copters)
    assert pumped == pytest.approx(demo.plan.litres_l, rel=0.03)


def test_in_truth_every_drone_ends_on_its_pad_with_its_pump_off(demo: Flown) -> None:
    pads = {pad.id: pad for pad in demo.plan.site.pads}
    for copter, drone in zip(demo.copters, demo.plan.site.fleet, strict=True):
        last = copter.truth[-1]
        ((x, y),) = demo.plan.site.origin.to_local([(last.lon_deg, last.lat_deg)])
        pad = pads[drone.pad_id]
        assert Point(x, y).distance(Point(pad.x, pad.y)) < 1.0
        assert (last.flow_lps, last.is_armed) == (0.0, False)
        assert last.z < 0.3


def test_predicted_times_and_batteries_are_those_flown(demo: Flown) -> None:
    for copter, drone in zip(demo.copters, demo.plan.site.fleet, strict=True):
        samples = list(copter.truth)
        armed_s = sum(b.t_s - a.t_s for a, b in pairwise(samples) if a.is_armed)
        planned_s = sum(s.duration_s for s in demo.plan.sorties if s.drone_id == drone.id)
        assert armed_s == pytest.approx(planned_s, rel=0.05)


def test_the_demos_report_shows_the_dose_reached(demo: Flown, tmp_path: Path) -> None:
    assert_all_is_treated(demo, tmp_path)


@pytest.mark.slow
def test_a_piece_of_helsinki_from_site_file_to_report(shared: Path, tmp_path: Path) -> None:
    assert shared.is_dir()
    site = read_site(ROOT / "examples" / "helsinki" / "site.yaml")
    some = tuple(s for s in site.spots if s.zone_id == "z02")[:24]
    plan = plan_site(replace(site, spots=some))
    left = {task.spot_id for task in plan.ground} | {t.spot_id for t in plan.treatments}
    assert left == {spot.id for spot in some}
    done = flown(plan, tmp_path / "record")
    assert done.outcome.result is Result.DONE
    assert_only_passes_are_wet(done)
    assert_all_is_treated(done, tmp_path / "report")


@pytest.mark.ardupilot
@pytest.mark.slow
def test_the_demo_on_real_arducopter(arducopter: Path, tmp_path: Path) -> None:
    write_plan_folder(plan_site(read_site(DEMO)), tmp_path / "plan")
    rehearse(
        tmp_path / "plan",
        sim="ardupilot",  # type: ignore[arg-type]
        speedup=8,
        arducopter=arducopter,
        output=tmp_path / "record",
    )
    write_report(tmp_path / "record", tmp_path / "report")
    totals = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))["totals"]
    assert totals["dosed_frac"] >= 0.93
    assert totals["no_spray_m2"] == 0
