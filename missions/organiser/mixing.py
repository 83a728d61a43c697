"""From product to working solution: how much of what, and what must never come together.

Volumes of liquids add up; powders and tablets are dissolved in the whole of the water, and their
own volume is neglected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from skymist.coverage.organising import Form, Product, Substance
from skymist.missions.defaults import packaged
from skymist.missions.errors import FormatError
from skymist.missions.organiser.schema import ProductEntry, product_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skymist.coverage.site import Agent, Site

ML_PER_L = 1000.0
MOST_PER_L = {Form.LIQUID: ML_PER_L, Form.POWDER: 100.0, Form.TABLETS: 20.0}
"""Units of product to a litre. A liquid is at most all of it; of more powder or tablets the volume
could no longer be neglected, and nozzles would clog: such a recipe is refused. [P]"""
WHOLE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Two substances that must not meet, what they make, and who says so."""

    pair: frozenset[Substance]
    english: str
    chinese: str
    source: str

    @property
    def text(self) -> str:
        """In one line."""
        names = " and ".join(sorted(self.pair))
        return f"{names} make {self.english} ({self.source})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """So much product (mL, g or tablets, by its form) and water make so much working solution.

    Of tablets it is a whole number, and the solution what these make: no less than was asked for.
    """

    litres_l: float
    product: float
    water_ml: float


@lru_cache(maxsize=1)
def default_products() -> tuple[Product, ...]:
    """The built-in products. Source: the marks in `data/products.yaml`."""
    rows = packaged("products.yaml")
    return tuple(product_of(ProductEntry.model_validate(row)) for row in rows)


@lru_cache(maxsize=1)
def dangers() -> tuple[Danger, ...]:
    """All mixtures that are refused. Source: each row of `data/mixtures.yaml`."""
    return tuple(
        Danger(
            pair=frozenset(map(Substance, row["pair"])),
            english=row["en"],
            chinese=row["zh"],
            source=row["source"],
        )
        for row in packaged("mixtures.yaml")
    )


def dangers_among(*contents: Iterable[Substance]) -> tuple[Danger, ...]:
    """What the contents of one vessel do to each other, whichever they come from."""
    met = {frozenset(pair) for pair in combinations({s for some in contents for s in some}, 2)}
    return tuple(danger for danger in dangers() if danger.pair in met)


def product_for(site: Site, agent_id: str) -> Product | None:
    """The product that an agent is made of: the site's first, else a built-in; None for none."""
    products = (*site.organiser.products, *default_products())
    return next((product for product in products if agent_id in product.agent_ids), None)


def recipe(agent: Agent, product: Product, litres_l: float) -> Recipe:
    """What makes so many litres of an agent, or with whole tablets the least that is more.

    Raises
    ------
    FormatError
        Where the product cannot make it: too weak, or its strength told in another way.

    Source: grams to a litre are the wanted per cent over that of the powder, times 1000 (US CDC,
    Best practices for environmental cleaning, appendix E).
    """
    where = f"product {product.id} for {agent.id}"
    wanted_mg_per_l, unit = agent.chlorine_mg_per_l, product.form.unit
    if (wanted_mg_per_l > 0) != (product.chlorine_mg_per_unit > 0):
        wanted = "its available chlorine" if wanted_mg_per_l > 0 else f"{unit} to a litre"
        raise FormatError(
            f"{where}: wanted {wanted}: the agent has {wanted_mg_per_l:g} mg/L of available "
            f"chlorine, found {product.chlorine_mg_per_unit:g} mg and {product.units_per_l:g} "
            f"{unit} to a litre"
        )
    per_l = product.units_per_l or wanted_mg_per_l / product.chlorine_mg_per_unit
    if not per_l <= MOST_PER_L[product.form]:
        raise FormatError(
            f"{where}: wanted at most {MOST_PER_L[product.form]:g} {unit} to a litre, found "
            f"{per_l:g}: too weak"
        )
    if product.form is Form.TABLETS:
        num = max(1, math.ceil(litres_l * per_l - WHOLE))
        return Recipe(litres_l=num / per_l, product=num, water_ml=num / per_l * ML_PER_L)
    taken_ml = per_l if product.form is Form.LIQUID else 0.0
    return Recipe(
        litres_l=litres_l, product=litres_l * per_l, water_ml=litres_l * (ML_PER_L - taken_ml)
    )
