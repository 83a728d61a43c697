"""Words of people as changes of single spots: added, changed, given a level with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import Point

from skymist.missions.errors import Fault, FormatError, SiteFileError
from skymist.missions.inventory.book import Book, checked_state, rewritten
from skymist.missions.inventory.changes import Change
from skymist.missions.inventory.duplicates import duplicates
from skymist.missions.inventory.listing import free_id
from skymist.missions.inventory.states import GEOMETRY, KEYS, shape_of, value_text
from skymist.missions.shapes import BadShape, require_usable, shape_of_wkt
from skymist.missions.site import read_site
from skymist.missions.validation import found_text, near_miss

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

ALIKE_MOST = 5


def values_of_words(words: Sequence[str]) -> dict[str, str | None]:
    """Fields and values of `FIELD=VALUE`; an empty value is None.

    Raises
    ------
    FormatError
        For another form, or a field that spots do not have.
    """
    made: dict[str, str | None] = {}
    for word in words:
        key, sign, value = word.partition("=")
        key = key.strip()
        if not sign:
            raise FormatError(f"--set: wanted FIELD=VALUE, found {word!r}")
        if key not in KEYS:
            hint = near_miss(key, KEYS)
            raise FormatError(f"--set: wanted a field of spots, found {key!r} ({hint})")
        made[key] = value.strip() or None
    return made


def shape_of_words(at: str, wkt: str) -> BaseGeometry | None:
    """The shape that `LON,LAT` or well-known text says; None where both are empty.

    Raises
    ------
    FormatError
        For both, or neither of the forms.
    """
    if at and wkt:
        raise FormatError("--at: wanted it or --wkt, found both")
    try:
        if wkt:
            shape = shape_of_wkt(wkt)
            require_usable(shape, "spots")
            return shape
        if not at:
            return None
        lon_deg, lat_deg = (float(part) for part in at.split(","))
        if not (-180 <= lon_deg <= 180 and -90 <= lat_deg <= 90):
            raise ValueError
    except BadShape as exc:
        raise FormatError(f"--wkt: wanted {exc.wanted}, found {exc.found}") from exc
    except ValueError:
        wanted = "wanted LONGITUDE,LATITUDE in degrees"
        raise FormatError(f"--at: {wanted}, found {at!r}") from None
    return Point(lon_deg, lat_deg)


def addition(
    book: Book, spot_id: str, values: Mapping[str, Any], *, at: str = "", wkt: str = ""
) -> Change:
    """The change that adds a spot; without an id it gets the next number of its kind.

    Raises
    ------
    FormatError, SiteFileError
        For an id that is taken, no shape, or values that no spot can have.
    """
    shape = shape_of_words(at, wkt)
    if shape is None:
        raise FormatError("--at: wanted LONGITUDE,LATITUDE, or a shape as --wkt, found neither")
    if spot_id in book.items:
        raise FormatError(f"--id: wanted one that no spot has, found {spot_id!r}")
    told = {**book.defaults, **({"id": spot_id} if spot_id else {}), **values}
    state = checked_state(spot_id or "spot", told, shape, str(book.path))
    return Change(
        spot_id=spot_id.strip() or free_id(state["kind"], book.items),
        what="add",
        before=None,
        after=state,
    )


def edition(
    book: Book,
    spot_id: str,
    values: Mapping[str, Any],
    *,
    photos: Sequence[str] = (),
    at: str = "",
    wkt: str = "",
) -> Change:
    """The change that gives a spot these values (None takes one away); photos are added.

    Raises
    ------
    FormatError, SiteFileError
        For a spot that is not there, values that none can have, or a level without a reason.
    """
    before = book.state(spot_id)
    told = {key: value for key, value in before.items() if key != GEOMETRY} | dict(values)
    if photos:
        told["photos"] = f"{value_text('photos', told.get('photos') or [])};{';'.join(photos)}"
    shape = shape_of_words(at, wkt) or shape_of(before)
    after = checked_state(spot_id, told, shape, str(book.path))
    if at == wkt == "":
        after[GEOMETRY] = before[GEOMETRY]
    change = Change(spot_id=spot_id, what="edit", before=before, after=after)
    if troubles := level_faults(change, str(book.path)):
        raise SiteFileError(tuple(troubles))
    return change


def level_faults(change: Change, file: str, line: int | None = None) -> list[Fault]:
    """A level that changed needs a reason of its own."""
    before, after = change.before, change.after
    if before is None or after is None or before["level"] == after["level"]:
        return []
    reason = after.get("level_reason", "")
    if reason and reason != before.get("level_reason", ""):
        return []
    wanted = f"why it goes from {before['level']} to {after['level']}"
    field = f"{change.spot_id}.level_reason"
    found = found_text(reason or None)
    return [Fault(file=file, line=line, field=field, wanted=wanted, found=found)]


def require_apart(book: Book, change: Change) -> None:
    """Refuse a new spot that may be one that is there already.

    Raises
    ------
    FormatError
        With the nearest ones.
    """
    data = rewritten(book, {change.spot_id: change.after})
    alike = duplicates(read_site(book.site_file, {book.path: data}), spot_ids=[change.spot_id])
    if alike:
        others = (a.second if a.first.id == change.spot_id else a.first for a in alike[:ALIKE_MOST])
        near = ", ".join(
            f"{other.id} ({pair.distance_m:.1f} m)"
            for other, pair in zip(others, alike, strict=False)
        )
        hint = "edit that one, or say --anyway"
        raise FormatError(f"{book.path}: wanted a new place, found {near}: {hint}")


def middle_of(state: Mapping[str, Any]) -> tuple[float, float]:
    """A place within a spot: longitude and latitude in degrees."""
    point = shapely.point_on_surface(shape_of(state))
    return float(point.x), float(point.y)
