"""`skymist policy`, what a site's packs stop, and what record and report keep of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import typer

from skymist.coverage.site import Waiver
from skymist.flight.commands.check import check
from skymist.flight.commands.fly import fly
from skymist.flight.commands.plan import plan
from skymist.flight.commands.policy import listed, show
from skymist.flight.commands.rehearse import rehearse
from skymist.flight.commands.report import report
from skymist.flight.planning.city import Job, Order, attempt
from skymist.flight.recording.record import read_record
from skymist.flight.safety.lawful import Told, flight_of, require_policy
from skymist.missions.errors import FormatError, SiteUnsafe
from skymist.missions.plans import read_plan, write_plan
from skymist.missions.policies.packs import pack_ids, pack_of
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo"
PACKS = """
  pack: [china-2024, china-cdc-2025]
  operators: 1
  speed_max_mps: 5
  vector_hours: [07:00-09:00, 17:00-19:00]
  waivers:
    - {rule: drones-per-operator, by: Chen, reason: one licence for both, until: 2999-12-31}
    - {rule: wind-limit, by: Li, reason: last year's drill, until: 2020-12-31}
"""
LINKS = ["heron=udp:127.0.0.1:1", "egret=udp:127.0.0.1:2"]


def site_in(folder: Path, more: str = PACKS) -> Path:
    shutil.copytree(DEMO, folder, dirs_exist_ok=True)
    path = folder / "site.yaml"
    path.write_text(path.read_text(encoding="utf-8").rstrip() + more, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    plan([site_in(folder / "site")], folder / "plan", no_preview=True)
    return folder / "plan"


def test_list_and_show_tell_every_pack_and_rule(capsys: pytest.CaptureFixture[str]) -> None:
    listed(json=True)
    heads = json.loads(capsys.readouterr().out)
    assert [head["id"] for head in heads] == list(pack_ids())
    show(list(pack_ids()), json=True)
    for told, head in zip(json.loads(capsys.readouterr().out), heads, strict=True):
        assert len(told["rules"]) == head["num_rules"] == len(pack_of(head["id"]).rules)
        assert all(rule["source"] and rule["date"] and rule["mend"] for rule in told["rules"])
    listed()
    show(["china-2024"])
    shown = capsys.readouterr().out
    assert shown.count("no legal advice") == 2
    assert "Order 761" in shown
    assert "at most 30 m" in shown


def test_a_site_that_a_pack_forbids_is_not_planned(tmp_path: Path) -> None:
    without_hours = PACKS.replace("  vector_hours: [07:00-09:00, 17:00-19:00]\n", "")
    path = site_in(tmp_path / "site", without_hours)
    with pytest.raises(SiteUnsafe, match=r"any time.*limit: 07:00-09:00.*China CDC.*2025-07-29"):
        plan([path], tmp_path / "plan", no_preview=True)
    assert not (tmp_path / "plan").exists()
    with pytest.raises(typer.Exit) as stopped:
        check(path)
    assert stopped.value.exit_code == 1


LOW = "hexa-16, pad: p1}"
LOWER = "{based_on: hexa-16, release_height_m: 2.5}, pad: p1}"


def test_what_only_the_plan_shows_ends_with_1_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nozzles 2.5 m above the belt, where the guide wants 3 to 5; in a city each site says so."""
    path = site_in(tmp_path / "site")
    path.write_text(path.read_text(encoding="utf-8").replace(LOW, LOWER), encoding="utf-8")
    with pytest.raises(typer.Exit) as stopped:
        plan([path], tmp_path / "plan", no_preview=True, drones=1)
    assert stopped.value.exit_code == 1
    said = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert any("2.5 m (spot belt-south" in text and "3 to 5 m" in text for text in said)
    order = Order(has_preview=False, num_drones=1)
    outcome = attempt(Job(number=0, name="s", site=read_site(path), order=order))
    assert any("[vector-height]" in text for text in outcome.errors)
    with pytest.raises(SiteUnsafe, match="vector-height"):
        rehearse(tmp_path / "plan", output=tmp_path / "rec")


def test_a_plan_that_breaks_a_rule_is_told_and_not_flown(
    planned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = read_plan(planned)
    check(planned, json=True)
    assert not json.loads(capsys.readouterr().out)["is_unsafe"]
    late = replace(made, start=replace(made.start, clock_s=7 * 3600.0 - 120))
    late = replace(late, site=replace(late.site, policy=replace(late.site.policy, vector_hours=())))
    write_plan(late, tmp_path / "late")
    with pytest.raises(typer.Exit) as stopped:
        check(tmp_path / "late", json=True)
    assert stopped.value.exit_code == 1
    found = {f["rule"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert found["vector-hours"]["severity"] == "error"
    assert found["vector-hours"]["limit"] == "07:00-09:00, 17:00-19:00"
    with pytest.raises(SiteUnsafe, match="vector-hours"):
        rehearse(tmp_path / "late", output=tmp_path / "rec")
    assert not (tmp_path / "rec").exists()


def test_fly_wants_application_and_report_before_it_opens_a_link(
    planned: Path, tmp_path: Path
) -> None:
    with pytest.raises(SiteUnsafe) as stopped:
        fly(planned, LINKS, arm=True, output=tmp_path / "rec")
    assert "[application]" in str(stopped.value)
    assert "[report]" in str(stopped.value)
    assert not (tmp_path / "rec").exists()
    now = datetime.now().replace(microsecond=0)
    soon = (now + timedelta(hours=1)).isoformat()
    with pytest.raises(FormatError, match="--reported: wanted a time that is over"):
        fly(planned, LINKS, arm=True, reported=soon)
    with pytest.raises(FormatError, match="--applied: wanted a local date and time"):
        fly(planned, LINKS, arm=True, applied="yesterday")


def test_what_was_told_lets_it_fly_and_is_kept(planned: Path) -> None:
    made, at = read_plan(planned), datetime(2026, 7, 1, 7, 0)
    told = Told(applied="2026-06-30T12:00", reported="06:00")
    judged = require_policy(made, planned, flight_of(made, at, wind_mps=2.0, told=told))
    kept = judged.as_dict()
    assert (kept["applied"], kept["reported"]) == ("2026-06-30T12:00", "2026-07-01T06:00")
    assert kept["packs"] == ["plain", "china-2024", "china-cdc-2025"]
    late = Told(applied="2026-06-30T12:01", reported="06:01")
    with pytest.raises(SiteUnsafe, match=r"handed in 2026-06-30 12:01") as stopped:
        require_policy(made, planned, flight_of(made, at, told=late))
    assert "59 min (reported 2026-07-01 06:01)" in str(stopped.value)
    in_site = replace(made.site, policy=replace(made.site.policy, applied="2026-06-30T11:00"))
    flight = flight_of(replace(made, site=in_site), at, told=Told(reported="06:00"))
    assert flight.applied == datetime(2026, 6, 30, 11, 0)


@pytest.mark.slow
def test_record_and_report_tell_packs_and_waivers(planned: Path, tmp_path: Path) -> None:
    rehearse(planned, output=tmp_path / "rec")
    header = read_record(tmp_path / "rec").header["policy"]
    assert header["packs"] == ["plain", "china-2024", "china-cdc-2025"]
    assert all(finding["severity"] != "error" for finding in header["findings"])
    report(tmp_path / "rec", output=tmp_path / "rep")
    told = json.loads((tmp_path / "rep" / "report.json").read_text(encoding="utf-8"))["policy"]
    assert [(w["rule"], w["in_force"]) for w in told["waivers"]] == [
        ("drones-per-operator", True),
        ("wind-limit", False),
    ]
    page = (tmp_path / "rep" / "report.html").read_text(encoding="utf-8")
    assert "waived by Chen until 2999-12-31: one licence for both" in page
    assert "the waiver of Li had ended on 2020-12-31, the rule held: last year" in page
    pypdf = pytest.importorskip("pypdf")
    pdf = "".join(p.extract_text() for p in pypdf.PdfReader(tmp_path / "rep" / "report.pdf").pages)
    assert "waived by Chen" in " ".join(pdf.split())


def test_a_waiver_that_ends_stops_what_it_allowed(planned: Path) -> None:
    made = read_plan(planned)
    dated = replace(made, start=replace(made.start, date="2026-07-01"))
    speed = replace(made.site.policy, packs=("china-cdc-2025",))
    ended = Waiver(rule="vector-speed", by="Li", reason="trial", until="2026-06-30")
    quick = [
        replace(
            sortie,
            legs=tuple(
                replace(leg, speed_mps=6.0) if getattr(leg, "spot_id", "") == "belt-south" else leg
                for leg in sortie.legs
            ),
        )
        for sortie in made.sorties
    ]
    for waiver, is_stopped in ((ended, True), (replace(ended, until="2026-07-01"), False)):
        site = replace(made.site, policy=replace(speed, waivers=(waiver,)))
        fast = replace(dated, site=site, sorties=tuple(quick))
        if is_stopped:
            with pytest.raises(SiteUnsafe, match="waiver of Li ended on 2026-06-30"):
                require_policy(fast, "p")
        else:
            judged = require_policy(fast, "p")
            assert any("waived by Li" in finding.text for finding in judged.findings)


@pytest.mark.parametrize(("day", "is_stopped"), [("2026-06-30", False), ("2026-07-01", True)])
def test_planning_for_a_day_asks_the_waivers_of_that_day(
    tmp_path: Path, day: str, is_stopped: bool
) -> None:
    waiver = "    - {rule: envelope-height, by: Chen, reason: permit, until: 2026-06-30}"
    more = f"\n  pack: china-2024\n  ceiling_m: 40\n  operators: 2\n  waivers:\n{waiver}\n"
    path = site_in(tmp_path / "site", more)
    start = f"{day}T08:00"
    if is_stopped:
        with pytest.raises(SiteUnsafe, match="waiver of Chen ended on 2026-06-30"):
            plan([path], tmp_path / "plan", no_preview=True, drones=1, start=start)
    else:
        plan([path], tmp_path / "plan", no_preview=True, drones=1, start=start)
        assert (tmp_path / "plan" / "plan.json").is_file()
