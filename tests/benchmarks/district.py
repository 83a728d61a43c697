"""A synthetic district of any size: jittered streets, buildings, blind spots of every kind beside
them, zones, pads and a fleet.

Everything follows from the seed. Geometry is made in arrays: a hundred thousand buildings take
a second. Makes no claim on any real town: it is there to measure with. `district_files` writes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from skymist.coverage.drones import Drone
from skymist.coverage.frames import Origin
from skymist.coverage.site import (
    BlindSpot,
    Building,
    Kind,
    LevelName,
    Mode,
    NoSpray,
    Pad,
    Receptor,
    Site,
    Zone,
)
from skymist.missions.defaults import default_agents, default_levels, drone_models, kind_mode

Numbers = NDArray[np.float64]
LOT_X_M, LOT_Y_M = 30.0, 30.0
LOTS_X, LOTS_Y = 5, 4
"""Lots of a block, in a row and in a column; each has one building."""
BUILDINGS_PER_SPOT = 5
SPOTS_PER_DRONE = 334
"""So that 20,000 spots have 60 drones."""
ZONE_BLOCKS = 6
ORIGIN = Origin(lat_deg=22.66, lon_deg=114.03, amsl_m=40.0)
MODEL_ID = "hexa-16"

SHAPES: dict[Kind, tuple[str, float, tuple[float, float], tuple[float, float], tuple[float, float]]]
SHAPES = {
    # kind: geometry, share, middle in the lot (x, y), size least, size most (x, y in metres)
    Kind.REFUSE_POINT: ("point", 0.20, (10.0, -12.5), (1.0, 0), (2.4, 0)),
    Kind.BACK_ALLEY: ("line_y", 0.16, (14.5, 0.0), (14.0, 2.0), (26.0, 5.0)),
    Kind.GREEN_BELT: ("line_x", 0.10, (0.0, -13.5), (14.0, 1.5), (26.0, 3.5)),
    Kind.YARD: ("polygon", 0.10, (0.0, 12.0), (8.0, 5.0), (22.0, 7.0)),
    Kind.PARKING_YARD: ("polygon", 0.06, (0.0, 12.0), (14.0, 6.0), (26.0, 8.0)),
    Kind.REFUSE_STATION: ("polygon", 0.06, (-9.0, -12.5), (4.0, 3.0), (6.0, 5.0)),
    Kind.MANHOLE_COVER: ("point", 0.07, (0.0, -13.0), (0.5, 0), (0.9, 0)),
    Kind.SEPTIC_COVER: ("point", 0.05, (0.0, 13.0), (0.6, 0), (1.4, 0)),
    Kind.OPEN_DRAIN: ("line_x", 0.05, (0.0, 14.5), (12.0, 0.6), (26.0, 1.2)),
    Kind.FLAT_ROOF: ("roof", 0.05, (0.0, 0.0), (0, 0), (0, 0)),
    Kind.BIKE_SHED: ("polygon", 0.03, (6.0, 13.0), (6.0, 2.5), (10.0, 3.0)),
    Kind.PUBLIC_TOILET: ("polygon", 0.02, (-8.0, 13.0), (5.0, 4.0), (7.0, 5.0)),
    Kind.GAP: ("line_y", 0.03, (14.8, 0.0), (8.0, 0.6), (12.0, 1.2)),
    Kind.DEMOLITION_SITE: ("polygon", 0.01, (0.0, 13.0), (18.0, 6.0), (26.0, 9.0)),
    Kind.TRANSFER_STATION: ("polygon", 0.01, (0.0, 13.0), (10.0, 6.0), (14.0, 8.0)),
}
LEVELS = {LevelName.RED: 0.2, LevelName.YELLOW: 0.35, LevelName.BLUE: 0.35, LevelName.GREEN: 0.1}
ROOF_MOST_M = 24.0
"""Roofs that are blind spots stand no higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots:
    """One row a lot: middle, turn of its block, zone; half sizes and height of its building."""

    xy: Numbers
    turn_rad: Numbers
    zone: NDArray[np.int64]
    half: Numbers
    height_m: Numbers
    street_x: Numbers = field(repr=False)
    street_y: Numbers = field(repr=False)

    def __len__(self) -> int:
        return len(self.xy)

    def placed(self, lots: NDArray[np.int64], local: Numbers) -> Numbers:
        """Points of the lots' own frames, shape (n, corners, 2), in the site's."""
        cos, sin = np.cos(self.turn_rad[lots])[:, None], np.sin(self.turn_rad[lots])[:, None]
        x, y = local[..., 0], local[..., 1]
        turned = np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)
        return np.round(turned + self.xy[lots][:, None, :], 3)


def _streets(rng: np.random.Generator, num: int, block_m: float) -> Numbers:
    """Middles of the streets before, between and after `num` blocks; 12 to 22 m wide."""
    steps = block_m + rng.uniform(12.0, 22.0, num)
    lines = np.concatenate([[0.0], np.cumsum(steps)])
    return np.round(lines - lines[-1] / 2, 3)


