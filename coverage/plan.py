"""What planning gives: passes over spots, sorties that fly them, and what no drone treats.

Values only. All positions are metres in the frame of `Plan.site.origin`, heights above home.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from shapely.geometry.base import BaseGeometry

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from skymist.coverage.drift import Wind
    from skymist.coverage.hours import Start
    from skymist.coverage.site import Site


class PassKind(StrEnum):
    """A straight swath, a run along a corridor, a lap along an edge, or a stop over a point."""

    SWATH = "swath"
    RUN = "run"
    PERIMETER = "perimeter"
    HOVER = "hover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One stretch with the pump on. A hover has one point and `hover_s` above 0.

    `path` is where the drone flies; its spray lands `drift_m` (east, north) from there.
    """

    spot_id: str
    kind: PassKind
    path: tuple[tuple[float, float], ...]
    above_home_m: float
    speed_mps: float
    flow_lps: float
    swath_m: float
    hover_s: float = 0.0
    drift_m: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if self.kind is PassKind.HOVER:
            if not (len(self.path) == 1 and self.hover_s > 0):
                raise PlanError(f"{self.spot_id}: a hover has one point and hover_s above 0")
        elif not (len(self.path) >= 2 and self.speed_mps > 0):
            raise PlanError(f"{self.spot_id}: a pass has two points or more and speed_mps above 0")

    @property
    def length_m(self) -> float:
        """Length of the sprayed path; 0 for a hover."""
        return math.fsum(math.dist(a, b) for a, b in zip(self.path, self.path[1:], strict=False))

    @property
    def spray_s(self) -> float:
        """Seconds with the pump on, at constant speed."""
        return self.hover_s if self.kind is PassKind.HOVER else self.length_m / self.speed_mps

    @property
    def litres_l(self) -> float:
        """What the pass puts out."""
        return self.flow_lps * self.spray_s


class Reason(StrEnum):
    """Why a spot, or a part of it, is left to the ground crew."""

    LEVEL_NOT_FLOWN = "level_not_flown"
    TOO_NARROW = "too_narrow"
    UNDER_BUILDING = "under_building"
    NO_SPRAY = "no_spray"
    ROOFED = "roofed"
    TOO_HIGH = "too_high"
    OUT_OF_REACH = "out_of_reach"
    NO_ACCESS = "no_access"
    BEYOND_TANK = "beyond_tank"
    BELOW_PUMP = "below_pump"
    NO_TIME = "no_time"
    NO_WINDOW = "no_window"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTask:
    """What is left to people on foot: a whole spot or the rest of one, with the reason in words."""

    spot_id: str
    reason: Reason
    text: str
    area: BaseGeometry
    is_whole_spot: bool

    @property
    def area_m2(self) -> float:
        """Ground that the crew has to treat."""
        return float(self.area.area)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How one spot is treated from the air, and what of it that is expected to reach.

    `target` is the part of the spot that is the drone's to treat: the spot without the areas of
    its ground tasks. `expected_frac` is the share of `target` that the passes cover. `cv_frac` is
    the unevenness (std over mean) of the dose that they leave there; 0 where the sprayer's
    profile is taken as level. `downwind_m` is how far off its aim the spray lands, where walls
    left no room to fly upwind by all that the wind asks for.
    """

    spot_id: str
    passes: tuple[Pass, ...]
    target: BaseGeometry
    dose_l_per_m2: float
    agent_id: str
    expected_frac: float
    model_id: str = ""
    cv_frac: float = 0.0
    downwind_m: float = 0.0

    @property
    def litres_l(self) -> float:
        """What all passes put out."""
        return math.fsum(p.litres_l for p in self.passes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """A flight with the pump off through the given points (x, y, above home)."""

    path: tuple[tuple[float, float, float], ...]
    speed_mps: float

    @property
    def length_m(self) -> float:
        """Length in space."""
        return math.fsum(math.dist(a, b) for a, b in zip(self.path, self.path[1:], strict=False))


Leg = Transit | Pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sortie:
    """One flight from a pad and back to it: legs in order, first and last a transit.

    `carried_l` is what the tank holds at take-off. `refill_before` and `swap_before` say what is
    done on the pad before take-off; `start_s` is the predicted take-off after the start of the
    plan.
    """

    id: str
    drone_id: str
    pad_id: str
    agent_id: str
    legs: tuple[Leg, ...]
    litres_l: float
    battery_frac: float
    start_s: float
    duration_s: float
    carried_l: float = 0.0
    refill_before: bool = False
    swap_before: bool = False

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The sprayed legs in the order flown."""
        return tuple(leg for leg in self.legs if isinstance(leg, Pass))

    @property
    def spot_ids(self) -> tuple[str, ...]:
        """Spots in the order first touched."""
        return tuple(dict.fromkeys(p.spot_id for p in self.passes))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFinding:
    """What a person should know before flying a plan; an error forbids flying it so."""

    rule: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who flies what, when, and what is left out. Every spot is in `treatments` or `ground`.

    `wind` is what the passes were laid for (None: still air).
    `lowest_s` is a makespan that no plan of these treatments can go below. `start` is when the
    plan's time is 0 by the clock; None where that does not matter.
    """

    site: Site
    seed: int
    treatments: tuple[Treatment, ...]
    ground: tuple[GroundTask, ...]
    sorties: tuple[Sortie, ...]
    wind: Wind | None = None
    findings: tuple[PlanFinding, ...] = ()
    lowest_s: float = 0.0
    start: Start | None = None

    def treatment(self, spot_id: str) -> Treatment:
        """The treatment of one spot; KeyError where it has none."""
        for treatment in self.treatments:
            if treatment.spot_id == spot_id:
                return treatment
        raise KeyError(spot_id)

    @property
    def makespan_s(self) -> float:
        """Until the last drone has landed."""
        return max((s.start_s + s.duration_s for s in self.sorties), default=0.0)

    @property
    def litres_l(self) -> float:
        """What all sorties put out."""
        return math.fsum(s.litres_l for s in self.sorties)
