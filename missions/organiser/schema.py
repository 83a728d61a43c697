"""The `organiser` section of a site file as models, and the values that it gives."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from skymist.coverage.errors import PlanError
from skymist.coverage.organising import Organiser, Product, Substance
from skymist.missions.clock_words import HoursGiven
from skymist.missions.entries import Entry, Id, Number, Text, Whole

MG_PER_ML_OF_PERCENT = 10.0
"""One per cent is one gram in 100 mL."""


class ProductEntry(Entry):
    """A product, as its label has it: `chlorine_percent`, or `ml_per_l` of working solution."""

    id: Id = Field(description="its id")
    name: Text | None = Field(default=None, description="what it is; by default the id")
    agents: list[Id] = Field(min_length=1, max_length=50, description="agents that it makes")
    contains: list[Substance] = Field(
        min_length=1,
        max_length=12,
        description="everything in it and in what is added with it, as hypochlorite, acid, bti",
    )
    chlorine_percent: Number | None = Field(
        default=None, gt=0, le=20, description="available chlorine, grams in 100 mL of product"
    )
    ml_per_l: Number | None = Field(
        default=None, gt=0, le=1000, description="mL of product in one litre of working solution"
    )
    keeps_h: Number = Field(
        default=24.0, gt=0, le=720, description="hours that the working solution keeps"
    )
    protection: list[Text] = Field(
        default=[], max_length=20, description="lines for the mixing sheet, from its label"
    )
    price_per_l: Number | None = Field(default=None, ge=0, description="price of a litre")
    source: Text = Field(default="", description="where these figures are from")


class OrganiserEntry(Entry):
    """What rosters, notices, mixing sheets and costs need beside the site."""

    contact: Text = Field(default="", description="whom residents call: office and telephone")
    crew_hours: HoursGiven = Field(
        default=None, description="when people on foot work, as [08:00-12:00, 14:00-18:00]"
    )
    crew_people: Whole = Field(default=2, ge=1, le=100, description="people on foot at each post")
    products: list[ProductEntry] = Field(
        default=[], max_length=50, description="products, before the built-in ones"
    )
    prices: dict[str, Number] = Field(
        default={}, description="own figures over those of prices.yaml, by key"
    )
    currency: Text = Field(default="", description="of all prices; by default CNY")


def product_of(entry: ProductEntry) -> Product:
    """The value of an entry.

    Raises
    ------
    PlanError
        Where it says its strength twice or not at all.
    """
    if (entry.chlorine_percent is None) == (entry.ml_per_l is None):
        raise PlanError("one of chlorine_percent and ml_per_l")
    strength: dict[str, Any] = {}
    if entry.chlorine_percent is not None:
        strength["chlorine_mg_per_ml"] = entry.chlorine_percent * MG_PER_ML_OF_PERCENT
    elif entry.ml_per_l is not None:
        strength["share_frac"] = entry.ml_per_l / 1000.0
    return Product(
        id=entry.id,
        name=entry.name or entry.id,
        agent_ids=tuple(entry.agents),
        contains=tuple(entry.contains),
        keeps_h=entry.keeps_h,
        protection=tuple(entry.protection),
        price_per_l=entry.price_per_l,
        source=entry.source,
        **strength,
    )


def organiser_of(entry: OrganiserEntry, products: tuple[Product, ...]) -> Organiser:
    """The value of a section; `products` are those of its entries that are sound."""
    return Organiser(
        contact=entry.contact,
        crew_hours=entry.crew_hours or (),
        crew_people=entry.crew_people,
        products=products,
        prices=tuple(entry.prices.items()),
        currency=entry.currency,
    )
