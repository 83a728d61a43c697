"""Checks of a site: every finding that can be known without a plan, and how to mend it.

The file is well-formed by now (`missions.site` faults the rest); the rules stand in
`missions.map_rules` and `missions.policy_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.missions import map_rules, policy_rules
from skymist.missions.errors import SiteUnsafe
from skymist.missions.findings import Finding, Severity, is_unsafe

if TYPE_CHECKING:
    from pathlib import Path

    from skymist.coverage.site import Site

__all__ = ["Finding", "Severity", "check_site", "is_unsafe", "require_safe"]

_ORDER = tuple(Severity)


def check_site(site: Site) -> tuple[Finding, ...]:
    """All findings, errors first, then in the order of the rules."""
    rules = (*map_rules.RULES, *policy_rules.RULES)
    found = [finding for rule in rules for finding in rule(site)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def require_safe(site: Site, source: Path) -> None:
    """Let no site pass of which `check_site` says that it must not be flown.

    Raises
    ------
    SiteUnsafe
        With every finding that is an error.
    """
    errors = [f for f in check_site(site) if f.severity is Severity.ERROR]
    if errors:
        raise SiteUnsafe(
            "\n".join(f"{source}: {f.text} [{f.rule}]; {f.mend}" for f in errors)
            + f"\n{source}: not planned and not flown; mend it, then: skymist check {source}"
        )