def made_lots(num_lots: int, rng: np.random.Generator) -> Lots:
    """Lots of as many whole blocks as it takes, in a square, cut to the number asked for."""
    num_blocks = math.ceil(num_lots / (LOTS_X * LOTS_Y))
    columns = math.ceil(math.sqrt(num_blocks * LOT_Y_M * LOTS_Y / (LOT_X_M * LOTS_X)))
    rows = math.ceil(num_blocks / columns)
    street_x = _streets(rng, columns, LOT_X_M * LOTS_X)
    street_y = _streets(rng, rows, LOT_Y_M * LOTS_Y)
    block = np.repeat(np.arange(num_blocks), LOTS_X * LOTS_Y)[:num_lots]
    within = np.tile(np.arange(LOTS_X * LOTS_Y), num_blocks)[:num_lots]
    column, row = block % columns, block // columns
    turn = rng.normal(0.0, 0.02, num_blocks)[block]
    dx = (within % LOTS_X - (LOTS_X - 1) / 2) * LOT_X_M
    dy = (within // LOTS_X - (LOTS_Y - 1) / 2) * LOT_Y_M
    middle_x = (street_x[column] + street_x[column + 1]) / 2
    middle_y = (street_y[row] + street_y[row + 1]) / 2
    cos, sin = np.cos(turn), np.sin(turn)
    xy = np.column_stack([middle_x + dx * cos - dy * sin, middle_y + dx * sin + dy * cos])
    zones_x = math.ceil(columns / ZONE_BLOCKS)
    height = np.clip(rng.lognormal(2.5, 0.6, num_lots), 4.0, 60.0)
    return Lots(
        xy=xy,
        turn_rad=turn,
        zone=(column // ZONE_BLOCKS + zones_x * (row // ZONE_BLOCKS)).astype(np.int64),
        half=np.column_stack([rng.uniform(6.0, 10.0, num_lots), rng.uniform(4.5, 7.0, num_lots)]),
        height_m=np.round(height, 1),
        street_x=street_x,
        street_y=street_y,
    )


def _rectangles(half: Numbers, middle: Numbers) -> Numbers:
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float)
    result: Numbers = middle[:, None, :] + half[:, None, :] * signs
    return result


def _footprints(lots: Lots, rng: np.random.Generator) -> NDArray[np.object_]:
    """A rectangle for two lots of three, an L for the third."""
    everything = np.arange(len(lots))
    made = np.empty(len(lots), dtype=object)
    is_l = rng.random(len(lots)) < 1 / 3
    plain, bent = everything[~is_l], everything[is_l]
    corners = _rectangles(lots.half, np.zeros((len(lots), 2)))
    made[plain] = shapely.polygons(lots.placed(plain, corners[plain]))
    notch = np.array([(-1, -1), (1, -1), (1, 0.1), (0.1, 0.1), (0.1, 1), (-1, 1)], dtype=float)
    made[bent] = shapely.polygons(lots.placed(bent, lots.half[bent][:, None, :] * notch))
    return made


def _buildings(lots: Lots, rng: np.random.Generator) -> tuple[Building, ...]:
    shapes = _footprints(lots, rng)
    return tuple(
        Building(id=f"b{i + 1:06d}", footprint=shape, height_m=float(height_m))
        for i, (shape, height_m) in enumerate(zip(shapes, lots.height_m, strict=True))
    )


def _shapes(
    form: str, lots: Lots, where: NDArray[np.int64], middle: Numbers, size: Numbers
) -> NDArray[np.object_]:
    """Points, lines along or across, or rectangles, in as many lots."""
    if form == "point":
        return np.asarray(shapely.points(lots.placed(where, middle[:, None, :])[:, 0]))
    if form == "polygon":
        return np.asarray(shapely.polygons(lots.placed(where, _rectangles(size / 2, middle))))
    along = np.array([1.0, 0.0]) if form == "line_x" else np.array([0.0, 1.0])
    steps = np.array([-0.5, 0.5])[None, :, None] * size[:, None, :1] * along
    return np.asarray(shapely.linestrings(lots.placed(where, middle[:, None, :] + steps)))


def _spots(
    lots: Lots, buildings: tuple[Building, ...], num_spots: int, rng: np.random.Generator
) -> tuple[BlindSpot, ...]:
    """At most one spot in a lot, in the order of the lots."""
    kinds, shares = list(SHAPES), np.array([row[1] for row in SHAPES.values()])
    chosen = np.sort(rng.choice(len(lots), num_spots, replace=False))
    of_kind = rng.choice(len(kinds), num_spots, p=shares / shares.sum())
    is_high = lots.height_m[chosen] > ROOF_MOST_M
    of_kind[is_high & (of_kind == kinds.index(Kind.FLAT_ROOF))] = kinds.index(Kind.YARD)
    level = rng.choice(len(LEVELS), num_spots, p=list(LEVELS.values()))
    made: dict[int, BlindSpot] = {}
    for number, kind in enumerate(kinds):
        form, _, centre, least, most = SHAPES[kind]
        mine = np.flatnonzero(of_kind == number)
        where = chosen[mine]
        size = rng.uniform(least, most, (len(mine), 2)).round(2)
        middle = np.array(centre) + rng.normal(0.0, 0.3, (len(mine), 2))
        is_roof = form == "roof"
        shapes = (
            np.array([buildings[i].footprint for i in where], dtype=object)
            if is_roof
            else _shapes(form, lots, where, middle, size)
        )
        for place, lot, shape, (long_m, wide_m) in zip(mine, where, shapes, size, strict=True):
            made[int(place)] = BlindSpot(
                id=f"s{place + 1:05d}",
                kind=kind,
                level=list(LEVELS)[level[place]],
                shape=shape,
                mode=kind_mode(kind),
                radius_m=float(long_m) if form == "point" else None,
                width_m=float(wide_m) if form.startswith("line") else None,
                elevation_m=float(lots.height_m[lot]) if is_roof else 0.0,
                zone_id=f"z{lots.zone[lot] + 1:03d}",
            )
    return tuple(made[place] for place in range(num_spots))


def _zones(lots: Lots) -> tuple[Zone, ...]:
    """Rectangles of blocks between middles of streets."""
    xs, ys = lots.street_x, lots.street_y
    left, low = xs[:-1:ZONE_BLOCKS], ys[:-1:ZONE_BLOCKS]
    right, top = np.append(left[1:], xs[-1]), np.append(low[1:], ys[-1])
    used = set(lots.zone.tolist())
    return tuple(
        Zone(
            id=f"z{number + 1:03d}",
            area=shapely.box(
                left[number % len(left)],
                low[number // len(left)],
                right[number % len(left)],
                top[number // len(left)],
            ),
            responsible=f"Post {number + 1}",
        )
        for number in range(len(left) * len(low))
        if number in used
    )


def _pads(lots: Lots, num_pads: int) -> tuple[Pad, ...]:
    """Crossings of streets, spread evenly."""
    columns = math.ceil(math.sqrt(num_pads))
    rows = math.ceil(num_pads / columns)
    made = []
    for k in range(num_pads):
        in_row = min(columns, num_pads - k // columns * columns)
        x = (k % columns + 0.5) / in_row * (len(lots.street_x) - 1)
        y = (k // columns + 0.5) / rows * (len(lots.street_y) - 1)
        x_m, y_m = lots.street_x[round(x)], lots.street_y[round(y)]
        made.append(Pad(id=f"p{k + 1}", x=float(x_m), y=float(y_m), capacity=1))
    return tuple(made)


def _no_spray(lots: Lots, num: int, rng: np.random.Generator) -> tuple[NoSpray, ...]:
    """Play corners and ponds behind buildings; some touch a spot."""
    where = np.sort(rng.choice(len(lots), num, replace=False))
    middle = lots.placed(where, np.array([[[12.0, 13.0]]]).repeat(num, axis=0))[:, 0]
    areas = shapely.buffer(shapely.points(middle), rng.uniform(2.0, 4.0, num), quad_segs=3)
    areas = shapely.set_precision(areas, 0.001, mode="pointwise")
    return tuple(
        NoSpray(id=f"n{k + 1:04d}", area=area, reason=("play corner", "pond")[k % 2])
        for k, area in enumerate(areas)
    )


def district(
    num_spots: int,
    *,
    num_buildings: int | None = None,
    num_drones: int | None = None,
    seed: int = 1,
    name: str = "",
) -> Site:
    """A district with five buildings to a spot and a drone to each 334 spots, or as asked."""
    rng = np.random.default_rng(seed)
    num_buildings = num_buildings or num_spots * BUILDINGS_PER_SPOT
    num_drones = num_drones or max(1, math.ceil(num_spots / SPOTS_PER_DRONE))
    if num_buildings < num_spots:
        raise ValueError(f"num_buildings: wanted {num_spots} or more, found {num_buildings}")
    lots = made_lots(num_buildings, rng)
    buildings = _buildings(lots, rng)
    spots = _spots(lots, buildings, num_spots, rng)
    no_spray = _no_spray(lots, max(1, num_spots // 50), rng)
    pads = _pads(lots, num_drones)
    model = drone_models()[MODEL_ID]
    schools = np.sort(rng.choice(len(lots), max(1, num_spots // 200), replace=False))
    return Site(
        name=name or f"District {seed} of {num_spots} spots",
        origin=ORIGIN,
        attribution="made up by tests/benchmarks/district.py",
        spots=spots,
        zones=_zones(lots),
        buildings=buildings,
        no_spray=no_spray,
        receptors=tuple(
            Receptor(id=f"r{k + 1:03d}", shape=shapely.Point(x, y), kind="school")
            for k, (x, y) in enumerate(lots.xy[schools].round(3).tolist())
        ),
        pads=pads,
        fleet=tuple(
            Drone(id=f"d-{k + 1}", model=model, pad_id=pad.id, sysid=k + 1)
            for k, pad in enumerate(pads)
        ),
        agents=tuple(default_agents()),
        surface_levels=tuple(default_levels(Mode.SURFACE)),
        vector_levels=tuple(default_levels(Mode.VECTOR)),
    )
