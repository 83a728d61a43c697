"""What a measure reads: a value, where it was read, and which ids it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skymist.coverage.hours import Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value. None: it was not given; spans: seconds after midnight.

    `where` is said of it in the finding: a field of the site file, a sortie, a place.
    """

    value: float | Spans | None
    where: str
    subjects: tuple[str, ...] = ()
