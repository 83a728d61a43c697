"""What the commands of `skymist inventory` share: options, writing and printing of changes."""

from __future__ import annotations

import getpass
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skymist.flight.commands.due import LEDGER_SUFFIX, day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.missions.inventory.book import Book
    from skymist.missions.inventory.changes import Change

SiteFile = Annotated[Path, typer.Argument(help="The site file.")]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", help="Keeps the history; by default SITE with the ending .ledger."),
]
By = Annotated[str, typer.Option(help="Who says so; by default your login name.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="FIELD=VALUE; may be said again. Without a value: taken away."),
]
Photos = Annotated[
    list[str] | None,
    typer.Option("--photo", help="A file in the site's folder, or an address; may be said again."),
]
Reason = Annotated[str, typer.Option(help="Why it has this level; kept with the day.")]


def finish(
    book: Book,
    changes: Sequence[Change],
    ledger: Path | None,
    *,
    by: str,
    why: str = "",
    undoes: int | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Write the changes, unless it is a dry run, and print them."""
    from skymist.missions.inventory.changes import commit, prepared

    told = [change for change in changes if change.fields()]
    if dry_run:
        prepared(book, told, checks_photos=undoes is None)
    else:
        path = ledger or book.site_file.with_suffix(LEDGER_SUFFIX)
        commit(book, told, path, by=by or login(), why=why, undoes=undoes)
    if json:
        print_json({"written": not dry_run, "changes": as_dicts(told)})
        return
    for change in told:
        print(f"{change.spot_id}: {change.text()}")
    print("nothing was written (--dry-run)" if dry_run else f"spots changed: {len(told)}")


def as_dicts(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes as plain JSON values."""
    return [
        {
            **{"spot": change.spot_id, "what": change.what, "into": change.into or None},
            "fields": {key: {"before": a, "after": b} for key, a, b in change.fields()},
        }
        for change in changes
    ]


def given(
    told: Sequence[str] | None, photos: Sequence[str] | None, *, level: str, reason: str
) -> dict[str, Any]:
    """What options say of a spot; a day is set with a level."""
    from skymist.missions.inventory.adding import values_of_words

    values: dict[str, Any] = dict(values_of_words(told or ()))
    if photos:
        values["photos"] = list(photos)
    if level:
        values = {"level_since": str(day_of(None)), **values, "level": level}
    if reason:
        values["level_reason"] = reason
    return values


def login() -> str:
    """The name of who is logged in; empty where the machine knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def print_json(value: Any) -> None:
    """Print one line of JSON."""
    print(jsonlib.dumps(value, ensure_ascii=False))
