"""`skymist cost`: people, days, litres and money with drones, and the same by hand."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skymist.coverage.words import Language
from skymist.flight.commands.roster import LangOption, PlanArgument, SiteArgument
from skymist.flight.commands.tables import table_of

if TYPE_CHECKING:
    from skymist.missions.organiser.costs import Comparison, Work
    from skymist.missions.organiser.prices import Prices


def cost(
    site: SiteArgument,
    plan: PlanArgument,
    record: Annotated[
        Path | None, typer.Option(help="Count what this record of the plan shows, not the plan.")
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option(help="Own figures (YAML, key: figure) over the site's and the built-in ones."),
    ] = None,
    lang: LangOption = Language.ENGLISH,
    json: Annotated[bool, typer.Option("--json", help="All figures as JSON on stdout.")] = False,
) -> None:
    """Count operators, drones, days, litres and cost per m2, beside the same work by hand.

    Every price and rate stands below with its source: [S] read in a source, [D] computed, [P] our
    proposal, or your own. Put your own in before you decide by it.

    Example: [bold]skymist cost site.yaml plans/today --prices ours.yaml[/bold]

    As flown: [bold]skymist cost site.yaml plans/today --record records/today[/bold]
    """
    from skymist.missions.organiser.costs import compared, comparison_dict, work_of
    from skymist.missions.organiser.duties import require_site_of
    from skymist.missions.organiser.prices import prices_of
    from skymist.missions.plans import read_plan
    from skymist.missions.site import read_site

    place, made = read_site(site), read_plan(plan)
    require_site_of(made, place)
    table = prices_of(place.organiser, prices)
    work: Work
    if record is None:
        work = work_of(made)
    else:
        from skymist.flight.reporting.costing import work_flown

        work = work_flown(record, made)
    found = compared(place, work, table)
    if json:
        print(jsonlib.dumps(comparison_dict(found, table), ensure_ascii=False))
    else:
        _print(place.name, found, table, lang)


def _print(name: str, found: Comparison, prices: Prices, lang: Language) -> None:
    from skymist.missions.organiser.costs import Side
    from skymist.missions.organiser.words import tell

    console = Console()
    title = tell(lang, "Cost of {site}, by its {basis}", site=name, basis=tell(lang, found.basis))
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    table = Table("")
    heads = ("drones alone", "the same by hand", "with drones", "all by hand")
    for head in heads:
        table.add_column(tell(lang, head), justify="right")
    sides = (found.drones, found.same_by_hand, found.mixed, found.by_hand)

    def row(label: str, *values: str) -> None:
        table.add_row(tell(lang, label), *map(escape, values))

    def per_m2(side: Side) -> str:
        return "-" if side.cost_per_m2 is None else f"{side.cost_per_m2:,.3f}"

    row("drones, in use", *(str(found.num_drones) if k % 2 == 0 else "-" for k in range(4)))
    row("people", *(str(side.people) for side in sides))
    row("paid days of people", *(str(side.person_days) for side in sides))
    row("days", *(str(side.days) for side in sides))
    row("hours of people", *(f"{side.hours:,.1f}" for side in sides))
    row("hours in the field", *(f"{side.field_h:,.1f}" for side in sides))
    row("area, m2", *(f"{side.area_m2:,.0f}" for side in sides))
    row("working solution, L", *(f"{side.litres_l:,.1f}" for side in sides))
    products = {"L": "product, L", "kg": "product, kg", "tablets": "product, tablets"}
    for sold_by, label in products.items():
        if any(side.product[sold_by] for side in sides):
            row(label, *(f"{side.product[sold_by]:,.2f}" for side in sides))
    table.add_section()
    for item in dict.fromkeys(key for side in sides for key in side.items):
        row(item, *(f"{side.items[item]:,.0f}" if item in side.items else "-" for side in sides))
    row("total", *(f"{side.cost:,.0f} {prices.currency}" for side in sides))
    row("per m2", *(per_m2(side) for side in sides))
    console.print(table)
    money = f"{abs(found.saved):,.0f} {prices.currency}"
    days = abs(found.saved_person_days)
    texts = (
        tell(
            lang,
            "drones save {money}" if found.saved >= 0 else "drones cost {money} more",
            money=money,
        ),
        tell(
            lang,
            "they save {days} paid days of people"
            if found.saved_person_days >= 0
            else "they take {days} paid days of people more",
            days=days,
        ),
    )
    for told in texts:
        console.print(told, soft_wrap=True, highlight=False, markup=False)
    for agent_id in found.unpriced:
        told = tell(lang, "not counted: product of {agent}, of which none is named", agent=agent_id)
        console.print(told, soft_wrap=True, highlight=False, markup=False)
    _print_prices(console, prices, lang)


def _print_prices(console: Console, prices: Prices, lang: Language) -> None:
    from skymist.missions.organiser.words import tell

    key, figure, *more = (tell(lang, head) for head in ("key", "figure", "unit", "mark", "source"))
    rows = table_of(key, figure, *more, whole=[key], right=[figure])
    for price in prices.rows:
        unit = price.chinese if lang is Language.CHINESE else price.unit
        cells = (price.key, f"{price.value:g}", unit, price.mark, price.source)
        rows.add_row(*map(escape, cells))
    console.print(rows)
