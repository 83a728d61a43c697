"""Costs: each figure by arithmetic of its own, laws of prices, tables that are read strictly."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.organising import Organiser
from skymist.coverage.plan import Plan
from skymist.coverage.site import Site
from skymist.missions.errors import FormatError, SiteFileError
from skymist.missions.organiser.costs import (
    Comparison,
    Patch,
    Work,
    compared,
    comparison_dict,
    work_of,
)
from skymist.missions.organiser.prices import (
    Prices,
    default_prices,
    hand_minutes,
    price_keys,
    prices_of,
)

MONEY = [key for key in price_keys() if key.endswith(("_per_day", "_per_l"))]
MONEY = [key for key in MONEY if key != "hand_m2_per_day"]


def table(**figures: float) -> Prices:
    base = default_prices()
    rows = (replace(row, value=figures.get(row.key, row.value)) for row in base.rows)
    return replace(base, rows=tuple(rows))


WORK = Work(
    basis="plan",
    num_drones=3,
    num_pads=2,
    day_h=(3.0, 8.5),
    litres_l={"chlorine-1000": 100.0},
    patches=(Patch(spot_id="a", agent_id="chlorine-1000", area_m2=800.0, litres_l=80.0),),
    rest=(Patch(spot_id="b", agent_id="chlorine-500", area_m2=100.0, litres_l=3.0),),
)


def test_a_hand_reckoned_comparison(site: Site) -> None:
    """Two days with 3 drones from 2 pads: 4 h make a shift, 9.5 h two; figures of the table."""
    made = compared(site, WORK, default_prices())
    drones = made.drones
    assert (drones.people, drones.person_days, drones.days) == (5, 15, 2)
    assert drones.hours == pytest.approx(5 * (3 + 8.5 + 2 * 1))
    # 100 L of 1000 mg/L are 100 g of chlorine: 2 L of bleach with 50 g/L.
    assert drones.product == {"L": pytest.approx(2.0), "kg": 0.0, "tablets": 0.0}
    assert drones.items == pytest.approx(
        {
            "operators": 3 * 3 * 600,
            "helpers": 2 * 3 * 300,
            "drones": 3 * 2 * 400,
            "protection": 15 * 20,
            "product": 2 * 4,
        }
    )
    assert drones.cost_per_m2 == pytest.approx(sum(drones.items.values()) / 800)
    # By hand: 80 L at 0.76 L/min, 8 refills of 4 min, 5 min there: 142 min of one person.
    minutes = 80 / 0.76 + 8 * 4 + 5
    by_hand = made.same_by_hand
    assert by_hand.person_days == math.ceil(minutes / 60 / 7.5) == 1
    assert by_hand.hours == pytest.approx(minutes / 60 + 0.5)
    assert by_hand.items == pytest.approx(
        {"workers on foot": 300, "sprayers": 5, "protection": 20, "product": 80 / 50 * 4}
    )
    assert made.saved == pytest.approx(made.by_hand.cost - made.mixed.cost)
    assert made.saved < 0, "two short days of drones cost more than one of a person"


@pytest.mark.parametrize(
    ("area_m2", "litres_l", "people", "minutes"),
    [
        (13_300.0, 0.0, 1, 5 + 480.0),
        (13_300.0, 0.0, 4, 5 + 120.0),
        (10.0, 7.6, 1, 5 + 10 + 3.04),
        (0.0, 0.0, 3, 5.0),
    ],
)
def test_the_slower_of_walking_and_spraying_binds(
    area_m2: float, litres_l: float, people: int, minutes: float
) -> None:
    got = hand_minutes(default_prices(), area_m2, litres_l, people)
    assert got == pytest.approx(minutes)


@settings(deadline=None, max_examples=60)
@given(
    scale=st.floats(0.1, 10),
    key=st.sampled_from(price_keys()),
    days=st.lists(st.floats(0.1, 20), min_size=1, max_size=4),
    num_drones=st.integers(1, 20),
)
def test_laws_of_prices(
    site: Site, scale: float, key: str, days: list[float], num_drones: int
) -> None:
    """Money scales with money, people with time; both sides treat the same ground."""
    work = replace(WORK, day_h=tuple(days), num_drones=num_drones)
    one = compared(site, work, default_prices())
    dearer = compared(site, work, table(**{k: default_prices()[k] * scale for k in MONEY}))
    assert dearer.mixed.cost == pytest.approx(one.mixed.cost * scale)
    assert dearer.by_hand.cost == pytest.approx(one.by_hand.cost * scale)
    more = compared(site, work, table(**{key: default_prices()[key] * 1.5}))
    for made in (one, more):
        assert made.mixed.area_m2 == pytest.approx(made.by_hand.area_m2)
        assert made.drones.area_m2 == pytest.approx(made.same_by_hand.area_m2)
        sides = (made.drones, made.rest, made.mixed, made.by_hand)
        assert all(side.cost == pytest.approx(sum(side.items.values())) for side in sides)
        # Paid time is at least the time that is worked.
        assert made.by_hand.hours <= made.by_hand.person_days * 8 * 1.5 + 1e-6
    if key in MONEY:
        assert more.mixed.cost >= one.mixed.cost - 1e-9


def test_the_work_of_a_plan_is_the_plans(site: Site, plan: Plan) -> None:
    work = work_of(plan)
    assert sum(work.litres_l.values()) == pytest.approx(plan.litres_l)
    assert sum(p.area_m2 for p in work.patches) == pytest.approx(
        sum(t.target.area for t in plan.treatments)
    )
    assert sum(p.area_m2 for p in work.rest) == pytest.approx(sum(g.area_m2 for g in plan.ground))
    first = min(s.start_s for s in plan.sorties)
    assert work.day_h == (pytest.approx((plan.makespan_s - first) / 3600),)
    assert (work.num_drones, work.num_pads) == (2, 2)
    assert compared(site, work, default_prices()).unpriced == ()
    bare = compared(replace(site, organiser=Organiser()), work, default_prices())
    assert bare.unpriced == ("larvicide",)


def test_a_plan_without_flights_costs_people_alone(site: Site, plan: Plan) -> None:
    none = replace(plan, sorties=(), treatments=())
    made: Comparison = compared(site, work_of(none), default_prices())
    assert made.drones.cost == 0
    assert made.drones.cost_per_m2 is None
    assert made.saved == pytest.approx(0.0)
    assert comparison_dict(made, default_prices())["by_drone"]["cost_per_m2"] is None


def test_every_price_says_how_it_is_known() -> None:
    for row in default_prices().rows:
        assert row.mark in {"S", "D", "P"}
        assert row.source
        assert row.unit
        assert row.chinese


def test_own_prices_come_over_the_sites_and_say_so(tmp_path: Path) -> None:
    organiser = Organiser(prices=(("operator_per_day", 500.0), ("drone_per_day", 90.0)))
    path = tmp_path / "ours.yaml"
    path.write_text("currency: EUR\noperator_per_day: 250\n", encoding="utf-8")
    made = prices_of(organiser, path)
    rows = {row.key: row for row in made.rows}
    assert made.currency == "EUR"
    assert (rows["operator_per_day"].value, rows["operator_per_day"].source) == (250, str(path))
    assert (rows["drone_per_day"].value, rows["drone_per_day"].mark) == (90, "site")
    assert rows["helper_per_day"].mark == "P"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("operator_day: 1", r"operator_day: wanted a key .* operator_per_day"),
        ("operator_per_day: many", "wanted a number, found 'many'"),
        ("operator_per_day: -1", "wanted 0 or more, found -1"),
        ("hand_flow_lpm: 0", "wanted above 0, found 0"),
        ("drone_per_day: .nan", "drone_per_day: wanted 0 or more, found nan"),
        ("currency: 7", "currency: wanted a word"),
        ("- 1", "wanted a mapping"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        prices_of(Organiser(), path)
    with pytest.raises(FormatError, match="organiser: prices: operator_per_day"):
        prices_of(Organiser(prices=(("operator_per_day", -1.0),)))
    path.write_text("a: 1\na: 2", encoding="utf-8")
    with pytest.raises(SiteFileError):
        prices_of(Organiser(), path)


def test_a_table_that_is_not_there_is_called_by_its_name(tmp_path: Path, site: Site) -> None:
    with pytest.raises(SiteFileError, match=r"none\.yaml: file: wanted prices \(YAML"):
        prices_of(site.organiser, tmp_path / "none.yaml")
