"""Operations that were cut short and taken up again: copters in a process of their own, SIGKILL."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Hours, Start
from skymist.coverage.plan import Plan
from skymist.flight.commands.flying_options import FlyingOptions
from skymist.flight.commands.rehearse import rehearse
from skymist.flight.commands.resume import _judge, connections_of, resume, told_before
from skymist.flight.commands.resume import _rehearse as resume_rehearsal
from skymist.flight.conductor.operation import Setting
from skymist.flight.recording.record import Record, encode_line, read_record
from skymist.flight.reporting.applied import applied_from
from skymist.flight.reporting.report import write_report
from skymist.flight.resuming.ledger import ResumeFrom, chosen
from skymist.flight.resuming.resume import Choice
from skymist.flight.safety.lawful import Told
from skymist.flight.terminal.display import display_for
from skymist.missions.errors import FormatError, SiteUnsafe
from skymist.missions.findings import error
from skymist.missions.plans import write_plan
from skymist.missions.policies.judging import require_lawful
from tests.processes import Airfield, airfield, ground
from tests.truths import fallen, litres
from tests.yards import six_yards

if sys.platform == "win32":
    pytest.skip("no fork", allow_module_level=True)

WITHIN_FRAC = 0.01
"""By how much the treated ground may differ from that of the undisturbed flight."""
UNSEEN_S = 6.5
"""What a drone may spray unseen after the ground program's death: 5 s to its failsafe, a second of
heartbeats before, and telemetry."""
FLOW_MOST_LPS = 0.083
OVERLAP_L = 0.35
"""Each pass that is taken up again begins 1 m early, and proof ends up to 0.45 m early."""


def truth(field: Airfield, folder: Path) -> tuple[float, float]:
    """Square metres at 80 % of the dose or more, and litres put out, in truth."""
    tracks = field.truths(folder)
    found = fallen(field.plan, tracks)
    return sum(spot.dosed_m2() for spot in found.values()), litres(tracks.values())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with airfield(six_yards()) as field:
        program = ground(field, folder / "record")
        program.join(120)
        assert program.exitcode == 0
        return truth(field, folder)


@pytest.mark.parametrize("at_s", [20.0, 118.6, 190.2])
def test_killed_anywhere_it_is_taken_up_and_finished(
    at_s: float, undisturbed: tuple[float, float], tmp_path: Path
) -> None:
    folder = tmp_path / "record"
    with airfield(six_yards()) as field:
        field.kill(ground(field, folder), at_s)
        killed = read_record(folder)
        assert not killed.is_closed
        program = ground(field, folder, choice=Choice())
        program.join(120)
        assert program.exitcode == 0
        dosed_m2, litres_l = truth(field, tmp_path)
    read = read_record(folder)
    assert read.events[-1]["outcome"] == "done"
    assert read.events[: len(killed.events)] == killed.events
    assert dosed_m2 >= undisturbed[0] * (1 - WITHIN_FRAC)
    in_part = 3  # drones, each with one pass under way at most
    most_l = in_part * (UNSEEN_S * FLOW_MOST_LPS + OVERLAP_L)
    assert litres_l <= undisturbed[1] + most_l
    codes = {event["code"] for event in read.of("alert")}
    assert "mission_unknown" not in codes
    if at_s == 118.6:
        assert any("found in the air" in e["text"] for e in read.of("sortie"))
        assert "mission_held" in codes
    told_m2 = applied_from(read).totals.dosed_frac
    assert told_m2 >= 0.955  # a finer grid, without what nobody saw


def test_killed_twice_it_is_taken_up_twice(
    undisturbed: tuple[float, float], tmp_path: Path
) -> None:
    folder = tmp_path / "record"
    with airfield(six_yards()) as field:
        field.kill(ground(field, folder), 110.0)
        field.kill(ground(field, folder, choice=Choice()), 260.0)
        program = ground(field, folder, choice=Choice())
        program.join(120)
        assert program.exitcode == 0
        dosed_m2, _ = truth(field, tmp_path)
    read = read_record(folder)
    assert (read.num_parts, read.events[-1]["outcome"]) == (3, "done")
    assert dosed_m2 >= undisturbed[0] * (1 - WITHIN_FRAC)
    ids = [s.id for made in read.plans for s in made.sorties]
    assert len(ids) == len(set(ids))


def test_a_drone_that_is_out_is_flown_for_by_the_others(
    undisturbed: tuple[float, float], tmp_path: Path
) -> None:
    folder = tmp_path / "record"
    with airfield(six_yards()) as field:
        field.kill(ground(field, folder), 118.6)
        program = ground(field, folder, choice=Choice(), without=("d1",))
        program.join(120)
        assert program.exitcode == 0
        dosed_m2, _ = truth(field, tmp_path)
    read = read_record(folder)
    after = [e for e in read.events if e["t_s"] > read.events[0]["t_s"]]
    last_part = after[next(k for k, e in enumerate(after) if e["event"] == "part") :]
    assert {e["drone_id"] for e in last_part if e["event"] == "track"} == {"d0", "d2"}
    assert dosed_m2 >= undisturbed[0] * (1 - WITHIN_FRAC)


def test_without_arm_nothing_is_armed(tmp_path: Path) -> None:
    folder = tmp_path / "record"
    with airfield(six_yards()) as field:
        field.kill(ground(field, folder), 118.6)
        program = ground(field, folder, choice=Choice(), arm=False)
        program.join(120)
        assert program.exitcode == 0
    read = read_record(folder)
    states = [e["state"] for e in read.of("sortie") if e["sortie_id"] in rest_ids(read)]
    assert "verified" in states
    assert not {"armed", "flying"} & set(states)
    assert "--arm" in read.events[-1]["text"]


def rest_ids(read: Record) -> set[str]:
    return {s.id for s in read.plans[-1].sorties}


def test_what_holds_another_mission_is_left_to_its_own_way_with_the_pump_off(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "record"
    with airfield(six_yards()) as field:
        field.kill(ground(field, folder), 118.6)
        moved = folder / "record.jsonl"
        lines = moved.read_bytes().splitlines(keepends=True)
        header = json.loads(lines[0])
        for sortie in header["plan"]["sorties"]:
            sortie["legs"][1]["path"][0][0] += 0.5  # as if another plan had been recorded
            sortie["legs"][0]["path"][-1][0] += 0.5
        header.pop("crc")
        before = header.pop("prev")
        moved.write_bytes(encode_line(header, before) + b"".join(lines[1:]))
        program = ground(field, folder, choice=Choice())
        program.join(120)
    read = read_record(folder)
    assert "mission_unknown" in {event["code"] for event in read.of("alert")}
    assert not [e for e in read.of("alert") if e["code"] == "come_home"]


# --- rehearsals, which die with their drones


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsed")
    write_plan(six_yards(), folder)
    rehearse(folder, output=folder / "record")
    return folder / "record"


def cut(rehearsed: Path, folder: Path, size: int) -> Path:
    folder.mkdir()
    (folder / "record.jsonl").write_bytes((rehearsed / "record.jsonl").read_bytes()[:size])
    return folder


def test_a_rehearsal_cut_anywhere_is_finished_on_new_drones(
    rehearsed: Path, tmp_path: Path
) -> None:
    whole = applied_from(read_record(rehearsed)).totals
    data, rng = (rehearsed / "record.jsonl").read_bytes(), random.Random(4)
    for number in range(4):
        place = cut(rehearsed, tmp_path / str(number), rng.randrange(data.index(b"\n"), len(data)))
        resume(place)
        read = read_record(place)
        now = applied_from(read)
        assert read.is_closed
        assert now.totals.dosed_frac >= whole.dosed_frac - WITHIN_FRAC
        assert whole.litres_l - 0.3 <= now.totals.litres_l <= whole.litres_l + 3 * OVERLAP_L + 0.3
        assert any("taken up again" in note for note in now.notes)


def test_one_report_over_all_parts_to_the_byte(rehearsed: Path, tmp_path: Path) -> None:
    place = cut(rehearsed, tmp_path / "r", (rehearsed / "record.jsonl").stat().st_size // 2)
    resume(place)
    for name in ("a", "b"):
        write_report(place, tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    told = json.loads((tmp_path / "a" / "report.json").read_text())
    assert told["record"]["ending"].startswith("done")
    assert told["totals"]["treated"] == 6


@pytest.mark.parametrize("start", ["pass-start", "next-pass"])
def test_where_broken_passes_begin_again(start: str, rehearsed: Path, tmp_path: Path) -> None:
    data = (rehearsed / "record.jsonl").read_bytes()
    size = data.index(b'"in_span":"yard', len(data) // 4) + 40_000
    place = cut(rehearsed, tmp_path / "r", size)
    resume(place, start=start)
    read = read_record(place)
    whole = applied_from(read_record(rehearsed)).totals.litres_l
    assert f"from the {start}" in next(read.of("replan"))["reason"]
    more_l = applied_from(read).totals.litres_l - whole
    in_part = int(next(read.of("replan"))["reason"].split(", ")[-1].split()[0])
    assert in_part == 0  # none is taken up in its middle
    assert (more_l > 0.3) if start == "pass-start" else (more_l < -0.3)


def test_nothing_left_flies_nothing(
    rehearsed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "r"
    shutil.copytree(rehearsed, place)
    before = (place / "record.jsonl").read_bytes()
    resume(place)
    assert "nothing is left" in capsys.readouterr().out
    assert (place / "record.jsonl").read_bytes() == before
    assert [path.name for path in place.iterdir()] == ["record.jsonl"]


def test_an_operation_without_an_end_is_looked_after_though_nothing_is_left(
    rehearsed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A drone of it may still be in the air."""
    last = (rehearsed / "record.jsonl").read_bytes().splitlines(keepends=True)[-1]
    place = cut(rehearsed, tmp_path / "r", (rehearsed / "record.jsonl").stat().st_size - len(last))
    resume(place)
    assert "nothing is left" in capsys.readouterr().out
    read = read_record(place)
    assert (read.num_parts, read.is_closed) == (2, True)


