"""When a flight may take off: hours of spots, zones and policy, and closures, in a plan's time.

Spraying must lie in the hours of its spot, of its zone and, but for surface mode, in the policy's
vector hours; the whole flight in the policy's hours and day; and no leg may cross a closed area
while it is closed. A few per cent are kept free for flights that are quicker or slower than told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely
from shapely.geometry import LineString, Point

from skymist.coverage.energy import SPOOL_S, leg_s
from skymist.coverage.hours import (
    ALWAYS,
    DAY_S,
    Hours,
    Spans,
    Start,
    both,
    daily,
    hours_text,
    inside,
    open_s,
    outside,
)
from skymist.coverage.plan import Pass
from skymist.coverage.site import Mode, Objective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.plan import Leg
    from skymist.coverage.site import BlindSpot, Site

SLACK_FRAC = 0.05
"""How much sooner or later than told a flight may be anywhere: what sortie times are held to."""
USUAL_START_S = 8 * 3600.0
"""Start of a plan whose site has closures but no hours. Proposal."""


def hours_of(site: Site, spot: BlindSpot) -> tuple[tuple[Hours, ...], ...]:
    """All hours that a spot's spraying must lie in: those of each kind that are given."""
    zone = next((zone.hours for zone in site.zones if zone.id == spot.zone_id), ())
    vector = () if spot.mode is Mode.SURFACE else site.policy.vector_hours
    return tuple(some for some in (spot.hours, zone, vector) if some)


def has_hours(site: Site) -> bool:
    """Whether the time of day matters for a plan of the site."""
    policy = site.policy
    return bool(
        policy.hours
        or policy.num_days > 1
        or site.closures
        or any(zone.hours for zone in site.zones)
        or any(
            spot.hours or (policy.vector_hours and spot.mode is not Mode.SURFACE)
            for spot in site.spots
        )
    )


def usual_start(site: Site) -> Start | None:
    """When a plan starts that is not told: at the first hours of the day; None: at any time."""
    if not has_hours(site):
        return None
    given = site.policy.hours or tuple(
        hours for spot in site.spots for some in hours_of(site, spot) for hours in some
    )
    return Start(clock_s=min((hours.start_s for hours in given), default=USUAL_START_S))


class Timetable:
    """What a site's hours and closures leave free, in the time of a plan that starts then.

    `is_free` says that nothing is bound to any time. `slack_frac` is kept free on both sides.
    """

    def __init__(self, site: Site, start: Start | None, *, slack_frac: float = SLACK_FRAC) -> None:
        self._early, self._late = 1 - slack_frac, 1 + slack_frac
        policy = site.policy
        self.start = start or usual_start(site) or Start(clock_s=USUAL_START_S)
        is_cut = policy.day_s is not None and policy.objective is Objective.PRIORITY
        self.is_free = not (has_hours(site) or is_cut)
        self._num_days = policy.num_days
        self._flying = ALWAYS if self.is_free else self._of_days(site)
        self._by_hours: dict[tuple[tuple[Hours, ...], ...], Spans] = {(): ALWAYS}
        self._hours = {} if self.is_free else {s.id: hours_of(site, s) for s in site.spots}
        self._closed: list[tuple[BaseGeometry, Spans]] = [
            (closure.area, daily(closure.hours, self.start, self._num_days))
            for closure in site.closures
        ]
        for area, _ in self._closed:
            shapely.prepare(area)

    def _of_days(self, site: Site) -> Spans:
        """When anything may be in the air."""
        policy, num = site.policy, self._num_days
        day_s = min(policy.day_s or DAY_S, DAY_S)
        days = tuple((k * DAY_S, k * DAY_S + day_s) for k in range(num))
        if day_s == DAY_S:
            days = ((0.0, num * DAY_S),)
        return both(days, daily(policy.hours, self.start, num)) if policy.hours else days

    def pattern(self, spot_id: str) -> tuple[tuple[Hours, ...], ...]:
        """What hours a spot keeps; spots with the same can share flights."""
        return self._hours.get(spot_id, ())

    def spraying(self, spot_id: str) -> Spans:
        """When a spot may be sprayed."""
        key = self.pattern(spot_id)
        if key not in self._by_hours:
            spans = ALWAYS
            for some in key:
                spans = both(spans, daily(some, self.start, self._num_days))
            self._by_hours[key] = spans
        return self._by_hours[key]

    def words(self, spot_id: str) -> str:
        """The hours of a spot, for people."""
        return " and ".join(hours_text(some) for some in self.pattern(spot_id)) or "any time"

    def takeoffs(
        self,
        legs: Sequence[Leg],
        model: DroneModel,
        duration_s: float,
        *,
        is_closing: bool = True,
    ) -> Spans:
        """When a flight over these legs may take off; nothing where no hours hold it.

        With `is_closing` false, as if no ground were ever closed.
        """
        if self.is_free:
            return ALWAYS
        spans = inside(self._flying, 0.0, duration_s * self._late)
        end_s = SPOOL_S
        for leg in legs:
            begin_s, end_s = end_s, end_s + leg_s(leg, model)
            first_s, last_s = begin_s * self._early, end_s * self._late
            if isinstance(leg, Pass) and self.pattern(leg.spot_id):
                spans = both(spans, inside(self.spraying(leg.spot_id), first_s, last_s))
            for area, closed in self._closed if is_closing else ():
                if _crosses(leg, area, model.body_m / 2):
                    spans = both(spans, outside(closed, first_s, last_s))
            if not spans:
                break
        return spans

    def open_s(self, spot_id: str) -> float:
        """Seconds in which a spot may be sprayed, in all days of the plan."""
        return open_s(both(self.spraying(spot_id), self._flying))

    def soonest_s(self, spot_id: str) -> float:
        """Before which no spraying of a spot can begin; 0 where that is not known."""
        spans = both(self.spraying(spot_id), self._flying)
        return spans[0][0] if spans else 0.0


def _crosses(leg: Leg, area: BaseGeometry, keep_m: float) -> bool:
    """Whether a drone of half a width `keep_m` is over an area anywhere on a leg."""
    points = [point[:2] for point in leg.path]
    west, south, east, north = area.bounds
    if (
        max(x for x, _ in points) < west - keep_m
        or min(x for x, _ in points) > east + keep_m
        or max(y for _, y in points) < south - keep_m
        or min(y for _, y in points) > north + keep_m
    ):
        return False
    line = LineString(points) if len(points) > 1 else Point(points[0])
    return bool(shapely.dwithin(area, line, keep_m))
