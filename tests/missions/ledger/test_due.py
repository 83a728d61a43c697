"""What is due, against a replay by brute force that shares no code with it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from skymist.coverage.frames import Origin
from skymist.coverage.site import BlindSpot, Kind, Level, LevelName, Mode, Site
from skymist.missions.inventory.changes import Change
from skymist.missions.ledger.due import Choice, closed, due, only_due
from skymist.missions.ledger.store import open_ledger
from skymist.missions.ledger.treatments import add_by_hand, add_record
from skymist.missions.site import read_site
from tests.missions.ledger.books import COMMUNITY, flown

ROOT = Path(__file__).resolve().parents[3]
EAST = timezone(timedelta(hours=8))
DAY_1 = date(2026, 7, 1)
OUTCOMES = ("treated", "partial", "missed")


def one_spot(revisit_days: float, mode: Mode = Mode.SURFACE) -> Site:
    level = Level(name=LevelName.RED, dose_l_per_m2=0.1, agent_id="a", revisit_days=revisit_days)
    spot = BlindSpot(
        id="bin-1",
        kind=Kind.REFUSE_POINT,
        level=LevelName.RED,
        shape=Point(0, 0),
        radius_m=2,
        mode=mode,
    )
    return Site(
        name=COMMUNITY,
        origin=Origin(lat_deg=22.6, lon_deg=114.0),
        spots=(spot,),
        surface_levels=(level,),
        vector_levels=(level,),
    )


def local(day: int, hour: float) -> datetime:
    return datetime(2026, 7, 1, tzinfo=EAST) + timedelta(days=day, hours=hour)


VISIT = st.tuples(
    st.integers(0, 12),
    st.floats(0.0, 23.7),
    st.sampled_from(["treated", "treated", "partial", "missed"]),
    st.sampled_from([False, False, True]),
    st.sampled_from(["surface", "surface", "vector"]),
)


@settings(max_examples=40, deadline=None)
@given(visits=st.lists(VISIT, max_size=6), revisit_days=st.sampled_from([1, 2, 3, 3.5, 7, 7.25]))
def test_due_is_what_days_passed_say(
    tmp_path_factory: pytest.TempPathFactory,
    visits: list[tuple[int, float, str, bool, str]],
    revisit_days: float,
) -> None:
    path, site = tmp_path_factory.mktemp("due") / "t.ledger", one_spot(revisit_days)
    full: set[int] = set()
    with_ledger = False
    for k, (day, hour, outcome, is_rehearsal, mode) in enumerate(visits):
        began = local(day, hour) + timedelta(seconds=k)
        made = flown(began, {"bin-1": outcome}, is_rehearsal=is_rehearsal, mode=mode, each_min=10)
        add_record(path, made, takes_rehearsals=True, now=local(99, 0))
        with_ledger = True
        if outcome == "treated" and not is_rehearsal and mode == "surface":
            full.add(day)
    if not with_ledger:
        assert len(due(site, None, DAY_1, tz=EAST)) == 1
        return
    with open_ledger(path) as ledger:
        for day in range(25):
            found = due(site, ledger, DAY_1 + timedelta(days=day), tz=EAST)
            assert bool(found) == (not full or day - max(full) >= revisit_days)


def test_twice_a_day_comes_back_in_the_evening(tmp_path: Path) -> None:
    path, site = tmp_path / "t.ledger", one_spot(0.5)
    add_record(path, flown(local(0, 7)), now=local(0, 9))
    with open_ledger(path) as ledger:
        (item,) = due(site, ledger, DAY_1, tz=EAST)
        assert item.since == local(0, 19) + timedelta(minutes=9)
        assert due(site, ledger, DAY_1, at=local(0, 12), tz=EAST) == ()
        assert due(site, ledger, DAY_1, at=local(0, 19.2), tz=EAST) == (item,)


def test_closed_until_the_contact_time_is_over(tmp_path: Path) -> None:
    path = tmp_path / "t.ledger"
    began = local(0, 7)
    outcomes = {"a": "treated", "b": "partial", "c": "missed"}
    add_record(path, flown(began, outcomes, contact_min=30), now=began + timedelta(minutes=31))
    with open_ledger(path) as ledger:
        found = closed(ledger, began + timedelta(minutes=31))
        assert [(c.spot_id, c.until - began) for c in found] == [
            ("a", timedelta(minutes=39)),
            ("b", timedelta(minutes=49)),
        ]
        assert [c.spot_id for c in closed(ledger, began + timedelta(minutes=39))] == ["b"]
        assert closed(ledger, began + timedelta(minutes=49)) == ()


def test_of_two_treatments_the_later_end_of_contact_closes(tmp_path: Path) -> None:
    path, began = tmp_path / "t.ledger", local(0, 7)
    for minutes, contact_min in ((0, 60), (20, 30)):
        start = began + timedelta(minutes=minutes)
        made = flown(start, {"a": "treated"}, contact_min=contact_min)
        add_record(path, made, now=start + timedelta(minutes=10))
    with open_ledger(path) as ledger:
        (place,) = closed(ledger, began + timedelta(minutes=40))
        assert place.until - began == timedelta(minutes=69)
        assert closed(ledger, began + timedelta(minutes=69)) == ()


def test_work_by_hand_counts_and_choices_choose(tmp_path: Path) -> None:
    path, site = tmp_path / "t.ledger", one_spot(1)
    other = replace(site.spots[0], id="bin-2", level=LevelName.RED, zone_id="z")
    site = replace(site, spots=(*site.spots, other))
    add_by_hand(path, site, ["bin-1"], ended=local(0, 9), by="Wu", now=local(0, 10))
    with open_ledger(path) as ledger:
        (item,) = due(site, ledger, DAY_1, tz=EAST)
        assert (item.spot.id, item.reason, item.last) == ("bin-2", "never treated", None)
        assert due(site, ledger, DAY_1, choice=Choice(zones=("y",)), tz=EAST) == ()
        assert due(site, ledger, DAY_1, choice=Choice(zones=("z",)), tz=EAST) == (item,)
        assert due(site, ledger, DAY_1, choice=Choice(levels=("blue",)), tz=EAST) == ()
        assert [s.id for s in only_due(site, (item,)).spots] == ["bin-2"]


def test_what_a_plan_left_to_people_is_theirs(tmp_path: Path) -> None:
    path, site = tmp_path / "t.ledger", one_spot(1)
    other = replace(site.spots[0], id="gap-1")
    site = replace(site, spots=(*site.spots, other))
    add_record(path, flown(local(0, 9), left=("gap-1",)), now=local(0, 10))
    with open_ledger(path) as ledger:
        found = due(site, ledger, DAY_1 + timedelta(days=1), tz=EAST)
        assert {item.spot.id: item.by for item in found} == {"bin-1": "drone", "gap-1": "hand"}
    add_record(path, flown(local(1, 9), {"gap-1": "partial"}), now=local(1, 10))
    with open_ledger(path) as ledger:
        found = due(site, ledger, DAY_1 + timedelta(days=2), tz=EAST)
        assert {item.by for item in found} == {"drone"}


EVENT = st.one_of(
    st.tuples(st.just("treat"), st.sampled_from("abc"), st.sampled_from(["treated", "partial"])),
    st.tuples(st.just("merge"), st.sampled_from("abc"), st.sampled_from("abc")),
    st.tuples(st.just("undo"), st.sampled_from("abc"), st.just("")),
)


@settings(max_examples=60, deadline=None)
@given(events=st.lists(st.tuples(st.integers(0, 2), EVENT), max_size=9))
def test_a_merged_spot_is_due_when_any_of_its_parts_is(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, tuple[str, str, str]]]
) -> None:
    """Against ground that is a set of patches: who is treated wets every patch that is his then.

    What a merge that is taken back gives back is as old as it was before the merge.
    """
    path, site = tmp_path_factory.mktemp("due") / "t.ledger", one_spot(2)
    whole = {spot_id: {spot_id} for spot_id in "abc"}
    given: dict[str, tuple[str, dict[str, int]]] = {}
    wet_day: dict[str, int] = {}
    day = 0
    for number, (passed, (what, one, other)) in enumerate(events):
        day += passed
        now = local(day, 8) + timedelta(minutes=20 * number)
        if what == "treat" and one in whole:
            add_record(path, flown(now, {one: other}), now=now + timedelta(minutes=10))
            if other == "treated":
                wet_day |= dict.fromkeys(whole[one], day)
        elif what == "merge" and one in whole and other in whole and one != other:
            given[one] = (other, {patch: wet_day.get(patch, -99) for patch in whole[one]})
            whole[other] |= whole.pop(one)
            _enter(path, one, other, now)
        elif (
            what == "undo" and one in given and {*given[one][1]} <= whole.get(given[one][0], set())
        ):
            into, before = given.pop(one)
            whole[into] -= {*before}
            whole[one] = {*before}
            wet_day |= before
            _enter(path, one, "", now)
    spots = tuple(replace(site.spots[0], id=spot_id) for spot_id in whole)
    if not path.exists():
        return
    with open_ledger(path) as ledger:
        for on in range(day, day + 4):
            found = due(replace(site, spots=spots), ledger, DAY_1 + timedelta(days=on), tz=EAST)
            expected = {
                spot_id
                for spot_id, patches in whole.items()
                if any(on - wet_day.get(patch, -99) >= 2 for patch in patches)
            }
            assert {item.spot.id for item in found} == expected


def _enter(path: Path, spot_id: str, into: str, now: datetime) -> None:
    """The row of a merge, or without `into` of one that is taken back."""
    change = Change(spot_id=spot_id, what="merge" if into else "undo", before=None, after=None)
    with open_ledger(path, community=COMMUNITY, now=now) as ledger:
        body = replace(change, into=into).body(1, "Wu", "", None)
        ledger.append(lambda _: [body], now)


def test_a_merged_spot_says_which_part_is_due_and_is_wet_under_its_own_name(tmp_path: Path) -> None:
    path, site = tmp_path / "t.ledger", one_spot(2)
    add_record(path, flown(local(0, 8), {"bin-1": "treated"}), now=local(0, 9))
    add_record(path, flown(local(-1, 8), {"bin-2": "treated"}), now=local(0, 9))
    with open_ledger(path) as ledger:
        assert due(site, ledger, DAY_1 + timedelta(days=1), tz=EAST) == ()
    _enter(path, "bin-2", "bin-1", local(0, 10))
    with open_ledger(path) as ledger:
        (item,) = due(site, ledger, DAY_1 + timedelta(days=1), tz=EAST)
        assert item.reason == "last treated 2026-06-30 (bin-2, merged into it)"
        assert item.last == local(-1, 8) + timedelta(minutes=9)
        (place,) = closed(ledger, local(-1, 8.2))
        assert place.spot_id == "bin-1"
        assert place.until == local(0, 8) + timedelta(minutes=39)
    _enter(path, "bin-9", "bin-1", local(0, 11))
    with open_ledger(path) as ledger:
        (item,) = due(site, ledger, DAY_1, tz=EAST)
        assert item.reason == "never treated (bin-9, merged into it)"


@pytest.mark.slow
def test_thirty_days_of_kouvola(shared: Path, tmp_path: Path) -> None:
    """Nothing due is forgotten, nothing comes early, whatever is missed, partial or late."""
    site = read_site(ROOT / "examples" / "kouvola" / "site.yaml")
    path, rng = tmp_path / "k.ledger", random.Random(30)
    days_between = {s.id: site.level_for(s).revisit_days for s in site.spots}
    last_day: dict[str, int] = {}
    num_due = 0
    for day in range(30):
        expected = {s for s, d in days_between.items() if day - last_day.get(s, -99) >= d}
        on = DAY_1 + timedelta(days=day)
        if path.exists():
            with open_ledger(path, reads=site.name) as ledger:
                found = due(site, ledger, on, tz=EAST)
        else:
            found = due(site, None, on, tz=EAST)
        assert {item.spot.id for item in found} == expected
        for item in found:
            held = last_day.get(item.spot.id)
            assert (held is None) == (item.since is None)
            if held is not None:
                passed = day - held
                assert item.days_late == max(0, passed - -(-days_between[item.spot.id] // 1))
        num_due += len(found)
        if rng.random() < 0.15:
            continue  # rain: nobody flies
        ids = [item.spot.id for item in found]
        rng.shuffle(ids)
        for crew in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
            for mode in Mode:
                mine = [s for s in crew if site.spot(s).mode is mode]
                outcomes = {s: rng.choices(OUTCOMES, (8, 1, 1))[0] for s in mine}
                began = local(day, rng.uniform(5, 17)) + timedelta(seconds=num_due)
                if outcomes:
                    made = flown(began, outcomes, site=site.name, mode=str(mode), each_min=1)
                    add_record(path, made, now=local(day, 23.5))
                    last_day |= {s: day for s, o in outcomes.items() if o == "treated"}
    assert num_due > 30 * 30
    assert len(last_day) > 250
