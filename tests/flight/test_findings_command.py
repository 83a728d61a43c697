"""`skymist findings` and `skymist levels` on the built-in example with a table of rules."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from skymist.coverage.site import LevelName
from skymist.flight.commands.due import due
from skymist.flight.commands.findings import add, imported, levels
from skymist.flight.commands.ledger import listed
from skymist.flight.commands.plan import plan
from skymist.missions.errors import FormatError
from skymist.missions.plans import read_plan
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo"
TODAY = datetime.now().astimezone().date()
RULES = "\nlevel_rules: {cases: {days: 14, red: 2}, complaints: {days: 7, yellow: 3, blue: 1}}\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    shutil.copytree(DEMO, tmp_path / "demo")
    path = tmp_path / "demo" / "site.yaml"
    path.write_text(path.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    return path


def test_findings_raise_levels_that_due_and_plan_go_by(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spot = next(s for s in read_site(site).spots if s.level is LevelName.BLUE)
    ledger = site.with_suffix(".ledger")
    add(site, ledger, "cases", 1, spot=spot.id, by="Chen")
    assert capsys.readouterr().out == "1 findings added\n"
    table = site.parent / "f.csv"
    table.write_text(f"on,measure,value,spot,note\n{TODAY},cases,1,{spot.id},next door\n")
    imported(site, table, ledger, json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["findings"] == 1
    assert [(c["spot"], c["before"], c["after"]) for c in told["changes"]] == [
        (spot.id, "blue", "red")
    ]
    imported(site, table, ledger)
    assert capsys.readouterr().out == "0 findings added\n"
    levels(site, json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["spot"], shown["site_file"], shown["level"]) == (spot.id, "blue", "red")
    assert shown["reason"] == "cases: 2 in 14 days (red from 2)"
    levels(site)
    assert spot.id in capsys.readouterr().out
    due(site, level=["red"], json=True)
    items = {item["id"]: item for item in json.loads(capsys.readouterr().out)["due"]}
    assert "cases: 2" in items[spot.id]["level_reason"]
    plan([site], site.parent / "plan", due=True, no_preview=True)
    made = read_plan(site.parent / "plan")
    assert made.site.spot(spot.id).level is LevelName.RED
    capsys.readouterr()
    listed(ledger, json=True)
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["ledger", "finding", "finding", "level"]


def test_what_is_no_finding_is_refused(site: Path) -> None:
    ledger = site.with_suffix(".ledger")
    with pytest.raises(FormatError) as stopped:
        add(site, ledger, "rats", -1, on="2020-13-01")
    fields = [line.split(":")[0] for line in str(stopped.value).splitlines()]
    assert fields == ["--on", "--measure", "--value", "--spot"]
    assert not ledger.exists()
    with pytest.raises(FormatError, match="wanted a ledger"):
        levels(site)
