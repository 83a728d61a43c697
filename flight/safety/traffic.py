"""Who flies when in truth: a sortie takes off only where it keeps clear of those in the air.

The plan keeps drones apart by its own clock. On the day a refill takes longer, and one drone
starts late: so before each take-off its predicted way from now is compared with those of the
drones that fly, from when they really started.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.schedule import SLIPS, Airspace, trajectory
from skymist.flight.clock import now_s
from skymist.flight.errors import InTheWay, VehicleRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from skymist.coverage.drones import Drone
    from skymist.coverage.plan import Sortie

LOOK_S = 1.0
WAIT_MOST_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A drone in the air, or about to be; `is_on_plan` is asked anew each time."""

    path: NDArray[np.float64]
    start_s: float
    until_s: float
    is_on_plan: Callable[[], bool]


class Traffic:
    """Every drone of an operation: where it stands, or how it flies.

    Two drones on one pad hinder each other: whoever stands there is in the other's way.
    """

    def __init__(self, drones: tuple[Drone, ...], separation_m: float) -> None:
        self._drones = {drone.id: drone for drone in drones}
        self._separation_m = separation_m
        self._flights: dict[str, Flight] = {}
        self._fallen: dict[str, tuple[float, float]] = {}

    @property
    def fallen(self) -> Mapping[str, tuple[float, float]]:
        """Where drones lie that fell, metres in the site's frame: people go there."""
        return self._fallen

    def lies(self, drone_id: str, place: tuple[float, float]) -> None:
        """It fell there, and flies no more."""
        self.is_down(drone_id)
        self._fallen[drone_id] = place

    def require_way(self, drone_id: str, sortie: Sortie) -> None:
        """Let no sortie begin whose way leads too near to a drone that fell.

        Raises
        ------
        InTheWay
            Says to which.
        """
        path = trajectory(sortie, self._drones[drone_id].model)
        for other_id, place in self._fallen.items():
            near_m = float(np.linalg.norm(path - (*place, 0.0), axis=1).min())
            if near_m < self._separation_m:
                raise InTheWay(
                    f"{sortie.id} would come within {self._separation_m:g} m of {other_id}, "
                    "which lies there"
                )

    async def cleared(
        self,
        drone_id: str,
        sortie: Sortie,
        timeout_s: float,
        *,
        is_on_plan: Callable[[], bool],
        on_wait: Callable[[str], None],
    ) -> None:
        """Wait on the pad until the sortie keeps clear from now on, and take its place.

        Parameters
        ----------
        drone_id, sortie
            Who, and what is to be flown.
        timeout_s
            How long it may be in the air before it counts as down, heard or not.
        is_on_plan
            Whether the drone still does what was planned; where not, nobody else takes off.
        on_wait
            Told each new reason to wait, and an empty one at the end.

        Raises
        ------
        VehicleRefused
            It was hindered for an hour; says by what.
        """
        path = trajectory(sortie, self._drones[drone_id].model)
        began_s, told = now_s(), ""
        while reason := self._hindrance(drone_id, sortie.pad_id, path):
            if reason != told:
                on_wait(reason)
                told = reason
            if now_s() - began_s > WAIT_MOST_S:
                raise VehicleRefused(
                    f"{sortie.id}: waited {WAIT_MOST_S:g} s to take off: {reason}",
                    sysid=self._drones[drone_id].sysid,
                )
            await asyncio.sleep(LOOK_S)
        if told:
            on_wait("")
        self._flights[drone_id] = Flight(
            path=path, start_s=now_s(), until_s=now_s() + timeout_s, is_on_plan=is_on_plan
        )

    def is_clear_now(self, drone_id: str, sortie: Sortie) -> bool:
        """Whether a drone that was cleared may take off now; its flight begins now if so."""
        flight = self._flights[drone_id]
        if self._hindrance(drone_id, sortie.pad_id, flight.path):
            return False
        self._flights[drone_id] = Flight(
            path=flight.path,
            start_s=now_s(),
            until_s=flight.until_s + now_s() - flight.start_s,
            is_on_plan=flight.is_on_plan,
        )
        return True

    def is_down(self, drone_id: str) -> None:
        """It stands on its pad again, or never left it."""
        self._flights.pop(drone_id, None)

    def _hindrance(self, drone_id: str, pad_id: str, path: NDArray[np.float64]) -> str:
        """Why a drone may not take off now, in words; empty where it may."""
        at_s = now_s()
        others = {
            other_id: flight
            for other_id, flight in self._flights.items()
            if other_id != drone_id and at_s < flight.until_s
        }
        for other in self._drones.values():
            if other.id not in (drone_id, *others) and other.pad_id == pad_id:
                return f"{other.id} stands on the same pad"
        for other_id, flight in others.items():
            is_overdue = at_s > flight.start_s + len(flight.path) + SLIPS[-1]
            if is_overdue or not flight.is_on_plan():
                return f"{other_id} is in the air and not on its plan"
            airspace = Airspace(self._separation_m)
            airspace.add(other_id, flight.start_s - at_s, flight.path)
            if airspace.first_free_s(drone_id, 0.0, path) > 0.0:
                return f"it would come nearer than {self._separation_m:g} m to {other_id}"
        return ""
