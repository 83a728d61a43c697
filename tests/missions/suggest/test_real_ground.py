"""Yards, dead ends and map tags on real neighbourhoods, against lists that share no code."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from skymist.missions.suggest.passages import passage_proposals
from skymist.missions.suggest.walls import looks_from, walls_of
from tests.missions.suggest.ground_scoring import RealTown

NAMES = ("helsinki", "kouvola")


@cache
def real(name: str) -> RealTown:
    return RealTown(name)


@pytest.mark.parametrize(
    ("name", "least", "recall", "clear_least"),
    [("helsinki", 200, 0.97, 170), ("kouvola", 9, 0.3, 1)],
)
def test_yards(shared: Path, name: str, least: int, recall: float, clear_least: int) -> None:
    found = real(name).yards()
    assert found.num_listed >= least
    assert found.num_found >= recall * found.num_listed
    assert found.num_clear_found == found.num_clear >= clear_least
    assert found.num_true == found.num_proposals >= 9


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name in NAMES for seed in (None, 1)])
def test_dead_ends_of_streets_and_of_planted_lanes(
    shared: Path, name: str, seed: int | None
) -> None:
    found = real(name).dead_ends(seed=seed)
    if seed is not None:
        assert min(found.num_clear, found.num_proposals) >= 3
    assert found.num_found >= 0.7 * found.num_listed
    assert found.num_clear_found == found.num_clear
    assert found.num_true == found.num_proposals


@pytest.mark.parametrize(("name", "closed"), [("helsinki", 29), ("kouvola", 3)])
def test_passages_closed_at_an_end(shared: Path, name: str, closed: int) -> None:
    town = real(name)
    walls = walls_of([building.footprint for building in town.site.buildings])
    ids = [building.id for building in town.site.buildings]
    passages = list(passage_proposals(walls, looks_from(walls, 4.0), ids, "map"))
    by_list, by_both, by_rule, _ = town.closed_ends(passages)
    assert by_list == by_both == by_rule == closed


@pytest.mark.parametrize("name", NAMES)
def test_tags_of_a_map_planted_on_real_ground(shared: Path, name: str, tmp_path: Path) -> None:
    """Drains, refuse points, sites: in the zones, not hidden, and not in the inventory already."""
    expected, found, proposed, true = real(name).tags(tmp_path, seed=1)
    assert expected >= 100
    assert found == expected
    assert true == proposed
