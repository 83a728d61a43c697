"""Instance numbers of ArduPilot's simulator, each used by one run at a time on this machine.

An instance fixes its ports. A lease is a bound socket on a port of its own: other runs see it,
and it ends with the process, however that ends.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from skymist.coverage.errors import SkymistError

FIRST, NUM_INSTANCES = 20, 180
_GUARD_PORT = 36_020
_BASES = (5760, 5762, 5763)


class NoInstance(SkymistError):
    """All instance numbers are taken."""


class Lease:
    """An instance number that is ours until closed."""

    def __init__(self, instance: int, guard: socket.socket) -> None:
        self.instance = instance
        self._guard = guard

    @property
    def port(self) -> int:
        """The TCP port of the instance's first serial line."""
        return _BASES[0] + 10 * self.instance

    def close(self) -> None:
        """Give the number back."""
        self._guard.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def lease(instances: Iterable[int] = range(FIRST, FIRST + NUM_INSTANCES)) -> Lease:
    """Lease the first instance whose ports are free.

    Raises
    ------
    NoInstance
        None of them is.
    """
    tried = 0
    for instance in instances:
        tried += 1
        guard = _bind(_GUARD_PORT + instance)
        if guard is None:
            continue
        if all(_is_free(base + 10 * instance) for base in _BASES):
            return Lease(instance, guard)
        guard.close()
    raise NoInstance(f"none of {tried} simulator instances is free on this machine")


def _bind(port: int) -> socket.socket | None:
    guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        guard.bind(("127.0.0.1", port))
        guard.listen(1)
    except OSError:
        guard.close()
        return None
    return guard


def _is_free(port: int) -> bool:
    probe = _bind(port)
    if probe is None:
        return False
    probe.close()
    return True
