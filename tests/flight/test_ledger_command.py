"""`skymist ledger` on a real record: what the report says is what the ledger holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from skymist.coverage.plan import Plan
from skymist.flight.commands.ledger import add, app, listed, verify
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import applied_from
from skymist.missions.errors import FormatError, LedgerError
from skymist.missions.ledger.store import open_ledger
from tests.plans import made_plan, neighbourhood
from tests.records import write_record


@pytest.fixture(scope="module")
def plan() -> Plan:
    return made_plan(replace(neighbourhood(columns=2, rows=1), no_spray=()))


def test_record_is_kept_as_it_was_flown(
    plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "c.ledger"
    record = write_record(tmp_path / "r", plan, is_rehearsal=True, skip=("alley-12",))
    with pytest.raises(LedgerError, match="--rehearsal"):
        add(record, ledger)
    assert not ledger.exists()
    add(record.parent, ledger, rehearsal=True, operator="Lin", json=True)
    told = json.loads(capsys.readouterr().out)
    applied = applied_from(read_record(record))
    left = [task.spot_id for task in applied.ground if task.is_whole_spot]
    assert told["rows"] == 1 + len(applied.spots) + len(left)
    with open_ledger(ledger) as held:
        bodies = [row.body for row in held.rows()]
        assert held.head().hash == told["head"]
    assert bodies[1]["operator"] == "Lin"
    assert [body["spot"] for body in bodies if body["kind"] == "left"] == left
    for body, spot in zip(bodies[2 : len(bodies) - len(left)], applied.spots, strict=True):
        assert (body["spot"], body["outcome"]) == (spot.spot.id, str(spot.outcome))
        assert body["litres"] == pytest.approx(spot.litres_l, abs=0.001)
        assert body["ended_utc"] == (spot.ended and spot.ended.isoformat(timespec="seconds"))
    listed(ledger=ledger)
    shown = capsys.readouterr().out
    assert "REHEARSAL" in shown
    verify(ledger=ledger, head=told["head"])
    assert told["head"] in capsys.readouterr().out
    with pytest.raises(typer.Exit) as stopped:
        verify(ledger, head="f" * 64, json=True)
    assert stopped.value.exit_code == 1
    assert "noted head" in json.loads(capsys.readouterr().out)["broken"]["text"]


@pytest.mark.parametrize("words", [["--ledger", "c.ledger"], ["c.ledger"]])
@pytest.mark.parametrize("command", ["list", "verify"])
def test_the_ledger_is_named_by_its_option_or_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_ledger(tmp_path / "c.ledger", community="Row"):
        pass
    told = CliRunner().invoke(app, [command, *words, "--json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout)


@pytest.mark.parametrize(
    ("words", "found"), [([], "none"), (["a.ledger", "--ledger", "b.ledger"], "a.ledger and b")]
)
@pytest.mark.parametrize("command", ["list", "verify"])
def test_no_ledger_or_two_are_refused(command: str, words: list[str], found: str) -> None:
    refused = CliRunner().invoke(app, [command, *words])
    with pytest.raises(FormatError, match=f"--ledger: wanted one ledger's file, found {found}"):
        raise refused.exception or AssertionError("it was taken")
