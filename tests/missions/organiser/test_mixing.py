"""Mixing: active ingredient is conserved, tanks hold what is flown, dangerous pairs are refused."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.hours import Start
from skymist.coverage.organising import Form, Organiser, Product, Substance
from skymist.coverage.plan import Plan
from skymist.coverage.site import Agent, Site
from skymist.coverage.words import Language
from skymist.missions.errors import FormatError, SiteUnsafe
from skymist.missions.organiser.duties import duties
from skymist.missions.organiser.mixing import (
    dangers,
    dangers_among,
    default_products,
    product_for,
    recipe,
)
from skymist.missions.organiser.mixing_sheet import (
    Sheet,
    protection_lines,
    sheet_csv,
    sheet_dict,
    sheet_of,
    sheet_pdf,
    strength_lines,
)
from skymist.missions.organiser.prices import default_prices
from skymist.missions.organiser.tanks import Fill, batches, fills

SEVEN = Start(clock_s=7 * 3600.0, date="2026-07-01")


def sheet_for(plan: Plan, site: Site) -> Sheet:
    assert plan.start is not None
    return sheet_of(site, plan.start, fills(plan, site, duties(plan, site, default_prices())))


def bleach(**changes: object) -> Product:
    return replace(default_products()[0], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mg_per_l", "parts_of_water"), [(1000, 49), (500, 99), (2000, 24), (250, 199)]
)
def test_84_bleach_as_health_authorities_tell_it(mg_per_l: float, parts_of_water: int) -> None:
    """Source: DOMAIN: 84 bleach at 5 %: 1000 mg/L is 1:49, 500 mg/L is 1:99."""
    one = recipe(Agent(id="a", name="a", chlorine_mg_per_l=mg_per_l), bleach(), 10.0)
    assert one.water_ml / one.product == pytest.approx(parts_of_water)


@settings(deadline=None)
@given(litres=st.floats(1e-3, 1e4), mg_per_l=st.floats(1, 2e4), percent=st.floats(2.0, 20.0))
def test_the_mass_of_chlorine_is_conserved(litres: float, mg_per_l: float, percent: float) -> None:
    grams_per_100_ml = percent
    one = recipe(
        Agent(id="a", name="a", chlorine_mg_per_l=mg_per_l),
        bleach(chlorine_mg_per_unit=percent * 10),
        litres,
    )
    put_in_g = one.product * grams_per_100_ml / 100
    assert put_in_g == pytest.approx(litres * mg_per_l / 1000, rel=1e-9)
    assert one.product + one.water_ml == pytest.approx(litres * 1000, rel=1e-9)
    assert 0 <= one.product <= litres * 1000 * (1 + 1e-9)


def powder(percent: float = 60.0, **changes: object) -> Product:
    return bleach(
        id="powder", name="powder", form=Form.POWDER, chlorine_mg_per_unit=percent * 10, **changes
    )


def tablets(mg: float = 500.0, **changes: object) -> Product:
    return bleach(
        id="tabs", name="tabs", form=Form.TABLETS, chlorine_mg_per_unit=mg, keeps_h=10, **changes
    )


@pytest.mark.parametrize(
    ("product", "mg_per_l", "per_l"),
    [
        (powder(35), 5_000, 14.3),  # US CDC, Environmental cleaning, appendix E, example 2
        (powder(30), 10_000, 33.3),  # MSF / UNICEF cholera guides: chlorinated lime, 33 g
        (tablets(1000), 10_000, 10),  # the same: NaDCC of 1 g active chlorine, 10 tablets
        (powder(60), 1000, 1.667),
        (tablets(500), 500, 1),
    ],
)
def test_powder_and_tablets_as_health_authorities_tell_them(
    product: Product, mg_per_l: float, per_l: float
) -> None:
    one = recipe(Agent(id="a", name="a", chlorine_mg_per_l=mg_per_l), product, 1.0)
    assert one.product == pytest.approx(per_l, abs=0.05)
    assert (one.litres_l, one.water_ml) == (1.0, 1000.0)


@settings(deadline=None)
@given(litres=st.floats(1e-3, 1e4), mg_per_l=st.floats(50, 1e4), mg=st.floats(500, 1e4))
def test_tablets_are_whole_and_the_strength_is_right(
    litres: float, mg_per_l: float, mg: float
) -> None:
    """Never weaker than asked for, never too little, and less than a tablet's worth too much."""
    one = recipe(Agent(id="a", name="a", chlorine_mg_per_l=mg_per_l), tablets(mg), litres)
    assert one.product == int(one.product) >= 1
    assert one.product * mg / (one.water_ml / 1000) == pytest.approx(mg_per_l, rel=1e-9)
    assert one.litres_l == pytest.approx(one.water_ml / 1000)
    assert one.litres_l >= litres * (1 - 1e-6)
    assert (one.product - 1) * mg < litres * mg_per_l * (1 + 1e-6)


