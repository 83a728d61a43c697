"""Oracles: the laws of plans and missions, checked by brute force that shares no code with them.

Each `assert_*` raises an `AssertionError` that lists every breach: where, and by how much. Only
the value types are imported, so that a fault in the planner cannot hide in its own check.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import (
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from skymist.coverage.drift import Wind
from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.frames import Geo, Origin
from skymist.coverage.plan import Leg, Pass, PassKind, Plan, Sortie, Treatment
from skymist.coverage.site import (
    Agent,
    BlindSpot,
    Building,
    Kind,
    Level,
    LevelName,
    Mode,
    NoSpray,
    Pad,
    Policy,
    Site,
)
from skymist.missions.items import Command, Frame, Item, Mission, PassSpan

Place = tuple[float, float, float]
Points = NDArray[np.float64]

STEP_M = 0.5
CELL_M = 0.25
CLEARANCE_SLACK_M = 0.06
HEIGHT_SLACK_M = 0.01
WET_SLACK_M2 = 0.05
OMITTED_SLACK_FRAC = 0.03
OMITTED_SLACK_M2 = 1.0
TRACK_SLACK_M = 0.6
FLOW_SLACK_FRAC = 0.03
REPEAT_M = 0.02
FENCE_MARGIN_M = 5.0
FENCE_CORNERS = 70
ITEMS_MAX = 650
WAYPOINT_RADIUS_M = 2.0
# ArduCopter passes over a DO_CHANGE_SPEED below this. Source: AC_WPNav.h, WPNAV_WP_SPEED_MIN.
SPEED_FLOOR_MPS = 0.1


def _judge(law: str, found: Iterable[str]) -> None:
    breaches = list(found)
    if breaches:
        shown = "\n  ".join(breaches[:12])
        more = f"\n  and {len(breaches) - 12} more" if len(breaches) > 12 else ""
        raise AssertionError(f"{law}: {len(breaches)} breaches\n  {shown}{more}")


def _at(xy: Sequence[float] | Points) -> str:
    return "(" + ", ".join(f"{value:.2f}" for value in xy) + ")"


# --- geometry -----------------------------------------------------------------------------------


def track(leg: Leg) -> tuple[Place, ...]:
    """The leg's corners in space."""
    if isinstance(leg, Pass):
        return tuple((x, y, leg.above_home_m) for x, y in leg.path)
    return leg.path


def sampled(path: Sequence[Sequence[float]], step_m: float = STEP_M) -> Points:
    """Points along a path, corners included, at most `step_m` apart."""
    rows = [np.asarray(path[:1], dtype=float)]
    for a, b in pairwise(path):
        count = max(1, math.ceil(math.dist(a, b) / step_m))
        parts = np.linspace(0, 1, count + 1)[1:, None]
        rows.append(np.asarray(a) + parts * (np.asarray(b) - np.asarray(a)))
    return np.vstack(rows)


def _straights(path: Sequence[Sequence[float]]) -> Iterator[list[tuple[float, float]]]:
    """The path cut where it turns back on itself, repeated points dropped."""
    piece: list[tuple[float, float]] = []
    for x, y in path:
        if piece and math.dist(piece[-1], (x, y)) < 1e-3:
            continue
        if len(piece) >= 2:
            (ax, ay), (bx, by) = piece[-2:]
            before, after = math.atan2(by - ay, bx - ax), math.atan2(y - by, x - bx)
            if math.cos(after - before) < -0.98:
                yield piece
                piece = piece[-1:]
        piece.append((x, y))
    if len(piece) >= 2:
        yield piece


def footprint(spray: Pass) -> BaseGeometry:
    """The ground that a pass wets: flat-ended strips, or the disc of a hover, as blown."""
    if spray.kind is PassKind.HOVER:
        return Point(landing(spray)[0]).buffer(spray.swath_m / 2, quad_segs=32)
    strips = [
        LineString(piece).buffer(spray.swath_m / 2, cap_style="flat", quad_segs=16)
        for piece in _straights(landing(spray))
    ]
    return unary_union(strips)


def landing(spray: Pass) -> list[tuple[float, float]]:
    """Where the spray of a pass lands; `assert_meets_wind` holds the displacement."""
    return [(x + spray.drift_m[0], y + spray.drift_m[1]) for x, y in spray.path]


def deposit(spray: Pass, cells: Points) -> NDArray[np.float64]:
    """Litres per square metre that one pass puts on each cell, evenly across its swath."""
    half_m = spray.swath_m / 2 + 1e-6
    if spray.kind is PassKind.HOVER:
        near = np.hypot(*(cells - landing(spray)[0]).T) <= half_m
        rate = spray.flow_lps * spray.hover_s / (math.pi * spray.swath_m**2 / 4)
        return np.where(near, rate, 0.0)
    rate = spray.flow_lps / (spray.swath_m * spray.speed_mps)
    total = np.zeros(len(cells))
    for piece in _straights(landing(spray)):
        straight = np.zeros(len(cells))
        for a, b in pairwise(piece):
            along_m = math.dist(a, b)
            ux, uy = (b[0] - a[0]) / along_m, (b[1] - a[1]) / along_m
            dx, dy = (cells - a).T
            s, t = dx * ux + dy * uy, dy * ux - dx * uy
            straight += (np.abs(t) <= half_m) & (s >= -1e-6) & (s <= along_m + 1e-6)
        for corner in piece[1:-1]:
            wedge = (straight == 0) & (np.hypot(*(cells - corner).T) <= half_m)
            straight += wedge
        total += straight
    return total * rate


def cells_of(area: BaseGeometry, cell_m: float = CELL_M) -> Points:
    """Centres of the cells in an area; a representative point where it holds none."""
    left, low, right, high = area.bounds
    xs = np.arange(left + cell_m / 2, right, cell_m)
    ys = np.arange(low + cell_m / 2, high, cell_m)
    grid = np.array(np.meshgrid(xs, ys)).reshape(2, -1).T
    shapely.prepare(area)
    inside = grid[shapely.contains_xy(area, grid[:, 0], grid[:, 1])]
    if len(inside):
        return inside
    middle = area.representative_point()
    return np.array([[middle.x, middle.y]])


def _pad_place(site: Site, pad_id: str) -> tuple[float, float]:
    pad = next(pad for pad in site.pads if pad.id == pad_id)
    return pad.x, pad.y


def _model(site: Site, drone_id: str) -> DroneModel:
    return next(drone.model for drone in site.fleet if drone.id == drone_id)


# --- 1: nothing is left out ---------------------------------------------------------------------


def assert_accounts_for_every_spot(plan: Plan) -> None:
    """Every spot, and every part of it, is treated or left to the ground crew with a reason."""
    _judge("every spot is treated or left with a reason", _unaccounted(plan))


def _unaccounted(plan: Plan) -> Iterator[str]:
    known = {spot.id for spot in plan.site.spots}
    treated = [t.spot_id for t in plan.treatments]
    if len(set(treated)) != len(treated):
        yield f"treated twice: {sorted(s for s in set(treated) if treated.count(s) > 1)}"
    for stray in ({*treated} | {task.spot_id for task in plan.ground}) - known:
        yield f"{stray}: no such spot"
    whole = {task.spot_id for task in plan.ground if task.is_whole_spot}
    for spot_id in whole & set(treated):
        yield f"{spot_id}: treated, and left whole to the ground crew"
    for spot_id in known - whole - set(treated):
        yield f"{spot_id}: not treated, and no ground task takes all of it"
    for task in plan.ground:
        if not task.text.strip():
            yield f"{task.spot_id}: ground task without words"
        if not task.area_m2 > 0:
            yield f"{task.spot_id}: ground task over {task.area_m2} m2"
        elif task.spot_id in known:
            outside = task.area.difference(plan.site.spot(task.spot_id).area.buffer(0.01)).area
            is_around = plan.site.spot(task.spot_id).kind in (Kind.BIKE_SHED, Kind.ROOFED_MARKET)
            if outside > 0.5 and not is_around:
                yield f"{task.spot_id}: ground task lies {outside:.2f} m2 outside the spot"
    flown = {spot_id for sortie in plan.sorties for spot_id in sortie.spot_ids}
    for spot_id in flown ^ set(treated):
        yield f"{spot_id}: {'flown, not' if spot_id in flown else 'not flown, but'} in treatments"
    areas: dict[str, list[BaseGeometry]] = defaultdict(list)
    for task in plan.ground:
        areas[task.spot_id].append(task.area)
    for t in plan.treatments:
        areas[t.spot_id].append(t.target)
    for spot in plan.site.spots:
        parts = areas[spot.id]
        if not parts:
            yield f"{spot.id}: neither treated nor left to the ground crew"
            continue
        left = spot.area.difference(unary_union([part.buffer(0.02) for part in parts]))
        if left.area > max(OMITTED_SLACK_M2, OMITTED_SLACK_FRAC * spot.area.area):
            where = left.representative_point()
            yield (
                f"{spot.id}: {left.area:.2f} of {spot.area.area:.2f} m2 neither targeted nor on "
                f"the ground list, as at {_at((where.x, where.y))}"
            )


# --- 2: no-spray ground stays dry ---------------------------------------------------------------


def assert_keeps_off_no_spray(plan: Plan) -> None:
    """No pass wets ground that no spray may reach."""
    _judge("no-spray ground stays dry", _wet_no_spray(plan))


def _wet_no_spray(plan: Plan) -> Iterator[str]:
    for sortie in plan.sorties:
        for index, spray in enumerate(sortie.passes):
            strip = footprint(spray)
            for area in plan.site.no_spray:
                wet = strip.intersection(area.area)
                if wet.area > WET_SLACK_M2:
                    yield (
                        f"{sortie.id} pass {index} ({spray.spot_id}, {spray.kind}): "
                        f"{wet.area:.3f} m2 on {area.id} at {_at(wet.centroid.coords[0])}"
                    )


# --- 3: flight clearance ------------------------------------------------------------------------


