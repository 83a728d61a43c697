"""The pytest plugin, by pytest's own way of testing plugins: each test runs a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skymist.coverage.plan import Plan
from skymist.missions.plans import write_plan

pytest_plugins = ["pytester"]

FLIES = """
from skymist.missions.items import Command, Frame, Item

def at(command, z=10.0, x_e7=601700000, y_e7=249400000, **p):
    return Item(command=command, frame=Frame.ABOVE_HOME, z_m=z, x_e7=x_e7, y_e7=y_e7, **p)

MISSION = [
    at(Command.NAV_WAYPOINT, 0.0),
    at(Command.NAV_TAKEOFF),
    at(Command.NAV_WAYPOINT, x_e7=601708000),
    Item(command=Command.NAV_LAND),
]
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("SKYMIST_ARDUCOPTER", raising=False)
    pytester.makepyfile(mission=FLIES)
    return pytester


def run(inner: pytest.Pytester, *words: str) -> pytest.RunResult:
    return inner.runpytest_subprocess(*words)


def test_a_vehicle_flies_breaks_and_lands(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        from mission import MISSION

        def test_flies(sitl_vehicle):
            sitl_vehicle.fly(MISSION)
            sitl_vehicle.wait_above(9.0)
            sitl_vehicle.break_down("gps-lost")
            sitl_vehicle.wait_mode("LAND", 30)
            sitl_vehicle.mend("gps-lost")
            sitl_vehicle.wait_landed()
            assert sitl_vehicle.litres_l == 0
            assert max(sample.z for sample in sitl_vehicle.truth) > 9.0
        """
    )
    run(inner).assert_outcomes(passed=1)
    assert not (inner.path / "skymist-artefacts").exists()


def test_a_fleet_flies_at_once(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        from mission import MISSION

        def test_three(sitl_fleet):
            vehicles = sitl_fleet(3, home="60.17,24.94,10,90")
            assert [v.id for v in vehicles] == ["d1", "d2", "d3"]
            for vehicle in vehicles:
                vehicle.fly(MISSION)
            for vehicle in vehicles:
                vehicle.wait_landed()
        """
    )
    run(inner).assert_outcomes(passed=1)


def test_a_wait_fails_by_name_and_what_was_flown_is_kept(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        from mission import MISSION

        def test_never(sitl_vehicle):
            sitl_vehicle.fly(MISSION)
            sitl_vehicle.wait_item(9, 20)
        """
    )
    result = run(inner, "--artefacts", "kept")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*d1: wanted item 9 within 20 simulated s, found mode AUTO, armed*"]
    )
    result.stdout.fnmatch_lines(["*kept in *kept*test_never*"])
    (folder,) = (inner.path / "kept").iterdir()
    assert {p.name for p in folder.iterdir()} == {"d1.tlog", "d1.png", "d1-truth.csv"}
    assert (folder / "d1.tlog").stat().st_size > 1000
    assert len((folder / "d1-truth.csv").read_text().splitlines()) > 100


def test_a_rehearsal_of_a_plan_is_told_and_its_failure_kept(
    inner: pytest.Pytester, tiny_plan: Callable[..., Plan]
) -> None:
    write_plan(tiny_plan(), inner.path / "plan")
    inner.makepyfile(
        """
        def test_whole(rehearsal):
            flown = rehearsal("plan")
            flown.assert_done()
            assert 0.3 < flown.litres_l < 1.0
            assert flown.report["totals"]["litres"] > 0.3
            assert not flown.skipped

        def test_broken(rehearsal):
            flown = rehearsal("plan", faults=["reboot@20"])
            assert not flown.is_done
            flown.assert_done()

        def test_nothing(rehearsal):
            rehearsal("nowhere")
        """
    )
    result = run(inner)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*not everything was flown (exit 1)*"])
    result.stdout.fnmatch_lines(["*nowhere*found nothing*"])
    kept = inner.path / "skymist-artefacts"
    names = {p.name for p in kept.rglob("*")}
    assert {"record.jsonl", "d1.tlog", "d1-truth.csv", "applied.png"} <= names


def test_without_a_binary_it_is_skipped_and_required_it_fails(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYMIST_ARDUCOPTER", str(inner.path / "none"))
    inner.makepyfile("def test_it(sitl_vehicle): pass")
    skipped = run(inner, "--sim", "ardupilot", "-rs")
    skipped.assert_outcomes(skipped=1)
    skipped.stdout.fnmatch_lines(["*no arducopter binary*"])
    run(inner, "--sim", "ardupilot", "--require-ardupilot").assert_outcomes(errors=1)


@pytest.mark.ardupilot
@pytest.mark.slow
def test_the_same_test_flies_on_real_arducopter(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, arducopter: Path
) -> None:
    monkeypatch.setenv("SKYMIST_ARDUCOPTER", str(arducopter))
    inner.makepyfile(
        """
        from mission import MISSION

        def test_flies(sitl_vehicle):
            sitl_vehicle.fly(MISSION)
            sitl_vehicle.wait_above(9.0)
            sitl_vehicle.break_down("rc-lost")
            sitl_vehicle.wait_mode("RTL", 30)
            assert False, "so that it is kept"
        """
    )
    run(inner, "--sim", "ardupilot", "--artefacts", "kept").assert_outcomes(failed=1)
    names = [p.name for p in (inner.path / "kept").rglob("*")]
    assert "d1.tlog" in names
    assert "d1.png" in names
    assert any(name.endswith(".BIN") for name in names)


def test_it_costs_a_pytest_that_flies_nothing_next_to_nothing(tmp_path: Path) -> None:
    """Loading it imports no MAVLink, no numbers, nothing else of Skymist."""
    code = (
        "import sys, skymist.sitl.testing.plugin; "
        "heavy = {'pymavlink', 'numpy', 'shapely', 'matplotlib', 'asyncio.base_events'}; "
        "print(sorted(heavy & set(sys.modules)), "
        "[m for m in sys.modules if m.startswith('skymist.') and 'testing' not in m])"
    )
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COV_")}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ
    )
    assert ran.stdout.strip() == "[] ['skymist.sitl']"


def test_the_entry_point_is_there() -> None:
    from importlib.metadata import entry_points

    found = {e.name: e.value for e in entry_points(group="pytest11")}
    assert found["skymist"] == "skymist.sitl.testing.plugin"
