"""`skymist due` and `skymist plan --due` on the built-in example."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import typer

from skymist.coverage.site import Site
from skymist.flight.commands.due import due
from skymist.flight.commands.ledger import hand
from skymist.flight.commands.plan import plan
from skymist.missions.errors import FormatError
from skymist.missions.plans import read_plan
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"
TODAY = datetime.now().astimezone().date()


@pytest.fixture(scope="module")
def demo() -> Site:
    return read_site(DEMO)


@pytest.fixture
def ledger(demo: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Everything was done by hand just now but the first two spots."""
    path = tmp_path / "demo.ledger"
    hand(DEMO, [spot.id for spot in demo.spots[2:]], path, by="Wu")
    capsys.readouterr()
    return path


def test_due_as_json(demo: Site, ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    due(DEMO, ledger, json=True)
    told = json.loads(capsys.readouterr().out)
    assert {item["id"] for item in told["due"]} == {spot.id for spot in demo.spots[:2]}
    assert {item["reason"] for item in told["due"]} == {"never treated"}
    wet = {item["id"]: item for item in told["closed"]}
    agents = {agent.id: agent.contact_min for agent in demo.agents}
    for spot in demo.spots[2:]:
        minutes = agents[spot.agent_id or demo.level_for(spot).agent_id]
        assert (spot.id in wet) == (minutes > 0)
        if minutes:
            assert minutes - 1.5 < wet[spot.id]["minutes_left"] <= minutes
    far = str(TODAY + timedelta(days=30))
    due(DEMO, ledger, on=far, json=True)
    assert len(json.loads(capsys.readouterr().out)["due"]) == len(demo.spots)
    due(DEMO, ledger, on=far, level=["红"], json=True)
    levels = {item["level"] for item in json.loads(capsys.readouterr().out)["due"]}
    assert levels == {"red"}


def test_due_as_a_table(demo: Site, ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    due(DEMO, ledger)
    shown = capsys.readouterr().out
    assert f"2 of {len(demo.spots)} spots" in shown
    assert "Still wet" in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on": "soon"}, "wanted a day"),
        ({"level": ["purple"]}, "--level: wanted one of red, yellow"),
        ({"zone": ["nowhere"]}, "--zone: wanted one of"),
        ({"post": ["nobody"]}, "--post: wanted one of"),
        ({"ledger": Path("no.ledger")}, "no.ledger: wanted a ledger"),
    ],
)
def test_what_cannot_be_answered(options: dict[str, object], words: str, ledger: Path) -> None:
    with pytest.raises(FormatError, match=words):
        due(DEMO, **{"ledger": ledger, **options})  # type: ignore[arg-type]


def test_without_a_ledger_everything_is_due(demo: Site, capsys: pytest.CaptureFixture[str]) -> None:
    due(DEMO, json=True)
    told = capsys.readouterr()
    assert len(json.loads(told.out)["due"]) == len(demo.spots)
    assert "no ledger at" in told.err


def test_plan_of_exactly_what_is_due(demo: Site, ledger: Path, tmp_path: Path) -> None:
    plan([DEMO], tmp_path / "plan", due=True, ledger=ledger, no_preview=True)
    made = read_plan(tmp_path / "plan")
    assert {t.spot_id for t in (*made.treatments, *made.ground)} == {
        spot.id for spot in demo.spots[:2]
    }
    hand(DEMO, [spot.id for spot in demo.spots[:2]], ledger, by="Wu")
    with pytest.raises(typer.Exit) as stopped:
        plan([DEMO], tmp_path / "none", due=True, ledger=ledger, no_preview=True)
    assert stopped.value.exit_code == 1
    assert not (tmp_path / "none").exists()


def test_due_options_want_due_and_one_site(ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="--ledger: wanted --due"):
        plan([DEMO], tmp_path, ledger=ledger)
    with pytest.raises(FormatError, match="--on: wanted --due"):
        plan([DEMO], tmp_path, on="2026-07-01")
    other = tmp_path / "other"
    other.mkdir()
    (other / "site.yaml").write_bytes(DEMO.read_bytes())
    with pytest.raises(FormatError, match="--due: wanted one site"):
        plan([DEMO, other / "site.yaml"], tmp_path, due=True)
