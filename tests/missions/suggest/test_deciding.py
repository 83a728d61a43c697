"""Proposals that become spots, and those that are not shown again; what a map's tags propose."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from skymist.coverage.site import Kind
from skymist.missions.errors import FormatError
from skymist.missions.inventory.book import read_book
from skymist.missions.inventory.changes import commit
from skymist.missions.ledger.store import open_ledger
from skymist.missions.site import read_site
from skymist.missions.suggest.deciding import accepted, dismiss, dismissed
from skymist.missions.suggest.picture import draw_proposals
from skymist.missions.suggest.sources import read_extract, read_streets
from skymist.missions.suggest.suggest import suggested
from tests.missions.inventory.places import at, community, polygon

if TYPE_CHECKING:
    from pathlib import Path

    from skymist.missions.suggest.suggest import Suggested

VALUES = {"level": "blue", "level_reason": "proposed by a rule; nobody has looked"}
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)


def town(folder: Path) -> Path:
    """Three houses with a gap and an alley between them, a lane that ends behind them, spots."""
    houses = [
        polygon([(-40, 60), (-20, 60), (-20, 90), (-40, 90)], id="h1", height_m=9),
        polygon([(-19, 60), (0, 60), (0, 90), (-19, 90)], id="h2", height_m=9),
        polygon([(3, 60), (30, 60), (30, 90), (3, 90)], id="h3", height_m=9),
    ]
    streets = [
        {
            "type": "Feature",
            "properties": {"highway": "residential"},
            "geometry": {"type": "LineString", "coordinates": [at(-90, 50), at(90, 50)]},
        }
    ]
    site = community(
        folder,
        layers={
            **{"spots": "spots.geojson", "zones": "zones.geojson"},
            **{"buildings": "buildings.geojson", "streets": "streets.geojson"},
        },
    )
    for name, features in (("buildings", houses), ("streets", streets)):
        text = json.dumps({"type": "FeatureCollection", "features": features})
        (folder / f"{name}.geojson").write_text(text, encoding="utf-8")
    return site


def found_in(path: Path) -> Suggested:
    site = read_site(path)
    return suggested(site, read_streets(path, site.origin))


def test_accepted_proposals_are_spots_with_their_rule_and_are_known_from_then_on(
    tmp_path: Path,
) -> None:
    path, ledger = town(tmp_path), tmp_path / "l"
    found = found_in(path)
    rules = {one.rule: name for name, one in found.proposals.items()}
    assert set(rules) == {"narrow-gap", "narrow-alley"}
    assert found_in(path).proposals.keys() == found.proposals.keys()
    book, site = read_book(path), read_site(path)
    names = [rules["narrow-gap"]]
    changes = accepted(book, site, found.proposals, names, VALUES)
    commit(book, changes, ledger, by="Wu")
    spot = read_site(path).spot(names[0])
    assert spot.kind is Kind.GAP
    assert spot.width_m == pytest.approx(1.0, abs=0.02)
    state = read_book(path).state(names[0])
    assert state["source"].startswith("rule narrow-gap: width_m 1, ")
    assert state["source"].endswith("(buildings, walls of h1 and h2)")
    again = found_in(path)
    assert (len(again.proposals), again.num_known) == (1, 1)
    with pytest.raises(FormatError, match="wanted the name of a proposal, found 'narrow-gap-0'"):
        accepted(book, site, found.proposals, ["narrow-gap-0"], VALUES)


def test_dismissed_places_are_not_shown_again_though_the_origin_moves(tmp_path: Path) -> None:
    path, ledger = town(tmp_path), tmp_path / "l"
    found, site = found_in(path), read_site(path)
    name = next(n for n, one in found.proposals.items() if one.rule == "narrow-alley")
    dismiss(ledger, site, found.proposals, [name], by="Wu", why="a shop's terrace", now=NOW)
    moved = json.loads((tmp_path / "spots.geojson").read_text(encoding="utf-8"))
    moved["features"] = moved["features"][:2]
    (tmp_path / "spots.geojson").write_text(json.dumps(moved), encoding="utf-8")
    later, site = found_in(path), read_site(path)
    with open_ledger(ledger) as held:
        gone = dismissed(held, site, later.proposals)
    assert {later.proposals[one].rule for one in gone} == {"narrow-alley"}


def test_tags_of_a_map_propose_refuse_drains_and_brownfield(tmp_path: Path) -> None:
    path = town(tmp_path)
    nodes = [(50, 70), (0.5, 0), (50, -50), (70, -50), (-80, -80), (-60, -80), (-60, -60)]
    lines = [
        f'<node id="{k}" version="1" lon="{at(*place)[0]}" lat="{at(*place)[1]}">'
        + ('<tag k="amenity" v="waste_disposal"/>' if k <= 2 else "")
        + "</node>"
        for k, place in enumerate(nodes, 1)
    ]
    lines += [
        '<way id="1" version="1"><nd ref="3"/><nd ref="4"/><tag k="waterway" v="drain"/></way>',
        '<way id="2" version="1"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/>'
        '<tag k="landuse" v="brownfield"/></way>',
    ]
    extract = tmp_path / "town.osm"
    extract.write_text(f'<osm version="0.6">{"".join(lines)}'
                       '<way id="3" version="1"><nd ref="1"/><nd ref="2"/>'
                       '<tag k="highway" v="service"/></way></osm>', encoding="utf-8")  # fmt: skip
    site = read_site(path)
    found = suggested(site, [], read_extract(extract, site))
    tagged = {one.rule: one for one in found.proposals.values() if one.rule.startswith("tag-")}
    assert set(tagged) == {"tag-refuse-point", "tag-open-drain", "tag-demolition-site"}
    assert tagged["tag-refuse-point"].source == "OpenStreetMap tag amenity=waste_disposal"
    assert tagged["tag-open-drain"].width_m == 1.5
    assert tagged["tag-demolition-site"].figures["area_m2"] == pytest.approx(200, rel=0.02)
    # The second refuse point lies on bins of the inventory; the first is proposed.
    assert found.num_known == 1
    book = read_book(path)
    changes = accepted(book, site, found.proposals, list(found.proposals), VALUES)
    commit(book, changes, tmp_path / "l", by="Wu")
    assert len(read_site(path).spots) == 5 + len(found.proposals)


def test_the_map_shows_each_rule_with_its_number(tmp_path: Path) -> None:
    path = town(tmp_path)
    site, found = read_site(path), found_in(path)
    figure = draw_proposals(site, found.proposals)
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"narrow-gap: 1", "narrow-alley: 1"} <= texts
