"""Hours of the day by the local clock, and spans of a plan's time that are made of them.

A plan counts seconds from its start; hours come again every day. Whatever may be done only at
some times is a tuple of spans (from, to), in order and apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_S = 86400.0
Day = date
"""A calendar day, where a field of its name stands in the way."""
Spans = tuple[tuple[float, float], ...]
"""Seconds of a plan's time, each from and to, in order and apart."""
ALWAYS: Spans = ((0.0, math.inf),)


def clock_text(clock_s: float) -> str:
    """Seconds after midnight as 07:05, to the nearest minute; midnight as an end is 24:00."""
    minutes = round(clock_s / 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A stretch of every day by the local clock, in seconds after midnight.

    `start_s` is 0 or more and below 86400; `end_s` is later, by a day at most: what goes on after
    midnight ends above 86400.
    """

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (0 <= self.start_s < DAY_S and self.start_s < self.end_s <= self.start_s + DAY_S):
            raise PlanError(
                f"hours: wanted a start from 0 below {DAY_S:g} s and an end up to a day later, "
                f"found {self.start_s:g} to {self.end_s:g}"
            )

    @property
    def text(self) -> str:
        """As 07:00-09:00."""
        end_s = self.end_s if self.end_s <= DAY_S else self.end_s - DAY_S
        return f"{clock_text(self.start_s)}-{clock_text(end_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """When a plan's time is 0 by the local clock: seconds after midnight, and the date if known."""

    clock_s: float
    date: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.clock_s < DAY_S:
            raise PlanError(f"start: wanted 0 to {DAY_S:g} s after midnight, found {self.clock_s}")
        if self.date:
            _date(self.date)

    @property
    def day(self) -> Day | None:
        """The day that it names, if it does."""
        return _date(self.date) if self.date else None

    def at(self, plan_s: float) -> str:
        """A time of the plan by the clock: 07:05, with the date or the day where it is needed."""
        minutes = round((self.clock_s + plan_s) / 60)
        days, minute = divmod(minutes, 24 * 60)
        clock = clock_text(minute * 60.0)
        if self.date:
            return f"{_date(self.date) + timedelta(days=days)} {clock}"
        return f"day {days + 1} {clock}" if days else clock

    def later(self, passed_s: float) -> Start:
        """The start of a plan that begins so many seconds later."""
        days, clock_s = divmod(self.clock_s + passed_s, DAY_S)
        day = str(_date(self.date) + timedelta(days=int(days))) if self.date else ""
        return Start(clock_s=clock_s, date=day)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise PlanError(f"start: date: wanted YYYY-MM-DD, found {text!r}") from exc


def hours_text(some: Iterable[Hours]) -> str:
    """As 07:00-09:00, 17:00-19:00."""
    return ", ".join(hours.text for hours in some)


def daily(some: Iterable[Hours], start: Start, num_days: int) -> Spans:
    """The hours of so many days, each of 24 h from the start of a plan."""
    end_s = num_days * DAY_S
    found = [
        (max(0.0, k * DAY_S + h.start_s - start.clock_s), k * DAY_S + h.end_s - start.clock_s)
        for h in some
        for k in range(-1, num_days + 1)
    ]
    return merged((a, min(b, end_s)) for a, b in found)


def merged(spans: Iterable[tuple[float, float]]) -> Spans:
    """Spans in order, those that touch made one; empty ones left out."""
    made: list[tuple[float, float]] = []
    for a, b in sorted(span for span in spans if span[1] > span[0]):
        if made and a <= made[-1][1]:
            made[-1] = (made[-1][0], max(b, made[-1][1]))
        else:
            made.append((a, b))
    return tuple(made)


def both(some: Spans, others: Spans) -> Spans:
    """What lies in both."""
    if some is ALWAYS or others is ALWAYS:
        return others if some is ALWAYS else some
    shared = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple(sorted((low, high) for low, high in shared if high >= low))


def inside(spans: Spans, begin_s: float, end_s: float) -> Spans:
    """Take-offs from which the time from `begin_s` to `end_s` after them lies in one span."""
    found = ((max(0.0, a - begin_s), b - end_s) for a, b in spans)
    return tuple((a, b) for a, b in found if b >= a)


def outside(spans: Spans, begin_s: float, end_s: float) -> Spans:
    """Take-offs from which the time from `begin_s` to `end_s` after them touches no span."""
    made, free_s = [], 0.0
    for a, b in sorted((a - end_s, b - begin_s) for a, b in spans):
        if a >= free_s:
            made.append((free_s, a))
        free_s = max(free_s, b)
    return (*made, (free_s, math.inf))


def open_s(spans: Spans) -> float:
    """How long they are together."""
    return sum(end_s - begin_s for begin_s, end_s in spans)


def first_in(spans: Spans, from_s: float) -> float:
    """The first time in the spans from then on; infinite where there is none."""
    return next((max(a, from_s) for a, b in spans if b >= from_s), math.inf)


def end_of(spans: Spans, at_s: float) -> float:
    """The end of the span that a time lies in."""
    return next((b for _, b in spans if b >= at_s), math.inf)
