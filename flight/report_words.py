"""The words of reports in English and Chinese, and their clock; English is the key.

A record holds English alone: what it says of reasons, notes and endings is recognised by its
wording and given in the report's language; what is not recognised stays as it was recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from skymist.coverage import words
from skymist.coverage.errors import PlanError
from skymist.coverage.words import Language
from skymist.flight.report_chinese import LABELS, TOLD

_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::([0-5]\d))?")
OFFSET_MOST_MIN = 14 * 60
"""No clock on Earth is further from UTC. Source: the time zone database (Line Islands, +14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a report speaks: its language, and how far its clock is ahead of UTC."""

    language: Language = Language.ENGLISH
    utc_offset_min: int = 0

    def say(self, text: str, **values: object) -> str:
        """One of the report's own texts, its `{names}` filled in."""
        if self.language is Language.CHINESE and text in LABELS:
            return LABELS[text].format(**values)
        return words.say(self.language, text, **values)

    def told(self, text: str) -> str:
        """A text of the record or the plan: as it stands where it is not recognised."""
        if self.language is not Language.CHINESE:
            return text
        for pattern, chinese in _patterns():
            if found := pattern.fullmatch(text):
                parts = {name: self.told(part) for name, part in found.groupdict().items()}
                return chinese.format(**parts)
        return self.say(text) if "{" not in text else text

    def clock(self, iso: str | None) -> str:
        """Hours, minutes and seconds of a moment, empty for none."""
        return "" if iso is None else f"{self._moment(iso):%H:%M:%S}"

    def day(self, iso: str) -> str:
        """The date of a moment."""
        return f"{self._moment(iso):%Y-%m-%d}"

    def minute(self, iso: str) -> str:
        """Hours and minutes of a moment."""
        return f"{self._moment(iso):%H:%M}"

    @property
    def zone(self) -> str:
        """What the clock is called: UTC, UTC+08:00."""
        if not self.utc_offset_min:
            return "UTC"
        hours, minutes = divmod(abs(self.utc_offset_min), 60)
        return f"UTC{'+' if self.utc_offset_min > 0 else '-'}{hours:02}:{minutes:02}"

    def _moment(self, iso: str) -> datetime:
        ahead = timezone(timedelta(minutes=self.utc_offset_min))
        return datetime.fromisoformat(iso).astimezone(ahead)


ENGLISH = Wording()


def offset_of(text: str) -> int:
    """Minutes ahead of UTC that a text names: `8`, `+08:00`, `-3:30`.

    Raises
    ------
    PlanError
        For anything else, and beyond 14 h.
    """
    found = _OFFSET.fullmatch(text.strip())
    minutes = int(found[2]) * 60 + int(found[3] or 0) if found else OFFSET_MOST_MIN + 1
    if found is None or minutes > OFFSET_MOST_MIN:
        raise PlanError(
            "--utc-offset: wanted hours ahead of UTC from -14 to 14, as 8 or +08:00, "
            f"found {text!r}"
        )
    return -minutes if found[1] == "-" else minutes


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What the record says, as patterns; each `{name}` stands for some text."""
    return tuple((_pattern(english), chinese) for english, chinese in TOLD.items())


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", english)
    made = [
        re.escape(part) if number % 2 == 0 else f"(?P<{part}>.+?)"
        for number, part in enumerate(parts)
    ]
    return re.compile("".join(made), re.DOTALL)
