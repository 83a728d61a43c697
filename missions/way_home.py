"""How high a drone comes home after a failsafe, and where that is above the policy's ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.coverage.plan import PlanFinding
from skymist.missions.compile import Roofs, rtl_height_m

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan

NAMED = 5


def way_home_findings(plan: Plan) -> tuple[PlanFinding, ...]:
    """A finding where the straight way home over tall buildings needs more than the ceiling.

    The planned flight keeps the ceiling, since transits go around such buildings. After a failsafe
    the vehicle flies straight home, and clears them: that is safer than flying into them, and who
    asked for the airspace has to know it.
    """
    roofs, ceiling_m = Roofs(plan.site), plan.site.policy.ceiling_m
    heights = {s.id: rtl_height_m(plan.site, s, roofs) for s in plan.sorties}
    above = {name: height_m for name, height_m in heights.items() if height_m > ceiling_m + 1e-6}
    if not above:
        return ()
    worst = sorted(above, key=lambda name: (-above[name], name))
    named = ", ".join(worst[:NAMED]) + (", ..." if len(worst) > NAMED else "")
    text = (
        f"{len(above)} of {len(heights)} sorties would come home after a failsafe at up to "
        f"{above[worst[0]]:.0f} m, above the ceiling of {ceiling_m:g} m, to clear the buildings in "
        f"between: {named}"
    )
    return (PlanFinding(rule="way-home-above-ceiling", text=text),)
