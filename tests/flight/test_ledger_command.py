"""`skymist ledger` on a real record: what the report says is what the ledger holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from skymist.coverage.plan import Plan
from skymist.flight.applied import applied_from
from skymist.flight.commands.ledger import add, listed, verify
from skymist.flight.record import read_record
from skymist.missions.errors import LedgerError
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
    listed(ledger)
    shown = capsys.readouterr().out
    assert "REHEARSAL" in shown
    verify(ledger, told["head"])
    assert told["head"] in capsys.readouterr().out
    with pytest.raises(typer.Exit) as stopped:
        verify(ledger, "f" * 64, json=True)
    assert stopped.value.exit_code == 1
    assert "noted head" in json.loads(capsys.readouterr().out)["broken"]["text"]
