"""Tiles from a folder, an MBTiles file and a URL: the right ones, to those who may look."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from skymist.coverage.errors import PlanError
from skymist.flight.dashboard.server import NO_TILE, Dashboard
from skymist.flight.dashboard.tiles import HELD_MOST, UrlTiles, kind_of, tiles_of
from tests.flight.test_dashboard import enter, plan, record, talk
from tests.map_tiles import numbers, picture_of, tile_of, write_folder, write_mbtiles

__all__ = ["plan", "record"]  # fixtures
PLACE = (23.02, 113.75)
Z = 17


@pytest.fixture(params=["folder", "mbtiles"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        return write_folder(tmp_path / "tiles", *PLACE, range(Z, Z + 1), reach=1)
    return write_mbtiles(tmp_path / "t.mbtiles", *PLACE, range(Z, Z + 1))


def test_every_tile_is_found_by_its_number_and_no_other(source: Path) -> None:
    async def main() -> None:
        tiles = tiles_of(str(source))
        assert tiles.attribution == "Made-up Survey"
        assert tiles.zooms == (Z, Z)
        for z, x, y in numbers(*PLACE, range(Z, Z + 1), 1):
            assert await tiles.tile(z, x, y) == picture_of(x, y)
        x, y = tile_of(*PLACE, Z)
        assert await tiles.tile(Z, x, 2**Z - 1 - y) is None  # south for north
        assert await tiles.tile(Z - 1, x, y) is None
        await tiles.close()

    asyncio.run(main())


def test_a_dashboard_hands_them_to_those_who_may_look(source: Path, record: Path) -> None:
    x, y = tile_of(*PLACE, Z)

    async def say(client: TestClient, board: Dashboard) -> None:
        async with client.get(f"/tiles/{Z}/{x}/{y}") as answer:
            assert answer.status == 403
        await enter(client, board.doors.viewer_key)
        async with client.get(f"/tiles/{Z}/{x}/{y}") as answer:
            assert answer.status == 200
            assert answer.content_type == "image/png"
            assert await answer.read() == picture_of(x, y)
        async with client.get(f"/tiles/{Z}/{x}/{y + 40}") as answer:
            assert (answer.status, await answer.read()) == (200, NO_TILE)
        for wrong in (f"/tiles/{Z}/{2**Z}/0", "/tiles/23/0/0", "/tiles/1/..%2F..%2Fx/0"):
            async with client.get(wrong) as answer:
                assert answer.status == 404
        async with client.get("/") as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "img-src 'self' data:;" in policy
            assert "Made-up Survey" in await answer.text()

    talk(record, say, tiles=tiles_of(str(source)))


def test_without_tiles_a_page_may_load_none(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        await enter(client, board.doors.viewer_key)
        async with client.get("/") as answer:
            assert "img-src data:;" in answer.headers["Content-Security-Policy"]
            text = await answer.text()
            assert re.search(r'"tiles":', text) is None
        async with client.get("/tiles/1/0/0") as answer:
            assert answer.status == 404

    talk(record, say)


def test_a_url_is_asked_once_for_each_tile(record: Path) -> None:
    asked: list[str] = []

    async def give(request: web.Request) -> web.Response:
        asked.append(request.path)
        agent = request.headers["User-Agent"]
        assert agent.startswith("skymist/")
        match request.match_info["x"]:
            case "5":
                return web.Response(status=404)
            case "6":
                return web.Response(status=500)
            case "7":
                return web.Response(body=b"<html>not a picture", content_type="text/html")
            case "8":
                return web.Response(body=b"\x89PNG\r\n\x1a\n" + bytes(2 << 20))
        return web.Response(body=picture_of(1, 2), content_type="image/png")

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/{z}/{x}/{y}.png", give)
        server = TestServer(app)
        await server.start_server()
        template = f"http://127.0.0.1:{server.port}/{{z}}/{{x}}/{{y}}.png"
        tiles = tiles_of(template, "somebody")
        for _ in range(2):
            assert await tiles.tile(3, 1, 2) == picture_of(1, 2)
            assert await tiles.tile(3, 5, 2) is None
            assert await tiles.tile(3, 6, 2) is None
            assert kind_of(await tiles.tile(3, 7, 2) or b"") is None
            assert await tiles.tile(3, 8, 2) is None
        # What failed for now is asked again, what is not there is not.
        assert [p.split("/")[2] for p in asked] == ["1", "5", "6", "7", "8", "6"]
        for y in range(HELD_MOST + 10):
            await tiles.tile(10, 1, y)
        assert isinstance(tiles, UrlTiles)
        assert len(tiles.held) == HELD_MOST
        await server.close()
        assert await tiles.tile(4, 1, 2) is None  # nobody answers
        await tiles.close()

    asyncio.run(main())


def vector(path: Path) -> Path:
    write_mbtiles(path, *PLACE, range(Z, Z + 1))
    base = sqlite3.connect(path)
    base.execute("UPDATE tiles SET tile_data = ?", (b"\x1f\x8b vector",))
    base.execute("UPDATE metadata SET value = 'pbf' WHERE name = 'format'")
    base.commit()
    base.close()
    return path


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda tmp: "http://h/{z}/{x}.png", "no {y}"),
        (lambda tmp: "http://h/{z}/{x}/{y}/{s}", "alone"),
        (lambda tmp: "http://h/{z}/{x}/{y}", "--tiles-attribution"),
        (lambda tmp: str(tmp / "nowhere"), "found nothing there"),
        (lambda tmp: str(tmp), "wanted pictures as z/x/y.png"),
        (lambda tmp: str(vector(tmp / "v.mbtiles")), "found pbf"),
        (lambda tmp: __file__, "wanted an MBTiles file"),
    ],
)
def test_what_holds_no_tiles_is_refused_by_name(make: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=re.escape(why)):
        tiles_of(make(tmp_path))
