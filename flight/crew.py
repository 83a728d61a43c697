"""Who refills tanks and swaps batteries on the pad.

The conductor asks a `Crew` and waits; a rehearsal brings one that acts on simulated copters.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from skymist.flight.errors import FlightError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What goes into a tank: so many litres of one agent, after rinsing where it held another."""

    litres_l: float
    agent: str
    into_empty: bool = False

    def __str__(self) -> str:
        """As a person is told."""
        if self.into_empty:
            return f"empty and rinse the tank, fill in {self.litres_l:.1f} L of {self.agent}"
        return f"add {self.litres_l:.1f} L of {self.agent}"


class Crew(Protocol):
    """Two services, each done when it returns. The drone stands disarmed on its pad."""

    async def refill(self, drone_id: str, load: Load) -> None:
        """Pour a load into the tank."""

    async def swap(self, drone_id: str) -> None:
        """Put a full battery in."""


class AskingCrew:
    """Asks people at the terminal and waits for their Enter, one question at a time.

    The loop goes on meanwhile: where the platform cannot watch standard input (Windows), the
    line is read in the loop's executor.
    """

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self._say = say or _say_on_stderr
        self._turn = asyncio.Lock()

    async def refill(self, drone_id: str, load: Load) -> None:
        """Ask for a refill."""
        await self._ask(f"{drone_id}: {load}, then press Enter")

    async def swap(self, drone_id: str) -> None:
        """Ask for another battery."""
        await self._ask(f"{drone_id}: swap the battery, then press Enter")

    async def _ask(self, text: str) -> None:
        async with self._turn:
            self._say(text)
            if not await _line_from_stdin():
                raise FlightError(f"{text}: wanted an answer, found standard input closed")


def _say_on_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def _line_from_stdin() -> str:
    """One line from standard input, without stopping the loop."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[str] = loop.create_future()

    def take() -> None:
        if not came.done():
            came.set_result(sys.stdin.readline())

    try:
        loop.add_reader(sys.stdin, take)
    except (NotImplementedError, OSError, ValueError):
        return await loop.run_in_executor(None, sys.stdin.readline)
    try:
        return await came
    finally:
        loop.remove_reader(sys.stdin)
