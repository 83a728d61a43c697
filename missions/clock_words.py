"""Times as people write them: hours of the day in site files, the start of a plan.

Local clock time throughout: the program knows no time zones.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import DAY_S, Hours, Start

HOURS_FORM = "hours as 07:00-09:00, or a list of these"
MOMENT_FORM = "a local date and time as 2026-06-30T10:00"
START_FORM = "a time as 07:00, or a date and time as 2026-07-01T07:00"
_CLOCK = r"(\d{1,2})(?::(\d{2}))?"
_STRETCH = re.compile(rf"\s*{_CLOCK}\s*(?:-|–|to)\s*{_CLOCK}\s*(?:h|Uhr)?\s*")


def hours_of_words(value: object) -> tuple[Hours, ...]:
    """The hours that a text (`07:00-09:00, 17-19`) or a list of such texts names.

    An end at or before its start is on the next day: 22:00-02:00.

    Raises
    ------
    ValueError
        For anything else, with the part that cannot be read.
    """
    parts = value if isinstance(value, list | tuple) else [value]
    made: list[Hours] = []
    for part in parts:
        if isinstance(part, Hours):
            made.append(part)
            continue
        if not isinstance(part, str):
            raise ValueError(f"{part!r}")
        made += [_stretch(text) for text in re.split(r"[,;]", part)]
    if not made:
        raise ValueError("an empty list")
    return tuple(sorted(made, key=lambda hours: (hours.start_s, hours.end_s)))


def _stretch(text: str) -> Hours:
    match = _STRETCH.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text.strip()}'")
    start_s, end_s = _seconds(match[1], match[2]), _seconds(match[3], match[4])
    if end_s <= start_s:
        end_s += DAY_S
    try:
        return Hours(start_s=start_s, end_s=end_s)
    except PlanError as exc:
        raise ValueError(f"'{text.strip()}'") from exc


def _seconds(hour: str, minute: str | None) -> float:
    clock_s = int(hour) * 3600.0 + int(minute or 0) * 60.0
    if int(minute or 0) > 59 or clock_s > DAY_S:
        raise ValueError(f"'{hour}:{minute}'")
    return clock_s


def _checked_hours(value: object) -> tuple[Hours, ...]:
    try:
        return hours_of_words(value)
    except ValueError as exc:
        raise PydanticCustomError("hours", HOURS_FORM) from exc


_TEXT = {"type": "string", "examples": ["07:00-09:00"]}
HoursGiven = Annotated[
    Any,
    BeforeValidator(_checked_hours),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
]


def _checked_day(value: object) -> str:
    try:
        return str(date.fromisoformat(str(value).strip()))
    except ValueError as exc:
        raise PydanticCustomError("day", "a day as 2026-12-31") from exc


def _checked_moment(value: object) -> str:
    try:
        return moment_of_words(str(value)).isoformat()
    except ValueError as exc:
        raise PydanticCustomError("moment", MOMENT_FORM) from exc


DayGiven = Annotated[
    str, BeforeValidator(_checked_day), WithJsonSchema({"type": "string", "format": "date"})
]
MomentGiven = Annotated[
    str | None, BeforeValidator(_checked_moment), WithJsonSchema({"type": "string"})
]


def moment_of_words(text: str, today: date | None = None) -> datetime:
    """The local moment that `2026-06-30T10:00`, or with a day given `10:00` too, names.

    Raises
    ------
    ValueError
        For anything else.
    """
    clock = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*", text)
    if clock is not None and today is not None:
        return datetime.combine(today, time(int(clock[1]), int(clock[2])))
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is not None or len(text.strip()) <= 10:
        raise ValueError(text)
    return moment


def start_of_words(text: str) -> Start:
    """The start that `07:00`, `2026-07-01T07:00` or `2026-07-01 07:00` names.

    Raises
    ------
    PlanError
        For anything else.
    """
    clock = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*", text)
    if clock is not None and int(clock[1]) < 24 and int(clock[2]) < 60:
        return Start(clock_s=_seconds(clock[1], clock[2]))
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        when = None
    if when is None or len(text.strip()) <= 10 or when.tzinfo is not None:
        hint = ": local time, without a zone" if when is not None and when.tzinfo else ""
        raise PlanError(f"--start: wanted {START_FORM}{hint}, found {text!r}")
    clock_s = when.hour * 3600.0 + when.minute * 60.0 + when.second
    return Start(clock_s=clock_s, date=str(when.date()))
