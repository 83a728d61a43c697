"""JSON lines on standard error: form, how often, and what a log line becomes."""

from __future__ import annotations

import json
import logging

import pytest

from skymist.flight.terminal.machine_lines import JsonLog
from skymist.flight.terminal.progress import (
    EVERY_S,
    BarProgress,
    JsonProgress,
    SpotsTold,
    progress_on_stderr,
)


class Wall:
    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def test_progress_is_told_at_each_stage_and_end_and_seldom_between(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wall = Wall()
    with JsonProgress({"spots": "looking"}, wall_s=wall) as tell:
        tell("site")
        for done in range(1001):
            tell("spots", done, 1000)
            wall.at_s += 0.001
    out, err = capsys.readouterr()
    assert not out
    events = [json.loads(line) for line in err.splitlines()]
    assert events[0] == {
        **{"event": "progress", "stage": "site", "text": "site"},
        **{"done": 0, "total": 0, "elapsed_s": 0.0},
    }
    assert (events[1]["stage"], events[1]["text"], events[1]["done"]) == ("spots", "looking", 0)
    assert (events[-1]["done"], events[-1]["elapsed_s"]) == (1000, 1.0)
    assert len(events) <= 3 + 1.0 / EVERY_S
    assert [event["done"] for event in events[1:]] == sorted(e["done"] for e in events[1:])


def test_a_log_line_is_one_event_with_its_traceback() -> None:
    logger = logging.getLogger("skymist.test")
    try:
        raise ValueError('a "quoted"\nthing')
    except ValueError as exc:
        found = (type(exc), exc, exc.__traceback__)
    record = logger.makeRecord("skymist.test", logging.WARNING, "f", 1, "%s 区", ("x",), found)
    line = JsonLog().format(record)
    assert "\n" not in line
    event = json.loads(line)
    assert (event["event"], event["level"], event["logger"]) == ("log", "warning", "skymist.test")
    assert event["text"].startswith("x 区\nTraceback")
    assert event["text"].endswith('ValueError: a "quoted"\nthing')


def test_who_asks_for_json_gets_lines_and_who_does_not_a_bar() -> None:
    assert isinstance(progress_on_stderr(as_json=True), JsonProgress)
    assert isinstance(progress_on_stderr(), BarProgress)


def test_spots_of_all_models_are_one_stage_that_only_grows() -> None:
    said: list[tuple[str, int, int]] = []
    told = SpotsTold(lambda *words: said.append(words))
    for model in range(2):
        told.stage("spots", model, 2)
        for done in range(4):
            told.spots(done, 3)
    told.stage("sorties", 0, 1)
    assert said == [("spots", n, 6) for n in (0, 1, 2, 3, 3, 4, 5, 6)] + [("sorties", 0, 1)]
