"""Checks of a site: every finding that can be known without a plan, and how to mend it.

The file is well-formed by now (`missions.site` faults the rest); the rules stand in
`missions.map_rules` and `missions.policy_rules`, those of policy packs in `missions.policies`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.missions import map_rules, policy_rules
from skymist.missions.errors import SiteUnsafe
from skymist.missions.findings import Finding, Severity, is_unsafe
from skymist.missions.policies.judging import day_of, plan_findings, site_findings
from skymist.missions.policies.packs import rules_of

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Site

__all__ = ["Finding", "Severity", "check_plan", "check_site", "is_unsafe", "require_safe"]

_ORDER = tuple(Severity)


def check_site(site: Site, day: date | None = None) -> tuple[Finding, ...]:
    """All findings, errors first, then in the order of the rules.

    `day` is that for which waivers are asked, None: today.
    """
    rules = (*map_rules.RULES, *policy_rules.RULES)
    found = [finding for rule in rules for finding in rule(site)]
    found += site_findings(site, day)
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def check_plan(plan: Plan) -> tuple[Finding, ...]:
    """All findings about a plan and its site, errors first: the plan's own among them.

    Where a rule of a pack speaks of the site and of the plan, the worse of both is told; where
    planning and a pack have a rule of the same name, the pack's, which says source and limit.
    """
    packed = {rule.id for rule in rules_of(plan.site.policy)}
    own = [
        Finding(
            severity=Severity.ERROR if f.is_error else Severity.WARNING, rule=f.rule, text=f.text
        )
        for f in plan.findings
        if f.rule not in packed
    ]
    of_plan = plan_findings(plan)
    said = {f.rule: _ORDER.index(f.severity) for f in of_plan}
    of_site = [
        f
        for f in check_site(plan.site, day_of(plan))
        if _ORDER.index(f.severity) < said.get(f.rule, len(_ORDER))
    ]
    found = [*own, *of_plan, *of_site]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def require_safe(site: Site, source: Path, day: date | None = None) -> None:
    """Let no site pass of which `check_site` says that it must not be flown.

    Raises
    ------
    SiteUnsafe
        With every finding that is an error.
    """
    errors = [f for f in check_site(site, day) if f.severity is Severity.ERROR]
    if errors:
        raise SiteUnsafe(
            "\n".join(f"{source}: {f.line}" for f in errors)
            + f"\n{source}: not planned and not flown; mend it, then: skymist check {source}"
        )
