"""Where orders come from: a terminal, a file or named pipe that others write to, a timetable."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from skymist.coverage.errors import PlanError
from skymist.flight.conductor.orders import HELP, OrderDesk, parse_order
from skymist.missions.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from skymist.flight.conductor.orders import Order

POLL_S = 0.2
LINE_MOST = 500
"""Longer lines are no orders: what is left of them is thrown away, so that memory stays bounded."""

Say = Callable[[str], None]


def say_on_stderr(text: str) -> None:
    """One line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def litres_of(text: str) -> float | None:
    """Litres that a person typed, as 3.2, 3,2 or 3.2 L; None for anything else."""
    try:
        litres_l = float(text.strip().lower().removesuffix("l").replace(",", "."))
    except ValueError:
        return None
    return litres_l if 0 <= litres_l < math.inf else None


class Console:
    """Lines typed at a terminal: an empty one answers the crew's question, others are orders.

    Where the crew is asked for litres, a number answers too.
    """

    def __init__(self, desk: OrderDesk, stream: TextIO, say: Say = say_on_stderr) -> None:
        self._desk, self._stream, self._say = desk, stream, say
        self._asked: asyncio.Future[str | None] | None = None
        self._is_ended = self._takes_litres = False

    async def answer(self, takes_litres: bool) -> str | None:
        """Wait for an empty line, or for litres; None once the terminal is closed."""
        if self._is_ended:
            return None
        self._asked, self._takes_litres = asyncio.get_running_loop().create_future(), takes_litres
        try:
            return await self._asked
        finally:
            self._asked, self._takes_litres = None, False

    async def read(self) -> None:
        """Take lines until the end of the stream or until cancelled."""
        self._say(HELP)
        try:
            while line := await next_line(self._stream):
                self.take(line)
        finally:
            self._is_ended = True
            self._reply(None)

    def take(self, line: str) -> None:
        """One line."""
        text = line.strip()
        if text in ("", "?"):
            if text or not self._reply(""):
                self._say(HELP)
            return
        if self._takes_litres and litres_of(text) is not None and self._reply(text):
            return
        give(self._desk, text, by="operator", say=self._say)

    def _reply(self, text: str | None) -> bool:
        if self._asked is None or self._asked.done():
            return False
        self._asked.set_result(text)
        return True


def give(desk: OrderDesk, text: str, *, by: str, say: Say) -> None:
    """Put a line on the desk as an order, or say why it is none."""
    try:
        desk.put(parse_order(text, by=by))
    except PlanError as exc:
        say(str(exc))


async def next_line(stream: TextIO) -> str:
    """One line without stopping the loop; empty at the end."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[str] = loop.create_future()

    def take() -> None:
        if not came.done():
            came.set_result(stream.readline())

    try:
        loop.add_reader(stream, take)
    except (NotImplementedError, OSError, ValueError):
        return await loop.run_in_executor(None, stream.readline)
    try:
        return await came
    finally:
        loop.remove_reader(stream)


async def follow(desk: OrderDesk, path: Path, say: Say = say_on_stderr) -> None:
    """Take every line that is written to a file or named pipe, until cancelled.

    Raises
    ------
    FormatError
        It cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as exc:
        found = "none" if isinstance(exc, FileNotFoundError) else str(exc.strerror)
        raise FormatError(f"{path}: wanted a file or pipe with orders, found {found}") from exc
    rest = b""
    try:
        while True:
            data = b""
            with suppress(BlockingIOError):
                data = os.read(handle, 4096)
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[:LINE_MOST]
            for line in lines:
                if text := line.decode("utf-8", "replace").strip():
                    give(desk, text[:LINE_MOST], by=path.name, say=say)
            if not data:
                await asyncio.sleep(POLL_S)
    finally:
        os.close(handle)


async def play(desk: OrderDesk, timed: Sequence[tuple[float, Order]]) -> None:
    """Give each order so many seconds of the loop's clock from now, then no more."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for at_s, order in sorted(timed, key=lambda entry: entry[0]):
        await asyncio.sleep(max(0.0, began_s + at_s - loop.time()))
        desk.put(order)


@asynccontextmanager
async def ordering(
    desk: OrderDesk,
    *,
    timed: Sequence[tuple[float, Order]] = (),
    path: Path | None = None,
    console: Console | None = None,
) -> AsyncIterator[OrderDesk | None]:
    """The desk with these sources, for as long as the block lasts; None where there is none.

    A timetable ends by itself, a terminal with its input; a file never does.

    Raises
    ------
    FormatError
        There is no such file; nothing has begun then.
    """
    if path is not None and not path.exists():
        raise FormatError(f"{path}: wanted a file or pipe with orders, found none")
    sources = []
    if timed:
        sources.append(play(desk, timed))
    if path is not None:
        sources.append(follow(desk, path))
    if console is not None:
        sources.append(console.read())
    tasks = []
    for source in sources:
        desk.opened()
        task = asyncio.create_task(source)
        task.add_done_callback(lambda _: desk.closed())
        tasks.append(task)
    try:
        yield desk if sources else None
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
