"""`skymist rehearse --fault`: what breaks by name, on both kinds of simulated drone."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Plan
from skymist.flight.cli import app
from skymist.flight.commands.rehearse import rehearse
from skymist.flight.recording.record import Record, read_record
from skymist.missions.plans import write_plan
from skymist.sitl.ardupilot_faults import FaultUnavailable
from skymist.sitl.mishaps import NAMES

MakePlan = Callable[..., Plan]


def flown(plan: Plan, folder: Path, *faults: str, **options: object) -> tuple[int, Record]:
    write_plan(plan, folder)
    code = 0
    try:
        rehearse(folder, output=folder / "out", fault=list(faults), **options)  # type: ignore[arg-type]
    except typer.Exit as wish:
        code = wish.exit_code
    return code, read_record(folder / "out")


@pytest.mark.parametrize("name", ["loss", "duplicates", "telemetry-radio"])
def test_a_link_that_is_spoilt_now_and_then_is_flown_through(
    tiny_plan: MakePlan, tmp_path: Path, name: str
) -> None:
    code, record = flown(tiny_plan(), tmp_path, name)
    assert code == 0
    assert [e["state"] for e in record.of("sortie")][-1] == "landed"


@pytest.mark.parametrize("seed", range(4))
def test_frames_out_of_order_do_not_look_like_two_vehicles(
    tiny_plan: MakePlan, tmp_path: Path, seed: int
) -> None:
    """A fifth of them come 0.3 s late, some by a hundred places while parameters are read."""
    code, record = flown(tiny_plan(), tmp_path, "reordering", seed=seed)
    assert code == 0
    assert [e["state"] for e in record.of("sortie")][-1] == "landed"


def test_bursts_without_a_word_end_in_order(tiny_plan: MakePlan, tmp_path: Path) -> None:
    _, record = flown(tiny_plan(), tmp_path, "bursts", logs=tmp_path / "logs")
    assert record.is_closed
    assert [e["state"] for e in record.of("sortie")][-1] in ("landed", "failed")
    with (tmp_path / "logs" / "d1-truth.csv").open(encoding="utf-8") as file:
        last = list(csv.DictReader(file))[-1]
    assert (last["is_armed"], float(last["z"]), float(last["flow_lps"])) == ("0", 0.0, 0.0)
    assert {e["spot_id"] for e in record.of("skipped")} <= {"yard0", "bins0"}


def test_a_stuck_pump_and_a_second_drone_that_has_none(tiny_plan: MakePlan, tmp_path: Path) -> None:
    _, record = flown(tiny_plan(2), tmp_path, "d1:pump-stuck@15+20", logs=tmp_path / "logs")
    assert {e["drone_id"] for e in record.of("alert") if e["code"] == "pump_stuck"} == {"d1"}
    litres = {}
    for drone_id in ("d1", "d2"):
        with (tmp_path / "logs" / f"{drone_id}-truth.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        litres[drone_id] = float(rows[-1]["pumped_l"])
        assert float(rows[-1]["t_s"]) > 60
        assert {row["is_armed"] for row in rows} == {"0", "1"}
    assert litres["d1"] > litres["d2"] + 0.3


def test_a_reboot_in_the_air_fails_the_rehearsal(tiny_plan: MakePlan, tmp_path: Path) -> None:
    code, record = flown(tiny_plan(), tmp_path, "reboot@20")
    assert code == 1
    assert record.is_closed
    assert {e["spot_id"] for e in record.of("skipped")} == {"yard0", "bins0"}


def test_without_file_transfer_missions_go_item_by_item(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    code, record = flown(tiny_plan(), tmp_path, "no-file-transfer")
    assert code == 0
    assert [e["state"] for e in record.of("sortie")][-1] == "landed"


@pytest.mark.parametrize(
    ("name", "last"),
    [("no-item-numbers", "flying"), ("no-upload-ack", "uploading")],
)
def test_what_was_never_heard_is_not_taken_for_done(
    tiny_plan: MakePlan, tmp_path: Path, name: str, last: str
) -> None:
    """A pass that nothing told of is named; a mission that nothing acknowledged is not flown."""
    code, record = flown(tiny_plan(), tmp_path, name)
    assert code == 1
    states = [e["state"] for e in record.of("sortie")]
    assert (last in states, "failed" in states or "landed" in states) == (True, True)
    assert {e["spot_id"] for e in record.of("skipped")} == {"yard0", "bins0"}


@pytest.mark.parametrize(
    ("fault", "code", "alert"),
    [
        ("pilot@15+10", 1, "pilot"),
        ("fence@15", 1, "fence"),
        ("tank-dry@15", 1, "tank_off"),  # no sensor tells; the crew finds it after the landing
        ("text-flood@1", 0, None),
    ],
)
def test_deeds_are_told_by_what_they_do(
    tiny_plan: MakePlan, tmp_path: Path, fault: str, code: int, alert: str | None
) -> None:
    found, record = flown(tiny_plan(), tmp_path, fault, logs=tmp_path / "logs")
    told = {e["code"] for e in record.of("alert")}
    assert (found, alert is None or alert in told) == (code, True), told
    with (tmp_path / "logs" / "d1-truth.csv").open(encoding="utf-8") as file:
        last = list(csv.DictReader(file))[-1]
    assert (last["is_armed"], float(last["z"])) == ("0", 0.0)


def test_the_list_of_faults_needs_nothing_else() -> None:
    done = CliRunner().invoke(app, ["rehearse", "--fault", "list"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(NAMES)


def test_what_cannot_break_is_refused_before_anything_flies(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    write_plan(tiny_plan(), tmp_path)
    with pytest.raises(PlanError, match="--fault: wanted"):
        rehearse(tmp_path, output=tmp_path / "out", fault=["gremlins"])
    with pytest.raises(PlanError, match="found 'd7'"):
        rehearse(tmp_path, output=tmp_path / "out", fault=["d7:wind"])
    with pytest.raises(FaultUnavailable):
        rehearse(tmp_path, output=tmp_path / "out", sim="ardupilot", fault=["tank-leak"])
    assert not (tmp_path / "out").exists()


@pytest.mark.ardupilot
@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "alert"),
    [
        (("pump-stuck@20+20", "loss"), "pump_stuck"),
        (("pilot@22+15", "text-flood@1+60"), "pilot"),
        (("fence@22+20",), "fence"),
    ],
)
def test_the_same_on_real_arducopter(
    tiny_plan: MakePlan, tmp_path: Path, arducopter: Path, faults: tuple[str, ...], alert: str
) -> None:
    _, record = flown(
        tiny_plan(),
        tmp_path,
        *faults,
        sim="ardupilot",
        speedup=5.0,
        arducopter=arducopter,
        logs=tmp_path / "logs",
    )
    assert alert in {e["code"] for e in record.of("alert")}
    assert list((tmp_path / "logs").rglob("*.BIN"))
