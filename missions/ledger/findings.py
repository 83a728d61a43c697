"""What people found at spots and in zones: cases, complaints, counts, with the day; kept as rows.

A finding counts from the day on which it was entered: levels of days gone by never change. What it
does to a level is `missions.ledger.levels`'.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from skymist.coverage.site import Measure
from skymist.missions.errors import Fault, FormatError, SiteFileError
from skymist.missions.ledger.chain import Body, canonical
from skymist.missions.ledger.levels import level_changes
from skymist.missions.ledger.store import Ledger, open_ledger, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from skymist.coverage.site import Site
    from skymist.missions.ledger.chain import Row

COLUMNS = ("on", "measure", "value", "spot", "zone", "by", "note")
NEEDED = COLUMNS[:3]
TEXT_MOST = 500
CSV_MOST_BYTES = 20_000_000
"""A spreadsheet of findings is far smaller. [P]"""

Trouble = tuple[str, str, str]
"""Field, what was wanted, what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A finding as people report it: of one spot, or of a zone (the other is empty)."""

    on: date
    measure: Measure
    value: float
    spot_id: str = ""
    zone_id: str = ""
    by: str = ""
    note: str = ""

    def body(self) -> Body:
        """The row of the ledger."""
        where = f"zone {self.zone_id}" if self.zone_id else ""
        said = f"{self.measure} {self.value:g} {where}".strip()
        return {
            **{"kind": "finding", "on": str(self.on), "measure": str(self.measure)},
            **{"value": self.value, "spot": self.spot_id or None, "zone": self.zone_id or None},
            **{"by": self.by, "note": self.note, "text": f"{said}: {self.note}".rstrip(": ")},
        }


def reported(
    cells: Mapping[str, str], site: Site, today: date
) -> tuple[Reported | None, list[Trouble]]:
    """A finding from words, or everything that is wrong with them."""
    said = {key: (cells.get(key) or "").strip() for key in COLUMNS}
    troubles: list[Trouble] = []
    on, value, measure = today, 0.0, Measure.CASES
    try:
        on = date.fromisoformat(said["on"])
        if on > today:
            troubles.append(("on", f"a day up to today, {today}", said["on"]))
    except ValueError:
        troubles.append(("on", "a day as 2026-07-01", repr(said["on"])))
    try:
        measure = Measure(said["measure"].lower().replace(" ", "_"))
    except ValueError:
        troubles.append(("measure", f"one of {', '.join(Measure)}", repr(said["measure"])))
    try:
        value = float(said["value"])
        if not 0 <= value < math.inf:
            raise ValueError
    except ValueError:
        troubles.append(("value", "a number of 0 or more", repr(said["value"])))
    if bool(said["spot"]) == bool(said["zone"]):
        found = "both" if said["spot"] else "neither"
        troubles.append(("spot", "a spot or a zone", found))
    elif said["spot"] and said["spot"] not in {spot.id for spot in site.spots}:
        troubles.append(("spot", f"a spot of {site.name}", repr(said["spot"])))
    elif said["zone"] and said["zone"] not in {zone.id for zone in site.zones}:
        troubles.append(("zone", f"a zone of {site.name}", repr(said["zone"])))
    troubles += [
        (key, f"at most {TEXT_MOST} characters", str(len(said[key])))
        for key in ("by", "note")
        if len(said[key]) > TEXT_MOST
    ]
    if troubles:
        return None, troubles
    made = Reported(
        on=on,
        measure=measure,
        value=value,
        spot_id=said["spot"],
        zone_id=said["zone"],
        by=said["by"],
        note=said["note"],
    )
    return made, []


def read_findings(path: Path, site: Site, today: date) -> tuple[Reported, ...]:
    """The findings of a CSV file with a line of headings: on, measure, value, spot or zone.

    Raises
    ------
    FormatError
        Where the file is no such CSV.
    SiteFileError
        With every line that is wrong; none is taken then.
    """
    if path.stat().st_size > CSV_MOST_BYTES:
        raise FormatError(f"{path}: wanted at most {CSV_MOST_BYTES} bytes of CSV")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FormatError(f"{path}: wanted CSV in UTF-8, found other bytes: {exc}") from exc
    lines = csv.DictReader(io.StringIO(text, newline=""))
    names = lines.fieldnames or []
    if missing := [key for key in NEEDED if key not in names]:
        raise FormatError(f"{path}:1: wanted headings {', '.join(COLUMNS)}; no {missing[0]}")
    made, faults = [], []
    try:
        for cells in lines:
            one, troubles = reported(cells, site, today)
            made += [one] if one else []
            faults += [
                Fault(file=str(path), line=lines.line_num, field=f, wanted=wanted, found=found)
                for f, wanted, found in troubles
            ]
    except csv.Error as exc:
        raise FormatError(f"{path}:{lines.line_num}: wanted CSV, found {exc}") from exc
    if faults:
        raise SiteFileError(tuple(faults))
    return tuple(made)


def add_findings(
    path: Path,
    site: Site,
    found: Sequence[Reported],
    *,
    skips_known: bool = False,
    now: datetime | None = None,
    tz: tzinfo | None = None,
) -> tuple[Row, ...]:
    """Add findings and the changes of levels that come of them, as one transaction.

    With `skips_known`, a finding that is in the ledger as often as it is here is not added again: a
    table to which people add may be read each day.
    """
    moment = now or datetime.now(UTC)
    today = moment.astimezone(tz).date()

    def bodies(held: Ledger) -> list[Body]:
        new = [one.body() for one in found]
        if skips_known:
            known = Counter(_same(row.body) for row in held.rows("WHERE kind = 'finding'"))
            new = [body for body in new if not _taken(known, _same(body))]
        stamped = [{**body, "added_utc": utc_text(moment)} for body in new]
        return [*new, *level_changes(site, held, today, extra=stamped, tz=tz)]

    with open_ledger(path, community=site.name, now=moment) as ledger:
        return ledger.append(bodies, moment)


def settle_levels(
    path: Path, site: Site, *, now: datetime | None = None, tz: tzinfo | None = None
) -> tuple[Row, ...]:
    """Keep the changes of levels that came with time, up to now."""
    moment = now or datetime.now(UTC)
    today = moment.astimezone(tz).date()
    with open_ledger(path, reads=site.name) as ledger:
        if not level_changes(site, ledger, today, tz=tz):
            return ()
        return ledger.append(lambda held: level_changes(site, held, today, tz=tz), moment)


def _same(body: Body) -> str:
    return canonical({key: value for key, value in body.items() if key != "added_utc"})


def _taken(known: Counter[str], same: str) -> bool:
    """Whether one of these is left; it is used up."""
    known[same] -= 1
    return known[same] >= 0
