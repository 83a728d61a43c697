"""How much of what a pump put out counts as given: one rule for ledger, report and dashboard.

A pump's output alone proves nothing. What is sprayed off the height of every pass, as by a drone
that fell, treats nothing; what a look into the tank disproves was never sprayed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.flight.safety.interlock import OFF_HEIGHT_M
from skymist.missions.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.coverage.plan import Plan
    from skymist.flight.recording.record import Event, Record


class Credit:
    """Judges samples of tracks; `expect` the plans and take the `look`s before they are asked for.

    A sortie that no plan knows is judged by its looks alone.
    """

    def __init__(self, plan: Plan) -> None:
        self._heights_m: dict[str, tuple[float, ...]] = {}
        self._looked: dict[str, float] = {}
        self.expect(plan)

    def expect(self, plan: Plan) -> None:
        """Know the sorties of a plan."""
        for sortie in plan.sorties:
            self._heights_m[sortie.id] = tuple({leg.above_home_m for leg in sortie.passes})

    def look(self, event: Event) -> None:
        """Take what was found in a tank; the last word on a sortie holds."""
        self._looked[str(event["sortie_id"])] = min(1.0, max(0.0, float(event["counts_frac"])))

    def frac(self, track: Mapping[str, object]) -> float:
        """Share of a sample's flow that counts, 0 to 1."""
        sortie_id = str(track.get("sortie_id", ""))
        heights = self._heights_m.get(sortie_id)
        if heights is not None:
            up_m = float(str(track["above_home_m"]))
            if not any(abs(up_m - meant_m) <= OFF_HEIGHT_M for meant_m in heights):
                return 0.0
        return self._looked.get(sortie_id, 1.0)


def credit_of(record: Record) -> Credit:
    """The credit of everything that a record holds, over all its parts.

    Raises
    ------
    FormatError
        It holds no plan, or a look that cannot be read.
    """
    credit = Credit(record.whole_plan())
    try:
        for event in record.of("look"):
            credit.look(event)
    except (KeyError, TypeError, ValueError) as exc:
        raise FormatError(f"{record.path}: an event lacks or garbles {exc}") from exc
    return credit
