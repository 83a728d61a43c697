"""The mixing sheet of a plan as plain values, a table and a PDF."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from skymist.coverage.organising import Form, Product, Substance
from skymist.coverage.words import Language
from skymist.missions.defaults import packaged
from skymist.missions.formats.pdf import SOFT, PdfPages
from skymist.missions.organiser.mixing import Danger, Recipe, dangers, product_for, recipe
from skymist.missions.organiser.tanks import Batch, Fill, batches
from skymist.missions.organiser.words import (
    agent_of,
    agent_text,
    clock,
    day_text,
    heading,
    product_text,
    substance_text,
    tell,
)
from skymist.missions.tables import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from skymist.coverage.hours import Start
    from skymist.coverage.site import Agent, Site

BATCH_HEADS = (
    *("date", "agent", "product", "working solution L", "of product", "water mL", "needed"),
    *("throw away by", "mixed at, by"),
)
FILL_HEADS = (
    *("date", "needed", "tank or post", "agent", "working solution L", "of product", "water mL"),
    *("before filling", "filled, by"),
)
FINE = 100.0
"""Below this, tenths of a millilitre or gram are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that is mixed for a plan, and what of it no product is named for."""

    site: Site
    start: Start
    batches: tuple[Batch, ...]
    fills: tuple[Fill, ...]

    @property
    def agents_without_product(self) -> tuple[str, ...]:
        """Ids of the agents that only a label can tell how to mix."""
        return tuple(dict.fromkeys(b.agent_id for b in self.batches if b.product is None))

    @property
    def products(self) -> tuple[Product, ...]:
        """The products in use, each once."""
        return tuple({b.product.id: b.product for b in self.batches if b.product}.values())

    def product_of(self, fill: Fill) -> Product | None:
        """What a fill is made of; None where no product is named."""
        return product_for(self.site, fill.agent_id)

    def is_from_batch(self, fill: Fill) -> bool:
        """Whether it is filled from what was mixed for many, not mixed by itself."""
        product = self.product_of(fill)
        return product is not None and product.form is Form.TABLETS

    def recipe_of(self, fill: Fill) -> Recipe | None:
        """What makes one fill; None where no product is named, or its tablets make whole batches.

        A tablet more or less in a tank would be another strength.
        """
        product = self.product_of(fill)
        if product is None or self.is_from_batch(fill):
            return None
        return recipe(agent_of(self.site, fill.agent_id), product, fill.litres_l)


def sheet_of(site: Site, start: Start, all_fills: Sequence[Fill]) -> Sheet:
    """The sheet of a plan's fills."""
    return Sheet(site=site, start=start, batches=batches(site, all_fills), fills=tuple(all_fills))


def protection_lines(products: Sequence[Product], language: Language) -> Iterator[tuple[str, str]]:
    """What people wear and do, each line with its source; labels' own lines as they stand."""
    table = packaged("protection.yaml")
    contents = {substance for product in products for substance in product.contains}
    for key in ("all", *(s for s in Substance if s in contents)):
        for row in table.get(str(key), ()):
            yield row["zh" if language is Language.CHINESE else "en"], row["source"]
    for product in products:
        for line in product.protection:
            yield line, product_text(language, product)


def dangers_of(products: Sequence[Product]) -> tuple[Danger, ...]:
    """What the products in use must not meet."""
    contents = {substance for product in products for substance in product.contains}
    return tuple(danger for danger in dangers() if danger.pair & contents)


