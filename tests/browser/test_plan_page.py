"""The interactive page of a plan, as its reader uses it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.missions.formats.page import plan_page
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_site(read_site(DEMO))


@pytest.fixture
def opened(page: Any, plan: Plan, tmp_path: Path) -> Any:
    path = tmp_path / "plan.html"
    path.write_text(plan_page(plan), encoding="utf-8")
    page.get(path.as_uri())
    return page


def pixels(page: Any) -> str:
    return str(page.execute_script("return document.getElementById('map').toDataURL()"))


def click(page: Any, selector: str) -> None:
    page.find_element("css selector", selector).click()


def test_it_opens_without_a_network_and_fetches_nothing(opened: Any, plan: Plan) -> None:
    script = "return performance.getEntriesByType('resource').map(e => e.name)"
    fetched = [name for name in opened.execute_script(script) if not name.startswith("data:")]
    assert fetched == []
    assert plan.site.name in opened.title
    assert len(opened.find_elements("css selector", "#sorties li")) == len(plan.sorties)


def test_every_layer_can_be_switched_off_and_on_again(opened: Any) -> None:
    boxes = opened.find_elements("css selector", "#layers input")
    assert len(boxes) == 10
    whole = pixels(opened)
    for box in boxes:
        box.click()
        assert pixels(opened) != whole, box.get_attribute("data-layer")
        box.click()
        assert pixels(opened) == whole


def test_sorties_are_stepped_through(opened: Any, plan: Plan) -> None:
    for sortie in [*plan.sorties, plan.sorties[0]]:
        click(opened, "#next")
        told = opened.find_element("id", "info").text
        assert told.startswith(sortie.id)
        assert sortie.drone_id in told
        assert all(spot_id in told for spot_id in sortie.spot_ids)
    click(opened, "#prev")
    assert opened.find_element("id", "info").text.startswith(plan.sorties[-1].id)
    click(opened, "#all")
    assert opened.find_element("id", "all").get_attribute("aria-pressed") == "true"


def test_the_slider_puts_drones_where_the_schedule_has_them(opened: Any, plan: Plan) -> None:
    from skymist.coverage.schedule import trajectory

    models = {drone.id: drone.model for drone in plan.site.fleet}
    for index, sortie in enumerate(plan.sorties):
        track = trajectory(sortie, models[sortie.drone_id])
        for second in range(5, int(sortie.duration_s) - 10, 17):
            at = opened.execute_script(
                f"return place(P.sorties[{index}], {sortie.start_s + second})"
            )
            expected = [value * 10 for value in track[second]]
            assert at == pytest.approx(expected, abs=12), (sortie.id, second)
    first, still = plan.sorties[0], pixels(opened)
    opened.execute_script(
        "const e = document.getElementById('time'); e.value = arguments[0];"
        "e.dispatchEvent(new Event('input'))",
        first.start_s + first.duration_s / 2,
    )
    assert pixels(opened) != still


def test_play_moves_time_on_and_stops(opened: Any) -> None:
    click(opened, "#play")
    opened.implicitly_wait(0)
    began = float(opened.execute_script("return now"))
    opened.execute_async_script("setTimeout(arguments[0], 700)")
    click(opened, "#play")
    stood = float(opened.execute_script("return now"))
    assert stood > began
    opened.execute_async_script("setTimeout(arguments[0], 300)")
    assert float(opened.execute_script("return now")) == stood


def test_a_tapped_spot_tells_its_dose_and_reason(opened: Any, plan: Plan) -> None:
    spot = next(s for s in plan.site.spots if s.id == "gap-blocks")
    opened.execute_script(
        "const s = P.spots.find(s => s.id === arguments[0]), [x, y] = toScreen(s.at);"
        "const r = canvas.getBoundingClientRect(), o = {pointerId: 1, bubbles: true,"
        " clientX: r.left + x, clientY: r.top + y};"
        "canvas.setPointerCapture = () => {};"
        "canvas.dispatchEvent(new PointerEvent('pointerdown', o));"
        "canvas.dispatchEvent(new PointerEvent('pointerup', o));",
        spot.id,
    )
    told = opened.find_element("id", "info").text
    assert spot.name in told
    assert "not flown" in told
    assert "by hand" in told


def test_it_speaks_chinese_with_letters_that_are_drawn(opened: Any) -> None:
    click(opened, "#lang")
    assert opened.find_element("css selector", "h2").text == "图层"
    check = "document.fonts.check('16px \"Skymist SC\"', '卫生死角')"
    assert opened.execute_script(f"return document.fonts.ready.then(() => {check})")
    assert opened.execute_script("return [...document.fonts].map(f => f.status)") == ["loaded"]


def test_names_cannot_run_as_script(page: Any, plan: Plan, tmp_path: Path) -> None:
    evil = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\u2028"
    spots = tuple(replace(s, name=evil, note=evil) for s in plan.site.spots)
    named = replace(plan, site=replace(plan.site, name=evil, attribution=evil, spots=spots))
    path = tmp_path / "evil.html"
    path.write_text(plan_page(named), encoding="utf-8")
    page.get(path.as_uri())
    click(page, "#next")
    assert page.execute_script("return window.hacked === undefined")
    assert "<img" in page.find_element("id", "title").text


@pytest.mark.parametrize(("wide", "high"), [(1400, 900), (820, 1180), (390, 800)])
def test_nothing_runs_off_the_side(opened: Any, wide: int, high: int) -> None:
    opened.set_window_size(wide, high)
    try:
        over = opened.execute_script("return document.body.scrollWidth - window.innerWidth")
        assert over <= 0
        box = opened.execute_script(
            "const r = canvas.getBoundingClientRect(); return [r.width, r.height]"
        )
        assert min(box) > 250
    finally:
        opened.set_window_size(1400, 900)


OVERLAPS = """
const seen = [], old = text;
text = (words, x, y, isBold) => {
  ctx.font = fontOf(isBold);
  const w = ctx.measureText(words).width;
  seen.push([words, x, y - 9, x + w, y + 2]);
};
try { draw(); } finally { text = old; }
const over = [];
for (let i = 0; i < seen.length; i++)
  for (let j = i + 1; j < seen.length; j++) {
    const [a, b] = [seen[i], seen[j]];
    if (a[1] < b[3] && b[1] < a[3] && a[2] < b[4] && b[2] < a[4]) over.push([a[0], b[0]]);
  }
