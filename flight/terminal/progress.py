"""Progress of work that a person or a program waits for: a bar on a terminal, or JSON lines.

All of it on standard error; in a pipe or a log without `--json` it says nothing.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from skymist.flight.terminal.machine_lines import say_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    Tell = Callable[..., None]
    """Called as `tell(stage, done, total)`: so many of so many parts of a stage are done."""

WORDS_WIDE = 34
"""Columns for the stage's name, so that the bar keeps its place."""
EVERY_S = 0.2
"""Events of one stage come no more often, but for its first and its last."""


def progress_on_stderr(
    words: Mapping[str, str] | None = None, *, as_json: bool = False
) -> AbstractContextManager[Tell]:
    """A context that shows stages of work; `words` are what stages are called.

    In it, call it as `tell(stage, done, total)`. Where the total is not known it is 0.
    """
    return JsonProgress(words) if as_json else BarProgress(words)


class SpotsTold:
    """Spots looked at for one model of drone after the other, as one stage of `plan_site`'s.

    `stage` takes what `plan_site` tells, `spots` what looking at the spots of one model tells.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell, self._model, self._num_models = tell, 0, 1

    def stage(self, stage: str, done: int, total: int) -> None:
        """Pass a stage on, but for the models, which are counted by their spots."""
        if stage == "spots":
            self._model, self._num_models = done, total
        else:
            self._tell(stage, done, total)

    def spots(self, done: int, total: int) -> None:
        """Tell how many spots are done, of all models."""
        self._tell("spots", self._model * total + done, self._num_models * total)


class BarProgress:
    """A bar on a terminal, nothing elsewhere; it swings where the total is not known."""

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
            total=total if total > 1 else None,
            part=f"{done}/{total}" if total > 1 else "",
        )

    def __exit__(self, *_: object) -> None:
        """Stop showing; the terminal is as it was."""
        self._bar.stop()


class JsonProgress:
    """One `progress` event a line: stage, done and total (0: not known), seconds since the start.

    `wall_s` is the machine's clock.
    """

    def __init__(
        self, words: Mapping[str, str] | None = None, *, wall_s: Callable[[], float] = monotonic
    ) -> None:
        self._words = words or {}
        self._wall_s = wall_s
        self._began_s = wall_s()
        self._told: tuple[str, float] | None = None

    def __enter__(self) -> Self:
        """Nothing is to be opened."""
        return self

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Say a stage and how far it is."""
        at_s = self._wall_s()
        is_same = self._told is not None and self._told[0] == stage
        if is_same and self._told and at_s - self._told[1] < EVERY_S and not done == total > 0:
            return
        self._told = (stage, at_s)
        say_event(
            "progress",
            stage=stage,
            text=self._words.get(stage, stage),
            done=done,
            total=total,
            elapsed_s=round(at_s - self._began_s, 2),
        )

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""
