"""Rules held against a site, a plan or a flight: findings with value, limit, source; waivers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from skymist.missions.errors import SiteUnsafe
from skymist.missions.findings import NO_ADVICE, Finding, Severity
from skymist.missions.policies import of_flight, of_plan, of_site
from skymist.missions.policies.packs import rules_of
from skymist.missions.policies.rules import Bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Policy, Site, Waiver
    from skymist.missions.policies.of_flight import Flight
    from skymist.missions.policies.readings import Reading
    from skymist.missions.policies.rules import Rule

    Thing = TypeVar("Thing")

_ORDER = tuple(Severity)
REMINDER = "reminder, not checked by the program"
"""Before what a rule asks people to see to."""


def site_findings(site: Site, day: date | None = None) -> tuple[Finding, ...]:
    """What the rules say of a site, on a day (None: today); what is to be seen to among it."""
    rules = rules_of(site.policy)
    broken = _judged(rules, of_site.MEASURES, site)
    asked = [_asked(rule) for rule in rules if rule.bound is Bound.ASK]
    return _waived([*broken, *asked], site.policy, day or _today())


def plan_findings(plan: Plan, day: date | None = None) -> tuple[Finding, ...]:
    """What the rules say of a plan beside its site, on a day.

    None: the day of its start, else today.
    """
    broken = _judged(rules_of(plan.site.policy), of_plan.MEASURES, plan)
    return _waived(broken, plan.site.policy, day or day_of(plan))


def flight_findings(flight: Flight) -> tuple[Finding, ...]:
    """What the rules say of a plan that is about to be flown.

    A wind that is measured now stands in for the one that was planned with.
    """
    policy, day = flight.plan.site.policy, flight.at.date()
    read = {name for name, measure in of_flight.MEASURES.items() if any(measure(flight))}
    rules = rules_of(policy)
    now = _judged([r for r in rules if r.measure in read], of_flight.MEASURES, flight)
    planned = [r for r in rules if r.measure not in read]
    return _waived([*now, *_judged(planned, of_plan.MEASURES, flight.plan)], policy, day)


def require_lawful(findings: Iterable[Finding], source: object) -> None:
    """Let nothing be flown that a rule forbids.

    Raises
    ------
    SiteUnsafe
        With every finding that is an error.
    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        lines = [f"{source}: {finding.line}" for finding in errors]
        end = f"{source}: not flown. Mend it, or see docs/policy.md on waivers. {NO_ADVICE}"
        raise SiteUnsafe("\n".join([*lines, end]))


def day_of(plan: Plan) -> date:
    """The day on which a plan begins: that of its start, else today."""
    day = None if plan.start is None else plan.start.day
    return day or _today()


def in_force(waiver: Waiver, day: date) -> bool:
    """Whether a waiver still holds on a day, its last one among them."""
    return day <= date.fromisoformat(waiver.until)


def _judged(
    rules: Sequence[Rule],
    measures: Mapping[str, Callable[[Thing], Iterator[Reading]]],
    thing: Thing,
) -> list[Finding]:
    """A finding for each rule that a reading breaks: the worst of them, and how many more."""
    found = []
    for rule in rules:
        if rule.measure not in measures:
            continue
        broken = [r for r in measures[rule.measure](thing) if rule.breaks(r.value)]
        if broken:
            found.append(_finding(rule, broken))
    return found


def _finding(rule: Rule, broken: Sequence[Reading]) -> Finding:
    worst = max(broken, key=lambda reading: rule.excess(reading.value))
    value = value_text(rule, worst)
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    subjects = dict.fromkeys(
        subject for reading in (worst, *broken) for subject in reading.subjects
    )
    return Finding(
        severity=rule.severity,
        rule=rule.id,
        text=f"{rule.what}: {value}{more}; limit: {rule.limit}",
        mend=rule.mend,
        subjects=tuple(subjects),
        source=_source(rule),
        value=value,
        limit=rule.limit,
    )


def value_text(rule: Rule, reading: Reading) -> str:
    """What was read, in words: a number with its unit and where, or the hours."""
    if reading.value is None:
        return f"not given ({reading.where})"
    if isinstance(reading.value, tuple):
        return reading.where
    return f"{_number(reading.value, rule)} {rule.unit.split(' (')[0]} ({reading.where})"


def _number(value: float, rule: Rule) -> str:
    """A number short, but never so short that it reads like the limit that it breaks."""
    for digits in range(4, 12):
        shown = float(f"{value:.{digits}g}")
        if rule.breaks(shown):
            return f"{shown:.12g}"
    return repr(value)


def _source(rule: Rule) -> str:
    return f"{rule.source}, {rule.date} [{rule.pack}]"


def _asked(rule: Rule) -> Finding:
    return Finding(
        severity=rule.severity,
        rule=rule.id,
        text=f"{REMINDER}: {rule.what}",
        mend=rule.mend,
        source=_source(rule),
        is_reminder=True,
    )


def _waived(findings: Sequence[Finding], policy: Policy, day: date) -> tuple[Finding, ...]:
    """The findings, those that a waiver covers on that day as infos that name it."""
    rules = {rule.id: rule for rule in rules_of(policy)}
    made = []
    for finding in findings:
        waivers = [w for w in policy.waivers if w.rule == finding.rule]
        holding = [w for w in waivers if in_force(w, day) and rules[w.rule].is_waivable]
        if holding:
            one = holding[-1]
            text = f"{finding.text}; waived by {one.by} until {one.until}: {one.reason}"
            finding = replace(finding, severity=Severity.INFO, text=text)
        elif waivers:
            ended = max(waivers, key=lambda w: w.until)
            text = f"{finding.text}; the waiver of {ended.by} ended on {ended.until}"
            finding = replace(finding, text=text)
        made.append(finding)
    return _in_order(made)


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def _today() -> date:
    return datetime.now().astimezone().date()