return { over, words: seen.map(s => s[0]), out: seen.filter(s => s[1] < 0 || s[2] < 0
  || s[3] > canvas.clientWidth || s[4] > canvas.clientHeight).map(s => s[0]) };
"""


@pytest.mark.parametrize(("wide", "high"), [(1400, 900), (1180, 820), (820, 1180)])
def test_no_label_lies_on_another_or_is_cut_off(
    opened: Any, plan: Plan, wide: int, high: int
) -> None:
    """By brute force over all that is written on the map, drones on their ways among it."""
    opened.set_window_size(wide, high)
    try:
        named = set()
        for at_s in range(0, int(plan.makespan_s), 60):
            opened.execute_script("now = arguments[0]; show(siteBounds())", at_s)
            found = opened.execute_script(OVERLAPS)
            assert found["over"] == [], at_s
            # A drone's name and a zone's are always there, at the edge too.
            own = [words for words in found["out"] if " · " not in words]
            assert [w for w in own if not w.startswith(("west", "east"))] == []
            named |= set(found["words"])
        unnamed = {spot.name or spot.id for spot in plan.site.spots} - named
        assert len(unnamed) <= (2 if wide < 1000 else 0), unnamed
        assert "kindergarten · 31 m" in named
    finally:
        opened.set_window_size(1400, 900)
