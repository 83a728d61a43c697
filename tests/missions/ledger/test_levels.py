"""Levels against a state machine that goes through every day, and shares no code with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.errors import PlanError
from skymist.coverage.site import LevelName, LevelRule, LevelRules, Measure, Site
from skymist.missions.errors import FormatError, SiteFileError
from skymist.missions.ledger.findings import (
    Reported,
    add_findings,
    read_findings,
    reported,
    settle_levels,
)
from skymist.missions.ledger.levels import Finding, history, levelled
from skymist.missions.ledger.store import open_ledger
from skymist.missions.ledger.verify import verify
from skymist.missions.site import read_site
from tests.missions.ledger.month import (
    DAY_1,
    EAST,
    NAMES,
    RULES,
    TABLE,
    lived,
    noon,
    replayed,
)
from tests.missions.ledger.test_due import one_spot

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"

FINDING = st.tuples(
    st.integers(0, 20),
    st.sampled_from([0, 0, 0, 2]),
    st.sampled_from(list(TABLE)),
    st.sampled_from([0.0, 1.0, 2.0, 3.0, 7.0, 12.0, 25.0]),
)


@settings(max_examples=200, deadline=None)
@given(found=st.lists(FINDING, max_size=8), base=st.integers(0, 3))
def test_levels_follow_the_table(found: list[tuple[int, int, str, float]], base: int) -> None:
    told = [(on, on + late, measure, value) for on, late, measure, value in found]
    findings = [
        Finding(
            on=DAY_1 + timedelta(days=on),
            known=DAY_1 + timedelta(days=known),
            measure=Measure(measure),
            value=value,
        )
        for on, known, measure, value in told
    ]
    expected = replayed(base, told, 45)
    for day, want in enumerate(expected):
        until = DAY_1 + timedelta(days=day)
        changes = history(
            LevelName(NAMES[base]), RULES, [f for f in findings if f.known <= until], until
        )
        level = changes[-1].after if changes else LevelName(NAMES[base])
        assert level == NAMES[want], (day, changes)
        assert all(a.after is b.before for a, b in pairwise(changes))


def blue_spot() -> Site:
    site = one_spot(1)
    levels = tuple(replace(site.surface_levels[0], name=name) for name in LevelName)
    spot = replace(site.spots[0], level=LevelName.BLUE)
    return replace(site, spots=(spot,), surface_levels=levels, level_rules=RULES)


def told(measure: str, value: float, day: int) -> Reported:
    on = DAY_1 + timedelta(days=day)
    return Reported(on=on, measure=Measure(measure), value=value, spot_id="bin-1", by="Chen")


def test_every_change_is_kept_with_its_reason(tmp_path: Path) -> None:
    path, site = tmp_path / "t.ledger", blue_spot()
    rows = add_findings(path, site, [told("cases", 2, 0)], now=noon(0), tz=EAST)
    assert rows[-1].body["text"] == "blue to red: cases: 2 in 5 days (red from 2)"
    assert settle_levels(path, site, now=noon(6), tz=EAST) == ()
    for day in (8, 30):
        settle_levels(path, site, now=noon(day), tz=EAST)
    assert settle_levels(path, site, now=noon(31), tz=EAST) == ()
    with open_ledger(path) as ledger:
        kept = [row.body for row in ledger.rows("WHERE kind = 'level' ORDER BY seq")]
        assert levelled(site, ledger, DAY_1 + timedelta(days=8), tz=EAST)[0].spots[0].level == (
            LevelName.YELLOW
        )
    assert [(b["on"], b["before"], b["after"]) for b in kept] == [
        ("2026-07-01", "blue", "red"),
        ("2026-07-08", "red", "yellow"),
        ("2026-07-11", "yellow", "blue"),
    ]
    assert kept[1]["reason"] == "no rule asked for red for 3 days"
    assert verify(path).broken is None


def test_two_changes_of_one_day_and_a_changed_table_are_kept(tmp_path: Path) -> None:
    path, site = tmp_path / "t.ledger", blue_spot()
    add_findings(path, site, [told("cases", 1, 0)], now=noon(0), tz=EAST)
    add_findings(path, site, [told("cases", 1, 0)], now=noon(0), tz=EAST)
    other = replace(site, level_rules=replace(RULES, rules=RULES.rules[1:]))
    settle_levels(path, other, now=noon(1), tz=EAST)
    with open_ledger(path) as ledger:
        kept = [row.body for row in ledger.rows("WHERE kind = 'level' ORDER BY seq")]
    assert [(b["before"], b["after"]) for b in kept] == [
        ("blue", "yellow"),
        ("yellow", "red"),
        ("red", "blue"),
    ]
    assert "rules were changed" in kept[-1]["reason"]


def test_a_table_may_be_read_each_day(tmp_path: Path) -> None:
    path, site, table = tmp_path / "t.ledger", blue_spot(), tmp_path / "f.csv"
    head = "on,measure,value,spot,zone,by,note\n"
    line = "2026-07-01,complaints,1,bin-1,,Wu,smell\n"
    table.write_text("\ufeff" + head + line + line, encoding="utf-8")
    day = DAY_1 + timedelta(days=2)
    for lines, num in ((2, 2), (2, 0), (3, 1)):
        table.write_text(head + line * lines, encoding="utf-8")
        found = read_findings(table, site, day)
        rows = add_findings(path, site, found, skips_known=True, now=noon(0), tz=EAST)
        assert sum(row.body["kind"] == "finding" for row in rows) == num


def test_every_wrong_line_is_named_and_nothing_is_added(tmp_path: Path) -> None:
    site, table = blue_spot(), tmp_path / "f.csv"
    table.write_text(
        "on,measure,value,spot,zone\n"
        "2026-07-01,cases,1,bin-1,\n"
        "yesterday,cases,1,bin-1,\n"
        "2026-07-09,rats,nan,bin-9,\n"
        "2026-07-01,cases,-1,bin-1,z1\n"
    )
    with pytest.raises(SiteFileError) as stopped:
        read_findings(table, site, DAY_1)
    places = [(fault.line, fault.field) for fault in stopped.value.faults]
    assert places == [
        *((3, "on"), (4, "on"), (4, "measure"), (4, "value"), (4, "spot")),
        *((5, "value"), (5, "spot")),
    ]
    for content in (b"a,b\n1,2\n", b"\xff\xfe\x00", b""):
        table.write_bytes(content)
        with pytest.raises(FormatError, match="wanted"):
            read_findings(table, site, DAY_1)


def test_zone_findings_count_for_its_spots(tmp_path: Path) -> None:
    path, site = tmp_path / "t.ledger", blue_spot()
    site = replace(site, spots=(replace(site.spots[0], zone_id="z1"),))
    found = Reported(on=DAY_1, measure=Measure.BRETEAU, value=12, zone_id="z1")
    rows = add_findings(path, site, [found], now=noon(0), tz=EAST)
    assert rows[-1].body["after"] == "yellow"


@pytest.mark.parametrize("zone_is_last", [True, False])
def test_of_one_day_what_was_entered_last_counts_of_spot_and_zone_alike(
    tmp_path: Path, zone_is_last: bool
) -> None:
    """Found by the replayed month: a zone's count used to win over its spot's of the same day."""
    site = blue_spot()
    site = replace(site, spots=(replace(site.spots[0], zone_id="z1"),))
    low = told("breteau", 0, 0)
    high = Reported(on=DAY_1, measure=Measure.BRETEAU, value=25, zone_id="z1")
    path = tmp_path / "t.ledger"
    for one in (low, high) if zone_is_last else (high, low):
        add_findings(path, site, [one], now=noon(0), tz=EAST)
    with open_ledger(path) as ledger:
        level = levelled(site, ledger, DAY_1, tz=EAST)[0].spots[0].level
        kept = [row.body for row in ledger.rows("WHERE kind = 'level' ORDER BY seq")]
    assert level is (LevelName.RED if zone_is_last else LevelName.BLUE)
    assert kept[-1]["after"] == level
    assert kept[-1]["reason"] == (
        "breteau: 25 on 2026-07-01 (red from 20)"
        if zone_is_last
        else "a finding entered later that day"
    )


@pytest.mark.parametrize("measure", list(Measure))
def test_cases_and_complaints_add_up_and_of_the_others_the_last_counts(measure: Measure) -> None:
    """Twice 3, three days apart, where red begins at 6 and yellow at 3; then 1 a day later."""
    rules = LevelRules(rules=(LevelRule(measure=measure, days=5, red=6, yellow=3),))
    values = [(0, 3.0), (3, 3.0), (4, 1.0)]
    findings = [
        Finding(
            on=DAY_1 + timedelta(days=day),
            known=DAY_1 + timedelta(days=day),
            measure=measure,
            value=value,
        )
        for day, value in values
    ]
    until = DAY_1 + timedelta(days=5)
    changes = history(LevelName.GREEN, rules, findings, until)
    told = [((change.on - DAY_1).days, str(change.after)) for change in changes]
    if measure in {"cases", "complaints"}:
        assert told == [(0, "yellow"), (3, "red")]
    else:
        assert told == [(0, "yellow")]
        assert changes[0].reason == f"{measure.replace('_', ' ')}: 3 on {DAY_1} (yellow from 3)"


def test_rules_that_make_no_sense() -> None:
    for keys in ({"days": 0, "red": 1}, {"days": 3}, {"days": 3, "red": 1, "blue": 2}):
        with pytest.raises(PlanError, match="cases"):
            LevelRule(measure=Measure.CASES, **keys)  # type: ignore[arg-type]


@pytest.mark.slow
def test_thirty_days_of_kouvola_with_findings(shared: Path, tmp_path: Path) -> None:
    """Levels follow the table, nothing due is forgotten, nothing comes early."""
    site = read_site(ROOT / "examples" / "kouvola" / "site.yaml")
    month = lived(site, tmp_path / "k.ledger", seed=8)
    assert (month.forgotten, month.early, month.mislevelled) == ([], [], [])
    assert month.num_due > 30 * 30
    assert month.num_raised > 500
    assert month.num_changes > 500


@pytest.mark.parametrize("seed", range(3))
def test_a_fortnight_of_the_built_in_example(tmp_path: Path, seed: int) -> None:
    month = lived(read_site(DEMO), tmp_path / "d.ledger", seed=seed, num_days=14)
    assert (month.forgotten, month.early, month.mislevelled) == ([], [], [])
    assert min(month.num_due, month.num_treated) > 50
    assert month.num_changes >= 10


def test_findings_to_come_are_refused() -> None:
    cells = {"on": "2026-07-02", "measure": "cases", "value": "1", "spot": "bin-1"}
    made, troubles = reported(cells, blue_spot(), DAY_1)
    assert made is None
    assert troubles == [("on", "a day up to today, 2026-07-01", "2026-07-02")]
