"""One drone's day: its flights in order, with refills, rinses and battery swaps between them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from skymist.coverage.hours import ALWAYS, DAY_S, end_of, first_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skymist.coverage.flights import Flight
    from skymist.coverage.site import Policy


LATE_S = 2 * DAY_S
"""What a flight costs a day that has no time for it: more than any wait."""


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
    """The flights as they are best flown: by worth and hours, else by agent and battery.

    Of each agent the longest is taken, then the longest that still fits the battery, and so on; or
    the pair that fills it best, where that needs fewer swaps.
    """
    some = _by_battery(flights, policy)
    if _is_bound(some):
        return [flight for flight, _ in timed(some, policy)]
    packed = _packed(some, policy)
    return packed if _stops_s(packed, policy) < _stops_s(some, policy) - 1e-9 else some


def _is_bound(flights: Sequence[Flight]) -> bool:
    """Whether it matters when flights are flown."""
    return any(f.takeoffs is not ALWAYS or f.worth[1] > 0 for f in flights)


def timed(flights: Sequence[Flight], policy: Policy) -> list[tuple[Flight, float]]:
    """The flights in order, each with its take-off; infinite for those that find no time.

    Next comes what need not wait for its hours: of that the worst level, then what must be
    flown soonest, then what needs no rinse.
    """
    left, made = list(enumerate(flights)), list[tuple["Flight", float]]()
    now_s, used, agent = 0.0, 0.0, ""
    while left:
        best: tuple[tuple[float, tuple[int, float], float, bool, int], int, bool] | None = None
        for at, (index, flight) in enumerate(left):
            own = flight.chunks[0].load[0]
            is_swap = used + flight.cost.battery_frac > 1 - policy.reserve_frac
            is_rinse = bool(made) and own != agent
            stop = Stop(is_refill=bool(made), is_swap=is_swap, is_rinse=is_rinse)
            ready_s = now_s + stop.seconds(policy)
            start_s = first_in(flight.takeoffs, ready_s)
            wait_until_s = start_s if start_s > ready_s else 0.0
            end_s = end_of(flight.takeoffs, start_s)
            key = (wait_until_s, flight.worth, end_s, is_rinse, index)
            if best is None or key < best[0]:
                best, begin_s = (key, at, is_swap), start_s
        assert best is not None
        if best[0][0] == math.inf:
            return made + [(flight, math.inf) for _, flight in left]
        _, flight = left.pop(best[1])
        made.append((flight, begin_s))
        now_s = begin_s + flight.cost.duration_s
        used = flight.cost.battery_frac + (0.0 if best[2] else used)
        agent = flight.chunks[0].load[0]
    return made


def _by_battery(flights: Iterable[Flight], policy: Policy) -> list[Flight]:
    """The flights by agent, and those next to each other that one battery can carry."""
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


def _packed(flights: Sequence[Flight], policy: Policy) -> list[Flight]:
    """The flights by agent, each battery with the heaviest that is left and what fills it best."""
    room = 1 - policy.reserve_frac
    made: list[Flight] = []
    for agent in dict.fromkeys(flight.chunks[0].load[0] for flight in flights):
        todo = [flight for flight in flights if flight.chunks[0].load[0] == agent]
        todo.sort(key=lambda f: -f.cost.battery_frac)
        while todo:
            made.append(todo.pop(0))
            left = room - made[-1].cost.battery_frac
            while some := _filling(todo, left):
                made += some
                left -= math.fsum(flight.cost.battery_frac for flight in some)
                gone = {id(flight) for flight in some}  # laps are equal, yet each is flown
                todo = [flight for flight in todo if id(flight) not in gone]
    return made


def _filling(flights: Sequence[Flight], room: float) -> list[Flight]:
    """The one or two flights, of those given, that take most of the room; none where none fits."""
    fitting = [flight for flight in flights if flight.cost.battery_frac <= room]
    pairs = [
        [a, b]
        for a, b in combinations(fitting, 2)
        if a.cost.battery_frac + b.cost.battery_frac <= room
    ]
    return max(
        [[flight] for flight in fitting] + pairs,
        key=lambda some: math.fsum(flight.cost.battery_frac for flight in some),
        default=[],
    )


def _stops_s(flights: Sequence[Flight], policy: Policy) -> float:
    """Seconds on the pad between flights in this order."""
    shares = [(f.chunks[0].load[0], f.cost.battery_frac) for f in flights]
    return math.fsum(stop.seconds(policy) for stop in stops_between(shares, policy))


def day_s(flights: Sequence[Flight], policy: Policy) -> float:
    """Seconds from the first take-off to the last landing, with no other drone to wait for.

    A flight that finds no time within its hours counts as two days and its own length.
    """
    ordered = _by_battery(flights, policy)
    if _is_bound(ordered):
        ends = [(f, at_s) for f, at_s in timed(ordered, policy)]
        last_s = max((at_s + f.cost.duration_s for f, at_s in ends if at_s < math.inf), default=0.0)
        return last_s + sum(LATE_S + f.cost.duration_s for f, at_s in ends if at_s == math.inf)
    return sum(flight.cost.duration_s for flight in ordered) + _stops_s(ordered, policy)


def best_day_s(flights: Sequence[Flight], policy: Policy) -> float:
    """The same in the order of `in_order`, which takes longer to find than what `day_s` goes by."""
    if _is_bound(flights):
        return day_s(flights, policy)
    return sum(f.cost.duration_s for f in flights) + _stops_s(in_order(flights, policy), policy)
