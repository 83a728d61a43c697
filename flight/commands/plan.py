"""`skymist plan`: a site in, a folder with plan, missions, preview and ground-crew list out."""

from __future__ import annotations

import json as jsonlib
import logging
import math
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skymist.flight.commands.due import due_site
from skymist.flight.commands.plan_city import plan_city
from skymist.flight.terminal.progress import SpotsTold, progress_on_stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from skymist.coverage.drift import Wind
    from skymist.coverage.hours import Start
    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Objective, Site
    from skymist.coverage.summary import PlanSummary

log = logging.getLogger(__name__)
WIND_MOST_MPS = 40.0
STAGES = {
    "site": "reading the site",
    "spots": "looking at each spot",
    "sorties": "filling sorties",
    "schedule": "timing",
    "files": "writing missions and lists",
    "preview": "drawing the preview",
}


def plan(
    sites: Annotated[
        list[Path],
        typer.Argument(help="The site file (YAML), or those of a whole city."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder for the plan and its files; of several, one in it each."
        ),
    ],
    seed: Annotated[int, typer.Option(help="Kept in the plan: same site, same bytes.")] = 0,
    drones: Annotated[
        int | None, typer.Option(min=1, help="Use only the first so many drones of the fleet.")
    ] = None,
    wind: Annotated[
        str | None,
        typer.Option(
            help="The wind to lay passes and reckon batteries for: m/s @ degrees that it comes "
            "from, as 2.0@135."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="When the plan begins by the local clock: 07:00 or 2026-07-01T07:00. A site with "
            "hours begins at its first ones unless told."
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="makespan, drone-minutes, or priority (the worst levels first); by default what "
            "the site's policy says."
        ),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Plan exactly what is due by the community's ledger.")
    ] = False,
    ledger: Annotated[
        Path | None,
        typer.Option(help="With --due: the ledger; by default SITE with the ending .ledger."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(help="With --due: the day, as 2026-07-01; by default the start's, or today."),
    ] = None,
    only: Annotated[
        Path | None,
        typer.Option(help="Plan the spots of this list alone: a CSV with `spot`, or ids by line."),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="The summary as JSON on stdout, progress as lines on stderr."),
    ] = False,
    no_preview: Annotated[
        bool, typer.Option("--no-preview", help="Leave out preview.png.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Several sites: processes at once; by default one a core."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="Several sites: local, dask, or dask=ADDRESS of a scheduler.")
    ] = "local",
    budget_s: Annotated[
        float | None,
        typer.Option(min=0.0, help="One site: stop improving the plan after so many seconds."),
    ] = None,
) -> None:
    """Plan a site: passes for every blind spot, sorties, missions, and the ground crew's list.

    Example: [bold]skymist plan examples/helsinki/site.yaml -o plans/helsinki[/bold]

    A whole city, each site into its own folder: [bold]skymist plan city/*.yaml -o plans[/bold]

    What a report says was missed: [bold]skymist plan site.yaml --only report/missed.csv[/bold]

    What is due alone: [bold]skymist plan site.yaml --due -o plans/today[/bold]; where nothing is,
    exit 1 and no plan.
    """
    from skymist.coverage.summary import summarise
    from skymist.flight.planning.city import Order, site_paths
    from skymist.flight.planning.engines import engine_for
    from skymist.flight.safety.lawful import warn_of
    from skymist.missions.clock_words import start_of_words
    from skymist.missions.findings import is_unsafe
    from skymist.missions.plan_folder import write_plan_folder
    from skymist.missions.policies.judging import plan_findings
    from skymist.missions.selection import only_listed

    paths = site_paths(sites)
    chosen = engine_for(engine, jobs)
    air = None if wind is None else wind_of(wind)
    began = None if start is None else start_of_words(start)
    aim = None if objective is None else objective_of(objective)
    require_one_site(paths, due=due, ledger=ledger, on=on, only=only)
    keep = partial(due_site, path=paths[0], ledger=ledger, on=on, start=began) if due else None
    if only is not None:
        keep = partial(only_listed, path=only)
    if len(paths) > 1:
        order = Order(
            seed=seed,
            num_drones=drones,
            has_preview=not no_preview,
            wind=air,
            start=began,
            objective=aim,
        )
        plan_city(paths, output, order, chosen, json=json)
        return
    made = make_plan(
        paths[0],
        seed=seed,
        num_drones=drones,
        wind=air,
        budget_s=budget_s,
        start=began,
        objective=aim,
        keep=keep,
        as_json=json,
    )
    with progress_on_stderr(STAGES, as_json=json) as tell:
        tell("files")
        write_plan_folder(made, output)
        (output / "preview.png").unlink(missing_ok=True)
        if not no_preview:
            from skymist.flight.commands.preview import write_preview

            tell("preview")
            write_preview(made, output / "preview.png")
    summary = summarise(made)
    if json:
        print(jsonlib.dumps(summary.as_dict(), ensure_ascii=False))
    else:
        print_summary(made, summary, output)
    lawful = plan_findings(made)
    warn_of(lawful, {finding.rule for finding in made.findings})
    if any(finding.is_error for finding in made.findings) or is_unsafe(lawful):
        raise typer.Exit(1)


def require_one_site(
    paths: Sequence[Path], *, due: bool, ledger: Path | None, on: str | None, only: Path | None
) -> None:
    """Refuse --due and --only for several sites or together, and options of --due without it.

    Raises
    ------
    FormatError
        With what was wanted.
    """
    from skymist.missions.errors import FormatError

    if due and len(paths) > 1:
        raise FormatError(f"--due: wanted one site, found {len(paths)}: each has its own ledger")
    if only is not None and (due or len(paths) > 1):
        found = "--due with it" if due else f"{len(paths)} sites"
        raise FormatError(f"--only: wanted one site and no --due, found {found}")
    for flag, value in (("--ledger", ledger), ("--on", on)):
        if value is not None and not due:
            raise FormatError(f"{flag}: wanted --due with it, found none")


