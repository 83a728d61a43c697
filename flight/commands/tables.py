"""Tables of the terminal that can be read in 80 columns: ids, days and figures are never broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def table_of(
    *heads: str, whole: Collection[str] = (), right: Collection[str] = (), title: str = ""
) -> Table:
    """A table with few lines; columns in `whole` and `right` are not broken, others at words.

    Nothing is cut off with dots: a word that is too long goes on in the next line.
    """
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        title=title or None,
        title_justify="left",
    )
    for head in heads:
        table.add_column(
            head,
            overflow="fold",
            justify="right" if head in right else "left",
            no_wrap=head in whole or head in right,
        )
    return table


def filled(
    heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """The same without the columns in which no row says anything."""
    kept = [k for k in range(len(heads)) if any(row[k] for row in rows)]
    return [heads[k] for k in kept], [[row[k] for k in kept] for row in rows]
