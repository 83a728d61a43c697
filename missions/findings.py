"""A finding: something about a well-formed site that a person should know before flying."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

NAMED_MAX = 5
NO_ADVICE = "This is no legal advice: the rules are a summary, ask the authority where you fly."


class Severity(StrEnum):
    """Error: do not fly it so. Warning: decide about it. Info: know it."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found, about which ids, and how to mend it.

    A rule of a policy pack says too where it comes from, and what was found against which limit.
    `is_reminder`: nothing was checked, people must see to it.
    """

    severity: Severity
    rule: str
    text: str
    mend: str = ""
    subjects: tuple[str, ...] = ()
    source: str = ""
    value: str = ""
    limit: str = ""
    is_reminder: bool = False

    @property
    def line(self) -> str:
        """All of it on one line."""
        source = f" ({self.source})" if self.source else ""
        return f"{self.text} [{self.rule}]{source}; {self.mend}"


def is_unsafe(findings: tuple[Finding, ...]) -> bool:
    """Whether any finding forbids flying."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def error(rule: str, text: str, mend: str = "", subjects: Sequence[str] = ()) -> Finding:
    """A finding that forbids flying."""
    return _finding(Severity.ERROR, rule, text, mend, subjects)


def warning(rule: str, text: str, mend: str = "", subjects: Sequence[str] = ()) -> Finding:
    """A finding to decide about."""
    return _finding(Severity.WARNING, rule, text, mend, subjects)


def info(rule: str, text: str, mend: str = "", subjects: Sequence[str] = ()) -> Finding:
    """A finding to know."""
    return _finding(Severity.INFO, rule, text, mend, subjects)


def _finding(
    severity: Severity, rule: str, text: str, mend: str, subjects: Sequence[str]
) -> Finding:
    return Finding(severity=severity, rule=rule, text=text, mend=mend, subjects=tuple(subjects))


def named(ids: Sequence[str]) -> str:
    """Some ids for a text: `a, b, c and 40 more`."""
    shown = ", ".join(ids[:NAMED_MAX])
    rest = len(ids) - NAMED_MAX
    return f"{shown} and {rest} more" if rest > 0 else shown


def spots_text(num: int) -> str:
    """`1 spot`, `2 spots`."""
    return f"{num} spot" + "s" * (num != 1)
