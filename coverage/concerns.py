"""What a person should know of a plan before it is flown: wind, drift, unevenness.

What can be known of a site without a plan is `skymist.missions.checks`'s.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.drift import CALM_MPS, drift_at_receptors
from skymist.coverage.plan import PlanFinding
from skymist.coverage.profile import CV_OPERATION_FRAC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from skymist.coverage.drift import Wind
    from skymist.coverage.plan import Treatment
    from skymist.coverage.site import Site

DRIFT_WIND_MPS = 3.3
"""Most wind where drift matters. Source: the spraying norms that DOMAIN quotes."""
NAMED_MOST = 5


def concerns_of(
    site: Site, treatments: Sequence[Treatment], wind: Wind | None
) -> tuple[PlanFinding, ...]:
    """All findings about treatments planned for a wind (None: still air), errors first."""
    found = [*_uneven(treatments)]
    if wind is not None:
        found += [*_too_windy(site, wind), *_drifting(site, treatments, wind), *_aside(treatments)]
    return tuple(sorted(found, key=lambda finding: not finding.is_error))


def _too_windy(site: Site, wind: Wind) -> Iterator[PlanFinding]:
    limit_mps = site.policy.wind_max_mps
    if wind.speed_mps > limit_mps:
        text = f"wind of {wind.speed_mps:.1f} m/s, policy.wind_max_mps is {limit_mps:g}: do not fly"
        yield PlanFinding(rule="wind-above-limit", text=text, is_error=True)
    elif site.receptors and wind.speed_mps > DRIFT_WIND_MPS:
        text = (
            f"wind of {wind.speed_mps:.1f} m/s with {len(site.receptors)} sensitive places on the "
            f"map; where drift matters the norm is {DRIFT_WIND_MPS:g} m/s"
        )
        yield PlanFinding(rule="wind-with-receptors", text=text)


def _drifting(site: Site, treatments: Sequence[Treatment], wind: Wind) -> Iterator[PlanFinding]:
    if wind.speed_mps < CALM_MPS:
        return
    for drift in drift_at_receptors(treatments, site.receptors, wind):
        if drift.is_above_limit:
            yield PlanFinding(rule="drift-at-receptor", text=drift.text)


def _aside(treatments: Sequence[Treatment]) -> Iterator[PlanFinding]:
    """Spots between walls that leave no room to fly upwind by all of the displacement."""
    dry = [t.spot_id for t in treatments if t.downwind_m > 0]
    if dry:
        most_m = max(t.downwind_m for t in treatments)
        text = (
            f"walls leave no room to fly far enough upwind at {_named(dry)}: there the spray lands "
            f"up to {most_m:.1f} m downwind of the passes' aim"
        )
        yield PlanFinding(rule="wind-not-met", text=text)


def _uneven(treatments: Sequence[Treatment]) -> Iterator[PlanFinding]:
    wide = [t for t in treatments if t.cv_frac > CV_OPERATION_FRAC]
    if wide:
        worst = max(wide, key=lambda t: t.cv_frac)
        text = (
            f"the dose varies by more than {CV_OPERATION_FRAC:.0%} (std over mean) on "
            f"{_named([t.spot_id for t in wide])}; worst {worst.cv_frac:.0%} on {worst.spot_id}"
        )
        yield PlanFinding(rule="dose-uneven", text=text)


def _named(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:NAMED_MOST])
    count = f"{len(ids)} spot{'' if len(ids) == 1 else 's'}"
    return f"{count} ({shown}{', ...' if len(ids) > NAMED_MOST else ''})"


def wind_text(wind: Wind) -> str:
    """A wind as forecasts name it."""
    from_deg = math.degrees(math.atan2(-wind.east_mps, -wind.north_mps)) % 360
    return f"{wind.speed_mps:.1f} m/s from {from_deg:.0f}°"
