"""From product to working solution: how much of what, and what must never come together.

Volumes add up: working solutions are a few per cent of product in water.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from skymist.coverage.organising import Product, Substance
from skymist.missions.defaults import packaged
from skymist.missions.errors import FormatError
from skymist.missions.organiser.schema import ProductEntry, product_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skymist.coverage.site import Agent, Site

ML_PER_L = 1000.0


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
    """So much product and water make so much working solution."""

    litres_l: float
    product_ml: float
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
    """What makes so many litres of an agent.

    Raises
    ------
    FormatError
        Where the product cannot make it: too weak, or its strength told in another way.
    """
    where = f"product {product.id} for {agent.id}"
    if (agent.chlorine_mg_per_l > 0) != (product.chlorine_mg_per_ml > 0):
        wanted = "chlorine_percent" if agent.chlorine_mg_per_l > 0 else "ml_per_l"
        raise FormatError(
            f"{where}: wanted {wanted}: the agent has {agent.chlorine_mg_per_l:g} mg/L of "
            f"available chlorine, found {product.chlorine_mg_per_ml:g} mg/mL and a share of "
            f"{product.share_frac:g}"
        )
    share = product.share_frac or (agent.chlorine_mg_per_l / ML_PER_L / product.chlorine_mg_per_ml)
    if not share <= 1:
        raise FormatError(
            f"{where}: wanted {agent.chlorine_mg_per_l / ML_PER_L:g} mg/mL of available chlorine "
            f"or more, found {product.chlorine_mg_per_ml:g}: too weak"
        )
    whole_ml = litres_l * ML_PER_L
    return Recipe(litres_l=litres_l, product_ml=whole_ml * share, water_ml=whole_ml * (1 - share))
