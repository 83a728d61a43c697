"""`skymist rehearse` and the parts of `skymist fly` that need no drone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import typer

from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Plan
from skymist.flight.commands.reaching import parse_connections
from skymist.flight.commands.rehearse import rehearse
from skymist.flight.recording.record import read_record
from skymist.missions.errors import FormatError
from skymist.missions.plans import write_plan

MakePlan = Callable[..., Plan]


def test_a_plan_on_disk_is_rehearsed_and_the_record_named(
    tiny_plan: MakePlan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plan(tiny_plan(), tmp_path)
    rehearse(tmp_path)
    out, err = capsys.readouterr()
    (folder,) = (tmp_path / "records").iterdir()
    assert "1 of 1 sorties flown" in out
    assert "skymist report" in out
    assert folder.name in out.replace("\n", "")
    assert "verified" in err
    record = read_record(folder)
    assert record.header["is_rehearsal"] is True
    assert record.header["sim"] == "embedded"
    assert record.header["software"].startswith("skymist ")
    assert [s.id for s in record.plan().sorties] == ["d1-01"]
    assert not list(folder.glob("*.tlog"))


def test_json_is_one_object_a_line_and_ends_with_the_summary(
    tiny_plan: MakePlan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plan(tiny_plan(), tmp_path)
    rehearse(tmp_path, output=tmp_path / "out", json=True, tlog=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["outcome"] == "done"
    assert lines[-1]["sorties_flown"] == 1
    assert {"sortie", "pass", "end"} <= {line.get("event") for line in lines}
    assert (tmp_path / "out" / "d1.tlog").stat().st_size > 10_000


def test_same_plan_same_seed_same_record(tiny_plan: MakePlan, tmp_path: Path) -> None:
    write_plan(tiny_plan(2), tmp_path)
    for name in ("a", "b"):
        rehearse(tmp_path, output=tmp_path / name)
    first, second = (read_record(tmp_path / name) for name in ("a", "b"))
    keep = [{k: v for k, v in e.items() if k != "crc"} for e in first.events]
    assert keep == [{k: v for k, v in e.items() if k != "crc"} for e in second.events]


def test_an_earlier_record_and_a_missing_plan_are_refused(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    write_plan(tiny_plan(), tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "record.jsonl").write_text("x")
    with pytest.raises(FormatError, match="new folder"):
        rehearse(tmp_path, output=tmp_path / "out")
    with pytest.raises(PlanError, match="wanted embedded or ardupilot"):
        rehearse(tmp_path, sim="gazebo")
    with pytest.raises(PlanError, match="found nothing"):
        rehearse(tmp_path / "nowhere")


def test_a_failed_rehearsal_exits_with_1(
    tiny_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skymist.flight.conductor import launch
    from skymist.flight.errors import VehicleRefused

    async def refuse(*_: object) -> None:
        raise VehicleRefused("no pump")

    monkeypatch.setattr(launch, "read_pump_servo", refuse)
    write_plan(tiny_plan(), tmp_path)
    with pytest.raises(typer.Exit) as exit_info:
        rehearse(tmp_path, output=tmp_path / "out")
    assert exit_info.value.exit_code == 1
    assert read_record(tmp_path / "out").events[-1]["outcome"] == "incomplete"


def test_a_speedup_paces_the_flight(tiny_plan: MakePlan, tmp_path: Path) -> None:
    write_plan(tiny_plan(), tmp_path)
    began_s = time.monotonic()
    with suppress(typer.Exit):  # a machine that stalls 50 ms loses the link for 5 s
        rehearse(tmp_path, output=tmp_path / "out", speedup=100.0)
    took_s = time.monotonic() - began_s
    record = read_record(tmp_path / "out")
    assert record.header["speedup"] == 100.0
    assert record.events[-1]["event"] == "end"
    assert took_s >= 0.9 * record.last_s / 100.0


def test_connections(tiny_plan: MakePlan) -> None:
    plan = tiny_plan(2)
    found = parse_connections(["d1=udp:0.0.0.0:14550", "d2=COM3:57600"], plan)
    assert found == {"d1": "udp:0.0.0.0:14550", "d2": "COM3:57600"}


@pytest.mark.parametrize("texts", [["d1"], ["d1="], ["=udp:1:2"], ["d9=udp:1:2"], ["d1=a", "d1=b"]])
def test_wrong_connections_are_named(tiny_plan: MakePlan, texts: list[str]) -> None:
    with pytest.raises(PlanError, match="--drone"):
        parse_connections(texts, tiny_plan(2))


def test_orders_are_given_at_their_times(tiny_plan: MakePlan, tmp_path: Path) -> None:
    write_plan(tiny_plan(), tmp_path)
    rehearse(tmp_path, output=tmp_path / "out", at=["62:pause:d1", "90:continue"])
    record = read_record(tmp_path / "out")
    given = [(e["verb"], e["by"], round(e["given_s"])) for e in record.of("order")]
    assert given == [("pause", "script", 62), ("continue", "script", 90)]
    assert record.events[-1]["outcome"] == "done"


def test_an_order_of_another_form_starts_nothing(tiny_plan: MakePlan, tmp_path: Path) -> None:
    write_plan(tiny_plan(), tmp_path)
    with pytest.raises(PlanError, match="--at '62': wanted SECONDS:ORDER"):
        rehearse(tmp_path, output=tmp_path / "out", at=["62"])
    assert not (tmp_path / "out").exists()
