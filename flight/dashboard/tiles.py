"""Map tiles under the dashboard's map, where somebody brings some: a folder, MBTiles, a URL.

Pages get them from our own server, so that nothing of a page ever asks another; a URL is asked by
this program alone. Tiles are pictures in Web Mercator (EPSG:3857) on WGS84.

Source: MBTiles 1.3 (rows count from the south); OGC 17-083r2 for the scheme z/x/y.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aiohttp import ClientError, ClientSession, ClientTimeout

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEEPEST = 22
TILE_MOST = 1 << 20
"""Bytes of one tile; those of maps have some ten thousand."""
HELD_MOST = 500
"""Tiles of a URL that are kept, so that a page that is moved about does not ask again."""
WAIT_S = 10.0
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}


class Tiles(Protocol):
    """Where tiles come from. `attribution` is shown on the map; `zooms` are first and last."""

    attribution: str
    zooms: tuple[int, int]

    async def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The picture of a tile, rows from the north; None where there is none."""

    async def close(self) -> None:
        """Let go of what is open."""


def kind_of(picture: bytes) -> str | None:
    """The media type of a picture that a browser shows; None for anything else."""
    return next((kind for magic, kind in _MAGIC.items() if picture.startswith(magic)), None)


def tiles_of(source: str, attribution: str = "") -> Tiles:
    """The tiles that somebody names: a folder, an `.mbtiles` file or a URL with {z}, {x} and {y}.

    Raises
    ------
    PlanError
        It is none of them, holds no pictures, or comes from others and nobody says whose it is.
    """
    if source.startswith(("http://", "https://")):
        return _url_tiles(source, attribution)
    path = Path(source)
    if path.is_dir():
        return _folder_tiles(path, attribution)
    if path.is_file():
        return _mbtiles(path, attribution)
    wanted = "a folder z/x/y.png, an .mbtiles file, or a URL with {z}, {x} and {y}"
    raise PlanError(f"--tiles {source}: wanted {wanted}, found nothing there")


@dataclass(slots=True)
class FolderTiles:
    """Pictures in a folder as z/x/y.png (or jpg, webp)."""

    folder: Path
    attribution: str
    zooms: tuple[int, int]

    async def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The file of a tile."""
        for suffix in SUFFIXES:
            with suppress(OSError):
                return (self.folder / str(z) / str(x) / f"{y}{suffix}").read_bytes()
        return None

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class MbTiles:
    """Pictures in an MBTiles file, which is only read."""

    base: sqlite3.Connection
    attribution: str
    zooms: tuple[int, int]

    async def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The row of a tile; MBTiles count rows from the south."""
        found = self.base.execute(
            "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
            (z, x, 2**z - 1 - y),
        ).fetchone()
        return None if found is None else bytes(found[0])

    async def close(self) -> None:
        """Close the file."""
        self.base.close()


@dataclass(slots=True)
class UrlTiles:
    """Pictures that this program fetches and keeps for a while."""

    template: str
    attribution: str
    zooms: tuple[int, int] = (0, 19)
    held: dict[tuple[int, int, int], bytes | None] = field(default_factory=dict)
    session: ClientSession | None = None

    async def tile(self, z: int, x: int, y: int) -> bytes | None:
        """A tile that is held, or fetched now; None where it does not come."""
        key = (z, x, y)
        if key not in self.held:
            picture, is_final = await self._fetched(self.template.format(z=z, x=x, y=y))
            if not is_final:
                return None
            self.held[key] = picture
            for old in list(self.held)[:-HELD_MOST]:
                self.held.pop(old, None)
        return self.held[key]

    async def _fetched(self, url: str) -> tuple[bytes | None, bool]:
        """What a URL gives, and whether that is its last word."""
        if self.session is None:
            agent = {"User-Agent": f"skymist/{version('skymist')}"}
            self.session = ClientSession(headers=agent, timeout=ClientTimeout(total=WAIT_S))
        try:
            async with self.session.get(url, allow_redirects=True) as answer:
                if answer.status != 200:
                    return None, answer.status == 404
                picture = await answer.content.read(TILE_MOST + 1)
                while len(picture) <= TILE_MOST and (more := await answer.content.read(TILE_MOST)):
                    picture += more
        except (ClientError, TimeoutError, OSError):
            return None, False
        return (picture if len(picture) <= TILE_MOST else None), True

    async def close(self) -> None:
        """Close what is open to the server."""
        if self.session is not None:
            await self.session.close()


def _url_tiles(template: str, attribution: str) -> UrlTiles:
    if missing := [name for name in ("{z}", "{x}", "{y}") if name not in template]:
        raise PlanError(f"--tiles {template}: wanted {{z}}, {{x}} and {{y}} in it, no {missing[0]}")
    try:
        template.format(z=0, x=0, y=0)
    except (KeyError, IndexError, ValueError) as exc:
        raise PlanError(f"--tiles {template}: wanted {{z}}, {{x}}, {{y}} alone: {exc}") from exc
    if not attribution:
        raise PlanError(
            "--tiles with a URL: wanted whose map it is, found nothing: add --tiles-attribution, "
            "as '(c) OpenStreetMap contributors'"
        )
    return UrlTiles(template, attribution)


def _folder_tiles(folder: Path, attribution: str) -> FolderTiles:
    zooms = sorted(int(p.name) for p in folder.iterdir() if p.is_dir() and p.name.isdecimal())
    pictures = (p for z in zooms[:1] for p in (folder / str(z)).glob("*/*"))
    if not any(p.suffix in SUFFIXES for p in pictures):
        raise PlanError(f"--tiles {folder}: wanted pictures as z/x/y.png in it, found none")
    said = folder / "attribution.txt"
    if not attribution and said.is_file():
        attribution = said.read_text(encoding="utf-8").strip()
    return FolderTiles(folder, attribution, (zooms[0], zooms[-1]))


def _mbtiles(path: Path, attribution: str) -> MbTiles:
    try:
        base = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        with closing(base.execute("SELECT name, value FROM metadata")) as rows:
            told: Mapping[str, str] = dict(rows)
        first, last = base.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
        picture = base.execute("SELECT tile_data FROM tiles LIMIT 1").fetchone()
    except sqlite3.Error as exc:
        raise PlanError(f"--tiles {path}: wanted an MBTiles file: {exc}") from exc
    if picture is None or kind_of(bytes(picture[0])) is None:
        found = told.get("format", "no picture") if picture else "no tile"
        raise PlanError(f"--tiles {path}: wanted pictures (png, jpg, webp), found {found}")
    return MbTiles(base, attribution or told.get("attribution", ""), (first, last))
