"""Each rule of each pack just inside, at and just beyond its limit, wherever it is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from skymist.missions.findings import Finding
from skymist.missions.policies import of_flight, of_plan, of_site
from skymist.missions.policies.judging import flight_findings, plan_findings, site_findings
from skymist.missions.policies.packs import PLAIN, pack_ids, pack_of
from skymist.missions.policies.rules import MEASURES as KNOWN
from skymist.missions.policies.rules import Bound, Rule
from tests.missions.policies.cases import FLIGHTS, PLANS, SITES, policy_site

MEASURES = {"site": of_site.MEASURES, "plan": of_plan.MEASURES, "flight": of_flight.MEASURES}
MADE: dict[str, dict[str, Callable[..., Any]]] = {"site": SITES, "plan": PLANS, "flight": FLIGHTS}
JUDGES: dict[str, Callable[[Any], tuple[Finding, ...]]] = {
    "site": site_findings,
    "plan": plan_findings,
    "flight": flight_findings,
}
HOUR_S = 3600.0
HOURS = {
    "site": [
        ((7 * HOUR_S, 9 * HOUR_S), False),
        ((17 * HOUR_S, 19 * HOUR_S), False),
        ((7.5 * HOUR_S, 8 * HOUR_S), False),
        ((7 * HOUR_S - 60, 9 * HOUR_S), True),
        ((7 * HOUR_S, 9 * HOUR_S + 60), True),
        ((8 * HOUR_S, 18 * HOUR_S), True),
        ((23 * HOUR_S, 25 * HOUR_S), True),
        ((0.0, 24 * HOUR_S), True),
    ],
    # When the pass begins (or, behind -1, ends).
    "plan": [
        ((7 * HOUR_S, -1), False),
        ((7 * HOUR_S - 5, -1), True),
        ((-1, 9 * HOUR_S), False),
        ((-1, 9 * HOUR_S + 5), True),
        ((17 * HOUR_S + 60, -1), False),
        ((12 * HOUR_S, -1), True),
    ],
}


def steps(rule: Rule, stage: str) -> Iterator[tuple[Any, bool]]:
    """Values about the limit, and whether each breaks the rule; read off the pack's own limit."""
    if rule.bound is Bound.HOURS:
        yield from HOURS[stage]
        return
    if rule.unit == "spots":
        yield from ((0, False), (1, True), (2, True))
        return
    near = 1 / 3600 if rule.measure.endswith("_h") else 1e-2
    for limit, beyond in ((rule.low, -1), (rule.high, 1)):
        if abs(limit) != float("inf"):
            step = near * max(1.0, abs(limit)) if limit > 0.2 else 0.01 * limit
            yield limit - beyond * step, False
            yield limit, False
            yield limit + beyond * step, True


CASES = [
    (pack, rule.id, stage)
    for pack in pack_ids()
    for rule in pack_of(pack).rules
    for stage in MEASURES
    if rule.measure in MEASURES[stage]
]


@pytest.mark.parametrize(("pack", "rule_id", "stage"), CASES)
def test_rule_at_its_limit(pack: str, rule_id: str, stage: str) -> None:
    rule = next(rule for rule in pack_of(pack).rules if rule.id == rule_id)
    site = policy_site(() if pack == PLAIN else (pack,))
    tried = list(steps(rule, stage))
    assert {broken for _, broken in tried} == {False, True}
    for value, is_broken in tried:
        thing = MADE[stage][rule.measure](site, value)
        found = [f for f in JUDGES[stage](thing) if f.rule == rule_id]
        assert len(found) == is_broken, (value, found)
        if found:
            says_all(found[0], rule, value)


def says_all(found: Finding, rule: Rule, value: Any) -> None:
    """Rule, source with its date, value, limit, and the way to mend it."""
    assert found.severity is rule.severity
    assert found.source == f"{rule.source}, {rule.date} [{rule.pack}]"
    assert found.mend == rule.mend
    assert found.limit == rule.limit
    assert found.text == f"{rule.what}: {found.value}; limit: {rule.limit}"
    if isinstance(value, float | int):
        shown = float(found.value.split(" ")[0])
        assert shown == pytest.approx(value, rel=2e-3)
        assert rule.breaks(shown)


def test_every_measure_has_its_case_and_its_rule() -> None:
    used = {rule.measure for pack in pack_ids() for rule in pack_of(pack).rules if rule.measure}
    for stage, measures in MEASURES.items():
        assert set(MADE[stage]) == set(measures), stage
        assert set(measures) <= used, stage
    assert used == set().union(*MEASURES.values()) == set(KNOWN)
