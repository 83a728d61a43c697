"""The order of passes, and the way each is flown, as one routing problem.

Every pass may be flown from either end. Costs are seconds between the end of one and the start of
the next, stops included. A greedy tour from several starts is improved by reversing stretches and
by moving short ones, always the best move first, so the same input gives the same order. The ways
between passes come from `coverage.transits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.kinematics import SAME_PLACE_M, Kinematics, turn_rad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from skymist.coverage.transits import FreeSpace

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

FAR_S = 1e6
LONGEST_MOVE = 3
LEAST_S = 1e-6
FEW = 4  # passes of which every order is worth a try
MOVES_A_ROUND = 12

Move = tuple[float, int, int, int, int]  # seconds gained, length (0: reversal), nodes, flip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Passes to put in order: node 2i is pass i as given, node 2i + 1 is it reversed."""

    starts: Floats
    ends: Floats
    start_rad: Floats
    end_rad: Floats

    @staticmethod
    def of(paths: Sequence[Floats]) -> Tasks:
        """The nodes of some passes, points of shape (n, 2) each."""
        first = np.array([path[0] for path in paths])
        last = np.array([path[-1] for path in paths])
        out = np.array([path[1] - path[0] for path in paths])
        back = np.array([path[-2] - path[-1] for path in paths])
        starts = np.stack([first, last], axis=1).reshape(-1, 2)
        ends = np.stack([last, first], axis=1).reshape(-1, 2)
        leave = np.stack([out, back], axis=1).reshape(-1, 2)
        arrive = -np.stack([back, out], axis=1).reshape(-1, 2)
        return Tasks(
            starts=starts,
            ends=ends,
            start_rad=np.arctan2(leave[:, 1], leave[:, 0]),
            end_rad=np.arctan2(arrive[:, 1], arrive[:, 0]),
        )


def costs_s(
    tasks: Tasks, part: Ints, spaces: Sequence[FreeSpace], kinematics: Kinematics
) -> Floats:
    """Seconds from the end of each node to the start of each, stops included; shape (2n, 2n).

    `part` tells in which space each pass lies.
    """
    step = tasks.starts[None, :] - tasks.ends[:, None]
    gap = np.hypot(step[..., 0], step[..., 1])
    times = kinematics.run_s(gap)
    straight = np.ones(gap.shape, dtype=bool)
    node_part = np.repeat(part, 2)
    for number, space in enumerate(spaces):
        mine = np.flatnonzero(node_part == number)
        if space.convex or len(mine) < 3:
            continue
        # The start of node u is the end of node u ^ 1: one table of places serves both.
        table, seen = space.times(tasks.starts[mine])
        rows = np.arange(len(mine)) ^ 1
        times[np.ix_(mine, mine)] = np.minimum(table[rows], FAR_S)
        straight[np.ix_(mine, mine)] = seen[rows]
    heading = np.arctan2(step[..., 1], step[..., 0])
    through = (turn_rad(tasks.end_rad[:, None], heading) <= kinematics.stop_turn_rad).astype(float)
    through += turn_rad(heading, tasks.start_rad[None, :]) <= kinematics.stop_turn_rad
    cruise = gap / kinematics.speed_mps
    times = np.where(
        straight & (through > 0), cruise - np.where(through > 1, kinematics.stop_s, 0.0), times
    )
    joined = turn_rad(tasks.end_rad[:, None], tasks.start_rad[None, :]) <= kinematics.stop_turn_rad
    here = gap <= SAME_PLACE_M
    result: Floats = np.where(here, np.where(joined, -kinematics.stop_s, 0.0), times)
    return result


