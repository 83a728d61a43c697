"""Maps: what is on them, that they can be drawn for any site, and fast."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from shapely.geometry import MultiPolygon, Point, box

from skymist.coverage import layers, mapmarks
from skymist.coverage.dosemap import DoseMap, SpotOutcome
from skymist.coverage.plan import Plan
from skymist.coverage.plots import draw_applied, draw_plan, planned_dose, to_png
from tests.plans import made_plan, neighbourhood, random_town, with_chinese_names


@pytest.fixture(scope="module")
def plan() -> Plan:
    return made_plan(neighbourhood(columns=2, rows=2))


def words(figure: Figure) -> list[str]:
    """Every text on a figure."""
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]


def pixels(figure: Figure) -> np.ndarray:
    return imread(io.BytesIO(to_png(figure, dpi=40)))


def test_plan_names_what_people_need(plan: Plan) -> None:
    said = " | ".join(words(draw_plan(plan)))
    for wanted in (
        "Langkou test quarter: spray plan",
        "16 spots: 14 by drone, 2 by ground crew",
        "zone-1 post 1",
        "pad-1",
        "school-1",
        "no spray",
        "Planned dose, mL/m²",
        "(c) Skymist test data",
        "yard-11",
        "N",
    ):
        assert wanted in said, wanted


def test_same_plan_same_bytes(plan: Plan) -> None:
    assert to_png(draw_plan(plan), 40) == to_png(draw_plan(plan), 40)


def test_texts_lie_inside_the_sheet(plan: Plan) -> None:
    figure = draw_plan(plan)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    for text in figure.findobj(lambda a: hasattr(a, "get_text") and a.get_text()):
        if not text.get_visible() or text.get_clip_on():
            continue
        extent = text.get_window_extent(renderer)
        if extent.x1 < 0 or extent.y1 < 0:
            continue
        assert -1 <= extent.x0 <= extent.x1 <= width + 1, text.get_text()
        assert -1 <= extent.y0 <= extent.y1 <= height + 1, text.get_text()


def test_labels_keep_off_each_other() -> None:
    axes = Figure().add_subplot()
    axes.set(xlim=(0, 100), ylim=(0, 100))
    labels = mapmarks.Labels(axes, 0.2)
    placed = [labels.place(50, 50, "a name of some length", 8) for _ in range(6)]
    assert placed[:4] == [True] * 4
    assert placed[4:] == [False] * 2
    assert not labels.place(99, 99, "a very long name that nothing has room for " * 3, 8)


def test_dose_is_drawn_where_it_falls(plan: Plan) -> None:
    dry = pixels(draw_plan(plan, dose=DoseMap()))
    wet = pixels(draw_plan(plan))
    assert dry.shape[0] == wet.shape[0]
    assert "Planned dose, mL/m²" not in words(draw_plan(plan, dose=DoseMap()))
    assert np.abs(dry - wet).max() > 0.2


def test_applied_shows_results(plan: Plan) -> None:
    ids = [t.spot_id for t in plan.treatments]
    outcomes = dict.fromkeys(ids, SpotOutcome.TREATED)
    outcomes |= {ids[0]: SpotOutcome.MISSED, ids[1]: SpotOutcome.PARTIAL}
    track = np.array([(0.0, 0.0), (50.0, 50.0), (np.nan, np.nan)])
    figure = draw_applied(
        plan, planned_dose(plan), {"d1": track}, outcomes, title="as applied", lines=("one", "two")
    )
    said = " | ".join(words(figure))
    for wanted in ("treated: 12", "partial: 1", "missed: 1", "not planned by drone: 2", "one"):
        assert wanted in said, wanted
    assert "track of d1" in said
    assert "track of d2" not in said
    assert pixels(figure).std() > 0.05


def test_names_without_glyphs_leave_no_empty_boxes(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapmarks, "_families", lambda: ("DejaVu Sans",))
    mapmarks._glyphs.cache_clear()
    named = replace(plan, site=with_chinese_names(plan.site))
    try:
        said = words(draw_plan(named))
        to_png(draw_plan(named), 40)
    finally:
        mapmarks._glyphs.cache_clear()
    assert "zone-1" in said
    assert not any("浪" in word for word in said)


def test_readable_keeps_what_has_glyphs() -> None:
    assert mapmarks.readable("Willow Court \U0001f9ff") == "Willow Court"
    assert mapmarks.readable("\U0001f9ff\U0001f9ff", "plan") == "plan"
    assert mapmarks.readable("a\n b") == "a b"
    assert mapmarks.readable("Court (\U0001f9ff), west") == "Court , west"


@pytest.mark.parametrize("what", ["empty", "far", "thin", "no passes"])
def test_odd_sites_are_drawn(plan: Plan, what: str) -> None:
    site = plan.site
    if what == "empty":
        plan = Plan(
            site=replace(site, spots=(), zones=(), pads=(), buildings=()),
            seed=0,
            treatments=(),
            ground=(),
            sorties=(),
        )
    elif what == "far":
        pads = (replace(site.pads[0], x=9000.0), site.pads[1])
        plan = replace(plan, site=replace(site, pads=pads))
    elif what == "thin":
        zone = replace(site.zones[0], area=box(0, 0, 5000, 2))
        plan = replace(plan, site=replace(site, zones=(zone,)))
    else:
        plan = replace(plan, sorties=())
    assert pixels(draw_plan(plan)).std() > 0.001


def test_outlines_keep_holes() -> None:
    ring = Point(0, 0).buffer(10).difference(Point(0, 0).buffer(5))
    both = MultiPolygon([ring, box(20, 0, 22, 2)])
    (path,) = mapmarks.outlines([both])
    assert (path.codes == 1).sum() == 3
    assert mapmarks.outlines([Point(0, 0)]) == []


def test_suburb_is_drawn_in_four_seconds() -> None:
    plan = made_plan(random_town(2171, 278))
    began = time.process_time()
    data = to_png(draw_plan(plan))
    assert time.process_time() - began < 8, "4 s on a machine of its own"
    assert len(data) > 100_000


def test_drones_differ_in_line() -> None:
    styles = [mapmarks.drone_style(number) for number in range(49)]
    assert len(set(styles)) == 49


def test_every_level_and_outcome_has_a_look_of_its_own() -> None:
    for looks in (layers.LEVELS, layers.OUTCOMES):
        assert len({look.marker for look in looks.values()}) == len(looks)
        assert len({look.colour for look in looks.values()}) == len(looks)
