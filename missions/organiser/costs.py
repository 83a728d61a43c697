"""What treating takes in people, days, litres and money: with drones, and the same by hand.

Both sides treat the same ground at the same dose. What no drone treats is done on foot on both
sides. Every price and rate is a row of `missions.organiser.prices`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from skymist.coverage.organising import Form
from skymist.missions.organiser.duties import day_of
from skymist.missions.organiser.mixing import product_for, recipe
from skymist.missions.organiser.prices import Prices, hand_minutes
from skymist.missions.organiser.schema import KEYS
from skymist.missions.organiser.words import agent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from skymist.coverage.plan import Plan
    from skymist.coverage.site import Site

SOLD_BY = tuple(form.sold_by[0] for form in Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Ground of a spot to treat: so much of an agent on so many square metres."""

    spot_id: str
    agent_id: str
    area_m2: float
    litres_l: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What drones did or are to do.

    `day_h` are hours from the first take-off of each day to the last landing; `litres_l` by agent
    is what they put out, beside the targets too. `patches` are what that treated, at the dose
    asked for; `rest` is left to people on foot.
    """

    basis: str
    num_drones: int
    num_pads: int
    day_h: tuple[float, ...]
    litres_l: Mapping[str, float]
    patches: tuple[Patch, ...]
    rest: tuple[Patch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One way to do it. `items` are costs by what they are for.

    `product` is how much of it, by what it is sold by: L, kg, tablets.
    `hours` are those of all people, `field_h` how long it takes with so many people.
    """

    people: int
    person_days: int
    days: int
    hours: float
    field_h: float
    litres_l: float
    product: Mapping[str, float]
    area_m2: float
    items: Mapping[str, float]

    @property
    def cost(self) -> float:
        """All items."""
        return math.fsum(self.items.values())

    @property
    def cost_per_m2(self) -> float | None:
        """Of the ground treated; None where there is none."""
        return self.cost / self.area_m2 if self.area_m2 > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """With drones and people on foot for the rest (`mixed`), and all on foot (`by_hand`).

    `drones` is what the drones do alone, `same_by_hand` that on foot. Agents without a product
    are in `unpriced`: their product costs nothing here.
    """

    basis: str
    num_drones: int
    drones: Side
    same_by_hand: Side
    rest: Side
    mixed: Side
    by_hand: Side
    unpriced: tuple[str, ...]

    @property
    def saved(self) -> float:
        """What drones save; below 0 they cost more."""
        return self.by_hand.cost - self.mixed.cost

    @property
    def saved_person_days(self) -> int:
        """Paid days of people that drones save."""
        return self.by_hand.person_days - self.mixed.person_days


def work_of(plan: Plan) -> Work:
    """The work of a plan."""
    spans: dict[int, tuple[float, float]] = {}
    for sortie in plan.sorties:
        day, end_s = day_of(plan, sortie.start_s), sortie.start_s + sortie.duration_s
        low, high = spans.get(day, (sortie.start_s, end_s))
        spans[day] = (min(low, sortie.start_s), max(high, end_s))
    litres: dict[str, float] = {}
    for sortie in plan.sorties:
        litres[sortie.agent_id] = litres.get(sortie.agent_id, 0.0) + sortie.litres_l
    return Work(
        basis="plan",
        num_drones=len({sortie.drone_id for sortie in plan.sorties}),
        num_pads=num_pads(plan),
        day_h=tuple((high - low) / 3600 for low, high in spans.values()),
        litres_l=litres,
        patches=tuple(
            Patch(
                spot_id=t.spot_id,
                agent_id=t.agent_id,
                area_m2=t.target.area,
                litres_l=t.target.area * t.dose_l_per_m2,
            )
            for t in plan.treatments
        ),
        rest=rest_of(plan),
    )


def num_pads(plan: Plan) -> int:
    """Pads in use; stands side by side are one."""
    groups = {pad.id: pad.group or pad.id for pad in plan.site.pads}
    return len({groups.get(sortie.pad_id, sortie.pad_id) for sortie in plan.sorties})


def rest_of(plan: Plan) -> tuple[Patch, ...]:
    """What a plan leaves to people on foot, at the dose of its level."""
    made = []
    for task in plan.ground:
        spot = plan.site.spot(task.spot_id)
        level = plan.site.level_for(spot)
        dose = spot.dose_l_per_m2 or level.dose_l_per_m2
        agent_id = spot.agent_id or level.agent_id
        made.append(
            Patch(
                spot_id=spot.id,
                agent_id=agent_id,
                area_m2=task.area_m2,
                litres_l=task.area_m2 * dose,
            )
        )
    return tuple(made)


def compared(site: Site, work: Work, prices: Prices) -> Comparison:
    """Drones against hands, the rest on foot on both sides."""
    drones = _by_drone(site, work, prices)
    rest = _on_foot(site, work.rest, prices, drones.days)
    mixed = Side(
        people=drones.people + rest.people,
        person_days=drones.person_days + rest.person_days,
        days=max(drones.days, rest.days),
        hours=drones.hours + rest.hours,
        field_h=max(drones.field_h, rest.field_h),
        litres_l=drones.litres_l + rest.litres_l,
        product=_summed(drones.product, rest.product),
        area_m2=drones.area_m2 + rest.area_m2,
        items=_summed(drones.items, rest.items),
    )
    used = {patch.agent_id for patch in (*work.patches, *work.rest)} | set(work.litres_l)
    return Comparison(
        basis=work.basis,
        num_drones=work.num_drones,
        drones=drones,
        same_by_hand=_on_foot(site, work.patches, prices, drones.days),
        rest=rest,
        mixed=mixed,
        by_hand=_on_foot(site, (*work.patches, *work.rest), prices, drones.days),
        unpriced=tuple(sorted(a for a in used if product_for(site, a) is None)),
    )


