"""What an operation left undone as a site: the next task, spots treated in part with their rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skymist.coverage.dosemap import SpotOutcome
from skymist.coverage.passes import ROOFED
from skymist.coverage.remainder import rest_of
from skymist.coverage.site import Kind

if TYPE_CHECKING:
    from skymist.coverage.site import BlindSpot, Site
    from skymist.flight.reporting.applied import Applied, SpotApplied

WHOLE_KINDS = frozenset({Kind.FLAT_ROOF, *ROOFED})
"""Of these the edge says where spray may fall: a part of one would have another edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A spot of the next task. `why_whole` is empty where `spot` is only what was left of it."""

    spot: BlindSpot
    target_m2: float
    why_whole: str = ""

    @property
    def is_rest(self) -> bool:
        """Whether the spot is a part of what it was."""
        return not self.why_whole

    @property
    def text(self) -> str:
        """What of it is in the next task."""
        if self.is_rest:
            return f"the rest, {self.spot.area.area:.1f} of {self.target_m2:.1f} m2"
        return f"whole: {self.why_whole}"


def left_over(applied: Applied) -> tuple[Left, ...]:
    """Every spot that did not get its dose, in the order of the site, with what is left of it."""
    missed = {one.spot.id: one for one in applied.missed}
    site = applied.plan.site
    return tuple(_left(missed[s.id], applied) for s in site.spots if s.id in missed)


def missed_site(applied: Applied, left: tuple[Left, ...]) -> Site:
    """The site of the record's plan with these spots alone."""
    return replace(applied.plan.site, spots=tuple(one.spot for one in left))


def _left(missed: SpotApplied, applied: Applied) -> Left:
    spot, target_m2 = missed.spot, missed.target_m2
    whole = Left(spot=spot, target_m2=target_m2)
    if missed.outcome is SpotOutcome.MISSED:
        return replace(whole, why_whole="nothing of it got its dose")
    if not applied.is_place_sure:
        return replace(whole, why_whole="the record is not sure of where the spray fell")
    if spot.kind in WHOLE_KINDS:
        return replace(whole, why_whole="its edge says where spray may fall")
    if spot.shape.geom_type == "Point":
        return replace(whole, why_whole="it is treated from one place")
    dose = applied.doses[missed.treatment.agent_id]
    rest, why = rest_of(missed.treatment.target, dose, missed.treatment.dose_l_per_m2)
    if rest is None:
        return replace(whole, why_whole=why)
    note = f"rest of {target_m2:.1f} m2; {spot.note}".removesuffix("; ")
    return replace(whole, spot=replace(spot, shape=rest, width_m=None, note=note))
