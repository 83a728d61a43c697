"""Photos of spots: files that are there within the site's folder, or addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.missions.errors import Fault
from skymist.missions.spot_fields import is_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def missing_photos(folder: Path, photos: Sequence[str]) -> list[tuple[str, str]]:
    """Each photo that is no file within the folder, links followed, and what was found."""
    root, made = folder.resolve(), []
    for photo in photos:
        if is_address(photo):
            continue
        path = (root / photo).resolve()
        if not path.is_relative_to(root):
            made.append((photo, f"a link that leads out of it: '{photo}'"))
        elif not path.is_file():
            made.append((photo, f"no file '{photo}'"))
    return made


def photo_faults(folder: Path, file: Path, spot_id: str, photos: Sequence[str]) -> list[Fault]:
    """Faults of photos that a spot is to have."""
    return [
        Fault(file=str(file), field=f"{spot_id}.photos", wanted=f"a file in {folder}", found=found)
        for _, found in missing_photos(folder, photos)
    ]
