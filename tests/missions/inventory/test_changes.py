"""Changes of the inventory: what they write, what they leave alone, what they refuse, undo."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from skymist.coverage.site import LevelName, LevelRule, LevelRules, Measure
from skymist.missions.errors import FormatError, SiteFileError
from skymist.missions.inventory.adding import addition, edition, require_apart, values_of_words
from skymist.missions.inventory.book import read_book
from skymist.missions.inventory.changes import Change, commit, undone
from skymist.missions.inventory.duplicates import duplicates, merged
from skymist.missions.ledger.findings import Reported, add_findings
from skymist.missions.ledger.levels import levelled
from skymist.missions.ledger.spots import bodies_of, merged_into
from skymist.missions.ledger.store import open_ledger
from skymist.missions.ledger.verify import verify
from skymist.missions.site import read_site
from tests.missions.inventory.places import SPOTS, at, community, features_of, point

if TYPE_CHECKING:
    from pathlib import Path

RED = {"level": "red", "level_reason": "rats seen", "level_since": "2026-07-01"}


def test_an_edit_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    site = community(tmp_path)
    book = read_book(site)
    commit(book, [edition(book, "bin-1", RED)], tmp_path / "l", by="Wu", why="round of July")
    was, now = {f["properties"]["id"]: f for f in SPOTS}, features_of(tmp_path / "spots.geojson")
    assert list(now) == list(was)
    assert now["bin-1"]["properties"] == {**was["bin-1"]["properties"], **RED}
    assert all(now[key] == was[key] for key in was if key != "bin-1")
    held = json.loads((tmp_path / "spots.geojson").read_text(encoding="utf-8"))
    assert held["surveyed"] == {"by": "Lin"}
    with open_ledger(tmp_path / "l") as ledger:
        (body,) = bodies_of(ledger, "bin-1")
    assert (body["by"], body["why"], body["what"]) == ("Wu", "round of July", "edit")
    assert (body["before"]["level"], body["after"]["level"]) == ("blue", "red")
    assert "level: blue -> red" in body["text"]
    assert verify(tmp_path / "l").broken is None
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_layer_with_other_words_keeps_its_words(tmp_path: Path) -> None:
    spot = point(0, 0, nr="b", what="bin", rot=1, colour="blue")
    source = {
        "file": "spots.geojson",
        "properties": {"id": "nr", "kind": "what", "level": "colour"},
        "values": {"kind": {"bin": "refuse_point"}},
        "defaults": {"radius_m": 3, "level": "green"},
    }
    site = community(tmp_path, [spot], layers={"spots": source})
    book = read_book(site)
    new = addition(book, "c", {"kind": "manhole", "level": "red"}, at=f"{114.0405},{22.73}")
    commit(book, [edition(book, "b", RED), new], tmp_path / "l", by="Wu")
    properties = [
        f["properties"]
        for f in json.loads((tmp_path / "spots.geojson").read_text(encoding="utf-8"))["features"]
    ]
    assert properties[0]["colour"] == "red"
    assert (properties[0]["what"], properties[0]["rot"]) == ("bin", 1)
    assert properties[1]["nr"] == "c"
    assert {s.id: (s.kind, s.level, s.radius_m) for s in read_site(site).spots} == {
        "b": ("refuse_point", "red", 3.0),
        "c": ("manhole_cover", "red", 3.0),
    }
    book = read_book(site)
    change = edition(book, "b", {"radius_m": None, "width_m": 2})
    with pytest.raises(FormatError, match=r"defaults make it 3"):
        commit(book, [change], tmp_path / "l", by="Wu")


def test_the_first_spot_begins_the_layer(tmp_path: Path) -> None:
    site = community(tmp_path, [])
    (tmp_path / "spots.geojson").unlink()
    book = read_book(site)
    values = {"kind": "垃圾点", "level": "红", "radius_m": 2}
    commit(book, [addition(book, "", values, at="114.04,22.73")], tmp_path / "l", by="Wu")
    assert [spot.id for spot in read_site(site).spots] == ["refuse_point-0001"]
    book = read_book(site)
    with open_ledger(tmp_path / "l") as held:
        changes, number = undone(book, held)
    assert number == 2
    with pytest.raises(SiteFileError, match="at least one blind spot"):
        commit(book, changes, tmp_path / "l", by="Wu", undoes=number)


def test_any_work_undone_is_the_inventory_before(tmp_path: Path) -> None:
    for seed in range(4):
        rng, folder = random.Random(seed), tmp_path / str(seed)
        site, ledger = community(folder), folder / "l"
        before = {key: item.state for key, item in read_book(site).items.items()}
        num = sum(_worked(site, ledger, rng) for _ in range(8))
        for _ in range(num):
            book = read_book(site)
            with open_ledger(ledger) as held:
                changes, number = undone(book, held)
            assert commit(book, changes, ledger, by="Lin", undoes=number)
        assert {key: item.state for key, item in read_book(site).items.items()} == before
        assert verify(ledger).broken is None
        with open_ledger(ledger) as held, pytest.raises(FormatError, match="found none"):
            undone(read_book(site), held)


def _worked(site: Path, ledger: Path, rng: random.Random) -> bool:
    """One change by chance; whether there was something to change."""
    book = read_book(site)
    ids = sorted(book.items)
    what = rng.choice(["add", "edit", "merge", "remove"])
    if what == "add":
        place = ",".join(map(str, at(rng.uniform(-90, 90), rng.uniform(-90, 90))))
        values = {"kind": "septic", "level": "red", "radius_m": rng.randint(1, 4)}
        changes = [addition(book, "", values, at=place)]
    elif what == "edit":
        note = rng.choice([None, "wet", "=SUM(A1)"])
        changes = [edition(book, rng.choice(ids), {"note": note, "responsible": "Post 9"})]
    elif len(ids) < 3:
        return False
    elif what == "merge":
        pair = rng.sample(ids, 2)
        changes = [*merged(book, read_site(site), pair, takes_union=rng.random() < 0.5)]
    else:
        spot_id = rng.choice(ids)
        changes = [Change(spot_id=spot_id, what="remove", before=book.state(spot_id), after=None)]
    return bool(commit(book, changes, ledger, by="Wu"))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["radius_m=-1"], "bin-1.radius_m: wanted above 0, found '-1'"),
        (["zone=z9"], "wanted the id of a zone, found 'z9'"),
        (["photos=none.jpg"], "bin-1.photos: wanted a file in"),
        (["photos=../out.jpg"], "bin-1.photos: wanted paths within"),
        (["photos=leads-out.jpg"], "a link that leads out of it"),
        (["level=red"], "bin-1.level_reason: wanted why it goes from blue to red, found nothing"),
        (["radius_m="], "wanted radius_m above 0 for a Point, found nothing"),
        (["level_since=7/1/26"], "wanted a day as 2026-07-01"),
    ],
)
def test_what_no_spot_may_be_is_refused_and_nothing_written(
    tmp_path: Path, words: list[str], wanted: str
) -> None:
    site = community(tmp_path / "site")
    (tmp_path / "out.jpg").write_bytes(b"jpg")
    (site.parent / "leads-out.jpg").symlink_to(tmp_path / "out.jpg")
    data, book = (site.parent / "spots.geojson").read_bytes(), read_book(site)
    with pytest.raises(SiteFileError) as caught:
        commit(book, [edition(book, "bin-1", values_of_words(words))], tmp_path / "l", by="Wu")
    assert wanted in str(caught.value)
    assert (site.parent / "spots.geojson").read_bytes() == data
    assert not (tmp_path / "l").exists()


def test_two_programs_do_not_write_over_each_other(tmp_path: Path) -> None:
    site, ledger = community(tmp_path), tmp_path / "l"
    first, second = read_book(site), read_book(site)
    commit(first, [edition(first, "bin-1", RED)], ledger, by="Wu")
    with pytest.raises(FormatError, match="changed by another program"):
        commit(second, [edition(second, "bin-2", {"note": None})], ledger, by="Lin")
    with open_ledger(ledger) as held:
        assert [body["spot"] for body in bodies_of(held)] == ["bin-1"]


def test_what_others_did_in_the_file_is_kept_as_such(tmp_path: Path) -> None:
    site, ledger = community(tmp_path), tmp_path / "l"
    book = read_book(site)
    commit(book, [edition(book, "bin-1", RED)], ledger, by="Wu")
    path = tmp_path / "spots.geojson"
    path.write_text(path.read_text(encoding="utf-8").replace("rats seen", "foxes"), "utf-8")
    book = read_book(site)
    with open_ledger(ledger) as held, pytest.raises(FormatError, match="found foxes"):
        undone(book, held)
    commit(book, [edition(book, "bin-2", {"note": "clean"})], ledger, by="Lin")
    with open_ledger(ledger) as held:
        told = [(b["spot"], b["what"], b["by"]) for b in bodies_of(held)]
    assert told[1:] == [("bin-1", "outside", "unknown"), ("bin-2", "edit", "Lin")]


FILLS = """
import resource, sys
from pathlib import Path
from skymist.missions.inventory.adding import edition
from skymist.missions.inventory.book import read_book
from skymist.missions.inventory.changes import commit
site, ledger = Path(sys.argv[1]), Path(sys.argv[2])
book = read_book(site)
limit = ledger.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for k in range(400):
    book = read_book(site)
    commit(book, [edition(book, "bin-1", {"note": f"{k} " + "x" * 450})], ledger, by="Wu")
