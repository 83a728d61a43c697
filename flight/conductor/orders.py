"""What a person may tell a flying operation, as values, and the one queue that they come by.

A terminal, a file of commands or a page in a browser put `Order`s on the same `OrderDesk`; the
conductor takes them off and puts each into the record with who gave it and what came of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from skymist.coverage.errors import PlanError

CONFIRM_S = 15.0
"""The second STOP must come within so many seconds of the first. Proposal."""


class Verb(StrEnum):
    """What is asked for."""

    PAUSE = "pause"
    CONTINUE = "continue"
    SKIP = "skip"
    HOME = "home"
    STOP = "stop"
    WIND = "wind"


_SHORT = {"p": Verb.PAUSE, "c": Verb.CONTINUE, "s": Verb.SKIP, "h": Verb.HOME, "w": Verb.WIND}
_TARGETS = {
    Verb.PAUSE: "[DRONE]",
    Verb.CONTINUE: "[DRONE]",
    Verb.SKIP: "SPOT",
    Verb.HOME: "[DRONE]",
    Verb.STOP: "",
    Verb.WIND: "METRES_PER_SECOND",
}
HELP = (
    "p [DRONE] pause, c [DRONE] continue, s SPOT skip, h [DRONE] come home, "
    "w M/S wind that you measure, stop (twice) all pumps off and hold in the air, ? this line"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One thing told; `target` is a drone, a spot or a number, and empty means every drone."""

    verb: Verb
    target: str = ""
    by: str = "operator"

    def __str__(self) -> str:
        return f"{self.verb} {self.target}".strip()


def parse_order(text: str, *, by: str = "operator") -> Order:
    """An order from one line of words.

    Raises
    ------
    PlanError
        It is none; says which there are.
    """
    words = text.split()
    name = words[0].lower() if words else ""
    verb = _SHORT.get(name) or next((v for v in Verb if v == name), None)
    if verb is None:
        raise PlanError(f"order {text.strip()!r}: wanted {HELP}")
    wanted = _TARGETS[verb]
    most, least = (1 if wanted else 0), (1 if wanted and not wanted.startswith("[") else 0)
    if not least <= len(words) - 1 <= most:
        raise PlanError(f"order {text.strip()!r}: wanted {f'{verb} {wanted}'.strip()}")
    target = words[1] if len(words) > 1 else ""
    if verb is Verb.WIND and not _is_speed(target):
        raise PlanError(f"order {text.strip()!r}: wanted a speed in m/s from 0 up")
    return Order(verb=verb, target=target, by=by)


def _is_speed(text: str) -> bool:
    try:
        return 0.0 <= float(text) < 200.0
    except ValueError:
        return False


def parse_timed(text: str) -> tuple[float, Order]:
    """An order with the seconds after the start at which it is given: ``120:pause:heron``.

    Raises
    ------
    PlanError
        It has another form.
    """
    at, colon, rest = text.partition(":")
    try:
        at_s = float(at)
        if not (colon and 0.0 <= at_s < 1e6):
            raise ValueError
    except ValueError:
        raise PlanError(f"--at {text!r}: wanted SECONDS:ORDER, such as 120:pause:heron") from None
    return at_s, parse_order(rest.replace(":", " ", 1), by="script")


class OrderDesk:
    """The queue of orders; while it is open, a drone that must be told what to do is waited for.

    Everyone who may still give orders holds it open (`opened`, `closed`); with the last gone
    nobody will tell, and drones that wait for a word end their day.
    """

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Order] = asyncio.Queue()
        self._num_open = 0

    @property
    def is_open(self) -> bool:
        """Whether an order may still come."""
        return self._num_open > 0 or not self._queue.empty()

    def opened(self) -> None:
        """Someone more may give orders."""
        self._num_open += 1

    def closed(self) -> None:
        """Someone gives no more."""
        self._num_open -= 1

    def put(self, order: Order) -> None:
        """Give an order."""
        self._queue.put_nowait(order)

    async def get(self) -> Order:
        """The next order."""
        return await self._queue.get()


class Confirmation:
    """STOP is taken only when it is asked twice."""

    def __init__(self) -> None:
        self._asked_s: float | None = None

    def ask(self, now_s: float) -> bool:
        """Whether this is the second within `CONFIRM_S` seconds."""
        is_second = self._asked_s is not None and now_s - self._asked_s <= CONFIRM_S
        self._asked_s = None if is_second else now_s
        return is_second


ASK_TWICE = (
    f"stop means: every pump off and every drone in the air brakes and holds where it is until it "
    f"is told to come home (h) or its pilot takes it; nothing takes off any more. "
    f"Give it again within {CONFIRM_S:g} s to do it"
)
