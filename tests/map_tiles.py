"""Made-up map tiles: each of one colour that follows from its number; as folder or MBTiles."""

from __future__ import annotations

import io
import math
import sqlite3
from typing import TYPE_CHECKING

from PIL import Image
from pyproj import Transformer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORLD_M = 2 * math.pi * 6378137.0


def colour_of(x: int, y: int) -> tuple[int, int, int]:
    """A tile's colour: red by column, green by row; blue tells that it is one of ours."""
    return (x * 37) % 128, (y * 61) % 128, 200


def picture_of(x: int, y: int) -> bytes:
    """The tile as PNG."""
    out = io.BytesIO()
    Image.new("RGB", (256, 256), colour_of(x, y)).save(out, "PNG")
    return out.getvalue()


def tile_of(lat_deg: float, lon_deg: float, z: int) -> tuple[int, int]:
    """Column and row (from the north) of the tile that a place lies in, by PROJ's Web Mercator."""
    east_m, north_m = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon_deg, lat_deg)
    side_m = WORLD_M / 2**z
    return int((east_m + WORLD_M / 2) // side_m), int((WORLD_M / 2 - north_m) // side_m)


def numbers(lat_deg: float, lon_deg: float, zooms: range, reach: int) -> Iterator[tuple[int, ...]]:
    """Zoom, column and row of all tiles around a place."""
    for z in zooms:
        x0, y0 = tile_of(lat_deg, lon_deg, z)
        for x in range(x0 - reach, x0 + reach + 1):
            for y in range(y0 - reach, y0 + reach + 1):
                yield z, x, y


def write_folder(
    folder: Path, lat_deg: float, lon_deg: float, zooms: range, reach: int = 4
) -> Path:
    """As z/x/y.png, with whose it is."""
    for z, x, y in numbers(lat_deg, lon_deg, zooms, reach):
        path = folder / str(z) / str(x) / f"{y}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture_of(x, y))
    (folder / "attribution.txt").write_text("Made-up Survey\n", encoding="utf-8")
    return folder


def write_mbtiles(path: Path, lat_deg: float, lon_deg: float, zooms: range, reach: int = 1) -> Path:
    """As MBTiles 1.3: rows from the south."""
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE metadata (name text, value text)")
    base.execute(
        "CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer,"
        " tile_data blob)"
    )
    told = {"name": "made up", "format": "png", "attribution": "Made-up Survey"}
    base.executemany("INSERT INTO metadata VALUES (?, ?)", told.items())
    rows = [
        (z, x, 2**z - 1 - y, picture_of(x, y))
        for z, x, y in numbers(lat_deg, lon_deg, zooms, reach)
    ]
    base.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    base.commit()
    base.close()
    return path
