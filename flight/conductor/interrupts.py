"""Ctrl-C while drones fly: the first asks them home, the second stops at once.

Even then work that leaves a drone safe is done to its end: it is short and bounded.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator


async def shielded(work: Coroutine[object, object, None]) -> None:
    """Do the work to its end; a cancellation that comes meanwhile takes effect after it."""
    task = asyncio.ensure_future(work)
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            is_cancelled = True
    task.result()
    if is_cancelled:
        raise asyncio.CancelledError


@contextmanager
def on_interrupt(first: Callable[[], None]) -> Iterator[None]:
    """Inside: the first Ctrl-C calls `first` in the loop, the second cancels the current task.

    Without effect outside the main thread, where Python takes no signals.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    times = 0

    def handle(*_: object) -> None:
        nonlocal times
        times += 1
        if times == 1:
            loop.call_soon_threadsafe(first)
        elif task is not None:
            loop.call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
