from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from skymist.flight.terminal.display import (
    DroneView,
    JsonDisplay,
    LineDisplay,
    LiveDisplay,
    Silent,
    clock_text,
    display_for,
    doing,
    event_text,
    overall_frac,
    table_of,
)

ALERT = {"drone_id": "d1", "severity": "error", "code": "gps_lost", "text": "GPS silent"}
EVENTS = {
    "sortie": {"drone_id": "d1", "sortie_id": "d1-01", "state": "armed", "text": "[b]"},
    "alert": ALERT,
    "pump": {"drone_id": "d1", "commanded": False, "reason": "mode RTL"},
    "service": {"drone_id": "d1", "kind": "refill", "litres_l": 3.25, "duration_s": 9.0},
    "skipped": {"spot_id": "s", "sortie_id": "d1-01", "reason": "link lost"},
    "end": {"outcome": "done", "text": "all"},
    "other": {"a": 1, "b": ["x", "y"]},
    "parameters_restored": {"drone_id": "d1", "names": ["rtl_altitude_m"]},
}


class Wall:
    def __init__(self) -> None:
        self.at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


def view(done: int = 1, drone_id: str = "d1") -> DroneView:
    return DroneView(
        drone_id=drone_id,
        phase="spraying",
        spot_id="yard",
        num_passes=4,
        num_passes_done=done,
        litres_l=1.0,
        tank_l=15.0,
        battery_frac=0.5,
        left_s=65.0,
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (65, "1:05"), (3599.6, "1 h 00"), (7640, "2 h 07"), (-5, "0:00"), (1e999, "-")],
)
def test_times(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_words(name: str) -> None:
    assert event_text(name, EVENTS[name])


def test_overall_share() -> None:
    assert overall_frac({}) == 0.0
    assert overall_frac({"a": view(1), "b": view(4)}) == 5 / 8


def test_the_table_is_drawn_by_wall_time_alone() -> None:
    out, wall = io.StringIO(), Wall()
    console = Console(file=out, force_terminal=True, width=100)
    display = LiveDisplay(console, wall_s=wall)
    display.show(view())
    drawn = len(out.getvalue())
    assert "yard" in out.getvalue()
    for done in range(1000):
        display.show(view(done % 4))
    assert len(out.getvalue()) == drawn
    wall.at_s = 0.3
    display.show(view(3))
    assert len(out.getvalue()) > drawn
    display.event("alert", ALERT)
    display.event("sortie", EVENTS["sortie"])
    display.close()
    assert "GPS silent" in out.getvalue()
    assert "75% of all passes" in out.getvalue()


def test_an_upload_shows_how_far_it_is() -> None:
    sending = replace(view(), phase="uploading", spot_id="", uploaded_frac=0.5)
    assert doing(sending) == "50% ━━━━╌╌╌╌╌"
    assert doing(view()) == "yard"
    assert doing(replace(view(), spot_id="", note="waits")) == "waits"


@pytest.mark.parametrize("wide", [80, 100, 140])
def test_the_table_fits_the_screen_with_the_longest_rows(wide: int) -> None:
    """No row runs off the side or over two lines, and no number is cut."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=wide, color_system=None)
    link = "57.6 kbit/s, 12 % lost, 240 ms"
    note = "waits to take off: it would come nearer than 10 m to egret-with-a-long-name"
    rows = {
        "a": replace(view(), note=note, spot_id="", link=link, battery_frac=1.0),
        "b": replace(view(), drone_id="a-rather-long-drone-name", link=link, left_s=7640),
        "c": replace(view(), phase="uploading", uploaded_frac=0.37, num_passes=1234),
    }
    console.print(table_of(rows))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= wide
    assert len(lines) == 2 + len(rows) + 1  # head, rule, rows, bar
    for text in ("100%", "2 h 07", "37% ━━━╌╌╌╌╌╌", "1/1234", "15.0", "spraying"):
        assert text in out.getvalue(), text


def test_lines_for_a_pipe() -> None:
    out, wall = io.StringIO(), Wall()
    display = LineDisplay(out, wall_s=wall)
    display.show(view())
    for name, fields in EVENTS.items():
        display.event(name, fields)
    display.event("pass", {})
    wall.at_s = 11.0
    display.show(view(2))
    display.close()
    lines = out.getvalue().splitlines()
    assert len(lines) == len(EVENTS) + 1
    assert lines[-1] == "50%: d1 spraying yard"
    assert not [line for line in lines if "{" in line or "\x1b" in line]


def test_json_lines_for_machines() -> None:
    out, wall = io.StringIO(), Wall()
    display = JsonDisplay(out, wall_s=wall)
    display.event("header", {"schema": 1, "plan": {"big": 1}})
    for _ in range(5):
        display.show(view())
    display.show(view(drone_id="d2"))
    wall.at_s = 1.0
    display.show(view(2))
    display.close()
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [s["event"] for s in said] == ["header", "drone", "drone", "drone"]
    assert "plan" not in said[0]
    assert said[-1]["num_passes_done"] == 2


def test_the_display_that_fits() -> None:
    plain = Console(file=io.StringIO(), force_terminal=False)
    assert isinstance(display_for(as_json=True), JsonDisplay)
    assert isinstance(display_for(as_json=False, console=plain), LineDisplay)
    live = display_for(
        as_json=False, console=Console(file=io.StringIO(), force_terminal=True, width=80)
    )
    assert isinstance(live, LiveDisplay)
    live.close()
    silent = Silent()
    silent.show(view())
    silent.event("end", {})
    silent.close()
