"""Progress of work that a person waits for: a bar on a terminal, nothing in a pipe or a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS_WIDE = 34
"""Columns for the stage's name, so that the bar keeps its place."""


class progress_on_stderr:
    """A context that shows stages of work on a terminal; `words` are what stages are called.

    In it, call it as `tell(stage, done, total)`: so many of so many parts are done. The bar
    swings where the total is not known.
    """

    def __init__(
        self, words: Mapping[str, str] | None = None, console: Console | None = None
    ) -> None:
        self._words = words or {}
        console = console or Console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[part]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task(" " * WORDS_WIDE, total=None, part="")

    def __enter__(self) -> Self:
        """Start showing."""
        self._bar.start()
        return self

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Show a stage and how far it is."""
        self._bar.update(
            self._task,
            description=self._words.get(stage, stage).ljust(WORDS_WIDE),
            completed=done,
            total=total or None,
            part=f"{done}/{total}" if total > 1 else "",
        )

    def __exit__(self, *_: object) -> None:
        """Stop showing; the terminal is as it was."""
        self._bar.stop()
