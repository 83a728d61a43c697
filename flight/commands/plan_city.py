"""`skymist plan` for many sites: how far it is on stderr, a table or JSON lines on stdout."""

from __future__ import annotations

import json as jsonlib
import logging
import sys
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from skymist.flight.terminal.machine_lines import say_event
from skymist.flight.terminal.progress import JsonProgress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from skymist.flight.planning.city import City, Order, Outcome
    from skymist.flight.planning.engines import Engine

log = logging.getLogger(__name__)
EXIT_FAILED, EXIT_BAD_INPUT = 1, 2


def plan_city(
    paths: tuple[Path, ...], folder: Path, order: Order, engine: Engine, *, json: bool = False
) -> None:
    """Plan every site into a folder of its own, and print what came of all of them.

    Exits with 2 where a site could not be planned for what is in its file, with 1 where one
    failed otherwise; the others are planned nevertheless.
    """
    from skymist.flight.planning.city import City

    shown = _Events(len(paths)) if json else _Progress(len(paths))
    with shown:
        city = City(paths=paths, folder=folder, order=order, tell=shown.read)
        outcomes: dict[int, Outcome] = {}
        for outcome in city.written(engine.run(city.jobs())):
            outcomes[outcome.number] = outcome
            shown.planned(city.names[outcome.number], outcome)
    in_order = [outcomes[number] for number in sorted(outcomes)]
    if json:
        for outcome in in_order:
            print(jsonlib.dumps(_row(city, outcome), ensure_ascii=False))
    else:
        print_city(city, in_order)
    for outcome in in_order:
        for text in outcome.errors:
            log.error("%s: %s", paths[outcome.number], text)
        if outcome.trouble and not json:
            print(f"skymist: {outcome.trouble}", file=sys.stderr)
    troubled = [outcome for outcome in in_order if outcome.trouble]
    if troubled:
        is_ours = all(not outcome.is_bad_input for outcome in troubled)
        raise typer.Exit(EXIT_FAILED if is_ours else EXIT_BAD_INPUT)


def _row(city: City, outcome: Outcome) -> dict[str, object]:
    """What a machine reads of one site."""
    row: dict[str, object] = {"site": str(city.paths[outcome.number])}
    if outcome.trouble:
        return row | {"folder": None, "trouble": outcome.trouble.splitlines()}
    return row | {"folder": str(city.folder / city.names[outcome.number]), **outcome.summary}


class _Progress:
    """A bar of sites on a terminal, a line for each on anything else; all on stderr."""

    def __init__(self, num_sites: int) -> None:
        self._num_sites, self._num_done = num_sites, 0
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._reading = self._bar.add_task("sites read", total=num_sites)
        self._planning = self._bar.add_task("sites planned", total=num_sites)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def read(self, num_read: int) -> None:
        """Show how many sites have been read."""
        self._bar.update(self._reading, completed=num_read)

    def planned(self, name: str, outcome: Outcome) -> None:
        """Show that a site is done with."""
        self._num_done += 1
        self._bar.update(self._planning, completed=self._num_done)
        if not self._console.is_terminal:
            word = "not planned" if outcome.trouble else "planned"
            line = f"{self._num_done} of {self._num_sites}: {name} {word}"
            print(line, file=sys.stderr, flush=True)


class _Events:
    """The same as JSON lines: `progress` of both stages, and `site` with what came of each."""

    def __init__(self, num_sites: int) -> None:
        self._num_sites, self._num_done = num_sites, 0
        self._tell = JsonProgress({"read": "sites read", "planned": "sites planned"})

    def __enter__(self) -> _Events:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def read(self, num_read: int) -> None:
        """Say how many sites have been read."""
        self._tell("read", num_read, self._num_sites)

    def planned(self, name: str, outcome: Outcome) -> None:
        """Say that a site is done with."""
        self._num_done += 1
        say_event("site", site=name, is_planned=not outcome.trouble, text=outcome.trouble)
        self._tell("planned", self._num_done, self._num_sites)


_COLUMNS: tuple[tuple[str, Callable[[Outcome], float]], ...] = (
    ("spots", lambda outcome: outcome.summary["num_spots"]),
    ("m2", lambda outcome: outcome.summary["treated_m2"]),
    ("litres", lambda outcome: outcome.summary["litres_l"]),
    ("drone-min", lambda outcome: outcome.summary["drone_min"]),
)


def print_city(city: City, outcomes: list[Outcome]) -> None:
    """A row for each site and one for all, whose makespan is the longest of any site."""
    done = [outcome for outcome in outcomes if not outcome.trouble]
    table = Table(title=f"Plans for {len(done)} of {len(outcomes)} sites", title_justify="left")
    table.add_column("site")
    for name in ("drones", *(name for name, _ in _COLUMNS), "makespan"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        name = city.names[outcome.number]
        if outcome.trouble:
            table.add_row(f"{name}: not planned", style="red")
            continue
        table.add_row(
            name,
            str(outcome.summary["num_drones"]),
            *(f"{value(outcome):,.0f}" for _, value in _COLUMNS),
            f"{outcome.summary['makespan_min']:.0f} min",
        )
    table.add_section()
    table.add_row(
        f"{len(done)} sites",
        str(sum(outcome.summary["num_drones"] for outcome in done)),
        *(f"{sum(map(value, done)):,.0f}" for _, value in _COLUMNS),
        f"{max((outcome.summary['makespan_min'] for outcome in done), default=0):.0f} min",
        style="bold",
    )
    console = Console()
    console.print(table)
    console.print("m2 and litres by drone; the makespan of all is the longest of any")
    console.print(f"files: {city.folder}", soft_wrap=True, highlight=False)
