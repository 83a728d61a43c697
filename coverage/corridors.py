"""Centre lines of narrow ground: one pass along the middle of an alley, a strip, a gap.

The middle is read from the Voronoi diagram of points along the walls: ridges between walls that
face each other. Spurs into corners are cut, dead ends are drawn out to the end wall. Ground wider
than about two swaths is left to strips and laps.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from skymist.coverage import robust

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Graph = dict[int, set[int]]

SAMPLE_SHARE = 0.25  # of the swath: spacing of points along the walls
SHORTEST_M = 0.1
BEND_SHARE = 0.08  # of the swath: how far a centre line may cut a bend
SPUR_WIDTHS = 0.8  # dead ends shorter than this many local widths are spurs into corners
NARROW_SWATHS = 1.2
MOST_SAMPLES = 6000


def is_narrow(ground: BaseGeometry, width_m: float, widths: float = NARROW_SWATHS) -> bool:
    """Whether the mean width (2 area / perimeter) is below `widths` swaths.

    Where one centre line would leave both sides dry, two passes (a lap) do better.
    """
    return 2 * ground.area < widths * width_m * ground.length


def centre_lines(ground: Polygon, flyable: BaseGeometry, width_m: float) -> list[Floats]:
    """Paths along the middle of a narrow piece of ground, from junction to junction."""
    # Here, not above: importing it takes longer than most commands that do not plan.
    from scipy.spatial import QhullError

    step_m = max(SAMPLE_SHARE * width_m, ground.length / MOST_SAMPLES)
    walls = shapely.get_coordinates(shapely.segmentize(ground.boundary, step_m))
    walls = np.unique(walls.round(6), axis=0)
    if len(walls) < 5:
        return []
    try:
        places, graph, half_m = _ridges(ground, walls)
    except QhullError:
        return []
    _cut_spurs(places, graph, half_m)
    paths = []
    for chain in _chains(graph):
        line = LineString(places[chain]).simplify(BEND_SHARE * width_m)
        ends = [len(graph[chain[0]]) == 1, len(graph[chain[-1]]) == 1]
        points = _drawn_out(shapely.get_coordinates(line), ends, flyable, width_m)
        paths.extend(_inside(points, flyable))
    return paths


def _ridges(ground: Polygon, walls: Floats) -> tuple[Floats, Graph, Floats]:
    """Voronoi vertices inside the ground, the ridges between them, and half the width there."""
    from scipy.spatial import Voronoi

    diagram = Voronoi(walls)
    places = diagram.vertices
    shapely.prepare(ground)
    found = shapely.contains_xy(ground, places[:, 0], places[:, 1])
    inside: NDArray[np.bool_] = np.asarray(found, dtype=bool)
    graph: Graph = defaultdict(set)
    half_m = np.full(len(places), math.inf)
    pairs = np.array(diagram.ridge_vertices)
    keep: NDArray[np.bool_] = np.asarray((pairs >= 0).all(axis=1), dtype=bool)
    keep[keep] = inside[pairs[keep]].all(axis=1)
    for (a, b), (p, _) in zip(pairs[keep], diagram.ridge_points[keep], strict=True):
        if a == b:
            continue
        graph[int(a)].add(int(b))
        graph[int(b)].add(int(a))
        for place in (a, b):
            half_m[place] = min(half_m[place], math.dist(places[place], walls[p]))
    return places, graph, half_m


def _branch(places: Floats, graph: Graph, leaf: int) -> tuple[list[int], float]:
    """The chain from a dead end to the next junction (or other end), and its length."""
    chain, length = [leaf], 0.0
    while True:
        onward = [node for node in graph[chain[-1]] if len(chain) < 2 or node != chain[-2]]
        if len(onward) != 1:
            return chain, length
        length += math.dist(places[chain[-1]], places[onward[0]])
        chain.append(onward[0])
        if len(graph[onward[0]]) != 2:
            return chain, length


def _cut_spurs(places: Floats, graph: Graph, half_m: Floats) -> None:
    """Take out dead ends that only lead into a corner; where all are, keep the longest two."""
    for _ in range(8):
        spurs: dict[int, list[tuple[float, list[int]]]] = defaultdict(list)
        for leaf in sorted(node for node in graph if len(graph[node]) == 1):
            chain, length = _branch(places, graph, leaf)
            hub = chain[-1]
            if length < 2 * SPUR_WIDTHS * half_m[hub] and len(graph[hub]) > 2:
                spurs[hub].append((length, chain))
        if not spurs:
            return
        for hub, found in spurs.items():
            found.sort()
            for _, chain in found[:-2] if len(found) >= len(graph[hub]) else found:
                for first, second in pairwise(chain):
                    graph[first].discard(second)
                    graph[second].discard(first)
                for node in chain[:-1]:
                    graph.pop(node, None)


def _chains(graph: Graph) -> list[list[int]]:
    """The graph as chains between nodes that are no mere bend; rings once round."""
    chains: list[list[int]] = []
    used: set[tuple[int, int]] = set()
    hubs = [node for node in sorted(graph) if len(graph[node]) != 2]
    for start in [*hubs, *sorted(graph)]:
        for step in sorted(graph[start]):
            if (start, step) in used:
                continue
            chain = [start, step]
            while len(graph[chain[-1]]) == 2 and chain[-1] != start:
                chain.append(next(n for n in sorted(graph[chain[-1]]) if n != chain[-2]))
            for a, b in pairwise(chain):
                used.update(((a, b), (b, a)))
            chains.append(chain)
    return chains


def _drawn_out(points: Floats, ends: list[bool], flyable: BaseGeometry, width_m: float) -> Floats:
    """A path whose dead ends go on, straight, to the wall."""
    for at_end, dead in ((False, ends[0]), (True, ends[1])):
        if not dead:
            continue
        tip, before = (points[-1], points[-2]) if at_end else (points[0], points[1])
        step = tip - before
        ray = LineString([tip, tip + step / max(float(np.hypot(*step)), 1e-9) * 2 * width_m])
        free = robust.intersection(ray, flyable)
        pieces = shapely.get_parts(free)
        near = [p for p in pieces if p.length > 0 and p.distance(shapely.Point(tip)) < 1e-6]
        if near:
            reached = shapely.get_coordinates(near[0])
            far = reached[np.argmax(np.hypot(*(reached - tip).T))][None, :]
            points = np.concatenate([points, far] if at_end else [far, points])
    return points


def _inside(points: Floats, flyable: BaseGeometry) -> list[Floats]:
    """The stretches of a path on ground that may be flown."""
    if len(points) < 2:
        return []
    line = LineString(points)
    if shapely.covers(flyable, line):
        return [points]
    kept = shapely.get_parts(shapely.line_merge(robust.intersection(line, flyable)))
    return [
        shapely.get_coordinates(part)
        for part in kept
        if part.geom_type == "LineString" and part.length >= SHORTEST_M
    ]
