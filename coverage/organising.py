"""What an organiser adds to a site: whom to call, when crews work, products, prices.

Values only; nothing here changes a plan. `missions.organiser` makes rosters, notices, mixing
sheets and costs of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import Hours


class Substance(StrEnum):
    """What a product contains, as far as it matters for what it must not meet."""

    HYPOCHLORITE = "hypochlorite"
    ISOCYANURATE = "isocyanurate"
    ACID = "acid"
    AMMONIA = "ammonia"
    QUATERNARY = "quaternary"
    ALCOHOL = "alcohol"
    PEROXIDE = "peroxide"
    PYRETHROID = "pyrethroid"
    ORGANOPHOSPHATE = "organophosphate"
    BTI = "bti"
    SURFACTANT = "surfactant"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A liquid that working solutions are made of, as its label has it.

    Either `chlorine_mg_per_ml` (available chlorine; 5 g in 100 mL are 50) says how strong it is,
    or `share_frac` which part of the working solution it is. The solution keeps `keeps_h` hours.
    `contains` names everything in it and in what is added with it.
    """

    id: str
    name: str
    agent_ids: tuple[str, ...]
    contains: tuple[Substance, ...]
    chlorine_mg_per_ml: float = 0.0
    share_frac: float = 0.0
    keeps_h: float = 24.0
    protection: tuple[str, ...] = ()
    price_per_l: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        strengths = (self.chlorine_mg_per_ml, self.share_frac)
        if not (all(0 <= s < math.inf for s in strengths) and sum(s > 0 for s in strengths) == 1):
            raise PlanError(f"product {self.id}: one of its strength and its share must be above 0")
        if not (self.share_frac <= 1 and 0 < self.keeps_h < math.inf and self.contains):
            raise PlanError(f"product {self.id}: share, keeping hours or contents out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Organiser:
    """Whom residents call, when and how many people work on foot, products, own prices.

    `prices` are (key, value) pairs over those of `missions/data/prices.yaml`; `currency` is
    empty where the site does not say. `crew_people` work at each post.
    """

    contact: str = ""
    crew_hours: tuple[Hours, ...] = ()
    crew_people: int = 2
    products: tuple[Product, ...] = ()
    prices: tuple[tuple[str, float], ...] = ()
    currency: str = ""
