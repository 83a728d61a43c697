"""Where the wind takes the spray: near by, a shift of each pass; far off, a share of the dose.

The near part is one droplet falling through a level wind; the far part is a measured curve. Both
are screening figures for planning, not a dispersion model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import shapely

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skymist.coverage.plan import Treatment
    from skymist.coverage.site import Receptor

GRAVITY_MPS2 = 9.80665
FOOT_M = 0.3048
CALM_MPS = 0.5
"""Below this a wind has no direction that one may count on. [P]"""
MEANDER_RAD = math.radians(45)
"""A receptor this far off the wind's line still counts as downwind. [P]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wind:
    """The way the air moves, in the local frame (not where it comes from)."""

    east_mps: float
    north_mps: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.east_mps) and math.isfinite(self.north_mps)):
            raise PlanError(f"wind must be finite, got {self.east_mps}, {self.north_mps}")

    @classmethod
    def coming_from(cls, from_deg: float, speed_mps: float) -> Wind:
        """A wind as forecasts name it: the compass direction that it comes from."""
        if not 0 <= speed_mps < math.inf:
            raise PlanError(f"wind speed must be 0 m/s or more, got {speed_mps}")
        angle_rad = math.radians(from_deg)
        return cls(
            east_mps=round(-speed_mps * math.sin(angle_rad), 9) + 0.0,
            north_mps=round(-speed_mps * math.cos(angle_rad), 9) + 0.0,
        )

    @property
    def speed_mps(self) -> float:
        """How fast."""
        return math.hypot(self.east_mps, self.north_mps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """What droplets fall through: by default dry air of 20 C at sea level."""

    density_kg_per_m3: float = 1.204
    viscosity_pa_s: float = 1.813e-5


def terminal_velocity_mps(
    diameter_m: float, liquid_kg_per_m3: float = 1000.0, air: Air | None = None
) -> float:
    """Speed at which a droplet falls steadily.

    Drag coefficient 24/Re (1 + 0.15 Re^0.687), for Re below 1000 (water up to about 2 mm).

    Source: Schiller & Naumann, VDI Zeitung 77 (1933) 318.
    """
    if not 0 < diameter_m <= 2e-3:
        raise PlanError(f"diameter_m must be above 0 and at most 0.002, got {diameter_m}")
    air = air or Air()
    excess = liquid_kg_per_m3 - air.density_kg_per_m3
    stokes_mps = excess * GRAVITY_MPS2 * diameter_m**2 / (18 * air.viscosity_pa_s)
    low, high = 0.0, stokes_mps
    for _ in range(60):
        speed = (low + high) / 2
        reynolds = air.density_kg_per_m3 * speed * diameter_m / air.viscosity_pa_s
        if speed * (1 + 0.15 * reynolds**0.687) < stokes_mps:
            low = speed
        else:
            high = speed
    return (low + high) / 2


def displacement_m(
    wind: Wind, height_m: float, diameter_m: float, downwash_mps: float = 0.0
) -> tuple[float, float]:
    """How far east and north a droplet lands from where it was let go `height_m` above.

    `downwash_mps` is the mean speed of the rotors' wake on the way down; 0 gives the worst case.
    """
    if not (height_m >= 0 and downwash_mps >= 0):
        raise PlanError(f"height and downwash must be 0 or more, got {height_m}, {downwash_mps}")
    fall_s = height_m / (terminal_velocity_mps(diameter_m) + downwash_mps)
    return wind.east_mps * fall_s, wind.north_mps * fall_s


def upwind_shift_m(
    wind: Wind, height_m: float, diameter_m: float, downwash_mps: float = 0.0
) -> tuple[float, float]:
    """By how much east and north to shift a pass so that its spray lands where it was wanted."""
    east, north = displacement_m(wind, height_m, diameter_m, downwash_mps)
    return -east + 0.0, -north + 0.0


class FarCurve(NamedTuple):
    """Share of the applied rate that lands at a distance downwind: c / (1 + a d)^b, d in feet."""

    a: float
    b: float
    c: float

    def deposit_frac(self, distance_m: float) -> float:
        """Share of the applied rate at a distance from the edge of the treated area."""
        if not distance_m >= 0:
            raise PlanError(f"distance_m must be 0 or more, got {distance_m}")
        return float(min(1.0, self.c / (1 + self.a * distance_m / FOOT_M) ** self.b))

    def distance_m(self, deposit_frac: float) -> float:
        """How far off the share has fallen to `deposit_frac` (0 where it is never above)."""
        if not 0 < deposit_frac <= 1:
            raise PlanError(f"deposit_frac must be above 0 and at most 1, got {deposit_frac}")
        ratio = float((self.c / deposit_frac) ** (1 / self.b))
        return max(0.0, FOOT_M / self.a * (ratio - 1))


class Spray(Enum):
    """Kinds of spray with a far curve.

    Source: US EPA, User's Guide TED 1.1 (2020), aerial, ASAE fine to medium. It was fitted to
    crop dusters over a whole field, so for a drone over a spot it is on the safe side.
    """

    AERIAL_FINE_TO_MEDIUM = FarCurve(a=0.043, b=1.03, c=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptorDrift:
    """What one receptor may get when all treatments are flown in the same wind.

    `main_spot_id` and `distance_m` name the treated area that adds most.
    """

    receptor_id: str
    kind: str
    main_spot_id: str
    distance_m: float
    deposit_l_per_m2: float
    deposit_frac: float
    is_above_limit: bool

    @property
    def text(self) -> str:
        """One line for a person."""
        verdict = "above the limit" if self.is_above_limit else "within the limit"
        name = f"{self.kind} {self.receptor_id}".strip()
        return (
            f"{name}: up to {self.deposit_l_per_m2 * 1000:.2f} mL/m2 by drift, {verdict}; "
            f"most of it from {self.main_spot_id}, {self.distance_m:.0f} m upwind"
        )


def drift_at_receptors(
    treatments: Iterable[Treatment],
    receptors: Iterable[Receptor],
    wind: Wind,
    *,
    limit_frac: float = 0.05,
    curve: FarCurve = Spray.AERIAL_FINE_TO_MEDIUM.value,
) -> tuple[ReceptorDrift, ...]:
    """Deposit by drift at every receptor that lies downwind of a treated area.

    Shares of all treated areas upwind are added, each at its own distance. `limit_frac` is of the
    highest dose among them [P: 5 %, which the default curve reaches 59 m off]. In calm air every
    direction counts as downwind.
    """
    if not 0 < limit_frac <= 1:
        raise PlanError(f"limit_frac must be above 0 and at most 1, got {limit_frac}")
    flown = [t for t in treatments if t.passes]
    found = (_drift_at(receptor, flown, wind, limit_frac, curve) for receptor in receptors)
    return tuple(drift for drift in found if drift is not None)


def _drift_at(
    receptor: Receptor, flown: list[Treatment], wind: Wind, limit_frac: float, curve: FarCurve
) -> ReceptorDrift | None:
    parts = []
    for treatment in flown:
        distance_m = downwind_m(treatment, receptor, wind)
        if distance_m is not None:
            deposit = treatment.dose_l_per_m2 * curve.deposit_frac(distance_m)
            parts.append((deposit, treatment.dose_l_per_m2, distance_m, treatment.spot_id))
    if not parts:
        return None
    total = math.fsum(part[0] for part in parts)
    worst = max(parts)
    frac = total / max(part[1] for part in parts)
    return ReceptorDrift(
        receptor_id=receptor.id,
        kind=receptor.kind,
        main_spot_id=worst[3],
        distance_m=worst[2],
        deposit_l_per_m2=total,
        deposit_frac=frac,
        is_above_limit=not frac <= limit_frac,
    )


def downwind_m(treatment: Treatment, receptor: Receptor, wind: Wind) -> float | None:
    """Distance to the receptor, or None where the wind does not blow towards it."""
    line = shapely.shortest_line(treatment.target, receptor.shape)
    length_m = float(line.length)
    if length_m == 0 or wind.speed_mps < CALM_MPS:
        return length_m
    (x0, y0), (x1, y1) = line.coords
    along = (x1 - x0) * wind.east_mps + (y1 - y0) * wind.north_mps
    is_downwind = along >= math.cos(MEANDER_RAD) * length_m * wind.speed_mps
    return length_m if is_downwind else None
