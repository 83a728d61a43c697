"""What flies: the airframe with its battery, and the sprayer that it carries."""

from __future__ import annotations

import math
from dataclasses import dataclass

from skymist.coverage.errors import PlanError
from skymist.coverage.profile import (
    CV_PRODUCT_FRAC,
    Profile,
    ProfileKind,
    ProfileSpec,
    cv_at_spacing,
)


def require_positive(owner: object, *names: str) -> None:
    """Raise `PlanError` unless every named field is a finite number above 0."""
    for name in names:
        value = getattr(owner, name)
        if not 0 < value < math.inf:
            raise PlanError(f"{name} must be above 0, got {value}")


DROPLET_UM = 200.0
"""Volume median of the droplets where none is given: a fine spray (106 to 235 um) near its border
to medium, as the far drift curve supposes. Source: ASABE S572.1 for the classes; the choice is a
proposal of this project."""
DOWNWASH_MPS = 3.0
"""Mean speed of the rotors' wake between nozzles and ground. Source: DOMAIN, figures on drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sprayer:
    """Tank, pump and nozzles. `flow_min_lps` is the least that the pump gives steadily.

    `swath_m` is the spacing of passes and the width over which they count; `spread` is how the
    spray of one lies across its track (None: level over the swath). `cv_limit_frac` is the most
    unevenness (std over mean) that its spacing may leave.
    """

    tank_l: float
    flow_min_lps: float
    flow_max_lps: float
    swath_m: float
    release_height_m: float = 3.0
    spread: ProfileSpec | None = None
    cv_limit_frac: float = CV_PRODUCT_FRAC
    droplet_um: float = DROPLET_UM
    downwash_mps: float = DOWNWASH_MPS

    def __post_init__(self) -> None:
        require_positive(
            self, "tank_l", "flow_min_lps", "flow_max_lps", "swath_m", "release_height_m"
        )
        if not 0 < self.cv_limit_frac < 1:
            raise PlanError(f"cv_limit_frac must be above 0 and below 1, got {self.cv_limit_frac}")
        if not 20 <= self.droplet_um <= 2000:
            raise PlanError(f"droplet_um must be 20 to 2000, got {self.droplet_um}")
        if not 0 <= self.downwash_mps <= 30:
            raise PlanError(f"downwash_mps must be 0 to 30, got {self.downwash_mps}")
        if not self.flow_min_lps <= self.flow_max_lps:
            raise PlanError(
                f"flow_min_lps must be at most flow_max_lps {self.flow_max_lps}, "
                f"got {self.flow_min_lps}"
            )

    @property
    def profile(self) -> Profile | None:
        """How the flow of a pass lies across its track; None where it is level over the swath."""
        if self.spread is None or self.spread.kind is ProfileKind.UNIFORM:
            return None
        return self.spread.over(self.swath_m)

    @property
    def wet_m(self) -> float:
        """Width that a pass wets, 2 % of its spray aside; the swath or more."""
        profile = self.profile
        return self.swath_m if profile is None else max(self.swath_m, profile.wet_m)

    @property
    def cv_frac(self) -> float:
        """Unevenness inside a field of passes one swath apart, flown there and back."""
        profile = self.profile
        return 0.0 if profile is None else cv_at_spacing(profile, self.swath_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneModel:
    """An airframe. `body_m` is its largest width, rotors included.

    `speed_mps` is the fastest it sprays, `cruise_mps` the fastest it crosses with the pump off.
    Endurance is hover time on a full battery, down to empty, at dry mass and with a full tank.
    """

    id: str
    name: str
    sprayer: Sprayer
    body_m: float
    dry_kg: float
    endurance_empty_s: float
    endurance_full_s: float
    battery_wh: float
    speed_mps: float = 5.0
    cruise_mps: float = 8.0
    climb_mps: float = 2.0
    descent_mps: float = 1.5
    accel_mps2: float = 2.5
    agent_kg_per_l: float = 1.0
    is_ardupilot: bool = True

    def __post_init__(self) -> None:
        require_positive(
            self,
            "body_m",
            "dry_kg",
            "endurance_empty_s",
            "endurance_full_s",
            "battery_wh",
            "speed_mps",
            "cruise_mps",
            "climb_mps",
            "descent_mps",
            "accel_mps2",
            "agent_kg_per_l",
        )
        if not self.endurance_full_s <= self.endurance_empty_s:
            raise PlanError(
                f"endurance_full_s must be at most endurance_empty_s {self.endurance_empty_s}, "
                f"got {self.endurance_full_s}"
            )

    @property
    def full_kg(self) -> float:
        """Mass at take-off with a full tank."""
        return self.dry_kg + self.sprayer.tank_l * self.agent_kg_per_l

    def hover_power_w(self, carried_l: float) -> float:
        """Electric power in hover with `carried_l` litres aboard, 0 to the tank's size.

        A power law of mass through the two endurances of the data sheet; its exponent is
        1.5 for an ideal rotor (momentum theory), 1.1 to 1.6 on makers' sheets.
        """
        mass_kg = self.dry_kg + carried_l * self.agent_kg_per_l
        exponent = math.log(self.endurance_empty_s / self.endurance_full_s) / math.log(
            self.full_kg / self.dry_kg
        )
        empty_w = self.battery_wh * 3600 / self.endurance_empty_s
        return float(empty_w * (mass_kg / self.dry_kg) ** exponent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drone:
    """One machine of the fleet, at home on a pad.

    `is_movable` says that planning may choose another pad for it, before the first sortie.
    """

    id: str
    model: DroneModel
    pad_id: str
    sysid: int = 1
    is_movable: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.sysid <= 250:
            raise PlanError(f"sysid must be 1 to 250, got {self.sysid}")