@settings(deadline=None)
@given(litres=st.floats(1e-3, 1e4), mg_per_l=st.floats(1, 5e3), percent=st.floats(5, 92))
def test_the_chlorine_of_a_powder_is_what_is_asked(
    litres: float, mg_per_l: float, percent: float
) -> None:
    one = recipe(Agent(id="a", name="a", chlorine_mg_per_l=mg_per_l), powder(percent), litres)
    assert one.product * percent / 100 == pytest.approx(litres * mg_per_l / 1000, rel=1e-9)
    assert one.water_ml == pytest.approx(litres * 1000)


def test_the_sheet_of_tablets_and_powder(plan: Plan, site: Site) -> None:
    """Tablets: whole ones for a batch, from which tanks are filled; powder: grams for each."""
    made = replace(site, organiser=Organiser(products=(tablets(), *site.organiser.products)))
    sheet = sheet_for(plan, made)
    told = sheet_dict(sheet)
    asked: dict[str, float] = {}
    mg_per_l = {agent.id: agent.chlorine_mg_per_l for agent in site.agents}
    for fill in told["fills"]:
        asked[fill["agent"]] = asked.get(fill["agent"], 0.0) + fill["litres_l"]
        assert fill["is_from_batch"] == (mg_per_l[fill["agent"]] > 0)
        assert fill["product_tablets"] is None
    for batch in told["batches"]:
        if mg := mg_per_l[batch["agent"]]:
            assert batch["product_tablets"] == math.ceil(asked[batch["agent"]] * mg / 500 - 1e-6)
            assert batch["litres_l"] >= asked[batch["agent"]] - 1e-6
            assert (batch["product_ml"], batch["product_g"]) == (None, None)
        else:
            assert batch["product_ml"] > 0
    rows = list(csv.reader(io.StringIO(sheet_csv(sheet, Language.ENGLISH))))
    cells = {cell for row in rows for cell in row}
    assert "from the batch" in cells
    counted = {f"{b['product_tablets']} tablets" for b in told["batches"] if b["product_tablets"]}
    assert counted
    assert counted <= cells
    lines = list(strength_lines(sheet, Language.ENGLISH))
    assert any("500 mg available chlorine in a tablet, 1 tablet in each 0.5 L" in a for a in lines)
    assert any("grains block nozzles" in line for line in lines)
    ground = replace(site, organiser=Organiser(products=(powder(), *site.organiser.products)))
    fill = next(f for f in sheet_dict(sheet_for(plan, ground))["fills"] if mg_per_l[f["agent"]])
    assert fill["product_g"] == pytest.approx(
        fill["litres_l"] * mg_per_l[fill["agent"]] / 600, abs=1e-3
    )
    plain = list(strength_lines(sheet_for(plan, site), Language.ENGLISH))
    assert not any("grains" in line for line in plain)


