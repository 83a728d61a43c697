"""Event loops that set how fast simulated time runs.

`flight` and `sitl` ask `asyncio.get_running_loop().time()` and `asyncio.sleep()` alone, so the
same code flies as fast as the CPU allows, at any multiple of the wall clock, or in real time.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

T = TypeVar("T")
AHEAD_S = 0.3
"""Simulated seconds by which a clock may lead a simulator that falls behind [P]."""
STALL_S = 0.25
"""Simulated seconds that a clock with leaders goes at most from one look to the next [P]."""
CATCH_UP = 1.25
"""How much faster a clock goes that is behind [P]."""
_HELD_S = 0.005
"""Seconds of the wall clock to wait before a held clock is looked at again."""


class _PacedSelector(selectors.BaseSelector):
    """The platform's selector, with the time to wait handed to someone else first."""

    def __init__(self, wait: Callable[[selectors.BaseSelector, float | None], Any]) -> None:
        self._real = selectors.DefaultSelector()
        self._wait = wait

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = self._wait(self._real, timeout)
        return ready

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next scheduled callback as soon as nothing is ready.

    Real sockets are polled before each jump, without waiting; what arrives late in wall time
    therefore arrives late in simulated time. With nothing scheduled the loop waits for sockets.
    A thread's result counts as a late arrival too: keep executors out of timed code.
    """

    def __init__(self, start_s: float = 0.0) -> None:
        self._virtual_s = start_s
        super().__init__(_PacedSelector(self._jump))

    def time(self) -> float:
        """Simulated seconds."""
        return self._virtual_s

    def _jump(self, real: selectors.BaseSelector, timeout: float | None) -> Any:
        if timeout is None:
            return real.select(None)
        ready = real.select(0)
        if not ready and timeout > 0:
            self._virtual_s += timeout
        return ready


class ScaledLoop(asyncio.SelectorEventLoop):
    """Time runs `speedup` times as fast as the wall clock, and no further than `leaders` allow.

    `leaders` are asked with the wall clock's time (`time.monotonic`) and give where they are in the
    time of the loop, or None (`pace.VehicleClock`). The loop's clock goes at most `AHEAD_S` beyond
    the last of them, and a little faster while it is behind them all. Where this process itself got
    no turn, what came meanwhile is read before the time that it took is made up for.

    Raises
    ------
    ValueError
        `speedup` is not above 0.
    """

    def __init__(self, speedup: float = 1.0) -> None:
        self.speedup = speedup
        self.leaders: list[Callable[[float], float | None]] = []
        self._now_s, self._is_held = 0.0, False
        self._seen_at = time.monotonic()
        super().__init__(_PacedSelector(self._shorten))
        if not speedup > 0:
            self.close()
            raise ValueError(f"speedup must be above 0, got {speedup}")

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        wall_s = time.monotonic()
        step_s = (wall_s - self._seen_at) * self.speedup
        self._seen_at = wall_s
        told = [at_s for leader in self.leaders if (at_s := leader(wall_s)) is not None]
        if told:
            last_s = min(told)
            room_s = max(last_s + AHEAD_S - self._now_s, 0.0)
            self._is_held = room_s < step_s
            step_s = min(step_s * CATCH_UP if self._now_s < last_s else step_s, room_s, STALL_S)
        else:
            self._is_held = False
        self._now_s += step_s
        return self._now_s

    def _shorten(self, real: selectors.BaseSelector, timeout: float | None) -> Any:
        if timeout is not None and timeout > 0:
            timeout = max(timeout / self.speedup, _HELD_S if self._is_held else 0.0)
        return real.select(timeout)


def run(main: Coroutine[Any, Any, T], *, loop: asyncio.AbstractEventLoop) -> T:
    """Run a coroutine on `loop`, then cancel what is left and close the loop."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)
