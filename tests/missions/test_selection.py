"""Planning what a list names: a report's missed spots become the next plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.missions.errors import FormatError
from skymist.missions.selection import only_listed, spots_listed
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


def test_a_column_or_bare_ids_name_the_spots(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("﻿spot,reason\r\ntoilet,dry\r\ndrain-shops,\r\n", encoding="utf-8")
    assert spots_listed(path) == {"toilet": 2, "drain-shops": 3}
    path.write_text("toilet\n\ndrain-shops\ntoilet\n")
    assert spots_listed(path) == {"toilet": 1, "drain-shops": 3}


def test_the_site_keeps_its_order_and_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    site = read_site(DEMO)
    names = [site.spots[5].id, site.spots[1].id]
    path.write_text("\n".join(names))
    part = only_listed(site, path)
    assert [spot.id for spot in part.spots] == [site.spots[1].id, site.spots[5].id]
    assert (part.zones, part.buildings, part.fleet) == (site.zones, site.buildings, site.fleet)


@pytest.mark.parametrize("text", ["", "\n\n", "spot,reason\r\n", "spot\n"])
def test_an_empty_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match="found none"):
        spots_listed(path)


def test_an_unknown_spot_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("spot,x\ntoilet,1\ntoilets,2\n")
    with pytest.raises(FormatError, match=r"list.csv:3: spot: .*'toilets' \(did you mean toilet"):
        only_listed(read_site(DEMO), path)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_list_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("lists") / "list.csv"
    path.write_bytes(data)
    try:
        found = spots_listed(path)
    except FormatError:
        return
    assert found
    assert all(name.strip() == name and line >= 1 for name, line in found.items())
