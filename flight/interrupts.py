"""Ctrl-C while drones fly: the first asks them home, the second stops at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