def wind_of(text: str) -> Wind:
    """The wind of words such as `2.0@135`: m/s @ degrees that it comes from.

    Raises
    ------
    PlanError
        For anything else.
    """
    from skymist.coverage.drift import Wind
    from skymist.coverage.errors import PlanError

    speed, _, direction = text.partition("@")
    try:
        speed_mps, from_deg = float(speed), float(direction)
    except ValueError:
        speed_mps = from_deg = math.nan
    if not (0 <= speed_mps <= WIND_MOST_MPS and -360 <= from_deg <= 360):
        raise PlanError(
            f"--wind: wanted speed in m/s (0 to {WIND_MOST_MPS:g}) @ degrees that it comes from "
            f"(0 to 360), as 2.0@135, found {text!r}"
        )
    return Wind.coming_from(from_deg, speed_mps)


def objective_of(text: str) -> Objective:
    """The objective of this name.

    Raises
    ------
    PlanError
        For another word.
    """
    from skymist.coverage.errors import PlanError
    from skymist.coverage.site import Objective

    try:
        return Objective(text)
    except ValueError as exc:
        raise PlanError(f"--objective: wanted {', '.join(Objective)}, found {text!r}") from exc


def make_plan(
    site_path: Path,
    *,
    seed: int = 0,
    num_drones: int | None = None,
    wind: Wind | None = None,
    budget_s: float | None = None,
    start: Start | None = None,
    objective: Objective | None = None,
    keep: Callable[[Site], Site] | None = None,
    as_json: bool = False,
) -> Plan:
    """Read a site file and plan it; progress (`as_json`: as JSON lines) and findings on stderr.

    `keep` gives the part of the site, which was checked as a whole, that is planned.

    After `budget_s` seconds the search ends with what it has: a valid plan, perhaps a longer one.

    Raises
    ------
    SiteUnsafe
        Where `check` finds an error; nothing is planned then.
    """
    from skymist.coverage.planning import plan_site
    from skymist.flight.planning.shares import shared
    from skymist.missions.checks import require_safe
    from skymist.missions.site import read_site
    from skymist.missions.way_home import way_home_findings

    end_s = math.inf if budget_s is None else time.monotonic() + budget_s
    with progress_on_stderr(STAGES, as_json=as_json) as tell:
        tell("site")
        site = read_site(site_path)
        require_safe(site, site_path, start.day if start else None)
        site = keep(site) if keep else site

        def is_over() -> bool:
            return time.monotonic() > end_s

        told = SpotsTold(tell)
        with shared(site, is_over, tell=told.spots) as (treat, route):
            made = plan_site(
                site,
                seed=seed,
                num_drones=num_drones,
                progress=told.stage,
                wind=wind,
                is_over=is_over,
                treat=treat,
                route=route,
                start=start,
                objective=objective,
            )
    made = replace(made, findings=(*made.findings, *way_home_findings(made)))
    for concern in made.findings:
        level = logging.ERROR if concern.is_error else logging.WARNING
        log.log(level, "%s [%s]", concern.text, concern.rule)
    return made


def print_summary(made: Plan, summary: PlanSummary, folder: Path) -> None:
    """The summary that a planner reads, on stdout."""
    console = Console()
    table = Table(
        title=escape(f"Plan for {made.site.name}"), show_header=False, title_justify="left"
    )
    table.add_column(style="bold")
    table.add_column()
    drones = "1 drone" if summary.num_drones == 1 else f"{summary.num_drones} drones"
    rows = (
        (
            "blind spots",
            f"{summary.num_spots}: {summary.num_treated} by drone, {summary.num_partly} partly, "
            f"{summary.num_ground} by ground crew",
        ),
        (
            "area",
            f"{summary.treated_m2:,.0f} m2 by drone, {summary.ground_m2:,.0f} m2 by ground crew",
        ),
        ("liquid", f"{summary.litres_l:,.1f} L"),
        (
            "time",
            f"{summary.makespan_min:.0f} min with {drones} "
            f"({summary.drone_min:.0f} drone-minutes in the air)",
        ),
        *([("clock", f"{summary.starts} to {summary.ends}")] if summary.starts else []),
        (
            "lower bound",
            f"{summary.lowest_min:.0f} min: the plan is at most {summary.gap_frac:.0%} longer "
            "than the shortest",
        ),
        (
            "sorties",
            f"{summary.num_sorties}; refills {summary.num_refills}, "
            f"battery swaps {summary.num_swaps}",
        ),
    )
    for name, text in rows:
        table.add_row(name, text)
    console.print(table)
    if made.ground:
        print_ground(made, console)
    console.print(f"files: {folder}", soft_wrap=True, highlight=False, markup=False)


def print_ground(made: Plan, console: Console) -> None:
    """What is left to the ground crew, by reason, with an example of each."""
    table = Table(title="For the ground crew", title_justify="left")
    table.add_column("reason")
    table.add_column("tasks", justify="right")
    table.add_column("m2", justify="right")
    table.add_column("for example")
    reasons = dict.fromkeys(task.reason for task in made.ground)
    for reason in reasons:
        tasks = [task for task in made.ground if task.reason is reason]
        area = sum(task.area_m2 for task in tasks)
        example = escape(f"{tasks[0].spot_id}: {tasks[0].text}")
        table.add_row(reason.value.replace("_", " "), str(len(tasks)), f"{area:,.0f}", example)
    console.print(table)