@dataclass(frozen=True)
class Obstacles:
    """The buildings of a site, asked one point at a time."""

    buildings: tuple[Building, ...]
    tree: shapely.STRtree = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "tree", shapely.STRtree([building.footprint for building in self.buildings])
        )

    def too_near(self, points: Points, keep_m: float, margin_m: float) -> Iterator[str]:
        """The worst point beside each building that stands above the flight height."""
        if not self.buildings:
            return
        spots: NDArray[Any] = np.asarray(shapely.points(points[:, :2]))
        of_point, of_building = self.tree.query(spots, predicate="dwithin", distance=keep_m)
        for index in np.unique(of_building):
            building = self.buildings[index]
            rows = of_point[of_building == index]
            rows = rows[building.height_m > points[rows, 2] - margin_m + HEIGHT_SLACK_M]
            if not len(rows):
                continue
            gaps = np.asarray(shapely.distance(spots[rows], building.footprint))
            worst = int(np.argmin(gaps))
            if gaps[worst] < keep_m - CLEARANCE_SLACK_M:
                yield (
                    f"{_at(points[rows[worst]])} is {gaps[worst]:.2f} m from {building.id} "
                    f"({building.height_m:g} m high), wanted {keep_m:.2f} m"
                )


def assert_clears_buildings(plan: Plan) -> None:
    """Passes and transits keep body and clearance from all that stands in their way."""
    _judge("flight clear of buildings", _too_near(plan))


def _too_near(plan: Plan) -> Iterator[str]:
    site, policy = plan.site, plan.site.policy
    obstacles = Obstacles(site.buildings)
    for sortie in plan.sorties:
        keep_m = _model(site, sortie.drone_id).body_m / 2 + policy.clearance_m
        for index, leg in enumerate(sortie.legs):
            points = sampled(track(leg))
            name = f"{sortie.id} leg {index} ({_leg_name(leg)})"
            for breach in obstacles.too_near(points, keep_m, policy.building_margin_m):
                yield f"{name}: {breach}"


def _leg_name(leg: Leg) -> str:
    return f"{leg.kind} over {leg.spot_id}" if isinstance(leg, Pass) else "transit"


def assert_within_envelope(plan: Plan) -> None:
    """Heights, speeds and distances stay within policy and machine."""
    _judge("policy and machine envelope", _outside_envelope(plan))


def _outside_envelope(plan: Plan) -> Iterator[str]:
    site, policy = plan.site, plan.site.policy
    for sortie in plan.sorties:
        model = _model(site, sortie.drone_id)
        pad = _pad_place(site, sortie.pad_id)
        for index, leg in enumerate(sortie.legs):
            name = f"{sortie.id} leg {index} ({_leg_name(leg)})"
            corners = track(leg)
            top_m, low_m = max(p[2] for p in corners), min(p[2] for p in corners)
            if not top_m <= policy.ceiling_m + HEIGHT_SLACK_M:
                yield f"{name}: {top_m:.2f} m is above the ceiling of {policy.ceiling_m:g} m"
            if not low_m >= 0:
                yield f"{name}: {low_m:.2f} m is below home"
            far_m = max(math.dist(pad, p[:2]) for p in corners)
            if not far_m <= policy.radius_m + 0.1:
                yield f"{name}: {far_m:.0f} m from the pad, radius {policy.radius_m:g} m"
            limit_mps = model.speed_mps if isinstance(leg, Pass) else model.cruise_mps
            limit_mps = min(limit_mps, policy.speed_max_mps)
            hovers = isinstance(leg, Pass) and leg.kind is PassKind.HOVER
            if not hovers and not SPEED_FLOOR_MPS <= leg.speed_mps <= limit_mps + 1e-6:
                yield f"{name}: {leg.speed_mps:.3f} m/s, wanted {SPEED_FLOOR_MPS} to {limit_mps}"
            if isinstance(leg, Pass):
                for a, b in pairwise(leg.path):
                    if math.dist(a, b) < REPEAT_M:
                        yield f"{name}: corner {_at(a)} twice ({math.dist(a, b):.5f} m)"
                yield from _pass_outside(name, leg, site, model)


def _pass_outside(name: str, spray: Pass, site: Site, model: DroneModel) -> Iterator[str]:
    pump = model.sprayer
    if not pump.flow_min_lps - 1e-9 <= spray.flow_lps <= pump.flow_max_lps + 1e-9:
        yield (
            f"{name}: flow {spray.flow_lps:.4f} L/s, pump gives {pump.flow_min_lps:.4f} to "
            f"{pump.flow_max_lps:.4f}"
        )
    over_m = spray.above_home_m - site.spot(spray.spot_id).elevation_m
    if not over_m >= 1.0:
        yield f"{name}: {over_m:.2f} m above the surface, wanted 1 m or more"


def assert_turns_are_flyable(plan: Plan) -> None:
    """No pass follows a curve that its speed and the machine's acceleration cannot hold."""
    _judge("curves at pass speed", _too_tight(plan))


def _too_tight(plan: Plan) -> Iterator[str]:
    """Curves drawn with corners closer than a second's flight, tighter than 3 times `accel_mps2`.

    Single sharp corners are left out: the copter slows down for them, and is asked to.
    """
    for sortie in plan.sorties:
        limit_mps2 = 3 * _model(plan.site, sortie.drone_id).accel_mps2
        for index, spray in enumerate(sortie.passes):
            worst = (0.0, (0.0, 0.0))
            for a, b, c in zip(spray.path, spray.path[1:], spray.path[2:], strict=False):
                sides = math.dist(a, b), math.dist(b, c), math.dist(a, c)
                if max(sides[:2]) > min(2.0, spray.speed_mps):
                    continue
                twice_m2 = abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
                bend = 2 * twice_m2 / math.prod(sides) if math.prod(sides) > 1e-9 else 0.0
                worst = max(worst, (spray.speed_mps**2 * bend, b))
            if worst[0] > limit_mps2:
                yield (
                    f"{sortie.id} pass {index} ({spray.spot_id}, {spray.kind}): {worst[0]:.1f} "
                    f"m/s2 at {spray.speed_mps:.2f} m/s near {_at(worst[1])}, wanted "
                    f"{limit_mps2:g} or less"
                )


# --- 4: sorties ---------------------------------------------------------------------------------


def assert_sorties_hold(plan: Plan) -> None:
    """Each sortie is one unbroken flight within tank and battery, with one agent."""
    _judge("sorties within tank and battery", _broken_sorties(plan))


def _broken_sorties(plan: Plan) -> Iterator[str]:
    ids = [sortie.id for sortie in plan.sorties]
    if len(set(ids)) != len(ids):
        yield f"sortie ids are not unique: {ids}"
    for sortie in plan.sorties:
        for breach in (*_broken_track(plan, sortie), *_overdrawn(plan, sortie)):
            yield f"{sortie.id}: {breach}"


def _broken_track(plan: Plan, sortie: Sortie) -> Iterator[str]:
    drone = next(drone for drone in plan.site.fleet if drone.id == sortie.drone_id)
    if sortie.pad_id != drone.pad_id:
        yield f"from pad {sortie.pad_id}, but {drone.id} stands on {drone.pad_id}"
    if not sortie.passes:
        yield "sprays nothing"
        return
    if isinstance(sortie.legs[0], Pass) or isinstance(sortie.legs[-1], Pass):
        yield "first and last leg must be transits"
    pad = _pad_place(plan.site, sortie.pad_id)
    for word, place in (
        ("starts", track(sortie.legs[0])[0]),
        ("ends", track(sortie.legs[-1])[-1]),
    ):
        if math.dist(place[:2], pad) > 0.1:
            yield f"{word} {math.dist(place[:2], pad):.2f} m from its pad"
    for index, (before, after) in enumerate(pairwise(sortie.legs)):
        gap_m = math.dist(track(before)[-1], track(after)[0])
        if gap_m > 0.1:
            yield f"legs {index} and {index + 1} are {gap_m:.2f} m apart"


def _overdrawn(plan: Plan, sortie: Sortie) -> Iterator[str]:
    model, policy = _model(plan.site, sortie.drone_id), plan.site.policy
    litres_l = math.fsum(spray.litres_l for spray in sortie.passes)
    if abs(litres_l - sortie.litres_l) > 1e-6:
        yield f"says {sortie.litres_l:.4f} L, passes put out {litres_l:.4f} L"
    if not litres_l <= sortie.carried_l + 1e-6:
        yield f"puts out {litres_l:.3f} L of {sortie.carried_l:.3f} L carried"
    if not sortie.carried_l <= model.sprayer.tank_l + 1e-6:
        yield f"carries {sortie.carried_l:.3f} L in a tank of {model.sprayer.tank_l:g} L"
    for agent_id in {plan.treatment(s).agent_id for s in sortie.spot_ids} - {sortie.agent_id}:
        yield f"carries {sortie.agent_id}, sprays spots that want {agent_id}"
    if not 0 < sortie.battery_frac <= 1 - policy.reserve_frac + 1e-9:
        yield f"draws {sortie.battery_frac:.3f}, reserve {policy.reserve_frac:g}"
    least_s, most_s, least_frac, most_frac = draw_bounds(sortie, model, plan.wind)
    if not least_s - 1e-6 <= sortie.duration_s <= most_s:
        yield f"lasts {sortie.duration_s:.0f} s, wanted {least_s:.0f} to {most_s:.0f} s"
    if not least_frac - 1e-6 <= sortie.battery_frac <= most_frac:
        yield f"draws {sortie.battery_frac:.3f}, wanted {least_frac:.3f} to {most_frac:.3f}"


