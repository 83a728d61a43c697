"""`skymist policy`: the rules that a site may be held to, with their sources."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from skymist.missions.policies.packs import Pack
    from skymist.missions.policies.rules import Rule

app = typer.Typer(
    name="policy",
    help="Policy packs: the rules that sites, plans and flights are held to. No legal advice.\n\n"
    "Example: [bold]skymist policy show china-2024[/bold]",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


@app.command("list")
def listed(json: AsJson = False) -> None:
    """List the policy packs; `plain` holds on every site, the others where a site names them.

    Example: [bold]skymist policy list[/bold]
    """
    from skymist.missions.findings import NO_ADVICE
    from skymist.missions.policies.packs import pack_ids, pack_of

    packs = [pack_of(name) for name in pack_ids()]
    if json:
        print(jsonlib.dumps([_head(pack) for pack in packs], ensure_ascii=False))
        return
    for pack in packs:
        print(f"{pack.id}: {pack.title}; {len(pack.rules)} rules\n  {pack.source}, {pack.date}")
    print(NO_ADVICE)


@app.command()
def show(
    packs: Annotated[list[str], typer.Argument(help="One pack or several; a file of your own.")],
    json: AsJson = False,
) -> None:
    """Show the rules of packs: limit, severity, source, date, and the way to mend.

    Example: [bold]skymist policy show china-2024[/bold]

    Example: [bold]skymist policy show china-2024 china-cdc-2025 --json[/bold]

    Example: [bold]skymist policy show shenzhen.yaml[/bold]
    """
    from skymist.missions.findings import NO_ADVICE
    from skymist.missions.policies.rules import MARKS

    found = [_pack(name) for name in packs]
    if json:
        told = [{**_head(pack), "rules": [_told(rule) for rule in pack.rules]} for pack in found]
        print(jsonlib.dumps(told, ensure_ascii=False))
        return
    for pack in found:
        print(f"{pack.id}: {pack.title}\n  {pack.source}, {pack.date}\n")
        for rule in pack.rules:
            limit = f": {rule.limit}" if rule.limit else ""
            fixed = "" if rule.is_waivable else ", cannot be waived"
            print(f"{rule.id} ({rule.severity}{fixed})\n  {rule.what}{limit}")
            print(f"  source: {rule.source}, {rule.date} ({MARKS[rule.mark]})")
            print(f"  mend: {rule.mend}\n")
    print(NO_ADVICE)


def _pack(name: str) -> Pack:
    """A pack by its id, or of a file."""
    from skymist.missions.errors import SiteFileError
    from skymist.missions.policies.in_site import PACK_FILE, read_pack
    from skymist.missions.policies.packs import pack_of

    if not name.lower().endswith(PACK_FILE):
        return pack_of(name)
    made, faults = read_pack(Path(name))
    if made is None:
        raise SiteFileError(faults)
    return made


def _head(pack: Pack) -> dict[str, Any]:
    return {
        **{"id": pack.id, "title": pack.title, "source": pack.source, "date": str(pack.date)},
        "num_rules": len(pack.rules),
    }


def _told(rule: Rule) -> dict[str, Any]:
    """A rule as plain JSON values."""
    return {
        **{"id": rule.id, "what": rule.what, "measure": rule.measure, "bound": str(rule.bound)},
        **{"limit": rule.limit, "unit": rule.unit, "severity": str(rule.severity)},
        **{"source": rule.source, "date": str(rule.date), "mark": rule.mark, "mend": rule.mend},
        "is_waivable": rule.is_waivable,
    }