def _by_drone(site: Site, work: Work, prices: Prices) -> Side:
    """Whole paid days of operators and helpers, drones by the day, product for what is put out."""
    shifts = sum(
        math.ceil((hours + prices["drone_setup_h"]) / prices["work_day_h"] - 1e-9)
        for hours in work.day_h
    )
    operators = math.ceil(work.num_drones * prices["operators_per_drone"])
    helpers = math.ceil(work.num_pads * prices["helpers_per_pad"])
    product, product_cost = _product(site, work.litres_l, prices)
    person_days = (operators + helpers) * shifts
    field_h = math.fsum(work.day_h) + len(work.day_h) * prices["drone_setup_h"]
    return Side(
        people=operators + helpers,
        person_days=person_days,
        days=len(work.day_h),
        hours=(operators + helpers) * field_h,
        field_h=field_h,
        litres_l=math.fsum(work.litres_l.values()),
        product=product,
        area_m2=math.fsum(patch.area_m2 for patch in work.patches),
        items={
            "operators": operators * shifts * prices["operator_per_day"],
            "helpers": helpers * shifts * prices["helper_per_day"],
            "drones": work.num_drones * len(work.day_h) * prices["drone_per_day"],
            "protection": person_days * prices["protection_per_day"],
            "product": product_cost,
        },
    )


def _on_foot(site: Site, patches: Iterable[Patch], prices: Prices, days: int) -> Side:
    """Whole paid days of people; as many people as do it in so many days.

    A spot is walked to once, however many parts of it there are.
    """
    all_patches = tuple(patches)
    spots: dict[str, list[Patch]] = {}
    for patch in all_patches:
        spots.setdefault(patch.spot_id, []).append(patch)
    minutes = math.fsum(
        hand_minutes(prices, sum(p.area_m2 for p in some), sum(p.litres_l for p in some))
        for some in spots.values()
    )
    day_h = max(prices["work_day_h"] - prices["hand_setup_h"], 1e-9)
    person_days = math.ceil(minutes / 60 / day_h - 1e-9)
    people = math.ceil(person_days / max(days, 1))
    hours = minutes / 60 + person_days * prices["hand_setup_h"]
    litres: dict[str, float] = {}
    for patch in all_patches:
        litres[patch.agent_id] = litres.get(patch.agent_id, 0.0) + patch.litres_l
    product, product_cost = _product(site, litres, prices)
    return Side(
        people=people,
        person_days=person_days,
        days=math.ceil(person_days / people) if people else 0,
        hours=hours,
        field_h=hours / people if people else 0.0,
        litres_l=math.fsum(litres.values()),
        product=product,
        area_m2=math.fsum(patch.area_m2 for patch in all_patches),
        items={
            "workers on foot": person_days * prices["hand_worker_per_day"],
            "sprayers": person_days * prices["hand_sprayer_per_day"],
            "protection": person_days * prices["protection_per_day"],
            "product": product_cost,
        },
    )


def _product(
    site: Site, litres: Mapping[str, float], prices: Prices
) -> tuple[dict[str, float], float]:
    """Litres, kilograms and tablets of product for so many litres of agents; what they cost."""
    amounts, cost = dict.fromkeys(SOLD_BY, 0.0), 0.0
    for agent_id, litres_l in litres.items():
        product = product_for(site, agent_id)
        if product is None:
            continue
        made = recipe(agent_of(site, agent_id), product, litres_l)
        sold_by, units = product.form.sold_by
        usual = prices[f"product_{KEYS[product.form].price.removeprefix('price_')}"]
        amounts[sold_by] += made.product / units
        cost += made.product / units * (usual if product.price is None else product.price)
    return amounts, cost


def _summed(*some: Mapping[str, float]) -> dict[str, float]:
    keys = dict.fromkeys(key for items in some for key in items)
    return {key: math.fsum(items.get(key, 0.0) for items in some) for key in keys}


def comparison_dict(made: Comparison, prices: Prices) -> dict[str, Any]:
    """All of it as plain JSON values; money in `currency`."""

    def side(one: Side) -> dict[str, Any]:
        per_m2 = one.cost_per_m2
        return {
            **{"people": one.people, "person_days": one.person_days, "days": one.days},
            **{"person_hours": round(one.hours, 2), "field_h": round(one.field_h, 2)},
            "area_m2": round(one.area_m2, 2),
            "litres_l": round(one.litres_l, 3),
            **{f"product_{sold_by.lower()}": round(one.product[sold_by], 4) for sold_by in SOLD_BY},
            "items": {name: round(value, 2) for name, value in one.items.items()},
            "cost": round(one.cost, 2),
            "cost_per_m2": None if per_m2 is None else round(per_m2, 4),
        }

    return {
        "basis": made.basis,
        "currency": prices.currency,
        "drones": made.num_drones,
        "by_drone": side(made.drones),
        "same_by_hand": side(made.same_by_hand),
        "rest_on_foot": side(made.rest),
        "with_drones": side(made.mixed),
        "all_by_hand": side(made.by_hand),
        "saved": round(made.saved, 2),
        "saved_person_days": made.saved_person_days,
        "unpriced_agents": list(made.unpriced),
        "prices": [asdict(row) for row in prices.rows],
    }
