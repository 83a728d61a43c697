"""`skymist inventory suggest`: places on the map that may be blind spots, for people to confirm."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from skymist.flight.commands.due import LEDGER_SUFFIX
from skymist.flight.commands.inventory_shared import (
    AsJson,
    By,
    DryRun,
    LedgerFile,
    Set,
    SiteFile,
    finish,
    given,
    login,
    print_json,
)
from skymist.flight.commands.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

    from skymist.coverage.site import Site
    from skymist.missions.suggest.proposal import Proposal


def suggest(
    site: SiteFile,
    osm: Annotated[
        Path | None,
        typer.Option(help="An OpenStreetMap extract (.osm, .osm.pbf): refuse, drains, brownfield."),
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="This rule alone; may be said again.")
    ] = None,
    zone: Annotated[str, typer.Option(help="This zone alone.")] = "",
    accept: Annotated[
        list[str] | None,
        typer.Option(help="Make a spot of this proposal; may be said again; ALL for those shown."),
    ] = None,
    dismiss: Annotated[
        list[str] | None, typer.Option(help="Never propose this one again; may be said again.")
    ] = None,
    why: Annotated[str, typer.Option(help="Why; kept in the history.")] = "",
    level: Annotated[str, typer.Option(help="Level of accepted spots.")] = "blue",
    set_: Set = None,
    map_: Annotated[
        Path | None, typer.Option("--map", help="Draw the proposals on a map: .png, .svg or .pdf.")
    ] = None,
    ledger: LedgerFile = None,
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Propose blind spots by rules on the map; accepted ones become spots, dismissed ones go.

    Rules: narrow-gap, narrow-alley, dead-end-alley, dead-end-street, yard-behind-buildings, and
    tag-KIND with --osm. Nobody has looked at the places: walk there before you accept one.

    Example: [bold]skymist inventory suggest site.yaml --osm town.osm.pbf --map proposals.png[/bold]

    Example: [bold]skymist inventory suggest site.yaml --accept narrow-gap-3f2a09 --by Wu[/bold]
    """
    from skymist.missions.inventory.book import read_book
    from skymist.missions.ledger.store import open_ledger
    from skymist.missions.suggest.deciding import accepted, dismissed
    from skymist.missions.suggest.deciding import dismiss as dismissing
    from skymist.missions.suggest.sources import read_extract, read_streets
    from skymist.missions.suggest.suggest import suggested

    book, path = read_book(site), ledger or site.with_suffix(LEDGER_SUFFIX)
    place = book.site()
    extract = None if osm is None else read_extract(osm, place)
    found = suggested(place, read_streets(site, place.origin), extract)
    gone: set[str] = set()
    if path.is_file():
        with open_ledger(path, reads=place.name) as held:
            gone = dismissed(held, place, found.proposals)
    shown = _chosen(place, found.proposals, gone, rule or (), zone)
    notes = (f"{found.num_known} in the inventory", f"{found.num_outside} outside every zone")
    hidden = len(gone)
    typer.echo(f"not shown: {', '.join(notes)}, {hidden} dismissed", err=True)
    if map_ is not None:
        _draw(place, shown, map_)
    if dismiss:
        if not dry_run:
            dismissing(path, place, shown, dismiss, by=by or login(), why=why)
        typer.echo(f"{len(dismiss)} dismissed{' (not written)' * dry_run}", err=True)
        shown = {name: one for name, one in shown.items() if name not in dismiss}
    if accept:
        names = list(shown) if accept == ["ALL"] else accept
        reason = "proposed by a rule; nobody has looked"
        values = given(set_, None, level=level, reason=reason)
        changes = accepted(book, place, shown, names, values)
        finish(book, changes, ledger, by=by, why=why, dry_run=dry_run, json=json)
        return
    if json:
        print_json({"proposals": [_as_dict(place, name, one) for name, one in shown.items()]})
    else:
        _print(shown)


def _chosen(
    site: Site,
    proposals: Mapping[str, Proposal],
    gone: set[str],
    rules: list[str] | tuple[str, ...],
    zone: str,
) -> dict[str, Proposal]:
    from skymist.missions.errors import FormatError

    known = list(dict.fromkeys(proposal.rule for proposal in proposals.values()))
    for word in rules:
        if word not in known:
            wanted = f"wanted one of {', '.join(known) or 'none'}"
            raise FormatError(f"--rule: {wanted}, found {word!r}")
    areas = {one.id: one.area for one in site.zones}
    if zone and zone not in areas:
        raise FormatError(f"--zone: wanted one of {', '.join(areas) or 'none'}, found {zone!r}")
    return {
        name: one
        for name, one in proposals.items()
        if name not in gone
        and (not rules or one.rule in rules)
        and (not zone or areas[zone].intersects(one.shape))
    }


def _as_dict(site: Site, name: str, proposal: Proposal) -> dict[str, Any]:
    import shapely

    from skymist.missions.inventory.states import geometry_of

    return {
        **{"name": name, "rule": proposal.rule, "kind": proposal.kind.value},
        **{"source": proposal.source, "figures": dict(proposal.figures)},
        **{"width_m": proposal.width_m, "radius_m": proposal.radius_m},
        "geometry": geometry_of(shapely.transform(proposal.shape, site.origin.to_geo)),
    }


def _print(shown: Mapping[str, Proposal]) -> None:
    console = Console()
    if not shown:
        print("nothing is proposed")
        return
    table = table_of("proposal", "kind", "figures", "source", whole=["proposal"])
    for name, one in shown.items():
        figures = ", ".join(f"{key} {value:g}" for key, value in one.figures.items())
        table.add_row(*map(escape, (name, one.kind.value, figures, one.source)))
    console.print(table)
    counts = Counter(one.rule for one in shown.values())
    told = ", ".join(f"{num} {rule}" for rule, num in counts.items())
    console.print(f"{len(shown)} proposed: {told}; nobody has looked", highlight=False)


def _draw(site: Site, shown: Mapping[str, Proposal], path: Path) -> None:
    from skymist.coverage.sheet import to_pdf, to_png, to_svg
    from skymist.missions.errors import FormatError
    from skymist.missions.plans import write_whole
    from skymist.missions.suggest.picture import draw_proposals

    writers: dict[str, Callable[[Figure], bytes]] = {
        ".png": to_png,
        ".svg": to_svg,
        ".pdf": lambda drawn: to_pdf([drawn]),
    }
    if path.suffix.lower() not in writers:
        raise FormatError(f"--map: wanted .png, .svg or .pdf, found {path.name!r}")
    write_whole(path, writers[path.suffix.lower()](draw_proposals(site, shown)))
    typer.echo(f"map: {path}", err=True)
