"""`skymist ledger`: what was treated when; nothing in it is changed or back-filled unseen."""

from __future__ import annotations

import json as jsonlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from skymist.flight.commands.tables import filled, table_of

if TYPE_CHECKING:
    from skymist.missions.ledger.chain import Row

app = typer.Typer(
    name="ledger",
    help="What was treated when: add, list, verify.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
HeldLedger = Annotated[Path | None, typer.Option("--ledger", help="The community's ledger.")]
BareLedger = Annotated[Path | None, typer.Argument(hidden=True, help="The same without --ledger.")]
IntoLedger = Annotated[
    Path, typer.Option("--ledger", help="The community's ledger; begun where there is none.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


@app.command()
def add(
    record: Annotated[Path, typer.Argument(help="A record's folder, or its record.jsonl.")],
    ledger: IntoLedger,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Take a rehearsal too, marked as one.")
    ] = False,
    operator: Annotated[str, typer.Option(help="Who flew.")] = "",
    supervisor: Annotated[str, typer.Option(help="Who oversaw it.")] = "",
    json: AsJson = False,
) -> None:
    """Add what a record applied: one row for the operation, one for each spot of its plan.

    Prints the head: note it elsewhere (a message, a notice board); it stands for all rows up to it.

    Example: [bold]skymist ledger add records/monday --ledger langkou.ledger[/bold]
    """
    from skymist.flight.recording.record import read_record
    from skymist.flight.reporting.applied import applied_from
    from skymist.flight.reporting.report import report_dict
    from skymist.missions.ledger.treatments import Flown, add_record, require_taken

    read = read_record(record)
    data = read.path.read_bytes()
    require_taken(read.path, bool(read.header.get("is_rehearsal", True)), rehearsal)
    figures = report_dict(applied_from(read), record_name=read.path.name, sha256="")
    flown = Flown(data=data, figures=figures, operator=operator, supervisor=supervisor)
    rows = add_record(ledger, flown, takes_rehearsals=rehearsal)
    for note in figures["notes"]:
        typer.echo(f"note: {note}", err=True)
    _print_added(rows, json)


@app.command()
def hand(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    spots: Annotated[list[str], typer.Argument(help="The spots that were treated whole.")],
    ledger: IntoLedger,
    by: Annotated[str, typer.Option(help="Who treated them.")],
    at: Annotated[
        str | None, typer.Option(help="When they were done, as 2026-07-01T09:30; by default now.")
    ] = None,
    note: Annotated[str, typer.Option(help="Anything to keep with it.")] = "",
    json: AsJson = False,
) -> None:
    """Add what people treated on foot, by their own word and under their name.

    Example: [bold]skymist ledger hand site.yaml alley-3 --ledger langkou.ledger --by Lin[/bold]
    """
    from skymist.missions.ledger.treatments import add_by_hand
    from skymist.missions.site import read_site

    rows = add_by_hand(ledger, read_site(site), spots, ended=moment_of(at), by=by, note=note)
    _print_added(rows, json)


@app.command()
def verify(
    file: BareLedger = None,
    ledger: HeldLedger = None,
    head: Annotated[
        str, typer.Option(help="A head that was noted elsewhere: must still be in the chain.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Name the first broken link; exit 1 where there is one.

    Without [bold]--head[/bold] a wholly rewritten chain, or one whose last rows were written anew,
    looks whole: the chain shows changes only against a head that was noted elsewhere.

    Example: [bold]skymist ledger verify --ledger langkou.ledger --head 3f2a...[/bold]
    """
    from skymist.missions.ledger.verify import verify as judged

    path = one_ledger(file, ledger)
    found = judged(path, head)
    if json:
        broken = found.broken and {"row": found.broken.seq, "text": found.broken.text}
        shown = {"rows": found.num_rows, "head": found.head, "broken": broken}
        print(jsonlib.dumps({**shown, "notes": found.notes}))
    elif found.broken:
        place = f"row {found.broken.seq}" if found.broken.seq else "the file"
        print(f"{path}: broken at {place}: {found.broken.text}")
    else:
        against = "; the noted head is in it" if head else "; no noted head was given"
        print(f"{path}: {found.num_rows} rows hold{against}\nhead {found.head}")
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    if found.broken:
        raise typer.Exit(1)


@app.command("list")
def listed(
    file: BareLedger = None,
    ledger: HeldLedger = None,
    spot: Annotated[str, typer.Option(help="This spot alone.")] = "",
    last: Annotated[int, typer.Option(min=1, help="So many rows, the latest.")] = 50,
    json: AsJson = False,
) -> None:
    """List rows, the latest last. Rehearsals are marked; so is what was entered a day late or more.

    Example: [bold]skymist ledger list --ledger langkou.ledger --spot alley-3[/bold]
    """
    from skymist.missions.ledger.store import open_ledger

    where, values = ("WHERE spot = ? ", [spot]) if spot else ("", [])
    with open_ledger(one_ledger(file, ledger)) as held:
        rows = list(held.rows(f"{where}ORDER BY seq DESC LIMIT ?", *values, last))[::-1]
    if json:
        for row in rows:
            print(jsonlib.dumps({"seq": row.seq, "hash": row.hash, **row.body}, ensure_ascii=False))
        return
    heads = ("row", "kind", "spot", "what", "when (UTC)", "entered")
    shown, lines = filled(heads, [(str(row.seq), *_cells(row.body)) for row in rows])
    table = table_of(*shown, whole=["kind", "spot", "when (UTC)", "entered"], right=["row"])
    for line in lines:
        table.add_row(*map(escape, line))
    Console().print(table)


def one_ledger(bare: Path | None, named: Path | None) -> Path:
    """The ledger's file, said by --ledger or without it.

    Raises
    ------
    FormatError
        Where it is not said, or two are.
    """
    from skymist.missions.errors import FormatError

    said = {path for path in (bare, named) if path is not None}
    if len(said) != 1:
        shown = " and ".join(sorted(map(str, said))) or "none"
        raise FormatError(f"--ledger: wanted one ledger's file, found {shown}")
    return said.pop()


def moment_of(text: str | None) -> datetime:
    """A time by the local clock, or with its own offset; none: now.

    Raises
    ------
    FormatError
        For words that are no time.
    """
    from skymist.missions.errors import FormatError

    if text is None:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        wanted = "wanted a time as 2026-07-01T09:30"
        raise FormatError(f"--at: {wanted}, found {text!r}") from exc


def _cells(body: dict[str, Any]) -> tuple[str, ...]:
    """A row as a person reads it."""
    kind, when = body["kind"], body.get("ended_utc") or body.get("started_utc") or ""
    day = body.get("on") or when[:16]
    what = {
        "ledger": lambda: f"ledger of {body['community']}",
        "record": lambda: f"{body['file']}: {body['num_treatments']} spots, {body['ending']}",
        "treatment": lambda: f"{body['outcome']}, {body.get('litres', 0)} L of {body['agent']}",
    }.get(kind, lambda: str(body.get("text", "")))()
    marks = []
    if body.get("is_rehearsal"):
        marks.append("REHEARSAL")
    if body.get("by_hand"):
        marks.append(f"by hand: {body['operator']}")
    if when:
        late = datetime.fromisoformat(body["added_utc"]) - datetime.fromisoformat(when)
        marks += [f"{late.days} days late"] if late.days >= 1 else []
    what = ": ".join(filter(None, (", ".join(marks), what)))
    return kind, body.get("spot") or "", what, day, body["added_utc"][:10]


def _print_added(rows: tuple[Row, ...], json: bool) -> None:
    if json:
        print(jsonlib.dumps({"rows": len(rows), "seq": rows[-1].seq, "head": rows[-1].hash}))
    else:
        print(f"{len(rows)} rows added; note this head elsewhere\nhead {rows[-1].hash}")
