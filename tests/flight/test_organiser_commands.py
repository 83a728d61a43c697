"""`skymist roster` and the other papers of an organiser, from the command line to the files."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
import typer
import yaml
from matplotlib.image import imread

from skymist.coverage.hours import Start
from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.words import Language
from skymist.flight.commands.cost import cost
from skymist.flight.commands.mix import mix
from skymist.flight.commands.notice import notice
from skymist.flight.commands.roster import roster
from skymist.missions.errors import FormatError, SiteUnsafe
from skymist.missions.plans import write_plan
from skymist.missions.site import read_site
from tests.records import write_record

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"
START = "2026-07-01T07:00"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    folder = tmp_path_factory.mktemp("plan")
    made = plan_site(read_site(DEMO))
    return made, write_plan(made, folder)


def pdf_text(path: Path) -> str:
    pypdf = pytest.importorskip("pypdf", reason="no pypdf here: the PDF was not read")
    pages = pypdf.PdfReader(io.BytesIO(path.read_bytes())).pages
    return "\n".join(page.extract_text() for page in pages)


@pytest.mark.parametrize("lang", list(Language))
def test_roster_writes_map_table_and_pdf(
    planned: tuple[Plan, Path], tmp_path: Path, lang: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, path = planned
    roster(DEMO, path, tmp_path, start=START, lang=lang, json=True)
    told = json.loads(capsys.readouterr().out)
    spots = {duty["spot"] for duty in told["duties"]}
    assert spots == {spot.id for spot in plan.site.spots}
    rows = list(csv.reader(io.StringIO((tmp_path / "roster.csv").read_text("utf-8-sig"))))
    assert len(rows) == 1 + len(told["duties"])
    assert rows[0][0] == ("日期" if lang is Language.CHINESE else "date")
    called = rows[0].index("联系方式" if lang is Language.CHINESE else "contact")
    contact = plan.site.organiser.contact
    assert contact
    assert {row[called] for row in rows[1:]} == {duty["contact"] for duty in told["duties"]}
    assert {row[called] for row in rows[1:]} == {contact}
    text = pdf_text(tmp_path / "roster.pdf")
    assert contact.split(",")[0] in text
    assert not [spot for spot in spots if spot not in text]
    assert ("责任岗" in ",".join(rows[0])) == (lang is Language.CHINESE)
    assert ("人工" in text) == (lang is Language.CHINESE)
    assert imread(tmp_path / "responsibility-map.png").std() > 0.05
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    roster(DEMO, path, tmp_path, start=START, lang=lang)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_mix_prints_writes_and_tells_what_it_cannot(
    planned: tuple[Plan, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, path = planned
    mix(DEMO, path, tmp_path / "papers", start=START, json=True)
    told = json.loads(capsys.readouterr().out)
    flown = [fill for fill in told["fills"] if fill["drone"]]
    for sortie in plan.sorties:
        (fill,) = (f for f in flown if f["sortie"] == sortie.id)
        assert 0 < fill["litres_l"] <= sortie.carried_l + 1e-6
    assert "84 bleach" in pdf_text(tmp_path / "papers" / "mixing.pdf")
    mix(DEMO, path, start=START)
    assert "1 part to 49 parts of water" in capsys.readouterr().out
    bare = demo_with(tmp_path / "bare", organiser={})
    with pytest.raises(typer.Exit) as stopped:
        mix(bare, path, start=START)
    assert stopped.value.exit_code == 1
    assert "larvicide: wanted a product" in capsys.readouterr().err
    sour = {"id": "sour", "agents": ["larvicide"], "contains": ["acid", "hypochlorite"]}
    refused = demo_with(tmp_path / "sour", organiser={"products": [sour | {"ml_per_l": 5}]})
    with pytest.raises(SiteUnsafe, match="chlorine gas"):
        mix(refused, path, tmp_path / "no", start=START)
    assert not (tmp_path / "no").exists()


def test_notices_keep_their_version_until_the_plan_changes(
    planned: tuple[Plan, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "notices"

    def versions(**options: object) -> list[int]:
        notice(DEMO, planned[1], folder, json=True, **options)  # type: ignore[arg-type]
        told = json.loads(capsys.readouterr().out)
        return [one["version"] for one in told["notices"]]

    assert versions(start=START) == [1, 1]
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(before) == 7
    assert versions(start=START) == [1, 1]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert versions(start=START, lang=Language.CHINESE) == [1, 1]
    assert versions(start="2026-07-02T07:00") == [2, 2]
    for lang in Language:
        text = (folder / f"notice-west.{lang}.txt").read_text(encoding="utf-8")
        assert "2026-07-02 07:0" in text
        assert "2026-07-01 07:0" in text.split("07-02")[1], "what it was before"
    notice(DEMO, planned[1], folder, start="2026-07-02T07:00")
    assert "nothing" in capsys.readouterr().out
    with pytest.raises(FormatError, match="--url"):
        notice(DEMO, planned[1], folder, start=START, url="javascript:alert(1)")
    assert versions(start="2026-07-02T07:00") == [2, 2]


def test_cost_walks_once_to_each_spot_that_needs_hands(
    planned: tuple[Plan, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By two tables that differ by an hour of walking: what they differ by is the walks."""
    plan, path = planned
    near, far = tmp_path / "near.yaml", tmp_path / "far.yaml"
    near.write_text("{hand_walk_min: 0, hand_setup_h: 0}", encoding="utf-8")
    far.write_text("{hand_walk_min: 60, hand_setup_h: 0}", encoding="utf-8")

    def walks(side: str, record: Path | None) -> float:
        hours = []
        for prices in (near, far):
            cost(DEMO, path, record, prices, json=True)
            hours.append(json.loads(capsys.readouterr().out)[side]["person_hours"])
        return float(hours[1] - hours[0])

    record = write_record(tmp_path / "r", plan, skip=("yard-east",))
    left = {task.spot_id for task in plan.ground}
    everything = left | {treatment.spot_id for treatment in plan.treatments}
    assert left & {t.spot_id for t in plan.treatments}, "some spots are done by both"
    assert walks("rest_on_foot", None) == pytest.approx(len(left), abs=0.02)
    assert walks("rest_on_foot", record) == pytest.approx(len(left | {"yard-east"}), abs=0.02)
    for basis in (None, record):
        assert walks("all_by_hand", basis) == pytest.approx(len(everything), abs=0.02)


