"""Measures of a flight about to begin: the measured wind, what the authority was told when.

Hours are not among them: a site's own hours lie within its packs', and `safety.hours` keeps a
drone on its pad outside them, whenever the flight begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

from skymist.missions.policies.readings import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from skymist.coverage.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A plan that is about to be flown: when, in what wind, and what the authority was told when.

    All times are local, without a zone. None: not given.
    """

    plan: Plan
    at: datetime
    wind_mps: float | None = None
    applied: datetime | None = None
    reported: datetime | None = None


def _wind(flight: Flight) -> Iterator[Reading]:
    if flight.wind_mps is not None:
        yield Reading(value=flight.wind_mps, where="the wind as measured")


def _receptor_wind(flight: Flight) -> Iterator[Reading]:
    if flight.plan.site.receptors:
        yield from _wind(flight)


def _application(flight: Flight) -> Iterator[Reading]:
    """Hours from the application to the midnight that begins the day of flight."""
    if flight.applied is None:
        yield Reading(value=None, where="no application is named")
        return
    begins = datetime.combine(flight.at.date(), time())
    hours = (begins - flight.applied).total_seconds() / 3600
    yield Reading(value=hours, where=f"handed in {flight.applied:%Y-%m-%d %H:%M}")


def _report(flight: Flight) -> Iterator[Reading]:
    """Minutes from the report to now."""
    if flight.reported is None:
        yield Reading(value=None, where="no report is named")
        return
    minutes = (flight.at - flight.reported).total_seconds() / 60
    yield Reading(value=minutes, where=f"reported {flight.reported:%Y-%m-%d %H:%M}")


MEASURES: dict[str, Callable[[Flight], Iterator[Reading]]] = {
    "wind_mps": _wind,
    "receptor_wind_mps": _receptor_wind,
    "application_before_h": _application,
    "report_before_min": _report,
}
"""What can be read of a flight, by the names that rules use."""
