"""Findings of the packs as people meet them: waivers, the worst of several, what forbids flying."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Start
from skymist.coverage.plan import Pass, PassKind, PlanFinding
from skymist.coverage.site import Mode, Policy, Waiver
from skymist.missions.checks import check_plan, check_site, require_safe
from skymist.missions.errors import SiteFileError, SiteUnsafe
from skymist.missions.findings import Severity
from skymist.missions.plans import plan_from_dict, plan_to_dict
from skymist.missions.policies.judging import (
    flight_findings,
    plan_findings,
    require_lawful,
    site_findings,
)
from skymist.missions.policies.of_flight import Flight
from skymist.missions.site import read_site
from tests.missions.policies.cases import (
    NOON,
    drift,
    height,
    made_plan,
    measured_school,
    policy_site,
    reported,
    vector_area,
    windy,
    with_legs,
)
from tests.missions.test_checks import CALM, spot

CHINA = ("china-2024",)
UNTIL = date(2026, 7, 31)
WAIVER = Waiver(
    rule="envelope-height", by="Chen, CAAC Shenzhen", reason="permit 118", until=str(UNTIL)
)
HIGH = policy_site(CHINA, ceiling_m=60.0, operators=1)


def waived(*waivers: Waiver) -> Policy:
    return replace(HIGH.policy, waivers=waivers)


@pytest.mark.parametrize("days", [-1, 0])
def test_a_waiver_holds_up_to_its_last_day_and_says_who_and_why(days: int) -> None:
    site = replace(HIGH, policy=waived(WAIVER))
    (found,) = [f for f in site_findings(site, UNTIL + timedelta(days=days)) if f.value]
    assert (found.rule, found.severity) == ("envelope-height", Severity.INFO)
    assert "waived by Chen, CAAC Shenzhen until 2026-07-31: permit 118" in found.text
    require_safe(site, Path("s.yaml"), UNTIL + timedelta(days=days))


def test_what_nobody_measured_says_that_it_is_a_reminder() -> None:
    """Every finding of a rule is either checked, with value and limit, or a reminder."""
    found = site_findings(policy_site(("china-2024", "china-cdc-2025"), ceiling_m=60.0))
    reminders = {f.rule for f in found if f.is_reminder}
    assert reminders == {f.rule for f in found if f.text.startswith("reminder, not checked")}
    assert {"weather", "airspace", "registered", "vector-crew", "distances"} <= reminders
    for finding in found:
        assert finding.is_reminder == (not finding.value) == (not finding.limit)


def test_an_ended_waiver_is_none_and_says_so() -> None:
    site = replace(HIGH, policy=waived(WAIVER))
    (found,) = [f for f in site_findings(site, UNTIL + timedelta(days=1)) if f.value]
    assert found.severity is Severity.ERROR
    assert found.text.endswith("the waiver of Chen, CAAC Shenzhen ended on 2026-07-31")
    with pytest.raises(SiteUnsafe, match=r"60 m.*limit: at most 30 m.*Order 761.*2024-01-01"):
        require_safe(site, Path("s.yaml"), UNTIL + timedelta(days=1))


def test_a_waiver_of_one_rule_leaves_the_others() -> None:
    site = replace(HIGH, policy=replace(waived(WAIVER), speed_max_mps=20.0))
    errors = [f.rule for f in site_findings(site, UNTIL) if f.severity is Severity.ERROR]
    assert errors == ["envelope-speed"]


def test_a_second_waiver_goes_on_where_the_first_ended() -> None:
    later = replace(WAIVER, by="Li", until="2026-12-31")
    site = replace(HIGH, policy=waived(WAIVER, later))
    (found,) = [f for f in site_findings(site, UNTIL + timedelta(days=1)) if f.value]
    assert "waived by Li" in found.text


def test_what_cannot_be_waived_is_not_even_if_a_plan_says_so() -> None:
    """A site file with such a waiver is refused; a plan that was edited by hand is held to it."""
    waiver = replace(WAIVER, rule="broadcast-without-reason")
    site = replace(
        CALM, spots=(spot(zone_id="z", mode=Mode.BROADCAST),), policy=Policy(waivers=(waiver,))
    )
    errors = [f.rule for f in site_findings(site, UNTIL) if f.severity is Severity.ERROR]
    assert errors == ["broadcast-without-reason"]


@pytest.mark.parametrize("key", ["rule", "by", "reason"])
def test_a_waiver_wants_a_name_and_a_reason(key: str) -> None:
    with pytest.raises(PlanError, match=f"{key}: wanted a text"):
        replace(WAIVER, **{key: " "})
    with pytest.raises(PlanError, match="until: wanted"):
        replace(WAIVER, until="soon")


def test_a_plan_keeps_packs_and_waivers() -> None:
    plan = replace(made_plan(HIGH), site=replace(made_plan(HIGH).site, policy=waived(WAIVER)))
    again = plan_from_dict(plan_to_dict(plan))
    assert again.site.policy == plan.site.policy
    assert "packs" not in plan_to_dict(made_plan(policy_site(())))["site"].get("policy", {})


def test_a_plan_is_judged_on_its_own_day() -> None:
    plan = replace(height(HIGH, 40.0))
    plan = replace(plan, site=replace(plan.site, policy=waived(WAIVER)))
    for day, severity in ((UNTIL, Severity.INFO), (UNTIL + timedelta(days=1), Severity.ERROR)):
        dated = replace(plan, start=Start(clock_s=7 * 3600.0, date=str(day)))
        (found,) = [f for f in plan_findings(dated) if f.rule == "envelope-height"]
        assert found.severity is severity


def test_of_several_the_worst_is_told() -> None:
    plan = height(policy_site(CHINA), 45.0)
    low = replace(plan.sorties[0], id="d-2")
    high = height(policy_site(CHINA), 70.0).sorties[0]
    both = replace(plan, sorties=(low, replace(high, id="d-3")))
    (found,) = [f for f in plan_findings(both) if f.rule == "envelope-height"]
    assert found.value == "70 m (sortie d-3)"
    assert " and 1 more; limit" in found.text


def test_what_is_measured_now_stands_in_for_what_was_planned() -> None:
    plan = windy(policy_site(()), 6.0)
    for measured, is_broken in ((None, True), (4.0, False), (7.0, True)):
        found = flight_findings(Flight(plan=plan, at=NOON, wind_mps=measured))
        assert ("wind-limit" in {f.rule for f in found}) == is_broken


def test_china_wants_application_and_report_and_says_when() -> None:
    flight = Flight(plan=made_plan(policy_site(CHINA, operators=1)), at=NOON)
    found = {f.rule: f for f in flight_findings(flight) if f.severity is Severity.ERROR}
    assert set(found) == {"application", "report"}
    assert "12:00 on the day before" in found["application"].limit
    with pytest.raises(SiteUnsafe) as stopped:
        require_lawful(found.values(), "plans/b")
    lines = str(stopped.value).splitlines()
    assert len(lines) == 3
    assert "fly --applied" in lines[0]
    assert "no legal advice" in lines[-1]
    told = replace(
        reported(policy_site(CHINA, operators=1), 75.0), applied=datetime(2026, 6, 30, 12, 0)
    )
    require_lawful(flight_findings(told), "plans/b")


def test_a_rehearsal_needs_no_application() -> None:
    found = plan_findings(made_plan(policy_site(CHINA, operators=1)))
    assert not {"application", "report"} & {f.rule for f in found}


def test_check_of_a_plan_tells_each_rule_once() -> None:
    plan = height(HIGH, 40.0)
    rules = [f.rule for f in check_plan(plan)]
    assert rules.count("envelope-height") == 1
    (found,) = [f for f in check_plan(plan) if f.rule == "envelope-height"]
    assert found.value.startswith("40 m (sortie")
    assert [f.severity for f in check_plan(plan)] == sorted(
        (f.severity for f in check_plan(plan)), key=list(Severity).index
    )


def test_operators_that_are_not_given_are_asked_for() -> None:
    (found,) = [f for f in site_findings(policy_site(CHINA)) if f.rule == "drones-per-operator"]
    assert found.severity is Severity.WARNING
    assert "policy.operators not given" in found.value


SITE = """\
schema: 1
name: s
pads: [{id: p, point: [114.0, 22.7]}]
spots: [{id: s, kind: yard, level: red, radius_m: 2, point: [114.0005, 22.7]}]
fleet: [{id: d, model: hexa-16}]
policy:
  pack: PACK
  operators: 2
  applied: 2026-06-30T10:00
  waivers:
    - {rule: RULE, by: Chen, reason: permit, until: UNTIL}
