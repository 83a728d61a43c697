"""Where the spray of a pass really begins and ends, on the embedded copter, against the plan."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from skymist.coverage.drift import Wind
from skymist.coverage.plan import Pass, PassKind, Plan, Transit
from skymist.coverage.planning import plan_site
from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.reporting.report import write_report
from skymist.flight.terminal.display import Silent
from skymist.missions.site import read_site
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.sprayer import PERIOD_S, SprayControl

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.flight.conductor.conduct import Outcome
    from skymist.sitl.copter import EmbeddedCopter

ROOT = Path(__file__).resolve().parents[2]
EDGE_M = 0.50
FLOW_LPS = 0.06
UP_M = 6.0


def there_and_back(plan: Plan, speed_mps: float, length_m: float) -> Plan:
    """The plan with two parallel passes in opposite directions, far from where it starts."""
    ends = (20.0, 20.0 + length_m)
    passes = tuple(
        Pass(
            spot_id=plan.site.spots[0].id,
            kind=PassKind.SWATH,
            path=((start, y), (end, y)),
            above_home_m=UP_M,
            speed_mps=speed_mps,
            flow_lps=FLOW_LPS,
            swath_m=4.0,
        )
        for y, start, end in ((0.0, *ends), (4.0, *reversed(ends)))
    )
    (x1, y1), (x2, y2), (x3, y3) = passes[0].path[1], passes[1].path[0], passes[1].path[1]
    home = (0.0, 0.0, UP_M)
    legs = (
        Transit(path=((0.0, 0.0, 3.0), home, (20.0, 0.0, UP_M)), speed_mps=5.0),
        passes[0],
        Transit(path=((x1, y1, UP_M), (x2, y2, UP_M)), speed_mps=5.0),
        passes[1],
        Transit(path=((x3, y3, UP_M), home, (0.0, 0.0, 3.0)), speed_mps=5.0),
    )
    spot = replace(plan.site.spots[0], shape=box(20, -2, 20 + length_m, 6))
    treatment = replace(plan.treatments[0], passes=passes, target=spot.area)
    litres_l = math.fsum(p.litres_l for p in passes)
    sortie = replace(plan.sorties[0], legs=legs, litres_l=litres_l, duration_s=600.0)
    site = replace(plan.site, spots=(spot,))
    return replace(plan, site=site, treatments=(treatment,), sorties=(sortie,))


def flown(plan: Plan, folder: Path) -> EmbeddedCopter:
    async def main() -> tuple[Outcome, EmbeddedCopter]:
        drones = list(plan.site.fleet)
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
            return outcome, fleet.copters[0]

    outcome, copter = run(main(), loop=VirtualLoop())
    assert outcome.result is Result.DONE
    return copter


def assert_wet_from_end_to_end(plan: Plan, copter: EmbeddedCopter) -> None:
    """Every wet line begins and ends within `EDGE_M` of its pass, along it and across it."""
    stretches = copter.truth.wet_track()
    passes = plan.sorties[0].passes
    assert len(stretches) == len(passes)
    for sprayed, stretch in zip(passes, stretches, strict=True):
        for planned, sample in zip(
            (sprayed.path[0], sprayed.path[-1]),
            (stretch.samples[0], stretch.samples[-1]),
            strict=True,
        ):
            ((x, y),) = plan.site.origin.to_local([(sample.lon_deg, sample.lat_deg)])
            off_m = math.dist(planned, (x, y))
            assert off_m <= EDGE_M, f"{off_m:.2f} m off {planned} at {sprayed.speed_mps} m/s"


@pytest.mark.parametrize("speed_mps", [0.3, 0.8, 1.2, 2.0, 3.5, 5.0])
def test_spray_begins_and_ends_with_the_pass_at_every_speed(
    speed_mps: float, tiny_plan: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = there_and_back(tiny_plan(), speed_mps, 24.0)
    copter = flown(plan, tmp_path / "record")
    assert_wet_from_end_to_end(plan, copter)
    assert copter.pumped_l == pytest.approx(plan.litres_l, rel=0.05)


@pytest.mark.parametrize("phase", [0.0, 0.2, 0.4, 0.6, 0.8])
@pytest.mark.parametrize("speed_mps", [0.6, 1.2, 5.0])
def test_whatever_the_phase_of_the_sprayers_rule(
    speed_mps: float,
    phase: float,
    tiny_plan: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks at the speed three times a second, from a moment that chance gives."""
    boot = SprayControl.reboot

    def late(control: SprayControl, now_s: float) -> None:
        boot(control, now_s + phase * PERIOD_S)

    monkeypatch.setattr(SprayControl, "reboot", late)
    plan = there_and_back(tiny_plan(), speed_mps, 24.0)
    assert_wet_from_end_to_end(plan, flown(plan, tmp_path / "record"))


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(speed_mps=st.floats(0.3, 5.0), length_m=st.floats(3.0, 60.0))
def test_any_pass_is_wet_from_end_to_end(
    tiny_plan: Callable[..., Plan], speed_mps: float, length_m: float
) -> None:
    plan = there_and_back(tiny_plan(), round(speed_mps, 2), round(length_m, 1))
    with tempfile.TemporaryDirectory() as folder:
        assert_wet_from_end_to_end(plan, flown(plan, Path(folder) / "record"))


def test_a_plan_laid_for_wind_is_flown_whole_and_reported(tmp_path: Path) -> None:
    """The interlock lets the drone spray from upwind; the report draws it where it lands."""
    site = read_site(ROOT / "missions" / "data" / "demo" / "site.yaml")
    plan = plan_site(site, num_drones=1, wind=Wind.coming_from(135, 2.0))
    plan = replace(plan, site=replace(site, fleet=site.fleet[:1]))
    copter = flown(plan, tmp_path / "record")
    assert copter.pumped_l == pytest.approx(plan.litres_l, rel=0.03)
    write_report(tmp_path / "record", tmp_path / "report")
    told = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert told["totals"]["dosed_frac"] >= 0.95
    assert told["totals"]["no_spray_m2"] == 0
    assert any("2.0 m/s from 135" in note for note in told["notes"])
