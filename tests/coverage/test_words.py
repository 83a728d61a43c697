"""Pictures in Chinese: every word has its translation, every letter its glyph, no empty box."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

from skymist.coverage import mapmarks
from skymist.coverage.dosemap import SpotOutcome
from skymist.coverage.drift import Wind
from skymist.coverage.pages import cropped, plan_pages
from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.plots import draw_applied, draw_plan, planned_dose
from skymist.coverage.sheet import to_pdf, to_svg, wrapped
from skymist.coverage.words import Language, has_words, say
from skymist.missions.site import read_site

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_site(read_site(DEMO))


def texts(figure: object) -> list[str]:
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))]  # type: ignore[attr-defined]


def test_the_packaged_font_is_found_and_has_every_letter_we_write() -> None:
    assert "Noto Sans SC" in mapmarks._families()
    path = findfont(FontProperties(family=["Noto Sans SC"]), fallback_to_default=False)
    glyphs = set(FT2Font(path).get_charmap()) | set(mapmarks._glyphs())
    words = (ROOT / "coverage" / "words.py").read_text(encoding="utf-8")
    assert not [c for c in words if c.isalnum() and ord(c) not in glyphs]
    # 13 is the licence's place among a font's names. Source: OpenType, table name.
    licences = [v.decode("utf-16-be") for k, v in FT2Font(path).get_sfnt().items() if k[3] == 13]
    assert any("SIL Open Font License" in text for text in licences)


def test_chinese_names_are_drawn(plan: Plan) -> None:
    assert any("榕荫里" in text for text in texts(draw_plan(plan)))
    assert not mapmarks.without_glyphs([plan.site.name, "卫生死角，红黄蓝绿"])


def test_sensitive_places_tell_how_far_the_spray_is(plan: Plan) -> None:
    """By brute force over every target; with a wind, of those downwind alone."""
    for receptor in plan.site.receptors:
        apart = [t.target.distance(receptor.shape) for t in plan.treatments]
        said = [t for t in texts(draw_plan(plan)) if t.startswith(receptor.id)]
        assert len(said) == 1
        metres = float(said[0].split("·")[1].removesuffix("m"))
        assert any(abs(metres - far) <= 0.5 for far in apart)
        assert metres >= min(apart) - 0.5
    away = Wind.coming_from(90.0, 3.0)  # the kindergarten lies east of everything
    blown = texts(draw_plan(replace(plan, wind=away)))
    assert "kindergarten" in blown


def test_every_text_on_a_map_stands_in_chinese() -> None:
    """Read in the source: whatever is handed to `say` or a sheet's `say` has a translation."""
    found = set()
    for name in ("plots", "legends", "pages"):
        source = (ROOT / "coverage" / f"{name}.py").read_text(encoding="utf-8")
        for call in re.finditer(r"\bsay\((.*?)\)", source, re.S):
            found |= set(re.findall(r'(?<!f)"([^"]{2,})"', call[1]))
    assert len(found) > 20
    assert not [text for text in found if not has_words(text)]
    for outcome in SpotOutcome:
        assert has_words(outcome)
        assert has_words(outcome.meaning)


def test_a_chinese_sheet_keeps_no_english_of_ours(plan: Plan) -> None:
    outcomes = {t.spot_id: SpotOutcome.TREATED for t in plan.treatments}
    figures = [
        draw_plan(plan, language=Language.CHINESE),
        draw_applied(plan, planned_dose(plan), {}, outcomes, language=Language.CHINESE),
    ]
    ours = re.compile(r"\b(spots?|sorties?|drones?|zone|pad|treated|left|dose|spray)\b")
    names = [plan.site.attribution]
    for figure in figures:
        left = [t for t in texts(figure) if ours.search(t) and not any(t in n for n in names)]
        assert not left


@pytest.mark.parametrize("language", list(Language))
def test_a_page_a_zone_and_a_spot_with_what_lies_there(plan: Plan, language: Language) -> None:
    pages = plan_pages(plan, {"zone", "spot"})
    assert len(pages) == len(plan.site.zones) + len(plan.site.spots)
    page = next(p for p in pages if p.id == "bike-shed")
    part = cropped(plan, page.bounds)
    assert {t.spot_id for t in part.treatments} == {"bike-shed"}
    assert part.litres_l == pytest.approx(plan.treatment("bike-shed").litres_l)
    said = texts(draw_plan(plan, language=language, page=page))
    assert any(say(language, "spot {spot}", spot="bike-shed") in text for text in said)
    assert "refuse-east" not in said


def test_vector_files_are_the_same_each_time_and_hold_every_page(plan: Plan) -> None:
    svg = to_svg(draw_plan(plan))
    assert svg == to_svg(draw_plan(plan))
    assert b"<svg" in svg
    pages = plan_pages(plan, {"zone"})
    pdf = to_pdf(draw_plan(plan, page=page) for page in pages)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page ") == len(pages)


def test_lines_break_where_a_language_breaks_them() -> None:
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("起降点起飞", 4) == ["起降", "点起", "飞"]
    assert wrapped("", 9) == [""]
    assert wrapped("unbreakable", 4) == ["unbreakable"]
