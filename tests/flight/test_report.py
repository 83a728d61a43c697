"""The report's files: there, whole, honest, and the same for the same record."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import shapely
import typer
from matplotlib.figure import Figure
from shapely.geometry import shape

from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.sheet import to_png
from skymist.flight.commands.preview import preview, write_preview
from skymist.flight.commands.report import report
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import applied_from
from skymist.flight.reporting.report import ReportFiles, missed_csv, write_report
from skymist.flight.reporting.report_pdf import report_pdf
from skymist.flight.reporting.treatment_record import treatment_record_csv
from skymist.missions.errors import FormatError
from skymist.missions.plans import read_plan, write_plan
from skymist.missions.site import read_site
from tests.plans import made_plan, neighbourhood
from tests.records import write_record

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    site = replace(neighbourhood(columns=2, rows=1), no_spray=())
    zones = tuple(replace(z, responsible="Post <1> & 浪口") for z in site.zones)
    return made_plan(replace(site, zones=zones))


@pytest.fixture(scope="module")
def made(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    folder = tmp_path_factory.mktemp("report")
    path = write_record(folder / "record", plan, skip=("alley-12",))
    return write_report(path.parent, folder / "out")


@pytest.fixture
def no_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the drawing where the picture does not matter: it takes most of the time."""
    empty = to_png(Figure(figsize=(1, 1)))
    monkeypatch.setattr(
        "skymist.flight.reporting.report.applied_png", lambda applied, wording: empty
    )


class Page(HTMLParser):
    """Tags and words of a page; fails on a tag that is not closed."""

    VOID = ("meta", "img", "br", "link", "hr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def test_page_stands_alone_and_is_well_formed(made: ReportFiles) -> None:
    text = made.html.read_text(encoding="utf-8")
    page = Page(text)
    sources = [a.get("src") or a.get("href") or "" for t, a in page.tags if t in ("img", "link")]
    assert len(sources) == 1
    assert sources[0].startswith("data:image/png;base64,")
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"base64,[^\"]+", "", text))
    assert all(a.get("alt") for t, a in page.tags if t == "img")
    assert all(a.get("scope") for t, a in page.tags if t == "th")
    assert ("html", {"lang": "en"}) in page.tags
    assert "Post <1> & 浪口" in page.text


def test_page_says_what_it_is_and_never_too_much(made: ReportFiles) -> None:
    page = Page(made.html.read_text(encoding="utf-8"))
    assert "REHEARSAL" in page.text
    assert "Nothing was sprayed" in page.text
    assert "disinfected" not in page.text.lower()
    assert made.sha256 in page.text
    assert "battery low" in page.text
    assert "below the surface dose" in page.text
    assert "vector control, not a surface dose" in page.text
    assert "skymist 0.1.0" in page.text


@pytest.mark.usefixtures("no_map")
def test_real_flight_is_no_rehearsal(plan: Plan, tmp_path: Path) -> None:
    made = write_report(write_record(tmp_path, plan, is_rehearsal=False), tmp_path / "out")
    text = made.html.read_text(encoding="utf-8")
    assert "REHEARSAL" not in text
    assert "Treatment record" in text
    assert json.loads(made.json.read_text(encoding="utf-8"))["is_rehearsal"] is False


def test_figures_agree(made: ReportFiles, plan: Plan) -> None:
    figures = json.loads(made.json.read_text(encoding="utf-8"))
    totals = figures["totals"]
    assert totals["spots"] == len(plan.treatments) == len(figures["spots"])
    assert totals["treated"] + totals["partial"] + totals["missed"] == totals["spots"]
    assert totals["missed"] == 1
    assert figures["started_utc"] == "2026-11-23T06:00:00+00:00"
    assert figures["record"]["sha256"] == made.sha256
    assert {task["id"] for task in figures["ground"]} == {t.spot_id for t in plan.ground}


@pytest.mark.usefixtures("no_map")
def test_hash_is_that_of_the_record(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path, plan)
    made = write_report(path, tmp_path / "out")
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_same_record_same_bytes(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path / "record", plan)
    write_report(path, tmp_path / "a")
    write_report(path, tmp_path / "b")
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == [
        *("applied.png", "missed.csv", "report.html", "report.json", "report.pdf"),
        *("treated.geojson", "treatment-record.csv", "treatment-record.pdf"),
    ]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_geojson_lies_where_the_site_is(made: ReportFiles, plan: Plan) -> None:
    document = json.loads(made.geojson.read_text(encoding="utf-8"))
    assert document["type"] == "FeatureCollection"
    assert document["attribution"] == plan.site.attribution
    for feature, treatment in zip(document["features"], plan.treatments, strict=True):
        placed = shape(feature["geometry"])
        assert placed.is_valid
        local = shapely.transform(placed, plan.site.origin.to_local)
        assert local.symmetric_difference(treatment.target).area < 0.02 * treatment.target.area
        assert feature["properties"]["id"] == treatment.spot_id
        assert "given_ml_per_m2" in feature["properties"]


def test_missed_opens_in_a_spreadsheet(made: ReportFiles, plan: Plan) -> None:
    data = made.missed_csv.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(data.decode("utf-8-sig").splitlines())
    assert row["spot"] == "alley-12"
    assert row["outcome"] == "missed"
    assert row["reason"] == "battery low"
    assert float(row["lat_deg"]) == pytest.approx(plan.site.origin.lat_deg, abs=0.01)


def test_cells_are_never_formulas(made: ReportFiles) -> None:
    applied = made.applied
    nasty = replace(applied.missed[0], reason="=HYPERLINK(1)")
    text = missed_csv(replace(applied, spots=(nasty,)))
    assert "'=HYPERLINK(1)" in text
    assert ",=HYPERLINK" not in text


