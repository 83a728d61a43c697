"""What people write of photos and days, and the post that answers for a spot."""

from __future__ import annotations

import json
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.missions.errors import SiteFileError
from skymist.missions.site import read_site
from skymist.missions.spot_fields import day_of_words, photos_of_words

if TYPE_CHECKING:
    from pathlib import Path

LON, LAT = 114.04, 22.73


def site_with(folder: Path, **values: Any) -> Path:
    """A site of a zone, a pad and two spots, of which the second has these values."""
    ring = [[LON + dx, LAT + dy] for dx, dy in ((-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1))]
    spot = {"kind": "refuse_point", "level": "red", "radius_m": 2, "point": [LON, LAT]}
    site = {
        "schema": 1,
        "name": "Posts",
        "zones": [{"id": "z1", "responsible": "post 1", "polygon": ring}],
        "spots": [{"id": "a", **spot}, {"id": "b", **spot, "point": [LON, LAT + 0.001], **values}],
        "pads": [{"id": "p", "point": [LON + 0.001, LAT]}],
        "fleet": [{"model": "hexa-16"}],
    }
    path = folder / "site.yaml"
    path.write_text(json.dumps(site), encoding="utf-8")
    return path


def test_a_spot_has_its_own_post_or_its_zones(tmp_path: Path) -> None:
    site = read_site(site_with(tmp_path, responsible="浪口 night post"))
    assert [site.post_for(spot) for spot in site.spots] == ["post 1", "浪口 night post"]
    assert site.posts == ("post 1", "浪口 night post")


@pytest.mark.parametrize(
    ("values", "field", "wanted"),
    [
        ({"photos": "../secret.jpg"}, "photos", "paths within"),
        ({"photos": ["/etc/passwd"]}, "photos", "paths within"),
        ({"photos": "C:\\me.jpg"}, "photos", "paths within"),
        ({"photos": "javascript:alert(1)"}, "photos", "paths within"),
        ({"photos": "a/..\\..\\b.jpg"}, "photos", "paths within"),
        ({"level_since": "1/7/2026"}, "level_since", "a day as 2026-07-01"),
        ({"level_since": "2026-02-30"}, "level_since", "a day as 2026-07-01"),
    ],
)
def test_what_a_spot_may_not_say(
    tmp_path: Path, values: dict[str, Any], field: str, wanted: str
) -> None:
    with pytest.raises(SiteFileError) as caught:
        read_site(site_with(tmp_path, **values))
    (fault,) = caught.value.faults
    assert fault.field.endswith(field)
    assert fault.wanted.startswith(wanted)


def test_days_and_photos_as_spreadsheets_write_them() -> None:
    assert day_of_words("2026/7/1") == day_of_words("2026-07-01 00:00:00") == date(2026, 7, 1)
    told = photos_of_words(" photos\\a.jpg; https://x.org/b?c=1 ;;photos/a.jpg")
    assert told == ("photos/a.jpg", "https://x.org/b?c=1")


@given(st.text(max_size=40))
def test_no_photo_leaves_its_folder(text: str) -> None:
    try:
        photos = photos_of_words(text)
    except ValueError:
        return
    for photo in photos:
        if not photo.startswith(("http://", "https://")):
            path = PurePosixPath(photo)
            assert not path.is_absolute()
            assert ".." not in path.parts
            assert "\\" not in photo
            assert ":" not in photo
