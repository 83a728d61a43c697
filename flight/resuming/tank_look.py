"""What a look into the tank after a landing proves of what was sprayed.

Without a flow or level sensor the dose is reckoned from the pump's output alone: a leak, a blocked
nozzle or an empty tank shows in no message. The crew, who stand at the drone to fill it, can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.coverage.chunks import DREGS_L
from skymist.coverage.dosemap import DOSED_FRAC
from skymist.flight.safety.monitor import Alert, Severity

if TYPE_CHECKING:
    from skymist.coverage.plan import Sortie
    from skymist.flight.conductor.crew import Crew
    from skymist.flight.conductor.telling import DroneLog
    from skymist.flight.safety.monitor import Tank

READ_L, READ_FRAC = 0.25, 0.1
"""What a reading may be off, and the pump's model, as a share of what was sprayed. [P]"""
DRY_LESS_L = 0.1
"""A tank with no more than the dregs in it was dry if so much more was reckoned. Plans leave 8 %
of what they spray and the dregs. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was in a tank at take-off, should be left by the pump's output, and was found.

    `found_l` is None where nobody looked.
    """

    before_l: float
    reckoned_l: float
    found_l: float | None = None

    @property
    def is_dry(self) -> bool:
        """Whether it was empty where it should not be: when that began nobody knows."""
        found_l = self.found_l
        return found_l is not None and found_l <= DREGS_L and self.reckoned_l - found_l > DRY_LESS_L

    @property
    def counts_frac(self) -> float:
        """Share of the pump's output that is borne out, 0 to 1; 1 where nobody looked."""
        sprayed_l = self.before_l - self.reckoned_l
        if self.is_dry:
            return 0.0
        if self.found_l is None or sprayed_l <= 0 or self._off_l <= self._may_be_off_l:
            return 1.0
        return min(1.0, max(0.0, (self.before_l - self.found_l) / sprayed_l))

    @property
    def is_borne_out(self) -> bool:
        """Whether what was sprayed may count as the dose."""
        return self.counts_frac >= DOSED_FRAC

    @property
    def is_as_reckoned(self) -> bool:
        """Whether somebody looked and found what was reckoned, as near as it can be read."""
        return (
            self.found_l is not None and not self.is_dry and abs(self._off_l) <= self._may_be_off_l
        )

    @property
    def text(self) -> str:
        """In words."""
        should = f"where {self.reckoned_l:.1f} L should be left"
        if self.found_l is None:
            return f"nobody looked into the tank; {self.reckoned_l:.1f} L are left by reckoning"
        if self.is_dry:
            return f"its tank was found empty {should}: nothing that it sprayed is proven"
        found = f"{self.found_l:.1f} L were found in its tank {should}"
        if self.is_as_reckoned:
            return found
        if self._off_l > 0:
            return f"{found}: {self.counts_frac:.0%} of what was reckoned came out"
        return f"{found}: it leaks, gives more than its model says, or sprayed unseen"

    @property
    def _off_l(self) -> float:
        return 0.0 if self.found_l is None else self.found_l - self.reckoned_l

    @property
    def _may_be_off_l(self) -> float:
        return max(READ_L, READ_FRAC * (self.before_l - self.reckoned_l))


class TankLooks:
    """Asks after each landing; keeps which sorties rest on a level that nobody saw since."""

    def __init__(self, drone_id: str, tank_l: float, crew: Crew, told: DroneLog) -> None:
        self._drone_id, self._tank_l, self._crew, self._told = drone_id, tank_l, crew, told
        self._unseen: list[Sortie] = []

    def level_known(self) -> None:
        """The tank was filled to a level: what was in it before, nobody will know any more."""
        self._unseen.clear()

    async def after(self, sortie: Sortie, tank: Tank) -> tuple[Look, tuple[Sortie, ...]]:
        """What was found after a sortie, and earlier ones that a dry tank makes as unsure."""
        before_l = tank.litres_l + tank.sprayed_l
        found_l = await self._crew.left(self._drone_id, tank.litres_l, self._tank_l)
        look = Look(before_l=before_l, reckoned_l=tank.litres_l, found_l=found_l)
        self._tell(sortie, look)
        if found_l is not None and not look.is_as_reckoned:
            severity = Severity.WARNING if look.is_borne_out else Severity.ERROR
            self._told.alert(Alert(severity=severity, code="tank_off", text=look.text))
        unsure: tuple[Sortie, ...] = ()
        if look.is_dry:
            unsure = tuple(self._unseen)
            for earlier in unsure:
                self._tell(earlier, look)
        if found_l is None:
            self._unseen.append(sortie)
        else:
            self._unseen.clear()
        return look, unsure

    def _tell(self, sortie: Sortie, look: Look) -> None:
        self._told.event(
            "look",
            sortie_id=sortie.id,
            before_l=round(look.before_l, 3),
            reckoned_l=round(look.reckoned_l, 3),
            found_l=None if look.found_l is None else round(look.found_l, 3),
            is_as_reckoned=look.is_as_reckoned,
            counts_frac=round(look.counts_frac, 4),
            text=look.text,
        )
