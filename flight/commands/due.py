"""`skymist due`: what is due, where one must not yet go, and what `plan --due` plans."""

from __future__ import annotations

import json as jsonlib
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skymist.flight.commands.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from skymist.coverage.hours import Start
    from skymist.coverage.site import Site
    from skymist.missions.ledger.due import Choice, Closed, Due
    from skymist.missions.ledger.store import Ledger

LEDGER_SUFFIX = ".ledger"


def due(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    ledger: Annotated[
        Path | None,
        typer.Option(help="The community's ledger; by default SITE with the ending .ledger."),
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="The day, as 2026-07-01; by default today.")
    ] = None,
    level: Annotated[
        list[str] | None, typer.Option(help="This level alone; may be said again.")
    ] = None,
    zone: Annotated[
        list[str] | None, typer.Option(help="This zone alone; may be said again.")
    ] = None,
    post: Annotated[
        list[str] | None, typer.Option(help="This post alone; may be said again.")
    ] = None,
    rehearsals: Annotated[
        bool, typer.Option("--rehearsals", help="Count rehearsals as treatments, to practise.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON on stdout.")] = False,
) -> None:
    """Say what is due on a day by each spot's level, and which places are still wet now.

    Missed and partly treated spots stay due until they are treated whole.

    Example: [bold]skymist due site.yaml --ledger langkou.ledger --level red[/bold]
    """
    from skymist.missions.ledger.due import closed
    from skymist.missions.ledger.due import due as due_of
    from skymist.missions.site import read_site

    place, now = read_site(site), datetime.now(UTC)
    day = day_of(on)
    choice = choice_of(place, level or (), zone or (), post or ())
    with ledger_for(place, site, ledger) as held:
        found = due_of(place, held, day, choice=choice, counts_rehearsals=rehearsals)
        wet = closed(held, now, counts_rehearsals=rehearsals) if held else ()
    if json:
        print(jsonlib.dumps(as_dict(day, now, found, wet), ensure_ascii=False))
    else:
        print_due(place, day, found, wet)


@contextmanager
def ledger_for(site: Site, path: Path, given: Path | None) -> Iterator[Ledger | None]:
    """The ledger that is named, or the one beside the site file; None where that is not begun.

    Raises
    ------
    FormatError
        Where the one that is named is not there, or is another community's.
    """
    from skymist.missions.ledger.store import open_ledger

    beside = path.with_suffix(LEDGER_SUFFIX)
    if given is None and not beside.is_file():
        typer.echo(f"note: no ledger at {beside}: everything is due", err=True)
        yield None
        return
    with open_ledger(given or beside, reads=site.name) as held:
        yield held


def day_of(text: str | None) -> date:
    """A day in words; none: today by the machine's clock.

    Raises
    ------
    FormatError
        For words that are no day.
    """
    from skymist.missions.errors import FormatError

    if text is None:
        return datetime.now().astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise FormatError(f"--on: wanted a day as 2026-07-01, found {text!r}") from exc


def choice_of(
    site: Site, levels: Sequence[str], zones: Sequence[str], posts: Sequence[str]
) -> Choice:
    """What is asked for; levels in any of their words.

    Raises
    ------
    FormatError
        For a level, zone or post that is none: nothing would be due, which would be a lie.
    """
    from skymist.coverage.site import LevelName
    from skymist.missions.defaults import level_word
    from skymist.missions.errors import FormatError
    from skymist.missions.ledger.due import Choice

    words = [str(level_word(word)) for word in levels]
    known = (
        ("--level", words, [str(name) for name in LevelName]),
        ("--zone", zones, [zone.id for zone in site.zones]),
        ("--post", posts, site.posts),
    )
    for flag, given, some in known:
        for word in given:
            if word not in some:
                wanted = ", ".join(dict.fromkeys(some)) or "none (the site names none)"
                raise FormatError(f"{flag}: wanted one of {wanted}, found {word!r}")
    return Choice(levels=tuple(words), zones=tuple(zones), posts=tuple(posts))


def due_site(
    site: Site, path: Path, *, ledger: Path | None, on: str | None, start: Start | None
) -> Site:
    """The site with what is due alone: on a day, or, with the start of the plan, by that hour.

    Raises
    ------
    FormatError
        Where the ledger that is named is not there, or a day is none.
    Exit
        1, where nothing is due: what lies in the plan's folder must not be taken for its plan.
    """
    from skymist.missions.ledger.due import due as due_of
    from skymist.missions.ledger.due import only_due

    day = day_of(on or (start.date if start and start.date else None))
    at = None
    if start is not None:
        midnight = datetime.combine(day, datetime.min.time())
        at = (midnight + timedelta(seconds=start.clock_s)).astimezone(UTC)
    with ledger_for(site, path, ledger) as held:
        found = due_of(site, held, day, at=at)
    if not found:
        typer.echo(f"skymist: nothing is due at {site.name} on {day}: no plan was made", err=True)
        raise typer.Exit(1)
    return only_due(site, found)


def as_dict(
    day: date, now: datetime, found: Sequence[Due], wet: Sequence[Closed]
) -> dict[str, Any]:
    """All of it as plain JSON values."""
    return {
        "on": str(day),
        "now_utc": now.isoformat(timespec="seconds"),
        "due": [
            {
                **{"id": item.spot.id, "level": str(item.spot.level), "mode": str(item.spot.mode)},
                **{"zone": item.spot.zone_id, "post": item.post, "by": item.by},
                **{"last_utc": item.last and item.last.isoformat()},
                **{"due_from_utc": item.since and item.since.isoformat()},
                **{"days_late": item.days_late, "reason": item.reason},
                "level_reason": item.level_reason,
            }
            for item in found
        ],
        "closed": [
            {
                "id": place.spot_id,
                "until_utc": place.until.isoformat(),
                "minutes_left": round((place.until - now).total_seconds() / 60, 1),
            }
            for place in wet
        ],
    }


def print_due(site: Site, day: date, found: Sequence[Due], wet: Sequence[Closed]) -> None:
    """What an organiser reads in the morning."""
    console = Console()
    if wet:
        table = Table("spot", "closed until", title="Still wet: nobody in", title_justify="left")
        for place in wet:
            table.add_row(escape(place.spot_id), f"{place.until.astimezone():%Y-%m-%d %H:%M}")
        console.print(table)
    title = f"Due at {site.name} on {day}: {len(found)} of {len(site.spots)} spots"
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    if not found:
        return
    heads = ("level", "spot", "zone", "post", "by", "late", "why")
    table = table_of(*heads, whole=["level", "spot", "by", "late"])
    for item in found:
        late = f"{item.days_late} d" if item.days_late else ""
        why = "; ".join(filter(None, (item.reason, item.level_reason)))
        cells = (item.spot.level.value, item.spot.id, item.spot.zone_id or "", item.post)
        table.add_row(*map(escape, (*cells, item.by, late, why)))
    console.print(table)
