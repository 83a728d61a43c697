"""The packs that come with the program are whole; what is no pack is refused with its fault."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from skymist.coverage.errors import PlanError
from skymist.coverage.site import Policy
from skymist.missions.findings import Severity
from skymist.missions.policies.packs import (
    PLAIN,
    own_pack,
    pack_from,
    pack_ids,
    pack_of,
    rules_of,
)
from skymist.missions.policies.rules import MARKS, MEASURES, Bound
from skymist.missions.site_schema import PackName

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "missions" / "data" / "policies"


@pytest.mark.parametrize("name", pack_ids())
def test_every_rule_has_source_date_and_a_way_to_mend(name: str) -> None:
    pack = pack_of(name)
    assert pack.id == name
    assert pack.rules
    for rule in pack.rules:
        assert rule.source.strip()
        assert rule.date > date(2010, 1, 1)
        assert rule.mark in MARKS
        assert len(rule.mend) > 10
        assert rule.what
        assert (rule.bound is Bound.ASK) == (not rule.measure)
        assert rule.bound is not Bound.ASK or rule.severity is Severity.INFO
        assert bool(rule.limit) == (rule.bound is not Bound.ASK)
        assert rule.low < rule.high


def test_the_schema_and_the_manual_name_every_pack_and_rule() -> None:
    assert set(get_args(PackName)) == set(pack_ids())
    manual = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    for name in pack_ids():
        assert f"`{name}`" in manual
        for rule in pack_of(name).rules:
            limit = rule.limit or "to see to"
            row = f"| `{name}` | `{rule.id}` | {rule.what} | {limit} | {rule.severity} |"
            assert f"{row} {rule.mark} |" in manual, row
    for measure, text in MEASURES.items():
        assert f"| `{measure}` | {text} |" in manual, measure
    assert "no legal advice" in manual


def test_a_named_pack_stands_in_for_rules_of_the_same_id() -> None:
    plain = {rule.id: rule for rule in rules_of(Policy())}
    held = {rule.id: rule for rule in rules_of(Policy(packs=("china-2024", "china-cdc-2025")))}
    assert set(plain) < set(held)
    assert plain["envelope-height"].severity is Severity.WARNING
    assert held["envelope-height"].severity is Severity.ERROR
    assert held["vector-hours"].pack == "china-cdc-2025"
    assert held["no-spray"].pack == PLAIN


def test_the_plain_limits_are_those_that_the_planner_keeps() -> None:
    """The defaults of a policy break none of the plain rules, and lie at the limits."""
    policy, plain = Policy(), {rule.id: rule for rule in rules_of(Policy())}
    assert plain["envelope-height"].high == policy.ceiling_m
    assert plain["envelope-speed"].high == policy.speed_max_mps
    assert plain["envelope-radius"].high == policy.radius_m
    assert plain["wind-limit"].high == policy.wind_max_mps
    assert (plain["temperature-limit"].low, plain["temperature-limit"].high) == (
        policy.temperature_min_c,
        policy.temperature_max_c,
    )
    assert plain["transit-low"].low == policy.transit_min_m


GOOD: dict[str, Any] = yaml.safe_load((FOLDER / "plain.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": ""}, "envelope-height: source: wanted"),
        ({"date": None}, "envelope-height: date: wanted"),
        ({"date": "2024"}, "date: wanted a day as 2024-01-01"),
        ({"mend": ""}, "mend: wanted"),
        ({"severity": "fatal"}, "severity: wanted error, warning, info"),
        ({"mark": "X"}, "mark: wanted one of S, K, D, P"),
        ({"least": 3}, "wanted a measure and one of most, least"),
        ({"measure": ""}, "wanted a measure and one of"),
        ({"ask": True}, "wanted a measure and one of"),
        ({"limit": 3}, "limit: wanted a known key"),
        ({"measure": "hight_m"}, "measure: wanted one of height_m, speed_mps"),
        ({"measure": "vector_hours"}, "hours go with vector_hours"),
        ({"most": "high"}, "most: wanted a number"),
        ({"most": True}, "most: wanted a number"),
        ({"most": float("nan")}, "most: wanted a number"),
        ({"what": ["a"]}, "what: wanted a text"),
        ({"waivable": "no"}, "waivable: wanted true or false"),
        ({"id": "envelope-speed"}, "envelope-speed: wanted once, found 2 times"),
    ],
)
def test_a_faulty_pack_is_refused(change: dict[str, Any], words: str) -> None:
    data = deepcopy(GOOD)
    data["rules"][0] |= change
    with pytest.raises(PlanError, match=words):
        pack_from(data)


@pytest.mark.parametrize(
    ("bound", "given", "words"),
    [
        ("within", [5, 3], r"within: wanted \[low, high\]"),
        ("within", 5, r"within: wanted \[low, high\]"),
        ("within", [1, 2, 3], r"within: wanted \[low, high\]"),
        ("hours", ["noon"], "hours: wanted hours as 07:00-09:00"),
    ],
)
def test_a_faulty_limit_is_refused(bound: str, given: object, words: str) -> None:
    data = deepcopy(GOOD)
    del data["rules"][0]["most"]
    measure = "vector_hours" if bound == "hours" else "height_m"
    data["rules"][0] |= {bound: given, "measure": measure}
    with pytest.raises(PlanError, match=words):
        pack_from(data)


@pytest.mark.parametrize("data", [None, [], "pack", {"id": "x"}, {**GOOD, "rules": {"a": 1}}])
def test_what_is_no_pack_is_refused(data: object) -> None:
    with pytest.raises(PlanError, match="wanted"):
        pack_from(data)


def own(**change: Any) -> str:
    rule = {**GOOD["rules"][0], "date": "2026-05-01", **change}
    return json.dumps({**GOOD, "id": "ours", "date": "2026-05-01", "rules": [rule]})


def test_a_pack_of_ones_own_holds_beside_the_others_and_takes_no_fixed_rule() -> None:
    held = {r.id: r for r in rules_of(Policy(own_packs=(own(most=20, severity="error"),)))}
    assert (held["envelope-height"].high, held["envelope-height"].pack) == (20.0, "ours")
    assert held["no-spray"].pack == PLAIN
    with pytest.raises(PlanError, match="no-spray: a rule that nothing may stand in for"):
        own_pack(own(id="no-spray", measure="no_spray_m2", most=50))
    with pytest.raises(PlanError, match="id: wanted one that no built-in pack has"):
        own_pack(own().replace('"ours"', '"plain"'))
    with pytest.raises(PlanError, match="wanted JSON"):
        own_pack("{")


def test_an_unknown_pack_is_named_with_those_that_are_there() -> None:
    with pytest.raises(PlanError, match=r"wanted one of plain, china-2024.*found 'moon'"):
        pack_of("moon")