def test_words_that_are_no_time_are_refused_before_anything_is_written(
    rehearsed: Path, tmp_path: Path
) -> None:
    place = cut(rehearsed, tmp_path / "r", (rehearsed / "record.jsonl").stat().st_size // 2)
    before = (place / "record.jsonl").read_bytes()
    with pytest.raises(FormatError, match="--reported: wanted"):
        resume(place, reported="at breakfast")
    assert (place / "record.jsonl").read_bytes() == before


def test_what_a_rule_forbids_is_not_flown_on_and_the_record_says_so(
    rehearsed: Path, tmp_path: Path
) -> None:
    place = cut(rehearsed, tmp_path / "r", (rehearsed / "record.jsonl").stat().st_size // 2)
    asked: list[Plan] = []

    def judge(rest: Plan) -> dict[str, object]:
        asked.append(rest)
        require_lawful([error("wind-limit", "wind: 7 m/s; limit: at most 5 m/s")], place)

    found, display = read_record(place), display_for(as_json=True)
    setting = Setting(started_utc=datetime(2026, 7, 1, 9, tzinfo=UTC), sim="embedded")
    with pytest.raises(SiteUnsafe, match="wind-limit"):
        resume_rehearsal(found, setting, display, Choice(), [], judge, FlyingOptions())
    assert not list(read_record(place).of("policy"))
    (rest,) = asked
    assert 0 < len(rest.sorties) < len(found.plan().sorties)
    read = read_record(place)
    end = read.events[-1]
    assert (end["event"], end["outcome"]) == ("end", "aborted")
    assert "limit: at most 5 m/s" in end["text"]
    news = read.events[len(found.events) :]
    assert not any(e["event"] == "sortie" and e.get("state") == "armed" for e in news)


def test_what_the_rules_said_of_the_rest_is_kept_and_remembered(
    rehearsed: Path, tmp_path: Path
) -> None:
    place = cut(rehearsed, tmp_path / "r", (rehearsed / "record.jsonl").stat().st_size // 2)
    resume(place)
    found = read_record(place)
    (kept,) = found.of("policy")
    assert kept["packs"] == ["plain"]
    assert all(finding["severity"] != "error" for finding in kept["findings"])
    today = date(2026, 6, 30)
    applied = FlyingOptions(applied="2026-06-30T10:00")
    assert told_before(found, applied, today).applied == "2026-06-30T10:00"
    kept.update(applied="2026-06-29T09:00", reported="2026-06-30T06:00")  # as `resume --arm` keeps
    known = Told(applied="2026-06-29T09:00", reported="2026-06-30T06:00")
    assert told_before(found, FlyingOptions(), today) == known
    # The next day's take-off was not reported by that.
    tomorrow = told_before(found, FlyingOptions(), date(2026, 7, 1))
    assert tomorrow == Told(applied="2026-06-29T09:00")


def test_the_rest_is_held_to_the_sites_hours_as_a_plan_is(
    rehearsed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real drones, armed: the packs say nothing of the hour, the site's own hours do."""
    found = read_record(rehearsed)
    whole = found.plan()
    morning = Hours(start_s=7 * 3600.0, end_s=9 * 3600.0)
    site = replace(whole.site, policy=replace(whole.site.policy, hours=(morning,)))
    rest = replace(whole, site=site, start=Start(clock_s=7 * 3600.0))

    def judged(clock_s: float, *, is_simulated: bool = False) -> Mapping[str, object]:
        monkeypatch.setattr("skymist.flight.commands.flown.local_clock_s", lambda: clock_s)
        return _judge(found, Told(), FlyingOptions(arm=True), rest, is_simulated=is_simulated)

    assert judged(7 * 3600.0)["packs"]
    with pytest.raises(PlanError, match="outside their hours"):
        judged(15 * 3600.0)
    assert judged(15 * 3600.0, is_simulated=True)["packs"]


def test_the_rest_is_held_to_the_sites_own_checks(rehearsed: Path) -> None:
    found = read_record(rehearsed)
    site = replace(found.plan().site, pads=())
    rest = replace(found.plan(), site=site)
    with pytest.raises(SiteUnsafe):
        _judge(found, Told(), FlyingOptions(), rest, is_simulated=True)


def test_what_counts_as_done() -> None:
    done = {("a", 0): ((0.0, 1.0),), ("a", 1): ((0.2, 0.5),), ("a", 2): ()}
    assert chosen(done, ResumeFrom.BREAKPOINT) == done
    assert chosen(done, ResumeFrom.PASS_START) == {**done, ("a", 1): ()}
    assert chosen(done, ResumeFrom.NEXT_PASS) == {**done, ("a", 1): ((0.0, 1.0),)}


def test_connections_are_remembered_named_or_asked_for(
    tiny_plan: Callable[..., Plan], tmp_path: Path
) -> None:
    from skymist.missions.plans import plan_to_dict

    header = {"t_s": 0, "event": "header", "schema": 1, "plan": plan_to_dict(tiny_plan(2))}
    path = tmp_path / "record.jsonl"

    def found(drones: list[str], without: list[str], **fields: object) -> dict[str, str]:
        path.write_bytes(encode_line({**header, **fields}))
        return connections_of(read_record(path), drones, without)

    known = {"connections": {"d1": "udp:a:1", "d2": "udp:a:2"}}
    assert found([], [], **known) == known["connections"]
    assert found(["d1=COM3:57600"], ["d2"], **known) == {"d1": "COM3:57600"}
    with pytest.raises(PlanError, match="--drone d2=CONNECTION, or --without d2"):
        found(["d1=udp:a:1"], [])
    with pytest.raises(PlanError, match="wanted one of d1, d2"):
        found([], ["d7"], **known)
    with pytest.raises(PlanError, match="at least one"):
        found([], ["d1", "d2"], **known)
    assert found([], [], sim="embedded") == {}
    with pytest.raises(PlanError, match="rehearsal treated nothing"):
        found(["d1=udp:a:1"], [], sim="embedded")
