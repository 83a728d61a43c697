"""Files of strangers as layers: KMZ, QGroundControl's polygons, and those that are refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from skymist.missions.errors import Fault
from skymist.missions.features import Feature
from skymist.missions.formats.guarded import Refused, readable
from skymist.missions.layers import LayerReader
from skymist.missions.site_schema import LayerSource

KML = """<?xml version="1.0" encoding="UTF-8"?>
{doctype}<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>spots</name>
<Placemark><name>{name}</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
24.94,60.17 24.941,60.17 24.941,60.171 24.94,60.17
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
</Folder></Document></kml>"""
LAUGHS = """<!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>"""
EXTERNAL = '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def read(folder: Path, file: str, role: str, **keys: Any) -> tuple[list[Feature], list[Fault]]:
    reader = LayerReader(
        role=role,
        source=LayerSource(file=file, **keys),
        place=("layers", role),
        folder=folder,
        locate=lambda place: ("site.yaml", ".".join(map(str, place)), 1),
    )
    return reader.read(), reader.faults


def pack(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_kmz_is_read_as_the_kml_in_it(tmp_path: Path) -> None:
    text = KML.format(doctype="", name="yard")
    (tmp_path / "a.kml").write_text(text, encoding="utf-8")
    pack(tmp_path / "a.kmz", **{"doc.kml": text, "files/photo.png": "no picture"})
    plain, faults = read(tmp_path, "a.kml", "zones")
    packed, more = read(tmp_path, "a.kmz", "zones")
    assert not faults
    assert not more
    assert len(plain) == len(packed) == 1
    assert plain[0].shape is not None
    assert packed[0].shape is not None
    assert packed[0].shape.equals(plain[0].shape)


@pytest.mark.parametrize("doctype", [LAUGHS, EXTERNAL, "<!DOCTYPE kml>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_gdal_sees_them(
    tmp_path: Path, doctype: str, encoding: str
) -> None:
    text = KML.format(doctype=doctype, name="&c;" if "c" in doctype else "x")
    text = text.replace("UTF-8", encoding)
    (tmp_path / "a.kml").write_bytes(text.encode(encoding))
    found, faults = read(tmp_path, "a.kml", "zones")
    assert not found
    (fault,) = faults
    assert fault.file.endswith("a.kml")
    assert fault.wanted == "XML without DOCTYPE and entities"


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ({"../../evil.kml": "x"}, "names within the archive"),
        ({"/etc/evil.kml": "x"}, "names within the archive"),
        ({"..\\evil.kml": "x"}, "names within the archive"),
        ({"C:evil.kml": "x"}, "names within the archive"),
        ({"doc.txt": "x"}, "a KML in the archive"),
        ({"doc.kml": "0" * 30_000_000}, "files of at most 200 MB, packed at most 200 to 1"),
        ({f"{k}.txt": "x" for k in range(1001)}, "at most 1000 files in the archive"),
    ],
    ids=["up", "absolute", "backslash", "drive", "none", "bomb", "many"],
)
def test_dishonest_archives_are_refused(
    tmp_path: Path, members: dict[str, str], wanted: str
) -> None:
    path = pack(tmp_path / "a.kmz", **members)
    with pytest.raises(Refused) as caught, readable(path):
        pytest.fail("was handed on")
    assert caught.value.wanted == wanted
    assert [p.name for p in tmp_path.iterdir()] == ["a.kmz"]


@pytest.mark.parametrize("keep", [0, 10, 60, 200])
def test_a_torn_archive_is_a_fault_and_no_crash(tmp_path: Path, keep: int) -> None:
    path = pack(tmp_path / "a.kmz", **{"doc.kml": KML.format(doctype="", name="y")})
    path.write_bytes(path.read_bytes()[:keep])
    found, faults = read(tmp_path, "a.kmz", "zones")
    assert not found
    assert len(faults) == 1


SURVEY = [[60.17, 24.94], [60.17, 24.941], [60.171, 24.941]]


def qgc(**parts: Any) -> str:
    return json.dumps({"fileType": "Plan", "version": 1, **parts})


def test_polygons_drawn_in_qgroundcontrol_are_a_layer(tmp_path: Path) -> None:
    corridor = {"complexItemType": "CorridorScan", "polyline": SURVEY[:2], "CorridorWidth": 4}
    items = [
        {"type": "SimpleItem", "command": 22},
        {"type": "ComplexItem", "complexItemType": "survey", "polygon": SURVEY},
        {"type": "ComplexItem", **corridor},
    ]
    fence = {"polygons": [{"inclusion": False, "polygon": SURVEY}]}
    (tmp_path / "a.plan").write_text(qgc(mission={"items": items}, geoFence=fence))
    spots, faults = read(
        tmp_path,
        "a.plan",
        "spots",
        where={"what": ["survey", "corridor"]},
        properties={"kind": "what"},
        values={"kind": {"survey": "yard", "corridor": "back_alley"}},
        defaults={"level": "red"},
    )
    assert not faults
    assert [spot.values["kind"] for spot in spots] == ["yard", "back_alley"]
    assert spots[1].values["width_m"] == 4
    assert spots[0].shape is not None
    assert spots[0].shape.bounds == (24.94, 60.17, 24.941, 60.171)
    out, _ = read(tmp_path, "a.plan", "no_spray", where={"what": "fence_out"})
    assert len(out) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"fileType": "Mission"}', "\x00", "[" * 9999])
def test_no_plan_file_is_a_fault_with_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.plan").write_text(text)
    found, faults = read(tmp_path, "a.plan", "zones")
    assert not found
    assert [fault.wanted for fault in faults] == ["a QGroundControl .plan file"]


@pytest.mark.parametrize("polygon", [None, 7, [], [[1]], [["a", "b"]] * 3, [[1, 2], None, 3]])
def test_broken_polygons_are_faults_of_their_feature(tmp_path: Path, polygon: Any) -> None:
    items = [{"type": "ComplexItem", "complexItemType": "survey", "polygon": polygon}]
    (tmp_path / "a.plan").write_text(qgc(mission={"items": items}))
    _, faults = read(tmp_path, "a.plan", "zones")
    assert len(faults) == 1
    assert "features[0]" in faults[0].field
