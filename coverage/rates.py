"""The least that a litre costs a drone's day, whatever shares its flight and its battery.

A flight with q litres from a pad at least so far away takes its way, the refill before it and a
part of a battery. What part, a dual feasible function says (Fekete & Schepers, Mathematical
Programming 91, 2001): a function u of shares of a battery such that shares which one battery holds
never have a sum of u above 1. Batteries are then at least the sum of u over all flights, and so is
any mean of several such functions. A litre costs at least the least of cost / q over all q: with
farther spots in the same flight the flight costs more, so each litre may count its own spot's way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.chunks import held_l, usable_l
from skymist.coverage.energy import LAND_S, SPOOL_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skymist.coverage.drones import DroneModel
    from skymist.coverage.site import Policy

    Floats = NDArray[np.float64]

Pricing = tuple[float, float, float]
PRICINGS: tuple[Pricing, ...] = (
    (1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0),
    (0.25, 0.75, 0.0),
    (0.5, 0.5, 0.0),
    (0.75, 0.25, 0.0),
    (0.0, 0.0, 1.0),
    (0.34, 0.33, 0.33),
)
"""How much each of the three functions counts: the share itself; 1 above a half; a half above a
third and 1 above two thirds."""
LITRES, WAYS = 240, 512
"""Steps of a tank, and of ways, between which the cheaper end counts for both."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Flights of one model with one load, sprayed in `s_per_l` seconds a litre at least."""

    model: DroneModel
    policy: Policy
    s_per_l: float

    @property
    def swap_s(self) -> float:
        """What a swap takes beyond the refill that comes with it."""
        if self.policy.is_swap_in_refill:
            return max(0.0, self.policy.swap_s - self.policy.refill_s)
        return self.policy.swap_s

    @property
    def least_s_per_s(self) -> float:
        """Seconds of swaps for a second in the air, with the tank empty, by the share itself."""
        return self.swap_s * self.model.hover_power_w(0.0) / self._room_ws

    @property
    def _room_ws(self) -> float:
        """What a battery gives before its reserve."""
        return self.model.battery_wh * 3600 * (1 - self.policy.reserve_frac)

    def per_l(self, ways_s: Floats, cap_s: float, pricing: Pricing) -> Floats:
        """Seconds for a litre by the way there, one way; infinite where no flight gets there.

        `cap_s` is taken off each flight, in time and in energy.
        """
        grid = np.linspace(0.0, max(float(ways_s.max(initial=0.0)), 1.0), WAYS)
        litres = np.linspace(0.0, usable_l(self.model), LITRES + 1)
        shares = self._shares(grid[:, None], litres[None, :-1])
        linear, halves, thirds = pricing
        u = halves * (shares > 0.5 + 1e-9) + thirds * 0.5 * (
            (shares > 1 / 3 + 1e-9).astype(float) + (shares > 2 / 3 + 1e-9)
        )
        spent_s = SPOOL_S + LAND_S + 2 * grid[:, None] - cap_s + self.policy.refill_s
        spent_s = (
            spent_s + self.swap_s * (u + linear * shares) - linear * cap_s * self.least_s_per_s
        )
        least = np.where(shares <= 1 + 1e-9, spent_s / litres[None, 1:], np.inf).min(axis=1)
        at = np.searchsorted(grid, ways_s, side="right") - 1
        return np.asarray(least[np.clip(at, 0, WAYS - 1)])

    def _shares(self, way_s: Floats, litres_l: Floats) -> Floats:
        """Of a battery down to its reserve, what flights with so many litres take at least.

        Litres leave one by one: what is aboard while they do is half of them on the mean, and power
        grows faster than mass (else it is taken as that of the end).
        """
        model = self.model
        full_l = np.array([[held_l(float(x), model.sprayer) for x in litres_l[0]]])
        left_l = full_l - litres_l
        out_w, end_w = _watts(model, full_l), _watts(model, left_l)
        grows = model.endurance_empty_s / model.endurance_full_s >= model.full_kg / model.dry_kg
        mid_w = _watts(model, full_l - litres_l / 2) if grows else end_w
        joules = (SPOOL_S + way_s) * out_w + self.s_per_l * litres_l * mid_w
        return np.asarray((joules + (way_s + LAND_S) * end_w) / self._room_ws)


def _watts(model: DroneModel, litres_l: Floats) -> Floats:
    """Hover power by what is aboard."""
    flat = [model.hover_power_w(float(x)) for x in np.ravel(litres_l)]
    return np.array(flat).reshape(np.shape(litres_l))
