"""The map of who answers for what: zones with their posts, spots in the four colours.

Colour never stands alone: a level has a letter and a symbol, a zone the letter of its worst spot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import shapely

from skymist.coverage.layers import (
    LEVELS,
    Look,
    draw_areas,
    draw_ground,
    draw_places,
    hollow,
    mark_spots,
    marker_of,
    tint,
)
from skymist.coverage.legends import place_legend
from skymist.coverage.mapmarks import SOFT_INK, font, readable
from skymist.coverage.plots import foot_of
from skymist.coverage.sheet import Bounds, Sheet
from skymist.coverage.site import RANK, LevelName
from skymist.coverage.words import Language, counted, say

if TYPE_CHECKING:
    from collections.abc import Collection

    from matplotlib.figure import Figure

    from skymist.coverage.site import Site, Zone

LETTERS = {
    Language.ENGLISH: {level: level.value[0].upper() for level in LevelName},
    Language.CHINESE: dict(zip(LevelName, "红黄蓝绿", strict=True)),
}
POSTS_NAMED = 26
LETTERS_MOST = 400


def draw_posts(
    site: Site, flown: Collection[str], *, language: Language = Language.ENGLISH
) -> Figure:
    """The responsibility map of a site; spots in `flown` are filled, those of people hollow."""
    name = readable(site.name)
    crew = [spot for spot in site.spots if spot.id not in flown]
    sheet = Sheet(
        _extent(site),
        title=f"{name}: {say(language, 'who answers for what')}".strip(": "),
        lines=(
            f"{counted(language, len(site.spots), 'spot')} · "
            + say(
                language,
                "{count} zones, {posts} posts",
                count=len(site.zones),
                posts=len(site.posts),
            ),
            say(
                language,
                "by drone {drone}, by ground crew {crew}",
                drone=len(site.spots) - len(crew),
                crew=len(crew),
            ),
        ),
        foot=foot_of(site, language),
        language=language,
    )
    draw_ground(sheet, site)
    for level, look in LEVELS.items():
        zones = [zone.area for zone in site.zones if worst_level(site, zone) is level]
        draw_areas(sheet, zones, facecolors=tint(look.colour, 0.1), linewidths=0.0, zorder=1.5)
        for hand, hatch in ((flown, ""), ({s.id for s in crew}, "xx")):
            mine = [s.area for s in site.spots if s.level is level and s.id in hand]
            draw_areas(
                sheet,
                mine,
                facecolors=tint(look.colour, 0.45),
                edgecolors=look.colour,
                linewidths=1.3,
                hatch=hatch,
                zorder=8,
            )
    labels = draw_places(sheet, replace(site, zones=_lettered(site, language)))
    looks = {s.id: _look(s.level, is_hollow=s.id not in flown) for s in site.spots}
    mark_spots(sheet, labels, site.spots, looks, away_pt=7)
    _letters(sheet, site, flown)
    _legend(sheet, site, flown)
    return sheet.finish()


def worst_level(site: Site, zone: Zone) -> LevelName | None:
    """The worst level of a zone's spots; None where it has none."""
    levels = [spot.level for spot in site.spots if spot.zone_id == zone.id]
    return min(levels, key=RANK.__getitem__, default=None)


def _look(level: LevelName, *, is_hollow: bool) -> Look:
    look = Look(colour=LEVELS[level].colour, marker=LEVELS[level].marker, size_pt=10.0)
    return hollow(look) if is_hollow else look


def _letters(sheet: Sheet, site: Site, flown: Collection[str]) -> None:
    """The level's letter in each symbol, where there are not too many."""
    if len(site.spots) > LETTERS_MOST:
        return
    for spot in site.spots:
        at = spot.area.representative_point()
        ink = "white" if spot.id in flown else LEVELS[spot.level].colour
        sheet.axes.text(
            at.x,
            at.y,
            LETTERS[sheet.language][spot.level],
            fontproperties=font(6, is_bold=True),
            color=ink,
            ha="center",
            va="center_baseline",
            zorder=20,
        )


def _lettered(site: Site, language: Language) -> tuple[Zone, ...]:
    """Zones with the letter of their worst level before their id."""
    letters = LETTERS[language]
    worst = {zone.id: worst_level(site, zone) for zone in site.zones}
    return tuple(
        replace(zone, id=f"[{letters[level]}] {zone.id}") if (level := worst[zone.id]) else zone
        for zone in site.zones
    )


def _legend(sheet: Sheet, site: Site, flown: Collection[str]) -> None:
    sheet.section(sheet.say("Blind spots"))
    for level, look in LEVELS.items():
        mine = [spot for spot in site.spots if spot.level is level]
        if not mine:
            continue
        text = sheet.say(
            "{letter} {level}: {count}, by drone {drone}",
            letter=LETTERS[sheet.language][level],
            level=sheet.say(level),
            count=len(mine),
            drone=sum(spot.id in flown for spot in mine),
        )
        sheet.mark(text, **marker_of(look))
    sheet.patch(
        sheet.say("left to the ground crew (hollow)"), fc="#f0f0f0", ec=SOFT_INK, hatch="xxx"
    )
    if site.zones:
        sheet.section(sheet.say("Zones by their worst spot"))
    for level, look in LEVELS.items():
        count = sum(worst_level(site, zone) is level for zone in site.zones)
        if count:
            text = sheet.say(
                "[{letter}] {level}: {count}",
                letter=LETTERS[sheet.language][level],
                level=sheet.say(level),
                count=count,
            )
            sheet.patch(text, fc=tint(look.colour, 0.1), ec=SOFT_INK, lw=0.4)
    posts = _posts(site, sheet.say("no post named"))
    if posts:
        sheet.section(sheet.say("Posts"))
    for line in posts[:POSTS_NAMED]:
        sheet.note(line)
    if len(posts) > POSTS_NAMED:
        text = "and {count} more: see the roster"
        sheet.note(sheet.say(text, count=len(posts) - POSTS_NAMED))
    place_legend(sheet, site)


def _posts(site: Site, none: str) -> list[str]:
    """Each zone with its post, then the spots that have one of their own."""
    zones = [f"{readable(zone.id)}: {readable(zone.responsible) or none}" for zone in site.zones]
    own = [f"{readable(s.id)}: {readable(s.responsible)}" for s in site.spots if s.responsible]
    return zones + own


def _extent(site: Site) -> Bounds:
    shapes = [*(spot.area for spot in site.spots), *(zone.area for zone in site.zones)]
    west, south, east, north = shapely.total_bounds(shapes) if shapes else (0, 0, 100, 100)
    rim = 0.03 * max(east - west, north - south) + 3
    return float(west - rim), float(south - rim), float(east + rim), float(north + rim)