def draw_bounds(
    sortie: Sortie, model: DroneModel, wind: Wind | None = None
) -> tuple[float, float, float, float]:
    """Least and most seconds, least and most battery share, that the sortie can take.

    The least: full speed everywhere, no slowing at corners, power of the falling mass, and what the
    wind adds to each straight. The most: 1.6 times that at full weight with the wind of the worst
    straight, a minute more, and 8 s for each corner.
    """
    carried_l, least_s, used_ws, corners = sortie.carried_l, 0.0, 0.0, 0
    start_m, end_m = track(sortie.legs[0])[0][2], track(sortie.legs[-1])[-1][2]
    for leg_s, litres_l in (
        (start_m / model.climb_mps, 0.0),
        *((_least_s(leg, model), getattr(leg, "litres_l", 0.0)) for leg in sortie.legs),
        (end_m / model.descent_mps, 0.0),
    ):
        used_ws += leg_s * model.hover_power_w(max(0.0, carried_l - litres_l))
        least_s += leg_s
        carried_l -= litres_l
    straights = [part for leg in sortie.legs for part in _windy_straights(leg, model, wind)]
    used_ws += math.fsum(seconds * watts for seconds, watts in straights)
    corners = sum(len(leg.path) for leg in sortie.legs)
    most_s = 1.6 * least_s + 60 + 8 * corners
    full_ws = model.battery_wh * 3600
    worst_w = max((watts for _, watts in straights), default=0.0)
    most_ws = most_s * (model.hover_power_w(sortie.carried_l) + worst_w)
    return least_s, most_s, used_ws / full_ws, most_ws / full_ws


def _windy_straights(
    leg: Leg, model: DroneModel, wind: Wind | None
) -> Iterator[tuple[float, float]]:
    """Least seconds of each straight of a leg, and the watts that the wind adds to a hover there.

    Drag: 1.204 kg/m3, an area of 0.15 body_m^2, 70 % efficiency (docs/planning.md).
    """
    if wind is None:
        return
    factor = 0.5 * 1.204 * 0.15 * model.body_m**2 / 0.7
    blowing = complex(wind.east_mps, wind.north_mps)
    if isinstance(leg, Pass) and leg.kind is PassKind.HOVER:
        yield leg.hover_s, factor * abs(blowing) ** 3
        return
    for a, b in pairwise(track(leg)):
        vertical_mps = model.climb_mps if b[2] > a[2] else model.descent_mps
        seconds = max(math.dist(a[:2], b[:2]) / leg.speed_mps, abs(b[2] - a[2]) / vertical_mps)
        if seconds > 0:
            over_ground = complex(b[0] - a[0], b[1] - a[1]) / seconds
            more = abs(over_ground - blowing) ** 3 - abs(over_ground) ** 3
            yield seconds, factor * max(more, abs(blowing) ** 3)


def _least_s(leg: Leg, model: DroneModel) -> float:
    if isinstance(leg, Pass):
        return leg.spray_s
    seconds = 0.0
    for a, b in pairwise(leg.path):
        vertical_mps = model.climb_mps if b[2] > a[2] else model.descent_mps
        seconds += max(math.dist(a[:2], b[:2]) / leg.speed_mps, abs(b[2] - a[2]) / vertical_mps)
    return seconds


# --- 5: dose ------------------------------------------------------------------------------------


def assert_doses(plan: Plan) -> None:
    """What the sorties put down reaches the dose on what each treatment promises."""
    _judge("dose reached where promised", _underdosed(plan))


def _underdosed(plan: Plan) -> Iterator[str]:
    sprays: dict[str, list[Pass]] = defaultdict(list)
    for sortie in plan.sorties:
        for spray in sortie.passes:
            sprays[spray.spot_id].append(spray)
    for treatment in plan.treatments:
        if treatment.spot_id in sprays:
            yield from _wrong_dose(plan, treatment, sprays[treatment.spot_id])


def _wrong_dose(plan: Plan, treatment: Treatment, sprays: list[Pass]) -> Iterator[str]:
    spot = plan.site.spot(treatment.spot_id)
    level = plan.site.level_for(spot)
    asked = level.dose_l_per_m2 if spot.dose_l_per_m2 is None else spot.dose_l_per_m2
    if not math.isclose(treatment.dose_l_per_m2, asked, rel_tol=1e-6):
        yield f"{spot.id}: dose {treatment.dose_l_per_m2} L/m2, the site asks {asked}"
    if treatment.agent_id != (spot.agent_id or level.agent_id):
        yield f"{spot.id}: agent {treatment.agent_id}, the site asks another"
    outside = treatment.target.difference(spot.area.buffer(0.01)).area
    is_around = any(spray.kind is PassKind.PERIMETER for spray in sprays)
    if outside > 0.5 and not is_around:
        yield f"{spot.id}: target lies {outside:.2f} m2 outside the spot"
    left = [task.area for task in plan.ground if task.spot_id == spot.id]
    target = treatment.target.difference(unary_union(left).buffer(0.05))
    if target.area < 0.1:
        return
    cells = _strewn(target)
    dose = sum((deposit(spray, cells) for spray in sprays), np.zeros(len(cells)))
    reached = dose >= 0.9 * asked
    if reached.mean() < 0.95:
        where = cells[np.argmin(dose)]
        yield (
            f"{spot.id}: {reached.mean():.1%} of {target.area:.2f} m2 has 90 % of "
            f"{asked * 1000:g} mL/m2 ({_says(treatment)}); {dose.min() * 1000:.2f} at {_at(where)}"
        )
    swath_m = max(spray.swath_m for spray in sprays)
    if not spot.area.buffer(-swath_m / 4).is_empty and dose.mean() >= 4 * asked:
        yield f"{spot.id}: mean dose is {dose.mean() / asked:.1f} times what was asked"


def _strewn(target: BaseGeometry) -> Points:
    """Places all over a target, at least 60 each way, one anywhere in each cell.

    Where a swath runs along the sides of a small spot, rows of cell centres would all fall on one
    side of its edge: 25 cm misjudge a spot of 5 m by more than a point.
    """
    cell_m = min(CELL_M, math.sqrt(target.area) / 60)
    left, low, right, high = target.bounds
    size = math.ceil((right - left) / cell_m), math.ceil((high - low) / cell_m)
    grid = np.indices(size).reshape(2, -1).T + np.random.default_rng(0).random((math.prod(size), 2))
    places = grid * cell_m + (left, low)
    shapely.prepare(target)
    inside = places[shapely.contains_xy(target, places[:, 0], places[:, 1])]
    return inside if len(inside) else cells_of(target)


def _says(treatment: Treatment) -> str:
    return f"the plan says {treatment.expected_frac:.1%} of {treatment.target.area:.2f} m2"


# --- 6: schedule --------------------------------------------------------------------------------


def assert_schedule_holds(plan: Plan) -> None:
    """Drones fly one sortie at a time, are refilled and recharged, and keep apart."""
    rules = (_crowded_pads, _short_of_crew, _too_close, _too_many_on_pad, _past_day)
    _judge("schedule", (breach for rule in rules for breach in rule(plan)))


def _too_many_on_pad(plan: Plan) -> Iterator[str]:
    """Pads on whose ground, at some landing or at the start, stand more drones than they take."""
    flown = _by_drone(plan)
    for pad in plan.site.pads:
        home = [d.id for d in plan.site.fleet if d.pad_id == pad.id and d.id in flown]
        moments = [0.0] + [s.start_s + s.duration_s for d in home for s in flown[d]]
        for at_s in sorted(moments) if pad.capacity else ():
            aloft = sum(
                any(
                    s.start_s < at_s - 1e-6 and at_s < s.start_s + s.duration_s - 1e-6
                    for s in flown[d]
                )
                for d in home
            )
            if len(home) - aloft > (pad.capacity or 0):
                yield (
                    f"pad {pad.id}: {len(home) - aloft} drones stand on it at {at_s:.0f} s, "
                    f"it takes {pad.capacity}"
                )
                break
    places: dict[str, list[tuple[str, float, float]]] = {}
    for pad in plan.site.pads:
        if pad.group and any(d.pad_id == pad.id and d.id in flown for d in plan.site.fleet):
            places.setdefault(pad.group, []).append((pad.id, pad.x, pad.y))
    for some in places.values():
        for (one, ax, ay), (other, bx, by) in itertools.combinations(some, 2):
            if math.dist((ax, ay), (bx, by)) < plan.site.policy.separation_m:
                yield f"stands {one} and {other}: {math.dist((ax, ay), (bx, by)):.1f} m apart"


def _past_day(plan: Plan) -> Iterator[str]:
    """Sorties beyond the days that the policy gives: `day_s` of each 24 h from the start."""
    policy = plan.site.policy
    for sortie in plan.sorties if policy.day_s else ():
        day, begun_s = divmod(sortie.start_s, 86400.0)
        if day >= policy.num_days or begun_s + sortie.duration_s > (policy.day_s or 0) + 1e-6:
            yield f"{sortie.id}: lands {begun_s + sortie.duration_s:.0f} s into day {day + 1:.0f}"


# --- hours --------------------------------------------------------------------------------------


def assert_keeps_hours(plan: Plan) -> None:
    """Nothing is sprayed outside the hours of its spot, zone and mode; nobody flies when closed."""
    _judge("hours and closures", _outside_hours(plan))


def _open_at(hours: Sequence[Any], clock_s: float) -> bool:
    """Whether a time of day lies in some hours; those past midnight go on the next day."""
    day_s = clock_s % 86400.0
    return any(
        h.start_s - 1e-6 <= moment <= h.end_s + 1e-6
        for h in hours
        for moment in (day_s, day_s + 86400.0)
    )


def _leg_times(sortie: Sortie, model: DroneModel) -> tuple[list[tuple[Leg, float, float]], float]:
    """When each leg begins and ends after take-off at full speed, and the seconds to spare."""
    made, now_s = [], track(sortie.legs[0])[0][2] / model.climb_mps
    for leg in sortie.legs:
        made.append((leg, now_s, now_s + _least_s(leg, model)))
        now_s += _least_s(leg, model)
    return made, max(
        0.0, sortie.duration_s - now_s - track(sortie.legs[-1])[-1][2] / model.descent_mps
    )