def test_nothing_is_written_without_a_record(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"wanted a record \(record\.jsonl\), found none$"):
        write_report(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("no_map")
def test_record_without_any_flight(plan: Plan, tmp_path: Path) -> None:
    path = write_record(tmp_path, replace(plan, sorties=()))
    made = write_report(path, tmp_path / "out")
    page = Page(made.html.read_text(encoding="utf-8"))
    assert "none flew" in page.text
    assert made.applied.totals.dosed_frac == 0


@pytest.mark.usefixtures("no_map")
def test_command_prints_and_tells_by_its_exit(
    plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write_record(tmp_path / "good", plan)
    report(good, tmp_path / "out")
    assert "planned spots" in capsys.readouterr().out
    bad = write_record(tmp_path / "bad", plan, skip=("alley-12",))
    with pytest.raises(typer.Exit) as stopped:
        report(bad, tmp_path / "out", json=True)
    assert stopped.value.exit_code == 1
    assert json.loads(capsys.readouterr().out)["totals"]["missed"] == 1
    with pytest.raises(typer.Exit):
        report(bad, tmp_path / "out")
    assert "alley-12" in capsys.readouterr().out


def skymist(*words: object) -> subprocess.CompletedProcess[str]:
    """The command line as a user has it."""
    command = [sys.executable, "-m", "skymist.flight.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_missed_spots_are_a_site_that_plan_takes(tmp_path: Path) -> None:
    """By the commands alone: what is planned of it is exactly what was missed, nothing else."""
    plan = plan_site(read_site(DEMO))
    record = write_record(tmp_path / "r", plan, skip=("alley-wide", "yard-east", "bike-shed"))
    folder = tmp_path / "next"
    asked = ("report", record, "-o", tmp_path / "out", "--missed-site", folder)
    told = skymist(*asked)
    assert told.returncode == 1, told.stderr
    assert str(folder / "site.yaml") in told.stderr
    with (tmp_path / "out" / "missed.csv").open(encoding="utf-8-sig") as file:
        missed = {row["spot"] for row in csv.DictReader(file)}
    assert missed == {"alley-wide", "yard-east", "bike-shed"}
    assert {spot.id for spot in read_site(folder / "site.yaml").spots} == missed
    told = skymist("plan", folder / "site.yaml", "-o", tmp_path / "p", "--no-preview")
    assert told.returncode == 0, told.stderr
    again = read_plan(tmp_path / "p")
    assert {t.spot_id for t in again.treatments} == missed
    for treatment in again.treatments:
        before = plan.treatment(treatment.spot_id)
        assert treatment.dose_l_per_m2 == pytest.approx(before.dose_l_per_m2)
        assert treatment.target.symmetric_difference(before.target).area < 0.3
    refused = skymist(*asked)
    assert refused.returncode == 2
    assert "without a site file" in refused.stderr


def test_nothing_missed_is_no_site(
    plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, folder = write_record(tmp_path / "r", plan), tmp_path / "next"
    report(record, tmp_path / "out", missed_site=folder)
    assert "nothing was missed" in capsys.readouterr().err
    assert not folder.exists()


def test_preview_command(plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plan(plan, tmp_path)
    preview(tmp_path, None)
    assert capsys.readouterr().out.strip() == str(tmp_path / "preview.png")
    assert (tmp_path / "preview.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(FormatError, match=r"\.png"):
        preview(tmp_path, tmp_path / "plan.json")
    with pytest.raises(FormatError, match="wanted a plan"):
        preview(tmp_path / "nowhere", None)
    assert write_preview(plan, tmp_path / "deep" / "p.png").is_file()


def test_applied_is_what_the_report_says(made: ReportFiles) -> None:
    again = applied_from(read_record(made.html.parent.parent / "record"))
    assert again.totals == made.applied.totals


def pdf_text(data: bytes) -> str:
    pypdf = pytest.importorskip("pypdf", reason="no pypdf here: the PDF was not read")
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    return "\n".join(page.extract_text() for page in pages)


def test_the_pdf_says_what_the_figures_say(made: ReportFiles) -> None:
    figures = json.loads(made.json.read_text(encoding="utf-8"))
    text = pdf_text(made.pdf.read_bytes())
    assert figures["site"] in text
    assert made.sha256 in text
    assert ("REHEARSAL" in text) == figures["is_rehearsal"]
    assert f"{figures['totals']['dosed_frac']:.1%}" in text
    for spot in figures["spots"]:
        assert spot["id"] in text
    assert "浪口" in text
    assert "Supervisor, date" in text


def test_the_pdf_is_the_same_each_time(made: ReportFiles) -> None:
    figures = json.loads(made.json.read_text(encoding="utf-8"))
    png = made.png.read_bytes()
    assert report_pdf(figures, png) == report_pdf(figures, png) == made.pdf.read_bytes()


def test_the_treatment_record_has_a_line_a_spot_and_invents_nothing(made: ReportFiles) -> None:
    figures = json.loads(made.json.read_text(encoding="utf-8"))
    figures["people"] = {"Operator": "=cmd|x"}
    rows = list(csv.DictReader(io.StringIO(treatment_record_csv(figures))))
    assert len(rows) == len(figures["spots"])
    for row, spot in zip(rows, figures["spots"], strict=True):
        assert float(row["volume L 用量"]) == pytest.approx(spot["litres"], abs=0.006)
        assert row["result 结果"] == spot["outcome"]
        assert row["supervisor 监督人"] == ""
        assert row["operator 操作人"] == "'=cmd|x"
        assert row["start 开始"] == (spot["started_utc"] or "")[11:19]
