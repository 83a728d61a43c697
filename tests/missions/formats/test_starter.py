"""`skymist init`: a map extract becomes a site that reads and checks; the example can be copied."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from shapely.geometry import Point
from typer.testing import CliRunner

from skymist.coverage.errors import MissionError
from skymist.coverage.site import Kind
from skymist.flight.cli import app
from skymist.missions.formats.guarded import Refused
from skymist.missions.formats.osm import ASSUMED_M, height_m, read_osm
from skymist.missions.site import read_site

LON, LAT = 24.94, 60.17


def osm(*ways: tuple[list[tuple[float, float]], dict[str, str]], **points: dict[str, str]) -> str:
    """An extract: ways of (east, north) offsets in 1e-4 degrees; points by `p_EAST_NORTH`."""
    nodes, lines = [], []

    def node(east: float, north: float, tags: str = "") -> int:
        number = len(nodes) + 1
        place = f'lat="{LAT + north * 1e-4}" lon="{LON + east * 1e-4}"'
        nodes.append(f'<node id="{number}" version="1" {place}>{tags}</node>')
        return number

    def tagged(tags: dict[str, str]) -> str:
        return "".join(
            f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items()
        )

    for name, tags in points.items():
        _, east, north = name.split("_")
        node(float(east), float(north), tagged(tags))
    for number, (corners, tags) in enumerate(ways, 1):
        ids = [node(*corner) for corner in corners]
        is_ring = not {"highway", "waterway"} & set(tags)
        refs = "".join(f'<nd ref="{i}"/>' for i in [*ids, *(ids[:1] if is_ring else [])])
        lines.append(f'<way id="{number}" version="1">{refs}{tagged(tags)}</way>')
    return f'<osm version="0.6">{"".join(nodes)}{"".join(lines)}</osm>'


def ring(east: float, north: float, size: float = 2) -> list[tuple[float, float]]:
    return [(east, north), (east + size, north), (east + size, north + size), (east, north + size)]


TOWN = osm(
    (ring(0, 0), {"building": "yes", "building:levels": "4"}),
    (ring(4, 0), {"building": "house", "height": "7.5 m"}),
    (ring(8, 0), {"building": "yes"}),
    (ring(30, 30), {"natural": "water"}),
    (ring(20, 4), {"amenity": "parking"}),
    (ring(12, 0), {"amenity": "parking", "building": "garage", "height": "3"}),
    (ring(24, 0), {"building": "no", "amenity": "school"}),
    ([(0, 3), (9, 3)], {"highway": "service", "service": "alley"}),
    ([(0, 6), (30, 6)], {"highway": "residential", "name": "Long & short <street>"}),
    ([(0, 9), (30, 9)], {"waterway": "drain"}),
    ([(0, 12), (30, 12)], {"waterway": "drain", "tunnel": "culvert"}),
    p_3_4={"amenity": "recycling"},
)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    path = tmp_path / "town.osm"
    path.write_text(TOWN, encoding="utf-8")
    return path


def test_a_starter_site_reads_with_what_the_map_holds(town: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "s"), "--from-osm", str(town)])
    assert done.exit_code == 0, done.output
    site = read_site(tmp_path / "s" / "site.yaml")
    assert sorted(b.height_m for b in site.buildings) == [3.0, 7.5, 10.0, 13.0]
    kinds = sorted(spot.kind for spot in site.spots)
    assert kinds == sorted([Kind.PARKING_YARD, Kind.BACK_ALLEY, Kind.OPEN_DRAIN, Kind.REFUSE_POINT])
    assert [n.reason for n in site.no_spray] == ["open water"]
    assert [r.kind for r in site.receptors] == ["school"]
    assert "OpenStreetMap" in site.attribution
    assert "1 of 4 building heights are assumed" in (tmp_path / "s" / "site.yaml").read_text()
    # Open ground: no pad nearer than 12 m to a building or the water.
    assert site.pads
    for pad in site.pads:
        closed = [b.footprint for b in site.buildings] + [n.area for n in site.no_spray]
        assert min(Point(pad.x, pad.y).distance(shape) for shape in closed) >= 11.9


def test_nothing_is_overwritten(town: Path, tmp_path: Path) -> None:
    args = ["init", str(tmp_path / "s"), "--from-osm", str(town)]
    assert CliRunner().invoke(app, args).exit_code == 0
    before = {p: p.read_bytes() for p in (tmp_path / "s").iterdir()}
    again = CliRunner().invoke(app, args)
    assert isinstance(again.exception, MissionError)
    assert {p: p.read_bytes() for p in (tmp_path / "s").iterdir()} == before


def test_bounds_cut_the_map(town: Path) -> None:
    west = read_osm(town, (LON - 1e-4, LAT - 1e-4, LON + 3e-4, LAT + 2.5e-4))
    assert len(west.layers["buildings"]) == 1
    with pytest.raises(Refused, match="within the bounds"):
        read_osm(town, (10.0, 10.0, 10.1, 10.1))


def test_without_a_map_the_example_is_copied_and_checks(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert read_site(tmp_path / "mine" / "site.yaml").spots


@pytest.mark.parametrize(
    ("tags", "metres", "source"),
    [
        ({"height": "12"}, 12.0, "height"),
        ({"height": "12.5m"}, 12.5, "height"),
        ({"height": "10 ft"}, 3.048, "height"),
        ({"height": "tall"}, ASSUMED_M, "assumed"),
        ({"height": "tall", "building:levels": "2"}, 7.0, "building:levels"),
        ({"building:levels": "2;3"}, ASSUMED_M, "assumed"),
        ({"building:levels": "0"}, 3.0, "building:levels"),
        ({}, ASSUMED_M, "assumed"),
    ],
)
def test_heights_by_tags(tags: dict[str, str], metres: float, source: str) -> None:
    assert height_m(tags) == (pytest.approx(metres), source)


@pytest.mark.parametrize("text", ["", "<osm>", "<!DOCTYPE osm><osm/>", "no xml"])
def test_what_is_no_extract_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.osm"
    path.write_text(text)
    done = CliRunner().invoke(app, ["init", str(tmp_path / "s"), "--from-osm", str(path)])
    assert isinstance(done.exception, MissionError)
    assert str(done.exception).startswith(f"{path}: wanted")
    assert not (tmp_path / "s").exists()


def test_a_torn_pbf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\xff")
    with pytest.raises(Refused, match="GDAL"):
        read_osm(path)
