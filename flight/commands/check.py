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
from shapely.geometry import GeometryCollection

from skymist.missions.findings import Finding, Severity, is_unsafe

if TYPE_CHECKING:
    from skymist.coverage.site import Site

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def check(
    site: Annotated[Path, typer.Argument(help="Site file (YAML).")],
    json: Annotated[bool, typer.Option("--json", help="Findings as JSON on stdout.")] = False,
) -> None:
    """Print every finding about a site, with the way to mend it; exit 1 where one is an error.

    Example: [bold]skymist check site.yaml[/bold]
    """
    from skymist.missions.checks import check_site
    from skymist.missions.site import read_site

    read = read_site(site)
    findings = check_site(read)
    if json:
        print(as_json(site, findings))
    else:
        _print(site, findings)
        print(facts_of(read))
    if is_unsafe(findings):
        raise typer.Exit(1)


def facts_of(site: Site) -> str:
    """One line of what was read, for eyes that know the place."""
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
        "findings": [asdict(finding) for finding in findings],
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
        if finding.mend:
            text.append(f"\n  {finding.mend}", style="italic")
        table.add_row(Text(finding.severity.value, style=_STYLES[finding.severity]), text)
    console.print(table)
    counts = ", ".join(f"{num} {name}" for name, num in _counts(findings).items())
    console.print(Text(f"{site}: {counts}"))
