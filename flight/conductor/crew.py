"""Who refills tanks and swaps batteries on the pad.

The conductor asks a `Crew` and waits; a rehearsal brings one that acts on simulated copters.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from skymist.flight.conductor.order_sources import litres_of, next_line, say_on_stderr
from skymist.flight.errors import FlightError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What goes into a tank: so many litres of one agent, after rinsing where it held another.

    `is_level` says that the tank is filled up to so many litres, since nobody knows what it holds;
    `is_with_swap` that the battery is swapped meanwhile.
    """

    litres_l: float
    agent: str
    into_empty: bool = False
    is_level: bool = False
    is_with_swap: bool = False

    def __str__(self) -> str:
        """As a person is told."""
        return self._poured + (", and swap the battery meanwhile" if self.is_with_swap else "")

    @property
    def _poured(self) -> str:
        if self.into_empty:
            return f"empty and rinse the tank, fill in {self.litres_l:.1f} L of {self.agent}"
        if self.is_level:
            return f"fill the tank up to {self.litres_l:.1f} L of {self.agent}"
        return f"add {self.litres_l:.1f} L of {self.agent}"


class Crew(Protocol):
    """Two services and a look, each done when it returns. The drone stands disarmed."""

    async def refill(self, drone_id: str, load: Load) -> None:
        """Pour a load into the tank."""

    async def swap(self, drone_id: str) -> None:
        """Put a full battery in."""

    async def left(self, drone_id: str, reckoned_l: float, tank_l: float) -> float | None:
        """Litres that are left in a tank of so many; None where nobody looked."""


class AskingCrew:
    """Asks people at the terminal and waits for their Enter, one question at a time.

    `answer` waits for a line, empty or, where it is asked for one, a number; it gives None where
    nobody can answer any more. Without it, the next line of standard input is it. The loop goes on
    meanwhile.
    """

    def __init__(
        self,
        say: Callable[[str], None] = say_on_stderr,
        answer: Callable[[bool], Awaitable[str | None]] | None = None,
    ) -> None:
        self._say, self._answer = say, answer or _line_of_stdin
        self._turn = asyncio.Lock()

    async def refill(self, drone_id: str, load: Load) -> None:
        """Ask for a refill."""
        await self._ask(f"{drone_id}: {load}, then press Enter")

    async def swap(self, drone_id: str) -> None:
        """Ask for another battery."""
        await self._ask(f"{drone_id}: swap the battery, then press Enter")

    async def left(self, drone_id: str, reckoned_l: float, tank_l: float) -> float | None:
        """Ask what is in the tank; Enter alone, or a closed terminal, is nobody looked."""
        async with self._turn:
            self._say(
                f"{drone_id}: about {reckoned_l:.1f} L should be left. How many are in its tank? "
                "(0 if empty; Enter where nobody looks)"
            )
            while text := await self._answer(True):
                litres_l = litres_of(text)
                if litres_l is not None and litres_l <= tank_l:
                    return litres_l
                self._say(f"{drone_id}: wanted litres from 0 to {tank_l:g}, found {text!r}")
            return None

    async def _ask(self, text: str) -> None:
        async with self._turn:
            self._say(text)
            if await self._answer(False) is None:
                raise FlightError(f"{text}: wanted an answer, found standard input closed")


async def _line_of_stdin(_: bool) -> str | None:
    """The next line, be it empty."""
    line = await next_line(sys.stdin)
    return line.strip() if line else None
