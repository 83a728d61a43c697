"""What `fly` and `rehearse` print when all have landed, and where a record goes."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skymist.flight.recording.record import RECORD_FILE
from skymist.flight.terminal.display import clock_text
from skymist.missions.errors import FormatError

if TYPE_CHECKING:
    from skymist.flight.conductor.conduct import Outcome

RECORDS = "records"
NAMED = 5
"""Spots named for each reason; the record names all."""


def record_folder(place: Path, output: Path | None, name: str, started_utc: datetime) -> Path:
    """A folder for this operation's record: as asked for, or a new one beside the plan.

    Raises
    ------
    FormatError
        It holds a record already; that is never written over.
    """
    beside = place if place.is_dir() else place.parent
    folder = output or beside / RECORDS / f"{name}-{started_utc:%Y%m%dT%H%M%SZ}"
    if (folder / RECORD_FILE).exists():
        raise FormatError(f"{folder}: wanted a new folder for the record, found one with a record")
    return folder


def utc_now() -> datetime:
    """The wall clock, for names and headers alone."""
    return datetime.now(UTC)


def local_now() -> datetime:
    """The local date and time, without a zone: what policy packs are held against."""
    return datetime.now().replace(microsecond=0)


def local_clock_s() -> float:
    """The local time of day, seconds after midnight: what hours in site files are read by."""
    now = datetime.now().astimezone()
    return now.hour * 3600.0 + now.minute * 60.0 + now.second + now.microsecond / 1e6


def print_outcome(outcome: Outcome, folder: Path, wall_s: float, *, as_json: bool) -> None:
    """The summary on stdout: a table for people, one JSON object for machines."""
    if as_json:
        print(json.dumps(summary(outcome, folder, wall_s), ensure_ascii=False))
        return
    console = Console()
    table = Table(title=f"{outcome.result}: {outcome.text}", title_justify="left")
    for title in ("drone", "sorties", "passes", "litres", "in the air", "what went wrong"):
        table.add_column(title, justify="left" if title in ("drone",) else "right")
    for report in outcome.drones:
        table.add_row(
            report.drone_id,
            f"{report.num_flown}/{report.num_sorties}",
            str(report.num_passes),
            f"{report.litres_l:.1f}",
            clock_text(report.flight_s),
            escape(report.error or "-"),
        )
    console.print(table)
    for reason, spot_ids in by_reason(outcome).items():
        named = ", ".join(spot_ids[:NAMED]) + (" ..." if len(spot_ids) > NAMED else "")
        spots = "1 spot" if len(spot_ids) == 1 else f"{len(spot_ids)} spots"
        text = f"  {spots} left: {reason}: {named}"
        console.print(text, highlight=False, markup=False)
    took = clock_text(outcome.duration_s)
    print(f"{outcome.litres_l:.1f} L in {took} of the drones' time; {wall_s:.1f} s on this clock")
    print(f"litres: by the pumps' output, not measured; {looks_text(outcome)}")
    print(f"record: {folder}")
    print(f"next:   skymist report {shlex.quote(str(folder))}")


def looks_text(outcome: Outcome) -> str:
    """How often the crew has looked into a tank after a landing."""
    landed, looked = outcome.num_landed, outcome.num_looked
    return f"the crew looked into the tank after {looked} of {landed} landings"


def left_over(outcome: Outcome) -> dict[str, str]:
    """Spots that were planned and not flown to their end, each with its first reason."""
    reasons: dict[str, str] = {}
    for one in outcome.skipped:
        reasons.setdefault(one.spot_id, one.reason)
    return reasons


def by_reason(outcome: Outcome) -> dict[str, list[str]]:
    """The same spots by reason, in the order that the reasons came up."""
    found: dict[str, list[str]] = {}
    for spot_id, reason in left_over(outcome).items():
        found.setdefault(reason, []).append(spot_id)
    return found


def summary(outcome: Outcome, folder: Path, wall_s: float) -> dict[str, object]:
    """The outcome as plain JSON values."""
    return {
        "outcome": str(outcome.result),
        "text": outcome.text,
        "sorties": outcome.num_sorties,
        "sorties_flown": outcome.num_flown,
        "litres_l": round(outcome.litres_l, 3),
        "landings": outcome.num_landed,
        "tank_looks": outcome.num_looked,
        "duration_s": round(outcome.duration_s, 1),
        "wall_s": round(wall_s, 2),
        "skipped": left_over(outcome),
        "record": str(folder),
    }
