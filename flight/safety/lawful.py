"""Before anything flies: the plan, and the moment, held to the site's policy packs."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from skymist.missions.clock_words import MOMENT_FORM, moment_of_words
from skymist.missions.errors import FormatError
from skymist.missions.findings import NO_ADVICE, Severity
from skymist.missions.policies.judging import (
    flight_findings,
    in_force,
    plan_findings,
    require_lawful,
)
from skymist.missions.policies.of_flight import Flight
from skymist.missions.policies.packs import packs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Policy
    from skymist.missions.findings import Finding

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the authority was told, in words as given: when applied for, when reported."""

    applied: str = ""
    reported: str = ""


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the record keeps of it: the packs, what was found, what the authority was told."""

    packs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """As plain JSON values."""
        return {
            "packs": list(self.packs),
            "findings": [
                {"severity": str(f.severity), "rule": f.rule, "text": f.text, "source": f.source}
                for f in self.findings
            ],
            **self.told,
        }


def flight_of(
    plan: Plan, at: datetime, *, wind_mps: float | None = None, told: Told = NOTHING_TOLD
) -> Flight:
    """The flight that is about to begin; the application may stand in the site's policy.

    Raises
    ------
    FormatError
        For a time that is none, or of a report or application that is to come.
    """
    applied = _moment("--applied", told.applied or plan.site.policy.applied, at, None)
    reported = _moment("--reported", told.reported, at, at.date())
    return Flight(plan=plan, at=at, wind_mps=wind_mps, applied=applied, reported=reported)


def _moment(flag: str, words: str, at: datetime, today: date | None) -> datetime | None:
    if not words:
        return None
    try:
        moment = moment_of_words(words, today)
    except ValueError as exc:
        form = f"{MOMENT_FORM}{', or 06:00 for today' if today else ''}"
        raise FormatError(f"{flag}: wanted {form}, found {words!r}") from exc
    if moment > at:
        raise FormatError(f"{flag}: wanted a time that is over, found {moment}, it is {at}")
    return moment


def require_policy(plan: Plan, source: object, flight: Flight | None = None) -> Judged:
    """Let nothing go on that the site's packs forbid; warn of the rest, and give what to keep.

    Without a flight the plan alone is judged.

    Raises
    ------
    SiteUnsafe
        With every rule that forbids it: value, limit, source, and the way to mend it.
    """
    findings = plan_findings(plan) if flight is None else flight_findings(flight)
    require_lawful(findings, source)
    warn_of(findings, {finding.rule for finding in plan.findings})
    told = {}
    if flight is not None:
        named = (("applied", flight.applied), ("reported", flight.reported))
        told = {key: when.isoformat(timespec="minutes") for key, when in named if when}
    packs = tuple(pack.id for pack in packs_of(plan.site.policy))
    return Judged(packs=packs, findings=findings, told=told)


def policy_dict(policy: Policy, day: date) -> dict[str, object]:
    """What a report says of the rules: packs, and each waiver with whether it held on a day."""
    return {
        "packs": [pack.id for pack in packs_of(policy)],
        "waivers": [
            {
                **{"rule": w.rule, "by": w.by, "reason": w.reason, "until": w.until},
                "in_force": in_force(w, day),
            }
            for w in policy.waivers
        ],
        "note": NO_ADVICE,
    }


def warn_of(findings: Iterable[Finding], known: Iterable[str] = ()) -> None:
    """Log what is not an info; rules that were told already are left out."""
    levels = {Severity.ERROR: logging.ERROR, Severity.WARNING: logging.WARNING}
    for finding in findings:
        if finding.severity in levels and finding.rule not in known:
            log.log(levels[finding.severity], "%s", finding.line)
