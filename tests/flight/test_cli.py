"""The command line as a contract: exit codes, streams, and files that stay whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"
FAULTS = ROOT / "tests" / "missions" / "faults" / "site.yaml"


def skymist(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "skymist.flight.cli", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**__import__("os").environ, "PYTHONUTF8": "1", "COLUMNS": "120"},
        timeout=120,
        check=False,
    )


def test_every_command_has_help_with_an_example(tmp_path: Path) -> None:
    listed = skymist("--help", cwd=tmp_path)
    assert listed.returncode == 0
    for name in (
        "demo",
        "check",
        "plan",
        "preview",
        "export",
        "rehearse",
        "fly",
        "report",
        "cover",
        "keys",
        "policy",
    ):
        assert name in listed.stdout
        told = skymist(name, "--help", cwd=tmp_path)
        assert told.returncode == 0
        assert "skymist" in told.stdout.split("Usage", 1)[1]
        assert "xample" in told.stdout, f"{name} shows no example"


def test_twenty_faults_are_twenty_findings_and_exit_2(tmp_path: Path) -> None:
    done = skymist("check", FAULTS, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len([line for line in done.stderr.splitlines() if ": wanted " in line]) == 20


def test_a_bad_site_writes_nothing(tmp_path: Path) -> None:
    done = skymist("plan", FAULTS, "-o", tmp_path / "plan", cwd=tmp_path)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_plan_puts_its_summary_on_stdout_as_json(tmp_path: Path) -> None:
    done = skymist("plan", DEMO, "-o", tmp_path / "plan", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["num_spots"] == 14
    assert summary["num_treated"] + summary["num_partly"] + summary["num_ground"] == 14
    names = {path.name for path in (tmp_path / "plan").iterdir()}
    assert names == {"plan.json", "preview.png", "ground-crew.csv", "sorties.csv", "missions"}
    events = [json.loads(line) for line in done.stderr.splitlines()]
    stages = dict.fromkeys(e["stage"] for e in events if e["event"] == "progress")
    assert list(stages) == ["site", "spots", "sorties", "schedule", "files", "preview"]
    looked = [e for e in events if e.get("stage") == "spots"]
    assert looked[-1]["done"] == looked[-1]["total"] == 14
    assert looked[-1]["text"] == "looking at each spot"


def test_an_error_is_an_event_for_machines(tmp_path: Path) -> None:
    done = skymist("plan", "nowhere.yaml", "-o", "x", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert not done.stdout
    event = [json.loads(line) for line in done.stderr.splitlines()][-1]
    assert (event["event"], event["exit"]) == ("error", 2)
    assert "nowhere.yaml" in event["text"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plan"], 2, "site"),
        (["plan", "nowhere.yaml", "-o", "x"], 2, "nowhere.yaml"),
        (["preview", "nowhere"], 2, "nowhere"),
        (["export", "nowhere", "-o", "x"], 2, "nowhere"),
        (["export", "nowhere", "-o", "x", "--format", "paper"], 2, "paper"),
        (["report", "nowhere", "-o", "x"], 2, "nowhere"),
        (["fly", "nowhere", "--drone", "a=udp:127.0.0.1:1"], 2, "nowhere"),
        (["rehearse", "nowhere"], 2, "nowhere"),
        (["cover", "nowhere.geojson", "--swath-m", "4"], 2, "nowhere"),
    ],
)
def test_bad_usage_and_input_exit_2_and_name_it(
    words: list[str], code: int, said: str, tmp_path: Path
) -> None:
    done = skymist(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dead_link_exits_3(tmp_path: Path) -> None:
    skymist("plan", DEMO, "-o", tmp_path / "plan", "--no-preview", cwd=tmp_path)
    drones = ("--drone", "heron=tcp:127.0.0.1:1", "--drone", "egret=tcp:127.0.0.1:1")
    done = skymist("fly", tmp_path / "plan", *drones, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr


BAD_SITE = """\
schema: 1
name: on a roof
pads: [{id: p, point: [114.0, 22.7]}]
spots: [{id: s, kind: yard, level: red, radius_m: 2, point: [114.0005, 22.7]}]
buildings:
  - id: b
    height_m: 20
    polygon: [[[113.9999, 22.6999], [114.0001, 22.6999], [114.0001, 22.7001], [113.9999, 22.7001]]]
fleet: [{id: d, model: hexa-16}]
"""


@pytest.mark.parametrize("command", ["plan", "rehearse"])
def test_a_site_with_errors_is_not_planned_or_flown(command: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD_SITE, encoding="utf-8")
    done = skymist(command, "bad.yaml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "pad-in-building" in done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"bad.yaml"}


def test_a_file_where_a_folder_belongs_exits_2(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    done = skymist("plan", DEMO, "-o", tmp_path / "taken", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "taken" in done.stderr


def test_names_are_no_markup(tmp_path: Path) -> None:
    site = BAD_SITE.replace("on a roof", '"[/x]"').replace("id: s,", '"id": "[/red]",')
    site = site.replace("114.0, 22.7]", "114.0008, 22.7]")
    (tmp_path / "site.yaml").write_text(site, encoding="utf-8")
    done = skymist("plan", "site.yaml", "-o", "out", "--no-preview", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[/x]" in done.stdout