"""


def written(folder: Path, pack: str, rule: str, until: str = "2026-12-31") -> Path:
    path = folder / "site.yaml"
    text = SITE.replace("PACK", pack).replace("RULE", rule).replace("UNTIL", until)
    path.write_text(text, encoding="utf-8")
    return path


def test_site_file_names_packs_and_waivers(tmp_path: Path) -> None:
    site = read_site(written(tmp_path, "[china-2024, china-cdc-2025]", "vector-speed"))
    policy = site.policy
    assert policy.packs == ("china-2024", "china-cdc-2025")
    assert policy.operators == 2
    assert policy.applied == "2026-06-30T10:00:00"
    assert [(w.rule, w.by, w.until) for w in policy.waivers] == [
        ("vector-speed", "Chen", "2026-12-31")
    ]
    assert read_site(written(tmp_path, "plain", "wind-limit")).policy.packs == ()
    rules = {f.rule for f in check_site(site)}
    assert {"airspace", "registered", "data-kept", "vector-crew"} <= rules


OWN = """\
id: shenzhen
title: City
source: City order 12
date: 2026-05-01
rules:
  - id: speed-in-town
    what: fastest flight in town
    measure: speed_mps
    most: 8
    unit: m/s
    severity: error
    source: City order 12, section 3
    date: 2026-05-01
    mark: S
    mend: set policy.speed_max_mps to 8