def _outside_hours(plan: Plan) -> Iterator[str]:
    """Breaches wherever in the sorties the spare time is spent: a fair law needs no tolerance."""
    site, policy = plan.site, plan.site.policy
    timed = [*policy.hours, *policy.vector_hours, *site.closures]
    timed += [h for thing in (*site.spots, *site.zones) for h in thing.hours]
    if plan.start is None:
        if timed:
            yield "the site has hours, but the plan does not say when it starts"
        return
    zones = {zone.id: zone.hours for zone in site.zones}
    for sortie in plan.sorties if timed else ():
        begun_s = plan.start.clock_s + sortie.start_s
        aloft = begun_s + np.linspace(0, sortie.duration_s, 60)
        if policy.hours and not all(_open_at(policy.hours, at_s) for at_s in aloft):
            yield f"{sortie.id}: in the air outside the policy's hours"
        legs, spare_s = _leg_times(sortie, _model(site, sortie.drone_id))
        for leg, first_s, last_s in legs:
            tries = [
                begun_s + frac * spare_s + np.linspace(first_s, last_s, 9)
                for frac in (0.0, 0.25, 0.5, 0.75, 1.0)
            ]
            if isinstance(leg, Pass):
                treated = site.spot(leg.spot_id)
                kept = [treated.hours, zones.get(treated.zone_id or "", ())]
                kept += [policy.vector_hours] if treated.mode is not Mode.SURFACE else []
                for hours in kept:
                    if hours and not any(all(_open_at(hours, t) for t in some) for some in tries):
                        yield f"{sortie.id}: sprays {leg.spot_id} outside its hours"
            places = np.array([p[:2] for p in track(leg)])
            for closure in site.closures:
                over = (
                    shapely.points(sampled(places)) if len(places) > 1 else shapely.points(places)
                )
                if shapely.intersects(closure.area, over).any() and all(
                    all(_open_at(closure.hours, t) for t in some) for some in tries
                ):
                    yield f"{sortie.id}: over {closure.id} while it is closed"


def _by_drone(plan: Plan) -> dict[str, list[Sortie]]:
    flown: dict[str, list[Sortie]] = {}
    for sortie in sorted(plan.sorties, key=lambda s: s.start_s):
        flown.setdefault(sortie.drone_id, []).append(sortie)
    return flown


def _stop_s(sortie: Sortie, agent_before: str | None, policy: Policy) -> float:
    """What service before a sortie takes: the tank, rinsed for another agent, and the battery."""
    fill_s = policy.refill_s if sortie.refill_before else 0.0
    if sortie.refill_before and agent_before not in (None, sortie.agent_id):
        fill_s += policy.rinse_s
    swap_s = policy.swap_s if sortie.swap_before else 0.0
    return max(fill_s, swap_s) if policy.is_swap_in_refill else fill_s + swap_s


def _short_of_crew(plan: Plan) -> Iterator[str]:
    """Pads where more must be served than their crews can do, in any stretch of time."""
    works: dict[str, list[tuple[float, float, float]]] = {}
    groups = {pad.id: pad.group or pad.id for pad in plan.site.pads}
    for sorties in _by_drone(plan).values():
        for before, sortie in pairwise(sorties):
            need_s = _stop_s(sortie, before.agent_id, plan.site.policy)
            landed_s = before.start_s + before.duration_s
            works.setdefault(groups[sortie.pad_id], []).append((landed_s, sortie.start_s, need_s))
    for pad in {pad.group or pad.id: pad for pad in plan.site.pads}.values():
        some = works.get(pad.group or pad.id, []) if pad.num_crews else []
        for (first_s, _, _), (_, last_s, _) in itertools.product(some, some):
            if last_s <= first_s:
                continue
            inside_s = sum(w for a, b, w in some if a >= first_s - 1e-6 and b <= last_s + 1e-6)
            if inside_s > (pad.num_crews or 0) * (last_s - first_s) + 1e-6:
                yield (
                    f"pad {pad.id}: {inside_s:.0f} s of service in {last_s - first_s:.0f} s "
                    f"by {pad.num_crews} crews"
                )


def _crowded_pads(plan: Plan) -> Iterator[str]:
    policy = plan.site.policy
    for drone_id, sorties in _by_drone(plan).items():
        model = _model(plan.site, drone_id)
        used_frac, left_l, agent_id = 0.0, math.inf, None
        if sorties[0].start_s < -1e-9:
            yield f"{sorties[0].id}: starts at {sorties[0].start_s:.1f} s"
        for before, sortie in zip((None, *sorties), sorties, strict=False):
            if before is not None:
                need_s = _stop_s(sortie, agent_id, policy)
                gap_s = sortie.start_s - before.start_s - before.duration_s
                if gap_s < need_s - 1e-6:
                    yield f"{sortie.id}: {gap_s:.1f} s after {before.id}, needs {need_s:g} s"
                if not sortie.refill_before and sortie.agent_id != agent_id:
                    yield f"{sortie.id}: changes to {sortie.agent_id} without a refill"
                if not sortie.refill_before and sortie.carried_l > left_l + 1e-6:
                    yield f"{sortie.id}: carries {sortie.carried_l:.2f} L, {left_l:.2f} L left"
            used_frac = sortie.battery_frac + (0.0 if sortie.swap_before else used_frac)
            if used_frac > 1 - policy.reserve_frac + 1e-9:
                yield f"{sortie.id}: {used_frac:.3f} of the battery used since the last swap"
            left_l, agent_id = sortie.carried_l - sortie.litres_l, sortie.agent_id
            if sortie.carried_l > model.sprayer.tank_l + 1e-6:
                yield f"{sortie.id}: carries more than the tank holds"


def positions(sortie: Sortie, model: DroneModel, early_frac: float = 0.5) -> Points:
    """Where the drone is at each whole second of the plan's clock: rows of t, x, y, z.

    Rebuilt from lengths and speeds alone. What the sortie lasts beyond that is spent on the pad
    before take-off (`early_frac`) and after landing.
    """
    first, last = track(sortie.legs[0])[0], track(sortie.legs[-1])[-1]
    times, places = [0.0, first[2] / model.climb_mps], [(*first[:2], 0.0), first]
    for leg in sortie.legs:
        if isinstance(leg, Pass) and leg.kind is PassKind.HOVER:
            times.append(times[-1] + leg.hover_s)
            places.append(places[-1])
            continue
        for a, b in pairwise(track(leg)):
            vertical_mps = model.climb_mps if b[2] > a[2] else model.descent_mps
            flat_s = math.dist(a[:2], b[:2]) / leg.speed_mps
            times.append(times[-1] + max(flat_s, abs(b[2] - a[2]) / vertical_mps))
            places.append(b)
    times.append(times[-1] + last[2] / model.descent_mps)
    places.append((*last[:2], 0.0))
    wait_s = (sortie.duration_s - times[-1]) * early_frac
    clock = np.arange(math.ceil(sortie.start_s), sortie.start_s + sortie.duration_s)
    known = sortie.start_s + wait_s + np.array(times)
    axes = [np.interp(clock, known, column) for column in np.array(places).T]
    return np.column_stack([clock, *axes])


def _too_close(plan: Plan) -> Iterator[str]:
    """Pairs near each other for 8 s and more, wherever in the sorties the spare time is spent."""
    for one, other in _met(plan):
        found = []
        for early in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5)):
            ours, theirs = (
                positions(sortie, _model(plan.site, sortie.drone_id), early_frac)
                for sortie, early_frac in zip((one, other), early, strict=True)
            )
            found.append(_longest_near(ours, theirs, plan.site.policy.separation_m / 2))
        longest_s, apart_m, place = min(found, key=lambda near: near[0])
        if longest_s > 8:
            yield (
                f"{one.id} and {other.id}: {apart_m:.1f} m apart near {_at(place[1:])} at "
                f"{place[0]:.0f} s, under half of the separation for {longest_s} s"
            )


def _met(plan: Plan) -> Iterator[tuple[Sortie, Sortie]]:
    """Sorties of two drones aloft at one time over ground less than the separation apart."""
    ways = {
        sortie.id: MultiPoint([p[:2] for leg in sortie.legs for p in track(leg)]).envelope
        for sortie in plan.sorties
    }
    aloft: list[Sortie] = []
    for other in sorted(plan.sorties, key=lambda sortie: sortie.start_s):
        aloft = [one for one in aloft if one.start_s + one.duration_s > other.start_s]
        for one in aloft:
            gap_m = ways[one.id].distance(ways[other.id])
            if one.drone_id != other.drone_id and gap_m < plan.site.policy.separation_m:
                yield one, other
        aloft.append(other)


def _longest_near(ours: Points, theirs: Points, near_m: float) -> tuple[int, float, Points]:
    """Seconds in a row under `near_m` across the ground, the least distance, and where."""
    _, mine, its = np.intersect1d(ours[:, 0], theirs[:, 0], return_indices=True)
    if not len(mine):
        return 0, math.inf, np.zeros(4)
    apart_m = np.linalg.norm(ours[mine, 1:3] - theirs[its, 1:3], axis=1)
    aloft = (ours[mine, 3] > 0.1) & (theirs[its, 3] > 0.1)
    run = longest = 0
    for near in (apart_m < near_m) & aloft:
        run = run + 1 if near else 0
        longest = max(longest, run)
    worst = int(np.argmin(np.where(aloft, apart_m, np.inf)))
    return longest, float(apart_m[worst]), ours[mine[worst]]


# --- wind ---------------------------------------------------------------------------------------

FALL_MPS = {50: 0.071, 100: 0.248, 150: 0.472, 200: 0.708, 300: 1.17}
"""Terminal velocity of droplets by diameter in um. Source: DOMAIN."""


def assert_meets_wind(plan: Plan) -> None:
    """Every pass is laid for as much drift as its droplets, its height and the wind give."""
    _judge("drift of the plan's wind", _wrong_drift(plan))