"""


def test_a_full_disk_leaves_the_layer_as_the_ledger_tells_it(tmp_path: Path) -> None:
    site, ledger = community(tmp_path), tmp_path / "l"
    book = read_book(site)
    commit(book, [edition(book, "bin-1", {"note": "begun"})], ledger, by="Wu")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", FILLS, site, ledger],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        check=False,
    )
    assert "nothing was added" in done.stderr
    with open_ledger(ledger) as held:
        last = list(bodies_of(held, "bin-1"))[-1]
    assert (
        features_of(tmp_path / "spots.geojson")["bin-1"]["properties"]["note"]
        == (last["after"]["note"])
    )
    assert verify(ledger).broken is None


def test_duplicates_are_those_that_brute_force_finds(tmp_path: Path) -> None:
    rng = random.Random(5)
    spots = [
        point(
            *(rng.uniform(-40, 40), rng.uniform(-40, 40)),
            **{"id": f"s{k}", "kind": rng.choice(["bin", "septic"]), "level": "red"},
            **{"radius_m": rng.choice([1, 2, 6]), "elevation_m": rng.choice([0, 0, 0, 12])},
        )
        for k in range(60)
    ]
    site = read_site(community(tmp_path, spots))
    want = set()
    for i, one in enumerate(site.spots):
        for other in site.spots[i + 1 :]:
            gap = one.shape.distance(other.shape) - one.radius_m - other.radius_m
            covered = one.area.intersection(other.area).area
            share = covered / min(one.area.area, other.area.area)
            level = abs(one.elevation_m - other.elevation_m) <= 2
            if level and ((one.kind == other.kind and gap <= 3.0) or share >= 0.5):
                want.add(frozenset((one.id, other.id)))
    found = {frozenset((a.first.id, a.second.id)): a for a in duplicates(site, 3.0)}
    # A disc is a polygon of 32 corners: it reaches 0.5 % of its radius less far than the circle.
    assert len(want) > 10
    assert set(found) ^ want <= {
        pair for pair, alike in found.items() if abs(alike.distance_m - 3.0) < 0.1
    }
    ordered = duplicates(site, 3.0)
    assert all(a.overlap_frac >= b.overlap_frac for a, b in pairwise(ordered))


def test_a_new_spot_beside_one_of_its_kind_is_refused(tmp_path: Path) -> None:
    book = read_book(community(tmp_path))
    values = {"kind": "refuse_point", "level": "blue", "radius_m": 1}
    with pytest.raises(FormatError, match=r"found bin-2 \(0.0 m\), bin-1"):
        require_apart(book, addition(book, "", values, at=",".join(map(str, at(3.5, 0)))))
    require_apart(book, addition(book, "", values, at=",".join(map(str, at(30, 0)))))


def test_a_roof_is_not_merged_with_the_ground_nor_mist_with_wetting(tmp_path: Path) -> None:
    roof = point(2, 2, id="roof", kind="flat_roof", level="red", radius_m=2, elevation_m=12)
    kerb = point(1, 0, id="kerb", kind="bins", level="red", radius_m=2, elevation_m=1.5)
    belt = point(2, 0, id="belt", kind="green_belt", level="red", radius_m=2, mode="vector")
    site_file = community(tmp_path, [*SPOTS, roof, kerb, belt])
    book, site = read_book(site_file), read_site(site_file)
    for pair in (["bin-1", "roof"], ["roof", "bin-1"]):
        with pytest.raises(FormatError, match="wanted a surface within 2 m of the height"):
            merged(book, site, pair)
    with pytest.raises(FormatError, match="wanted mode surface, as bin-1 has it, found vector"):
        merged(book, site, ["bin-1", "bin-2", "belt"])
    for union in (False, True):
        kept, _ = merged(book, site, ["bin-1", "kerb"], takes_union=union)
        assert kept.after is not None
        assert "elevation_m" not in kept.after  # the first one's height: the ground
        kept, _ = merged(book, site, ["kerb", "bin-1"], takes_union=union)
        assert kept.after is not None
        assert kept.after["elevation_m"] == 1.5


def test_merging_keeps_the_worst_level_the_notes_and_the_findings(tmp_path: Path) -> None:
    site_file, ledger = community(tmp_path), tmp_path / "l"
    rules = LevelRules(rules=(LevelRule(measure=Measure.CASES, days=9, red=2, yellow=1),))
    site = read_site(site_file)
    now = datetime(2026, 7, 1, 9, tzinfo=UTC)
    told = Reported(on=date(2026, 7, 1), measure=Measure.CASES, value=2, spot_id="cover-1")
    add_findings(ledger, site, [told], now=now)
    book = read_book(site_file)
    commit(book, merged(book, site, ["bin-1", "bin-2"], takes_union=True), ledger, by="Wu")
    now_held = features_of(tmp_path / "spots.geojson")
    assert "bin-2" not in now_held
    properties = now_held["bin-1"]["properties"]
    assert (properties["level"], properties["note"]) == ("red", "smells")
    assert properties["photos"] == ["a.jpg"]
    assert "radius_m" not in properties
    two = {spot.id: spot.area for spot in site.spots}
    merged_site = read_site(site_file)
    want = two["bin-1"].union(two["bin-2"])
    assert merged_site.spot("bin-1").area.area == pytest.approx(want.area, rel=0.01)
    book = read_book(site_file)
    commit(book, merged(book, merged_site, ["yard-1", "cover-1"]), ledger, by="Wu")
    with open_ledger(ledger) as held:
        assert merged_into(held) == {"bin-2": "bin-1", "cover-1": "yard-1"}
        site = read_site(site_file)
        with_rules = type(site)(
            **{key: getattr(site, key) for key in site.__slots__} | {"level_rules": rules}
        )
        raised, changes = levelled(with_rules, held, date(2026, 7, 2), tz=UTC)
    assert raised.spot("yard-1").level is LevelName.RED
    assert list(changes) == ["yard-1"]
