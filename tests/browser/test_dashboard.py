"""The dashboard in a browser: a rehearsal that flies meanwhile, orders that arrive, viewers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from skymist.flight.recording.record import read_record
from tests.flight.said import english_left
from tests.map_tiles import colour_of, tile_of, write_folder

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"
SKYMIST = [sys.executable, "-m", "skymist.flight.cli"]
WAIT_S = 60.0


def until(true: Callable[[], Any], what: str, wait_s: float = WAIT_S) -> Any:
    """Wait for something to hold, or fail by name."""
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.1)
    pytest.fail(f"waited {wait_s:g} s for {what}")


class Flown:
    """A rehearsal with its dashboard, in programs of their own."""

    def __init__(self, folder: Path) -> None:
        self.record = folder / "record"
        self.program = subprocess.Popen(
            [*SKYMIST, "rehearse", str(DEMO), "-o", str(self.record), "--dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self.program.stderr is not None
        links = []
        for line in self.program.stderr:
            links += re.findall(r"http://\S+", line)
            if len(links) == 2:
                break
        self.operator, self.viewer = links

    def events(self, *names: str) -> list[dict[str, Any]]:
        return list(read_record(self.record).of(*names))

    def end(self) -> None:
        """Kill it as a crash would: its dashboard must not stay behind."""
        self.program.kill()
        self.program.communicate(timeout=60)


@pytest.fixture
def flown(browser: Any, tmp_path: Path) -> Iterator[Flown]:
    made = Flown(tmp_path)
    yield made
    made.end()


def text_of(page: Any, element: str) -> str:
    return str(page.find_element("id", element).text)


def press(page: Any, words: str) -> None:
    """Press a button by its words; the page may be building it anew."""

    def pressed() -> bool:
        script = (
            "const b = [...document.querySelectorAll('button')]"
            ".find(b => b.textContent === arguments[0] && b.offsetParent);"
            "if (b) b.click(); return !!b"
        )
        return bool(page.execute_script(script, words))

    until(pressed, f"the button {words}", 10)


def test_a_rehearsal_moves_is_paused_goes_on_and_comes_home(flown: Flown, page: Any) -> None:
    page.get(flown.operator)
    places = "return news && news.drones.map(d => d.at)"
    first = until(lambda: (at := page.execute_script(places)) and all(at) and at, "positions")
    until(lambda: page.execute_script(places) != first, "drones that move")
    until(lambda: page.execute_script("return Object.keys(news.spots).length"), "spots that fill")
    assert "0:0" in text_of(page, "clock")

    press(page, "Pause all")
    paused = until(
        lambda: [e for e in flown.events("order") if e["verb"] == "pause"], "pause in the record"
    )
    assert paused[0]["by"] == "dashboard"
    press(page, "Continue all")
    until(lambda: [e for e in flown.events("order") if e["verb"] == "continue"], "continue")

    until(lambda: page.execute_script("return news.alerts.length"), "the alert of the pause")
    press(page, "Seen")
    seen = "return news.alerts.filter(a => a.seenBy).length"
    until(lambda: page.execute_script(seen) == 1, "an alert that was seen")

    press(page, "All home")
    assert "Sure?" in until(lambda: text_of(page, "question"), "the question")
    press(page, "No")
    time.sleep(1)
    assert not [e for e in flown.events("order") if e["verb"] == "home"]
    press(page, "All home")
    press(page, "Yes, do it")
    until(lambda: [e for e in flown.events("order") if e["verb"] == "home"], "home")
    # On their pads they wait to be told whether the rest is flown; home again leaves it.
    waits = "return news.alerts.filter(a => a.text.startsWith('waits to be told')).length"
    until(lambda: page.execute_script(waits) == 2, "drones that wait to be told", 240)
    press(page, "All home")
    press(page, "Yes, do it")
    until(lambda: page.execute_script("return news.outcome[0]"), "the end", 120)
    alerts = page.execute_script("return news.alerts.length")
    assert alerts
    # The program ends with the operation; its page is closed before the browser complains.
    page.get("about:blank")
    page.get_log("browser")


def test_a_viewer_cannot_command(flown: Flown, page: Any) -> None:
    page.get(flown.viewer)
    until(lambda: page.execute_script("return news && news.drones.length"), "drones")
    labels = [b.text for b in page.find_elements("css selector", "button")]
    assert not {"Pause all", "All home", "STOP", "Pause", "Home"} & set(labels)
    script = (
        "const done = arguments[1]; fetch('/order', {method: 'POST', headers:"
        " {'Content-Type': 'application/json'}, body: arguments[0]}).then(a => done(a.status))"
    )
    body = json.dumps({"order": "stop", "sure": True})
    assert page.execute_async_script(script, body) == 403
    page.get_log("browser")  # the refusal is an error line of the browser's own
    time.sleep(1)
    assert not flown.events("order")


def test_the_operators_link_opens_once(flown: Flown, page: Any) -> None:
    page.get(flown.operator)
    until(lambda: page.execute_script("return news && news.drones.length"), "drones")
    page.delete_all_cookies()
    page.get(flown.operator)
    assert "opens once" in page.find_element("css selector", "body").text
    page.get_log("browser")


@pytest.fixture(scope="module")
def whole(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a whole rehearsal."""
    record = tmp_path_factory.mktemp("whole") / "record"
    subprocess.run(
        [*SKYMIST, "rehearse", str(DEMO), "-o", str(record)], check=True, capture_output=True
    )
    return record


