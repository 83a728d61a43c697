"""`skymist notice`: what residents must know of a plan, zone by zone, with versions."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skymist.coverage.words import Language
from skymist.flight.commands.roster import LangOption, PlanArgument, SiteArgument, StartOption

if TYPE_CHECKING:
    from skymist.missions.organiser.notices import Series


def notice(
    site: SiteArgument,
    plan: PlanArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the notices, kept for new versions.")
    ],
    start: StartOption = None,
    contact: Annotated[
        str, typer.Option(help="Whom residents call, in place of the zone's or site's contact.")
    ] = "",
    url: Annotated[
        str,
        typer.Option(help="Where the pages will be: the code then leads there, not to the text."),
    ] = "",
    lang: LangOption = Language.ENGLISH,
    json: Annotated[bool, typer.Option("--json", help="What was written as JSON.")] = False,
) -> None:
    """Write notices to residents for each zone: text, PDF, and a page, each with a QR code.

    When, where, which agent and why, what to do, how long to wait, whom to call. In the same folder
    a changed plan gives the next version, which says what changed; an unchanged one the same files.
    A zone where nothing is sprayed any more is told so. Languages written before are kept up too.

    Example: [bold]skymist notice site.yaml plans/today -o notices --start 2026-07-01T07:00[/bold]

    In Chinese, code with an address: [bold]skymist notice site.yaml plans/today -o notices
    --lang zh --url https://example.org/notices[/bold]
    """
    from skymist.flight.commands.roster import read_both
    from skymist.missions.organiser.duties import duties
    from skymist.missions.organiser.notice_pages import files_of
    from skymist.missions.organiser.notice_text import told
    from skymist.missions.organiser.notices import (
        STATE_FILE,
        facts_of,
        read_series,
        series_after,
        series_json,
    )
    from skymist.missions.organiser.prices import prices_of
    from skymist.missions.plans import write_whole

    place, made = read_both(site, plan, start)
    found = duties(made, place, prices_of(place.organiser))
    old = read_series(output / STATE_FILE)
    facts = facts_of(made, place, found, contact)
    series = series_after(old, place, facts, [lang])
    written = [
        file
        for one in series.notices
        for language in series.languages
        for file in files_of(told(series.site, one, language), one, language, _address(url))
    ]
    for name, data in written:
        write_whole(output / name, data)
    # Last: a run that was cut short is done again, with the same versions.
    write_whole(output / STATE_FILE, series_json(series))
    if json:
        print(jsonlib.dumps(_as_dict(series, old, [name for name, _ in written])))
    else:
        _print(series, old, output, lang)


def _address(url: str) -> str:
    """The address as it is, where it is one that a telephone opens.

    Raises
    ------
    FormatError
        For anything else.
    """
    from skymist.missions.errors import FormatError

    if url and not (
        url.startswith(("https://", "http://")) and url.isprintable() and " " not in url
    ):
        raise FormatError(f"--url: wanted an address as https://example.org/notices, found {url!r}")
    return url


def _as_dict(series: Series, old: Series | None, names: list[str]) -> dict[str, object]:
    return {
        "site": series.site,
        "languages": [str(language) for language in series.languages],
        "notices": [
            {
                "zone": one.zone_id,
                "version": one.version,
                "is_new": old is None or old.of(one.zone_id) != one,
                "is_cancelled": one.facts is None,
                "changes": list(one.changes),
            }
            for one in series.notices
        ],
        "files": names,
    }


def _print(series: Series, old: Series | None, output: Path, lang: Language) -> None:
    from skymist.missions.organiser.notice_text import told
    from skymist.missions.organiser.words import tell

    console = Console()
    title = tell(lang, "Notices for {site}", site=series.site)
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    table = Table(*(tell(lang, head) for head in ("zone", "version", "what changed")))
    for one in series.notices:
        is_new = old is None or old.of(one.zone_id) != one
        changes = told(series.site, one, lang).changes
        text = "\n".join(changes) or tell(lang, "first version")
        text = text if is_new else tell(lang, "nothing")
        table.add_row(escape(one.zone_id), str(one.version), escape(text))
    console.print(table)
    files = tell(lang, "files: {folder}", folder=output)
    console.print(files, soft_wrap=True, highlight=False, markup=False)
