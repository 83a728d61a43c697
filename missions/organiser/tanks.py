"""What goes into which tank when: fills of drones, work on foot, and the batches that serve both.

What a tank holds is followed through a plan, so that nothing is mixed twice, two agents never
meet without a rinse, and nothing is sprayed that was mixed too long ago.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skymist.missions.errors import FormatError, SiteUnsafe
from skymist.missions.organiser.duties import Duty, Hand, day_of
from skymist.missions.organiser.mixing import Recipe, dangers_among, product_for, recipe
from skymist.missions.organiser.words import agent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from skymist.coverage.organising import Product
    from skymist.coverage.plan import Plan, Sortie
    from skymist.coverage.site import Site

LEAST_L = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """So much of an agent for one tank (`drone_id`) or for the people of a post (`post`).

    `needed_s` is when it must be ready, in seconds of the plan; None where that is to be agreed.
    `rinsed_l` is what of another agent is thrown away and rinsed out before.
    """

    day: int
    needed_s: float | None
    agent_id: str
    litres_l: float
    drone_id: str = ""
    sortie_id: str = ""
    pad_id: str = ""
    post: str = ""
    rinsed_l: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is mixed of one agent at one time of a day; `product` None: as its label says.

    Times are seconds of the plan: first and last needed, and when what is left is thrown away.
    """

    day: int
    agent_id: str
    product: Product | None
    recipe: Recipe
    first_s: float | None
    last_s: float | None
    discard_s: float | None
    num_fills: int


def fills(plan: Plan, site: Site, duties: Sequence[Duty]) -> tuple[Fill, ...]:
    """All fills of a plan: of drones by take-off, of posts by day.

    Raises
    ------
    SiteUnsafe
        Where two agents would meet in a tank, or a product holds what must not come together.
    """
    _require_safe_products(site, {s.agent_id for s in plan.sorties} | {d.agent_id for d in duties})
    drones = [fill for drone in plan.site.fleet for fill in _drone_fills(plan, site, drone.id)]
    return (*sorted(drones, key=lambda f: (f.needed_s or 0.0, f.drone_id)), *_crew_fills(duties))


def _drone_fills(plan: Plan, site: Site, drone_id: str) -> Iterator[Fill]:
    """Fills of one tank; it begins empty and clean."""
    mine = sorted((s for s in plan.sorties if s.drone_id == drone_id), key=lambda s: s.start_s)
    before: Sortie | None = None
    left_l, mixed_s = 0.0, 0.0
    for sortie in mine:
        rinsed_l = None
        if before is not None and before.agent_id != sortie.agent_id:
            _require_rinse(plan, site, before, sortie)
            rinsed_l, left_l = left_l, 0.0
        product = product_for(site, sortie.agent_id)
        is_old = product is not None and sortie.start_s - mixed_s > product.keeps_h * 3600
        may_fill = before is None or sortie.refill_before
        if left_l > LEAST_L and is_old:
            if not may_fill:
                raise SiteUnsafe(
                    f"{sortie.id}: would spray {sortie.agent_id} that was mixed "
                    f"{(sortie.start_s - mixed_s) / 3600:.0f} h before, and keeps "
                    f"{product.keeps_h if product else 0:g} h: plan a refill before it"
                )
            rinsed_l, left_l = left_l, 0.0
        wanted_l = sortie.carried_l - left_l
        if wanted_l > LEAST_L:
            if not may_fill:
                raise FormatError(
                    f"{sortie.id}: wanted a refill before it, found none: it carries "
                    f"{sortie.carried_l:.2f} L and {left_l:.2f} L are left in the tank"
                )
            if left_l <= LEAST_L:
                mixed_s = sortie.start_s
            yield Fill(
                day=day_of(plan, sortie.start_s),
                needed_s=sortie.start_s,
                agent_id=sortie.agent_id,
                litres_l=wanted_l,
                drone_id=drone_id,
                sortie_id=sortie.id,
                pad_id=sortie.pad_id,
                rinsed_l=rinsed_l,
            )
        left_l = max(0.0, max(sortie.carried_l, left_l) - sortie.litres_l)
        before = sortie


def _require_rinse(plan: Plan, site: Site, before: Sortie, after: Sortie) -> None:
    """Refuse another agent in a tank that is not refilled and rinsed in between."""
    if after.refill_before and plan.site.policy.rinse_s > 0:
        return
    why = "no refill is planned" if not after.refill_before else "policy.rinse_s is 0"
    products = [product_for(site, s.agent_id) for s in (before, after)]
    met = dangers_among(*(p.contains for p in products if p is not None))
    told = "; ".join(danger.text for danger in met) or "two agents never share a tank"
    raise SiteUnsafe(
        f"{after.id}: {after.agent_id} would go into the tank of {after.drone_id} after "
        f"{before.agent_id} without a rinse ({why}): {told}"
    )


def _require_safe_products(site: Site, agent_ids: Iterable[str]) -> None:
    for product in {p.id: p for a in sorted(agent_ids) if (p := product_for(site, a))}.values():
        for danger in dangers_among(product.contains):
            raise SiteUnsafe(f"product {product.id}: never mix: {danger.text}")


def _crew_fills(duties: Sequence[Duty]) -> Iterator[Fill]:
    """What the people of a post need of an agent on a day."""
    found: dict[tuple[int, str, str], Fill] = {}
    for duty in duties:
        if duty.by is not Hand.CREW or duty.litres_l <= LEAST_L:
            continue
        key = (duty.day, duty.post, duty.agent_id)
        fill = found.get(key) or Fill(
            day=duty.day, needed_s=duty.from_s, agent_id=duty.agent_id, litres_l=0.0, post=duty.post
        )
        times = [at for at in (fill.needed_s, duty.from_s) if at is not None]
        found[key] = replace(
            fill, litres_l=fill.litres_l + duty.litres_l, needed_s=min(times, default=None)
        )
    yield from found.values()


def batches(site: Site, all_fills: Sequence[Fill]) -> tuple[Batch, ...]:
    """What is mixed on each day: by agent, anew where the one before would be too old.

    Raises
    ------
    FormatError
        Where a product cannot make its agent.
    """
    made: list[list[Fill]] = []
    timed = sorted(all_fills, key=lambda f: (f.day, f.agent_id, f.needed_s or 0.0))
    for fill in timed:
        group = made[-1] if made else []
        is_same = bool(group) and (group[0].day, group[0].agent_id) == (fill.day, fill.agent_id)
        product = product_for(site, fill.agent_id)
        first_s = next((f.needed_s for f in group if f.needed_s is not None), None)
        is_old = (
            product is not None
            and fill.needed_s is not None
            and first_s is not None
            and fill.needed_s - first_s > product.keeps_h * 3600
        )
        if is_same and not is_old:
            group.append(fill)
        else:
            made.append([fill])
    return tuple(_batch(site, group) for group in made)


def _batch(site: Site, group: Sequence[Fill]) -> Batch:
    agent = agent_of(site, group[0].agent_id)
    product = product_for(site, agent.id)
    litres_l = sum(fill.litres_l for fill in group)
    times = [fill.needed_s for fill in group if fill.needed_s is not None]
    bare = Recipe(litres_l=litres_l, product=0.0, water_ml=0.0)
    first_s = min(times, default=None)
    return Batch(
        day=group[0].day,
        agent_id=agent.id,
        product=product,
        recipe=bare if product is None else recipe(agent, product, litres_l),
        first_s=first_s,
        last_s=max(times, default=None),
        discard_s=None if first_s is None or product is None else first_s + product.keeps_h * 3600,
        num_fills=len(group),
    )