@pytest.fixture
def replayed(whole: Path) -> Iterator[str]:
    """It, played again fast; gives the operator's link."""
    shown = subprocess.Popen(
        [*SKYMIST, "watch", str(whole), "--replay", "200"], stdout=subprocess.PIPE, text=True
    )
    assert shown.stdout is not None
    yield shown.stdout.readline().rpartition(" ")[2].strip()
    shown.terminate()
    shown.communicate(timeout=30)


def test_a_replay_ends_with_the_records_own_figures(replayed: str, page: Any, whole: Path) -> None:
    page.get(replayed)
    until(lambda: page.execute_script("return news && news.over"), "the end of the replay")
    record = read_record(whole)
    assert page.execute_script("return news.outcome[0]").startswith("done")
    shown = dict(page.execute_script("return news.drones.map(d => [d.id, d.litres])"))
    told: dict[str, float] = {}
    for event in record.of("sortie"):
        if event["state"] == "landed":
            litres = float(event["text"].split(" L")[0])
            told[event["drone_id"]] = told.get(event["drone_id"], 0.0) + litres
    assert shown == pytest.approx(told, rel=0.03)
    filled = page.execute_script("return news.spots")
    assert set(filled) == {t.spot_id for t in record.plan().treatments}
    assert min(filled.values()) > 0.85
    bars = page.execute_script("return news.bars")
    assert {bar[0] for bar in bars} == {s.id for s in record.plan().sorties}
    assert all(bar[4] < bar[5] for bar in bars)


def test_in_chinese_no_english_of_ours_is_left(replayed: str, page: Any, whole: Path) -> None:
    page.get(replayed)
    until(lambda: page.execute_script("return news && news.over"), "the end of the replay")
    press(page, "中文")
    assert "完成" in text_of(page, "state")
    assert "架次" in text_of(page, "state")
    plan = read_record(whole).plan()
    spot = next(s for s in plan.site.spots if s.id == "refuse-west")
    page.execute_script("spot = P.spots.find(s => s.id === arguments[0]); tell()", spot.id)
    assert "垃圾屋" in text_of(page, "info")
    shown = page.execute_script(
        "const skip = 'script,style,#title,#foot,#lang';"
        "document.querySelectorAll(skip).forEach(e => e.remove());"
        "return document.body.innerText + [...document.querySelectorAll('[title],[aria-label]')]"
        ".map(e => ['title', 'aria-label'].map(n => e.getAttribute(n) || '')).join(' ')"
    )
    ids = [s.id for s in plan.site.spots] + [s.name for s in plan.site.spots if s.name]
    ids += [s.id for s in plan.sorties] + [d.id for d in plan.site.fleet]
    ids += [text for z in plan.site.zones for text in (z.id, z.responsible) if text]
    for name in sorted(ids, key=len, reverse=True):
        shown = shown.replace(name, "")
    assert len(shown) > 200
    shown = re.sub(r"“[^”]*”", "", shown)
    assert english_left(shown) == []


