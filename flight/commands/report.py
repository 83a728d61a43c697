"""`skymist report`: what an operation applied, as a page, a map and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skymist.coverage.words import Language
from skymist.flight.terminal.machine_lines import say_event
from skymist.flight.terminal.wording import ENGLISH, Wording, offset_of
from skymist.missions.site_writer import require_free, write_site

if TYPE_CHECKING:
    from skymist.flight.reporting.applied import Applied
    from skymist.flight.reporting.report import ReportFiles

STAGES = {
    "record": "reading the record",
    "applied": "reckoning what was applied",
    "map": "drawing the map",
    "files": "writing pages and tables",
}


def report(
    record: Annotated[Path, typer.Argument(help="A record's folder, or its record.jsonl.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the files; by default report/ beside it."),
    ] = None,
    operator: Annotated[str, typer.Option(help="Who flew, for the record's form.")] = "",
    supervisor: Annotated[str, typer.Option(help="Who supervised.")] = "",
    weather: Annotated[str, typer.Option(help="The weather, in words.")] = "",
    people: Annotated[
        int | None, typer.Option(min=1, help="How many people were at work, for productivity.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="The language of what is written.")] = (
        Language.ENGLISH
    ),
    utc_offset: Annotated[
        str,
        typer.Option(
            help="The report's clock: hours ahead of UTC, as 8 or +08:00; by default UTC."
        ),
    ] = "0",
    missed_site: Annotated[
        Path | None,
        typer.Option(
            "--missed-site",
            help="New folder for a site of what was missed alone, of spots treated in part the "
            "rest: the next task for `plan`.",
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="All figures as JSON on stdout, progress as lines on stderr."),
    ] = False,
) -> None:
    """Report what was applied: map, dose per spot against what was asked, what was missed and why.

    As a page, a PDF to sign, the treatment record as a table, and files for other programs.

    Exit 1 where a planned spot did not get its dose, or a no-spray area was sprayed.

    Example: [bold]skymist report plans/helsinki/records/rehearsal-1 -o report[/bold]

    In Chinese, by the clock of Beijing:
    [bold]skymist report records/b --lang zh --utc-offset 8[/bold]

    What was missed as the next task: [bold]skymist report records/b --missed-site next[/bold], then
    [bold]skymist plan next/site.yaml -o plans/next[/bold]
    """
    from skymist.flight.commands.preview import warn_of_letters
    from skymist.flight.reporting.report import write_report
    from skymist.flight.terminal.progress import progress_on_stderr

    beside = record if record.is_dir() else record.parent
    wording = Wording(language=lang, utc_offset_min=offset_of(utc_offset))
    told = {"Operator": operator, "Supervisor": supervisor, "Weather": weather}
    if missed_site is not None:
        require_free(missed_site)
    with progress_on_stderr(STAGES, as_json=json) as tell:
        made = write_report(
            record,
            output or beside / "report",
            told,
            num_people=people,
            wording=wording,
            tell=tell,
        )
    warn_of_letters(made.applied.plan)
    if json:
        print(made.json.read_text(encoding="utf-8"), end="")
    else:
        print_report(made, wording)
    if missed_site is not None:
        tell_missed_site(made, missed_site, wording, as_json=json)
    if not made.applied.is_as_planned:
        raise typer.Exit(1)


def tell_missed_site(
    made: ReportFiles, folder: Path, wording: Wording, *, as_json: bool = False
) -> None:
    """Write the missed spots as a site, and say on stderr where, or that there are none."""
    from skymist.flight.reporting.missed import left_over, missed_site

    left = left_over(made.applied)
    path = write_site(missed_site(made.applied, left), folder) if left else None
    if as_json:
        spots = {one.spot.id: {"is_rest": one.is_rest, "text": one.text} for one in left}
        say_event("missed_site", file=path, num_spots=len(left), spots=spots)
        return
    for one in left:
        typer.echo(f"{one.spot.id}: {wording.told(one.text)}", err=True)
    none = wording.say("missed site: none written, nothing was missed")
    typer.echo(wording.say("missed site: {path}", path=path) if path else none, err=True)


def print_report(made: ReportFiles, wording: Wording = ENGLISH) -> None:
    """The summary that an organiser reads, on stdout."""
    applied, say, told = made.applied, wording.say, wording.told
    kind = "REHEARSAL at {site}" if applied.is_rehearsal else "Treatment at {site}"
    console = Console()
    table = Table(title=escape(say(kind, site=applied.plan.site.name)), show_header=False)
    table.title_justify = "left"
    table.add_column(style="bold")
    table.add_column()
    for name, text in summary_rows(applied, wording):
        table.add_row(say(name), escape(text))
    console.print(table)
    if applied.missed:
        heads = ("spot", "result", "at the dose", "reason")
        missed = Table(*map(say, heads), title=say("Missed, whole or in part"))
        missed.title_justify = "left"
        for spot in applied.missed:
            share = f"{spot.dosed_frac:.0%}"
            cells = (spot.spot.id, say(spot.outcome), share, told(spot.reason))
            missed.add_row(*map(escape, cells))
        console.print(missed)
    for note in applied.notes:
        console.print(say("note: {why}", why=told(note)), highlight=False, markup=False)
    path = say("report: {path}", path=made.html)
    console.print(path, soft_wrap=True, highlight=False, markup=False)


def summary_rows(applied: Applied, wording: Wording) -> tuple[tuple[str, str], ...]:
    """Names, in English, and texts of the summary."""
    from skymist.coverage.dosemap import SpotOutcome

    say, totals = wording.say, applied.totals
    counts = say(", ").join(
        say("{count} {outcome}", count=applied.count(outcome), outcome=say(outcome))
        for outcome in SpotOutcome
    )
    wet_m2 = sum(area.wet_m2 for area in applied.no_spray)
    return (
        ("planned spots", say("{number}: {counts}", number=len(applied.spots), counts=counts)),
        (
            "at the dose",
            say(
                "{share} of {area} m2 got 80 % of its dose or more",
                share=f"{totals.dosed_frac:.1%}",
                area=f"{totals.target_m2:,.0f}",
            ),
        ),
        (
            "liquid",
            say(
                "{litres} L, {outside} L of it outside the targets",
                litres=f"{totals.litres_l:.1f}",
                outside=f"{totals.outside_l:.1f}",
            ),
        ),
        ("no-spray areas", say("{area} m2 sprayed directly", area=f"{wet_m2:.1f}")),
        (
            "in the field",
            say(
                "{minutes} min, {sorties} sorties",
                minutes=f"{totals.busy_s / 60:.0f}",
                sorties=totals.num_sorties,
            ),
        ),
        ("ending", wording.told(applied.ending)),
    )
