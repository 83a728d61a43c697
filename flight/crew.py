"""Who refills tanks and swaps batteries on the pad.

The conductor asks a `Crew` and waits; a rehearsal brings one that acts on simulated copters.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from skymist.flight.errors import FlightError
from skymist.flight.order_sources import next_line, say_on_stderr

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
    """Two services, each done when it returns. The drone stands disarmed on its pad."""

    async def refill(self, drone_id: str, load: Load) -> None:
        """Pour a load into the tank."""

    async def swap(self, drone_id: str) -> None:
        """Put a full battery in."""


class AskingCrew:
    """Asks people at the terminal and waits for their Enter, one question at a time.

    `enter` waits for it, and gives False where nobody can answer any more; without one, the next
    line of standard input is it. The loop goes on meanwhile.
    """

    def __init__(
        self,
        say: Callable[[str], None] = say_on_stderr,
        enter: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._say, self._enter = say, enter or _enter_on_stdin
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
            if not await self._enter():
                raise FlightError(f"{text}: wanted an answer, found standard input closed")


async def _enter_on_stdin() -> bool:
    """Whether a line came, be it empty."""
    return bool(await next_line(sys.stdin))