@pytest.mark.parametrize(("wide", "high"), [(1400, 900), (1180, 820), (820, 1180)])
def test_a_tablet_shows_all_of_it(replayed: str, page: Any, wide: int, high: int) -> None:
    page.set_window_size(wide, high)
    try:
        page.get(replayed)
        until(lambda: page.execute_script("return news && news.drones.length"), "drones")
        over = page.execute_script("return document.body.scrollWidth - window.innerWidth")
        assert over <= 0
        small = page.execute_script(
            "return [...document.querySelectorAll('header button')]"
            ".filter(b => b.getBoundingClientRect().height < 40).map(b => b.textContent)"
        )
        assert small == []
    finally:
        page.set_window_size(1400, 900)


def test_tiles_lie_where_they_belong_and_say_whose_they_are(
    whole: Path, page: Any, tmp_path: Path
) -> None:
    origin = read_record(whole).plan().site.origin
    tiles = write_folder(tmp_path / "tiles", origin.lat_deg, origin.lon_deg, range(15, 20))
    shown = subprocess.Popen(
        [*SKYMIST, "watch", str(whole), "--tiles", str(tiles)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert shown.stdout is not None
        page.get(shown.stdout.readline().rpartition(" ")[2].strip())
        until(lambda: page.execute_script("return tiles.size"), "tiles asked for")
        loaded = "return [...tiles.values()].every(i => i.complete && i.naturalWidth)"
        until(lambda: page.execute_script(loaded), "tiles loaded")
        assert text_of(page, "credit") == "Made-up Survey"
        page.execute_script("P.tiles.zooms = [18, 18]; beginFrame(); drawTiles()")
        until(lambda: page.execute_script(loaded), "tiles of that zoom")
        wanted = {}
        for x_m, y_m in product(range(-90, 91, 15), range(-60, 61, 15)):
            around = [origin.geo(x_m + dx, y_m + dy) for dx in (-1, 1) for dy in (-1, 1)]
            if len({tile_of(g.lat_deg, g.lon_deg, 18) for g in around}) == 1:
                # Beside a tile's edge both colours may show.
                place = origin.geo(x_m, y_m)
                wanted[x_m, y_m] = colour_of(*tile_of(place.lat_deg, place.lon_deg, 18))
        # In one go, without anything above them: the page draws anew whenever it hears something.
        dots = page.execute_script(
            "beginFrame(); drawTiles(); return arguments[0].map(([x, y]) => {"
            "  const at = toScreen([x * 10, y * 10]).map(v => v * devicePixelRatio);"
            "  return [...ctx.getImageData(...at, 1, 1).data]; })",
            list(wanted),
        )
        seen = [(dot, place) for dot, place in zip(dots, wanted, strict=True) if dot[3]]
        assert len(seen) > 40
        for dot, place in seen:
            assert dot[:3] == pytest.approx(wanted[place], abs=3), place
        asked = page.execute_script(
            "return performance.getEntriesByType('resource').map(e => new URL(e.name).host)"
        )
        assert set(asked) == {page.execute_script("return location.host")}
        page.get("about:blank")
    finally:
        shown.terminate()
        shown.communicate(timeout=30)