def _wrong_drift(plan: Plan) -> Iterator[str]:
    wind = (plan.wind.east_mps, plan.wind.north_mps) if plan.wind else (0.0, 0.0)
    for sortie in plan.sorties:
        sprayer = _model(plan.site, sortie.drone_id).sprayer
        fall_mps = sprayer.downwash_mps + float(
            np.interp(sprayer.droplet_um, list(FALL_MPS), list(FALL_MPS.values()))
        )
        for index, spray in enumerate(sortie.passes):
            over_m = spray.above_home_m - plan.site.spot(spray.spot_id).elevation_m
            wanted = [speed * over_m / fall_mps for speed in wind]
            if math.dist(wanted, spray.drift_m) > 0.01 + 0.02 * math.hypot(*wanted):
                yield f"{sortie.id} pass {index}: drift {spray.drift_m}, wanted {_at(wanted)}"


# --- 7: the same bytes --------------------------------------------------------------------------


def assert_same(name: str, one: object, other: object) -> None:
    """Two JSON values are equal; names the first place where they are not."""
    _judge(name, _differences(one, other, ""))


def _differences(one: object, other: object, place: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _differences(one.get(key), other.get(key), f"{place}.{key}")
    elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        if len(one) != len(other):
            yield f"{place}: {len(one)} and {len(other)} long"
        for index, (a, b) in enumerate(zip(one, other, strict=False)):
            yield from _differences(a, b, f"{place}[{index}]")
    elif one != other:
        yield f"{place}: {one!r} and {other!r}"


# --- 8: missions --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A straight part of the replayed flight, or a stop (`dwell_s`), with the pump on or off."""

    seq: int
    start: Place
    end: Place
    is_wet: bool
    speed_mps: float
    dwell_s: float = 0.0

    @property
    def length_m(self) -> float:
        return math.dist(self.start, self.end)


@dataclass(kw_only=True)
class Replay:
    """A mission run item by item, as ArduCopter would; `oddities` are what it would trip over."""

    mission: Mission
    site: Site
    place: Place = (0.0, 0.0, 0.0)
    is_on: bool = False
    speed_mps: float = 0.0
    stretches: list[Stretch] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    doubtful: list[Item] = field(default_factory=list)

    def run(self) -> Replay:
        self.speed_mps = self.mission.parameters.get("wp_speed_mps", 0.0)
        home = self.mission.items[0]
        self.place = (*self._xy(home), 0.0)
        waiting: list[tuple[int, Item]] = []
        for seq, item in enumerate(self.mission.items[1:], start=1):
            if item.command in _NAV:
                self._fly(seq, item, waiting)
                waiting = []
            else:
                waiting.append((seq, item))
        for seq, item in waiting:
            self.oddities.append(f"item {seq} {item.command.name}: after the last waypoint")
        return self

    def _xy(self, item: Item) -> tuple[float, float]:
        geo = Geo(lat_deg=item.x_e7 / 1e7, lon_deg=item.y_e7 / 1e7)
        place = self.site.origin.enu(geo)
        return place.x, place.y

    def _fly(self, seq: int, item: Item, waiting: list[tuple[int, Item]]) -> None:
        x, y, z = self.place
        match item.command:
            case Command.NAV_TAKEOFF:
                goal = (x, y, item.z_m)
            case Command.NAV_DELAY:
                goal = self.place
            case Command.NAV_RETURN_TO_LAUNCH:
                goal = (*self._xy(self.mission.items[0]), z)
            case Command.NAV_LAND:
                goal = (*(self._xy(item) if item.x_e7 or item.y_e7 else (x, y)), z)
            case _:
                goal = (*self._xy(item), item.z_m)
        self._doubt(seq, waiting)
        start, gone_m, whole_m = self.place, 0.0, math.dist(self.place[:2], goal[:2])
        for k, (at, command) in enumerate(waiting):
            match command.command:
                case Command.CONDITION_DISTANCE:
                    # Whole metres: `int32_t condition_value`. Source: ArduCopter/mode_auto.cpp.
                    near_m = math.trunc(command.p1)
                    if near_m < 1:
                        self.oddities.append(
                            f"item {at}: distance {command.p1:.2f} m counts as {near_m} m: never "
                            f"met, {waiting[k + 1][1].command.name if waiting[k + 1 :] else 'it'} "
                            "does not run"
                        )
                        break
                    want_m = whole_m - near_m
                    if near_m < WAYPOINT_RADIUS_M:
                        self.doubtful = [c for _, c in waiting[k + 1 :]]
                    to_m = max(gone_m, want_m)
                case Command.CONDITION_DELAY:
                    to_m = gone_m + command.p1 * self.speed_mps
                    if to_m > whole_m:
                        self.oddities.append(f"item {at}: delay outlasts its leg")
                        break
                case _:
                    self._do(at, command)
                    continue
            self._go(seq, start, goal, gone_m, to_m, whole_m)
            gone_m = to_m
        self._go(seq, start, goal, gone_m, whole_m, whole_m)
        self.place = goal
        stops = {Command.NAV_WAYPOINT, Command.NAV_LOITER_TIME, Command.NAV_DELAY}
        if item.command in stops and item.p1 > 0:
            whole = item.p1 if item.command is Command.NAV_DELAY else math.floor(item.p1)
            self._add(seq, goal, goal, dwell_s=float(whole))
        if item.command in (Command.NAV_RETURN_TO_LAUNCH, Command.NAV_LAND):
            down = (*goal[:2], 0.0)
            self._add(seq, goal, down)
            self.place = down

    def _doubt(self, seq: int, waiting: list[tuple[int, Item]]) -> None:
        """A switch-off so near a waypoint that it may be passed over needs a second one."""
        off = [c for c in self.doubtful if c.command is Command.DO_SPRAYER and c.p1 == 0]
        sure: list[Item] = []
        for _, command in waiting:
            if command.command in (Command.CONDITION_DISTANCE, Command.CONDITION_DELAY):
                break
            sure.append(command)
        if off and not any(c.command is Command.DO_SPRAYER for c in sure):
            self.oddities.append(
                f"item {seq}: flown with the pump on if the DO_SPRAYER 0 that waits for a distance "
                f"under {WAYPOINT_RADIUS_M:g} m is passed over at the waypoint before"
            )
        self.doubtful = []

    def _do(self, seq: int, item: Item) -> None:
        if item.command is Command.DO_SPRAYER:
            if item.p1 not in (0, 1):
                self.oddities.append(f"item {seq}: DO_SPRAYER {item.p1}: taken and ignored")
                return
            self.is_on = item.p1 == 1
        elif item.command is Command.DO_CHANGE_SPEED:
            if item.p2 < SPEED_FLOOR_MPS:
                self.oddities.append(f"item {seq}: speed {item.p2} m/s is too low to be taken")
                return
            if item.p1 in (0, 1):
                self.speed_mps = item.p2

    def _go(
        self, seq: int, start: Place, goal: Place, from_m: float, to_m: float, whole_m: float
    ) -> None:
        if whole_m <= 1e-9:
            if math.dist(start, goal) > 1e-9 and self.place != goal:
                self._add(seq, start, goal)
                self.place = goal
            return
        a, b = np.asarray(start), np.asarray(goal)
        one, two = a + (b - a) * from_m / whole_m, a + (b - a) * to_m / whole_m
        if to_m > from_m:
            self._add(seq, _place(one), _place(two))

    def _add(self, seq: int, start: Place, end: Place, dwell_s: float = 0.0) -> None:
        self.stretches.append(
            Stretch(
                seq=seq,
                start=start,
                end=end,
                is_wet=self.is_on,
                speed_mps=self.speed_mps,
                dwell_s=dwell_s,
            )
        )


def _place(row: Points) -> Place:
    return float(row[0]), float(row[1]), float(row[2])


_NAV = {
    Command.NAV_WAYPOINT,
    Command.NAV_LOITER_TIME,
    Command.NAV_RETURN_TO_LAUNCH,
    Command.NAV_LAND,
    Command.NAV_TAKEOFF,
    Command.NAV_DELAY,
}
_PLACED = {
    Command.NAV_WAYPOINT,
    Command.NAV_LOITER_TIME,
    Command.NAV_TAKEOFF,
    Command.DO_LAND_START,
}


def assert_mission_is_sound(plan: Plan, sortie: Sortie, mission: Mission) -> None:
    """The items are such that a vehicle takes them and stays safe when the link is dead."""
    found: list[str] = []
    for law in (_bad_items, _bad_landing, _bad_fence, _bad_parameters):
        found += [f"{sortie.id}: {breach}" for breach in law(plan, sortie, mission)]
    _judge("sound mission", found)


def _bad_items(plan: Plan, sortie: Sortie, mission: Mission) -> Iterator[str]:
    items = mission.items
    if (mission.sortie_id, mission.drone_id) != (sortie.id, sortie.drone_id):
        yield f"mission is of {mission.sortie_id}, {mission.drone_id}"
    if len(items) > ITEMS_MAX:
        yield f"{len(items)} items, a vehicle takes {ITEMS_MAX}"
    home = plan.site.origin.enu(Geo(lat_deg=items[0].x_e7 / 1e7, lon_deg=items[0].y_e7 / 1e7))
    off_m = math.dist(home[:2], _pad_place(plan.site, sortie.pad_id))
    if items[0].command is not Command.NAV_WAYPOINT or off_m > 0.1:
        yield f"item 0 is {items[0].command.name} {off_m:.2f} m from the pad, wanted home"
    frames = {item.frame for item in items[1:] if item.command in _PLACED}
    if frames != {Frame.ABOVE_HOME}:
        yield f"altitude frames {sorted(frames)}, wanted above home alone"
    for seq, item in enumerate(items):
        numbers = (item.p1, item.p2, item.p3, item.p4, item.z_m)
        if not all(math.isfinite(number) for number in numbers):
            yield f"item {seq} {item.command.name}: {numbers} holds what is no number"
        if int(item.command) == 183:
            yield f"item {seq}: DO_SET_SERVO"
        if item.command in _PLACED and item.x_e7 == 0 and item.y_e7 == 0:
            yield f"item {seq} {item.command.name}: latitude and longitude are 0"
    first_nav = next(seq for seq, item in enumerate(items[1:], 1) if item.command in _NAV)
    if items[first_nav].command is not Command.NAV_TAKEOFF:
        yield f"item {first_nav} {items[first_nav].command.name}: wanted take-off first"
    off = [i for i in items[1:first_nav] if i.command is Command.DO_SPRAYER and i.p1 == 0]
    if not off:
        yield "pump is not commanded off before take-off"


def _bad_landing(plan: Plan, sortie: Sortie, mission: Mission) -> Iterator[str]:
    items, seq = mission.items, mission.land_start_seq
    starts = [k for k, item in enumerate(items) if item.command is Command.DO_LAND_START]
    if starts != [seq]:
        yield f"DO_LAND_START at {starts}, land_start_seq is {seq}"
        return
    if not (items[seq].x_e7 and items[seq].y_e7):
        yield f"item {seq}: DO_LAND_START without its place"
    before = [item.p1 for item in items[:seq] if item.command is Command.DO_SPRAYER]
    if not before or before[-1] != 0:
        yield "pump is not commanded off before the landing sequence"
    tail = list(items[seq + 1 :])
    navs = [k for k, item in enumerate(tail) if item.command in _NAV]
    ends = (Command.NAV_RETURN_TO_LAUNCH, Command.NAV_LAND)
    if not navs or tail[navs[-1]].command not in ends:
        yield "mission does not end with a landing"
        return
    switched = [item.p1 for item in tail[: navs[0]] if item.command is Command.DO_SPRAYER]
    if switched != [0]:
        yield f"after DO_LAND_START wanted DO_SPRAYER 0 before flying on, got {switched}"
    if any(item.command is Command.DO_SPRAYER and item.p1 for item in tail):
        yield "pump is switched on in the landing sequence"


def _fence_area(plan: Plan, mission: Mission) -> Polygon | None:
    polygons = [fence for fence in mission.fence if fence.is_inclusion]
    if len(polygons) != 1:
        return None
    corners = np.array(polygons[0].corners_e7) / 1e7
    return Polygon(plan.site.origin.to_local(corners[:, ::-1]))


def _bad_fence(plan: Plan, sortie: Sortie, mission: Mission) -> Iterator[str]:
    area = _fence_area(plan, mission)
    corners = sum(len(fence.corners_e7) for fence in mission.fence)
    if area is None or not area.is_valid:
        yield "fence: wanted one valid polygon to stay in"
        return
    if corners > FENCE_CORNERS:
        yield f"fence: {corners} corners, a vehicle takes {FENCE_CORNERS}"
    flight = Replay(mission=mission, site=plan.site).run()
    tops = [0.0]
    for stretch in flight.stretches:
        tops.append(stretch.end[2])
        place = Point(stretch.end[:2])
        inside_m = area.exterior.distance(place) * (1 if area.contains(place) else -1)
        if inside_m < FENCE_MARGIN_M - 0.05:
            yield f"fence: item {stretch.seq} at {_at(stretch.end)} lies {inside_m:.2f} m inside"
    rtl_m = mission.parameters.get("rtl_altitude_m", 0.0)
    for building in plan.site.buildings:
        if building.footprint.intersects(area) and not rtl_m >= building.height_m:
            yield (
                f"rtl_altitude_m {rtl_m:g}: {building.id} within the fence is "
                f"{building.height_m:g} m high"
            )
    top_m = mission.parameters.get("fence_alt_max_m", math.inf)
    if not top_m > max(*tops, rtl_m):
        yield f"fence_alt_max_m {top_m:g}: flight reaches {max(tops):g} m, return {rtl_m:g} m"


def _bad_parameters(plan: Plan, sortie: Sortie, mission: Mission) -> Iterator[str]:
    has_hover = any(spray.kind is PassKind.HOVER for spray in sortie.passes)
    wanted: dict[str, Callable[[float], bool]] = {
        "spray_enable": lambda value: value == 1,
        "fs_gcs_action": lambda value: value == 6,
        "fs_throttle_action": lambda value: value == 6,
        "battery_low_action": lambda value: value == 6,
        "fence_enable": lambda value: value == 1,
        "fence_action": lambda value: value == 4,
        "spray_speed_min_mps": lambda value: value >= 0 and (value == 0) is has_hover,
        "wp_speed_mps": lambda value: 0 < value <= plan.site.policy.speed_max_mps,
        "spray_pump_min_pct": lambda value: 0 <= value <= 100,
        "spray_pump_rate_pct_per_mps": lambda value: value >= 0,
    }
    for name, holds in wanted.items():
        value = mission.parameters.get(name, math.nan)
        if not holds(value):
            yield f"parameter {name} is {value}"
    floor_mps = mission.parameters.get("spray_speed_min_mps", 0.0)
    for index, spray in enumerate(sortie.passes):
        speed_mps = 0.0 if spray.kind is PassKind.HOVER else spray.speed_mps
        if spray.kind is not PassKind.HOVER and not speed_mps > floor_mps:
            yield f"pass {index}: {speed_mps:.3f} m/s does not spray below {floor_mps:g} m/s"
        given_lps = pump_flow(plan, mission, speed_mps)
        if abs(given_lps - spray.flow_lps) > FLOW_SLACK_FRAC * spray.flow_lps:
            yield (
                f"pass {index} ({spray.spot_id}, {spray.kind}, {speed_mps:.3f} m/s): pump gives "
                f"{given_lps:.5f} L/s, planned {spray.flow_lps:.5f}"
            )


def pump_flow(plan: Plan, mission: Mission, speed_mps: float) -> float:
    """Litres per second that AC_Sprayer gives at a ground speed. Source: ARDUPILOT 3."""
    pump = _model(plan.site, mission.drone_id).sprayer
    rate = mission.parameters["spray_pump_rate_pct_per_mps"]
    pct = min(100.0, max(mission.parameters["spray_pump_min_pct"], rate * speed_mps))
    return pct / 100 * pump.flow_max_lps


def assert_replays(plan: Plan, sortie: Sortie, mission: Mission) -> None:
    """Flown item by item, the mission sprays the planned passes, all of them, nothing else."""
    replay = Replay(mission=mission, site=plan.site).run()
    found = [*replay.oddities]
    for law in (_strays, _dry_passes, _bad_spans, _off_track):
        found += law(plan, sortie, mission, replay)
    _judge("mission replayed", [f"{sortie.id}: {breach}" for breach in found])


def _line(spray: Pass) -> BaseGeometry:
    return Point(spray.path[0]) if len(spray.path) == 1 else LineString(spray.path)


def _strays(plan: Plan, sortie: Sortie, mission: Mission, replay: Replay) -> Iterator[str]:
    """Wet parts of the flight away from every planned pass."""
    lines = [_line(spray) for spray in sortie.passes]
    heights = [spray.above_home_m for spray in sortie.passes]
    for part in replay.stretches:
        if not part.is_wet:
            continue
        points = sampled((part.start, part.end), CELL_M)
        gaps = np.min(
            [
                np.hypot(
                    shapely.distance(shapely.points(points[:, :2]), line), points[:, 2] - height_m
                )
                for line, height_m in zip(lines, heights, strict=True)
            ],
            axis=0,
        )
        if gaps.max() > TRACK_SLACK_M:
            yield (
                f"item {part.seq}: pump on {gaps.max():.2f} m off every pass at "
                f"{_at(points[int(gaps.argmax())])}"
            )
        hovers = [spray for spray in sortie.passes if spray.kind is PassKind.HOVER]
        is_hover = any(math.dist(s.path[0], part.end[:2]) < TRACK_SLACK_M for s in hovers)
        if part.dwell_s > 0 and not is_hover:
            yield f"item {part.seq}: stands {part.dwell_s:g} s with the pump on, no hover planned"


def _span_parts(span: PassSpan, replay: Replay) -> list[Stretch]:
    return [
        part
        for part in replay.stretches
        if part.is_wet and span.first_seq <= part.seq <= span.last_seq
    ]


def _dry_passes(plan: Plan, sortie: Sortie, mission: Mission, replay: Replay) -> Iterator[str]:
    """Passes that are not wet along 95 % of their length, or get another volume."""
    spans = {span.pass_index: span for span in mission.spans}
    for index, spray in enumerate(sortie.passes):
        name = f"pass {index} ({spray.spot_id}, {spray.kind})"
        if index not in spans:
            yield f"{name}: no span"
            continue
        parts = _span_parts(spans[index], replay)
        if not parts:
            yield f"{name}: dry"
            continue
        wet = MultiLineString([[p.start[:2], p.end[:2]] for p in parts])
        points = sampled(spray.path, CELL_M)
        share = np.mean(shapely.distance(shapely.points(points), wet) <= TRACK_SLACK_M)
        if share < 0.95:
            yield f"{name}: wet along {share:.1%}"
        litres_l = sum(
            part.length_m / part.speed_mps * pump_flow(plan, mission, part.speed_mps)
            + part.dwell_s * pump_flow(plan, mission, 0.0)
            for part in parts
        )
        # A stop lasts whole seconds, and longer by the pump's latency. Source: ARDUPILOT 3.
        slack_s = 1.5 if spray.kind is PassKind.HOVER else 0.5
        slack_l = 0.08 * spray.litres_l + slack_s * spray.flow_lps
        if abs(litres_l - spray.litres_l) > slack_l:
            yield f"{name}: items put out {litres_l:.3f} L, planned {spray.litres_l:.3f} L"
        for part in parts:
            if part.length_m > 0.5 and not math.isclose(
                part.speed_mps, spray.speed_mps, rel_tol=0.03
            ):
                yield f"{name}: flown at {part.speed_mps:.3f}, planned {spray.speed_mps:.3f} m/s"


def _bad_spans(plan: Plan, sortie: Sortie, mission: Mission, replay: Replay) -> Iterator[str]:
    """Spans that name items flown dry, and wet items that no span names."""
    navs = {seq for seq, item in enumerate(mission.items) if item.command in _NAV and seq}
    named: set[int] = set()
    for span in mission.spans:
        wanted = sortie.passes[span.pass_index].spot_id
        if span.spot_id != wanted:
            yield f"span {span.pass_index}: names {span.spot_id}, the pass is over {wanted}"
        inside = {seq for seq in navs if span.first_seq <= seq <= span.last_seq}
        if not {span.first_seq, span.last_seq} <= navs:
            yield f"span {span.pass_index}: {span.first_seq} to {span.last_seq} are not waypoints"
        for seq in sorted(inside & named):
            yield f"span {span.pass_index}: item {seq} is in another span too"
        named |= inside
    moved = {p.seq for p in replay.stretches if p.length_m > 0.5}
    wet = {p.seq for p in replay.stretches if p.is_wet and (p.length_m > 0.5 or p.dwell_s > 0)}
    for seq in sorted((named & moved) - wet):
        yield f"item {seq}: in a span, flown dry"
    for seq in sorted(wet - named):
        yield f"item {seq}: flown wet, in no span"


def _off_track(plan: Plan, sortie: Sortie, mission: Mission, replay: Replay) -> Iterator[str]:
    """Flown parts that come nearer to buildings than planned, or too fast."""
    model, policy = _model(plan.site, sortie.drone_id), plan.site.policy
    keep_m = model.body_m / 2 + policy.clearance_m - 0.05
    obstacles = Obstacles(plan.site.buildings)
    last_nav = max(part.seq for part in replay.stretches)
    for part in replay.stretches:
        is_level = math.dist(part.start[:2], part.end[:2]) > 0.1
        if is_level and part.speed_mps > min(model.cruise_mps, policy.speed_max_mps) + 0.01:
            yield f"item {part.seq}: flown at {part.speed_mps:.2f} m/s"
        if max(part.start[2], part.end[2]) > policy.ceiling_m + HEIGHT_SLACK_M:
            yield f"item {part.seq}: above the ceiling at {_at(part.end)}"
        if part.seq == last_nav:
            continue
        points = sampled((part.start, part.end))
        if part.start[2] == 0:
            points = points[points[:, 2] > 2.0]
        for breach in obstacles.too_near(points, keep_m, policy.building_margin_m):
            yield f"item {part.seq}: {breach}"


# --- all of them --------------------------------------------------------------------------------

PLAN_LAWS: tuple[Callable[[Plan], None], ...] = (
    assert_accounts_for_every_spot,
    assert_keeps_off_no_spray,
    assert_clears_buildings,
    assert_within_envelope,
    assert_turns_are_flyable,
    assert_sorties_hold,
    assert_doses,
    assert_schedule_holds,
    assert_keeps_hours,
    assert_meets_wind,
)


def assert_lawful_plan(plan: Plan) -> None:
    """Every law of plans; all breaches of all laws in one message."""
    found = []
    for law in PLAN_LAWS:
        try:
            law(plan)
        except AssertionError as breach:
            found.append(str(breach))
    if found:
        raise AssertionError("\n".join(found))


def assert_lawful_mission(plan: Plan, sortie: Sortie, mission: Mission) -> None:
    """Every law of missions; all breaches in one message."""
    found = []
    for law in (assert_mission_is_sound, assert_replays):
        try:
            law(plan, sortie, mission)
        except AssertionError as breach:
            found.append(str(breach))
    if found:
        raise AssertionError("\n".join(found))


# --- small sites by name ------------------------------------------------------------------------

HEXA = DroneModel(
    id="hexa-16",
    name="16 L",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.0833, swath_m=5.0),
    body_m=2.4,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=977,
)
QUAD = DroneModel(
    id="quad-4",
    name="4 L",
    sprayer=Sprayer(
        tank_l=4, flow_min_lps=0.01, flow_max_lps=0.04, swath_m=2.5, release_height_m=2.0
    ),
    body_m=1.0,
    dry_kg=6,
    endurance_empty_s=1200,
    endurance_full_s=700,
    battery_wh=350,
)
ORIGIN = Origin(lat_deg=22.65, lon_deg=114.02)
_DOSES = {"red": (0.1, 0.003), "yellow": (0.06, 0.002), "blue": (0.03, 0.001)}
LEVELS = {
    mode: tuple(
        Level(
            name=name,
            dose_l_per_m2=_DOSES.get(name.value, (0.03, 0.001))[mode is Mode.VECTOR],
            agent_id="larvicide" if mode is Mode.VECTOR else "chlorine",
            revisit_days=1,
            is_flown=name is not LevelName.GREEN,
        )
        for name in LevelName
    )
    for mode in (Mode.SURFACE, Mode.VECTOR)
}


