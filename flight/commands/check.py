"""`skymist check`: every finding about a site, with severity and the way to mend it."""

from __future__ import annotations

import json as json_text
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from skymist.missions.findings import NO_ADVICE, Finding, Severity, is_unsafe

if TYPE_CHECKING:
    from skymist.coverage.site import Site

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def check(
    site: Annotated[
        Path, typer.Argument(metavar="SITE-or-DIR", help="A site file (YAML), or a plan's folder.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Findings as JSON on stdout.")] = False,
) -> None:
    """Print every finding about a site, with the way to mend it; exit 1 where one is an error.

    Of a plan's folder also what its policy packs say of the plan: heights, hours, drift.

    Example: [bold]skymist check site.yaml[/bold]

    Example: [bold]skymist check plans/monday --json[/bold]
    """
    read, findings = _checked(site)
    if json:
        print(as_json(site, findings))
    else:
        _print(site, findings)
        print(facts_of(read))
    if is_unsafe(findings):
        raise typer.Exit(1)


def _checked(place: Path) -> tuple[Site, tuple[Finding, ...]]:
    """The site that is named, or that of the plan, and all findings, errors first."""
    from skymist.missions.checks import check_site
    from skymist.missions.site import read_site

    if not (place.is_dir() or place.suffix == ".json"):
        site = read_site(place)
        return site, check_site(site)
    from skymist.missions.checks import check_plan
    from skymist.missions.plans import read_flyable_plan

    plan = read_flyable_plan(place)
    return plan.site, check_plan(plan)


def facts_of(site: Site) -> str:
    """One line of what was read, for eyes that know the place."""
    from shapely.geometry import GeometryCollection

    shapes = [*(s.shape for s in site.spots), *(b.footprint for b in site.buildings)]
    west, south, east, north = GeometryCollection(shapes).bounds
    place = site.origin
    tallest = max((b.height_m for b in site.buildings), default=0.0)
    return (
        f"{site.name}: latitude {place.lat_deg:.4f}, longitude {place.lon_deg:.4f}, "
        f"{east - west:.0f} x {north - south:.0f} m; {len(site.spots)} spots, "
        f"{len(site.buildings)} buildings up to {tallest:.0f} m, {len(site.zones)} zones, "
        f"{len(site.no_spray)} no-spray areas, {len(site.pads)} pads, {len(site.fleet)} drones"
    )


def as_json(site: Path, findings: tuple[Finding, ...]) -> str:
    """The findings for machines."""
    body = {
        "site": str(site),
        "is_unsafe": is_unsafe(findings),
        "counts": _counts(findings),
        "num_reminders": sum(finding.is_reminder for finding in findings),
        "findings": [asdict(finding) for finding in findings],
        "note": NO_ADVICE,
    }
    return json_text.dumps(body, ensure_ascii=False, indent=2)


def _counts(findings: tuple[Finding, ...]) -> dict[str, int]:
    counted = Counter(finding.severity for finding in findings)
    return {severity.value: counted[severity] for severity in Severity}


def _print(site: Path, findings: tuple[Finding, ...]) -> None:
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for finding in findings:
        text = Text(finding.text)
        text.append(f" [{finding.rule}]", style="dim")
        if finding.source:
            text.append(f"\n  source: {finding.source}", style="dim")
        if finding.mend:
            text.append(f"\n  {finding.mend}", style="italic")
        table.add_row(Text(finding.severity.value, style=_STYLES[finding.severity]), text)
    console.print(table)
    counts = ", ".join(f"{num} {name}" for name, num in _counts(findings).items())
    num_reminders = sum(finding.is_reminder for finding in findings)
    told = f"; {num_reminders} of these are reminders, not checked" if num_reminders else ""
    console.print(Text(f"{site}: {counts}{told}"))
    console.print(Text(NO_ADVICE, style="dim"))
