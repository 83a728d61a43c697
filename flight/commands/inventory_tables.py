"""`skymist inventory export` and `import`: the blind spots to QGIS or a spreadsheet, and back."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skymist.flight.commands.due import LEDGER_SUFFIX, day_of
from skymist.flight.commands.inventory_shared import (
    AsJson,
    By,
    DryRun,
    LedgerFile,
    Reason,
    SiteFile,
    as_dicts,
    finish,
    print_json,
)

if TYPE_CHECKING:
    from skymist.missions.inventory.book import Book
    from skymist.missions.inventory.bringing import Brought

ABSENT_MOST = 10


def export(
    site: SiteFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The table: .csv or .gpkg.")],
    kind: Annotated[list[str] | None, typer.Option(help="This kind alone.")] = None,
    level: Annotated[list[str] | None, typer.Option(help="This level alone.")] = None,
    zone: Annotated[list[str] | None, typer.Option(help="This zone alone.")] = None,
    post: Annotated[list[str] | None, typer.Option(help="This post alone.")] = None,
) -> None:
    """Write the spots as CSV for spreadsheets or GeoPackage for QGIS. Leave column rev as it is.

    Example: [bold]skymist inventory export site.yaml -o spots.csv --post "Post 4"[/bold]
    """
    from skymist.missions.errors import FormatError
    from skymist.missions.inventory.book import read_book
    from skymist.missions.inventory.listing import listed
    from skymist.missions.inventory.sheets import csv_bytes, geopackage_bytes
    from skymist.missions.plans import write_whole

    writers = {".csv": csv_bytes, ".gpkg": geopackage_bytes}
    if output.suffix.lower() not in writers:
        raise FormatError(f"--output: wanted .csv or .gpkg, found {output.name!r}")
    chosen = {"kinds": kind, "levels": level, "zones": zone, "posts": post}
    book = read_book(site)
    rows = listed(book, book.site(), **{key: value or () for key, value in chosen.items()})
    write_whole(output, writers[output.suffix.lower()](rows))
    print(f"spots in {output}: {len(rows)}")


def imported(
    site: SiteFile,
    table: Annotated[Path, typer.Argument(help="A .csv, .gpkg, .geojson, .kml or .shp.")],
    layer: Annotated[
        str | None, typer.Option(help="Which layer of a file that holds several.")
    ] = None,
    take: Annotated[
        str, typer.Option(help="Where both sides changed a field: table or inventory.")
    ] = "",
    reason: Reason = "",
    remove_absent: Annotated[
        bool, typer.Option("--remove-absent", help="Take out spots that the table does not have.")
    ] = False,
    why: Annotated[str, typer.Option(help="Why; kept in the history.")] = "",
    ledger: LedgerFile = None,
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Bring an edited table back; shows what changes. Exit 1, nothing written, on conflicts.

    Example: [bold]skymist inventory import site.yaml spots.csv --dry-run[/bold]
    """
    from skymist.missions.errors import FormatError
    from skymist.missions.inventory.book import read_book
    from skymist.missions.inventory.bringing import TAKES, brought
    from skymist.missions.inventory.rows import read_rows
    from skymist.missions.inventory.states import mark_of
    from skymist.missions.ledger.spots import state_marked
    from skymist.missions.ledger.store import open_ledger

    if take not in TAKES:
        raise FormatError(f"--take: wanted table or inventory, found {take!r}")
    book, path = read_book(site), ledger or site.with_suffix(LEDGER_SUFFIX)
    rows, columns = read_rows(table, layer)
    opened = open_ledger(path, reads=book.community) if path.is_file() else nullcontext(None)
    with opened as held:
        found = brought(
            book,
            rows,
            columns,
            today=day_of(None),
            base_of=lambda spot_id, rev: (
                None if held is None else state_marked(held, spot_id, lambda s: mark_of(s) == rev)
            ),
            take=take,
            reason=reason,
            removes_absent=remove_absent,
        )
    _tell(found, is_removing=remove_absent)
    if found.conflicts:
        _refuse(found, json=json)
    told = why or f"import of {table.name}"
    finish(book, found.changes, path, by=by, why=told, dry_run=dry_run, json=json)
    if not dry_run:
        _tell_alike(site, found, book)


def _refuse(found: Brought, *, json: bool) -> None:
    if json:
        conflicts = [
            {
                **{"spot": one.spot_id, "field": one.key, "was": one.was, "here": one.here},
                "table": one.table,
            }
            for one in found.conflicts
        ]
        changes = as_dicts(found.changes)
        print_json({"written": False, "changes": changes, "conflicts": conflicts})
    else:
        for change in found.changes:
            print(f"{change.spot_id}: {change.text()}")
        for one in found.conflicts:
            print(f"conflict: {one.text()}")
        print("nothing was written: say --take table or --take inventory, or export anew")
    raise typer.Exit(1)


def _tell(found: Brought, *, is_removing: bool) -> None:
    if found.passed_over:
        typer.echo(f"note: columns passed over: {', '.join(found.passed_over)}", err=True)
    if found.absent and not is_removing:
        some = ", ".join(found.absent[:ABSENT_MOST])
        more = ", ..." if len(found.absent) > ABSENT_MOST else ""
        text = f"{len(found.absent)} spots are not in the table and stay: {some}{more}"
        typer.echo(f"note: {text}", err=True)


def _tell_alike(site: Path, found: Brought, book: Book) -> None:
    """Name new spots that may be ones that are there already."""
    from skymist.missions.inventory.duplicates import duplicates
    from skymist.missions.site import read_site

    new = [change.spot_id for change in found.changes if change.spot_id not in book.items]
    for pair in duplicates(read_site(site), spot_ids=new) if new else ():
        text = f"{pair.first.id} and {pair.second.id} are {pair.distance_m:.1f} m apart"
        typer.echo(f"note: {text}: one place? (skymist inventory merge)", err=True)
