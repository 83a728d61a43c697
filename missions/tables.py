"""Cells of tables for spreadsheets."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Source: OWASP's notes on CSV injection; the wide ones are formulas to East Asian spreadsheets."""


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, which `unguarded` gives back as it was.

    Numbers stay numbers.
    """
    is_risky = cell.lstrip("'").startswith(_RISKY)
    return f"'{cell}" if is_risky and not _NUMBER.fullmatch(cell) else cell


def unguarded(cell: str) -> str:
    """The cell that was guarded; any other as it is."""
    is_guarded = cell.startswith("'") and cell.lstrip("'").startswith(_RISKY)
    return cell[1:] if is_guarded else cell
