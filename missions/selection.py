"""Some of a site's spots: those that a list names, such as a report's missed spots."""

from __future__ import annotations

import csv
import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from skymist.missions.errors import FormatError
from skymist.missions.tables import unguarded

if TYPE_CHECKING:
    from pathlib import Path

    from skymist.coverage.site import Site

COLUMN = "spot"


def spots_listed(path: Path) -> dict[str, int]:
    """Ids of spots, each with its line: a CSV's column `spot`, or one id a line.

    Raises
    ------
    FormatError
        Where it cannot be read, or names none.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise FormatError(f"{path}: wanted a list of spots as UTF-8 text: {exc}") from exc
    head = next(csv.reader(lines[:1]), [])
    column = head.index(COLUMN) if COLUMN in head and len(head) > 1 else None
    found: dict[str, int] = {}
    for number, row in enumerate(csv.reader(lines), 1):
        if column is None:
            name = ",".join(row).strip()
        else:
            name = row[column].strip() if number > 1 and len(row) > column else ""
        name = unguarded(name)
        if name and name != COLUMN:
            found.setdefault(name, number)
    if not found:
        raise FormatError(f"{path}: wanted ids of spots (a column `{COLUMN}`), found none")
    return found


def only_listed(site: Site, path: Path) -> Site:
    """The site with the listed spots alone, in the site's own order.

    Raises
    ------
    FormatError
        As `spots_listed`, and for an id that the site does not have.
    """
    wanted = spots_listed(path)
    known = [spot.id for spot in site.spots]
    for name, line in wanted.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise FormatError(
                f"{path}:{line}: {COLUMN}: wanted a spot of {site.name}, found {name!r}{hint}"
            )
    return replace(site, spots=tuple(spot for spot in site.spots if spot.id in wanted))