"""


def test_a_pack_of_ones_own_stands_beside_the_site_and_goes_with_its_plans(tmp_path: Path) -> None:
    (tmp_path / "city.yaml").write_text(OWN, encoding="utf-8")
    site = read_site(written(tmp_path, "[china-2024, city.yaml]", "speed-in-town"))
    (found,) = [f for f in check_site(site, date(2026, 7, 1)) if f.rule == "speed-in-town"]
    assert found.severity is Severity.INFO
    assert found.source == "City order 12, section 3, 2026-05-01 [shenzhen]"
    with pytest.raises(SiteUnsafe, match=r"13.9 m/s.*at most 8 m/s.*City order 12"):
        require_safe(site, Path("s"), date(2027, 1, 1))
    plan = made_plan(site)
    again = plan_from_dict(plan_to_dict(plan))
    late = replace(again, start=Start(clock_s=0.0, date="2027-01-01"))
    slow = replace(late, sorties=())
    assert not [f for f in plan_findings(slow) if f.rule == "speed-in-town"]
    fast = replace(late.sorties[0].legs[0], speed_mps=8.1)
    legs = (fast, *late.sorties[0].legs[1:])
    quick = replace(late, sorties=(replace(late.sorties[0], legs=legs),))
    (told,) = [f for f in plan_findings(quick) if f.rule == "speed-in-town"]
    assert told.value == "8.1 m/s (sortie d-1)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (OWN.replace("most: 8", "most: fast"), "most: wanted a number"),
        (OWN.replace("speed_mps", "spede_mps"), "measure: wanted one of"),
        (OWN.replace("id: shenzhen", "id: plain"), "no built-in pack"),
        ("- 1", "wanted a mapping"),
        ("a: [", "city.yaml"),
        (None, "city.yaml"),
    ],
)
def test_a_faulty_pack_of_ones_own_is_a_fault(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "city.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SiteFileError, match=words):
        read_site(written(tmp_path, "city.yaml", "wind-limit"))


@pytest.mark.parametrize(
    ("pack", "rule", "until", "field", "wanted"),
    [
        ("china", "wind-limit", "2026-12-31", "policy.pack[0]", "plain, china-2024"),
        ("plain", "vector-speed", "2026-12-31", "policy.waivers[0].rule", "a rule of the site's"),
        ("plain", "no-spray", "2026-12-31", "policy.waivers[0].rule", "that can be waived"),
        ("plain", "wind-limit", "soon", "policy.waivers[0].until", "a day as 2026-12-31"),
    ],
)
def test_what_is_no_pack_or_waiver_is_a_fault_with_its_line(
    tmp_path: Path, pack: str, rule: str, until: str, field: str, wanted: str
) -> None:
    with pytest.raises(SiteFileError) as stopped:
        read_site(written(tmp_path, pack, rule, until))
    (fault,) = stopped.value.faults
    assert fault.field == field
    assert wanted in fault.wanted
    assert fault.line in (7, 11)


# --- what a rule is not about


CDC = ("china-cdc-2025",)


def test_rules_of_vector_mode_are_not_about_surface_mode() -> None:
    quick = made_plan(policy_site(CDC), speed_mps=9.0, above_home_m=9.0, flow_lps=0.01)
    noon = replace(quick, start=Start(clock_s=12 * 3600.0))
    broken = {"vector-hours", "vector-speed", "vector-height", "vector-flow"}
    assert {f.rule for f in plan_findings(noon)} == broken
    spots = tuple(replace(one, mode=Mode.SURFACE) for one in noon.site.spots)
    surface = replace(noon, site=replace(noon.site, spots=spots))
    assert plan_findings(surface) == ()
    mist = tuple(replace(one, mode=Mode.BROADCAST) for one in noon.site.spots)
    assert {f.rule for f in plan_findings(replace(noon, site=replace(noon.site, spots=mist)))} == (
        broken
    )


def test_a_hover_has_no_speed() -> None:
    plan = made_plan(policy_site(CDC))
    out, spray, back = plan.sorties[0].legs
    assert isinstance(spray, Pass)
    stop = replace(spray, kind=PassKind.HOVER, path=spray.path[:1], hover_s=20.0, speed_mps=90.0)
    hovering = with_legs(plan, out, stop, back)
    hours = replace(hovering, start=Start(clock_s=7 * 3600.0))
    assert {f.rule for f in plan_findings(hours)} <= {"vector-flow"}


def test_area_counts_once_for_each_spot_and_apart_for_each_day() -> None:
    plan = vector_area(policy_site(CDC), 150_000.0)
    out, spray, back = plan.sorties[0].legs
    twice = with_legs(plan, out, spray, back, out, spray, back)
    assert "vector-area" not in {f.rule for f in plan_findings(twice)}
    first, other = plan.sorties[0], plan.treatments[0]
    assert isinstance(spray, Pass)
    far = replace(spray, spot_id="belt-2")
    more = replace(first, id="d-2", legs=(out, far, back), start_s=3600.0)
    spots = (*plan.site.spots, replace(plan.site.spots[0], id="belt-2"))
    both = replace(
        plan,
        site=replace(plan.site, spots=spots),
        treatments=(other, replace(other, spot_id="belt-2", passes=(far,))),
        sorties=(first, more),
    )
    (found,) = [f for f in plan_findings(both) if f.rule == "vector-area"]
    assert found.value == "300000 m2 (drone d, day 1)"
    late = replace(both, sorties=(first, replace(more, start_s=90_000.0)))
    assert "vector-area" not in {f.rule for f in plan_findings(late)}


def test_wind_matters_more_where_somebody_may_be_hit() -> None:
    flight = Flight(plan=made_plan(policy_site(())), at=NOON, wind_mps=4.0)
    assert not {f.rule for f in flight_findings(flight)} & {"wind-with-receptors", "wind-limit"}
    assert "wind-with-receptors" in {f.rule for f in flight_findings(measured_school(CALM, 4.0))}


def test_of_planning_and_a_pack_the_pack_speaks_in_a_check() -> None:
    own = PlanFinding(rule="drift-at-receptor", text="planning's own words")
    other = PlanFinding(rule="wind-above-limit", text="do not fly", is_error=True)
    plan = replace(drift(policy_site(()), 0.2), findings=(own, other))
    found = {f.rule: f for f in check_plan(plan)}
    assert [f.rule for f in check_plan(plan)].count("drift-at-receptor") == 1
    assert "TED 1.1" in found["drift-at-receptor"].source
    assert found["wind-above-limit"].severity is Severity.ERROR