def site_with(
    name: str,
    spots: Sequence[BlindSpot],
    *,
    buildings: Sequence[tuple[BaseGeometry, float]] = (),
    no_spray: Sequence[BaseGeometry] = (),
    pads: Sequence[tuple[float, float]] = ((0.0, 0.0),),
    models: Sequence[DroneModel] = (HEXA,),
    policy: Policy | None = None,
) -> Site:
    """A site of shapes alone; drone k stands on pad k, in turn."""
    return Site(
        name=name,
        origin=ORIGIN,
        spots=tuple(spots),
        buildings=tuple(
            Building(id=f"b{k}", footprint=shape, height_m=height_m)
            for k, (shape, height_m) in enumerate(buildings)
        ),
        no_spray=tuple(NoSpray(id=f"n{k}", area=area) for k, area in enumerate(no_spray)),
        pads=tuple(Pad(id=f"p{k}", x=x, y=y) for k, (x, y) in enumerate(pads)),
        fleet=tuple(
            Drone(id=f"d{k}", model=model, pad_id=f"p{k % len(pads)}", sysid=k + 1)
            for k, model in enumerate(models)
        ),
        agents=(
            Agent(id="chlorine", name="chlorine", chlorine_mg_per_l=1000, contact_min=30),
            Agent(id="larvicide", name="larvicide"),
        ),
        surface_levels=LEVELS[Mode.SURFACE],
        vector_levels=LEVELS[Mode.VECTOR],
        policy=policy or Policy(),
    )


