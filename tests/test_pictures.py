"""The docs' pictures: each that is shown is there, each that is there is shown, none is large."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
LARGEST = 300_000


def test_every_picture_is_shown_and_every_shown_one_is_there() -> None:
    shown = set()
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page.name}: {link}"
            shown.add((page.parent / link).resolve())
    assert shown == set(PICTURES.glob("*.png"))


def test_pictures_are_small_and_not_blank() -> None:
    found = list(PICTURES.glob("*.png"))
    assert len(found) >= 15
    for path in found:
        assert path.stat().st_size < LARGEST, path.name
        with Image.open(path) as picture:
            assert picture.width <= 1200, path.name
            low, high = picture.convert("L").getextrema()
            assert high - low > 100, path.name
