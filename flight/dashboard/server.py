"""The dashboard's web server: one page, one stream of events to it, orders back.

Runs in a program of its own: what happens to it never touches the flight.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aiohttp import web

from skymist.coverage.errors import PlanError
from skymist.flight.chinese.events import EVENT_LABELS
from skymist.flight.conductor.orders import Verb, parse_order
from skymist.flight.dashboard.board import Board
from skymist.flight.dashboard.doors import COOKIE, Doors, Role, is_same_place
from skymist.flight.dashboard.feed import Replay, live
from skymist.flight.dashboard.tiles import DEEPEST, kind_of
from skymist.flight.terminal.wording import BOOK
from skymist.missions.formats.page import filled, plan_data
from skymist.missions.plans import plan_from_dict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from skymist.coverage.frames import Origin
    from skymist.flight.dashboard.tiles import Tiles
    from skymist.flight.recording.record import Event

UPDATE_S = 0.25
QUIET_S = 1.0
"""Where nothing is new a page hears this often that we are there."""
BODY_MOST = 4096
STREAMS_S = 0.5
"""How long open pages are waited for at the end."""
RECORD_S = 20.0
"""How long a page waits for the record's first line."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; img-src data:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "frame-ancestors 'none'",
}
NO_TILE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
"""A clear picture of one dot, for tiles that are not there."""
STRANGER = (
    "<!doctype html><meta charset=utf-8><title>Skymist</title><p>This dashboard opens with the "
    "link that the program printed. The operator's opens once; ask for the viewers' link."
    "<p lang=zh-CN>请用程序打印的链接打开本看板。操作人的链接只能打开一次；请索取查看者的链接。"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is shown: a record, whether it is replayed and how fast, and where orders go.

    `tiles` lie under the map; without them nothing but the record is shown.
    """

    place: Path
    speed: float | None = None
    orders: Path | None = None
    tiles: Tiles | None = None

    @property
    def is_replay(self) -> bool:
        """Whether the record is played again by its own times."""
        return self.speed is not None


class Dashboard:
    """The application: folds the feed into a board and serves it."""

    def __init__(self, source: Source, hosts: frozenset[str] = frozenset()) -> None:
        self.doors, self.hosts = Doors(), hosts
        self._source = source
        self._board: Board | None = None
        self._page_data: dict[str, Any] | None = None
        self._replay = Replay(source.place, source.speed) if source.speed is not None else None
        self._is_over = False
        self._news = asyncio.Event()
        self._headers = headers_for(has_tiles=source.tiles is not None)

    def app(self) -> web.Application:
        """The application with its routes; its feed runs as long as it does."""
        app = web.Application(client_max_size=BODY_MOST, middlewares=[self._guard()])
        app.router.add_get("/", self._page)
        app.router.add_get("/events", self._events)
        if self._source.tiles is not None:
            app.router.add_get(r"/tiles/{z:\d{1,2}}/{x:\d{1,8}}/{y:\d{1,8}}", self._tile)
        app.router.add_post("/order", self._order)
        app.router.add_post("/seen", self._seen)
        app.router.add_post("/speed", self._speed)
        app.cleanup_ctx.append(self._feeding)
        return app

    async def _feeding(self, _: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._feed(), name="feed")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if self._source.tiles is not None:
            await self._source.tiles.close()

    async def _feed(self) -> None:
        batches = live(self._source.place) if self._replay is None else aiter(self._replay)
        async for batch in batches:
            for event in batch:
                self._take(event)
            self._tell()
        self._is_over = True
        self._tell()

    def _tell(self) -> None:
        """Wake the pages' streams: something is new."""
        self._news.set()
        self._news = asyncio.Event()

    def _take(self, event: Event) -> None:
        if event["event"] == "header":
            plan = plan_from_dict(event["plan"], str(self._source.place))
            self._board, self._page_data = Board(plan), plan_data(plan)
            self._page_data["rehearsal"] = bool(event.get("is_rehearsal"))
            if self._source.tiles is not None:
                self._page_data["tiles"] = tiles_data(self._source.tiles, plan.site.origin)
        if self._board is not None:
            self._board.take(event)

    def _guard(self) -> Any:
        @web.middleware
        async def guard(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            if not is_same_place(
                request.headers.get("Host"), request.headers.get("Origin"), self.hosts
            ):
                raise web.HTTPMisdirectedRequest(text="not for this dashboard")
            try:
                answer = await handler(request)
            except web.HTTPException as refusal:
                refusal.headers.update(self._headers)
                raise
            if not answer.prepared:
                answer.headers.update(self._headers)
            return answer

        return guard

    def _role(self, request: web.Request) -> Role | None:
        return self.doors.role(request.cookies.get(COOKIE))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        key = request.query.get("key")
        if key is not None:
            opened = self.doors.enter(key)
            if opened is None:
                return web.Response(text=STRANGER, content_type="text/html", status=403)
            answer = web.HTTPSeeOther("/")
            answer.set_cookie(COOKIE, opened[0], httponly=True, samesite="Strict", path="/")
            raise answer
        role = self._role(request)
        if role is None:
            return web.Response(text=STRANGER, content_type="text/html", status=403)
        with suppress(TimeoutError):
            async with asyncio.timeout(RECORD_S):
                while self._page_data is None:
                    await asyncio.sleep(UPDATE_S)
        if self._page_data is None:
            text = f"no record at {self._source.place} yet: load this page again"
            raise web.HTTPServiceUnavailable(text=text)
        data = {
            **self._page_data,
            "lang": "zh" if request.headers.get("Accept-Language", "").startswith("zh") else "en",
            "mayCommand": role is Role.OPERATOR and self._source.orders is not None,
            "mayAcknowledge": role is Role.OPERATOR,
            "speed": self._source.speed,
            # Alerts come when the page is there: letters for all that they may say come with it.
            "letters": "".join(sorted(BOOK.letters | set("".join(EVENT_LABELS.values())))),
        }
        template = (files("skymist.flight") / "data" / "dashboard.html").read_text(encoding="utf-8")
        return web.Response(text=filled(template, data), content_type="text/html")

    async def _tile(self, request: web.Request) -> web.Response:
        """A tile of the map; a clear one where there is none."""
        if self._role(request) is None:
            raise web.HTTPForbidden
        z, x, y = (int(request.match_info[name]) for name in ("z", "x", "y"))
        if not (z <= DEEPEST and x < 2**z and y < 2**z):
            raise web.HTTPNotFound
        tiles = self._source.tiles
        picture = await tiles.tile(z, x, y) if tiles is not None else None
        kind = kind_of(picture) if picture is not None else None
        if picture is None or kind is None:
            picture, kind = NO_TILE, "image/png"
        return web.Response(body=picture, content_type=kind)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: everything at first, then what is new, four times a second at most.

        What comes after a quiet quarter of a second goes on at once.
        """
        if self._role(request) is None:
            raise web.HTTPForbidden
        answer = web.StreamResponse(headers={**self._headers, "Content-Type": "text/event-stream"})
        await answer.prepare(request)
        known: dict[str, int] = {}
        last = ""
        with suppress(ConnectionError):
            while True:
                news = self._news
                if self._board is not None:
                    told = self._board.snapshot(known)
                    known = {row["id"]: row["from"] + len(row["track"]) for row in told["drones"]}
                    told["over"] = self._is_over
                    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
                    await answer.write(f"data: {text}\n\n".encode() if text != last else b":\n\n")
                    last = text
                await asyncio.sleep(UPDATE_S)
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), QUIET_S)
        return answer

    async def _operators(self, request: web.Request) -> dict[str, Any]:
        """The body of a request that only the operator's own page may make."""
        if self._role(request) is not Role.OPERATOR:
            raise web.HTTPForbidden(text="viewers cannot command")
        if request.content_type != "application/json" or "Origin" not in request.headers:
            raise web.HTTPForbidden(text="not from this dashboard's page")
        try:
            body = await request.json()
        except ValueError:
            raise web.HTTPBadRequest(text="wanted JSON") from None
        if not isinstance(body, dict):
            raise web.HTTPBadRequest(text="wanted a JSON object")
        return body

    async def _order(self, request: web.Request) -> web.Response:
        body = await self._operators(request)
        if self._source.orders is None:
            raise web.HTTPConflict(text="nothing to command: this is a record, or orders are off")
        try:
            order = parse_order(str(body.get("order", "")))
        except PlanError as exc:
            raise web.HTTPBadRequest(text=str(exc)) from None
        if order.verb in (Verb.STOP, Verb.HOME) and body.get("sure") is not True:
            raise web.HTTPPreconditionRequired(text="asked twice: say that you are sure")
        # The conductor itself wants the word to stop twice.
        times = 2 if order.verb is Verb.STOP else 1
        _append(self._source.orders, f"{order}\n" * times)
        return web.json_response({"given": str(order)})

    async def _seen(self, request: web.Request) -> web.Response:
        body = await self._operators(request)
        alert_id = body.get("id")
        if self._board is None or not isinstance(alert_id, int):
            raise web.HTTPBadRequest(text="wanted the id of an alert")
        if not self._board.acknowledge(alert_id, "operator"):
            raise web.HTTPNotFound(text="no such alert")
        self._tell()
        return web.json_response({})

    async def _speed(self, request: web.Request) -> web.Response:
        body = await self._operators(request)
        speed = body.get("speed")
        if self._replay is None:
            raise web.HTTPConflict(text="this is live")
        if not isinstance(speed, int | float) or not 0 <= speed <= 1000:
            raise web.HTTPBadRequest(text="wanted a speed from 0 to 1000")
        self._replay.speed = float(speed)
        return web.json_response({})


def headers_for(*, has_tiles: bool) -> dict[str, str]:
    """What each answer says; only with tiles may a page load pictures, and those from us alone."""
    policy = HEADERS["Content-Security-Policy"]
    if has_tiles:
        policy = policy.replace("img-src data:", "img-src 'self' data:")
    return {**HEADERS, "Content-Security-Policy": policy}


def tiles_data(tiles: Tiles, origin: Origin) -> dict[str, Any]:
    """What a page needs to put tiles in their places: the frame's origin and WGS84's radii there.

    `north_m` and `east_m` are metres for a radian along the meridian and across it.
    """
    squashed = 1 / 298.257223563 * (2 - 1 / 298.257223563)
    lat_rad = math.radians(origin.lat_deg)
    curve = 1 - squashed * math.sin(lat_rad) ** 2
    return {
        "attribution": tiles.attribution,
        "zooms": tiles.zooms,
        "lat": lat_rad,
        "lon": math.radians(origin.lon_deg),
        "north_m": 6378137.0 * (1 - squashed) / curve**1.5,
        "east_m": 6378137.0 / math.sqrt(curve) * math.cos(lat_rad),
    }


def _append(path: Path, text: str) -> None:
    """One write, so that lines of two writers never mix."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


async def serve(
    source: Source, address: str, port: int, say: Callable[[str], None], *, is_tied: bool = False
) -> None:
    """Serve until cancelled, or, tied, until standard input ends; `say` gets the links.

    Raises
    ------
    OSError
        The port is taken.
    """
    board = Dashboard(source)
    runner = web.AppRunner(board.app(), access_log=None, shutdown_timeout=STREAMS_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port)
        await site.start()
        found = runner.addresses[0][1]
        shown = f"[{address}]" if ":" in address else address
        names = {shown, "127.0.0.1", "localhost", "[::1]"}
        if address in ("0.0.0.0", "::"):
            shown = "127.0.0.1"
            names |= _own_names()
        board.hosts = frozenset(f"{name.lower()}:{found}" for name in names)
        base = f"http://{shown}:{found}/"
        say(f"operator, opens once: {base}?key={board.doors.operator_key}")
        say(f"viewers, cannot command: {base}?key={board.doors.viewer_key}")
        await (_input_ended() if is_tied else asyncio.Event().wait())
    finally:
        await runner.cleanup()


async def _input_ended() -> None:
    """Wait until whoever holds the other end of standard input is gone."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.buffer.read()
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, name="parent", daemon=True).start()
    await ended.wait()


def _own_names() -> set[str]:
    """What other machines may call this one by."""
    import socket

    name = socket.gethostname()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    except OSError:
        found = set()
    return {name, *(f"[{one}]" if ":" in one else one for one in found)}
