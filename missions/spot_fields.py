"""What the inventory keeps of a spot beside what a plan needs: photos, days, as people write them.

Paths of photos are judged as texts here; whether a file is there is `missions.inventory`'s to say.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

DAY_FORM = "a day as 2026-07-01"
PHOTO_FORM = "paths within the site's folder, or http(s) addresses; several with ; between"
PHOTOS_MOST = 50
PHOTO_MOST = 500
"""Characters of a path or an address. [P]"""
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]00:00:00.*)?")
_ADDRESS = re.compile(r"https?://[^\s;]+")


def day_of_words(value: object) -> date:
    """The day of `2026-07-01`, or of a spreadsheet's `2026/7/1`.

    Raises
    ------
    ValueError
        For anything else: `1/7/2026` is another day in another country.
    """
    if isinstance(value, date):
        return value
    match = _DAY.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r}")
    return date(*(int(part) for part in match.groups()))


def photos_of_words(value: object) -> tuple[str, ...]:
    """The photos that a list, or a text with semicolons, names: each once, in its order.

    Raises
    ------
    ValueError
        For a path that is absolute or leaves its folder, and for other kinds of address.
    """
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) > PHOTOS_MOST:
        raise ValueError(f"{value!r}")
    made: dict[str, None] = {}
    for part in parts:
        if not isinstance(part, str):
            raise ValueError(f"{part!r}")
        if part.strip():
            made[_photo(part.strip())] = None
    return tuple(made)


def is_address(photo: str) -> bool:
    """Whether a photo is an address on the net, not a file."""
    return _ADDRESS.fullmatch(photo) is not None


def _photo(text: str) -> str:
    if len(text) > PHOTO_MOST or any(ord(char) < 32 for char in text):
        raise ValueError(f"{text[:80]!r}")
    if is_address(text):
        return text
    windows = PureWindowsPath(text)
    path = PurePosixPath(windows.as_posix())
    if windows.drive or windows.root or ".." in path.parts or ":" in text or not path.parts:
        raise ValueError(f"{text!r}")
    return str(path)


def _checked_day(value: object) -> str:
    try:
        return day_of_words(value).isoformat()
    except ValueError as exc:
        raise PydanticCustomError("day", DAY_FORM) from exc


def _checked_photos(value: object) -> tuple[str, ...]:
    try:
        return photos_of_words(value)
    except ValueError as exc:
        raise PydanticCustomError("photos", PHOTO_FORM) from exc


_TEXT = {"type": "string"}
DayGiven = Annotated[
    Any, BeforeValidator(_checked_day), WithJsonSchema({**_TEXT, "examples": ["2026-07-01"]})
]
PhotosGiven = Annotated[
    Any,
    BeforeValidator(_checked_photos),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