def spot(
    spot_id: str,
    shape: BaseGeometry,
    kind: Kind = Kind.YARD,
    level: LevelName = LevelName.RED,
    **keys: Any,
) -> BlindSpot:
    """A spot; red, wet the surface, unless said otherwise."""
    return BlindSpot(id=spot_id, kind=kind, level=level, shape=shape, **keys)


def courtyard() -> Site:
    """A yard closed on four sides by 15 m; the pad stands inside."""
    walls = box(-20, -16, 20, 16).difference(box(-12, -9, 12, 9))
    spots = [
        spot("yard", box(-11, -8, 11, 8), level=LevelName.BLUE),
        spot("bins", Point(8, 5), Kind.REFUSE_POINT, radius_m=1.5),
        spot("outside", Point(30, 0), Kind.REFUSE_POINT, radius_m=2.0),
    ]
    return site_with("courtyard", spots, buildings=[(walls, 15.0)], pads=[(-4, 0)])


def two_bins() -> Site:
    """Two refuse points in the open, two drones on one pad."""
    spots = [spot(f"bin{k}", Point(20 * k, 15), Kind.REFUSE_POINT, radius_m=2.0) for k in (1, 2)]
    return site_with("two_bins", spots, models=(HEXA, HEXA))


def l_shaped_alley() -> Site:
    """An alley between houses of 18 m that turns a corner; the second arm narrows to 3 m."""
    houses = [(box(0, 10, 40, 25), 18.0), (box(0, -12, 32, 2), 18.0), (box(43, -12, 60, 25), 18.0)]
    line = LineString([(2, 6), (37.5, 6), (37.5, -10)])
    spots = [
        spot("alley", line, Kind.BACK_ALLEY, width_m=3.0, level=LevelName.YELLOW),
        spot("arm", LineString([(41.5, 11), (41.5, 24)]), Kind.BACK_ALLEY, width_m=2.5),
        spot("slot", LineString([(60.4, -10), (60.4, 20)]), Kind.GAP, width_m=0.8),
    ]
    more = (box(60.8, -12, 75, 25), 9.0)
    return site_with("l_shaped_alley", spots, buildings=[*houses, more], pads=[(-12, 6)])


def roof_among_towers() -> Site:
    """A roof at 12 m between towers, one above the ceiling, and roofs too high to reach."""
    roof, tower, stump = box(20, 0, 42, 14), box(44, 0, 60, 14), box(20, 18, 42, 30)
    spots = [
        spot("roof", roof, Kind.FLAT_ROOF, elevation_m=12.0),
        spot("top", tower, Kind.FLAT_ROOF, elevation_m=45.0),
        spot("edge", stump, Kind.FLAT_ROOF, elevation_m=28.0, level=LevelName.BLUE),
        spot("lane", LineString([(20, 16), (42, 16)]), Kind.BACK_ALLEY, width_m=2.0),
    ]
    heights = [(roof, 12.0), (tower, 45.0), (stump, 28.0), (box(0, 0, 15, 14), 24.0)]
    return site_with("roof_among_towers", spots, buildings=heights, pads=[(30, -15)])


def yard_with_playground() -> Site:
    """A yard with a playground in it, a drain along a pond, a belt across a stall."""
    yard, play = box(10, 0, 50, 30), box(24, 10, 33, 19)
    pond = Polygon([(55, 0), (75, 4), (74, 30), (58, 28)])
    spots = [
        spot("yard", yard, level=LevelName.YELLOW),
        spot("drain", LineString([(53, 0), (53, 30)]), Kind.OPEN_DRAIN, width_m=1.0),
        spot(
            "belt",
            LineString([(10, 36), (40, 38), (75, 36)]),
            Kind.GREEN_BELT,
            mode=Mode.VECTOR,
            width_m=4.0,
        ),
    ]
    return site_with(
        "yard_with_playground",
        spots,
        no_spray=[play, pond, box(38, 34, 44, 40)],
        models=(HEXA, QUAD),
        pads=[(0, 0), (0, 30)],
    )