def _greedy(costs: Floats, first: int) -> list[int]:
    open_costs = costs.copy()
    tour = [first]
    for _ in range(len(costs) // 2 - 1):
        last = tour[-1]
        open_costs[:, last & ~1] = open_costs[:, last | 1] = np.inf
        tour.append(int(np.argmin(open_costs[last])))
    return tour


def _closed(costs: Floats, from_start: Floats | None) -> Floats:
    """The costs with the depot as one more node: free to end at, free or timed to start from."""
    size = len(costs)
    closed = np.zeros((size + 2, size + 2))
    closed[:size, :size] = costs
    if from_start is not None:
        closed[size, :size] = from_start
    return closed


def _reversals(costs: Floats, tour: Ints, here: Floats) -> list[Move]:
    """The best stretch to reverse after each place of the tour."""
    after = np.append(tour[1:], tour[0])
    gain = costs[tour[:, None], (tour ^ 1)[None, :]] + costs[(after ^ 1)[:, None], after[None, :]]
    gain -= here[:, None] + here[None, :]
    gain[np.tri(len(tour), dtype=bool)] = 0.0
    last = gain.argmin(axis=1)
    best = gain[np.arange(len(tour)), last]
    rows = np.flatnonzero(best < -LEAST_S)
    return [(float(best[i]), 0, int(tour[i]), int(tour[last[i]]), 0) for i in rows]


def _shifts(costs: Floats, tour: Ints, here: Floats, length: int) -> list[Move]:
    """The best new place, and way round, for each stretch of `length` passes."""
    size = len(tour)
    after = np.append(tour[1:], tour[0])
    first = np.arange(1, size - length + 1)
    head, tail = tour[first], tour[first + length - 1]
    left, right = tour[first - 1], after[first + length - 1]
    saved = costs[left, head] + costs[tail, right] - costs[left, right]
    plain = costs[tour[None, :], head[:, None]] + costs[tail[:, None], after[None, :]]
    turned = costs[tour[None, :], (tail ^ 1)[:, None]] + costs[(head ^ 1)[:, None], after[None, :]]
    gain = np.minimum(plain, turned) - here[None, :] - saved[:, None]
    rows = np.arange(len(first))
    for step in range(-1, length):
        gain[rows, first + step] = 0.0
    place = gain.argmin(axis=1)
    best = gain[rows, place]
    flip = turned[rows, place] < plain[rows, place]
    return [
        (float(best[row]), length, int(head[row]), int(tour[place[row]]), int(flip[row]))
        for row in np.flatnonzero(best < -LEAST_S)
    ]


def _apply(costs: Floats, tour: Ints, move: Move) -> Ints:
    """The tour after a move, or as it was if earlier moves have made this one worthless."""
    _, length, first, second, flip = move
    start, at = np.flatnonzero(tour == first), np.flatnonzero(tour == second)
    if not (len(start) and len(at)):
        return tour
    i, j = int(start[0]), int(at[0])
    if length == 0:
        if j <= i:
            return tour
        changed = np.concatenate([tour[: i + 1], tour[i + 1 : j + 1][::-1] ^ 1, tour[j + 1 :]])
    else:
        if i + length > len(tour) or i - 1 <= j < i + length:
            return tour
        stretch = tour[i : i + length]
        if flip:
            stretch = stretch[::-1] ^ 1
        rest = np.concatenate([tour[:i], tour[i + length :]])
        j = j if j < i else j - length
        changed = np.concatenate([rest[: j + 1], stretch, rest[j + 1 :]])
    return changed if tour_s(costs, changed) < tour_s(costs, tour) - LEAST_S else tour


def improved(costs: Floats, tour: Ints, rounds: int) -> Ints:
    """A tour, its depot first, after at most `rounds` rounds of moves, the best first."""
    for _ in range(rounds):
        here = costs[tour, np.append(tour[1:], tour[0])]
        moves = _reversals(costs, tour, here)
        for length in range(1, min(LONGEST_MOVE, len(tour) - 2) + 1):
            moves += _shifts(costs, tour, here, length)
        if not moves:
            break
        for move in sorted(moves)[: max(MOVES_A_ROUND, len(tour) // 8)]:
            tour = _apply(costs, tour, move)
    return tour


def tour_s(costs: Floats, tour: Ints) -> float:
    """Seconds between the passes of a tour whose depot comes first."""
    return float(costs[tour[:-1], tour[1:]].sum())


def _inserted(costs: Floats, tour: Ints, new: Sequence[int]) -> Ints:
    """A tour with passes put in where, and the way round that, each costs least."""
    for number in new:
        after = np.append(tour[1:], tour[0])
        nodes = np.array([2 * number, 2 * number + 1])
        extra = costs[tour[:, None], nodes] + costs[nodes[:, None], after[None, :]].T
        extra -= costs[tour, after][:, None]
        at, way = divmod(int(np.argmin(extra)), 2)
        tour = np.concatenate([tour[: at + 1], nodes[way : way + 1], tour[at + 1 :]])
    return tour


def ordered(
    costs: Floats,
    *,
    from_start: Floats | None = None,
    known: Sequence[int] = (),
    tries: int = 3,
) -> list[int]:
    """The nodes in the order to fly them; `from_start` holds seconds from a fixed start.

    `known` is an order of some of the nodes to begin with.
    """
    count = len(costs) // 2
    if count == 1 and from_start is None:
        return [0]
    closed = _closed(costs, from_start)
    depot = 2 * count
    if known:
        have = {node >> 1 for node in known}
        new = [number for number in range(count) if number not in have]
        tours = [_inserted(closed, np.array([depot, *known]), new)]
    else:
        firsts = _firsts(costs, from_start, tries)
        tours = [np.array([depot, *_greedy(costs, first)]) for first in firsts]
    if count <= FEW:
        tours = [improved(closed, tour, 20) for tour in tours]
    best = min(tours, key=lambda tour: tour_s(closed, tour))
    return [int(node) for node in improved(closed, best, 2 * count + 20)[1:]]


def _firsts(costs: Floats, from_start: Floats | None, tries: int) -> list[int]:
    """Nodes to start greedy tours at: the ends of the ground, whose nearest other pass is far."""
    if from_start is not None:
        return [int(np.argmin(from_start))]
    node = np.arange(len(costs))
    if len(costs) <= 2 * FEW:
        return node.tolist()
    lonely = costs.copy()
    lonely[node, node] = lonely[node, node ^ 1] = np.inf
    ends = np.argsort(-lonely.min(axis=0), kind="stable")[:tries]
    return [0, *[int(first) for first in ends if first]][:tries]
