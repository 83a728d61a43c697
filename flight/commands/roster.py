"""`skymist roster`: who does what when, and the map of who answers for what."""

from __future__ import annotations

import json as jsonlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skymist.coverage.words import Language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Site
    from skymist.missions.organiser.duties import Duty

log = logging.getLogger(__name__)
CSV_FILE, PDF_FILE, MAP_FILE = "roster.csv", "roster.pdf", "responsibility-map.png"

SiteArgument = Annotated[Path, typer.Argument(help="The site file.")]
PlanArgument = Annotated[Path, typer.Argument(help="A plan's folder, or its plan.json.")]
StartOption = Annotated[
    str | None,
    typer.Option(
        help="When the plan begins, as 2026-07-01T07:00, where the plan itself does not say."
    ),
]
LangOption = Annotated[Language, typer.Option(help="The language of what is written.")]


def roster(
    site: SiteArgument,
    plan: PlanArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    start: StartOption = None,
    lang: LangOption = Language.ENGLISH,
    json: Annotated[bool, typer.Option("--json", help="All duties as JSON on stdout.")] = False,
) -> None:
    """Write the roster of a plan: per day and zone who does what when, by drone or on foot.

    As roster.pdf with the responsibility map, roster.csv and responsibility-map.png. What no drone
    treats goes to the people of the post, in their hours, away from the drones.

    Example: [bold]skymist roster site.yaml plans/today -o papers --start 2026-07-01T07:00[/bold]

    In Chinese: [bold]skymist roster site.yaml plans/today -o papers --lang zh[/bold]
    """
    from skymist.coverage.postmap import draw_posts
    from skymist.coverage.sheet import to_png
    from skymist.missions.organiser.duties import duties
    from skymist.missions.organiser.prices import prices_of
    from skymist.missions.organiser.roster import roster_csv, roster_dict, roster_pdf
    from skymist.missions.organiser.words import tell
    from skymist.missions.plans import write_whole

    place, made = read_both(site, plan, start)
    assert made.start is not None
    found = duties(made, place, prices_of(place.organiser))
    flown = {treatment.spot_id for treatment in made.treatments}
    png = to_png(draw_posts(_as_planned(place, made), flown, language=lang))
    table = roster_csv(place, made.start, found, lang).encode("utf-8-sig")
    pdf = roster_pdf(place, made.start, found, png, lang)
    for name, data in ((MAP_FILE, png), (CSV_FILE, table), (PDF_FILE, pdf)):
        write_whole(output / name, data)
    unsaid = "{spot}: no hours left for people on foot: agree on a time"
    for duty in found:
        if duty.from_s is None:
            log.warning("%s", tell(lang, unsaid, spot=duty.spot.id))
    if json:
        print(jsonlib.dumps(roster_dict(place, made.start, found), ensure_ascii=False))
    else:
        _print(place, made, found, output, lang)


def read_both(site: Path, plan: Path, start: str | None) -> tuple[Site, Plan]:
    """The site as it is today and a plan of it that has a start.

    Raises
    ------
    FormatError
        Where the plan is another site's, or nobody says when it begins.
    """
    from skymist.flight.commands.preview import warn_of_letters
    from skymist.missions.clock_words import start_of_words
    from skymist.missions.organiser.duties import dated, require_site_of
    from skymist.missions.plans import read_plan
    from skymist.missions.site import read_site

    place, made = read_site(site), read_plan(plan)
    require_site_of(made, place)
    warn_of_letters(made)
    return place, dated(made, None if start is None else start_of_words(start))


def _as_planned(site: Site, plan: Plan) -> Site:
    """The site with the plan's spots alone, at the levels of the plan."""
    from dataclasses import replace

    planned = {spot.id: spot for spot in plan.site.spots}
    spots = (replace(s, level=planned[s.id].level) for s in site.spots if s.id in planned)
    return replace(site, spots=tuple(spots))


def _print(site: Site, plan: Plan, found: Sequence[Duty], output: Path, lang: Language) -> None:
    from skymist.missions.organiser.duties import Hand
    from skymist.missions.organiser.words import day_text, slot_text, tell

    assert plan.start is not None
    console = Console()
    title = tell(lang, "Roster of {site}: {number} duties", site=site.name, number=len(found))
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    heads = ("day", "zone", "post", "by", "spots", "first to last")
    table = Table(*(tell(lang, head) for head in heads))
    for day in dict.fromkeys(duty.day for duty in found):
        of_day = [duty for duty in found if duty.day == day]
        for zone, post, by in dict.fromkeys((d.zone_id, d.post, d.by) for d in of_day):
            some = [d for d in of_day if (d.zone_id, d.post, d.by) == (zone, post, by)]
            begun = min((d.from_s for d in some if d.from_s is not None), default=None)
            ended = max((d.to_s for d in some if d.to_s is not None), default=None)
            slot = slot_text(lang, plan.start, begun, ended)
            hand = tell(lang, "drone" if by is Hand.DRONE else "ground crew")
            day_name = day_text(lang, plan.start, day)
            table.add_row(*map(escape, (day_name, zone, post, hand, str(len(some)), slot)))
    console.print(table)
    files = tell(lang, "files: {folder}", folder=output)
    console.print(files, soft_wrap=True, highlight=False, markup=False)
