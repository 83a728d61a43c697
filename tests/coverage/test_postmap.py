"""The map of posts: who answers for what is on it, and no level stands by its colour alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from skymist.coverage.layers import LEVELS
from skymist.coverage.postmap import LETTERS, draw_posts, worst_level
from skymist.coverage.sheet import to_png
from skymist.coverage.site import LevelName, Site
from skymist.coverage.words import Language
from tests.plans import neighbourhood, with_chinese_names


@pytest.fixture(scope="module")
def site() -> Site:
    made = neighbourhood(columns=2, rows=2)
    first, *rest = made.spots
    return replace(made, spots=(replace(first, responsible="Ms Wu"), *rest))


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]


@pytest.mark.parametrize("language", list(Language))
def test_posts_zones_and_levels_are_told(site: Site, language: Language) -> None:
    said = words(draw_posts(site, {"refuse-11"}, language=language))
    for zone in site.zones:
        letter = LETTERS[language][LevelName.RED]
        assert f"[{letter}] {zone.id} {zone.responsible}" in said
        assert f"{zone.id}: {zone.responsible}" in said
    assert "refuse-11: Ms Wu" in said
    for level in LevelName:
        count = sum(spot.level is level for spot in site.spots)
        assert said.count(LETTERS[language][level]) == count


def test_a_level_is_told_without_its_colour() -> None:
    assert len({look.marker for look in LEVELS.values()}) == len(LevelName)
    for letters in LETTERS.values():
        assert len(set(letters.values())) == len(LevelName)


def test_a_zone_has_the_letter_of_its_worst_spot(site: Site) -> None:
    calm = replace(site, spots=tuple(s for s in site.spots if s.level is not LevelName.RED))
    assert {worst_level(calm, zone) for zone in site.zones} == {LevelName.YELLOW}
    bare = replace(site, spots=())
    assert {worst_level(bare, zone) for zone in site.zones} == {None}


def test_same_site_same_bytes_and_odd_ones_are_drawn(site: Site) -> None:
    assert to_png(draw_posts(site, ()), 40) == to_png(draw_posts(site, ()), 40)
    many = tuple(replace(site.zones[0], id=f"z{k}") for k in range(40))
    for odd in (
        replace(site, zones=()),
        replace(site, spots=(), zones=()),
        replace(site, zones=many),
        with_chinese_names(site),
    ):
        assert to_png(draw_posts(odd, ()), 40)
    said = " ".join(words(draw_posts(replace(site, zones=many), ())))
    assert "and 15 more: see the roster" in said
