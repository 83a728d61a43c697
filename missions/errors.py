"""What can be wrong with files.

`MissionError` > `SiteFileError`, `SiteUnsafe`, `FormatError`, `LedgerError`.
"""

from __future__ import annotations

from dataclasses import dataclass

from skymist.coverage.errors import MissionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a file: where, what was wanted, what was found, how to mend it."""

    file: str
    field: str
    wanted: str
    found: str
    line: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        """One line for a person."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.field}: wanted {self.wanted}, found {self.found}{hint}"


class SiteFileError(MissionError):
    """A site file with faults; all of them, in `faults`."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class SiteUnsafe(MissionError):
    """A well-formed site that must not be flown as it is: `check` finds errors in it."""


class FormatError(MissionError):
    """A file of another tool, or one of ours, that cannot be read."""


class LedgerError(MissionError):
    """A ledger that cannot be read or written, or that does not take what was to be added."""
