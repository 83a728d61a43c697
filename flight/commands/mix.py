"""`skymist mix`: product and water for each tank and day, and what must never be mixed."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from skymist.coverage.words import Language
from skymist.flight.commands.roster import LangOption, PlanArgument, SiteArgument, StartOption
from skymist.flight.commands.tables import table_of

if TYPE_CHECKING:
    from skymist.coverage.organising import Product
    from skymist.missions.organiser.mixing import Recipe
    from skymist.missions.organiser.mixing_sheet import Sheet

PDF_FILE, CSV_FILE = "mixing.pdf", "mixing.csv"


def mix(
    site: SiteArgument,
    plan: PlanArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for mixing.pdf and mixing.csv."),
    ] = None,
    start: StartOption = None,
    lang: LangOption = Language.ENGLISH,
    json: Annotated[bool, typer.Option("--json", help="The sheet as JSON on stdout.")] = False,
) -> None:
    """Say how much product and water each tank and each day takes, and until when it keeps.

    Exit 1, and no sheet, for what must not be mixed: chlorine with acid or ammonia and the like,
    or two agents in one tank without a rinse. Exit 1 with a sheet where no product is named for an
    agent: its label alone can say.

    Example: [bold]skymist mix site.yaml plans/today -o papers --start 2026-07-01T07:00[/bold]
    """
    from skymist.flight.commands.roster import read_both
    from skymist.missions.organiser.duties import duties
    from skymist.missions.organiser.mixing_sheet import sheet_csv, sheet_dict, sheet_of, sheet_pdf
    from skymist.missions.organiser.prices import prices_of
    from skymist.missions.organiser.tanks import fills
    from skymist.missions.organiser.words import tell
    from skymist.missions.plans import write_whole

    place, made = read_both(site, plan, start)
    assert made.start is not None
    found = duties(made, place, prices_of(place.organiser))
    sheet = sheet_of(place, made.start, fills(made, place, found))
    if output is not None:
        pdf, table = sheet_pdf(sheet, lang), sheet_csv(sheet, lang).encode("utf-8-sig")
        write_whole(output / CSV_FILE, table)
        write_whole(output / PDF_FILE, pdf)
    if json:
        print(jsonlib.dumps(sheet_dict(sheet), ensure_ascii=False))
    else:
        _print(sheet, output, lang)
    lacks = "{agent}: wanted a product that makes it, found none: name it under organiser: products"
    for agent_id in sheet.agents_without_product:
        typer.echo(f"skymist: {tell(lang, lacks, agent=agent_id)}", err=True)
    if sheet.agents_without_product:
        raise typer.Exit(1)


def _print(sheet: Sheet, output: Path | None, lang: Language) -> None:
    from skymist.missions.organiser.mixing_sheet import amount_text, strength_lines
    from skymist.missions.organiser.words import clock, day_text, tell

    console = Console()
    title = tell(lang, "Mixing sheet for {site}", site=sheet.site.name)
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    for line in strength_lines(sheet, lang):
        console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
    figures = tuple(tell(lang, head) for head in ("L", "of product", "water mL"))
    agent_head, *heads = (tell(lang, head) for head in ("agent", "for", "ready by", "note"))
    table = table_of(
        *(agent_head, heads[0], *figures, *heads[1:]), whole=[agent_head], right=figures
    )

    def row(
        agent: str,
        what: str,
        product: Product | None,
        one: Recipe | None,
        litres_l: float,
        *rest: str,
    ) -> None:
        parts = ("", "")
        if product is not None and one is not None:
            parts = (amount_text(product, one, lang), f"{one.water_ml:,.0f}")
        table.add_row(*map(escape, (agent, what, f"{litres_l:.2f}", *parts, *rest)))

    for b in sheet.batches:
        table.add_section()
        note = tell(lang, "keeps as its label says")
        if b.discard_s is not None:
            note = tell(lang, "throw away by {time}", time=sheet.start.at(b.discard_s))
        ready = "" if b.first_s is None else clock(sheet.start, b.first_s)
        day = day_text(lang, sheet.start, b.day)
        row(b.agent_id, day, b.product, b.recipe, b.recipe.litres_l, ready, note)
        for f in sheet.fills:
            if (f.day, f.agent_id) == (b.day, b.agent_id):
                on_foot = tell(lang, "on foot: {post}", post=f.post or "-")
                who = f"  {f.sortie_id}" if f.drone_id else f"  {on_foot}"
                rinse = "" if f.rinsed_l is None else tell(lang, "rinse the tank first")
                ready = "" if f.needed_s is None else clock(sheet.start, f.needed_s)
                row("", who, sheet.product_of(f), sheet.recipe_of(f), f.litres_l, ready, rinse)
    console.print(table)
    if output is not None:
        files = tell(lang, "files: {folder}", folder=output)
        console.print(files, soft_wrap=True, highlight=False, markup=False)