def sheet_dict(sheet: Sheet) -> dict[str, Any]:
    """The sheet as plain JSON values; units are in the keys."""

    def mixed(product: Product | None, one: Recipe | None) -> dict[str, Any]:
        amounts: dict[str, Any] = {f"product_{form.unit.lower()}": None for form in Form}
        if product is None or one is None:
            return {**amounts, "water_ml": None}
        amounts[f"product_{product.form.unit.lower()}"] = round(one.product, 3)
        return {**amounts, "water_ml": round(one.water_ml, 3)}

    def when(plan_s: float | None) -> str | None:
        return None if plan_s is None else sheet.start.at(plan_s)

    return {
        "site": sheet.site.name,
        "starts": sheet.start.at(0),
        "without_product": list(sheet.agents_without_product),
        "batches": [
            {
                "date": day_text(Language.ENGLISH, sheet.start, b.day),
                "agent": b.agent_id,
                "product": b.product and b.product.id,
                "litres_l": round(b.recipe.litres_l, 6),
                **mixed(b.product, b.recipe),
                "first_needed": when(b.first_s),
                "last_needed": when(b.last_s),
                "throw_away_by": when(b.discard_s),
                "fills": b.num_fills,
            }
            for b in sheet.batches
        ],
        "fills": [
            {
                "date": day_text(Language.ENGLISH, sheet.start, f.day),
                **{"drone": f.drone_id, "sortie": f.sortie_id, "pad": f.pad_id, "post": f.post},
                "needed": when(f.needed_s),
                "agent": f.agent_id,
                "litres_l": round(f.litres_l, 6),
                **mixed(sheet.product_of(f), sheet.recipe_of(f)),
                "is_from_batch": sheet.is_from_batch(f),
                "rinse_before_l": None if f.rinsed_l is None else round(f.rinsed_l, 3),
            }
            for f in sheet.fills
        ],
        "protection": [line for line, _ in protection_lines(sheet.products, Language.ENGLISH)],
        "never_with": [danger.text for danger in dangers_of(sheet.products)],
    }


def sheet_csv(sheet: Sheet, language: Language) -> str:
    """Batches, then fills; opens in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for heads, rows in (
        (BATCH_HEADS, _batch_rows(sheet, language)),
        (FILL_HEADS, _fill_rows(sheet, language)),
    ):
        writer.writerow([heading(tell(language, head)) for head in heads])
        for row in rows:
            writer.writerow([inert(cell) for cell in row])
        writer.writerow([])
    return out.getvalue()


def sheet_pdf(sheet: Sheet, language: Language) -> bytes:
    """A sheet for the place where they mix; the same bytes each time."""
    made = datetime.fromisoformat(sheet.start.date or "2000-01-01").replace(tzinfo=UTC)
    title = f"{tell(language, 'Mixing sheet')}: {sheet.site.name}"
    pages = PdfPages(title, made)
    pages.set_title(title)
    pages.add_page()
    pages.words(f"{title}, {day_text(language, sheet.start, 0)}", 15, style="B")
    pages.words(
        tell(
            language,
            "Mix when it is needed, not before. What is left is thrown away at the time given, "
            "counted from the first filling; sooner where the label says so. Test the strength "
            "with strips.",
        ),
        8.5,
    )
    for line in strength_lines(sheet, language):
        pages.words(f"- {line}", 9)
    pages.heading(tell(language, "Mixed in batches"))
    widths: tuple[float, ...] = (22, 50, 46, 20, 20, 22, 26, 34, 36)
    heads = tuple(heading(tell(language, head)) for head in BATCH_HEADS)
    pages.sheet(heads, _batch_rows(sheet, language), widths, numbers="3 4 5")
    pages.heading(tell(language, "Tank by tank"))
    widths = (22, 16, 52, 50, 22, 20, 20, 46, 28)
    heads = tuple(heading(tell(language, head)) for head in FILL_HEADS)
    pages.sheet(heads, _fill_rows(sheet, language), widths, numbers="4 5 6")
    pages.heading(tell(language, "Personal protection"))
    for line, source in protection_lines(sheet.products, language):
        pages.words(f"- {line}", 9)
        pages.words(f"   {source}", 6.5, ink=SOFT)
    pages.heading(tell(language, "Never together"))
    for danger in dangers_of(sheet.products):
        pages.words(f"- {danger_text(danger, language)}", 9)
        pages.words(f"   {danger.source}", 6.5, ink=SOFT)
    return bytes(pages.output())


def danger_text(danger: Danger, language: Language) -> str:
    """What two substances make, in a language."""
    is_chinese = language is Language.CHINESE
    names = (" + " if is_chinese else " and ").join(
        substance_text(language, substance) for substance in sorted(danger.pair)
    )
    what = danger.chinese if is_chinese else danger.english
    return tell(language, "{pair} make {what}", pair=names, what=what)


def strength_lines(sheet: Sheet, language: Language) -> Iterator[str]:
    """Each agent's product and how it is thinned, in one line."""
    for agent_id, product in {b.agent_id: b.product for b in sheet.batches}.items():
        name = agent_text(language, sheet.site, agent_id)
        if product is None:
            yield tell(
                language,
                "{agent}: no product is named. Mix it as the label of yours says, or name it in "
                "the site file under organiser: products.",
                agent=name,
            )
        else:
            agent = agent_of(sheet.site, agent_id)
            yield f"{name}: {_strength(product, agent, product_text(language, product), language)}"
    if any(product.form is not Form.LIQUID for product in sheet.products):
        yield tell(
            language,
            "Powder and tablets go into water, never water onto them. Dissolve them wholly, let "
            "the rest settle and pour through a strainer: grains block nozzles.",
        )


