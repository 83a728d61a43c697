"""Cells of tables for spreadsheets."""

from __future__ import annotations


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers.

    Source: OWASP's notes on CSV injection.
    """
    is_number = cell.lstrip("-").replace(".", "", 1).isdigit()
    risky = cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if risky and not is_number else cell
