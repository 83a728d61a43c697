"""`skymist inventory`: the community's blind spots, added, changed, merged, with their history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from skymist.flight.commands.due import LEDGER_SUFFIX
from skymist.flight.commands.inventory_shared import (
    AsJson,
    By,
    DryRun,
    LedgerFile,
    Photos,
    Reason,
    Set,
    SiteFile,
    finish,
    given,
    print_json,
)
from skymist.flight.commands.inventory_suggest import suggest
from skymist.flight.commands.inventory_tables import export, imported
from skymist.flight.commands.tables import filled, table_of

if TYPE_CHECKING:
    from skymist.missions.inventory.listing import Listed

app = typer.Typer(
    name="inventory",
    help="The blind spots: list, add, edit, merge, bring in from tables, find on the map.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command("list")
def listed(
    site: SiteFile,
    kind: Annotated[list[str] | None, typer.Option(help="This kind alone.")] = None,
    level: Annotated[list[str] | None, typer.Option(help="This level alone.")] = None,
    zone: Annotated[list[str] | None, typer.Option(help="This zone alone.")] = None,
    post: Annotated[list[str] | None, typer.Option(help="This post alone.")] = None,
    json: AsJson = False,
) -> None:
    """List the spots with level, post, size and notes. Options may be said again.

    Example: [bold]skymist inventory list site.yaml --level red --post "Post 4"[/bold]
    """
    from skymist.missions.inventory.book import read_book
    from skymist.missions.inventory.listing import listed as rows_of
    from skymist.missions.inventory.photos import missing_photos

    book = read_book(site)
    place = book.site()
    chosen = {"kinds": kind, "levels": level, "zones": zone, "posts": post}
    rows = rows_of(book, place, **{key: value or () for key, value in chosen.items()})
    for row in rows:
        photos = row.item.state.get("photos", [])
        for _, found in missing_photos(site.parent, photos):
            typer.echo(f"note: {row.item.id}.photos: {found}", err=True)
    if json:
        print_json({"site": place.name, "spots": [row.values() for row in rows]})
        return
    heads = ("spot", "kind", "level", "since", "zone", "post", "m2", "name, note", "photos")
    shown, lines = filled(heads, [_cells(row) for row in rows])
    table = table_of(*shown, whole=["spot", "kind", "level"], right=["m2"])
    for line in lines:
        table.add_row(*map(escape, line))
    Console().print(table)


def _cells(row: Listed) -> tuple[str, ...]:
    state, num = row.item.state, len(row.item.state.get("photos", []))
    told = "; ".join(filter(None, (state.get("name"), state.get("note"))))
    since = " ".join(filter(None, (state.get("level_since"), state.get("level_reason"))))
    return (
        *(row.item.id, state["kind"], state["level"], since, row.spot.zone_id or ""),
        *(row.post, f"{row.size_m2:g}", told, str(num or "")),
    )


@app.command()
def add(
    site: SiteFile,
    kind: Annotated[str, typer.Option(help="What it is, such as refuse_point or 垃圾点.")],
    level: Annotated[str, typer.Option(help="red, yellow, blue or green.")],
    at: Annotated[str, typer.Option(help="LONGITUDE,LATITUDE of a point, in degrees.")] = "",
    wkt: Annotated[
        str, typer.Option(help="Or its shape: 'LINESTRING (114.041 22.731, 114.0413 22.7312)'.")
    ] = "",
    spot_id: Annotated[str, typer.Option("--id", help="Its id; by default made up.")] = "",
    reason: Reason = "",
    photo: Photos = None,
    set_: Set = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Though a spot of its kind lies beside it.")
    ] = False,
    ledger: LedgerFile = None,
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Add a spot. A point needs radius_m, a line width_m.

    Example: [bold]skymist inventory add site.yaml --kind refuse_point --level yellow
    --at 114.0402,22.7311 --set radius_m=2 --set "responsible=Post 4" --by Wu[/bold]
    """
    from skymist.missions.inventory.adding import addition, require_apart
    from skymist.missions.inventory.book import read_book

    book = read_book(site)
    values = given(set_, photo, level=level, reason=reason)
    change = addition(book, spot_id, {"kind": kind, **values}, at=at, wkt=wkt)
    if not anyway:
        require_apart(book, change)
    finish(book, [change], ledger, by=by, dry_run=dry_run, json=json)


