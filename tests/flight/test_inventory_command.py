"""`skymist inventory` from the command line: what it prints, what it refuses, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.missions.inventory.commands import run
from tests.missions.inventory.places import at, community
from tests.missions.suggest.test_deciding import town

if TYPE_CHECKING:
    from pathlib import Path


def told(*words: object, code: int = 0) -> Any:
    """What the command says with --json; what it says on stderr where it refuses."""
    found, out, err = run(*words, "--json")
    assert found == code, err
    return json.loads(out) if code in (0, 1) else err


def test_a_spot_from_its_first_day_to_its_last(tmp_path: Path) -> None:
    site = community(tmp_path)
    place = ",".join(map(str, at(30, 0)))
    words = ("--kind", "垃圾点", "--level", "blue", "--at", place, "--set", "radius_m=2")
    assert told("add", site, *words, "--by", "Wu", "--dry-run")["written"] is False
    assert told("list", site, "--kind", "垃圾点")["spots"][-1]["id"] == "bin-2"
    made = told("add", site, *words, "--by", "Wu", "--photo", "photos/b.jpg")
    assert made["changes"][0]["spot"] == "refuse_point-0001"
    edit = ("edit", site, "refuse_point-0001", "--level", "red")
    assert "wanted why it goes from blue to red" in told(*edit, code=2)
    told(*edit, "--reason", "rats seen", "--set", "responsible=Night post", "--by", "Lin")
    (spot,) = told("list", site, "--post", "Night post")["spots"]
    assert (spot["level"], spot["level_reason"], spot["zone"]) == ("red", "rats seen", "z1")
    assert spot["photos"] == ["photos/b.jpg"]
    assert spot["size_m2"] == pytest.approx(12.5, abs=0.1)
    history = told("history", site, "refuse_point-0001")["changes"]
    assert [(row["what"], row["by"]) for row in history] == [("add", "Wu"), ("edit", "Lin")]
    pairs = told("duplicates", site, code=1)["pairs"]
    assert [pair["spots"] for pair in pairs] == [["bin-1", "bin-2"]]
    told("merge", site, "bin-1", "bin-2", "--by", "Wu")
    assert told("duplicates", site)["pairs"] == []
    told("undo", site, "--by", "Wu")
    assert len(told("duplicates", site, code=1)["pairs"]) == 1
    told("remove", site, "bin-2", "--why", "moved away", "--by", "Wu")
    assert "bin-2" not in {spot["id"] for spot in told("list", site)["spots"]}
    assert "wanted one of Post 1, Night post, found 'Post 7'" in told(
        "list", site, "--post", "Post 7", code=2
    )


def test_proposals_are_listed_drawn_accepted_and_dismissed(tmp_path: Path) -> None:
    site = town(tmp_path)
    proposals = told("suggest", site, "--map", tmp_path / "map.png")["proposals"]
    names = {one["rule"]: one["name"] for one in proposals}
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert proposals[0]["figures"]["length_m"] == pytest.approx(30, abs=1)
    only = told("suggest", site, "--rule", "narrow-gap", "--zone", "z1")["proposals"]
    assert [one["name"] for one in only] == [names["narrow-gap"]]
    made = told("suggest", site, "--accept", names["narrow-gap"], "--by", "Wu")
    assert made["changes"][0]["spot"] == names["narrow-gap"]
    left = told("suggest", site, "--dismiss", names["narrow-alley"], "--by", "Wu")
    assert left["proposals"] == []
    assert told("suggest", site)["proposals"] == []
    assert "wanted the name of a proposal" in told("suggest", site, "--accept", "gap-1", code=2)


def test_an_inventory_is_begun_from_what_the_map_proposes(tmp_path: Path) -> None:
    site = town(tmp_path)
    (tmp_path / "spots.geojson").unlink()
    assert told("list", site)["spots"] == []
    assert told("duplicates", site)["pairs"] == []
    assert len(told("suggest", site)["proposals"]) == 2
    told("suggest", site, "--accept", "ALL", "--set", "responsible=Post 4", "--by", "Wu")
    assert {spot["kind"] for spot in told("list", site, "--post", "Post 4")["spots"]} == {
        "gap",
        "back_alley",
    }