def _strength(product: Product, agent: Agent, name: str, language: Language) -> str:
    """How strong a product is, and how it is thinned or dissolved."""
    strength = product.chlorine_mg_per_unit
    if not strength:
        unit, share = product.form.unit, f"{product.units_per_l:g}"
        text = "{product}: {share} {unit} in one litre of working solution, as its label says"
        return tell(language, text, product=name, share=share, unit=unit)
    one = recipe(agent, product, 1.0)
    if product.form is Form.LIQUID:
        return tell(
            language,
            "{product}: {strength} % available chlorine, 1 part to {water} parts of water",
            product=name,
            strength=f"{strength / 10:g}",
            water=f"{one.water_ml / one.product:.3g}",
        )
    if product.form is Form.POWDER:
        return tell(
            language,
            "{product}: {strength} % available chlorine, {grams} g in each litre of water",
            product=name,
            strength=f"{strength / 10:g}",
            grams=f"{one.product:.3g}",
        )
    return tell(
        language,
        "{product}: {strength} mg available chlorine in a tablet, 1 tablet in each {litres} L of "
        "water",
        product=name,
        strength=f"{strength:g}",
        litres=f"{one.litres_l / one.product:.3g}",
    )


def _batch_rows(sheet: Sheet, language: Language) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for b in sheet.batches:
        name = (
            tell(language, "no product named")
            if b.product is None
            else product_text(language, b.product)
        )
        times = [clock(sheet.start, at) for at in (b.first_s, b.last_s) if at is not None]
        rows.append(
            (
                day_text(language, sheet.start, b.day),
                agent_text(language, sheet.site, b.agent_id),
                name,
                f"{b.recipe.litres_l:.2f}",
                *_parts(b.product, b.recipe, language),
                " - ".join(dict.fromkeys(times)) or tell(language, "to be agreed"),
                "" if b.discard_s is None else sheet.start.at(b.discard_s),
                "",
            )
        )
    return rows


def _fill_rows(sheet: Sheet, language: Language) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for f in sheet.fills:
        where = f"{f.drone_id}, {f.sortie_id}, {f.pad_id}"
        if not f.drone_id:
            where = tell(language, "on foot, {post}", post=f.post or "-")
        needed = (
            tell(language, "to be agreed") if f.needed_s is None else clock(sheet.start, f.needed_s)
        )
        rows.append(
            (
                day_text(language, sheet.start, f.day),
                needed,
                where,
                agent_text(language, sheet.site, f.agent_id),
                f"{f.litres_l:.2f}",
                *_parts(sheet.product_of(f), sheet.recipe_of(f), language),
                _rinse(f, language),
                "",
            )
        )
    return rows


def amount_text(product: Product, one: Recipe, language: Language) -> str:
    """How much of a product, with its unit."""
    if product.form is Form.TABLETS:
        return tell(language, "{n} tablets", n=f"{one.product:.0f}")
    digits = 1 if one.product < FINE else 0
    return f"{one.product:.{digits}f} {product.form.unit}"


def _parts(product: Product | None, one: Recipe | None, language: Language) -> tuple[str, str]:
    if product is None:
        return tell(language, "as its label says"), ""
    if one is None:
        return tell(language, "from the batch"), ""
    return amount_text(product, one, language), f"{one.water_ml:.0f}"


def _rinse(fill: Fill, language: Language) -> str:
    if fill.rinsed_l is None:
        return ""
    if fill.rinsed_l < 0.005:
        return tell(language, "rinse the tank with clean water")
    text = "throw away {litres} L, rinse with clean water"
    return tell(language, text, litres=f"{fill.rinsed_l:.2f}")