@app.command()
def edit(
    site: SiteFile,
    spots: Annotated[list[str], typer.Argument(help="Ids of spots.")],
    level: Annotated[str, typer.Option(help="Their new level; needs --reason.")] = "",
    reason: Reason = "",
    photo: Photos = None,
    set_: Set = None,
    at: Annotated[str, typer.Option(help="A new place: LONGITUDE,LATITUDE in degrees.")] = "",
    wkt: Annotated[str, typer.Option(help="A new shape as well-known text.")] = "",
    ledger: LedgerFile = None,
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Change spots. Photos are added to those that are there.

    Example: [bold]skymist inventory edit site.yaml bin-3 bin-4 --level red --reason "rats seen"
    --set "responsible=Post 4" --by Wu[/bold]
    """
    from skymist.missions.inventory.adding import edition
    from skymist.missions.inventory.book import read_book

    book = read_book(site)
    values = given(set_, None, level=level, reason=reason)
    changes = [
        edition(book, spot_id, values, photos=photo or (), at=at, wkt=wkt)
        for spot_id in dict.fromkeys(spots)
    ]
    finish(book, changes, ledger, by=by, dry_run=dry_run, json=json)


@app.command()
def remove(
    site: SiteFile,
    spots: Annotated[list[str], typer.Argument(help="Ids of spots that are no more.")],
    why: Annotated[str, typer.Option(help="Why; kept in the history.")],
    ledger: LedgerFile = None,
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Take spots out of the inventory; their history stays in the ledger.

    Example: [bold]skymist inventory remove site.yaml bin-3 --why "bins moved away"[/bold]
    """
    from skymist.missions.inventory.book import read_book
    from skymist.missions.inventory.changes import Change

    book = read_book(site)
    changes = [
        Change(spot_id=spot_id, what="remove", before=book.state(spot_id), after=None)
        for spot_id in dict.fromkeys(spots)
    ]
    finish(book, changes, ledger, by=by, why=why, dry_run=dry_run, json=json)


@app.command()
def duplicates(
    site: SiteFile,
    within_m: Annotated[
        float, typer.Option(min=0, help="Spots of one kind nearer than this may be one.")
    ] = 5.0,
    json: AsJson = False,
) -> None:
    """Name spots that may be one: of one kind and near, or over one another by half. Exit 1 if any.

    Example: [bold]skymist inventory duplicates site.yaml --within-m 3[/bold]
    """
    from skymist.missions.inventory.book import read_book
    from skymist.missions.inventory.duplicates import duplicates as found_in

    found = found_in(read_book(site).site(), within_m)
    if json:
        rows = [
            {
                **{"spots": [pair.first.id, pair.second.id]},
                **{"kinds": [pair.first.kind.value, pair.second.kind.value]},
                "distance_m": round(pair.distance_m, 2),
                "overlap_frac": round(pair.overlap_frac, 3),
            }
            for pair in found
        ]
        print_json({"within_m": within_m, "pairs": rows})
    else:
        if not found:
            print("no two spots look like one")
            return
        heads = ("spot", "kind", "spot", "kind", "apart m", "overlap")
        table = table_of(*heads, whole=["spot"], right=["apart m", "overlap"])
        for pair in found:
            ends = (pair.first.id, pair.first.kind.value, pair.second.id, pair.second.kind.value)
            sizes = (f"{pair.distance_m:.1f}", f"{pair.overlap_frac:.0%}")
            table.add_row(*map(escape, (*ends, *sizes)))
        Console().print(table)
    if found:
        raise typer.Exit(1)


@app.command()
def merge(
    site: SiteFile,
    spots: Annotated[list[str], typer.Argument(help="Ids: the first stays, the others go.")],
    union: Annotated[
        bool, typer.Option("--union", help="Its shape becomes the ground of all of them.")
    ] = False,
    why: Annotated[str, typer.Option(help="Why; kept in the history.")] = "",
    ledger: LedgerFile = None,
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Make one spot of several: worst level, all photos and notes; histories stay in the ledger.

    Example: [bold]skymist inventory merge site.yaml bin-3 bin-3b --by Wu[/bold]
    """
    from skymist.missions.inventory.book import read_book
    from skymist.missions.inventory.duplicates import merged

    book = read_book(site)
    changes = merged(book, book.site(), spots, takes_union=union)
    finish(book, changes, ledger, by=by, why=why, dry_run=dry_run, json=json)


@app.command()
def history(
    site: SiteFile,
    spot: Annotated[str, typer.Argument(help="A spot's id; by default all spots.")] = "",
    ledger: LedgerFile = None,
    json: AsJson = False,
) -> None:
    """Say who changed what and when, the latest last.

    Example: [bold]skymist inventory history site.yaml bin-3[/bold]
    """
    from skymist.missions.inventory.book import read_book
    from skymist.missions.ledger.spots import bodies_of
    from skymist.missions.ledger.store import open_ledger

    path = ledger or site.with_suffix(LEDGER_SUFFIX)
    with open_ledger(path, reads=read_book(site).community) as held:
        bodies = list(bodies_of(held, spot))
    if json:
        print_json({"changes": bodies})
        return
    heads = ("change", "spot", "when (UTC)", "by", "what")
    table = table_of(*heads, whole=["spot", "when (UTC)"], right=["change"])
    for body in bodies:
        cells = (str(body["change"]), body["spot"], body["added_utc"][:16], body["by"])
        table.add_row(*map(escape, (*cells, body["text"])))
    Console().print(table)


@app.command()
def undo(
    site: SiteFile,
    ledger: LedgerFile = None,
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Take back the last change that stands; the history keeps both.

    Example: [bold]skymist inventory undo site.yaml --by Wu[/bold]
    """
    from skymist.missions.inventory.book import read_book
    from skymist.missions.inventory.changes import undone
    from skymist.missions.ledger.store import open_ledger

    book, path = read_book(site), ledger or site.with_suffix(LEDGER_SUFFIX)
    with open_ledger(path, reads=book.community) as held:
        changes, number = undone(book, held)
    finish(book, changes, path, by=by, undoes=number, dry_run=dry_run, json=json)


app.command()(export)
app.command("import")(imported)
app.command()(suggest)
