"""Reports in Chinese: every text has its words, every letter its glyph, what is told is known."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest

from skymist.coverage import mapmarks
from skymist.coverage.dosemap import SpotOutcome
from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Kind, LevelName
from skymist.coverage.words import Language, has_words
from skymist.flight.chinese.labels import LABELS
from skymist.flight.reporting.report import ReportFiles, write_report
from skymist.flight.reporting.treatment_record import METHOD, treatment_record_csv
from skymist.flight.terminal.wording import Wording, offset_of
from skymist.missions.site import read_site
from tests.plans import made_plan, neighbourhood
from tests.records import write_record

ROOT = Path(__file__).resolve().parents[2]
ZH = Wording(language=Language.CHINESE, utc_offset_min=480)
OURS = re.compile(
    r"\b(spots?|sorties?|drones?|treated|partial|missed|dose|spray|record|Operator|Post|"
    r"nothing|rehearsal|target|litres|began|people|min)\b"
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    site = replace(neighbourhood(columns=2, rows=1), no_spray=(), name="榕荫里", attribution="")
    zones = tuple(replace(z, responsible="一岗 李") for z in site.zones)
    return made_plan(replace(site, zones=zones))


@pytest.fixture(scope="module")
def made(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    folder = tmp_path_factory.mktemp("zh")
    path = write_record(folder / "record", plan, skip=("alley-12",))
    return write_report(path, folder / "out", {"Operator": "王伟"}, num_people=3, wording=ZH)


def pdf_text(path: Path) -> str:
    pypdf = pytest.importorskip("pypdf", reason="no pypdf here: the PDF was not read")
    pages = pypdf.PdfReader(path).pages
    return "\n".join(page.extract_text() for page in pages)


def said_in(source: str) -> set[str]:
    """Literal texts that a module or template hands to `say` or `t`, pieces put together."""
    found = set()
    for call in re.finditer(r'\b(?:say|t)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', source):
        pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', call[1])
        found.add("".join(pieces).replace('\\"', '"'))
    return found


def test_every_text_of_a_report_stands_in_chinese() -> None:
    names = ("report", "report_page", "report_pdf", "treatment_form", "treatment_record")
    sources = [(ROOT / "flight" / "reporting" / f"{name}.py").read_text("utf-8") for name in names]
    sources.append((ROOT / "flight" / "data" / "report.html.j2").read_text("utf-8"))
    found = set().union(*map(said_in, sources))
    assert len(found) > 90
    kinds = {kind.replace("_", " ") for kind in Kind}
    found |= kinds | set(METHOD.values()) | set(SpotOutcome) | set(LevelName)
    assert sorted(t for t in found if t not in LABELS and not has_words(t)) == []


def test_every_letter_that_reports_write_has_a_glyph() -> None:
    assert mapmarks.without_glyphs(LABELS.values()) == ""


def test_names_in_braces_are_the_same_in_both_languages() -> None:
    for english, chinese in LABELS.items():
        names = re.findall(r"\{\w+\}", english)
        assert sorted(names) == sorted(re.findall(r"\{\w+\}", chinese)), english


def test_reasons_of_a_real_plan_are_told_in_chinese() -> None:
    ground = plan_site(read_site(ROOT / "missions" / "data" / "demo" / "site.yaml")).ground
    assert len(ground) >= 4
    for task in ground:
        assert not re.search(r"[a-z]{4,}", ZH.told(task.text)), task.text


def test_what_is_not_known_stays_as_it_was_recorded() -> None:
    assert ZH.told("incomplete: 3 of 4 sorties flown; 2 spots left") == (
        "未完成：计划 4 架次，已飞 3 架次；剩余 2 处"
    )
    assert ZH.told("something else 7") == "something else 7"
    assert ZH.told("odd {braces} stay") == "odd {braces} stay"


def test_the_page_and_the_papers_keep_no_english_of_ours(
    made: ReportFiles, caplog: pytest.LogCaptureFixture
) -> None:
    page = made.html.read_text("utf-8")
    assert '<html lang="zh-CN">' in page
    assert "@font-face" in page
    words = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.S)
    spots = [spot.spot.id for spot in made.applied.spots]
    for text in (words, pdf_text(made.pdf), pdf_text(made.form)):
        assert "榕荫里" in text
        assert "王伟" in text
        for name in (*spots, "record.jsonl"):
            text = text.replace(name, "")
        assert OURS.findall(text) == []
    assert not [r for r in caplog.records if "missing" in r.getMessage()]


def test_no_letter_of_a_paper_is_an_empty_box(
    plan: Plan, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """fpdf2 warns of each glyph that a font lacks; what none has is left out beforehand."""
    odd = replace(plan, site=replace(plan.site, name="榕荫里 🜁 ꙮ Банька"))
    path = write_record(tmp_path / "r", odd)
    with caplog.at_level(logging.WARNING):
        made = write_report(path, tmp_path / "out", {"Operator": "王 🜁"}, wording=ZH)
    assert [r.getMessage() for r in caplog.records if "glyph" in r.getMessage()] == []
    assert "Банька" in pdf_text(made.form)


def test_the_clock_is_that_which_was_asked_for(made: ReportFiles) -> None:
    figures = json.loads(made.json.read_text("utf-8"))
    assert figures["started_utc"] == "2026-11-23T06:00:00+00:00"
    page = made.html.read_text("utf-8")
    assert "14:00 至" in page
    assert "UTC+08:00" in page
    first = figures["spots"][0]
    row = next(csv.DictReader(io.StringIO(treatment_record_csv(figures, ZH))))
    assert int(row["start 开始"][:2]) == int(first["started_utc"][11:13]) + 8
    assert row["clock 时区"] == "UTC+08:00"


@pytest.mark.parametrize(
    ("text", "minutes"), [("8", 480), ("+08:00", 480), ("-3:30", -210), ("0", 0), ("14", 840)]
)
def test_offsets_as_people_write_them(text: str, minutes: int) -> None:
    assert offset_of(text) == minutes


@pytest.mark.parametrize("text", ["Beijing", "14:01", "", "8:75", "99"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="utc-offset"):
        offset_of(text)


def test_productivity_and_blank_lines_for_what_nobody_told(made: ReportFiles) -> None:
    page = made.html.read_text("utf-8")
    totals = json.loads(made.json.read_text("utf-8"))["totals"]
    each = f"{totals['m2_per_h'] / 3:,.0f} m²/人·小时"
    assert each in page
    assert page.count('class="blank"') == 2  # supervisor and weather
    assert "".join(each.split()) in "".join(pdf_text(made.pdf).split())
