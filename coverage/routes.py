"""Passes in order, joined: one path over one piece of ground or several.

`coverage.order` puts passes in order, `coverage.transits` finds the ways between them; here rings
are opened where that is best and everything is joined to legs. Which passes there are is decided
by `coverage.grounds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage import order
from skymist.coverage.kinematics import SAME_PLACE_M, Kinematics
from skymist.coverage.transits import FreeSpace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flown = list[tuple[bool, Floats]]

NESTED_S = 1e4  # keeps ways between a piece and one in its hole out of the order, where others do


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """What ways can be flown: a space per piece, and what lies between pieces.

    `nested` marks pairs of pieces of which one lies in a hole of the other; `detours` holds the
    space to fly through between pieces that only a clearance keeps apart; `start` is where the
    drone comes from.
    """

    spaces: tuple[FreeSpace, ...]
    nested: NDArray[np.bool_]
    start: Floats | None = None
    detours: Mapping[tuple[int, int], FreeSpace] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Passes of several pieces: which piece each lies in."""

    paths: tuple[Floats, ...]
    piece: NDArray[np.intp]


def is_ring(path: Floats) -> bool:
    """Whether a pass ends where it starts."""
    return len(path) > 3 and bool(np.hypot(*(path[0] - path[-1])) <= SAME_PLACE_M)


def _sequence(
    passes: Passes, terrain: Terrain, kinematics: Kinematics, known: Sequence[int]
) -> list[int]:
    tasks = order.Tasks.of(passes.paths)
    costs = order.costs_s(tasks, passes.piece, terrain.spaces, kinematics)
    if terrain.nested.any():
        node_piece = np.repeat(passes.piece, 2)
        costs += NESTED_S * terrain.nested[node_piece[:, None], node_piece[None, :]]
    from_start = None
    if terrain.start is not None:
        from_start = kinematics.run_s(np.hypot(*(tasks.starts - terrain.start).T))
    return order.ordered(costs, from_start=from_start, known=known)


def _rings_turned(passes: Passes, nodes: list[int]) -> Passes:
    """Each ring opened at the corner that lies best between its neighbours in the order."""
    paths = list(passes.paths)
    for at, node in enumerate(nodes):
        ring = paths[node >> 1]
        if not is_ring(ring):
            continue
        detour = np.zeros(len(ring) - 1)
        if at > 0:
            before = paths[nodes[at - 1] >> 1][0 if nodes[at - 1] & 1 else -1]
            detour += np.hypot(*(ring[:-1] - before).T)
        if at + 1 < len(nodes):
            after = paths[nodes[at + 1] >> 1][-1 if nodes[at + 1] & 1 else 0]
            detour += np.hypot(*(ring[:-1] - after).T)
        opened = np.roll(ring[:-1], -int(np.argmin(detour)), axis=0)
        paths[node >> 1] = np.concatenate([opened, opened[:1]])
    return Passes(paths=tuple(paths), piece=passes.piece)


def _joined(passes: Passes, nodes: list[int], terrain: Terrain) -> Flown:
    """Passes in order with the ways between them; ends that all but meet are made one."""
    paths = [passes.paths[node >> 1][:: -1 if node & 1 else 1] for node in nodes]
    pieces = passes.piece[np.array(nodes) >> 1]
    tails = np.array([path[-1] for path in paths[:-1]]).reshape(-1, 2)
    heads = np.array([path[0] for path in paths[1:]]).reshape(-1, 2)
    far = np.hypot(*(heads - tails).T) > SAME_PLACE_M
    ways: list[Floats] = list(np.stack([tails, heads], axis=1))
    for number, space in enumerate(terrain.spaces):
        mine = np.flatnonzero(far & (pieces[:-1] == number) & (pieces[1:] == number))
        if len(mine) and not space.convex:
            for row, way in zip(mine, space.ways(tails[mine], heads[mine]), strict=True):
                ways[int(row)] = way
    for at in range(len(ways)) if terrain.detours else ():
        detour = terrain.detours.get((int(pieces[at]), int(pieces[at + 1])))
        if detour is not None:
            ways[at] = detour.ways(tails[at : at + 1], heads[at : at + 1])[0]
    legs: Flown = [(True, paths[0])]
    for number, path in enumerate(paths[1:]):
        if far[number]:
            legs.append((False, ways[number]))
        elif (tails[number] != heads[number]).any():
            path = np.concatenate([tails[number : number + 1], path[1:]])
        legs.append((True, path))
    return legs


def routed(
    passes: Passes, terrain: Terrain, kinematics: Kinematics, known: Sequence[int] = ()
) -> tuple[Flown, list[int]]:
    """Passes in the order that is quickest, with the ways between them; and that order.

    `known` is an order of some of the passes to begin with.
    """
    nodes = _sequence(passes, terrain, kinematics, known)
    if any(is_ring(path) for path in passes.paths):
        for _ in range(2):
            passes = _rings_turned(passes, nodes)
        nodes = _sequence(passes, terrain, kinematics, nodes)
        passes = _rings_turned(passes, nodes)
    return _joined(passes, nodes, terrain), nodes
