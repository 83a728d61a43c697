"""A site in the local frame: what is there, what is to be treated, with what, under which rules.

Values only, already checked; `missions.site` reads them from files. All geometry is in metres
east and north of `Site.origin`; the ground is taken as level with the pads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from shapely.geometry.base import BaseGeometry

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Hours
from skymist.coverage.organising import Organiser

if TYPE_CHECKING:
    from skymist.coverage.drones import Drone
    from skymist.coverage.frames import Origin


class Mode(StrEnum):
    """How a spot is treated: wet its surface, control vectors, or mist an area."""

    SURFACE = "surface"
    VECTOR = "vector"
    BROADCAST = "broadcast"


class Objective(StrEnum):
    """What a plan is made short in: the last landing, all drones' minutes, or the worst first."""

    MAKESPAN = "makespan"
    DRONE_MINUTES = "drone-minutes"
    PRIORITY = "priority"


class LevelName(StrEnum):
    """Red, yellow, blue, green: from the worst spot to one that is only watched."""

    RED = "red"
    YELLOW = "yellow"
    BLUE = "blue"
    GREEN = "green"


RANK = {LevelName.RED: 0, LevelName.YELLOW: 1, LevelName.BLUE: 2, LevelName.GREEN: 3}
"""Worst level first."""


class Kind(StrEnum):
    """The trade's kinds of blind spot."""

    REFUSE_STATION = "refuse_station"
    REFUSE_POINT = "refuse_point"
    TRANSFER_STATION = "transfer_station"
    BACK_ALLEY = "back_alley"
    GAP = "gap"
    FLAT_ROOF = "flat_roof"
    SEPTIC_COVER = "septic_cover"
    MANHOLE_COVER = "manhole_cover"
    OPEN_DRAIN = "open_drain"
    BIKE_SHED = "bike_shed"
    ROOFED_MARKET = "roofed_market"
    GREEN_BELT = "green_belt"
    PUBLIC_TOILET = "public_toilet"
    DEMOLITION_SITE = "demolition_site"
    BUILDING_SITE = "building_site"
    PARKING_YARD = "parking_yard"
    YARD = "yard"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """One place to treat. `shape` is a point, line or (multi)polygon.

    A point carries `radius_m`, a line `width_m`; `elevation_m` is the height of the surface
    above the ground (0 for the ground itself, the roof's height for a roof). `hours` are when it
    may be sprayed; none: at any time. `responsible` is the post that answers for it where that is
    not its zone's: `Site.post_for` tells.
    """

    id: str
    kind: Kind
    level: LevelName
    shape: BaseGeometry
    mode: Mode = Mode.SURFACE
    radius_m: float | None = None
    width_m: float | None = None
    elevation_m: float = 0.0
    zone_id: str | None = None
    agent_id: str | None = None
    dose_l_per_m2: float | None = None
    name: str = ""
    note: str = ""
    hours: tuple[Hours, ...] = ()
    responsible: str = ""

    def __post_init__(self) -> None:
        if not (self.shape.is_valid and not self.shape.is_empty):
            raise PlanError(f"spot {self.id}: shape must be valid and not empty")
        needs = {"Point": "radius_m", "LineString": "width_m"}.get(self.shape.geom_type)
        if needs and not (getattr(self, needs) or 0) > 0:
            raise PlanError(f"spot {self.id}: {needs} must be above 0, got {getattr(self, needs)}")
        if not 0 <= self.elevation_m < math.inf:
            raise PlanError(f"spot {self.id}: elevation_m must be 0 or more")

    @property
    def area(self) -> BaseGeometry:
        """The surface to treat, as a polygon: the disc, the strip, or the polygon itself."""
        if self.shape.geom_type == "Point":
            return self.shape.buffer(self.radius_m or 0.0)
        if self.shape.geom_type == "LineString":
            return self.shape.buffer((self.width_m or 0.0) / 2, cap_style="flat")
        return self.shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the community with a post that answers for it.

    `hours` are when its spots may be sprayed; none: at any time. `contact` is whom its residents
    call, where that is another than the site's.
    """

    id: str
    area: BaseGeometry
    responsible: str = ""
    contact: str = ""
    hours: tuple[Hours, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Ground that no drone may be over in some hours of the day, and why."""

    id: str
    area: BaseGeometry
    hours: tuple[Hours, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A footprint and its height above the ground."""

    id: str
    footprint: BaseGeometry
    height_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSpray:
    """Ground that no spray may reach, and why."""

    id: str
    area: BaseGeometry
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receptor:
    """A place downwind of which drift matters: a school, a hospital, a pond."""

    id: str
    shape: BaseGeometry
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """Where drones start, land, and are refilled.

    `capacity` is the most drones that it takes, `num_crews` how many can be served at the same
    time; None sets no limit. Pads of one `group` are stands side by side that share their crews.
    """

    id: str
    x: float
    y: float
    capacity: int | None = None
    num_crews: int | None = None
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A working solution. `chlorine_mg_per_l` is its available chlorine (0 for none)."""

    id: str
    name: str
    chlorine_mg_per_l: float = 0.0
    contact_min: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a level asks for in one mode: dose, agent, days between visits, drone or not."""

    name: LevelName
    dose_l_per_m2: float
    agent_id: str
    revisit_days: float
    is_flown: bool = True


class Measure(StrEnum):
    """What people find that says how bad a spot is."""

    CASES = "cases"
    COMPLAINTS = "complaints"
    BRETEAU = "breteau"
    FLIES = "flies"
    ODOUR = "odour"
    STANDING_WATER = "standing_water"


COUNTED = frozenset({Measure.CASES, Measure.COMPLAINTS})
"""These are added up over a rule's days; of the others the last one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRule:
    """From which value of a measure on a spot is red, yellow or blue (None: never by this rule).

    A finding counts for `days` days, from the day on which it was made.
    """

    measure: Measure
    days: int
    red: float | None = None
    yellow: float | None = None
    blue: float | None = None

    def __post_init__(self) -> None:
        least = [value for _, value in self.thresholds]
        if not (least and self.days >= 1 and all(value > 0 for value in least)):
            raise PlanError(f"rule {self.measure}: wanted days and a value above 0 for a level")
        if least != sorted(least, reverse=True):
            raise PlanError(
                f"rule {self.measure}: wanted red at or above yellow, yellow above blue"
            )

    @property
    def thresholds(self) -> tuple[tuple[LevelName, float], ...]:
        """Each level that the rule gives and from which value, worst first."""
        pairs = ((LevelName.RED, self.red), (LevelName.YELLOW, self.yellow))
        given = (*pairs, (LevelName.BLUE, self.blue))
        return tuple((level, value) for level, value in given if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRules:
    """How findings raise levels, and after how many quiet days they come down by a step."""

    decay_days: int = 7
    rules: tuple[LevelRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A rule that need not hold: who says so, why, and the last day on which it is so (ISO)."""

    rule: str
    by: str
    reason: str
    until: str

    def __post_init__(self) -> None:
        for key in ("rule", "by", "reason"):
            if not getattr(self, key).strip():
                raise PlanError(f"waiver: {key}: wanted a text, found nothing")
        try:
            date.fromisoformat(self.until)
        except ValueError as exc:
            raise PlanError(f"waiver: until: wanted YYYY-MM-DD, found {self.until!r}") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits that hold on the whole site. Heights are above home, all distances in metres.

    `rinse_s` is added to a refill with another agent. `is_swap_in_refill` says that batteries are
    swapped while the tank is filled, not after. `day_s` is when the last drone must be down: what
    does not fit, worst levels first, is left to the ground crew. `is_by_zone` gives each zone to
    one drone. `restores_parameters` gives vehicles their own parameters back after the flights.
    `transit_min_m` is the lowest transit longer than a few metres, 3 m or more. `hours` are when
    drones may be in the air, `vector_hours` when spots of another mode than surface may be
    sprayed; none: at any time. Work goes on for `num_days` days of 24 h from the start of the
    plan, `day_s` in each.

    `packs` are the policy packs that hold beside the plain one (`missions.policies`), `own_packs`
    the site's own as JSON, so that a plan carries them; `operators`
    how many people fly drones, `applied` when the flight was applied for (local ISO time).

    Source: ceilings and radius from China's agricultural envelope of 2024-01-01 (30 m, 50 km/h,
    2000 m); wind, temperature from the spraying norms that DOMAIN quotes. Lowest transit: the
    highest vehicle that roads allow, 4 m (Directive 96/53/EC, GB 1589-2016), and 2 m of margin.
    """

    mode: Mode = Mode.SURFACE
    reason: str = ""
    ceiling_m: float = 30.0
    speed_max_mps: float = 13.9
    radius_m: float = 2000.0
    wind_max_mps: float = 5.0
    temperature_min_c: float = 5.0
    temperature_max_c: float = 35.0
    clearance_m: float = 1.0
    building_margin_m: float = 2.0
    transit_min_m: float = 6.0
    reserve_frac: float = 0.25
    refill_s: float = 120.0
    swap_s: float = 120.0
    separation_m: float = 10.0
    rinse_s: float = 60.0
    is_swap_in_refill: bool = False
    day_s: float | None = None
    is_by_zone: bool = False
    restores_parameters: bool = False
    hours: tuple[Hours, ...] = ()
    vector_hours: tuple[Hours, ...] = ()
    num_days: int = 1
    objective: Objective = Objective.MAKESPAN
    packs: tuple[str, ...] = ()
    own_packs: tuple[str, ...] = ()
    operators: int | None = None
    applied: str = ""
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that planning needs to know of a community."""

    name: str
    origin: Origin
    spots: tuple[BlindSpot, ...]
    zones: tuple[Zone, ...] = ()
    buildings: tuple[Building, ...] = ()
    no_spray: tuple[NoSpray, ...] = ()
    closures: tuple[Closure, ...] = ()
    receptors: tuple[Receptor, ...] = ()
    pads: tuple[Pad, ...] = ()
    fleet: tuple[Drone, ...] = ()
    agents: tuple[Agent, ...] = ()
    surface_levels: tuple[Level, ...] = ()
    vector_levels: tuple[Level, ...] = ()
    policy: Policy = field(default_factory=Policy)
    level_rules: LevelRules = field(default_factory=LevelRules)
    organiser: Organiser = field(default_factory=Organiser)
    attribution: str = ""

    def level_for(self, spot: BlindSpot) -> Level:
        """What the spot's level asks for in the spot's mode."""
        levels = self.surface_levels if spot.mode is Mode.SURFACE else self.vector_levels
        for level in levels:
            if level.name is spot.level:
                return level
        raise PlanError(f"spot {spot.id}: no level {spot.level} for mode {spot.mode}")

    @property
    def posts(self) -> tuple[str, ...]:
        """Every post that answers for something, each once: those of zones, then of spots."""
        named = (*(z.responsible for z in self.zones), *(s.responsible for s in self.spots))
        return tuple(dict.fromkeys(post for post in named if post))

    def post_for(self, spot: BlindSpot) -> str:
        """The post that answers for the spot: its own, else its zone's; empty for none."""
        if spot.responsible:
            return spot.responsible
        return next((zone.responsible for zone in self.zones if zone.id == spot.zone_id), "")

    def contact_for(self, zone_id: str) -> str:
        """Whom residents of a zone call: its own contact, else the site's; empty for none."""
        own = next((zone.contact for zone in self.zones if zone.id == zone_id), "")
        return own or self.organiser.contact

    def spot(self, spot_id: str) -> BlindSpot:
        """The spot with this id."""
        return next(spot for spot in self.spots if spot.id == spot_id)
