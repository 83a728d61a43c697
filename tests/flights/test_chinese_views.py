"""An operation with trouble, seen in Chinese: nowhere is English of ours left."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from skymist.flight.dashboard.board import Board
from skymist.flight.recording.record import Record, read_record
from tests.flight.said import english_left

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"
TROUBLE = (
    *("--at", "50:pause:heron", "--at", "65:continue:heron", "--at", "70:skip:refuse-west"),
    *(
        "--at",
        "300:home:egret",
        "--fault",
        "egret:gps-lost@40+10",
        "--fault",
        "heron:link-silent@90+20",
    ),
)


@dataclass(frozen=True)
class Seen:
    record: Record
    ids: tuple[str, ...]

    def bare(self, text: str) -> str:
        """A text without names and without what others said, which stands in quotes."""
        for name in self.ids:
            text = text.replace(name, "")
        return re.sub(r"“[^”]*”", "", text)


def skymist(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "skymist.flight.cli", *map(str, words)]
    wide = {**os.environ, "COLUMNS": "300", "PYTHONUTF8": "1"}  # no line is broken in quotes
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, env=wide
    )


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("zh") / "record"
    done = skymist("rehearse", DEMO, "-o", folder, *TROUBLE)
    assert done.returncode in (0, 1), done.stderr
    record = read_record(folder)
    plan = record.whole_plan()
    names = [
        *(spot.id for spot in plan.site.spots),
        *(spot.name for spot in plan.site.spots),
        *(sortie.id for sortie in plan.sorties),
        *(str(event["sortie_id"]) for event in record.of("sortie")),
        *(drone.id for drone in plan.site.fleet),
        *(zone.id for zone in plan.site.zones),
        *(zone.responsible for zone in plan.site.zones),
        *(plan.site.name, plan.site.attribution, str(folder), "record.jsonl"),
    ]
    return Seen(record, tuple(sorted(filter(None, set(names)), key=len, reverse=True)))


def test_alerts_and_log_of_the_dashboard(seen: Seen) -> None:
    board = Board(seen.record.plan())
    for event in (seen.record.header, *seen.record.events):
        board.take(event)
    said = [alert["zh"] for alert in board.alerts] + [line[2] for line in board.lines]
    assert len(board.alerts) > 5
    assert len(board.lines) > 20
    assert {alert["severity"] for alert in board.alerts} == {"warning", "error"}
    left = {text for text in said if english_left(seen.bare(text))}
    assert not left
    assert not english_left(seen.bare(board.outcome[1]))


def test_the_report_in_the_terminal_and_its_page(seen: Seen, tmp_path: Path) -> None:
    made = skymist("report", seen.record.path, "-o", tmp_path / "out", "--lang", "zh")
    assert made.returncode in (0, 1), made.stderr
    rows = [line for line in made.stdout.splitlines() if "report.html" not in line]
    assert len(rows) > 8
    left = [row for row in rows if english_left(seen.bare(row))]
    assert not left
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    words = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.S)
    words = re.sub(r"[0-9a-f]{64}", "", html.unescape(words))
    # The simulator and the rules are called so.
    assert set(english_left(seen.bare(words))) <= {"embedded", "plain"}