def test_powder_and_tablets_too_weak_are_refused() -> None:
    strong = Agent(id="a", name="a", chlorine_mg_per_l=20_000)
    with pytest.raises(FormatError, match="at most 100 g to a litre, found 400: too weak"):
        recipe(strong, powder(5), 1.0)
    with pytest.raises(FormatError, match="at most 20 tablets to a litre, found 40: too weak"):
        recipe(strong, tablets(500), 1.0)
    with pytest.raises(FormatError, match="wanted tablets to a litre"):
        recipe(Agent(id="bti", name="Bti"), tablets(), 1.0)


def test_a_product_that_cannot_make_the_agent_is_named() -> None:
    strong = Agent(id="a", name="a", chlorine_mg_per_l=60_000)
    with pytest.raises(FormatError, match="too weak"):
        recipe(strong, bleach(), 1.0)
    with pytest.raises(FormatError, match="wanted its available chlorine"):
        recipe(strong, bleach(chlorine_mg_per_unit=0.0, units_per_l=100.0), 1.0)
    with pytest.raises(FormatError, match="wanted mL to a litre"):
        recipe(Agent(id="bti", name="Bti"), bleach(), 1.0)


def test_tanks_hold_what_is_flown_and_batches_fill_them(plan: Plan, site: Site) -> None:
    """A replay that knows fills and sorties alone."""
    found = fills(plan, site, duties(plan, site, default_prices()))
    by_sortie = {fill.sortie_id: fill for fill in found if fill.drone_id}
    for drone in site.fleet:
        inside: dict[str, float] = {}
        for sortie in sorted(plan.sorties, key=lambda s: s.start_s):
            if sortie.drone_id != drone.id:
                continue
            fill = by_sortie.get(sortie.id)
            if fill is not None and fill.rinsed_l is not None:
                inside = {}
            if fill is not None:
                inside[fill.agent_id] = inside.get(fill.agent_id, 0.0) + fill.litres_l
            assert list(inside) == [sortie.agent_id]
            assert inside[sortie.agent_id] >= sortie.carried_l - 1e-9
            assert inside[sortie.agent_id] <= drone.model.sprayer.tank_l + 1e-9
            inside[sortie.agent_id] -= sortie.litres_l
            assert inside[sortie.agent_id] >= -1e-9
    made = batches(site, found)
    for agent in {fill.agent_id for fill in found}:
        of_fills = sum(fill.litres_l for fill in found if fill.agent_id == agent)
        of_batches = sum(b.recipe.litres_l for b in made if b.agent_id == agent)
        assert of_batches == pytest.approx(of_fills)
    told = sheet_dict(sheet_for(plan, site))
    for agent in {fill.agent_id for fill in found}:
        parts = sum(f["product_ml"] for f in told["fills"] if f["agent"] == agent)
        whole = sum(b["product_ml"] for b in told["batches"] if b["agent"] == agent)
        assert parts == pytest.approx(whole, abs=0.01)


def test_a_batch_too_old_is_mixed_anew(site: Site) -> None:
    def at(hour: float) -> Fill:
        return Fill(day=0, needed_s=hour * 3600, agent_id="chlorine-500", litres_l=10.0)

    keeping = replace(site, organiser=Organiser(products=(bleach(keeps_h=4.0),)))
    made = batches(keeping, [at(0), at(3.9), at(4.1), at(8), at(9)])
    assert [batch.num_fills for batch in made] == [2, 2, 1]
    for batch in made:
        assert batch.first_s is not None
        assert batch.last_s is not None
        assert batch.discard_s == batch.first_s + 4 * 3600
        assert batch.last_s <= batch.discard_s


def test_every_dangerous_pair_in_a_product_is_refused(plan: Plan, site: Site) -> None:
    refused = {danger.pair for danger in dangers()}
    assert {Substance.HYPOCHLORITE, Substance.ACID} in refused
    assert {Substance.HYPOCHLORITE, Substance.AMMONIA} in refused
    for one, other in combinations(Substance, 2):
        mixed = bleach(contains=(Substance.SURFACTANT, one, other))
        changed = replace(site, organiser=Organiser(products=(mixed,)))
        if {one, other} in refused:
            with pytest.raises(SiteUnsafe, match=r"never mix: .* make .*\[[SK]\]"):
                fills(plan, changed, ())
        else:
            fills(plan, changed, ())