def test_cost_counts_the_plan_or_what_a_record_shows(
    planned: tuple[Plan, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, path = planned
    cost(DEMO, path, json=True)
    by_plan = json.loads(capsys.readouterr().out)
    assert by_plan["by_drone"]["litres_l"] == pytest.approx(plan.litres_l, abs=0.001)
    treated = sum(t.target.area for t in plan.treatments)
    assert by_plan["by_drone"]["area_m2"] == pytest.approx(treated, abs=0.1)
    record = write_record(tmp_path / "r", plan, is_rehearsal=False, skip=("yard-east",))
    cost(DEMO, path, record, json=True)
    flown = json.loads(capsys.readouterr().out)
    assert flown["basis"] == "record"
    yard = plan.treatment("yard-east").target.area
    assert flown["by_drone"]["area_m2"] < treated - 0.95 * yard
    whole, done = by_plan["with_drones"]["area_m2"], flown["with_drones"]["area_m2"]
    assert 0.95 * whole < done < whole - 0.5, "slivers of treated spots are nobody's work"
    assert flown["all_by_hand"]["area_m2"] == pytest.approx(done, abs=0.01)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:  # 07:55 there: midnight of UTC comes while the drones fly
        early = write_record(tmp_path / "early", plan, started_utc="2026-06-30T23:55:00+00:00")
        cost(DEMO, path, early, json=True)
        assert json.loads(capsys.readouterr().out)["with_drones"]["days"] == 1
    finally:
        monkeypatch.undo()
        time.tzset()
    cost(DEMO, path, lang=Language.CHINESE)
    assert "每平方米" in capsys.readouterr().out
    other = replace(plan, site=replace(plan.site, name="Elsewhere"))
    stranger = write_record(tmp_path / "o", other)
    with pytest.raises(FormatError, match="wanted a record of"):
        cost(DEMO, path, stranger)


def demo_with(folder: Path, **changes: object) -> Path:
    """The built-in example with another section in its site file."""
    shutil.copytree(DEMO.parent, folder)
    path = folder / "site.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def test_roster_without_a_start_writes_nothing(planned: tuple[Plan, Path], tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="--start"):
        roster(DEMO, planned[1], tmp_path / "papers")
    assert not (tmp_path / "papers").exists()
    dated = replace(planned[0], start=Start(clock_s=7 * 3600.0))
    other = write_plan(dated, tmp_path / "dated")
    with pytest.raises(FormatError, match="plan it anew"):
        roster(DEMO, other, tmp_path / "papers", start="08:00")
    roster(DEMO, other, tmp_path / "papers")
    assert (tmp_path / "papers" / "roster.pdf").is_file()
