"""The `organiser` section of a site file as models, and the values that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from skymist.coverage.errors import PlanError
from skymist.coverage.organising import Form, Organiser, Product, Substance
from skymist.missions.clock_words import HoursGiven
from skymist.missions.entries import Entry, Id, Number, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping

MG_OF_PERCENT = 10.0
"""Milligrams in each mL or g: one per cent is one gram in 100 mL, or in 100 g."""
LIQUID_PERCENT_MOST = 20.0
"""Bleach of more does not keep. Powders have up to 91.5 %, trichloroisocyanuric acid by formula."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """How a form of product is told in a site file: strength (mg of one unit), share, price."""

    strength: str
    strength_mg: float
    share: str | None
    price: str

    @property
    def measures(self) -> str:
        """What may say how much is taken, in words."""
        return self.strength if self.share is None else f"{self.strength} or {self.share}"


KEYS: Mapping[Form, Keys] = {
    Form.LIQUID: Keys(
        strength="chlorine_percent",
        strength_mg=MG_OF_PERCENT,
        share="ml_per_l",
        price="price_per_l",
    ),
    Form.POWDER: Keys(
        strength="chlorine_percent",
        strength_mg=MG_OF_PERCENT,
        share="g_per_l",
        price="price_per_kg",
    ),
    Form.TABLETS: Keys(
        strength="chlorine_mg_per_tablet", strength_mg=1.0, share=None, price="price_per_tablet"
    ),
}
_ALL_KEYS = tuple(
    dict.fromkeys(k for keys in KEYS.values() for k in (keys.strength, keys.share, keys.price) if k)
)


class ProductEntry(Entry):
    """A product, as its label has it: available chlorine, or so much to a litre of solution."""

    id: Id = Field(description="its id")
    name: Text | None = Field(default=None, description="what it is; by default the id")
    form: Form = Field(default=Form.LIQUID, description="what it is measured out by")
    agents: list[Id] = Field(min_length=1, max_length=50, description="agents that it makes")
    contains: list[Substance] = Field(
        min_length=1,
        max_length=12,
        description="everything in it and in what is added with it, as hypochlorite, acid, bti",
    )
    chlorine_percent: Number | None = Field(
        default=None,
        gt=0,
        le=92,
        description="available chlorine: grams in 100 mL of a liquid (to 20), in 100 g of a powder",
    )
    chlorine_mg_per_tablet: Number | None = Field(
        default=None, gt=0, le=20_000, description="available chlorine of one tablet, mg"
    )
    ml_per_l: Number | None = Field(
        default=None, gt=0, le=1000, description="mL of a liquid in one litre of working solution"
    )
    g_per_l: Number | None = Field(
        default=None, gt=0, le=100, description="g of a powder in one litre of working solution"
    )
    keeps_h: Number = Field(
        default=24.0, gt=0, le=720, description="hours that the working solution keeps"
    )
    protection: list[Text] = Field(
        default=[], max_length=20, description="lines for the mixing sheet, from its label"
    )
    price_per_l: Number | None = Field(default=None, ge=0, description="price of a litre")
    price_per_kg: Number | None = Field(default=None, ge=0, description="of a kilogram of powder")
    price_per_tablet: Number | None = Field(default=None, ge=0, description="price of one tablet")
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
        Where it says its strength twice or not at all, or by a unit that its form is not
        measured by; the text says what was wanted and found.
    """
    keys = KEYS[entry.form]
    given = {key: value for key in _ALL_KEYS if (value := getattr(entry, key)) is not None}
    strange = [key for key in given if key not in (keys.strength, keys.share, keys.price)]
    if strange:
        raise PlanError(
            f"{keys.measures} and {keys.price} for a product of form {entry.form}, "
            f"found {', '.join(strange)}"
        )
    measures = [key for key in (keys.strength, keys.share) if key in given]
    if len(measures) != 1:
        wanted = keys.measures.replace(" or ", " and ")
        one_of = "one of " if keys.share else ""
        raise PlanError(f"{one_of}{wanted}, found {'both' if measures else 'none'}")
    strength, share = given.get(keys.strength, 0.0), given.get(keys.share or "", 0.0)
    if entry.form is Form.LIQUID and strength > LIQUID_PERCENT_MOST:
        raise PlanError(
            f"chlorine_percent of at most {LIQUID_PERCENT_MOST:g} for a liquid (a powder says "
            f"'form: powder'), found {strength:g}"
        )
    return Product(
        id=entry.id,
        name=entry.name or entry.id,
        agent_ids=tuple(entry.agents),
        contains=tuple(entry.contains),
        form=entry.form,
        chlorine_mg_per_unit=strength * keys.strength_mg,
        units_per_l=share,
        keeps_h=entry.keeps_h,
        protection=tuple(entry.protection),
        price=given.get(keys.price),
        source=entry.source,
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
