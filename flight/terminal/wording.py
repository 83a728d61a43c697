"""How reports, the dashboard and terminals speak: English or Chinese, and by which clock.

English is the key. A record holds English alone: what it says of alerts, reasons, notes and endings
is recognised by its phrases (`missions.phrasebook`); what is not known stays as it was recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from skymist.coverage import words
from skymist.coverage.errors import PlanError
from skymist.coverage.words import Language
from skymist.flight.chinese.events import EVENT_LABELS
from skymist.flight.chinese.flights import FLIGHT_PHRASES
from skymist.flight.chinese.labels import LABELS
from skymist.flight.chinese.terminal import TERMINAL_LABELS
from skymist.flight.chinese.vehicles import VEHICLE_PHRASES
from skymist.missions.phrasebook import Phrasebook
from skymist.missions.plan_phrases import PLAN_PHRASES

_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::([0-5]\d))?")
BOOK = Phrasebook(PLAN_PHRASES, FLIGHT_PHRASES, VEHICLE_PHRASES)
"""What records and plans say."""
OWN = {**EVENT_LABELS, **TERMINAL_LABELS, **LABELS}
"""What reports, the log and terminals say themselves."""
OFFSET_MOST_MIN = 14 * 60
"""No clock on Earth is further from UTC. Source: the time zone database (Line Islands, +14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a report speaks: its language, and how far its clock is ahead of UTC."""

    language: Language = Language.ENGLISH
    utc_offset_min: int = 0

    def say(self, text: str, **values: object) -> str:
        """One of the report's own texts, its `{names}` filled in."""
        if self.language is Language.CHINESE and text in OWN:
            return OWN[text].format(**values)
        return words.say(self.language, text, **values)

    def told(self, text: str) -> str:
        """A text of the record or the plan: as it stands where it is not recognised."""
        if self.language is not Language.CHINESE:
            return text
        found = BOOK.told(text)
        return found if found != text or "{" in text else self.say(text)

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
CHINESE = Wording(language=Language.CHINESE)


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
