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


class Form(StrEnum):
    """What a product is, and so by what it is measured out."""

    LIQUID = "liquid"
    POWDER = "powder"
    TABLETS = "tablets"

    @property
    def unit(self) -> str:
        """What recipes count: mL of a liquid, g of a powder (granules too), whole tablets."""
        return {Form.LIQUID: "mL", Form.POWDER: "g", Form.TABLETS: "tablets"}[self]

    @property
    def sold_by(self) -> tuple[str, float]:
        """What prices are of, and how many units that is: a litre, a kilogram, one tablet."""
        return {
            Form.LIQUID: ("L", 1000.0),
            Form.POWDER: ("kg", 1000.0),
            Form.TABLETS: ("tablets", 1.0),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What working solutions are made of, as its label has it. Units are those of its form.

    Either `chlorine_mg_per_unit` (available chlorine; a liquid of 5 g in 100 mL has 50 in each
    mL, a powder of 60 % 600 in each g) says how strong it is, or `units_per_l` how much goes into
    a litre of working solution. The solution keeps `keeps_h` hours. `contains` names everything
    in it and in what is added with it. `price` is of a litre, a kilogram or one tablet.
    """

    id: str
    name: str
    agent_ids: tuple[str, ...]
    contains: tuple[Substance, ...]
    form: Form = Form.LIQUID
    chlorine_mg_per_unit: float = 0.0
    units_per_l: float = 0.0
    keeps_h: float = 24.0
    protection: tuple[str, ...] = ()
    price: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        strengths = (self.chlorine_mg_per_unit, self.units_per_l)
        if not (all(0 <= s < math.inf for s in strengths) and sum(s > 0 for s in strengths) == 1):
            raise PlanError(f"product {self.id}: one of its strength and its share must be above 0")
        if self.form is Form.TABLETS and not self.chlorine_mg_per_unit > 0:
            raise PlanError(f"product {self.id}: tablets need their strength")
        if not (self.units_per_l <= 1000 and 0 < self.keeps_h < math.inf and self.contains):
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
