"""`skymist findings` and `skymist levels`: what people found, and the levels that come of it."""

from __future__ import annotations

import json as jsonlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from skymist.flight.commands.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.missions.ledger.chain import Row

app = typer.Typer(
    name="findings",
    help="Cases, complaints and counts that raise levels: add, import.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
SiteFile = Annotated[Path, typer.Argument(help="The site file; its level_rules say what counts.")]
IntoLedger = Annotated[
    Path, typer.Option("--ledger", help="The community's ledger; begun where there is none.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


@app.command()
def add(
    site: SiteFile,
    ledger: IntoLedger,
    measure: Annotated[
        str, typer.Option(help="cases, complaints, breteau, flies, odour or standing_water.")
    ],
    value: Annotated[float, typer.Option(help="How many, or the index.")],
    spot: Annotated[str, typer.Option(help="The spot it was found at.")] = "",
    zone: Annotated[str, typer.Option(help="Or the zone: it counts for all of its spots.")] = "",
    on: Annotated[str | None, typer.Option(help="The day; by default today.")] = None,
    by: Annotated[str, typer.Option(help="Who found it.")] = "",
    note: Annotated[str, typer.Option(help="Anything to keep with it.")] = "",
    json: AsJson = False,
) -> None:
    """Add one finding, and keep the changes of levels that come of it.

    Example:
    [bold]skymist findings add site.yaml --ledger l.ledger --measure cases --value 1 --zone z[/bold]
    """
    from skymist.missions.errors import FormatError
    from skymist.missions.ledger.findings import add_findings, reported
    from skymist.missions.site import read_site

    place, today = read_site(site), _today()
    cells = {"on": on or str(today), "measure": measure, "value": str(value), "spot": spot}
    one, troubles = reported({**cells, "zone": zone, "by": by, "note": note}, place, today)
    if one is None:
        raise FormatError(
            "\n".join(f"--{key}: wanted {want}, found {found}" for key, want, found in troubles)
        )
    _print_added(add_findings(ledger, place, [one]), json)


@app.command("import")
def imported(
    site: SiteFile,
    table: Annotated[
        Path, typer.Argument(help="CSV with on, measure, value, spot or zone, by, note.")
    ],
    ledger: IntoLedger,
    json: AsJson = False,
) -> None:
    """Add the findings of a table; those that are in the ledger already are passed over.

    Example: [bold]skymist findings import site.yaml findings.csv --ledger langkou.ledger[/bold]
    """
    from skymist.missions.ledger.findings import add_findings, read_findings
    from skymist.missions.site import read_site

    place = read_site(site)
    found = read_findings(table, place, _today())
    _print_added(add_findings(ledger, place, found, skips_known=True), json)


def levels(
    site: SiteFile,
    ledger: Annotated[
        Path | None,
        typer.Option(help="The community's ledger; by default SITE with the ending .ledger."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Say which levels findings have changed, and why; keep in the ledger what came with time.

    Example: [bold]skymist levels site.yaml --ledger langkou.ledger[/bold]
    """
    from skymist.flight.commands.due import LEDGER_SUFFIX
    from skymist.missions.ledger.findings import settle_levels
    from skymist.missions.ledger.levels import levelled
    from skymist.missions.ledger.store import open_ledger
    from skymist.missions.site import read_site

    place, path = read_site(site), ledger or site.with_suffix(LEDGER_SUFFIX)
    settle_levels(path, place)
    with open_ledger(path, reads=place.name) as held:
        now, changes = levelled(place, held, _today())
    rows = [
        (spot.id, str(spot.level), str(now.spot(spot.id).level), changes[spot.id])
        for spot in place.spots
        if spot.id in changes
    ]
    if json:
        for spot_id, base, level, change in rows:
            shown = {"spot": spot_id, "site_file": base, "level": level, "since": str(change.on)}
            print(jsonlib.dumps({**shown, "reason": change.reason}, ensure_ascii=False))
        return
    if not rows:
        print(f"{place.name}: every spot has the level of the site file")
        return
    table = table_of("spot", "site file", "level", "since", "why", whole=["spot", "level", "since"])
    for spot_id, base, level, change in rows:
        table.add_row(*map(escape, (spot_id, base, level, str(change.on), change.reason)))
    Console().print(table)


def _today() -> date:
    from skymist.flight.commands.due import day_of

    return day_of(None)


def _print_added(rows: Sequence[Row], json: bool) -> None:
    bodies = [row.body for row in rows]
    changes = [body for body in bodies if body["kind"] == "level"]
    num = len(bodies) - len(changes)
    if json:
        print(jsonlib.dumps({"findings": num, "changes": changes}, ensure_ascii=False))
        return
    print(f"{num} findings added")
    for body in changes:
        print(f"{body['spot']}: {body['text']}")
