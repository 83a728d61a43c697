"""Checks of a site: every finding that can be known without a plan, and how to mend it.

The file is well-formed by now (`missions.site` faults the rest); the rules stand in
`missions.map_rules` and `missions.policy_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.missions import map_rules, policy_rules
from skymist.missions.findings import Finding, Severity, is_unsafe

if TYPE_CHECKING:
    from skymist.coverage.site import Site

__all__ = ["Finding", "Severity", "check_site", "is_unsafe"]

_ORDER = tuple(Severity)


def check_site(site: Site) -> tuple[Finding, ...]:
    """All findings, errors first, then in the order of the rules."""
    rules = (*map_rules.RULES, *policy_rules.RULES)
    found = [finding for rule in rules for finding in rule(site)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))