def test_pairs_are_found_from_either_side_and_never_alone() -> None:
    for danger in dangers():
        assert danger.source
        for one, other in permutations(danger.pair):
            assert dangers_among([one], [other]) == (danger,)
            assert dangers_among([one, other]) == (danger,)
    assert not dangers_among([Substance.HYPOCHLORITE], [Substance.HYPOCHLORITE])


def test_two_agents_in_a_tank_without_a_rinse_are_refused(plan: Plan, site: Site) -> None:
    second = next(s for s in plan.sorties if s.id == "heron-02")
    assert second.agent_id == "larvicide"
    found = fills(plan, site, ())
    assert next(f for f in found if f.sortie_id == "heron-02").rinsed_l is not None
    dry = replace(plan.site.policy, rinse_s=0.0)
    unrinsed = replace(plan, site=replace(plan.site, policy=dry))
    with pytest.raises(SiteUnsafe, match=r"heron-02: larvicide .* after chlorine-1000 without"):
        fills(unrinsed, site, ())
    sorties = tuple(
        replace(s, refill_before=False) if s.id == "heron-02" else s for s in plan.sorties
    )
    with pytest.raises(SiteUnsafe, match="no refill is planned"):
        fills(replace(plan, sorties=sorties), site, ())
    acid = Product(
        id="sour",
        name="sour",
        agent_ids=("larvicide",),
        contains=(Substance.ACID,),
        units_per_l=100,
    )
    sour = replace(site, organiser=Organiser(products=(acid,)))
    with pytest.raises(SiteUnsafe, match="chlorine gas"):
        fills(unrinsed, sour, ())


def test_nothing_too_old_is_sprayed(plan: Plan, site: Site) -> None:
    """A tank that stands overnight is emptied at a refill; without one the plan is refused."""
    first = next(s for s in plan.sorties if s.id == "egret-01")
    late_s = first.start_s + 25 * 3600
    kept = replace(first, id="late", start_s=late_s, carried_l=0.3, litres_l=0.2)
    with pytest.raises(SiteUnsafe, match="late: would spray chlorine-500 that was mixed 25 h"):
        fills(replace(plan, sorties=(first, kept)), site, ())
    fresh = replace(kept, refill_before=True)
    fill = fills(replace(plan, sorties=(first, fresh)), site, ())[-1]
    assert fill.rinsed_l == pytest.approx(first.carried_l - first.litres_l)
    assert fill.litres_l == pytest.approx(0.3)


def test_the_sites_own_product_comes_first(site: Site) -> None:
    own = bleach(id="own", chlorine_mg_per_unit=100.0)
    changed = replace(site, organiser=Organiser(products=(own,)))
    assert product_for(changed, "chlorine-500") == own
    assert product_for(site, "adulticide") is None


@pytest.mark.parametrize("language", list(Language))
def test_the_sheet_says_it_all_the_same_each_time(
    plan: Plan, site: Site, language: Language
) -> None:
    pypdf = pytest.importorskip("pypdf", reason="no pypdf here: the PDF was not read")
    sheet = sheet_for(plan, site)
    pdf = sheet_pdf(sheet, language)
    assert pdf == sheet_pdf(sheet, language)
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    flat = text.replace("\n", "")
    for line, _ in protection_lines(sheet.products, language):
        assert line.replace(" ", "") in flat.replace(" ", "")
    assert ("氯气" in text) == (language is Language.CHINESE)
    rows = list(csv.reader(io.StringIO(sheet_csv(sheet, language))))
    assert len(rows) == len(sheet.batches) + len(sheet.fills) + 4
    told = sheet_dict(sheet)
    assert told["without_product"] == []
    bare = replace(site, organiser=Organiser())
    assert sheet_for(plan, bare).agents_without_product == ("larvicide",)