def lid_on_playground() -> Site:
    """A cover of less than 1 m2 on no-spray ground, one under a building, and one free."""
    spots = [
        spot("on_play", Point(28, 14), Kind.MANHOLE_COVER, radius_m=0.5),
        spot("indoors", Point(60, 14), Kind.MANHOLE_COVER, radius_m=0.5),
        spot("free", Point(10, 14), Kind.MANHOLE_COVER, radius_m=0.5),
    ]
    return site_with(
        "lid_on_playground",
        spots,
        no_spray=[box(24, 10, 33, 19)],
        buildings=[(box(50, 4, 70, 24), 9.0)],
    )


def round_market() -> Site:
    """Small round roofed spots in vector mode: laps whose curve limits the speed."""
    spots = [
        spot("shed", Point(30, 10), Kind.BIKE_SHED, mode=Mode.VECTOR, radius_m=0.3),
        spot("market", Point(60, 10), Kind.ROOFED_MARKET, mode=Mode.VECTOR, radius_m=5.0),
    ]
    return site_with("round_market", spots, models=(QUAD,))


def slow_site() -> Site:
    """A policy that allows 2 m/s."""
    spots = [spot("belt", box(10, 10, 40, 14), Kind.GREEN_BELT, mode=Mode.VECTOR)]
    return site_with("slow_site", spots, policy=Policy(speed_max_mps=2.0))


def far_corner() -> Site:
    """Spots near, at the edge of the battery, beyond it, and beyond the radius."""
    spots = [
        spot(f"at{far}", box(far, 0, far + 12, 10), Kind.TRANSFER_STATION, LevelName.BLUE)
        for far in (30, 900, 1500, 1900, 2500)
    ]
    return site_with("far_corner", spots)


def tiny_everything() -> Site:
    """Every spot smaller than any swath."""
    spots = [
        spot("lid", Point(10, 0), Kind.MANHOLE_COVER, radius_m=0.3),
        spot("septic", Point(14, 3), Kind.SEPTIC_COVER, radius_m=1.0),
        spot("sliver", box(20, 0, 20.4, 6), Kind.OPEN_DRAIN),
        spot("stub", LineString([(25, 0), (25.5, 0)]), Kind.OPEN_DRAIN, width_m=0.5),
        spot("chip", box(30, 0, 30.5, 0.5), Kind.REFUSE_POINT, LevelName.BLUE),
        spot("weak", Point(35, 0), Kind.MANHOLE_COVER, radius_m=0.5, dose_l_per_m2=0.0005),
        spot("strong", Point(40, 0), Kind.MANHOLE_COVER, radius_m=0.5, dose_l_per_m2=2.0),
    ]
    return site_with("tiny_everything", spots, models=(QUAD,))


def beyond_one_tank() -> Site:
    """A transfer station that takes many tanks, and a belt longer than one; three drones."""
    spots = [
        spot("station", box(20, 0, 62, 23), Kind.TRANSFER_STATION),
        spot("site", box(70, -10, 140, 60), Kind.DEMOLITION_SITE, mode=Mode.VECTOR),
        spot("drain", LineString([(0, -20), (180, -26), (300, -10)]), Kind.OPEN_DRAIN, width_m=2),
    ]
    pads = [(0.0, 0.0), (70.0, -30.0)]
    return site_with("beyond_one_tank", spots, models=(HEXA, HEXA, QUAD), pads=pads)


def under_and_around() -> Site:
    """Roofed spots, spots under buildings, a ring, two parts, a green level, overlapping spots."""
    house, shed = box(20, 0, 40, 20), box(50, 0, 62, 4)
    ring = LineString([(15, -5), (45, -5), (45, 25), (15, 25), (15, -5)])
    parts = MultiPolygon([box(70, 0, 76, 6), box(90, 0, 99, 8)])
    holed = Polygon(box(70, 15, 100, 40).exterior.coords, [box(80, 22, 90, 32).exterior.coords])
    spots = [
        spot("inside", box(25, 5, 35, 15), Kind.PUBLIC_TOILET),
        spot("half", box(35, 5, 48, 15), Kind.REFUSE_STATION),
        spot("shed", shed, Kind.BIKE_SHED, LevelName.BLUE),
        spot("market", house, Kind.ROOFED_MARKET, LevelName.YELLOW),
        spot("ring", ring, Kind.OPEN_DRAIN, width_m=1.5, level=LevelName.BLUE),
        spot("parts", parts, level=LevelName.BLUE),
        spot("holed", holed, level=LevelName.BLUE),
        spot("again", box(72, 1, 75, 4), Kind.SEPTIC_COVER),
        spot("green", box(0, 30, 10, 40), level=LevelName.GREEN),
    ]
    return site_with(
        "under_and_around", spots, buildings=[(house, 8.0), (shed, 2.8)], models=(HEXA, QUAD)
    )


def low_ceiling() -> Site:
    """A ceiling of 7 m over houses of 4, 5.5 and 9 m, and a low roof."""
    houses = [(box(10, -30, 20, 8), 9.0), (box(10, 12, 20, 60), 5.5), (box(40, 0, 52, 12), 4.0)]
    spots = [
        spot("behind", box(26, -10, 34, 0), level=LevelName.BLUE),
        spot("roof", houses[2][0], Kind.FLAT_ROOF, elevation_m=4.0, level=LevelName.BLUE),
        spot("beside", Point(36, 6), Kind.REFUSE_POINT, radius_m=2.0),
    ]
    return site_with("low_ceiling", spots, buildings=houses, policy=Policy(ceiling_m=7.0))


def walled_in() -> Site:
    """A spot and a pad, each inside walls above the ceiling: no way over."""
    court = box(30, -20, 70, 20).difference(box(38, -12, 62, 12))
    spots = [spot("inner", box(42, -8, 58, 8)), spot("open", box(0, 10, 10, 20))]
    return site_with("walled_in", spots, buildings=[(court, 45.0)])


NAMED: dict[str, Callable[[], Site]] = {
    maker.__name__: maker
    for maker in (
        courtyard,
        two_bins,
        l_shaped_alley,
        roof_among_towers,
        yard_with_playground,
        lid_on_playground,
        round_market,
        slow_site,
        far_corner,
        tiny_everything,
        beyond_one_tank,
        under_and_around,
        low_ceiling,
        walled_in,
    )
}


# --- sites by chance ----------------------------------------------------------------------------

_metres = st.integers(0, 240).map(lambda half: half / 2)


@st.composite
def _blocks(draw: st.DrawFn, smallest_m: float = 2.0, largest_m: float = 25.0) -> BaseGeometry:
    """A rectangle or an L, at any angle."""
    x, y = draw(_metres), draw(_metres)
    sizes = st.integers(int(2 * smallest_m), int(2 * largest_m)).map(lambda half: half / 2)
    wide, high = draw(sizes), draw(sizes)
    shape: BaseGeometry = box(x, y, x + wide, y + high)
    if draw(st.booleans()):
        shape = shape.difference(box(x + wide * 0.4, y + high * 0.5, x + wide + 1, y + high + 1))
    return affinity.rotate(shape, draw(st.sampled_from([0, 0, 12, 45, 77])), origin=(x, y))


@st.composite
def _spots(draw: st.DrawFn, index: int, roofs: Sequence[tuple[BaseGeometry, float]]) -> BlindSpot:
    kind: Kind = draw(st.sampled_from([kind for kind in Kind if kind != Kind.FLAT_ROOF]))
    keys: dict[str, Any] = {}
    form = draw(st.sampled_from(["point", "line", "area", "area", "roof"]))
    if form == "roof" and roofs:
        shape, height_m = draw(st.sampled_from(list(roofs)))
        kind, keys["elevation_m"] = Kind.FLAT_ROOF, height_m
    elif form == "point":
        shape = Point(draw(_metres), draw(_metres))
        keys["radius_m"] = draw(st.sampled_from([0.3, 1.0, 2.5, 6.0]))
    elif form == "line":
        corners = draw(st.lists(st.tuples(_metres, _metres), min_size=2, max_size=4, unique=True))
        shape = LineString(corners)
        keys["width_m"] = draw(st.sampled_from([0.5, 1.5, 4.0, 9.0]))
    else:
        shape = draw(_blocks(0.5, 30))
    level = draw(st.sampled_from(list(LevelName)))
    mode = draw(st.sampled_from([Mode.SURFACE, Mode.SURFACE, Mode.VECTOR]))
    return spot(f"s{index}", shape, kind, level, mode=mode, **keys)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Any neighbourhood: houses of 2 to 45 m, spots of every kind, limits tight or wide."""
    blocks = st.tuples(_blocks(3, 30), st.sampled_from([2, 3.5, 6, 12, 20, 27, 28, 45]))
    pads = draw(st.sampled_from([[(-8.0, 20.0)], [(-8.0, -8.0), (150.0, 70.0)], [(60.0, 60.0)]]))
    buildings = [
        (shape, height_m)
        for shape, height_m in draw(st.lists(blocks, max_size=5))
        if all(shape.distance(Point(pad)) > 5 for pad in pads)
    ]
    count = draw(st.integers(1, 4))
    spots = [draw(_spots(index, buildings)) for index in range(count)]
    policy = Policy(
        ceiling_m=draw(st.sampled_from([30.0, 30.0, 12.0, 6.0])),
        clearance_m=draw(st.sampled_from([1.0, 0.5, 2.0])),
        building_margin_m=draw(st.sampled_from([2.0, 1.0, 3.0])),
        reserve_frac=draw(st.sampled_from([0.25, 0.4])),
    )
    models = draw(st.lists(st.sampled_from([HEXA, QUAD]), min_size=1, max_size=3))
    no_spray = draw(st.lists(_blocks(1, 15), max_size=2))
    return site_with(
        "by chance",
        spots,
        buildings=buildings,
        no_spray=no_spray,
        pads=pads,
        models=models,
        policy=policy,
    )
