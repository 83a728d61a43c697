"""One drone's day: its flights in order, with refills, rinses and battery swaps between them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skymist.coverage.flights import Flight
    from skymist.coverage.site import Policy


@dataclass(frozen=True, slots=True)
class Stop:
    """What is done on the pad before a take-off."""

    is_refill: bool
    is_swap: bool
    is_rinse: bool

    def seconds(self, policy: Policy) -> float:
        """How long it takes."""
        fill_s = policy.refill_s if self.is_refill else 0.0
        fill_s += policy.rinse_s if self.is_rinse else 0.0
        swap_s = policy.swap_s if self.is_swap else 0.0
        return max(fill_s, swap_s) if policy.is_swap_in_refill else fill_s + swap_s


def stop_s(policy: Policy) -> float:
    """Seconds of a refill with a swap."""
    return Stop(is_refill=True, is_swap=True, is_rinse=False).seconds(policy)


def stops_between(flights: Sequence[tuple[str, float]], policy: Policy) -> list[Stop]:
    """Stops before each flight of (agent, battery share), flown in this order from a full start.

    The tank is filled before each but the first, and rinsed where the agent changes; the battery
    is swapped where the flight would touch the reserve.
    """
    stops: list[Stop] = []
    used, agent = 0.0, ""
    for agent_id, battery_frac in flights:
        is_swap = used + battery_frac > 1 - policy.reserve_frac
        is_first = not stops
        stops.append(
            Stop(
                is_refill=not is_first,
                is_swap=is_swap,
                is_rinse=not is_first and agent_id != agent,
            )
        )
        used = battery_frac + (0.0 if is_swap else used)
        agent = agent_id
    return stops


def in_order(flights: Iterable[Flight], policy: Policy) -> list[Flight]:
    """The flights by agent, and those next to each other that one battery can carry.

    Of each agent the longest is taken, then the longest that still fits the battery, and so on.
    """
    groups: dict[str, list[Flight]] = defaultdict(list)
    for flight in flights:
        groups[flight.chunks[0].load[0]].append(flight)
    made: list[Flight] = []
    used, room = 0.0, 1 - policy.reserve_frac
    for agent in sorted(groups):
        todo = sorted(groups[agent], key=lambda f: f.cost.battery_frac)
        shares = [flight.cost.battery_frac for flight in todo]
        while todo:
            k = bisect_right(shares, room - used) - 1
            if k < 0:
                k, used = len(todo) - 1, 0.0
            used += shares.pop(k)
            made.append(todo.pop(k))
    return made


def day_s(flights: Sequence[Flight], policy: Policy) -> float:
    """Seconds from the first take-off to the last landing, with nothing to wait for."""
    ordered = in_order(flights, policy)
    stops = stops_between([(f.chunks[0].load[0], f.cost.battery_frac) for f in ordered], policy)
    flown_s = sum(flight.cost.duration_s for flight in ordered)
    return flown_s + sum(stop.seconds(policy) for stop in stops)
